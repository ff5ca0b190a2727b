"""Pictures from people: opened in the sandbox, capped before decoding, turned upright, made anew without what was hidden in them.

Run as a script it is the program inside the sandbox: `pictures.py input output most_side`.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps, ImageSequence

MAX_PIXELS = 40_000_000
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
            if opened.width * opened.height > MAX_PIXELS:
                raise Refused("pixels")
            opened.draft("RGB", (most_side, most_side))
            frame = next(iter(ImageSequence.Iterator(opened)))
            upright = ImageOps.exif_transpose(frame)
            made = upright.convert("RGBA" if _has_alpha(upright) else "RGB")
    except Image.DecompressionBombError as error:
        raise Refused("pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise Refused("broken") from error
    made.thumbnail((most_side, most_side), Image.Resampling.LANCZOS)
    clean = Image.new(made.mode, made.size)
    clean.paste(made)
    clean.save(target, "WEBP", quality=84, method=4)
    return Size(*clean.size)


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
