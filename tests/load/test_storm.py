"""The storms in small, by the same code: nonsense at the forms, the API asked by those whose things they are not, three schedulers at once."""

import random
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from lms.core import db, limits
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories import people
from tests.load import storm_api, storm_clock, storm_forms
from tests.machine import Machine, token_of


@pytest.mark.timeout(300)
def test_world__stands_nonsense_and_shows_nothing_to_others(app: Flask, connection: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "hit", lambda *_args, **_options: None)
    dice = random.Random(49)
    house = storm_forms.World(app, CHANNEL)
    doors = storm_forms.doors_of(house, dice, only=dice.sample(sorted(rule.endpoint for rule in app.url_map.iter_rules()), 20))
    cases = storm_forms.form_cases(house, doors, dice)
    faults = [what for what, status, _said in (next(cases) for _ in range(60)) if status >= 500]
    assert not faults, "\n".join(faults)
    with db.unit_of_work(OTHER_CHANNEL):
        otto = people.a_person("Otto Other", "admin", "otto@example.org")
    machine = Machine(app, token_of(otto, OTHER_CHANNEL).access_token, host="beta.example")
    asked = storm_api.addresses(app, storm_api.ids_by_table(CHANNEL))
    assert len(asked) > 200
    said = [storm_api.leaks(machine, one, ("Sam Student", "Geometry"))[0] for one in dice.sample(asked, 30)]
    assert not [line for line in said if line]


def test_schedulers__side_by_side_take_each_slot_once(real_database: str, tmp_path: Path) -> None:
    with psycopg.connect(real_database, autocommit=True) as owner:
        owner.execute(storm_clock.CLOCK)
        moments = storm_clock.rounds(datetime(2026, 11, 2, tzinfo=UTC), 3600)
        wrong, taken = storm_clock.run(owner, moments)
    assert not any(wrong.values()) and taken > 50
