"""k-means||: few passes over the rows, whatever the number of clusters.

B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, "Scalable k-means++", PVLDB 5(7),
2012. Each round draws many rows at once by their costs, with replacement, so that draws belong
to contents of rows (the paper draws every row by itself); then each candidate weighs what the
rows nearest to it weigh, and k-means++ picks among the candidates.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset, survey
from truemeans.engines.masses import mass_scale
from truemeans.seeding.costs import Costs
from truemeans.seeding.draw import Draw
from truemeans.seeding.plusplus import Seeds, plusplus
from truemeans.sources import ArraySource

__all__ = ["parallel"]

# Candidates a round, in multiples of n_clusters, and rounds: the paper's oversampling, and as
# many rounds as changed the inertia by more than runs differ (docs/seeding.md).
_OVERSAMPLING = 2
_ROUNDS = 3


def parallel(dataset: Dataset, draw: Draw, n_clusters: int, n_local_trials: int) -> Seeds:
    """Pick ``n_clusters`` rows."""
    costs = Costs(dataset, draw)
    candidates = np.array([costs.first], np.intp)
    nearest = costs.nearest.which
    rounds = 0
    # A round adds at least one row that no candidate equals, as long as there is one.
    while (rounds < _ROUNDS or len(np.unique(nearest)) < n_clusters) and costs.measure():
        drawn = costs.draw(_OVERSAMPLING * n_clusters)
        values = dataset.source.take(drawn).astype(np.float64)
        dataset.lower_nearest(values, len(candidates), costs.closest, nearest)
        costs.changed()
        candidates = np.concatenate([candidates, drawn])
        rounds += 1
    few, candidates = _weighted(dataset, candidates, nearest)
    return Seeds(candidates[plusplus(few, Draw(few, draw.rng), n_clusters, n_local_trials).rows])


def _weighted(
    dataset: Dataset, candidates: npt.NDArray[np.intp], nearest: npt.NDArray[np.int32]
) -> tuple[Dataset, npt.NDArray[np.intp]]:
    """Those candidates that rows are nearest to, each with the weight of these rows."""
    weight = dataset.sample_weight
    total = float(dataset.n_samples) if weight is None else math.fsum(weight)
    # Integers, so that the order of the rows does not show; half of the scale leaves room for a
    # total that was rounded.
    scale = 0.5 * mass_scale(total)
    mass = None if weight is None else np.rint(weight * scale)
    weights = np.bincount(nearest, mass, len(candidates)).astype(np.float64)
    weights = np.ldexp(weights, -math.frexp(float(weights.max()))[1])
    # A row that was drawn twice weighs something once.
    candidates, weights = candidates[weights > 0], weights[weights > 0]
    source = ArraySource(np.ascontiguousarray(dataset.source.take(candidates)))
    return Dataset(source, dataset.engine, survey(source, dataset.engine), weights), candidates
