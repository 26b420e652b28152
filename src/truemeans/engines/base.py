"""What every engine offers: one method a verb, each over one block of rows.

Blocks of one data set may come in any order and any cut: what an engine adds up over blocks
(``sums``, ``totals``, ``masses``) is added exactly, so the cut does not show. Distances are
canonical squared distances: float64, features from first to last, nothing fused.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from truemeans.engines.records import (
    Around,
    Buckets,
    Closer,
    Extent,
    FloatArray,
    Footing,
    LabelArray,
    Moves,
    Nearest,
    Pass,
    Played,
    Proposals,
    Rows,
    RowState,
    SqGrids,
    Updated,
)

__all__ = ["Engine", "SwapSearch"]


class SwapSearch(Protocol):
    """A search for centroids of lower inertia, in slices."""

    n_tried: int
    n_kept: int
    has_ended: bool  # whether nothing is left that is worth trying
    inertia: float  # of the best so far; infinite before the first slice
    centroids: FloatArray  # the best so far, flat

    def run(self, most: int, seconds: float) -> bool:
        """Try up to ``most`` more swaps; False when only time has run out."""


class Engine(Protocol):
    """The verbs. ``weight`` is float64 of shape (n,), or None for ones."""

    def __enter__(self) -> Engine:
        """Start threads, if any."""

    def __exit__(self, *error: object) -> None:
        """Stop them."""

    def survey(self, X: Rows) -> Extent:
        """Range and fineness of each feature."""

    def new_sums(self, n_clusters: int, n_grids: int, n_features: int) -> FloatArray:
        """Sums of no rows, (n_clusters, n_grids, n_features + 1)."""

    def assign(
        self,
        X: Rows,
        weight: FloatArray | None,
        centroids: FloatArray,
        magic: FloatArray | None,
        state: RowState,
        sums: FloatArray | None,
    ) -> Pass:
        """Label every row, and move those that changed in ``sums``.

        ``sums`` has shape (n_clusters, n_grids, n_features + 1), the last column for the
        weight, on the grids of ``magic`` (n_grids, n_features + 1); None only labels.
        """

    def add_rows(
        self,
        X: Rows,
        weight: FloatArray | None,
        labels: LabelArray,
        magic: FloatArray,
        sums: FloatArray,
    ) -> None:
        """Add every row to the cluster of its label in ``sums``."""

    def move(
        self,
        X: Rows,
        weight: FloatArray | None,
        moves: Moves,
        magic: FloatArray,
        sums: FloatArray,
    ) -> None:
        """Move rows between clusters in ``sums``."""

    def update(
        self, sums: FloatArray, previous: FloatArray, dtype: np.dtype[Any], around: Around
    ) -> Updated:
        """One update step, with means of ``dtype``, and the inertia before it."""

    def choose_footing(
        self,
        extent: Extent,
        weight_top: float,
        weight_finest: float,
        weighted: bool,
        n_rows: int,
        dtype: np.dtype[Any],
    ) -> Footing:
        """Grids for sums of ``n_rows`` such rows of ``dtype``, and their middle."""

    def max_abs_diff(self, X: Rows, centers: FloatArray, labels: LabelArray | None) -> float:
        """Largest difference between an entry and its row's center."""

    def add_sq_diff(
        self,
        X: Rows,
        weight: FloatArray | None,
        centers: FloatArray,
        labels: LabelArray | None,
        grids: SqGrids,
        totals: FloatArray,
    ) -> None:
        """Add weight × squared distance to the own center to ``totals`` (N_SQ_GRIDS,)."""

    def finish_sq_diff(
        self, totals: FloatArray, n_features: int, grids: SqGrids
    ) -> tuple[float, float, float]:
        """Turn totals into a sum in two parts (high, low) and a bound on its error."""

    def sq_distances(self, X: Rows, centroids: FloatArray) -> FloatArray:
        """Squared distance of every row to every centroid, (n, n_clusters)."""

    def own_sq_distances(self, X: Rows, centroids: FloatArray, labels: LabelArray) -> FloatArray:
        """Squared distance of every row to its own centroid, (n,)."""

    def optimum(
        self, values: FloatArray, weights: FloatArray, n_clusters: int, max_runs: int
    ) -> tuple[FloatArray, bool]:
        """Means of the clusters of least inertia of distinct, increasing values, (n_clusters,).

        And whether that is proved; False where the search would hold more than ``max_runs``
        runs of places where clusters may end.
        """

    def least_inertias(self, values: FloatArray, weights: FloatArray, most: int) -> FloatArray:
        """Least inertia of distinct, increasing values with 1 to ``most`` clusters, (most,)."""

    def swap_search(
        self,
        X: FloatArray,
        weight: FloatArray,
        labels: LabelArray,
        centroids: FloatArray,
        patience: int,
    ) -> SwapSearch:
        """Begin a search for better centroids; ends after ``patience`` failures in a row."""

    def row_keys(self, X: Rows) -> FloatArray:
        """A fixed linear function of each row's values, (n,)."""

    def lower_closest(
        self,
        X: Rows,
        weight: FloatArray | None,
        centroid: FloatArray,
        nearest: Nearest,
        number: int,
    ) -> float:
        """Take one more centroid, of this number, into account.

        Number 0 is the first: it is the nearest whatever was there. Returns the largest weight ×
        squared distance to the nearest.
        """

    def lower_by_labels(
        self, X: Rows, centroids: FloatArray, labels: LabelArray, nearest: Nearest, first: int
    ) -> None:
        """Take many more centroids into account, numbered from ``first`` on.

        ``labels`` (n,) say which of them is nearest to each row.
        """

    def add_gains(
        self,
        X: Rows,
        weight: FloatArray | None,
        candidates: FloatArray,
        closest: FloatArray,
        scale: float,
        gains: FloatArray,
    ) -> None:
        """Add to ``gains`` by how much each candidate would lower the total of the masses."""

    def draw_rounds(
        self,
        X: Rows,
        weight: FloatArray | None,
        weight_scale: float,
        u: FloatArray,
        n_clusters: int,
        n_trials: int,
    ) -> npt.NDArray[np.int64]:
        """The rows picked by greedy k-means++, round by round (core/rounds.hpp)."""

    def draw_in_boxes(
        self,
        X: Rows,
        weight: FloatArray | None,
        weight_scale: float,
        u: FloatArray,
        n_clusters: int,
        n_trials: int,
    ) -> npt.NDArray[np.int64]:
        """The same for rows in any order, of at most three features.

        They are put in the order of a curve (core/curve.hpp), those of a cell by value.
        """

    def axes_a_word(self, n_features: int) -> int:
        """Axes that `look_along` packs into four bytes; 0 where so many features need no axes."""

    def look_along(
        self, X: Rows, lines: FloatArray, center: FloatArray, sq_radius: float
    ) -> object:
        """What `find_closer` may use of rows seen along a few lines (n_lines, n_features).

        ``sq_radius`` is about the largest squared distance of a row from ``center``. None where
        it is of no use.
        """

    def find_closer(
        self,
        X: Rows,
        weight: FloatArray | None,
        candidates: FloatArray,
        closest: FloatArray,
        axes: object,
        most: int,
    ) -> Closer | None:
        """All pairs of a row with weight and a candidate closer than ``closest``.

        None if there are more than ``most``. ``axes``: what `look_along` made of these rows, or
        None.
        """

    def play_rounds(
        self,
        proposals: Proposals,
        pairs: Closer,
        weight: FloatArray | None,
        scale: float,
        n_trials: int,
        n_rounds: int,
        nearest: Nearest,
        first: int,
    ) -> Played:
        """Play rounds of greedy k-means++, keeping up ``nearest``, while the proposals last.

        The next ``n_trials`` accepted ones compete; the one that lowers the total of masses
        most, the first of equals, wins. The first to win gets the number ``first``.
        """

    def play_ahead(
        self,
        X: Rows,
        weight: FloatArray | None,
        proposals: Proposals,
        scale: float,
        n_trials: int,
        n_rounds: int,
        marks: npt.NDArray[np.uint64],
        nearest: Nearest,
        first: int,
    ) -> Played:
        """Play rounds as `play_rounds` does, with all rows at hand instead of pairs.

        ``marks`` is scratch, a word for 64 rows and each proposal.
        """

    def sort_into_buckets(self, keys: FloatArray, splitters: FloatArray) -> Buckets:
        """Rows by how many of the increasing ``splitters`` are at most their keys."""

    def add_bucket_masses(
        self,
        weight: FloatArray | None,
        closest: FloatArray | None,
        scale: float,
        buckets: npt.NDArray[np.uint16],
        masses: FloatArray,
    ) -> None:
        """Add round(weight × ``closest`` × ``scale``) of every row to its bucket."""
