"""Who acts, and the answer to "may they?": allowed or not, by which rule, in which sentence."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from lms.core.i18n import gettext as _

ROLES = ("student", "instructor", "admin", "owner")
STAFF = frozenset({"instructor", "admin", "owner"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts, inside one channel; `role` is "" for strangers and machines."""

    user_id: UUID | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    kind: str = "person"  # person · api · job · command
    channel_id: UUID | None = None
    locale: str = "en"
    zone: str = "UTC"
    session_id: UUID | None = None
    proved_at: datetime | None = None  # when this person last proved who they are, by password and second factor
    picture: str = ""  # the address of this person's picture
    viewer_id: UUID | None = None  # the admin who looks at the pages as this person, and may change nothing
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_known(self) -> bool:
        """Whether this is a signed-in person."""
        return self.user_id is not None

    @property
    def is_member(self) -> bool:
        """Whether this person has a role in the channel."""
        return self.role in ROLES

    @property
    def is_staff(self) -> bool:
        """Whether this person works for the channel: instructor, admin or owner."""
        return self.role in STAFF

    @property
    def is_admin(self) -> bool:
        """Whether this person runs the channel."""
        return self.role in ("admin", "owner")

    @property
    def is_machine(self) -> bool:
        """Whether this is the platform itself at work, in a job or a command."""
        return self.kind in ("job", "command")


STRANGER = Actor()


@dataclass(frozen=True, slots=True)
class Viewing:
    """An admin looks at the pages as somebody else, until a moment; nothing can be changed meanwhile."""

    id: UUID
    seen_as: Actor
    until: datetime


def the_platform(channel_id: UUID | None = None, *, kind: str = "job") -> Actor:
    """The platform itself, acting in a job or a command; it may do what an admin may."""
    return Actor(name="Lectern", role="admin", kind=kind, channel_id=channel_id)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of a policy; `sentence` says why not, to the person, and `rule` names the rule that decided."""

    allowed: bool
    rule: str = ""
    sentence: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    def __and__(self, other: "Decision") -> "Decision":
        return other if self.allowed else self


def yes(rule: str = "") -> Decision:
    """Allowed."""
    return Decision(True, rule)


def no(sentence: str, *, rule: str) -> Decision:
    """Refused, with the sentence shown and the rule named."""
    return Decision(False, rule, sentence)


def anyone() -> Decision:
    """A public door."""
    return yes("public")


def signed_in(actor: Actor) -> Decision:
    """Anybody with a session."""
    return yes("signed_in") if actor.is_known else no(_("Sign in first."), rule="sign_in")


def admins(actor: Actor) -> Decision:
    """Those who run the channel."""
    if not actor.is_known and not actor.is_machine:
        return no(_("Sign in first."), rule="sign_in")
    return yes("admin") if actor.is_admin else no(_("Only an admin can do this. Ask one of your admins."), rule="admin")


def staff(actor: Actor) -> Decision:
    """Instructors and admins."""
    if not actor.is_known and not actor.is_machine:
        return no(_("Sign in first."), rule="sign_in")
    return yes("staff") if actor.is_staff else no(_("Only instructors and admins can do this."), rule="staff")
