"""Money is moved once: an `Idempotency-Key` header makes a request of the API repeatable, a hidden field the form of a page."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from uuid import uuid4

from flask import Flask, Response, g, make_response, request, session
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.core import idempotency
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.web.access import actor
from lms.web.answers import moved

P = ParamSpec("P")
FIELD = "once"
HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{8,200}")


def once(work: Callable[[], Response]) -> Response:
    """Do the work of this API request once per key; the same request again gets the same reply, word for word."""
    user_id = actor().user_id
    if user_id is None:
        return work()
    key = request.headers.get(HEADER, "")
    if not KEY.fullmatch(key):
        sentence = _("Send an Idempotency-Key of 8 to 200 characters, a new one for each act: this moves money.")
        raise Invalid(sentence, rule="idempotency_key", fields={HEADER: sentence})
    print_ = idempotency.fingerprint(request.method.encode(), request.full_path.encode(), request.get_data(cache=True))
    kept = idempotency.claim(user_id, _route(), key, print_)
    if kept is not None:
        g.decided = True
        return _replay(kept)
    response = work()
    if response.status_code < 400:
        body, location = response.get_data(as_text=True), response.headers.get("Location", "")
        idempotency.keep(user_id, _route(), key, idempotency.Reply(response.status_code, body, location))
    return response


def _route() -> str:
    return request.endpoint or request.path


def _replay(kept: idempotency.Reply) -> Response:
    response = make_response(kept.body, kept.status)
    response.content_type = "application/json"
    response.headers["Idempotency-Replayed"] = "true"
    if kept.location:
        response.headers["Location"] = kept.location
    return response


def once_field() -> Markup:
    """The hidden field that makes a form one act, however often it is sent; `sent_once` reads it."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, uuid4())


def install(app: Flask) -> None:
    """Offer the field to templates."""
    app.jinja_env.globals["once_field"] = once_field


def sent_once(*, must: bool = True) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Carry out the form of a page once: a double click, the back button or a second tab gets the first answer again.

    The key is claimed and the answer kept in the transaction that does the work, as for the API. A form without the field is
    refused, unless what it does is by itself done once (`must=False`).
    """

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def run(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if request.method != "POST":
                return view(*args, **kwargs)
            return _form_once(lambda: make_response(view(*args, **kwargs)), must)

        return run

    return decorate


def _form_once(work: Callable[[], Response], must: bool) -> Response:
    user_id, key = actor().user_id, request.form.get(FIELD, "")
    if user_id is None or not KEY.fullmatch(key):
        response = work()
        if must and response.status_code < 400:
            raise Invalid(_("This form is too old. Open it again; nothing was done."), rule="idempotency_key")
        return response
    told = sorted((name, value) for name, value in request.form.items(multi=True) if name not in (FIELD, "csrf_token"))
    print_ = idempotency.fingerprint(request.path.encode(), json.dumps(told).encode())
    kept = idempotency.claim(user_id, _route(), key, print_, again=_("This form was sent before, with other words. Look at what it did."))
    if kept is not None:
        g.decided = True
        _tell_again(json.loads(kept.body))
        return make_response(moved(kept.location))
    before = session.get("toasts", [])
    response = work()
    target = response.headers.get("HX-Redirect") or response.headers.get("Location", "")
    if response.status_code < 400 and target:
        new = [item for item in session.get("toasts", []) if item not in before]
        idempotency.keep(user_id, _route(), key, idempotency.Reply(303, json.dumps(new), target))
    return response


def _tell_again(toasts: list[object]) -> None:
    """Say what the first answer said, unless it waits to be said already."""
    waiting = session.get("toasts", [])
    if new := [item for item in toasts if item not in waiting]:
        session["toasts"] = [*waiting, *new][-3:]
