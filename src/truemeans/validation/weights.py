"""Checks of the sample weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from truemeans.validation.containers import as_array
from truemeans.validation.floats import not_finite, real_numbers

__all__ = ["check_sample_weight"]


def check_sample_weight(sample_weight: object, n_samples: int) -> npt.NDArray[np.float64] | None:
    """Return one weight per row, float64, finite and not negative; None stands for ones."""
    if sample_weight is None:
        return None
    given = as_array(sample_weight, "sample_weight")
    if given.ndim == 0:
        given = np.full(n_samples, given[()])
    if given.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {given.ndim}D array. Expected "
            f"either a scalar value or a 1D array of length {n_samples}."
        )
    if given.shape != (n_samples,):
        raise ValueError(
            f"sample_weight.shape == {given.shape}, expected {(n_samples,)}! Give one weight "
            "for each row."
        )
    weights = real_numbers(given, "sample_weight", "row {}".format)
    weights = weights.astype(np.float64, copy=False)
    _check_values(weights)
    return weights


def _check_values(weights: npt.NDArray[np.float64]) -> None:
    low, high = weights.min(), weights.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        row = int(np.argmin(np.isfinite(weights)))
        raise ValueError(
            f"Input sample_weight contains {not_finite(weights[row], weights.dtype)}. The first "
            f"is at row {row}; give every row a finite weight, 0 to leave it out."
        )
    if low < 0:
        row = int(np.argmax(weights < 0))
        raise ValueError(
            f"sample_weight={weights[row]} at row {row} is negative, and a weight says how "
            "often its row counts; give 0 or more."
        )
    if high == 0:
        raise ValueError(
            "Sample weights must contain at least one non-zero number. Give None to weigh "
            "all rows the same."
        )
