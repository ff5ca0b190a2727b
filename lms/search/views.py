"""Door 1: one box over courses and instructors, for everybody."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from lms.search import policies, queries
from lms.web.access import actor, allow

bp = Blueprint("search", __name__, url_prefix="/search")
KINDS = {"": ("course", "instructor"), "courses": ("course",), "instructors": ("instructor",)}


@bp.route("/")
def index() -> ResponseReturnValue:
    """Courses and instructors under the words of `?q=`; `?kind=` narrows to one of them."""
    allow(policies.can_search(actor()))
    words = request.args.get("q", "").replace("\x00", "").strip()[: queries.LONGEST]
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    found = queries.find(words, by=actor(), kinds=KINDS[kind], most=50)
    return render_template("search/index.html", words=words, kind=kind, found=found, names=queries.names_of(found.hits))
