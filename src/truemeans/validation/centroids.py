"""Checks of the starting centroids, and the warning about too few distinct rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.validation.floats import not_finite
from truemeans.validation.parameters import InvalidParameterError, shown
from truemeans.validation.rows import check_rows
from truemeans.validation.warn import warn

__all__ = ["check_centroids", "check_init", "warn_few_distinct"]

Init = str | npt.NDArray[Any] | Callable[..., Any]

_NAMES = ("auto", "k-means++", "k-means||", "random")


def check_init(init: object, n_clusters: int, n_features: int, dtype: np.dtype[Any]) -> Init:
    """Return the seeding: its name, given centroids in the rows' dtype, or the callable."""
    if isinstance(init, str):
        if init in _NAMES:
            return str(init)
    elif callable(init):
        return init
    elif hasattr(init, "__len__") or hasattr(init, "__array__"):
        return check_centroids(init, n_clusters, n_features, dtype)
    raise InvalidParameterError(
        f"init={shown(init)} must be 'auto', 'k-means++', 'k-means||', 'random', an array of "
        "shape (n_clusters, n_features) or a callable; give one of them."
    )


def check_centroids(
    value: object, n_clusters: int, n_features: int, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """Return starting centroids as a fresh C-contiguous array of ``dtype``.

    Parameters
    ----------
    value : array-like, shape (n_clusters, n_features)
        The caller's centroids, or what the caller's ``init`` function returned.
    n_clusters, n_features : int
        The shape they must have.
    dtype : dtype
        float32 or float64, the dtype of the rows.

    Returns
    -------
    ndarray of ``dtype``, shape (n_clusters, n_features)
        A copy; the caller's array is not touched.

    Raises
    ------
    ValueError
        If the shape is another one, or an entry is not a finite number of ``dtype``.
    """
    rows = check_rows(value, "init")
    if rows.shape[0] != n_clusters:
        raise ValueError(
            f"The shape of the initial centers {rows.shape} does not match the number of "
            f"clusters {n_clusters}. Give one centroid for each cluster."
        )
    if rows.shape[1] != n_features:
        raise ValueError(
            f"The shape of the initial centers {rows.shape} does not match the number of "
            f"features of the data {n_features}. Give each centroid every feature of the rows."
        )
    if rows.dtype == dtype:
        centroids = rows.copy()
    else:
        # A float64 centroid that float32 cannot hold becomes an infinity, and is refused as one.
        with np.errstate(over="ignore"):
            centroids = rows.astype(dtype)
    finite = np.isfinite(centroids)
    if np.count_nonzero(finite) < finite.size:
        row, column = map(int, np.argwhere(~finite)[0])
        raise ValueError(
            f"Input contains {not_finite(centroids[row, column], dtype)}. It is "
            f"init[{row}, {column}]={rows[row, column]}; start every centroid at finite "
            "coordinates."
        )
    return centroids


def warn_few_distinct(n_distinct: int, n_clusters: int) -> None:
    """Warn that some clusters have no rows, in scikit-learn's class and words."""
    from sklearn.exceptions import ConvergenceWarning

    warn(
        f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters "
        f"({n_clusters}). Possibly due to duplicate points in X.",
        ConvergenceWarning,
    )
