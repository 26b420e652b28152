"""Work that cannot fit into memory is refused before it starts, with the bytes it needs.

The counts are lower bounds: only what every way to compute must hold at once, so nothing that
could fit is refused. ``tests/test_footprint.py`` holds them below the memory really taken.
"""

from __future__ import annotations

from collections.abc import Callable

from truemeans.memory import available_memory

__all__ = ["ASK_FROM_BYTES", "check_distances_fit", "check_run_fits"]

# Less than this is simply taken; asking the system costs more than a small fit.
ASK_FROM_BYTES = 16 << 20
_FLOAT = 8
_LABEL = 4


def check_run_fits(n_samples: int, n_features: int, n_clusters: int, *, draws: bool) -> None:
    """Raise if a run cannot fit beside the rows.

    Labels; a number in float64 a row where rows are drawn to start from (``draws``); the
    centroids before and after an update; the cluster sums on one grid.
    """
    by_row = (_LABEL + _FLOAT * draws) * n_samples
    by_cluster = _FLOAT * (3 * n_features + 1) * n_clusters
    _check(
        by_row + by_cluster,
        lambda: (
            f"Clustering {n_samples:,} rows of {n_features:,} features into {n_clusters:,} clusters"
        ),
        "beside the rows",
        "ask for fewer clusters, or cluster fewer rows or columns at a time",
    )


def check_distances_fit(n_samples: int, n_clusters: int, itemsize: int) -> None:
    """Raise if the distances of every row to every centroid cannot fit.

    The result, and the squares in float64 that it is made from.
    """
    _check(
        (itemsize + _FLOAT) * n_samples * n_clusters,
        lambda: f"Computing the distances of {n_samples:,} rows to {n_clusters:,} centroids",
        "while they are computed",
        "transform fewer rows at a time",
    )


def _check(need: int, what: Callable[[], str], when: str, fix: str) -> None:
    if need < ASK_FROM_BYTES:
        return
    free = available_memory()
    if free is not None and need > free:
        raise MemoryError(
            f"{what()} takes at least {need:,} bytes {when}, and {free:,} bytes are free; {fix}."
        )
