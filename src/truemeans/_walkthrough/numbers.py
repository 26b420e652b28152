"""How numbers are written: the same digits in the page and in the terminal.

``page/numbers.js`` is the twin of this file; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Style", "Styles", "style_for"]

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
    power = f"×10{str(exponent).translate(_SUPERSCRIPTS)}" if exponent else ""
    return f"{mantissa}{power}"


@dataclass(frozen=True, slots=True)
class Styles:
    """How the numbers of one run are written.

    Attributes
    ----------
    values : tuple of Style
        One a column: coordinates, sums and means.
    length : Style
        Distances, and places on principal axes.
    square : Style
        Squared distances and their sums.
    """

    values: tuple[Style, ...]
    length: Style
    square: Style

    @classmethod
    def of(cls, X: npt.NDArray[Any]) -> Styles:
        """Return styles that tell these rows apart."""
        low, high = X.min(axis=0).astype(float), X.max(axis=0).astype(float)
        spans, tops = high - low, np.maximum(-low, high)
        span = float(spans.max())
        # Columns of about the same range look better with the same digits.
        alike = np.where(spans > span / 10, span, spans)
        columns = zip(alike.tolist(), tops.tolist(), strict=True)
        return cls(
            tuple(style_for(width, top, decades=3) for width, top in columns),
            style_for(span, span, decades=3),
            style_for(span * span, span * span, decades=4),
        )

    def squares(self, values: Sequence[float]) -> list[str]:
        """Write the squared distances of one row, so that it shows which is the least."""
        style = _tell_apart(self.square, values)
        return [style(float(x)) for x in values]

    def row(self, values: Iterable[float]) -> list[str]:
        """Write one number a column."""
        return [style(float(x)) for style, x in zip(self.values, values, strict=True)]


def _tell_apart(style: Style, values: Sequence[float]) -> Style:
    """Return the style with as many more digits as tell the two least values apart."""
    least = sorted(values)[:2]
    while len(set(least)) > 1 and style(least[0]) == style(least[1]) and style.digits < 16:
        style = Style(style.fixed, style.digits + 1)
    return style


def style_for(span: float, top: float, decades: int) -> Style:
    """Return the style for numbers that differ by up to ``span`` and reach up to ``top``.

    About ``decades`` powers of ten below the span are written.
    """
    digits = round(decades - math.log10(span)) if span > 0 else decades
    if digits <= 8 and top < 1e8:
        return Style(fixed=True, digits=max(digits, 0))
    offset = round(math.log10(top / span)) if span > 0 else 0
    return Style(fixed=False, digits=min(decades + max(offset, 0), 15))
