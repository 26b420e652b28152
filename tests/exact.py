"""Answers that cannot be argued with: rational arithmetic and exhaustive search."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from truemeans.engines.reference import _round_once


def exact_mean(X: np.ndarray, weight: np.ndarray | None = None) -> list[float]:
    """The mean of the rows in rational arithmetic, rounded once to their dtype."""
    weights = [Fraction(1)] * len(X) if weight is None else list(map(Fraction, weight.tolist()))
    total = sum(weights)
    return [
        _round_once(
            sum(w * Fraction(v) for w, v in zip(weights, column, strict=True)) / total, X.dtype
        )
        for column in X.astype(float).T.tolist()
    ]


def exact_inertia(
    X: np.ndarray,
    labels: np.ndarray,
    centroids: np.ndarray,
    weight: np.ndarray | None = None,
) -> float:
    """The inertia in rational arithmetic, rounded once to float64."""
    total = Fraction(0)
    centers = [[Fraction(c) for c in row] for row in centroids.astype(float).tolist()]
    for i, (row, label) in enumerate(zip(X.astype(float).tolist(), labels, strict=True)):
        w = Fraction(1) if weight is None else Fraction(float(weight[i]))
        total += w * sum((Fraction(a) - c) ** 2 for a, c in zip(row, centers[label], strict=True))
    return float(total)


@cache
def _subsets(n: int) -> list[np.ndarray]:
    """For each set of n things, as bits of its number, the sets within it."""
    inside = [np.zeros(1, np.int64)]
    for mask in range(1, 1 << n):
        low = mask & -mask
        rest = inside[mask ^ low]
        inside.append(np.concatenate([rest, rest | low]))
    return inside


def optimum(X: np.ndarray, k: int) -> tuple[float, list[np.ndarray]]:
    """The least inertia of any partition into at most k (1 to 4) clusters, and its clusters.

    Tries every partition of at most 12 rows; small integers keep each cost to 1e-12.
    """
    n = len(X)
    inside = _subsets(n)
    member = (np.arange(1 << n)[:, np.newaxis] >> np.arange(n)) & 1
    size = np.maximum(member.sum(axis=1), 1)
    one = ((X**2).sum(axis=1) @ member.T) - ((member @ X) ** 2).sum(axis=1) / size
    two_at = [inside[m][np.argmin(one[inside[m]] + one[m ^ inside[m]])] for m in range(1 << n)]
    two = one[two_at] + one[np.arange(1 << n) ^ two_at]
    best = {1: one, 2: two}
    all_rows = (1 << n) - 1
    halves = {1: (1, 0), 2: (2, 0), 3: (2, 1), 4: (2, 2)}[k]
    best[0] = np.where(np.arange(1 << n) == 0, 0.0, np.inf)
    parts = best[halves[0]][inside[all_rows]] + best[halves[1]][all_rows ^ inside[all_rows]]
    first = int(inside[all_rows][np.argmin(parts)])
    clusters = []
    for mask, count in ((first, halves[0]), (all_rows ^ first, halves[1])):
        cut = int(two_at[mask]) if count == 2 else mask
        clusters += [part for part in (cut, mask ^ cut) if part]
    rows = [np.flatnonzero(member[part]) for part in clusters]
    return float(parts.min()), rows


def optimum_in_line(x: np.ndarray, k: int) -> float:
    """The least inertia of sorted numbers in at most k runs, by dynamic programming."""
    n = len(x)
    total, squares = np.r_[0, np.cumsum(x)], np.r_[0, np.cumsum(x * x)]
    i, j = np.triu_indices(n + 1, 1)
    cost = np.full((n + 1, n + 1), np.inf)
    cost[i, j] = squares[j] - squares[i] - (total[j] - total[i]) ** 2 / (j - i)
    np.fill_diagonal(cost, 0.0)
    best = cost[0]
    for _ in range(k - 1):
        best = (best[:, np.newaxis] + cost).min(axis=0)
    return float(best[n])
