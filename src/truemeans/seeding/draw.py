"""Draws rows with given probabilities, so that the order of the rows does not matter.

All rows stand on a line, each taking up its mass: ordered by a fixed linear function of their
values (the key), rows of equal keys lexicographically. A random number in [0, 1) picks a place
on the line. What is picked therefore depends on the set of rows, their weights and the random
number only: not on row order, blocks, threads or targets. A row of weight w takes up the place
of w copies of weight 1, and a row of weight 0 none. Scaling the rows by a power of two changes
nothing, and rows that are nearly the same are picked nearly the same.

The line is cut into buckets; only buckets that a draw falls into are ever sorted. A few thousand
rows are sorted once instead, and the same places then pick the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.base import FloatArray

__all__ = ["Draw", "Uniform", "mass_scale"]

# Masses are integers with a total of at most 2**50 (plus half a unit a row), which float64 adds
# without rounding, in any order.
_MASS_BITS = 50
_MOST_BUCKETS = 1 << 15
_ROWS_A_BUCKET = 4
# Up to so many rows, reading all of them takes less time than finding out which are wanted.
_SORTED_ONCE = 1 << 14
# Rows sorted at a time; more only if they share a bucket.
_ROWS_AT_A_TIME = 1 << 18


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
        self.rng = rng
        self._dataset = dataset
        key = dataset.row_keys()
        splitters = _splitters(key)
        self._n_buckets = len(splitters) + 1
        self._bucket = dataset.engine.cut_keys(key, splitters)
        del key
        self._order = np.argsort(self._bucket, kind="stable").astype(np.int32)
        sizes = np.bincount(self._bucket, minlength=self._n_buckets)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        weight = dataset.sample_weight
        total = float(dataset.n_samples) if weight is None else math.fsum(weight)
        self._weight_scale = mass_scale(total)
        self._whole: npt.NDArray[np.intp] | None = None
        if dataset.n_samples <= _SORTED_ONCE:
            self._whole = self._line(np.arange(self._n_buckets), None, self._weight_scale)[0]

    def by_weight(self, size: int) -> npt.NDArray[np.intp]:
        """Draw ``size`` rows, with replacement, with probability proportional to weight."""
        return self._draw(None, self._weight_scale, size)

    def by_cost(self, closest: FloatArray, scale: float, size: int) -> npt.NDArray[np.intp]:
        """Draw rows with probability proportional to weight × ``closest``.

        ``scale`` is the `mass_scale` of the sum of these over all rows.
        """
        return self._draw(closest, scale, size)

    def total(self, closest: FloatArray, scale: float) -> float:
        """Sum of the integer masses of all rows."""
        return float(self._masses(closest, scale).sum())

    def distinct(self, size: int) -> npt.NDArray[np.intp]:
        """Draw rows of different values, one after the other, by weight among those left.

        When all values with weight are taken, values repeat.
        """
        scale = self._weight_scale
        alive = np.ones(self._dataset.n_samples)
        masses = self._masses(alive, scale)
        picked: list[int] = []
        for u in self.rng.random(size):
            if not masses.any():
                alive[:] = 1.0
                masses = self._masses(alive, scale)
            ends, place, bucket = _places(masses, np.array([u]))
            rows, values, mass = self._line(bucket, alive, scale)
            at = int(np.searchsorted(np.cumsum(mass), place - (ends - masses)[bucket], "right")[0])
            twins = (values == values[at]).all(axis=1)
            picked.append(int(rows[at]))
            masses[bucket] -= mass[twins].sum()
            alive[rows[twins]] = 0.0
        return np.array(picked, np.intp)

    def _masses(self, closest: FloatArray | None, scale: float) -> FloatArray:
        return self._dataset.bucket_masses(self._bucket, self._n_buckets, closest, scale)

    def _draw(self, closest: FloatArray | None, scale: float, size: int) -> npt.NDArray[np.intp]:
        if self._whole is not None:
            mass = self._mass(self._whole, closest, scale)
            return self._whole[_places(mass, self.rng.random(size))[2]]
        masses = self._masses(closest, scale)
        ends, place, bucket = _places(masses, self.rng.random(size))
        picked = np.empty(size, np.intp)
        for part in self._parts(bucket):
            touched = np.unique(bucket[part])
            rows, _, mass = self._line(touched, closest, scale)
            # Places count from the start of the line, the sums below from the touched buckets'.
            before = np.zeros(self._n_buckets)
            before[touched] = np.cumsum(masses[touched]) - ends[touched]
            at = np.searchsorted(np.cumsum(mass), place[part] + before[bucket[part]], "right")
            picked[part] = rows[at]
        return picked

    def _parts(self, bucket: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
        """Draws in groups whose buckets hold few rows."""
        order = np.argsort(bucket, kind="stable")
        one = bucket[order]
        size = np.where(np.diff(one, prepend=-1) > 0, np.diff(self._starts)[one], 0)
        group = np.cumsum(size) // _ROWS_AT_A_TIME
        yield from np.split(order, np.flatnonzero(np.diff(group)) + 1)

    def _line(
        self, buckets: npt.NDArray[np.intp], closest: FloatArray | None, scale: float
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64], FloatArray]:
        """The rows of some buckets in the order of the line, their values and masses."""
        starts, sizes = self._starts[buckets], np.diff(self._starts)[buckets]
        skipped = starts - (np.cumsum(sizes) - sizes)
        rows = self._order[np.repeat(skipped, sizes) + np.arange(sizes.sum())]
        values = self._dataset.source.take(rows)
        key = self._dataset.engine.row_keys(values)
        line = np.argsort(key, kind="stable")
        twins = line[1:][np.diff(key[line]) == 0], line[:-1][np.diff(key[line]) == 0]
        if (values[twins[0]] != values[twins[1]]).any():
            line = np.lexsort((*values.T[::-1], key))
        rows, values = rows[line], values[line]
        return rows, values, self._mass(rows, closest, scale)

    def _mass(
        self, rows: npt.NDArray[np.intp], closest: FloatArray | None, scale: float
    ) -> FloatArray:
        weight = self._dataset.sample_weight
        mass = np.full(len(rows), scale) if weight is None else weight[rows] * scale
        return np.rint(mass if closest is None else mass * closest[rows])


def mass_scale(total: float) -> float:
    """The power of two that makes integer masses of values that add up to ``total``."""
    # The largest power of two is enough for costs that are themselves close to underflow.
    return math.ldexp(1.0, min(_MASS_BITS - math.frexp(total)[1], 1023))


def _splitters(key: FloatArray) -> FloatArray:
    """Keys that cut the line into buckets of about as many rows each.

    A bucket begins at a splitter, so equal keys share one.
    """
    n_buckets = max(1, min(_MOST_BUCKETS, len(key) // _ROWS_A_BUCKET))
    sample = np.sort(key[:: max(1, len(key) // (8 * n_buckets))])
    return np.unique(sample[8::8])


def _places(
    masses: FloatArray, u: FloatArray
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.intp]]:
    """Where the buckets end, the places that ``u`` picks, and the buckets they are in."""
    ends = np.cumsum(masses)
    # u * total may round up to the total; the last unit of mass is as far as it goes.
    place = np.minimum(np.floor(u * ends[-1]), ends[-1] - 1.0)
    return ends, place, np.searchsorted(ends, place, side="right")
