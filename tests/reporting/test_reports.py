"""Stock lists: they agree with what happened, behind both walls."""

from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from lms.auth import operations as accounts
from lms.auth.queries import get_user
from lms.core.ids import uuid7
from lms.reporting.reports import Engagement, Instructors, Logins, Revenue, SignIns, Usage
from tests.factories.people import ada, root, sam
from tests.reporting.world import busy


def test_query__of_every_stock_list_answers_behind_both_walls(work: Session) -> None:
    by, said = root(), []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for report in (Revenue(), Usage(), SignIns()):
            view = report.read_view({})
            assert report.count(view, by) == len(list(report.stream(view, by)))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    for table in ("payments.orders", "enrollments.enrollments", "core.events", "reporting.daily", "auth.sessions"):
        asked = [statement for statement in said if f"FROM {table}" in statement]
        assert asked and all(f"{table}.channel_id = " in statement for statement in asked), table


def test_revenue__is_what_was_paid(work: Session) -> None:
    by = busy()
    report = Revenue()
    view = report.read_view({"day": ["1d"]}, zone_name="UTC")
    (row,) = report.page(view, by).rows
    assert (row["orders"], row["revenue"], row["refunds"], row["net"], row["revenue_currency"]) == (3, 3750, 0, 3750, "EUR")
    assert report.totals(view, by)["net"] == {"EUR": 3750}


def test_usage__counts_people_once_a_day(work: Session) -> None:
    by = busy()
    report = Usage()
    (row,) = report.page(report.read_view({}), by).rows
    assert (row["enrolments"], row["orders"]) == (12, 3)
    assert row["lessons_completed"] == 3 + 2 * 2 + 2 and row["courses_completed"] == 3
    assert 10 <= row["active"] <= 14


def test_sign_ins__of_an_instructor_are_not_shown(work: Session) -> None:
    assert not SignIns().allowed(ada())


def test_logins__adds_up_the_sign_ins_of_each_person(work: Session) -> None:
    by = root()
    for device in ("Mozilla/5.0 (X11; Linux) Firefox/140", "Mozilla/5.0 (X11; Linux) Firefox/141", "Mozilla/5.0 (iPhone) Safari/604"):
        accounts.start_session(get_user(sam().user_id), uuid7().bytes, staff=False, address="127.0.0.1", device=device)
    report = Logins()
    (row,) = report.page(report.read_view({"q": ["Sam"]}), by).rows
    assert (row["times"], row["devices"]) == (3, "Firefox · Linux, Safari · iPhone")


def test_instructors__says_what_each_did_and_what_their_courses_brought(work: Session) -> None:
    by = busy()
    work.execute(
        text(
            "INSERT INTO enrollments.watch_days (id, day, course_id, user_id, watch_ms)"
            " SELECT uuidv7(), current_date, course_id, user_id, 60000 FROM enrollments.enrollments WHERE source = 'wallet'"
        )
    )
    report = Instructors()
    (row,) = report.page(report.read_view({"q": ["Ada"], "days": ["7"]}), by).rows
    assert (row["courses"], row["classes"], row["answers"], row["enrolments"]) == (2, 0, 0, 12)
    assert (row["watched"], row["revenue"], row["revenue_currency"]) == (180, 3750, "EUR") and row["lessons"] > 2
    engagement = Engagement()
    (week,) = engagement.page(engagement.read_view({}), by).rows
    assert (week["watched"], week["enrolments"]) == (180, 12)
