"""Greedy k-means++.

D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007: each
further centroid is a row drawn with probability proportional to weight × squared distance to the
nearest centroid so far. Greedy, as in their section 5 and in scikit-learn: several rows are
drawn a round, and the one that lowers the total cost most is kept.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.seeding.draw import Draw

__all__ = ["n_trials", "plusplus"]


def n_trials(n_clusters: int) -> int:
    """Rows drawn a round, scikit-learn's number: ``2 + floor(ln(n_clusters))``."""
    return 2 + int(math.log(n_clusters))


def plusplus(
    dataset: Dataset, draw: Draw, n_clusters: int, n_local_trials: int
) -> npt.NDArray[np.intp]:
    """Pick ``n_clusters`` rows, shape (n_clusters,).

    Once every row with weight coincides with a picked one, the rest is drawn by weight alone,
    and centroids repeat.
    """
    closest = np.full(dataset.n_samples, np.inf)
    picked = [int(draw.by_weight(1)[0])]
    while True:
        newest = dataset.source.take(np.array(picked[-1:]))[0].astype(np.float64)
        top = dataset.lower_closest(newest, closest)
        if len(picked) == n_clusters:
            return np.array(picked, np.intp)
        if top == 0.0 or not _any_cost(dataset, closest):
            return np.concatenate([picked, draw.by_weight(n_clusters - len(picked))])
        rows = draw.by_cost(closest, top, n_local_trials)
        candidates = dataset.source.take(rows).astype(np.float64)
        picked.append(int(rows[np.argmin(dataset.potentials(candidates, closest, top))]))


def _any_cost(dataset: Dataset, closest: npt.NDArray[np.float64]) -> bool:
    return dataset.sample_weight is None or bool(np.any(closest[dataset.sample_weight > 0] > 0))
