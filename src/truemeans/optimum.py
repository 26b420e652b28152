"""One feature: the clusters of least inertia of all, from the sorted values.

With one feature clusters are runs of the sorted values, so where they end can be found by dynamic
programming (see ``core/optimum.hpp`` for papers and proof). Values alone decide, not the order of
the rows: equal values are merged into one with the sum of their weights, added in the order of
the weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from truemeans.dataset import Dataset
from truemeans.engines.records import FloatArray

__all__ = ["Optimum", "least_inertias", "optimum"]


class Optimum(NamedTuple):
    """Centroids (n_clusters, 1), increasing, and whether they are proved to be the best."""

    centroids: FloatArray
    proved: bool


def optimum(dataset: Dataset, n_clusters: int, max_runs: int) -> Optimum:
    """Find the centroids of least inertia, each a value of the rows' dtype.

    Parameters
    ----------
    dataset : Dataset
        Rows of one feature.
    n_clusters : int
        Number of clusters. With fewer distinct values than that, every value is a centroid, and
        the largest is repeated.
    max_runs : int
        Bound on what the search holds at once; see `truemeans.plan`.
    """
    values, weights = _distinct(dataset)
    found, proved = dataset.engine.optimum(values, weights, min(n_clusters, len(values)), max_runs)
    centroids = np.full((n_clusters, 1), found[-1])
    centroids[: len(found), 0] = found
    return Optimum(centroids.astype(dataset.source.dtype).astype(np.float64), proved)


def least_inertias(dataset: Dataset, most: int) -> FloatArray:
    """Least inertia with 1, 2, … ``most`` clusters, (most,); from one table, for choosing k."""
    values, weights = _distinct(dataset)
    out = np.zeros(most)
    found = dataset.engine.least_inertias(values, weights, min(most, len(values)))
    out[: len(found)] = found
    return out


def _distinct(dataset: Dataset) -> tuple[FloatArray, FloatArray]:
    """Distinct values, increasing, and the weight of each."""
    values = np.concatenate([X[:, 0] for _, X in dataset.source.blocks()])
    weight = dataset.sample_weight
    if weight is None:
        values = np.sort(values)
        starts = _starts(values)
        weights = np.diff(starts, append=len(values)).astype(np.float64)
    else:
        order = np.lexsort((weight, values))
        values = values[order]
        starts = _starts(values)
        weights = np.add.reduceat(weight[order], starts)
    return values[starts].astype(np.float64), weights


def _starts(values: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where each distinct value begins."""
    first = np.empty(len(values), bool)
    first[0] = True
    np.not_equal(values[1:], values[:-1], out=first[1:])
    return np.flatnonzero(first)
