"""What a user should know about the rows before trusting the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["look_at_rows"]

# Distances are squared: ten times the range is a hundred times the say.
_RANGE_RATIO = 10.0


def look_at_rows(
    X: npt.NDArray[Any], names: Sequence[str], *, standardized: bool
) -> tuple[str, ...]:
    """Return a sentence for everything about the columns that is likely to be a mistake.

    Parameters
    ----------
    X : ndarray, shape (n_samples, n_features)
        The rows as they were read.
    names : sequence of str
        The columns.
    standardized : bool
        Whether every column already gets an equal say.
    """
    return (*_counters(X, names), *(() if standardized else _ranges(X, names)))


def _counters(X: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
    if len(X) < 3:
        return ()
    with np.errstate(over="ignore"):
        counts = [column[2] - column[1] == 1 and (np.diff(column) == 1).all() for column in X.T]
    return tuple(
        f"Column {name!r} counts the rows ({X[0, j]:g}, {X[1, j]:g}, {X[2, j]:g}, …): "
        "leave it out with --exclude if it is only their number."
        for j, name in enumerate(names)
        if counts[j]
    )


def _ranges(X: npt.NDArray[Any], names: Sequence[str]) -> tuple[str, ...]:
    # Halves, because the difference of two finite numbers may be infinite.
    half = X.max(axis=0) / 2 - X.min(axis=0) / 2
    varying = np.flatnonzero(half)
    if len(varying) < 2:
        return ()
    wide = varying[np.argmax(half[varying])]
    narrow = varying[np.argmin(half[varying])]
    with np.errstate(over="ignore"):
        ratio = half[wide] / half[narrow]
    if ratio < _RANGE_RATIO:
        return ()
    return (
        f"The range of column {names[wide]!r} is {ratio:,.0f} times that of {names[narrow]!r}, so "
        "it weighs far more in the clusters: --standardize gives every column an equal say.",
    )
