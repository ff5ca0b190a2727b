"""The code of an authenticator app at sign-in, setting one up, and proving anew who sits at the screen."""

import time
from typing import Any
from urllib.parse import quote

import segno
from flask import g, render_template, session, url_for
from flask.typing import ResponseReturnValue

from lms.auth import operations, queries
from lms.auth.forms import AppCodeForm, ProveForm
from lms.auth.models import User
from lms.auth.views.door import SET_UP, bp, enter, home_of, keep_one, me, next_path, note_proof
from lms.auth.views.passkeys import asked_of, wanted
from lms.core.decisions import anyone, signed_in
from lms.core.errors import Conflict, Refusal
from lms.core.i18n import gettext as _
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved, own_path
from lms.web.toasts import toast


@bp.route("/app", methods=["GET", "POST"])
def app() -> ResponseReturnValue:
    """Take the code of the authenticator app, the last step of signing in for those who have one."""
    allow(anyone())
    pending = session.get("app_pending")
    if not pending or pending["until"] < time.time():
        return moved(url_for(".sign_in", next=next_path() or None))
    form = AppCodeForm()
    page = {"form": form, "email": pending["email"], "next": next_path() or None}
    if not form.is_submitted():
        return render_template("auth/app.html", **page)
    if not form.validate():
        return invalid("auth/app.html", page="auth/app.html", **page)
    try:
        user = queries.find_user(pending["email"])
        if user is None or user.status != "active":
            raise Conflict(_("This account cannot sign in at the moment. Ask an admin."))
        operations.use_app_code(user, form.code.data)
        enter(user)
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/app.html", page="auth/app.html", **page)
    session.pop("app_pending", None)
    if pending["then"] == "reset":
        session["may_set_password"] = True
        return moved(url_for(".password"))
    return moved(own_path(next_path(), home_of(user.id)))


@bp.route("/prove", methods=["GET", "POST"])
def prove() -> ResponseReturnValue:
    """Prove anew who sits here, before something that weighs: by a passkey, the app's code, or the password."""
    allow(signed_in(actor()))
    user = queries.get_user(me())
    form = ProveForm()
    if not form.is_submitted():
        return render_template("auth/prove.html", **_prove_page(form, user))
    try:
        if form.answer.data:
            operations.prove_by_passkey(user, form.answer.data, asked_of())
        else:
            operations.check_proof(user, password=form.password.data or "", code=form.code.data or "")
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/prove.html", page="auth/prove.html", **_prove_page(form, user))
    row = queries.live_session(session.digest)  # type: ignore[attr-defined]
    session.rotate()  # type: ignore[attr-defined]
    if row is not None:
        operations.prove_session(row, session.digest, by=actor())  # type: ignore[attr-defined]
    return moved(own_path(next_path(), home_of(user.id)))


@bp.route("/second-factor")
def second_factor() -> ResponseReturnValue:
    """What sign-ins ask for beside the password, and setting up an authenticator app."""
    allow(signed_in(actor()))
    return render_template("auth/second_factor.html", **_second_factor(queries.get_user(me()), AppCodeForm()))


@bp.route("/second-factor/begin", methods=["POST"])
def second_factor_begin() -> ResponseReturnValue:
    """Show a new key for an authenticator app; nothing changes until its first code is typed."""
    allow(signed_in(actor()), fresh=True)
    session["app_key"] = operations.new_app_key()
    return moved(url_for(".second_factor"))


@bp.route("/second-factor/confirm", methods=["POST"])
def second_factor_confirm() -> ResponseReturnValue:
    """Turn the app on with its first code."""
    allow(signed_in(actor()), fresh=True)
    user, form, key = queries.get_user(me()), AppCodeForm(), session.get("app_key")
    if not key:
        return moved(url_for(".second_factor"))
    try:
        if not form.validate():
            return invalid("auth/second_factor.html", page="auth/second_factor.html", **_second_factor(user, form))
        codes = operations.turn_app_on(user, key, form.code.data, by=actor())
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/second_factor.html", page="auth/second_factor.html", **_second_factor(user, form))
    session.pop("app_key", None)
    session.pop(SET_UP, None)
    note_proof(user.id)
    session["recovery_codes"] = codes
    toast(_("From the next sign-in on, you are asked for a code of the app."))
    return moved(url_for(".second_factor"))


@bp.route("/second-factor/kept", methods=["POST"])
def second_factor_kept() -> ResponseReturnValue:
    """Stop showing the recovery codes."""
    allow(signed_in(actor()))
    session.pop("recovery_codes", None)
    return moved(url_for(".second_factor"))


@bp.route("/second-factor/renew", methods=["POST"])
def second_factor_renew() -> ResponseReturnValue:
    """Make ten new recovery codes; the old ones stop working."""
    allow(signed_in(actor()), fresh=True)
    user = queries.get_user(me())
    if user.has_app:
        session["recovery_codes"] = operations.renew_recovery_codes(user, by=actor())
    return moved(url_for(".second_factor"))


@bp.route("/second-factor/off", methods=["POST"])
def second_factor_off() -> ResponseReturnValue:
    """Go on without the app."""
    allow(signed_in(actor()), fresh=True)
    user = queries.get_user(me())
    keep_one(user, left=len(queries.passkeys_of(user.id)))
    operations.turn_app_off(user, by=actor())
    session.pop("recovery_codes", None)
    toast(_("Sign-ins do not ask for the app any more."))
    return moved(url_for(".second_factor"))


def _prove_page(form: ProveForm, user: User) -> dict[str, Any]:
    options = wanted(user) if queries.passkeys_of(user.id) else ""
    return {"form": form, "user": user, "has_password": user.password_hash is not None, "options": options, "next": next_path() or None}


def _second_factor(user: User, form: AppCodeForm) -> dict[str, Any]:
    key = "" if user.has_app else session.get("app_key", "")
    picture = segno.make(_address(user, key), micro=False).svg_data_uri(scale=5, border=3, dark="#111", light="#fff") if key else ""
    return {
        "user": user,
        "form": form,
        "key": key,
        "picture": picture,
        "codes": session.get("recovery_codes", []),
        "must": session.get(SET_UP, False),
    }


def _address(user: User, key: str) -> str:
    """What an authenticator app reads from the picture (Google's key URI format, which all of them read)."""
    name = quote(g.channel.name)
    return f"otpauth://totp/{name}:{quote(user.email)}?secret={key}&issuer={name}&digits=6&period=30&algorithm=SHA1"
