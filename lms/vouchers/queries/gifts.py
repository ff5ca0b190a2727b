"""Gifts: what may be given here, what somebody gave, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from lms.channels.queries import this_channel
from lms.core import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.money import Money
from lms.courses.models import Course
from lms.vouchers.models import Batch, Code, Gift, Letter
from lms.wallet.models import Transaction
from lms.wallet.queries import causes_are_called

GIFTS = "gifts"
GIVEN = select(Gift.number).where(Gift.id == Transaction.reference_id).correlate(Transaction).scalar_subquery()
causes_are_called("gift", GIVEN)
causes_are_called("gift_cancel", GIVEN)


@dataclass(frozen=True, slots=True)
class GiftRules:
    """Whether students may give vouchers, of which amounts, and whether courses, too."""

    is_on: bool = False
    courses: bool = False
    amounts: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A gift with its letter and code, and what it is called."""

    gift: Gift
    letter: Letter
    code: Code
    label: str

    @property
    def state(self) -> str:
        """waiting, sent, withheld, redeemed or cancelled."""
        if self.gift.cancelled_at is not None:
            return "cancelled"
        return "redeemed" if self.code.uses else self.letter.state

    @property
    def can_be_cancelled(self) -> bool:
        """Whether nobody has used it and it was not taken back."""
        return self.state not in ("cancelled", "redeemed")


def gift_rules() -> GiftRules:
    """What this channel says about gifts; off until it says so, and amounts of another currency do not count."""
    channel = this_channel()
    kept = channel.settings.get(GIFTS) or {}
    amounts = kept.get("amounts", []) if kept.get("currency") == channel.currency else []
    return GiftRules(bool(kept.get("is_on")), bool(kept.get("courses")), tuple(Money(int(minor), channel.currency) for minor in amounts))


def courses_to_give() -> Sequence[Course]:
    """The courses on sale that cost something, by title."""
    query = select(Course).where(Course.status == "published", Course.price_minor > 0).order_by(Course.title).limit(500)
    return db.session().scalars(query).all()


def course_to_give(course_id: UUID) -> Course | None:
    """One of them."""
    return db.session().scalars(select(Course).where(Course.id == course_id, Course.status == "published")).one_or_none()


def find_gift(gift_id: UUID) -> Gift | None:
    """One gift, or nothing."""
    return db.session().scalars(select(Gift).where(Gift.id == gift_id)).one_or_none()


def lock_gift(gift_id: UUID) -> Gift:
    """One gift, locked and as it is now."""
    return db.session().scalars(select(Gift).where(Gift.id == gift_id).with_for_update().execution_options(populate_existing=True)).one()


def get_given(gift_id: UUID) -> Given:
    """One gift with its letter and code."""
    found = _given(Gift.id == gift_id, 1)
    if not found:
        raise NotFound(_("There is no such gift here."))
    return found[0]


def gifts_of(giver_id: UUID, *, most: int = 100) -> list[Given]:
    """What somebody gave, the newest first."""
    return _given(Gift.giver_id == giver_id, most)


def gift_of_batch(batch_id: UUID) -> Gift | None:
    """The gift a batch was made for."""
    return db.session().scalars(select(Gift).where(Gift.batch_id == batch_id)).one_or_none()


def _given(which: object, most: int) -> list[Given]:
    query = (
        select(Gift, Letter, Code, Batch.label)
        .join(Letter, Letter.id == Gift.letter_id)
        .join(Code, Code.id == Letter.code_id)
        .join(Batch, Batch.id == Gift.batch_id)
        .where(which)  # type: ignore[arg-type]  # a condition of ours
        .order_by(Gift.made_at.desc(), Gift.id)
        .limit(most)
        .execution_options(populate_existing=True)
    )
    return [Given(*row) for row in db.session().execute(query)]
