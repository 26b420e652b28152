"""Draws rows with given probabilities, so that the order of the rows does not matter.

All rows stand on a line, each taking up its mass: ordered by a fixed linear function of their
values (the key), rows of equal keys lexicographically. A random number in [0, 1) picks a place
on the line. What is picked therefore depends on the set of rows, their weights and the random
number only: not on row order, blocks, threads or targets. A row of weight w takes up the place
of w copies of weight 1, and a row of weight 0 none. Scaling the rows by a power of two changes
nothing, and rows that are nearly the same are picked nearly the same.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.base import N_BUCKETS, FloatArray

__all__ = ["Draw", "Uniform"]

# Masses are integers with a total of at most 2**50 (plus half a unit a row), which float64 adds
# without rounding, in any order.
_MASS_BITS = 50


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
        self._key = dataset.row_keys()
        self._order = np.argsort(self._key)
        self._bucket, self._starts = _cut(self._key[self._order], self._order)
        weight = dataset.sample_weight
        self._total_weight = float(dataset.n_samples) if weight is None else math.fsum(weight)

    def by_weight(self, size: int) -> npt.NDArray[np.intp]:
        """Draw ``size`` rows, with replacement, with probability proportional to weight."""
        return self._draw(None, self._total_weight, size)

    def by_cost(self, closest: FloatArray, total: float, size: int) -> npt.NDArray[np.intp]:
        """Draw rows with probability proportional to weight × ``closest``.

        ``total`` is the sum of these over all rows, to within a factor of two.
        """
        return self._draw(closest, total, size)

    def distinct(self, size: int) -> npt.NDArray[np.intp]:
        """Draw rows of different values, one after the other, by weight among those left.

        When all values with weight are taken, values repeat.
        """
        scale = _scale(self._total_weight)
        alive = np.ones(self._dataset.n_samples)
        masses = self._dataset.bucket_masses(self._bucket, alive, scale)
        picked: list[int] = []
        for u in self._rng.random(size):
            if not masses.any():
                alive[:] = 1.0
                masses = self._dataset.bucket_masses(self._bucket, alive, scale)
            row, twins = self._pick(masses, alive, scale, u)
            picked.append(row)
            masses[self._bucket[row]] -= self._mass_of(twins, alive, scale).sum()
            alive[twins] = 0.0
        return np.array(picked, np.intp)

    def _draw(self, closest: FloatArray | None, total: float, size: int) -> npt.NDArray[np.intp]:
        scale = _scale(total)
        masses = self._dataset.bucket_masses(self._bucket, closest, scale)
        return np.array(
            [self._pick(masses, closest, scale, u)[0] for u in self._rng.random(size)], np.intp
        )

    def _pick(
        self, masses: FloatArray, closest: FloatArray | None, scale: float, u: float
    ) -> tuple[int, npt.NDArray[np.intp]]:
        """The row at place ``u`` of the line, and all rows that equal it."""
        ends = np.cumsum(masses)
        # u * total may round up to the total; the last unit of mass is as far as it goes.
        place = min(math.floor(u * ends[-1]), ends[-1] - 1.0)
        bucket = int(np.searchsorted(ends, place, side="right"))
        rows = self._order[self._starts[bucket] : self._starts[bucket + 1]]
        values = self._dataset.source.take(rows)
        line = np.lexsort((*values.T[::-1], self._key[rows]))
        within = np.cumsum(self._mass_of(rows[line], closest, scale))
        at = int(np.searchsorted(within, place - (ends[bucket] - masses[bucket]), side="right"))
        picked = line[at]
        return int(rows[picked]), rows[(values == values[picked]).all(axis=1)]

    def _mass_of(
        self, rows: npt.NDArray[np.intp], closest: FloatArray | None, scale: float
    ) -> FloatArray:
        """Mass of single rows, by the same rounding as the sums by bucket."""
        weight = self._dataset.sample_weight
        mass = np.ones(len(rows)) if weight is None else weight[rows]
        return np.rint((mass if closest is None else mass * closest[rows]) * scale)


def _scale(total: float) -> float:
    # The largest power of two is enough for costs that are themselves close to underflow.
    return math.ldexp(1.0, min(_MASS_BITS - math.frexp(total)[1], 1023))


def _cut(
    key: FloatArray, order: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.intp]]:
    """Cut the line into buckets of about equal length that never part equal keys.

    Returns the bucket of every row, and where in ``order`` each bucket starts (and the end).
    """
    n = len(key)
    run = np.arange(n)
    run[1:][key[1:] == key[:-1]] = 0
    first_of_run = np.maximum.accumulate(run)
    sorted_bucket = (first_of_run * N_BUCKETS // n).astype(np.uint16)
    bucket = np.empty(n, np.uint16)
    bucket[order] = sorted_bucket
    return bucket, np.searchsorted(sorted_bucket, np.arange(N_BUCKETS + 1)).astype(np.intp)
