"""Door 1: redeeming, typed or by a QR link."""

from sqlalchemy import text

from lms.core import db
from lms.core.ids import uuid7
from lms.vouchers.operations.codes import make_codes, write
from lms.wallet.queries import balance_of
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros


def _codes(count: int = 1, **wishes: object) -> list[str]:
    with db.unit_of_work(CHANNEL):
        return a_batch(count, **wishes).codes  # type: ignore[arg-type]


def test_redeem__puts_the_value_into_the_wallet_and_shows_it(as_sam: Browser) -> None:
    code = _codes(value=25)[0]
    as_sam.get("/vouchers/redeem", status=200)
    page = as_sam.post("/vouchers/redeem", {"code": code.lower().replace("-", " ")}, status=303)
    assert page.location == "/wallet/"
    assert "€25.00" in as_sam.get("/wallet/", status=200).words


def test_redeem__by_the_qr_link_fills_the_code_in_and_redeems_nothing(as_sam: Browser) -> None:
    code = _codes()[0]
    for _ in range(2):
        page = as_sam.get(f"/vouchers/redeem?code={code}", status=200)
    assert page.all(f"//input[@name='code' and @value='{code}']")
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM vouchers.redemptions")).scalar_one() == 0


def test_redeem__twice_by_a_double_click_moves_once(as_sam: Browser) -> None:
    code = _codes()[0]
    for _ in range(2):
        as_sam.post("/vouchers/redeem", {"code": code}, status=303)
    with db.unit_of_work(CHANNEL):
        assert balance_of(as_sam.person.user_id) == euros(10)


def test_redeem__keeps_what_was_typed_beside_the_reason(as_sam: Browser) -> None:
    for typed, words in ((write(make_codes(1)[0]), "We do not know this code"), ("7K2M", "typing mistake"), ("", "Type the code")):
        page = as_sam.post("/vouchers/redeem", {"code": typed}, status=422)
        assert words in page.words and page.all(f"//input[@name='code']{f'[@value={typed!r}]' if typed else ''}")


def test_redeem__after_ten_wrong_codes_waits(as_sam: Browser) -> None:
    for _ in range(10):
        as_sam.post("/vouchers/redeem", {"code": write(make_codes(1)[0])}, status=422)
    assert as_sam.post("/vouchers/redeem", {"code": _codes()[0]}).status == 429


def test_redeem__goes_back_to_where_the_money_was_missing(as_sam: Browser) -> None:
    codes = _codes(2)
    assert as_sam.get("/vouchers/redeem?next=/enrollments/", status=200).all("//input[@name='next' and @value='/enrollments/']")
    assert as_sam.post("/vouchers/redeem", {"code": codes[0], "next": "/enrollments/"}, status=303).location == "/enrollments/"
    assert as_sam.post("/vouchers/redeem", {"code": codes[1], "next": "//evil.example"}, status=303).location == "/wallet/"
    as_sam.post("/vouchers/redeem", {"code": codes[1]}, status=303)
    assert "redeemed this code already" in as_sam.get("/wallet/", status=200).words


def test_redemptions_show__leads_into_the_courses_a_code_opened(as_sam: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", published=True)
        code = a_batch(1, kind="course", course_ids=[course.id]).codes[0]
    page = as_sam.post("/vouchers/redeem", {"code": code}, status=303)
    assert page.location.startswith("/vouchers/redemptions/")
    lazy = as_sam.get(page.location, status=200).all("//*[@id='opened']")[0].get("hx-get")
    assert "Opening now" in as_sam.get(lazy, htmx=True, status=200).words
    run_jobs()
    page = as_sam.get(lazy, htmx=True, status=200)
    assert "You are in" in page.words and page.all(f"//a[@href='/enrollments/courses/{course.id}/continue']")
    assert as_ada.get(lazy.replace("/courses", "").replace("/enrollments", "/vouchers")).status == 403
    assert as_sam.get(f"/vouchers/redemptions/{uuid7()}").status == 404


def test_redeem__is_for_members(as_eve: Browser) -> None:
    code = _codes()[0]
    page = as_eve.get(f"/vouchers/redeem?code={code}")
    assert page.status in (302, 303) and "/auth/sign-in" in page.location
    as_eve.post("/vouchers/redeem", {"code": code})
    with db.unit_of_work(CHANNEL) as session:
        assert session.execute(text("SELECT count(*) FROM vouchers.redemptions")).scalar_one() == 0
