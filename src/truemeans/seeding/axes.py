"""Few axes that tell most of how far rows are from candidates.

Where the rows' variances along their principal axes fall off, the first few of these, with what is
left of each row, rule out most candidates (``core/axes.hpp``). How many axes are worth it is found
by trying them on a sample. Whatever they are, they only rule out what is far indeed, so the picks
do not depend on them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.records import FloatArray, LabelArray
from truemeans.plan import AXES_FROM_ROWS, axes_are_worth_looking, best_axes

__all__ = ["Axes"]

# Picks from which on a candidate is closer to few rows.
_FROM = 32
# Rows and candidates that axes are tried on.
_TRIED = 256
# The share of a row's length that is in doubt along axes of which four share a word: each is off by
# 0.29 steps, and the largest of some hundred is 3.3 times as large as most, and 127 steps.
_BLUR = 0.29 * 3.3 / 127


class Axes:
    """The axes in use, looked for again while costs fall.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    most : int
        How many may be in use, below 1 for none.
    axes_a_word : int
        How many the engine packs into a word.

    Attributes
    ----------
    seen : object
        What the engine made of the rows along the axes; None where there are none.
    """

    def __init__(self, dataset: Dataset, most: int, axes_a_word: int) -> None:
        self.seen: object = None
        self._dataset, self._most = dataset, most
        self._lines: FloatArray | None = None
        self._n_axes = 0
        self._center = np.empty(0)
        self._sq_radius = 0.0
        self._next = _FROM if most > 0 and dataset.is_at_hand else math.inf
        self._a_word = axes_a_word

    def review(self, closest: FloatArray, drawn: LabelArray, n_picked: int, n_left: int) -> None:
        """Choose how many axes to use, with the costs of now, each time picks have quadrupled.

        ``drawn`` are rows to try them on, ``n_left`` how many are still to be drawn.
        """
        dataset = self._dataset
        size = (dataset.n_samples, dataset.n_features, n_left)
        if n_picked < self._next or not axes_are_worth_looking(*size):
            return
        self._next = 4 * n_picked
        if self._lines is None:
            self._find()
        if self._lines is None:
            return
        n_axes = self._count(closest, drawn, n_left)
        if n_axes == self._n_axes:
            return
        self.seen, self._n_axes = None, n_axes  # its memory first
        if n_axes:
            assert self._lines is not None
            lines = np.ascontiguousarray(self._lines[:n_axes])
            self.seen = dataset.look_along(lines, self._center, self._sq_radius)

    def _rows(self, count: int) -> npt.NDArray[np.intp]:
        n = self._dataset.n_samples
        return np.arange(0, n, max(1, n // count))[:count]

    def _find(self) -> None:
        """The principal axes of a sample, by its rows or its features, whichever are fewer.

        None where rows are so far apart that their differences overflow.
        """
        wide = self._dataset.n_features > AXES_FROM_ROWS
        count = AXES_FROM_ROWS if wide else 4 * AXES_FROM_ROWS
        X = self._dataset.source.take(self._rows(count))
        center = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
        with np.errstate(over="ignore"):
            X = X - center
        top = float(np.abs(X).max()) or 1.0
        if math.isinf(top):
            self._next = math.inf  # nor could these be scored
            return
        # Axes need no more digits, and squares of any rows fit.
        X = (X / X.dtype.type(top)).astype(np.float32, copy=False)
        self._center = center.astype(np.float64)
        self._sq_radius = float(np.einsum("ij,ij->i", X, X).max()) * top * top
        if wide:
            left = np.linalg.eigh(X @ X.T)[1][:, ::-1]
            lines = left.T @ X
            lines /= np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-30)
        else:
            lines = np.linalg.eigh(X.T @ X)[1].T[::-1]
        self._lines = lines[: self._most].astype(np.float64)

    def _along(self, rows: FloatArray) -> FloatArray:
        """Coordinates of some rows, by the law of cosines: a BLAS would leave threads that spin."""
        assert self._lines is not None
        sq_dist = self._dataset.engine.sq_distances(rows, np.ascontiguousarray(self._lines))
        squares = (rows * rows).sum(axis=1)[:, np.newaxis] + (self._lines**2).sum(axis=1)
        return np.asarray(0.5 * (squares - sq_dist))

    def _count(self, closest: FloatArray, drawn: LabelArray, n_candidates: int) -> int:
        """How many axes cost least, by what each number of them leaves of a sample; 0 for none."""
        assert self._lines is not None
        take = self._dataset.source.take
        rows = self._rows(_TRIED)
        a = take(rows).astype(np.float64) - self._center
        b = take(drawn[:_TRIED].astype(np.intp)).astype(np.float64) - self._center
        y, z = self._along(a), self._along(b)
        step = max(1, len(self._lines) // 32)
        counts = list(range(step, len(self._lines) + 1, step))
        left = []
        along = np.zeros((len(a), len(b)))
        rest_a, rest_b = (a * a).sum(axis=1), (b * b).sum(axis=1)
        blur = 4 * _BLUR if self._a_word > 2 else 0.0
        doubt = blur * np.sqrt(rest_a[:, np.newaxis] * rest_b)
        for end in counts:
            part_a, part_b = (np.ascontiguousarray(v[:, end - step : end]) for v in (y, z))
            along += self._dataset.engine.sq_distances(part_a, part_b)
            rest_a = np.maximum(rest_a - (part_a * part_a).sum(axis=1), 0.0)
            rest_b = np.maximum(rest_b - (part_b * part_b).sum(axis=1), 0.0)
            bound = along + (np.sqrt(rest_a)[:, np.newaxis] - np.sqrt(rest_b)) ** 2
            left.append(float((bound - doubt < closest[rows, np.newaxis]).mean()))
        size = (self._dataset.n_features, n_candidates)
        return best_axes(*size, counts, left, self._n_axes, self._a_word)
