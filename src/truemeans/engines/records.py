"""What engines are told and what they answer: arrays and named tuples, nothing that computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "N_SQ_GRIDS",
    "Around",
    "Buckets",
    "Closer",
    "Extent",
    "FloatArray",
    "Footing",
    "LabelArray",
    "Moves",
    "Nearest",
    "Pass",
    "Played",
    "Proposals",
    "RowState",
    "Rows",
    "SqGrids",
    "Updated",
]

Rows = npt.NDArray[Any]  # float32 or float64, C-contiguous, (n, n_features)
FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int32]

N_SQ_GRIDS = 3  # grids that hold a sum of squared differences


@dataclass(slots=True)
class RowState:
    """What an engine remembers about a block's rows between passes; only the engine reads it.

    Attributes
    ----------
    labels : ndarray of int32, shape (n,)
        The label of each row, -1 before the first pass.
    carried : object
        Whatever else the engine keeps per row (bounds, for one that skips work).
    keeps : bool
        Whether most rows are likely to keep their label in the next pass.
    held : bool
        Whether the rows stay in memory between passes; only then may more be kept beside them
        than a few bytes each.
    """

    labels: LabelArray
    carried: object = field(default=None)
    keeps: bool = False
    held: bool = False


class Extent(NamedTuple):
    """Range and fineness of some rows.

    Attributes
    ----------
    features : ndarray of float64, shape (3, n_features)
        Least and largest value of each feature, and the power of two its values are multiples of.
    bad : int
        Flat index of the first entry that is not finite, or the number of entries.
    top : float
        The largest absolute value.
    """

    features: FloatArray
    bad: int
    top: float


class Footing(NamedTuple):
    """What the sums of rows and their inertia rest on.

    Attributes
    ----------
    magic : ndarray of float64, shape (n_grids, n_features + 1)
        The magic numbers of the grids that hold every sum.
    center : ndarray of float64, shape (n_features,)
        Half-way between the least and the largest value: order-free, and close enough to the rows
        that nothing cancels in the inertia. Each value is one of the rows' type.
    reach : float
        No value is farther from `center`.
    """

    magic: FloatArray
    center: FloatArray
    reach: float


class Around(NamedTuple):
    """What the inertia is measured around: a point, and the rows' spread about it.

    ``top``: no absolute value of the rows is larger. The spread is the weighted sum of the squared
    distances to ``center``, in two parts, with a bound on its error.
    """

    center: FloatArray
    top: float
    spread_hi: float
    spread_lo: float
    spread_error: float


class Updated(NamedTuple):
    """What an update step finds in the sums.

    Attributes
    ----------
    centroids : ndarray of float64, shape (n_clusters, n_features)
        Exact means rounded once; without weight, the previous centroid.
    sq_shift : float
        Squared distance that they moved, all together; 0 only where none moved.
    inertia : float
        Of the rows with the previous centroids.
    bound : float
        On the error of that.
    n_empty : int
        Clusters without weight.
    """

    centroids: FloatArray
    sq_shift: float
    inertia: float
    bound: float
    n_empty: int


class Pass(NamedTuple):
    """How many rows changed label, and how many the fast scores left undecided."""

    n_changed: int
    n_settled: int


class Moves(NamedTuple):
    """Rows (by index into the block) that leave one cluster for another."""

    rows: LabelArray
    from_: LabelArray
    to: LabelArray


class SqGrids(NamedTuple):
    """What fixes the grids of a sum of squared differences.

    A bound on the differences, a bound on the weights, and the number of rows of all blocks.
    """

    top: float
    weight_top: float
    n_rows: float


class Buckets(NamedTuple):
    """Rows by stretches of the line they are drawn from.

    Attributes
    ----------
    of_row : ndarray of uint16, shape (n_samples,)
        The bucket of each row.
    order : ndarray of int32, shape (n_samples,)
        All rows, bucket by bucket, those of one in their own order.
    ends : ndarray of int64, shape (n_buckets,)
        Where each bucket ends in ``order``.
    """

    of_row: npt.NDArray[np.uint16]
    order: LabelArray
    ends: npt.NDArray[np.int64]


class Closer(NamedTuple):
    """Pairs of a row and a candidate that is closer to it than any centroid so far.

    Those of candidate ``j`` are ``starts[j]:starts[j + 1]``, in no particular order.
    """

    starts: npt.NDArray[np.int64]
    rows: LabelArray
    sq_dist: FloatArray


class Nearest(NamedTuple):
    """What rows know of the centroids drawn so far.

    Attributes
    ----------
    closest : ndarray of float64, shape (n_samples,)
        Squared distance to the nearest.
    which : ndarray of int32, shape (n_samples,)
        The number of that one, the first of equals.
    """

    closest: FloatArray
    which: LabelArray

    def of(self, rows: slice) -> Nearest:
        """The same of some rows, in the same memory."""
        return Nearest(self.closest[rows], self.which[rows])

    def lower(
        self, rows: slice | LabelArray, sq_dist: FloatArray, number: int | LabelArray
    ) -> None:
        """Take squared distances of different rows to one centroid, or one each, into account."""
        closer = sq_dist < self.closest[rows]
        self.closest[rows] = np.where(closer, sq_dist, self.closest[rows])
        self.which[rows] = np.where(closer, number, self.which[rows])


class Proposals(NamedTuple):
    """Rows drawn ahead of time, in the order drawn.

    Attributes
    ----------
    rows : ndarray of int32
        Number ``g`` is accepted if ``u[g] * start[g] <= closest[rows[g]]``.
    start : ndarray of float64
        ``closest`` of the row when it was drawn.
    u : ndarray of float64
        Uniform in [0, 1).
    """

    rows: LabelArray
    start: FloatArray
    u: FloatArray


class Played(NamedTuple):
    """Proposals that won a round, the first one that no round has used, and the total gain."""

    winners: LabelArray
    next: int
    gain: float
