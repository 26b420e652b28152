"""From arrays of any real dtype to float32 or float64, and the sentence where that fails."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.validation.parameters import shown
from truemeans.validation.warn import warn

__all__ = ["Place", "float_dtype", "not_finite", "real_numbers", "refusal"]

# Names the position of one entry, for example "row 3, column 1 ('age')".
Place = Callable[..., str]

_EXACT = 2**53


def float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which numbers of ``dtype`` are clustered."""
    small = dtype.kind == "f" and dtype.itemsize <= 4
    return np.dtype(np.float32 if small else np.float64)


def not_finite(value: float, dtype: np.dtype[Any]) -> str:
    """Return what a value that is not finite is, in scikit-learn's words."""
    return "NaN" if np.isnan(value) else f"infinity or a value too large for {dtype!r}"


def real_numbers(array: npt.NDArray[Any], name: str, place: Place) -> npt.NDArray[Any]:
    """Return ``array`` as float32 or float64: contiguous, aligned, native, the same shape.

    Shares memory with ``array`` where nothing has to be converted. NaN and infinity pass.
    """
    kind = array.dtype.kind
    if kind == "f":
        # A long double that float64 cannot hold becomes an infinity, and is refused as one.
        with np.errstate(over="ignore"):
            return np.require(array, float_dtype(array.dtype), ["C_CONTIGUOUS", "ALIGNED"])
    if kind in "biu":
        values = array.astype(np.float64, order="C")
        if array.dtype.itemsize == 8:
            _warn_if_rounded(array, values, name, place)
        return values
    if kind in "OSUT":
        return _parse(array.astype(object), name, place)
    raise refusal(array.dtype, name)


def refusal(dtype: Any, name: str) -> Exception:
    """Return the error for a dtype, NumPy's or pandas', that does not hold real numbers."""
    if dtype.kind == "c":
        fix = "pass the real and the imaginary parts as columns of their own"
        if name == "sample_weight":
            fix = "pass real numbers, such as their sizes"
        return ValueError(f"Complex data not supported: {name} has dtype {dtype}; {fix}.")
    if dtype.kind in "mM":
        return TypeError(
            f"{name} has dtype {dtype}, and a time is not a number yet; convert it to the unit "
            "whose distances you mean, for example hours since the first one."
        )
    return TypeError(
        f"{name} has dtype {dtype}, which does not hold real numbers; convert it to float64."
    )


def _parse(array: npt.NDArray[Any], name: str, place: Place) -> npt.NDArray[Any]:
    """Convert Python numbers and strings of numbers; None becomes NaN."""
    try:
        values = array.astype(np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise _first_unreadable(array, name, place) from None
    _warn_if_rounded(array, values, name, place)
    return values


def _first_unreadable(array: npt.NDArray[Any], name: str, place: Place) -> Exception:
    entries = array.reshape(-1)
    for i in range(entries.size):
        try:
            entries[i : i + 1].astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            where = place(*map(int, np.unravel_index(i, array.shape)))
            kind = TypeError if isinstance(error, TypeError) else ValueError
            return kind(
                f"{name} holds {shown(entries[i])} at {where}, which is not a real number "
                f"({error}); convert it to one, or leave it out."
            )
    raise AssertionError("each entry converts, so the array does")


def _warn_if_rounded(
    array: npt.NDArray[Any], values: npt.NDArray[Any], name: str, place: Place
) -> None:
    """Warn where an integer is beyond those that float64 tells apart."""
    if not values.size or (values.max() < _EXACT and values.min() > -_EXACT):
        return
    for index in map(tuple, np.argwhere(np.abs(values) >= _EXACT)):
        if isinstance(array[index], Integral) and abs(int(array[index])) > _EXACT:
            warn(
                f"{name} holds the integer {array[index]} at {place(*map(int, index))}, and "
                "float64 rounds integers beyond 2**53; subtract an offset first to keep every "
                "digit.",
                UserWarning,
            )
            return
