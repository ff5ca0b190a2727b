"""Attendance: one row a person and class, however many windows they had open."""

from datetime import timedelta

from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.clock import now
from lms.streaming import operations
from lms.streaming.reports import Attendance
from tests.factories.people import ada, an_instructor, root, sam
from tests.factories.streaming import a_session


def test_attendance__adds_up_stays_and_says_who_was_late(work: Session) -> None:
    moment = now() - timedelta(hours=3)
    with clock.at(moment):
        held = a_session(starts_at=moment, state="live")
    for minutes, source in ((10, "page"), (15, "chat")):
        with clock.at(moment + timedelta(minutes=minutes)):
            visit = operations.note_join(held.id, sam().user_id, source=source)
        with clock.at(moment + timedelta(minutes=minutes + 20)):
            operations.note_leave([visit])
    report = Attendance()
    (row,) = report.page(report.read_view({"late": ["1"]}), root()).rows
    assert (row["person"], row["stayed"], row["late"]) == ("Sam Student", 25 * 60, 10 * 60)
    assert report.count(report.read_view({}), ada()) == 1 and report.count(report.read_view({}), an_instructor()) == 0
