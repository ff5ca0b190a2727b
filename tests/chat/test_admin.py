"""Door 2 of chat: moderating, answering, words kept out, and the lists, by those who run the class."""

from uuid import uuid4

from lms.chat import operations, queries
from lms.core import db
from tests.chat.test_views import a_room, messages
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories.people import sam


def test_rooms_show__is_for_those_who_run_the_class(as_ada: Browser, as_root: Browser, as_sam: Browser) -> None:
    room = a_room("Hello")
    for browser in (as_ada, as_root):
        assert "Hello" in browser.get(f"/admin/chat/rooms/{room}", status=200).words
    as_sam.get(f"/admin/chat/rooms/{room}", status=403)


def test_rooms_mutes__lets_a_person_only_read_until_it_is_lifted(as_ada: Browser, as_sam: Browser) -> None:
    room = a_room()
    path = f"/admin/chat/rooms/{room}/mutes"
    as_sam.post(path, {"user_id": str(as_sam.person.user_id), "minutes": 10}, status=403, check=False)
    as_ada.post(path, {"user_id": str(as_sam.person.user_id), "minutes": 10}, status=303)
    assert "Sam Student" in as_ada.get(f"/admin/chat/rooms/{room}", status=200).words
    page = as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=422)
    assert "only read" in page.words
    as_ada.post(path, {"user_id": str(as_sam.person.user_id), "minutes": 0}, status=303)
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=303)
    as_ada.post(path, {"user_id": "nobody", "minutes": 10}, status=422)


def test_rooms_slow__spaces_messages_and_spares_moderators(as_ada: Browser, as_sam: Browser) -> None:
    room = a_room()
    as_ada.post(f"/admin/chat/rooms/{room}/slow", {"seconds": 60}, status=303)
    for browser in (as_ada, as_ada, as_sam):
        browser.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=303)
    page = as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=422)
    assert "Slow mode" in page.words and len(messages()) == 3
    as_ada.post(f"/admin/chat/rooms/{room}/slow", {"seconds": 999}, status=422)
    as_sam.post(f"/admin/chat/rooms/{room}/slow", {"seconds": 0}, status=403, check=False)


def test_rooms_panel__changes_the_room_and_says_so(as_ada: Browser, as_sam: Browser) -> None:
    room = a_room("Hello")
    desk = f"/admin/chat/rooms/{room}"
    as_sam.get(f"{desk}/panel", status=403, htmx=True)
    assert "No limit" in as_ada.get(f"{desk}/panel", status=200, htmx=True).words
    for door, data in (("pause", {"on": 1}), ("links", {"on": 1}), ("pin", {"seq": 1}), ("hands", {})):
        as_sam.post(f"{desk}/{door}", data, status=403, check=False)
        as_ada.post(f"{desk}/{door}", data, status=200, htmx=True)
    with db.unit_of_work(CHANNEL):
        found = queries.get_room(room)
        assert (found.is_paused, found.links_blocked, found.pinned_seq) == (True, True, 1)
    page = as_sam.get(f"/chat/rooms/{room}", status=200)
    assert "paused the chat" in page.words and page.all("//button[@type='submit' and @disabled]")
    for door in ("pause", "links", "pin"):
        as_ada.post(f"{desk}/{door}", {"on": ""}, status=303)
    with db.unit_of_work(CHANNEL):
        found = queries.get_room(room)
        assert (found.is_paused, found.links_blocked, found.pinned_seq) == (False, False, None)


def test_rooms_bans__of_this_chat_by_teachers_of_every_chat_by_admins(as_ada: Browser, as_root: Browser, as_sam: Browser) -> None:
    room = a_room()
    path, person = f"/admin/chat/rooms/{room}/bans", {"user_id": str(as_sam.person.user_id)}
    as_sam.post(path, person | {"on": 1}, status=403, check=False)
    as_ada.post(path, person | {"on": 1, "everywhere": 1}, status=403, check=False)
    as_ada.post(path, {"user_id": str(as_root.person.user_id), "on": 1}, status=403, check=False)
    as_ada.post(path, person | {"on": 1}, status=303)
    assert "closed this chat to you" in as_sam.get(f"/chat/rooms/{room}", status=200).words
    as_root.post(path, person | {"on": 1, "everywhere": 1}, status=303)
    as_ada.post(path, person | {"on": ""}, status=303)
    assert "closed the chats of this academy" in as_sam.get(f"/chat/rooms/{room}", status=200).words
    as_root.post(path, person | {"on": "", "everywhere": 1}, status=303)
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "Hi", "ref": str(uuid4())}, status=303)


def test_rooms_questions_answer__is_read_by_everybody(as_ada: Browser, as_sam: Browser) -> None:
    room = a_room()
    with db.unit_of_work(CHANNEL):
        operations.post_message(room, "Why?", client_id=uuid4(), by=sam(), is_question=True)
    path = f"/admin/chat/rooms/{room}/questions/1/answer"
    as_sam.get(path, status=403)
    assert "Why?" in as_ada.get(path, status=200).words
    as_ada.post(path, {"answer": "Because it is.", "on": 1}, status=303)
    page = as_sam.get(f"/chat/rooms/{room}", status=200)
    assert "Because it is." in page.words and "Answered" in page.words
    assert "Because it is." in as_ada.get(f"/admin/chat/questions?session={room}", status=200).words
    as_ada.post(path, {"answer": "Because it is.", "on": ""}, status=303)
    as_ada.post(path, {"answer": "x" * 4001, "on": 1}, status=422)
    assert "Because it is." not in as_sam.get(f"/chat/rooms/{room}", status=200).words


def test_words__are_kept_out_and_the_box_keeps_what_was_typed(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    room = a_room()
    as_ada.get("/admin/chat/words", status=403)
    as_root.post("/admin/chat/words", {"word": "casino"}, status=303)
    as_root.post("/admin/chat/words", {"word": "*"}, status=422)
    page = as_sam.post(f"/chat/rooms/{room}/messages", {"text": "My Casino!", "ref": str(uuid4())}, status=422)
    assert "“casino” is not allowed" in page.words and page.text("//textarea") == "My Casino!"
    with db.unit_of_work(CHANNEL):
        (word,) = queries.words_here()
    as_root.post(f"/admin/chat/words/{word.id}/remove", status=303)
    as_sam.post(f"/chat/rooms/{room}/messages", {"text": "My Casino!", "ref": str(uuid4())}, status=303)


def test_messages__are_searched_and_taken_away_by_those_who_run_the_class(as_ada: Browser, as_sam: Browser) -> None:
    room = a_room("needle in hay", "only straw")
    as_sam.get("/admin/chat/messages", status=403)
    page = as_ada.get("/admin/chat/messages?q=needle", status=200)
    assert "needle in hay" in page.words and "only straw" not in page.words
    assert as_ada.get(f"/admin/chat/messages?session={room}&format=csv", status=200, check=False).body.count("\n") == 3
