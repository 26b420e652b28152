"""The only place with an "auto" rule: picks how a problem is computed, and says why.

Every choice here changes the time, never the answer. Each number names the benchmark that set it
(`python -m benchmarks ...`).
"""

from __future__ import annotations

import os

from truemeans.result import Plan
from truemeans.targets import has_tiles
from truemeans.threads import resolve_threads

__all__ = [
    "METHODS",
    "N_PROBED",
    "closer_scores",
    "make_plan",
    "methods",
    "most_pairs",
    "n_groups",
    "should_refine",
    "should_skip",
    "swap_patience",
]

# The layouts of scores, and what each may remember between passes (result.Plan says what).
METHODS = (
    ("none", "none"),
    ("samples", "none"),
    ("samples", "rows"),
    ("samples", "boxes"),
    ("centroids", "none"),
    ("centroids", "rows"),
    ("centroids", "groups"),
    ("tiles", "none"),
    ("tiles", "rows"),
    ("coarse", "none"),
    ("coarse", "rows"),
)

# Below this many multiply-adds a pass, packing centroids costs more than it saves (kernels small).
_PACK_FROM = 4_000
# Below this many, waking a thread costs more than it helps (kernels small).
_THREADS_FROM = 2_000_000
# Lanes = centroids reads rows without turning them, but needs enough features to pay for turning
# the scores; beyond so many entries the centroids leave the second-level cache, and lanes =
# samples reads them less often (kernels layout).
_CENTROIDS_FROM_FEATURES = 32
_CENTROIDS_TO_CLUSTERS = 128
# The matrix unit takes 32 features and 32 centroids at a time, filled or not (kernels layout).
_TILES_FROM_FEATURES = 12
_TILES_FROM_CLUSTERS = 12
# Coarse tiles take a third of the products, and pay while they leave few rows undecided
# (run --only midk,ivf,embed,patches).
_COARSE_FROM_FEATURES = 64
_REFINE_ABOVE_SETTLED = 0.5
# Rows that are labelled once more to see that, before the first pass.
N_PROBED = 512
# Bounds by groups cost about a hundred nanoseconds a row that is not skipped: they pay where
# scoring a row densely costs several times that (run --only ivf,embed,midk).
_GROUPS_FROM_ENTRIES = 65_536
_GROUPS_FROM_FEATURES = 48
# Sorting rows into boxes costs a few dense passes, and boxes pay the more the more centroids
# there are to rule out (run --only geo,palette,pixels).
_BOXES_TO_FEATURES = 3
_BOXES_FROM_CLUSTERS = 32
_BOXES_FROM_SAMPLES = 50_000
# The sort cannot be interrupted half-way; so many rows take well under a second.
_BOXES_TO_SAMPLES = 20_000_000
# Lanes = samples serves few features best in seeding too (seeding).
_CLOSER_CENTROIDS_FROM_FEATURES = 20
# Less is not worth a second look at the rows (seeding).
_PAIRS_AT_LEAST = 1 << 16
# One bound a row costs under a tenth of a dense pass and begins to pay when so few rows change
# (run --only tabular,converge).
_SKIP_BELOW_CHANGED = 0.125
# With one feature the optimum of a million values takes less time than a run of the loop from
# drawn centroids (line). Sorting cannot be interrupted half-way, and a sorted value
# takes 64 bytes; the first bounds hold 8 runs of places for each pair of clusters.
_OPTIMUM_TO_SAMPLES = 20_000_000
_OPTIMUM_TO_CLUSTERS = 1000
# A search for better centroids ends when so many swaps in a row were no improvement: enough for
# the best known inertias up to 50 clusters, where half of it misses some. With more clusters a
# swap gains less of the whole (refine).
_SWAP_PATIENCE = 100
_SWAP_PATIENCE_TIMES_SQUARE = 200_000
_SWAP_LEAST_PATIENCE = 10
# Runs of places held at once, 28 bytes each; only clusters in near ties come close.
_OPTIMUM_MAX_RUNS = 8_388_608


def make_plan(
    n_samples: int,
    n_features: int,
    n_clusters: int,
    n_threads: int | None = None,
    *,
    any_start: bool = False,
) -> Plan:
    """Plan a run over ``n_samples`` rows.

    ``any_start`` says that the caller named no initial centroids and no algorithm, so that rows
    of one feature may get the optimum.

    Environment variables force a choice, for tests and for finding faults: ``TRUEMEANS_TARGET``
    a SIMD target by name, ``TRUEMEANS_ENGINE=reference`` the NumPy engine, and
    ``TRUEMEANS_METHOD=scores/skip/block_rows`` the fields of the plan, as in "centroids/rows/7".
    """
    engine = os.environ.get("TRUEMEANS_ENGINE", "native")
    target = os.environ.get("TRUEMEANS_TARGET", "")
    max_runs, note = _optimum(n_samples, n_clusters) if any_start and n_features == 1 else (0, "")
    if engine == "reference":
        reason = note + "the definition, in NumPy float64"
        return Plan("reference", "", 1, "none", "none", 0, reason, max_runs)
    work = n_samples * n_features * n_clusters
    small = work < _THREADS_FROM and n_threads is None
    threads = 1 if small else resolve_threads(n_threads)
    scores, skip, reason = _method(n_samples, n_features, n_clusters, target)
    block_rows = 0
    if forced := os.environ.get("TRUEMEANS_METHOD", ""):
        scores, skip, block_rows = _forced(forced, n_features, target)
        reason = "forced by TRUEMEANS_METHOD"
    return Plan(engine, target, threads, scores, skip, block_rows, note + reason, max_runs)


def methods(target: str, n_features: int) -> list[tuple[str, str]]:
    """The methods that can label rows of so many features on a SIMD target."""
    return [
        (scores, skip)
        for scores, skip in METHODS
        if (skip != "boxes" or n_features <= _BOXES_TO_FEATURES)
        and (scores not in ("tiles", "coarse") or has_tiles(target))
    ]


def _forced(method: str, n_features: int, target: str) -> tuple[str, str, int]:
    scores, _, rest = method.partition("/")
    skip, _, rows = rest.partition("/")
    there = methods(target, n_features)
    if (scores, skip) not in there or not (rows or "0").isdecimal():
        raise ValueError(
            f"TRUEMEANS_METHOD={method!r} must be one of {', '.join(map('/'.join, there))} here, "
            "and may end in a slash and a number of rows; unset it to leave the choice to the plan."
        )
    return scores, skip, int(rows or "0")


def _optimum(n_samples: int, n_clusters: int) -> tuple[int, str]:
    if n_samples <= _OPTIMUM_TO_SAMPLES and n_clusters <= _OPTIMUM_TO_CLUSTERS:
        return _OPTIMUM_MAX_RUNS, "one feature: the optimum, by dynamic programming; "
    return 0, (
        f"one feature, but the optimum is sought for at most {_OPTIMUM_TO_SAMPLES:,} rows and "
        f"{_OPTIMUM_TO_CLUSTERS:,} clusters; "
    )


def _method(n_samples: int, n_features: int, n_clusters: int, target: str) -> tuple[str, str, str]:
    entries = n_features * n_clusters
    work = n_samples * entries
    if n_clusters == 1:
        return "none", "none", "one cluster takes every row"
    if work < _PACK_FROM:
        return "none", "none", "small enough for canonical distances alone"
    if (
        n_features <= _BOXES_TO_FEATURES
        and n_clusters >= _BOXES_FROM_CLUSTERS
        and _BOXES_FROM_SAMPLES <= n_samples <= _BOXES_TO_SAMPLES
    ):
        return "samples", "boxes", "rows in boxes along a curve, few candidates each"
    if (
        n_features >= _TILES_FROM_FEATURES
        and n_clusters >= _TILES_FROM_CLUSTERS
        and has_tiles(target)
    ):
        if n_features >= _COARSE_FROM_FEATURES:
            return "coarse", "rows", "coarse tiles by the matrix unit, a bound a row later"
        return "tiles", "rows", "dense tiles by the matrix unit, a bound a row later"
    if entries >= _GROUPS_FROM_ENTRIES and n_features >= _GROUPS_FROM_FEATURES:
        return "centroids", "groups", "tiles of centroids, bounds by groups of centroids"
    if n_features >= _CENTROIDS_FROM_FEATURES and n_clusters <= _CENTROIDS_TO_CLUSTERS:
        return "centroids", "rows", "dense tiles of centroids, a bound a row later"
    return "samples", "rows", "dense tiles of samples, a bound a row later"


def should_refine(n_settled: int, n_samples: int) -> bool:
    """Whether coarse tiles left so much open in the last pass that full ones will pay."""
    return n_settled > _REFINE_ABOVE_SETTLED * n_samples


def should_skip(n_changed: int, n_samples: int) -> bool:
    """Whether a bound a row will pay, from the last pass."""
    return n_changed <= _SKIP_BELOW_CHANGED * n_samples


def n_groups(n_features: int, itemsize: int) -> int:
    """The most groups whose bounds, with labels, fit 24 bytes and half a row."""
    # Label, upper bound and slack take 12 bytes a row, a bound 2; groups come in eights.
    room = (24 - 12 + n_features * itemsize // 2) // 2
    return max(8, room // 8 * 8)


def closer_scores(n_features: int, target: str) -> str:
    """How scores are laid out when seeding looks for candidates closer than all centroids."""
    if n_features >= _TILES_FROM_FEATURES and has_tiles(target):
        return "tiles"
    return "samples" if n_features < _CLOSER_CENTROIDS_FROM_FEATURES else "centroids"


def most_pairs(n_samples: int, n_features: int, itemsize: int) -> int:
    """How many pairs of a row and a candidate seeding may hold at a time."""
    # Squared distance, bucket and order take 14 of 24 bytes a row, a pair 28 while it is sorted.
    room = n_samples * (24 - 14 + n_features * itemsize // 2)
    return max(room // 28, _PAIRS_AT_LEAST)


def swap_patience(n_clusters: int) -> int:
    """Swaps in a row that may fail before a search for better centroids ends."""
    fewer = _SWAP_PATIENCE_TIMES_SQUARE // n_clusters**2
    return max(_SWAP_LEAST_PATIENCE, min(_SWAP_PATIENCE, fewer))
