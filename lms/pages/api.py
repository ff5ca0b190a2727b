"""Door 3 without a module: the OpenAPI document, and the page that shows it."""

import hashlib
import json

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from lms.core.decisions import anyone
from lms.web.access import allow
from lms.web.api_document import document

bp = Blueprint("pages_api", __name__, url_prefix="/api/v1")


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Every endpoint with what it takes and answers, as OpenAPI 3.1."""
    allow(anyone())
    body = json.dumps(document(), separators=(",", ":"), ensure_ascii=False).encode()
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = "public, no-cache"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    return response.make_conditional(request)


@bp.get("/docs")
def docs() -> ResponseReturnValue:
    """The documentation of the API, to read and to try."""
    allow(anyone())
    return render_template("pages/api/docs.html")
