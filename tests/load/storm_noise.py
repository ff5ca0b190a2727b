"""A noisy academy, for the storm of the neighbours: `python -m tests.load.storm_noise` reads what it is to do as JSON, and does it until it is ended.

Ten times what one academy may have, of everything at once: requests of a machine, uploads, files of its longest list, imports, messages to all.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from lms.app import connect
from lms.channels.queries import actor_of_user
from lms.channels.reports import People
from lms.config import Config
from lms.core import db, plans
from lms.core.decisions import Actor
from lms.core.errors import Refusal
from lms.notifications import operations as notifications
from lms.notifications.queries import Audience
from lms.reporting import jobs, operations
from tests.load.client import opened, request_of

UPLOAD = 2 << 20
ROWS = 5_000
PATHS = ("/api/v1/channels/people?limit=50", "/api/v1/channels/me", "/api/v1/reporting/reports")


class Noise:
    """What the noisy academy is: its host and port, its admins, and the tokens of two of them."""

    def __init__(self, plan: dict[str, object]) -> None:
        self.host, self.port, self.rate = str(plan["host"]), int(str(plan["port"])), float(str(plan["rate"]))
        self.channel_id = UUID(str(plan["channel"]))
        self.asks, self.uploads = map(str, plan["tokens"])  # type: ignore[call-overload]  # a list of the plan
        self.admins = [UUID(str(one)) for one in plan["admins"]]  # type: ignore[attr-defined]  # a list of the plan
        self.turn = count()

    def _admin(self, place: int = 0) -> Actor:
        return actor_of_user(self.admins[place % len(self.admins)])

    def ask(self) -> None:
        """Requests of a machine at ten times the rate an academy has, whether or not they are answered."""
        told = f"Authorization: Bearer {self.asks}\r\n"
        requests = [request_of(path, host=self.host, headers=told) for path in PATHS]
        asyncio.run(opened("127.0.0.1", self.port, requests, rate=self.rate, seconds=3600))

    def upload(self) -> None:
        """One file after the other, as fast as it goes."""
        body = b"%PDF-1.4\n" + b"0" * (UPLOAD - 15) + b"%%EOF\n"
        while True:
            with suppress(OSError, HTTPException, KeyError, ValueError):
                made = self._send("POST", "/api/v1/content/uploads", {"filename": f"{next(self.turn)}.pdf", "size": len(body)})
                for part in made["parts"]:
                    line = HTTPConnection("127.0.0.1", self.port, timeout=60)
                    line.request(
                        "PUT", "/" + part["url"].split("/", 3)[3] if "://" in part["url"] else part["url"], body, {"Host": self.host}
                    )
                    line.getresponse().read()
                    line.close()
                self._send("POST", f"/api/v1/content/uploads/{made['asset_id']}/complete", None)
                continue
            time.sleep(0.2)

    def _send(self, method: str, path: str, body: object) -> dict[str, object] | dict[str, list[dict[str, str]]]:
        line = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Host": self.host, "Authorization": f"Bearer {self.uploads}", "Content-Type": "application/json"}
        line.request(method, path, json.dumps(body) if body is not None else None, headers)
        said = json.loads(line.getresponse().read())
        line.close()
        return said

    def download(self) -> None:
        """As many files of the longest list as ten admins may have in the making at once, all the time."""
        for turn in count():
            with suppress(Refusal, SQLAlchemyError), db.unit_of_work(self.channel_id):
                made = operations.begin_download(People(), "", ("csv", "xlsx")[turn % 2], by=self._admin(turn))
                made.job_id = jobs.make_download.put({"download_id": made.id})
            time.sleep(0.05)

    def bring_in(self) -> None:
        """One import after the other, planned and applied."""
        while True:
            number = next(self.turn)
            lines = "\n".join(f"noise{number}-{row}@example.org,Noise {row}" for row in range(ROWS))
            with suppress(Refusal, SQLAlchemyError):
                with db.unit_of_work(self.channel_id):
                    table = f"email,name\n{lines}".encode()
                    plan = plans.make_from_table("channels.import_people", table, by=self._admin(), params={"role": "student"})
                self._wait(plan.id)
                with db.unit_of_work(self.channel_id):
                    plans.apply(plans.get_plan(plan.id), by=self._admin())
                self._wait(plan.id)

    def _wait(self, plan_id: UUID) -> None:
        is_working = True
        while is_working:
            time.sleep(0.5)
            with db.unit_of_work(self.channel_id, read_only=True):
                is_working = plans.get_plan(plan_id).is_working

    def write(self) -> None:
        """A message to all, every half minute, in the academy and by mail."""
        while True:
            with suppress(Refusal, SQLAlchemyError), db.unit_of_work(self.channel_id):
                values = {"subject": "News", "body": "What is **new**.", "in_app": True, "mail": True, "send_at": None}
                notifications.send_broadcast(notifications.write_broadcast(Audience(), by=self._admin(), **values), by=self._admin())
            time.sleep(30)


def main() -> None:
    """Make all of it at once, until the process is ended."""
    connect(Config.load())
    noise = Noise(json.load(sys.stdin))
    makers: list[Callable[[], None]] = [noise.ask, *[noise.upload] * 4, noise.download, noise.bring_in, noise.write]
    threads = [threading.Thread(target=one, daemon=True) for one in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
