"""Door 1: what a report's mail links to, for people inside and outside: the file, and the way out."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from lms.core.decisions import anyone
from lms.core.storage import storage
from lms.reporting import operations
from lms.web.access import allow
from lms.web.csrf import signed_door
from lms.web.forms import Form

bp = Blueprint("reporting", __name__, url_prefix="/reporting")
SECONDS = 300


@bp.route("/files/<token:token>")
def files_show(token: str) -> ResponseReturnValue:
    """The file of one run, for whoever holds the link of its mail."""
    run = operations.run_of_token(token)
    allow(anyone())
    return redirect(storage().get_url(run.key, SECONDS, filename=run.filename), 302)


@bp.route("/unsubscribe/<token:token>", methods=["GET", "POST"])
@signed_door
def unsubscribe_show(token: str) -> ResponseReturnValue:
    """Stop one report's mails to one address: a page with a button, and the one-click POST of mail programs (RFC 8058)."""
    schedule, address = operations.who_stops(token)
    allow(anyone())
    if request.method == "POST":
        operations.drop_recipient(schedule, address)
    gets_it = address.lower() in (one.lower() for one in schedule.recipients)
    return render_template("reporting/unsubscribe_show.html", form=Form(), title=schedule.view.title, address=address, gets_it=gets_it)
