"""Passkeys: signing in with one, and those a person has."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from ipaddress import ip_address
from os import urandom
from uuid import UUID

from flask import g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.auth import operations, queries
from lms.auth.errors import WrongPasskey
from lms.auth.forms import PasskeyForm, ShowPasskeyForm
from lms.auth.models import SignInSession, User
from lms.auth.operations import Ceremony
from lms.auth.views.door import SET_UP, bp, enter, home_of, keep_one, me, next_path, note_proof
from lms.core.decisions import anyone, signed_in
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved, own_path
from lms.web.toasts import toast

CHALLENGE_SECONDS = 600
KEY = "passkey_challenge"


def ceremony() -> Ceremony | None:
    """What a browser is to sign on the page being made, the same for every tab of it; None at an address that can have no passkeys."""
    host = request.host.partition(":")[0]
    if _is_address(host):
        return None
    kept = session.get(KEY)
    if not kept or kept["until"] < time.time() + CHALLENGE_SECONDS / 2:
        kept = {"bytes": urlsafe_b64encode(urandom(32)).decode(), "until": time.time() + CHALLENGE_SECONDS}
        session[KEY] = kept
    return Ceremony(urlsafe_b64decode(kept["bytes"]), host, request.host_url.rstrip("/"))


def asked_of() -> Ceremony:
    """What the browser was asked to sign, good for one answer; raises WrongPasskey when it is too long ago."""
    kept = session.pop(KEY, None)
    if not kept or kept["until"] < time.time():
        raise WrongPasskey(_("That took too long. Try once more."))
    return Ceremony(urlsafe_b64decode(kept["bytes"]), request.host.partition(":")[0], request.host_url.rstrip("/"))


def wanted(user: User | None = None) -> str:
    """What a page hands its browser to show a passkey of this host, or one of a person's; "" where there can be none."""
    found = ceremony()
    return operations.passkey_to_show(found, user) if found is not None else ""


@bp.route("/passkey", methods=["GET", "POST"])
def passkey() -> ResponseReturnValue:
    """Sign in with a passkey: it proves having the device and unlocking it, so nothing else is asked."""
    allow(anyone())
    form = ShowPasskeyForm()
    if not form.is_submitted():
        return render_template("auth/passkey.html", form=form, options=wanted(), next=next_path() or None)
    try:
        user = operations.use_passkey(form.answer.data or "", asked_of())
        enter(user, strongly=True)
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/passkey.html", page="auth/passkey.html", form=form, options=wanted(), next=next_path() or None)
    return moved(own_path(next_path(), home_of(user.id)))


@bp.route("/passkeys")
def passkeys() -> ResponseReturnValue:
    """My passkeys."""
    allow(signed_in(actor()))
    return render_template("auth/passkeys.html", rows=queries.passkeys_of(me()), possible=ceremony() is not None)


@bp.route("/passkeys/new", methods=["GET", "POST"])
def passkeys_new() -> ResponseReturnValue:
    """Make a passkey: the browser makes it, its public half is kept here."""
    allow(signed_in(actor()), fresh=True)
    form = PasskeyForm()
    if not form.is_submitted():
        form.name.data = SignInSession(device=request.user_agent.string).device_name
        return render_template("auth/passkeys_new.html", form=form, options=_to_make())
    try:
        made = operations.add_passkey(queries.get_user(me()), form.answer.data or "", asked_of(), name=form.name.data or "", by=actor())
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/passkeys_new.html", page="auth/passkeys_new.html", form=form, options=_to_make())
    session.pop(SET_UP, None)
    note_proof(me())
    toast(_("From now on “%(name)s” signs you in by itself.", name=made.name))
    return moved(url_for(".passkeys"))


@bp.route("/passkeys/<uuid:passkey_id>/remove", methods=["POST"])
def passkeys_remove(passkey_id: UUID) -> ResponseReturnValue:
    """Forget one of my passkeys."""
    allow(signed_in(actor()), fresh=True)
    found = queries.get_passkey(passkey_id, me())
    user = queries.get_user(me())
    keep_one(user, left=len(queries.passkeys_of(user.id)) - 1 + user.has_app)
    operations.remove_passkey(found, user, by=actor())
    toast(_("“%(name)s” does not sign you in any more. Delete it on its device too.", name=found.name))
    return moved(url_for(".passkeys"))


def _to_make() -> str:
    found = ceremony()
    return operations.passkey_to_make(queries.get_user(me()), found, academy=g.channel.name) if found is not None else ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
