"""What the web layer must be told by the modules above it: which channel a host is, and who a session is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lms.core.decisions import Actor, Viewing
from lms.core.tenancy import ChannelFace


@dataclass(slots=True)
class Faces:
    """The hooks; `app.py` fills them in."""

    channel_of_host: Callable[[str], ChannelFace | None] | None = None
    actor_of_session: Callable[[bytes], Actor | None] | None = None
    touch_session: Callable[[bytes], None] | None = None
    user_of_session: Callable[[bytes], UUID | None] | None = None
    actor_of_token: Callable[[str], Actor] | None = None
    role_of: Callable[[UUID], str] | None = None
    why_shut: Callable[[str], str] | None = None  # why the place a newcomer is going to lets nobody in; "" when it does
    ask_newcomers: Callable[[], dict[str, Any]] | None = None  # form fields by name
    lacks_answers: Callable[[UUID], bool] | None = None  # whether a person is still to be asked something
    keep_answers: Callable[[UUID, dict[str, str]], None] | None = None
    welcome: Callable[[UUID, str, str], None] | None = None
    proved_as_staff: Callable[[UUID], None] | None = None  # somebody who works here has signed in as this academy wants staff to
    viewing_of: Callable[[UUID, Actor], Viewing | None] | None = None
    count_viewed: Callable[[UUID], None] | None = None
    unread_of: Callable[[UUID], int] | None = None
    count_waiting: Callable[[], int] | None = None
    last_counted: Callable[[], int] | None = None
    default_view_of: Callable[[str, UUID | None], str] | None = None


faces = Faces()
