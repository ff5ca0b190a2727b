"""A browser for tests: every page it gets is checked for valid HTML, one h1 that starts the title, unique ids, labelled fields,
form tokens, and at most twelve queries."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

import html5lib
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from lxml import html
from lxml.etree import _Element
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from lms.core.signing import digest
from lms.web.sessions import RedisSessions

MOST_QUERIES = 12
READER = html.HTMLParser(encoding="utf-8")
MAIN = re.compile(r"<main\b[^>]*>(.*)</main>", re.DOTALL)
VALUES = re.compile(r'"[^"<>&]*"')  # of attributes
WORDS = re.compile(r">[^<>&]+<")
TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
EXAMINES = ("/admin/system",)  # the doctor looks at everything, on request
NOT_COUNTED = ("SELECT set_config", "SET LOCAL ROLE", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET CONSTRAINTS", "BEGIN", "COMMIT")


class Page:
    """An answer with its document: `page.text("h1")`, `page.form()`, `page.status`."""

    def __init__(self, response: TestResponse, queries: list[str]) -> None:
        self.response = response
        self.status = response.status_code
        self.body = response.get_data().decode("utf-8", "replace")
        self.queries = queries
        self.location = response.headers.get("Location", "")

    @cached_property
    def tree(self) -> Any:
        """The document."""
        return html.document_fromstring(self.body or "<html></html>", parser=READER)

    def all(self, path: str) -> list[_Element]:
        """The elements at an XPath."""
        return list(self.tree.xpath(path))

    def text(self, path: str) -> str:
        """The words inside the first element at an XPath; "" when there is none."""
        found = self.all(path)
        return re.sub(r"\s+", " ", "".join(found[0].itertext())).strip() if found else ""

    @property
    def words(self) -> str:
        """All the words of the page."""
        return re.sub(r"\s+", " ", "".join(self.tree.xpath("//body")[0].itertext())) if self.body else ""

    @property
    def json(self) -> Any:
        """The JSON of the answer."""
        return self.response.get_json()


class Browser:
    """One browser, with cookies; GET and POST like a person (or like htmx with `htmx=True`)."""

    person: Any = None
    token: str = ""

    def __init__(self, app: Flask, host: str = "localhost") -> None:
        self.app = app
        self.host = host
        self.raw: FlaskClient = app.test_client()
        self.raw.environ_base["wsgi.input_terminated"] = True  # as gunicorn says: what is read past a length is refused, not empty

    def get(
        self, path: str, *, htmx: bool = False, follow: bool = False, status: int | None = None, check: bool = True, **options: Any
    ) -> Page:
        """GET a page; checks it as a page unless `check` is off."""
        return self._send("GET", path, htmx, follow, status, check, **options)

    def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        htmx: bool = False,
        follow: bool = False,
        status: int | None = None,
        check: bool = True,
        token: bool = True,
        **options: Any,
    ) -> Page:
        """POST a form with this browser's form token."""
        if token:
            options["headers"] = {**options.get("headers", {}), "X-CSRFToken": self.form_token()}
        if "json" not in options:
            options["data"] = data or {}
        return self._send("POST", path, htmx, follow, status, check, **options)

    def form_token(self) -> str:
        """A form token, as any page with a form holds one; of a browser that has its cookie it is known without asking for a page."""
        held = self.raw.get_cookie(self._cookie, domain=self.host)
        if held is not None:
            return str(URLSafeTimedSerializer(self.app.secret_key or "", salt="wtf-csrf-token").dumps(digest("csrf", held.value).hex()))
        found = TOKEN.search(self.get("/auth/sign-in", check=False).body)
        return found[1] if found else ""

    def sign_in(self, email: str, password: str) -> Page:
        """Type address and password on the sign-in page."""
        return self.post("/auth/sign-in", {"email": email, "password": password}, check=False)

    def enter(self, token: str) -> None:
        """Hold the cookie of a session that was begun without the sign-in page."""
        self.raw.set_cookie(self._cookie, token, domain=self.host)

    @property
    def _cookie(self) -> str:
        return cast(RedisSessions, self.app.session_interface).cookie

    def _send(self, method: str, path: str, htmx: bool, follow: bool, status: int | None, check: bool, **options: Any) -> Page:
        headers = {"HX-Request": "true"} if htmx else {}
        headers.update(options.pop("headers", {}))
        queries: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.lstrip().startswith(NOT_COUNTED):
                queries.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            response = self.raw.open(
                path, method=method, headers=headers, base_url=f"http://{self.host}", follow_redirects=follow, **options
            )
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        page = Page(response, queries)
        if status is not None:
            assert page.status == status, f"{method} {path}: {page.status}, not {status}: {page.body[:1500]}"
        assert page.status < 500 or status is not None, f"{method} {path}: {page.status}: {page.body[:2000]}"
        if check and response.mimetype == "text/html" and page.body:
            (check_fragment if htmx else check_page)(page, f"{method} {path}")
            if method == "GET" and not path.startswith(EXAMINES):
                assert len(queries) <= MOST_QUERIES, f"{path}: {len(queries)} queries:\n" + "\n".join(queries)
        return page


_sound: set[int] = set()


def faults(markup: str, container: str | None) -> list[Any]:
    """What is wrong with a document, or with what stands inside a container; the same tags around other words are read strictly once."""
    shape = hash((container, WORDS.sub("><", VALUES.sub('""', markup))))
    if shape in _sound:
        return []
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(markup) if container is None else parser.parseFragment(markup, container=container)
    _sound.update(() if parser.errors else (shape,))
    return list(parser.errors)


def check_page(page: Page, where: str) -> None:
    """A whole page is one that people, screen readers and the back button can live with."""
    inside = MAIN.search(page.body)
    for part, container in ((MAIN.sub("<main></main>", page.body), None), (inside[1] if inside else "", "main")):
        wrong = faults(part, container)
        assert not wrong, f"{where}: HTML errors {wrong[:3]}"
    headings = page.all("//h1")
    assert len(headings) == 1, f"{where}: {len(headings)} h1"
    title, h1 = page.text("//title"), page.text("//h1")
    assert title.startswith(h1[:20]) or h1.startswith(title.split(" · ")[0]), f"{where}: title {title!r} does not start with h1 {h1!r}"
    check_fragment(page, where)


def check_fragment(page: Page, where: str) -> None:
    """Ids are unique, fields labelled, POST forms carry a token, nothing inline, few queries."""
    twice = {value for value, times in Counter(str(value) for value in page.tree.xpath("//@id")).items() if times > 1}
    assert not twice, f"{where}: ids twice: {twice}"
    labelled = {str(value) for value in page.tree.xpath("//label/@for")}
    for field in page.all("//input[not(@type='hidden') and not(@type='submit')] | //select | //textarea"):
        named = field.get("aria-label") or field.get("aria-labelledby") or field.get("id") in labelled
        assert named or field.xpath("ancestor::label"), f"{where}: field {field.get('name')} has no label"
    for form in page.all("//form[translate(@method,'POST','post')='post']"):
        assert form.xpath(".//input[@name='csrf_token']"), f"{where}: a form without token: {form.get('action')}"
    inline = page.all("//@style") + page.all("//*[@onclick or @onload or @onchange or @onsubmit]")
    assert not inline, f"{where}: inline style or script"
