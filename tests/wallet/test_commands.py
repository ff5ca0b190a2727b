"""`lms wallet verify`."""

import psycopg
import pytest
from click.testing import CliRunner

from lms.config import Config
from lms.core import commands as core_commands
from lms.core import db
from lms.wallet import commands
from tests.conftest import CHANNEL
from tests.factories.wallet import a_topped_up_student, euros


def test_wallet_verify__ends_with_1_and_a_sentence_when_the_books_differ(
    real_database: str, test_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_commands, "_connect", [lambda _config: None])
    monkeypatch.setenv("DATABASE_URL", test_config.database_url)
    monkeypatch.setenv("REDIS_URL", test_config.redis_url)
    with db.unit_of_work(CHANNEL):
        a_topped_up_student(euros(10))
    well = CliRunner().invoke(commands.wallet, ["verify"])
    assert (well.exit_code, well.output) == (0, "2 ledgers read, 0 differences.\n")
    with psycopg.connect(real_database, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE wallet.accounts SET balance_minor = 5 WHERE user_id IS NOT NULL")
    broken = CliRunner().invoke(commands.wallet, ["verify"])
    assert broken.exit_code == 1 and "Ledger: I2: wallet" in broken.output and "1 differences" in broken.output
