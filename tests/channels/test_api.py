"""Me, people and settings by machine."""

from uuid import uuid4

from tests.conftest import OTHER_CHANNEL
from tests.machine import Machine


def test_me__is_the_person_of_the_token_and_me_edit_changes_it(api_sam: Machine) -> None:
    assert api_sam.get("/channels/me")["name"] == "Sam Student"
    changed = api_sam.patch("/channels/me", {"name": "Samuel", "zone": "Europe/Paris"}, status=200)
    assert (changed["name"], changed["zone"], changed["locale"]) == ("Samuel", "Europe/Paris", "en")
    assert api_sam.get("/channels/me")["name"] == "Samuel"
    assert "zone" in api_sam.patch("/channels/me", {"zone": "Mars/Olympus"}, status=422)["fields"]
    assert "locale" in api_sam.patch("/channels/me", {"locale": "xx"}, status=422)["fields"]


def test_people_create__invites_once(api_root: Machine, api_ada: Machine) -> None:
    new = {"name": "Ivo", "email": "ivo@example.org", "role": "instructor"}
    person = api_root.post("/channels/people", new, status=201)
    assert api_root.get(f"/channels/people/{person['id']}") == person
    assert "email" in api_root.post("/channels/people", new, status=409)["fields"]
    assert "role" in api_root.post("/channels/people", {**new, "role": "owner"}, status=422)["fields"]
    api_ada.post("/channels/people", new, status=403)
    api_root.post(f"/channels/people/{person['id']}/invite", status=204)


def test_people__is_the_list_of_the_page(api_root: Machine, api_sam: Machine) -> None:
    page = api_root.get("/channels/people?role=student")
    assert page["count"] == 1 and page["rows"][0]["email"] == "sam@example.org"
    assert page["rows"][0]["joined_at"].endswith("Z")
    api_sam.get("/channels/people", status=403)


def test_people_edit__changes_what_was_sent_and_no_more(api_root: Machine, api_sam: Machine) -> None:
    path = f"/channels/people/{api_sam.person.user_id}"
    assert api_root.patch(path, {"title": "Reader", "note": "Pays late"})["title"] == "Reader"
    person = api_root.patch(path, {"title": "", "name": None})
    assert (person["title"], person["name"], person["note"]) == ("", "Sam Student", "Pays late")
    assert "role" in api_root.patch(path, {"role": "owner"}, status=422)["fields"]
    api_sam.patch(path, {"name": "Me"}, status=403)
    api_root.patch(f"/channels/people/{uuid4()}", {"name": "Nobody"}, status=404)


def test_people_role__suspend_and_restore_keep_the_rules(api_root: Machine, api_sam: Machine) -> None:
    path = f"/channels/people/{api_sam.person.user_id}"
    assert api_root.post(f"{path}/role", {"role": "instructor"})["role"] == "instructor"
    mine = f"/channels/people/{api_root.person.user_id}"
    assert api_root.post(f"{mine}/role", {"role": "student"}, status=403)["rule"] == "own_role"
    assert api_root.post(f"{mine}/suspend", status=403)["rule"] == "own_role"
    assert api_root.post(f"{path}/suspend")["status"] == "suspended"
    assert api_root.post(f"{path}/suspend")["status"] == "suspended"
    assert api_root.post(f"{path}/restore")["status"] == "active"


def test_settings_edit__is_for_admins_and_knows_currencies(api_root: Machine, api_ada: Machine) -> None:
    assert api_root.get("/channels/settings")["currency"] == "EUR"
    assert api_root.patch("/channels/settings", {"tagline": "Learn well"})["tagline"] == "Learn well"
    assert "currency" in api_root.patch("/channels/settings", {"currency": "XXQ"}, status=422)["fields"]
    assert "id" in api_root.patch("/channels/settings", {"id": str(OTHER_CHANNEL)}, status=422)["fields"]
    api_ada.patch("/channels/settings", {"tagline": "Mine"}, status=403)
