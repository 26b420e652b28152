"""The verbs of seeding in C++, for the native engine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import truemeans._core as _core
from truemeans.engines.records import (
    Buckets,
    Closer,
    FloatArray,
    LabelArray,
    Nearest,
    Played,
    Proposals,
    Rows,
)
from truemeans.plan import closer_scores
from truemeans.result import Plan

__all__ = ["NativeSeeding"]


class NativeSeeding:
    """What seeding asks of the native engine, which makes the boxes."""

    _plan: Plan
    _team: _core.Team

    def _boxes_of(
        self, X: Rows, weight: FloatArray | None, *, by_value: bool
    ) -> _core.Boxes32 | _core.Boxes64:
        raise NotImplementedError

    def row_keys(self, X: Rows) -> FloatArray:
        return _core.row_keys(self._team, X)

    def lower_closest(
        self,
        X: Rows,
        weight: FloatArray | None,
        centroid: FloatArray,
        nearest: Nearest,
        number: int,
    ) -> float:
        return _core.lower_closest(self._team, X, weight, centroid, *nearest, number)

    def lower_by_labels(
        self, X: Rows, centroids: FloatArray, labels: LabelArray, nearest: Nearest, first: int
    ) -> None:
        _core.lower_by_labels(self._team, X, centroids, labels, *nearest, first)

    def add_gains(
        self,
        X: Rows,
        weight: FloatArray | None,
        candidates: FloatArray,
        closest: FloatArray,
        scale: float,
        gains: FloatArray,
    ) -> None:
        _core.add_gains(self._team, X, weight, candidates, closest, scale, gains)

    def draw_rounds(
        self,
        X: Rows,
        weight: FloatArray | None,
        weight_scale: float,
        u: FloatArray,
        n_clusters: int,
        n_trials: int,
    ) -> npt.NDArray[np.int64]:
        return _core.draw_rounds(self._team, X, weight, weight_scale, u, n_clusters, n_trials)

    def draw_in_boxes(
        self,
        X: Rows,
        weight: FloatArray | None,
        weight_scale: float,
        u: FloatArray,
        n_clusters: int,
        n_trials: int,
    ) -> npt.NDArray[np.int64]:
        boxes = self._boxes_of(X, weight, by_value=True)
        n, d = X.shape
        return _core.draw_in_boxes(
            self._team, boxes, weight, n, d, weight_scale, u, n_clusters, n_trials
        )

    def axes_a_word(self, n_features: int) -> int:
        if self._plan.scores == "none":
            return 0
        helps = closer_scores(n_features, self._plan.target) == "centroids"
        return self._team.numbers_a_word if helps else 0

    def look_along(
        self, X: Rows, lines: FloatArray, center: FloatArray, sq_radius: float
    ) -> _core.Axes | None:
        axes = _core.Axes(self._team, X, lines, center, sq_radius)
        return axes if axes.usable else None

    def find_closer(
        self,
        X: Rows,
        weight: FloatArray | None,
        candidates: FloatArray,
        closest: FloatArray,
        axes: object,
        most: int,
    ) -> Closer | None:
        assert axes is None or isinstance(axes, _core.Axes)
        scores = (
            "none" if self._plan.scores == "none" else closer_scores(X.shape[1], self._plan.target)
        )
        found = _core.find_closer(
            self._team,
            X,
            weight,
            candidates,
            closest,
            scores,
            axes,
            self._plan.block_rows,
            most,
        )
        return None if found is None else Closer(*found)

    def play_rounds(
        self,
        proposals: Proposals,
        pairs: Closer,
        weight: FloatArray | None,
        scale: float,
        n_trials: int,
        n_rounds: int,
        nearest: Nearest,
        first: int,
    ) -> Played:
        return Played(
            *_core.play_rounds(
                self._team,
                *proposals,
                *pairs,
                weight,
                scale,
                n_trials,
                n_rounds,
                *nearest,
                first,
            )
        )

    def play_ahead(
        self,
        X: Rows,
        weight: FloatArray | None,
        proposals: Proposals,
        scale: float,
        n_trials: int,
        n_rounds: int,
        marks: npt.NDArray[np.uint64],
        nearest: Nearest,
        first: int,
    ) -> Played:
        scored = self._plan.scores != "none"
        return Played(
            *_core.play_ahead(
                self._team,
                X,
                weight,
                *proposals,
                scored,
                scale,
                n_trials,
                n_rounds,
                marks,
                *nearest,
                first,
            )
        )

    def sort_into_buckets(self, keys: FloatArray, splitters: FloatArray) -> Buckets:
        return Buckets(*_core.sort_into_buckets(self._team, keys, splitters))

    def add_bucket_masses(
        self,
        weight: FloatArray | None,
        closest: FloatArray | None,
        scale: float,
        buckets: npt.NDArray[np.uint16],
        masses: FloatArray,
    ) -> None:
        _core.add_bucket_masses(self._team, weight, closest, scale, buckets, masses)
