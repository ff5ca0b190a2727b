"""Segments: people gathered by conditions, whoever fits them at the time."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from lms.channels import operations, policies, queries
from lms.channels.admin.door import bp
from lms.channels.forms import with_conditions
from lms.channels.reports import People
from lms.core.errors import Refusal
from lms.core.i18n import gettext as _
from lms.core.reports import View
from lms.core.segments import Condition, every_condition
from lms.web.access import actor, allow
from lms.web.answers import fragment, invalid, moved
from lms.web.toasts import toast


@bp.route("/segments")
def segments() -> ResponseReturnValue:
    """Every segment with what it asks; how many fit is counted behind the page."""
    allow(policies.can_manage_people(actor()))
    found = [(one, queries.segment_words(one)) for one in queries.segments_here(retired=True)]
    return render_template("channels/admin/segments.html", segments=found)


@bp.route("/segments/new", methods=["GET", "POST"])
def segments_new() -> ResponseReturnValue:
    """Gather people by conditions."""
    allow(policies.can_manage_people(actor()))
    known = every_condition()
    form, page = with_conditions(known.values())(), "channels/admin/segments_new.html"
    if not form.is_submitted():
        return render_template(page, form=form, groups=_groups(known))
    if form.validate():
        try:
            made = operations.add_segment(form["name"].data or "", _asked(form, known), by=actor())
            toast(_("The segment is kept. It gathers whoever fits, from now on by itself."))
            return moved(url_for(".segments_show", segment_id=made.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, groups=_groups(known))


@bp.route("/segments/<uuid:segment_id>")
def segments_show(segment_id: UUID) -> ResponseReturnValue:
    """One segment: what it asks, and how many fit now."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    return render_template("channels/admin/segments_show.html", segment=segment, asks=queries.segment_words(segment))


@bp.route("/segments/<uuid:segment_id>/count")
def segments_count(segment_id: UUID) -> ResponseReturnValue:
    """How many people fit a segment now (a piece): the rows of its list."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    count = People().count(View(filters=(("segment", str(segment.id)),)), actor())
    page = url_for(".people", segment=segment.id)
    return fragment("channels/admin/_segment_count.html", page=page, segment=segment, count=count)


@bp.route("/segments/<uuid:segment_id>/edit", methods=["GET", "POST"])
def segments_edit(segment_id: UUID) -> ResponseReturnValue:
    """Ask for something else."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    known = every_condition()
    form = with_conditions(known.values())(data={**segment.conditions, "name": segment.name})
    page = "channels/admin/segments_edit.html"
    if not form.is_submitted():
        return render_template(page, form=form, groups=_groups(known), segment=segment)
    if form.validate():
        try:
            changed = operations.edit_segment(segment, form["name"].data or "", _asked(form, known), by=actor())
            toast(_("Saved.") if changed else _("Nothing was changed."))
            return moved(url_for(".segments_show", segment_id=segment.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, groups=_groups(known), segment=segment)


@bp.route("/segments/<uuid:segment_id>/retire", methods=["POST"])
def segments_retire(segment_id: UUID) -> ResponseReturnValue:
    """Put a segment away; nobody of it is touched."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    operations.retire_segment(segment, by=actor())
    toast(_("%(name)s is put away.", name=segment.name), undo=url_for(".segments_restore", segment_id=segment.id))
    return moved(url_for(".segments"))


@bp.route("/segments/<uuid:segment_id>/restore", methods=["POST"])
def segments_restore(segment_id: UUID) -> ResponseReturnValue:
    """Bring a segment back."""
    segment = queries.get_segment(segment_id)
    allow(policies.can_manage_people(actor()))
    operations.restore_segment(segment, by=actor())
    toast(_("%(name)s is in use again.", name=segment.name))
    return moved(url_for(".segments"))


def _asked(form: Any, known: Mapping[str, Condition]) -> dict[str, str]:
    return {key: form[key].data or "" for key in known}


def _groups(known: Mapping[str, Condition]) -> list[tuple[str, list[str]]]:
    """The conditions' keys under their headings, each heading once."""
    order = list(dict.fromkeys(str(one.group) for one in known.values()))
    ranked = sorted(known.values(), key=lambda one: order.index(str(one.group)))
    return [(title, [one.key for one in members]) for title, members in groupby(ranked, key=lambda one: str(one.group))]
