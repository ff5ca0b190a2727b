"""My profile and my picture."""

import io

from PIL import Image

from lms.channels import operations, queries
from lms.core import db
from lms.core.storage import storage
from tests.client import Browser
from tests.conftest import CHANNEL
from tests.factories import people

FORM = {"name": "Sam Student", "locale": "en", "zone": "UTC"}


def a_picture(side: int = 300) -> bytes:
    """A photograph with a place written into it."""
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (side, side), "teal").save(made, "JPEG", exif=exif)
    return made.getvalue()


def upload(browser: Browser, data: bytes, status: int) -> object:
    """Save the profile with a file."""
    return browser.post("/channels/profile", {**FORM, "picture": (io.BytesIO(data), "me.jpg")}, status=status)


def test_profile__takes_a_picture_and_shows_it_wherever_initials_stood(as_sam: Browser, client: Browser) -> None:
    assert not as_sam.get("/channels/profile", status=200).all("//span[@class='avatar']/img")
    upload(as_sam, a_picture(), 303)
    page = as_sam.get("/channels/profile", status=200)
    addresses = {image.get("src") for image in page.all("//span[@class='avatar']/img")}
    assert len(page.all("//span[@class='avatar']/img")) == 2 and len(addresses) == 1, "in the menu and beside the field"
    shown = client.raw.get(addresses.pop(), base_url="http://localhost")
    assert shown.mimetype == "image/webp" and b"taken at home" not in shown.data
    assert Image.open(io.BytesIO(shown.data)).size == (256, 256)


def test_profile__refuses_what_is_no_picture_and_keeps_what_was_typed(as_sam: Browser) -> None:
    page = as_sam.post(
        "/channels/profile", {**FORM, "name": "Samuel", "picture": (io.BytesIO(b"<svg onload=alert(1)>"), "me.svg")}, status=422
    )
    assert "those are not taken" in page.text("//*[@id='picture-error']") and 'value="Samuel"' in page.body
    with db.unit_of_work(CHANNEL):
        assert queries.get_member(as_sam.person.user_id).name == "Sam Student"


def test_profile_picture_remove__goes_back_to_initials_and_deletes_the_file(as_sam: Browser) -> None:
    upload(as_sam, a_picture(), 303)
    with db.unit_of_work(CHANNEL):
        key = queries.get_member(as_sam.person.user_id).avatar_key
    assert key and storage().exists(key)
    for _ in range(2):
        as_sam.post("/channels/profile/picture/remove", status=303)
    assert not storage().exists(key)
    assert not as_sam.get("/channels/profile", status=200).all("//span[@class='avatar']/img")


def test_pictures_show__knows_no_other_names_and_no_other_channel(as_sam: Browser, client: Browser) -> None:
    upload(as_sam, a_picture(), 303)
    with db.unit_of_work(CHANNEL):
        address = queries.get_member(as_sam.person.user_id).avatar_url
    assert address
    assert client.raw.get(address, base_url="http://localhost").headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.raw.get(address, base_url="http://beta.example").status_code == 404
    for name in ("0" * 32, "..-..-..-..-..-..-..-..-secret_key", "a" * 40):
        client.get(f"/channels/pictures/{name}", check=False, status=404)


def test_change_picture__replaces_the_file_of_the_one_before(connection: object) -> None:
    keys = [operations.store_picture(a_picture(), CHANNEL) for _ in range(2)]
    with db.unit_of_work(CHANNEL):
        sam = people.sam()
        for key in keys:
            operations.change_picture(queries.get_member(sam.user_id), key, by=sam)
    assert [storage().exists(key) for key in keys] == [False, True]


def test_store_picture__makes_it_anew_and_small(connection: object) -> None:
    with storage().open(operations.store_picture(a_picture(900), CHANNEL)) as source:
        assert Image.open(io.BytesIO(source.read())).size == (256, 256)
