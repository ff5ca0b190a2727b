"""One frozen, typed Config: the only reader of the environment.

Everything an operator may set is a field here with its variable beside it; `Config.load()` names every
missing or wrong setting in one list, so a start fails once and says everything.
"""

import hashlib
import hmac
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
MIN_SECRET_BYTES = 32
SERVERS = "servers.json"  # in the home, while a supervisor runs embedded servers there


class BadSettings(Exception):
    """The environment does not describe a runnable platform; `problems` holds one sentence for each fault."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("Settings to mend:\n" + "\n".join(f"  - {p}" for p in problems))


# Every variable the platform reads: name → (default as text, what it is). The README and compose file are checked against it.
SETTINGS: dict[str, tuple[str, str]] = {
    "LMS_HOME": ("var", "folder for data, logs and secrets of the one-command start"),
    "LMS_HOST": ("127.0.0.1", "address the page server listens on"),
    "LMS_PORT": ("8000", "port of the page server; the socket server takes the next one"),
    "LMS_ENV": ("development", "development or production"),
    "LMS_DEMO": ("1", "seed the demo into an empty database (1) or not (0)"),
    "LMS_SOCKET_URL": ("", "public base of the socket server, e.g. wss://learn.example; empty: same host, next port"),
    "LMS_RTMP_URL": ("", "where OBS sends classes to, e.g. rtmp://learn.example/live; empty: nowhere (nginx takes them, see lms nginx)"),
    "LMS_TRUSTED_PROXIES": ("0", "how many proxies in front set X-Forwarded-*"),
    "LMS_TRANSLATIONS": ("", "folder with catalogues of further languages, CODE/LC_MESSAGES/messages.mo; empty: lms/translations"),
    "PROMETHEUS_MULTIPROC_DIR": ("", "folder in which the processes of one machine add up their figures; the supervisor sets it"),
    "LMS_WORKERS": ("2", "job workers the supervisor starts"),
    "PLATFORM_DOMAIN": ("", "domain whose sub-domains are channels; empty: one channel answers on every host"),
    "SECRET_KEY": ("", "32 or more bytes that sign and derive; made and kept in LMS_HOME when empty"),
    "DATABASE_URL": ("", "PostgreSQL as owner (migrations, roles); empty: the embedded server"),
    "DATABASE_APP_URL": ("", "PostgreSQL as the application role; derived from DATABASE_URL when empty"),
    "DATABASE_PLATFORM_URL": ("", "PostgreSQL as the platform role; derived from DATABASE_URL when empty"),
    "REDIS_URL": ("", "Redis or Valkey; empty: the embedded server"),
    "FFMPEG": ("", "path of ffmpeg; empty: the one out of the wheel"),
    "S3_ENDPOINT_URL": ("", "S3 endpoint; empty with a bucket: AWS"),
    "S3_BUCKET": ("", "bucket for files; empty: local disk under LMS_HOME"),
    "S3_REGION": ("us-east-1", "region of the bucket"),
    "S3_ACCESS_KEY_ID": ("", "access key of the bucket"),
    "S3_SECRET_ACCESS_KEY": ("", "secret key of the bucket"),
    "LMS_OUTBOUND_NETWORKS": ("", "private networks that may be called like foreign addresses, e.g. 10.20.0.0/16,fd00:1::/64; empty: none"),
    "SMTP_HOST": ("", "mail server; empty: the built-in sink at /admin/system/mail"),
    "SMTP_PORT": ("587", "port of the mail server"),
    "SMTP_USERNAME": ("", "user at the mail server"),
    "SMTP_PASSWORD": ("", "password at the mail server"),
    "SMTP_TLS": ("starttls", "starttls, tls or none"),
    "SMTP_FROM": ("Lectern <no-reply@localhost>", "sender of mails"),
}


@dataclass(frozen=True, slots=True)
class S3:
    """Where files are kept when a bucket is set."""

    bucket: str
    region: str
    endpoint_url: str | None
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server, when one is set."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: str


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting of a running platform; immutable, with secrets kept out of `repr`."""

    home: Path
    host: str
    port: int
    production: bool
    demo: bool
    socket_url: str
    rtmp_url: str
    trusted_proxies: int
    workers: int
    translations: Path | None
    metrics_dir: Path | None
    platform_domain: str
    secret_key: bytes = field(repr=False)
    database_url: str = field(repr=False)
    database_app_url: str = field(repr=False)
    database_platform_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    ffmpeg: str
    s3: S3 | None
    smtp: Smtp | None
    mail_from: str
    outbound_networks: tuple[IPv4Network | IPv6Network, ...]

    @property
    def socket_port(self) -> int:
        """The port of the socket server: the one after the page server's."""
        return self.port + 1

    @property
    def storage_dir(self) -> Path:
        """The folder of the local-disk storage."""
        return self.home / "storage"

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the secret key by HMAC-SHA-256."""
        return derive_key(self.secret_key, purpose)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Read the environment once; raise `BadSettings` naming everything that is missing or wrong."""
        return _Reader(_with_running_servers(os.environ) if environ is None else environ).config()


def derive_key(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose, derived from a secret by HMAC-SHA-256."""
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


def role_password(secret: bytes, role: str) -> str:
    """The password a database role gets when the platform creates it; the same for every process of an install."""
    return derive_key(secret, f"database-role:{role}").hex()


def url_for_role(owner_url: str, role: str, secret: bytes) -> str:
    """The owner's database address with the user and password of another role."""
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{role}:{quote(role_password(secret, role))}@{host}"
    return urlunsplit(("postgresql", netloc, parts.path, parts.query, ""))


def _with_running_servers(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, with the addresses of the servers that a supervisor runs on this home for what names none itself."""
    noted = Path(environ.get("LMS_HOME", "").strip() or SETTINGS["LMS_HOME"][0]) / SERVERS
    try:
        running: dict[str, str] = json.loads(noted.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return environ
    return {**environ, **{name: address for name, address in running.items() if not environ.get(name, "").strip()}}


class _Reader:
    """Reads settings from a mapping and collects every problem on the way."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self.environ.get(name, "").strip() or SETTINGS[name][0]

    def integer(self, name: str, low: int, high: int) -> int:
        raw = self.text(name)
        if raw.isdigit() and low <= int(raw) <= high:
            return int(raw)
        self.problems.append(f"{name} is {raw!r}; it takes a whole number from {low} to {high}.")
        return low

    def choice(self, name: str, *allowed: str) -> str:
        raw = self.text(name)
        if raw not in allowed:
            self.problems.append(f"{name} is {raw!r}; it takes {' or '.join(allowed)}.")
        return raw

    def url(self, name: str, *schemes: str) -> str:
        raw = self.text(name)
        if raw and urlsplit(raw).scheme not in schemes:
            self.problems.append(f"{name} must begin with {' or '.join(f'{s}://' for s in schemes)}.")
        return raw

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        try:
            return tuple(ip_network(part.strip()) for part in self.text(name).split(",") if part.strip())
        except ValueError:
            self.problems.append(f"{name} takes networks like 10.20.0.0/16, with commas between them.")
            return ()

    def secret(self, home: Path) -> bytes:
        raw = self.text("SECRET_KEY")
        if raw:
            if len(raw.encode()) < MIN_SECRET_BYTES:
                self.problems.append(f"SECRET_KEY is too short; it takes {MIN_SECRET_BYTES} bytes or more.")
            return raw.encode()
        return kept_secret(home)

    def s3(self) -> S3 | None:
        bucket = self.text("S3_BUCKET")
        if not bucket:
            return None
        keys = {n: self.text(n) for n in ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")}
        self.problems += [f"{n} is missing, and S3_BUCKET is set." for n, value in keys.items() if not value]
        return S3(
            bucket=bucket,
            region=self.text("S3_REGION"),
            endpoint_url=self.url("S3_ENDPOINT_URL", "http", "https") or None,
            access_key_id=keys["S3_ACCESS_KEY_ID"],
            secret_access_key=keys["S3_SECRET_ACCESS_KEY"],
        )

    def smtp(self) -> Smtp | None:
        host, port, tls = self.text("SMTP_HOST"), self.integer("SMTP_PORT", 1, 65535), self.choice("SMTP_TLS", "starttls", "tls", "none")
        if not host:
            return None
        return Smtp(host=host, port=port, username=self.text("SMTP_USERNAME"), password=self.text("SMTP_PASSWORD"), tls=tls)

    def database(self, secret: bytes) -> tuple[str, str, str]:
        owner = self.url("DATABASE_URL", "postgresql", "postgres")
        app = self.url("DATABASE_APP_URL", "postgresql", "postgres")
        platform = self.url("DATABASE_PLATFORM_URL", "postgresql", "postgres")
        if not owner and not (app and platform):
            self.problems.append("DATABASE_URL is missing (./scripts/run starts a server by itself and sets it).")
            return "", "", ""
        return owner, app or url_for_role(owner, "lms_app", secret), platform or url_for_role(owner, "lms_platform", secret)

    def ffmpeg(self) -> str:
        raw = self.text("FFMPEG")
        if raw and not shutil.which(raw):
            self.problems.append(f"FFMPEG is {raw!r}, and no program is there.")
        return raw

    def config(self) -> Config:
        home = (ROOT / self.text("LMS_HOME")).resolve()
        secret = self.secret(home)
        owner, app, platform = self.database(secret)
        redis_url = self.url("REDIS_URL", "redis", "rediss", "unix")
        if not redis_url:
            self.problems.append("REDIS_URL is missing (./scripts/run starts a server by itself and sets it).")
        config = Config(
            home=home,
            host=self.text("LMS_HOST"),
            port=self.integer("LMS_PORT", 1, 65534),
            production=self.choice("LMS_ENV", "development", "production") == "production",
            demo=self.choice("LMS_DEMO", "0", "1") == "1",
            socket_url=self.url("LMS_SOCKET_URL", "ws", "wss"),
            rtmp_url=self.url("LMS_RTMP_URL", "rtmp", "rtmps"),
            trusted_proxies=self.integer("LMS_TRUSTED_PROXIES", 0, 5),
            workers=self.integer("LMS_WORKERS", 1, 64),
            translations=Path(self.text("LMS_TRANSLATIONS")) if self.text("LMS_TRANSLATIONS") else None,
            metrics_dir=Path(self.text("PROMETHEUS_MULTIPROC_DIR")) if self.text("PROMETHEUS_MULTIPROC_DIR") else None,
            platform_domain=self.text("PLATFORM_DOMAIN").lower(),
            secret_key=secret,
            database_url=owner,
            database_app_url=app,
            database_platform_url=platform,
            redis_url=redis_url,
            ffmpeg=self.ffmpeg(),
            s3=self.s3(),
            smtp=self.smtp(),
            mail_from=self.text("SMTP_FROM"),
            outbound_networks=self.networks("LMS_OUTBOUND_NETWORKS"),
        )
        if self.problems:
            raise BadSettings(self.problems)
        return config


def kept_secret(home: Path) -> bytes:
    """The secret key of an install: made once, kept in `home/secret_key` readable by its owner alone."""
    path = home / "secret_key"
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(MIN_SECRET_BYTES).encode())
        return path.read_bytes().strip()


def environment() -> dict[str, str]:
    """The whole environment as it is, for programs that we start."""
    return dict(os.environ)


def take_environment(env: Mapping[str, str]) -> None:
    """Make `env` the environment of this process, which was forked to be another program."""
    os.environ.clear()
    os.environ.update(env)
