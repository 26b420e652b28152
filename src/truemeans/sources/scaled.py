"""Rows of another source times a power of two: exact, and far from overflow and underflow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from truemeans.sources.base import Rows, Source

__all__ = ["ScaledSource"]


class ScaledSource:
    """The rows of ``source`` times ``2**-exponent``.

    Scaling by a power of two changes no label. It is exact except for entries so small beside
    the largest that their squares could not be represented anyway.
    """

    def __init__(self, source: Source, exponent: int) -> None:
        self.n_samples, self.n_features = source.n_samples, source.n_features
        self.dtype = source.dtype
        self._source = source
        self._exponent = exponent

    def blocks(self) -> Iterator[tuple[slice, Rows]]:
        """Scale block by block."""
        for where, X in self._source.blocks():
            yield where, self._scaled(X)

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """Scale rows by number."""
        return self._scaled(self._source.take(rows))

    def _scaled(self, X: Rows) -> Rows:
        # Rows far beyond those the scale was chosen for become infinite, as their distances do.
        with np.errstate(over="ignore", under="ignore"):
            scaled: Rows = np.ldexp(X, -self._exponent)
        return scaled
