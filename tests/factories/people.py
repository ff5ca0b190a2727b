"""The cast: Ada teaches, Sam studies, Eve is a stranger, Root administers. Each call finds or makes the person and gives an Actor."""

from sqlalchemy import text

from lms.auth import operations as accounts
from lms.channels import operations, queries
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.tenancy import current_channel

PASSWORD = "correct horse battery"
THERE = text(
    "SELECT id FROM channels.members WHERE channel_id = :channel AND name = :name AND email = :email AND role = :role AND status = 'active'"
)
_hashes: dict[str, str] = {}


def a_person(name: str, role: str, email: str = "", *, password: str = PASSWORD) -> Actor:
    """A member with a role, in the running unit of work's channel; who is there already, just so, is only looked up."""
    email = email or f"{name.lower().replace(' ', '.')}@example.org"
    there = {"channel": current_channel(), "name": name, "email": email, "role": role}
    found = db.session().execute(THERE, there).scalar_one_or_none() if password == PASSWORD else None
    if found is not None:
        return queries.actor_of_user(found)
    if password not in _hashes:
        _hashes[password] = accounts.hash_password(password)
    user = accounts.add_user(name, email, password_hash=_hashes[password])
    user.email_verified_at = user.email_verified_at or now()
    operations.join(user.id, name, user.email, role=role)
    return queries.actor_of_user(user.id)


def ada() -> Actor:
    """Ada, who teaches."""
    return a_person("Ada Lovelace", "instructor", "ada@example.org")


def sam() -> Actor:
    """Sam, who studies."""
    return a_person("Sam Student", "student", "sam@example.org")


def root() -> Actor:
    """Root, who administers."""
    return a_person("Root Admin", "admin", "root@example.org")


def a_student(name: str = "Nia Newcomer") -> Actor:
    """Another student."""
    return a_person(name, "student")


def an_instructor(name: str = "Ivo Instructor") -> Actor:
    """Another instructor."""
    return a_person(name, "instructor")
