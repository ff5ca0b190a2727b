"""Look at every page: `scripts/looks` signs in as each role, opens each page wide and narrow, light, dark and from right to left,
and prints what is wrong. Pictures, and sheets of many of them, go to a folder outside the repository."""

import argparse
import itertools
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from lms.app import create_app
from tests.browser.kit import grave
from tests.chromium import launch
from tests.looks.addresses import Map, Place, every_place
from tests.looks.filling import fill
from tests.looks.ground import SEATS, Ground, a_demo, ground_of
from tests.looks.sheets import sheets
from tests.made_up import MADE_UP, write_catalogue

EYE = Path(__file__).with_name("eye.js").read_text()
ROLES = [*SEATS, "stranger"]
SIZES = {"desk": (1440, 900), "phone": (360, 780)}
LOOKS = ["desk-light", "phone-dark", "desk-dark", "phone-light"]
TALLEST = 1800
REFLOW = 320  # WCAG 1.4.10: what 1280 px are at 400 %


@dataclass(slots=True)
class Looked:
    """What was found, by kind and words, and on which pages."""

    findings: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    pictures: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    heard: list[str] = field(default_factory=list)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    checked: set[str] = field(default_factory=set)

    def keep(self, file: Path) -> None:
        """Write down what was seen and found, for the next look at the same folder."""
        findings = [[*key, *sorted(places)] for key, places in self.findings.items()]
        pictures = {name: list(map(str, paths)) for name, paths in self.pictures.items()}
        file.write_text(json.dumps({"seen": self.seen, "checked": sorted(self.checked), "findings": findings, "pictures": pictures}))

    def recall(self, file: Path) -> None:
        """Go on from what an earlier look wrote down."""
        if not file.exists():
            return
        kept = json.loads(file.read_text())
        self.seen = [(path, role, name) for path, role, name in kept["seen"]]
        self.checked = set(kept["checked"])
        for kind, words, *places in kept["findings"]:
            self.findings[(kind, words)] |= set(places)
        for name, paths in kept["pictures"].items():
            self.pictures[name] = list(map(Path, paths))

    def note(self, kind: str, words: str, where: str) -> None:
        """One more page on which this was seen."""
        if not self.findings[(kind, words)]:
            print(f"| {kind} | {words} | {where} |", flush=True)
        self.findings[(kind, words)].add(where)


@contextmanager
def window(browser: Browser, ground: Ground, role: str, looked: Looked) -> Iterator[Page]:
    """A window in which somebody of a role is signed in, whose console is listened to."""
    context: BrowserContext = browser.new_context(base_url=ground.address, viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    if role in ground.cookies:
        context.add_cookies([{"name": "lectern", "value": ground.cookies[role], "url": ground.address}])
    page = context.new_page()
    page.on("console", lambda message: looked.heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: looked.heard.append(str(error)))
    page.on("dialog", lambda dialog: (looked.heard.append(f"a page spoke up by itself: {dialog.message}"), dialog.dismiss()))
    page.on("requestfailed", lambda request: looked.heard.append(f"{request.failure} {request.url}") if _counts(request.failure) else None)
    yield page
    context.close()


def _counts(failure: str | None) -> bool:
    return bool(failure) and "ERR_ABORTED" not in str(failure)


def arrive(page: Page, place: Place, looked: Looked) -> bool:
    """Open a page and let it come to rest; false when it did not answer as a page."""
    looked.heard.clear()
    answer = page.goto(place.path, wait_until="load", timeout=60_000)
    if answer is None or answer.status >= 400:
        looked.note("status", str(answer.status if answer else "none"), f"{place.path} ({place.role})")
        return False
    try:
        page.wait_for_load_state("networkidle", timeout=2_500)
    except Error:
        page.wait_for_timeout(200)  # a page that keeps asking, as a class that is on
    return True


def look(page: Page, place: Place, looked: Looked, folder: Path, wish: argparse.Namespace, *, axe: bool) -> None:
    """The page in each look that is wished for: what the eye stops at, and a picture; axe in the first of them, for the first who sees it."""
    where = f"{place.path} ({place.role})"
    if not arrive(page, place, looked):
        return
    noted = set[str]()
    for number, name in enumerate(wish.looks):
        size, scheme = name.split("-")
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(250)  # colours fade
        if size not in noted:
            take_note(page, looked, f"{where} {size}", [])
            noted.add(size)
            if size == "phone":
                page.set_viewport_size({"width": REFLOW, "height": height})
                take_note(page, looked, f"{where} at {REFLOW} px", [], only=("wide",))
                page.set_viewport_size({"width": width, "height": height})
        picture(page, place, looked, folder, name, width)  # before axe: it draws the page to its end
        if axe and number == 0:
            for fault in grave(page):
                looked.note("axe", fault.replace("\n", " ")[:260], f"{where} {name}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})
    for words in dict.fromkeys(looked.heard):
        looked.note("console", words[:260], where)


def look_from_the_right(page: Page, place: Place, looked: Looked, folder: Path, msgids: set[str]) -> None:
    """The page in the made-up language, narrow and wide."""
    if not arrive(page, place, looked):
        return
    if page.evaluate("document.documentElement.dir") != "rtl":
        looked.note("direction", "not from right to left", place.path)
    for size in ("phone", "desk"):
        page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
        take_note(page, looked, f"{place.path} ({place.role}) {size} rtl", sorted(msgids) if size == "desk" else [])
        picture(page, place, looked, folder, f"{size}-rtl", SIZES[size][0])


def take_note(page: Page, looked: Looked, where: str, msgids: list[str], only: tuple[str, ...] = ()) -> None:
    """What the eye stops at."""
    for kind, words in page.evaluate(EYE, msgids):
        if not only or kind in only:
            looked.note(kind, words, where)


def picture(page: Page, place: Place, looked: Looked, folder: Path, look_name: str, width: int) -> None:
    """A picture of the page, as tall as it is up to a bound."""
    target = folder / look_name / f"{place.endpoint}-{place.role}.png"
    if target.exists():
        target = target.with_stem(f"{target.stem}-{len(list(target.parent.iterdir()))}")
    target.parent.mkdir(parents=True, exist_ok=True)
    tall = int(page.evaluate("document.documentElement.scrollHeight"))
    try:
        page.set_viewport_size({"width": width, "height": min(max(tall, 600), TALLEST)})  # cheaper than a picture of the whole page
        page.screenshot(path=target)
        looked.pictures[look_name].append(target)
    except Error as error:
        looked.note("picture", str(error)[:120], place.path)


def walk(ground: Ground, found: Map, looked: Looked, folder: Path, msgids: set[str], wish: argparse.Namespace) -> bool:
    """Every page for every role, then once more from right to left, each only if no earlier look at this folder saw it; false when time ran out."""
    end = time.monotonic() + wish.minutes * 60
    steps = [(place, "+".join(wish.looks)) for role in ROLES for place in found.places if place.role == role and wish.looks]
    once = {place.endpoint: place for role in reversed(SEATS) for place in found.places if place.role == role}
    steps += [(place, "right") for place in once.values() if msgids]
    steps = [(place, name) for place, name in steps if (place.path, place.role, name) not in looked.seen]
    with sync_playwright() as play:
        browser = launch(play)
        for (role, from_right), some in itertools.groupby(steps, lambda step: (step[0].role, step[1] == "right")):
            ground.speak(MADE_UP if from_right else "en")
            with window(browser, ground, role, looked) as page:
                for place, name in some:
                    if time.monotonic() > end:
                        break
                    axe = not wish.quick and place.endpoint not in looked.checked
                    if from_right:
                        step = partial(look_from_the_right, page, place, looked, folder, msgids)
                    else:
                        step = partial(look, page, place, looked, folder, wish, axe=axe)
                        looked.checked.add(place.endpoint)
                    _safely(page, place, looked, step)
                    looked.seen.append((place.path, place.role, name))
        ground.speak("en")
        browser.close()
    return time.monotonic() <= end


def _safely(page: Page, place: Place, looked: Looked, step: Callable[[], None]) -> None:
    """One page that cannot be looked at does not end the walk."""
    try:
        step()
    except Error as error:
        looked.note("driver", str(error).splitlines()[0][:160], place.path)
        page.goto("about:blank")


def tell(found: Map, looked: Looked, folder: Path) -> int:
    """Print what was found, the kinds that must not be first; their number."""
    for path, role, status in found.broken:
        looked.note("status", str(status), f"{path} ({role})")
    for (kind, words), places in sorted(looked.findings.items(), key=lambda item: (item[0][0], -len(item[1]))):
        print(f"| {kind} | {words} | {len(places)} × {', '.join(sorted(places)[:3])} |")
    opened = {place.endpoint for place in found.places}
    for endpoint, by_role in sorted(found.closed.items()):
        if endpoint not in opened and not any(200 in statuses for statuses in by_role.values()):
            print(f"| not reached | {endpoint} | {json.dumps({role: sorted(statuses) for role, statuses in by_role.items()})} |")
    bad = {kind for kind, _words in looked.findings} & {
        "status",
        "console",
        "wide",
        "axe",
        "raw",
        "heading",
        "ids",
        "driver",
        "untranslated",
    }
    print(f"{len(opened)} pages, {len(found.places)} with their readers, {sum(map(len, looked.pictures.values()))} pictures in {folder}")
    return len(bad)


def main() -> int:
    """Look at what is asked for; 1 when something must be mended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", help="the home of a running demo, which is only read; without it one is started and filled")
    parser.add_argument("--only", default="", help="a pattern: endpoints or rules to look at")
    parser.add_argument("--role", action="append", choices=ROLES, help="whose pages; all when none")
    parser.add_argument("--each", type=int, default=1, help="how many addresses of each rule")
    parser.add_argument(
        "--out", type=Path, help="folder for the pictures; a second look at the same folder begins with the pages found by the first"
    )
    parser.add_argument("--keep", type=Path, help="a home for the demo, filled by the first look and found filled by the next")
    parser.add_argument(
        "--minutes", type=float, default=600, help="stop after so long; the next look at the same folder goes on from there"
    )
    parser.add_argument("--looks", nargs="*", choices=LOOKS, default=LOOKS[:2], help="which looks")
    parser.add_argument("--quick", action="store_true", help="without axe")
    parser.add_argument("--right", action="store_true", help="with --home or --keep: from right to left too (a home has LMS_TRANSLATIONS)")
    parser.add_argument("--stay", action="store_true", help="keep the demo open until Enter is pressed")
    wish = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started ends with us
    folder = wish.out or Path(tempfile.mkdtemp(prefix="lectern-looks-"))
    looked, msgids = Looked(), set[str]()
    with tempfile.TemporaryDirectory(prefix="lectern-words-") as words:
        Path(words).chmod(0o755)
        if wish.right or not (wish.home or wish.keep):
            msgids = write_catalogue(Path(words))
        ground_here = (
            nullcontext(ground_of({"LMS_HOME": wish.home, "LMS_PORT": os.environ.get("LMS_PORT", "8000")}))
            if wish.home
            else a_demo(Path(words) if msgids else None, wish.keep)
        )
        with ground_here as ground:
            if not wish.home:
                fill(ground, Path(ground.config.home))
            began = time.monotonic()
            kept = folder / "places.json"
            if kept.exists():
                found = Map([Place(*one) for one in json.loads(kept.read_text())], {}, [])
                found.places = [
                    one for one in found.places if one.role in (wish.role or ROLES) and re.search(wish.only, f"{one.endpoint} {one.path}")
                ]
            else:
                found = every_place(create_app(ground.config, testing=True), ground, wish.role or ROLES, wish.only, wish.each)
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps([(one.endpoint, one.path, one.role) for one in found.places]))
            print(f"{len(found.places)} pages to look at, found in {time.monotonic() - began:.0f} s at {ground.address}", flush=True)
            looked.recall(folder / "seen.json")
            before = sum(map(len, looked.pictures.values()))
            is_done = walk(ground, found, looked, folder, msgids, wish)
            looked.keep(folder / "seen.json")
            print(
                f"{sum(map(len, looked.pictures.values())) - before} pictures more; {'all was seen' if is_done else 'time ran out'}",
                flush=True,
            )
            if wish.stay:
                input(f"{ground.address} stays open until Enter.")
    sheets(looked.pictures, folder)
    return 1 if tell(found, looked, folder) else 0


if __name__ == "__main__":
    sys.exit(main())
