"""Who may open, enrol, and see whose progress; the sentences are shown to people."""

from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from babel.dates import format_date

from lms.channels.policies import can_manage_people
from lms.core.clock import local_day, zone
from lms.core.decisions import Actor, Decision, admins, no, signed_in, yes
from lms.core.i18n import gettext as _
from lms.core.i18n import locale
from lms.courses.models import Course, Lesson
from lms.courses.policies import can_edit
from lms.enrollments.models import COMES_BACK, Enrollment, Hire, Link, Note, Request

AGAIN = timedelta(days=7)  # after a refusal


class Openable(Protocol):
    """What the rule reads of a lesson."""

    @property
    def status(self) -> str:
        """draft, published, deleted…"""

    @property
    def is_preview(self) -> bool:
        """Whether it is open to anybody."""


def can_open(
    actor: Actor, lesson: Openable, enrollment: Enrollment | None, *, at: datetime, course: Course | None = None, teaches: bool = False
) -> Decision:
    """Whether this person may open this lesson now.

    `course` lets its instructor in and closes what was taken off; `teaches` says that the person teaches a batch of it.
    """
    if actor.is_admin or (teaches and actor.is_staff) or (course is not None and _teaches(actor, course)):
        return yes("staff")
    if lesson.status != "published" or (course is not None and course.status == "deleted"):
        return no(_("This lesson is not published. The instructor can publish it."), rule="published")
    is_early = enrollment is not None and enrollment.is_open and enrollment.opens_at is not None and enrollment.opens_at > at
    if enrollment is not None and enrollment.is_open and not is_early:
        return yes("enrolled")
    if lesson.is_preview and (course is None or course.status == "published"):
        return yes("preview")
    if enrollment is not None and is_early and enrollment.opens_at is not None:
        return no(_("Your batch starts on %(day)s.", day=_day(enrollment.opens_at, actor)), rule="starts")
    if enrollment is not None:
        return no(_ended(enrollment), rule="left" if _may_come_back(enrollment, at) else "ended")
    return no(_("You are not enrolled in this course."), rule="enrolled")


def can_leave(actor: Actor, enrollment: Enrollment | None) -> Decision:
    """Whether this person may leave the course of this enrolment by themselves: their own, while it is open. None: they are not in it."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if enrollment is None or not enrollment.is_open:
        return yes("outside")
    return yes("own") if actor.user_id == enrollment.user_id else no(_("Only whoever is in a course can leave it."), rule="own")


def can_return(actor: Actor, course: Course, enrollment: Enrollment | None, *, at: datetime, day: date, refunded: bool) -> Decision:
    """Whether this person may open again by themselves what they left; `day` is today in the channel's zone."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if enrollment is None or actor.user_id != enrollment.user_id or not enrollment.was_left:
        return no(_("You have not left this course by yourself. Enrol on its page, or ask the academy."), rule="own")
    if not _may_come_back(enrollment, at):
        return no(
            _("You left more than %(days)s days ago. Enrol again, or ask the academy to restore it.", days=COMES_BACK.days), rule="late"
        )
    if refunded:
        return no(_("The money was given back, and the course closed with it. Enrol again on its page."), rule="refunded")
    if enrollment.until_on is not None and enrollment.until_on < day:
        return no(_("Its last day is over."), rule="ended")
    if course.status in ("deleted", "archived"):
        return no(_("This course is not held any more."), rule="published")
    return yes("own")


def can_enroll(actor: Actor, course: Course, enrollment: Enrollment | None, *, let_in: bool = False) -> Decision:
    """Whether this person may enrol by their own act; `let_in` by a link, a key or an answer that opens the course to them."""
    if not actor.is_known:
        return no(_("Sign in first, then enrol."), rule="sign_in")
    if not actor.is_member:
        return no(_("You are not a member of this academy. Register here first."), rule="member")
    if enrollment is not None and enrollment.is_open:
        return no(_("You are enrolled in this course already."), rule="enrolled_already")
    if course.status != "published":
        return no(_("This course is not open for enrolment now."), rule="published")
    return yes("open") if let_in else entry_of(course)


def entry_of(course: Course) -> Decision:
    """Whether a course takes anybody who comes; otherwise what opens it."""
    if course.entry == "key":
        return no(_("This course opens with a key or a link that the academy hands out. Ask your teacher for it."), rule="key")
    if course.entry == "request":
        return no(_("This course is for people the academy lets in. Ask to be enrolled; the answer comes by mail."), rule="request")
    if course.entry == "closed":
        return no(_("Nobody enrols in this course by themselves. An admin of the academy can enrol you."), rule="closed")
    return yes("open")


def can_ask(actor: Actor, course: Course, enrollment: Enrollment | None, request: Request | None, *, at: datetime) -> Decision:
    """Whether this person may ask to be let into the course now; `request` is what they asked for last."""
    decision = can_enroll(actor, course, enrollment, let_in=True)
    if not decision:
        return decision
    if course.entry != "request":
        return entry_of(course) & no(_("This course takes everybody. Enrol on its page."), rule="open")
    if request is not None and request.state == "waiting":
        return no(_("You have asked already, and the answer comes by mail."), rule="asked")
    if request is not None and request.lets_in(at):
        return no(_("You may enrol now."), rule="approved")
    if request is not None and request.state == "refused" and request.answered_at is not None and request.answered_at + AGAIN > at:
        when = (request.answered_at + AGAIN).astimezone(zone(actor.zone)).date().isoformat()
        return no(_("You can ask again from %(when)s on.", when=when), rule="refused")
    return yes("request")


def can_withdraw(actor: Actor, request: Request) -> Decision:
    """Whether this person may take the request back: their own, while it waits."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if actor.user_id != request.user_id:
        return no(_("Only the person who asked can take the request back."), rule="own")
    return yes("own") if request.state == "waiting" else no(_("This request was answered already."), rule="state")


def can_answer(actor: Actor, course: Course) -> Decision:
    """Whether this person answers requests for the course: admins, and the instructor it belongs to."""
    return can_see_students(actor, course)


def can_join(actor: Actor, link: Link, *, at: datetime, has_place: bool = False) -> Decision:
    """Whether a link or key lets this person in now; a full one still lets in those who have a place of it."""
    state = link.state_at(at)
    if state in ("revoked", "ended") or (state == "full" and not has_place):
        return is_over(link, zone_name=actor.zone, state=state)
    if state == "waiting" and link.starts_at is not None:
        when = _moment(link.starts_at, actor.zone)
        return no(_("It lets people in from %(when)s on. Come back then.", when=when), rule="not_started")
    if not actor.is_known:
        return no(_("Sign in or make an account first. You come straight back here."), rule="sign_in")
    if not actor.is_member:
        return no(_("You are not a member of this academy. Register here first."), rule="member")
    if link.domains and actor.email.rpartition("@")[2].lower() not in link.domains:
        sentence = _(
            "It is for people with an address at %(domains)s, and you are signed in as %(email)s. Sign in with such an address.",
            domains=", ".join(link.domains),
            email=actor.email,
        )
        return no(sentence, rule="domain")
    return yes("link")


def is_over(link: Link, *, zone_name: str = "UTC", state: str = "full") -> Decision:
    """Why a link or key lets nobody in any more, in a sentence for who holds it."""
    if state == "revoked":
        return no(_("It was withdrawn and lets nobody in any more. Ask whoever gave it to you for another."), rule="revoked")
    if state == "ended" and link.ends_at is not None:
        when = _moment(link.ends_at, zone_name)
        return no(_("It let people in until %(when)s. Ask whoever gave it to you for a new one.", when=when), rule="ended")
    if link.role:
        return no(_("It was taken by as many people as it is for. Ask whoever gave it to you for another."), rule="full")
    return no(_("All its places are taken. Ask the academy for another way into the course."), rule="full")


def can_take_work(actor: Actor, link: Link, *, at: datetime, hire: Hire | None, maker_may: Decision) -> Decision:
    """Whether a link gives its role to this person now; `maker_may`: whether its maker may still give it to them."""
    has_place = hire is not None and hire.stands
    decision = can_join(actor, link, at=at, has_place=has_place)
    if not decision:
        return decision
    if actor.is_admin:
        return no(_("You run this academy: this link could give you nothing you do not have."), rule="admin")
    if not maker_may:
        return maker_is_gone()
    if has_place and not actor.is_staff:
        return no(_("You took this link before, and an admin has changed what you are since. Ask one of them."), rule="role_changed")
    return yes("link")


def maker_is_gone() -> Decision:
    """The answer to a link whose maker may not give its role any more."""
    return no(_("Whoever made this link may not give this role any more. Ask the academy for another link."), rule="maker")


def can_hire(actor: Actor) -> Decision:
    """Whether this person makes links that give a role: who gives roles by hand."""
    return can_manage_people(actor)


def not_for(link: Link) -> Decision:
    """The answer to a link or key that opens other courses."""
    return no(_("This key opens other courses, not this one. Look at the course it was given to you for."), rule="other_course")


def runs_in_batches(course: Course) -> Decision:
    """The answer to a link or key that names no batch of a course whose students take a place in one."""
    return no(_("%(title)s runs in batches. Choose one on its page.", title=course.title), rule="batch")


def no_such_link() -> str:
    """The answer to a link that is none."""
    return _("This link is not valid. It may have been replaced by a newer one: ask whoever gave it to you.")


def no_such_key() -> str:
    """The answer to a key that is none."""
    return _("We do not know this key. Compare it with what you were given; it may have been replaced by a newer one.")


def can_learn(actor: Actor) -> Decision:
    """Whether this person has a page of their own courses."""
    return signed_in(actor)


def can_record(actor: Actor, user_id: UUID) -> Decision:
    """Whether a player's report for that person comes from them."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    return yes("own") if actor.user_id == user_id else no(_("This page was opened by somebody else. Open the lesson again."), rule="own")


def can_read_note(actor: Actor, note: Note) -> Decision:
    """Notes are for whoever wrote them, and for nobody else, admins included."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if actor.user_id != note.user_id or actor.viewer_id is not None:
        return no(_("This note is somebody else's, and notes are private."), rule="own")
    return yes("own")


def can_write_notes(actor: Actor) -> Decision:
    """Whoever is signed in as themselves writes notes to lessons they may open."""
    if actor.viewer_id is not None:
        return no(_("You look at the pages as somebody else. Their notes are private."), rule="own")
    return signed_in(actor)


def can_mark_done(actor: Actor, lesson: Lesson, enrollment: Enrollment | None, *, at: datetime) -> Decision:
    """Whether this person may say themselves that the lesson is done: text lessons only."""
    if not actor.is_known:
        return no(_("Sign in first."), rule="sign_in")
    if enrollment is None or not enrollment.is_open:
        return no(_("You are not enrolled in this course."), rule="enrolled")
    if lesson.kind == "video":
        return no(_("A video is done when nine tenths of it were watched."), rule="watched")
    return can_open(actor, lesson, enrollment, at=at)


def can_manage(actor: Actor) -> Decision:
    """Whether this person enrols others by hand, ends and restores enrolments."""
    return admins(actor)


def can_run(actor: Actor, course: Course) -> Decision:
    """Whether this person makes, changes and cancels batches of a course and minds their waitlists: who may change the course."""
    return can_edit(actor, course)


def can_wait(actor: Actor, course: Course, enrollment: Enrollment | None, *, let_in: bool = False) -> Decision:
    """Whether this person may stand on the waitlist of a batch: whoever may enrol."""
    return can_enroll(actor, course, enrollment, let_in=let_in)


def can_see_batch(actor: Actor, course: Course, *, teaches: bool = False) -> Decision:
    """Whether this person sees a batch and its people; `teaches`: they teach it beside the course's own instructor."""
    if teaches and actor.is_staff:
        return yes("teaches")
    return can_see_students(actor, course)


def can_see_students(actor: Actor, course: Course | None) -> Decision:
    """Whether this person sees who learns in a course (none: in any of theirs)."""
    if not actor.is_known and not actor.is_machine:
        return no(_("Sign in first."), rule="sign_in")
    if actor.is_admin or (actor.is_staff and (course is None or _teaches(actor, course))):
        return yes("staff")
    return no(_("Only the instructor of this course and admins see its students."), rule="staff")


def _teaches(actor: Actor, course: Course) -> bool:
    return actor.is_staff and actor.user_id is not None and course.instructor_id == actor.user_id


def _day(moment: datetime, actor: Actor) -> str:
    return str(format_date(local_day(moment, actor.zone), "d MMMM y", locale=locale()))


def _may_come_back(enrollment: Enrollment, at: datetime) -> bool:
    return enrollment.comes_back_until is not None and at < enrollment.comes_back_until


def _ended(enrollment: Enrollment) -> str:
    if enrollment.was_left:
        return _("You left this course.")
    if enrollment.ended_reason:
        return _("Your enrolment in this course ended: %(reason)s", reason=enrollment.ended_reason)
    return _("Your enrolment in this course ended. An admin can restore it.")


def _moment(moment: datetime, zone_name: str) -> str:
    """A moment by the clock of a zone, with the zone's name."""
    return moment.astimezone(zone(zone_name)).strftime("%Y-%m-%d %H:%M %Z")
