"""A form of a page is one act: sent again it answers as it did, sent with other words it is refused."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from lms.core import db
from lms.wallet.queries import balance_of
from tests.client import Browser
from tests.conftest import CHANNEL, signed_in
from tests.factories import people
from tests.factories.wallet import euros


def test_sent_once__answers_again_with_the_same_words(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = people.sam()
    page = f"/admin/wallet/people/{student.user_id}/adjust"
    keys = [as_root.get(page, status=200).all("//input[@name='once']")[0].get("value") for _ in range(2)]
    assert keys[0] != keys[1]
    sent = {"way": "in", "amount": "5", "reason": "Cash"}
    first = as_root.post(page, {**sent, "once": keys[0]}, status=303)
    assert "Booked." in as_root.get(first.location, status=200).words
    again = as_root.post(page, {**sent, "once": keys[0]}, status=303)
    assert again.location == first.location and "Booked." in as_root.get(again.location, status=200).words
    assert as_root.post(page, {**sent, "once": keys[0]}, htmx=True, status=204).response.headers["HX-Redirect"] == first.location
    assert as_root.post(page, {**sent, "once": keys[1]}, status=303).location != first.location
    with db.unit_of_work(CHANNEL):
        assert balance_of(student.user_id) == euros(10)


def test_sent_once__leaves_the_key_free_when_the_form_was_refused(as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = people.sam()
    page = f"/admin/wallet/people/{student.user_id}/adjust"
    as_root.post(page, {"way": "in", "amount": "", "reason": "Cash", "once": "one-key-of-mine"}, status=422)
    as_root.post(page, {"way": "in", "amount": "5", "reason": "Cash", "once": "one-key-of-mine"}, status=303)


def test_sent_once__of_a_key_of_somebody_else_is_another_act(app: Flask, as_root: Browser) -> None:
    with db.unit_of_work(CHANNEL):
        student = people.sam()
    other = signed_in(app, lambda: people.a_person("Ruth Second", "admin", "ruth@example.org"))
    sent = {"way": "in", "amount": "5", "reason": "Cash", "once": "one-key-for-two"}
    places = {browser.post(f"/admin/wallet/people/{student.user_id}/adjust", sent, status=303).location for browser in (as_root, other)}
    assert len(places) == 2


def test_sent_once__by_many_clicks_at_once(app: Flask, real_database: str) -> None:
    admin = signed_in(app, people.root)
    with db.unit_of_work(CHANNEL):
        student = people.sam()
    token, page = admin.form_token(), f"/admin/wallet/people/{student.user_id}/adjust"
    cookies = admin.raw

    def click(_number: int) -> str:
        browser = app.test_client()
        browser._cookies = dict(cookies._cookies or {})
        sent = {"way": "in", "amount": "5", "reason": "Cash", "once": "one-key-of-mine", "csrf_token": token}
        answer = browser.post(page, data=sent, base_url="http://localhost")
        return f"{answer.status_code} {answer.headers.get('Location')}"

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(click, range(16)))
    assert len(answers) == 1 and next(iter(answers)).startswith("303")
    with db.unit_of_work(CHANNEL):
        assert balance_of(student.user_id) == euros(5)
