"""A thousand people at work: each with a sign-in and a course of their own, opening pages while their players report."""

import json
import random
import re
from typing import Any
from uuid import UUID

from sqlalchemy import text

from lms.app import create_app
from lms.auth import operations as accounts
from lms.auth import queries as account_queries
from lms.core import db
from lms.core.decisions import Actor
from lms.core.ids import token
from lms.courses import queries as courses
from lms.enrollments import operations as enrollments
from lms.web.sessions import digest_of
from tests.factories import people
from tests.load.client import request_of
from tests.load.figure import Figure
from tests.load.stage import PORT, Stage, load, served

PEOPLE = 1000
RATE = 123.0  # more than a thousand people: 50 reports a second, and 73 pages


def steady(stage: Stage, quick: bool) -> list[Figure]:
    """123 requests a second, open model: 2 in 5 are players' reports, the others lesson pages, course pages and the catalogue."""
    seconds = 20.0 if quick else 300.0
    count = 100 if quick else PEOPLE
    requests = requests_of_people(stage, count)
    with served(stage):
        seen = load({"kind": "opened", "host": "127.0.0.1", "port": PORT, "requests": requests, "rate": RATE, "seconds": seconds})
    return [
        Figure(
            "steady",
            f"{count} people, {RATE:.0f} requests/s with players' reports, {seconds:.0f} s",
            f"p95 {seen.p95:.0f} ms, p99 {seen.p99:.0f} ms, {seen.errors} errors of {seen.count}",
            "",
            "p95 < 150 ms, p99 < 500 ms, no error",
            seen.p95 < 150 and seen.p99 < 500 and not seen.errors,
        )
    ]


def requests_of_people(stage: Stage, count: int) -> list[str]:
    """For each person: two reports of their player, their lesson page, its course page, and the catalogue as a stranger sees it."""
    course_id = stage.facts["course_ids"][2]
    app = create_app(stage.config, testing=True)
    generator = random.Random(11)
    with db.unit_of_work(stage.channel_id):
        course = courses.get_course(course_id)
        lessons = courses.lessons_of(course_id)
        root = people.root()
        ids = db.session().scalars(text("SELECT id FROM channels.members WHERE role = 'student' ORDER BY id DESC LIMIT :n"), {"n": count})
        students = [Actor(user_id=user_id, name="", role="student", channel_id=stage.channel_id) for user_id in ids]
        passes = {one.user_id: _pass(one.user_id, course, generator.choice(lessons), root) for one in students}
        cookies = {one.user_id: _signed_in(one.user_id) for one in students}
    made = []
    for one in students:
        cookie = cookies[one.user_id]
        lesson_id, signed = passes[one.user_id]
        page = f"/enrollments/courses/{course_id}/lessons/{lesson_id}"
        answer = app.test_client(use_cookies=False).get(page, headers={"Cookie": cookie}, base_url="http://localhost")
        assert answer.status_code == 200, answer.get_data(as_text=True)[:300]
        form_token = re.search(r'name="csrf-token" content="([^"]+)"', answer.get_data(as_text=True))
        assert form_token is not None
        extra = f"Content-Type: application/json\r\nX-CSRFToken: {form_token[1]}\r\n"
        at = generator.randrange(3000)
        body = json.dumps({"pass": signed, "played": [{"from": at, "to": at + 20}], "position": at + 20}).encode()
        beat = request_of(
            f"/enrollments/lessons/{lesson_id}/heartbeat", host="localhost", cookie=cookie, method="POST", body=body, headers=extra
        )
        visits = [(page, cookie), (f"/courses/{course.slug}", cookie), ("/courses/", "")]
        made += [beat, beat, *(request_of(path, host="localhost", cookie=whose) for path, whose in visits)]
    return [request.decode("latin-1") for request in made]


def _pass(user_id: UUID | None, course: Any, lesson: Any, root: Actor) -> tuple[UUID, str]:
    assert user_id is not None
    enrollment = enrollments.enroll_by_hand(user_id, course, note="bench", by=root)
    return lesson.id, enrollments.begin_watching(enrollment, lesson, duration_ms=3_600_000)


def _signed_in(user_id: UUID | None) -> str:
    assert user_id is not None
    value = token()
    user = account_queries.get_user(user_id)
    accounts.start_session(user, digest_of(value), staff=False, address="127.0.0.1", device="bench")
    return f"lectern={value}"
