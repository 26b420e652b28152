"""Measuring inside one process: seconds, memory, and how good centroids are."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PeakMemory", "seconds", "sse_of_centroids", "sse_of_labels"]

_ENOUGH = 0.06
_SHORT = 0.05
_FEW = 3


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and what it returned.

    Calls below 50 ms are repeated for 60 ms and at least three times, and the median counts:
    nobody's first call, whose caches are cold, stands against somebody's twentieth.
    """
    times: list[float] = []
    while True:
        start = time.perf_counter()
        value = call()
        times.append(time.perf_counter() - start)
        if min(times) > _SHORT or (len(times) >= _FEW and sum(times) >= _ENOUGH):
            return statistics.median(times), value


class PeakMemory:
    """Most bytes resident since it was made, beyond what was resident then."""

    def __init__(self) -> None:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            self._before = _peak()
        else:
            self._before = _status("VmRSS")

    def beyond(self) -> int:
        """Bytes."""
        return max(0, _peak() - self._before)


def _peak() -> int:
    if Path("/proc/self/status").exists():
        return _status("VmHWM")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/self/status has no {field}")


def sse_of_centroids(X: npt.NDArray[Any], centroids: npt.NDArray[Any]) -> float:
    """Sum of squared distances to the nearest centroid, in float64.

    The nearest is found by the expanded form about the mean of the centroids; the distance to it
    is then computed from the difference.
    """
    middle = np.asarray(centroids, np.float64).mean(axis=0)
    shifted = np.asarray(centroids, np.float64) - middle
    half_norms = 0.5 * np.einsum("kd,kd->k", shifted, shifted)
    total = 0.0
    for rows in _chunks(X, len(centroids)):
        part = rows.astype(np.float64) - middle
        nearest = (part @ shifted.T - half_norms).argmax(axis=1)
        part -= shifted[nearest]
        total += float(np.vdot(part, part))
    return total


def sse_of_labels(
    X: npt.NDArray[Any], centroids: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> float:
    """Sum of squared distances to the centroid each row is labelled with, in float64."""
    total, start = 0.0, 0
    for rows in _chunks(X, 1):
        own = np.asarray(centroids, np.float64)[labels[start : start + len(rows)]]
        part = rows.astype(np.float64) - own
        total += float(np.vdot(part, part))
        start += len(rows)
    return total


def _chunks(X: npt.NDArray[Any], n_clusters: int) -> list[npt.NDArray[Any]]:
    size = max(1, 4_000_000 // max(n_clusters, X.shape[1]))
    return [X[start : start + size] for start in range(0, len(X), size)]
