"""Every change of courses: each rule, and running it twice."""

from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core import db
from lms.core.errors import Invalid
from lms.core.ids import uuid7
from lms.core.models import AuditRow, EventRow
from lms.core.money import Money
from lms.courses import operations, queries
from lms.courses.errors import CategoryInUse, EditedMeanwhile, LessonNotReady, NothingToPublish, UnusableAsset, WrongStatus
from tests.factories.courses import a_category, a_course, a_file, a_lesson, a_section
from tests.factories.people import a_student, ada, root, sam


def happened(name: str) -> int:
    """How many facts of that name the diary holds."""
    return len(db.session().scalars(select(EventRow).where(EventRow.name == name)).all())


def audited(action: str) -> int:
    """How many audit rows of that action there are."""
    return len(db.session().scalars(select(AuditRow).where(AuditRow.action == action)).all())


def titles(course_id: object) -> list[str]:
    """The lessons of a course in order, by title."""
    return [lesson.title for lesson in queries.lessons_of(course_id, published_only=False)]  # type: ignore[arg-type]


def test_create_course__makes_a_draft_of_its_maker(work: Session) -> None:
    course = operations.create_course("  Algèbre   un ", by=ada())
    assert (course.title, course.slug, course.status, course.price_minor, course.currency) == (
        "Algèbre un",
        "algebre-un",
        "draft",
        0,
        "EUR",
    )
    assert course.instructor_id == ada().user_id
    assert audited("courses.create") == 1


def test_create_course__sent_twice_makes_one(work: Session) -> None:
    course_id = uuid7()
    first = operations.create_course("Once", by=ada(), course_id=course_id)
    assert operations.create_course("Once", by=ada(), course_id=course_id) is first
    assert audited("courses.create") == 1


def test_create_course__numbers_addresses_that_are_taken(work: Session) -> None:
    slugs = [operations.create_course("Same", by=ada()).slug for _ in range(3)]
    assert slugs == ["same", "same-2", "same-3"]


@pytest.mark.parametrize(
    ("title", "slug"), [("الجبر للجميع", "الجبر-للجميع"), ("!!!", "course"), ("日本語 入門", "日本語-入門"), ("C++ & C#", "c-c")]
)
def test_create_course__has_an_address_in_every_script(work: Session, title: str, slug: str) -> None:
    assert operations.create_course(title, by=ada()).slug == slug


def test_create_course__refuses_what_does_not_fit(work: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        operations.create_course(" ", by=ada(), level="guru", category_id=uuid4())
    assert set(refusal.value.fields) == {"title", "level", "category_id"}
    with pytest.raises(Invalid):
        operations.create_course("Ok", by=root(), instructor_id=sam().user_id)
    with pytest.raises(Invalid):
        operations.create_course("Ok", by=ada(), price=Money(1, "USD"))


def test_edit_course__audits_only_what_changed(work: Session) -> None:
    course = a_course()
    operations.edit_course(course, version=course.version, by=ada(), title=course.title, summary="New words")
    row = db.session().scalars(select(AuditRow).where(AuditRow.action == "courses.edit")).one()
    assert row.after == {"summary": "New words"}
    operations.edit_course(course, version=course.version, by=ada(), summary="New words")
    assert audited("courses.edit") == 1


def test_edit_course__of_two_tabs_overwrites_nothing_silently(work: Session) -> None:
    course = a_course()
    version = course.version
    operations.edit_course(course, version=version, by=ada(), summary="From tab one")
    with pytest.raises(EditedMeanwhile) as conflict:
        operations.edit_course(course, version=version, by=ada(), summary="From tab two")
    assert conflict.value.theirs == {"summary": "From tab one"}
    operations.edit_course(course, version=conflict.value.version, by=ada(), summary="From tab two")
    assert course.summary == "From tab two"


def test_edit_course__moves_the_address_until_first_published(work: Session) -> None:
    course = a_course("First name", lessons=1)
    operations.edit_course(course, version=course.version, by=ada(), title="Second name")
    assert course.slug == "second-name"
    operations.publish_lesson(queries.lessons_of(course.id, published_only=False)[0], by=ada())
    operations.publish_course(course, by=root())
    operations.edit_course(course, version=course.version, by=ada(), title="Third name")
    assert course.slug == "second-name"


def test_set_price__is_audited_and_never_negative(work: Session) -> None:
    course = a_course()
    operations.set_price(course, Money(1250, "EUR"), by=ada())
    operations.set_price(course, Money(1250, "EUR"), by=ada())
    assert course.price == Money(1250, "EUR") and audited("courses.set_price") == 1
    with pytest.raises(Invalid):
        operations.set_price(course, Money(-1, "EUR"), by=ada())


def test_set_cover__takes_pictures_of_ones_own(work: Session) -> None:
    course = a_course()
    picture = a_file("image")
    operations.set_cover(course, picture.id, by=ada())
    assert course.cover_asset_id == picture.id
    with pytest.raises(UnusableAsset):
        operations.set_cover(course, a_file("video").id, by=ada())
    with pytest.raises(UnusableAsset):
        operations.set_cover(course, a_file("image", owner=root()).id, by=ada())
    operations.set_cover(course, None, by=ada())
    assert course.cover_asset_id is None


def test_set_instructor__takes_only_those_who_teach(work: Session) -> None:
    course = a_course()
    operations.set_instructor(course, root().user_id, by=root())  # type: ignore[arg-type]
    assert course.instructor_id == root().user_id
    with pytest.raises(Invalid):
        operations.set_instructor(course, a_student("Tim Learner").user_id, by=root())  # type: ignore[arg-type]


def test_submit_for_approval__needs_a_published_lesson(work: Session) -> None:
    course = a_course(lessons=1)
    with pytest.raises(NothingToPublish):
        operations.submit_for_approval(course, by=ada())
    operations.publish_ready_lessons(course, by=ada())
    operations.submit_for_approval(course, by=ada())
    operations.submit_for_approval(course, by=ada())
    assert course.status == "submitted" and happened("CourseSubmitted") == 1


def test_publish_course__needs_a_published_lesson_and_happens_once(work: Session) -> None:
    course = a_course(lessons=0)
    with pytest.raises(NothingToPublish):
        operations.publish_course(course, by=root())
    a_lesson(course)
    operations.publish_course(course, by=root())
    operations.publish_course(course, by=root())
    assert course.is_published and course.published_at and happened("CoursePublished") == 1


def test_send_back__gives_the_reason(work: Session) -> None:
    course = a_course(lessons=1)
    operations.publish_ready_lessons(course, by=ada())
    operations.submit_for_approval(course, by=ada())
    with pytest.raises(Invalid):
        operations.send_back(course, "  ", by=root())
    operations.send_back(course, "Too short", by=root())
    operations.send_back(course, "Too short", by=root())
    assert (course.status, course.sent_back_reason) == ("draft", "Too short")
    assert happened("CourseSentBack") == 1
    with pytest.raises(WrongStatus):
        operations.send_back(course, "Again", by=root())


def test_unpublish_course__and_archive_leave_the_catalogue(work: Session) -> None:
    course = a_course(published=True)
    operations.unpublish_course(course, by=root())
    operations.unpublish_course(course, by=root())
    assert course.status == "draft" and happened("CourseWithdrawn") == 1
    operations.archive_course(course, by=root())
    assert course.status == "archived"
    operations.publish_course(course, by=root())
    assert course.is_published


def test_archive_course__twice_changes_nothing_more(work: Session) -> None:
    course = a_course(published=True)
    operations.archive_course(course, by=root())
    operations.archive_course(course, by=root())
    assert audited("courses.archive") == 1


def test_delete_course__can_be_taken_back(work: Session) -> None:
    course = a_course(published=True)
    operations.delete_course(course, by=root())
    operations.delete_course(course, by=root())
    assert course.is_deleted and audited("courses.delete") == 1
    for refused in (operations.archive_course, operations.publish_course, operations.unpublish_course):
        with pytest.raises(WrongStatus):
            refused(course, by=root())
    operations.restore_course(course, by=root())
    assert course.is_published
    operations.restore_course(course, by=root())
    assert audited("courses.restore") == 1


def test_restore_course__brings_a_draft_back_as_a_draft(work: Session) -> None:
    course = a_course()
    operations.delete_course(course, by=ada())
    operations.restore_course(course, by=ada())
    assert course.status == "draft"


def test_create_category__knows_the_name_again(work: Session) -> None:
    first = a_category("Arts")
    assert operations.create_category(" arts ", by=root()) is first
    with pytest.raises(Invalid):
        operations.create_category(" ", by=root())


def test_rename_category__refuses_a_name_that_is_taken(work: Session) -> None:
    arts, maths = a_category("Arts"), a_category("Maths")
    with pytest.raises(Invalid):
        operations.rename_category(maths, "ARTS", by=root())
    operations.rename_category(arts, "Fine arts", by=root())
    assert (arts.name, arts.slug) == ("Fine arts", "arts")


def test_delete_category__keeps_those_in_use(work: Session) -> None:
    used, unused = a_category("Used"), a_category("Unused")
    a_course(category=used)
    with pytest.raises(CategoryInUse):
        operations.delete_category(used, by=root())
    operations.delete_category(unused, by=root())
    assert [category.name for category in queries.categories()] == ["Used"]


def test_add_section__sent_twice_makes_one(work: Session) -> None:
    course = a_course(lessons=0)
    section_id = uuid7()
    operations.add_section(course, "One", by=ada(), section_id=section_id)
    operations.add_section(course, "One", by=ada(), section_id=section_id)
    operations.add_section(course, "Two", by=ada())
    assert [(section.title, section.position) for section in queries.sections_of(course.id)] == [("One", 0), ("Two", 1)]
    with pytest.raises(Invalid):
        operations.add_section(course, " ", by=ada())


def test_rename_section__is_audited_once(work: Session) -> None:
    section = a_section(a_course(lessons=0))
    operations.rename_section(section, "Ends", by=ada())
    operations.rename_section(section, "Ends", by=ada())
    assert section.title == "Ends" and audited("courses.rename_section") == 1


def test_move_section__to_any_place(work: Session) -> None:
    course = a_course(lessons=0)
    one, _two, _three = (a_section(course, title) for title in ("1", "2", "3"))
    operations.move_section(one, 99, by=ada())
    assert [section.title for section in queries.sections_of(course.id)] == ["2", "3", "1"]
    operations.move_section(one, -5, by=ada())
    operations.move_section(one, 0, by=ada())
    assert [section.title for section in queries.sections_of(course.id)] == ["1", "2", "3"]
    assert audited("courses.order_sections") == 2


def test_order_sections__ignores_strangers_and_keeps_the_unnamed(work: Session) -> None:
    course = a_course(lessons=0)
    one, two, three = (a_section(course, title) for title in ("1", "2", "3"))
    operations.order_sections(course, [three.id, uuid4(), one.id], by=ada())
    assert [section.title for section in queries.sections_of(course.id)] == ["3", "1", "2"]
    assert two.position == 2


def test_delete_section__takes_its_lessons_and_gives_them_back(work: Session) -> None:
    course = a_course(lessons=2)
    section = queries.sections_of(course.id)[0]
    early = queries.lessons_of(course.id, published_only=False)[0]
    operations.delete_lesson(early, by=ada())
    operations.delete_section(section, by=ada())
    operations.delete_section(section, by=ada())
    assert queries.outline(course.id) == []
    operations.restore_section(section, by=ada())
    operations.restore_section(section, by=ada())
    assert titles(course.id) == ["Lesson 2"]
    assert early.is_deleted


def test_delete_section__keeps_the_last_published_lessons_of_a_published_course(work: Session) -> None:
    course = a_course(published=True)
    with pytest.raises(NothingToPublish):
        operations.delete_section(queries.sections_of(course.id)[0], by=root())


def test_add_lesson__sent_twice_makes_one_draft_and_tells(work: Session) -> None:
    course = a_course(lessons=0)
    section = a_section(course)
    lesson_id = uuid7()
    lesson = operations.add_lesson(section, "Hello", by=ada(), lesson_id=lesson_id)
    assert operations.add_lesson(section, "Hello", by=ada(), lesson_id=lesson_id) is lesson
    assert (lesson.status, lesson.position, lesson.kind) == ("draft", 0, "text")
    assert happened("LessonAdded") == 1


def test_add_lesson__refuses_a_kind_nobody_knows(work: Session) -> None:
    with pytest.raises(Invalid) as refusal:
        operations.add_lesson(a_section(a_course(lessons=0)), "", by=ada(), kind="scorm")
    assert set(refusal.value.fields) == {"title", "kind"}


def test_edit_lesson__of_two_tabs_overwrites_nothing_silently(work: Session) -> None:
    lesson = a_lesson(a_course(lessons=0), published=False)
    version = lesson.version
    operations.edit_lesson(lesson, version=version, by=ada(), title="A", kind="text", body="one", is_preview=False)
    with pytest.raises(EditedMeanwhile) as conflict:
        operations.edit_lesson(lesson, version=version, by=root(), title="A", kind="text", body="two", is_preview=False)
    assert conflict.value.theirs == {"body": "one"}
    assert lesson.body == "one"


def test_edit_lesson__does_not_empty_a_published_one(work: Session) -> None:
    lesson = a_lesson(a_course(lessons=0))
    with pytest.raises(LessonNotReady):
        operations.edit_lesson(lesson, version=lesson.version, by=ada(), title="A", kind="text", body=" ", is_preview=False)


def test_set_video__takes_length_from_a_video_of_ones_own(work: Session) -> None:
    lesson = a_lesson(a_course(lessons=0), kind="video", published=False)
    assert lesson.duration_seconds == 61
    with pytest.raises(UnusableAsset):
        operations.set_video(lesson, a_file("image").id, by=ada())
    with pytest.raises(UnusableAsset):
        operations.set_video(lesson, a_file(owner=root()).id, by=ada())
    with pytest.raises(UnusableAsset):
        operations.set_video(lesson, a_file(state="failed").id, by=ada())
    operations.set_video(lesson, None, by=ada())
    assert lesson.asset_id is None and lesson.duration_seconds is None


def test_set_video__of_a_published_lesson_waits_until_it_plays(work: Session) -> None:
    lesson = a_lesson(a_course(lessons=0), kind="video")
    with pytest.raises(LessonNotReady):
        operations.set_video(lesson, a_file(state="processing").id, by=ada())


def test_publish_lesson__needs_words_or_a_video_that_plays(work: Session) -> None:
    course = a_course(lessons=0)
    empty = a_lesson(course, body="", published=False)
    with pytest.raises(LessonNotReady):
        operations.publish_lesson(empty, by=ada())
    waiting = a_lesson(course, kind="video", asset=a_file(state="processing"), published=False)
    with pytest.raises(LessonNotReady):
        operations.publish_lesson(waiting, by=ada())
    assert operations.publish_lesson(waiting, by=ada(), when_ready=True) is False
    assert waiting.is_due and waiting.status == "draft"
    failed = a_lesson(course, kind="video", asset=(broken := a_file(state="processing")), published=False)
    broken.state = "failed"
    with pytest.raises(LessonNotReady):
        operations.publish_lesson(failed, by=ada(), when_ready=True)


def test_publish_lesson__twice_tells_once(work: Session) -> None:
    lesson = a_lesson(a_course(lessons=0), published=False)
    assert operations.publish_lesson(lesson, by=ada())
    assert operations.publish_lesson(lesson, by=ada())
    assert happened("LessonPublished") == 1


def test_publish_ready_lessons__leaves_out_what_is_empty(work: Session) -> None:
    course = a_course(lessons=2)
    a_lesson(course, title="Empty", body="", published=False)
    assert operations.publish_ready_lessons(course, by=ada()) == 2
    assert operations.publish_ready_lessons(course, by=ada()) == 0
    assert queries.count_published(course.id) == 2


def test_take_over_video__publishes_what_waited(work: Session) -> None:
    asset = a_file(state="processing")
    lesson = a_lesson(a_course(lessons=0), kind="video", asset=asset, published=False)
    operations.publish_lesson(lesson, by=ada(), when_ready=True)
    operations.take_over_video(lesson, asset, by=root())
    assert not lesson.is_published
    asset.state, asset.duration_seconds = "ready", 90
    operations.take_over_video(lesson, asset, by=root())
    operations.take_over_video(lesson, asset, by=root())
    assert lesson.is_published and lesson.duration_seconds == 90 and not lesson.is_due
    assert happened("LessonPublished") == 1


def test_unpublish_lesson__keeps_the_last_of_a_published_course(work: Session) -> None:
    course = a_course(lessons=2, published=True)
    first, last = queries.lessons_of(course.id)
    operations.unpublish_lesson(first, by=ada())
    operations.unpublish_lesson(first, by=ada())
    assert first.status == "draft"
    with pytest.raises(NothingToPublish):
        operations.unpublish_lesson(last, by=ada())
    with pytest.raises(NothingToPublish):
        operations.delete_lesson(last, by=ada())


def test_delete_lesson__can_be_taken_back(work: Session) -> None:
    course = a_course(lessons=2, published=True)
    first, _last = queries.lessons_of(course.id)
    operations.delete_lesson(first, by=ada())
    operations.delete_lesson(first, by=ada())
    assert titles(course.id) == ["Lesson 2"]
    operations.restore_lesson(first, by=ada())
    operations.restore_lesson(first, by=ada())
    assert first.is_published and titles(course.id) == ["Lesson 1", "Lesson 2"]


def test_restore_lesson__of_a_deleted_section_is_refused(work: Session) -> None:
    course = a_course(lessons=1)
    lesson = queries.lessons_of(course.id, published_only=False)[0]
    operations.delete_section(queries.sections_of(course.id)[0], by=ada())
    with pytest.raises(WrongStatus):
        operations.restore_lesson(lesson, by=ada())


def test_move_lesson__within_and_between_sections(work: Session) -> None:
    course = a_course(lessons=3)
    first = queries.lessons_of(course.id, published_only=False)[0]
    operations.move_lesson(first, 1, by=ada())
    assert titles(course.id) == ["Lesson 2", "Lesson 1", "Lesson 3"]
    other = a_section(course, "Later")
    operations.move_lesson(first, 0, by=ada(), section=other)
    assert titles(course.id) == ["Lesson 2", "Lesson 3", "Lesson 1"]
    assert [lesson.position for lesson in queries.lessons_of(course.id, published_only=False)] == [0, 1, 0]


def test_order_lessons__moves_in_from_other_sections(work: Session) -> None:
    course = a_course(lessons=3)
    section = queries.sections_of(course.id)[0]
    one, two, three = queries.lessons_of(course.id, published_only=False)
    other = a_section(course, "Later")
    operations.order_lessons(section, [three.id, one.id, uuid4()], by=ada())
    assert titles(course.id) == ["Lesson 3", "Lesson 1", "Lesson 2"]
    operations.order_lessons(other, [two.id], by=ada())
    operations.order_lessons(other, [two.id], by=ada())
    assert [[lesson.title for lesson in chapter.lessons] for chapter in queries.outline(course.id)] == [
        ["Lesson 3", "Lesson 1"],
        ["Lesson 2"],
    ]
    assert audited("courses.order_lessons") == 2


def test_order_lessons__takes_none_of_another_course(work: Session) -> None:
    mine, foreign = a_course(lessons=1), a_course("Other", lessons=1)
    stranger = queries.lessons_of(foreign.id, published_only=False)[0]
    operations.order_lessons(queries.sections_of(mine.id)[0], [stranger.id], by=ada())
    assert stranger.course_id == foreign.id and titles(foreign.id) == ["Lesson 1"]
