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
    picked = draw.by_weight(1)
    newest = dataset.source.take(picked).astype(np.float64)
    closest = np.full(dataset.n_samples, np.inf)
    total = None
    while len(picked) < n_clusters:
        top = dataset.lower_closest(newest[0], closest)
        if top == 0.0:
            return np.concatenate([picked, draw.by_weight(n_clusters - len(picked))])
        if total is None:
            total = float(dataset.potentials(newest, closest, top)[0])
        rows = draw.by_cost(closest, total, n_local_trials)
        candidates = dataset.source.take(rows).astype(np.float64)
        potentials = dataset.potentials(candidates, closest, top)
        best = int(np.argmin(potentials))
        total, newest = float(potentials[best]), candidates[best : best + 1]
        picked = np.append(picked, rows[best])
    return picked
