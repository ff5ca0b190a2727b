"""What the audit log calls the acts on live classes, and which of them one click takes back."""

from typing import Any

from lms.core.decisions import Actor, Decision
from lms.core.deeds import Deed, Deeds, Label, Revert, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.streaming import operations, policies, queries
from lms.streaming.models import Session

PLACES = {
    "link": _l("Elsewhere, by a link"),
    "browser": _l("Here, in the browser"),
    "rtmp": _l("Here, sent by OBS"),
    "webhook": _l("Elsewhere, with reports"),
}
STATES = {
    "scheduled": _l("Planned"),
    "open": _l("Open"),
    "live": _l("Live"),
    "ended": _l("Over"),
    "recorded": _l("Recorded"),
    "cancelled": _l("Cancelled"),
}


def _may(by: Actor, session: Session) -> Decision:
    return policies.can_run(by, session, session.course.instructor_id)


def _put(session: Session, values: dict[str, Any], by: Actor) -> None:
    stands = {key: getattr(session, key) for key in ("title", "starts_at", "ends_at", "description", "join_url", "provider")}
    operations.edit_session(session, **{**stands, **values}, by=by)


register(
    Deeds(
        "streaming",
        _l("Live classes"),
        {
            "streaming.schedule": Deed(_l("planned the class"), "plus"),
            "streaming.edit": Deed(_l("changed the class"), "pencil"),
            "streaming.open": Deed(_l("opened the room"), "log-in"),
            "streaming.live": Deed(_l("began the class"), "radio"),
            "streaming.ended": Deed(_l("ended the class"), "circle-check"),
            "streaming.recorded": Deed(_l("noted the recording"), "film"),
            "streaming.cancelled": Deed(_l("called the class off"), "ban"),
            "streaming.keep": Deed(_l("made the recording a draft lesson"), "film"),
            "streaming.retry_recording": Deed(_l("tried again to make the recording"), "refresh-cw"),
            "streaming.rule": Deed(_l("changed how long recordings are kept"), "settings"),
            "streaming.change_key": Deed(_l("changed the key for OBS"), "key-round"),
            "streaming.change_secret": Deed(_l("changed the secret for reports"), "key-round"),
            "streaming.mark": Deed(_l("marked a moment"), "bookmark-plus"),
            "streaming.unmark": Deed(_l("took a marked moment away"), "bookmark"),
            "streaming.make_feed": Deed(_l("made a calendar address"), "calendar"),
            "streaming.revoke_feed": Deed(_l("closed a calendar address"), "calendar"),
        },
        {
            "sessions": Thing(_l("Live class"), "/admin/streaming/sessions/{id}"),
            "feeds": Thing(_l("Calendar address"), ""),
            "rules": Thing(_l("Rule for recordings"), "/admin/streaming/settings"),
        },
        {
            "title": Label(_l("Title")),
            "starts_at": Label(_l("Starts"), "time"),
            "ends_at": Label(_l("Ends"), "time"),
            "description": Label(_l("Description")),
            "join_url": Label(_l("Address")),
            "provider": Label(_l("Where"), values=PLACES),
            "hook_version": Label(_l("Number of the secret")),
            "hook_changed_at": Label(_l("Changed"), "time"),
            "key_version": Label(_l("Number of the key")),
            "keep_days": Label(_l("Days")),
            "asset_id": Label(_l("File")),
            "lesson_id": Label(_l("Lesson")),
            "moment": Label(_l("Moment")),
            "revoked_at": Label(_l("Closed"), "time"),
            "state": Label(_l("State"), values=STATES),
            "course_id": Label(_l("Course"), "course"),
        },
        {"streaming.edit": Revert(queries.get_session, _may, _put)},
    )
)
