"""Many pictures on one sheet, each with its name: quicker to look through than one by one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

GRID = {"desk": (2, 760, 900), "phone": (5, 304, 1500)}  # pictures in a row, width and height of one
ROWS = {"desk": 2, "phone": 1}


def sheets(pictures: Mapping[str, Sequence[Path]], folder: Path) -> list[Path]:
    """Put the pictures of each look on sheets in the folder; the sheets."""
    made = []
    for look, paths in pictures.items():
        size = look.split("-")[0]
        columns, width, height = GRID[size]
        many = columns * ROWS[size]
        for number, some in enumerate(sorted(paths)[at : at + many] for at in range(0, len(paths), many)):
            sheet = Image.new("RGB", (columns * (width + 8), ROWS[size] * (height + 26)), "#888")
            for place, path in enumerate(some):
                _paste(sheet, path, (place % columns) * (width + 8), (place // columns) * (height + 26), width, height)
            target = folder / f"sheet-{look}-{number:02d}.png"
            sheet.save(target)
            made.append(target)
    return made


def _paste(sheet: Image.Image, path: Path, x: int, y: int, width: int, height: int) -> None:
    with Image.open(path) as picture:
        small = picture.convert("RGB").resize((width, max(1, round(picture.height * width / picture.width))))
        sheet.paste(small.crop((0, 0, width, min(height, small.height))), (x, y + 18))
    ImageDraw.Draw(sheet).text((x + 4, y + 2), path.stem[:70], fill="#fff", font=ImageFont.load_default(13))
