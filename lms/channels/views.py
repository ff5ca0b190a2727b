"""Door 1: my own profile."""

from typing import Any

from flask import Blueprint, g, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.auth import queries as accounts
from lms.auth.models import User
from lms.channels import operations, policies, queries
from lms.channels.forms import ProfileForm, said_in, welcome_form, with_fields
from lms.channels.models import Member
from lms.core.decisions import anyone
from lms.core.errors import Invalid, Refusal, Unauthenticated
from lms.core.i18n import gettext as _
from lms.core.i18n import language_name, languages
from lms.core.storage import storage
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved, own_path
from lms.web.cycle import close_work, open_work
from lms.web.toasts import toast
from lms.web.viewing import KEY, viewing

bp = Blueprint("channels", __name__, url_prefix="/channels")


@bp.route("/profile", methods=["GET", "POST"])
def profile() -> ResponseReturnValue:
    """My picture, name, language and time zone."""
    allow(policies.can_edit_self(actor()))
    user, member = _mine()
    fields = [one for one in queries.fields_here() if not one.is_private]
    form = with_fields(ProfileForm, fields)(obj=user, data=queries.values_of([member.id]).get(member.id, {}))
    form.locale.choices = [(code, language_name(code)) for code in languages()]
    own = [one.name for one in fields]
    if not form.is_submitted():
        return render_template("channels/profile.html", form=form, user=user, member=member, own=own)
    if not form.validate():
        return invalid("channels/profile.html", page="channels/profile.html", form=form, user=user, member=member, own=own)
    try:
        key = _stored(form.picture.data)
    except Refusal as refusal:
        form.refuse(Invalid(refusal.sentence, fields={"picture": refusal.sentence}))
        user, member = _mine()
        return invalid("channels/profile.html", page="channels/profile.html", form=form, user=user, member=member, own=own)
    user, member = _mine()
    operations.edit_self(user, member, name=form.name.data, locale=form.locale.data, zone=form.zone.data, by=actor())
    operations.set_traits(member, said_in(form, fields), by=actor())
    if key:
        operations.change_picture(member, key, by=actor())
    toast(_("Saved."))
    return moved(url_for(".profile"))


@bp.route("/welcome", methods=["GET", "POST"])
def welcome() -> ResponseReturnValue:
    """What the academy must know of me, before I go on to where I was going."""
    allow(policies.can_edit_self(actor()))
    _user, member = _mine()
    going = own_path(request.values.get("next"), "/")
    fields = queries.unanswered(member.id)
    if not fields:
        return moved(going)
    form, page = welcome_form(fields), "channels/welcome.html"
    shown = {"form": form, "names": [one.name for one in fields], "next": going}
    if not form.is_submitted():
        return render_template(page, **shown)
    if not form.validate():
        return invalid(page, page=page, **shown)
    operations.keep_answers(member.id, said_in(form, fields))
    return moved(going)


@bp.route("/profile/picture/remove", methods=["POST"])
def profile_picture_remove() -> ResponseReturnValue:
    """Show my initials instead of a picture."""
    allow(policies.can_edit_self(actor()))
    _user, member = _mine()
    operations.change_picture(member, None, by=actor())
    toast(_("The picture is gone."))
    return moved(url_for(".profile"))


@bp.route("/viewing/stop", methods=["POST"])
def viewing_stop() -> ResponseReturnValue:
    """Stop looking at the pages as somebody else, and go back to that person's page."""
    allow(policies.can_stop_viewing(actor()))
    seen = viewing()
    session.pop(KEY, None)
    operations.end_viewings(viewer_id=actor().user_id, by=actor())
    if seen is None:
        return moved("/")
    toast(_("You see your own pages again."))
    return moved(url_for("channels_admin.people_show", user_id=seen.seen_as.user_id))


@bp.route("/pictures/<token:name>")
def pictures_show(name: str) -> ResponseReturnValue:
    """The picture of a person, to whoever has its address; a new picture has a new one."""
    key = queries.picture_key(g.channel.id, name)
    allow(anyone())
    close_work(commit=True)  # a slow store must hold no database connection
    with storage().open(key) as source:
        response = make_response(source.read(), 200, {"Content-Type": "image/webp"})
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _mine() -> tuple[User, Member]:
    user_id = actor().user_id
    if user_id is None:
        raise Unauthenticated(_("Sign in first."))
    return accounts.get_user(user_id), queries.get_member(user_id)


def _stored(upload: Any) -> str:
    """The key of a picture that was sent along; "" without one. The transaction waits for no picture: a new one begins afterwards."""
    if not upload or not upload.filename:
        return ""
    source = upload.read()
    close_work(commit=True)
    try:
        return operations.store_picture(source, g.channel.id)
    finally:
        open_work(read_only=False)
