"""The one rule for clusters that lost all their rows.

Rows of equal values count as one point of their total weight. Each empty cluster, in index order,
takes over the point with the largest weight × squared distance to its own centroid that has not
been taken yet. A point is passed over when that product is zero, or when it is all the weight its
cluster has: the donor is never emptied. Among equal products the point whose values come first in
lexicographic order is taken. So neither the order of the rows matters, nor whether a row of
weight 2 is there or two copies of it. The point counts for its new cluster in this update step;
labels follow in the next assignment step. A cluster that finds no point keeps its centroid.

Moving a point x of weight w to a centroid of its own lowers the inertia by at least
w ||x - c||², so a refill always makes progress and the loop ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.records import FloatArray

__all__ = ["refill"]


def refill(dataset: Dataset, sums: FloatArray, centroids: FloatArray) -> FloatArray:
    """Sums with every empty cluster, if any, refilled where the rule finds a point.

    Parameters
    ----------
    dataset : Dataset
        The rows, labelled by their assignment to ``centroids``.
    sums : ndarray of float64, shape (n_clusters, n_grids, n_features + 1)
        Unchanged.
    centroids : ndarray of float64, shape (n_clusters, n_features)
        The centroids the labels belong to.
    """
    weights = sums[:, :, -1].sum(axis=1)
    waiting = np.flatnonzero(weights == 0.0).tolist()
    sums = sums.copy()
    for rows, weight in _farthest_first(dataset, centroids, 4 * len(waiting) + 16):
        donor = sums[dataset.labels[rows[0]], :, -1].sum()
        if donor - weight > 0.0:
            dataset.move(rows, waiting.pop(0), sums)
        if not waiting:
            break
    return sums


def _farthest_first(
    dataset: Dataset, centroids: FloatArray, count: int
) -> Iterator[tuple[npt.NDArray[np.intp], float]]:
    """Rows and weight of each of the first ``count`` points by falling weight × distance."""
    sq_dist = dataset.own_sq_distances(centroids)
    weight = dataset.sample_weight
    rows = _likely(sq_dist if weight is None else weight * sq_dist, dataset.row_keys(), count)
    _, first, point = np.unique(
        _sortable(dataset.source.take(rows)), return_index=True, return_inverse=True
    )
    members = np.split(rows[np.argsort(point, kind="stable")], np.cumsum(np.bincount(point))[:-1])
    # Correctly rounded sums, which do not depend on the order of the rows.
    totals = [float(len(m)) if weight is None else math.fsum(weight[m]) for m in members]
    cost = np.array(totals) * sq_dist[rows[first]]
    # Points stand in lexicographic order, which a stable sort keeps among equals.
    for i in np.argsort(-cost, kind="stable")[:count]:
        yield members[i], totals[i]


def _sortable(X: npt.NDArray[Any]) -> npt.NDArray[np.void]:
    """Strings of bytes that compare as the rows do, from the first feature on.

    NumPy's own way to find unique rows takes milliseconds for a thousand features.
    """
    bits = (X.astype(np.float64) + 0.0).view(np.uint64)  # one zero
    top = np.uint64(1 << 63)
    rising = np.where(bits & top, ~bits, bits | top)
    big_endian = np.ascontiguousarray(rising, dtype=">u8")
    strings: npt.NDArray[np.void] = big_endian.view(f"V{8 * X.shape[1]}").reshape(-1)
    return strings


def _likely(cost: FloatArray, key: FloatArray, count: int) -> npt.NDArray[np.intp]:
    """Rows among which the first ``count`` points are: equal rows have equal keys."""
    rows = np.flatnonzero(cost > 0.0)
    if not len(rows):
        return rows
    rows = rows[np.argsort(key[rows])]
    starts = np.flatnonzero(np.diff(key[rows], prepend=-np.inf))
    together = np.add.reduceat(cost[rows], starts)
    count = min(count, len(starts))
    # These sums round, each by far less than this.
    least = np.partition(together, len(starts) - count)[len(starts) - count] * (1 - 2.0**-20)
    kept: npt.NDArray[np.intp] = rows[
        np.repeat(together >= least, np.diff(starts, append=len(rows)))
    ]
    return kept
