"""From the form of a batch to the wish, and the live sample beside it."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from wtforms import SelectChoice

from lms.channels.models import Channel
from lms.channels.queries import members_with_role
from lms.core.clock import zone
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.i18n import percent as share_of
from lms.core.money import Money
from lms.vouchers import operations, queries
from lms.vouchers.admin.door import gives
from lms.vouchers.forms import BatchForm, SampleForm, TermsForm, domains_in
from lms.vouchers.models import KINDS
from lms.vouchers.operations import NewBatch
from lms.vouchers.operations.codes import GROUPINGS
from lms.web.forms import MoneyField
from lms.web.words import money, number

F = TypeVar("F", bound=TermsForm)


def prepared(form: F, currency: str) -> F:
    """The form with its currency and its choices; amounts are read again in that currency."""
    form.owner.choices = [SelectChoice(str(member.id), member.name) for member in members_with_role("instructor", "admin", "owner")]
    fill_choices(form)
    for field in form:
        if isinstance(field, MoneyField):
            field.currency = currency
            if form.is_submitted():
                field.process(form.sent)
    return form


def fill_choices(form: TermsForm | SampleForm) -> None:
    """The courses to choose from, where the form has them."""
    if "course_ids" in form:
        form["course_ids"].choices = [SelectChoice(value, title) for value, title in queries.courses_to_choose()]


def said(form: TermsForm | SampleForm, name: str, otherwise: Any = None) -> Any:
    """What a field says, when the form has it and it says something."""
    if name not in form or form[name].data in (None, ""):
        return otherwise
    return form[name].data


def wish_of(form: BatchForm, channel: Channel) -> NewBatch:
    """The batch the form asks for; its days are whole days in the academy's zone."""
    sold_for = said(form, "sold_for_minor")
    return NewBatch(
        label=said(form, "label", ""),
        kind=form.kind.data,
        value=said(form, "value", Money(0, channel.currency)),
        percent=said(form, "percent"),
        course_ids=ids_in(said(form, "course_ids", ())),
        word=said(form, "word", ""),
        count=said(form, "count", 0),
        purpose=said(form, "purpose", ""),
        prefix=said(form, "prefix", ""),
        grouping=int(said(form, "grouping", 4)),
        owner_id=UUID(form.owner.data),
        starts_at=first_moment(said(form, "starts_at"), channel.zone),
        expires_at=end_of(said(form, "expires_at"), channel.zone),
        per_person=said(form, "per_person"),
        domains=domains_in(said(form, "domains", "")),
        uses_per_code=said(form, "uses_per_code", 0),
        sold_for_minor=sold_for.minor if sold_for is not None else None,
        money_days=said(form, "money_days"),
        money_until=end_of(said(form, "money_until"), channel.zone),
    )


def first_moment(day: Any, zone_name: str) -> datetime | None:
    """When a day begins in a zone."""
    return datetime.combine(day, time(), zone(zone_name)).astimezone(UTC) if day else None


def end_of(day: Any, zone_name: str) -> datetime | None:
    """When a day is over in a zone."""
    return first_moment(day + timedelta(days=1), zone_name) if day else None


def ids_in(texts: Sequence[str]) -> list[UUID]:
    """The ids that were chosen; what is none was refused by the field before."""
    return [UUID(text) for text in dict.fromkeys(texts)]


def sample_of(form: BatchForm | SampleForm, currency: str) -> dict[str, str]:
    """A made-up code, what it gives, and the sentence on the button."""
    value = said(form, "value")
    value = value if isinstance(value, Money) else Money(0, currency)
    kind = form.kind.data if form.kind.data in KINDS else "value"
    courses, percent = said(form, "course_ids", ()), said(form, "percent")
    prefix, word = (said(form, "prefix", "")[:12], said(form, "word", "")[:20])
    grouping = {str(size): size for size in GROUPINGS}.get(said(form, "grouping", ""), 4)
    return {
        "code": word or operations.a_sample_code(prefix if prefix.isalnum() and prefix.isascii() else "", grouping),
        "gives": gives(kind, money(value.minor, currency), percent, len(courses)),
        "button": _button(form, kind, value),
    }


def _button(form: BatchForm | SampleForm, kind: str, value: Money) -> str:
    """What pressing the button makes, as far as the form says it."""
    count, uses, percent, courses = (
        said(form, "count", 0),
        said(form, "uses_per_code", 1),
        said(form, "percent"),
        said(form, "course_ids", ()),
    )
    worth = value.minor * count * uses
    if not count or (kind in ("value", "amount") and not 0 < worth < 10**18):
        return _("Create the codes")
    codes = ngettext("%(n)s code", "%(n)s codes", count, n=number(count))
    if uses > 1:
        codes = ngettext("%(codes)s with %(uses)s uses", "%(codes)s with %(uses)s uses each", count, codes=codes, uses=number(uses))
    if kind == "value":
        return _("Create %(codes)s worth %(worth)s", codes=codes, worth=money(worth, value.currency))
    if kind == "amount":
        words = {"codes": codes, "value": money(value.minor, value.currency), "worth": money(worth, value.currency)}
        return _("Create %(codes)s for %(value)s off, %(worth)s at most", **words)
    if kind == "percent":
        return _("Create %(codes)s for %(share)s off", codes=codes, share=share_of(percent)) if percent else _("Create the codes")
    opened = ngettext("%(num)s course", "%(num)s courses", len(courses))
    return _("Create %(codes)s that open %(opened)s", codes=codes, opened=opened) if courses else _("Create the codes")
