"""How videos may be watched, and the devices somebody watches on."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from lms.content.errors import NoSuchDevice
from lms.content.models import Device, Devices, Rule
from lms.core import db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7


class Limits(NamedTuple):
    """What a rule says of watching."""

    most_screens: int | None
    has_watermark: bool
    most_devices: int | None


def watching_rule() -> Rule:
    """How videos may be watched here; a rule that forbids nothing where nobody made one."""
    return db.session().scalars(select(Rule)).one_or_none() or Rule(id=uuid7(), has_watermark=False)


def devices_of(user_id: UUID, most: int | None) -> Devices:
    """The devices a person watches on, and those they gave up lately; `most` is the rule's."""
    lately = (Device.forgotten_by == user_id) & (Device.forgotten_at > now() - Devices.CHANGES)
    found = (
        select(Device).where(Device.user_id == user_id, Device.forgotten_at.is_(None) | lately).order_by(Device.seen_at.desc(), Device.id)
    )
    rows = db.session().scalars(found.execution_options(populate_existing=True)).all()
    known = [one for one in rows if one.forgotten_at is None]
    return Devices(most, known, [one for one in rows if one.forgotten_at is not None])


def get_device(device_id: UUID) -> Device:
    """A device somebody watches on; forgotten ones are not there."""
    found = db.session().get(Device, device_id)
    if found is None or found.forgotten_at is not None:
        raise NoSuchDevice(_("This device is not known any more."))
    return found


def watermark_of(viewer: Actor, rule: Rule) -> str:
    """What moves over a video for this viewer: their address, where the academy wants that; else ""."""
    return viewer.email if rule.has_watermark else ""
