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
