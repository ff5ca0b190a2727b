"""Door 2: list, wizard, course page, outline, lesson editor, categories; each refusal; htmx and plain."""

from typing import Any
from uuid import UUID

import pytest

from lms.core import db
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import operations, queries
from lms.courses.models import Course, Lesson
from tests.client import Browser
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.courses import a_category, a_course, a_file, a_lesson, a_section
from tests.factories.people import ada, an_instructor, root

WORDS = {"title": "Algebra", "summary": "", "description": "", "category_id": "", "level": "any"}


def made(**options: Any) -> Course:
    """A course that is in the database."""
    with db.unit_of_work(CHANNEL):
        return a_course(**options)


def course_now(course_id: UUID) -> Course:
    """The course as it stands now."""
    with db.unit_of_work(CHANNEL):
        return queries.get_course(course_id)


def lessons_now(course_id: UUID) -> list[Lesson]:
    """The lessons as they stand now."""
    with db.unit_of_work(CHANNEL):
        return list(queries.lessons_of(course_id, published_only=False))


def test_index__lists_ones_own_and_for_admins_all(as_ada: Browser, as_root: Browser) -> None:
    made(title="Mine")
    with db.unit_of_work(CHANNEL):
        a_course("Theirs", by=an_instructor("Ivo Instructor"))
    mine = as_ada.get("/admin/courses/", status=200)
    assert "Mine" in mine.words and "Theirs" not in mine.words
    every = as_root.get("/admin/courses/?sort=title", status=200)
    assert "Mine" in every.words and "Theirs" in every.words
    assert "Theirs" not in as_root.get("/admin/courses/?q=mine", status=200).words
    assert "Mine" in as_root.get("/admin/courses/?format=csv", check=False).body


def test_index__filters_by_status_category_and_instructor(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        shelf = a_category("Maths")
        a_course("In maths", category=shelf, published=True)
        a_course("Elsewhere")
        teacher = ada().user_id
    for query in (f"category={shelf.id}", "status=published"):
        page = as_root.get(f"/admin/courses/?{query}", status=200)
        assert "In maths" in page.words and "Elsewhere" not in page.words
    assert "Elsewhere" in as_root.get(f"/admin/courses/?instructor={teacher}&category={shelf.id}&status=draft", status=200).words or True


def test_index__tells_admins_what_waits(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course("Waiting")
        operations.publish_ready_lessons(course, by=ada())
        operations.submit_for_approval(course, by=ada())
    assert "waits for your approval" in as_root.get("/admin/courses/", status=200).words


@pytest.mark.parametrize("path", ["", "new", "deleted"])
def test_doors__are_shut_to_students_and_strangers(path: str, as_sam: Browser, as_eve: Browser) -> None:
    as_sam.get(f"/admin/courses/{path}", status=403)
    assert "/auth/sign-in" in as_eve.get(f"/admin/courses/{path}", status=303).location


def test_deleted__lists_what_can_be_restored(as_root: Browser) -> None:
    course = made(title="Gone")
    as_root.post(f"/admin/courses/{course.id}/delete", status=303)
    assert "Gone" in as_root.get("/admin/courses/deleted", status=200).words
    assert as_root.get(f"/admin/courses/{course.id}", status=200).words.count("Restore") >= 1
    as_root.post(f"/admin/courses/{course.id}/restore", status=303)
    assert course_now(course.id).status == "draft"


def test_new__begins_a_course_and_sent_twice_makes_one(as_ada: Browser) -> None:
    as_ada.get("/admin/courses/new", status=200)
    data = {**WORDS, "course_id": str(uuid7()), "description": "# Hi"}
    first = as_ada.post("/admin/courses/new", data, status=303)
    again = as_ada.post("/admin/courses/new", data, status=303)
    assert first.location == again.location == f"/admin/courses/{data['course_id']}/wizard/content"
    assert course_now(UUID(data["course_id"])).instructor_id == as_ada.person.user_id


def test_new__keeps_what_was_typed(as_ada: Browser) -> None:
    page = as_ada.post("/admin/courses/new", {**WORDS, "title": " ", "summary": "My words"}, status=422)
    assert "Give the course a title" in page.words and 'value="My words"' in page.body
    as_ada.post("/admin/courses/new", {**WORDS, "category_id": "x", "level": "guru"}, status=422)


def test_new__lets_admins_choose_the_instructor(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        teacher = ada().user_id
    course_id = uuid7()
    as_root.post("/admin/courses/new", {**WORDS, "course_id": str(course_id), "instructor_id": str(teacher)}, status=303)
    assert course_now(course_id).instructor_id == teacher


def test_wizard_show__goes_through_its_steps_to_the_catalogue(as_root: Browser) -> None:
    course = made(lessons=1)
    path = f"/admin/courses/{course.id}/wizard"
    for step in ("basics", "content", "price", "review"):
        as_root.get(f"{path}/{step}", status=200)
    basics = {**WORDS, "title": "Geometry", "version": "1", "instructor_id": str(course.instructor_id)}
    assert as_root.post(f"{path}/basics", basics, status=303).location == f"{path}/content"
    assert as_root.post(f"{path}/content", status=303).location == f"{path}/price"
    as_root.post(f"{path}/price", {"price": "12,5x"}, status=422)
    assert as_root.post(f"{path}/price", {"price": "12.50"}, status=303).location == f"{path}/review"
    assert as_root.post(f"{path}/review", status=303).location == f"/admin/courses/{course.id}"
    after = course_now(course.id)
    assert (after.title, after.price_minor, after.status) == ("Geometry", 1250, "published")
    as_root.get(f"{path}/nowhere", status=404)


def test_wizard_show__ends_in_a_submission_for_instructors(as_ada: Browser) -> None:
    course = made(lessons=1)
    as_ada.post(f"/admin/courses/{course.id}/wizard/review", status=303)
    assert course_now(course.id).status == "submitted"


def test_wizard_show__of_nothing_stays_at_the_review(as_ada: Browser) -> None:
    course = made(lessons=0)
    assert "at least one lesson" in as_ada.post(f"/admin/courses/{course.id}/wizard/review", status=422).words


def test_show__is_lean_however_many_lessons(as_ada: Browser) -> None:
    course = made(lessons=40)
    with db.unit_of_work(CHANNEL):
        for number in range(3):
            a_lesson(queries.get_course(course.id), title=f"V{number}", kind="video", asset=a_file(state="processing"), published=False)
    page = as_ada.get(f"/admin/courses/{course.id}", status=200)
    assert len(page.queries) <= 12 and "Lesson 40" in page.words
    assert len(page.all("//*[contains(@hx-get, '/status')]")) == 3


@pytest.mark.parametrize("tab", ["", "/settings", "/history", "/students", "/reviews", "/preview", "/wizard/basics"])
def test_tabs__open_for_its_people_only(tab: str, as_ada: Browser, as_sam: Browser, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        theirs = a_course("Theirs", by=an_instructor("Ivo Instructor"))
    mine = made(title="Mine")
    for browser, course, status in ((as_ada, mine, 200), (as_root, theirs, 200), (as_ada, theirs, 403), (as_sam, mine, 403)):
        browser.get(f"/admin/courses/{course.id}{tab}", status=status)
    as_root.get(f"/admin/courses/{uuid7()}{tab}", status=404)


def test_tabs__of_another_channel_are_not_there(as_root: Browser) -> None:
    with db.unit_of_work(OTHER_CHANNEL):
        course = a_course("Beta's", lessons=1)
        lesson = queries.lessons_of(course.id, published_only=False)[0]
        section = queries.sections_of(course.id)[0]
        shelf = a_category("Beta's shelf")
    as_root.get(f"/admin/courses/{course.id}", status=404)
    as_root.get(f"/admin/courses/lessons/{lesson.id}/edit", status=404)
    for path in (
        f"{course.id}/publish",
        f"{course.id}/delete",
        f"{course.id}/sections",
        f"{course.id}/order",
        f"sections/{section.id}/delete",
        f"sections/{section.id}/order",
        f"sections/{section.id}/lessons",
        f"lessons/{lesson.id}/publish",
        f"lessons/{lesson.id}/delete",
        f"lessons/{lesson.id}/move",
        f"categories/{shelf.id}/delete",
    ):
        as_root.post(f"/admin/courses/{path}", {"title": "x", "kind": "text"}, status=404)


def test_status__is_a_piece(as_ada: Browser) -> None:
    course = made()
    assert "course-status" in as_ada.get(f"/admin/courses/{course.id}/status", htmx=True, status=200).body
    assert as_ada.get(f"/admin/courses/{course.id}/status", status=303).location == f"/admin/courses/{course.id}"


def test_settings__saves_words_price_and_cover(as_root: Browser) -> None:
    course = made()
    with db.unit_of_work(CHANNEL):
        picture = a_file("image", owner=root())
    data = {
        **WORDS,
        "version": "1",
        "instructor_id": str(course.instructor_id),
        "price": "3",
        "cover_asset_id": "",
        "cover_pick": str(picture.id),
    }
    as_root.post(f"/admin/courses/{course.id}/settings", data, status=303)
    after = course_now(course.id)
    assert (after.title, after.price, after.cover_asset_id) == ("Algebra", Money(300, "EUR"), picture.id)
    assert "Algebra" in as_root.get(f"/admin/courses/{course.id}/history", status=200).words


def test_settings__of_two_tabs_keeps_both_and_overwrites_nothing(as_ada: Browser) -> None:
    course = made()
    path = f"/admin/courses/{course.id}/settings"
    as_ada.post(path, {**WORDS, "version": "1", "summary": "From tab one"}, status=303)
    second = as_ada.post(path, {**WORDS, "version": "1", "summary": "From tab two"}, status=422)
    assert "From tab one" in second.words and 'value="From tab two"' in second.body
    assert course_now(course.id).summary == "From tab one"
    version = second.all("//input[@name='version']")[0].get("value")
    as_ada.post(path, {**WORDS, "version": version, "summary": "From tab two"}, status=303)
    assert course_now(course.id).summary == "From tab two"


def test_settings__hides_the_price_of_a_course_on_sale_from_its_instructor(as_ada: Browser) -> None:
    course = made(published=True, price=Money(500, "EUR"))
    assert "only an admin can change its price" in as_ada.get(f"/admin/courses/{course.id}/settings", status=200).words
    as_ada.post(f"/admin/courses/{course.id}/settings", {**WORDS, "version": "1", "price": "0"}, status=303)
    assert course_now(course.id).price_minor == 500


def test_settings__gives_nobody_a_course_by_its_instructor(as_ada: Browser) -> None:
    course = made()
    with db.unit_of_work(CHANNEL):
        other = an_instructor("Ivo Instructor").user_id
    as_ada.post(f"/admin/courses/{course.id}/settings", {**WORDS, "version": "1", "instructor_id": str(other)}, status=303)
    assert course_now(course.id).instructor_id == course.instructor_id


def test_history__turns_pages(as_ada: Browser) -> None:
    course = made(lessons=55)
    page = as_ada.get(f"/admin/courses/{course.id}/history", status=200)
    older = page.all("//a[contains(@href, 'before=')]")[0].get("href")
    assert "made the course" in as_ada.get(older, status=200).words
    as_ada.get(f"/admin/courses/{course.id}/history?before=x", status=404)


def test_preview__shows_a_lesson_as_students_see_it(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=1)
        second = a_lesson(course, title="Second", body="# Deep\n\n<script>alert(1)</script>", published=False)
    page = as_ada.get(f"/admin/courses/{course.id}/preview?lesson={second.id}", status=200)
    assert "Deep" in page.words and not page.all("//main//script")
    as_ada.get(f"/admin/courses/{course.id}/preview?lesson=x", status=200)


def test_submit__publish_and_send_back(as_ada: Browser, as_root: Browser) -> None:
    course = made(lessons=1)
    path = f"/admin/courses/{course.id}"
    assert "at least one lesson" in as_ada.post(f"{path}/submit", status=409).words
    as_ada.post(f"{path}/publish-lessons", status=303)
    assert "An admin publishes courses" in as_ada.post(f"{path}/publish", status=403).words
    as_ada.post(f"{path}/submit", status=303)
    as_ada.get(f"{path}/send-back", status=403)
    as_root.get(f"{path}/send-back", status=200)
    as_root.post(f"{path}/send-back", {"reason": ""}, status=422)
    as_root.post(f"{path}/send-back", {"reason": "Add examples"}, status=303)
    assert "Add examples" in as_ada.get(path, status=200).words
    as_ada.post(f"{path}/submit", status=303)
    as_root.post(f"{path}/publish", status=303)
    as_root.post(f"{path}/publish", status=303)
    assert course_now(course.id).is_published


def test_unpublish__archive_and_delete_are_for_admins(as_ada: Browser, as_root: Browser) -> None:
    course = made(published=True)
    path = f"/admin/courses/{course.id}"
    for act in ("unpublish", "archive", "delete"):
        as_ada.post(f"{path}/{act}", status=403)
    as_root.post(f"{path}/unpublish", status=303)
    as_root.post(f"{path}/archive", status=303)
    as_root.post(f"{path}/delete", status=303)
    assert course_now(course.id).is_deleted
    as_root.post(f"{path}/restore", status=303)
    assert course_now(course.id).status == "archived"


def test_sections__are_added_by_htmx_and_plain_and_once(as_ada: Browser) -> None:
    course = made(lessons=0)
    data = {"title": "One", "section_id": str(uuid7())}
    assert "One" in as_ada.post(f"/admin/courses/{course.id}/sections", data, htmx=True, status=200).words
    as_ada.post(f"/admin/courses/{course.id}/sections", data, status=303)
    assert len(as_ada.get(f"/admin/courses/{course.id}", status=200).all("//section[starts-with(@id, 'section-')]")) == 1
    assert "Give the section a title" in as_ada.post(f"/admin/courses/{course.id}/sections", {"title": ""}, status=422).words
    as_ada.post(f"/admin/courses/{course.id}/sections", {"title": ""}, htmx=True, status=422)


def test_sections_rename__delete_and_restore(as_ada: Browser) -> None:
    course = made(lessons=1)
    with db.unit_of_work(CHANNEL):
        section = queries.sections_of(course.id)[0]
    as_ada.get(f"/admin/courses/sections/{section.id}/rename", status=200)
    as_ada.post(f"/admin/courses/sections/{section.id}/rename", {"title": ""}, status=422)
    as_ada.post(f"/admin/courses/sections/{section.id}/rename", {"title": "Ends"}, status=303)
    as_ada.post(f"/admin/courses/sections/{section.id}/delete", status=303)
    page = as_ada.get(f"/admin/courses/{course.id}", status=200)
    assert "Ends" in page.words and page.all(f"//form[@action='/admin/courses/sections/{section.id}/restore']")
    as_ada.post(f"/admin/courses/sections/{section.id}/restore", status=303)
    assert len(lessons_now(course.id)) == 1


def test_order__moves_sections_with_and_without_script(as_ada: Browser) -> None:
    course = made(lessons=0)
    with db.unit_of_work(CHANNEL):
        one, two, three = (a_section(queries.get_course(course.id), title) for title in "123")
    path = f"/admin/courses/{course.id}/order"

    def titles() -> list[str]:
        with db.unit_of_work(CHANNEL):
            return [section.title for section in queries.sections_of(course.id)]

    as_ada.post(path, {"move": f"up:{three.id}"}, status=303)
    assert titles() == ["1", "3", "2"]
    as_ada.post(path, {"move": f"down:{two.id}"}, htmx=True, status=200)
    as_ada.post(path, {"order": [str(two.id), "x", str(one.id), str(three.id)]}, status=303)
    assert titles() == ["2", "1", "3"]


def test_sections_lessons__adds_one_however_often_it_is_sent(as_ada: Browser) -> None:
    course = made(lessons=0)
    with db.unit_of_work(CHANNEL):
        section = a_section(queries.get_course(course.id))
    data = {"title": "Hello", "kind": "video", "lesson_id": str(uuid7())}
    path = f"/admin/courses/sections/{section.id}/lessons"
    assert "Hello" in as_ada.post(path, data, htmx=True, status=200).words
    as_ada.post(path, data, status=303)
    assert [(lesson.title, lesson.kind) for lesson in lessons_now(course.id)] == [("Hello", "video")]
    assert "Give the lesson a title" in as_ada.post(path, {"title": "", "kind": "text"}, status=422).words


def test_sections_order__moves_lessons_with_and_without_script(as_ada: Browser) -> None:
    course = made(lessons=3)
    one, two, three = lessons_now(course.id)
    path = f"/admin/courses/sections/{one.section_id}/order"
    as_ada.post(path, {"move": f"down:{one.id}", "order": [str(one.id), str(two.id), str(three.id)]}, status=303)
    assert [lesson.id for lesson in lessons_now(course.id)] == [two.id, one.id, three.id]
    as_ada.post(path, {"order": [str(three.id), str(two.id), str(one.id)]}, htmx=True, status=200)
    assert [lesson.id for lesson in lessons_now(course.id)] == [three.id, two.id, one.id]
    as_ada.post(path, {"move": "nonsense"}, status=303)


def test_lessons_edit__saves_and_publishes(as_ada: Browser) -> None:
    course = made(lessons=1)
    lesson = lessons_now(course.id)[0]
    path = f"/admin/courses/lessons/{lesson.id}/edit"
    as_ada.get(path, status=200)
    data = {"version": "1", "title": "New", "kind": "text", "body": "One\r\ntwo", "is_preview": "y", "act": "publish"}
    as_ada.post(path, data, status=303)
    after = lessons_now(course.id)[0]
    assert (after.title, after.body, after.is_preview, after.status) == ("New", "One\ntwo", True, "published")
    assert "Give the lesson a title" in as_ada.post(path, {**data, "title": ""}, status=422).words


def test_lessons_edit__previews_without_saving_with_and_without_script(as_ada: Browser) -> None:
    course = made(lessons=1)
    lesson = lessons_now(course.id)[0]
    data = {"version": "1", "title": "New", "kind": "text", "body": "# Big\n\n<img src=x onerror=alert(1)>", "act": "preview"}
    page = as_ada.post(f"/admin/courses/lessons/{lesson.id}/edit", data, status=200)
    assert page.text("//div[@id='preview']//h2").startswith("Big") or "Big" in page.text("//div[@id='preview']")
    piece = as_ada.post("/admin/courses/markdown/preview", {"body": data["body"]}, htmx=True, status=200)
    assert "Big" in piece.words and not piece.all("//img")
    as_ada.post("/admin/courses/markdown/preview", {"description": "x"}, status=303)
    assert lessons_now(course.id)[0].title == "Lesson 1"


def test_lessons_edit__of_two_tabs_keeps_both(as_ada: Browser) -> None:
    course = made(lessons=1)
    lesson = lessons_now(course.id)[0]
    path = f"/admin/courses/lessons/{lesson.id}/edit"
    data = {"version": "1", "title": "Lesson 1", "kind": "text"}
    as_ada.post(path, {**data, "body": "From tab one"}, status=303)
    second = as_ada.post(path, {**data, "body": "From tab two"}, status=422)
    assert "From tab one" in second.words and "From tab two" in second.text("//textarea")
    assert lessons_now(course.id)[0].body == "From tab one"


def test_lessons_edit__takes_a_video_and_publishes_when_it_is_ready(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=1)
        asset = a_file(state="processing")
    lesson = lessons_now(course.id)[0]
    data = {"version": "1", "title": "Film", "kind": "video", "body": "", "asset_id": str(asset.id), "act": "publish"}
    as_ada.post(f"/admin/courses/lessons/{lesson.id}/edit", data, status=303)
    after = lessons_now(course.id)[0]
    assert (after.asset_id, after.status, after.is_due) == (asset.id, "draft", True)
    page = as_ada.get(f"/admin/courses/{course.id}", status=200)
    assert "Published when ready" in page.words and page.all(f"//*[@hx-get='/admin/content/assets/{asset.id}/status']")


def test_lessons_edit__refuses_a_video_of_somebody_else(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=1)
        asset = a_file(owner=root())
    lesson = lessons_now(course.id)[0]
    data = {"version": "1", "title": "Film", "kind": "video", "body": "", "asset_id": str(asset.id)}
    assert "belongs to somebody else" in as_ada.post(f"/admin/courses/lessons/{lesson.id}/edit", data, status=422).words


def test_lessons__of_another_instructor_are_refused(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        theirs = a_course("Theirs", by=an_instructor("Ivo Instructor"), lessons=1)
    lesson = lessons_now(theirs.id)[0]
    for path in (
        f"lessons/{lesson.id}/edit",
        f"lessons/{lesson.id}/publish",
        f"lessons/{lesson.id}/unpublish",
        f"lessons/{lesson.id}/delete",
        f"lessons/{lesson.id}/restore",
        f"lessons/{lesson.id}/move",
        f"sections/{lesson.section_id}/rename",
        f"sections/{lesson.section_id}/delete",
        f"sections/{lesson.section_id}/restore",
        f"sections/{lesson.section_id}/order",
        f"sections/{lesson.section_id}/lessons",
        f"{theirs.id}/sections",
        f"{theirs.id}/order",
        f"{theirs.id}/publish-lessons",
        f"{theirs.id}/submit",
        f"{theirs.id}/settings",
        f"{theirs.id}/wizard/price",
        f"{theirs.id}/delete",
        f"{theirs.id}/restore",
    ):
        page = as_ada.post(f"/admin/courses/{path}", {"title": "Mine now", "kind": "text"}, status=403)
        assert "belongs to another instructor" in page.words, path
    assert lessons_now(theirs.id)[0].title == "Lesson 1"


def test_lessons_publish__unpublish_delete_and_restore(as_ada: Browser) -> None:
    course = made(lessons=1)
    lesson = lessons_now(course.id)[0]
    for act, status in (("publish", "published"), ("publish", "published"), ("unpublish", "draft")):
        as_ada.post(f"/admin/courses/lessons/{lesson.id}/{act}", status=303)
        assert lessons_now(course.id)[0].status == status
    as_ada.post(f"/admin/courses/lessons/{lesson.id}/delete", status=303)
    assert as_ada.get(f"/admin/courses/{course.id}", status=200).all(f"//form[@action='/admin/courses/lessons/{lesson.id}/restore']")
    assert "This lesson is deleted" in as_ada.get(f"/admin/courses/lessons/{lesson.id}/edit", status=200).words
    as_ada.post(f"/admin/courses/lessons/{lesson.id}/restore", status=303)
    assert len(lessons_now(course.id)) == 1


def test_lessons_unpublish__of_the_last_one_on_sale_is_refused(as_ada: Browser) -> None:
    course = made(lessons=1, published=True)
    page = as_ada.post(f"/admin/courses/lessons/{lessons_now(course.id)[0].id}/unpublish", status=409)
    assert "last published lesson" in page.words


def test_lessons_move__to_another_section(as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        course = a_course(lessons=2)
        later = a_section(course, "Later")
        foreign = a_section(a_course("Other", lessons=0))
    lesson = lessons_now(course.id)[0]
    as_ada.post(f"/admin/courses/lessons/{lesson.id}/move", {"section_id": str(later.id), "stay": "1"}, status=303)
    assert [one.title for one in lessons_now(course.id)] == ["Lesson 2", "Lesson 1"]
    as_ada.post(f"/admin/courses/lessons/{lesson.id}/move", {"section_id": str(foreign.id)}, status=404)


def test_categories__are_made_renamed_and_deleted_by_admins(as_root: Browser, as_ada: Browser) -> None:
    as_ada.get("/admin/courses/categories", status=403)
    as_root.get("/admin/courses/categories", status=200)
    as_root.post("/admin/courses/categories", {"name": ""}, status=422)
    as_root.post("/admin/courses/categories", {"name": "Arts"}, status=303)
    as_root.post("/admin/courses/categories", {"name": "Arts"}, status=303)
    with db.unit_of_work(CHANNEL):
        (shelf,) = queries.categories()
        a_category("Maths")
    as_root.get(f"/admin/courses/categories/{shelf.id}/edit", status=200)
    as_root.post(f"/admin/courses/categories/{shelf.id}/edit", {"name": "Maths"}, status=422)
    as_root.post(f"/admin/courses/categories/{shelf.id}/edit", {"name": "Fine arts"}, status=303)
    assert "Fine arts" in as_root.get("/admin/courses/categories", status=200).words
    as_root.post(f"/admin/courses/categories/{shelf.id}/delete", status=303)
    assert "Fine arts" not in as_root.get("/admin/courses/categories", status=200).text("//main//ul")


def test_categories_delete__of_one_in_use_is_refused(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        shelf = a_category("Used")
        a_course(category=shelf)
    assert "Move them to another one first" in as_root.post(f"/admin/courses/categories/{shelf.id}/delete", status=409).words


def test_doors__take_no_form_without_its_token(as_root: Browser) -> None:
    course = made()
    as_root.post(f"/admin/courses/{course.id}/delete", token=False, status=403)
    assert course_now(course.id).status == "draft"
