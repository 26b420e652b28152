"""Powers of two that keep squares away from overflow and underflow, and the way back."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset, Survey
from truemeans.engines import Engine
from truemeans.engines.records import Extent, FloatArray
from truemeans.sources import Source
from truemeans.sources.scaled import ScaledSource

__all__ = ["Scale", "exponent_away", "weight_exponent"]

# Squares of float64 beyond these powers of two could overflow or vanish.
_LARGEST_EXPONENT = 400
_SMALLEST_EXPONENT = -400


def exponent_away(top: float) -> int:
    """Power of two to divide values up to ``top`` by; 0 where their squares are safe."""
    exponent = math.frexp(top)[1]
    return 0 if top == 0 or _SMALLEST_EXPONENT < exponent < _LARGEST_EXPONENT else exponent


def weight_exponent(weight: FloatArray) -> int:
    """Power of two to divide weights by: the largest is then between a half and one."""
    return math.frexp(float(weight.max()))[1]


class Scale(NamedTuple):
    """Powers of two that keep squares and weights away from overflow and underflow."""

    values: int
    weights: int

    @classmethod
    def of(cls, top: float, weight: FloatArray | None) -> Scale:
        """Return the scale for values up to ``top`` and these weights; mostly 1."""
        return cls(exponent_away(top), 0 if weight is None else weight_exponent(weight))

    def dataset(
        self, source: Source, engine: Engine, survey: Survey, weight: FloatArray | None
    ) -> Dataset:
        """Return the rows and weights on this scale, bound to the engine."""
        if self.values:
            features, bad, top = survey.extent
            down = -self.values
            extent = Extent(np.ldexp(features, down), bad, math.ldexp(top, down))
            source = ScaledSource(source, self.values)
            survey = survey._replace(extent=extent)
        if self.weights:
            assert weight is not None
            weight = np.ldexp(weight, -self.weights)
        return Dataset(source, engine, survey, weight)

    def centroids(self, values: FloatArray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Back in the user's units and the rows' type."""
        return (np.ldexp(values, self.values) if self.values else values).astype(dtype)

    def inertia(self, value: float) -> float:
        """Back in the user's units; infinite where float64 cannot hold it."""
        if not self.values and not self.weights:
            return value
        try:
            return math.ldexp(value, 2 * self.values + self.weights)
        except OverflowError:
            return math.inf
