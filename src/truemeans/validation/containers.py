"""From whatever the caller holds to a NumPy array, with its own dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.validation.parameters import shown

__all__ = ["as_array"]


def as_array(value: object, name: str) -> npt.NDArray[Any]:
    """Return ``value`` as a plain array of any dtype and shape; tables go elsewhere."""
    if isinstance(value, np.ndarray):
        return _plain(value, name)
    if hasattr(value, "nnz"):
        raise TypeError(
            f"{name} is sparse ({type(value).__name__}), and sparse data is not supported; "
            f"pass dense rows, for example {name}.toarray()."
        )
    if isinstance(value, (list, tuple)):
        return _from_sequence(value, name)
    return np.asarray(value)


def _plain(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return an array subclass as an array, unless that would lose what it means."""
    if isinstance(array, np.matrix):
        raise TypeError(
            f"np.matrix is not supported. {name} is one; please convert to a numpy array with "
            f"np.asarray({name})."
        )
    if isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array)
        if mask.any():
            first = ", ".join(map(str, np.argwhere(mask)[0]))
            raise ValueError(
                f"{name} has masked entries, the first is {name}[{first}], and a missing value "
                "has no distance to anything; fill them or drop their rows."
            )
    return np.asarray(array)


def _from_sequence(value: Sequence[Any], name: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(_uneven(value, name) or f"{name} is not a table: {error}") from None
    if array.dtype.kind in "SU":
        # NumPy made text of every entry because of one: the entries themselves say which.
        array = np.asarray(value, dtype=object)
    return array


def _uneven(value: Sequence[Any], name: str) -> str | None:
    """Return the sentence that points at the first row which is not like the first one."""
    widths = [_width(row) for row in value]
    for i, width in enumerate(widths):
        if width != widths[0]:
            return (
                f"Row {i} of {name} {_has(width)} and row 0 {_has(widths[0])}; give every row "
                "the same number of entries."
            )
    for i, row in enumerate(value):
        for j, entry in enumerate(row):
            if _width(entry) is not None:
                return (
                    f"{name} holds {shown(entry)} at row {i}, column {j}, where one number "
                    "belongs; give every feature a column of its own."
                )
    return None


def _width(row: object) -> int | None:
    return len(row) if hasattr(row, "__len__") and not isinstance(row, (str, bytes)) else None


def _has(width: int | None) -> str:
    return "is a single value" if width is None else f"has {width} entries"
