"""What chat does when facts happen."""

from lms.chat.operations import lower_hands, tell_room
from lms.core.events import on
from lms.streaming.events import SessionCancelled, SessionEnded, SessionOpened, SessionStarted


@on(SessionOpened)
def tell_room_it_is_open(fact: SessionOpened) -> None:
    """Those who wait see that they may write."""
    tell_room(fact.session_id, {"k": "state", "state": "open"})


@on(SessionStarted)
def tell_room_it_is_live(fact: SessionStarted) -> None:
    """Those in the room see that the class has begun."""
    tell_room(fact.session_id, {"k": "state", "state": "live"})


@on(SessionEnded)
def tell_room_it_is_over(fact: SessionEnded) -> None:
    """Those in the room see that it can only be read now, and hands go down."""
    lower_hands(fact.session_id)
    tell_room(fact.session_id, {"k": "state", "state": "ended"})


@on(SessionCancelled)
def tell_room_it_is_cancelled(fact: SessionCancelled) -> None:
    """Those who wait see that nothing will happen."""
    tell_room(fact.session_id, {"k": "state", "state": "cancelled"})
