"""QR codes of many links that differ in the code alone, fast.

Everything in a QR code (ISO/IEC 18004) is linear over GF(2): bits of the text, Reed-Solomon words and the fixed mask are added without
carry. So the picture of a text is the picture of any other text of its length, XORed with one small picture for each symbol that
differs; those are made once by the real encoder. The mask is fixed: every reader takes it.
"""

import re

import segno

QUIET = 2
MASK = 3
_RUN = re.compile("1+")


class Printer:
    """Draws the QR codes of texts of one length, each as an SVG of one path."""

    def __init__(self) -> None:
        self.base = ""
        self.side = 0
        self.picture = 0
        self.parts: dict[tuple[int, str], int] = {}

    def svg(self, text: str) -> str:
        """The QR code of a text, error correction level M."""
        if len(text) != len(self.base):
            self.base, self.parts = text, {}
            self.picture = self._encode(text)
        picture = self.picture
        for place, symbol in enumerate(text):
            if symbol != self.base[place]:
                picture ^= self._part(place, symbol)
        return self._drawn(picture)

    def _part(self, place: int, symbol: str) -> int:
        """What one other symbol at a place changes."""
        found = self.parts.get((place, symbol))
        if found is None:
            other = self.base[:place] + symbol + self.base[place + 1 :]
            found = self.parts[place, symbol] = self._encode(other) ^ self.picture
        return found

    def _encode(self, text: str) -> int:
        matrix = segno.make(text, error="m", mode="byte", encoding="iso-8859-1", micro=False, mask=MASK, boost_error=False).matrix
        self.side = len(matrix)
        return int("".join("1" if dark else "0" for row in matrix for dark in row), 2)

    def _drawn(self, picture: int) -> str:
        bits, side = format(picture, f"0{self.side * self.side}b"), self.side
        runs = []
        for y in range(side):
            for run in _RUN.finditer(bits, y * side, (y + 1) * side):
                x, width = run.start() - y * side, run.end() - run.start()
                runs.append(f"M{x} {y}h{width}v1h-{width}z")
        whole = side + 2 * QUIET
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-{QUIET} -{QUIET} {whole} {whole}"><path d="{"".join(runs)}"/></svg>'
