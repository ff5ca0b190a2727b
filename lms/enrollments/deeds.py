"""What the audit log calls the acts on enrolments, and which of them one click takes back."""

from typing import Any

from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.enrollments import operations, policies, queries
from lms.enrollments.models import Enrollment
from lms.enrollments.plans import STANDING
from lms.enrollments.reports.lists import SOURCES


def _may(by: Actor, _enrollment: Enrollment) -> Decision:
    return policies.can_manage(by)


def _open_again(enrollment: Enrollment, _values: dict[str, Any], by: Actor) -> None:
    operations.restore_enrollment(enrollment, by=by)


register(
    Deeds(
        "enrollments",
        _l("Enrolments"),
        {
            "enrollments.enroll": Deed(_l("enrolled"), "user-check"),
            "enrollments.unenroll": Deed(_l("took the enrolment out again"), "user-minus"),
            "enrollments.end": Deed(_l("ended the enrolment"), "ban"),
            "enrollments.restore": Deed(_l("opened the enrolment again"), "rotate-ccw"),
            "enrollments.set_until": Deed(_l("changed the last day of the enrolment"), "calendar-clock"),
            "enrollments.undo": Deed(_l("put the enrolment back as it was"), "undo-2"),
            "enrollments.complete_lesson": Deed(_l("completed a lesson"), "circle-check"),
            "enrollments.complete_course": Deed(_l("completed the course"), "badge-check"),
        },
        {"enrollments": Thing(_l("Enrolment"), "/admin/enrollments/{id}")},
        {
            "status": Label(_l("Status"), values=STANDING),
            "ended_at": Label(_l("Ended"), "time"),
            "until_on": Label(_l("Open until")),
            "ended_reason": Label(_l("Reason")),
            "source": Label(_l("How"), values=dict(SOURCES)),
            "note": Label(_l("Reason")),
            "user_id": Label(_l("Person"), "person"),
            "course_id": Label(_l("Course"), "course"),
            "lesson_id": Label(_l("Lesson"), "lesson"),
        },
        {"enrollments.end": Revert(queries.get_enrollment, _may, _open_again)},
    )
)
