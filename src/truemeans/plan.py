"""The only place with an "auto" rule: picks how a problem is computed, and says why.

Every choice here changes the time, never the answer.
"""

from __future__ import annotations

import os

from truemeans.result import Plan
from truemeans.threads import resolve_threads

__all__ = ["make_plan"]

# Below this many multiply-adds a pass, packing centroids costs more than it saves, and waking a
# thread more than it helps; both set by `python -m benchmarks.kernels small`.
_PACK_FROM = 20_000
_THREADS_FROM = 2_000_000
# Lanes = samples wastes nothing on few centroids and folds no lanes; lanes = centroids reads the
# rows without transposing them. Set by `python -m benchmarks.kernels layout`.
_SAMPLES_TO_FEATURES = 64
_SAMPLES_TO_CLUSTERS = 64


def make_plan(
    n_samples: int, n_features: int, n_clusters: int, n_threads: int | None = None
) -> Plan:
    """Plan a pass over ``n_samples`` rows.

    The environment variable ``TRUEMEANS_TARGET`` forces a SIMD target by name, and
    ``TRUEMEANS_ENGINE=reference`` the NumPy engine, for tests and for finding faults.
    """
    engine = os.environ.get("TRUEMEANS_ENGINE", "native")
    target = os.environ.get("TRUEMEANS_TARGET", "")
    work = n_samples * n_features * n_clusters
    small = work < _THREADS_FROM and n_threads is None
    threads = 1 if small else resolve_threads(n_threads)
    if engine == "reference":
        return Plan("reference", "", 1, "none", 0, "the definition, in NumPy float64")
    if n_clusters == 1:
        scores, reason = "none", "one cluster takes every row"
    elif work < _PACK_FROM:
        scores, reason = "none", "small enough for canonical distances alone"
    elif n_features <= _SAMPLES_TO_FEATURES or n_clusters <= _SAMPLES_TO_CLUSTERS:
        scores, reason = "samples", "dense tiles, lanes = samples (few features or clusters)"
    else:
        scores, reason = "centroids", "dense tiles, lanes = centroids (many features)"
    return Plan("native", target, threads, scores, 0, reason)
