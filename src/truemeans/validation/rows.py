"""Checks of the rows: their shape, their dtype, their memory, and that all are finite."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.validation.containers import as_array
from truemeans.validation.floats import not_finite, real_numbers, refusal
from truemeans.validation.tables import column_label, is_table, table_rows

__all__ = ["check_finite", "check_n_features", "check_rows", "check_squared_norms", "npy_path"]

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def check_rows(X: object, name: str = "X") -> npt.NDArray[Any]:
    """Return rows as a C-contiguous float32 or float64 array, shape (n_samples, n_features).

    float32 stays, float16 becomes float32, every other number float64. The caller's memory
    is shared where it already has that form, and never written to. Entries may still be NaN
    or infinite: the pass that surveys the rows finds those.
    """
    if type(X) is np.ndarray:
        array = X
    elif is_table(X):
        array = table_rows(X, name)
    else:
        array = as_array(X, name)
    _check_shape(array, X, name)
    if array.dtype in _FLOATS and array.flags.c_contiguous and array.flags.aligned:
        return array
    return real_numbers(array, name, lambda row, column: position(X, row, column))


def _check_shape(array: npt.NDArray[Any], X: object, name: str) -> None:
    if array.ndim == 2 and array.size:
        return
    if array.ndim == 0:
        raise ValueError(
            f"Expected 2D array, got scalar array instead: {name} is of type {type(X).__name__}. "
            "Give rows of numbers, shape (n_samples, n_features)."
        )
    if array.ndim == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead: {name} has shape {array.shape}. Reshape "
            f"your data using {name}.reshape(-1, 1) if it has a single feature, or "
            f"{name}.reshape(1, -1) if it is a single sample."
        )
    if array.ndim > 2:
        raise ValueError(
            f"Found array with dim {array.ndim}, while dim <= 2 is required. {name} has shape "
            f"{array.shape}; reshape it to one row for each sample."
        )
    axis, what = (0, "sample") if array.shape[0] == 0 else (1, "feature")
    raise ValueError(
        f"Found array with {array.shape[axis]} {what}(s) (shape={array.shape}) while a minimum "
        f"of 1 is required. Give {name} at least one {what}."
    )


def npy_path(X: object) -> Path | None:
    """Return the path when ``X`` names a .npy file of numbers, None when it is data."""
    if isinstance(X, np.ndarray) or not isinstance(X, (str, os.PathLike)):
        return None
    shown = f"X={os.fspath(X)!r}"
    path = Path(X)
    if path.suffix != ".npy":
        raise ValueError(
            f"{shown} is a path, and only .npy files are read in place; read the file into a "
            "table first, or cluster it with the truemeans command."
        )
    if not path.is_file():
        raise FileNotFoundError(f"{shown} is not there; give the path of a .npy file.")
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy evaluates the header, which can fail in any way
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
        raise ValueError(
            f"{shown} does not read as an array ({reason}); write numbers with numpy.save."
        ) from None
    _check_shape(stored, X, shown)
    if stored.dtype.kind not in "fbiu":
        raise refusal(stored.dtype, shown)
    return path


def check_finite(
    bad: tuple[int, int, float] | None, X: object, dtype: np.dtype[Any], name: str = "X"
) -> None:
    """Raise if the survey of the rows found an entry that is NaN or infinite."""
    if bad is None:
        return
    row, column, value = bad
    raise ValueError(
        f"Input {name} contains {not_finite(value, dtype)}. The first is at "
        f"{position(X, row, column)}; fill it or drop its row."
    )


def check_n_features(n_features: int, expected: int, caller: str) -> None:
    """Raise if rows do not have the features that ``caller`` was fitted on."""
    if n_features != expected:
        raise ValueError(
            f"X has {n_features} features, but {caller} is expecting {expected} features as "
            "input. Give the columns it was fitted on."
        )


def check_squared_norms(x_squared_norms: object, n_samples: int) -> None:
    """Raise if the norms, which are not needed here, do not belong to the rows."""
    if x_squared_norms is None:
        return
    norms = as_array(x_squared_norms, "x_squared_norms")
    if norms.shape != (n_samples,):
        length = norms.shape[0] if norms.ndim else 0
        raise ValueError(
            f"The length of x_squared_norms {length} should be equal to the length of "
            f"n_samples {n_samples}. Give one squared norm for each row, or None."
        )


def position(X: object, row: int, column: int) -> str:
    """Return where an entry is, with the name of its column if ``X`` has names."""
    label = column_label(X, column)
    return f"row {row}, column {column}" + (f" ({label!r})" if label is not None else "")
