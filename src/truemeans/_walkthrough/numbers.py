"""How numbers are written: the same digits in the page and in the terminal.

``page/numbers.js`` is the twin of this file; a test compares the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["Style", "style_for"]

_MINUS = "−"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Style:
    """Fixed decimals, or powers of ten where these would be long.

    Attributes
    ----------
    fixed : bool
        Whether the point is written where it is.
    digits : int
        Digits after the point.
    """

    fixed: bool
    digits: int

    def __call__(self, value: float) -> str:
        """Return the number, rounded half away from zero as JavaScript's ``toFixed`` does."""
        if math.isinf(value):
            return "∞" if value > 0 else f"{_MINUS}∞"
        exact = Decimal(float(value))
        if self.fixed:
            text = str(exact.quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_UP))
            text = format(Decimal(text), "f")
        else:
            text = _scientific(exact, self.digits)
        text = text.lstrip("-") if not text.strip("-0.") else text
        return text.replace("-", _MINUS, 1)


def _scientific(value: Decimal, digits: int) -> str:
    if not value:
        return f"{0:.{digits}f}"
    exponent = value.adjusted()
    scaled = value.scaleb(-exponent)
    mantissa = scaled.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if abs(mantissa) >= 10:
        mantissa, exponent = mantissa.scaleb(-1).quantize(Decimal(1).scaleb(-digits)), exponent + 1
    return f"{mantissa}×10{str(exponent).translate(_SUPERSCRIPTS)}"


def style_for(span: float, top: float, decades: int) -> Style:
    """Return the style for numbers that differ by up to ``span`` and reach up to ``top``.

    About ``decades`` powers of ten below the span are written.
    """
    digits = round(decades - math.log10(span)) if span > 0 else decades
    if digits > 8 or top >= 1e8:
        return Style(fixed=False, digits=decades + 1)
    return Style(fixed=True, digits=max(digits, 0))
