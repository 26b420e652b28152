"""Checks of what a walkthrough can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.validation.parameters import InvalidParameterError, shown
from truemeans.validation.tables import column_label

__all__ = [
    "MOST_CLUSTERS",
    "MOST_ROWS",
    "check_means",
    "check_page_size",
    "check_recorded",
    "check_walkthrough",
    "column_names",
]

MOST_CLUSTERS = 12
MOST_ROWS = 1000
MOST_BYTES = 300_000
# The page squares differences without scaling them first.
_LARGEST, _SMALLEST = 1e100, 1e-100


def check_walkthrough(X: npt.NDArray[Any], n_clusters: object) -> None:
    """Raise if there are more rows or clusters than a walkthrough can show."""
    if isinstance(n_clusters, int) and n_clusters > MOST_CLUSTERS:
        raise ValueError(
            f"n_clusters={n_clusters} is more than the {MOST_CLUSTERS} a walkthrough has shapes "
            "for; ask for fewer clusters."
        )
    if len(X) > MOST_ROWS:
        raise ValueError(
            f"n_samples={len(X)} is more than the {MOST_ROWS} rows a walkthrough can show; give a "
            "part of the rows, for example 200 drawn at random."
        )
    with np.errstate(over="ignore"):
        top = float(np.abs(X).max())
    if np.isfinite(top) and top and not _SMALLEST <= top <= _LARGEST:
        raise ValueError(
            f"the largest value of X is {top:g}, and a walkthrough shows values from "
            f"{_SMALLEST:g} to {_LARGEST:g}; give X in other units."
        )


def column_names(X: object, columns: object, n_features: int) -> tuple[str, ...]:
    """Return a name for each column: those given, those of a table, or x1 and so on."""
    if columns is None:
        labels = [column_label(X, j) for j in range(n_features)]
        return tuple(f"x{j + 1}" if label is None else label for j, label in enumerate(labels))
    if isinstance(columns, str) or not isinstance(columns, Sequence):
        raise InvalidParameterError(
            f"columns={shown(columns)} must be a sequence of names; give one for each column of X."
        )
    if len(columns) != n_features:
        raise ValueError(
            f"columns has {len(columns)} names and X has {n_features} columns; give one name for "
            "each column."
        )
    return tuple(map(str, columns))


def check_recorded(result: Any) -> None:
    """Raise if a result has no recorded rounds that lead from its start to its end."""
    if result.history.labels is None or result.history.centroids is None:
        raise ValueError(
            "the run was not recorded, and a walkthrough shows every round; run it again with "
            "record=True."
        )


def check_means(are_plain: bool) -> None:
    """Raise if the recorded centroids are something else than the means of their rows."""
    if not are_plain:
        raise ValueError(
            "the centroids of this run are not the plain means of their rows (the rows had "
            "weights, or the centroids were improved after the last iteration), and a walkthrough "
            "shows plain means; run it again without these."
        )


def check_page_size(n_bytes: int, n_samples: int, n_iter: int) -> None:
    """Raise if a page would be larger than it may be."""
    if n_bytes > MOST_BYTES:
        raise ValueError(
            f"the page would take {n_bytes / 1000:.0f} kB for {n_samples} rows and {n_iter} "
            f"rounds, and it must stay below {MOST_BYTES // 1000} kB; give fewer rows or columns, "
            "or a smaller max_iter."
        )
