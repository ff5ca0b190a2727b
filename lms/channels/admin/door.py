"""The door's blueprint, and what the pages of a person share: the head, its tabs, and what may be done."""

from typing import Any

from flask import Blueprint, url_for

from lms.channels import policies
from lms.channels.models import Member
from lms.core.i18n import gettext as _
from lms.web.access import actor

bp = Blueprint("channels_admin", __name__, url_prefix="/admin/channels")


def head_of(member: Member, tab: str) -> dict[str, Any]:
    """What every page of a person shows above its own: name, status, tabs, and the acts on the whole person."""
    return {
        "member": member,
        "tabs": tabs_of(member, tab),
        "may_edit": policies.can_edit_person(actor(), member),
        "may_view": policies.can_view_as(actor(), member),
        "may_suspend": policies.can_suspend(actor(), member),
    }


def tabs_of(member: Member, tab: str) -> list[dict[str, Any]]:
    """The parts of a person's page."""
    parts = (
        ("people_show", _("Person"), "user"),
        ("people_learning", _("Learning"), "book-open"),
        ("people_money", _("Money"), "wallet"),
        ("people_messages", _("Messages"), "mail"),
        ("people_sign_ins", _("Sign-ins"), "monitor"),
        ("people_history", _("History"), "history"),
    )
    return [
        {"title": title, "href": url_for(f"channels_admin.{name}", user_id=member.id), "icon": icon, "active": name == tab}
        for name, title, icon in parts
    ]
