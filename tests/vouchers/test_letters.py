"""Codes by mail: one for each, on their day, and never once they are worthless; and the alerts of the inbox."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lms.admin.queries import waiting
from lms.core import db, mail
from lms.core.clock import now
from lms.core.decisions import the_platform
from lms.core.errors import Invalid
from lms.vouchers import jobs, operations, queries
from lms.vouchers.operations import Issued, Recipient
from lms.vouchers.operations.alerts import warn_of_guessing
from lms.vouchers.operations.letters import TEMPLATE
from tests.client import Browser
from tests.conftest import CHANNEL, run_jobs
from tests.factories.people import root, sam
from tests.factories.vouchers import a_batch

ANA, BEN = Recipient("ana@example.org", "Ana"), Recipient("ben@example.org")


def _send(made: Issued, *people: Recipient, days: int = 0) -> int:
    moment = now() + timedelta(days=days) if days else None
    return operations.send_codes(made.batch, made.codes, people, message="Good luck", send_at=moment, by=root())


def _states(work: Session) -> list[str]:
    return list(work.execute(text("SELECT state FROM vouchers.letters ORDER BY email")).scalars())


def test_recipients_in__reads_lists_as_people_have_them() -> None:
    typed = "name;email\nAna Lima;ana@example.org\nBen <ben@example.org>\ncy@example.org, Cy\n\nANA@example.org\ndee@example.org\tDee\tD."
    found = operations.recipients_in(typed)
    assert [(one.email, one.name) for one in found] == [
        ("ana@example.org", "Ana Lima"), ("ben@example.org", "Ben"), ("cy@example.org", "Cy"), ("dee@example.org", "Dee D."),
    ]  # fmt: skip
    with pytest.raises(Invalid) as refusal:
        operations.recipients_in("ana@example.org\nnobody here")
    assert "line 2: nobody here" in refusal.value.sentence and "people" in refusal.value.fields


def test_send_codes__gives_each_one_code_and_nobody_two(work: Session) -> None:
    made = a_batch(3)
    assert _send(made, ANA, BEN) == 2
    with pytest.raises(Invalid):
        _send(made, ANA)
    with pytest.raises(Invalid) as refusal:
        _send(made, *(Recipient(f"p{number}@example.org") for number in range(2)))
    assert "2 people" in refusal.value.sentence and "1 codes" in refusal.value.sentence
    stored = " ".join(work.execute(text("SELECT t::text FROM vouchers.letters t")).scalars())
    assert not any(code in stored or code.replace("-", "") in stored for code in made.codes)


def test_send_due_letters__mails_them_once_and_marks_the_codes_sent(work: Session) -> None:
    made = a_batch(2, prefix="SPR")
    _send(made, ANA)
    _send(made, BEN, days=3)
    platform = the_platform(CHANNEL)
    assert operations.send_due_letters(by=platform) == 1 and operations.send_due_letters(by=platform) == 0
    letter = mail.newest(1, "ana@example.org")[0]
    body = mail.readable(letter, letter.body_text)
    assert made.codes[0] in body and "Good luck" in body and "Hello Ana" in body and made.codes[1] not in body and letter.is_secret
    assert [queries.get_code(queries.find_code_id(made.batch.id, number)).state for number in (1, 2)] == ["sent", "created"]
    assert _states(work) == ["sent", "waiting"] and mail.newest(1, "ben@example.org") == []
    assert work.execute(text("SELECT count(*) FROM vouchers.letters WHERE sealed IS NOT NULL")).scalar_one() == 1


def test_send_due_letters__holds_back_what_is_worth_nothing_any_more(work: Session) -> None:
    made = a_batch(2)
    _send(made, ANA, BEN)
    operations.void_codes(made.batch, [queries.find_code_id(made.batch.id, 1)], reason="Lost", by=root())
    operations.redeem(made.codes[1], by=sam())
    operations.send_due_letters(by=the_platform(CHANNEL))
    assert _states(work) == ["withheld", "withheld"] and mail.newest(1, "ana@example.org") == []


def test_stop__is_asked_when_the_mail_goes(connection: object) -> None:
    with db.unit_of_work(CHANNEL):
        made = a_batch(1)
        _send(made, ANA)
        operations.send_due_letters(by=the_platform(CHANNEL))
        operations.void_codes(made.batch, reason="Over", by=root())
    run_jobs()
    with db.unit_of_work(CHANNEL) as session:
        found = mail.newest(1, "ana@example.org")[0]
        assert (found.template, found.state) == (TEMPLATE, "withheld") and "withdrawn" in (found.error or "")
        assert _states(session) == ["withheld"]


def test_withdraw_letter__keeps_it_here(work: Session) -> None:
    made = a_batch(1)
    _send(made, ANA, days=2)
    letter_id = work.execute(text("SELECT id FROM vouchers.letters")).scalar_one()
    assert operations.withdraw_letter(letter_id, by=root()) is True and operations.withdraw_letter(letter_id, by=root()) is False
    assert _states(work) == ["withheld"] and len(queries.free_codes(made.batch.id)) == 1


def test_send_letters__runs_as_a_job(work: Session) -> None:
    _send(a_batch(1), ANA)
    jobs.send_letters()
    assert _states(work) == ["sent"]


def test_batches_codes_mail__sends_to_a_pasted_list(as_root: Browser) -> None:
    form = as_root.get("/admin/vouchers/batches/new", status=200)
    owner = form.all("//select[@name='owner']/option[@selected]")[0].get("value")
    wish = {"kind": "value", "label": "Spring", "value": "5", "count": "3", "uses_per_code": "1", "grouping": "4", "owner": owner}
    made = as_root.post("/admin/vouchers/batches/new", {**wish, "seal": form.all("//input[@name='seal']")[0].get("value")}, status=303)
    path = f"{made.location}/mail"
    assert "3 codes have not left" in as_root.get(path, status=200).words
    assert "Say who gets a code" in as_root.post(path, {"people": ""}, status=422).words
    page = as_root.post(path, {"people": "ana@example.org\nnobody", "message": "Hi"}, status=422)
    assert "line 2: nobody" in page.words and "Hi" in page.text("//textarea[@name='message']")
    assert "past" in as_root.post(path, {"people": "ana@example.org", "send_at": "2020-01-01T10:00"}, status=422).words
    listed = as_root.post(path, {"people": "Ana <ana@example.org>\nben@example.org", "send_at": "2099-01-01T10:00"}, status=303)
    page = as_root.get(listed.location, status=200)
    assert "ana@example.org" in page.text("//table") and "Waiting" in page.text("//table")
    letter = page.all("//tbody//a[contains(@href, '/letters/')]")[0].get("href")
    assert "Take it back" in as_root.get(letter, status=200).words
    as_root.post(f"{letter}/withdraw", status=303)
    assert "Held back" in as_root.get(letter, status=200).words


def test_batches_letters__and_letters_show__and_letters_withdraw__know_nothing_of_others(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        made = a_batch(1)
    assert "No letters yet" in as_root.get(f"/admin/vouchers/batches/{made.batch.id}/letters", status=200).words
    assert as_ada.get(f"/admin/vouchers/batches/{made.batch.id}/letters").status == 403
    for path in (f"/admin/vouchers/letters/{made.batch.id}", f"/admin/vouchers/alerts/{made.batch.id}"):
        assert as_root.get(path).status == 404


def test_letters_show__of_an_unknown_letter_is_not_found(as_root: Browser) -> None:
    assert as_root.get(f"/admin/vouchers/letters/{CHANNEL}").status == 404


def test_letters_withdraw__of_an_unknown_letter_is_not_found(as_root: Browser) -> None:
    assert as_root.post(f"/admin/vouchers/letters/{CHANNEL}/withdraw").status == 404


# --- alerts (E11): once, settled by the act, back with the cause --------------------------------------------------------------------


def _kinds() -> list[str]:
    return sorted(one.kind for one in waiting() if one.kind in ("vouchers", "vouchers_low", "guessing"))


def test_raise_alerts__each_once_until_settled_and_again_with_the_cause(work: Session) -> None:
    made, admin = a_batch(10, expires_at=now() + timedelta(days=3)), root()
    for code in made.codes[:9]:
        operations.redeem(code, by=sam())
    for _ in range(2):
        operations.raise_alerts()
    assert _kinds() == ["vouchers", "vouchers_low"]
    for alert_id in work.execute(text("SELECT id FROM vouchers.alerts")).scalars().all():
        assert operations.settle_alert(queries.get_alert(alert_id), by=admin) is True
        assert operations.settle_alert(queries.get_alert(alert_id), by=admin) is False
    operations.raise_alerts()
    assert _kinds() == []
    terms = operations.terms_of(made.batch)
    for days, seen in ((60, []), (4, ["vouchers"])):
        batch = queries.get_batch(made.batch.id)
        later = replace(terms, expires_at=now() + timedelta(days=days))
        operations.edit_batch(batch, later, version=batch.version, by=admin)
        operations.raise_alerts()
        assert _kinds() == seen


def test_raise_alerts__end_by_themselves_when_the_cause_does(work: Session) -> None:
    made = a_batch(1, expires_at=now() + timedelta(days=3))
    operations.raise_alerts()
    assert _kinds() == ["vouchers"]
    operations.void_codes(made.batch, reason="Over", by=root())
    operations.raise_alerts()
    assert _kinds() == []


def test_settle_alert__of_guessing_lets_the_next_one_come(work: Session) -> None:
    for _ in range(2):
        warn_of_guessing(60, 10)
    assert _kinds() == ["guessing"]
    alert_id = work.execute(text("SELECT id FROM vouchers.alerts")).scalar_one()
    operations.raise_alerts()
    assert _kinds() == ["guessing"]
    operations.settle_alert(queries.get_alert(alert_id), by=root())
    assert _kinds() == []
    warn_of_guessing(70, 10)
    assert _kinds() == ["guessing"]


def test_alerts_show__and_alerts_settle__take_it_off_the_inbox(as_root: Browser, as_ada: Browser) -> None:
    with db.unit_of_work(CHANNEL) as session:
        a_batch(2, expires_at=now() + timedelta(days=3), label="Ends soon")
        operations.raise_alerts()
        alert_id = session.execute(text("SELECT id FROM vouchers.alerts")).scalar_one()
    path = f"/admin/vouchers/alerts/{alert_id}"
    assert "Ends soon" in as_root.get("/admin/inbox", status=200).words
    assert "about to expire" in as_root.get(path, status=200).words and as_ada.get(path).status == 403
    as_root.post(f"{path}/settle", status=303)
    assert "Ends soon" not in as_root.get("/admin/inbox", status=200).text("//main")
    assert "Settled" in as_root.get(path, status=200).words


def test_alerts_settle__of_an_unknown_alert_is_not_found(as_root: Browser) -> None:
    assert as_root.post(f"/admin/vouchers/alerts/{CHANNEL}/settle").status == 404
