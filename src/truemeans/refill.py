"""The one rule for clusters that lost all their rows.

Each empty cluster, in index order, takes over the row with the largest weight × squared
distance to its own centroid that has not been taken yet. A row is passed over when that
product is zero, when it equals a row already taken, or when it is all the weight its cluster
has: the donor is never emptied. Among rows with equal products the one whose values come first
in lexicographic order is taken, so the order of the rows does not matter. The taken row counts
for its new cluster in this update step; labels follow in the next assignment step. A cluster
that finds no row keeps its centroid.

Moving row x with weight w to a centroid of its own lowers the inertia by at least
w ||x - c||², so a refill always makes progress and the loop ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.base import FloatArray

__all__ = ["refill"]


def refill(dataset: Dataset, sums: FloatArray, centroids: FloatArray) -> FloatArray:
    """Sums with every empty cluster refilled where the rule finds a row.

    Parameters
    ----------
    dataset : Dataset
        The rows, labelled by their assignment to ``centroids``.
    sums : ndarray of float64, shape (n_clusters, n_grids, n_features + 1)
        Unchanged; returned as they are when no cluster is empty.
    centroids : ndarray of float64, shape (n_clusters, n_features)
        The centroids the labels belong to.
    """
    weights = sums[:, :, -1].sum(axis=1)
    if weights.all():
        return sums
    empty = np.flatnonzero(weights == 0.0)
    sums = sums.copy()
    taken: set[bytes] = set()
    waiting = list(empty)
    for row in _farthest_first(dataset, centroids, 4 * len(empty) + 16):
        if not waiting:
            break
        contents = dataset.source.take(np.array([row])).tobytes()
        weight = 1.0 if dataset.sample_weight is None else dataset.sample_weight[row]
        donor = sums[dataset.labels[row], :, -1].sum()
        if contents in taken or donor - weight <= 0.0:
            continue
        dataset.move(row, int(waiting.pop(0)), sums)
        taken.add(contents)
    return sums


def _farthest_first(dataset: Dataset, centroids: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """Rows by falling weight × squared distance: the first ``count``, ties included."""
    cost = dataset.weighted_sq_distances(centroids)
    count = min(count, len(cost))
    threshold = np.partition(cost, len(cost) - count)[len(cost) - count]
    rows = np.flatnonzero((cost >= threshold) & (cost > 0.0))
    values = dataset.source.take(rows)
    return rows[np.lexsort((*values.T[::-1], -cost[rows]))]
