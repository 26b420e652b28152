"""How the time grows: over iterations, with the number of rows, with the number of threads."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from rich.console import Console

from benchmarks.handle import in_fresh_process
from benchmarks.report import duration
from benchmarks.turns import Crew, Measurement, Rules
from benchmarks.workloads import WORKLOADS, Workload, prepare

__all__ = ["growth"]

_BY_NAME = {w.name: w for w in WORKLOADS}
_SIZES = (62_500, 250_000, 1_000_000)
_RULES = Rules(repeats=3, budget=30, timeout=300, judged=False)
_COMPUTE_BOUND = ("geo", "tabular", "midk", "ivf", "embed")


def growth(n_threads: int, scale: float, console: Console) -> None:
    """Late iterations against the first, time per iteration against rows, two threads to one."""
    _late_iterations(_BY_NAME["converge"].scaled(scale), n_threads, console)
    for name in ("tabular", "midk"):
        _rows(_BY_NAME[name], n_threads, scale, console)
    _threads(scale, n_threads, console)


def _late_iterations(workload: Workload, n_threads: int, console: Console) -> None:
    times = in_fresh_process(_iteration_seconds, workload, n_threads)
    first, second, late = times[0], times[1], sum(times[-10:])
    console.print(f"\n[bold]Late iterations[/]  {workload.name}: {workload}")
    console.print(f"  {len(times)} iterations, {duration(sum(times))} together")
    console.print(f"  first, with all that is done once: {duration(first)}")
    console.print(f"  second: {duration(second)}; a tenth of the way: {_at(times, 0.1)}")
    console.print(f"  half-way: {_at(times, 0.5)}; nine tenths: {_at(times, 0.9)}")
    verdict = "less than" if late < first else "[bold red]not less than[/]"
    console.print(f"  the last ten together: {duration(late)}, {verdict} the first")


def _at(times: list[float], share: float) -> str:
    return duration(times[int(share * (len(times) - 1))])


def _iteration_seconds(workload: Workload, n_threads: int) -> list[float]:
    """Seconds of each iteration of the fastest of three fits."""
    from truemeans import k_means

    place = prepare(workload)
    X, centroids = np.load(place["X"]), np.load(place["centroids"])
    runs = []
    for _ in range(3):
        stamps: list[float] = []

        def note(_: object, stamps: list[float] = stamps) -> None:
            stamps.append(time.perf_counter())

        note(None)
        k_means(
            X,
            len(centroids),
            init=centroids,
            max_iter=workload.n_iter,
            n_threads=n_threads,
            callback=note,
        )
        runs.append(np.diff(stamps).tolist())
    return min(runs, key=sum)


def _rows(workload: Workload, n_threads: int, scale: float, console: Console) -> None:
    """Time per iteration and row must not rise with the number of rows."""
    console.print(f"\n[bold]Rows[/]  {workload.name}, d = {workload.n_features}")
    console.print("         n   per iteration   per row and iteration")
    for n in (int(size * scale) for size in _SIZES):
        sized = replace(workload, n_samples=n)
        found = _measure_ours(sized, {"truemeans": n_threads})["truemeans"]
        if found.error:
            console.print(f"{n:10}   {found.error}")
            continue
        each = found.median / found.n_iter
        console.print(f"{n:10} {duration(each):>15} {each / n * 1e9:20.1f} ns", highlight=False)


def _threads(scale: float, n_threads: int, console: Console) -> None:
    console.print(f"\n[bold]Threads[/]  1 against {n_threads}, whole fit")
    for name in _COMPUTE_BOUND:
        workload = _BY_NAME[name].scaled(scale)
        found = _measure_ours(workload, {"one": 1, "all": n_threads})
        if any(m.error for m in found.values()):
            console.print(f"  {name:10} {'; '.join(m.error for m in found.values())}")
            continue
        one, many = found["one"].median, found["all"].median
        console.print(
            f"  {name:10} {duration(one):>8} → {duration(many):>8}  {one / many:.2f}×",
            highlight=False,
        )


def _measure_ours(workload: Workload, threads: dict[str, int]) -> dict[str, Measurement]:
    """The same job with different numbers of threads, by turns."""
    members = {name: ("truemeans", n) for name, n in threads.items()}
    with Crew(workload, members, _RULES) as crew:
        return crew.do()
