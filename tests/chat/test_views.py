"""Door 1 of chat: the room without script, posting, deleting, reporting, and tickets."""

import time
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from lms.chat import operations
from lms.chat.models import Flag, Message
from lms.core import db
from lms.core.models import EventRow
from lms.core.redis import redis
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.people import ada, sam
from tests.factories.streaming import a_session, enrol


def a_room(*texts: str, state: str = "live", enrolled: bool = True) -> UUID:
    """The room of a class of Ada's, with these messages of hers; Sam is in the course or not."""
    with db.unit_of_work(CHANNEL):
        session = a_session(state=state)
        if enrolled:
            enrol(sam(), session)
        for text in texts:
            operations.post_message(session.id, text, client_id=uuid4(), by=ada())
        return session.id


def messages() -> list[Message]:
    """Every message there is, in order."""
    with db.unit_of_work(CHANNEL) as work:
        return list(work.scalars(select(Message).order_by(Message.seq)))


def test_rooms_show__reads_without_script(as_sam: Browser) -> None:
    room = a_room("Hello <b>Sam</b>", "Any questions?")
    page = as_sam.get(f"/chat/rooms/{room}", status=200)
    assert "Hello <b>Sam</b>" in page.words and "Any questions?" in page.words
    assert not page.all("//li//b")


def test_rooms_show__is_closed_to_those_outside_the_course(as_sam: Browser) -> None:
    room = a_room("secret", enrolled=False)
    for path in (f"/chat/rooms/{room}", f"/chat/rooms/{room}/box"):
        assert "secret" not in as_sam.get(path, status=403).body


def test_rooms_show__sends_strangers_to_sign_in(client: Browser) -> None:
    assert "/auth/sign-in" in client.get(f"/chat/rooms/{a_room(enrolled=False)}").location


def test_rooms_box__is_a_piece(as_sam: Browser) -> None:
    room = a_room("Hello")
    assert "Hello" in as_sam.get(f"/chat/rooms/{room}/box", htmx=True, status=200).words
    assert as_sam.get(f"/chat/rooms/{room}/box").location == f"/chat/rooms/{room}"


def test_rooms_messages__posts_once_however_often_it_is_sent(as_sam: Browser) -> None:
    room, ref = a_room(), str(uuid4())
    for _ in range(2):
        assert as_sam.post(f"/chat/rooms/{room}/messages", {"text": " Hi there ", "ref": ref}).status == 303
    assert [(message.seq, message.text) for message in messages()] == [(1, "Hi there")]
    assert "Hi there" in as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Again", "ref": str(uuid4())}, htmx=True, status=200).words


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_rooms_messages__refuses_no_words_and_too_many(as_sam: Browser, text: str) -> None:
    room = a_room()
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": text, "ref": str(uuid4())}, status=422)
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": text, "ref": str(uuid4())}, status=422, htmx=True)
    assert messages() == []


@pytest.mark.parametrize("state", ["scheduled", "ended", "cancelled"])
def test_rooms_messages__refuses_while_the_room_is_closed(as_sam: Browser, state: str) -> None:
    room = a_room(state=state)
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=422)
    assert messages() == []


def test_rooms_messages__of_a_stranger_to_the_course_is_refused(as_sam: Browser) -> None:
    room = a_room(enrolled=False)
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=403, check=False)


def test_rooms_messages_delete__is_for_authors_and_moderators(as_sam: Browser, as_ada: Browser) -> None:
    room = a_room("Ada's")
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Sam's", "ref": str(uuid4())}, status=303)
    as_sam.post(f"/chat/rooms/{room}/messages/1/delete", status=403, check=False)
    as_sam.post(f"/chat/rooms/{room}/messages/2/delete", status=303)
    as_ada.post(f"/chat/rooms/{room}/messages/1/delete", htmx=True, status=200)
    page = as_sam.get(f"/chat/rooms/{room}", status=200)
    assert "Ada's" not in page.words and "Sam's" not in page.words
    assert all(message.deleted_at for message in messages())
    as_sam.post(f"/chat/rooms/{room}/messages/9/delete", status=404, check=False)


def test_rooms_messages_flag__tells_the_moderators_once(as_sam: Browser, as_ada: Browser) -> None:
    room = a_room("rude words")
    as_sam.get(f"/chat/rooms/{room}/messages/1/flag", status=200)
    for _ in range(2):
        as_sam.post(f"/chat/rooms/{room}/messages/1/flag", {"reason": "Rude"}, status=303)
    with db.unit_of_work(CHANNEL) as work:
        assert len(work.scalars(select(Flag)).all()) == 1
        assert len(work.scalars(select(EventRow).where(EventRow.name == "MessageFlagged")).all()) == 1
    page = as_ada.get(f"/admin/chat/rooms/{room}", status=200)
    assert "rude words" in page.words and "Rude" in page.words
    as_sam.post(f"/chat/rooms/{room}/messages/1/flag", {"reason": "x" * 501}, status=422)


def test_rooms_messages__may_be_questions_and_answers(as_sam: Browser, as_ada: Browser) -> None:
    room = a_room("Ask me")
    page = as_sam.get(f"/chat/rooms/{room}?reply=1", status=200)
    assert page.text("//p[@data-chat-replying]//strong")
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Why?", "ref": str(uuid4()), "reply": 1, "question": 1}, status=303)
    page = as_ada.get(f"/chat/rooms/{room}", status=200)
    assert page.text("//li[@data-seq='2']//p[@class='chat-quote']//span") == "Ask me" and page.all("//li[@data-asked-seq='2']")


def test_rooms_messages_vote__is_for_the_others(as_sam: Browser, as_ada: Browser) -> None:
    room = a_room()
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Why?", "ref": str(uuid4()), "question": 1}, status=303)
    as_sam.post(f"/chat/rooms/{room}/messages/1/vote", {"on": 1}, status=403, check=False)
    as_ada.post(f"/chat/rooms/{room}/messages/1/vote", {"on": 1}, status=303)
    assert as_sam.get(f"/chat/rooms/{room}", status=200).text("//li[@data-asked-seq='1']//button/span") == "1"


def test_rooms_messages_signs__stand_on_the_message(as_sam: Browser) -> None:
    room = a_room("Hello")
    as_sam.post(f"/chat/rooms/{room}/messages/1/signs", {"sign": "👍", "on": 1}, status=303)
    assert as_sam.get(f"/chat/rooms/{room}", status=200).all("//button[@data-sign='👍' and @aria-pressed='true']")
    as_sam.post(f"/chat/rooms/{room}/messages/1/signs", {"sign": "no", "on": 1}, status=422, check=False)


def test_rooms_hand__goes_up_and_down(as_sam: Browser, as_ada: Browser) -> None:
    room = a_room()
    as_sam.post(f"/chat/rooms/{room}/hand", {"on": 1}, status=303)
    assert "number 1" in as_sam.get(f"/chat/rooms/{room}", status=200).words
    assert "Sam" in as_ada.get(f"/admin/chat/rooms/{room}", status=200).words
    as_sam.post(f"/chat/rooms/{room}/hand", {"on": ""}, status=303)
    assert "number 1" not in as_sam.get(f"/chat/rooms/{room}", status=200).words


def test_rooms_people__lists_who_is_here(as_sam: Browser) -> None:
    room = a_room()
    assert "Nobody is in the room" in as_sam.get(f"/chat/rooms/{room}/people", status=200, htmx=True).words
    with db.unit_of_work(CHANNEL):
        redis().zadd(f"chat:here:{CHANNEL}:{room}", {str(ada().user_id): time.time() + 60})
    assert "Ada" in as_sam.get(f"/chat/rooms/{room}/people", status=200, htmx=True).words


def test_rooms_tickets__are_for_people_who_may_read(as_sam: Browser, client: Browser) -> None:
    room = a_room()
    answer = as_sam.post(f"/chat/rooms/{room}/tickets", status=200, check=False).json
    assert answer["url"] == f"ws://localhost:8001/ws/chat/rooms/{room}" and len(answer["ticket"]) == 43
    client.post(f"/chat/rooms/{room}/tickets", check=False, status=401)
    as_sam.post(f"/chat/rooms/{room}/tickets", check=False, token=False, status=403)


def test_rooms_tickets__are_not_for_those_outside_the_course(as_sam: Browser) -> None:
    as_sam.post(f"/chat/rooms/{a_room(enrolled=False)}/tickets", status=403, check=False)
