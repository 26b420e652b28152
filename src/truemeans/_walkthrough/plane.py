"""Where rows are drawn: two columns as they are, or the two principal axes of more.

K. Pearson, "On lines and planes of closest fit to systems of points in space", Philosophical
Magazine 2 (1901), 559–572.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Plane", "plane_of"]


@dataclass(frozen=True, eq=False)
class Plane:
    """A picture of the rows: ``axes @ (row - origin)``.

    Attributes
    ----------
    kind : {"columns", "line", "axes"}
        Two columns drawn as they are, one column on a line, or the principal axes of more.
    names : tuple of str
        What to write beside the two axes.
    axes : ndarray of float64, shape (2, n_features)
        The directions drawn across and upwards.
    origin : ndarray of float64, shape (n_features,)
        What is drawn at (0, 0).
    share : float
        Share of the total variance that the picture shows, from 0 to 1.
    """

    kind: str
    names: tuple[str, str]
    axes: npt.NDArray[np.float64]
    origin: npt.NDArray[np.float64]
    share: float

    def project(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return where rows are drawn, shape (n, 2)."""
        picture: npt.NDArray[np.float64] = (rows - self.origin) @ self.axes.T
        return picture


def plane_of(X: npt.NDArray[Any], names: Sequence[str]) -> Plane:
    """Choose the picture of rows with the columns ``names``.

    Parameters
    ----------
    X : ndarray, shape (n_samples, n_features)
        The rows.
    names : sequence of str
        One a column.
    """
    n_features = X.shape[1]
    zero = np.zeros(n_features)
    if n_features == 1:
        return Plane("line", (names[0], ""), np.array([[1.0], [0.0]]), zero, 1.0)
    if n_features == 2:
        return Plane("columns", (names[0], names[1]), np.eye(2), zero, 1.0)
    rows = X.astype(np.float64)
    origin = rows.mean(axis=0)
    # A power of two keeps squares in range and changes no direction.
    centred = np.ldexp(rows - origin, -math.frexp(float(np.abs(rows).max()))[1])
    titles = ("principal axis 1", "principal axis 2")
    if len(rows) < 2 or not np.ptp(rows, axis=0).any():
        return Plane("axes", titles, np.eye(2, n_features), origin, 1.0)
    from sklearn.decomposition import PCA

    found = PCA(2, svd_solver="full").fit(centred)
    share = min(1.0, float(found.explained_variance_ratio_.sum()))
    return Plane("axes", titles, found.components_, origin, share)
