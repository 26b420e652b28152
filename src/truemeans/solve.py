"""From a validated problem to a result: seeds, runs, the best one.

Data flows one way. Everything here has been checked; nothing here raises on user input except
what only shows while running (a callable ``init``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from truemeans.counted import Counted
from truemeans.dataset import Dataset, Survey
from truemeans.engines import RowState, open_engine
from truemeans.engines.records import FloatArray, LabelArray
from truemeans.lloyd import Run, lloyd
from truemeans.optimum import optimum
from truemeans.plan import make_plan, swap_patience
from truemeans.refine import bytes_needed, refine
from truemeans.result import Callback, History, Plan, Refinement, Result
from truemeans.scale import Scale, exponent_away
from truemeans.seeding import Draw, Seeds, n_trials, parallel, plusplus
from truemeans.sources import Source, keep_rows
from truemeans.sources.scaled import ScaledSource
from truemeans.watch import Record, Watch

__all__ = ["Problem", "assign", "distances", "fit", "inertia", "seed"]


# Distances computed at a time: 8 MB, and a few milliseconds until Ctrl-C is heard.
_PIECE = 1 << 20


class Problem(NamedTuple):
    """A checked problem.

    Attributes
    ----------
    source : Source
        The rows, all finite.
    survey : Survey
        Of the source.
    sample_weight : ndarray of float64, shape (n_samples,), or None
        Non-negative and not all zero.
    n_clusters : int
        From 1 to n_samples.
    init : {"k-means++", "k-means||", "random"}, ndarray or callable
        An array has shape (n_clusters, n_features) and the source's dtype.
    n_init, max_iter : int
        At least 1.
    tol : float
        Relative to the mean variance of the features.
    rng : RandomState or Generator
        For seeding.
    plan : Plan
        How to compute it.
    n_threads : int or None
        What the caller asked for; None lets plans choose.
    refine : bool
        Whether swaps of centroids may improve the best run.
    max_swaps : int or None
        The most swaps to try.
    max_swap_seconds : float or None
        How long to try.
    n_local_trials : int or None
        Rows k-means++ draws a round; None for ``2 + floor(ln(n_clusters))``.
    check_centroids : callable
        Checks what a callable ``init`` returned: (value, n_clusters, n_features, dtype).
    """

    source: Source
    survey: Survey
    sample_weight: FloatArray | None
    n_clusters: int
    init: Any
    n_init: int
    max_iter: int
    tol: float
    rng: Any
    plan: Plan
    n_threads: int | None = None
    refine: bool = False
    max_swaps: int | None = None
    max_swap_seconds: float | None = None
    n_local_trials: int | None = None
    check_centroids: Callable[[Any, int, int, np.dtype[Any]], npt.NDArray[Any]] | None = None

    @property
    def refine_bytes(self) -> int:
        """Bytes that refining takes."""
        return bytes_needed(self.source.n_samples, self.source.n_features)

    @property
    def record_bytes(self) -> int:
        """Bytes a record takes for each iteration."""
        source = self.source
        centroids = self.n_clusters * source.n_features * source.dtype.itemsize
        return 4 * source.n_samples + centroids

    def new_record(self) -> Record:
        """Room to record one run."""
        source = self.source
        return Record(
            self.max_iter, source.n_samples, self.n_clusters, source.n_features, source.dtype
        )


def fit(
    problem: Problem,
    *,
    callback: Callback | None = None,
    record: bool = False,
    watch_swaps: Callable[[Refinement], object] | None = None,
) -> Result:
    """Run ``n_init`` times and keep the run of least inertia, the first of equals.

    Where the plan seeks the optimum there is one run, which starts from it.
    A callback that ends the fit leaves the runs that have not begun; the run it ended counts.
    """
    plan = problem.plan
    with open_engine(plan) as engine:
        counted = Counted.of(problem.source, problem.survey, problem.sample_weight, engine)
        dataset, scale = counted.bind(engine)
        watch = Watch(
            callback,
            problem.new_record if record else None,
            scale=scale,
            dtype=problem.source.dtype,
            max_iter=problem.max_iter,
            n_init=1 if plan.optimum_runs else problem.n_init,
            label_all=partial(_label_all, problem, counted.numbers),
        )
        max_sq_shift = 0.0
        if problem.tol > 0:
            max_sq_shift = problem.tol * dataset.total_variance() / dataset.n_features
        starts, optimal = _starts(problem, dataset, scale, plan)
        best: Run | None = None
        restarts: list[float] = []
        for number, start in enumerate(starts):
            run = lloyd(
                dataset,
                start.centroids,
                start.labels,
                max_iter=problem.max_iter,
                max_sq_shift=max_sq_shift,
                watch=watch.of_run(number),
            )
            restarts.append(scale.inertia(run.inertia))
            if best is None or run.inertia < best.inertia:
                best = run
                watch.keep()
            if watch.stopped:
                break
        assert best is not None, "n_init is at least 1"
        refinement = None
        if problem.refine and not optimal and not watch.stopped:
            best, refinement = refine(
                dataset,
                best,
                max_swaps=problem.max_swaps,
                max_seconds=problem.max_swap_seconds,
                patience=swap_patience(problem.n_clusters),
                max_iter=problem.max_iter,
                watch=watch_swaps,
            )
            before = scale.inertia(refinement.inertia_before)
            refinement = replace(refinement, inertia_before=before)
        return _result(
            problem,
            best,
            watch,
            scale,
            counted.numbers,
            plan=plan,
            optimal=optimal,
            refinement=refinement,
            restarts=restarts,
        )


def _label_all(
    problem: Problem,
    counted: npt.NDArray[np.intp] | None,
    labels: LabelArray,
    centroids: npt.NDArray[Any],
) -> LabelArray:
    """Labels of all rows, from those of the rows that count: the others have none yet."""
    if counted is None:
        return labels
    every = np.empty(problem.source.n_samples, np.int32)
    every[counted] = labels
    others = np.delete(np.arange(len(every)), counted)
    every[others] = assign(keep_rows(problem.source, others), centroids, problem.n_threads)
    return every


def _result(
    problem: Problem,
    run: Run,
    watch: Watch,
    scale: Scale,
    counted: npt.NDArray[np.intp] | None,
    *,
    plan: Plan,
    optimal: bool,
    refinement: Refinement | None,
    restarts: list[float],
) -> Result:
    """The best run in the user's units, with labels for all rows."""
    source, n_iter = problem.source, len(run.inertias)
    centroids = scale.centroids(run.centroids, source.dtype)
    if scale.values:
        # On another scale other squares vanish: the labels are those that anyone who asks gets.
        labels = assign(source, centroids, problem.n_threads)
    else:
        labels = _label_all(problem, counted, run.labels, centroids)
    record = watch.record(n_iter)
    return Result(
        centroids=centroids,
        labels=labels,
        inertia=scale.inertia(run.inertia),
        n_iter=n_iter,
        converged=run.converged,
        optimal=optimal,
        history=History(
            np.array([scale.inertia(value) for value in run.inertias]),
            np.array(run.n_changed, np.int64),
            None if record is None else record.centroids,
            None if record is None else record.labels,
        ),
        refinement=refinement,
        plan=plan,
        _take=source.take,
        restarts=np.array(restarts),
    )


class _Start(NamedTuple):
    """Initial centroids, and the first labels where these are known."""

    centroids: FloatArray
    labels: LabelArray | None = None


def _starts(
    problem: Problem, dataset: Dataset, scale: Scale, plan: Plan
) -> tuple[Iterator[_Start], bool]:
    """Where each run starts, and whether the one run starts at a proved optimum."""
    if plan.optimum_runs:
        found = optimum(dataset, problem.n_clusters, plan.optimum_runs)
        return iter([_Start(found.centroids)]), found.proved
    starts = _Starts(problem, dataset, scale)
    return (starts.next() for _ in range(problem.n_init)), False


class _Starts:
    """Hands out one set of initial centroids a run."""

    def __init__(self, problem: Problem, dataset: Dataset, scale: Scale) -> None:
        self._problem, self._dataset, self._scale = problem, dataset, scale
        named = isinstance(problem.init, str)
        self._draw = Draw(dataset, problem.rng) if named else None

    def next(self) -> _Start:
        problem = self._problem
        if self._draw is not None:
            seeds = _draw_rows(problem, self._dataset, self._draw)
            # Zeros of one sign, so that which of two equal rows was drawn does not show.
            centroids = self._dataset.source.take(seeds.rows).astype(np.float64) + 0.0
            # Boxes know labels of their own only.
            return _Start(centroids, None if problem.plan.skip == "boxes" else seeds.labels)
        centroids = problem.init
        if callable(centroids):
            assert problem.check_centroids is not None
            source = problem.source
            centroids = problem.check_centroids(
                centroids(
                    source.take(np.arange(source.n_samples)), problem.n_clusters, problem.rng
                ),
                problem.n_clusters,
                source.n_features,
                source.dtype,
            )
        values = np.asarray(centroids, dtype=np.float64)
        return _Start(np.ldexp(values, -self._scale.values) if self._scale.values else values)


def _draw_rows(problem: Problem, dataset: Dataset, draw: Draw) -> Seeds:
    if problem.init == "random":
        return Seeds(draw.distinct(problem.n_clusters))
    trials = problem.n_local_trials or n_trials(problem.n_clusters)
    pick = parallel if problem.init == "k-means||" else plusplus
    return pick(dataset, draw, problem.n_clusters, trials)


def seed(problem: Problem) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Initial centroids and the rows they are, for an ``init`` given by name."""
    with open_engine(problem.plan) as engine:
        counted = Counted.of(problem.source, problem.survey, problem.sample_weight, engine)
        dataset, _ = counted.bind(engine)
        rows = _draw_rows(problem, dataset, Draw(dataset, problem.rng)).rows
    if counted.numbers is not None:
        rows = counted.numbers[rows]
    return problem.source.take(rows), rows


def assign(source: Source, centroids: npt.NDArray[Any], n_threads: int | None) -> LabelArray:
    """Index of the nearest centroid of every row: the assignment step, nothing else."""
    labels = np.full(source.n_samples, -1, np.int32)
    with open_engine(_plan_for(source, centroids, n_threads)) as engine:
        source, values, _ = _scaled_pair(source, centroids)
        for where, X in source.blocks():
            engine.assign(X, None, values, None, RowState(labels[where]), None)
    return labels


def inertia(
    source: Source,
    found: Survey,
    sample_weight: FloatArray | None,
    centroids: npt.NDArray[Any],
    n_threads: int | None,
) -> float:
    """Inertia of the rows with their nearest centroids: the same bits as a fit's."""
    with open_engine(_plan_for(source, centroids, n_threads)) as engine:
        counted = Counted.of(source, found, sample_weight, engine)
        value = _inertia(*counted.bind(engine), centroids)
        top = float(np.abs(centroids).max())
        if math.isinf(value) and top > counted.survey.top:
            # On the scale of tiny rows the squares of ordinary centroids overflow.
            value = _inertia(*counted.bind(engine, top), centroids)
        return value


def _inertia(dataset: Dataset, scale: Scale, centroids: npt.NDArray[Any]) -> float:
    with np.errstate(over="ignore"):
        values = np.ldexp(np.asarray(centroids, np.float64), -scale.values)
    sums = dataset.new_run(len(values))
    dataset.assign(values, sums)
    return scale.inertia(dataset.update(sums, values).inertia)


def distances(
    source: Source, centroids: npt.NDArray[Any], n_threads: int | None
) -> npt.NDArray[Any]:
    """Distance of every row to every centroid, (n_samples, n_clusters), in the source's dtype."""
    out = np.empty((source.n_samples, len(centroids)), source.dtype)
    with open_engine(_plan_for(source, centroids, n_threads)) as engine:
        scaled, values, exponent = _scaled_pair(source, centroids)
        for start, X in _pieces(scaled, _PIECE // len(values) + 1):
            sq_dist = engine.sq_distances(X, values)
            # A distance may be beyond the largest number of the rows' type.
            with np.errstate(over="ignore"):
                out[start : start + len(X)] = np.ldexp(np.sqrt(sq_dist), exponent)
                far = start + np.flatnonzero(~np.isfinite(sq_dist).all(axis=1))
                for rows, size in _by_size(source, far):
                    small = np.ldexp(source.take(rows).astype(np.float64), -size)
                    sq_dist = engine.sq_distances(small, np.ldexp(values, exponent - size))
                    out[rows] = np.ldexp(np.sqrt(sq_dist), size)
    return out


def _pieces(source: Source, most: int) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """The rows, at most so many at a time, with the number of the first."""
    for where, X in source.blocks():
        for i in range(0, len(X), most):
            yield where.start + i, X[i : i + most]


def _by_size(
    source: Source, rows: npt.NDArray[np.intp]
) -> Iterator[tuple[npt.NDArray[np.intp], int]]:
    """Rows in groups whose largest entries share a power of two, with its exponent."""
    if len(rows):
        sizes = np.frexp(np.abs(source.take(rows)).max(axis=1))[1]
        for size in np.unique(sizes):
            yield rows[sizes == size], int(size)


def _plan_for(source: Source, centroids: npt.NDArray[Any], n_threads: int | None) -> Plan:
    return make_plan(source.n_samples, source.n_features, len(centroids), n_threads)


def _scaled_pair(source: Source, centroids: npt.NDArray[Any]) -> tuple[Source, FloatArray, int]:
    """Rows and centroids on one scale where the centroids' squares are safe."""
    values = np.ascontiguousarray(centroids, dtype=np.float64)
    exponent = exponent_away(float(np.abs(values).max()))
    if exponent == 0:
        return source, values, 0
    return ScaledSource(source, exponent), np.ldexp(values, -exponent), exponent
