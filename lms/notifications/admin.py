"""Door 2: which mails an act will send, and which it stops."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.channels.queries import get_member, origin_of, this_channel
from lms.core import markdown
from lms.core.errors import Refusal
from lms.core.i18n import direction
from lms.core.i18n import gettext as _
from lms.courses.queries import get_course
from lms.notifications import jobs, operations, policies, queries
from lms.notifications.forms import BroadcastForm, TemplateForm, defaults_form, defaults_said
from lms.notifications.models import KINDS, Broadcast
from lms.notifications.queries import Audience
from lms.notifications.reports import STATES, TONES, Bounces, Broadcasts, Reached, Recipients
from lms.payments.queries import get_order
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.i18n import reader_zone
from lms.web.lists import answer_list, list_page
from lms.web.toasts import toast

bp = Blueprint("notifications_admin", __name__, url_prefix="/admin/notifications")


@bp.route("/people/<uuid:user_id>")
def people_show(user_id: UUID) -> ResponseReturnValue:
    """What one person was told and mailed (a piece of their page)."""
    person = get_member(user_id)
    allow(policies.can_see_mails_of(actor()))
    page = url_for("admin.system_mail", q=person.email)
    return fragment("notifications/admin/_people_show.html", page=page, person=person, told=queries.told(user_id, person.email))


@bp.route("/defaults", methods=["GET", "POST"])
def defaults() -> ResponseReturnValue:
    """How news comes to everybody who said nothing else."""
    allow(policies.can_set_defaults(actor()))
    kinds, page = list(KINDS.values()), "notifications/admin/defaults.html"
    form = defaults_form(kinds, queries.defaults())
    if not form.is_submitted():
        return render_template(page, form=form, kinds=kinds)
    if not form.validate():
        return invalid(page, page=page, form=form, kinds=kinds)
    saved = operations.set_defaults(defaults_said(form, kinds), by=actor())
    toast(_("Saved. Whoever chose something else keeps it.") if saved else _("Nothing was changed."))
    return moved(url_for(".defaults"))


@bp.route("/orders/<uuid:order_id>")
def orders_show(order_id: UUID) -> ResponseReturnValue:
    """The mails a refund of the order sends and stops (a piece of the order's refund)."""
    order = get_order(order_id)
    allow(policies.can_see_mails_of(actor()))
    return fragment(
        "notifications/admin/_orders_show.html",
        page=url_for("payments_admin.orders_show", order_id=order.id),
        order=order,
        person=get_member(order.user_id),
        reached=queries.find_reader(order.user_id) is not None,
        ways=queries.ways_of([order.user_id], "refund")[order.user_id],
    )


@bp.route("/messages")
def messages() -> ResponseReturnValue:
    """Messages to many."""
    return answer_list(Broadcasts(), "notifications/admin/messages.html")


@bp.route("/messages/new", methods=["GET", "POST"])
def messages_new() -> ResponseReturnValue:
    """Write a message to many; nobody gets it before it was looked at."""
    allow(policies.can_write_messages(actor()))
    form, page = BroadcastForm(actor()), "notifications/admin/messages_new.html"
    if not form.is_submitted():
        form.course_id.data = request.args.get("course") or form.course_id.data
        return render_template(page, form=form)
    if form.validate():
        try:
            audience = _audience(form)
            made = operations.write_broadcast(audience, by=actor(), **form.words(reader_zone()))
            return moved(url_for(".messages_show", broadcast_id=made.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form)


def _audience(form: BroadcastForm) -> Audience:
    """Whom the form means, when this person may write to them."""
    audience = form.audience()
    course = get_course(UUID(audience.course_id)) if audience.to == "course" else None
    allow(policies.can_write_to(actor(), audience, course))
    return audience


@bp.route("/messages/<uuid:broadcast_id>")
def messages_show(broadcast_id: UUID) -> ResponseReturnValue:
    """One message: who will get it, how far it is, then who got it and who did not, and why."""
    broadcast = queries.get_broadcast(broadcast_id)
    allow(policies.can_handle_broadcast(actor(), broadcast))
    audience = Audience.read(broadcast.audience)
    is_open = broadcast.state == "draft"
    report = Reached(audience) if is_open else Recipients(broadcast)
    return render_template(
        "notifications/admin/messages_show.html",
        broadcast=broadcast,
        audience=audience,
        about=queries.title_of(audience),
        list=list_page(report, counted=True),
        seen=0 if is_open else queries.count_seen(broadcast_id),
        html=markdown.render(broadcast.body, top=3),
        states=dict(STATES),
        tones=TONES,
    )


@bp.route("/messages/<uuid:broadcast_id>/edit", methods=["GET", "POST"])
def messages_edit(broadcast_id: UUID) -> ResponseReturnValue:
    """Write a draft anew."""
    broadcast = queries.get_broadcast(broadcast_id, lock=request.method == "POST")
    allow(policies.can_handle_broadcast(actor(), broadcast))
    page = "notifications/admin/messages_edit.html"
    form = BroadcastForm(actor(), data=_said(broadcast))
    if not form.is_submitted():
        return render_template(page, form=form, broadcast=broadcast)
    if form.validate():
        try:
            operations.edit_broadcast(broadcast, _audience(form), by=actor(), **form.words(reader_zone()))
            return moved(url_for(".messages_show", broadcast_id=broadcast_id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, broadcast=broadcast)


def _said(broadcast: Broadcast) -> dict[str, Any]:
    """A draft as its form has it."""
    when = broadcast.send_at.astimezone(reader_zone()).replace(tzinfo=None) if broadcast.send_at else None
    words = {name: getattr(broadcast, name) for name in ("subject", "body", "in_app", "mail")}
    return {**broadcast.audience, **words, "send_at": when}


@bp.route("/messages/<uuid:broadcast_id>/status")
def messages_status(broadcast_id: UUID) -> ResponseReturnValue:
    """How far a message is; once it rests, its page."""
    broadcast = queries.get_broadcast(broadcast_id)
    allow(policies.can_handle_broadcast(actor(), broadcast))
    page = url_for(".messages_show", broadcast_id=broadcast_id)
    return fragment("notifications/admin/_message_progress.html", page=page, broadcast=broadcast) if broadcast.is_working else moved(page)


@bp.route("/messages/<uuid:broadcast_id>/send", methods=["POST"])
def messages_send(broadcast_id: UUID) -> ResponseReturnValue:
    """Send a draft to those it means, now or at its time."""
    return _step(broadcast_id, operations.send_broadcast, goes_on=True)


@bp.route("/messages/<uuid:broadcast_id>/pause", methods=["POST"])
def messages_pause(broadcast_id: UUID) -> ResponseReturnValue:
    """Hold a message that is going out."""
    return _step(broadcast_id, operations.pause_broadcast)


@bp.route("/messages/<uuid:broadcast_id>/resume", methods=["POST"])
def messages_resume(broadcast_id: UUID) -> ResponseReturnValue:
    """Let a held message go on."""
    return _step(broadcast_id, operations.resume_broadcast, goes_on=True)


@bp.route("/messages/<uuid:broadcast_id>/cancel", methods=["POST"])
def messages_cancel(broadcast_id: UUID) -> ResponseReturnValue:
    """Call a message off; who was told stays told."""
    return _step(broadcast_id, operations.cancel_broadcast)


def _step(broadcast_id: UUID, act: Callable[..., None], *, goes_on: bool = False) -> ResponseReturnValue:
    broadcast = queries.get_broadcast(broadcast_id, lock=True)
    allow(policies.can_handle_broadcast(actor(), broadcast))
    act(broadcast, by=actor())
    if goes_on:
        jobs.send_broadcast.later(broadcast_id=broadcast_id)
    return moved(url_for(".messages_show", broadcast_id=broadcast_id))


@bp.route("/templates")
def templates() -> ResponseReturnValue:
    """The mails the academy may word itself."""
    allow(policies.can_word_mails(actor()))
    own = {key: [queries.language_name(one) for one in found] for key, found in queries.changed_templates().items()}
    known = [(key, operations.kind_of(message), operations.standard_words(message)[0]) for key, message in operations.wordable().items()]
    return render_template("notifications/admin/templates.html", known=known, own=own)


@bp.route("/templates/<key>", methods=["GET", "POST"])
def templates_show(key: str) -> ResponseReturnValue:
    """The words of one mail in one language: the form, the names to use in it, and how it would read."""
    message, language, academy = operations.get_message(key), _language(), this_channel()
    allow(policies.can_word_mails(actor()))
    own, page = queries.templates_of(key), "notifications/admin/templates_show.html"
    found = own.get(language)
    subject, body = (found.subject, found.body) if found else operations.standard_words(message, language)
    form = TemplateForm(data={"subject": subject, "body": body})
    if form.is_submitted() and form.validate():
        try:
            operations.set_template(key, subject=form.subject.data, body=form.body.data, by=actor(), language=language)
            toast(_("Saved. Mails have these words from now on."))
            return moved(url_for(".templates_show", key=key, language=language))
        except Refusal as refusal:
            form.refuse(refusal)
    shown = {
        "form": form,
        "key": key,
        "kind": operations.kind_of(message),
        "own": own,
        "language": language,
        "languages": queries.languages_to_word(academy.locale),
        "academy": academy.locale,
        "direction": direction(language),
        "variables": operations.variables_of(message),
        "is_whole": not message.act.message,
        "letter": operations.preview(key, actor(), language),
    }
    return invalid(page, page=page, **shown) if form.is_submitted() else render_template(page, **shown)


@bp.route("/templates/<key>/test", methods=["POST"])
def templates_test(key: str) -> ResponseReturnValue:
    """Send the mail to oneself, with values as they might be."""
    operations.get_message(key)
    allow(policies.can_word_mails(actor()))
    operations.send_sample(key, by=actor(), language=_language())
    toast(_("A sample is on its way to %(address)s.", address=actor().email))
    return moved(url_for(".templates_show", key=key, language=_language()))


@bp.route("/templates/<key>/reset", methods=["POST"])
def templates_reset(key: str) -> ResponseReturnValue:
    """Go back to the standard words."""
    operations.get_message(key)
    allow(policies.can_word_mails(actor()))
    operations.reset_template(key, by=actor(), language=_language())
    toast(_("The standard words are back."))
    return moved(url_for(".templates_show", key=key, language=_language()))


def _language() -> str:
    """The language whose words are looked at."""
    return operations.get_language(request.args.get("language", ""), academy=g.channel.locale)


@bp.route("/bounces")
def bounces() -> ResponseReturnValue:
    """Addresses that mails came back from, and where the provider reports them."""
    allow(policies.can_word_mails(actor()))
    origin = origin_of(g.channel.id)
    return answer_list(Bounces(), "notifications/admin/bounces.html", address=f"{origin}/notifications/bounces/{operations.bounce_token()}")


@bp.route("/bounces/<uuid:bounce_id>")
def bounces_show(bounce_id: UUID) -> ResponseReturnValue:
    """One address that mails came back from."""
    bounce = queries.get_bounce(bounce_id)
    allow(policies.can_word_mails(actor()))
    return render_template("notifications/admin/bounces_show.html", bounce=bounce)


@bp.route("/bounces/<uuid:bounce_id>/clear", methods=["POST"])
def bounces_clear(bounce_id: UUID) -> ResponseReturnValue:
    """Let mails go to the address again."""
    bounce = queries.get_bounce(bounce_id, lock=True)
    allow(policies.can_word_mails(actor()))
    operations.clear_bounce(bounce, by=actor())
    toast(_("Mails may go there again."))
    return moved(url_for(".bounces_show", bounce_id=bounce_id))
