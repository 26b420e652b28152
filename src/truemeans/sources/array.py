"""Rows in one array in memory, read in place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from truemeans.sources.base import Rows

__all__ = ["ArraySource"]


class ArraySource:
    """One block: the array itself.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_samples, n_features)
        C-contiguous, native byte order; never written to.
    """

    def __init__(self, X: Rows) -> None:
        self.n_samples, self.n_features = X.shape
        self.dtype = X.dtype
        self._X = X
        self._blocks = ((slice(0, self.n_samples), X),)

    def blocks(self) -> tuple[tuple[slice, Rows]]:
        """Return the whole array."""
        return self._blocks

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """Copy rows out by number."""
        return self._X[rows]
