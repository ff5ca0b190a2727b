"""Gifts: a code bought from the wallet for somebody else, in the letter to them and nowhere else; taken back until it is used.

A gift of a course is money of its price, with which the course is bought as soon as the code is redeemed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from lms.channels.operations import edit_channel
from lms.channels.queries import this_channel
from lms.core import audit, db, limits
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.errors import Conflict, Forbidden, Invalid
from lms.core.i18n import gettext as _
from lms.core.ids import uuid7
from lms.core.money import MAX_MINOR, Money
from lms.vouchers import policies, queries
from lms.vouchers.models import Code, Gift, Letter
from lms.vouchers.operations.batches import create_batch, void_gift
from lms.vouchers.operations.letters import ADDRESS, seal_letter
from lms.vouchers.operations.wishes import NewBatch
from lms.wallet import operations as wallet
from lms.wallet.operations import Dating, Leg
from lms.wallet.queries import find_transaction

FARTHEST = timedelta(days=366)
MOST_A_DAY = 20
MOST_AMOUNTS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class GiftWish:
    """What is given, to whom, with which words, when; `price` is what the giver saw. Without a course it is that much money."""

    price: Money
    email: str
    name: str = ""
    message: str = ""
    course_id: UUID | None = None
    send_at: datetime | None = None

    def faults(self) -> dict[str, str]:
        """What is wrong with the wish, field by field."""
        moment = now()
        rules = {
            "email": (ADDRESS.fullmatch(self.email) and len(self.email) <= 254, _("Write the address like ana@example.org.")),
            "name": (len(self.name) <= 120, _("A name has at most 120 letters.")),
            "message": (len(self.message) <= 2000, _("Your words have at most 2,000 letters.")),
            "send_at": (
                self.send_at is None or moment < self.send_at <= moment + FARTHEST,
                _("Choose a moment that lies ahead, at most a year, or none."),
            ),
        }
        return {name: sentence for name, (fits, sentence) in rules.items() if not fits}


def give(wish: GiftWish, *, gift_id: UUID | None = None, by: Actor) -> Gift:
    """Buy a code for somebody from the wallet and put it into a letter to them; the same `gift_id` again answers the same gift.

    Raises Invalid beside the field that does not fit, wallet's NotEnough, Conflict for somebody else's `gift_id`, and TooMany
    past 20 gifts a day.
    """
    if by.user_id is None:
        raise Forbidden(_("Sign in to give a voucher."), rule="sign_in")
    if gift_id is not None and (known := queries.find_gift(gift_id)) is not None:
        return _own(known, by)
    may = policies.can_give(by, queries.gift_rules())
    if not may:
        raise Forbidden(may.sentence, rule=may.rule)
    title = _checked(wish)
    limits.hit("gift", f"{this_channel().id}:{by.user_id}", most=MOST_A_DAY, seconds=86400)
    try:
        with db.session().begin_nested():
            return _given(wish, title, gift_id or uuid7(), by)
    except IntegrityError as error:  # the same id a moment before, by another request
        if gift_id is None or getattr(getattr(error.orig, "diag", None), "constraint_name", "") != "pk_gifts":
            raise
        return _own(queries.find_gift(gift_id), by)


def _own(gift: Gift | None, by: Actor) -> Gift:
    """The gift when this person made it; raises Conflict when somebody else did."""
    if gift is None or gift.giver_id != by.user_id:
        sentence = _("Another gift has this id already. Send a new one.")
        raise Conflict(sentence, fields={"id": sentence})
    return gift


def _given(wish: GiftWish, title: str, gift_id: UUID, by: Actor) -> Gift:
    """The code, its letter and the gift."""
    assert by.user_id is not None
    courses = (wish.course_id,) if wish.course_id is not None else ()
    label = title or _("Gift of %(amount)s", amount=wish.price.format(this_channel().locale))
    issued = create_batch(NewBatch(label=label[:120], value=wish.price, count=1, course_ids=courses, is_gift=True), by=by)
    letter = Letter(
        batch_id=issued.batch.id,
        code_id=queries.find_code_id(issued.batch.id, 1),
        email=wish.email.strip(),
        name=wish.name.strip(),
        message=wish.message.strip(),
        send_at=wish.send_at or now(),
        sealed=seal_letter(issued.codes[0]),
        made_by=by.user_id,
    )
    db.session().add(letter)
    db.session().flush()
    return _paid(wish, letter, label, gift_id, by)


def _paid(wish: GiftWish, letter: Letter, label: str, gift_id: UUID, by: Actor) -> Gift:
    """The gift, paid by one balanced transaction."""
    assert by.user_id is not None
    price = wish.price
    gift = Gift(
        id=gift_id,
        giver_id=by.user_id,
        batch_id=letter.batch_id,
        letter_id=letter.id,
        course_id=wish.course_id,
        amount_minor=price.minor,
        currency=price.currency,
        made_at=now(),
    )
    db.session().add(gift)
    db.session().flush()
    note = f"{label} → {wish.name.strip() or wish.email.strip()}"[:400] + f" · {gift.number}"
    legs = (Leg("student", -price.minor, by.user_id), Leg("vouchers", price.minor))
    wallet.post(legs, price.currency, source="gift", reference_id=gift.id, note=note, by=by)
    audit.record("vouchers.give", gift, by=by, name=label, after={"amount_minor": price.minor, "currency": price.currency})
    return gift


def _checked(wish: GiftWish) -> str:
    """The title of the course, when it is one; raises Invalid where something does not fit, or costs another price by now."""
    faults, rules, title = wish.faults(), queries.gift_rules(), ""
    if wish.course_id is not None:
        course = queries.course_to_give(wish.course_id)
        title = course.title if course is not None else ""
        if course is None or not rules.courses or not course.price_now.minor:
            faults["what"] = _("This course cannot be given. Choose another.")
        elif course.price_now != wish.price:
            price = course.price_now.format(this_channel().locale)
            faults["what"] = _("%(course)s costs %(price)s now. Choose it again if that is right.", course=course.title, price=price)
    elif wish.price not in rules.amounts:
        faults["what"] = _("Choose one of the amounts.")
    if faults:
        raise Invalid(_("Some of this does not fit yet."), fields=faults)
    return title


def cancel_gift(gift: Gift, *, by: Actor) -> bool:
    """Take a gift back: its code is void, a letter that waits stays here, and the money is in the giver's wallet again, with its dates.

    False when it was cancelled before; raises Conflict when the code was used. The code's own row decides between two at once.
    """
    code = queries.lock_code(queries.get_letter(gift.letter_id).code_id)
    locked = queries.lock_gift(gift.id)
    if locked.cancelled_at is not None:
        return False
    if code.uses:
        raise Conflict(_("The code has been redeemed, so the gift stays where it is."), rule="redeemed")
    _void(locked, code, by)
    locked.cancelled_at, locked.cancelled_by = now(), by.user_id
    db.session().flush()
    amount, note = locked.amount, f"{queries.get_batch(locked.batch_id).label} · {locked.number}"
    legs = (Leg("student", amount.minor, locked.giver_id), Leg("vouchers", -amount.minor))
    dating = Dating(mirrors=find_transaction("gift", locked.id))
    wallet.post(legs, amount.currency, source="gift_cancel", reference_id=locked.id, note=note, by=by, dating=dating)
    audit.record("vouchers.cancel_gift", locked, by=by, name=note, after={"amount_minor": amount.minor, "currency": amount.currency})
    return True


def _void(gift: Gift, code: Code, by: Actor) -> None:
    void_gift(queries.get_batch(gift.batch_id), [code.id], reason=_("The gift was taken back"), by=by)
    letter = queries.lock_letter(gift.letter_id)
    if letter.state == "waiting":
        letter.state, letter.reason, letter.sealed = "withheld", _("Not sent: the gift was taken back."), None


def set_gift_rules(amounts: list[Money], *, is_on: bool, courses: bool, by: Actor) -> bool:
    """Say whether students may give vouchers, which amounts they choose from, and whether they may give courses."""
    channel = this_channel()
    wrong = len(amounts) > MOST_AMOUNTS or any(not 0 < one.minor <= MAX_MINOR or one.currency != channel.currency for one in amounts)
    if wrong:
        sentence = _("Write up to %(most)s amounts above zero, set apart by semicolons.", most=MOST_AMOUNTS)
        raise Invalid(sentence, fields={"amounts": sentence})
    if is_on and not amounts and not courses:
        sentence = _("Name at least one amount, or let courses be given.")
        raise Invalid(sentence, fields={"amounts": sentence})
    kept: dict[str, Any] = {
        "is_on": is_on,
        "courses": courses,
        "amounts": sorted({one.minor for one in amounts}),
        "currency": channel.currency,
    }
    return edit_channel(channel, {"settings": {**channel.settings, queries.GIFTS: kept}}, by=by)
