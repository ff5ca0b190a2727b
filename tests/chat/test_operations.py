"""Every change in chat: numbers without gaps under a race, posting twice, the announcements of a minute."""

import json
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as Work

from lms.channels.queries import get_member
from lms.chat import jobs, operations, queries
from lms.chat.errors import CannotPost, NoText, NoWord, TooFast
from lms.chat.models import Message, Question, Room
from lms.core import db
from lms.core.clock import now
from lms.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from lms.core.models import AuditRow, EventRow
from lms.core.redis import redis
from lms.streaming.queries import Standing, get_standing
from tests.conftest import CHANNEL, OTHER_CHANNEL
from tests.factories.people import a_student, ada, root, sam
from tests.factories.streaming import a_session, enrol


@pytest.fixture
def standing(work: Work) -> Standing:
    session = a_session(state="live")
    enrol(sam(), session)
    return get_standing(session.id, sam().user_id)


def post(standing: Standing, text: str, *, client_id: UUID | None = None) -> operations.Posted:
    return operations.post_message(standing.session.id, text, client_id=client_id or uuid4(), by=sam())


def test_post_message__numbers_without_gaps(work: Work, standing: Standing) -> None:
    assert [post(standing, str(n)).line.seq for n in range(5)] == [1, 2, 3, 4, 5]
    assert queries.last_seq_of(standing.session.id) == 5


def test_post_message__twice_posts_once(work: Work, standing: Standing) -> None:
    ref = uuid4()
    first, second = post(standing, "one", client_id=ref), post(standing, "changed", client_id=ref)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.line.text == "one" and second.line.seq == 1
    other = a_session(state="live")
    enrol(sam(), other) if other.course_id != standing.session.course_id else None
    with pytest.raises(Conflict):
        operations.post_message(other.id, "elsewhere", client_id=ref, by=sam())


def test_post_message__refuses_strangers_the_muted_and_closed_rooms(work: Work, standing: Standing) -> None:
    stranger = a_student("Eve Elsewhere")
    with pytest.raises(CannotPost):
        operations.post_message(standing.session.id, "hi", client_id=uuid4(), by=stranger)
    operations.mute_person(standing, get_member(sam().user_id), minutes=5, by=ada())  # type: ignore[arg-type]
    with pytest.raises(CannotPost) as refusal:
        post(standing, "hi")
    assert refusal.value.rule == "muted"
    operations.mute_person(standing, get_member(sam().user_id), minutes=0, by=ada())  # type: ignore[arg-type]
    assert post(standing, "hi").is_new


def test_slow_room__spaces_messages(work: Work, standing: Standing) -> None:
    operations.slow_room(standing.session.id, seconds=30, by=ada())
    operations.slow_room(standing.session.id, seconds=30, by=ada())
    post(standing, "one")
    with pytest.raises(TooFast) as refusal:
        post(standing, "two")
    assert 0 < refusal.value.retry_after <= 31
    assert len(work.scalars(select(AuditRow).where(AuditRow.action == "chat.slow")).all()) == 1


def refused(standing: Standing, text: str = "hi") -> str:
    """The rule by which Sam may not say this."""
    with pytest.raises(CannotPost) as refusal:
        post(standing, text)
    return refusal.value.rule


def test_pause_room__stops_all_but_the_moderators(work: Work, standing: Standing) -> None:
    operations.pause_room(standing.session.id, on=True, by=ada())
    assert refused(standing) == "paused"
    assert operations.post_message(standing.session.id, "Listen", client_id=uuid4(), by=ada()).is_new
    operations.pause_room(standing.session.id, on=False, by=ada())
    assert post(standing, "hi").is_new


def test_block_links__refuses_links_of_all_but_the_moderators(work: Work, standing: Standing) -> None:
    operations.block_links(standing.session.id, on=True, by=ada())
    assert refused(standing, "see https://x.example") == "links"
    assert operations.post_message(standing.session.id, "see https://x.example", client_id=uuid4(), by=ada()).is_new


@pytest.mark.parametrize("everywhere", [True, False])
def test_ban_person__lets_only_read_until_it_is_lifted(work: Work, standing: Standing, everywhere: bool) -> None:
    person, where = get_member(sam().user_id), None if everywhere else standing.session.id  # type: ignore[arg-type]
    for _ in range(2):
        operations.ban_person(person, room_id=where, by=ada())
    assert refused(standing) == "banned"
    other = a_session(state="live", starts_at=now() + timedelta(days=1))
    enrol(sam(), other) if other.course_id != standing.session.course_id else None
    assert bool(queries.silence_of(other.id, sam().user_id).banned) is everywhere
    for _ in range(2):
        operations.lift_ban(person, room_id=where, by=ada())
    assert post(standing, "hi").is_new
    acts = [
        row.action for row in work.scalars(select(AuditRow).where(AuditRow.action.in_(("chat.ban", "chat.lift_ban"))).order_by(AuditRow.id))
    ]
    assert acts == ["chat.ban", "chat.lift_ban"]


def test_add_word__keeps_it_out_of_every_message(work: Work, standing: Standing) -> None:
    for text in ("Spam*", "spam*", "Scheiße"):
        operations.add_word(text, by=root())
    assert [word.word for word in queries.words_here()] == ["scheisse", "spam*"]
    assert refused(standing, "SPAMMERS here") == "words" and refused(standing, "s\u200bcheisse") == "words"
    assert post(standing, "no antispam").is_new
    for text in ("*", "a*b", "x" * 61):
        with pytest.raises(NoWord):
            operations.add_word(text, by=root())


def test_remove_word__lets_it_be_said(work: Work, standing: Standing) -> None:
    operations.remove_word(operations.add_word("spam", by=root()), by=root())
    assert post(standing, "spam").is_new


def test_pin_message__goes_with_the_message(work: Work, standing: Standing) -> None:
    room_id = standing.session.id
    post(standing, "read this")
    message = queries.get_message(room_id, 1)
    operations.pin_message(room_id, message, by=ada())
    assert queries.room_state(room_id)["pin"]["text"] == "read this"
    operations.delete_message(message, by=ada())
    assert queries.room_state(room_id)["pin"] is None
    with pytest.raises(Conflict):
        operations.pin_message(room_id, message, by=ada())


def test_post_message__answers_a_message_and_never_quotes_a_deleted_one(work: Work, standing: Standing) -> None:
    room_id = standing.session.id
    post(standing, "first")
    line = operations.post_message(room_id, "second", client_id=uuid4(), by=ada(), reply_seq=1).line
    assert line.reply == queries.Quote(1, sam().name, "first") and json.loads(line.payload())["re"]["text"] == "first"
    operations.delete_message(queries.get_message(room_id, 1), by=ada())
    assert queries.lines_after(room_id, 1)[0].reply == queries.Quote(1, sam().name, "")
    for seq in (1, 99):
        with pytest.raises(NotFound):
            operations.post_message(room_id, "third", client_id=uuid4(), by=ada(), reply_seq=seq)


def asked(standing: Standing) -> tuple[Question, Message]:
    """A question of Sam's."""
    line = operations.post_message(standing.session.id, "Why?", client_id=uuid4(), by=sam(), is_question=True).line
    return queries.get_question(standing.session.id, line.seq)


def test_vote__counts_a_person_once(work: Work, standing: Standing) -> None:
    question, message = asked(standing)
    assert [operations.vote(question, message, on=on, by=ada()) for on in (True, True, False, False, True)] == [1, 1, 0, 0, 1]
    work.refresh(question)
    assert question.votes == 1 and queries.questions_of(standing.session.id, ada().user_id)[0].mine


def test_answer_question__moves_it_behind_the_open_ones(work: Work, standing: Standing) -> None:
    first, second = asked(standing), asked(standing)
    for _ in range(2):
        operations.answer_question(*first, text=" Because. ", by=ada())
    found = queries.questions_of(standing.session.id, None)
    assert [one.seq for one in found] == [second[1].seq, first[1].seq] and found[1].answer == "Because."
    assert len(work.scalars(select(AuditRow).where(AuditRow.action == "chat.answer_question")).all()) == 1


def test_reopen_question__keeps_the_words_of_the_answer(work: Work, standing: Standing) -> None:
    question, message = asked(standing)
    operations.answer_question(question, message, text="Because.", by=ada())
    for _ in range(2):
        operations.reopen_question(question, message, by=ada())
    assert question.answered_at is None and question.answer == "Because."


def test_react__sets_a_sign_once_and_takes_it_away(work: Work, standing: Standing) -> None:
    post(standing, "hi")
    message = queries.get_message(standing.session.id, 1)
    assert operations.react(message, "👍", on=True, by=ada()) == operations.react(message, "👍", on=True, by=ada()) == {"👍": 1}
    assert operations.react(message, "👍", on=True, by=sam()) == {"👍": 2}
    assert queries.signs_in(standing.session.id, ada().user_id, since=0) == {1: [("👍", 2, True)]}
    assert operations.react(message, "👍", on=False, by=ada()) == {"👍": 1}
    with pytest.raises(Invalid):
        operations.react(message, "x", on=True, by=ada())


def test_raise_hand__keeps_the_order(work: Work, standing: Standing) -> None:
    room_id = standing.session.id
    for person in (sam(), ada(), sam()):
        operations.raise_hand(room_id, by=person)
    assert [name for _id, name, _since in queries.hands_of(room_id)] == [sam().name, ada().name]


def test_lower_hands__of_one_or_of_all(work: Work, standing: Standing) -> None:
    room_id = standing.session.id
    for person in (sam(), ada()):
        operations.raise_hand(room_id, by=person)
    operations.lower_hands(room_id, sam().user_id)
    assert [name for _id, name, _since in queries.hands_of(room_id)] == [ada().name]
    operations.lower_hands(room_id)
    assert queries.hands_of(room_id) == []


def test_post_message__stops_at_100_a_minute(work: Work, standing: Standing) -> None:
    for n in range(100):
        post(standing, str(n))
    with pytest.raises(TooMany):
        post(standing, "one more")


@pytest.mark.parametrize("text", ["", "  \n ", "\u202e", "x" * 2001])
def test_clean__refuses_no_words_and_too_many(text: str) -> None:
    with pytest.raises(NoText):
        operations.clean(text)


def test_clean__drops_what_cannot_be_seen() -> None:
    assert operations.clean(" a\x00b\u202ec\nd ") == "abc\nd"


def test_delete_message__twice_changes_nothing(work: Work, standing: Standing) -> None:
    post(standing, "oops")
    message = queries.get_message(standing.session.id, 1)
    for _ in range(2):
        operations.delete_message(message, by=sam())
    assert queries.gone_seqs(standing.session.id) == [1]
    assert queries.lines_after(standing.session.id, 0)[0].text == ""
    assert len(work.scalars(select(AuditRow).where(AuditRow.action == "chat.delete_message")).all()) == 1


def test_flag_message__counts_a_person_once(work: Work, standing: Standing) -> None:
    post(standing, "rude")
    message = queries.get_message(standing.session.id, 1)
    assert operations.flag_message(message, reason="Rude", by=ada()) is True
    assert operations.flag_message(message, reason="Very", by=ada()) is False
    ((line, times, reasons),) = queries.reported_lines(standing.session.id)
    assert (line.text, times, reasons) == ("rude", 1, "Rude")


def test_announce_messages__tells_each_minute_once(work: Work, standing: Standing) -> None:
    for n in range(3):
        post(standing, str(n))
    jobs.announce_messages()
    jobs.announce_messages()
    post(standing, "more")
    jobs.announce_messages()
    rows = work.scalars(select(EventRow).where(EventRow.name == "MessagePosted").order_by(EventRow.id)).all()
    assert [(row.payload["first_seq"], row.payload["last_seq"]) for row in rows] == [(1, 3), (4, 4)]


def test_tail_of__is_rebuilt_when_it_lacks_a_line(work: Work, standing: Standing) -> None:
    for n in range(3):
        post(standing, str(n))
    room = standing.session.id
    assert [seq for seq, _payload in queries.tail_of(room, last_seq=3)] == [1, 2, 3]
    assert redis().llen(queries.tail_key(room)) == 3
    redis().lrem(queries.tail_key(room), 1, redis().lindex(queries.tail_key(room), 1))
    assert [seq for seq, _payload in queries.tail_of(room, last_seq=3)] == [1, 2, 3]


def test_use_ticket__works_once_in_its_room_and_channel(work: Work, standing: Standing) -> None:
    room = standing.session.id
    made = operations.make_ticket(room, b"digest", by=sam())
    assert redis().ttl(next(iter(redis().keys("ticket:*")))) <= 30
    assert operations.use_ticket(made, room) == b"digest"
    for ticket, where in ((made, room), ("", room), (operations.make_ticket(room, b"d", by=sam()), uuid4())):
        with pytest.raises(Forbidden):
            operations.use_ticket(ticket, where)
    other = operations.make_ticket(room, b"d", by=sam())
    with db.unit_of_work(OTHER_CHANNEL), pytest.raises(Forbidden):
        operations.use_ticket(other, room)


def test_make_room__twice_makes_one(work: Work, standing: Standing) -> None:
    for _ in range(2):
        operations.make_room(standing.session.id)
    assert len(work.scalars(select(Room)).all()) == 1


def test_post_message__by_many_at_once_keeps_the_order(real_database: str) -> None:
    with db.unit_of_work(CHANNEL):
        session = a_session(state="live")
        actor = ada()
    same = uuid4()

    def talk() -> None:
        for _ in range(10):
            with db.unit_of_work(CHANNEL):
                operations.post_message(session.id, "hi", client_id=uuid4(), by=actor)
        with db.unit_of_work(CHANNEL):
            operations.post_message(session.id, "same", client_id=same, by=actor)

    threads = [threading.Thread(target=talk) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with db.unit_of_work(CHANNEL) as work:
        seqs = list(work.scalars(select(Message.seq).order_by(Message.seq)))
        assert seqs == list(range(1, 82))
        assert queries.last_seq_of(session.id) == 81


def test_rooms__of_another_channel_are_not_there(work: Work, standing: Standing) -> None:
    post(standing, "hi")
    room = standing.session.id
    work.flush()
    with db.unit_of_work(OTHER_CHANNEL):
        assert queries.lines_after(room, 0) == [] and queries.last_seq_of(room) == 0
