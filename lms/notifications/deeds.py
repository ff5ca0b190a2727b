"""What the audit log calls the acts on notifications."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l
from lms.notifications.reports import STATES

register(
    Deeds(
        "notifications",
        _l("Notifications"),
        {
            "notifications.wish": Deed(_l("chose what they are told of"), "bell"),
            "notifications.habit": Deed(_l("chose when mails may come"), "clock"),
            "notifications.write": Deed(_l("wrote a message"), "megaphone"),
            "notifications.rewrite": Deed(_l("wrote a message anew"), "pencil"),
            "notifications.send": Deed(_l("sent a message"), "send"),
            "notifications.pause": Deed(_l("paused a message"), "pause"),
            "notifications.resume": Deed(_l("let a message go on"), "play"),
            "notifications.cancel": Deed(_l("called a message off"), "ban"),
            "notifications.word": Deed(_l("wrote a mail in own words"), "mail"),
            "notifications.unword": Deed(_l("went back to the standard words of a mail"), "undo-2"),
            "notifications.clear_bounce": Deed(_l("let mails go to the address again"), "mail-check"),
            "notifications.default": Deed(_l("set how news comes to everybody"), "bell"),
        },
        {
            "wishes": Thing(_l("Choice")),
            "habits": Thing(_l("Times of mails")),
            "broadcasts": Thing(_l("Message"), "/admin/notifications/messages/{id}"),
            "templates": Thing(_l("Mail"), "/admin/notifications/templates"),
            "bounces": Thing(_l("Address"), "/admin/notifications/bounces/{id}"),
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
            "subject": Label(_l("Subject")),
            "body": Label(_l("Words")),
            "language": Label(_l("Language")),
            "reason": Label(_l("Reason")),
            "state": Label(_l("State"), values=dict(STATES)),
            "send_at": Label(_l("To be sent"), "time"),
            "person_count": Label(_l("People")),
            "is_silent": Label(_l("No mails at all"), "bool"),
        },
    )
)
