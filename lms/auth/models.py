"""Accounts, sessions, one-time codes, invitations, refresh tokens. Secrets are stored as digests only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.clock import now
from lms.core.db import Base, Tenant
from lms.core.ids import uuid7


class User(Base):
    """One person's account, the same in every channel of the install."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email_key"), {"schema": "auth"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    email: Mapped[str]
    email_key: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    email_verified_at: Mapped[datetime | None]
    locale: Mapped[str] = mapped_column(default="en")
    zone: Mapped[str] = mapped_column(default="UTC")
    status: Mapped[str] = mapped_column(default="active")
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_sign_in_at: Mapped[datetime | None]
    app_key: Mapped[bytes | None] = mapped_column(LargeBinary(), deferred=True)
    app_since: Mapped[datetime | None]
    app_step: Mapped[int] = mapped_column(default=0)
    recovery_digests: Mapped[list[Any]] = mapped_column(default=list, deferred=True)

    @property
    def has_app(self) -> bool:
        """Whether sign-ins ask for a code of an authenticator app."""
        return self.app_since is not None


class Passkey(Base):
    """The public half of one person's passkey for one host; the private half never leaves its device or keychain.

    `uses` is the authenticator's own count, 0 for those that keep none; `is_synced` says whether its owner's devices share it.
    """

    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("credential"), Index("ix_passkeys_user", "user_id"), {"schema": "auth"})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id", ondelete="CASCADE"))
    credential: Mapped[bytes] = mapped_column(LargeBinary())
    public_key: Mapped[bytes] = mapped_column(LargeBinary())
    uses: Mapped[int] = mapped_column(default=0)
    host: Mapped[str]
    name: Mapped[str]
    is_synced: Mapped[bool] = mapped_column(default=False)
    transports: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None]


class SignInSession(Tenant, Base):
    """One browser signed in: listed for its person, and revocable."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("channel_id", "digest"),
        Index("ix_sessions_user", "channel_id", "user_id"),
        Index("ix_sessions_created", "channel_id", "created_at", "id"),
        {"schema": "auth"},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary())
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    proved_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(default="")
    device: Mapped[str] = mapped_column(default="")

    @property
    def device_name(self) -> str:
        """The browser and the system in two words, as far as they say; else what they do say."""
        browser = next((name for mark, name in BROWSERS if mark in self.device), "")
        system = next((name for mark, name in SYSTEMS if mark in self.device), "")
        return " · ".join(part for part in (browser, system) if part) or self.device[:60]


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


class Code(Tenant, Base):
    """A one-time code sent by mail, bound to the browser that asked for it."""

    __tablename__ = "codes"
    __table_args__ = (Index("ix_codes_email", "channel_id", "email_key", "purpose", "created_at"), {"schema": "auth"})

    email_key: Mapped[str]
    purpose: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary())
    flow: Mapped[bytes] = mapped_column(LargeBinary())
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invitation(Tenant, Base):
    """A link by mail with which somebody takes over the account made for them."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("channel_id", "digest"), {"schema": "auth"})

    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary())
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RefreshToken(Tenant, Base):
    """One link of a family of refresh tokens; using one twice revokes the family."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        UniqueConstraint("channel_id", "digest"),
        Index("ix_refresh_tokens_family", "channel_id", "family"),
        {"schema": "auth"},
    )

    family: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("auth.users.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary())
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
