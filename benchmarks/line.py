"""One feature: the optimum, against the kmeans1d package; both are the optimum, so time decides."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.report import duration

__all__ = ["line"]

_N_CLUSTERS = 16


def _shapes(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "normal": rng.normal(size=n),
        "lognormal": rng.lognormal(size=n),
        "uniform": rng.random(n),
        "cauchy": rng.standard_cauchy(n),
        "integers to 1000": rng.integers(0, 1000, n).astype(float),
    }


def line(n_samples: int, repeats: int, out: Path | None, console: Console) -> None:
    """Time both in turns on the same values, and print the medians and the floor."""
    import kmeans1d

    from truemeans import k_means

    table = Table(title=f"{n_samples:,} values, k = {_N_CLUSTERS}: whole calls, medians")
    for column in ("values", "truemeans", "kmeans1d", "ratio", "sorting alone", "inertia"):
        table.add_column(column, justify="right")
    rows: list[dict[str, Any]] = []
    for name, x in _shapes(n_samples).items():
        jobs: dict[str, Callable[[], Any]] = {
            "truemeans": lambda x=x: k_means(x[:, np.newaxis], _N_CLUSTERS),
            "kmeans1d": lambda x=x: kmeans1d.cluster(x, _N_CLUSTERS),
            "sort": lambda x=x: np.sort(x),
        }
        seconds: dict[str, list[float]] = {job: [] for job in jobs}
        found: dict[str, Any] = {}
        for _ in range(repeats):
            for job, call in jobs.items():
                begin = time.perf_counter()
                found[job] = call()
                seconds[job].append(time.perf_counter() - begin)
        ours, theirs, sort = (median(seconds[job]) for job in jobs)
        centroids = np.array(found["kmeans1d"].centroids)
        peer = float(((x - centroids[np.array(found["kmeans1d"].clusters)]) ** 2).sum())
        inertia = found["truemeans"].inertia
        rows.append(
            {"values": name, "truemeans": ours, "kmeans1d": theirs, "sort": sort}
            | {"inertia": inertia, "peer_inertia": peer, "optimal": found["truemeans"].optimal}
        )
        table.add_row(
            name,
            duration(ours),
            duration(theirs),
            f"{theirs / ours:.1f}×",
            duration(sort),
            f"{inertia:.8g} ({inertia / peer - 1:+.0e})",
        )
    console.print(table)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(rows, indent=1))
