"""How videos may be watched, where originals lie, and the devices people watch on."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from lms.channels.queries import get_member
from lms.content import operations, policies, queries
from lms.content.api.door import bp
from lms.content.models import PRICES
from lms.core.clock import now
from lms.core.decisions import signed_in
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, endpoint


class WatchingRule(Body):
    """How videos may be watched: on how many screens at once and on how many devices at all (null: any number), and with the viewer's
    address over them."""

    most_screens: Annotated[int | None, Field(ge=1, le=20, examples=[2])] = None
    most_devices: Annotated[int | None, Field(ge=1, le=20, examples=[3])] = None
    has_watermark: Annotated[bool, Field(examples=[True])] = False


class WatchingAnswer(Answer):
    """The same as it stands."""

    most_screens: int | None
    most_devices: int | None
    has_watermark: bool


Price = Annotated[Decimal | None, Field(ge=0, le=1_000_000, decimal_places=6, examples=["0.023"])]


class RoomRule(Body):
    """Days after which an original goes to the cold place (null: never), and what an hour of processor time, a GB for a month (at hand,
    and in the cold place) and a GB given cost, in the academy's currency (null: not said)."""

    cold_after_days: Annotated[int | None, Field(ge=1, le=3650, examples=[90])] = None
    price_hour: Price = None
    price_stored: Price = None
    price_cold: Price = None
    price_given: Price = None


class RoomAnswer(Answer):
    """Bytes in the store by what they are, how many of originals may be held (null: as many as there is room), and the rules."""

    originals: int
    cold: int
    made: int
    quota: int | None
    cold_after_days: int | None
    price_hour: Decimal | None
    price_stored: Decimal | None
    price_cold: Decimal | None
    price_given: Decimal | None


class DeviceAnswer(Answer):
    """A browser or app somebody watches on."""

    id: UUID
    name: str
    first_seen_at: datetime
    seen_at: datetime


class DeviceList(Answer):
    """The devices of one person, last seen first; `most` is null for any number, `change_again_at` null for now."""

    most: int | None
    change_again_at: datetime | None
    rows: list[DeviceAnswer]


@bp.get("/watching")
@endpoint()
def watching() -> WatchingAnswer:
    """How videos may be watched."""
    allow(policies.can_rule(actor()))
    return WatchingAnswer.model_validate(queries.watching_rule())


@bp.put("/watching")
@endpoint()
def watching_edit(body: WatchingRule) -> WatchingAnswer:
    """Say how videos may be watched; what is left out is not limited."""
    allow(policies.can_rule(actor()))
    operations.set_watching(body.most_screens, has_watermark=body.has_watermark, most_devices=body.most_devices, by=actor())
    return WatchingAnswer.model_validate(queries.watching_rule())


@bp.get("/room")
@endpoint()
def room() -> RoomAnswer:
    """What files take, by what it is, and the rule for originals."""
    allow(policies.can_rule(actor()))
    return _room()


@bp.put("/room")
@endpoint()
def room_edit(body: RoomRule) -> RoomAnswer:
    """Say when originals go to the cold place, and what room and work cost; what is left out is taken back."""
    allow(policies.can_rule(actor()))
    operations.set_cooling(body.cold_after_days, by=actor())
    prices = {name: getattr(body, name) for name in PRICES}
    operations.set_prices({name: None if price is None else int(price.scaleb(6)) for name, price in prices.items()}, by=actor())
    return _room()


@bp.get("/devices")
@endpoint()
def devices() -> DeviceList:
    """The devices I watch on, where the academy limits their number."""
    allow(signed_in(actor()))
    user_id = actor().user_id
    assert user_id is not None
    return _devices(user_id)


@bp.delete("/devices/<uuid:device_id>")
@endpoint(status=204)
def devices_delete(device_id: UUID) -> None:
    """Forget one of my devices, so that another takes its place; now and then."""
    device = queries.get_device(device_id)
    allow(policies.can_forget(actor(), device, queries.devices_of(device.user_id, None), at=now()))
    operations.forget_device(device, by=actor())


@bp.get("/people/<uuid:user_id>/devices")
@endpoint()
def people_devices(user_id: UUID) -> DeviceList:
    """The devices a person watches on."""
    allow(policies.can_rule(actor()))
    return _devices(get_member(user_id).id)


@bp.delete("/people/<uuid:user_id>/devices")
@endpoint(status=204)
def people_devices_delete(user_id: UUID) -> None:
    """Forget every device of a person, and how often they changed them."""
    allow(policies.can_rule(actor()))
    operations.clear_devices(get_member(user_id).id, by=actor())


def _devices(user_id: UUID) -> DeviceList:
    found = queries.devices_of(user_id, queries.watching_rule().most_devices)
    again = found.next_change(now())
    return DeviceList(most=found.most, change_again_at=again, rows=[DeviceAnswer.model_validate(one) for one in found.known])


def _room() -> RoomAnswer:
    usage, rule = queries.usage(), queries.watching_rule()
    prices: dict[str, Any] = {name: getattr(rule, name) for name in PRICES}
    prices = {name: None if micros is None else Decimal(micros).scaleb(-6) for name, micros in prices.items()}
    return RoomAnswer(
        **queries.room()._asdict(),
        quota=None if usage is None else usage.quota_bytes,
        cold_after_days=rule.cold_after_days,
        **prices,
    )
