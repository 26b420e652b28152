"""Where fits end that start from k-means++ or from k-means||, and what they take.

What ``init="auto"`` rests on. Each seed is fitted from both, in turns, in one process that has
fitted these rows before. Inertias are given as what they are above the best of all, on average,
with the standard error of that. Mixtures whose clusters lie apart are there because a start that
gives one cluster two centroids can never make up for it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.handle import in_fresh_process
from benchmarks.report import duration
from benchmarks.workloads import WORKLOADS, Workload, mixture_of, prepare

__all__ = ["STARTS", "starts"]

_WAYS = ("k-means++", "k-means||")
# More features than boxes are for, and rows enough for both to be in question.
_LARGE = [w for w in WORKLOADS if w.verb == "fit" and w.n_features > 3 and w.dtype == "float32"]
_SIZES = [(4, 25), (8, 25), (8, 100), (16, 25), (16, 100), (64, 25), (64, 100)]
_APART = [
    Workload(f"apart{d}x{k}", mixture_of(k, 4.0), 40_000, d, k, quick=True) for d, k in _SIZES
]
STARTS = {w.name: w for w in [*_APART, *_LARGE]}


def starts(workloads: Sequence[Workload], seeds: int, n_threads: int, console: Console) -> None:
    """Fit every workload from both starts, and print a table."""
    table = Table(title=f"Default fits from {seeds} seeds", title_justify="left")
    table.add_column("workload")
    table.add_column("")
    for way in _WAYS:
        table.add_column(f"{way}: above best", justify="right")
        table.add_column("a fit", justify="right")
    for workload in workloads:
        with console.status(workload.name):
            found = in_fresh_process(_fit_all, workload, seeds, n_threads)
        best = min(inertia for runs in found.values() for inertia, _ in runs)
        cells = []
        for runs in found.values():
            above = [100 * (inertia / best - 1) for inertia, _ in runs]
            error = statistics.stdev(above) / len(above) ** 0.5
            cells += [f"{statistics.mean(above):.3f} ± {error:.3f} %"]
            cells += [duration(statistics.median(seconds for _, seconds in runs))]
        plain = replace(workload, n_iter=10)
        table.add_row(workload.name, str(plain).removesuffix(", 10 iter."), *cells)
        console.print(f"{workload.name}: " + ", ".join(cells))
    console.print(table)


def _fit_all(
    workload: Workload, seeds: int, n_threads: int
) -> dict[str, list[tuple[float, float]]]:
    """Inertia and seconds of each fit, by how it starts."""
    from truemeans import KMeans

    X = np.load(prepare(workload)["X"])
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
    for seed in range(-1, seeds):
        for way, runs in found.items():
            model = KMeans(
                workload.n_clusters, init=way, random_state=max(seed, 0), n_threads=n_threads
            )
            start = time.perf_counter()
            model.fit(X)
            if seed >= 0:
                runs.append((model.inertia_, time.perf_counter() - start))
    return found
