"""Pictures from people: opened in the sandbox, capped before decoding, turned upright, made anew without what was hidden in them.

Run as a script it is the program inside the sandbox: `pictures.py input output most_side`.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps, ImageSequence

MAX_PIXELS = 40_000_000
MAX_WEBP_PIXELS = 24_000_000  # its decoder keeps four of them
STRIP_PIXELS = 1_000_000
ORIENTATION = 0x0112  # Exif 2.32, 4.6.4
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class Refused(Exception):
    """The picture is past a cap or broken; `args[0]` names which."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def remake(source: Path, target: Path, most_side: int) -> Size:
    """Write the first frame of a picture as WebP, upright, in sRGB bytes without metadata, no side over `most_side`."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > (MAX_WEBP_PIXELS if opened.format == "WEBP" else MAX_PIXELS):
                raise Refused("pixels")
            opened.draft("RGB", (most_side, most_side))
            frame = next(iter(ImageSequence.Iterator(opened)))
            frame.load()
            turned = frame.getexif().get(ORIENTATION, 1)
            made = _small(frame, most_side)
    except Image.DecompressionBombError as error:
        raise Refused("pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise Refused("broken") from error
    made.getexif()[ORIENTATION] = turned
    made = ImageOps.exif_transpose(made)
    clean = Image.new(made.mode, made.size)
    clean.paste(made)
    clean.save(target, "WEBP", quality=84, method=4)
    return Size(*clean.size)


def _small(frame: Image.Image, most_side: int) -> Image.Image:
    """The picture in sRGB bytes, no side over `most_side`: strip by strip, for there is no memory for two more of the big one."""
    mode = "RGBA" if _has_alpha(frame) else "RGB"
    factor = max(1, max(frame.size) // most_side)  # small by a whole number first, then as asked
    rows = max(1, STRIP_PIXELS // frame.width // factor) * factor
    made = Image.new(mode, (-(-frame.width // factor), -(-frame.height // factor)))
    for top in range(0, frame.height, rows):
        strip = frame.crop((0, top, frame.width, min(top + rows, frame.height))).convert(mode)
        made.paste(strip.reduce(factor), (0, top // factor))
    scale = min(1.0, most_side / max(frame.size))
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    return made.resize(size, Image.Resampling.LANCZOS, box=(0.0, 0.0, frame.width / factor, frame.height / factor))


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.mode or "transparency" in image.info


def main() -> None:
    """The program in the sandbox: prints {"width", "height"} or {"refused"}."""
    try:
        size = remake(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    except Refused as refusal:
        sys.stdout.write(json.dumps({"refused": refusal.args[0]}))
        return
    sys.stdout.write(json.dumps({"width": size.width, "height": size.height}))


if __name__ == "__main__":
    main()
