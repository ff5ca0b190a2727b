"""Codes mailed to a list of people, what became of each letter, and the alerts of the inbox."""

from datetime import UTC
from uuid import UUID

from flask import g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import now, zone
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.vouchers import jobs, operations, policies, queries
from lms.vouchers.admin.door import bp, seal_of
from lms.vouchers.forms import DoneForm, LettersForm
from lms.vouchers.reports import Alerts, Letters
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.lists import answer_list
from lms.web.toasts import toast
from lms.web.words import number

MOST_BYTES = 2_000_000


@bp.route("/batches/<uuid:batch_id>/codes/mail", methods=["GET", "POST"])
def batches_codes_mail(batch_id: UUID) -> ResponseReturnValue:
    """Mail each person of a list a code of their own."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_open_envelope(actor(), queries.find_envelope(batch.id), at=now()))
    form, page = LettersForm(), "vouchers/admin/batches_codes_mail.html"
    free = len(queries.free_codes(batch.id))
    if not form.is_submitted():
        return render_template(page, form=form, batch=batch, free=free)
    if form.validate():
        try:
            moment = form.send_at.data.replace(tzinfo=zone(g.channel.zone)).astimezone(UTC) if form.send_at.data else None
            if moment is not None and moment <= now():
                raise Invalid(
                    _("Some of this does not fit yet."), fields={"send_at": _("This moment is past. Choose a later one, or none.")}
                )
            people = operations.recipients_in(_list_of(form))
            codes = operations.open_codes(batch, seal=seal_of(batch))
            count = operations.send_codes(batch, codes, people, message=form.message.data or "", send_at=moment, by=actor())
            jobs.send_letters.put({}, run_at=moment)
            toast(ngettext("%(n)s letter is on its way.", "%(n)s letters are on their way.", count, n=number(count)), tone="success")
            return moved(url_for(".batches_letters", batch_id=batch.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, batch=batch, free=free)


def _list_of(form: LettersForm) -> str:
    """What was pasted, and what stands in the file."""
    file = request.files.get("file")
    raw = file.read(MOST_BYTES + 1) if file else b""
    if len(raw) > MOST_BYTES:
        raise Invalid(_("Some of this does not fit yet."), fields={"file": _("This file is too large. 2 MB are enough for 10,000 people.")})
    try:
        inside = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        inside = raw.decode("cp1252", "replace")
    both = "\n".join(part for part in (form.people.data or "", inside) if part.strip())
    if not both:
        raise Invalid(_("Some of this does not fit yet."), fields={"people": _("Say who gets a code: paste addresses, or choose a file.")})
    return both


@bp.route("/batches/<uuid:batch_id>/letters")
def batches_letters(batch_id: UUID) -> ResponseReturnValue:
    """The letters of a batch, and what became of each."""
    batch = queries.get_batch(batch_id)
    allow(policies.can_manage(actor()))
    return answer_list(Letters(batch), "vouchers/admin/batches_letters.html", batch=batch)


@bp.route("/letters/<uuid:letter_id>")
def letters_show(letter_id: UUID) -> ResponseReturnValue:
    """One letter: to whom, when, and what became of it; never the code."""
    letter = queries.get_letter(letter_id)
    allow(policies.can_manage(actor()))
    batch, code = queries.get_batch(letter.batch_id), queries.get_code(letter.code_id)
    return render_template("vouchers/admin/letters_show.html", letter=letter, batch=batch, code=code, form=DoneForm())


@bp.route("/letters/<uuid:letter_id>/withdraw", methods=["POST"])
def letters_withdraw(letter_id: UUID) -> ResponseReturnValue:
    """Keep a letter from going out."""
    letter = queries.get_letter(letter_id)
    allow(policies.can_manage(actor()))
    done = operations.withdraw_letter(letter.id, by=actor())
    toast(_("The letter stays here.") if done else _("This letter has gone already, or was held back before."))
    return moved(url_for(".letters_show", letter_id=letter.id))


@bp.route("/alerts")
def alerts() -> ResponseReturnValue:
    """What was warned of, and is."""
    allow(policies.can_manage(actor()))
    return answer_list(Alerts(), "vouchers/admin/alerts.html")


@bp.route("/alerts/<uuid:alert_id>")
def alerts_show(alert_id: UUID) -> ResponseReturnValue:
    """What an alert is about, and what can be done."""
    alert = queries.get_alert(alert_id)
    allow(policies.can_manage(actor()))
    batch = queries.get_batch(alert.batch_id) if alert.batch_id else None
    totals = queries.totals_of([batch.id]).get(batch.id) if batch else None
    return render_template("vouchers/admin/alerts_show.html", alert=alert, batch=batch, totals=totals, form=DoneForm())


@bp.route("/alerts/<uuid:alert_id>/settle", methods=["POST"])
def alerts_settle(alert_id: UUID) -> ResponseReturnValue:
    """Take an alert off the inbox."""
    alert = queries.get_alert(alert_id)
    allow(policies.can_manage(actor()))
    operations.settle_alert(alert, by=actor())
    toast(_("It is off the inbox, and comes back if its cause ends and returns."))
    return moved("/admin/inbox")
