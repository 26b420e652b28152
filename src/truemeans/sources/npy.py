"""Rows in a .npy file, memory-mapped and read block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from truemeans.sources.base import Rows

__all__ = ["NpySource"]

_BLOCK_BYTES = 64 << 20


class NpySource:
    """Blocks of a two-dimensional .npy file; memory stays at one block.

    Parameters
    ----------
    path : str or path-like
        The file. Any real dtype, byte order and layout; float32 stays float32, all else is
        read as float64.
    block_rows : int, default=None
        Rows a block; by default as many as fit 64 MiB.
    """

    def __init__(self, path: str | os.PathLike[str], block_rows: int | None = None) -> None:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        self.n_samples, self.n_features = stored.shape
        single = stored.dtype.kind == "f" and stored.dtype.itemsize <= 4
        self.dtype = np.dtype(np.float32 if single else np.float64)
        self._stored = stored
        row_bytes = max(1, self.n_features * self.dtype.itemsize)
        self._block_rows = block_rows or max(1, _BLOCK_BYTES // row_bytes)

    def blocks(self) -> Iterator[tuple[slice, Rows]]:
        """Read the file from first row to last."""
        for start in range(0, self.n_samples, self._block_rows):
            rows = slice(start, min(start + self._block_rows, self.n_samples))
            yield rows, np.ascontiguousarray(self._stored[rows], dtype=self.dtype)

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """Read rows by number."""
        return np.ascontiguousarray(self._stored[rows], dtype=self.dtype)
