"""Links and keys that let people into courses: made, changed, withdrawn, replaced. What is handed out is kept as a digest alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from lms.channels import operations as people
from lms.channels import queries as channels
from lms.channels.plans.traits import clean_tags, spellings
from lms.core import audit, db, signing
from lms.core.clock import now
from lms.core.decisions import STAFF, Actor
from lms.core.errors import Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import token
from lms.courses.models import Course
from lms.enrollments import queries
from lms.enrollments.events import HireWithdrawn
from lms.enrollments.models import Link, LinkCourse
from lms.vouchers.operations.wishes import MOST_DOMAINS, are_domains

MOST_SEATS = 1_000_000
MOST_COURSES = 50
MOST_HIRED = 50
LONGEST_HIRING = timedelta(days=90)
HINT = 2
KEY = re.compile(r"[A-Z0-9]{6,40}")
PURPOSE = "way-in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a link or key is asked to be: what it opens, for whom, how many, from when until when. A batch is one of a course of these.

    With a `role` it gives work: its people teach these batches beside the courses' own instructors, and courses without a batch are theirs.
    """

    label: str
    course_ids: Sequence[UUID]
    role: str = ""
    batch_ids: Sequence[UUID] = ()
    is_free: bool = True
    note: str = ""
    tag: str = ""
    domains: Sequence[str] = field(default=())
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    seats: int | None = None

    def faults(self, *, taken: int = 0) -> dict[str, str]:
        """What is wrong with it, field by field; `taken` places are taken already."""
        rules = {
            "label": (1 <= len(self.label.strip()) <= 120, _("Give it a name of up to 120 letters.")),
            "course_ids": (
                bool(self.role or self.course_ids) and len(self.course_ids) <= MOST_COURSES,
                _("Choose 1 to %(most)s courses.", most=MOST_COURSES),
            ),
            "domains": (are_domains(self.domains), _("Write domains like school.example, at most %(most)s.", most=MOST_DOMAINS)),
            "seats": (
                self.seats is None or max(1, taken) <= self.seats <= MOST_SEATS,
                _("%(taken)s people came already, so there must be at least as many places.", taken=taken)
                if taken > 1
                else _("1 or more; leave it empty for no limit."),
            ),
            "ends_at": (
                self.ends_at is None or self.starts_at is None or self.ends_at > self.starts_at,
                _("The end must lie after the start."),
            ),
        }
        return (self._hiring_faults() if self.role else {}) | {name: sentence for name, (fits, sentence) in rules.items() if not fits}

    def _hiring_faults(self) -> dict[str, str]:
        """What is wrong with it as a link that gives a role: such a link is never without an end, nor for any number of people."""
        is_one = self.seats == 1 or len(self.batch_ids) >= len(self.course_ids)
        rules = {
            "role": (self.role == "instructor", _("A link can make somebody an instructor, and nothing above.")),
            "course_ids": (is_one, _("A course has one instructor: hand courses over by a link for one person, or choose a batch.")),
            "seats": (self.seats is not None and self.seats <= MOST_HIRED, _("Between 1 and %(most)s people.", most=MOST_HIRED)),
            "ends_at": (
                self.ends_at is not None and self.ends_at <= max(now(), self.starts_at or now()) + LONGEST_HIRING,
                _("A link that gives a role ends within %(days)s days.", days=LONGEST_HIRING.days),
            ),
        }
        return {name: sentence for name, (fits, sentence) in rules.items() if not fits}


def digest_of(held: str) -> bytes:
    """What is kept in place of a link's secret."""
    return signing.digest(PURPOSE, held)


def digest_of_key(typed: str) -> bytes:
    """What is kept in place of a key, whatever its case, spaces and dashes."""
    return signing.digest(f"{PURPOSE}-key", plain_key(typed))


def plain_key(typed: str) -> str:
    """A key as it is compared: capitals and digits alone."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())[:200]


def make_link(terms: Terms, *, by: Actor, key: str = "") -> tuple[Link, str]:
    """A new link, or with `key` a key people type; with what is handed out, which nobody can read again later.

    Raises Invalid for terms that do not fit, for a key that is short, and for one that is in use.
    """
    faults = terms.faults() | _time_faults(terms)
    if key and (fault := _key_fault(key)):
        faults["key"] = fault
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    held = key.strip() or token()
    made = Link(kind="key" if key else "link", label=terms.label.strip(), digest=_digest(key, held), hint=_hint(key), made_by=by.user_id)
    made.role = terms.role
    for name, value in _columns(terms).items():
        setattr(made, name, value)
    db.session().add(made)
    db.session().flush()
    _open_courses(made, terms)
    after = {"kind": made.kind, "role": made.role, "courses": list(terms.course_ids), "batches": list(terms.batch_ids), **_columns(terms)}
    audit.record("enrollments.make_link", made, by=by, after=after, name=made.label)
    return made, held


def edit_link(link: Link, terms: Terms, *, by: Actor) -> bool:
    """Change what a link or key opens, for whom and until when; those who came through it keep what they have. False: nothing changed."""
    locked = queries.get_link(link.id, lock=True)
    if terms.role != locked.role:
        raise Invalid(_("A way into courses stays one, and so does a link that gives a role. Make a new link."))
    faults = terms.faults(taken=locked.uses)
    if terms.ends_at != locked.ends_at:
        faults |= _time_faults(terms)
    if faults:
        raise Invalid(next(iter(faults.values())), fields=faults)
    stood = _opened(locked)
    changed = audit.update(locked, "enrollments.edit_link", by=by, label=terms.label.strip(), **_columns(terms))
    _open_courses(locked, terms)
    if stood != (opened := _opened(locked)):
        before, after = ({"courses": sorted(one), "batches": sorted(filter(None, one.values()))} for one in (stood, opened))
        audit.record("enrollments.edit_link", locked, by=by, before=before, after=after, name=locked.label)
        changed = True
    locked.version += changed
    return changed


def put_link(link: Link, values: dict[str, Any], by: Actor) -> None:
    """Put values of before back, as one click on the audit log asks."""
    audit.update(queries.get_link(link.id, lock=True), "enrollments.edit_link", by=by, **values)


def revoke_link(link: Link, *, by: Actor) -> None:
    """Let nobody in through it any more, from this moment; who came keeps what they have. Twice changes nothing.

    A role that it gave, and that was not confirmed by then, goes with it.
    """
    locked = queries.get_link(link.id, lock=True)
    if locked.revoked_at is None:
        audit.update(locked, "enrollments.revoke_link", by=by, revoked_at=now())
        if locked.role:
            _take_roles_back(locked, by)


def restore_link(link: Link, *, by: Actor) -> None:
    """Let people in again by the very same link or key; twice changes nothing."""
    locked = queries.get_link(link.id, lock=True)
    if locked.revoked_at is not None:
        audit.update(locked, "enrollments.restore_link", by=by, revoked_at=None)


def replace_link(link: Link, *, by: Actor, key: str = "") -> str:
    """Give it a new secret, or a new key; the one before lets nobody in any more. What is handed out is returned once."""
    locked = queries.get_link(link.id, lock=True)
    if locked.is_key and (fault := _key_fault(key)):
        raise Invalid(fault, fields={"key": fault})
    held = key.strip() if locked.is_key else token()
    locked.digest, locked.hint, locked.replaced_at = _digest(key if locked.is_key else "", held), _hint(key), now()
    locked.version += 1
    audit.record("enrollments.replace_link", locked, by=by, name=locked.label)
    db.session().flush()
    return held


def _take_roles_back(link: Link, by: Actor) -> None:
    """Make those what they were before who took the link's role and have not signed in with it."""
    for hire in queries.lock_open_hires(link_id=link.id):
        hire.withdrawn_at = now()
        link.uses -= 1
        member = channels.find_member(hire.user_id)
        audit.record("enrollments.withdraw_hire", link, by=by, after={"user_id": hire.user_id}, name=link.label)
        if member is not None and member.role == link.role and hire.role_before not in STAFF:
            people.change_role(member, hire.role_before, by=by)
        emit(HireWithdrawn(hire_id=hire.id, user_id=hire.user_id, by=by.user_id))


def _columns(terms: Terms) -> dict[str, Any]:
    return {
        "note": terms.note.strip(),
        "is_free": terms.is_free,
        "tag": clean_tags(terms.tag, spellings()) if terms.tag else "",
        "domains": list(terms.domains),
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
        "seats": terms.seats,
    }


def _opened(link: Link) -> dict[UUID, UUID | None]:
    """The courses it opens, each with its batch."""
    found = select(LinkCourse.course_id, LinkCourse.batch_id).where(LinkCourse.link_id == link.id)
    return {row.course_id: row.batch_id for row in db.session().execute(found)}


def _open_courses(link: Link, terms: Terms) -> None:
    """Let the link open these courses, in these batches, and no others; raises Invalid for what is not there or does not fit."""
    wanted = set(terms.course_ids)
    there = set(db.session().scalars(select(Course.id).where(Course.id.in_(wanted), Course.status != "deleted")))
    batches = {batch.course_id: batch.id for batch in map(queries.standing_batch, terms.batch_ids)}
    sentence = ""
    if there != wanted:
        sentence = _("One of these courses is not there any more. Choose again.")
    elif len(batches) != len(terms.batch_ids) or not set(batches) <= wanted:
        sentence = _("Choose one batch of a course, and the course with it.")
    elif not link.role and any(queries.runs_in_batches(course_id) for course_id in wanted - set(batches)):
        sentence = _("One of these courses runs in batches, where everybody takes a place. Choose the batch instead of the course alone.")
    if sentence:
        raise Invalid(sentence, fields={"course_ids": sentence})
    gone = delete(LinkCourse).where(LinkCourse.link_id == link.id, LinkCourse.course_id.not_in(wanted))
    db.session().execute(gone.execution_options(synchronize_session=False))
    for row in db.session().scalars(select(LinkCourse).where(LinkCourse.link_id == link.id)).all():
        row.batch_id = batches.get(row.course_id)
        wanted.discard(row.course_id)
    db.session().add_all(LinkCourse(link_id=link.id, course_id=one, batch_id=batches.get(one)) for one in sorted(wanted))
    db.session().flush()


def _time_faults(terms: Terms) -> dict[str, str]:
    is_past = terms.ends_at is not None and terms.ends_at <= now()
    return {"ends_at": _("This moment is past. Choose a later one, or leave it empty.")} if is_past else {}


def _key_fault(key: str) -> str:
    if not KEY.fullmatch(plain_key(key)):
        return _("A key has 6 to 40 letters A–Z and digits; dashes and spaces do not count.")
    if queries.find_way(digest_of_key(key)) is not None:
        return _("This key is in use already. Choose another.")
    return ""


def _digest(key: str, held: str) -> bytes:
    return digest_of_key(key) if key else digest_of(held)


def _hint(key: str) -> str:
    return plain_key(key)[-HINT:] if key else ""
