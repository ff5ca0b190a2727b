"""Door 3: access tokens for machines, by password or by a code from the mail; sign-up; where I am signed in."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from flask import Blueprint, g, request
from pydantic import EmailStr, Field, model_validator

from lms.auth import operations, policies, queries
from lms.auth.errors import WrongSignIn
from lms.auth.models import User
from lms.core.decisions import STAFF, anyone, signed_in
from lms.core.errors import Forbidden, NotFound, Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.ids import token
from lms.core.tokens import LIFE_SECONDS
from lms.web.access import actor, allow
from lms.web.api import Answer, Body, endpoint
from lms.web.cycle import earlier
from lms.web.face import faces

bp = Blueprint("auth_api", __name__, url_prefix="/api/v1/auth")
Address = Annotated[EmailStr, Field(max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(min_length=6, max_length=12, description="The six digits from the mail")]
Flow = Annotated[str, Field(min_length=20, max_length=100, description="The `flow` the request for the code answered")]
Otp = Annotated[str, Field(min_length=6, max_length=20, description="The code of the authenticator app, for those who have one")]


class TokenRequest(Body):
    """Address and password, or address and the code from the mail with its flow."""

    email: Address
    password: Password | None = None
    code: Code | None = None
    flow: Flow | None = None
    otp: (
        Annotated[str, Field(min_length=6, max_length=20, description="The code of the authenticator app, for those who have one")] | None
    ) = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        """Refuse a request that is neither or both."""
        if (self.password is None) == (self.code is None) or (self.code is None) != (self.flow is None):
            raise ValueError("Send a password, or a code with its flow.")
        return self


class CodeRequest(Body):
    """The address a code is wanted for."""

    email: Address


class Registration(Body):
    """Who wants an account."""

    name: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$")]
    email: Address
    password: Password


class Confirmation(Registration):
    """The same again, with the code that proves the address."""

    code: Code
    flow: Flow


class Acceptance(Body):
    """The last part of the invitation's link, and the password chosen."""

    invitation: Annotated[str, Field(min_length=20, max_length=200)]
    password: Password


class RefreshRequest(Body):
    """A refresh token."""

    refresh_token: Annotated[str, Field(min_length=20, max_length=200)]


class TokenPair(Answer):
    """An access token for 15 minutes, and a refresh token that gives the next pair, once, within 7 days."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105  # the kind of token, as RFC 6749 names it
    expires_in: int = LIFE_SECONDS
    user_id: UUID


class CodeSent(Answer):
    """A code is on its way by mail, if the address fits; send it with this flow."""

    flow: str
    expires_in: int = int(operations.CODE_LIFE.total_seconds())


class SessionRow(Answer):
    """A browser signed in."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class Sessions(Answer):
    """The browsers signed in, newest first."""

    rows: list[SessionRow]


@bp.post("/token")
@endpoint(public=True, also={202: CodeSent})
def token_create(body: TokenRequest) -> TokenPair | CodeSent:
    """Sign in: a pair of tokens, or for staff with a password 202 and a code by mail as the second step."""
    allow(anyone())
    operations.limit_sign_in(body.email, request.remote_addr or "")
    if body.password is None:
        user = _user_by_code(body.email, "api", body.code or "", body.flow or "")
        _check_app(user, body.otp)
        return _pair_of(user)
    user = operations.check_password(body.email, body.password)
    _check_app(user, body.otp)
    if _role_of(user) in STAFF and not user.has_app:
        return _send_code(body.email, "api")
    return _pair_of(user)


@bp.post("/code")
@endpoint(public=True, status=202)
def code_create(body: CodeRequest) -> CodeSent:
    """Have a code sent, to sign in with; the answer is the same whether there is an account or not."""
    allow(anyone())
    operations.limit_sign_in(body.email, request.remote_addr or "")
    return _send_code(body.email, "api")


@bp.post("/register")
@endpoint(public=True, status=202)
def register(body: Registration) -> CodeSent:
    """Begin an account: a code goes to the address."""
    allow(anyone())
    operations.limit_sign_in(body.email, request.remote_addr or "")
    operations.check_new_password(body.password, name=body.name, email=body.email)
    return _send_code(body.email, "register")


@bp.post("/register/confirm")
@endpoint(public=True, status=201)
def register_confirm(body: Confirmation) -> TokenPair:
    """Make the account with the code from the mail, and sign in."""
    allow(anyone())
    operations.limit_sign_in(body.email, request.remote_addr or "")
    operations.check_new_password(body.password, name=body.name, email=body.email)
    with earlier():
        code_id = operations.count_try(body.email, "register")
    operations.use_code(code_id, body.code, body.flow)
    hashed = operations.hash_password(body.password)
    user = operations.register_user(body.name, body.email, hashed, locale=str(g.get("reader_locale", "en")), zone=g.channel.zone)
    return _pair_of(user)


@bp.post("/invitations/accept")
@endpoint(public=True)
def invitations_accept(body: Acceptance) -> TokenPair:
    """Take over an account somebody made for me, with the token of the mail's link and a password, and sign in."""
    allow(anyone())
    operations.limit_sign_in(body.invitation, request.remote_addr or "")
    return _pair_of(operations.accept_invitation(body.invitation, body.password))


@bp.post("/refresh")
@endpoint(public=True)
def refresh(body: RefreshRequest) -> TokenPair:
    """Trade a refresh token for a new pair; one used before ends the whole sign-in."""
    allow(anyone())
    with earlier():
        made = operations.refresh(body.refresh_token)
    if made.tokens is None or (made.refusal is not None):
        raise made.refusal or Unauthenticated(_("Sign in again."))
    return TokenPair.model_validate(made.tokens)


@bp.post("/revoke")
@endpoint(public=True, status=204)
def revoke(body: RefreshRequest) -> None:
    """End the sign-in a refresh token belongs to; its access tokens end at once. Unknown tokens answer the same."""
    allow(anyone())
    operations.revoke(body.refresh_token)


@bp.get("/sessions")
@endpoint()
def sessions() -> Sessions:
    """The browsers where I am signed in."""
    allow(signed_in(actor()))
    rows = queries.live_sessions(_me())
    return Sessions(rows=[SessionRow.model_validate(row) for row in rows])


@bp.delete("/sessions/<uuid:session_id>")
@endpoint(status=204)
def sessions_delete(session_id: UUID) -> None:
    """Sign one of my browsers out."""
    row = next((item for item in queries.live_sessions(_me()) if item.id == session_id), None)
    if row is None:
        raise NotFound(_("That sign-in has ended already."))
    allow(policies.can_end(actor(), row))
    operations.end_session(row, by=actor())


def _me() -> UUID:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


def _role_of(user: User) -> str:
    return faces.role_of(user.id) if faces.role_of is not None else ""


def _send_code(email: str, purpose: str) -> CodeSent:
    flow = token()
    operations.send_code(email, purpose, flow, channel=g.channel, language=str(g.get("reader_locale", "en")))
    return CodeSent(flow=flow)


def _user_by_code(email: str, purpose: str, code: str, flow: str) -> User:
    with earlier():
        code_id = operations.count_try(email, purpose)
    operations.use_code(code_id, code, flow)
    user = queries.find_user(email)
    if user is None or user.status != "active":
        raise WrongSignIn(_("That code does not work. Check it, or ask for a new one."))
    return user


def _check_app(user: User, otp: str | None) -> None:
    """Those with an authenticator app send its code too."""
    if user.has_app:
        if otp is None:
            raise Unauthenticated(_("Send the code of your authenticator app as `otp` too."), rule="otp")
        operations.use_app_code(user, otp)
    elif g.channel.settings.get("strong_staff") and _role_of(user) in STAFF:
        raise Forbidden(_("Staff of this academy need an authenticator app here. Set one up under your profile."), rule="strong_staff")


def _pair_of(user: User) -> TokenPair:
    """Sign in as the person; whoever comes here for the first time is a student here."""
    if faces.welcome is not None:
        faces.welcome(user.id, user.name, user.email)
    if not _role_of(user):
        raise Forbidden(_("You cannot sign in here at the moment. Ask an admin."), rule="suspended")
    made = operations.start_api_session(user, device=request.user_agent.string)
    return TokenPair.model_validate(made)
