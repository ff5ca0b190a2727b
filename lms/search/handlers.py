"""What search does when something happens elsewhere: it reads the thing again and writes what stands now."""

from lms.channels.events import MemberEdited, MemberJoined, MemberLeft, MemberSuspended, RoleChanged
from lms.core.events import on
from lms.courses.events import CourseEdited, CoursePublished, CourseWithdrawn, LessonAdded, LessonEdited
from lms.search import operations
from lms.vouchers.events import VoucherBatchCreated


@on(CourseEdited)
def index_edited_course(fact: CourseEdited) -> None:
    """An edited course is found under its new words."""
    operations.index_course(fact.course_id)


@on(CoursePublished)
def index_published_course(fact: CoursePublished) -> None:
    """A published course is found by everybody."""
    operations.index_course(fact.course_id)


@on(CourseWithdrawn)
def index_withdrawn_course(fact: CourseWithdrawn) -> None:
    """A withdrawn course is found by its own people only, a deleted one by nobody."""
    operations.index_course(fact.course_id)


@on(LessonAdded)
def index_added_lesson(fact: LessonAdded) -> None:
    """A new lesson is found by those who work on it."""
    operations.index_course(fact.course_id)


@on(LessonEdited)
def index_edited_lesson(fact: LessonEdited) -> None:
    """An edited, deleted or restored lesson is found as it is now."""
    operations.index_course(fact.course_id)


@on(MemberJoined)
def index_new_member(fact: MemberJoined) -> None:
    """A new member is found by the admins."""
    operations.index_person(fact.user_id)


@on(RoleChanged)
def index_changed_role(fact: RoleChanged) -> None:
    """Who begins to teach is found by everybody, who stops is not."""
    operations.index_person(fact.user_id)


@on(MemberSuspended)
def forget_suspended_member(fact: MemberSuspended) -> None:
    """A suspended member is not found."""
    operations.index_person(fact.user_id)


@on(MemberEdited)
def index_edited_member(fact: MemberEdited) -> None:
    """An edited member, and one let in again, is found as they are now."""
    operations.index_person(fact.user_id)


@on(MemberLeft)
def forget_member_who_left(fact: MemberLeft) -> None:
    """Who left is not found."""
    operations.index_person(fact.user_id)


@on(VoucherBatchCreated)
def index_new_batch(fact: VoucherBatchCreated) -> None:
    """A new voucher batch is found by the admins."""
    operations.index_batch(fact.batch_id)
