"""The loop of k-means: assignment step, update step, until nothing changes. One for all engines.

S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28(2),
1982 (written 1957).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from truemeans.dataset import Dataset
from truemeans.engines.records import FloatArray, LabelArray
from truemeans.refill import refill

__all__ = ["Run", "Step", "lloyd"]


class Step(NamedTuple):
    """One iteration of the loop, as who watches it sees it.

    Attributes
    ----------
    n_iter : int
        Number of the iteration, from 1.
    centroids : ndarray of float64, shape (n_clusters, n_features)
        Those the rows were assigned to.
    labels : ndarray of int32, shape (n_samples,)
        The dataset's own, which the next iteration changes.
    inertia : float
        Of these labels and centroids.
    n_changed : int
        Rows whose label changed.
    moved : ndarray of float64, shape (n_clusters, n_features)
        The centroids after the update step.
    converged : bool
        Whether the loop ends here by itself.
    """

    n_iter: int
    centroids: FloatArray
    labels: LabelArray
    inertia: float
    n_changed: int
    moved: FloatArray
    converged: bool


class Run(NamedTuple):
    """One run of the loop, from one set of initial centroids.

    Attributes
    ----------
    centroids : ndarray of float64, shape (n_clusters, n_features)
        Each value is one of the rows' dtype.
    labels : ndarray of int32, shape (n_samples,)
        The canonical assignment to exactly these centroids.
    inertia : float
        Of these labels and centroids.
    converged : bool
        False when ``max_iter`` or ``watch`` ended the run.
    inertias, n_changed : list
        One entry per iteration.
    """

    centroids: FloatArray
    labels: LabelArray
    inertia: float
    converged: bool
    inertias: list[float]
    n_changed: list[int]


def lloyd(
    dataset: Dataset,
    centroids: FloatArray,
    labels: LabelArray | None = None,
    *,
    max_iter: int,
    max_sq_shift: float,
    watch: Callable[[Step], object] | None,
) -> Run:
    """Repeat assignment and update until no label changes and no centroid moves.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    centroids : ndarray of float64, shape (n_clusters, n_features)
        Where to start.
    labels : ndarray of int32, shape (n_samples,), or None
        What the first assignment step finds, if that is known; the run's own from now on.
    max_iter : int
        The most iterations.
    max_sq_shift : float
        Also stop when the centroids together moved by no more than this, squared.
    watch : callable or None
        Called after every iteration; a true return value ends the run.
    """
    sums = dataset.new_run(len(centroids), labels)
    inertias: list[float] = []
    n_changed: list[int] = []
    converged = settled = False
    for n_iter in range(1, max_iter + 1):
        changed = dataset.assign(centroids, sums)
        step = dataset.update(sums, centroids)
        inertias.append(step.inertia)
        n_changed.append(changed)
        if step.n_empty:
            step = dataset.update(refill(dataset, sums, centroids), centroids)
        moved, sq_shift = step.centroids, step.sq_shift
        # With a bound of zero only centroids that stand still end the run here.
        converged = sq_shift <= max_sq_shift
        settled = changed == 0 and sq_shift == 0.0
        stop = watch is not None and watch(
            Step(n_iter, centroids, dataset.labels, inertias[-1], changed, moved, converged)
        )
        centroids = moved
        if converged or stop:
            break
    inertia = inertias[-1]
    if not settled:
        # The centroids moved after the last assignment: label once more, so that what is
        # returned agrees with itself.
        dataset.assign(centroids, sums)
        inertia = dataset.update(sums, centroids).inertia
    return Run(centroids, dataset.labels, inertia, converged, inertias, n_changed)
