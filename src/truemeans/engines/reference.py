"""The definition, in NumPy: every verb as the contract states it, with no regard for speed.

Distances and sums are float64 operations in the documented order; means and inertia are exact
rational arithmetic, rounded once. The native engine is held to these bits by the tests.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from truemeans.engines.base import SwapSearch
from truemeans.engines.records import (
    N_SQ_GRIDS,
    Around,
    Extent,
    FloatArray,
    Footing,
    LabelArray,
    Moves,
    Pass,
    Rows,
    RowState,
    SqGrids,
    Updated,
)
from truemeans.engines.reference_seeding import SeedingDefinition

__all__ = ["ReferenceEngine"]

_MAX_GRIDS = 6


def _run_costs(values: FloatArray, weights: FloatArray) -> tuple[Any, Any]:
    """Cost and mean of the run [begin, end) of sorted values, exactly."""
    sums = [(Fraction(0),) * 3]
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        x, w = Fraction(value), Fraction(weight)
        sums.append((sums[-1][0] + w, sums[-1][1] + w * x, sums[-1][2] + w * x * x))

    def between(begin: int, end: int) -> tuple[Fraction, Fraction, Fraction]:
        a, b = sums[begin], sums[end]
        return b[0] - a[0], b[1] - a[1], b[2] - a[2]

    def cost(begin: int, end: int) -> Fraction:
        w, wx, wxx = between(begin, end)
        return wxx - wx * wx / w

    def mean(begin: int, end: int) -> Fraction:
        w, wx, _ = between(begin, end)
        return wx / w

    n = len(values)
    table = {(i, j): cost(i, j) for i in range(n) for j in range(i + 1, n + 1)}
    return table, mean


def _least_costs(
    cost: dict[tuple[int, int], Fraction], most: int
) -> tuple[list[Fraction], list[list[int]]]:
    """Least cost of all values in 1 to ``most`` runs, and where the last run begins.

    The second has an entry a number of runs: for each end, the earliest best begin.
    """
    n = max(end for _, end in cost)
    before = [Fraction(0)] + [cost[0, end] for end in range(1, n + 1)]
    least, begins = [before[n]], [[0] * (n + 1)]
    for q in range(2, most + 1):
        row, begin_of = list(before), [0] * (n + 1)
        for end in range(q, n + 1):
            row[end], begin_of[end] = min((before[b] + cost[b, end], b) for b in range(q - 1, end))
        before = row
        least.append(before[n])
        begins.append(begin_of)
    return least, begins


def _spacings(top: float, n_addends: float) -> list[float]:
    """Grid spacings for values up to ``top``: sums of ``n_addends`` of them stay exact."""
    room = math.frexp(max(n_addends, 1.0))[1] + 2
    exponent = math.frexp(top)[1]
    spacings = []
    for _ in range(_MAX_GRIDS):
        exponent = max(exponent + room - 52, -1074)
        spacings.append(math.ldexp(1.0, exponent))
        exponent -= 1
    return spacings


def _magic(spacing: float) -> float:
    return 1.5 * math.ldexp(spacing, 52)


def _split(value: FloatArray, magic: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """What lies on the grid, and the rest."""
    on_grid = (value + magic) - magic
    return on_grid, value - on_grid


def _product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """``a * b`` as a rounded product and its error, exactly (Dekker 1971)."""
    product = a * b
    ta, tb = a * 134217729.0, b * 134217729.0
    ah, bh = ta - (ta - a), tb - (tb - b)
    al, bl = a - ah, b - bh
    return product, al * bl - (((product - ah * bh) - al * bh) - ah * bl)


def _difference_error(a: FloatArray, b: FloatArray, difference: FloatArray) -> FloatArray:
    rest = a - difference
    return (a - (difference + rest)) - (b - rest)


class ReferenceEngine(SeedingDefinition):
    """One thread, NumPy float64, memory of one block times n_clusters."""

    def __enter__(self) -> ReferenceEngine:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to release."""

    def survey(self, X: Rows) -> Extent:
        bad = np.flatnonzero(~np.isfinite(X))
        values = X.astype(np.float64)
        fraction, exponent = np.frexp(values)
        # fraction * 2^53 is an integer; its lowest set bit is the finest bit of the value.
        whole = np.abs(np.ldexp(np.where(np.isfinite(values), fraction, 0.0), 53)).astype(np.int64)
        lowest = np.where(whole == 0, np.inf, (whole & -whole).astype(np.float64))
        finest = np.ldexp(lowest, exponent - 53).min(axis=0)
        first = int(bad[0]) if len(bad) else X.size
        features = np.array([values.min(axis=0), values.max(axis=0), finest])
        return Extent(features, first, float(np.abs(values).max()))

    def new_sums(self, n_clusters: int, n_grids: int, n_features: int) -> FloatArray:
        return np.zeros((n_clusters, n_grids, n_features + 1))

    def assign(
        self,
        X: Rows,
        weight: FloatArray | None,
        centroids: FloatArray,
        magic: FloatArray | None,
        state: RowState,
        sums: FloatArray | None,
    ) -> Pass:
        new = self.sq_distances(X, centroids).argmin(axis=1).astype(np.int32)
        rows = np.flatnonzero(new != state.labels).astype(np.int32)
        if sums is not None:
            assert magic is not None, "sums lie on grids"
            self.move(X, weight, Moves(rows, state.labels[rows], new[rows]), magic, sums)
        state.labels[:] = new
        return Pass(len(rows), len(X))

    def add_rows(
        self,
        X: Rows,
        weight: FloatArray | None,
        labels: LabelArray,
        magic: FloatArray,
        sums: FloatArray,
    ) -> None:
        moves = Moves(np.arange(len(X), dtype=np.int32), np.full(len(X), -1, np.int32), labels)
        self.move(X, weight, moves, magic, sums)

    def move(
        self,
        X: Rows,
        weight: FloatArray | None,
        moves: Moves,
        magic: FloatArray,
        sums: FloatArray,
    ) -> None:
        values = np.hstack([X[moves.rows].astype(np.float64), np.ones((len(moves.rows), 1))])
        addends = [values]
        if weight is not None:
            addends = list(_product(values, weight[moves.rows, np.newaxis] * np.ones_like(values)))
        known = moves.from_ >= 0
        for addend in addends:
            rest = addend
            for grid, m in enumerate(magic):
                on_grid, rest = _split(rest, m)
                np.add.at(sums[:, grid], moves.to, on_grid)
                np.subtract.at(sums[:, grid], moves.from_[known], on_grid[known])

    def update(
        self, sums: FloatArray, previous: FloatArray, dtype: np.dtype[Any], around: Around
    ) -> Updated:
        centroids, n_empty = previous.copy(), 0
        inertia = Fraction(around.spread_hi) + Fraction(around.spread_lo)
        middle = [Fraction(m) for m in around.center.tolist()]
        for j, cluster in enumerate(sums):
            *features, weight = [
                sum(map(Fraction, column), Fraction(0)) for column in cluster.T.tolist()
            ]
            for s, c, m in zip(features, previous[j].tolist(), middle, strict=True):
                b = Fraction(c) - m
                inertia += b * (weight * b - 2 * (s - weight * m))
            if weight > 0:
                centroids[j] = [_round_once(total / weight, dtype) for total in features]
            else:
                n_empty += 1
        shift = centroids - previous
        least = math.ulp(0.0) if shift.any() else 0.0
        sq_shift = max(float(np.square(shift).sum()), least)
        return Updated(centroids, sq_shift, float(inertia), around.spread_error, n_empty)

    def choose_footing(
        self,
        extent: Extent,
        weight_top: float,
        weight_finest: float,
        weighted: bool,
        n_rows: int,
        dtype: np.dtype[Any],
    ) -> Footing:
        low, high, finest = extent.features
        center = (0.5 * low + 0.5 * high).astype(dtype).astype(np.float64)
        reach = float(max((high - center).max(), (center - low).max()))
        top = np.maximum(-low, high)
        if weighted:
            top, finest = top * weight_top, finest * weight_finest
        top, finest = np.append(top, weight_top), np.append(finest, weight_finest)
        spacings = np.array([_spacings(t, n_rows * (2 if weighted else 1)) for t in top])
        enough = np.maximum(finest, np.ldexp(top, -101))
        n_grids = 1 + int((spacings > enough[:, np.newaxis])[:, :-1].sum(axis=1).max())
        magic = np.array([[_magic(s) for s in grid] for grid in spacings.T[:n_grids].tolist()])
        return Footing(magic, center, reach)

    def max_abs_diff(self, X: Rows, centers: FloatArray, labels: LabelArray | None) -> float:
        own = centers if labels is None else centers[labels]
        return float(np.abs(X.astype(np.float64) - own).max())

    def add_sq_diff(
        self,
        X: Rows,
        weight: FloatArray | None,
        centers: FloatArray,
        labels: LabelArray | None,
        grids: SqGrids,
        totals: FloatArray,
    ) -> None:
        x = X.astype(np.float64)
        own = np.broadcast_to(centers[0], x.shape) if labels is None else centers[labels]
        e = x - own
        p, error = _product(e, e)
        q = error + 2.0 * (e * _difference_error(x, own, e))
        if weight is not None:
            w = np.broadcast_to(weight[:, np.newaxis], x.shape)
            p, error = _product(w, p)
            q = w * q + error
        for grid, spacing in enumerate(_sq_spacings(grids, X.shape[1])):
            on_grid, p = _split(p, _magic(spacing))
            totals[grid] += on_grid.sum()
            if grid > 0:
                on_grid, q = _split(q, _magic(spacing))
                totals[grid] += on_grid.sum()

    def finish_sq_diff(
        self, totals: FloatArray, n_features: int, grids: SqGrids
    ) -> tuple[float, float, float]:
        exact = sum(map(Fraction, totals.tolist()), Fraction(0))
        high = float(exact)
        cut = grids.n_rows * n_features * _sq_spacings(grids, n_features)[-1]
        error = cut + math.ldexp(high, -100) if grids.top > 0 else 0.0
        return high, float(exact - Fraction(high)), error

    def sq_distances(self, X: Rows, centroids: FloatArray) -> FloatArray:
        out = np.zeros((len(X), len(centroids)))
        for feature in range(X.shape[1]):
            e = X[:, feature, np.newaxis].astype(np.float64) - centroids[:, feature]
            out += e * e
        return out

    def own_sq_distances(self, X: Rows, centroids: FloatArray, labels: LabelArray) -> FloatArray:
        out = np.zeros(len(X))
        for feature in range(X.shape[1]):
            e = X[:, feature].astype(np.float64) - centroids[labels, feature]
            out += e * e
        return out

    def swap_search(
        self,
        X: FloatArray,
        weight: FloatArray,
        labels: LabelArray,
        centroids: FloatArray,
        patience: int,
    ) -> SwapSearch:
        raise NotImplementedError(
            "refine='swap' is a search, not a definition: the reference engine has none; unset "
            "TRUEMEANS_ENGINE to use the native engine."
        )

    def optimum(
        self, values: FloatArray, weights: FloatArray, n_clusters: int, max_runs: int
    ) -> tuple[FloatArray, bool]:
        cost, mean = _run_costs(values, weights)
        begins = _least_costs(cost, n_clusters)[1]
        end, found = len(values), []
        for begin_of in reversed(begins):
            begin = begin_of[end]
            found.append(float(mean(begin, end)))
            end = begin
        return np.array(found[::-1]), True

    def least_inertias(self, values: FloatArray, weights: FloatArray, most: int) -> FloatArray:
        return np.array([float(v) for v in _least_costs(_run_costs(values, weights)[0], most)[0]])


def _sq_spacings(grids: SqGrids, n_features: int) -> list[float]:
    top = 1.001 * grids.top * grids.top * grids.weight_top
    return _spacings(top, 2.0 * grids.n_rows * n_features)[:N_SQ_GRIDS]


def _round_once(value: Fraction, dtype: np.dtype[Any]) -> float:
    """Round a rational to the nearest number of ``dtype``, ties to even."""
    if dtype == np.float64:
        return float(value)
    near = np.float32(float(value))
    around = [near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))]
    # Even significands sort first among equally near neighbours.
    return float(
        min(around, key=lambda c: (abs(Fraction(float(c)) - value), int(c.view(np.uint32)) & 1))
    )
