"""Tags and the academy's own fields: asked, changed, listed, filtered, exported and imported again, taken back."""

import io
from uuid import UUID

from flask import Flask

from lms.auth.queries import user_id_of
from lms.channels import operations, queries
from lms.channels.models import Field
from lms.core import db, plans
from tests.client import Browser
from tests.conftest import CHANNEL, newest_code
from tests.factories import people
from tests.machine import Machine

PEOPLE = "/admin/channels/people"


def a_field(label: str, kind: str = "text", **more: object) -> Field:
    with db.unit_of_work(CHANNEL):
        return operations.add_field(label, kind, by=people.root(), **more)  # type: ignore[arg-type]


def said_of(user_id: UUID | None) -> dict[str, str]:
    with db.unit_of_work(CHANNEL):
        return queries.values_of([user_id]).get(user_id, {}) if user_id else {}


def tags_of(user_id: UUID | None) -> list[str]:
    with db.unit_of_work(CHANNEL):
        return queries.tags_of([user_id]).get(user_id, []) if user_id else []


def round_trip(root: Browser, query: str) -> str:
    """What importing the list's own file would do, in words."""
    file = root.get(f"{PEOPLE}?{query}&format=csv", status=200).response.data
    sent = {"file": (io.BytesIO(file), "people.csv"), "role": "student"}
    plan = root.post(f"{PEOPLE}/import", sent, status=303, content_type="multipart/form-data").location
    return root.get(plan, status=200).words


def test_fields_new__fields_edit_and_fields_retire_and_fields_restore(as_root: Browser, as_sam: Browser, as_ada: Browser) -> None:
    here = "/admin/channels/fields"
    assert "No fields yet" in as_root.get(here, status=200).words
    as_root.get(f"{here}/new", status=200)
    assert "at least two" in as_root.post(f"{here}/new", {"label": "Shift", "kind": "choice", "choices": "Day"}, status=422).words
    as_root.post(f"{here}/new", {"label": "Shift", "kind": "choice", "choices": "Day\nNight\n"}, status=303)
    assert "already" in as_root.post(f"{here}/new", {"label": "SHIFT", "kind": "text"}, status=422).words
    with db.unit_of_work(CHANNEL):
        (field,) = queries.fields_here()
    assert "Day, Night" in as_root.get(here, status=200).words
    assert "Night" in as_root.get(f"{here}/{field.id}/edit", status=200).body
    as_root.post(f"{here}/{field.id}/edit", {"label": "Shift of work", "choices": "Day\nNight\nBoth"}, status=303)
    as_root.post(f"{here}/{field.id}/edit", {"label": "Shift of work"}, status=303)  # says nothing of the choices: they stay
    as_sam.get("/channels/profile", status=200)
    profile = {"name": "Sam Student", "locale": "en", "zone": "Europe/Paris"}
    assert "takes one of" in as_sam.post("/channels/profile", {**profile, field.name: "Dusk"}, status=422).words
    as_sam.post("/channels/profile", {**profile, field.name: "Both"}, status=303)
    assert said_of(as_sam.person.user_id) == {"x_shift": "Both"}
    assert "Both" in as_root.get(f"{PEOPLE}/{as_sam.person.user_id}", status=200).words
    for act in ("retire", "restore"):
        as_ada.post(f"{here}/{field.id}/{act}", status=403)
        as_root.post(f"{here}/{field.id}/{act}", status=303)
        as_root.post(f"{here}/{field.id}/{act}", status=303)
        assert ("Shift of work" in as_sam.get("/channels/profile", status=200).words) is (act == "restore")
    assert said_of(as_sam.person.user_id) == {"x_shift": "Both"}


def test_people__has_own_fields_as_columns_and_filters_and_imports_its_own_file_with_no_change(as_root: Browser, as_sam: Browser) -> None:
    number, veg, born = a_field("Student number"), a_field("Vegetarian", "yesno"), a_field("Born", "date", is_private=True)
    score, shift = a_field("Score", "number"), a_field("Shift", "choice", choices=("Day", "Night"))
    here = f"{PEOPLE}/{as_sam.person.user_id}"
    assert "Student number" in as_root.get(f"{here}/edit", status=200).words
    assert "Born" not in as_sam.get("/channels/profile", status=200).words
    wrong = {"name": "Sam Student", score.name: "many", born.name: "yesterday"}
    page = as_root.post(f"{here}/edit", wrong, status=422)
    assert "takes a number" in page.words and "takes a day" in page.words and "many" in page.body
    right = {"name": "Sam Student", number.name: "=0042", veg.name: "yes", born.name: "2001-02-03", score.name: "3,50", shift.name: "Night"}
    as_root.post(f"{here}/edit", right, status=303)
    as_root.post(f"{here}/tags", {"tag": "Alumni, vip"}, status=303)
    assert said_of(as_sam.person.user_id)[score.name] == "3.5"
    shown = "&".join(f"columns={name}" for name in ("email", "name", "tags", number.name, veg.name, born.name, score.name, shift.name))
    words = as_root.get(f"{PEOPLE}?{shown}", status=200).words
    assert all(word in words for word in ("=0042", "Yes", "2001-02-03", "3.5", "Night", "Alumni, vip"))
    assert "Sam Student" in as_root.get(f"{PEOPLE}?{shift.name}=Night&{number.name}=1", status=200).words
    assert "Nothing fits" in as_root.get(f"{PEOPLE}?{shift.name}=Day", status=200).words
    assert "Nothing fits" in as_root.get(f"{PEOPLE}?{veg.name}=no", status=200).words
    assert "0 changes" in round_trip(as_root, shown)
    lines = f"email,{number.label},Shift,Tags\nsam@example.org,77,day,VIP;new\nnew@example.org,78,Dawn,\nzoe@example.org,79,night,new"
    plan = as_root.post(f"{PEOPLE}/import", {"pasted": lines, "role": "student"}, status=303).location
    page = as_root.get(plan, status=200)
    assert "takes one of: Day, Night" in page.words and "=0042 → 77" in page.words
    as_root.post(f"{plan}/apply", status=303)
    assert said_of(as_sam.person.user_id)[shift.name] == "Day" and tags_of(as_sam.person.user_id) == ["new", "vip"]
    as_root.post(f"{plan}/undo", status=303)
    assert said_of(as_sam.person.user_id)[shift.name] == "Night" and tags_of(as_sam.person.user_id) == ["Alumni", "vip"]


def test_people_tags__and_the_bulk_bar_tag_many_and_take_it_back(
    as_root: Browser, as_sam: Browser, as_ada: Browser, api_root: Machine
) -> None:
    sam, ada = as_sam.person.user_id, as_ada.person.user_id
    here = f"{PEOPLE}/{sam}"
    as_ada.post(f"{here}/tags", {"tag": "vip"}, status=403)
    assert "Write a tag" in as_root.post(f"{here}/tags", {"tag": " "}, status=422).words
    as_root.post(f"{here}/tags", {"tag": "VIP"}, status=303)
    as_root.post(f"{here}/tags", {"tag": "vip"}, status=303)
    assert tags_of(sam) == ["VIP"]
    with db.unit_of_work(CHANNEL):
        by = people.root()
        plan = plans.make_from_ids("channels.add_tag", [sam, ada], by=by, params={"tag": "vip, Cohort 7"})
        assert (plan.changed_count, plan.refused_count) == (2, 0)
        plans.apply(plan, by=by)
    assert tags_of(sam) == ["Cohort 7", "VIP"] == tags_of(ada)
    with db.unit_of_work(CHANNEL):
        tag_id = {name: str(one) for one, name in queries.tag_names()}["Cohort 7"]
    page = as_root.get(f"{PEOPLE}?tag={tag_id}", status=200)
    assert "1–2 of 2" in page.words and "Cohort 7" in page.words
    assert "Take a tag away…" in page.words and "Add a tag…" in page.words
    with db.unit_of_work(CHANNEL):
        plans.undo(plan, by=people.root())
    assert tags_of(sam) == ["VIP"] and tags_of(ada) == []
    person = api_root.get(f"/channels/people/{sam}")
    assert person["tags"] == ["VIP"] and person["fields"] == {}
    as_root.post(f"{here}/tags", {"tag": "VIP", "away": "1"}, status=303)
    assert tags_of(sam) == []
    field = a_field("Company")
    assert api_root.patch(f"/channels/people/{sam}", {"fields": {field.name: "Loom"}})["fields"] == {field.name: "Loom"}
    api_root.patch(f"/channels/people/{sam}", {"fields": {"x_nothing": "1"}}, status=422)


def test_ask_newcomers__when_they_register_and_keep_answers(app: Flask, client: Browser) -> None:
    a_field("Student number", is_required=True)
    a_field("Company")
    page = client.get("/auth/register", status=200)
    assert "Student number" in page.words and "Company" not in page.words
    who = {"name": "Nora New", "email": "nora@example.org", "password": "seven quiet otters"}
    assert "Fill this in" in client.post("/auth/register", who, status=422).words
    client.post("/auth/register", {**who, "x_student_number": "  A 7 "}, status=303)
    client.post("/auth/code", {"code": newest_code("nora@example.org")}, status=303)
    with db.unit_of_work(CHANNEL):
        user_id = user_id_of("nora@example.org")
    assert said_of(user_id) == {"x_student_number": "A 7"}
