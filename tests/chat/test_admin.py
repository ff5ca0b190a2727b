"""Door 2 of chat: muting and slowing, by those who run the class."""

from uuid import uuid4

from tests.chat.test_views import a_room, messages
from tests.client import Browser


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
