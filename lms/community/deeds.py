"""What the audit log calls the acts on reviews and reported messages, and which of them one click takes back."""

from typing import Any

from lms.community import operations, policies, queries
from lms.community.models import Review
from lms.core.decisions import Actor
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l

STATUSES = {"visible": _l("Shown"), "hidden": _l("Hidden")}


def _put(review: Review, values: dict[str, Any], by: Actor) -> None:
    if values["status"] == "hidden":
        operations.hide_review(review, reason=values["hidden_reason"], by=by)
    else:
        operations.show_review(review, by=by)


TAKEN_BACK = Revert(queries.get_review, policies.can_moderate, _put)

register(
    Deeds(
        "community",
        _l("Reviews and reports"),
        {
            "community.review": Deed(_l("wrote a review"), "star"),
            "community.edit_review": Deed(_l("changed their review"), "pencil"),
            "community.hide_review": Deed(_l("hid the review"), "eye-off"),
            "community.show_review": Deed(_l("showed the review again"), "eye"),
            "community.settle_case": Deed(_l("settled the report"), "circle-check"),
        },
        {"reviews": Thing(_l("Review"), "/admin/community/reviews/{id}"), "cases": Thing(_l("Report"), "/admin/community/cases/{id}")},
        {
            "rating": Label(_l("Stars")),
            "body": Label(_l("Text")),
            "status": Label(_l("Status"), values=STATUSES),
            "hidden_reason": Label(_l("Reason")),
            "settled_at": Label(_l("Settled"), "time"),
        },
        {"community.hide_review": TAKEN_BACK, "community.show_review": TAKEN_BACK},
    )
)
