"""The door's blueprint, and what its pages share: words for kinds, and the cookie that opens the one-time download."""

from datetime import datetime, timedelta

from flask import Blueprint, Response, current_app, make_response, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.clock import zone
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.i18n import percent as share_of
from lms.vouchers.models import Batch
from lms.web.words import day, money, number

bp = Blueprint("vouchers_admin", __name__, url_prefix="/admin/vouchers")


def gives(kind: str, value: str, percent: int | None, courses: int) -> str:
    """What one use of a code gives, in a few words."""
    return {
        "value": value,
        "course": ngettext("opens %(num)s course", "opens %(num)s courses", courses),
        "percent": _("%(share)s off", share=share_of(percent or 0)),
        "amount": _("%(amount)s off", amount=value),
    }[kind]


def gives_of(batch: Batch, courses: int) -> str:
    """The same of a batch."""
    return gives(batch.kind, money(batch.value_minor, batch.currency), batch.percent, courses)


def money_lasts(batch: Batch) -> str:
    """Until when the money of a batch lasts in wallets; "" for ever."""
    if batch.money_days is not None:
        return ngettext("%(n)s day after redeeming", "%(n)s days after redeeming", batch.money_days, n=number(batch.money_days))
    return _("until %(day)s", day=day(batch.money_until - timedelta(seconds=1))) if batch.money_until else ""


def seal_of(batch: Batch) -> str:
    """The key of the one-time download, out of this browser's cookie."""
    return request.cookies.get(cookie_of(batch), "")


def cookie_of(batch: Batch) -> str:
    """The cookie's name."""
    return f"codes-{batch.id.hex}"


def with_seal(answer: ResponseReturnValue, batch: Batch, seal: str) -> Response:
    """The answer, with the seal in a cookie of this batch's pages: the browser holds the key, the database the envelope."""
    response = make_response(answer)
    response.set_cookie(
        cookie_of(batch),
        seal,
        max_age=3600,
        path=url_for("vouchers_admin.batches_show", batch_id=batch.id),
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Strict",
    )
    return response


def file_of(body: bytes, kind: str, name: str) -> Response:
    """A download that nothing keeps a copy of on its way."""
    response = make_response(body)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def file_name(batch: Batch) -> str:
    """A batch's name as a file may have it."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in batch.label.lower()).strip("-")
    return f"vouchers-{plain[:40] or batch.id.hex[:8]}"


def last_day(batch: Batch, zone_name: str) -> datetime:
    """The last moment of a batch that ends, in a zone."""
    assert batch.expires_at is not None
    return (batch.expires_at - timedelta(seconds=1)).astimezone(zone(zone_name))
