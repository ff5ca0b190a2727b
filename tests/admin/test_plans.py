"""The screen of bulk acts: plan, apply, receipt, undo, for people and machines."""

import io

import pytest
import sqlalchemy as sa

from lms.channels.reports import People
from lms.core import db, jobs
from lms.core.reports import files
from tests.client import Browser
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories import people
from tests.machine import Machine

LIST = "E-mail;Full name;Role\nnia@example.org;Nia Newcomer;\nsam@example.org;Sam S.;\nboss@example.org;B;boss\n"


def names() -> dict[str, str]:
    with db.unit_of_work(CHANNEL, read_only=True) as session:
        return dict(session.execute(sa.text("SELECT email, name FROM channels.members")).all())


def test_plans_show__leads_from_the_file_to_the_receipt_and_back(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    page = as_root.get("/admin/channels/people/import")
    assert page.text("//h1") == "Import people"
    sent = {"file": (io.BytesIO(LIST.encode()), "people.csv"), "role": "student"}
    plan = as_root.post("/admin/channels/people/import", sent, status=303, content_type="multipart/form-data").location
    page = as_root.get(plan)
    assert "Apply 2 changes" in page.words and "Sam Student → Sam S." in page.words
    assert [tab for tab in ("All3", "New1", "Changed1", "Refused1") if tab in page.words.replace(" ", "")] == [
        "All3",
        "New1",
        "Changed1",
        "Refused1",
    ]
    assert "There is no role boss" in as_root.get(f"{plan}?verdict=refused").words
    refused = as_root.get(f"{plan}/refused", check=False)
    assert refused.body.splitlines()[0].lstrip("\ufeff") == "E-mail,Full name,Role,Reason,Line"
    assert refused.body.splitlines()[1].startswith('boss@example.org,B,boss,"There is no role boss')
    assert "nia@example.org" not in names()
    as_root.post(f"{plan}/apply", status=303)
    page = as_root.get(plan)
    assert "Undo 2 changes" in page.words and names()["nia@example.org"] == "Nia Newcomer"
    assert "Import people" in as_root.get("/admin/plans").words
    as_root.post(f"{plan}/undo", status=303)
    assert "Taken back: 2 rows" in as_root.get(plan).words
    assert names()["sam@example.org"] == "Sam Student" and "nia@example.org" not in names()
    as_root.post(f"{plan}/undo", status=303)


def test_people_import__keeps_what_was_typed_when_it_cannot_be_read(as_root: Browser) -> None:
    page = as_root.post("/admin/channels/people/import", {"pasted": "colour,size\nred,4", "role": "student"}, status=422)
    assert "no column called E-mail" in page.words and page.text("//textarea") == "colour,size red,4"
    page = as_root.post("/admin/channels/people/import", {"role": "student"}, status=422)
    assert "Choose a file, or paste some lines." in page.words


def test_people_import__round_trip_of_the_list_is_no_change(as_root: Browser, connection: sa.Connection) -> None:
    """Complaint 3 (chamilo-lms#4984): the export of the list imports again, whatever stands in it, as no change at all."""
    with db.unit_of_work(CHANNEL) as session:
        root = people.root()
        for number, name in enumerate(("=SUM(A1)", "'=quoted", 'Ana; B, "C"', "Ünï Çødé", "+49", "  spaced   out ", "@home")):
            person = people.a_person("X", "student", f"odd{number}@example.org")
            session.execute(
                sa.text("UPDATE channels.members SET name = :name, phone = '+1 23', title = '- x' WHERE id = :id"),
                {"name": name, "id": person.user_id},
            )
        view = People().read_view({"columns": ["name", "email", "role", "status", "joined_at", "title", "phone"]})
        made = {
            "list.csv": "".join(files.csv_lines(People(), view, root)).encode(),
            "list.xlsx": files.xlsx_file(People(), view, root).read(),
        }
    for name, content in made.items():
        plan = as_root.post(
            "/admin/channels/people/import",
            {"file": (io.BytesIO(content), name), "role": "student"},
            status=303,
            content_type="multipart/form-data",
        ).location
        page = as_root.get(plan)
        assert "0 changes" in page.words, page.words
        assert "Columns passed over: Joined" in page.words and "New0" in page.words


def test_plans_start__opens_a_plan_and_asks_for_the_role(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        sam, ada = people.sam(), people.ada()
    assert as_root.get("/admin/channels/people").all("//button[@value='channels.suspend_people']")
    plan = as_root.post(
        "/admin/plans/start",
        {"report": "channels.people", "act": "channels.change_role", "id": [str(sam.user_id), str(ada.user_id)]},
        status=303,
    ).location
    assert "Show what would change" in as_root.get(plan).words
    as_root.post(plan, {"role": "instructor"}, status=303)
    page = as_root.get(plan)
    assert "Apply 1 change" in page.words and "Student → Instructor" in page.words
    as_root.post(f"{plan}/discard", status=303)
    all_of_them = {"report": "channels.people", "act": "channels.suspend_people", "all": "1", "q": "sam@"}
    plan = as_root.post("/admin/plans/start", all_of_them, status=303).location
    assert "Active → Suspended" in as_root.get(plan).words and "All1" in as_root.get(plan).words


def test_plans_apply__of_many_rows_goes_on_in_a_worker(as_root: Browser, connection: sa.Connection) -> None:
    lines = "\n".join(f"p{number}@example.org,Person {number},{'x' * 90}" for number in range(620))
    plan = as_root.post("/admin/channels/people/import", {"pasted": f"email,name,title\n{lines}", "role": "student"}, status=303).location
    assert "rows so far" in as_root.get(plan).words
    assert as_root.get(f"{plan}/status", htmx=True).status == 200
    run_jobs()
    assert as_root.get(f"{plan}/status", htmx=True, check=False).response.headers["HX-Redirect"] == plan
    assert "Apply 620 changes" in as_root.get(plan).words
    as_root.post(f"{plan}/apply", status=303)
    as_root.post(f"{plan}/apply", status=303)
    with db.unit_of_work(platform=True) as session:
        row_id = session.execute(sa.text("SELECT id FROM core.outbox WHERE task LIKE '%carry_on' AND done_at IS NULL")).scalar_one()
    assert jobs.perform(row_id)
    assert not outbox_errors()
    assert len(names()) > 620
    assert "Undo 620 changes" in as_root.get(plan).words


def test_plans_again__makes_a_stale_plan_fit(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        people.sam()
    plan = as_root.post(
        "/admin/channels/people/import", {"pasted": "email,name\nsam@example.org,S.", "role": "student"}, status=303
    ).location
    with db.unit_of_work(CHANNEL) as session:
        session.execute(sa.text("UPDATE channels.members SET name = 'Sammy' WHERE email = 'sam@example.org'"))
    as_root.post(f"{plan}/apply", status=303)
    assert "older than the data" in as_root.get(plan).words and names()["sam@example.org"] == "Sammy"
    as_root.post(f"{plan}/again", status=303)
    assert "Sammy → S." in as_root.get(plan).words


def test_plans_undo__of_a_single_act_is_the_toast(as_root: Browser, connection: sa.Connection) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
    where = f"/admin/channels/people/{sam.user_id}"
    as_root.post(f"{where}/suspend", status=303)
    page = as_root.get(where)
    undo = page.all("//form[contains(@action, '/undo')]")[0].get("action")
    assert as_root.post(undo, status=303).location == where
    page = as_root.get(where)
    assert "Taken back." in page.words and "took the suspension back" in as_root.get(f"{where}/history").words
    assert "Suspend people" not in as_root.get("/admin/plans").words


@pytest.mark.parametrize("what", ["", "/apply", "/undo", "/refused", "/discard", "/again", "/status"])
def test_plans__are_not_for_instructors(as_root: Browser, as_ada: Browser, what: str) -> None:
    plan = as_root.post("/admin/channels/people/import", {"pasted": "z@example.org", "role": "student"}, status=303).location
    method = as_ada.get if what in ("", "/refused", "/status") else as_ada.post
    method(plan + what, status=403)


def test_plans_create__lets_machines_plan_apply_and_undo(api_root: Machine, api_ada: Machine) -> None:
    body = {
        "act": "channels.import_people",
        "rows": [{"email": "m@example.org", "name": "M"}, {"email": "?"}],
        "options": {"role": "instructor"},
    }
    plan = api_root.post("/plans", body, status=201)
    assert (plan["state"], plan["new_count"], plan["refused_count"]) == ("planned", 1, 1)
    where = f"/plans/{plan['id']}"
    assert api_root.get(where)["id"] == plan["id"]
    first = api_root.get(f"{where}/rows?size=1")
    assert first["rows"][0]["after"]["role"] == "instructor" and first["next"] == 1
    assert api_root.get(f"{where}/rows?verdict=refused")["rows"][0]["reason"].startswith("? is no")
    api_ada.get(where, status=403)
    assert api_root.post(f"{where}/apply")["applied_count"] == 1
    assert api_root.post(f"{where}/undo")["undone_count"] == 1
    assert api_root.get("/plans")["count"] == 1
    csv = api_root.post("/plans", {"act": "channels.import_people", "csv": "email\nq@example.org", "options": {}}, status=201)
    assert api_root.post(f"/plans/{csv['id']}/again")["new_count"] == 1
    api_root.post(f"/plans/{csv['id']}/discard", status=204)
    api_root.post("/plans", {"act": "channels.import_people"}, status=422)
    api_root.post("/plans", {"act": "nothing", "csv": "x"}, status=404)
