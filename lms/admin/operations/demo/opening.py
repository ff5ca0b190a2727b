"""The demo's channel: opened closed to visitors, and opened to them when its story is told."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select

from lms.channels import operations as channels
from lms.channels.errors import Taken
from lms.channels.models import Channel, Domain
from lms.core import chains, db
from lms.core.errors import Conflict
from lms.core.i18n import gettext as _

SLUG = "demo"
NAME = "Halfmoon Academy"
TAGLINE = "Evening courses for curious people"
CURRENCY = "EUR"
ZONE = "Europe/Berlin"
HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo in the making: its channel, and the password its three sign-ins share on this install."""

    channel_id: UUID
    password: str = field(default_factory=lambda: f"demo-{secrets.token_hex(4)}")

    @property
    def sign_ins(self) -> list[dict[str, str]]:
        """One sign-in for each role, as the sign-in page and the start command show them."""
        people = (("admin", "admin"), ("instructor", "amara"), ("student", "sam"))
        return [{"role": role, "email": f"{name}@demo.example", "password": self.password} for role, name in people]


def unfinished_demo() -> UUID | None:
    """The channel of a demo whose making was interrupted; runs in a platform unit of work."""
    return db.session().scalar(select(Channel.id).where(Channel.is_demo, Channel.status == "closed"))


def begin_demo(*, if_empty: bool) -> Demo | None:
    """Open the demo's channel, closed to visitors; None when there is an academy already and only an empty install is wanted.

    Runs in a platform unit of work. Raises Conflict when there is a demo.
    """
    count = db.session().scalar(select(func.count()).select_from(Channel)) or 0
    if if_empty and count:
        return None
    try:
        channel = channels.open_channel(NAME, SLUG, currency=CURRENCY, zone=ZONE, is_demo=True)
    except Taken as taken:
        raise Conflict(_("There is a demo here already. Remove it first with: lms demo remove")) from taken
    channel.status, channel.tagline = "closed", TAGLINE
    leading = set(db.session().scalars(select(Domain.host).where(Domain.host.in_(HOSTS))))
    for host in HOSTS:
        if host not in leading:
            channels.add_host(channel.id, host, verified=True)
    return Demo(channel.id)


def finish_demo(demo: Demo) -> None:
    """Open the doors and show the sign-ins; runs in a platform unit of work."""
    channel = db.session().get_one(Channel, demo.channel_id)
    channel.status = "open"
    channel.settings = {**channel.settings, "demo_sign_ins": demo.sign_ins}
    channel.version += 1
    db.after_commit(_seal)


def _seal() -> None:
    chains.extend_back()
