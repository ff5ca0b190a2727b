"""Door 1: what I was told, what I wish to hear, and the way out that stands in every mail."""

from uuid import UUID

from flask import Blueprint, jsonify, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.core import markdown, tickets
from lms.core.decisions import anyone
from lms.core.errors import Invalid, Refusal, Unauthenticated
from lms.core.i18n import gettext as _
from lms.notifications import operations, policies, queries
from lms.notifications.forms import UnsubscribeForm, wishes_form, wishes_said
from lms.notifications.models import KINDS
from lms.web.access import actor, allow
from lms.web.answers import changed, invalid, moved, own_path
from lms.web.csrf import signed_door
from lms.web.socket_doors import socket_url
from lms.web.toasts import toast

bp = Blueprint("notifications", __name__, url_prefix="/notifications")


def _me() -> UUID:
    user_id = actor().user_id
    if user_id is None:
        raise Unauthenticated(_("Sign in first."))
    return user_id


@bp.route("/")
def index() -> ResponseReturnValue:
    """What I was told, newest first."""
    allow(policies.can_read(actor()))
    before = request.args.get("before", "")
    try:
        place = UUID(before) if before else None
    except ValueError as error:
        raise Invalid(_("That page is not there. Go back to the newest.")) from error
    unseen_only = request.args.get("only") == "unseen"
    found = queries.notices_of(_me(), before=place, unseen_only=unseen_only, size=queries.PAGE + 1)
    return render_template(
        "notifications/index.html",
        notices=found[: queries.PAGE],
        older=found[queries.PAGE - 1].id if len(found) > queries.PAGE else None,
        unseen_only=unseen_only,
        unseen=queries.count_unseen(_me()),
    )


@bp.route("/<uuid:notice_id>/open", methods=["POST"])
def open(notice_id: UUID) -> ResponseReturnValue:
    """Go to what a notice is about; it counts as seen."""
    notice = queries.get_notice(notice_id)
    allow(policies.can_touch(actor(), notice))
    operations.mark_seen(notice)
    return moved(own_path(notice.href, url_for(".index")))


@bp.route("/<uuid:notice_id>/seen", methods=["POST"])
def seen(notice_id: UUID) -> ResponseReturnValue:
    """Mark one notice as seen."""
    notice = queries.get_notice(notice_id)
    allow(policies.can_touch(actor(), notice))
    operations.mark_seen(notice)
    return changed("notifications/_notice.html", otherwise=url_for(".index"), notice=notice)


@bp.route("/all/seen", methods=["POST"])
def all_seen() -> ResponseReturnValue:
    """Mark everything as seen."""
    allow(policies.can_read(actor()))
    operations.mark_all_seen(_me())
    return moved(url_for(".index"))


@bp.route("/messages/<uuid:broadcast_id>")
def messages_show(broadcast_id: UUID) -> ResponseReturnValue:
    """A message that was written to me among others, in full."""
    broadcast = queries.get_broadcast(broadcast_id)
    allow(policies.can_read_message(actor(), queries.find_recipient(broadcast_id, actor().user_id)))
    return render_template("notifications/messages_show.html", broadcast=broadcast, html=markdown.render(broadcast.body, top=2))


@bp.route("/bell/tickets", methods=["POST"])
def bell_tickets() -> ResponseReturnValue:
    """A one-time ticket for this page's socket, and where to use it."""
    allow(policies.can_read(actor()))
    made = tickets.make_ticket("bell", session.digest, by=actor())  # type: ignore[attr-defined]  # our sessions have one
    return jsonify(url=socket_url("/ws/notifications/bell"), ticket=made)


@bp.route("/preferences", methods=["GET", "POST"])
def preferences() -> ResponseReturnValue:
    """What I wish to hear of, how, and when."""
    allow(policies.can_read(actor()))
    kinds, page = queries.kinds_for(actor()), "notifications/preferences.html"
    form = wishes_form(kinds, queries.choices_of(_me()), queries.habit_of(_me()))
    if not form.is_submitted():
        return render_template(page, form=form, kinds=kinds)
    if form.validate():
        try:
            habit = {name: form[name].data for name in ("digest_hour", "digest_day", "quiet_from", "quiet_to", "is_silent")}
            saved = operations.set_habit(_me(), by=actor(), **habit)
            saved = operations.set_wishes(_me(), wishes_said(form, kinds), by=actor()) or saved
            toast(_("Saved.") if saved else _("Nothing was changed."))
            return moved(url_for(".preferences"))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, kinds=kinds)


@bp.route("/unsubscribe/<token:token>", methods=["GET", "POST"])
@signed_door
def unsubscribe_show(token: str) -> ResponseReturnValue:
    """Stop one kind of mails, or all, by the link in any of them: a page, and the one-click POST of mail programs (RFC 8058)."""
    reader, kind = operations.who_unsubscribes(token)
    allow(anyone())
    if request.method == "POST":
        operations.unsubscribe(reader, operations.EVERYTHING if "all" in request.form else kind)
    is_silent = queries.habit_of(reader.user_id).is_silent
    return render_template(
        "notifications/unsubscribe_show.html",
        form=UnsubscribeForm(),
        kind=KINDS.get(kind),
        email=_veiled(reader.email),
        is_silent=is_silent,
        is_on=not is_silent and (kind not in KINDS or queries.ways_of([reader.user_id], kind)[reader.user_id].mail),
    )


@bp.route("/bounces/<token:token>", methods=["POST"])
@signed_door
def bounces_show(token: str) -> ResponseReturnValue:
    """The mail provider reports addresses that mails came back from: JSON of {"address", "reason"}, one or a list."""
    operations.check_bounce_token(token)
    allow(anyone())
    given = request.get_json(silent=True)
    rows = [row for row in (given if isinstance(given, list) else [given]) if isinstance(row, dict)]
    if given is None or not all(isinstance(row.get("address"), str) for row in rows):
        raise Invalid(_("Send a JSON object with address and reason, or a list of them."))
    noted = operations.note_bounces((row["address"].strip(), str(row.get("reason") or "")) for row in rows)
    return jsonify(noted=noted)


def _veiled(email: str) -> str:
    name, at, host = email.partition("@")
    return f"{name[:1]}•••{at}{host}"
