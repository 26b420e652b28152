"""Integer masses: what rows are drawn by, added up in any order without rounding."""

from __future__ import annotations

import math

__all__ = ["WORN", "mass_scale"]

# Masses are integers with a total of at most 2**50 (plus half a unit a row), which float64 adds
# without rounding, in any order.
_MASS_BITS = 50
# A total that fell below this share of what its scale was made for is measured anew.
WORN = 2.0**-16


def mass_scale(total: float) -> float:
    """The power of two that makes integer masses of values that add up to ``total``."""
    # The largest power of two is enough for costs that are themselves close to underflow.
    return math.ldexp(1.0, min(_MASS_BITS - math.frexp(total)[1], 1023))
