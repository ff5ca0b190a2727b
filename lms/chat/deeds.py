"""What the audit log calls the acts in chat rooms."""

from lms.core.deeds import Deed, Deeds, Label, Thing, register
from lms.core.i18n import lazy_gettext as _l

register(
    Deeds(
        "chat",
        _l("Chat"),
        {
            "chat.delete_message": Deed(_l("deleted a message"), "trash-2"),
            "chat.flag_message": Deed(_l("reported a message"), "flag"),
            "chat.mute": Deed(_l("changed whether the person may write"), "message-square"),
            "chat.slow": Deed(_l("changed how often people may write"), "clock"),
        },
        {
            "messages": Thing(_l("Message"), "/admin/chat/messages/{id}"),
            "rooms": Thing(_l("Room"), "/admin/chat/rooms/{id}"),
            "members": Thing(_l("Person"), "/admin/channels/people/{id}"),
        },
        {
            "reason": Label(_l("Reason")),
            "minutes": Label(_l("Minutes")),
            "slow_seconds": Label(_l("Seconds between messages")),
            "deleted_by": Label(_l("By"), "person"),
        },
    )
)
