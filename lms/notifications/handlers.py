"""What notifications does when facts happen: it tells those whom they concern."""

from lms.content.events import AssetFailed
from lms.core.events import on
from lms.courses.events import CoursePublished, CourseSentBack, CourseSubmitted, LessonPublished
from lms.enrollments.events import (
    BatchCancelled,
    BatchChanged,
    HireTaken,
    HireWithdrawn,
    PlaceLapsed,
    PlaceOffered,
    RequestAnswered,
    RequestMade,
    UserEnrolled,
    WaitEnded,
)
from lms.notifications import jobs, operations
from lms.payments.events import OrderRefunded, RefundUndone
from lms.reporting.events import AlertRaised, DownloadFailed, DownloadReady, ScheduleStopped
from lms.streaming.events import RecordingMissing, SessionCancelled, SessionMoved, SessionScheduled
from lms.vouchers.events import VoucherBatchCreated
from lms.wallet.events import MoneyEnding


@on(UserEnrolled)
def tell_of_enrolment(fact: UserEnrolled) -> None:
    """The student hears of it, and the instructor, together with others who come at the same time."""
    until = operations.tell_of_enrolment(fact.enrollment_id)
    if until is not None:
        payload, key = {"course_id": fact.course_id, "until": until}, f"students:{fact.course_id}@{until.isoformat()}"
        jobs.tell_of_students.put(payload, run_at=until + jobs.LATECOMERS, key=key)


@on(RequestMade)
def tell_of_request(fact: RequestMade) -> None:
    """Those who answer hear that somebody asks."""
    operations.tell_of_request(fact.request_id)


@on(RequestAnswered)
def tell_of_request_answer(fact: RequestAnswered) -> None:
    """Who asked hears the answer."""
    operations.tell_of_request_answer(fact.request_id, fact.state)


@on(HireTaken)
def tell_of_hire(fact: HireTaken) -> None:
    """Whoever made the link hears who took the role it gives."""
    operations.tell_of_hire(fact.hire_id)


@on(HireWithdrawn)
def tell_of_lost_work(fact: HireWithdrawn) -> None:
    """Whose role was taken back before they signed in with it hears of it."""
    operations.tell_of_lost_work(fact.hire_id)


@on(PlaceOffered)
def tell_of_offer(fact: PlaceOffered) -> None:
    """Who is next on a waitlist hears that a place is held."""
    operations.tell_of_offer(fact.wait_id)


@on(PlaceLapsed)
def tell_of_passed_place(fact: PlaceLapsed) -> None:
    """Who did not take it hears that it passed on."""
    operations.tell_of_lost_place(fact.wait_id, "place_passed")


@on(WaitEnded)
def tell_of_ended_wait(fact: WaitEnded) -> None:
    """Who was taken off a waitlist hears why."""
    operations.tell_of_lost_place(fact.wait_id, "wait_ended")


@on(BatchChanged)
def tell_of_new_days(fact: BatchChanged) -> None:
    """Everybody in a batch hears that its days are others."""
    operations.tell_batch(fact.batch_id, "batch_moved")


@on(BatchCancelled)
def tell_of_cancelled_batch(fact: BatchCancelled) -> None:
    """Everybody in a batch hears that it does not take place."""
    operations.tell_batch(fact.batch_id, "batch_cancelled")


@on(OrderRefunded)
def tell_of_refund(fact: OrderRefunded) -> None:
    """Whose money came back hears of it."""
    operations.tell_of_refund(fact.refund_id, undone=False)


@on(RefundUndone)
def tell_of_refund_undone(fact: RefundUndone) -> None:
    """Whose refund was taken back hears of it."""
    operations.tell_of_refund(fact.refund_id, undone=True)


@on(MoneyEnding)
def tell_of_ending_money(fact: MoneyEnding) -> None:
    """Whose money ends soon hears of it."""
    operations.tell_of_ending_money(fact.user_id, fact.until, fact.days, fact.currency)


@on(LessonPublished)
def announce_the_lesson(fact: LessonPublished) -> None:
    """Everybody who learns the course hears of it: at once, or with the other lessons of the same hour."""
    operations.note_lesson(fact.course_id, fact.lesson_id)
    jobs.announce_lessons.later(course_id=fact.course_id)


@on(SessionScheduled)
def tell_of_session(fact: SessionScheduled) -> None:
    """Everybody who learns the course hears of the date."""
    _tell_course(fact, "session_planned")


@on(SessionMoved)
def tell_of_new_time(fact: SessionMoved) -> None:
    """Everybody who learns the course hears of the new time."""
    _tell_course(fact, "session_moved")


@on(SessionCancelled)
def tell_of_cancelled_session(fact: SessionCancelled) -> None:
    """Everybody who learns the course hears that it will not take place."""
    _tell_course(fact, "session_cancelled")


def _tell_course(fact: SessionScheduled | SessionMoved | SessionCancelled, message: str) -> None:
    if fact.is_quiet:
        return
    payload = operations.tell_of_session(fact.session_id, message)
    if payload is not None:
        jobs.tell_course.put(dict(payload), key=f"tell:{payload['event_id']}")


@on(VoucherBatchCreated)
def tell_of_batch(fact: VoucherBatchCreated) -> None:
    """Admins hear of it."""
    operations.tell_of_batch(fact.batch_id, fact.by)


@on(CourseSubmitted)
def tell_of_approval(fact: CourseSubmitted) -> None:
    """Admins hear that a course waits for them."""
    operations.tell_of_approval(fact.course_id)


@on(CoursePublished)
def tell_of_publication(fact: CoursePublished) -> None:
    """The instructor hears of it."""
    operations.tell_of_answer(fact.course_id, fact.by)


@on(CourseSentBack)
def tell_of_return(fact: CourseSentBack) -> None:
    """The instructor hears of it, with the reason."""
    operations.tell_of_answer(fact.course_id, fact.by, reason=fact.reason)


@on(AssetFailed)
def tell_of_failed_file(fact: AssetFailed) -> None:
    """The owner hears of it."""
    operations.tell_of_failed_file(fact.asset_id, fact.reason)


@on(RecordingMissing)
def tell_of_missing_recording(fact: RecordingMissing) -> None:
    """Whoever held the class hears that there is no recording of it, and why."""
    operations.tell_of_missing_recording(fact.session_id, fact.reason)


@on(DownloadReady)
def tell_of_download(fact: DownloadReady) -> None:
    """Whoever asked for the file hears that it is there."""
    values = {"report": fact.title, "count": f"{fact.row_count:,}", "expires_at": fact.expires_at}
    operations.tell_of_report("download_ready", fact.user_id, fact.download_id, "/admin/reporting/downloads", values)


@on(DownloadFailed)
def tell_of_failed_download(fact: DownloadFailed) -> None:
    """Whoever asked for the file hears why it is not there."""
    values = {"report": fact.title, "why": fact.reason}
    operations.tell_of_report("download_failed", fact.user_id, fact.download_id, "/admin/reporting/downloads", values)


@on(AlertRaised)
def tell_of_alert(fact: AlertRaised) -> None:
    """Whoever wanted to be told hears that a list has grown past their number."""
    values = {"report": fact.title, "count": f"{fact.row_count:,}", "above": f"{fact.above:,}"}
    operations.tell_of_report("alert_raised", fact.user_id, fact.run_id, fact.href, values)


@on(ScheduleStopped)
def tell_of_stopped_schedule(fact: ScheduleStopped) -> None:
    """Whoever set the schedule up hears why it stopped."""
    values = {"report": fact.title, "why": fact.reason}
    href = f"/admin/reporting/schedules/{fact.schedule_id}"
    operations.tell_of_report("schedule_stopped", fact.user_id, fact.schedule_id, href, values, fact.reason)
