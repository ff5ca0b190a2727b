"""PDFs set by typst: a template and what it reads; names in any script the fonts here have, or the machine's own for what is left."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

from lms.config import ROOT
from lms.core import i18n

FONTS = ROOT / "static" / "fonts"
# Scripts of typst's own Libertinus Serif, and of static/fonts: Latin, Greek, Cyrillic; Hebrew, Arabic, Devanagari, Thai; signs.
COVERED = ((0x0000, 0x052F), (0x0590, 0x06FF), (0x0750, 0x077F), (0x0900, 0x097F), (0x0E00, 0x0E7F), (0x1E00, 0x22FF))


def pdf_of(template: Path, data: Mapping[str, Any]) -> bytes:
    """The pages of a template, which sees `data` and nothing else, in the reader's direction of writing."""
    words = json.dumps({**data, "dir": i18n.direction()}, ensure_ascii=False)
    made: bytes = typst.compile(
        str(template),
        root=str(template.parent),
        sys_inputs={"data": words},
        font_paths=[str(FONTS)],
        ignore_system_fonts=covers(words),
    )
    return made


def covers(words: str) -> bool:
    """Whether the fonts that come along hold every letter; Chinese, say, needs one of the machine."""
    return all(_is_covered(letter) for letter in set(words))


@cache
def _is_covered(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in COVERED)
