"""Pictures made anew: upright, capped, clean."""

import dataclasses
import io
from pathlib import Path

import pytest
from PIL import Image

from lms.core import images, sandbox
from lms.core.errors import Unavailable
from lms.core.images import make_pictures
from lms.core.sniff import WrongFile


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path) -> None:
    sandbox.use_scratch(tmp_path)


def a_picture(form: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: object) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size).save(target, form, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("JPEG", "CMYK"), ("JPEG", "L"), ("GIF", "P"), ("WEBP", "RGB")]
)
def test_make_pictures__takes_every_kind_in_the_sizes_asked(form: str, mode: str) -> None:
    big, small = make_pictures(a_picture(form, mode=mode), [1000, 64])
    assert (big.width, big.height, small.width, small.height) == (300, 200, 64, 43)
    with Image.open(io.BytesIO(small.data)) as made:
        assert made.format == "WEBP" and not made.getexif() and "icc_profile" not in made.info


def test_make_pictures__of_an_animation_keeps_the_first_frame() -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue", "green")]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    target.seek(0)
    (made,) = make_pictures(target, [50])
    with Image.open(io.BytesIO(made.data)) as picture:
        assert getattr(picture, "n_frames", 1) == 1 and picture.convert("RGB").getpixel((5, 5))[0] > 200  # type: ignore[index]  # RGB


def test_make_pictures__of_a_big_one_on_its_side_stands_it_up_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGBA", (7800, 5000), (0, 0, 255, 128))
    picture.paste((255, 0, 0, 255), (0, 0, 3900, 5000))
    target = io.BytesIO()
    picture.save(target, "PNG", exif=exif, compress_level=1)
    monkeypatch.setattr(images, "LIMITS", dataclasses.replace(images.LIMITS, memory_bytes=400 << 20))
    (made,) = make_pictures(target.getvalue(), [300])
    with Image.open(io.BytesIO(made.data)) as upright:
        assert upright.size == (192, 300) and not upright.getexif()
        assert upright.getpixel((96, 20)) == pytest.approx((255, 0, 0, 255), abs=6)
        assert upright.getpixel((96, 280)) == pytest.approx((0, 0, 255, 128), abs=6)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (a_picture(size=(12_800, 12_800), mode="1"), "pixels"),
        (a_picture("WEBP", size=(5000, 5000)), "pixels"),
        (a_picture()[:80], "broken"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, "broken"),
        (b"%PDF-1.7", "kind"),
        (b"<svg onload=alert(1)>", "active"),
        (b"", "empty"),
        (bytes(images.MAX_BYTES + 1), "size"),
    ],
)
def test_make_pictures__refuses_in_words(tmp_path: Path, data: bytes, rule: str) -> None:
    for source in (data, io.BytesIO(data)):
        with pytest.raises(WrongFile) as refusal:
            make_pictures(source, [100])
        assert refusal.value.rule == rule
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(WrongFile):
        make_pictures(tmp_path / "a", [100])


def test_make_pictures__says_that_the_machine_cannot_and_blames_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "python_command", lambda *_words: ["/nowhere/python"])
    with pytest.raises(Unavailable, match="the server has to be looked after"):
        make_pictures(a_picture(), [100])
