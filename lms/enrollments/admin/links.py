"""Links and keys into courses: listed, made, shown once, changed, withdrawn, replaced."""

from typing import Any
from uuid import UUID

import segno
from flask import render_template, session, url_for
from flask.typing import ResponseReturnValue

from lms.channels import queries as channels
from lms.core.clock import now
from lms.core.errors import Invalid, Refusal
from lms.core.i18n import gettext as _
from lms.enrollments import operations, policies, queries
from lms.enrollments.admin.door import bp
from lms.enrollments.forms import HireForm, LinkForm, NewLinkForm, ReplaceKeyForm
from lms.enrollments.models import Link
from lms.enrollments.reports import Hires, Links, LinkUses
from lms.enrollments.reports.links import LINK_STATES, LINK_TONES
from lms.web.access import actor, allow
from lms.web.answers import invalid, moved
from lms.web.lists import answer_list
from lms.web.toasts import toast

SHOWN = "handed_out"  # what was just made, in this browser's session alone, until its maker says that they have it


@bp.route("/links")
def links() -> ResponseReturnValue:
    """Every link and key."""
    allow(policies.can_manage(actor()))
    return answer_list(Links(), "enrollments/admin/links.html")


@bp.route("/links/new", methods=["GET", "POST"])
def links_new() -> ResponseReturnValue:
    """Make a link or key; what is handed out is on the next page, once."""
    allow(policies.can_manage(actor()))
    form, page = NewLinkForm(), "enrollments/admin/links_new.html"
    if not form.is_submitted():
        return render_template(page, form=form)
    if form.validate():
        try:
            key = (form.key.data or "") if form.kind.data == "key" else ""
            if form.kind.data == "key" and not key:
                raise Invalid(_("Write the key."), fields={"key": _("Write the key.")})
            made, held = operations.make_link(form.terms(), by=actor(), key=key)
            _show(made, held)
            return moved(url_for(".links_show", link_id=made.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form)


@bp.route("/links/hire", methods=["GET", "POST"])
def links_hire() -> ResponseReturnValue:
    """Make a link that gives a role; it is on the next page, once."""
    allow(policies.can_hire(actor()), fresh=True)
    form, page = HireForm(), "enrollments/admin/links_hire.html"
    if not form.is_submitted():
        form.suggest()
        return render_template(page, form=form)
    if form.validate():
        try:
            made, held = operations.make_link(form.terms(), by=actor())
            _show(made, held)
            return moved(url_for(".links_show", link_id=made.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form)


@bp.route("/links/<uuid:link_id>")
def links_show(link_id: UUID) -> ResponseReturnValue:
    """One link or key: what it opens, how it stands, and who came through it."""
    way = queries.get_way(link_id)
    allow(policies.can_manage(actor()))
    held = "" if way.link.revoked_at else session.get(SHOWN, {}).get(str(link_id), "")  # nobody hands out what lets nobody in
    address = "" if way.link.is_key or not held else channels.absolute_url(url_for(door_of(way.link), held=held))
    return answer_list(
        Hires(way.link) if way.link.role else LinkUses(way.link),
        "enrollments/admin/links_show.html",
        way=way,
        link=way.link,
        state=way.link.state_at(now()),
        states=dict(LINK_STATES),
        tones=LINK_TONES,
        held=held,
        address=address,
        picture=_picture(address),
        taught=[f"{course.title} · {way.batches[course.id].name}" for course in way.courses if course.id in way.batches],
        maker=channels.find_member(way.link.made_by) if way.link.made_by else None,
    )


@bp.route("/links/<uuid:link_id>/kept", methods=["POST"])
def links_kept(link_id: UUID) -> ResponseReturnValue:
    """Stop showing what was made; its maker has it."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    session[SHOWN] = {key: value for key, value in session.get(SHOWN, {}).items() if key != str(link.id)}
    return moved(url_for(".links_show", link_id=link.id))


@bp.route("/links/<uuid:link_id>/edit", methods=["GET", "POST"])
def links_edit(link_id: UUID) -> ResponseReturnValue:
    """Change what it opens, for whom, how many and until when."""
    way = queries.get_way(link_id)
    allow(policies.can_manage(actor()), fresh=bool(way.link.role))
    form, page = HireForm() if way.link.role else LinkForm(), "enrollments/admin/links_edit.html"
    if not form.is_submitted():
        form.fill(way)
        return render_template(page, form=form, link=way.link)
    if form.validate():
        try:
            changed = operations.edit_link(way.link, form.terms(), by=actor())
            toast(_("Saved. Whoever came before keeps what they have.") if changed else _("Nothing was changed."))
            return moved(url_for(".links_show", link_id=link_id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, link=way.link)


@bp.route("/links/<uuid:link_id>/revoke", methods=["POST"])
def links_revoke(link_id: UUID) -> ResponseReturnValue:
    """Let nobody in through it any more."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()))
    operations.revoke_link(link, by=actor())
    if link.role:
        toast(_("%(name)s gives nobody a role any more. Whoever had not signed in with it is what they were before.", name=link.label))
    else:
        toast(_("%(name)s lets nobody in any more. Whoever came keeps the course.", name=link.label))
    return moved(url_for(".links_show", link_id=link.id))


@bp.route("/links/<uuid:link_id>/restore", methods=["POST"])
def links_restore(link_id: UUID) -> ResponseReturnValue:
    """Let people in through it again."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()), fresh=bool(link.role))
    operations.restore_link(link, by=actor())
    toast(_("%(name)s lets people in again.", name=link.label))
    return moved(url_for(".links_show", link_id=link.id))


@bp.route("/links/<uuid:link_id>/replace", methods=["GET", "POST"])
def links_replace(link_id: UUID) -> ResponseReturnValue:
    """A new link or key in place of this one, which lets nobody in from then on."""
    link = queries.get_link(link_id)
    allow(policies.can_manage(actor()), fresh=bool(link.role))
    form, page = ReplaceKeyForm(), "enrollments/admin/links_replace.html"
    if not link.is_key:
        del form.key
    if not form.is_submitted():
        return render_template(page, form=form, link=link)
    if form.validate():
        try:
            _show(link, operations.replace_link(link, by=actor(), key=form.key.data or "" if link.is_key else ""))
            toast(_("The one before lets nobody in any more."))
            return moved(url_for(".links_show", link_id=link.id))
        except Refusal as refusal:
            form.refuse(refusal)
    return invalid(page, page=page, form=form, link=link)


def door_of(link: Link) -> str:
    """The page a link leads to."""
    return "enrollments.work_show" if link.role else "enrollments.join_show"


def _show(link: Link, held: str) -> None:
    session[SHOWN] = {**dict(list(session.get(SHOWN, {}).items())[-4:]), str(link.id): held}


def _picture(address: str) -> Any:
    """The QR code of an address, as a picture in the page; "" without one."""
    return segno.make(address, micro=False, error="m").svg_data_uri(scale=5, border=3, dark="#111", light="#fff") if address else ""
