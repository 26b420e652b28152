"""Greedy k-means++, drawn ahead.

D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007: each
further centroid is a row drawn with probability proportional to weight × squared distance to the
nearest centroid so far (its cost). Greedy, as in their section 5 and in scikit-learn: several
rows are drawn a round, and the one that lowers the total cost most is kept.

A round reads all rows for a handful of candidates, and with a thousand rounds that is memory
traffic and nothing else. So rows are drawn ahead for several rounds at once, by the costs at that
time, and thinned when their turn comes: accepted with probability cost now / cost then, for costs
only fall. An accepted row is distributed by the costs of now (rejection sampling, J. von Neumann
1951), whatever happened in between, so the law is that of drawing round by round. What the rounds
need of the rows is then one pass for all that was drawn ahead: the pairs of a row and a candidate
that is closer to it than any centroid so far, few of all pairs.

Few rows stay in the caches, and of few features a candidate has to look at few rows: these are
drawn round by round, in one call of the engine.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.records import LabelArray, Proposals
from truemeans.plan import (
    draws_at_once,
    draws_in_boxes,
    most_axes,
    most_marked,
    most_pairs,
    rounds_ahead,
)
from truemeans.seeding.axes import Axes
from truemeans.seeding.costs import Costs
from truemeans.seeding.draw import Draw

__all__ = ["Seeds", "n_trials", "plusplus"]


def n_trials(n_clusters: int) -> int:
    """Rows drawn a round, scikit-learn's number: ``2 + floor(ln(n_clusters))``."""
    return 2 + int(math.log(n_clusters))


class Seeds(NamedTuple):
    """What was picked.

    Attributes
    ----------
    rows : ndarray of int, shape (n_clusters,)
        The rows that are the first centroids.
    labels : ndarray of int32, shape (n_samples,), or None
        Every row's nearest of them, the first of equals, where the draws had to know that.
    """

    rows: npt.NDArray[np.intp]
    labels: LabelArray | None = None


def plusplus(dataset: Dataset, draw: Draw, n_clusters: int, n_local_trials: int) -> Seeds:
    """Pick ``n_clusters`` rows.

    Once every row with weight coincides with a picked one, or so nearly that its cost has no mass,
    the rest is drawn by weight alone, and centroids may repeat.
    """
    size = (dataset.n_samples, dataset.n_features, n_clusters, n_local_trials)
    if draws_at_once(*size):
        return Seeds(_at_once(dataset, draw, n_clusters, n_local_trials))
    if draws_in_boxes(dataset.n_samples, dataset.n_features):
        return Seeds(_in_boxes(dataset, draw, n_clusters, n_local_trials))
    game = _Game(dataset, draw, n_clusters, n_local_trials)
    while len(game.picked) < n_clusters and game.costs.measure():
        ahead = rounds_ahead(len(game.picked), dataset.n_features)
        game.play(min(ahead, n_clusters - len(game.picked)))
    rows = np.array(game.picked, np.intp)
    if len(rows) < n_clusters:
        # Which rows these are nearest to is not known: costs may be too small for a mass.
        return Seeds(np.concatenate([rows, draw.by_weight(n_clusters - len(rows))]))
    return Seeds(rows, game.costs.nearest.which)


def _at_once(dataset: Dataset, draw: Draw, n_clusters: int, n_trials: int) -> npt.NDArray[np.intp]:
    rows, values = dataset.line
    weight = None if dataset.sample_weight is None else dataset.sample_weight[rows]
    u = draw.rng.random(1 + (n_clusters - 1) * n_trials)
    return rows[
        dataset.engine.draw_rounds(values, weight, draw.weight_scale, u, n_clusters, n_trials)
    ]


def _in_boxes(dataset: Dataset, draw: Draw, n_clusters: int, n_trials: int) -> npt.NDArray[np.intp]:
    u = draw.rng.random(1 + (n_clusters - 1) * n_trials)
    return dataset.engine.draw_in_boxes(
        dataset.all_rows(), dataset.sample_weight, draw.weight_scale, u, n_clusters, n_trials
    )


class _Game:
    """The rounds played so far, and what they leave of every row's cost."""

    def __init__(self, dataset: Dataset, draw: Draw, n_clusters: int, n_trials: int) -> None:
        self._dataset, self._n_clusters, self._n_trials = dataset, n_clusters, n_trials
        self.costs = Costs(dataset, draw)
        self.picked: list[int] = [self.costs.first]
        # Proposals that were accepted before a round was full.
        self._waiting = np.empty(0, np.int32)
        itemsize = dataset.source.dtype.itemsize
        a_word = dataset.engine.axes_a_word(dataset.n_features)
        self._axes = Axes(dataset, most_axes(dataset.n_features, itemsize, a_word), a_word)
        marked = most_marked(dataset.n_features, itemsize) if dataset.is_at_hand else 0
        self._most_marked = max(marked, n_trials) if marked else 0
        self._marks = self._room_to_mark(self._most_marked)
        # Share of the rows that a candidate is expected to come closer to.
        self._share = 1.0
        self._used = 0

    def play(self, n_rounds: int) -> None:
        """Draw for so many rounds ahead, and play them while what was drawn lasts."""
        fresh = max(0, n_rounds * self._n_trials - len(self._waiting))
        drawn = self.costs.draw(fresh).astype(np.int32)
        rows = np.concatenate([self._waiting, drawn])
        # Those that wait were accepted by the costs of now.
        u = np.concatenate([np.zeros(len(self._waiting)), self.costs.uniform(fresh)])
        left = Proposals(rows, self.costs.closest[rows], u)
        end = len(self.picked) + n_rounds
        while True:
            now = self.costs.closest[left.rows]
            accepted = np.flatnonzero((now > 0) & (left.u * left.start <= now))
            left = _those(left, accepted)
            if len(self.picked) == end or len(accepted) < self._n_trials:
                break
            self._advance(left, end - len(self.picked))
            left = _those(left, slice(self._used, None))
        self._waiting = left.rows[: self._n_trials]

    def _advance(self, left: Proposals, n_rounds: int) -> None:
        """Play some rounds with what is left, all of it acceptable now."""
        if self._most_marked:
            some = _those(left, slice(self._most_marked))
            self._advance_by_marks(some, n_rounds, self._marks)
        else:
            self._advance_by_pairs(left, n_rounds)

    def _room_to_mark(self, n_candidates: int) -> npt.NDArray[np.uint64]:
        return np.empty(n_candidates * -(-self._dataset.n_samples // 64), np.uint64)

    def _advance_by_marks(
        self, some: Proposals, n_rounds: int, marks: npt.NDArray[np.uint64]
    ) -> None:
        """Play some rounds with proposals that there is room to mark rows for."""
        played = self._dataset.play_ahead(
            some,
            self.costs.scale,
            self._n_trials,
            n_rounds,
            marks,
            self.costs.nearest,
            len(self.picked),
        )
        self._keep(some.rows[played.winners], played.gain, played.next)

    def _advance_by_pairs(self, left: Proposals, n_rounds: int) -> None:
        n_samples, n_features = self._dataset.n_samples, self._dataset.n_features
        n_left = (self._n_clusters - len(self.picked)) * self._n_trials
        self._axes.review(self.costs.closest, left.rows, len(self.picked), n_left)
        itemsize = self._dataset.source.dtype.itemsize
        axes = self._axes.seen
        most_now = most_pairs(n_samples, n_features, itemsize, axes=axes is not None)
        room = most_now / (self._share * n_samples)
        most = min(len(left.rows), int(min(room, 1e9)))
        if most >= self._n_trials:
            some = _those(left, slice(most))
            candidates = self._dataset.source.take(some.rows.astype(np.intp)).astype(np.float64)
            pairs = self._dataset.find_closer(candidates, self.costs.closest, axes, most_now)
            if pairs is not None:
                share = len(pairs.rows) / (most * self._dataset.n_samples)
                # Beside others, a share may well be half as much again the next time.
                self._share = max(1.5 * share, 1e-9)
                played = self._dataset.engine.play_rounds(
                    some,
                    pairs,
                    self._dataset.sample_weight,
                    self.costs.scale,
                    self._n_trials,
                    n_rounds,
                    self.costs.nearest,
                    len(self.picked),
                )
                self._keep(some.rows[played.winners], played.gain, played.next)
                return
            self._share *= 2.0
        self._share *= 0.75
        some = _those(left, slice(self._n_trials))
        if self._dataset.is_at_hand:
            self._advance_by_marks(some, 1, self._room_to_mark(len(some.rows)))
        else:
            self._one_round(some.rows)

    def _one_round(self, rows: npt.NDArray[np.int32]) -> None:
        """A round of rows that are not at hand, whose pairs are too many: two passes."""
        candidates = self._dataset.source.take(rows.astype(np.intp)).astype(np.float64)
        gains = self._dataset.gains(candidates, self.costs.closest, self.costs.scale)
        best = int(np.argmax(gains))
        self._dataset.lower_closest(candidates[best], self.costs.nearest, len(self.picked))
        self._keep(rows[best : best + 1], float(gains[best]), len(rows))

    def _keep(self, rows: npt.NDArray[np.int32], gain: float, used: int) -> None:
        self.picked += rows.tolist()
        self.costs.fell(gain)
        self._used = used


def _those(proposals: Proposals, which: slice | npt.NDArray[np.intp]) -> Proposals:
    return Proposals(proposals.rows[which], proposals.start[which], proposals.u[which])
