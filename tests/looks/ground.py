"""What is looked at: a demo on a throwaway home, or the platform that runs on a home; and people signed in there."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from lms.app import connect
from lms.auth import operations as accounts
from lms.auth import queries as account_queries
from lms.channels import queries as channels
from lms.config import ROOT, SERVERS, Config
from lms.core import db
from lms.core.decisions import Actor
from lms.core.ids import token
from lms.web.sessions import digest_of
from tests.ports import free_pair
from tests.servers import remove_home, throwaway_home

SEATS = {"admin": "admin@demo.example", "instructor": "amara@demo.example", "student": "sam@demo.example"}
PATIENCE = 600.0  # seconds a start with its demo may take on a busy machine


@dataclass(slots=True)
class Ground:
    """A running platform: its settings, its address, its academy, and who is signed in."""

    config: Config
    channel_id: UUID
    people: dict[str, Actor] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://localhost:{self.config.port}"

    def sign_in(self) -> None:
        """Let one of each role be signed in, past every second look, without typing."""
        with db.unit_of_work(self.channel_id):
            for role, email in SEATS.items():
                user = account_queries.find_user(email)
                if user is None:
                    raise SystemExit(f"Nobody here is called {email}: looks are taken at a demo.")
                value = token()
                person = channels.actor_of_user(user.id)
                db.become(user.id)
                row = accounts.start_session(user, digest_of(value), staff=person.is_staff, address="127.0.0.1", device="looks")
                accounts.prove_session(row, digest_of(value), by=person)
                self.people[role], self.cookies[role] = person, value

    def speak(self, locale: str) -> None:
        """Have everybody who is signed in read this language from now on."""
        with db.unit_of_work(platform=True) as session:
            ids = [person.user_id for person in self.people.values()]
            session.execute(text("UPDATE auth.users SET locale = :locale WHERE id = ANY (:ids)"), {"locale": locale, "ids": ids})


@contextmanager
def a_demo(translations: Path | None = None, keep: Path | None = None) -> Iterator[Ground]:
    """A demo started by the platform's own command on a throwaway home, or on one to `keep`, which the next look finds as it was; ended afterwards."""
    home = keep.resolve() if keep is not None else throwaway_home()
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    (home / SERVERS).unlink(missing_ok=True)
    port = free_pair()
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    environ = {**clean, "LMS_HOME": str(home), "LMS_PORT": str(port), "LMS_DEMO": "1"}
    if translations is not None:
        environ["LMS_TRANSLATIONS"] = str(translations)
    process = subprocess.Popen(
        [sys.executable, "-m", "lms", "serve"],
        cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        _wait(process, home, port)
        yield ground_of(environ)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if keep is None:
            remove_home(home)


def ground_of(environ: Mapping[str, str]) -> Ground:
    """The platform that runs on the home these variables name, with this process connected to it."""
    noted = Path(environ["LMS_HOME"]) / SERVERS
    if not noted.exists():
        raise SystemExit(f"Nothing runs on {environ['LMS_HOME']}. Start it, or look without --home.")
    config = Config.load({**environ, **json.loads(noted.read_text())})
    connect(config)
    with db.unit_of_work(platform=True, read_only=True) as session:
        channel_id = session.execute(text("SELECT id FROM channels.channels WHERE is_demo AND status = 'open'")).scalar_one_or_none()
    if channel_id is None:
        raise SystemExit("There is no demo here to look at.")
    made = Ground(config, channel_id)
    made.sign_in()
    return made


def _wait(process: "subprocess.Popen[bytes]", home: Path, port: int) -> None:
    """Until the demo is told and its films are made."""
    until = time.monotonic() + PATIENCE
    while not ((home / "demo.json").exists() and (home / SERVERS).exists() and _answers(port)):
        if process.poll() is not None or time.monotonic() > until:
            log = home / "log" / "lectern.log"
            raise SystemExit("The platform did not start:\n" + (log.read_text()[-3000:] if log.exists() else "without a word"))
        time.sleep(0.5)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
