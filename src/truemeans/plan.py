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
    "FINER",
    "METHODS",
    "N_PROBED",
    "PROBED_FROM",
    "closer_scores",
    "draws_at_once",
    "draws_in_boxes",
    "finer_scores",
    "make_plan",
    "methods",
    "most_pairs",
    "n_groups",
    "should_keep",
    "should_skip",
    "skip_bytes",
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
    ("bytes", "none"),
    ("bytes", "rows"),
)

_TILES_SCORES = ("tiles", "coarse", "bytes")

# Below this many multiply-adds a pass, packing centroids costs more than it saves (kernels small).
_PACK_FROM = 4_000
# Below this much work on the rows in a pass, starting a thread costs more than it helps, however
# many may be used. An entry counts one, a row besides fifty, and so many multiply-adds one (sweep).
_THREADS_FROM = 800_000
_ROW_WORK = 50
_MULTIPLY_ADDS, _TILES_MULTIPLY_ADDS = 15, 150
# Lanes = centroids reads rows without turning them, but needs enough features to pay for turning
# the scores; beyond so many entries the centroids leave the second-level cache, and lanes =
# samples reads them less often (kernels layout).
_CENTROIDS_FROM_FEATURES = 32
_CENTROIDS_TO_CLUSTERS = 128
# The matrix unit takes 32 features and 32 centroids at a time, filled or not; with fewer features
# it takes more clusters to pay (kernels layout).
_TILES_FROM_FEATURES = 12
_TILES_FROM_CLUSTERS = 12
_NARROW_TILES_FROM_FEATURES = 8
_NARROW_TILES_FROM_CLUSTERS = 128
# Coarse tiles take a third of the products, and pay while they leave few rows undecided, with
# fewer features only where a row meets many clusters
# (run --only midk,ivf,embed,patches).
_COARSE_FROM_FEATURES = 64
_COARSE_FROM_CLUSTERS = 512
_NARROW_COARSE_FROM_FEATURES = 32
# Bytes take half of that again, and leave more open: they pay where tiles are most of a pass, which
# with fewer clusters packing and own scores are (run --only embed).
_BYTES_FROM_FEATURES = 384
_BYTES_FROM_CLUSTERS = 768
# Scores, what follows them, and the share of the rows that must stay open for that.
FINER = {"bytes": ("coarse", 0.85), "coarse": ("tiles", 0.5)}
# Rows that are labelled once more to see that, before the first pass, if there are many more.
N_PROBED = 512
PROBED_FROM = 16 * N_PROBED
# Bounds by groups cost about a hundred nanoseconds a row that is not skipped: they pay where
# scoring a row densely costs several times that (run --only ivf,embed,midk).
_GROUPS_FROM_ENTRIES = 65_536
_GROUPS_FROM_FEATURES = 48
# Sorting rows into boxes costs a few dense passes, and boxes pay the more the more centroids
# there are to rule out (run --only geo,palette,pixels).
_BOXES_TO_FEATURES = 3
_BOXES_FROM_CLUSTERS = 32
_BOXES_FROM_SAMPLES = 50_000
# The sort cannot be interrupted half-way; so many rows take well under a second (run --only geo).
_BOXES_TO_SAMPLES = 20_000_000
# For draws the rows of a cell are sorted by value, in one piece that cannot be interrupted; of so
# many rows that takes under a second even where an outlier leaves the others one cell (seeding).
_DRAWN_BOXES_TO_SAMPLES = 1 << 22
# Lanes = samples serves few features best in seeding too (seeding).
_CLOSER_CENTROIDS_FROM_FEATURES = 20
# Rows, numbers in them, and multiply-adds of all rounds up to which k-means++ draws round by
# round, in one call: drawing ahead takes milliseconds of calls, and scores faster (seeding). The
# numbers are held once more.
_AT_ONCE_TO_SAMPLES = 1 << 14
# With as few features as boxes are for, these pay from so many rows on (seeding).
_AT_ONCE_TO_UNBOXED = 1 << 11
_AT_ONCE_TO_ENTRIES = 1 << 20
_AT_ONCE_TO_WORK = 1 << 25
# Less is not worth a second look at the rows (seeding).
_PAIRS_AT_LEAST = 1 << 16
# One bound a row costs under a tenth of a dense pass and begins to pay when so few rows change
# (run --only tabular,converge).
_SKIP_BELOW_CHANGED = 0.125
# Rows that have a label are compared with its centroid's score alone, which leaves the vector
# units half of the work; a row that changes, or may, costs more then. From so many features on the
# rest of a pass is little beside it, and bounds pay later (run --only ivf,embed,patches,midk).
_KEEP_FROM_FEATURES = 33
_KEEP_BELOW_CHANGED = 0.5
_KEEP_SKIP_BELOW_CHANGED = 0.01
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


# The rules in words, as `Plan.why` gives them; the keys are what `_method` says.
_ONE, _SMALL = "one cluster takes every row", "small enough for canonical distances alone"
_BOXES = "rows in boxes along a curve, few candidates each"
_BYTES = "tiles of bytes by the matrix unit, a bound a row later"
_COARSE = "coarse tiles by the matrix unit, a bound a row later"
_TILES = "dense tiles by the matrix unit, a bound a row later"
_GROUPS = "tiles of centroids, bounds by groups of centroids"
_CENTROIDS = "dense tiles of centroids, a bound a row later"
_SAMPLES = "dense tiles of samples, a bound a row later"
_RULES = {
    _ONE: "With one cluster there is nothing to compare.",
    _SMALL: f"Below {_PACK_FROM:,} multiply-adds a pass, packing centroids for fast scores costs "
    "more than it saves (benchmark: kernels small).",
    _BOXES: f"Up to {_BOXES_TO_FEATURES} features, from {_BOXES_FROM_CLUSTERS} clusters and "
    f"{_BOXES_FROM_SAMPLES:,} to {_BOXES_TO_SAMPLES:,} rows, sorting rows into boxes pays: a box "
    "meets few centroids (benchmark: run --only geo,palette,pixels).",
    _COARSE: f"From {_COARSE_FROM_FEATURES} features and {_TILES_FROM_CLUSTERS} clusters, or "
    f"{_NARROW_COARSE_FROM_FEATURES} and {_COARSE_FROM_CLUSTERS}, a matrix unit scores fastest "
    "with the first halves of the numbers; full ones follow where more than "
    f"{FINER['coarse'][1]:.0%} of the rows stay open (benchmark: run --only "
    "midk,ivf,embed,patches).",
    _BYTES: f"From {_BYTES_FROM_FEATURES} features and {_BYTES_FROM_CLUSTERS} clusters a matrix "
    "unit scores fastest with whole numbers of 8 bits; the first halves of the numbers follow "
    f"where more than {FINER['bytes'][1]:.0%} of the rows stay open (benchmark: run --only "
    "embed).",
    _TILES: f"From {_TILES_FROM_FEATURES} features and {_TILES_FROM_CLUSTERS} clusters a matrix "
    "unit scores fastest (benchmark: kernels layout).",
    _GROUPS: f"From {_GROUPS_FROM_FEATURES} features and {_GROUPS_FROM_ENTRIES:,} numbers in all "
    "centroids, bounds by groups cost less than the scores they save (benchmark: run --only "
    "ivf,embed,midk).",
    _CENTROIDS: f"From {_CENTROIDS_FROM_FEATURES} features and up to {_CENTROIDS_TO_CLUSTERS} "
    "clusters it is faster to score many centroids at a time than many rows (benchmark: kernels "
    "layout).",
    _SAMPLES: "With these features and clusters it is fastest to score many rows at a time "
    "(benchmark: kernels layout).",
}
_LATER = (
    f"Once at most {_SKIP_BELOW_CHANGED:.1%} of the rows change in a pass, a bound a row tells "
    "which rows need no look (benchmark: run --only tabular,converge)."
)
_LABELS = (
    f"From {_KEEP_FROM_FEATURES} features on tiles compare a row with its centroid's score alone "
    f"while at most {_KEEP_BELOW_CHANGED:.0%} of the rows change; a bound a row follows at "
    f"{_KEEP_SKIP_BELOW_CHANGED:.0%} (benchmark: run --only ivf,embed,patches,midk)."
)
_LITTLE_ROOM = "What would be faster keeps more between passes than skip_memory allows."
_LINE = (
    f"One feature: the optimum is sought up to {_OPTIMUM_TO_SAMPLES:,} rows and "
    f"{_OPTIMUM_TO_CLUSTERS:,} clusters (benchmark: line)."
)
_FEW_THREADS = (
    f"Below {_THREADS_FROM:,} entries a pass, where a row's own work counts as {_ROW_WORK} more "
    f"and {_MULTIPLY_ADDS} multiply-adds as one ({_TILES_MULTIPLY_ADDS} by a matrix unit), "
    "starting a second thread costs more than it helps (benchmark: sweep)."
)
_ALL_THREADS = "As many threads as the process may use: affinity, control group, OMP_NUM_THREADS."
_ASKED_THREADS = "As many threads as asked for."


def make_plan(
    n_samples: int,
    n_features: int,
    n_clusters: int,
    n_threads: int | None = None,
    *,
    any_start: bool = False,
    itemsize: int = 8,
    weighted: bool = False,
    skip_memory: int | None = None,
) -> Plan:
    """Plan a run over ``n_samples`` rows of numbers of ``itemsize`` bytes.

    ``skip_memory`` is the most bytes to keep about all rows from pass to pass.

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
    forced = os.environ.get("TRUEMEANS_METHOD", "")
    scores, skip, reason = _method(n_samples, n_features, n_clusters, target)
    small = _row_work(scores, n_features, n_clusters) * n_samples < _THREADS_FROM
    small &= n_threads is None or not forced
    threads = 1 if small else resolve_threads(n_threads)
    why = [_FEW_THREADS if small else _ALL_THREADS if n_threads is None else _ASKED_THREADS]
    why += [_RULES[reason]]
    room = None if skip_memory is None else skip_memory // n_samples
    if room is not None and skip_bytes(skip, n_features, itemsize, weighted, room) > room:
        skip = "rows" if room >= skip_bytes("rows", n_features, itemsize) else "none"
        reason = f"dense tiles of {scores}, " + (
            "a bound a row later" if skip == "rows" else "nothing kept from pass to pass"
        )
        why += [_LITTLE_ROOM]
    why += [_LABELS] if _may_keep(scores, n_features) else [_LATER] if skip == "rows" else []
    block_rows = 0
    if forced:
        scores, skip, block_rows = _forced(forced, n_features, target)
        reason, why = "forced by TRUEMEANS_METHOD", why[:1]
    if note:
        why.append(_LINE)
    reason = note + reason
    return Plan(
        engine, target, threads, scores, skip, block_rows, reason, max_runs, room, tuple(why)
    )


def methods(target: str, n_features: int) -> list[tuple[str, str]]:
    """The methods that can label rows of so many features on a SIMD target."""
    return [
        (scores, skip)
        for scores, skip in METHODS
        if (skip != "boxes" or n_features <= _BOXES_TO_FEATURES)
        and (scores not in _TILES_SCORES or has_tiles(target))
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
        return "none", "none", _ONE
    if work < _PACK_FROM:
        return "none", "none", _SMALL
    if (
        n_features <= _BOXES_TO_FEATURES
        and n_clusters >= _BOXES_FROM_CLUSTERS
        and _BOXES_FROM_SAMPLES <= n_samples <= _BOXES_TO_SAMPLES
    ):
        return "samples", "boxes", _BOXES
    if (
        (n_features >= _TILES_FROM_FEATURES and n_clusters >= _TILES_FROM_CLUSTERS)
        or (n_features >= _NARROW_TILES_FROM_FEATURES and n_clusters >= _NARROW_TILES_FROM_CLUSTERS)
    ) and has_tiles(target):
        if n_features >= _BYTES_FROM_FEATURES and n_clusters >= _BYTES_FROM_CLUSTERS:
            return "bytes", "rows", _BYTES
        many = n_clusters >= _COARSE_FROM_CLUSTERS
        if n_features >= (_NARROW_COARSE_FROM_FEATURES if many else _COARSE_FROM_FEATURES):
            return "coarse", "rows", _COARSE
        return "tiles", "rows", _TILES
    if entries >= _GROUPS_FROM_ENTRIES and n_features >= _GROUPS_FROM_FEATURES:
        return "centroids", "groups", _GROUPS
    if n_features >= _CENTROIDS_FROM_FEATURES and n_clusters <= _CENTROIDS_TO_CLUSTERS:
        return "centroids", "rows", _CENTROIDS
    return "samples", "rows", _SAMPLES


def _row_work(scores: str, n_features: int, n_clusters: int) -> float:
    per_entry = _TILES_MULTIPLY_ADDS if scores in _TILES_SCORES else _MULTIPLY_ADDS
    return _ROW_WORK + n_features * (1 + n_clusters / per_entry)


def finer_scores(scores: str, n_settled: int, n_samples: int) -> str:
    """The scores for the next pass: finer ones where these left too much open in the last."""
    finer, share = FINER.get(scores, (scores, 1.0))
    return finer if n_settled > share * n_samples else scores


def _may_keep(scores: str, n_features: int) -> bool:
    return scores in _TILES_SCORES and n_features >= _KEEP_FROM_FEATURES


def should_keep(scores: str, n_features: int, n_changed: int, n_samples: int) -> bool:
    """Whether most rows will keep the label of the last pass, and it pays to start from that."""
    return _may_keep(scores, n_features) and n_changed <= _KEEP_BELOW_CHANGED * n_samples


def should_skip(keeps: bool, n_changed: int, n_samples: int) -> bool:
    """Whether a bound a row will pay, from the last pass; keeps: as `should_keep` says."""
    share = _KEEP_SKIP_BELOW_CHANGED if keeps else _SKIP_BELOW_CHANGED
    return n_changed <= share * n_samples


def n_groups(n_features: int, itemsize: int, row_room: int | None = None) -> int:
    """The most groups whose bounds, with labels, fit 24 bytes and half a row.

    And whose bounds fit ``row_room`` bytes a row, if eight groups do.
    """
    # Label, upper bound and slack take 12 bytes a row, a bound 2; groups come in eights.
    room = 24 - 12 + n_features * itemsize // 2
    if row_room is not None:
        room = min(room, row_room - 8)
    return max(8, room // 2 // 8 * 8)


def skip_bytes(
    skip: str, n_features: int, itemsize: int, weighted: bool = False, row_room: int | None = None
) -> int:
    """The most bytes a row that are kept from pass to pass (docs/memory.md; memory)."""
    if skip == "groups":
        # Upper bound and slack, and a lower bound a group.
        return 8 + 2 * n_groups(n_features, itemsize, row_room)
    if skip == "boxes":
        # The row once more, its weight, number and label, its place while rows are sorted; and
        # for every 8 rows or more the two corners of a box and its label.
        return n_features * itemsize + 8 * weighted + 12 + 2 * n_features + 1
    return 4 if skip == "rows" else 0


def closer_scores(n_features: int, target: str) -> str:
    """How scores are laid out when seeding looks for candidates closer than all centroids."""
    if n_features >= _TILES_FROM_FEATURES and has_tiles(target):
        return "coarse" if n_features >= _NARROW_COARSE_FROM_FEATURES else "tiles"
    return "samples" if n_features < _CLOSER_CENTROIDS_FROM_FEATURES else "centroids"


def draws_at_once(n_samples: int, n_features: int, n_clusters: int, n_trials: int) -> bool:
    """Whether k-means++ draws round by round in one call; the picks differ from drawing ahead."""
    entries = n_samples * n_features
    boxable = n_features <= _BOXES_TO_FEATURES
    most = _AT_ONCE_TO_UNBOXED if boxable else _AT_ONCE_TO_SAMPLES
    few = n_samples <= most and entries <= _AT_ONCE_TO_ENTRIES
    return few and entries * n_clusters * n_trials <= _AT_ONCE_TO_WORK


def draws_in_boxes(n_samples: int, n_features: int) -> bool:
    """Whether k-means++ over more rows than `draws_at_once` allows goes through boxes.

    The picks differ from drawing ahead; neither clusters nor memory decide, so that nothing but
    the rows does.
    """
    return n_features <= _BOXES_TO_FEATURES and n_samples <= _DRAWN_BOXES_TO_SAMPLES


def most_pairs(n_samples: int, n_features: int, itemsize: int) -> int:
    """How many pairs of a row and a candidate seeding may hold at a time."""
    # Squared distance, bucket and order take 14 of 24 bytes a row, a pair up to 48 while pairs are
    # found, in vectors that double, and sorted.
    room = n_samples * (24 - 14 + n_features * itemsize // 2)
    return max(room // 48, _PAIRS_AT_LEAST)


def swap_patience(n_clusters: int) -> int:
    """Swaps in a row that may fail before a search for better centroids ends."""
    fewer = _SWAP_PATIENCE_TIMES_SQUARE // n_clusters**2
    return max(_SWAP_LEAST_PATIENCE, min(_SWAP_PATIENCE, fewer))
