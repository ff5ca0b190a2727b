"""Who may read, write and moderate in the room of a session, and what no message may hold."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from lms.core.decisions import Actor, Decision, admins, no, yes
from lms.core.i18n import gettext as _
from lms.streaming import policies as streaming
from lms.streaming.models import Session
from lms.streaming.queries import Standing

ENDINGS = (
    "app|biz|blog|cc|club|co|com|de|dev|edu|eu|fr|gg|gov|info|io|link|live|ly|me|net|online|org|ru|shop|site|space|store|to|top|tv|uk|us"
    "|vip|xyz"
)
LINK = re.compile(rf"(?:\w{{2,}}://|\bwww\.)\S|(?<![\w@.])(?:[\w-]+\.)+(?:(?:{ENDINGS})(?![\w-])|[a-z]{{2,}}/)", re.IGNORECASE)
UNSEEN = ("Cf", "Mn")  # letters nobody sees, and the marks upon letters


@dataclass(frozen=True, slots=True)
class Silence:
    """What may keep a person from taking part in a room: a mute, a ban ("room" or "channel"), a pause for all."""

    muted_until: datetime | None = None
    banned: str = ""
    is_paused: bool = False


def can_read(actor: Actor, standing: Standing) -> Decision:
    """Read a room: whoever may see its session."""
    return streaming.can_see(actor, standing.session, standing.instructor_id, enrolled=standing.enrolled)


def can_moderate(actor: Actor, session: Session, instructor_id: UUID) -> Decision:
    """Delete others' messages, mute, ban, pin, slow and pause the room, answer questions: whoever runs the session."""
    return streaming.can_run(actor, session, instructor_id)


def can_take_part(actor: Actor, standing: Standing, silence: Silence, *, at: datetime) -> Decision:
    """Vote, react, raise a hand: whoever may read, while the room is open and nobody silenced them."""
    reads = can_read(actor, standing)
    if not reads:
        return reads
    if actor.viewer_id is not None:
        return no(
            _("You look at this room as %(name)s, so you only read. Stop viewing to write as yourself.", name=actor.name), rule="viewing"
        )
    if standing.session.is_over:
        return no(_("This class is over; its chat can be read, not written."), rule="ended")
    if can_moderate(actor, standing.session, standing.instructor_id):
        return yes("moderator")
    if standing.session.state == "scheduled":
        return no(_("The chat opens with the room, 15 minutes before the start."), rule="early")
    if silence.banned == "channel":
        return no(_("A moderator closed the chats of this academy to you. You can read; ask an admin to lift it."), rule="banned")
    if silence.banned:
        return no(_("A moderator closed this chat to you. You can read; ask the teacher to lift it."), rule="banned")
    if silence.muted_until is not None and silence.muted_until > at:
        return no(_("The moderator asked you to only read for a while."), rule="muted")
    return yes()


def can_post(actor: Actor, standing: Standing, silence: Silence, *, at: datetime) -> Decision:
    """Write in a room: whoever may take part, unless the moderator paused it for all."""
    may = can_take_part(actor, standing, silence, at=at)
    if may and may.rule != "moderator" and silence.is_paused:
        return no(_("The moderator paused the chat. You can write again when it goes on."), rule="paused")
    return may


def can_say(text: str, *, links_blocked: bool, words: tuple[str, ...]) -> Decision:
    """Say this in a room with these rules; moderators are never asked."""
    if links_blocked and LINK.search(text):
        return no(_("Links are off in this chat. Take the link out and send it again."), rule="links")
    found = _forbidden(words).search(folded(text)) if words else None
    if found:
        return no(_("“%(word)s” is not allowed in this chat. Write it in other words.", word=found[0]), rule="words")
    return yes()


def can_delete(actor: Actor, author_id: UUID, session: Session, instructor_id: UUID) -> Decision:
    """Delete a message: its author and the moderators."""
    if actor.user_id is not None and actor.user_id == author_id:
        return yes("own")
    if can_moderate(actor, session, instructor_id):
        return yes("moderator")
    return no(_("Only its author and the moderators can delete a message. You can report it."), rule="moderator")


def can_vote(actor: Actor, author_id: UUID, *, is_answered: bool) -> Decision:
    """Want a question answered: anybody but who asked it, until it is."""
    if actor.user_id == author_id:
        return no(_("Your own question counts already."), rule="own")
    return no(_("This question is answered."), rule="answered") if is_answered else yes()


def can_silence(actor: Actor, person_id: UUID, role: str, session: Session, instructor_id: UUID) -> Decision:
    """Mute or ban a person in a room: its moderators, but not each other."""
    may = can_moderate(actor, session, instructor_id)
    if may and (role in ("admin", "owner") or person_id in (instructor_id, session.host_id)):
        return no(_("This person runs the class too and cannot be silenced."), rule="moderator")
    return may


def can_ban_everywhere(actor: Actor, role: str) -> Decision:
    """Close every chat of the channel to a person: admins, but not to each other."""
    may = admins(actor)
    return no(_("Admins cannot be silenced."), rule="admin") if may and role in ("admin", "owner") else may


def can_rule_words(actor: Actor) -> Decision:
    """Say which words no message of the channel may hold: admins."""
    return admins(actor)


def folded(text: str) -> str:
    """A text as words are compared: small letters, one form of each, without marks and what cannot be seen."""
    return "".join(one for one in unicodedata.normalize("NFKD", text).casefold() if unicodedata.category(one) not in UNSEEN)


@lru_cache(maxsize=64)
def _forbidden(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = [re.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else "") for word in sorted(words, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")
