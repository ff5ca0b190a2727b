"""One page per person: every part of it, its pieces from the modules above, and the acts with their refusals."""

from uuid import uuid4

from sqlalchemy import select

from lms.core import db
from lms.core.models import Mail
from lms.enrollments.operations import enroll_by_wallet
from lms.streaming.operations import note_join
from lms.vouchers.operations import redeem
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.streaming import a_session, enrol
from tests.factories.vouchers import a_batch
from tests.factories.wallet import euros

PARTS = ("", "/learning", "/money", "/messages", "/sign-ins", "/history")


def test_people_learning__people_money_people_messages_and_people_history_tell_everything(
    as_root: Browser, as_sam: Browser, as_ada: Browser
) -> None:
    sam, ref = as_sam.person, str(uuid4())
    with db.unit_of_work(CHANNEL):
        redeem(a_batch(value=10).codes[0], by=sam)
        enroll_by_wallet(a_course("Algebra", lessons=2, published=True, price=euros(4)), by=sam)
        session = a_session(state="live")
        enrol(sam, session)
        assert sam.user_id
        note_join(session.id, sam.user_id, source="page")
    run_jobs()
    as_sam.post(f"/chat/rooms/{session.id}/messages", {"text": "Buy my watches", "ref": ref}, status=303)
    as_ada.post(f"/chat/rooms/{session.id}/messages/1/flag", {"reason": "Advertising"}, status=303)
    here = f"/admin/channels/people/{sam.user_id}"
    for part in PARTS:
        assert as_root.get(here + part, status=200).text("//h1").startswith("Sam Student"), part
        as_ada.get(here + part, status=403)
    assert "joined the academy" in as_root.get(f"{here}/history", status=200).words
    pieces = {
        f"/admin/enrollments/people/{sam.user_id}": ("Algebra", "End…"),
        f"/admin/enrollments/people/{sam.user_id}/why": ("Algebra",),
        f"/admin/vouchers/people/{sam.user_id}": ("€10.00", "····"),
        f"/admin/payments/people/{sam.user_id}": ("€4.00", "Paid"),
        f"/admin/wallet/people/{sam.user_id}": ("€6.00",),
        f"/admin/notifications/people/{sam.user_id}": ("Algebra", "Mail sent"),
        f"/admin/streaming/people/{sam.user_id}": ("Questions and answers",),
        f"/admin/chat/people/{sam.user_id}": ("Buy my watches", "Advertising"),
    }
    for path, words in pieces.items():
        piece = as_root.get(path, htmx=True, status=200)
        assert all(word in piece.words for word in words), (path, piece.words)
        assert as_root.get(as_root.get(path, status=303).location, status=200), path
        as_sam.get(path, htmx=True, status=403, check=False)


def test_people_sign_ins__and_people_way_in_help_a_student_and_refuse_staff(as_root: Browser, as_sam: Browser, as_ada: Browser) -> None:
    here = f"/admin/channels/people/{as_sam.person.user_id}"
    page = as_root.get(f"{here}/sign-ins", status=200)
    assert "Sign out everywhere" in page.words and "cannot be taken back" in page.words
    assert as_root.post(f"{here}/way-in", status=303).location == f"{here}/sign-ins"
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        letter = session.scalars(select(Mail).where(Mail.template == "channels/mail/way_in")).one()
        assert letter.to_user_id == as_sam.person.user_id and letter.is_secret
    ada = f"/admin/channels/people/{as_ada.person.user_id}"
    assert "second proof" in as_root.get(f"{ada}/sign-ins", status=200).words
    as_root.post(f"{ada}/way-in", status=403)
    as_root.post(f"{here}/suspend", status=303)
    as_root.post(f"{here}/way-in", status=403)


def test_people_why__closes_every_lesson_to_a_suspended_person(as_root: Browser, as_sam: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Algebra", lessons=1, published=True)
    path = f"/admin/enrollments/why?user={as_sam.person.user_id}&course={course.id}"
    assert "You are not enrolled" in as_root.get(path, status=200).words
    as_root.post(f"/admin/channels/people/{as_sam.person.user_id}/suspend", status=303)
    page = as_root.get(path, status=200)
    assert "is suspended and cannot sign in" in page.words and "An admin" in page.words
