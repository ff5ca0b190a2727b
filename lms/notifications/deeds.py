"""What the audit log calls the acts on notifications."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l

register(
    Deeds(
        "notifications",
        _l("Notifications"),
        {"notifications.wish": Deed(_l("chose what they are told of"), "bell")},
        {"wishes": Thing(_l("Choice"))},
        {"in_app": Label(_l("In the app"), "bool"), "mail": Label(_l("By mail"), "bool")},
    )
)
