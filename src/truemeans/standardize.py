"""Give every feature mean 0 and standard deviation 1; the only place that does this arithmetic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["measure", "standardize"]


def measure(
    X: npt.NDArray[Any],
    sample_weight: npt.NDArray[np.float64] | None = None,
    n_threads: int | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the mean and the standard deviation of every feature, in the type of the rows.

    One cluster's centroid is the mean and its inertia the sum of squared deviations, so both
    come from `truemeans.k_means`: the same bits for any order of the rows and any number of
    threads. A feature that never varies gets the standard deviation 1.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_samples, n_features)
        The rows.
    sample_weight : ndarray of float64, shape (n_samples,), optional
        Weight of each row; a weight of 2 counts the row twice.
    n_threads : int, optional
        As for `truemeans.k_means`.

    Returns
    -------
    offset, scale : ndarray, shape (n_features,)
        Of the type of `X`, so that `standardize` rounds once per operation in every library.
    """
    from truemeans import k_means

    total = float(len(X)) if sample_weight is None else math.fsum(sample_weight)
    offset = np.empty(X.shape[1], X.dtype)
    scale = np.ones(X.shape[1], X.dtype)
    for j in range(X.shape[1]):
        # A power of two brings the values to 1 exactly, so that no square overflows or vanishes.
        top = math.frexp(float(np.abs(X[:, j]).max()))[1]
        column = np.ldexp(X[:, j : j + 1], -top)
        one = k_means(column, 1, sample_weight=sample_weight, init=column[:1], n_threads=n_threads)
        offset[j] = np.ldexp(one.centroids[0, 0], top)
        deviation = np.ldexp(X.dtype.type(math.sqrt(one.inertia / total)), top)
        if deviation > 0:
            scale[j] = deviation
    return offset, scale


def standardize(
    X: npt.NDArray[Any], offset: npt.NDArray[Any], scale: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Return ``(X - offset) / scale``, as scikit-learn's ``StandardScaler`` computes it.

    Parameters
    ----------
    X : ndarray, shape (n_samples, n_features)
        The rows; not changed.
    offset, scale : ndarray, shape (n_features,)
        From `measure`.
    """
    rows: npt.NDArray[Any] = np.subtract(X, offset, dtype=X.dtype)
    rows /= scale
    return rows
