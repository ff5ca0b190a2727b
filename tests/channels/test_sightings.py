"""Who was last here when: what the database notes as people come and go is at every moment what counting them all gives."""

import random
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from lms.channels import jobs, operations, queries
from lms.channels.models import Member, Sighting
from lms.channels.reports import People
from lms.core.clock import now, zone
from lms.core.decisions import Actor
from tests.conftest import OTHER_CHANNEL
from tests.factories import people

ZONES = ("UTC", "Africa/Cairo", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland")


def agree(by: Actor, dice: random.Random) -> None:
    """The notes have no fault, and a stretch of days of some zone has as many people as the list that it opens."""
    assert queries.sighting_faults() == []
    name = dice.choice(ZONES)
    last = now().astimezone(zone(name)).date() - timedelta(days=dice.randrange(20))
    first = last - timedelta(days=dice.randrange(30))
    begin, end = (datetime.combine(day, time(), zone(name)) for day in (first, last + timedelta(days=1)))
    report = People()
    listed = report.count(report.read_view({"seen": [f"{first}..{last}@{name}"]}), by)
    assert queries.people_last_here(begin, end) == listed


def test_sightings__are_what_counting_gives_after_every_deed_in_any_order(work: Session) -> None:
    dice, by = random.Random(3), people.root()
    crowd: list[Member] = []

    def come() -> None:
        member = queries.get_member(people.a_student(f"Person {len(crowd)}").user_id or UUID(int=0))
        member.seen_at = dice.choice((None, now()))
        crowd.append(member)

    def pick() -> Member:
        return dice.choice(crowd)

    def visit() -> None:
        pick().seen_at = now() - timedelta(minutes=dice.randrange(60 * 24 * 45))

    def suspend() -> None:
        operations.suspend(pick(), by=by)

    def restore() -> None:
        operations.restore(pick(), by=by)

    def go() -> None:
        pick().status = "deleted"

    def come_back() -> None:
        pick().status = "active"

    def take_back() -> None:
        place = work.begin_nested()
        visit()
        go()
        work.flush()
        place.rollback()

    deeds = (
        come,
        visit,
        visit,
        suspend,
        restore,
        go,
        come_back,
        take_back,
        jobs.fold_sightings,
        lambda: operations.recount_sightings(by=by),
    )
    come()
    for _turn in range(120):
        dice.choice(deeds)()
        work.flush()
        agree(by, dice)
    operations.fold_sightings()
    noted = work.query(Sighting).count()
    assert noted == work.query(Sighting.slot).distinct().count() and noted <= len(crowd) + 4
    assert queries.sighting_faults() == []


def test_sighting_faults__names_what_disagrees_and_counting_anew_mends_it(work: Session) -> None:
    by, sam = people.root(), people.sam()
    assert sam.user_id
    queries.get_member(sam.user_id).seen_at = moment = datetime(2026, 3, 1, 10, 20, tzinfo=zone("UTC"))
    work.flush()
    work.execute(delete(Sighting).where(Sighting.slot <= moment))
    [fault] = queries.sighting_faults()
    assert fault.startswith("2026-03-01 10:15 UTC: 1 people") and "lms channel sightings" in fault
    operations.recount_sightings(by=by)
    operations.recount_sightings(by=by)
    assert queries.sighting_faults() == [] and queries.people_last_here(moment.replace(minute=15), now()) >= 1
    with_other = work.execute(text("SELECT count(*) FROM channels.sightings WHERE channel_id = :other"), {"other": OTHER_CHANNEL})
    assert with_other.scalar() == 0, "another academy's notes are behind the wall"
