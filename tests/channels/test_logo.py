"""The academy's logo: taken as a picture alone, shown in the shell, printed on sheets, taken back."""

import base64
import io

from PIL import Image

from lms.channels import operations, queries
from lms.core import db
from lms.vouchers.operations.sheets import sheet_pdf
from tests.channels.test_views import a_picture
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.machine import Machine
from tests.vouchers.test_sheets import WORDS

PATH = "/admin/channels/logo"


def test_logo__stands_on_every_page_and_logo_remove__takes_it_away(as_root: Browser, as_ada: Browser, client: Browser) -> None:
    as_ada.get(PATH, status=403)
    as_root.get(PATH, status=200)
    assert "Choose a picture." in as_root.post(PATH, status=422).words
    refused = as_root.post(PATH, {"picture": (io.BytesIO(b"<svg onload=alert(1)>"), "me.svg")}, status=422)
    assert "those are not taken" in refused.text("//*[@id='picture-error']")
    as_root.post(PATH, {"picture": (io.BytesIO(a_picture()), "logo.png")}, status=303)
    page = as_root.get(PATH, status=200)
    [address] = set(page.all("//*[contains(@class, 'brand')]//img/@src"))
    assert client.get(str(address), status=200, check=False).response.mimetype == "image/webp"
    assert client.get("/auth/sign-in", status=200).all(f"//img[@src='{address}']")
    with db.unit_of_work(CHANNEL, read_only=True):
        assert queries.logo_of(queries.this_channel()).startswith(b"RIFF")
    as_root.post(f"{PATH}/remove", status=303)
    page = as_root.get(PATH, status=200)
    assert not page.all("//*[contains(@class, 'brand')]//img")
    as_root.post(str(page.all("//*[contains(@class, 'toast')]//form/@action")[0]), status=303)
    assert as_root.get(PATH, status=200).all("//*[contains(@class, 'brand')]//img")
    with db.unit_of_work(CHANNEL):
        channel = queries.this_channel()
        assert operations.set_logo(channel, None, by=as_root.person) and not operations.set_logo(channel, None, by=as_root.person)


def test_logo__by_the_api(api_root: Machine, api_sam: Machine) -> None:
    body = {"picture": base64.b64encode(a_picture()).decode()}
    api_sam.send("PUT", "/channels/logo", body, status=403)
    api_root.send("PUT", "/channels/logo", {"picture": "no base64"}, status=422)
    api_root.send("PUT", "/channels/logo", {"picture": base64.b64encode(b"<svg>").decode()}, status=422)
    address = api_root.send("PUT", "/channels/logo", body, status=200)["logo_url"]
    assert address and api_root.get("/channels/settings")["logo_url"] == address
    for _twice in (1, 2):
        assert api_root.send("DELETE", "/channels/logo", status=200)["logo_url"] is None


def test_sheet_pdf__has_the_logo_beside_the_name() -> None:
    made = io.BytesIO()
    Image.new("RGBA", (64, 32), (200, 30, 30, 255)).save(made, "WEBP")
    for layout in ("cards10", "list"):
        plain, marked = (sheet_pdf(WORDS, ["AAAA-BBBB"], layout=layout, logo=logo) for logo in (b"", made.getvalue()))
        assert b"/Subtype/Image" not in plain and b"/Subtype/Image" in marked
