"""Sign up, sign in, sign out, one-time codes, invitations, where I am signed in."""

import re
from typing import Any
from uuid import UUID

from flask import g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user

from lms.auth import operations, policies, queries
from lms.auth.errors import BadInvitation, WrongSignIn
from lms.auth.forms import AddressForm, CodeForm, PasswordForm, RegisterForm, SignInForm
from lms.auth.models import User
from lms.auth.views.door import ask_for_app_code, ask_for_passkey, bp, enter, home_of, is_staff, me, next_path, wants_passkey
from lms.auth.views.passkeys import wanted
from lms.core import mail
from lms.core.decisions import anyone, signed_in
from lms.core.errors import Conflict, NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.core.ids import token
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved, own_path
from lms.web.cycle import earlier
from lms.web.face import faces
from lms.web.toasts import toast


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Ask for name, address and password, and send a code to the address."""
    allow(anyone())
    asked = faces.ask_newcomers() if faces.ask_newcomers else {}
    form, page = type("RegisterForm", (RegisterForm,), asked)(), "auth/register.html"
    shown = {"form": form, "asked": list(asked), "next": next_path() or None}
    if not form.is_submitted():
        return render_template(page, **shown)
    if not form.validate():
        return invalid(page, page=page, **shown)
    try:
        if faces.why_shut is not None and (why := faces.why_shut(next_path())):
            raise Conflict(why, rule="next")
        _limit(form.email.data)
        operations.check_new_password(form.password.data, name=form.name.data, email=form.email.data)
        answers = {name: form[name].data or "" for name in asked}
        more = {"name": form.name.data, "password_hash": operations.hash_password(form.password.data), "answers": answers}
        _send_code(form.email.data, "register", more)
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid(page, page=page, **shown)
    return moved(url_for(".code", next=next_path() or None))


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password; staff get a code by mail as the second step."""
    allow(anyone())
    form = SignInForm()
    if not form.is_submitted():
        return render_template("auth/sign_in.html", **_sign_in_page(form))
    if not form.validate():
        return invalid("auth/sign_in.html", page="auth/sign_in.html", **_sign_in_page(form))
    try:
        _limit(form.email.data)
        if "with_code" in request.form:
            _send_code(form.email.data, "sign_in", {})
            return moved(url_for(".code", next=next_path() or None))
        user = operations.check_password(form.email.data, form.password.data or "")
        if user.has_app:
            return ask_for_app_code(user)
        if wants_passkey(user):
            return ask_for_passkey()
        if is_staff(user.id):
            _send_code(form.email.data, "sign_in", {})
            return moved(url_for(".code", next=next_path() or None))
        enter(user)
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/sign_in.html", page="auth/sign_in.html", **_sign_in_page(form))
    return moved(own_path(next_path(), home_of(user.id)))


@bp.route("/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """Take the code from the mail, and finish what it was asked for."""
    allow(anyone())
    pending = session.get("pending")
    if not pending:
        return moved(url_for(".sign_in", next=next_path() or None))
    form = CodeForm()
    if not form.is_submitted():
        return render_template("auth/code.html", **_code_page(form, pending))
    if not form.validate():
        return invalid("auth/code.html", page="auth/code.html", **_code_page(form, pending))
    try:
        with earlier():
            code_id = operations.count_try(pending["email"], pending["purpose"])
        operations.use_code(code_id, form.code.data, pending["flow"])
        user = _user_of(pending)
        if wants_passkey(user):
            return ask_for_passkey()
        if not user.has_app:
            enter(user)
            if faces.keep_answers is not None and pending["more"].get("answers"):
                faces.keep_answers(user.id, pending["more"]["answers"])
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/code.html", page="auth/code.html", **_code_page(form, pending))
    session.pop("pending", None)
    if user.has_app:
        return ask_for_app_code(user, then=pending["purpose"])
    if pending["purpose"] == "reset":
        session["may_set_password"] = True
        return moved(url_for(".password"))
    return moved(own_path(next_path(), home_of(user.id)))


@bp.route("/code/again", methods=["POST"])
def code_again() -> ResponseReturnValue:
    """Send a new code for what is under way."""
    allow(anyone())
    pending = session.get("pending")
    if pending:
        _limit(pending["email"])
        _send_code(pending["email"], pending["purpose"], pending["more"])
        toast(_("A new code is on its way. Only the newest one works."))
    return moved(url_for(".code", next=next_path() or None))


@bp.route("/forgot", methods=["GET", "POST"])
def forgot() -> ResponseReturnValue:
    """Send a code with which a forgotten password is replaced."""
    allow(anyone())
    form = AddressForm()
    if not form.is_submitted():
        return render_template("auth/forgot.html", form=form)
    if not form.validate():
        return invalid("auth/forgot.html", page="auth/forgot.html", form=form)
    try:
        _limit(form.email.data)
        _send_code(form.email.data, "reset", {})
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/forgot.html", page="auth/forgot.html", form=form)
    return moved(url_for(".code"))


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Choose a new password, right after proving the address."""
    user_id = actor().user_id
    allow(signed_in(actor()))
    form = PasswordForm()
    if user_id is None or not session.get("may_set_password"):
        return moved(url_for(".sessions"))
    if not form.is_submitted():
        return render_template("auth/password.html", form=form)
    if not form.validate():
        return invalid("auth/password.html", page="auth/password.html", form=form)
    try:
        operations.set_password(queries.get_user(user_id), form.password.data, by=actor())
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/password.html", page="auth/password.html", form=form)
    session.pop("may_set_password", None)
    toast(_("Your password is changed. Other browsers were signed out."))
    return moved(home_of(user_id))


@bp.route("/invitations/<token:invitation>", methods=["GET", "POST"])
def invitations_show(invitation: str) -> ResponseReturnValue:
    """Take over an account somebody made for you, by choosing a password."""
    found = queries.get_invitation(invitation)
    allow(anyone())
    if found is None:
        raise NotFound(_("This invitation is not valid. Ask the person who invited you for a new one."))
    form = PasswordForm()
    user = queries.get_user(found.user_id)
    if not form.is_submitted():
        return render_template("auth/invitations_show.html", form=form, user=user, spent=found.used_at is not None)
    if not form.validate():
        return invalid("auth/invitations_show.html", page="auth/invitations_show.html", form=form, user=user, spent=False)
    try:
        user = operations.accept_invitation(invitation, form.password.data)
    except BadInvitation:
        raise
    except Refusal as refusal:
        form.refuse(refusal)
        return invalid("auth/invitations_show.html", page="auth/invitations_show.html", form=form, user=user, spent=False)
    enter(user)
    return moved(home_of(user.id))


@bp.route("/sign-out", methods=["POST"])
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    allow(anyone())
    row = queries.live_session(session.digest)  # type: ignore[attr-defined]
    if row is not None:
        operations.end_session(row, by=actor())
    logout_user()
    session.end()  # type: ignore[attr-defined]
    return moved("/")


@bp.route("/sessions")
def sessions() -> ResponseReturnValue:
    """Where I am signed in."""
    allow(signed_in(actor()))
    rows = queries.live_sessions(me())
    return render_template("auth/sessions.html", rows=rows, current=actor().session_id)


@bp.route("/sessions/<uuid:session_id>/end", methods=["POST"])
def sessions_end(session_id: UUID) -> ResponseReturnValue:
    """Sign one of my browsers out."""
    allow(signed_in(actor()))
    row = next((item for item in queries.live_sessions(me()) if item.id == session_id), None)
    if row is None:
        raise NotFound(_("That sign-in has ended already."))
    allow(policies.can_end(actor(), row))
    operations.end_session(row, by=actor())
    toast(_("Signed out there."))
    return moved(url_for(".sessions"))


@bp.route("/sessions/end-others", methods=["POST"])
def sessions_end_others() -> ResponseReturnValue:
    """Sign me out everywhere but here."""
    allow(signed_in(actor()))
    operations.end_sessions(me(), by=actor(), keep=actor().session_id)
    toast(_("Signed out everywhere else."))
    return moved(url_for(".sessions"))


def _limit(email: str) -> None:
    operations.limit_sign_in(email, request.remote_addr or "")


def _send_code(email: str, purpose: str, more: dict[str, Any]) -> None:
    """Send a code to the address; the answer to the browser is the same whether there is an account or not."""
    flow = token()
    session["pending"] = {"email": email, "purpose": purpose, "flow": flow, "more": more}
    operations.send_code(email, purpose, flow, channel=g.channel, language=_language())


def _language() -> str:
    return str(g.get("reader_locale", "en"))


def _user_of(pending: dict[str, Any]) -> User:
    """Whom the code was sent to: the account there is, or the one it makes."""
    if pending["purpose"] == "register":
        return operations.register_user(
            pending["more"]["name"], pending["email"], pending["more"]["password_hash"], locale=_language(), zone=g.channel.zone
        )
    found = queries.find_user(pending["email"])
    if found is None or found.status != "active":
        raise WrongSignIn(_("That code does not work. Check it, or ask for a new one."))
    return found


def _demo_sign_ins() -> list[dict[str, str]]:
    return list(g.channel.settings.get("demo_sign_ins", [])) if g.channel.is_demo else []


def _sign_in_page(form: SignInForm) -> dict[str, Any]:
    return {"form": form, "next": next_path(), "demo": _demo_sign_ins(), "options": wanted()}


def _code_page(form: CodeForm, pending: dict[str, Any]) -> dict[str, Any]:
    return {"form": form, "email": pending["email"], "next": next_path() or None, "demo_code": _demo_code(pending["email"])}


def _demo_code(email: str) -> str:
    """The code in the mail to a sign-in of the demo, whose password is on the sign-in page too; "" for everybody else."""
    if not mail.is_sink() or email not in [one["email"] for one in _demo_sign_ins()]:
        return ""
    newest = mail.newest(1, email)
    found = re.search(r"\b\d{6}\b", mail.readable(newest[0], newest[0].body_text)) if newest else None
    return found[0] if found else ""
