"""Every SELECT of channels."""

import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, and_, func, or_, select
from sqlalchemy.orm import aliased

from lms.auth.models import RefreshToken, SignInSession, User
from lms.channels.models import Channel, Domain, Member, Preference, Viewing, picture_url
from lms.core import db, tokens
from lms.core.clock import now
from lms.core.decisions import STAFF, Actor
from lms.core.decisions import Viewing as Seen
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.models import AuditRow
from lms.core.storage import storage
from lms.core.tenancy import ChannelFace, current_channel

FRESH_SECONDS = 5.0
IDLE = timedelta(days=14)
STAFF_IDLE = timedelta(hours=8)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_faces: dict[str, tuple[float, ChannelFace | None]] = {}


def get_member(user_id: UUID) -> Member:
    """A person of this channel."""
    found = db.session().get(Member, user_id)
    if found is None or found.status == "deleted":
        raise NotFound(_("There is no such person here."))
    return found


def find_member(user_id: UUID) -> Member | None:
    """A person of this channel, or None; deleted ones too."""
    return db.session().get(Member, user_id)


def members_by_id(user_ids: Sequence[UUID]) -> dict[UUID, Member]:
    """The people of those ids, in one query."""
    if not user_ids:
        return {}
    return {member.id: member for member in db.session().scalars(select(Member).where(Member.id.in_(set(user_ids))))}


def members_with_role(*roles: str) -> Sequence[Member]:
    """The active people with one of the roles, by name."""
    return (
        db.session()
        .scalars(
            select(Member)
            .where(Member.role.in_(roles), Member.status.in_(("active", "invited")))
            .order_by(func.lower(Member.name), Member.id)
        )
        .all()
    )


def search_members(words: str, *, limit: int = 8) -> Sequence[Member]:
    """People whose name or address contains the words."""
    like = f"%{words.replace('%', '').replace('_', '').lower()}%"
    return (
        db.session()
        .scalars(
            select(Member)
            .where(or_(func.lower(Member.name).like(like), func.lower(Member.email).like(like)), Member.status != "deleted")
            .order_by(func.lower(Member.name), Member.id)
            .limit(limit)
        )
        .all()
    )


def this_channel() -> Channel:
    """The channel of the running unit of work."""
    found = db.session().get(Channel, current_channel())
    if found is None:
        raise NotFound(_("There is no such academy."))
    return found


def name_of(user_id: UUID) -> str:
    """What a person of this channel is called; a dash for somebody who is not here."""
    found = find_member(user_id)
    return found.name if found is not None else "–"


def history_of(user_id: UUID, *, limit: int, before: UUID | None = None) -> list[AuditRow]:
    """What was done to a person, and by them, newest first; two queries, each along its index."""
    found: dict[UUID, AuditRow] = {}
    mine = and_(AuditRow.target_kind.in_(("members", "users")), AuditRow.target_id == user_id)
    for which in (mine, AuditRow.actor_id == user_id):
        statement = select(AuditRow).where(which).order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(limit)
        rows = db.session().scalars(statement.where(AuditRow.at < _moment_of(before)) if before else statement)
        found.update((row.id, row) for row in rows)
    return sorted(found.values(), key=lambda row: (row.at, row.id), reverse=True)[:limit]


def _moment_of(audit_id: UUID) -> ScalarSelect[datetime]:
    return select(AuditRow.at).where(AuditRow.id == audit_id).scalar_subquery()


def role_of(user_id: UUID) -> str:
    """The role of a person here; "" when there is none or it does not count now."""
    return (
        db.session().execute(select(Member.role).where(Member.id == user_id, Member.status.in_(("active", "invited")))).scalar_one_or_none()
        or ""
    )


ACTOR_OF_SESSION = """
    SELECT s.id, s.seen_at, s.proved_at, u.id AS user_id, m.name, m.email, m.role, m.avatar_key,
        u.locale, u.zone
    FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id JOIN channels.members m ON m.channel_id = %(channel)s AND m.id = u.id
    WHERE s.channel_id = %(channel)s AND s.digest = %(digest)s AND s.ended_at IS NULL AND s.expires_at > %(now)s
        AND u.status = 'active' AND m.status IN ('active', 'invited')
"""


def actor_of_session(digest: bytes) -> Actor | None:
    """The person a session token stands for, with the role here, in one query; None once the sign-in or the person's right ended."""
    found = db.rows(ACTOR_OF_SESSION, digest=digest, now=now())
    if not found or now() - found[0].seen_at > (STAFF_IDLE if found[0].role in STAFF else IDLE):
        return None
    row = found[0]
    return Actor(
        user_id=row.user_id,
        name=row.name,
        email=row.email,
        role=row.role,
        channel_id=current_channel(),
        locale=row.locale,
        zone=row.zone,
        session_id=row.id,
        proved_at=row.proved_at,
        picture=picture_url(row.avatar_key) or "",
    )


VIEWING = """
    SELECT v.id, v.ends_at, u.id AS user_id, m.name, m.email, m.role, m.avatar_key, u.locale, u.zone
    FROM channels.viewings v JOIN channels.members m ON m.channel_id = v.channel_id AND m.id = v.user_id JOIN auth.users u ON u.id = m.id
    WHERE v.channel_id = %(channel)s AND v.id = %(id)s AND v.viewer_id = %(viewer)s AND v.ended_at IS NULL AND v.ends_at > %(now)s
        AND m.status IN ('active', 'invited') AND m.role IN ('student', 'instructor')
"""


def viewing_of(viewing_id: UUID, viewer: Actor) -> Seen | None:
    """The running viewing of an admin, with the person as an actor; None once it ended, or either's role forbids it. One query."""
    found = db.rows(VIEWING, id=viewing_id, viewer=viewer.user_id, now=now()) if viewer.is_admin else []
    if not found:
        return None
    row = found[0]
    seen_as = Actor(
        user_id=row.user_id,
        name=row.name,
        email=row.email,
        role=row.role,
        channel_id=current_channel(),
        locale=row.locale,
        zone=row.zone,
        picture=picture_url(row.avatar_key) or "",
        viewer_id=viewer.user_id,
    )
    return Seen(row.id, seen_as, row.ends_at)


def viewings_to_end(*, viewer_id: UUID | None = None) -> Sequence[Viewing]:
    """The viewings whose time is over, or every open one of an admin; locked until the transaction ends."""
    which = Viewing.viewer_id == viewer_id if viewer_id else Viewing.ends_at <= now()
    return db.session().scalars(select(Viewing).where(Viewing.ended_at.is_(None), which).order_by(Viewing.id).with_for_update()).all()


def standing_people(session_ids: Iterable[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Which of these sign-ins still stand: sign-in → (person, role)."""
    query = (
        select(SignInSession.id, Member.id, Member.role)
        .join(User, User.id == SignInSession.user_id)
        .join(Member, Member.id == User.id)
        .where(
            SignInSession.id.in_(list(session_ids)),
            SignInSession.ended_at.is_(None),
            SignInSession.expires_at > now(),
            User.status == "active",
            Member.status.in_(("active", "invited")),
        )
    )
    return {row[0]: (row[1], row[2]) for row in db.session().execute(query)}


def actor_of_claims(claims: tokens.Claims) -> Actor:
    """The person an access token stands for, with the role here, in one query; raises BadToken once the sign-in or the right ended."""
    stands = select(RefreshToken.id).where(
        RefreshToken.family == claims.session_id, RefreshToken.user_id == claims.user_id, RefreshToken.revoked_at.is_(None)
    )
    row = (
        db.session()
        .execute(
            select(Member.name, Member.email, Member.role, User.locale, User.zone)
            .join(User, User.id == Member.id)
            .where(Member.id == claims.user_id, User.status == "active", Member.status.in_(("active", "invited")), stands.exists())
        )
        .one_or_none()
    )
    if row is None:
        raise tokens.BadToken(_("This access has ended. Sign in again at /api/v1/auth/token."), rule="token")
    return Actor(
        user_id=claims.user_id,
        name=row.name,
        email=row.email,
        role=row.role,
        kind="api",
        channel_id=claims.channel_id,
        locale=row.locale,
        zone=row.zone,
        session_id=claims.session_id,
    )


def user_of_session(digest: bytes) -> UUID | None:
    """The account a session token stands for, while the sign-in stands."""
    return (
        db.session()
        .execute(
            select(SignInSession.user_id).where(
                SignInSession.digest == digest, SignInSession.ended_at.is_(None), SignInSession.expires_at > now()
            )
        )
        .scalar_one_or_none()
    )


def actor_of_user(user_id: UUID, *, kind: str = "person") -> Actor:
    """A person of this channel as an actor, for commands and machines."""
    member = get_member(user_id)
    user = db.session().get(User, user_id)
    return Actor(
        user_id=member.id,
        name=member.name,
        email=member.email,
        role=member.role if member.is_active else "",
        kind=kind,
        channel_id=current_channel(),
        locale=user.locale if user else "en",
        zone=user.zone if user else "UTC",
    )


def open_channels() -> Sequence[UUID]:
    """Every open channel; runs in a platform unit of work."""
    return db.session().execute(select(Channel.id).where(Channel.status == "open").order_by(Channel.created_at)).scalars().all()


def channel_of_host(host: str) -> ChannelFace | None:
    """The channel a host leads to, remembered for a few seconds; a lone channel also answers on this machine's own addresses."""
    kept = _faces.get(host)
    if kept and time.monotonic() - kept[0] < FRESH_SECONDS:
        return kept[1]
    with db.unit_of_work(platform=True, read_only=True) as session:
        known = select(Channel, _first_host(Channel.id)).where(Channel.status == "open")
        asked = aliased(Domain)
        found = session.execute(known.join(asked, asked.channel_id == Channel.id).where(asked.host == host)).first()
        if found is None and host in LOOPBACK:
            found = session.execute(known.order_by(Channel.created_at).limit(1)).first()
        face = face_of(found[0], _origin_at(found[1])) if found is not None else None
    if len(_faces) > 1000:
        _faces.clear()
    _faces[host] = (time.monotonic(), face)
    return face


def forget_faces() -> None:
    """Ask the database again about every host."""
    _faces.clear()


def face_of(channel: Channel, origin: str) -> ChannelFace:
    """A channel as pages see it."""
    return ChannelFace(
        id=channel.id,
        slug=channel.slug,
        name=channel.name,
        tagline=channel.tagline,
        currency=channel.currency,
        locale=channel.locale,
        zone=channel.zone,
        version=channel.version,
        is_demo=channel.is_demo,
        origin=origin,
        settings=channel.settings,
    )


def origin_of(channel_id: UUID) -> str:
    """`https://host` of a channel's first verified host, for links in mails and QR codes."""
    return _origin_at(db.session().execute(select(_first_host(channel_id))).scalar_one())


def _first_host(channel_id: Any) -> ScalarSelect[str]:
    hosts = select(Domain.host).where(Domain.channel_id == channel_id, Domain.verified_at.is_not(None))
    return hosts.order_by(Domain.created_at, Domain.host).limit(1).scalar_subquery()


def _origin_at(host: str | None) -> str:
    return _origin[0] if host is None or host in LOOPBACK else f"https://{host}"


_origin: list[str] = ["http://localhost:8000"]


def local_origin(origin: str) -> None:
    """Say under which address this machine itself answers, for installs without a domain."""
    _origin[:] = [origin]


def absolute_url(path: str) -> str:
    """A link that works outside the browser: the channel's verified host and the path."""
    return origin_of(current_channel()) + path


def preference(user_id: UUID, name: str) -> dict[str, object]:
    """What a person prefers under a name; empty when nothing was said."""
    found = (
        db.session().execute(select(Preference.value).where(Preference.user_id == user_id, Preference.name == name)).scalar_one_or_none()
    )
    return dict(found or {})


def picture_key(channel_id: UUID, name: str) -> str:
    """Where the picture of that name is stored; raises NotFound for what is no name of ours."""
    if not re.fullmatch("[0-9a-f]{32}", name):
        raise NotFound(_("There is nothing at this address."))
    return f"{channel_id}/people/{name}.webp"


def logo_of(channel: Channel) -> bytes:
    """The picture of the academy's logo, WebP; empty without one."""
    if not channel.logo_url:
        return b""
    try:
        with storage().open(picture_key(channel.id, channel.logo_url.rpartition("/")[2])) as file:
            return file.read()
    except NotFound:
        return b""


def verified_origins() -> list[str]:
    """The https origins of every academy's verified hosts."""
    with db.unit_of_work(platform=True, read_only=True) as session:
        hosts = session.execute(select(Domain.host).where(Domain.verified_at.is_not(None)).order_by(Domain.host)).scalars()
        return [f"https://{host}" for host in hosts]
