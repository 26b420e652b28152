"""After a run has converged: swaps of centroids and moves of single rows that lower the inertia.

The search works on a copy of the rows, in an order that their values fix, with equal rows merged
into one; so neither the order of the rows nor the number of threads shows in what it finds. It
only proposes centroids: the loop starts from them once more, so that labels, centroids and
inertia mean what they always mean, and what is not better is dropped.

See ``core/swap.hpp`` for what is tried, and the papers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from truemeans.dataset import Dataset
from truemeans.engines.records import FloatArray, LabelArray
from truemeans.lloyd import Run, lloyd
from truemeans.result import Refinement

__all__ = ["bytes_needed", "refine"]

# Ctrl-C and the progress bar are looked at between slices of so many seconds.
_SLICE_SECONDS = 0.1
# More swaps than any search can try.
_UNBOUNDED = 1 << 62


def bytes_needed(n_samples: int, n_features: int) -> int:
    """The most memory that refining so many rows takes, beyond the rows."""
    # Three copies of the rows in float64 while they are sorted and handed over, then one, with
    # 56 bytes a row for order, weights, labels and members.
    return n_samples * (24 * n_features + 56)


def refine(
    dataset: Dataset,
    run: Run,
    *,
    max_swaps: int | None,
    max_seconds: float | None,
    patience: int,
    max_iter: int,
    watch: Callable[[Refinement], object] | None,
) -> tuple[Run, Refinement]:
    """Improve a run; return the better one, and what was done.

    Parameters
    ----------
    dataset : Dataset
        The rows.
    run : Run
        What to improve.
    max_swaps : int or None
        The most swaps to try.
    max_seconds : float or None
        How long to try.
    patience : int
        The search ends when so many swaps in a row were no improvement.
    max_iter : int
        The most iterations of the loop that starts from what was found.
    watch : callable or None
        Told of the state of the search several times a second.
    """
    end = time.monotonic() + (math.inf if max_seconds is None else max_seconds)
    most = _UNBOUNDED if max_swaps is None else min(max_swaps, _UNBOUNDED)
    done = Refinement(0, 0, False, False, run.inertia)
    search = None
    try:
        search = dataset.engine.swap_search(
            *_canonical(dataset, run.labels), run.centroids, patience
        )
        over = most == 0
        while not over and (seconds := end - time.monotonic()) > 0:
            over = search.run(most - search.n_tried, min(_SLICE_SECONDS, seconds))
            done = replace(
                done, n_tried=search.n_tried, n_kept=search.n_kept, ended=search.has_ended
            )
            if watch is not None:
                watch(done)
    except KeyboardInterrupt:
        done = replace(done, interrupted=True)
    if search is None or not search.inertia < np.inf:
        return run, done
    found = search.centroids.reshape(run.centroids.shape).astype(dataset.source.dtype)
    better = lloyd(
        dataset, found.astype(np.float64), max_iter=max_iter, max_sq_shift=0.0, watch=None
    )
    if not better.inertia < run.inertia:
        return run, done
    return better._replace(inertias=run.inertias, n_changed=run.n_changed), done


def _canonical(
    dataset: Dataset, labels: LabelArray
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int32]]:
    """Rows in the order of the line, equal ones merged into one; their weights; their labels."""
    rows, values = dataset.line
    X = values.astype(np.float64, copy=False)
    new = np.concatenate([[True], (X[1:] != X[:-1]).any(axis=1)])
    starts = np.flatnonzero(new)
    weight = np.ones(len(rows))
    if dataset.sample_weight is not None:
        # Weights of equal rows are added from the least to the largest.
        weight = dataset.sample_weight[rows]
        weight = weight[np.lexsort((weight, np.cumsum(new)))]
    return X[starts], np.add.reduceat(weight, starts), labels[rows[starts]]
