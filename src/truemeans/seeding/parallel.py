"""k-means||: few passes over the rows, whatever the number of clusters.

B. Bahmani, B. Moseley, A. Vattani, R. Kumar, S. Vassilvitskii, "Scalable k-means++", PVLDB 5(7),
2012. Each round draws many rows at once by their costs, with replacement, so that draws belong
to contents of rows (the paper draws every row by itself); then each candidate weighs what the
rows nearest to it weigh, and k-means++ picks among the candidates.

Costs fall by every round's candidates, but a round needs to know them of few rows only: rows are
drawn by the costs of earlier, and accepted with probability cost now / cost then, which is the law
of drawing by those of now (rejection sampling, J. von Neumann 1951). So mostly two passes do
beside the one that draws need, for the first costs and to find every row's nearest candidate. Where
costs have fallen so far that few draws would be accepted, one more pass lowers those of all rows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset, survey
from truemeans.engines.masses import mass_scale
from truemeans.engines.records import FloatArray, LabelArray, Nearest
from truemeans.plan import tries_among_candidates
from truemeans.seeding.costs import Costs
from truemeans.seeding.draw import Draw, Uniform
from truemeans.seeding.plusplus import Seeds, plusplus
from truemeans.sources import ArraySource

__all__ = ["parallel"]

# Candidates of a round, in multiples of n_clusters: the paper's oversampling. A first round knows
# the costs of one row only, so that all it draws may lie in the same few places; a last one tells
# whether costs have fallen far below those that rows were drawn by (docs/seeding.md).
_MANY, _FEW = 2.0, 0.25
# Rows drawn by costs of earlier for each that is needed, before a pass lowers the costs of all.
_DRAWN_FOR_ONE = 8
# Numbers in rows whose costs are lowered at a time.
_NUMBERS_AT_A_TIME = 1 << 20


def parallel(dataset: Dataset, draw: Draw, n_clusters: int, n_local_trials: int) -> Seeds:
    """Pick ``n_clusters`` rows."""
    pool = _Pool(dataset, draw)
    few, many = (math.ceil(share * n_clusters) for share in (_FEW, _MANY))
    for size in (few, many, many):
        pool.add(size)
    # Every time round adds at least one row that no candidate equals, as long as there is one.
    while (pool.add(few) or pool.n_nearest < n_clusters) and pool.costs.measure():
        pool.add(many)
    candidates, rows = pool.weighted()
    n_tries = tries_among_candidates(n_clusters, n_local_trials)
    return Seeds(rows[_best_of(candidates, draw.rng, n_clusters, n_local_trials, n_tries)])


def _best_of(
    candidates: Dataset, rng: Uniform, n_clusters: int, n_local_trials: int, n_tries: int
) -> npt.NDArray[np.intp]:
    """The picks of k-means++ with the least potential of a few tries."""
    weight = candidates.sample_weight
    assert weight is not None, "candidates are weighed"
    draw = Draw(candidates, rng)
    best, least = np.empty(0, np.intp), math.inf
    for _ in range(n_tries):
        rows = plusplus(candidates, draw, n_clusters, n_local_trials).rows
        nearest = Nearest(
            np.full(candidates.n_samples, np.inf), np.zeros(candidates.n_samples, np.int32)
        )
        candidates.lower_nearest(candidates.source.take(rows).astype(np.float64), nearest, 0)
        potential = math.fsum(nearest.closest * weight)
        if not len(best) or potential < least:
            best, least = rows, potential
    return best


class _Cells(NamedTuple):
    """Every row's nearest candidate, and how many rows each is nearest to."""

    nearest: LabelArray
    sizes: npt.NDArray[np.intp]


class _Pool:
    """The candidates drawn so far, and what rows know of them."""

    def __init__(self, dataset: Dataset, draw: Draw) -> None:
        self._dataset = dataset
        self.costs = Costs(dataset, draw)
        self._rows = np.array([self.costs.first], np.intp)
        # So many of them, from the first on, are those that costs are of.
        self._n_met = 1
        # Share of the draws by costs of earlier that is expected to be accepted.
        self._accepted = 0.5
        self._cells: _Cells | None = None

    @property
    def n_nearest(self) -> int:
        """How many candidates are the nearest of some row."""
        return int(np.count_nonzero(self._find_cells().sizes))

    def add(self, size: int) -> bool:
        """Draw ``size`` rows by their costs, of which those that are equal count once.

        Returns whether costs had fallen too far, since they were last those of all rows.
        """
        if not self.costs.measure():
            return False
        rows = self._by_old_costs(size)
        has_fallen = len(rows) < size and self._n_met < len(self._rows)
        if len(rows) < size:
            self._meet()
            if self.costs.measure():
                rows = np.concatenate([rows, self.costs.draw(size - len(rows))])
        self._rows = np.concatenate([self._rows, _distinct(rows, self._values(rows))])
        self._cells = None
        return has_fallen

    def weighted(self) -> tuple[Dataset, npt.NDArray[np.intp]]:
        """Those candidates that rows are nearest to, each with the weight of these rows."""
        weight, engine = self._dataset.sample_weight, self._dataset.engine
        total = float(self._dataset.n_samples) if weight is None else math.fsum(weight)
        # Integers, so that the order of the rows does not show; half of the scale leaves room for a
        # total that was rounded.
        scale = 0.5 * mass_scale(total)
        nearest, masses = self._find_cells()
        if weight is not None:
            masses = np.bincount(nearest, np.rint(weight * scale), len(self._rows))
        weights = masses.astype(np.float64)
        weights = np.ldexp(weights, -math.frexp(float(weights.max()))[1])
        rows = self._rows[weights > 0]
        source = ArraySource(np.ascontiguousarray(self._dataset.source.take(rows)))
        return Dataset(source, engine, survey(source, engine), weights[weights > 0]), rows

    def _find_cells(self) -> _Cells:
        if self._cells is None:
            if self._n_met == 1:
                # No distance is needed where costs are of the first alone.
                nearest = self._dataset.nearest_of(self._values(self._rows))
            else:
                self._meet()
                nearest = self.costs.nearest.which
            self._cells = _Cells(nearest, np.bincount(nearest, minlength=len(self._rows)))
        return self._cells

    def _by_old_costs(self, size: int) -> npt.NDArray[np.intp]:
        """Draw rows by their costs, which are known of those drawn by older ones; maybe fewer."""
        rows, n_drawn = np.empty(0, np.intp), 0
        new = self._values(self._rows[self._n_met :])
        while len(new) and len(rows) < size:
            n_more = math.ceil(1.1 * (size - len(rows)) / self._accepted)
            if n_drawn + n_more > _DRAWN_FOR_ONE * size:
                break
            drawn = self.costs.draw(n_more)
            start = self.costs.closest[drawn]
            now = self._lowered(drawn, start, new)
            accepted = (now > 0) & (self.costs.uniform(n_more) * start <= now)
            rows = np.concatenate([rows, drawn[accepted]])
            n_drawn += n_more
            self._accepted = max(len(rows), 1) / n_drawn
        return rows[:size]

    def _lowered(
        self, rows: npt.NDArray[np.intp], start: FloatArray, new: FloatArray
    ) -> FloatArray:
        """Costs of some rows by new candidates too, a stretch of rows at a time."""
        step = max(1, _NUMBERS_AT_A_TIME // self._dataset.n_features)
        now = Nearest(start.copy(), np.empty(len(rows), np.int32))
        for i in range(0, len(rows), step):
            part = slice(i, i + step)
            X = self._dataset.source.take(rows[part])
            self._dataset.lower_nearest_of(X, new, now.of(part), 0)
        return now.closest

    def _meet(self) -> None:
        """Let the costs of all rows know all candidates."""
        if self._n_met < len(self._rows):
            new = self._values(self._rows[self._n_met :])
            self._dataset.lower_nearest(new, self.costs.nearest, self._n_met)
            self._n_met, self._accepted = len(self._rows), 0.5
            self.costs.changed()

    def _values(self, rows: npt.NDArray[np.intp]) -> FloatArray:
        values = self._dataset.source.take(rows).astype(np.float64)
        values += 0.0  # zeros of one sign, so that equal rows have the same bits
        return values


def _distinct(rows: npt.NDArray[np.intp], values: FloatArray) -> npt.NDArray[np.intp]:
    """The rows without those that equal an earlier one."""
    whole = values.view(np.dtype((np.void, values.strides[0]))).ravel()
    return rows[np.sort(np.unique(whole, return_index=True)[1])]
