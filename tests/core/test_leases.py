"""A job that goes on keeps its row, and no longer than it goes on; a killed one is taken up within a minute."""

import subprocess
import sys
import threading

import pytest
from sqlalchemy.exc import OperationalError

from lms.core import jobs, leases


def test_kept__renews_until_the_block_is_over_whatever_the_database_says(monkeypatch: pytest.MonkeyPatch) -> None:
    told, calls = threading.Event(), []

    def renew() -> None:
        calls.append(threading.current_thread())
        if len(calls) == 3:
            told.set()
        if len(calls) == 1:
            raise OperationalError("UPDATE", {}, Exception("away"))

    with leases.kept(renew, every=0.001):
        assert not calls, "in a process that did not wish it nothing runs beside a job"
    monkeypatch.setattr(leases, "_beside", [True])
    with leases.kept(renew, every=0.001):
        assert told.wait(10)
    calls[0].join(10)
    assert not calls[0].is_alive() and calls[0] is not threading.main_thread()


STUCK = "import re\nfrom lms.core import leases\nleases.renew_beside_jobs()\nwith leases.kept(lambda: None, every=0.2):\n    re.match('(a+)+$', 'a' * 64 + 'b')"


def test_kept__ends_a_process_in_which_no_other_thread_has_a_turn() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "Timeout" in done.stderr and "re.py" in done.stderr.replace("re/__init__.py", "re.py")


def test_leases__of_every_job_are_a_minute_at_most() -> None:
    assert {one.name: one.lease_seconds for one in jobs.registry().values() if one.lease_seconds > leases.LONGEST} == {}
