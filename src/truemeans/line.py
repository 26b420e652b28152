"""The line: rows in an order that their values fix, whatever order they come in.

By a fixed linear function of the values (the key), rows of equal keys lexicographically.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from truemeans.engines.records import FloatArray

__all__ = ["Line", "in_line"]


class Line(NamedTuple):
    """All rows along the line.

    Attributes
    ----------
    rows : ndarray of int, shape (n_samples,)
        Their numbers.
    values : ndarray of float32 or float64, shape (n_samples, n_features)
        Their values.
    """

    rows: npt.NDArray[np.intp]
    values: npt.NDArray[Any]


def in_line(
    rows: npt.NDArray[np.intp],
    keys: FloatArray,
    take: Callable[[npt.NDArray[np.intp]], npt.NDArray[Any]],
) -> npt.NDArray[np.intp]:
    """Numbers of rows, of these keys, in the order of the line; ``take`` returns values."""
    order = np.argsort(keys, kind="stable")
    rows, keys = rows[order], keys[order]
    twins = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twins) and (take(rows[twins]) != take(rows[twins + 1])).any():
        rows = rows[np.lexsort((*take(rows).T[::-1], keys))]
    return rows
