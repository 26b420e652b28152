"""Single passes, to set the numbers in the plan: which layout, and what pays from where on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from rich.console import Console

from benchmarks.measure import seconds
from benchmarks.report import duration
from truemeans.engines import RowState, open_engine
from truemeans.plan import make_plan
from truemeans.result import Plan

__all__ = ["layout", "small"]

_REPEATS = 5
_LAYOUT_FEATURES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256, 768)
_LAYOUT_CLUSTERS = (4, 8, 16, 32, 64, 128, 256, 1000, 4096)
_LAYOUT_WORK = 4e8
_SMALL_SHAPES = ((2, 2), (2, 5), (3, 10), (10, 3), (8, 16), (30, 8), (64, 32), (300, 10))
_SMALL_ROWS = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_PASSES = 10


def layout(n_threads: int, console: Console) -> None:
    """Print how long a dense pass takes with either layout, over features and clusters."""
    console.print(f"One pass, {n_threads} threads: lanes = samples / lanes = centroids, above 1")
    console.print("centroids are faster; then GFLOP/s of the faster one")
    console.print(f"{'d':>5}" + "".join(f"  k = {k:<6}" for k in _LAYOUT_CLUSTERS))
    for d in _LAYOUT_FEATURES:
        cells = []
        for k in _LAYOUT_CLUSTERS:
            n = int(min(max(_LAYOUT_WORK / (d * k), 1000), 200_000))
            X, centroids = _rows(n, d, k)
            plans = [_plan(n, d, k, scores, n_threads) for scores in ("samples", "centroids")]
            by_samples, by_centroids = _race([_dense_pass(X, centroids, plan) for plan in plans])
            rate = 2e-9 * n * d * k / min(by_samples, by_centroids)
            cells.append(f"{by_samples / by_centroids:7.2f}{rate:5.0f}")
        console.print(f"{d:>5}" + "".join(cells), highlight=False)


def small(n_threads: int, console: Console) -> None:
    """Print how long ten small passes take: canonical distances alone, packed, with threads.

    The engine's start is included, because every call pays for it.
    """
    console.print("Start and ten passes; work is n_samples × n_features × n_clusters")
    console.print(f"{'work':>12} {'n':>7} {'d':>4} {'k':>4}   canonical     packed   threads")
    shapes = sorted((n * d * k, n, d, k) for d, k in _SMALL_SHAPES for n in _SMALL_ROWS if n >= k)
    for work, n, d, k in shapes:
        if not 100 <= work <= 3e7:
            continue
        X, centroids = _rows(n, d, k)
        one, many = _plan(n, d, k, "samples", 1), _plan(n, d, k, "samples", n_threads)
        plans = [replace(one, scores="none"), one, many]
        times = _race([_whole_call(X, centroids, plan) for plan in plans])
        cells = (_marked(f"{duration(t):>9}", t == min(times)) for t in times)
        console.print(f"{work:>12} {n:>7} {d:>4} {k:>4}  " + " ".join(cells), highlight=False)


def _marked(text: str, best: bool) -> str:
    return f"[bold]{text}[/]" if best else text


def _rows(n: int, d: int, k: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d), dtype=np.float32)
    return X, rng.standard_normal((k, d))


def _plan(n: int, d: int, k: int, scores: str, n_threads: int) -> Plan:
    """The plan's own choice with ``scores`` and threads put in its place."""
    plan = make_plan(n, d, k)
    target = os.environ.get("TRUEMEANS_TARGET", "")
    return replace(plan, engine="native", target=target, scores=scores, n_threads=n_threads)


def _dense_pass(
    X: npt.NDArray[np.float32], centroids: npt.NDArray[np.float64], plan: Plan
) -> Callable[[], object]:
    """A pass that labels every row for the first time, without sums."""
    engine = open_engine(plan)
    labels = np.empty(len(X), np.int32)

    def call() -> object:
        labels.fill(-1)
        return engine.assign(X, None, centroids, None, RowState(labels), None)

    return call


def _whole_call(
    X: npt.NDArray[np.float32], centroids: npt.NDArray[np.float64], plan: Plan
) -> Callable[[], object]:
    labels = np.empty(len(X), np.int32)

    def call() -> object:
        with open_engine(plan) as engine:
            for _ in range(_PASSES):
                labels.fill(-1)
                done = engine.assign(X, None, centroids, None, RowState(labels), None)
        return done

    return call


def _race(calls: Sequence[Callable[[], object]]) -> list[float]:
    """The best time of each, by turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(_REPEATS):
        for call, found in zip(calls, times, strict=True):
            found.append(seconds(call)[0])
    return [min(found) for found in times]
