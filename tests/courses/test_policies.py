"""Who may do what with courses, and the sentence that says why not."""

from typing import Any

import pytest

from lms.core.decisions import STRANGER, Actor, the_platform
from lms.core.ids import uuid7
from lms.courses import policies
from lms.courses.models import Course

ADA, IVO, ROOT, SAM = (Actor(user_id=uuid7(), name=role, role=role) for role in ("instructor", "instructor", "admin", "student"))
PEOPLE = {"ada": ADA, "ivo": IVO, "root": ROOT, "sam": SAM, "eve": STRANGER}


def course(status: str) -> Course:
    """A course of Ada's."""
    return Course(id=uuid7(), title="C", slug="c", instructor_id=ADA.user_id, currency="EUR", status=status)


def allowed(may: Any, status: str) -> set[str]:
    """Who of the cast may."""
    return {name for name, person in PEOPLE.items() if may(person, course(status))}


@pytest.mark.parametrize(
    ("may", "expected"),
    [
        (policies.can_view, {"draft": {"ada", "root"}, "published": {"ada", "root"}, "deleted": {"ada", "root"}}),
        (policies.can_read, {"draft": {"ada", "root"}, "published": set(PEOPLE), "archived": {"ada", "root"}, "deleted": set()}),
        (policies.can_edit, {"draft": {"ada", "root"}, "published": {"ada", "root"}, "archived": set(), "deleted": set()}),
        (policies.can_set_price, {"draft": {"ada", "root"}, "submitted": {"ada", "root"}, "published": {"root"}, "deleted": set()}),
        (policies.can_submit, {"draft": {"ada", "root"}, "submitted": set(), "published": set()}),
        (policies.can_publish, {"draft": {"root"}, "submitted": {"root"}, "archived": {"root"}, "deleted": set()}),
        (policies.can_send_back, {"draft": set(), "submitted": {"root"}}),
        (policies.can_unpublish, {"draft": set(), "published": {"root"}, "archived": {"root"}}),
        (policies.can_archive, {"draft": {"root"}, "published": {"root"}, "deleted": set()}),
        (policies.can_delete, {"draft": {"ada", "root"}, "submitted": {"root"}, "published": {"root"}}),
        (policies.can_restore, {"deleted": {"ada", "root"}}),
    ],
)
def test_policies__of_a_course(may: Any, expected: dict[str, set[str]]) -> None:
    for status, names in expected.items():
        assert allowed(may, status) == names, (may.__name__, status)


@pytest.mark.parametrize(
    ("may", "names"),
    [
        (policies.can_list, {"ada", "ivo", "root"}),
        (policies.can_create, {"ada", "ivo", "root"}),
        (policies.can_manage_categories, {"root"}),
        (policies.can_choose_instructor, {"root"}),
    ],
)
def test_policies__of_the_channel(may: Any, names: set[str]) -> None:
    assert {name for name, person in PEOPLE.items() if may(person)} == names


def test_policies__say_why_not_and_what_to_do() -> None:
    refusals = [
        policies.can_view(IVO, course("draft")),
        policies.can_publish(ADA, course("draft")),
        policies.can_set_price(ADA, course("published")),
        policies.can_edit(ADA, course("archived")),
        policies.can_edit(ADA, course("deleted")),
        policies.can_delete(ADA, course("published")),
        policies.can_submit(ADA, course("published")),
        policies.can_read(SAM, course("draft")),
    ]
    for refusal in refusals:
        assert not refusal and refusal.sentence.endswith(".") and refusal.rule


def test_policies__let_the_platform_do_what_an_admin_may() -> None:
    assert policies.can_publish(the_platform(), course("draft"))
