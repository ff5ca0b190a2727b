"""By machine: sheets for who holds the seal, letters to people, warnings settled; the mails that say money ends."""

import base64
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from lms.core import db
from lms.core.clock import now
from lms.core.ids import uuid7
from lms.core.models import Mail
from lms.notifications.models import Notice
from lms.vouchers import operations as vouchers
from lms.wallet import operations as wallet
from lms.wallet.operations import Dating
from tests.conftest import CHANNEL, outbox_errors, run_jobs
from tests.factories.people import root, sam
from tests.factories.vouchers import a_batch as a_batch_of_codes
from tests.factories.wallet import euros
from tests.machine import Machine
from tests.vouchers.test_api import a_batch

SEAL = "a-seal-that-only-this-client-ever-knows-0001"


def test_batches_sheets_create__batches_sheets_show__batches_sheets_file__open_with_the_seal(api_root: Machine, api_ada: Machine) -> None:
    where = f"/vouchers/batches/{a_batch(api_root, seal=SEAL)['id']}/sheets"
    api_ada.money(where, {"seal": SEAL}, status=403)
    api_root.money(where, {"seal": SEAL, "layout": "poster"}, status=422)
    made = api_root.money(where, {"seal": SEAL, "layout": "list"}, status=202)
    sheet = f"{where}/{made['id']}"
    api_root.post(f"{sheet}/file", {"seal": SEAL}, status=409)
    run_jobs()
    assert not outbox_errors() and api_root.get(sheet)["done"] == api_root.get(sheet)["file_count"] == 1
    assert base64.b64decode(api_root.post(f"{sheet}/file", {"seal": SEAL})["pdf"]).startswith(b"%PDF")
    api_root.post(f"{sheet}/file", {"seal": SEAL.replace("0001", "0002")}, status=409)
    api_ada.get(sheet, status=403)


def test_batches_letters_create__letters__letters_show__letters_withdraw(api_root: Machine, api_ada: Machine) -> None:
    where = f"/vouchers/batches/{a_batch(api_root, seal=SEAL)['id']}/letters"
    later = (now() + timedelta(days=1)).isoformat()
    people = [{"email": "nia@example.org", "name": "Nia"}, {"email": "NIA@example.org"}, {"email": "bo@example.org"}]
    api_root.money(where, {"seal": SEAL, "people": [{"email": "nobody"}]}, status=422)
    api_ada.money(where, {"seal": SEAL, "people": people}, status=403)
    assert api_root.money(where, {"seal": SEAL, "people": people, "send_at": later}, status=201) == {"count": 2}
    rows = api_root.get("/vouchers/letters")["rows"]
    letter = f"/vouchers/letters/{rows[0]['id']}"
    assert len(rows) == 2 and api_root.get(letter)["state"] == "waiting"
    for _twice in (1, 2):
        assert api_root.post(f"{letter}/withdraw")["state"] == "withheld"
    api_ada.post(f"{letter}/withdraw", status=403)
    api_root.get(f"/vouchers/letters/{uuid4()}", status=404)


def test_alerts__alerts_show__alerts_settle(api_root: Machine, api_ada: Machine) -> None:
    with db.unit_of_work(CHANNEL):
        a_batch_of_codes(12, expires_at=now() + timedelta(days=3))
        vouchers.raise_alerts()
    [row] = api_root.get("/vouchers/alerts")["rows"]
    alert = f"/vouchers/alerts/{row['id']}"
    assert (api_root.get(alert)["cause"], api_root.get(alert)["settled_at"]) == ("expiring", None)
    api_ada.post(f"{alert}/settle", status=403)
    for _twice in (1, 2):
        assert api_root.post(f"{alert}/settle")["settled_at"]


def test_warn_of_ending_money__is_mailed_with_the_amount_and_not_when_it_was_spent(connection: object) -> None:
    with db.unit_of_work(CHANNEL) as work:
        person, ends = sam(), now() + timedelta(days=10)
        assert person.user_id is not None
        wallet.credit(person.user_id, euros(12), source="adjustment", reference_id=uuid7(), by=root(), dating=Dating(until=ends))
        assert wallet.warn_of_ending_money() == 1
    run_jobs()
    assert not outbox_errors()
    with db.unit_of_work(CHANNEL) as work:
        [title] = work.scalars(select(Notice.title).where(Notice.user_id == person.user_id)).all()
        bodies = work.scalars(select(Mail.body_text).where(Mail.to_address == person.email)).all()
        assert "12" in title and any("€12.00" in body for body in bodies)
        wallet.credit(
            person.user_id, euros(5), source="adjustment", reference_id=uuid7(), by=root(), dating=Dating(until=ends + timedelta(hours=1))
        )
        assert wallet.warn_of_ending_money() == 1
        wallet.debit(person.user_id, euros(17), source="order", reference_id=uuid7(), by=person)
    run_jobs()
    with db.unit_of_work(CHANNEL) as work:
        assert len(work.scalars(select(Notice.id).where(Notice.user_id == person.user_id)).all()) == 1
