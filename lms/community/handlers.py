"""What community does when facts happen."""

from lms.chat.events import MessageDeleted, MessageFlagged
from lms.community import operations
from lms.core.events import on


@on(MessageFlagged)
def open_case_of_message(fact: MessageFlagged) -> None:
    """A reported message waits in the inbox until somebody has looked at it."""
    operations.open_case("message", fact.message_id, fact.room_id, reason=fact.reason)


@on(MessageDeleted)
def close_case_of_message(fact: MessageDeleted) -> None:
    """A deleted message waits no longer."""
    operations.close_case_of("message", fact.message_id)
