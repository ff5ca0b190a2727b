"""Door 2: making, downloading once, following and voiding vouchers."""

import csv
import io
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from lms.core import db
from lms.core.ids import uuid7
from lms.vouchers import operations, queries
from lms.vouchers.operations import Issued
from tests.client import Browser, Page
from tests.conftest import CHANNEL
from tests.factories.courses import a_course
from tests.factories.people import sam
from tests.factories.vouchers import a_batch


def _wish(browser: Browser, **changes: str) -> Mapping[str, str]:
    form = browser.get("/admin/vouchers/batches/new", status=200)
    seal = form.all("//input[@name='seal']")[0].get("value")
    owner = form.all("//select[@name='owner']/option[@selected]")[0].get("value")
    return {
        "label": "Spring",
        "value": "50",
        "count": "12",
        "prefix": "spring",
        "uses_per_code": "1",
        "grouping": "4",
        "kind": "value",
        "owner": owner,
        "seal": seal,
        **changes,
    }


def _made(browser: Browser, **changes: str) -> Page:
    return browser.post("/admin/vouchers/batches/new", _wish(browser, **changes), status=303)


def _a_batch(count: int = 3, **wishes: object) -> Issued:
    with db.unit_of_work(CHANNEL):
        return a_batch(count, **wishes)  # type: ignore[arg-type]


def test_batches__lists_how_each_batch_stands(as_root: Browser) -> None:
    assert "No vouchers yet" in as_root.get("/admin/vouchers/batches", status=200).words
    issued = _a_batch(4)
    with db.unit_of_work(CHANNEL):
        operations.redeem(issued.codes[0], by=sam())
    page = as_root.get("/admin/vouchers/batches", status=200)
    assert "Spring" in page.words and "€40.00" in page.words and "Redeemed 1" in page.words and "Outstanding 3" in page.words
    assert "Spring" not in as_root.get("/admin/vouchers/batches?state=expired", status=200).text("//table")
    assert "Spring" in as_root.get("/admin/vouchers/batches?q=spri&sort=worth", status=200).text("//table")
    assert "Spring" in as_root.get("/admin/vouchers/batches?format=csv", status=200, check=False).body


def test_batches_new__makes_the_batch_and_shows_its_codes_once(as_root: Browser) -> None:
    made = _made(as_root)
    page = as_root.get(made.location, status=200)
    assert "SPRING-" in page.words and "12 codes worth €600.00" in page.words
    assert "SPRING-" not in as_root.get(made.location.removesuffix("/codes"), status=200).text("//table")
    as_root.post(f"{made.location}/done", status=303)
    assert as_root.get(made.location).status == 403
    assert as_root.post(f"{made.location}/csv").status == as_root.post(f"{made.location}/sheet").status == 403


def test_batches_new__sent_twice_makes_one_batch_both_clicks_can_open(as_root: Browser) -> None:
    wish = _wish(as_root)
    one, two = (as_root.post("/admin/vouchers/batches/new", wish, status=303) for _ in range(2))
    assert one.location == two.location
    as_root.get(two.location, status=200)
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM vouchers.codes")).scalar_one() == 12


@pytest.mark.parametrize(
    "changes,words",
    [
        ({"label": ""}, "Give the batch a name"),
        ({"value": ""}, "Say what one code is worth"),
        ({"value": "0"}, "more than zero"),
        ({"value": "1.234"}, "decimals"),
        ({"count": "10001"}, "1 to 10,000"),
        ({"prefix": "<b>"}, "letters A–Z"),
        ({"expires_at": "2020-01-01"}, "must lie ahead"),
        ({"per_person": "0"}, "1 or more"),
        ({"owner": "00000000-0000-0000-0000-000000000000"}, "valid choice"),
        ({"seal": "x"}, "too old"),
    ],
)
def test_batches_new__says_what_does_not_fit_and_keeps_the_rest(as_root: Browser, changes: dict[str, str], words: str) -> None:
    page = as_root.post("/admin/vouchers/batches/new", _wish(as_root, **changes), status=422)
    assert words.lower() in page.words.lower()
    if "label" not in changes:
        assert page.all("//input[@name='label' and @value='Spring']")


@pytest.mark.parametrize(
    "kind,wish,shown",
    [
        ("course", {}, "Start here"),
        ("percent", {"percent": "15", "word": "summer20", "count": "1", "uses_per_code": "500"}, "15 % off"),
        ("amount", {"value": "5", "count": "20"}, "€5.00 off"),
    ],
)
def test_batches_new__makes_codes_of_every_kind(as_root: Browser, kind: str, wish: dict[str, str], shown: str) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Start here", published=True)
    form = as_root.get(f"/admin/vouchers/batches/new?kind={kind}", status=200)
    assert bool(form.all("//input[@name='course_ids']")) and bool(form.all("//input[@name='value']")) is (kind == "amount")
    sent = {**_wish(as_root), "kind": kind, "domains": "school.example, @b.example", **wish}
    for name in ("value", "prefix"):
        sent.pop(name) if name not in wish else None
    if kind == "course":
        assert "Choose the courses" in as_root.post(f"/admin/vouchers/batches/new?kind={kind}", sent, status=422).words
        sent["course_ids"] = str(course.id)
    made = as_root.post(f"/admin/vouchers/batches/new?kind={kind}", sent, status=303)
    page = as_root.get(made.location, status=200)
    assert ("SUMMER20" in page.words) is (kind == "percent")
    assert as_root.post(f"{made.location}/sheet", {"part": "1"}, status=200, check=False).body.startswith("%PDF")
    page = as_root.get(made.location.removesuffix("/codes"), status=200)
    assert shown in page.words and "b.example, " not in page.words and "school.example, b.example" in page.words
    assert "do not agree" not in page.words
    assert "Spring" in as_root.get(f"/admin/vouchers/batches?kind={kind}", status=200).text("//table")


def test_batches_new_sample__says_on_the_button_what_will_happen(as_root: Browser) -> None:
    page = as_root.get("/admin/vouchers/batches/new/sample?value=50&count=200&prefix=fair&uses_per_code=1", htmx=True, status=200)
    assert "Create 200 codes worth €10,000.00" in page.words and "FAIR-" in page.words
    assert "Create the codes" in as_root.get("/admin/vouchers/batches/new/sample?value=x&count=y", htmx=True, status=200).words
    for query, words in (
        ("kind=percent&percent=20&count=1&uses_per_code=100&word=summer20", "Create 1 code for 100 uses each for 20 % off"),
        ("kind=amount&value=5&count=20&uses_per_code=1", "Create 20 codes for €5.00 off, €100.00 at most"),
        ("kind=percent&percent=999&count=1&grouping=7", "Create"),
        ("kind=nonsense&grouping=nonsense&course_ids=nonsense", "Create the codes"),
    ):
        assert words in as_root.get(f"/admin/vouchers/batches/new/sample?{query}", htmx=True, status=200).words
    assert as_root.get("/admin/vouchers/batches/new/sample").status == 303


def test_batches_codes_csv__holds_every_code_with_its_link(as_root: Browser) -> None:
    made = _made(as_root)
    page = as_root.post(f"{made.location}/csv", status=200, check=False)
    assert page.response.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(page.response.get_data().decode("utf-8-sig"))))
    assert len(rows) == 12 and rows[0]["value"] == "50.00"
    assert rows[0]["link"].startswith("http") and rows[0]["link"].endswith(f"/vouchers/redeem?code={rows[0]['code']}")
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT DISTINCT state FROM vouchers.codes")).scalars().all() == ["sent"]
        assert session.execute(text("SELECT after->>'form' FROM core.audit WHERE action = 'vouchers.download'")).scalars().all() == ["csv"]
        assert operations.redeem(rows[0]["code"], by=sam()).amount_minor == 5_000


def test_batches_codes_sheet__is_a_pdf_with_a_card_for_each_code(as_root: Browser) -> None:
    made = _made(as_root)
    page = as_root.post(f"{made.location}/sheet", {"part": "1"}, status=200, check=False)
    assert page.response.get_data().startswith(b"%PDF-") and page.response.headers["Content-Disposition"].endswith('spring.pdf"')
    assert as_root.post(f"{made.location}/sheet", {"part": "2"}).status == 422
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT DISTINCT state FROM vouchers.codes")).scalars().all() == ["printed"]


def test_batches_codes_done__can_be_said_twice(as_root: Browser) -> None:
    made = _made(as_root)
    for _ in range(2):
        as_root.post(f"{made.location}/done", status=303)
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM vouchers.envelopes")).scalar_one() == 0


def test_batches_codes__opens_for_nobody_without_the_browser_that_made_them(as_root: Browser) -> None:
    made = _made(as_root)
    name = next(cookie for cookie in as_root.raw._cookies.values() if cookie.key.startswith("codes-"))
    assert name.http_only and name.same_site == "Strict"
    as_root.raw.delete_cookie(name.key, path=name.path)
    assert as_root.get(made.location).status == 409


def test_batches_show__reconciles_and_lists_its_codes(as_root: Browser) -> None:
    issued = _a_batch(4)
    with db.unit_of_work(CHANNEL):
        operations.redeem(issued.codes[0], by=sam())
        operations.void_codes(issued.batch, [queries.find_code_id(issued.batch.id, 2)], reason="Lost", by=sam())
    page = as_root.get(f"/admin/vouchers/batches/{issued.batch.id}", status=200)
    assert "Booked in the ledger €10.00" in page.words.replace("ledger€", "ledger €")
    assert "do not agree" not in page.words and "Sam Student" in page.words
    assert issued.codes[1][-4:] not in as_root.get(f"/admin/vouchers/batches/{issued.batch.id}?state=redeemed", status=200).text("//table")
    assert as_root.get(f"/admin/vouchers/batches/{uuid7()}").status == 404


def test_batches_void__asks_why_and_voids_the_rest(as_root: Browser) -> None:
    issued = _a_batch(4)
    path = f"/admin/vouchers/batches/{issued.batch.id}/void"
    assert "4 codes that are still open" in as_root.get(path, status=200).words
    assert "Say why" in as_root.post(path, {"reason": ""}, status=422).words
    as_root.post(path, {"reason": "Misprint"}, status=303)
    assert "Void 4" in as_root.get(path.removesuffix("/void"), status=200).words


def test_batches_void__of_chosen_codes_keeps_the_choice_while_asking_why(as_root: Browser) -> None:
    issued = _a_batch(4)
    path = f"/admin/vouchers/batches/{issued.batch.id}/void"
    with db.unit_of_work(CHANNEL):
        chosen = str(queries.find_code_id(issued.batch.id, 2))
    page = as_root.post(path, {"id": chosen, "act": "void"}, status=422)
    assert page.all(f"//input[@name='id' and @value='{chosen}']") and "1 code that is still open" in page.words
    as_root.post(path, {"id": chosen, "reason": "Lost"}, status=303)
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM vouchers.codes WHERE state = 'void'")).scalar_one() == 1
    assert "3 codes" in as_root.post(path, {"all": "1", "act": "void"}, status=422).words


def test_codes__finds_a_code_by_its_last_four(as_root: Browser) -> None:
    issued = _a_batch(4)
    page = as_root.get(f"/admin/vouchers/codes?q={issued.codes[2][-4:]}", status=200)
    assert issued.codes[2][-4:] in page.text("//tbody")


def test_codes_show__tells_the_trail_to_the_ledger(as_root: Browser) -> None:
    issued = _a_batch(2)
    with db.unit_of_work(CHANNEL):
        operations.redeem(issued.codes[0], by=sam())
        code_id = queries.find_code_id(issued.batch.id, 1)
    page = as_root.get(f"/admin/vouchers/codes/{code_id}", status=200)
    assert "Redeemed" in page.words and "Sam Student" in page.words
    booking = page.all("//a[contains(., 'Booking')]")[0].get("href")
    assert "Spring ····" in as_root.get(booking, status=200).words
    assert as_root.get(f"/admin/vouchers/codes/{uuid7()}").status == 404


@pytest.mark.parametrize("path", ["batches", "batches/new", "batches/new/sample", "codes"])
def test_vouchers__are_not_for_students_and_instructors(as_sam: Browser, as_ada: Browser, as_eve: Browser, path: str) -> None:
    assert as_sam.get(f"/admin/vouchers/{path}").status == as_ada.get(f"/admin/vouchers/{path}").status == 403
    assert as_eve.get(f"/admin/vouchers/{path}").status in (302, 303, 401)
