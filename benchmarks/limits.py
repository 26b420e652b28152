"""What the machine can do, measured in the same run as the peers."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.handle import thread_limits

__all__ = ["machine", "measure_limits"]

_ORDER = 2000
_ELEMENTS = 16_000_000
_REPEATS = 5


def machine() -> dict[str, Any]:
    """Name and size of the machine, versions, and the SIMD target truemeans takes."""
    from truemeans import __version__
    from truemeans.targets import targets

    return {
        "cpu": _cpu_name(),
        "n_cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "target": next(iter(targets())),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "truemeans": __version__,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def measure_limits(n_threads: int) -> dict[str, float]:
    """GEMM peak in GFLOP/s and memory bandwidth in GB/s, for one thread and for all.

    NumPy's library fixes its threads when it is loaded, so each count has its own process.
    """
    found: dict[str, float] = {}
    for count in sorted({1, n_threads}):
        found |= _limits_in_fresh_process(count)
    return found


def _limits_in_fresh_process(n_threads: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.limits", str(n_threads)],
        env=os.environ | thread_limits(n_threads),
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.split("\t") for line in done.stdout.splitlines())
    return {name: float(value) for name, value in pairs}


def _best(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def _gemm(dtype: str) -> float:
    a = np.random.default_rng(0).random((_ORDER, _ORDER)).astype(dtype)
    out = np.empty_like(a)
    return 2 * _ORDER**3 / _best(lambda: np.matmul(a, a, out=out)) / 1e9


def _bandwidth(n_threads: int) -> tuple[float, float]:
    """Reading alone (the largest entry), and a = b + c with its two reads and one write."""
    a, b, c = (np.ones(_ELEMENTS) for _ in range(3))
    parts = [np.array_split(x, n_threads) for x in (a, b, c)]

    # NumPy's element-wise loops use one thread; each slice gets one of ours.
    def all_at_once(call: Callable[..., Any], *arrays: list[npt.NDArray[Any]]) -> float:
        with ThreadPoolExecutor(n_threads) as pool:
            return _best(lambda: list(pool.map(call, *arrays)))

    read = all_at_once(lambda x: x.max(), parts[1])
    add = all_at_once(lambda x, y, z: np.add(y, z, out=x), *parts)
    return a.nbytes / read / 1e9, 3 * a.nbytes / add / 1e9


def _print_limits(n_threads: int) -> None:
    suffix = f"{n_threads} thread" + "s" * (n_threads > 1)
    for dtype in ("float32", "float64"):
        print(f"GEMM {dtype}, {suffix}", _gemm(dtype), sep="\t")
    read, add = _bandwidth(n_threads)
    print(f"read, {suffix}", read, sep="\t")
    print(f"triad, {suffix}", add, sep="\t")


if __name__ == "__main__":
    _print_limits(int(sys.argv[1]))
