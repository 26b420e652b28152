"""What a run is told and what it returns: frozen records, shapes in the field docs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt

    from truemeans import Walkthrough

__all__ = ["END_RUN", "Callback", "History", "Iteration", "Plan", "Refinement", "Result"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run is computed.

    Attributes
    ----------
    engine : {"native", "reference"}
        Who computes a pass.
    target : str
        SIMD target of the native engine; empty for the best one this machine can run.
    n_threads : int
        Threads of one call.
    scores : {"samples", "centroids", "tiles", "coarse", "bytes", "none"}
        What the lanes of the fast scores run over, or how fine the numbers of a matrix unit
        are: two halves of 8 bits ("tiles"), or until these leave too much open the first alone
        ("coarse") or whole numbers of 8 bits ("bytes"). "none" goes straight to canonical
        distances.
    skip : {"rows", "packed", "groups", "boxes", "none"}
        What is remembered between passes to skip work: one bound a row, rows packed as bytes with
        their scores (and one bound a row once few change), bounds a row and group of centroids,
        rows sorted into boxes (at most 3 features), or nothing.
    block_rows : int
        Rows a thread takes at a time; 0 for a size that fits the caches.
    reason : str
        Why, in words.
    optimum_runs : int, default=0
        Bound on what the search for the optimum of one feature holds at once; 0 for no search.
    row_room : int or None, default=None
        The most bytes a row that `skip` may take; None for what is usual.
    seeding : {"", "k-means++", "k-means||"}, default=""
        What ``init="auto"`` stands for; empty where the caller said how to start.
    why : tuple of str, default=()
        The rule behind each choice: its numbers, and the benchmark that set them.
    """

    engine: str
    target: str
    n_threads: int
    scores: str
    skip: str
    block_rows: int
    reason: str
    optimum_runs: int = 0
    row_room: int | None = None
    seeding: str = ""
    why: tuple[str, ...] = ()

    def __str__(self) -> str:
        threads = f"{self.n_threads} thread{'s' if self.n_threads > 1 else ''}"
        target = f" ({self.target})" if self.target else ""
        return f"{self.engine}{target}, {threads}: {self.reason}"


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """One iteration, as a callback sees it.

    Attributes
    ----------
    n_iter : int
        Number of this iteration, from 1.
    max_iter : int
        The most iterations this run may take.
    run : int
        Number of this run among the ``n_init`` runs, from 0.
    n_init : int
        Number of runs from different starts.
    inertia : float
        Inertia of this iteration's labels with the centroids they were assigned to.
    n_changed : int
        Rows whose label changed in this iteration.
    centroids : ndarray, shape (n_clusters, n_features)
        The centroids the rows were assigned to. Read-only.
    next_centroids : ndarray, shape (n_clusters, n_features)
        The centroids after the update step. Read-only.
    converged : bool
        Whether the run has converged with this iteration, and ends.
    """

    n_iter: int
    max_iter: int
    run: int
    n_init: int
    inertia: float
    n_changed: int
    centroids: npt.NDArray[Any]
    next_centroids: npt.NDArray[Any]
    converged: bool
    _labels: Callable[[], npt.NDArray[np.int32]] = field(repr=False, compare=False)

    @property
    def labels(self) -> npt.NDArray[np.int32]:
        """Index of the nearest centroid of each row, shape (n_samples,); read-only.

        Copied when first read, so that it costs nothing to those who do not read it; it must
        be read while the callback runs, afterwards it raises RuntimeError.
        """
        return self._labels()


# What a callback returns to end this run alone; anything else that is true ends the fit.
END_RUN = "end run"

Callback = Callable[[Iteration], object]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What each iteration did; entry ``i`` belongs to iteration ``i + 1``.

    Attributes
    ----------
    inertia : ndarray of float64, shape (n_iter,)
        Inertia of the iteration's labels with the centroids they were assigned to.
    n_changed : ndarray of int64, shape (n_iter,)
        Rows whose label changed; the first iteration labels every row.
    centroids : ndarray, shape (n_iter, n_clusters, n_features), or None
        The centroids the rows of the iteration were assigned to, those of the first iteration
        being the initial ones; in the type of `Result.centroids`. None without ``record=True``.
    labels : ndarray of int32, shape (n_iter, n_samples), or None
        The cluster of each row in the iteration. None without ``record=True``.
    """

    inertia: npt.NDArray[np.float64]
    n_changed: npt.NDArray[np.int64]
    centroids: npt.NDArray[Any] | None = None
    labels: npt.NDArray[np.int32] | None = None


@dataclass(frozen=True, slots=True)
class Refinement:
    """What ``refine="swap"`` did after the run had converged.

    Attributes
    ----------
    n_tried : int
        Trials: a centroid taken away, a cluster halved, or both at once.
    n_kept : int
        Swaps that lowered the inertia.
    ended : bool
        Whether the search came to its own end, before ``max_swaps`` or
        ``max_swap_seconds``.
    interrupted : bool
        Whether Ctrl-C ended the search; what it had found counts.
    inertia_before : float
        Inertia of the run that was refined.
    """

    n_tried: int
    n_kept: int
    ended: bool
    interrupted: bool
    inertia_before: float


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run. Unpacks as ``centroids, labels, inertia``.

    Attributes
    ----------
    centroids : ndarray, shape (n_clusters, n_features)
        float32 for float32 rows, float64 otherwise.
    labels : ndarray of int32, shape (n_samples,)
        Index of the nearest centroid of each row; ties go to the lowest index.
    inertia : float
        Sum over rows of weight × squared distance to the own centroid.
    n_iter : int
        Iterations taken.
    converged : bool
        True when the last iteration changed no label, or moved the centroids by no more
        than ``tol``; False when ``max_iter`` or a callback ended the run.
    optimal : bool
        True where no clustering has a lower inertia, but for the rounding of the centroids:
        proved for rows of one feature, never claimed for more.
    history : History
        Inertia and number of changed labels per iteration; with ``record=True`` the centroids
        and labels as well.
    refinement : Refinement or None
        What ``refine="swap"`` did; None without. ``n_iter`` and ``history`` are of the run that
        was refined, everything else is of the result.
    plan : Plan
        How the run was computed, and why.
    restarts : ndarray of float64, shape (n_init,)
        Inertia at the end of each run, in the order they ran, before the best was refined:
        without ``refine`` `inertia` is the least. Fewer entries if a callback ended the fit, one
        where the optimum is computed.
    """

    centroids: npt.NDArray[Any]
    labels: npt.NDArray[np.int32]
    inertia: float
    n_iter: int
    converged: bool
    optimal: bool
    history: History
    refinement: Refinement | None
    plan: Plan
    _take: Callable[[npt.NDArray[np.intp]], npt.NDArray[Any]] = field(repr=False, compare=False)
    restarts: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Number of rows in each cluster, shape (n_clusters,)."""
        return np.bincount(self.labels, minlength=len(self.centroids)).astype(np.int64)

    @property
    def clusters(self) -> list[npt.NDArray[Any]]:
        """The rows of each cluster, in their original order; computed on access."""
        order = np.argsort(self.labels, kind="stable")
        return [self._take(rows) for rows in np.split(order, np.cumsum(self.sizes)[:-1])]

    def walkthrough(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[str] | None = None,
        overwrite: bool = False,
    ) -> Walkthrough:
        """Write the run as one HTML page that plays it step by step; needs ``record=True``.

        Parameters
        ----------
        path : str or path-like
            The HTML file.
        columns : sequence of str, default=None
            Names of the columns; None calls them x1, x2, …
        overwrite : bool, default=False
            Whether a file that is there already may be replaced.

        Returns
        -------
        Walkthrough
            The run as frames; in a notebook it shows itself.

        Raises
        ------
        ValueError
            If the run was not recorded, has weights, or is too large for a page: more than
            1000 rows, 12 clusters or 300 kB.
        OSError
            If the file is there already and ``overwrite`` is false, or cannot be written.
        """
        from truemeans import Walkthrough

        rows = self._take(np.arange(len(self.labels)))
        walk = Walkthrough.of_result(self, rows, columns)
        walk.save(path, overwrite=overwrite)
        return walk

    def __iter__(self) -> Iterator[Any]:
        return iter((self.centroids, self.labels, self.inertia))

    def __repr__(self) -> str:
        n_clusters, n_features = self.centroids.shape
        end = "converged" if self.converged else "stopped"
        sizes = ", ".join(map(str, self.sizes[:8])) + (", …" if n_clusters > 8 else "")
        return (
            f"<truemeans.Result: {len(self.labels)} samples × {n_features} features in "
            f"{n_clusters} clusters; inertia {self.inertia:.6g}; {end} after {self.n_iter} "
            f"iteration{'s' if self.n_iter != 1 else ''}; sizes {sizes}>"
        )
