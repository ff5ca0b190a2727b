"""Segments: people gathered by conditions, whoever fits at the time; their list, their count, and the query others ask."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from lms.channels import operations, queries
from lms.channels.models import Member
from lms.channels.reports import People
from lms.core import db
from lms.core.clock import now
from lms.core.segments import every_condition
from lms.enrollments.operations import end_enrollment, enroll_by_hand, join_waitlist
from lms.vouchers.operations import redeem
from tests.client import Browser
from tests.factories import people
from tests.factories.batches import a_batch as a_group
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.vouchers import a_batch
from tests.machine import Machine

HERE = "/admin/channels/segments"


def names_in(segment_id: UUID) -> set[str]:
    """Who fits now, by the query others ask and by the list, which must say the same."""
    session = db.session()
    asked = set(session.scalars(queries.people_of_segment(segment_id)))
    report, by = People(), people.root()
    assert asked == set(report.ids(report.read_view({"segment": [str(segment_id)]}), by))
    return set(session.scalars(select(Member.name).where(Member.id.in_(asked))))


def test_people_of_segment__asks_every_condition_and_updates_itself(work: db.Session) -> None:
    by, sam, ada, nia = people.root(), people.sam(), people.ada(), people.a_student("Nia Newcomer")
    course, other = a_course("Algebra", published=True), a_course("Botany", published=True)
    learning, far = an_enrollment(sam, course), an_enrollment(nia, other)
    learning.progress, far.progress = 40, 90
    redeem(a_batch(value=10).codes[0], by=nia)
    assert sam.user_id and nia.user_id and ada.user_id
    old = queries.get_member(sam.user_id)
    old.joined_at, old.seen_at = now() - timedelta(days=100), now() - timedelta(days=30)
    queries.get_member(nia.user_id).seen_at = now()
    chemistry = a_course("Chemistry", published=True)
    evening = a_group(chemistry, "Evening", seats=1)
    enroll_by_hand(ada.user_id, chemistry, note="Helps.", by=by, batch_id=evening.id)
    join_waitlist(evening, sam.user_id, by=sam)
    shift = operations.add_field("Shift", "choice", choices=("Day", "Night"), by=by)
    born = operations.add_field("Born", "date", by=by)
    operations.set_traits(old, {shift.name: "Night", born.name: "2001-02-03"}, by=by)
    operations.write_traits({sam.user_id: {"tags": "vip"}})
    work.flush()
    (tag_id, _name), *_more = queries.tag_names()
    everybody = {"Sam Student", "Ada Lovelace", "Nia Newcomer", "Root Admin"}
    expected = {
        ("role", "instructor"): {"Ada Lovelace"},
        ("status", "active"): everybody,
        ("tag", str(tag_id)): {"Sam Student"},
        ("no_tag", str(tag_id)): everybody - {"Sam Student"},
        ("joined_since", "7"): everybody - {"Sam Student"},
        ("joined_before", "7"): {"Sam Student"},
        ("seen_since", "7"): {"Nia Newcomer"},
        ("not_seen_since", "7"): everybody - {"Nia Newcomer"},
        ("enrolled", str(course.id)): {"Sam Student"},
        ("not_enrolled", str(course.id)): everybody - {"Sam Student"},
        ("progress_from", "50"): {"Nia Newcomer"},
        ("progress_to", "50"): {"Sam Student", "Ada Lovelace"},
        ("batch", str(evening.id)): {"Ada Lovelace"},
        ("waits", str(evening.id)): {"Sam Student"},
        ("wallet_from", "10"): {"Nia Newcomer"},
        ("wallet_to", "9,99"): everybody - {"Nia Newcomer"},
        (shift.name, "Night"): {"Sam Student"},
        (born.name, "2001-02-03"): {"Sam Student"},
    }
    assert {key for key, _value in expected} == set(every_condition())
    for (key, value), who in expected.items():
        segment = operations.add_segment(f"{key} {value}", {key: value}, by=by)
        assert names_in(segment.id) == who, key
    both = operations.add_segment("Both", {"enrolled": str(other.id), "progress_from": "50", "role": "student"}, by=by)
    assert names_in(both.id) == {"Nia Newcomer"}
    assert names_in(operations.add_segment("Neither", {"enrolled": str(course.id), "progress_from": "50"}, by=by).id) == set()
    mine = operations.add_segment("Learners", {"enrolled": str(course.id)}, by=by)
    end_enrollment(learning, reason="Moved.", by=by)
    work.flush()
    assert names_in(mine.id) == set()


def test_segments_new__segments_show_segments_edit_segments_count_and_away_again(
    as_root: Browser, as_sam: Browser, as_ada: Browser
) -> None:
    assert "No segments yet" in as_root.get(HERE, status=200).words
    as_root.get(f"{HERE}/new", status=200)
    assert "at least one" in as_root.post(f"{HERE}/new", {"name": "Everybody"}, status=422).words
    page = as_root.post(f"{HERE}/new", {"name": "Rich", "wallet_from": "lots", "joined_since": "-1"}, status=422)
    assert "lots" in page.body and "Rich" in page.body
    here = as_root.post(f"{HERE}/new", {"name": "Teachers", "role": "instructor"}, status=303).location
    assert "already" in as_root.post(f"{HERE}/new", {"name": "teachers", "role": "student"}, status=422).words
    assert "Instructor" in as_root.get(here, status=200).words
    piece = as_root.get(f"{here}/count", htmx=True, status=200)
    assert "1 person" in piece.words
    listed = as_root.get(as_root.get(f"{here}/count", status=303).location, status=200)
    assert "1–1 of 1" in listed.words and "Ada Lovelace" in listed.words and listed.all("//*[@class='chip']//b[text()='Teachers']")
    as_root.get(f"{here}/edit", status=200)
    as_root.post(f"{here}/edit", {"name": "Learners", "role": "student", "seen_since": "30"}, status=303)
    assert "Learners" in as_root.get(HERE, status=200).words
    for act in ("retire", "restore"):
        as_ada.post(f"{here}/{act}", status=403)
        as_root.post(f"{here}/{act}", status=303)
        as_root.post(f"{here}/{act}", status=303)
        offered = as_root.get("/admin/channels/people", status=200).all("//select[@name='segment']/option[text()='Learners']")
        assert bool(offered) is (act == "restore")
    as_sam.get(HERE, status=403)


def test_segments_create__segments_show_and_the_people_of_a_segment_for_machines(api_root: Machine, api_sam: Machine) -> None:
    made = api_root.post("/channels/segments", {"name": "Students", "conditions": {"role": "student"}}, status=201)
    assert made["people"] == 1 and made["conditions"] == {"role": "student"}
    rows = api_root.get(f"/channels/people?segment={made['id']}")
    assert rows["count"] == 1 and rows["rows"][0]["email"] == "sam@example.org"
    api_root.post("/channels/segments", {"name": "X", "conditions": {"shoe_size": "42"}}, status=422)
    edited = api_root.patch(f"/channels/segments/{made['id']}", {"name": "Admins", "conditions": {"role": "admin"}})
    assert edited["name"] == "Admins" and edited["people"] == 1
    assert api_root.post(f"/channels/segments/{made['id']}/retire")["retired_at"]
    assert api_root.get("/channels/segments")["segments"] == []
    assert api_root.post(f"/channels/segments/{made['id']}/restore")["retired_at"] is None
    assert api_root.get(f"/channels/segments/{made['id']}")["people"] == 1
    api_sam.get("/channels/segments", status=403)
