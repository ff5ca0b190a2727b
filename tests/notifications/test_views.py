"""The list, the bell, the preferences, and the link that stops mails: each works, with htmx and without, and refuses others."""

from uuid import UUID

import pytest

from lms.channels.operations import change_role
from lms.channels.queries import get_member
from lms.core import db, plans
from lms.core.ids import uuid7
from lms.core.mail import newest
from lms.core.redis import redis
from lms.enrollments.operations import end_enrollment
from lms.notifications import operations, queries
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import ada, root, sam


def tell(count: int = 1, message: str = "approval", browser: Browser | None = None) -> UUID:
    """Sam (or the browser's person) is told things; the id of the last notice."""
    with db.unit_of_work(CHANNEL):
        person = browser.person if browser else sam()
        for number in range(count):
            values = {"course": f"Course {number:02d}", "instructor": "Ada", "lesson": "Sums"}
            operations.tell(message, [person.user_id], event_id=uuid7(), href="/notifications/preferences", values=values)
        return queries.notices_of(person.user_id, size=1)[0].id


def test_index__lists_newest_first_in_pages(as_sam: Browser) -> None:
    assert "Nothing yet" in as_sam.get("/notifications/", status=200).words
    tell(53)
    page = as_sam.get("/notifications/", status=200)
    assert page.words.index("Course 52") < page.words.index("Course 51") and "Course 02" not in page.words
    older = as_sam.get(page.all("//a[contains(@href, 'before=')]")[0].get("href"), status=200)
    assert "Course 02" in older.words and "Course 52" not in older.words
    as_sam.get("/notifications/?before=yesterday", status=422, check=False)


def test_index__is_for_the_signed_in_and_staff_see_it_in_their_frame(client: Browser, as_ada: Browser) -> None:
    assert client.get("/notifications/", check=False).location.startswith("/auth/sign-in")
    as_ada.get("/notifications/", status=200)


def test_index__the_bell_counts_and_forgets_at_once(as_sam: Browser) -> None:
    tell(3)
    assert "3 unread notifications" in as_sam.get("/notifications/preferences", status=200).body
    as_sam.post("/notifications/all/seen", status=303)
    page = as_sam.get("/notifications/?only=unseen", status=200)
    assert "unread notification" not in page.body and "All seen" in page.words
    tell(1)
    assert "1 unread notification" in as_sam.get("/notifications/preferences", status=200).body


def test_unread_count__is_remembered_and_survives_a_lost_redis(as_sam: Browser) -> None:
    tell(2)
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.unread_count(as_sam.person.user_id) == 2
        assert redis().get(queries.unread_key(as_sam.person.user_id)) == b"2"
        assert queries.unread_count(as_sam.person.user_id) == 2


def test_open__leads_there_and_counts_as_seen(as_sam: Browser) -> None:
    notice_id = tell()
    assert as_sam.post(f"/notifications/{notice_id}/open", status=303).location == "/notifications/preferences"
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.get_notice(notice_id).is_seen


@pytest.mark.parametrize("act", ["open", "seen"])
def test_open__is_refused_to_others(act: str, as_ada: Browser, client: Browser) -> None:
    notice_id = tell()
    as_ada.post(f"/notifications/{notice_id}/{act}", status=403)
    client.post(f"/notifications/{notice_id}/{act}", status=401, check=False)
    as_ada.post(f"/notifications/{uuid7()}/{act}", status=404)


def test_seen__swaps_the_row_or_goes_back(as_sam: Browser) -> None:
    notice_id = tell()
    piece = as_sam.post(f"/notifications/{notice_id}/seen", htmx=True, status=200, check=False)
    assert f'id="notice-{notice_id}"' in piece.body and "New" not in piece.words
    assert as_sam.post(f"/notifications/{notice_id}/seen", status=303).location == "/notifications/"


def test_all_seen__twice_changes_nothing(as_sam: Browser) -> None:
    tell(2)
    for _ in range(2):
        as_sam.post("/notifications/all/seen", status=303)
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.count_unseen(as_sam.person.user_id) == 0


def wishes(browser: Browser, **said: str) -> dict[str, str]:
    """What the form of the preferences page holds, with something said anew."""
    page = browser.get("/notifications/preferences", status=200)
    held = {box.get("name"): str(box.xpath("string(option[@selected]/@value)")) for box in page.all("//main//select")}
    return {**held, **said}


def test_preferences__decide_what_comes_and_how(as_sam: Browser) -> None:
    page = as_sam.get("/notifications/preferences", status=200)
    assert "New lessons" in page.words and "Voucher batches" not in page.words and "Academy: At once" in page.words
    said = wishes(as_sam, enrolled_app="off", enrolled_mail="never", lesson_app="on", lesson_mail="daily")
    as_sam.post("/notifications/preferences", said, status=303)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        before = len(newest(50, "sam@example.org"))
        for message in ("enrolled", "lesson"):
            values = {"course": "Algebra", "lesson": "Sums", "receipt": ""}
            operations.tell(message, [as_sam.person.user_id], event_id=uuid7(), href="/", values=values)
        (notice,) = queries.notices_of(as_sam.person.user_id)
        assert notice.kind == "lesson" and notice.due_at is not None and len(newest(50, "sam@example.org")) == before
    assert wishes(as_sam) == said


def test_preferences__refuse_what_is_no_choice(as_sam: Browser) -> None:
    as_sam.post("/notifications/preferences", wishes(as_sam, lesson_app="smoke"), status=422)
    as_sam.post("/notifications/preferences", wishes(as_sam, session_soon_mail="weekly"), status=422)
    as_sam.post("/notifications/preferences", {**wishes(as_sam), "approval_mail": "never"}, status=303)
    for hours in ({"quiet_from": "22"}, {"quiet_from": "22", "quiet_to": "22"}):
        page = as_sam.post("/notifications/preferences", wishes(as_sam, **hours), status=422)
        assert page.all("//select[@name='quiet_from']/option[@selected]")[0].get("value") == "22"
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.wishes_of(as_sam.person.user_id)["approval"].mail


def link_of_newest_mail(address: str) -> str:
    with db.unit_of_work(CHANNEL, read_only=True):
        header = newest(1, address)[0].headers["List-Unsubscribe"]
    return "/" + str(header).strip("<>").split("/", 3)[3]


def test_unsubscribe_show__asks_on_get_and_stops_on_post_without_signing_in(client: Browser) -> None:
    tell()
    link = link_of_newest_mail("sam@example.org")
    page = client.get(link, status=200)
    assert "Stop these mails" in page.words and "sam@" not in page.words
    with db.unit_of_work(CHANNEL):
        sam_id = sam().user_id
        assert sam_id is not None and queries.wishes_of(sam_id)["approval"].mail
    done = client.post(link, {"List-Unsubscribe": "One-Click"}, token=False, status=200, headers={"Sec-Fetch-Site": "cross-site"})
    assert "no more" in done.words
    with db.unit_of_work(CHANNEL):
        assert not queries.wishes_of(sam_id)["approval"].mail and queries.wishes_of(sam_id)["lesson"].mail
        operations.tell("approval", [sam_id], event_id=uuid7(), href="/", values={"course": "After", "instructor": ""})
        assert not any("After" in mail.subject for mail in newest(9, "sam@example.org"))
        assert queries.count_unseen(sam_id) == 2


def test_unsubscribe_show__refuses_a_link_nobody_made(client: Browser) -> None:
    tell()
    link = link_of_newest_mail("sam@example.org")
    client.get(link[:-4] + "AAAA", status=403)
    client.post(link[:-4] + "AAAA", token=False, status=403)
    client.get(link, status=200)
    assert Browser(client.app, host="beta.example").get(link, check=False).status == 403


def test_unsubscribe_show__twice_changes_nothing(client: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        ada()
    tell()
    link = link_of_newest_mail("sam@example.org")
    for _ in range(2):
        client.post(link, token=False, status=200)
    assert "Stop all mails" in client.get(link, status=200).words
    assert "Stop all mails" not in client.post(link, {"all": "1"}, token=False, status=200).words
    with db.unit_of_work(CHANNEL):
        before = len(newest(50, "sam@example.org"))
        operations.tell("lesson", [UUID(str(sam().user_id))], event_id=uuid7(), href="/", values={"course": "Algebra", "lesson": "Sums"})
        assert len(newest(50, "sam@example.org")) == before


def test_unsubscribe__is_not_undone_by_enrolment_import_or_role_change(client: Browser) -> None:
    """openedx-platform#36365: unsubscribed, enrolled again, and the mails were back."""
    tell(message="lesson")
    client.post(link_of_newest_mail("sam@example.org"), token=False, status=200)
    with db.unit_of_work(CHANNEL):
        person, boss = sam(), root()
        assert person.user_id is not None
        end_enrollment(an_enrollment(person, a_course(published=True)), reason="left", by=boss)
        an_enrollment(person, a_course("Botany", published=True))
        change_role(get_member(person.user_id), "instructor", by=boss)
        change_role(get_member(person.user_id), "student", by=boss)
        plan_id = plans.make_from_table("channels.import_people", b"name,email,role\nSam Again,sam@example.org,student\n", by=boss).id
        operations.set_defaults({"lesson": queries.Ways(True, True, "daily")}, by=boss)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        plans.apply(plans.get_plan(plan_id), by=boss)
    run_jobs()
    with db.unit_of_work(CHANNEL):
        assert get_member(person.user_id).name == "Sam Again"
        assert queries.wishes_of(person.user_id)["lesson"].mail_word == "never"
        operations.tell("lesson", [person.user_id], event_id=uuid7(), href="/", values={"course": "Algebra", "lesson": "After"})
        assert not any("After" in mail.subject for mail in newest(9, "sam@example.org"))
