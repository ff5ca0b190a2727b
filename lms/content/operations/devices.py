"""The devices a person watches on, where an academy limits their number: remembered, forgotten, cleared."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text, update

from lms.content import gateways, queries
from lms.content.models import Device, Devices
from lms.core import audit, db
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.tenancy import current_channel

SEEN_EVERY = timedelta(hours=1)  # more exactly nobody needs to know it
TAKE_PLACE = text(
    """
    INSERT INTO content.devices (channel_id, id, user_id, mark, agent, viewer, place, first_seen_at, seen_at)
    SELECT :channel, :id, :user, :mark, :agent, :viewer, p, :at, :at FROM generate_series(1, CAST(:most AS bigint)) p
    WHERE NOT EXISTS (SELECT FROM content.devices d
        WHERE d.channel_id = :channel AND d.user_id = :user AND d.place = p AND d.forgotten_at IS NULL)
    ORDER BY p LIMIT 1 ON CONFLICT DO NOTHING RETURNING id
    """
)


def is_fresh(device: Device | None, viewer: Actor) -> bool:
    """Whether nothing about a device needs to be written down: it was seen lately, with this sign-in."""
    return device is not None and device.viewer == queries.viewer_key(viewer) and device.seen_at > now() - SEEN_EVERY


def remember_device(viewer: Actor, mark: str, agent: str, devices: Devices) -> bool:
    """Note that somebody watches on a device, giving a new one a place; False when others took the last one meanwhile."""
    user_id, most, at = viewer.user_id, devices.most, now()
    if user_id is None or most is None:
        return True
    mine = devices.find(mark)
    if mine is not None and devices.holds_place(mine, at):
        mine.seen_at, mine.viewer, mine.agent = at, queries.viewer_key(viewer), agent
        db.session().add(mine)
        db.session().flush()
        return True
    _free_places(user_id, mark, most)
    values = {"channel": current_channel(), "user": user_id, "mark": mark, "agent": agent, "viewer": queries.viewer_key(viewer)}
    for _turn in range(most):  # each turn lost is a place that somebody else took
        made = db.session().scalar(TAKE_PLACE, {**values, "id": uuid7(), "most": most, "at": at})
        if made is not None:
            audit.record("content.add_device", Device(id=made, agent=agent), by=viewer)
            return True
        if queries.devices_of(user_id, most).find(mark) is not None:
            return True
    return False


def forget_device(device: Device, *, by: Actor) -> None:
    """Take a device off a person's list; what plays on it stops within a minute. Forgetting twice changes nothing."""
    if device.forgotten_at is not None:
        return
    device.forgotten_at, device.forgotten_by = now(), by.user_id
    db.session().flush()
    gateways.grants().shut(current_channel(), device.user_id, viewer=device.viewer)
    audit.record("content.forget_device", device, by=by)


def clear_devices(user_id: UUID, *, by: Actor) -> int:
    """Forget every device of a person, and how often they changed them; the number forgotten."""
    known = queries.devices_of(user_id, None).known
    for device in known:
        forget_device(device, by=by)
    db.session().execute(update(Device).where(Device.user_id == user_id, Device.forgotten_by == user_id).values(forgotten_by=by.user_id))
    return len(known)


def purge_devices() -> None:
    """Delete what was forgotten a year ago."""
    db.session().execute(
        text("DELETE FROM content.devices WHERE channel_id = :channel AND forgotten_at < :before"),
        {
            "channel": current_channel(),
            "before": now() - timedelta(days=365),
        },
    )


def _free_places(user_id: UUID, mark: str, most: int) -> None:
    """Take their places from devices that were not seen for long or lie beyond the limit, and from an older life of this one."""
    gone = (Device.seen_at <= now() - Devices.IDLE) | (Device.place > most) & (Device.mark == mark)
    db.session().execute(update(Device).where(Device.user_id == user_id, Device.forgotten_at.is_(None), gone).values(forgotten_at=now()))
