"""Memory beyond the rows: measured against the formula of docs/memory.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from benchmarks.handle import in_fresh_process
from benchmarks.turns import Crew, Rules
from benchmarks.workloads import WORKLOADS, Workload, prepare

if TYPE_CHECKING:
    from truemeans.result import Plan

__all__ = ["formula", "memory"]

_RULES = Rules(repeats=1, judged=False)
_NAMES = ("geo", "palette", "tabular", "tabular64", "midk", "ivf", "embed", "patches", "converge")

# What the formula calls small: stacks and scratch of the threads, the allocator's spare.
_SMALL = 8 * 2**20


def formula(workload: Workload, n_grids: int, n_threads: int) -> dict[str, int]:
    """Bytes beyond the rows, by what they are for."""
    n_samples, n_features, n_clusters = (
        workload.n_samples,
        workload.n_features,
        workload.n_clusters,
    )
    row_of_sums = 8 * (n_features + 1)
    return {
        "labels": 4 * n_samples,
        "skipping": _skipping_bytes(workload) * n_samples,
        "cluster sums": n_threads * n_grids * n_clusters * row_of_sums,
        # The caller's, the loop's old and new in float64, and two packings for the kernels; beside
        # packed rows what centroids were, and bytes of how far they moved.
        "centroids": (46 if _plan(workload).skip == "packed" else 40) * n_clusters * n_features,
        "small": _SMALL,
    }


def _plan(workload: Workload) -> Plan:
    from truemeans.plan import make_plan

    d, itemsize = workload.n_features, np.dtype(workload.dtype).itemsize
    return make_plan(workload.n_samples, d, workload.n_clusters, itemsize=itemsize)


def _skipping_bytes(workload: Workload) -> int:
    """Bytes a row of what is remembered between passes."""
    from truemeans.plan import skip_bytes

    itemsize = np.dtype(workload.dtype).itemsize
    return skip_bytes(_plan(workload).skip, workload.n_features, itemsize)


def memory(n_threads: int, scale: float, console: Console) -> None:
    """Fit every workload once and compare the peak with the formula."""
    console.print("Peak memory of a fit beyond the rows and the imports")
    console.print(
        f"{'workload':<10} {'X':>9} {'measured':>10} {'formula':>10} {'B/row':>7} {'of X':>10}"
    )
    for workload in (w.scaled(scale) for w in WORKLOADS if w.name in _NAMES):
        _one(replace(workload, n_iter=min(workload.n_iter, 10)), n_threads, console)


def _one(workload: Workload, n_threads: int, console: Console) -> None:
    w = workload
    with Crew(w, {"truemeans": ("truemeans", n_threads)}, _RULES) as crew:
        found = crew.do()["truemeans"]
    if found.error:
        console.print(f"{w.name:<10} {found.error}")
        return
    n_grids = in_fresh_process(_count_grids, w)
    allowed = sum(formula(w, n_grids, n_threads).values())
    rows = w.n_samples * w.n_features * np.dtype(w.dtype).itemsize
    got = found.extra_bytes
    over = "" if got <= allowed else "  [bold red]over the formula[/]"
    console.print(
        f"{w.name:<10} {_mb(rows):>9} {_mb(got):>10} {_mb(allowed):>10} "
        f"{got / w.n_samples:7.1f} {got / rows:10.0%}{over}",
        highlight=False,
    )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / 2**20:.1f} MB"


def _count_grids(workload: Workload) -> int:
    """Number of grids that hold the sums of these rows."""
    from truemeans.engines import open_engine
    from truemeans.plan import make_plan

    w = workload
    X = np.load(prepare(w)["X"])
    with open_engine(make_plan(w.n_samples, w.n_features, w.n_clusters)) as engine:
        return len(engine.choose_footing(engine.survey(X), 1.0, 1.0, False, len(X), X.dtype).magic)
