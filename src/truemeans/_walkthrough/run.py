"""`truemeans.walkthrough`: run k-means on a few points, recorded, and tell it frame by frame."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans import solve
from truemeans._walkthrough.frames import Frame, Recording, follows, frames_of
from truemeans._walkthrough.lesson import COLUMNS, POINTS
from truemeans._walkthrough.numbers import Styles
from truemeans._walkthrough.plane import Plane, plane_of
from truemeans._walkthrough.story import Origin, Teller, count
from truemeans.files import replacing
from truemeans.functions import k_means, pose
from truemeans.validation import (
    check_integer,
    check_means,
    check_recorded,
    check_rows,
    check_walkthrough,
    column_names,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from truemeans.result import Result

__all__ = ["Walkthrough", "walkthrough"]


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """A recorded run, ready to be told. In a notebook it shows itself.

    Attributes
    ----------
    run : Recording
        The rows and what happened to them.
    names : tuple of str
        The columns.
    origin : Origin
        Where the run came from, in words.
    """

    run: Recording
    names: tuple[str, ...]
    origin: Origin

    @classmethod
    def of_result(
        cls, result: Result, rows: npt.NDArray[Any], columns: Sequence[str] | None = None
    ) -> Walkthrough:
        """Return the walkthrough of a run of `truemeans.k_means` with ``record=True``.

        Parameters
        ----------
        result : Result
            The run.
        rows : ndarray, shape (n_samples, n_features)
            The rows it clustered.
        columns : sequence of str, default=None
            Names of the columns; None calls them x1, x2, …

        Raises
        ------
        ValueError
            If the run was not recorded, had weights, or is more than a page can show.
        """
        names = column_names(rows, columns, rows.shape[1])
        check_recorded(result)
        check_walkthrough(rows, len(result.centroids))
        run = _recording(rows, result)
        check_means(follows(run))
        drawn = _rows_at(rows, run.assigned_to[0])
        return cls(run, names, Origin(count(len(rows), "point"), None, None, drawn, None))

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frames: data, start, round-1-assign, round-1-update, …, stop."""
        return frames_of(self.run)

    @cached_property
    def plane(self) -> Plane:
        """Where the rows are drawn."""
        return plane_of(self.run.X, self.names)

    @cached_property
    def styles(self) -> Styles:
        """How numbers are written."""
        return Styles.of(self.run.X)

    @cached_property
    def teller(self) -> Teller:
        """Who tells the frames."""
        run = self.run
        end = "tolerance" if run.converged else "early"
        if run.settled:
            last = self.frames[-2]
            end = "still" if len(last.changed) else "settled"
        styles = self.styles
        return Teller(
            self.origin, self.names, len(run.X), len(run.final_centroids), len(run.labels),
            end, styles.length, styles.square,
        )  # fmt: skip

    def to_html(self) -> str:
        """Return the page: one file that needs no other and no network, below 300 kB.

        Raises
        ------
        ValueError
            If the rows and rounds do not fit a page of that size.
        """
        from truemeans._walkthrough.page import render

        return render(self)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the page, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            The HTML file.
        overwrite : bool, default=False
            Whether a file that is there already may be replaced.

        Raises
        ------
        FileExistsError
            If a file is there and ``overwrite`` is false.
        OSError
            If the file cannot be written.
        ValueError
            If the rows and rounds do not fit a page below 300 kB.
        """
        from pathlib import Path

        from truemeans.files import check_target

        check_target(Path(path), overwrite=overwrite)
        page = self.to_html().encode()
        with replacing(Path(path), overwrite=overwrite) as handle:
            handle.write(page)

    def _repr_html_(self) -> str:
        return (
            '<iframe title="k-means, step by step" style="width:100%;height:900px;border:0" '
            f'srcdoc="{html.escape(self.to_html())}"></iframe>'
        )

    def __repr__(self) -> str:
        frames = self.frames
        return (
            f"<truemeans walkthrough: {self.origin.source}, K = {self.teller.n_clusters}, "
            f"{count(len(frames), 'frame')} from {frames[0].name!r} to {frames[-1].name!r}>"
        )


def walkthrough(
    X: Any = None,
    n_clusters: int = 2,
    *,
    columns: Sequence[str] | None = None,
    init: str | npt.ArrayLike | Callable[..., Any] = "random",
    max_iter: int = 300,
    random_state: int = 0,
    source: str | None = None,
) -> Walkthrough:
    """Run k-means and tell it step by step: every distance, every mean, why it stops.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), default=None
        At most 1000 rows; what `truemeans.k_means` takes. None takes the lesson's 30 points.
        One or two columns are drawn as they are, more by their two principal axes.
    n_clusters : int, default=2
        Number of clusters, from 1 to 12.
    columns : sequence of str, default=None
        Names of the columns. None takes those of a table, else x1, x2, …
    init : {"random", "k-means++", "k-means||", "auto"}, array-like or callable, default="random"
        Where the centroids start, as in `truemeans.k_means`.
    max_iter : int, default=300
        The most rounds.
    random_state : int, default=0
        The seed of the draw.
    source : str, default=None
        What the page calls the data.

    Returns
    -------
    Walkthrough
        ``save(path)`` writes the page; ``frames`` are its pictures as data; in a notebook it
        shows itself.

    Raises
    ------
    ValueError
        If there are more rows or clusters than a page can show, an entry is missing or not
        finite, or a parameter is out of range.
    TypeError
        If ``X`` does not hold numbers, or a parameter has the wrong type.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
    Theory 28 (1982), 129–137.

    Examples
    --------
    >>> import truemeans
    >>> lesson = truemeans.walkthrough()
    >>> [frame.name for frame in lesson.frames][:4]
    ['data', 'start', 'round-1-assign', 'round-1-update']
    >>> round(lesson.frames[2].inertia, 2)
    494.81
    >>> lesson.save("page.html")  # doctest: +SKIP
    """
    if X is None:
        X, columns, source = POINTS, columns or COLUMNS, source or "30 points of the lesson"
    rows = check_rows(X)
    names = column_names(X, columns, rows.shape[1])
    check_walkthrough(rows, n_clusters)
    seed = check_integer("random_state", random_state, 0, "give the seed of the draw")
    named = init if isinstance(init, str) else None
    start: Any = init
    drawn: tuple[int, ...] = ()
    if named is not None:
        # Drawn first, so that the page can say which rows it was.
        problem = pose(rows, n_clusters, init=named, random_state=seed, caller="walkthrough")
        start, picked = solve.seed(problem)
        named = problem.init
        drawn = tuple(map(int, picked))
    result = k_means(
        rows, n_clusters, init=start, max_iter=max_iter, random_state=seed, record=True
    )
    run = _recording(rows, result)
    if named is None:
        drawn = _rows_at(rows, run.assigned_to[0])
    origin = Origin(
        source or count(len(rows), "point"), named, None if named is None else seed, drawn, max_iter
    )
    return Walkthrough(run, names, origin)


def _recording(rows: npt.NDArray[Any], result: Result) -> Recording:
    history = result.history
    assert history.centroids is not None
    assert history.labels is not None
    return Recording(
        rows,
        history.centroids,
        history.labels,
        history.inertia,
        result.centroids,
        result.labels,
        float(result.inertia),
        result.converged,
    )


def _rows_at(rows: npt.NDArray[Any], centroids: npt.NDArray[Any]) -> tuple[int, ...]:
    """Rows that the centroids are, no row twice; empty if one of them is no row."""
    found: list[int] = []
    for centroid in centroids:
        equal = [int(i) for i in np.flatnonzero((rows == centroid).all(axis=1)) if i not in found]
        if not equal:
            return ()
        found.append(equal[0])
    return tuple(found)
