"""Draws rows with given probabilities, so that the order of the rows does not matter.

Every row has an integer mass. Rows are ordered by a bucket of a hash of their values, and
within a bucket lexicographically by the values themselves; a random number in [0, 1) picks a
place on the line of cumulated mass. The picked values therefore depend on the set of rows, their
weights and the random number only: not on row order, blocks, threads or targets. A row of
weight w occupies the place of w copies of weight 1, and a row of weight 0 none.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.base import FloatArray

__all__ = ["Draw", "Uniform"]

# Integer masses: a distance of up to 2**29 steps times a weight, with all weights together
# within [2**20, 2**21), sums below 2**50, which float64 adds without rounding.
_CLOSEST_BITS = 29
_WEIGHT_BITS = 21


class Uniform(Protocol):
    """``numpy.random.RandomState`` or ``Generator``: what seeding needs of either."""

    def random(self, size: int) -> npt.NDArray[np.float64]:
        """Numbers in [0, 1)."""


class Draw:
    """Draws rows of one data set.

    Parameters
    ----------
    dataset : Dataset
        The rows and their weights.
    rng : RandomState or Generator
        Where the random numbers come from: one a draw.
    """

    def __init__(self, dataset: Dataset, rng: Uniform) -> None:
        self._dataset = dataset
        self._rng = rng
        self._buckets = dataset.bucket_rows()
        weight = dataset.sample_weight
        total = float(dataset.n_samples) if weight is None else math.fsum(weight)
        self._weight_scale = math.ldexp(1.0, _WEIGHT_BITS - math.frexp(total)[1])

    def by_weight(self, size: int) -> npt.NDArray[np.intp]:
        """Draw ``size`` rows, with replacement, with probability proportional to weight."""
        return self._draw(None, 1.0, size)

    def by_cost(self, closest: FloatArray, top: float, size: int) -> npt.NDArray[np.intp]:
        """Draw rows with probability proportional to weight × ``closest`` (at most ``top``)."""
        return self._draw(closest, self._closest_scale(top), size)

    def distinct(self, size: int) -> npt.NDArray[np.intp]:
        """Draw rows of different values, one after the other, by weight among those left.

        When all values with weight are taken, values repeat.
        """
        alive = np.ones(self._dataset.n_samples)
        masses = self._masses(alive, 1.0)
        picked: list[int] = []
        for _ in range(size):
            if not masses.any():
                alive[:] = 1.0
                masses = self._masses(alive, 1.0)
            row, twins = self._pick(masses, alive, 1.0, float(self._rng.random(1)[0]))
            picked.append(row)
            bucket = self._buckets[row]
            masses[bucket] -= float(self._mass_of(twins, alive, 1.0).sum())
            alive[twins] = 0.0
        return np.array(picked, np.intp)

    def _draw(self, closest: FloatArray | None, scale: float, size: int) -> npt.NDArray[np.intp]:
        masses = self._masses(closest, scale)
        return np.array(
            [self._pick(masses, closest, scale, u)[0] for u in self._rng.random(size)], np.intp
        )

    def _masses(self, closest: FloatArray | None, scale: float) -> FloatArray:
        return self._dataset.bucket_masses(self._buckets, closest, scale, self._weight_scale)

    def _mass_of(
        self, rows: npt.NDArray[np.intp], closest: FloatArray | None, scale: float
    ) -> FloatArray:
        """Mass of single rows, by the same rounding as the sums by bucket."""
        steps = 1.0 if closest is None else np.rint(closest[rows] * scale)
        weight = self._dataset.sample_weight
        scaled = self._weight_scale * (1.0 if weight is None else weight[rows])
        return np.rint(scaled * steps) * np.ones(len(rows))

    def _pick(
        self, masses: FloatArray, closest: FloatArray | None, scale: float, u: float
    ) -> tuple[int, npt.NDArray[np.intp]]:
        """The row at place ``u`` of the line, and all rows that equal it."""
        ends = np.cumsum(masses)
        # u * total may round up to the total; the last unit of mass is as far as it goes.
        place = min(math.floor(u * ends[-1]), ends[-1] - 1.0)
        bucket = int(np.searchsorted(ends, place, side="right"))
        rows = np.flatnonzero(self._buckets == bucket)
        values = self._dataset.source.take(rows)
        order = np.lexsort(values.T[::-1])
        within = np.cumsum(self._mass_of(rows[order], closest, scale))
        at = int(np.searchsorted(within, place - (ends[bucket] - masses[bucket]), side="right"))
        picked = order[at]
        return int(rows[picked]), rows[(values == values[picked]).all(axis=1)]

    @staticmethod
    def _closest_scale(top: float) -> float:
        return math.ldexp(1.0, _CLOSEST_BITS - math.frexp(top)[1])
