"""The plane of a picture: two columns, or the principal axes of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from truemeans.plots.fitted import Drawn, Fitted

__all__ = ["Plane", "cells", "choose_plane"]


@dataclass(frozen=True, eq=False)
class Plane:
    """Rows and centroids as points of a plane.

    Attributes
    ----------
    points : ndarray of float64, shape (n_drawn, 2)
        The rows.
    centroids : ndarray of float64, shape (n_clusters, 2)
        The centroids.
    unit : ndarray of float64, shape (2,)
        How long a unit of the distances is on either axis: 1, or the standard deviations of
        standardised columns.
    axes : tuple of (str, str)
        What the axes are called.
    whole : bool
        Whether distances in the plane are the distances that decide.
    one_measure : bool
        Whether a length means the same along both axes, given `unit`.
    note : str
        What the reader must know about it, if anything.
    """

    points: npt.NDArray[np.float64]
    centroids: npt.NDArray[np.float64]
    unit: npt.NDArray[np.float64]
    axes: tuple[str, str]
    whole: bool
    one_measure: bool
    note: str = ""


def choose_plane(fitted: Fitted, drawn: Drawn, columns: tuple[int, int] | None) -> Plane:
    """Return the plane to draw.

    Parameters
    ----------
    fitted : Fitted
        The model.
    drawn : Drawn
        The rows.
    columns : tuple of (int, int), or None
        Two columns by number. None draws the data themselves if they have one or two columns,
        the principal axes otherwise.
    """
    n_features = len(drawn.names)
    if n_features == 1:
        return _line(fitted, drawn)
    if columns is not None or n_features == 2:
        return _two_columns(fitted, drawn, columns or (0, 1))
    return _principal_axes(fitted, drawn) or _two_columns(fitted, drawn, (0, 1))


def _in_units(fitted: Fitted, j: int) -> tuple[npt.NDArray[np.float64], float]:
    """One coordinate of the centroids in the units of the data, and the unit of distance."""
    values = fitted.centroids[:, j].astype(float)
    if fitted.offset is None or fitted.scale is None:
        return values, 1.0
    return values * fitted.scale[j] + fitted.offset[j], float(fitted.scale[j])


def _two_columns(fitted: Fitted, drawn: Drawn, columns: tuple[int, int]) -> Plane:
    (x, unit_x), (y, unit_y) = (_in_units(fitted, j) for j in columns)
    whole = len(drawn.names) == 2
    return Plane(
        drawn.rows[:, list(columns)].astype(float),
        np.column_stack([x, y]),
        np.array([unit_x, unit_y]),
        (drawn.names[columns[0]], drawn.names[columns[1]]),
        whole,
        whole,
        "" if whole else f"distances use all {len(drawn.names)} columns",
    )


def _line(fitted: Fitted, drawn: Drawn) -> Plane:
    # Rows of one column are spread at random over a height that means nothing.
    x, unit = _in_units(fitted, 0)
    height = np.random.default_rng(0).uniform(-0.6, 0.6, len(drawn.rows))
    return Plane(
        np.column_stack([drawn.rows[:, 0].astype(float), height]),
        np.column_stack([x, np.zeros(len(x))]),
        np.array([unit, 1.0]),
        (drawn.names[0], ""),
        True,
        False,
        "height means nothing",
    )


def _principal_axes(fitted: Fitted, drawn: Drawn) -> Plane | None:
    """The two directions in which the rows vary most; None where they do not vary."""
    rows = fitted.clustered(drawn.rows).astype(float)
    centroids = fitted.centroids.astype(float)
    # A power of two keeps squares in range and changes no direction.
    top = math.frexp(max(np.abs(rows).max(), np.abs(centroids).max()))[1]
    rows, centroids = np.ldexp(rows, -top), np.ldexp(centroids, -top)
    if len(rows) < 2 or not np.ptp(rows, axis=0).any():
        return None
    from sklearn.decomposition import PCA

    axes = PCA(2, random_state=0).fit(rows)
    shares = axes.explained_variance_ratio_
    what = "standardised columns" if fitted.scale is not None else "columns"
    return Plane(
        np.ldexp(axes.transform(rows), top),
        np.ldexp(axes.transform(centroids), top),
        np.ones(2),
        (
            f"principal axis 1 ({100 * shares[0]:.1f} % of the variance)",
            f"principal axis 2 ({100 * shares[1]:.1f} % of the variance)",
        ),
        False,
        True,
        f"distances use all {rows.shape[1]} {what}",
    )


def cells(
    plane: Plane, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> list[tuple[int, npt.NDArray[np.float64]]]:
    """Return the Voronoi cell of each centroid, as its number and the corners of a polygon.

    Cells are right within a box ten times as wide as from ``low`` to ``high``. Of equal centroids
    the first has the cell, as it has the rows.
    """
    from scipy.spatial import Voronoi

    middle = low / 2 + high / 2
    places = (plane.centroids - middle) / plane.unit
    # Near 1, where none of what the diagram computes vanishes or overflows.
    size = int(np.frexp(max(np.abs(places).max(), np.abs((high - middle) / plane.unit).max()))[1])
    places = np.ldexp(places, -size)
    _, first = np.unique(places, axis=0, return_index=True)
    first.sort()
    wide = np.ldexp((high - middle) / plane.unit, -size)
    reach = 10 * np.abs(wide).max() + np.abs(places).max()
    # Four far points make every cell finite and are nearest to nothing within reach: there, a
    # centroid is at most 3 reach away, and they are at least 7.
    far = 8 * reach * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    diagram: Any = Voronoi(np.vstack([places[first], far]))
    return [
        (
            int(number),
            np.ldexp(diagram.vertices[diagram.regions[region]], size) * plane.unit + middle,
        )
        for number, region in zip(first, diagram.point_region, strict=False)
    ]
