"""Draws rows with given probabilities, so that the order of the rows does not matter.

All rows stand on a line (line.py), each taking up its mass. A random number in [0, 1) picks a
place on the line. What is picked therefore depends on the set of rows, their weights and the random
number only: not on row order, blocks, threads or targets. A row of weight w takes up the place
of w copies of weight 1, and a row of weight 0 none. Scaling the rows by a power of two changes
nothing, and rows that are nearly the same are picked nearly the same.

The line is cut into buckets; only buckets that a draw falls into are ever sorted. A few thousand
rows are sorted once instead, and the same places then pick the same rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.masses import mass_scale
from truemeans.engines.records import Buckets, FloatArray
from truemeans.line import in_line

__all__ = ["Draw", "Uniform"]

_MOST_BUCKETS = 1 << 15
# So many numbers, and so many rows, a bucket at the least: sorting rows into many buckets takes
# time, as sorting for draws does what is in few (seeding).
_NUMBERS_A_BUCKET = 256
_ROWS_A_BUCKET = 4
# Up to so many rows, reading all of them takes less time than finding out which are wanted.
_SORTED_ONCE = 1 << 14
# Rows sorted at a time; more only if they share a bucket.
_ROWS_AT_A_TIME = 1 << 18
# Numbers in rows whose keys are computed at a time.
_NUMBERS_AT_A_TIME = 1 << 18


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

    Attributes
    ----------
    weight_scale : float
        The `mass_scale` of the sum of the weights.
    """

    def __init__(self, dataset: Dataset, rng: Uniform) -> None:
        self.rng = rng
        self._dataset = dataset
        weight = dataset.sample_weight
        total = float(dataset.n_samples) if weight is None else math.fsum(weight)
        self.weight_scale = mass_scale(total)

    @cached_property
    def _buckets(self) -> Buckets:
        """Stretches of the line of about as many rows each."""
        key = self._dataset.row_keys()
        splitters = _splitters(key, self._dataset.n_features)
        return self._dataset.engine.sort_into_buckets(key, splitters)

    @cached_property
    def _sizes(self) -> npt.NDArray[np.int64]:
        """How many rows each bucket holds."""
        return np.diff(self._buckets.ends, prepend=0)

    def by_weight(self, size: int) -> npt.NDArray[np.intp]:
        """Draw ``size`` rows, with replacement, with probability proportional to weight."""
        return self._draw(None, self.weight_scale, size)

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
        scale = self.weight_scale
        _ = self._buckets  # made before anything else takes memory
        alive = np.ones(self._dataset.n_samples)
        masses = self._masses(alive, scale)
        picked: list[int] = []
        for u in self.rng.random(size):
            if not masses.any():
                alive[:] = 1.0
                masses = self._masses(alive, scale)
            ends, place, bucket = _places(masses, np.array([u]))
            rows, mass = self._line(bucket, alive, scale)
            values = self._dataset.source.take(rows)
            at = int(np.searchsorted(np.cumsum(mass), place - (ends - masses)[bucket], "right")[0])
            twins = (values == values[at]).all(axis=1)
            picked.append(int(rows[at]))
            masses[bucket] -= mass[twins].sum()
            alive[rows[twins]] = 0.0
        return np.array(picked, np.intp)

    def _masses(self, closest: FloatArray | None, scale: float) -> FloatArray:
        buckets = self._buckets
        return self._dataset.bucket_masses(buckets.of_row, len(buckets.ends), closest, scale)

    def _draw(self, closest: FloatArray | None, scale: float, size: int) -> npt.NDArray[np.intp]:
        if self._dataset.n_samples <= _SORTED_ONCE:
            rows = self._dataset.line.rows
            return rows[_places(self._mass(rows, closest, scale), self.rng.random(size))[2]]
        masses = self._masses(closest, scale)
        ends, place, bucket = _places(masses, self.rng.random(size))
        picked = np.empty(size, np.intp)
        for part in self._parts(bucket):
            touched = np.unique(bucket[part])
            rows, mass = self._line(touched, closest, scale)
            # Places count from the start of the line, the sums below from the touched buckets'.
            before = np.zeros(len(masses))
            before[touched] = np.cumsum(masses[touched]) - ends[touched]
            at = np.searchsorted(np.cumsum(mass), place[part] + before[bucket[part]], "right")
            picked[part] = rows[at]
        return picked

    def _parts(self, bucket: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
        """Draws in groups whose buckets hold few rows."""
        order = np.argsort(bucket, kind="stable")
        one = bucket[order]
        size = np.where(np.diff(one, prepend=-1) > 0, self._sizes[one], 0)
        group = np.cumsum(size) // _ROWS_AT_A_TIME
        yield from np.split(order, np.flatnonzero(np.diff(group)) + 1)

    def _line(
        self, buckets: npt.NDArray[np.intp], closest: FloatArray | None, scale: float
    ) -> tuple[npt.NDArray[np.intp], FloatArray]:
        """The rows of some buckets in the order of the line, and their masses."""
        sizes = self._sizes[buckets]
        skipped = self._buckets.ends[buckets] - np.cumsum(sizes)
        places = np.repeat(skipped, sizes) + np.arange(sizes.sum())
        rows = self._in_order(self._buckets.order[places].astype(np.intp))
        return rows, self._mass(rows, closest, scale)

    def _in_order(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        take, row_keys = self._dataset.source.take, self._dataset.engine.row_keys
        # A stretch at a time, which the same memory holds again and again.
        step = max(1, _NUMBERS_AT_A_TIME // self._dataset.n_features)
        stretches = range(0, max(len(rows), 1), step)
        keys = np.concatenate([row_keys(take(rows[i : i + step])) for i in stretches])
        return in_line(rows, keys, take)

    def _mass(
        self, rows: npt.NDArray[np.intp], closest: FloatArray | None, scale: float
    ) -> FloatArray:
        weight = self._dataset.sample_weight
        mass = np.full(len(rows), scale) if weight is None else weight[rows] * scale
        return np.rint(mass if closest is None else mass * closest[rows])


def _splitters(key: FloatArray, n_features: int) -> FloatArray:
    """Keys that cut the line into buckets of about as many rows each.

    A bucket begins at a splitter, so equal keys share one.
    """
    rows_a_bucket = max(_ROWS_A_BUCKET, _NUMBERS_A_BUCKET // n_features)
    n_buckets = max(1, min(_MOST_BUCKETS, len(key) // rows_a_bucket))
    sample = np.sort(key[:: max(1, len(key) // (2 * n_buckets))])
    return np.unique(sample[2::2])


def _places(
    masses: FloatArray, u: FloatArray
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.intp]]:
    """Where the buckets end, the places that ``u`` picks, and the buckets they are in."""
    ends = np.cumsum(masses)
    # u * total may round up to the total; the last unit of mass is as far as it goes.
    place = np.minimum(np.floor(u * ends[-1]), ends[-1] - 1.0)
    return ends, place, np.searchsorted(ends, place, side="right")
