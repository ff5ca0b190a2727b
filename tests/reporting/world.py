"""A channel in which something of everything happened, so that every list has rows."""

import io
from datetime import timedelta

from sqlalchemy import select

from lms.auth import operations as accounts
from lms.auth.queries import get_user
from lms.chat import operations as chat
from lms.content import operations as content
from lms.content import queries as content_queries
from lms.core import clock, db
from lms.core import plans as bulk
from lms.core.clock import now
from lms.core.decisions import Actor
from lms.core.ids import uuid7
from lms.core.money import Money
from lms.courses import operations as courses
from lms.enrollments import operations as enrollments
from lms.payments import operations as payments
from lms.payments.models import Order
from lms.streaming import operations as streaming
from lms.vouchers import operations as vouchers
from lms.vouchers.operations.letters import Recipient
from lms.wallet import operations as wallet
from tests.factories.batches import a_batch as a_group
from tests.factories.community import a_review
from tests.factories.courses import a_course
from tests.factories.enrollments import an_enrollment
from tests.factories.people import a_student, ada, root, sam
from tests.factories.streaming import a_session
from tests.factories.vouchers import a_batch
from tests.factories.wallet import a_topped_up_student


def busy() -> Actor:
    """Two courses, one of them sold, students, vouchers, a live class; gives the admin."""
    admin = root()
    ada()
    free, paid = a_course(published=True), a_course('=Geometry, "the" art', published=True, price=Money(1250, "EUR"))
    for number in range(8):
        an_enrollment(a_student(f"Student {number}"), free, progress=50 * (number % 3))
    an_enrollment(sam(), free, progress=100)
    for number in range(3):
        buyer = a_topped_up_student(Money(5000, "EUR"), f"Buyer {number}")
        enrollments.enroll_by_wallet(paid, by=buyer)
    a_batch(4, by=admin)
    a_session(free, starts_at=now() + timedelta(days=2))
    return admin


def full() -> Actor:
    """The busy channel, and a little of what else there are lists of: reviews, classes that were held, learners who stay away, and so on."""
    admin = busy()
    teacher = ada()
    course = a_course("Long ago", published=True)
    with clock.at(now() - timedelta(days=40)):
        for number in range(3):
            an_enrollment(a_student(f"Away {number}"), course, progress=50 * (number % 2))
    a_review(a_student("Rita Reviewer"), course)
    courses.delete_course(a_course("Gone"), by=admin)
    content.receive_file("notes.pdf", io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "document", by=teacher)
    with clock.at(now() - timedelta(hours=2)):
        held = a_session(course, state="live")
        for person in (sam(), a_student("Lara Late")):
            streaming.note_join(held.id, person.user_id, source="page")
    streaming.end_session(held, by=teacher)
    for person, device in ((teacher, "Mozilla/5.0 (X11; Linux) Firefox/140"), (sam(), "Mozilla/5.0 (iPhone) Safari/604")):
        accounts.start_session(get_user(person.user_id), uuid7().bytes, staff=person.is_staff, address="127.0.0.1", device=device)
    watching = content_queries.devices_of(uuid7(), 2)
    assert content.remember_device(sam(), "a" * 32, "Mozilla/5.0 (iPhone) Safari/604", watching)
    issued = a_batch(3, by=admin, label="By mail")
    vouchers.send_codes(issued.batch, issued.codes, [Recipient("guest@example.org", "A guest")], by=admin)
    vouchers.redeem(issued.codes[2], by=sam())
    order = db.session().scalars(select(Order).where(Order.status == "paid").limit(1)).one()
    payments.refund_order(order, Money(250, "EUR"), "A part of it was missing.", by=admin)
    wallet.request_adjustment(sam().user_id, Money(100, "EUR"), "For the trouble.", by=admin)
    bulk.do_now("channels.suspend_people", a_student("Sue Spender").user_id, by=admin)
    ways_in(admin)
    talk_and_money(admin)
    return admin


def ways_in(admin: Actor) -> None:
    """A full batch with somebody who waits, a link somebody came through, and somebody who asks to be let in."""
    dated, linked, asked = (a_course(title, published=True) for title in ("Dated", "Linked", "On request"))
    group = a_group(dated, "Evening", seats=1)
    first, second, third = (a_student(f"Guest {number}") for number in range(3))
    assert first.user_id is not None and second.user_id is not None
    enrollments.enroll_by_hand(first.user_id, dated, note="First.", by=admin, batch_id=group.id)
    enrollments.join_waitlist(group, second.user_id, by=second)
    link, _held = enrollments.make_link(enrollments.Terms(label="Open day", course_ids=[linked.id]), by=admin)
    enrollments.enroll_through(link.id, linked, by=second)
    hiring = enrollments.Terms(label="Teachers", role="instructor", course_ids=[linked.id], seats=1, ends_at=now() + timedelta(days=14))
    work, _held = enrollments.make_link(hiring, by=admin)
    enrollments.take_work(work.id, by=a_student("Nia New"))
    courses.set_entry(asked, courses.Entry(entry="request"), by=admin)
    enrollments.ask_to_enroll(asked, "For my work.", by=third)


def talk_and_money(admin: Actor) -> None:
    """A question in a class that is on, money that lasts until a day, and a gift."""
    on = a_session(a_course("Talked about", published=True), state="live")
    chat.make_room(on.id)
    chat.post_message(on.id, "Why is that so?", client_id=uuid7(), by=admin, is_question=True)
    dating = wallet.Dating(until=now() + timedelta(days=30))
    wallet.credit(a_student("Dora Dated").user_id, Money(500, "EUR"), source="adjustment", reference_id=uuid7(), by=admin, dating=dating)
    vouchers.set_gift_rules([Money(1000, "EUR")], is_on=True, courses=False, by=admin)
    giver = a_topped_up_student(Money(5000, "EUR"), "Gil Giver")
    vouchers.give(vouchers.GiftWish(price=Money(1000, "EUR"), email="bo@example.org", send_at=now() + timedelta(days=9)), by=giver)
