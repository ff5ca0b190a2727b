"""Cases: a reported message waits in the inbox, leaves by its button or when it is deleted, and comes back with the next report."""

from uuid import UUID, uuid4

from sqlalchemy import select

from lms.chat import operations as chat
from lms.chat.models import Message
from lms.community import operations
from lms.community.handlers import close_case_of_message, open_case_of_message
from lms.community.models import Case
from lms.core import db
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import a_student, root, sam
from tests.factories.streaming import a_session, enrol


def a_message(text: str = "Rude words") -> tuple[UUID, UUID]:
    """A message of Sam's in a live class of Ada's: (message, room)."""
    with db.unit_of_work(CHANNEL) as session:
        room = a_session(state="live")
        author = sam()
        enrol(author, room)
        chat.post_message(room.id, text, client_id=uuid4(), by=author)
        return session.scalars(select(Message.id).where(Message.room_id == room.id)).one(), room.id


def report(message_id: UUID, reason: str = "Insulting") -> None:
    """Somebody reports it."""
    with db.unit_of_work(CHANNEL) as session:
        message = session.scalars(select(Message).where(Message.id == message_id)).one()
        chat.flag_message(message, reason=reason, by=a_student(f"Reporter {uuid4().hex[:6]}"))
    run_jobs()


def the_case() -> Case:
    with db.unit_of_work(CHANNEL) as session:
        return session.scalars(select(Case)).one()


def test_open_case_of_message__puts_a_report_into_the_inbox(as_root: Browser) -> None:
    message_id, room_id = a_message()
    report(message_id)
    assert open_case_of_message.__doc__
    page = as_root.get("/admin/inbox", status=200)
    assert "Rude words" in page.words and "Insulting" in page.words
    case = the_case()
    shown = as_root.get(f"/admin/community/cases/{case.id}", status=200)
    assert "Insulting" in shown.words and shown.all(f"//a[@href='/admin/chat/rooms/{room_id}']")


def test_open_case__counts_and_opens_again_what_was_settled(as_root: Browser) -> None:
    message_id, _room = a_message()
    report(message_id)
    report(message_id, reason="")
    case = the_case()
    assert (case.reports, case.reason) == (2, "Insulting")
    as_root.post(f"/admin/community/cases/{case.id}/settle", status=303)
    assert "Rude words" not in as_root.get("/admin/inbox", status=200).words
    report(message_id, reason="Again")
    assert "Rude words" in as_root.get("/admin/inbox", status=200).words
    assert (the_case().reports, the_case().settled_at) == (3, None)


def test_close_case_of_message__lets_go_of_a_deleted_message(as_root: Browser) -> None:
    message_id, _room = a_message()
    report(message_id)
    with db.unit_of_work(CHANNEL) as session:
        chat.delete_message(session.scalars(select(Message).where(Message.id == message_id)).one(), by=root())
    run_jobs()
    assert close_case_of_message.__doc__ and the_case().settled_at is not None
    assert "Rude words" not in as_root.get("/admin/inbox", status=200).words


def test_close_case_of__nothing_changes_nothing(work: object) -> None:
    operations.close_case_of("message", uuid4())


def test_settle_case__twice_changes_nothing(work: object) -> None:
    operations.open_case("message", uuid4(), uuid4(), reason="")
    case = db.session().scalars(select(Case)).one()
    operations.settle_case(case, by=root())
    first = case.settled_at
    operations.settle_case(case, by=root())
    assert case.settled_at == first


def test_cases_show__and_cases_settle_are_for_admins(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    message_id, _room = a_message()
    report(message_id)
    case = the_case()
    for browser in (as_ada, as_sam):
        browser.get(f"/admin/community/cases/{case.id}", check=False, status=403)
        browser.post(f"/admin/community/cases/{case.id}/settle", check=False, status=403)
    as_root.get(f"/admin/community/cases/{uuid4()}", check=False, status=404)


def test_cases_settle__closes_it_and_says_who(as_root: Browser) -> None:
    message_id, _room = a_message()
    report(message_id)
    path = f"/admin/community/cases/{the_case().id}"
    as_root.post(f"{path}/settle", status=303)
    page = as_root.get(path, status=200)
    assert "Settled" in page.words and "Root" in page.words and not page.all("//form[contains(@action, 'settle')]")


def test_messages_show__is_a_piece_for_the_moderators_of_its_room(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    message_id, room_id = a_message()
    for browser in (as_root, as_ada):
        assert "Rude words" in browser.get(f"/admin/chat/messages/{message_id}", htmx=True, status=200).words
    assert as_root.get(f"/admin/chat/messages/{message_id}").location == f"/admin/chat/rooms/{room_id}"
    as_sam.get(f"/admin/chat/messages/{message_id}", htmx=True, check=False, status=403)
    as_root.get(f"/admin/chat/messages/{uuid4()}", htmx=True, check=False, status=404)
