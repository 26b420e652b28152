"""What every source of rows offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Rows", "Source"]

# float32 or float64, C-contiguous, native byte order, shape (n, n_features)
Rows = npt.NDArray[Any]


class Source(Protocol):
    """Rows in a fixed order, in blocks. Blocks may be read again on every pass."""

    n_samples: int
    n_features: int
    dtype: np.dtype[Any]

    def blocks(self) -> Iterable[tuple[slice, Rows]]:
        """Every row once, in order: where the block lies, and its rows.

        A tuple where all rows are in memory, the same each time.
        """

    def take(self, rows: npt.NDArray[np.intp]) -> Rows:
        """The rows with these numbers, shape (len(rows), n_features)."""
