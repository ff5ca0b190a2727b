"""Money is moved once: an `Idempotency-Key` header makes a request of the API repeatable."""

import re
from collections.abc import Callable

from flask import Response, g, make_response, request

from lms.core import idempotency
from lms.core.errors import Invalid
from lms.core.i18n import gettext as _
from lms.web.access import actor

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
