"""How good and how fast refine="swap" is: published optima, and breathing k-means side by side.

The data sets are not part of the package, because not all their licences allow that: the folder
that holds ``NAME.csv`` (numbers, no header) is an argument. What is not there is left out.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.report import duration

__all__ = ["refine"]

# Sum of squared errors: proved optimal or best known (sets, k, value); O. du Merle et al. 2000 for
# iris and ruspini, best found for german_towns.
_IRIS = (152.347951760, 78.851441426, 57.228473214, 46.446182051, 39.039987246, 34.298229665)
_IRIS = (*_IRIS, 29.988943951, 27.786092417, 25.834054820)
_RUSPINI = (89337.832143, 51063.475046, 12881.051236, 10126.719788, 8575.406876, 7126.198543)
_RUSPINI = (*_RUSPINI, 6149.639019, 5181.651840, 4446.282143)
_GERMAN = (121425.7523, 77008.63667, 49600.58929, 38716.01986, 30535.39087, 24432.56825)
_GERMAN = (*_GERMAN, 21483.018254, 18550.435714, 16307.964103)
_KNOWN: list[tuple[str, int, float]] = [
    *(("iris", k, v) for k, v in enumerate(_IRIS, 2)),
    *(("ruspini", k, v) for k, v in enumerate(_RUSPINI, 2)),
    *(("german_towns", k, v) for k, v in enumerate(_GERMAN, 2)),
    ("sipu_s1", 15, 8.91761561687e12),
    ("sipu_s2", 15, 1.32791941251e13),
    ("sipu_unbalance", 8, 214492062848),
    ("sipu_d31", 31, 3393.30707297),
    ("sipu_r15", 15, 108.619040813),
    ("tsplib_u1060", 10, 1754840214.06),
    ("tsplib_u1060", 20, 791794596),
    ("tsplib_u1060", 30, 481251643),
    ("tsplib_u1060", 50, 255509536),
    ("tsplib_pcb3038", 10, 560251191.25),
    ("tsplib_pcb3038", 20, 2.66812e8),
    ("tsplib_pcb3038", 50, 98547154),
]
# Means over 100 runs of breathing k-means, published by its author.
_BREATHING: list[tuple[str, int, float]] = [
    ("sipu_jain", 30, 583.5),
    ("sipu_r15", 30, 65.80),
    ("sipu_d31", 100, 1324.0),
    ("sipu_aggregation", 200, 234.0),
    ("sipu_flame", 80, 43.92),
    ("sipu_spiral", 80, 122.0),
    ("sipu_s2", 100, 2.604e12),
    ("sipu_unbalance", 100, 2.300e10),
    ("bkm_gmd5x5", 50, 6.149),
    ("bkm_uniform", 100, 1.206),
    ("bkm_sq6x6-2x2", 144, 2.041),
    ("bkm_randangles", 60, 3.272),
]
_HIT = 1e-6


def refine(folder: Path, n_seeds: int, out: Path | None, console: Console) -> None:
    """Both tables, for seeds 0 to ``n_seeds`` - 1."""
    found = {
        "known": _against_known(folder, n_seeds, console),
        "breathing": _against_breathing(folder, n_seeds, console),
    }
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1))


def _read(folder: Path, name: str) -> np.ndarray | None:
    path = folder / f"{name}.csv"
    return np.loadtxt(path, delimiter=",") if path.exists() else None


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def _against_known(folder: Path, n_seeds: int, console: Console) -> list[dict[str, Any]]:
    from truemeans import k_means

    table = Table(title="against the best known inertia")
    for column in ("set", "k", "seeds at it", "mean above", "plain run above", "plain", "refined"):
        table.add_column(column, justify="right")
    rows = []
    for name, k, best in _KNOWN:
        X = _read(folder, name)
        if X is None:
            continue
        seeds = range(n_seeds)
        plain = [_timed(partial(k_means, X, k, random_state=s)) for s in seeds]
        better = [_timed(partial(k_means, X, k, random_state=s, refine="swap")) for s in seeds]
        above = [result.inertia / best - 1 for _, result in better]
        row = {
            "set": name,
            "k": k,
            "hits": sum(value <= _HIT for value in above),
            "above": mean(above),
            "plain_above": mean(result.inertia / best - 1 for _, result in plain),
            "plain": median(seconds for seconds, _ in plain),
            "refined": median(seconds for seconds, _ in better),
        }
        rows.append(row)
        table.add_row(
            name,
            str(k),
            f"{row['hits']}/{n_seeds}",
            f"{row['above']:.4%}",
            f"{row['plain_above']:.2%}",
            duration(row["plain"]),
            duration(row["refined"]),
        )
    console.print(table)
    return rows


def _against_breathing(folder: Path, n_seeds: int, console: Console) -> list[dict[str, Any]]:
    """Seed by seed, one after the other, so that both meet the same state of the machine."""
    from bkmeans import BKMeans

    from truemeans import k_means

    jobs: dict[str, Callable[..., float]] = {
        "bkmeans": lambda X, k, s: BKMeans(n_clusters=k, random_state=s).fit(X).inertia_,
        "refined": lambda X, k, s: k_means(X, k, random_state=s, refine="swap").inertia,
        "plain": lambda X, k, s: k_means(X, k, random_state=s).inertia,
    }
    table = Table(title="means against breathing k-means (published; the bkmeans package here)")
    columns = ("set", "k", "published", "bkmeans", "refined")
    for column in (*columns, "plain", "bkmeans", "refined", "bkmeans / refined"):
        table.add_column(column, justify="right")
    rows = []
    for name, k, published in _BREATHING:
        X = _read(folder, name)
        if X is None:
            continue
        row: dict[str, Any] = {"set": name, "k": k, "published": published}
        seconds: dict[str, list[float]] = {job: [] for job in jobs}
        inertia: dict[str, list[float]] = {job: [] for job in jobs}
        for seed in range(n_seeds):
            for job, call in jobs.items():
                took, value = _timed(partial(call, X, k, seed))
                seconds[job].append(took)
                inertia[job].append(value)
        for job in jobs:
            row |= {f"{job}_mean": mean(inertia[job]), f"{job}_seconds": median(seconds[job])}
        rows.append(row)
        table.add_row(
            name,
            str(k),
            f"{published:.4g}",
            *(f"{row[f'{job}_mean']:.4g}" for job in ("bkmeans", "refined")),
            *(duration(row[f"{job}_seconds"]) for job in ("plain", "bkmeans", "refined")),
            f"{row['bkmeans_seconds'] / row['refined_seconds']:.1f}",
        )
    console.print(table)
    return rows
