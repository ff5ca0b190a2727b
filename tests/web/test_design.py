"""The design page is what the eye and axe run on: every macro, light and dark, both directions, phone and desk, under the strict policy."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from tests.chromium import launch
from tests.web.design_app import ROOT, create_design_app

DIST, ASSETS = ROOT / "static" / "dist", ROOT / "assets"
# Every two of width, theme and direction meet: each pair of them is seen, in half as many looks as there are.
LOOKS = [(360, "light", "ltr"), (360, "dark", "rtl"), (1440, "dark", "ltr"), (1440, "light", "rtl")]
PAGES = ["/", "/lesson", "/catalogue", "/sign_in"]


def files() -> dict[str, str]:
    """Source name → hashed name."""
    built: dict[str, str] = json.loads((DIST / "manifest.json").read_text("utf-8"))["files"]
    return built


def fingerprint() -> str:
    """The checksum of assets/ as build.mjs computes it."""
    digest = hashlib.sha256()
    names = {path.relative_to(ASSETS).as_posix(): path for path in ASSETS.rglob("*") if path.is_file() and "node_modules" not in path.parts}
    for name in sorted(names):
        if not name.startswith(".build/") and not Path(name).name.startswith(".entry-"):
            digest.update(name.encode() + b"\0" + names[name].read_bytes() + b"\0")
    return digest.hexdigest()


def weight(*names: str) -> int:
    """Bytes over the wire: gzip -9, but woff2 as it is."""
    built = files()
    return sum(
        len(raw) if name.endswith("woff2") else len(gzip.compress(raw, 9)) for name in names for raw in [(DIST / built[name]).read_bytes()]
    )


def test_manifest__names_files_that_exist_and_nothing_else() -> None:
    built = {path.name for path in DIST.iterdir() if path.is_file() and path.name != "manifest.json"}
    assert set(files().values()) == built


def test_manifest__file_names_carry_their_content() -> None:
    for name in files().values():
        assert hashlib.sha256((DIST / name).read_bytes()).hexdigest()[:10] in name


def test_manifest__was_built_from_these_sources() -> None:
    assert json.loads((DIST / "manifest.json").read_text("utf-8"))["sources"] == fingerprint(), "run scripts/build-assets"


def test_dist__holds_no_address_of_a_registry_and_keeps_the_licences() -> None:
    lock = (ASSETS / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert {"htmx.org.txt", "basecoat.txt", "plyr.txt", "hls.js.txt", "lucide-static.txt", "fontsource-variable-inter.txt"} <= {
        p.name for p in (DIST / "licenses").iterdir()
    }


def test_first_visit__fits_the_budgets() -> None:
    client = create_design_app().test_client()
    page = len(gzip.compress(client.get("/").data, 9))
    lesson = len(gzip.compress(client.get("/lesson").data, 9))
    assert weight("app.css", "app.js", "icons.svg", "inter.woff2", "logo.svg") + page <= 150_000
    assert weight("site.css", "site.js", "icons.svg", "logo.svg") + lesson <= 60_000


def test_icons__every_icon_a_template_names_is_in_the_sprite() -> None:
    known = set((ASSETS / "icons.txt").read_text("utf-8").split())
    found: set[str] = set()
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r"""icon\("([a-z0-9-]+)\"""", text))
        found |= set(re.findall(r"""icon(?:_name|_end)?=["']([a-z0-9-]+)["']""", text))
        found |= set(re.findall(r"""["']icon["']: ["']([a-z0-9-]+)["']""", text))
    assert found <= known, f"add to assets/icons.txt and run scripts/build-assets: {sorted(found - known)}"


def test_classes__every_class_a_template_writes_is_known_to_a_style_sheet() -> None:
    css = "".join((DIST / files()[name]).read_text("utf-8") for name in ("app.css", "site.css", "player.css"))
    known = {re.sub(r"\\(.)", r"\1", name) for name in re.findall(r"\.((?:[\w-]|\\.)+)", css)}
    missing: dict[str, set[str]] = {}
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "tests/web/pages").glob("*.html")]:
        if path.name in ("mail.html", "plain_mail.html") or "mail" in path.parent.parts:
            continue
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", path.read_text("utf-8"), flags=re.S)
        used = {word for value in re.findall(r'\bclass="([^"]*)"', text) for word in value.split()}
        if unknown := {word for word in used if word not in known and not word.endswith("-") and not word.startswith("js-")}:
            missing[path.relative_to(ROOT).as_posix()] = unknown
    assert not missing, f"use a word of ui/README.md, or add it to assets/css and run scripts/build-assets: {missing}"


def test_templates__carry_no_inline_style_script_or_handler() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        if path.name in ("mail.html", "plain_mail.html") or "mail" in path.parent.parts:
            continue
        text = path.read_text("utf-8")
        assert not re.search(r"""<style|\sstyle=|\son(?!ly=)[a-z]+=|hx-on|<script(?![^>]*\ssrc=)|hx-vals=["']js:""", text), path


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The design app on a free port."""
    server = make_server("127.0.0.1", 0, create_design_app(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as play:
        made = launch(play)
        yield made
        made.close()


def open_page(browser: Browser, url: str, width: int, **options: Any) -> tuple[Page, list[str]]:
    """A page, and the list its console errors (policy violations among them) are written to."""
    page = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options).new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return page, faults


def grave(page: Page) -> list[str]:
    """axe's serious and critical findings, one line each, with WCAG 2.2's target size."""
    answer = Axe().run(page, options={"rules": {"target-size": {"enabled": True}}}).response
    assert "target-size" in {one["id"] for one in answer["passes"] + answer["violations"]}
    found = answer["violations"]
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("width", "theme", "direction"), LOOKS)
def test_pages__are_accessible_quiet_and_fit(browser: Browser, address: str, path: str, width: int, theme: str, direction: str) -> None:
    page, faults = open_page(browser, f"{address}{path}?theme={theme}&dir={direction}", width)
    try:
        assert grave(page) == []
        assert faults == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    finally:
        page.context.close()


@pytest.mark.browser
def test_theme__of_a_channel_and_of_the_device_stay_readable(browser: Browser, address: str) -> None:
    for scheme in ("light", "dark"):
        page, faults = open_page(browser, f"{address}/?brand=1&theme=system", 1440, color_scheme=scheme)
        assert grave(page) == [] and faults == []
        page.context.close()


@pytest.mark.browser
def test_dialogs__open_close_and_are_accessible(browser: Browser, address: str) -> None:
    page, faults = open_page(browser, f"{address}/?theme=light&toasts=1", 1440)
    page.click('a[data-opens="save-view"] >> text=Dialog')
    expect(page.locator("#save-view[open]")).to_be_visible()
    expect(page.locator("#view-name")).to_be_focused()
    assert grave(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#save-view[open]")).to_have_count(0)
    page.click('a[data-opens="details"]')
    expect(page.locator("#details[open]")).to_be_visible()
    assert grave(page) == []
    page.click("#details [data-closes]")
    expect(page.locator("#details[open]")).to_have_count(0)
    page.click("#toasts .toast [data-dismiss]")
    page.locator("#toasts .toast").wait_for(state="detached")
    assert faults == []
    page.context.close()


@pytest.mark.browser
def test_keys__open_palette_search_and_sheet(browser: Browser, address: str) -> None:
    page, faults = open_page(browser, f"{address}/?theme=dark", 1440)
    page.keyboard.press("/")
    expect(page.locator("input[type=search]:focus")).to_have_count(1)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette input")).to_be_focused()
    page.locator("#palette-results a").first.wait_for()
    page.keyboard.type("co")
    expect(page.locator("#palette-results [role=group]")).to_have_attribute("aria-label", "Go to: co")
    expect(page.locator("#palette-results a").nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#palette-results a").nth(1)).to_have_attribute("aria-selected", "true")
    assert grave(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#palette[open]")).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator("#keys [data-keys] div").nth(9)).to_be_visible()
    assert grave(page) == [] and faults == []
    page.context.close()


@pytest.mark.browser
def test_rows__are_chosen_counted_and_moved(browser: Browser, address: str) -> None:
    page, _faults = open_page(browser, f"{address}/?theme=light", 1440)
    expect(page.locator("[data-selected]")).to_have_text("1 chosen")
    page.check("[data-select-page]")
    expect(page.locator("[data-selected]")).to_have_text("6 chosen")
    page.check("[data-select-all]")
    expect(page.locator("[data-selected]")).to_have_text("148 chosen")
    page.click("[data-select-none]")
    expect(page.locator(".bulk")).to_be_hidden()
    first = page.locator(".sortable li").first
    name = first.get_attribute("data-name")
    with page.expect_navigation():
        first.locator('[data-move="down"]').click()
    assert name == "Welcome"
    page.context.close()


@pytest.mark.browser
def test_theme__switches_without_a_reload_and_is_remembered(browser: Browser, address: str) -> None:
    page, _faults = open_page(browser, f"{address}/?theme=light", 1440)
    page.click("[data-theme-toggle]")
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    assert {"name": "theme", "value": "dark"}.items() <= dict(next(c for c in page.context.cookies() if c["name"] == "theme")).items()
    page.context.close()


@pytest.mark.browser
def test_frame__works_without_script(browser: Browser, address: str) -> None:
    page, _faults = open_page(browser, f"{address}/?theme=light", 360, java_script_enabled=False)
    expect(page.locator(".sidenav")).to_be_hidden()
    page.check("#nav-open")
    expect(page.locator(".sidenav a").first).to_be_visible()
    page.click(".nav-close")
    page.locator(".sidenav").wait_for(state="hidden")
    page.goto(f"{address}/?theme=light#confirm-archive")
    expect(page.locator("#confirm-archive button[type=submit]")).to_be_visible()
    page.context.close()
