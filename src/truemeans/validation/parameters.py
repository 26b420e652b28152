"""Checks of the plain parameters: counts, tolerance, random state, callback."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from truemeans.memory import available_memory
from truemeans.plan import MOST_MARKED
from truemeans.validation.footprint import ASK_FROM_BYTES
from truemeans.validation.warn import warn

__all__ = [
    "InvalidParameterError",
    "check_callback",
    "check_flag",
    "check_integer",
    "check_n_clusters",
    "check_n_init",
    "check_n_local_trials",
    "check_random_state",
    "check_record",
    "check_refine",
    "check_refine_memory",
    "check_tol",
    "check_verbose",
    "shown",
]

RandomSource = np.random.RandomState | np.random.Generator


class _Blank(ISeedSequence):
    """A state to be written over."""

    _WORDS = [0] * 624

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        return self._WORDS[:n_words]


class InvalidParameterError(ValueError, TypeError):
    """A parameter has the wrong type or is out of range; either name catches it."""


def shown(value: object) -> str:
    """Return ``value`` as an error message shows it: on one line and not too long."""
    return " ".join(reprlib.repr(value).split())


def check_integer(name: str, value: object, low: int, fix: str) -> int:
    """Return ``value`` as an int that is ``low`` or more. A bool is not a number of things."""
    if type(value) is not int:
        try:
            if isinstance(value, bool):
                raise TypeError
            value = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            raise InvalidParameterError(_integer_rule(name, value, low, fix)) from None
    if value < low:
        raise InvalidParameterError(_integer_rule(name, value, low, fix))
    return value


def _integer_rule(name: str, value: object, low: int, fix: str) -> str:
    return f"{name}={shown(value)} must be an integer, {low} or more; {fix}."


def check_n_clusters(n_clusters: object, n_samples: int) -> int:
    """Return the number of clusters, from 1 to the number of rows."""
    count = check_integer("n_clusters", n_clusters, 1, "give the number of clusters to find")
    if count > n_samples:
        raise ValueError(
            f"n_samples={n_samples} should be >= n_clusters={count}. Ask for fewer clusters, "
            "or give more rows."
        )
    return count


def check_n_init(n_init: object, init: object, caller: str) -> int:
    """Return the number of runs; given centroids need one, and more earn a warning."""
    count = check_integer("n_init", n_init, 1, "give the number of runs to choose the best of")
    if count > 1 and isinstance(init, np.ndarray):
        warn(
            "Explicit initial center position passed: performing only one init in "
            f"{caller} instead of n_init={count}.",
            RuntimeWarning,
        )
        return 1
    return count


def check_n_local_trials(n_local_trials: object) -> int | None:
    """Return how many rows k-means++ draws a round, or None."""
    if n_local_trials is None:
        return None
    fix = "or give None to choose it by itself"
    count = check_integer("n_local_trials", n_local_trials, 1, fix)
    if count > MOST_MARKED:
        raise InvalidParameterError(
            f"n_local_trials={shown(count)} must be an integer from 1 to {MOST_MARKED}; {fix}."
        )
    return count


def _to_float(value: Any) -> float:
    """A real number as a float; infinity where that cannot hold it."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def check_tol(tol: object) -> float:
    """Return the tolerance, zero or more."""
    if isinstance(tol, float) or (isinstance(tol, Real) and not isinstance(tol, bool)):
        value = _to_float(tol)
        if value >= 0 and not math.isnan(value):
            return value
    raise InvalidParameterError(
        f"tol={shown(tol)} must be a real number, 0 or more; give 0 to run until no label "
        "changes, or a small share of the mean variance such as 1e-4."
    )


def check_random_state(random_state: object) -> RandomSource:
    """Return the generator that ``random_state`` stands for, as scikit-learn reads it."""
    if random_state is None:
        return np.random.mtrand._rand
    if isinstance(random_state, (np.random.RandomState, np.random.Generator)):
        return random_state
    try:
        seed = operator.index(random_state)  # type: ignore[arg-type]
    except TypeError:
        seed = -1
    if not 0 <= seed < 2**32:
        raise InvalidParameterError(
            f"random_state={shown(random_state)} must be None, an integer from 0 to 2**32 - 1, "
            "a numpy.random.RandomState or a numpy.random.Generator; give an integer to get "
            "the same result every time."
        )
    # What RandomState(seed) is, which first asks the system for a state that the seed writes over:
    # 90 us instead of 3.
    source = np.random.RandomState(np.random.MT19937(_Blank()))  # type: ignore[arg-type]
    source.seed(seed)
    return source


def check_callback(callback: object) -> Callable[[Any], object] | None:
    """Return the callback, or None."""
    if callback is None or callable(callback):
        return callback
    raise InvalidParameterError(
        f"callback={shown(callback)} must be callable or None; give a function that takes one "
        "truemeans.Iteration."
    )


def check_flag(name: str, value: object) -> bool:
    """Return a switch as a bool."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise InvalidParameterError(f"{name}={shown(value)} must be True or False; give one of them.")


def check_verbose(value: object) -> bool:
    """Return whether to print, from a number or a switch."""
    number = int(value) if isinstance(value, bool) else value
    return check_integer("verbose", number, 0, "give 1 to be told of the plan and iterations") > 0


def check_refine(
    refine: object, max_swaps: object, max_swap_seconds: object
) -> tuple[bool, int | None, float | None]:
    """Return whether to refine, the most swaps to try, and how long."""
    if not (refine is None or (isinstance(refine, str) and refine == "swap")):
        raise InvalidParameterError(
            f"refine={shown(refine)} must be None or 'swap'; give 'swap' to look for better "
            "centroids after the run."
        )
    most = max_swaps
    if most is not None:
        most = check_integer("max_swaps", most, 0, "or give None to go on while it helps")
    return refine is not None, most, _check_seconds(max_swap_seconds)


def _check_seconds(seconds: object) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, Real) and not isinstance(seconds, bool):
        value = _to_float(seconds)
        if value >= 0:
            return value
    raise InvalidParameterError(
        f"max_swap_seconds={shown(seconds)} must be a real number, 0 or more, or None; give "
        "the seconds that the search may take, or None to go on while it helps."
    )


def warn_interrupted() -> None:
    """Warn that Ctrl-C ended a search, whose best so far is returned."""
    warn(
        "Ctrl-C ended the search for better centroids: the best so far are returned, and a search "
        "that is left to its end may find others.",
        UserWarning,
    )


def check_refine_memory(n_bytes: int) -> None:
    """Raise if refining could outgrow the memory that is free."""
    if n_bytes < ASK_FROM_BYTES:
        return
    free = available_memory()
    if free is not None and n_bytes > free:
        raise MemoryError(
            f"refine='swap' works on a copy of the rows, up to {n_bytes:,} bytes, and {free:,} "
            "bytes are free; cluster fewer rows, or leave refine=None."
        )


def check_record(n_bytes: int, max_iter: int, n_init: int) -> None:
    """Raise if a record of ``n_bytes`` an iteration could outgrow the memory that is free."""
    # The best run's record is kept while the next run fills its own.
    n_bytes *= min(n_init, 2)
    free = available_memory()
    if free is not None and n_bytes * max_iter > free:
        raise MemoryError(
            f"record=True keeps {n_bytes:,} bytes an iteration, {n_bytes * max_iter:,} bytes for "
            f"max_iter={max_iter:,} iterations, and {free:,} bytes are free; "
            + (
                f"give max_iter={free // n_bytes} or less."
                if free >= n_bytes
                else "cluster fewer rows, or do without the record."
            )
        )
