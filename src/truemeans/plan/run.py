"""The plan of a run: engine, threads, method, and why."""

from __future__ import annotations

import os

from truemeans.plan.draws import SEEDING, seeding_for
from truemeans.plan.passes import LABELS, LATER, TILES_SCORES, may_keep
from truemeans.plan.room import skip_bytes
from truemeans.plan.scores import RULES, choose_method, methods
from truemeans.result import Plan
from truemeans.threads import resolve_threads

__all__ = ["make_plan", "swap_patience"]

# Below this much work on the rows in a pass, starting a thread costs more than it helps, however
# many may be used. An entry counts one, a row _ROW_WORK besides, and so many multiply-adds one
# (sweep).
_THREADS_FROM = 530_000
_ROW_WORK = 35
_MULTIPLY_ADDS, _TILES_MULTIPLY_ADDS = 15, 150
# With one feature the optimum of a million values takes less time than a run of the loop from
# drawn centroids (line). Sorting cannot be interrupted half-way, and a sorted value
# takes 64 bytes; the first bounds hold 8 runs of places for each pair of clusters.
_OPTIMUM_TO_SAMPLES = 20_000_000
_OPTIMUM_TO_CLUSTERS = 1000
# Runs of places held at once, 28 bytes each; only clusters in near ties come close.
_OPTIMUM_MAX_RUNS = 8_388_608
# A search for better centroids ends when so many swaps in a row were no improvement: enough for
# the best known inertias up to 50 clusters, where half of it misses some. With more clusters a
# swap gains less of the whole (refine).
_SWAP_PATIENCE = 100
_SWAP_PATIENCE_TIMES_SQUARE = 200_000
_SWAP_LEAST_PATIENCE = 10

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
    any_seeding: bool = False,
    itemsize: int = 8,
    skip_memory: int | None = None,
) -> Plan:
    """Plan a run over ``n_samples`` rows of numbers of ``itemsize`` bytes.

    ``skip_memory`` is the most bytes to keep about all rows from pass to pass.

    ``any_start`` says that the caller named no initial centroids and no algorithm, so that rows
    of one feature may get the optimum, and ``any_seeding`` that it is left open how they are drawn.

    Environment variables force a choice, for tests and for finding faults: ``TRUEMEANS_TARGET``
    a SIMD target by name, ``TRUEMEANS_ENGINE=reference`` the NumPy engine, and
    ``TRUEMEANS_METHOD=scores/skip/block_rows`` the fields of the plan, as in "centroids/rows/7".
    """
    engine = _set("TRUEMEANS_ENGINE") or "native"
    target = _set("TRUEMEANS_TARGET")
    max_runs, note = _optimum(n_samples, n_clusters) if any_start and n_features == 1 else (0, "")
    seeding = seeding_for(n_samples, n_features, n_clusters) if any_seeding else ""
    if seeding == "k-means||" and not max_runs:
        note += "seeds by k-means||; "
    if engine == "reference":
        reason = note + "the definition, in NumPy float64"
        return Plan("reference", "", 1, "none", "none", 0, reason, max_runs, seeding=seeding)
    forced = _set("TRUEMEANS_METHOD")
    scores, skip, reason = choose_method(n_samples, n_features, n_clusters, target)
    small = _row_work(scores, n_features, n_clusters) * n_samples < _THREADS_FROM
    small &= n_threads is None or not forced
    threads = 1 if small else resolve_threads(n_threads)
    why = [_FEW_THREADS if small else _ALL_THREADS if n_threads is None else _ASKED_THREADS]
    why += [RULES[reason]]
    room = None if skip_memory is None else skip_memory // n_samples
    if room is not None and skip_bytes(skip, n_features, itemsize, room) > room:
        skip = "rows" if room >= skip_bytes("rows", n_features, itemsize) else "none"
        reason = f"dense tiles of {scores}, " + (
            "a bound a row later" if skip == "rows" else "nothing kept from pass to pass"
        )
        why += [_LITTLE_ROOM]
    why += [LABELS] if may_keep(scores, n_features) else [LATER] if skip == "rows" else []
    block_rows = 0
    if forced:
        scores, skip, block_rows = _forced(forced, n_features, target)
        reason, why = "forced by TRUEMEANS_METHOD", why[:1]
    if any_start and n_features == 1:
        why.append(_LINE)
    if seeding and not max_runs:
        why.append(SEEDING)
    reason = note + reason
    return Plan(
        engine,
        target,
        threads,
        scores,
        skip,
        block_rows,
        reason,
        max_runs,
        room,
        seeding,
        tuple(why),
    )


def _set(variable: str) -> str:
    # Mostly it is not there, which `get` finds by an exception: a fiftieth of a small fit.
    return os.environ[variable] if variable in os.environ else ""  # noqa: SIM401


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


def _row_work(scores: str, n_features: int, n_clusters: int) -> float:
    per_entry = _TILES_MULTIPLY_ADDS if scores in TILES_SCORES else _MULTIPLY_ADDS
    return _ROW_WORK + n_features * (1 + n_clusters / per_entry)


def swap_patience(n_clusters: int) -> int:
    """Swaps in a row that may fail before a search for better centroids ends."""
    fewer = _SWAP_PATIENCE_TIMES_SQUARE // n_clusters**2
    return max(_SWAP_LEAST_PATIENCE, min(_SWAP_PATIENCE, fewer))
