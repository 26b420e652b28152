"""Greedy k-means++ against its peers, and its share of a default fit.

Each peer seeds in a fresh process, once per seed; the potential (what all rows cost with the
seeds for centroids) is recomputed in float64. FAISS draws one row a round where the others draw
2 + ⌊ln k⌋ and keep the best. The share of a default fit, which starts from k-means|| or k-means++,
is what it takes longer than the same fit from the same centroids, given: reading the rows, or
sorting them into boxes, is done once for both. The two are timed in turns once the process has
fitted these rows before, so that memory that is new, and threads that start for the first time,
count for neither.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.handle import in_fresh_process, thread_limits
from benchmarks.limits import machine
from benchmarks.measure import sse_of_centroids
from benchmarks.report import duration
from benchmarks.workloads import Workload, prepare

if TYPE_CHECKING:
    from truemeans import Iteration

__all__ = ["SEEDERS", "seeding"]

Rows = npt.NDArray[Any]

_TURNS = 3  # fits of each kind behind a share


def _sklearn(X: Rows, n_clusters: int, seed: int) -> Rows:
    from sklearn.cluster import kmeans_plusplus

    return np.asarray(kmeans_plusplus(X, n_clusters, random_state=seed)[0])


def _faiss(X: Rows, n_clusters: int, seed: int) -> Rows:
    import faiss

    faiss.omp_set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    start = faiss.ClusteringInitialization(X.shape[1], n_clusters)
    start.method = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
    start.seed = seed
    centroids = np.empty((n_clusters, X.shape[1]), np.float32)
    start.init_centroids(len(X), faiss.swig_ptr(X), faiss.swig_ptr(centroids))
    return centroids


def _truemeans(X: Rows, n_clusters: int, seed: int) -> Rows:
    from truemeans import kmeans_plusplus

    return kmeans_plusplus(X, n_clusters, random_state=seed)[0]


def _default_fit(X: Rows, n_clusters: int, seed: int) -> Rows:
    from truemeans import KMeans

    return np.asarray(KMeans(n_clusters, random_state=seed).fit(X).cluster_centers_)


def _in_turns(X: Rows, n_clusters: int, seed: int) -> dict[str, float]:
    """Seconds of the default fit, and of the same fit from the same centroids, given."""
    from truemeans import KMeans

    first: list[Rows] = []

    def keep(iteration: Iteration) -> bool:
        first.append(iteration.centroids)
        return True

    KMeans(n_clusters, random_state=seed, callback=keep).fit(X)
    models = {
        "again": KMeans(n_clusters, random_state=seed),
        "without": KMeans(n_clusters, init=first[0]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(_TURNS):
        for name, model in models.items():
            start = time.perf_counter()
            model.fit(X)
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


SEEDERS: dict[str, Callable[[Rows, int, int], Rows]] = {
    "truemeans": _truemeans,
    "faiss": _faiss,
    "sklearn": _sklearn,
    "default fit": _default_fit,
}


@dataclass
class Seeded:
    """What one peer took and reached for one workload, by seed; ``error`` says why not."""

    workload: str
    peer: str
    seconds: list[float] = field(default_factory=list)
    potentials: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)  # a default fit after the first
    without: list[float] = field(default_factory=list)  # the same from the same centroids, given
    error: str = ""


def seeding(
    workloads: Sequence[Workload],
    peers: Sequence[str],
    n_threads: int,
    repeats: int,
    timeout: float,
    path: Path | None,
    console: Console,
) -> None:
    """Time every peer with seeds 0, 1, …, and print a table."""
    table = Table(title="Seeding by k-means++", title_justify="left")
    table.add_column("workload")
    table.add_column("")
    for name in peers:
        table.add_column(name, justify="right")
    for column in ("vs sklearn", "vs faiss", "potential / sklearn", "share of a fit"):
        table.add_column(column, justify="right")
    found: list[Seeded] = []
    for workload in workloads:
        with console.status(workload.name):
            new = {name: _measure(workload, name, n_threads, repeats, timeout) for name in peers}
        found += new.values()
        shape = f"{workload.n_samples} × {workload.n_features}, k = {workload.n_clusters}"
        table.add_row(workload.name, shape, *_cells(new))
        console.print(f"{workload.name}: " + ", ".join(f"{n} {_time(s)}" for n, s in new.items()))
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            facts = {"machine": machine(), "n_threads": n_threads}
            path.write_text(json.dumps(facts | {"seeding": [asdict(s) for s in found]}, indent=1))
    console.print(table)


def _measure(workload: Workload, peer: str, n_threads: int, repeats: int, timeout: float) -> Seeded:
    out = Seeded(workload.name, peer)
    if peer == "faiss" and workload.dtype != "float32":
        out.error = "float32 only"
        return out
    job = {"peer": peer, "X": in_fresh_process(prepare, workload)["X"], "k": workload.n_clusters}
    for seed in range(repeats):
        try:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.seeding", json.dumps(job | {"seed": seed})],
                env=os.environ | thread_limits(n_threads),
                capture_output=True,
                text=True,
                check=True,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            out.error = f"over {timeout:.0f} s"
            break
        except subprocess.CalledProcessError as error:
            out.error = (error.stderr.strip().splitlines() or ["failed"])[-1][:100]
            break
        answer = json.loads(done.stdout.splitlines()[-1])
        out.seconds.append(answer["seconds"])
        out.potentials.append(answer["potential"])
        if "without" in answer:
            out.again.append(answer["again"])
            out.without.append(answer["without"])
    return out


def _time(seeded: Seeded) -> str:
    return duration(statistics.median(seeded.seconds)) if seeded.seconds else seeded.error


def _cells(new: dict[str, Seeded]) -> list[str]:
    median = {name: statistics.median(s.seconds) for name, s in new.items() if s.seconds}
    ours = median.get("truemeans")
    cells = [_time(s) for s in new.values()]
    cells += [
        f"{median[rival] / ours:.1f}×" if ours and rival in median else "–"
        for rival in ("sklearn", "faiss")
    ]
    if ours and "sklearn" in median:
        means = [statistics.mean(new[name].potentials) for name in ("truemeans", "sklearn")]
        cells.append(f"{means[0] / means[1]:.4f}")
    else:
        cells.append("–")
    fits = new.get("default fit")
    if fits and fits.seconds:
        shares = [1 - b / a for a, b in zip(fits.again, fits.without, strict=True)]
        cells.append(f"{statistics.median(shares):.0%}")
    else:
        cells.append("–")
    return cells


def main() -> None:
    """One job in this process: seconds and potential as JSON."""
    job = json.loads(sys.argv[1])
    seed_rows = SEEDERS[job["peer"]]
    X = np.load(job["X"])
    seed_rows(X[: max(1000, 2 * job["k"])], min(job["k"], 20), 0)  # imports and threads
    start = time.perf_counter()
    centroids = seed_rows(X, job["k"], job["seed"])
    answer = {"seconds": time.perf_counter() - start, "potential": sse_of_centroids(X, centroids)}
    if job["peer"] == "default fit":
        answer |= _in_turns(X, job["k"], job["seed"])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
