"""The recorded run cut into frames: pure data, every number that is shown.

    data, start, round-1-assign, round-1-update, round-2-assign, …, stop

The last round changes nothing, so its update step is left out. A run that was ended before
that labels its rows once more: ``final-assign``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.engines.reference import ReferenceEngine

__all__ = ["Frame", "Recording", "Update", "follows", "frames_of"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Recording:
    """A run and its rows, as the frames need them.

    Attributes
    ----------
    X : ndarray, shape (n_samples, n_features)
        The rows.
    assigned_to : ndarray, shape (n_iter, n_clusters, n_features)
        The centroids the rows were assigned to in each round.
    labels : ndarray of int32, shape (n_iter, n_samples)
        What came out of that.
    inertia : ndarray of float64, shape (n_iter,)
        Of these labels and centroids.
    final_centroids, final_labels, final_inertia
        What the run returned.
    converged : bool
        Whether the run ended by itself.
    """

    X: npt.NDArray[Any]
    assigned_to: npt.NDArray[Any]
    labels: npt.NDArray[np.int32]
    inertia: FloatArray
    final_centroids: npt.NDArray[Any]
    final_labels: npt.NDArray[np.int32]
    final_inertia: float
    converged: bool

    @property
    def settled(self) -> bool:
        """Whether the last round changed no label and moved no centroid."""
        return np.array_equal(self.assigned_to[-1], self.final_centroids) and np.array_equal(
            self.labels[-1], self.final_labels
        )


@dataclass(frozen=True, eq=False)
class Update:
    """The numbers of one update step.

    Attributes
    ----------
    sums : ndarray of float64, shape (n_clusters, n_features)
        Exact sums of the rows of each cluster, rounded once.
    counts : ndarray of int64, shape (n_clusters,)
        Number of rows of each cluster; the mean is sum / count.
    before : ndarray, shape (n_clusters, n_features)
        Where the centroids were.
    travel : ndarray of float64, shape (n_clusters,)
        Euclidean distance from there.
    refilled : tuple of (cluster, tuple of rows)
        Clusters without rows, and the rows, equal to each other, that each was given.
    """

    sums: FloatArray
    counts: npt.NDArray[np.int64]
    before: npt.NDArray[Any]
    travel: FloatArray
    refilled: tuple[tuple[int, tuple[int, ...]], ...]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of the run.

    Attributes
    ----------
    name : str
        Its address within the page.
    kind : {"data", "start", "assign", "update", "stop"}
        What happens in it.
    round : int
        The iteration it belongs to, from 1; 0 before the first.
    centroids : ndarray, shape (n_clusters, n_features), or None
        The centroids after it; None before there are any.
    labels : ndarray of int32, shape (n_samples,), or None
        The labels after it; None before the first assignment.
    changed : ndarray of int, shape (n_changed,)
        Rows whose label it changed; for an assignment, since the last assignment.
    inertia : float or None
        Of these labels and centroids.
    parts : ndarray of float64, shape (n_clusters,), or None
        What each cluster adds to the inertia.
    update : Update or None
        The sums behind the new centroids, in update steps.
    """

    name: str
    kind: str
    round: int
    centroids: npt.NDArray[Any] | None
    labels: npt.NDArray[np.int32] | None
    changed: npt.NDArray[np.intp]
    inertia: float | None
    parts: FloatArray | None
    update: Update | None = None

    def sq_distances(self, X: npt.NDArray[Any]) -> FloatArray:
        """Canonical squared distance of every row to every centroid, (n_samples, n_clusters)."""
        assert self.centroids is not None, "there are no centroids yet"
        return ReferenceEngine().sq_distances(X, self.centroids.astype(np.float64))


def frames_of(run: Recording) -> tuple[Frame, ...]:
    """Cut a recorded run into frames."""
    exact = _Exact(run)
    nothing = np.empty(0, np.intp)
    frames = [
        Frame("data", "data", 0, None, None, nothing, None, None),
        Frame("start", "start", 0, run.assigned_to[0], None, nothing, None, None),
    ]
    n_iter = len(run.assigned_to)
    for i in range(n_iter):
        frames.append(_assign(run, exact, i))
        if i + 1 < n_iter or not run.settled:
            frames.append(_update(run, exact, i))
    _, parts = exact.inertia(run.final_labels, run.final_centroids)
    last = (run.final_centroids, run.final_labels)
    if not run.settled:
        changed = np.flatnonzero(run.final_labels != run.labels[-1])
        frames.append(
            Frame("final-assign", "assign", n_iter, *last, changed, run.final_inertia, parts)
        )
    frames.append(Frame("stop", "stop", n_iter, *last, nothing, run.final_inertia, parts))
    return tuple(frames)


def _assign(run: Recording, exact: _Exact, i: int) -> Frame:
    centroids, labels = run.assigned_to[i], run.labels[i]
    changed = np.flatnonzero(labels != run.labels[i - 1]) if i else np.arange(len(labels))
    inertia = float(run.inertia[i])
    _, parts = exact.inertia(labels, centroids)
    name = f"round-{i + 1}-assign"
    return Frame(name, "assign", i + 1, centroids, labels, changed, inertia, parts)


def _update(run: Recording, exact: _Exact, i: int) -> Frame:
    before = run.assigned_to[i]
    moved = run.assigned_to[i + 1] if i + 1 < len(run.assigned_to) else run.final_centroids
    refilled = _refilled(run.X, run.labels[i], before, moved)
    labels = run.labels[i].copy()
    for cluster, rows in refilled:
        labels[list(rows)] = cluster
    changed = np.flatnonzero(labels != run.labels[i])
    inertia, parts = exact.inertia(labels, moved)
    sums, counts = exact.sums(labels, len(moved))
    travel = np.sqrt(((moved.astype(np.float64) - before) ** 2).sum(axis=1))
    update = Update(sums, counts, before, travel, refilled)
    name = f"round-{i + 1}-update"
    return Frame(name, "update", i + 1, moved, labels, changed, inertia, parts, update)


def _refilled(
    X: npt.NDArray[Any],
    labels: npt.NDArray[np.int32],
    centroids: npt.NDArray[Any],
    moved: npt.NDArray[Any],
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """Return the empty clusters that were refilled, each with the rows it was given.

    The mean of equal rows is the row, so the new centroid tells which rows these were. Only rows
    away from their own centroid are ever given, so a centroid that merely stayed where a row
    happens to be is no refill.
    """
    sizes = np.bincount(labels, minlength=len(moved))
    away = (centroids[labels] != X).any(axis=1)
    found = []
    for cluster in np.flatnonzero(sizes == 0):
        rows = np.flatnonzero(away & (moved[cluster] == X).all(axis=1))
        if len(rows):
            found.append((int(cluster), tuple(rows.tolist())))
    return tuple(found)


def follows(run: Recording) -> bool:
    """Whether every centroid of the record is the plain mean of the rows it was made from.

    Not so for weighted rows, and for centroids that were improved after the last round. The
    quotient is rounded twice here, so one unit in the last place is allowed.
    """
    for frame in frames_of(run):
        if frame.update is None or frame.centroids is None:
            continue
        full = frame.update.counts > 0
        means = frame.update.sums[full] / frame.update.counts[full, np.newaxis]
        moved = frame.centroids[full]
        if (np.abs(means - moved) > np.spacing(np.abs(moved))).any():
            return False
    return True


class _Exact:
    """Sums over rows without rounding, in integers: every value is some number of 2**-shift."""

    def __init__(self, run: Recording) -> None:
        parts = [run.X, run.assigned_to.reshape(-1, run.X.shape[1]), run.final_centroids]
        values = np.concatenate([part.astype(np.float64) for part in parts]).ravel().tolist()
        self._shift = max(value.as_integer_ratio()[1].bit_length() - 1 for value in values)
        self._rows = self._integers(run.X)

    def _integers(self, values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
        out = np.empty(values.shape, object)
        for at, value in np.ndenumerate(values):
            top, bottom = float(value).as_integer_ratio()
            out[at] = top << (self._shift - bottom.bit_length() + 1)
        return out

    def sums(
        self, labels: npt.NDArray[np.int32], n_clusters: int
    ) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Sum and number of the rows of each cluster."""
        # The quotient of two integers is rounded once.
        unit = 1 << self._shift
        exact = [self._rows[labels == j].sum(axis=0) for j in range(n_clusters)]
        sums = [[int(value) / unit for value in line] for line in exact]
        return np.array(sums), np.bincount(labels, minlength=n_clusters).astype(np.int64)

    def inertia(
        self, labels: npt.NDArray[np.int32], centroids: npt.NDArray[Any]
    ) -> tuple[float, FloatArray]:
        """Sum of squared distances to the own centroid: over all rows, and by cluster."""
        squares = ((self._rows - self._integers(centroids)[labels]) ** 2).sum(axis=1)
        parts = [int(squares[labels == j].sum()) for j in range(len(centroids))]
        unit = 1 << (2 * self._shift)
        return sum(parts) / unit, np.array([part / unit for part in parts])
