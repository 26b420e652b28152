"""The definition of seeding's verbs, in NumPy."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from truemeans.engines.masses import WORN, mass_scale
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

__all__ = ["SeedingDefinition"]


class SeedingDefinition:
    """What seeding asks of the reference engine, which adds the distances."""

    def sq_distances(self, X: Rows, centroids: FloatArray) -> FloatArray:
        raise NotImplementedError

    def own_sq_distances(self, X: Rows, centroids: FloatArray, labels: LabelArray) -> FloatArray:
        raise NotImplementedError

    def row_keys(self, X: Rows) -> FloatArray:
        keys = np.zeros(len(X))
        for feature in range(X.shape[1]):
            keys += _key_factor(feature) * X[:, feature].astype(np.float64)
        return keys

    def lower_closest(
        self,
        X: Rows,
        weight: FloatArray | None,
        centroid: FloatArray,
        nearest: Nearest,
        number: int,
    ) -> float:
        if number == 0:
            nearest.closest[:] = np.inf
            nearest.which[:] = 0
        nearest.lower(slice(None), self.sq_distances(X, centroid[np.newaxis])[:, 0], number)
        closest = nearest.closest
        return float((closest if weight is None else weight * closest).max())

    def lower_by_labels(
        self, X: Rows, centroids: FloatArray, labels: LabelArray, nearest: Nearest, first: int
    ) -> None:
        nearest.lower(slice(None), self.own_sq_distances(X, centroids, labels), first + labels)

    def add_gains(
        self,
        X: Rows,
        weight: FloatArray | None,
        candidates: FloatArray,
        closest: FloatArray,
        scale: float,
        gains: FloatArray,
    ) -> None:
        w = np.ones(len(X)) if weight is None else weight
        for j, dist in enumerate(self.sq_distances(X, candidates).T):
            left = _masses(w, np.minimum(closest, dist), scale)
            gains[j] += (_masses(w, closest, scale) - left).sum()

    def draw_rounds(
        self,
        X: Rows,
        weight: FloatArray | None,
        weight_scale: float,
        u: FloatArray,
        n_clusters: int,
        n_trials: int,
    ) -> npt.NDArray[np.int64]:
        w = np.ones(len(X)) if weight is None else weight
        by_weight = _masses(w, np.ones(len(X)), weight_scale)
        picked = [_row_at(by_weight, u[0])]
        closest = self.sq_distances(X, X[picked].astype(np.float64))[:, 0]
        scale = first_total = 0.0
        for mine in u[1:].reshape(n_clusters - 1, n_trials):
            masses = _masses(w, closest, scale)
            if masses.sum() <= WORN * first_total:
                coarse = mass_scale(float((w * closest).max()) * len(X))
                total = float(_masses(w, closest, coarse).sum())
                if total == 0.0:
                    picked.append(_row_at(by_weight, mine[0]))
                    continue
                scale = mass_scale(total / coarse)
                masses = _masses(w, closest, scale)
                first_total = float(masses.sum())
            drawn = [_row_at(masses, place) for place in mine]
            left = np.minimum(self.sq_distances(X, X[drawn].astype(np.float64)).T, closest)
            best = int(np.argmin(_masses(w, left, scale).sum(axis=1)))
            picked.append(drawn[best])
            closest = left[best]
        return np.array(picked, np.int64)

    def draw_in_boxes(
        self,
        X: Rows,
        weight: FloatArray | None,
        weight_scale: float,
        u: FloatArray,
        n_clusters: int,
        n_trials: int,
    ) -> npt.NDArray[np.int64]:
        rows = np.lexsort((*X.T[::-1], _places_on_curve(X)))
        w = None if weight is None else weight[rows]
        return rows[self.draw_rounds(X[rows], w, weight_scale, u, n_clusters, n_trials)]

    def axes_a_word(self, n_features: int) -> int:
        return 0

    def look_along(self, X: Rows, lines: FloatArray, center: FloatArray, sq_radius: float) -> None:
        return None

    def find_closer(
        self,
        X: Rows,
        weight: FloatArray | None,
        candidates: FloatArray,
        closest: FloatArray,
        axes: object,
        most: int,
    ) -> Closer | None:
        dist = self.sq_distances(X, candidates).T
        closer = dist < closest
        if weight is not None:
            closer &= weight > 0
        if closer.sum() > most:
            return None
        starts = np.concatenate([[0], np.cumsum(closer.sum(axis=1))]).astype(np.int64)
        return Closer(starts, np.nonzero(closer)[1].astype(np.int32), dist[closer])

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
        closest = nearest.closest
        w = np.ones(len(closest)) if weight is None else weight
        winners: list[int] = []
        gain, at = 0.0, 0
        while len(winners) < n_rounds:
            now = closest[proposals.rows]
            accepted = (now > 0) & (proposals.u * proposals.start <= now)
            trials = at + np.flatnonzero(accepted[at:])[:n_trials]
            if len(trials) < n_trials:
                break
            gains = []
            for g in trials:
                mine = slice(pairs.starts[g], pairs.starts[g + 1])
                rows = pairs.rows[mine]
                left = np.minimum(closest[rows], pairs.sq_dist[mine])
                before = _masses(w[rows], closest[rows], scale)
                gains.append((before - _masses(w[rows], left, scale)).sum())
            best = int(np.argmax(gains))
            winners.append(int(trials[best]))
            mine = slice(pairs.starts[winners[-1]], pairs.starts[winners[-1] + 1])
            nearest.lower(pairs.rows[mine], pairs.sq_dist[mine], first + len(winners) - 1)
            gain += float(gains[best])
            at = int(trials[-1]) + 1
        return Played(np.array(winners, np.int32), at, gain)

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
        candidates = X[proposals.rows].astype(np.float64)
        most = len(X) * len(candidates)
        pairs = self.find_closer(X, weight, candidates, nearest.closest, None, most)
        assert pairs is not None, "no more pairs than there are"
        return self.play_rounds(proposals, pairs, weight, scale, n_trials, n_rounds, nearest, first)

    def sort_into_buckets(self, keys: FloatArray, splitters: FloatArray) -> Buckets:
        of_row = np.searchsorted(splitters, keys, side="right").astype(np.uint16)
        order = np.argsort(of_row, kind="stable").astype(np.int32)
        return Buckets(of_row, order, np.cumsum(np.bincount(of_row, minlength=len(splitters) + 1)))

    def add_bucket_masses(
        self,
        weight: FloatArray | None,
        closest: FloatArray | None,
        scale: float,
        buckets: npt.NDArray[np.uint16],
        masses: FloatArray,
    ) -> None:
        ones = np.ones(len(buckets))
        w = ones if weight is None else weight
        mass = _masses(w, ones if closest is None else closest, scale)
        masses += np.bincount(buckets, mass, len(masses))


def _masses(weight: FloatArray, closest: FloatArray, scale: float) -> FloatArray:
    return np.rint((weight * scale) * closest)


def _row_at(masses: FloatArray, u: float) -> int:
    ends = np.cumsum(masses)
    place = min(np.floor(u * ends[-1]), ends[-1] - 1.0)
    return int(np.searchsorted(ends, place, side="right"))


def _places_on_curve(X: Rows) -> npt.NDArray[np.uint32]:
    """Place of each row's cell on a Morton curve through a grid of 2^24 cells over all rows."""
    bits = 24 // X.shape[1]
    place = np.zeros(len(X), np.uint32)
    for feature, values in enumerate(X.T.astype(np.float64)):
        low, high = float(values.min()), float(values.max())
        with np.errstate(over="ignore"):
            scale = 2.0**bits / np.float64(high - low) * (1.0 - 1e-9) if high > low else 0.0
        if not (math.isfinite(scale) and math.isfinite(high - low)):
            continue
        cell = ((values - low) * scale).astype(np.uint32)
        for bit in range(bits):
            place |= (cell >> bit & 1) << (bit * X.shape[1] + feature)
    return place


def _key_factor(feature: int) -> float:
    """In [1, 2), without pattern: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    mask = 2**64 - 1
    z = (feature + 1) * 0x9E3779B97F4A7C15 & mask
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
    return 1.0 + math.ldexp((z ^ (z >> 31)) >> 12, -52)
