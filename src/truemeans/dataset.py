"""A source of rows bound to an engine: the verbs that the loop and the seeding may use.

Everything added up here is order-free, so neither the cut into blocks nor the number of threads
shows in any result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from truemeans.engines.base import Engine
from truemeans.engines.records import (
    N_SQ_GRIDS,
    Around,
    Closer,
    Extent,
    FloatArray,
    LabelArray,
    Moves,
    Nearest,
    Played,
    Proposals,
    Rows,
    RowState,
    SqGrids,
    Updated,
)
from truemeans.line import Line, in_line
from truemeans.sources import Source

__all__ = ["Dataset", "Survey", "survey"]


# Squares of larger numbers, and the grids their sums lie on, could overflow.
_SAFE_TO_SQUARE = 2.0**400

# Where a block of rows lies, the rows, and their weights.
_Block: TypeAlias = tuple[slice, Rows, FloatArray | None]


class Survey(NamedTuple):
    """One look at all rows.

    Attributes
    ----------
    extent : Extent
        Range and fineness of each feature.
    bad : tuple of (int, int, float) or None
        Row, column and value of the first entry that is not finite.
    """

    extent: Extent
    bad: tuple[int, int, float] | None

    @property
    def top(self) -> float:
        """The largest absolute value of any entry."""
        return self.extent.top


def survey(source: Source, engine: Engine) -> Survey:
    """Look at every row once: least, largest and finest value of each feature."""
    whole: Extent | None = None
    for where, X in source.blocks():
        part = engine.survey(X)
        if part.bad < X.size:
            row, column = divmod(part.bad, source.n_features)
            value = float(X[row, column])
            return Survey(part, (where.start + row, column, value))
        whole = part if whole is None else _join(whole, part)
    assert whole is not None, "a validated source has rows"
    return Survey(whole, None)


def _join(a: Extent, b: Extent) -> Extent:
    features = np.minimum(a.features, b.features)
    features[1] = np.maximum(a.features[1], b.features[1])
    return Extent(features, 0, max(a.top, b.top))


class Dataset:
    """Rows, their weights, and what the engine remembers about them during one run.

    Parameters
    ----------
    source : Source
        Where the rows are.
    engine : Engine
        Who computes.
    survey : Survey
        Of the same source, with no bad entry.
    sample_weight : ndarray of float64, shape (n_samples,), default=None
        Non-negative, at most 1; ones when None.
    """

    def __init__(
        self, source: Source, engine: Engine, survey: Survey, sample_weight: FloatArray | None
    ) -> None:
        self.source = source
        self.engine = engine
        self.sample_weight = sample_weight
        self.n_samples, self.n_features = source.n_samples, source.n_features
        self._top = survey.top
        self._weight_top = 1.0 if sample_weight is None else float(sample_weight.max())
        # Rows in memory are handed out once and for all, others are read for every pass.
        held = source.blocks()
        self._held = tuple(self._weighed(held)) if isinstance(held, tuple) else None
        self._magic, self.center, self._reach = engine.choose_footing(
            survey.extent,
            self._weight_top,
            1.0 if sample_weight is None else _finest(sample_weight, engine),
            sample_weight is not None,
            source.n_samples,
            source.dtype,
        )
        self._around: Around | None = None
        self._states: list[RowState] = []
        self.labels = np.empty(0, np.int32)
        self._is_known = False

    # -- passes ------------------------------------------------------------------------------

    def new_run(self, n_clusters: int, labels: LabelArray | None = None) -> FloatArray:
        """Forget all labels; return empty sums, (n_clusters, n_grids, n_features + 1).

        ``labels``, if known, are what the first assignment step finds, and the dataset's own
        from now on.
        """
        self._is_known = labels is not None
        self.labels = np.full(self.n_samples, -1, np.int32) if labels is None else labels
        self._states = []
        return self.engine.new_sums(n_clusters, len(self._magic), self.n_features)

    def assign(self, centroids: FloatArray, sums: FloatArray | None) -> int:
        """One assignment step; moves the rows that changed label in ``sums``, and counts them."""
        if self._is_known and sums is not None:
            self._is_known = False
            for where, X, weight in self._blocks():
                self.engine.add_rows(X, weight, self.labels[where], self._magic, sums)
            return self.n_samples
        n_changed = 0
        for i, (where, X, weight) in enumerate(self._blocks()):
            if i == len(self._states):
                held = self._held is not None
                self._states.append(RowState(self.labels[where], held=held))
            done = self.engine.assign(X, weight, centroids, self._magic, self._states[i], sums)
            n_changed += done.n_changed
        return n_changed

    def update(self, sums: FloatArray, centroids: FloatArray) -> Updated:
        """One update step, and the inertia of the current labels with ``centroids``.

        The inertia comes from the sums alone; where the proven error of that is not below 2**-50
        of the value (clusters that are tiny beside their distances), from one more pass.
        """
        found = self.engine.update(sums, centroids, self.source.dtype, self.around)
        if found.inertia >= found.bound * 2.0**50:
            return found
        return found._replace(inertia=self._direct_inertia(centroids))

    def move(self, rows: npt.NDArray[np.intp], to: int, sums: FloatArray) -> None:
        """Move rows to another cluster in ``sums``, leaving their labels alone."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        numbers = np.arange(len(rows), dtype=np.int32)
        moves = Moves(numbers, self.labels[rows], np.full(len(rows), to, np.int32))
        self.engine.move(self.source.take(rows), weight, moves, self._magic, sums)

    # -- measures ----------------------------------------------------------------------------

    def _direct_inertia(self, centroids: FloatArray) -> float:
        top = max(
            self.engine.max_abs_diff(X, centroids, self.labels[where])
            for where, X in self.source.blocks()
        )
        if top < _SAFE_TO_SQUARE:
            value, _, bound = self._sum_sq_diff(centroids, self.labels, top)
            if value >= bound * 2.0**50:
                return value
        # Far rows weigh so little that the grids, made for rows of full weight, miss the others;
        # or centroids were given so far away that squares overflow. The correctly rounded sum is
        # order-free too.
        cost = self.own_sq_distances(centroids)
        try:
            return math.fsum(cost if self.sample_weight is None else self.sample_weight * cost)
        except OverflowError:
            return math.inf

    @property
    def around(self) -> Around:
        """The middle of the rows, and how far they spread about it."""
        if self._around is None:
            spread = self._sum_sq_diff(self.center[np.newaxis], None, self._reach)
            self._around = Around(self.center, self._top, *spread)
        return self._around

    def _sum_sq_diff(
        self, centers: FloatArray, labels: LabelArray | None, top: float
    ) -> tuple[float, float, float]:
        grids = SqGrids(top, self._weight_top, float(self.n_samples))
        totals = np.zeros(N_SQ_GRIDS)
        for where, X, weight in self._blocks():
            own = None if labels is None else labels[where]
            self.engine.add_sq_diff(X, weight, centers, own, grids, totals)
        return self.engine.finish_sq_diff(totals, self.n_features, grids)

    def total_variance(self) -> float:
        """Sum over features of the weighted variance of the rows."""
        sums = self.engine.new_sums(1, len(self._magic), self.n_features)
        for _, X, weight in self._blocks():
            state = RowState(np.full(len(X), -1, np.int32))
            self.engine.assign(X, weight, self.center[np.newaxis], self._magic, state, sums)
        double = np.dtype(np.float64)
        mean = self.engine.update(sums, self.center[np.newaxis], double, self.around).centroids
        value = self.engine.update(sums, mean, double, self.around).inertia
        return value / float(sums[0, :, -1].sum())

    def own_sq_distances(self, centroids: FloatArray) -> FloatArray:
        """Squared distance of every row to its own centroid, (n_samples,)."""
        out = np.empty(self.n_samples)
        for where, X in self.source.blocks():
            out[where] = self.engine.own_sq_distances(X, centroids, self.labels[where])
        return out

    # -- seeding -----------------------------------------------------------------------------

    def row_keys(self) -> FloatArray:
        """A fixed linear function of each row's values, (n_samples,)."""
        parts = [self.engine.row_keys(X) for _, X in self.source.blocks()]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def all_rows(self) -> Rows:
        """The rows as one array, (n_samples, n_features); no copy where they are one block."""
        _, X = next(iter(self.source.blocks()))
        return X if len(X) == self.n_samples else self.source.take(np.arange(self.n_samples))

    @cached_property
    def line(self) -> Line:
        """All rows in the order of the line, kept from now on."""
        X = self.all_rows()
        rows = in_line(np.arange(self.n_samples), self.row_keys(), X.__getitem__)
        return Line(rows, X[rows])

    def bucket_masses(
        self,
        buckets: npt.NDArray[np.uint16],
        n_buckets: int,
        closest: FloatArray | None,
        scale: float,
    ) -> FloatArray:
        """Integer mass round(weight × ``closest`` × ``scale``) of each bucket, (n_buckets,)."""
        masses = np.zeros(n_buckets)
        self.engine.add_bucket_masses(self.sample_weight, closest, scale, buckets, masses)
        return masses

    def lower_closest(self, centroid: FloatArray, nearest: Nearest, number: int) -> float:
        """Take one more centroid, of this number, into account in ``nearest`` (in/out).

        Number 0 is the first, before which nothing needs to be there.
        Returns the largest weight × squared distance to the nearest.
        """
        return max(
            self.engine.lower_closest(X, weight, centroid, nearest.of(where), number)
            for where, X, weight in self._blocks()
        )

    def nearest_of(self, centroids: FloatArray) -> LabelArray:
        """The nearest of some centroids for every row, (n_samples,)."""
        labels = np.full(self.n_samples, -1, np.int32)
        for where, X in self.source.blocks():
            self.engine.assign(X, None, centroids, None, RowState(labels[where]), None)
        return labels

    def lower_nearest(self, centroids: FloatArray, nearest: Nearest, first: int) -> None:
        """Take many more centroids into account in ``nearest`` (in/out), numbered from ``first``.

        The earlier one keeps a row that is as near to both.
        """
        for where, X in self.source.blocks():
            self.lower_nearest_of(X, centroids, nearest.of(where), first)

    def lower_nearest_of(
        self, X: Rows, centroids: FloatArray, nearest: Nearest, first: int
    ) -> None:
        """The same for rows at hand."""
        labels = np.full(len(X), -1, np.int32)
        self.engine.assign(X, None, centroids, None, RowState(labels), None)
        self.engine.lower_by_labels(X, centroids, labels, nearest, first)

    def gains(self, candidates: FloatArray, closest: FloatArray, scale: float) -> FloatArray:
        """By how much each candidate would lower the total of integer masses."""
        gains = np.zeros(len(candidates))
        for where, X, weight in self._blocks():
            self.engine.add_gains(X, weight, candidates, closest[where], scale, gains)
        return gains

    def play_ahead(
        self,
        proposals: Proposals,
        scale: float,
        n_trials: int,
        n_rounds: int,
        marks: npt.NDArray[np.uint64],
        nearest: Nearest,
        first: int,
    ) -> Played:
        """Play rounds of k-means++ while the proposals last, keeping up ``nearest``."""
        ((_, X, weight),) = self._blocks()
        return self.engine.play_ahead(
            X, weight, proposals, scale, n_trials, n_rounds, marks, nearest, first
        )

    @property
    def is_at_hand(self) -> bool:
        """True where all rows are one block in memory."""
        return self._held is not None and len(self._held) == 1

    def look_along(self, lines: FloatArray, center: FloatArray, sq_radius: float) -> object:
        """What `find_closer` may use of rows at hand, seen along a few lines; or None."""
        ((_, X, _weight),) = self._blocks()
        return self.engine.look_along(X, lines, center, sq_radius)

    def find_closer(
        self, candidates: FloatArray, closest: FloatArray, axes: object, most: int
    ) -> Closer | None:
        """All pairs of a row and a candidate closer than ``closest``, None if over ``most``.

        ``axes`` is what `look_along` returned, or None.
        """
        parts: list[Closer] = []
        for where, X, weight in self._blocks():
            part = self.engine.find_closer(X, weight, candidates, closest[where], axes, most)
            if part is None:
                return None
            parts.append(part._replace(rows=part.rows + np.int32(where.start)))
            most -= len(part.rows)
        return parts[0] if len(parts) == 1 else _join_closer(parts)

    def _blocks(self) -> Iterable[_Block]:
        return self._weighed(self.source.blocks()) if self._held is None else self._held

    def _weighed(self, blocks: Iterable[tuple[slice, Rows]]) -> Iterator[_Block]:
        for where, X in blocks:
            yield where, X, None if self.sample_weight is None else self.sample_weight[where]


def _join_closer(parts: list[Closer]) -> Closer:
    """The pairs of all blocks, by candidate."""
    n_candidates = len(parts[0].starts) - 1
    owner = np.concatenate([np.repeat(np.arange(n_candidates), np.diff(p.starts)) for p in parts])
    order = np.argsort(owner, kind="stable")
    starts = np.stack([p.starts for p in parts]).sum(axis=0)
    rows = np.concatenate([p.rows for p in parts])[order]
    return Closer(starts, rows, np.concatenate([p.sq_dist for p in parts])[order])


def _finest(weight: FloatArray, engine: Engine) -> float:
    finest: Any = engine.survey(weight[:, np.newaxis]).features[2, 0]
    return float(finest)
