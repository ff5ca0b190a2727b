"""What is said on each occasion: title, words, the button, and why this person hears it; in the reader's language and zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_datetime

from lms.core.clock import zone
from lms.core.i18n import Lazy, gettext, in_locale, locale
from lms.core.i18n import lazy_gettext as _l
from lms.notifications.queries import Reader


@dataclass(frozen=True, slots=True)
class Letter:
    """A message written for one reader."""

    title: str
    body: str
    act: str
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is said on one kind of occasion; values stand in %(name)s, and those called `…_at` are moments."""

    kind: str
    title: Lazy
    body: Lazy
    act: Lazy
    reason: Lazy

    def write(self, values: Mapping[str, Any], reader: Reader) -> Letter:
        """The message in the reader's language, with moments in the reader's zone."""
        with in_locale(reader.locale):
            said = said_to(values, reader.zone)
            return Letter(*(fill(text, said) for text in (self.title, self.body, self.act, self.reason)))


def said_to(values: Mapping[str, Any], zone_name: str) -> dict[str, Any]:
    """The values as they are said in the running language: moments by the clock of the zone."""
    return {name: _moment(value, zone_name) if name.endswith("_at") else value for name, value in values.items()}


def fill(words: Lazy, values: Mapping[str, Any]) -> str:
    """The words in the running language, with the values put in."""
    return gettext(words.message) % values


def _moment(value: datetime | str, zone_name: str) -> str:
    moment = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(zone(zone_name))
    words = format_datetime(moment, "EEEE d MMMM, HH:mm", locale=locale())
    return f"{words} {moment.tzname()}"


ENROLLED = _l("You get this because you are enrolled in %(course)s.")
WAITING = _l("You get this because you joined the waitlist of a batch of %(course)s.")
TEACHING = _l("You get this because you teach %(course)s.")
ASKED = _l("You get this because you asked to be enrolled in %(course)s.")
ADMIN = _l("You get this because you are an admin of this academy.")

MESSAGES: dict[str, Message] = {
    "enrolled": Message(
        "enrolled",
        _l("You are enrolled in %(course)s"),
        _l("The course is open to you from now on.%(receipt)s"),
        _l("Open the course"),
        ENROLLED,
    ),
    "request_approved": Message(
        "request_answer",
        _l("You may learn %(course)s"),
        _l("Your request was granted. %(why)s"),
        _l("Open the course"),
        ASKED,
    ),
    "request_refused": Message(
        "request_answer", _l("Your request for %(course)s was refused"), _l("%(why)s"), _l("See your request"), ASKED
    ),
    "request_expired": Message(
        "request_answer",
        _l("Your request for %(course)s became too old"),
        _l("Nobody answered it in time. You can ask again."),
        _l("Ask again"),
        ASKED,
    ),
    "request": Message(
        "request",
        _l("%(student)s asks for %(course)s"),
        _l("%(why)s"),
        _l("Answer"),
        _l("You get this because you answer requests for %(course)s."),
    ),
    "hired": Message(
        "work",
        _l("%(person)s took your link %(label)s"),
        _l(
            "%(email)s is an instructor here as soon as they have signed in the way staff do. "
            "Withdraw the link before that, and they are what they were."
        ),
        _l("See the link"),
        _l("You get this because you made this link."),
    ),
    "hire_withdrawn": Message(
        "work",
        _l("The link %(label)s was withdrawn"),
        _l("You had not signed in as an instructor yet, so you are what you were before."),
        _l("To my courses"),
        _l("You get this because you took this link."),
    ),
    "announcement": Message(
        "announcement", _l("%(subject)s"), _l("%(text)s"), _l("Read it here"), _l("You get this because you belong to %(academy)s.")
    ),
    "course_announcement": Message("announcement", _l("%(subject)s"), _l("%(text)s"), _l("Read it here"), ENROLLED),
    "refunded": Message(
        "refund",
        _l("%(amount)s for %(course)s is back in your wallet"),
        _l("%(why)s\n\nThe number of the refund is %(number)s."),
        _l("See my wallet"),
        _l("You get this because you bought %(course)s."),
    ),
    "money_ending": Message(
        "money_ending",
        _l("%(amount)s in your wallet ends on %(day)s"),
        _l("What you have not spent by the end of that day expires. What ends first is spent first."),
        _l("See the courses"),
        _l("You get this because you have money with a date in your wallet."),
    ),
    "refund_undone": Message(
        "refund",
        _l("The refund for %(course)s was taken back"),
        _l("%(amount)s left your wallet again, and the course is open to you as before. The number of the refund was %(number)s."),
        _l("See my wallet"),
        _l("You get this because you bought %(course)s."),
    ),
    "new_student": Message(
        "new_student", _l("%(student)s enrolled in %(course)s"), _l("%(count)s people learn it now."), _l("See the students"), TEACHING
    ),
    "new_students": Message(
        "new_student",
        _l("%(new)s people enrolled in %(course)s"),
        _l("%(students)s. %(count)s people learn it now."),
        _l("See the students"),
        TEACHING,
    ),
    "lesson": Message("lesson", _l("New lesson in %(course)s: %(lesson)s"), _l("It waits for you."), _l("Open the lesson"), ENROLLED),
    "lessons": Message("lesson", _l("%(count)s new lessons in %(course)s"), _l("%(lessons)s"), _l("Open the course"), ENROLLED),
    "session_soon": Message(
        "session_soon", _l("%(session)s begins soon"), _l("%(course)s: %(starts_at)s."), _l("To the live class"), ENROLLED
    ),
    "session_soon_host": Message(
        "session_soon",
        _l("You teach %(session)s soon"),
        _l("%(course)s: %(starts_at)s."),
        _l("To the live class"),
        _l("You get this because you hold this live class."),
    ),
    "session_planned": Message(
        "session_planned", _l("Live class planned: %(session)s"), _l("%(course)s: %(starts_at)s."), _l("See the live class"), ENROLLED
    ),
    "session_moved": Message(
        "session_changed", _l("%(session)s has a new time"), _l("%(course)s: it begins %(starts_at)s."), _l("See the live class"), ENROLLED
    ),
    "session_cancelled": Message(
        "session_changed",
        _l("%(session)s is called off"),
        _l("%(course)s: the live class of %(starts_at)s will not take place. %(why)s"),
        _l("See the live classes"),
        ENROLLED,
    ),
    "place_offered": Message(
        "place",
        _l("A place in %(batch)s is held for you"),
        _l("%(course)s: take it until %(until_at)s. After that it goes to the next one on the waitlist."),
        _l("Take the place"),
        WAITING,
    ),
    "place_passed": Message(
        "place",
        _l("The place in %(batch)s passed on"),
        _l("It was held for a day and has gone to the next one. You can join the waitlist of %(course)s again."),
        _l("See the batches"),
        WAITING,
    ),
    "wait_ended": Message("place", _l("You are off the waitlist of %(batch)s"), _l("%(course)s: %(why)s"), _l("See the course"), WAITING),
    "batch_moved": Message(
        "place",
        _l("%(batch)s has other days"),
        _l("The first or the last day of your batch of %(course)s changed. The page of the course has the new ones."),
        _l("See the course"),
        ENROLLED,
    ),
    "batch_cancelled": Message("place", _l("%(batch)s does not take place"), _l("%(course)s: %(why)s"), _l("See the course"), ENROLLED),
    "course_published": Message(
        "course_answer", _l("%(course)s is published"), _l("It stands in the catalogue."), _l("See the course"), TEACHING
    ),
    "course_sent_back": Message("course_answer", _l("%(course)s came back to you"), _l("%(why)s"), _l("Go on with the course"), TEACHING),
    "file_failed": Message(
        "file_failed",
        _l("%(file)s could not be used"),
        _l("%(why)s"),
        _l("See the file"),
        _l("You get this because you uploaded this file."),
    ),
    "recording_missing": Message(
        "file_failed",
        _l("There is no recording of %(session)s"),
        _l("%(why)s"),
        _l("See what to do"),
        _l("You get this because you held this class."),
    ),
    "approval": Message(
        "approval", _l("%(course)s waits for approval"), _l("%(instructor)s submitted it."), _l("Look at the course"), ADMIN
    ),
    "batch": Message(
        "batch",
        _l("%(count)s voucher codes created: %(batch)s"),
        _l("They are worth %(worth)s together. Created by %(who)s."),
        _l("See the batch"),
        ADMIN,
    ),
    "download_ready": Message(
        "report",
        _l("Your download is ready: %(report)s"),
        _l("%(count)s rows, kept until %(expires_at)s."),
        _l("To my downloads"),
        _l("You get this because you asked for this file."),
    ),
    "download_failed": Message(
        "report",
        _l("Your download could not be made: %(report)s"),
        _l("%(why)s"),
        _l("To my downloads"),
        _l("You get this because you asked for this file."),
    ),
    "alert_raised": Message(
        "report",
        _l("%(count)s rows: %(report)s"),
        _l("You wanted to hear when there are more than %(above)s."),
        _l("Open this list"),
        _l("You get this because you asked to be told."),
    ),
    "schedule_stopped": Message(
        "report",
        _l("A scheduled report stopped: %(report)s"),
        _l("%(why)s"),
        _l("See the schedule"),
        _l("You get this because you set this schedule up."),
    ),
}
