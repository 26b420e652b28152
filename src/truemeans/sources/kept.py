"""Some rows of another source: those that count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from truemeans.sources.array import ArraySource
from truemeans.sources.base import Rows, Source

__all__ = ["KeptSource", "keep_rows"]


def keep_rows(source: Source, numbers: npt.NDArray[np.intp]) -> Source:
    """The rows of ``source`` with these rising numbers: copied once if they are in memory."""
    if isinstance(source, ArraySource):
        return ArraySource(source.take(numbers))
    return KeptSource(source, numbers)


class KeptSource:
    """Blocks of another source without the rows that are not wanted.

    Parameters
    ----------
    source : Source
        All rows.
    numbers : ndarray of int, shape (n_samples,)
        The rows to keep, rising, at least one.
    """

    def __init__(self, source: Source, numbers: npt.NDArray[np.intp]) -> None:
        self.n_samples, self.n_features = len(numbers), source.n_features
        self.dtype = source.dtype
        self._source = source
        self._numbers = numbers

    def blocks(self) -> Iterator[tuple[slice, Rows]]:
        """Read block by block; a block that keeps no row is passed over."""
        for where, X in self._source.blocks():
            first, last = np.searchsorted(self._numbers, [where.start, where.stop])
            if first < last:
                yield slice(int(first), int(last)), X[self._numbers[first:last] - where.start]

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """Read rows by number among those kept."""
        return self._source.take(self._numbers[rows])
