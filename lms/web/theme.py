"""A channel's look as numbers: read a colour, measure its contrast, refuse what nobody could read, and write the channel's stylesheet.

Contrast is WCAG 2.2's (relative luminance of sRGB); OKLCH follows Björn Ottosson's matrices. Pure functions, no request.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

ENOUGH = 4.5
LIGHT_CARD, DARK_CARD = "#ffffff", "#161616"
WHITE, BLACK = "#ffffff", "#000000"
FACES = {
    "default": "",
    "system": 'ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif',
    "serif": 'ui-serif, "Iowan Old Style", Charter, Cambria, Georgia, serif',
    "rounded": 'ui-rounded, "SF Pro Rounded", "Hiragino Maru Gothic ProN", Quicksand, Nunito, system-ui, sans-serif',
}
RADII = {"sharp": "0.125rem", "soft": "0.375rem", "default": "0.625rem", "round": "1rem"}

RGB = tuple[float, float, float]


class BadColor(ValueError):
    """A colour that cannot be read, or that people could not read; the message is a sentence for the form."""


@dataclass(frozen=True)
class Theme:
    """What a channel chooses: one colour (and optionally another for the dark), roundness and face."""

    color: str = "#4f39f6"
    dark_color: str | None = None
    radius: str = "default"
    face: str = "default"


def parse_color(text: str) -> RGB:
    """Red, green and blue from 0 to 1 out of `#rgb`, `#rrggbb` or `oklch(l c h)`; anything else is refused with a sentence."""
    value = text.strip().lower()
    if found := re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", value):
        digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
        return (int(digits[0:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:6], 16) / 255)
    number = r"(\d*\.?\d+)"
    if found := re.fullmatch(rf"oklch\(\s*{number}(%?)\s+{number}\s+{number}(?:deg)?\s*\)", value):
        lightness = float(found[1]) / (100 if found[2] else 1)
        if lightness <= 1:
            return oklch_to_rgb(lightness, float(found[3]), float(found[4]))
    raise BadColor(f"“{text.strip()[:40]}” is not a colour. Write it like #4f39f6.")


def oklch_to_rgb(lightness: float, chroma: float, hue: float) -> RGB:
    """An OKLCH colour in sRGB, cut to what a screen can show."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    small = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * small,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * small,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * small,
    )
    red, green, blue = (_encode(min(1.0, max(0.0, value))) for value in linear)
    return (red, green, blue)


def rgb_to_oklch(rgb: RGB) -> tuple[float, float, float]:
    """Lightness (0-1), chroma and hue (degrees) of an sRGB colour."""
    red, green, blue = (_decode(value) for value in rgb)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    small = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * small
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * small
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * small
    return (lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def _decode(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encode(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * float(value ** (1 / 2.4)) - 0.055


def to_hex(rgb: RGB) -> str:
    """The colour as #rrggbb."""
    return "#" + "".join(f"{round(min(1.0, max(0.0, value)) * 255):02x}" for value in rgb)


def luminance(rgb: RGB) -> float:
    """WCAG relative luminance, 0 (black) to 1 (white)."""
    red, green, blue = (_decode(value) for value in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: RGB, other: RGB) -> float:
    """WCAG contrast ratio, 1 to 21, the same both ways round."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def foreground(background: RGB) -> str:
    """White where it reads (4.5:1), else black; one of the two always does."""
    return WHITE if contrast(background, parse_color(WHITE)) >= ENOUGH else BLACK


def toward(rgb: RGB, ground: RGB, wanted: float = ENOUGH) -> RGB:
    """The same hue made lighter or darker until it reads on the ground at the wanted contrast."""
    lightness, chroma, hue = rgb_to_oklch(rgb)
    step = -0.01 if luminance(ground) > 0.18 else 0.01
    best = rgb
    while contrast(best, ground) < wanted and 0 <= lightness + step <= 1:
        lightness += step
        best = oklch_to_rgb(lightness, chroma * (1 if 0.15 < lightness < 0.9 else 0.5), hue)
    return best


def check(color: str, *, ground: str = LIGHT_CARD, name: str = "page") -> RGB:
    """The colour, when buttons in it can be told from the page (3:1 for shapes); otherwise BadColor says what to do.

    Words on the colour always reach 4.5:1, because `foreground` picks them.
    """
    rgb = parse_color(color)
    ratio = contrast(rgb, parse_color(ground))
    if ratio < 3:
        raise BadColor(
            f"{to_hex(rgb)} is too close to the {name}: {ratio:.1f}:1, and 3:1 is needed. Try {to_hex(toward(rgb, parse_color(ground)))}."
        )
    return rgb


def check_pair(words: str, ground: str) -> float:
    """The contrast of a pair somebody chose by hand; below 4.5:1 it is refused with the ratio and a colour that would do."""
    one, other = parse_color(words), parse_color(ground)
    ratio = contrast(one, other)
    if ratio < ENOUGH:
        better = to_hex(toward(one, other))
        raise BadColor(f"{to_hex(one)} on {to_hex(other)} is hard to read: {ratio:.1f}:1, and 4.5:1 is needed. Try {better}.")
    return ratio


def variables(color: RGB, ground: str) -> dict[str, str]:
    """The five colour variables of one mode."""
    card = parse_color(ground)
    return {
        "--primary": to_hex(color),
        "--primary-foreground": foreground(color),
        "--link": to_hex(toward(color, card, 5.5)),
        "--ring": to_hex(toward(color, card, 3)),
        "--chart-1": to_hex(toward(color, card, 3)),
    }


def stylesheet(theme: Theme) -> str:
    """The channel's stylesheet: eight variables for light, five more for dark, by choice (.dark) and by the device.

    Raises BadColor for a colour nobody could read, ValueError for a radius or face that is not offered.
    """
    if theme.radius not in RADII or theme.face not in FACES:
        raise ValueError("This roundness or face is not offered.")
    light = check(theme.color)
    dark = check(theme.dark_color, ground=DARK_CARD, name="dark page") if theme.dark_color else toward(light, parse_color(DARK_CARD), 3.2)
    shape = {"--radius": RADII[theme.radius]} | ({"--font-body": FACES[theme.face]} if FACES[theme.face] else {})
    bright = _rules(variables(light, LIGHT_CARD) | shape)
    dim = _rules(variables(dark, DARK_CARD))
    return f":root{{{bright}}}\n@media (prefers-color-scheme:dark){{html:not(.light){{{dim}}}}}\nhtml.dark{{{dim}}}\n"


def _rules(pairs: dict[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in pairs.items())
