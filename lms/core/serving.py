"""What one `lms serve` runs: the settings checked first, then data servers, migrations, pages, sockets, workers, scheduler and the demo."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from lms.config import BadSettings, Config, environment
from lms.core.journal import Journal
from lms.core.places import Place, ServerFailed
from lms.core.stepdown import account_for
from lms.core.supervisor import REFUSED, SELF, Plan, Process, Supervisor, reachable

PAGES_CONFIG = "deploy/gunicorn_pages.py"
SOCKETS_CONFIG = "deploy/gunicorn_sockets.py"
APPLICATION = "wsgi:application"
# The queues whose jobs are short or give way (lms.core.jobs.QUEUES without bulk and media; importing that would make this process ten
# times as large).
QUICK_QUEUES = "codes,money,mail,default,plans,files"
# Stand in while the settings are checked: the servers behind these addresses start afterwards.
EMBEDDED = {"DATABASE_URL": "postgresql://embedded", "REDIS_URL": "unix://embedded"}


def serve(environ: Mapping[str, str]) -> int:
    """Run the whole platform until it is told to stop; the exit code is the supervisor's, and 2 for wrong settings."""
    missing = [name for name in EMBEDDED if not environ.get(name, "").strip()]
    try:
        config = Config.load({**environ, **{name: EMBEDDED[name] for name in missing}})
        place = Place.of(config.home) if missing else None
    except (BadSettings, ServerFailed) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    journal = Journal(config.home / "log" / "lectern.log")
    if place is not None and place.data != place.home:
        journal.say(SELF, f"{place.home} is closed to the user the database runs as; its data lies in {place.data}.")
    try:
        account = account_for(config.home, lambda sentence: journal.say(SELF, sentence))
        return Supervisor(config.home, environ, plan(config, missing), journal, account).run()
    finally:
        journal.close()


def plan(config: Config, missing: list[str]) -> Plan:
    """The processes of one install; `missing` are the addresses that embedded servers have to fill."""
    servers = {"DATABASE_URL": "postgres", "REDIS_URL": "valkey"}
    return Plan(
        data=tuple(servers[name] for name in missing),
        before=(Process("migrate", lms("migrate"), forked=True),),
        services=(
            Process("pages", gunicorn(PAGES_CONFIG, config.host, config.port), forked=True, opens=(config.host, config.port)),
            # not forked: gevent has to come before everything else
            Process("sockets", gunicorn(SOCKETS_CONFIG, config.host, config.socket_port), patience=2.0),
            *workers(config.workers),
            Process("live", lms("live"), patience=0.0, forked=True),
            Process("scheduler", lms("scheduler"), patience=1.0, forked=True),
        ),
        after=(Process("demo", lms("demo", "seed", "--if-empty"), forked=True),) if config.demo else (),
        listens=((config.host, config.port), (config.host, config.socket_port)),
        scratch={"PROMETHEUS_MULTIPROC_DIR": config.home / "metrics"},
        preload=("lms.app:load_doors", "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"),
        opened=lambda: welcome(config),
    )


def workers(count: int) -> list[Process]:
    """The job workers: the first of several never takes slow jobs, so that a sign-in code does not wait behind a video."""
    first = lms("worker", "--queues", QUICK_QUEUES) if count > 1 else lms("worker")
    others = (Process(f"worker-{number}", lms("worker"), forked=True) for number in range(2, count + 1))
    return [Process("worker-1", first, forked=True), *others]


def welcome(config: Config) -> list[str]:
    """What the person at the terminal needs: the address, the sign-ins per role, and how to stop."""
    people = sign_ins(config.home / "demo.json")
    return [
        f"Lectern is open at http://{called(config.host)}:{config.port}",
        *(
            ["Sign in as:", *people]
            if people
            else [
                "Nothing here yet? .venv/bin/lms channel create 'My Academy' --slug my-academy --host localhost",
                "Its first account: .venv/bin/lms user create you@example.org --role owner",
            ]
        ),
        f"Logs: {config.home / 'log'}. Stop with Ctrl-C.",
    ]


def lms(*words: str) -> tuple[str, ...]:
    """The command line of one of the platform's own commands."""
    return (sys.executable, "-m", "lms", *words)


def gunicorn(config: str, host: str, port: int) -> tuple[str, ...]:
    """The command line of one web server; under the supervisor it has a second to finish what it serves."""
    words = ("--config", config, "--bind", f"{bracketed(host)}:{port}", "--graceful-timeout", "1", APPLICATION)
    return (sys.executable, "-m", "gunicorn", *words)


def called(host: str) -> str:
    """What people type to reach a listener on `host`, as in a URL: a name where there is one, since passkeys know no bare numbers."""
    found = reachable(host)
    return "localhost" if found == "127.0.0.1" else bracketed(found)


def bracketed(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def sign_ins(path: Path) -> list[str]:
    """A line for each sign-in of the demo, as its file lists them; none when there is no demo."""
    if not path.exists():
        return []
    people = json.loads(path.read_text(encoding="utf-8"))
    wide = max((len(person["role"]) for person in people), default=0)
    return [f"  {person['role']:<{wide}}  {person['email']}  {person['password']}" for person in people]


if __name__ == "__main__":
    sys.exit(serve(environment()))
