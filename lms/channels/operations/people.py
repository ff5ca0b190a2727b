"""Every change of channels: opening one, its look and hosts, and the people in it. Nothing here commits."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from lms.auth import operations as accounts
from lms.auth import queries as auth_queries
from lms.auth.models import SignInSession, User
from lms.channels import queries
from lms.channels.errors import LastOwner, Taken
from lms.channels.events import MemberEdited, MemberJoined, MemberSuspended, RoleChanged
from lms.channels.models import Channel, Domain, Member, Preference, Viewing, picture_url
from lms.core import audit, bin, db, mail
from lms.core.clock import now
from lms.core.decisions import STAFF, Actor
from lms.core.errors import Conflict, Invalid
from lms.core.events import emit
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.images import make_pictures
from lms.core.money import is_currency
from lms.core.rights import rights_changed
from lms.core.storage import storage
from lms.core.tenancy import current_channel

PICTURE_SIDE = 256
VIEWING_LASTS = timedelta(minutes=30)


def open_channel(
    name: str, slug: str, *, currency: str, zone: str = "UTC", locale: str = "en", is_demo: bool = False, channel_id: UUID | None = None
) -> Channel:
    """A new channel; runs in a platform unit of work."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", slug):
        raise Invalid(_("A short name has small letters, digits and dashes, for example my-academy."), fields={"slug": slug})
    if not is_currency(currency):
        raise Invalid(_("%(code)s is no currency. Use an ISO 4217 code such as EUR.", code=currency))
    if db.session().scalar(select(Channel).where(Channel.slug == slug)) is not None:
        raise Taken(_("There is a channel called %(slug)s already.", slug=slug))
    made = Channel(id=channel_id or uuid7(), slug=slug, name=name, currency=currency, zone=zone, locale=locale, is_demo=is_demo)
    db.session().add(made)
    db.session().flush()
    return made


def add_host(channel_id: UUID, host: str, *, verified: bool) -> None:
    """Let a host lead to the channel; runs in a platform unit of work; repeating changes nothing."""
    host = host.strip().lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9.-]{1,253}", host):
        raise Invalid(_("%(host)s is no host name.", host=host))
    db.session().execute(
        insert(Domain)
        .values(host=host, channel_id=channel_id, verified_at=now() if verified else None, created_at=now())
        .on_conflict_do_nothing()
    )
    owner = db.session().execute(select(Domain.channel_id).where(Domain.host == host)).scalar_one()
    if owner != channel_id:
        raise Taken(_("%(host)s leads to another academy.", host=host))
    queries.forget_faces()


def join(user_id: UUID, name: str, email: str, *, role: str = "student", status: str = "active", by: Actor | None = None) -> Member:
    """Make an account a member; somebody who is one already stays what they are."""
    found = queries.find_member(user_id)
    if found is not None:
        if found.status == "invited" and status == "active":
            found.status = "active"
        return found
    made = Member(id=user_id, name=name, email=email, role=role, status=status)
    db.session().add(made)
    db.session().flush()
    by = by or Actor(user_id=user_id, name=name)
    audit.record("channels.join" if by.user_id == user_id else "channels.take_in", made, by=by, after={"role": role})
    emit(MemberJoined(user_id=user_id, role=role, by=by.user_id))
    return made


def welcome(user_id: UUID, name: str, email: str) -> None:
    """Whoever signs in here for the first time is a student here; an invited person is active from now on."""
    join(user_id, name, email)


def invite_person(name: str, email: str, role: str, *, by: Actor) -> Member:
    """Make somebody a member with a role and send an invitation by mail; a member already here is refused by name."""
    existing = auth_queries.user_id_of(email)
    there = queries.find_member(existing) if existing is not None else None
    if there is not None and there.status == "deleted":
        sentence = _("%(email)s was taken out of the academy. Bring the person back from the bin.", email=email)
        raise Conflict(sentence, fields={"email": sentence})
    if there is not None:
        sentence = _("%(email)s is here already. Open their page to change the role.", email=email)
        raise Conflict(sentence, fields={"email": sentence})
    user = accounts.add_user(name, email)
    member = join(user.id, name.strip(), user.email, role=role, status="invited", by=by)
    send_invitation(member, user, by=by)
    return member


def send_invitation(member: Member, user: User, *, by: Actor) -> None:
    """Send a fresh invitation link; earlier links stop working."""
    channel = queries.this_channel()
    link = queries.absolute_url(f"/auth/invitations/{accounts.invite(user, by=by)}")
    mail.send(
        member.email,
        "channels/mail/invitation",
        {"channel": queries.face_of(channel, ""), "member": member, "link": link, "by": by},
        to_user_id=member.id,
        language=channel.locale,
        secret=True,
    )


def send_way_in(member: Member, user: User, *, by: Actor) -> None:
    """Send a link with which the person chooses a new password; earlier links stop working."""
    channel = queries.this_channel()
    link = queries.absolute_url(f"/auth/invitations/{accounts.invite(user, by=by)}")
    context = {"channel": queries.face_of(channel, ""), "member": member, "link": link}
    mail.send(member.email, "channels/mail/way_in", context, to_user_id=member.id, language=user.locale, secret=True)


def edit_person(member: Member, values: Mapping[str, Any], *, by: Actor) -> bool:
    """Change what is known of a person; false when nothing changed."""
    changed = audit.update(member, "channels.edit_person", by=by, **values)
    if changed:
        member.version += 1
        emit(MemberEdited(user_id=member.id, by=by.user_id))
    return changed


def change_role(member: Member, role: str, *, by: Actor) -> None:
    """Give a member another role; the last owner keeps theirs. Their open sign-ins end when rights shrink."""
    before = member.role
    if before == role:
        return
    _keep_an_owner(member)
    audit.update(member, "channels.change_role", by=by, role=role)
    member.version += 1
    if role in STAFF and before not in STAFF:
        accounts.end_sessions(member.id, by=by)  # staff sign in with a second factor, and for a shorter time
    rights_changed(member.id)
    emit(RoleChanged(user_id=member.id, before=before, after=role, by=by.user_id))


def suspend(member: Member, *, by: Actor) -> None:
    """Stop a member from signing in and end their sessions; suspending twice changes nothing."""
    if member.status == "suspended":
        return
    _keep_an_owner(member)
    audit.update(member, "channels.suspend", by=by, status="suspended")
    member.version += 1
    accounts.end_sessions(member.id, by=by)
    rights_changed(member.id)
    emit(MemberSuspended(user_id=member.id, by=by.user_id))


def turn_app_off(member: Member, *, by: Actor) -> None:
    """Turn off the authenticator app of a person who has lost it, and sign them out; twice changes nothing."""
    db.become(member.id)
    accounts.turn_app_off(auth_queries.get_user(member.id), by=by)
    accounts.end_sessions(member.id, by=by)


def forget_passkeys(member: Member, *, by: Actor) -> None:
    """Take away the passkeys of a person who has lost them, and sign them out; twice changes nothing."""
    accounts.forget_passkeys(auth_queries.get_user(member.id), by=by)
    accounts.end_sessions(member.id, by=by)


def restore(member: Member, *, by: Actor) -> None:
    """Let a suspended member in again; restoring twice changes nothing."""
    if member.status == "suspended":
        audit.update(member, "channels.restore", by=by, status="active")
        member.version += 1
        emit(MemberEdited(user_id=member.id, by=by.user_id))


def bring_back(member: Member, status: str, *, by: Actor) -> None:
    """Let somebody who was taken out be here again, as what they were; bringing back twice changes nothing."""
    if member.status == "deleted":
        bin.expect_kept("person", member.id)
        audit.update(member, "channels.bring_back", by=by, status=status)
        member.version += 1
        bin.take_out("person", [member.id], by=by)
        emit(MemberEdited(user_id=member.id, by=by.user_id))


def _keep_an_owner(member: Member) -> None:
    if member.role not in ("owner", "admin"):
        return
    others = (
        db.session()
        .execute(
            select(func.count())
            .select_from(Member)
            .where(Member.role.in_(("owner", "admin")), Member.status == "active", Member.id != member.id)
        )
        .scalar_one()
    )
    if not others:
        raise LastOwner(_("This is the last admin. Make somebody else an admin first."))


def edit_channel(channel: Channel, values: Mapping[str, Any], *, by: Actor) -> bool:
    """Change the channel's name, money, language, zone or look; false when nothing changed."""
    changed = audit.update(channel, "channels.edit", by=by, **values)
    if changed:
        channel.version += 1
        queries.forget_faces()
    return changed


def demand_strong_staff(channel: Channel, demanded: bool, *, by: Actor) -> bool:
    """Have staff sign in with an app or a passkey, or let a code by mail do again; false when nothing changed.

    Raises Conflict for an admin who has neither: they would shut themselves out.
    """
    before = bool(channel.settings.get("strong_staff"))
    if before == demanded:
        return False
    if demanded and by.user_id is not None:
        user = auth_queries.get_user(by.user_id)
        if not user.has_app and not auth_queries.passkeys_of(user.id):
            sentence = _("Set up an app or a passkey for yourself first: from then on nobody works here without.")
            raise Conflict(sentence, fields={"strong_staff": sentence})
    channel.settings = {**channel.settings, "strong_staff": demanded}
    channel.version += 1
    audit.record("channels.demand", channel, by=by, before={"strong_staff": before}, after={"strong_staff": demanded})
    queries.forget_faces()
    return True


def set_logo(channel: Channel, key: str | None, *, by: Actor) -> bool:
    """Show a stored picture as the academy's logo, or none; false when it was so already. The one before stays for who takes it back."""
    return put_logo(channel, picture_url(key), by=by)


def put_logo(channel: Channel, address: str | None, *, by: Actor) -> bool:
    """Show the picture at one of our own addresses as the logo, or none; false when it was so already."""
    before = channel.logo_url
    if before == address:
        return False
    channel.settings = {**channel.settings, "logo_url": address}
    channel.version += 1
    audit.record("channels.set_logo", channel, by=by, before={"logo_url": before}, after={"logo_url": address})
    queries.forget_faces()
    return True


def edit_self(user: User, member: Member, *, name: str, locale: str, zone: str, by: Actor) -> None:
    """Change my own name, language and time zone."""
    audit.update(user, "auth.edit_self", by=by, name=name, locale=locale, zone=zone)
    edit_person(member, {"name": name}, by=by)


def store_picture(source: bytes, channel_id: UUID) -> str:
    """Make a picture of a person anew and store it; its key. Touches no database: call it outside of any transaction."""
    (picture,) = make_pictures(source, [PICTURE_SIDE])
    key = queries.picture_key(channel_id, uuid4().hex)
    storage().put(key, picture.data, "image/webp")
    return key


def change_picture(member: Member, key: str | None, *, by: Actor) -> None:
    """Show another picture of a person, or none; the one before is deleted once this is committed."""
    before = member.avatar_key
    if key != before and edit_person(member, {"avatar_key": key}, by=by) and before:
        db.after_commit(lambda: storage().delete(before))


def prefer(user_id: UUID, name: str, value: dict[str, Any]) -> None:
    """Keep what a person prefers under a name."""
    db.session().execute(
        insert(Preference)
        .values(id=uuid7(), user_id=user_id, name=name, value=value, channel_id=current_channel())
        .on_conflict_do_update(index_elements=["channel_id", "user_id", "name"], set_={"value": value})
    )


def start_viewing(member: Member, reason: str, *, by: Actor) -> Viewing:
    """Let an admin look at the pages as a person for half an hour; a viewing before this one ends."""
    if by.user_id is None:
        raise Invalid(_("Sign in first."))
    end_viewings(viewer_id=by.user_id, by=by)
    made = Viewing(viewer_id=by.user_id, user_id=member.id, reason=reason, started_at=now(), ends_at=now() + VIEWING_LASTS)
    db.session().add(made)
    db.session().flush()
    audit.record("channels.view_as", member, by=by, after={"reason": reason, "until": made.ends_at})
    return made


def end_viewings(*, viewer_id: UUID | None = None, by: Actor) -> int:
    """End an admin's viewings, or all whose time is over, with the number of pages seen in the audit; the number ended."""
    ended = queries.viewings_to_end(viewer_id=viewer_id)
    people = queries.members_by_id([one.user_id for one in ended])
    for one in ended:
        one.ended_at = min(now(), one.ends_at)
        told = {"reason": one.reason, "pages": one.pages, "started": one.started_at, "ended": one.ended_at}
        audit.record("channels.view_as_ended", people[one.user_id], by=by, after=told)
    return len(ended)


def count_viewed(viewing_id: UUID) -> None:
    """Count one page of a viewing."""
    one_more = update(Viewing).where(Viewing.id == viewing_id).values(pages=Viewing.pages + 1)
    db.session().execute(one_more.execution_options(synchronize_session=False))


def note_visit(digest: bytes) -> None:
    """Note that a session is in use, and that its person is here."""
    used = update(SignInSession).where(SignInSession.digest == digest).values(seen_at=now()).returning(SignInSession.user_id).cte("used")
    here = update(Member).where(Member.id == used.c.user_id).values(seen_at=now())
    db.session().execute(here.execution_options(synchronize_session=False))


def note_people_here(signs: Select[Any]) -> None:
    """Note when people were last here who left a sign elsewhere, as a statement of (user_id, at); nobody was here less lately for it."""
    found = signs.subquery()
    later = update(Member).where(Member.id == found.c.user_id, or_(Member.seen_at.is_(None), Member.seen_at < found.c.at))
    db.session().execute(later.values(seen_at=found.c.at).execution_options(synchronize_session=False))
