"""Doors of bulk acts: the bulk bar and the import page make a plan, and lead to the one screen all plans have."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField
from wtforms import BooleanField, SelectChoice, SelectField, StringField, TextAreaField

from lms.core import plans
from lms.core.errors import Invalid, NotFound, Refusal
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext as _l
from lms.core.models import Plan
from lms.core.money import Money
from lms.core.plans import Act, Option
from lms.core.reports import every_report
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.forms import Form, MoneyField
from lms.web.lists import chosen_ids


def address_of(plan: Plan) -> str:
    """The page of a plan."""
    return url_for("admin.plans_show", plan_id=plan.id)


def answer_bulk() -> ResponseReturnValue:
    """The bulk bar's POST: a plan of the chosen rows of the list named; the button's value is the act."""
    report = every_report().get(request.form.get("report", ""))
    act = plans.get_act(request.form.get("act", ""))
    if report is None or report.name not in act.lists:
        raise NotFound(_("There is no such bulk act."))
    allow(report.allowed(actor()) & act.allowed(actor()))
    return moved(address_of(plans.make_from_ids(act.name, list(chosen_ids(report)), by=actor())))


def import_form(act: Act) -> Any:
    """The form of an import: a file or pasted lines, and the act's options."""
    fields: dict[str, Any] = {
        "file": FileField(_l("File"), description=_l("CSV, TSV or XLSX, up to 100,000 rows. Columns may be in any order.")),
        "pasted": TextAreaField(_l("Or paste lines"), description=_l("One per line. With headings in the first line, columns count.")),
        **{option.key: field_of(option) for option in act.options},
    }
    return type("ImportForm", (Form,), fields)()


def options_form(act: Act, data: dict[str, Any], *, currency: str = "EUR") -> Any:
    """The form of an act's options, with what was said so far."""
    fields = {option.key: field_of(option, currency=currency) for option in act.options}
    said = {key: Money(**value) if isinstance(value, dict) else value for key, value in data.items()}
    return type("OptionsForm", (Form,), fields)(data=said)


def field_of(option: Option, *, currency: str = "EUR") -> Any:
    """The form field of one option."""
    words = {"description": option.help or "", "default": option.default or None}
    if option.kind == "select":
        return SelectField(option.label, choices=[SelectChoice(value, label) for value, label in option.to_choose()], **words)
    if option.kind == "textarea":
        return TextAreaField(option.label, render_kw={"rows": "8"}, **words)
    if option.kind == "checkbox":
        return BooleanField(option.label, description=option.help or "")
    if option.kind == "money":
        return MoneyField(option.label, currency=currency, **words)
    return StringField(option.label, render_kw={"type": {"date": "date"}.get(option.kind, "text")}, **words)


def params_of(act: Act, form: Any) -> dict[str, Any]:
    """What was said for the options, as the act takes it; amounts as minor units with their currency."""
    made: dict[str, Any] = {}
    for option in act.options:
        value = form[option.key].data
        if option.kind == "money" and value is not None:
            made[option.key] = {"minor": value.minor, "currency": value.currency}
        elif value not in (None, ""):
            made[option.key] = value
        elif option.required:
            sentence = _("Say this first.")
            raise Invalid(sentence, fields={option.key: sentence})
    return made


def answer_import(act_name: str, template: str, **context: Any) -> ResponseReturnValue:
    """The import page: GET shows the form, POST makes the plan of the file or the pasted lines and leads to it."""
    act = plans.get_act(act_name)
    form = import_form(act)
    if not form.is_submitted():
        return render_template(template, act=act, form=form, **context)
    try:
        if not form.validate():
            return _refused(template, act, form, context)
        file = request.files.get("file")
        content = file.read() if file is not None and file.filename else (form.pasted.data or "").encode()
        name = file.filename or "" if file is not None else ""
        if not content.strip():
            raise Invalid(_("Choose a file, or paste some lines."), fields={"file": _("Choose a file, or paste some lines.")})
        plan = plans.make_from_table(act.name, content, by=actor(), name=name or _("pasted lines"), params=params_of(act, form))
    except Refusal as refusal:
        if not refusal.fields:
            refusal = Invalid(refusal.sentence, fields={"file" if request.files.get("file") else "pasted": refusal.sentence})
        form.refuse(refusal)
        return _refused(template, act, form, context)
    return moved(address_of(plan))


def _refused(template: str, act: Act, form: Any, context: dict[str, Any]) -> ResponseReturnValue:
    return invalid(template, page=template, act=act, form=form, **context)
