"""Door 2: making, downloading once, following and voiding vouchers."""

import csv
import io
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from lms.core import db
from lms.core.ids import uuid7
from lms.core.storage import storage
from lms.enrollments.operations import enroll_by_wallet
from lms.vouchers import operations, queries
from lms.vouchers.operations import Issued
from tests.client import Browser, Page
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.people import sam
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros


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
    assert as_root.post(f"{made.location}/csv").status == as_root.post(f"{made.location}/sheets").status == 403


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
        ({"owner": "00000000-0000-0000-0000-000000000000"}, "choose one of the list"),
        ({"seal": "x"}, "too old"),
        ({"kind": "\u0663"}, "What"),
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
        ("percent", {"percent": "15", "word": "summer20", "count": "1", "uses_per_code": "500"}, "15% off"),
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
    page = as_root.get(made.location.removesuffix("/codes"), status=200)
    assert shown in page.words and "b.example, " not in page.words and "school.example, b.example" in page.words
    assert "do not agree" not in page.words
    assert "Spring" in as_root.get(f"/admin/vouchers/batches?kind={kind}", status=200).text("//table")


def test_batches_new_sample__says_on_the_button_what_will_happen(as_root: Browser) -> None:
    page = as_root.get("/admin/vouchers/batches/new/sample?value=50&count=200&prefix=fair&uses_per_code=1", htmx=True, status=200)
    assert "Create 200 codes worth €10,000.00" in page.words and "FAIR-" in page.words
    assert "Create the codes" in as_root.get("/admin/vouchers/batches/new/sample?value=x&count=y", htmx=True, status=200).words
    for query, words in (
        ("kind=percent&percent=20&count=1&uses_per_code=100&word=summer20", "Create 1 code with 100 uses for 20% off"),
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


@pytest.mark.parametrize("layout", ["cards8", "cards24", "list"])
def test_batches_codes_sheets__are_made_by_a_worker_and_lie_sealed(as_root: Browser, layout: str) -> None:
    made = _made(as_root)
    assert as_root.post(f"{made.location}/sheets", {"layout": "poster"}).status == 422
    as_root.post(f"{made.location}/sheets", {"layout": layout, "marks": "y"}, status=303)
    page = as_root.get(f"{made.location}/sheets", htmx=True, status=200)
    assert "0 of 1 files are ready" in page.words and page.all("//*[@id='sheets' and @hx-trigger]")
    run_jobs()
    page = as_root.get(f"{made.location}/sheets", htmx=True, status=200)
    file = page.all("//form[contains(@action, '/file')]")[0].get("action")
    pdf = as_root.post(file, {"part": "1"}, status=200, check=False)
    assert pdf.response.get_data().startswith(b"%PDF-") and pdf.response.headers["Content-Disposition"].endswith('spring.pdf"')
    assert as_root.post(file, {"part": "2"}).status == 422
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT DISTINCT state FROM vouchers.codes")).scalars().all() == ["printed"]
        sheet = session.execute(text("SELECT id FROM vouchers.sheets")).scalar_one()
    with storage().open(f"{CHANNEL}/voucher-sheets/{sheet}/1.bin") as kept:
        assert b"%PDF" not in kept.read()
    as_root.post(f"{made.location}/done", status=303)
    assert not storage().exists(f"{CHANNEL}/voucher-sheets/{sheet}/1.bin") and as_root.post(file, {"part": "1"}).status == 404


def test_batches_codes_sheets_file__opens_for_nobody_without_the_seal(as_root: Browser) -> None:
    made = _made(as_root)
    as_root.post(f"{made.location}/sheets", {"layout": "list"}, status=303)
    run_jobs()
    file = as_root.get(f"{made.location}/sheets", htmx=True, status=200).all("//form[contains(@action, '/file')]")[0].get("action")
    for cookie in [one for one in as_root.raw._cookies.values() if one.key.startswith("codes-")]:
        as_root.raw.delete_cookie(cookie.key, path=cookie.path)
    assert as_root.post(file, {"part": "1"}).status == 409


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
    page = as_root.get(as_root.post(path, {"reason": "Misprint"}, status=303).location)
    assert "Void 4" in page.words
    as_root.post(str(page.all("//*[@id='toasts']//form")[0].get("action")), status=303)
    assert "Void 4" not in as_root.get(path.removesuffix("/void"), status=200).words


def test_batches_show__views_saved_of_it_hold_its_codes_alone(as_root: Browser) -> None:
    made, _other = _a_batch(2), _a_batch(3, label="Other")
    page = as_root.get(f"/admin/vouchers/batches/{made.batch.id}?state=created", status=200)
    [chips] = page.all("//*[@id='views']")
    assert f"batch%3D{made.batch.id}" in chips.get("hx-get") and "1–2 of 2" in page.words
    file = as_root.get(f"/admin/reporting/reports/vouchers.codes?batch={made.batch.id}&format=csv", status=200, check=False)
    assert file.body.count("\n") == 3, "a heading and two codes"


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


def test_batches_edit__saves_what_changed_and_batches_changes_undo_puts_it_back(as_root: Browser) -> None:
    issued = _a_batch(3, purpose="Fair")
    path = f"/admin/vouchers/batches/{issued.batch.id}"
    page = as_root.get(f"{path}/edit", status=200)
    assert "This will touch 3 unused codes" in page.words
    sent = {name: page.all(f"//*[@name='{name}']")[0].get("value") or "" for name in ("label", "value", "version", "domains", "per_person")}
    sent["owner"] = page.all("//select[@name='owner']/option[@selected]")[0].get("value")
    assert "Give the batch a name" in as_root.post(f"{path}/edit", {**sent, "label": ""}, status=422).words
    as_root.post(f"{path}/edit", {**sent, "label": "Autumn", "value": "12.50", "expires_at": "2099-12-31"}, status=303)
    assert "meanwhile" in as_root.post(f"{path}/edit", {**sent, "label": "Lost update"}, status=422).words
    shown = as_root.get(path, status=200)
    assert "Autumn" in shown.text("//h1") and "€37.50" in shown.words
    changes = as_root.get(f"{path}/changes", htmx=True, status=200)
    assert "€10.00" in changes.words and "€12.50" in changes.words and "31 Dec 2099" in changes.words
    undo = changes.all("//form[contains(@action, '/undo')]")[0].get("action")
    as_root.post(undo, status=303)
    assert "€30.00" in as_root.get(path, status=200).words
    assert as_root.get(f"{path}/changes").status == 303
    assert as_root.post(f"{path}/changes/{uuid7()}/undo").status == 404


def test_batches_changes__are_empty_for_a_new_batch(as_root: Browser) -> None:
    page = as_root.get(f"/admin/vouchers/batches/{_a_batch(1).batch.id}/changes", htmx=True, status=200)
    assert "Put the newest back" not in page.words


def test_batches_replace__gives_new_codes_for_the_unused_ones(as_root: Browser) -> None:
    issued = _a_batch(3)
    with db.unit_of_work(CHANNEL):
        operations.redeem(issued.codes[0], by=sam())
    path = f"/admin/vouchers/batches/{issued.batch.id}/replace"
    page = as_root.get(path, status=200)
    assert "Void the 2 unused codes and make new ones" in page.words
    sent = {"seal": page.all("//input[@name='seal']")[0].get("value"), "reason": ""}
    assert "Say why" in as_root.post(path, sent, status=422).words
    first, second = (as_root.post(path, {**sent, "reason": "Lost"}, status=303).location for _ in range(2))
    assert first == second and "2 codes worth" in as_root.get(first, status=200).words
    other = first.removesuffix("/codes")
    assert "took the place" in as_root.get(other, status=200).words


def test_codes_show__leads_to_what_came_of_the_money(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student, course = sam(), a_course("Algebra", published=True, price=euros(15))
        issued = a_batch(2, value=10)
        first, second = (operations.redeem(code, by=student) for code in issued.codes)
        enroll_by_wallet(course, by=student)
    page = as_root.get(f"/admin/vouchers/codes/{second.code_id}", status=200)
    lazy = page.all(f"//*[@id='gave-{second.id}']")[0].get("hx-get")
    assert "€5.00 of it spent here" in as_root.get(lazy, htmx=True, status=200).words
    assert "€10.00 of it spent here" in as_root.get(lazy.replace(str(second.id), str(first.id)), htmx=True, status=200).words


def test_finance__agrees_with_the_batches(as_root: Browser) -> None:
    issued = _a_batch(4)
    _a_batch(2, kind="percent", percent=10, label="Launch")
    with db.unit_of_work(CHANNEL):
        operations.redeem(issued.codes[0], by=sam())
    page = as_root.get("/admin/vouchers/finance", status=200)
    assert "€40.00" in page.words and "€30.00" in page.words and "Launch" in page.words
    rows = list(
        csv.DictReader(io.StringIO(as_root.get("/admin/vouchers/finance?format=csv", status=200, check=False).body.lstrip("\ufeff")))
    )
    spring = next(row for row in rows if row["Batch"] == "Spring")
    assert (spring["Issued"], spring["Redeemed"], spring["Outstanding"], spring["Void"], spring["Expired"]) == ("4", "1", "3", "0", "0")


def test_redemptions__lists_who_used_what(as_root: Browser) -> None:
    issued = _a_batch(2)
    with db.unit_of_work(CHANNEL):
        operations.redeem(issued.codes[0], by=sam())
    page = as_root.get("/admin/vouchers/redemptions", status=200)
    assert "Sam Student" in page.text("//table") and "€10.00" in page.text("//table")
