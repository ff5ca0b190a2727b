"""What the audit log calls the acts on notifications."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l

register(
    Deeds(
        "notifications",
        _l("Notifications"),
        {
            "notifications.wish": Deed(_l("chose what they are told of"), "bell"),
            "notifications.habit": Deed(_l("chose when mails may come"), "clock"),
            "notifications.default": Deed(_l("set how news comes to everybody"), "bell"),
        },
        {
            "wishes": Thing(_l("Choice")),
            "habits": Thing(_l("Times of mails")),
            "defaults": Thing(_l("How news comes"), "/admin/notifications/defaults"),
        },
        {
            "in_app": Label(_l("In the app"), "bool"),
            "mail": Label(
                _l("By mail"),
                values={"now": _l("At once"), "daily": _l("Once a day"), "weekly": _l("Once a week"), "never": _l("Never")},
            ),
            "kind": Label(_l("News")),
            "digest_hour": Label(_l("Collected mails at, hour")),
            "digest_day": Label(_l("Weekly mail on, day after Monday")),
            "quiet_from": Label(_l("Quiet from, hour")),
            "quiet_to": Label(_l("Quiet until, hour")),
            "is_silent": Label(_l("No mails at all"), "bool"),
        },
    )
)
