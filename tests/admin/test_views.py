"""The back office's own pages: audit, jobs, mail, health; for admins only."""

import pytest
from sqlalchemy import select

from lms.core import audit, db, jobs
from lms.core.errors import Conflict
from lms.core.models import AuditRow, Outbox
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL, run_jobs
from tests.factories import people

PAGES = ("/admin/audit", "/admin/system", "/admin/system/jobs", "/admin/system/mail", "/admin/system/design")


@jobs.job(tries=1)
def never_works(name: str) -> None:
    raise Conflict(f"{name} cannot be.")


@pytest.mark.parametrize("path", PAGES)
def test_pages__are_for_admins(path: str, as_root: Browser, as_ada: Browser, as_sam: Browser, client: Browser) -> None:
    as_root.get(path, status=200, check=path != "/admin/system/design")
    as_ada.get(path, status=403)
    as_sam.get(path, status=403)
    assert client.get(path, check=False).location.startswith("/auth/sign-in")


def test_audit_show__hides_secrets_and_what_has_no_name(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        values = {"before": {"title": "One", "password": "x"}, "after": {"title": "Two", "password": "y"}}
        audit.record("courses.edit_lesson", "lessons", by=people.root(), name="A thing", **values)
        session.flush()
        row = session.scalars(select(AuditRow).where(AuditRow.action == "courses.edit_lesson")).one()
    assert row.after == {"title": "Two", "password": "[masked]"}
    page = as_root.get(f"/admin/audit/{row.id}", status=200)
    assert page.text("//h1") == "Changed the lesson “A thing”" and "One" in page.words and "masked" not in page.words


def test_audit_show__of_another_channel_does_not_exist(as_root: Browser) -> None:
    with db.unit_of_work(OTHER_CHANNEL) as session:
        audit.record("test.secret", "thing", by=people.root())
        session.flush()
        row = session.scalars(select(AuditRow).where(AuditRow.action == "test.secret")).one()
    as_root.get(f"/admin/audit/{row.id}", status=404)
    assert "test.secret" not in as_root.get("/admin/audit", status=200).words


def test_system_jobs_retry__takes_a_job_out_of_quarantine(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        never_works.later(name="This")
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox).where(Outbox.task.like("%never_works"))).one()
    assert "This cannot be." in as_root.get(f"/admin/system/jobs/{row.id}", status=200).words
    assert "1 jobs are in quarantine" in as_root.get("/admin/system", status=200).words
    as_root.post(f"/admin/system/jobs/{row.id}/retry", status=303)
    with db.unit_of_work(CHANNEL) as session:
        assert session.get(Outbox, row.id).state == "waiting"  # type: ignore[union-attr]


def test_system_mail__shows_what_was_written(as_root: Browser) -> None:
    Browser(as_root.app).post("/auth/sign-in", {"email": as_root.person.email, "with_code": "1"}, status=303)
    page = as_root.get("/admin/system/mail", status=200)
    assert "Your code for Ada Academy" in page.words
    link = page.all("//tbody//a")[0].get("href")
    assert "Type it to sign in" in as_root.get(link, status=200).words


def test_index__shows_figures_that_open_their_rows(as_root: Browser, as_ada: Browser, as_sam: Browser) -> None:
    page = as_root.get("/admin/", status=200)
    assert page.text("//h1") == "Hello, Root"
    assert "Nothing waits for you" in page.words
    for link in page.all("//div[contains(@class,'stat')]//a"):
        as_root.get(str(link.get("href")), status=200)
    as_ada.get("/admin/", status=200)
    as_sam.get("/admin/", status=403)


def test_inbox__shows_what_waits_and_lets_go_of_what_does_not(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        never_works.later(name="This")
    run_jobs()
    assert "This cannot be." in as_root.get("/admin/inbox", status=200).words
    with db.unit_of_work(CHANNEL) as session:
        row = session.scalars(select(Outbox).where(Outbox.task.like("%never_works"))).one()
    as_root.post(f"/admin/system/jobs/{row.id}/retry", status=303)
    assert "This cannot be." not in as_root.get("/admin/inbox", status=200).words
    as_ada.get("/admin/inbox", status=403)


def test_metrics__counts_the_queries_of_each_page(as_root: Browser, client: Browser) -> None:
    as_root.get("/admin/inbox", status=200)
    said = client.raw.get("/metrics", base_url="http://localhost").get_data(as_text=True)
    counted = [line for line in said.splitlines() if line.startswith('lectern_request_queries_sum{endpoint="admin.inbox"}')]
    assert counted and float(counted[0].split()[-1]) >= 2
