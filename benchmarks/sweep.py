"""Is there a shape at which truemeans is slower than scikit-learn? Every size, both float types.

Rows are a mixture of 100 overlapping clusters, five iterations from given centroids. One process
for each peer and each array of rows; the numbers of clusters share it. What falls below the line
is measured once more in fresh processes before it is believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.status import Status

from benchmarks.report import duration
from benchmarks.turns import Crew, Rules
from benchmarks.workloads import Workload, mixture_of

__all__ = ["N_CLUSTERS", "N_FEATURES", "N_SAMPLES", "Grid", "sweep"]

N_SAMPLES = (1000, 30_000, 1_000_000)
N_FEATURES = (1, 2, 3, 8, 20, 64, 300, 1000)
N_CLUSTERS = (2, 10, 100, 1000)
_DTYPES = ("float32", "float64")

_N_ITER = 5
_MOST_BYTES = 4 * 10**9
_MOST_SECONDS = 60.0
_RULES = Rules(repeats=3, budget=5.0, judged=False)
_AGAIN_BELOW = 1.2
_AGAIN = Rules(repeats=9, budget=20.0, judged=False)
_PAIR = ("sklearn", "truemeans")


@dataclass(frozen=True)
class Grid:
    """The sizes to visit."""

    n_samples: Sequence[int] = N_SAMPLES
    n_features: Sequence[int] = N_FEATURES
    n_clusters: Sequence[int] = N_CLUSTERS
    dtypes: Sequence[str] = _DTYPES

    def arrays(self) -> Iterator[tuple[int, int, str]]:
        """The arrays of rows that fit the memory allowed."""
        for n in self.n_samples:
            for d in self.n_features:
                for dtype in self.dtypes:
                    if n * d * np.dtype(dtype).itemsize <= _MOST_BYTES:
                        yield n, d, dtype


@dataclass(frozen=True)
class Ratio:
    """scikit-learn's time over ours for one shape."""

    n_samples: int
    n_features: int
    n_clusters: int
    dtype: str
    sklearn: float
    truemeans: float

    @property
    def value(self) -> float:
        """Above 1 where truemeans is faster."""
        return self.sklearn / self.truemeans

    def __str__(self) -> str:
        return (
            f"{self.value:6.2f}×  n = {self.n_samples}, d = {self.n_features}, "
            f"k = {self.n_clusters}, {self.dtype}: scikit-learn {duration(self.sklearn)}, "
            f"truemeans {duration(self.truemeans)}"
        )


def sweep(grid: Grid, n_threads: int, path: Path | None, console: Console) -> None:
    """Visit every shape, print each ratio, and the worst."""
    console.print("scikit-learn / truemeans, whole fit; – where it would take too long")
    console.print(f"{'n':>8} {'d':>5} dtype   " + "".join(f"  k = {k:<5}" for k in grid.n_clusters))
    ratios: list[Ratio] = []
    with console.status("") as status:
        for n, d, dtype in grid.arrays():
            found = _visit((n, d, dtype), grid.n_clusters, n_threads, _RULES, console, status)
            ratios += found
            by_k = {r.n_clusters: f"{r.value:8.2f}× " for r in found}
            cells = "".join(by_k.get(k, "       –  ") for k in grid.n_clusters)
            console.print(f"{n:8} {d:5} {dtype} {cells}", highlight=False)
        ratios = [_believed(r, n_threads, console, status) for r in ratios]
    _print_worst(ratios, console)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        found_json = [asdict(r) | {"ratio": r.value} for r in ratios]
        path.write_text(json.dumps({"sweep": found_json}, indent=1) + "\n")


def _print_worst(ratios: Sequence[Ratio], console: Console) -> None:
    worst = sorted(ratios, key=lambda r: r.value)
    slower = sum(r.value < 1 for r in worst)
    console.print(f"\n{len(worst)} shapes, slower than scikit-learn in {slower}; the worst:")
    for ratio in worst[:10]:
        console.print(f"  {ratio}", highlight=False)


def _believed(ratio: Ratio, n_threads: int, console: Console, status: Status) -> Ratio:
    """The ratio, or what a longer measurement makes of one that is too close to call."""
    if ratio.value >= _AGAIN_BELOW:
        return ratio
    array = (ratio.n_samples, ratio.n_features, ratio.dtype)
    again = _visit(array, [ratio.n_clusters], n_threads, _AGAIN, console, status)
    return again[0] if again else ratio


def _visit(
    array: tuple[int, int, str],
    n_clusters: Sequence[int],
    n_threads: int,
    rules: Rules,
    console: Console,
    status: Status,
) -> list[Ratio]:
    """The ratios of one array of rows; a failure ends it with what was found before."""
    n, d, dtype = array
    n_clusters = [k for k in n_clusters if k <= n]
    name = f"sweep {n} × {d} {dtype}"
    rows = mixture_of(100, 1.0)
    workload = Workload(name, rows, n, d, max(n_clusters), _N_ITER, dtype=dtype)
    members = {peer: (peer, n_threads) for peer in _PAIR}
    ratios: list[Ratio] = []
    with Crew(workload, members, rules, status.update, keep=False) as crew:
        for k in n_clusters:
            if ratios and ratios[-1].sklearn * k / ratios[-1].n_clusters > _MOST_SECONDS:
                break
            found = crew.do(k)
            errors = [f"{m.peer}: {m.error}" for m in found.values() if m.error]
            if errors:
                console.print(f"{name}, k = {k}: {'; '.join(errors)}")
                break
            ratios.append(Ratio(n, d, k, dtype, *(found[peer].median for peer in _PAIR)))
    return ratios
