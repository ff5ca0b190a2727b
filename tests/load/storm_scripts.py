"""Words that would like to run (T036): in every field people fill, looked at on every page, in every mail and file, by Chromium too."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import lxml.html
import psycopg
from playwright.sync_api import BrowserContext, Error, sync_playwright
from psycopg import sql
from sqlalchemy import text

from lms.app import create_app
from lms.channels import queries as channels
from lms.core import db, limits, mail
from tests.chromium import launch
from tests.conftest import run_jobs
from tests.core.test_markdown import ATTACKS
from tests.load.figure import Figure, Wish
from tests.load.stage import PORT, Stage, a_stage, served
from tests.load.storm_forms import HOST, Reader, World, pages_by_links
from tests.looks import filling
from tests.looks.ground import SEATS

HANDLERS = [
    "onabort",
    "onafterprint",
    "onanimationend",
    "onanimationstart",
    "onauxclick",
    "onbeforeinput",
    "onbeforetoggle",
    "onblur",
    "oncanplay",
    "onchange",
    "onclick",
    "oncopy",
    "oncontentvisibilityautostatechange",
    "ondblclick",
    "onerror",
    "onfocusin",
    "onformdata",
    "onhashchange",
    "oninput",
    "onkeydown",
    "onload",
    "onloadstart",
    "onmessage",
    "onmouseenter",
    "onpageshow",
    "onpointerover",
    "onpopstate",
    "onresize",
    "onscroll",
    "onscrollend",
    "onsecuritypolicyviolation",
    "onselectionchange",
    "onslotchange",
    "onsubmit",
    "ontimeupdate",
    "ontoggle",
    "ontransitionend",
    "onunhandledrejection",
    "onwebkitanimationstart",
    "onwheel",
]
CLOSERS = ["</title>", "</textarea>", "</script>", "</style>", "</option></select>", "</noscript>", "</template>", "</svg>", "]]>", "-->"]
MORE = [
    *(f"<img src=x {name}=alert(1)>" for name in HANDLERS),
    *(f"{closer}<svg/onload=alert(1)>" for closer in CLOSERS),
    '"><svg/onload=alert(1)>', "'><svg/onload=alert(1)>", '" autofocus onfocus="alert(1)', "' autofocus onfocus='alert(1)", "`onload=alert(1)`",
    "\\\"-alert(1)}//", "';alert(1)//", "${alert(1)}", "{{constructor.constructor('alert(1)')()}}", "{{7*7}}{%print(7*7)%}", "\u2028alert(1)\u2029",
    "</script><script>alert(1)</script>", "<para><img src='http://evil.example/x.png'/></para>", "<font size=99999>x</font>", "<a href='x'>un<b>closed",
    "&#x3C;svg/onload=alert(1)&#x3E;", "=HYPERLINK(\"http://evil.example\")", "@SUM(1+1)*cmd|' /C calc'!A0", "<svg><use href='data:image/svg+xml,x#x'>",
]  # fmt: skip
PAYLOADS = list(dict.fromkeys(one.replace("\0", "") for one in (*ATTACKS, *MORE) if len(one) < 400))
# Columns that people fill, by their names; what a program reads again (states, keys, addresses) is not among them.
FILLED = re.compile(
    r"^(name|title|label|note|notes|summary|description|body|text|about|bio|tagline|reason|\w+_reason|message|subject|answer|word|hint|tag|value"
    r"|purpose|failure|filename|detail|sentence|actor_name|made_by_name|user_name|headline|phone|device|agent|error|stopped_because)$"
)
LEFT = ("core.slots", "auth.passkeys", "core.chains", "public.bench_facts", "core.outbox", "core.events", "notifications.wordings")
LOCAL = re.compile(r"^\s*(javascript|vbscript|data:text/html|data:image/svg)", re.I)
RUNS = "//*[@*[starts-with(name(), 'on')]] | //script[not(@src)] | //iframe[@srcdoc] | //base | //object | //embed | //meta[@http-equiv]"


def scripts(wish: Wish) -> list[Figure]:
    """Each payload in each field, and every page, mail and file after it: nothing runs, nothing breaks, and no page breaks its own policy."""
    limits.hit = lambda *_args, **_options: None  # type: ignore[assignment]
    turns = 1 if wish.quick else 12
    with a_stage(20) as stage:
        app = create_app(stage.config, testing=True)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        house = World(app, stage.channel_id, rare=True)
        places = pages_by_links(house, 1 if wish.quick else 2)
        print(f"  {len(places)} pages", flush=True)
        faults: dict[str, None] = {}
        shown: Counter[tuple[str, int]] = Counter()
        fields = 0
        for turn in range(turns):
            fields = plant(stage, turn)
            for reader, endpoint, path in places:
                _look(reader, endpoint, path, faults, shown)
        letters = _letters(stage, house, faults)
        ran = _in_chromium(stage, house, places, wish.quick)
    for fault in [*faults, *ran][:60]:
        print(f"  fault: {fault[:500]}", flush=True)
    sinks = {endpoint for endpoint, _number in shown}
    what = f"{len(PAYLOADS)} payloads by turns in {fields} columns, {len(places)} pages {turns} times over, {letters} mails"
    value = f"{len(faults)} that would run or broke a page; {len(shown):,} pairs of payload and page seen on {len(sinks)} kinds of pages"
    return [
        Figure("scripts", what, value, "", "≥ 150 payloads × ≥ 60 sinks, 0", not faults and len(PAYLOADS) >= 150 and len(sinks) >= 60),
        Figure(
            "scripts",
            f"the same pages in Chromium ({len(places)})",
            f"{len(ran)} that ran or were held back by the policy",
            "",
            "0",
            not ran,
        ),
    ]


def plant(stage: Stage, turn: int) -> int:
    """Put payloads into every cell of every column that people fill, others each turn: as long a one as the column takes; the number of columns."""
    count = 0
    with psycopg.connect(stage.config.database_url, autocommit=True) as owner:
        found = owner.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_type = 'BASE TABLE' AND c.data_type = 'text' AND is_generated = 'NEVER'"
            " AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3"
        ).fetchall()
        owner.execute("SET session_replication_role = replica")  # append-only tables too, and without telling the search index
        for schema, table, column in found:
            if FILLED.match(column) and f"{schema}.{table}" not in LEFT:
                count += any(_fill(owner, schema, table, column, size, turn) for size in (40, 3, 1, 0))
    return count


def _fill(owner: psycopg.Connection[Any], schema: str, table: str, column: str, size: int, turn: int) -> bool:
    """Fill one column with so many payloads a cell (0: one that is short); false when it takes none of that length."""
    at = list(range(len(PAYLOADS)))
    if size:
        words = [" ".join(f"x7q{n}z {PAYLOADS[n]}" for n in (at * 2)[start : start + size]) for start in at]
    else:
        words = [f"x7q{n}z{PAYLOADS[n]}" for n in at if len(PAYLOADS[n]) < 45]
    query = sql.SQL(
        "WITH numbered AS (SELECT ctid AS at, row_number() OVER () + {turn} AS n FROM {table})"
        " UPDATE {table} SET {column} = (%s::text[])[1 + numbered.n %% %s] FROM numbered WHERE {table}.ctid = numbered.at"
        " AND {table}.{column} IS NOT NULL"
    ).format(table=sql.Identifier(schema, table), column=sql.Identifier(column), turn=sql.Literal(turn * 13 + len(column)))
    try:
        return owner.execute(query, (words, len(words))).rowcount > 0
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        return False


def _look(reader: Reader, endpoint: str, path: str, faults: dict[str, None], shown: "Counter[tuple[str, int]]") -> None:
    """One page or file: what of it would run, and which payloads it shows."""
    answer = reader.client.get(path, base_url=HOST, headers={"Cookie": reader.cookie})
    body = answer.get_data()
    if answer.status_code >= 500:
        faults[f"{answer.status_code} {endpoint} {path}: {body[:200]!r}"] = None
    words = body.decode(errors="replace")
    for number in set(re.findall(r"x7q(\d+)z", words)):
        shown[(endpoint, int(number))] += 1
    if answer.mimetype == "text/html":
        for what in would_run(words):
            faults[f"{endpoint}: {what}"] = None


def would_run(html: str) -> Iterator[str]:
    """What of a page somebody else could have brought in to run: our own pages have no handlers, no scripts in the page and no such addresses."""
    if not html.strip():
        return
    tree = lxml.html.document_fromstring(html)
    for element in tree.xpath(RUNS):
        kind = str(element.get("type") or "")
        if element.tag == "script" and kind.endswith("json") and "<" not in (element.text or ""):
            continue
        yield lxml.html.tostring(element, encoding="unicode", with_tail=False)[:200]
    for element in tree.xpath("//*[@href or @src or @action or @formaction or @poster or @data]"):
        for name in ("href", "src", "action", "formaction", "poster", "data"):
            if LOCAL.match(element.get(name) or ""):
                yield lxml.html.tostring(element, encoding="unicode", with_tail=False)[:200]


def _letters(stage: Stage, house: World, faults: dict[str, None]) -> int:
    """What happens now is told by mail, with the names as they are now: the mails, looked at like pages."""
    with db.unit_of_work(stage.channel_id, read_only=True) as session:
        before = session.execute(text("SELECT count(*) FROM core.mails")).scalar_one()
        persons = [channels.actor_of_user(reader.person.user_id) for reader in house.readers if reader.person and reader.person.user_id]
    for part in filling.PARTS:
        try:
            with db.unit_of_work(stage.channel_id):
                part(filling.Hands(dict(zip(SEATS, persons, strict=True))))
        except Exception as error:
            print(f"  not again: {part.__name__}: {type(error).__name__}: {str(error)[:120]}", flush=True)
    run_jobs()
    count = 0
    with db.unit_of_work(stage.channel_id, read_only=True):
        for letter in mail.newest(2000, ""):
            count += 1
            for what in would_run(mail.readable(letter, letter.body_html) if letter.body_html else ""):
                faults[f"mail {letter.template if hasattr(letter, 'template') else ''}: {what}"] = None
    return count - int(before)


def _in_chromium(stage: Stage, house: World, places: list[tuple[Reader, str, str]], quick: bool) -> list[str]:
    """Every page opened for real, on the server of production: dialogs, and what the policy had to hold back."""
    ran: dict[str, None] = {}
    some = list({(endpoint, id(reader)): (reader, endpoint, path) for reader, endpoint, path in places}.values())
    with served(stage), sync_playwright() as play:
        browser = launch(play)
        for reader in house.readers:
            context = browser.new_context(base_url=f"http://localhost:{PORT}", reduced_motion="reduce")
            if reader.cookie:
                name, _, value = reader.cookie.partition("=")
                context.add_cookies([{"name": name, "value": value, "url": f"http://localhost:{PORT}"}])
            for _who, endpoint, path in [one for one in some if one[0] is reader][: 10 if quick else None]:
                _open(context, endpoint, path, ran)
            context.close()
        browser.close()
    return list(ran)


def _open(context: BrowserContext, endpoint: str, path: str, ran: dict[str, None]) -> None:
    page = context.new_page()
    page.on("dialog", lambda dialog: (ran.update({f"{endpoint}: a page spoke up: {dialog.message}": None}), dialog.dismiss()))
    page.on("console", lambda message: ran.update({f"{endpoint}: {message.text[:300]}": None}) if _is_policy(message.text) else None)
    try:
        answer = page.goto(path, wait_until="load", timeout=30_000)
        page.wait_for_timeout(150)
        if answer is not None and answer.status >= 500:
            ran[f"{endpoint}: {answer.status}"] = None
    except Error as error:
        if "Download is starting" not in str(error):
            ran[f"{endpoint}: {str(error).splitlines()[0][:200]}"] = None
    page.close()


def _is_policy(words: str) -> bool:
    return "Content Security Policy" in words or "Refused to" in words
