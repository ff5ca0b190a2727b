"""A class's room by machine."""

from uuid import uuid4

from lms.core import db
from tests.conftest import CHANNEL
from tests.factories.streaming import a_session, enrol
from tests.machine import Machine


def test_rooms_messages__are_posted_once_read_by_cursor_and_deleted(api_sam: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live")
    path = f"/chat/rooms/{session.id}/messages"
    assert api_sam.get(path, status=403)["rule"] == "enrolled"
    with db.unit_of_work(CHANNEL):
        enrol(api_sam.person, session)
    client_id = str(uuid4())
    first = api_sam.post(path, {"text": "Hello", "client_id": client_id}, status=201)
    assert api_sam.post(path, {"text": "Hello", "client_id": client_id}, status=201) == first
    second = api_ada.post(path, {"text": "Welcome"}, status=201)
    assert [row["text"] for row in api_sam.get(path)["rows"]] == ["Hello", "Welcome"]
    assert [row["id"] for row in api_sam.get(f"{path}?after={first['seq']}")["rows"]] == [second["id"]]
    api_sam.post(path, {"text": ""}, status=422)
    api_sam.post(f"{path}/{second['seq']}/delete", status=403)
    api_sam.post(f"{path}/{second['seq']}/flag", {"reason": "Rude"}, status=204)
    api_ada.post(f"{path}/{first['seq']}/delete", status=204)
    assert [row["is_deleted"] for row in api_sam.get(path)["rows"]] == [True, False]
    api_sam.post(f"{path}/999/flag", {}, status=404)


def test_rooms_rules__and_people_are_moderated_by_machine(api_sam: Machine, api_ada: Machine, api_root: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live")
        enrol(api_sam.person, session)
    room, sam_id = f"/chat/rooms/{session.id}", str(api_sam.person.user_id)
    api_sam.post(f"{room}/rules", {"is_paused": True}, status=403)
    rules = api_ada.post(f"{room}/rules", {"is_paused": False, "slow_seconds": 5, "links_blocked": True})
    assert rules == api_sam.get(f"{room}/rules") and (rules["slow_seconds"], rules["links_blocked"]) == (5, True)
    question = api_sam.post(f"{room}/messages", {"text": "Why?", "is_question": True}, status=201)
    answer = api_ada.post(f"{room}/messages", {"text": "Because", "reply_seq": question["seq"]}, status=201)
    assert answer["reply"]["text"] == "Why?"
    assert api_sam.post(f"{room}/messages/{answer['seq']}/signs", {"sign": "👏"})["signs"] == {"👏": 1}
    assert api_ada.post(f"{room}/questions/{question['seq']}/vote", {"on": True})["votes"] == 1
    api_ada.post(f"{room}/questions/{question['seq']}/answer", {"answer": "Because"}, status=204)
    assert [(row["answer"], row["votes"]) for row in api_sam.get(f"{room}/questions")["rows"]] == [("Because", 1)]
    api_ada.post(f"{room}/pin", {"seq": answer["seq"]}, status=204)
    assert api_sam.get(f"{room}/rules")["pinned_seq"] == answer["seq"]
    api_ada.post(f"{room}/mutes", {"user_id": sam_id, "minutes": 5}, status=204)
    assert api_sam.post(f"{room}/messages", {"text": "Hi"}, status=403)["rule"] == "muted"
    api_ada.post(f"{room}/bans", {"user_id": sam_id, "everywhere": True}, status=403)
    api_root.post(f"{room}/bans", {"user_id": sam_id, "everywhere": True}, status=204)
    assert api_sam.post(f"{room}/messages", {"text": "Hi"}, status=403)["rule"] == "banned"


def test_words__are_listed_added_and_removed_by_admins(api_ada: Machine, api_root: Machine) -> None:
    api_ada.get("/chat/words", status=403)
    made = api_root.post("/chat/words", {"word": "Casino"}, status=201)
    assert made["word"] == "casino" and api_root.get("/chat/words")["rows"] == [made]
    api_root.post(f"/chat/words/{made['id']}/remove", status=204)
    assert api_root.get("/chat/words")["rows"] == []
