"""People and the channel in the back office: each act, each refusal, and strangers kept out."""

import io
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import DateTime, Uuid, literal, select

from lms.channels import operations, queries
from lms.channels.models import Member
from lms.channels.reports import People
from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories import people


def crowd(count: int) -> None:
    with db.unit_of_work(CHANNEL):
        for number in range(count):
            people.a_student(f"Student {number:03d}")


def test_people__lists_searches_filters_and_pages(as_root: Browser) -> None:
    crowd(60)
    page = as_root.get("/admin/channels/people", status=200)
    assert "1–50 of 61" in page.words
    second = as_root.get(page.all('//a[@rel="next"]')[0].get("href"), status=200)
    assert "51–61 of 61" in second.words
    assert as_root.get(second.all('//a[@rel="prev"]')[0].get("href"), status=200).words.count("Student 000")
    found = as_root.get("/admin/channels/people?q=student+007&role=student", status=200)
    assert "1–1 of 1" in found.words and "Student 007" in found.words
    assert "Nothing fits these filters" in as_root.get("/admin/channels/people?q=nobody", status=200).words
    as_root.get("/admin/channels/people?role=emperor", status=422, check=False)


def test_people__every_page_together_is_the_whole_list_in_every_sort(as_root: Browser) -> None:
    crowd(60)
    for sort in ("name", "-name", "email", "-email", "role", "-joined_at", "status"):
        path: str | None = f"/admin/channels/people?sort={sort}"
        seen: list[str] = []
        while path:
            page = as_root.get(path, check=False)
            seen += [str(link.get("href")) for link in page.all("//tbody//th//a")]
            links = page.all('//a[@rel="next"]')
            path = links[0].get("href") if links else None
        assert len(seen) == len(set(seen)) == 61, sort


def test_people__as_csv_and_xlsx_are_the_rows_of_the_screen(as_root: Browser) -> None:
    crowd(3)
    csv = as_root.get("/admin/channels/people?role=student&format=csv", status=200).body
    lines = csv.lstrip("\ufeff").splitlines()
    assert lines[0].split(",")[:2] == ["Name", "E-mail"] and len(lines) == 4
    book = openpyxl.load_workbook(io.BytesIO(as_root.get("/admin/channels/people?role=student&format=xlsx", status=200).response.data))
    assert [row[0].value for row in book.worksheets[0].rows][1:] == ["Student 000", "Student 001", "Student 002"]


def test_people__a_name_like_a_formula_is_text_in_files(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        people.a_person("=HYPERLINK(1)", "student", "formula@example.org")
    assert "'=HYPERLINK(1)" in as_root.get("/admin/channels/people?format=csv", status=200).body


@pytest.mark.parametrize("path", ["/admin/channels/people", "/admin/channels/people/new", "/admin/channels/settings"])
def test_people__is_for_admins(path: str, as_sam: Browser, as_ada: Browser, client: Browser) -> None:
    as_sam.get(path, status=403)
    as_ada.get(path, status=403)
    assert client.get(path, check=False).location.startswith("/auth/sign-in?next=")


def test_people_new__invites_an_instructor_by_mail(as_root: Browser) -> None:
    as_root.get("/admin/channels/people/new", status=200)
    page = as_root.post("/admin/channels/people/new", {"name": "Ivo", "email": "ivo@example.org", "role": "instructor"}, status=303)
    assert "Invited" in as_root.get(page.location, status=200).words
    again = as_root.post("/admin/channels/people/new", {"name": "Ivo", "email": "IVO@example.org", "role": "admin"}, status=422)
    assert "is here already" in again.words


def test_people_show__of_another_channel_does_not_exist(as_root: Browser) -> None:
    with db.unit_of_work(OTHER_CHANNEL):
        stranger = people.a_person("Beta Person", "student", "beta@example.org")
    for path in (f"/admin/channels/people/{stranger.user_id}", f"/admin/channels/people/{uuid7()}"):
        assert "There is no such person here." in as_root.get(path, status=404).words
    as_root.post(f"/admin/channels/people/{stranger.user_id}/suspend", status=404)


def test_people_role__changes_roles_but_never_ones_own(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
    as_root.post(f"/admin/channels/people/{sam.user_id}/role", {"role": "instructor"}, status=303)
    with db.unit_of_work(CHANNEL):
        assert queries.get_member(sam.user_id).role == "instructor"
    as_root.post(f"/admin/channels/people/{as_root.person.user_id}/role", {"role": "student"}, status=403)
    as_root.post(f"/admin/channels/people/{sam.user_id}/role", {"role": "owner"}, status=403)


def test_people_suspend__shuts_out_at_once_and_restore_lets_in(as_root: Browser, as_sam: Browser) -> None:
    as_root.post(f"/admin/channels/people/{as_sam.person.user_id}/suspend", status=303)
    assert as_sam.get("/auth/sessions", check=False).status == 303
    assert as_sam.sign_in("sam@example.org", people.PASSWORD).status == 303
    assert as_sam.get("/auth/sessions", check=False).status == 303
    as_root.post(f"/admin/channels/people/{as_sam.person.user_id}/restore", status=303)
    as_sam.sign_in("sam@example.org", people.PASSWORD)
    assert as_sam.get("/auth/sessions", status=200)


def test_people_edit__saves_only_its_own_fields(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
    as_root.get(f"/admin/channels/people/{sam.user_id}/edit", status=200)
    as_root.post(
        f"/admin/channels/people/{sam.user_id}/edit",
        {"name": "Samuel", "title": "", "role": "owner", "status": "suspended", "channel_id": str(OTHER_CHANNEL), "id": str(uuid7())},
        status=303,
    )
    with db.unit_of_work(CHANNEL):
        member = queries.get_member(sam.user_id)
        assert (member.name, member.role, member.status) == ("Samuel", "student", "active")


def test_settings__refuses_a_colour_nobody_can_read(as_root: Browser) -> None:
    as_root.get("/admin/channels/settings", status=200)
    values = {"name": "Ada Academy", "tagline": "", "currency": "EUR", "zone": "Europe/Paris", "color": "#ffff00"}
    as_root.post("/admin/channels/settings", values, status=422)
    as_root.post("/admin/channels/settings", {**values, "color": "#0a5c36", "currency": "XXQ"}, status=422)
    as_root.post("/admin/channels/settings", {**values, "color": "#0a5c36"}, status=303)
    assert "#0a5c36" in as_root.get("/theme/2.css", check=False).body


def test_checksum__is_one_for_screen_file_and_api(as_root: Browser) -> None:
    crowd(5)
    with db.unit_of_work(CHANNEL):
        report, by = People(), people.root()
        view = report.read_view({"role": ["student"]})
        assert report.checksum(view, by)[0] == 5 == report.count(view, by)


def test_note_visit__keeps_when_somebody_was_here_last(as_root: Browser) -> None:
    as_root.get("/admin/channels/people", status=200)
    page = as_root.get("/admin/channels/people?seen=1d", status=200)
    assert "Root Admin" in page.words


def test_note_people_here__moves_nobody_back(as_root: Browser) -> None:
    earlier, later = now() - timedelta(days=3), now() - timedelta(days=1)
    with db.unit_of_work(CHANNEL):
        sam = people.sam().user_id
        for moment, shown in ((later, later), (earlier, later)):
            operations.note_people_here(select(literal(sam, Uuid).label("user_id"), literal(moment, DateTime(timezone=True)).label("at")))
            assert db.session().scalar(select(Member.seen_at).where(Member.id == sam)) == shown
