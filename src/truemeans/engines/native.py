"""The C++ engine: with its seeding the only module that imports the compiled core."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import truemeans._core as _core
from truemeans.engines.base import SwapSearch
from truemeans.engines.native_seeding import NativeSeeding
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
from truemeans.plan import (
    FINER,
    N_PROBED,
    PROBED_FROM,
    finer_scores,
    n_groups,
    should_keep,
    should_skip,
)
from truemeans.result import Plan
from truemeans.targets import targets

__all__ = ["NativeEngine"]

if N_SQ_GRIDS != _core.N_SQ_GRIDS:
    raise ImportError("truemeans._core was built from other sources; reinstall truemeans.")


_BOXES = (_core.Boxes32, _core.Boxes64)


class _Boxed(NamedTuple):
    """Boxes, and what they were made of."""

    X: Rows
    weight: FloatArray | None
    by_value: bool
    boxes: _core.Boxes32 | _core.Boxes64


class NativeEngine(NativeSeeding):
    """A thread team, a SIMD target and the float mode, for the length of one call."""

    def __init__(self, plan: Plan) -> None:
        if plan.target and plan.target not in targets():
            raise ValueError(
                f"target={plan.target!r} is not one this machine can run; "
                f"use one of {', '.join(targets())}."
            )
        self._plan = plan
        # Scores in use, and for how many rows, the most, and centroids they were chosen.
        self._scores, self._scored_rows, self._scored_centroids = plan.scores, 0, 0
        # Rows and weights, and the boxes made of them: sorted once for seeding and all runs.
        self._boxed: _Boxed | None = None
        self._team = _core.Team(plan.n_threads, plan.target)
        self._float_mode = _core.FloatMode()

    @property
    def target(self) -> str:
        """Name of the SIMD target in use."""
        return self._team.target

    def __enter__(self) -> NativeEngine:
        self._float_mode.enter()
        return self

    def __exit__(self, *error: object) -> None:
        self._float_mode.leave()
        del self._team  # joins the threads

    def survey(self, X: Rows) -> Extent:
        return Extent(*_core.survey(self._team, X))

    def new_sums(self, n_clusters: int, n_grids: int, n_features: int) -> FloatArray:
        return _core.new_sums(n_clusters, n_grids, n_features)

    def assign(
        self,
        X: Rows,
        weight: FloatArray | None,
        centroids: FloatArray,
        magic: FloatArray | None,
        state: RowState,
        sums: FloatArray | None,
    ) -> Pass:
        plan, team, labels = self._plan, self._team, state.labels
        if plan.scores == "none":  # nothing that a later pass could use
            done = _core.assign(
                team, X, weight, centroids, "none", 0, False, None, None, magic, labels, sums
            )
            return Pass(*done[:2])
        if state.carried is None and sums is not None:
            state.carried = self._remember(X, weight, centroids, state.held)
        carried = state.carried
        if isinstance(carried, _BOXES):
            done = _core.assign_boxed(team, carried, weight, centroids, magic, labels, sums)
            return Pass(*done[:2])
        if isinstance(carried, _core.Bounds):
            done = _core.assign_bounded(team, X, weight, centroids, carried, magic, labels, sums)
            return Pass(*done[:2])
        scores, block_rows = self._scores_for(X, centroids), plan.block_rows
        if isinstance(carried, _core.PackedRows) and scores != "bytes":
            carried = state.carried = None
        skip = carried if isinstance(carried, _core.Skip) else None
        packed = carried if isinstance(carried, _core.PackedRows) else None
        done = _core.assign(
            team,
            X,
            weight,
            centroids,
            scores,
            block_rows,
            state.keeps,
            skip,
            packed,
            magic,
            labels,
            sums,
        )
        if 2 * len(X) > self._scored_rows:
            self._scores = finer_scores(scores, done[1], len(X))
        state.keeps = should_keep(scores, X.shape[1], done[0], len(X))
        late = should_skip(state.keeps, done[0], len(X))
        if skip is None and late and plan.skip in ("rows", "packed"):
            state.carried = _core.Skip(len(X))
        return Pass(*done[:2])

    def _scores_for(self, X: Rows, centroids: FloatArray) -> str:
        """Those in use, if for so many rows and centroids; what `_first_scores` says if not."""
        if len(X) > self._scored_rows or len(centroids) != self._scored_centroids:
            self._scores = self._first_scores(X, centroids)
            self._scored_rows, self._scored_centroids = len(X), len(centroids)
        return self._scores

    def _first_scores(self, X: Rows, centroids: FloatArray) -> str:
        """The plan's, or finer ones where it leaves most of some rows from everywhere open."""
        scores = self._plan.scores
        if len(X) < PROBED_FROM:
            return scores
        sample = np.ascontiguousarray(X[:: max(len(X) // N_PROBED, 1)])
        while scores in FINER:
            labels = np.full(len(sample), -1, np.int32)
            done = _core.assign(
                self._team,
                sample,
                None,
                centroids,
                scores,
                0,
                False,
                None,
                None,
                None,
                labels,
                None,
            )
            before, scores = scores, finer_scores(scores, done[1], len(sample))
            if scores == before:
                break
        return scores

    def _remember(
        self, X: Rows, weight: FloatArray | None, centroids: FloatArray, held: bool
    ) -> _core.Boxes32 | _core.Boxes64 | _core.Bounds | _core.PackedRows | None:
        """What is kept about these rows from the first pass on; one cluster needs nothing."""
        if len(centroids) == 1:
            return None
        if self._plan.skip == "boxes":
            boxes = self._boxes_of(X, weight, by_value=False)
            boxes.restart(len(centroids))
            return boxes
        if self._plan.skip == "groups":
            most = n_groups(X.shape[1], X.itemsize, self._plan.row_room)
            return _core.Bounds(self._team, centroids, len(X), most)
        if self._plan.skip == "packed" and held and self._scores_for(X, centroids) == "bytes":
            return _core.PackedRows(*X.shape)
        return None

    def _boxes_of(
        self, X: Rows, weight: FloatArray | None, *, by_value: bool
    ) -> _core.Boxes32 | _core.Boxes64:
        had = self._boxed
        if had and had.X is X and had.weight is weight and had.by_value >= by_value:
            return had.boxes
        make = _core.Boxes32 if X.dtype == np.float32 else _core.Boxes64
        boxes = make(self._team, X, weight, by_value)
        if self._plan.skip == "boxes":
            self._boxed = _Boxed(X, weight, by_value, boxes)
        return boxes

    def add_rows(
        self,
        X: Rows,
        weight: FloatArray | None,
        labels: LabelArray,
        magic: FloatArray,
        sums: FloatArray,
    ) -> None:
        _core.add_rows(self._team, X, weight, labels, magic, sums)

    def move(
        self,
        X: Rows,
        weight: FloatArray | None,
        moves: Moves,
        magic: FloatArray,
        sums: FloatArray,
    ) -> None:
        _core.move_rows(self._team, X, weight, *moves, magic, sums)

    def update(
        self, sums: FloatArray, previous: FloatArray, dtype: np.dtype[Any], around: Around
    ) -> Updated:
        return Updated(*_core.update(self._team, sums, previous, dtype.itemsize == 4, *around))

    def choose_footing(
        self,
        extent: Extent,
        weight_top: float,
        weight_finest: float,
        weighted: bool,
        n_rows: int,
        dtype: np.dtype[Any],
    ) -> Footing:
        return Footing(
            *_core.choose_footing(
                extent.features, weight_top, weight_finest, weighted, n_rows, dtype.itemsize == 4
            )
        )

    def max_abs_diff(self, X: Rows, centers: FloatArray, labels: LabelArray | None) -> float:
        return _core.max_abs_diff(self._team, X, centers, labels)

    def add_sq_diff(
        self,
        X: Rows,
        weight: FloatArray | None,
        centers: FloatArray,
        labels: LabelArray | None,
        grids: SqGrids,
        totals: FloatArray,
    ) -> None:
        _core.add_sq_diff(self._team, X, weight, centers, labels, *grids, totals)

    def finish_sq_diff(
        self, totals: FloatArray, n_features: int, grids: SqGrids
    ) -> tuple[float, float, float]:
        return _core.finish_sq_diff(totals, n_features, *grids)

    def sq_distances(self, X: Rows, centroids: FloatArray) -> FloatArray:
        return _core.sq_distances(self._team, X, centroids)

    def own_sq_distances(self, X: Rows, centroids: FloatArray, labels: LabelArray) -> FloatArray:
        return _core.own_sq_distances(self._team, X, centroids, labels)

    def optimum(
        self, values: FloatArray, weights: FloatArray, n_clusters: int, max_runs: int
    ) -> tuple[FloatArray, bool]:
        return _core.optimum(self._team, values, weights, n_clusters, max_runs)

    def least_inertias(self, values: FloatArray, weights: FloatArray, most: int) -> FloatArray:
        return _core.least_inertias(self._team, values, weights, most)

    def swap_search(
        self,
        X: FloatArray,
        weight: FloatArray,
        labels: LabelArray,
        centroids: FloatArray,
        patience: int,
    ) -> SwapSearch:
        return _core.SwapSearch(self._team, X, weight, centroids, labels, patience)
