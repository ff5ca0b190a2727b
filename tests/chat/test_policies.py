"""What may be said, and who may silence whom."""

from datetime import timedelta
from uuid import uuid4

import pytest

from lms.chat import policies
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.streaming.models import Session
from lms.streaming.queries import Standing

TEACHER = Actor(user_id=uuid4(), role="instructor")
STUDENT = Actor(user_id=uuid4(), role="student")
ADMIN = Actor(user_id=uuid4(), role="admin")
LIVE = Session(id=uuid4(), state="live", host_id=TEACHER.user_id, starts_at=now(), ends_at=now() + timedelta(hours=1))


@pytest.mark.parametrize(
    "text", ["http://x", "see HTTPS://a.b", "www.site.test", "go to shop.example.com now", "t.me/abc", "my-site.io", "bit.ly/x?y"]
)
def test_can_say__finds_links(text: str) -> None:
    assert policies.can_say(text, links_blocked=True, words=()).rule == "links"
    assert policies.can_say(text, links_blocked=False, words=())


@pytest.mark.parametrize("text", ["node.js and main.py", "e.g. this", "1.5 and 2.0", "a/b", "end.Then", "ana@school.org"])
def test_can_say__takes_no_word_for_a_link(text: str) -> None:
    assert policies.can_say(text, links_blocked=True, words=())


@pytest.mark.parametrize(
    ("text", "allowed"), [("Spam!", False), ("spammer", True), ("SPÄM", False), ("scams", False), ("a scam artist", False)]
)
def test_can_say__finds_words_however_they_are_written(text: str, allowed: bool) -> None:
    assert bool(policies.can_say(text, links_blocked=False, words=("spam", "scam*"))) is allowed


def test_can_post__says_which_rule_refuses() -> None:
    standing, at = Standing(LIVE, TEACHER.user_id, True), now()  # type: ignore[arg-type]
    later = at + timedelta(minutes=5)
    for silence, rule in (
        (policies.Silence(muted_until=later), "muted"),
        (policies.Silence(banned="room"), "banned"),
        (policies.Silence(is_paused=True), "paused"),
    ):
        assert policies.can_post(STUDENT, standing, silence, at=at).rule == rule
        assert policies.can_post(TEACHER, standing, silence, at=at)
    seen_as = Actor(user_id=STUDENT.user_id, name="Sam", role="student", viewer_id=ADMIN.user_id)
    assert policies.can_post(seen_as, standing, policies.Silence(), at=at).rule == "viewing"


def test_can_take_part__goes_on_while_the_chat_is_paused() -> None:
    standing = Standing(LIVE, TEACHER.user_id, True)  # type: ignore[arg-type]
    assert policies.can_take_part(STUDENT, standing, policies.Silence(is_paused=True), at=now())


def test_can_silence__spares_those_who_run_the_class() -> None:
    for person, role in ((TEACHER, "instructor"), (ADMIN, "admin")):
        assert not policies.can_silence(ADMIN, person.user_id, role, LIVE, TEACHER.user_id)  # type: ignore[arg-type]
    assert policies.can_silence(TEACHER, STUDENT.user_id, "student", LIVE, TEACHER.user_id)  # type: ignore[arg-type]
    assert not policies.can_silence(STUDENT, uuid4(), "student", LIVE, TEACHER.user_id)  # type: ignore[arg-type]


def test_can_ban_everywhere__is_for_admins() -> None:
    assert policies.can_ban_everywhere(ADMIN, "student")
    assert not policies.can_ban_everywhere(ADMIN, "owner") and not policies.can_ban_everywhere(TEACHER, "student")


def test_can_vote__is_for_the_others_while_it_is_open() -> None:
    assert policies.can_vote(ADMIN, STUDENT.user_id, is_answered=False)  # type: ignore[arg-type]
    assert policies.can_vote(STUDENT, STUDENT.user_id, is_answered=False).rule == "own"  # type: ignore[arg-type]
    assert policies.can_vote(ADMIN, STUDENT.user_id, is_answered=True).rule == "answered"  # type: ignore[arg-type]
