"""The clusters in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans import solve
from truemeans.plots import style
from truemeans.plots.fitted import Fitted
from truemeans.plots.plane import Plane, cells, choose_plane
from truemeans.sources import ArraySource
from truemeans.validation.plots import check_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

__all__ = ["clusters"]

# Beyond so many clusters the numbers would cover the rows.
_MOST_NUMBERS = 60
# One axis may be stretched against the other once it is so many times as long.
_STRETCH_FROM = 4.0


def clusters(
    fitted: Any,
    X: Any = None,
    *,
    columns: Sequence[str | int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rows in the colour and shape of their cluster, with numbered centroids.

    Data of two columns are drawn as they are, with the region of each centroid (its Voronoi
    cell) behind the rows; data of one column along a line. Of more columns the picture shows
    the two principal axes, with the share of the variance each explains, or the two columns asked
    for; the clusters belong to the distances in all columns, so no regions are drawn. Of more
    than 20,000 rows as many are drawn, chosen at random and the same every time; the picture says
    so.

    Parameters
    ----------
    fitted : Result, KMeans or what `truemeans.load` returns
        What to draw.
    X : array-like of shape (n_samples, n_features), or path of a .npy file, default=None
        Rows to draw, labelled by their nearest centroid; named columns name the axes. A `Result`
        has its own rows, which None takes.
    columns : two names or numbers of columns, default=None
        What the axes show. None picks as said above.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If rows are missing, do not have the model's features, or ``columns`` are not among them.
    TypeError
        If ``fitted`` is no fitted k-means, or another argument has the wrong type.

    Examples
    --------
    >>> from truemeans import k_means, plots
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> ax = plots.clusters(k_means(X, 2, init=[[0, 0], [9, 9]]))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('feature 0', 'feature 1')
    """
    model = Fitted.of(fitted)
    drawn = model.draw_rows(X)
    plane = choose_plane(model, drawn, check_columns(columns, drawn.names))
    labels = solve.assign(ArraySource(model.clustered(drawn.rows)), model.centroids, None)
    low, high = _limits(plane)
    ax = style.new_axes(ax)
    looks = style.looks(ax, plane.centroids / plane.unit)
    if plane.whole:
        _draw_cells(ax, cells(plane, low, high), looks)
    _draw_rows(ax, plane.points, labels, looks)
    _draw_centroids(ax, plane.centroids, looks)
    _frame(ax, plane, low, high)
    notes = [plane.note] if plane.note else []
    if len(labels) < drawn.n_samples:
        notes.append(f"{len(labels):,} of {drawn.n_samples:,} rows drawn")
    if notes:
        style.note(ax, "; ".join(notes))
    return ax


def _limits(plane: Plane) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    both = np.vstack([plane.points, plane.centroids])
    low, high = both.min(axis=0), both.max(axis=0)
    # Halves, because the difference of two finite numbers may be infinite.
    margin = 0.12 * (high / 2 - low / 2)
    margin = np.where(margin > 0, margin, np.maximum(np.abs(high), 1.0) * 0.5)
    return low - margin, high + margin


def _draw_cells(
    ax: Axes, found: list[tuple[int, npt.NDArray[np.float64]]], looks: list[tuple[str, str]]
) -> None:
    from matplotlib.collections import PolyCollection

    ax.add_collection(
        PolyCollection(
            [corners for _, corners in found],
            facecolors=[(looks[number][0], 0.13) for number, _ in found],
            edgecolors=[(style.muted(ax), 0.7)],
            linewidths=0.8,
            zorder=0.5,
        ),
        autolim=False,
    )


def _draw_rows(
    ax: Axes,
    points: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int32],
    looks: list[tuple[str, str]],
) -> None:
    n = len(points)
    size = float(np.clip(330 / np.sqrt(n), 4, 36))
    alpha = float(np.clip(1.15 - 0.15 * np.log10(n), 0.5, 0.9))
    clusters_of: dict[tuple[str, str], list[int]] = {}
    for j, look in enumerate(looks):
        clusters_of.setdefault(look, []).append(j)
    for (color, marker), numbers in clusters_of.items():
        mine = points[np.isin(labels, numbers)]
        ax.scatter(
            mine[:, 0],
            mine[:, 1],
            s=size,
            color=color,
            marker=marker,
            alpha=alpha,
            linewidths=0,
            zorder=2,
            # Many points are an image in a PDF or SVG, or the file would be slow to open.
            rasterized=n > 2000,
        )


def _draw_centroids(
    ax: Axes, centroids: npt.NDArray[np.float64], looks: list[tuple[str, str]]
) -> None:
    numbered = len(centroids) <= _MOST_NUMBERS
    ax.scatter(
        centroids[:, 0],
        centroids[:, 1],
        s=170 if numbered else 30,
        marker="o",
        facecolors=[tuple(style.background(ax))],
        edgecolors=[color for color, _ in looks],
        linewidths=2,
        zorder=3,
    )
    for j, place in enumerate(centroids if numbered else ()):
        ax.annotate(
            str(j),
            place,
            ha="center",
            va="center_baseline",
            fontsize=8,
            fontweight="bold",
            color=style.foreground(ax),
            zorder=4,
        )


def _frame(
    ax: Axes, plane: Plane, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> None:
    # Limits that are not fixed: keeping the proportions may widen them.
    ax.update_datalim([low, high])
    ax.margins(0)
    ax.autoscale_view()
    ax.set_xlabel(plane.axes[0], parse_math=False)
    ax.set_ylabel(plane.axes[1], parse_math=False)
    width, height = (high / 2 - low / 2) / plane.unit
    if not plane.axes[1]:
        ax.set_ylim(-1, 1)
        ax.set_yticks([])
    elif plane.one_measure and 1 / _STRETCH_FROM <= width / height <= _STRETCH_FROM:
        # The plane's own proportions: a circle of the distances is a circle of the picture.
        ax.set_aspect(plane.unit[0] / plane.unit[1], adjustable="datalim")
