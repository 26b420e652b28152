"""The functions a user calls: k-means in one line, and its seeding alone."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans import solve
from truemeans.dataset import survey
from truemeans.engines import open_engine
from truemeans.narrator import Narrator
from truemeans.plan import make_plan
from truemeans.progress import ProgressBar
from truemeans.solve import Problem
from truemeans.sources import ArraySource, NpySource, Source
from truemeans.validation import (
    check_callback,
    check_centroids,
    check_finite,
    check_flag,
    check_init,
    check_integer,
    check_n_clusters,
    check_n_init,
    check_n_local_trials,
    check_random_state,
    check_record,
    check_refine,
    check_refine_memory,
    check_rows,
    check_run_fits,
    check_sample_weight,
    check_squared_norms,
    check_tol,
    check_verbose,
    npy_path,
    warn_few_distinct,
    warn_interrupted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from truemeans.dataset import Survey
    from truemeans.result import Callback, Plan, Result

__all__ = [
    "k_means",
    "kmeans_plusplus",
    "open_source",
    "plan_survey",
    "pose",
    "survey_rows",
    "warn_about",
]

# Labels looked at together when every cluster is expected to have some.
_STRETCH = 16_384


def k_means(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: npt.ArrayLike | None = None,
    init: str | npt.ArrayLike | Callable[..., Any] = "auto",
    n_init: int = 1,
    max_iter: int = 300,
    tol: float = 0.0,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    n_threads: int | None = None,
    callback: Callback | None = None,
    record: bool = False,
    progress: bool = False,
    refine: str | None = None,
    max_swaps: int | None = None,
    max_swap_seconds: float | None = None,
    skip_memory: int | None = None,
    verbose: int = 0,
) -> Result:
    """Separate the rows of ``X`` into ``n_clusters`` clusters.

    Minimises the inertia, the sum over rows of weight × *squared* Euclidean distance to the
    centroid of the own cluster. The same input gives the same bits on every machine and for
    every number of threads.

    Rows of one feature get the optimum over all clusterings (``Result.optimal``), unless
    ``init`` is an array or a callable; the loop starts from the optimum then, and ``n_init``
    and ``random_state`` have no part in the answer.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or path of a .npy file
        Lists of lists, NumPy arrays of any real dtype and layout, pandas, polars and Arrow
        tables. float32 stays float32, float16 becomes float32, all else float64.
    n_clusters : int
        Number of clusters, from 1 to ``n_samples``.
    sample_weight : array-like of shape (n_samples,) or a scalar, default=None
        Weight of each row, 0 or more; None weighs every row 1. Weight 2 is the same as
        having the row twice, weight 0 as not having it, except that it is labelled.
    init : {"auto", "k-means++", "k-means||", "random"}, array-like or callable, default="auto"
        Where the centroids start. "k-means++" draws rows far from those already drawn, the best
        of a few each time, "k-means||" many at once in a few passes and picks among these, "random"
        distinct rows. "auto" is "k-means||" for many rows (docs/seeding.md), else "k-means++"; the
        plan says so. An array of shape (n_clusters, n_features) gives the centroids; a callable
        makes them from ``(X, n_clusters, random_state)``.
    n_init : int, default=1
        Number of runs from different starts; the one with the least inertia is returned.
    max_iter : int, default=300
        The most iterations of one run.
    tol : float, default=0.0
        A run also ends when the squared movement of the centroids adds up to at most ``tol``
        × the mean variance of the features. With 0 it ends when no label changes.
    random_state : int, RandomState, Generator or None, default=None
        What makes the random choices. An integer makes them the same every time; None draws
        from NumPy's global state.
    n_threads : int, default=None
        The most threads to use; work that takes about a millisecond uses one. None takes what
        the process may use: CPU affinity, control group limits and OMP_NUM_THREADS are respected.
    callback : callable, default=None
        Called with a `truemeans.Iteration` after every iteration. A true return value ends the
        fit there: further runs are not begun, and the best run so far is returned, the one
        that was ended counting as it stands.
    record : bool, default=False
        Keep every iteration's centroids and labels on ``Result.history``; of several runs, those
        of the one returned. Takes ``4 × n_samples + itemsize × n_clusters × n_features`` bytes an
        iteration, with ``n_init > 1`` twice; what ``max_iter`` iterations would take must be
        free before the fit starts.
    progress : bool, default=False
        Show a `truemeans.ProgressBar` once the fit has lasted a second, in a terminal (on standard
        error) or a notebook.
    refine : {"swap"} or None, default=None
        "swap" looks for better centroids after the best run: it takes away a centroid that is
        worth little, halves a cluster that costs much, lets the neighbours follow, moves single
        rows, and keeps what lowers the inertia. Never worse than without, and still one answer;
        `Result.refinement` says what was done. It works on copies of the rows, up to
        24 × n_features + 56 bytes a row. Ctrl-C during the search ends it, and the best so far
        is returned.
    max_swaps : int, default=None
        The most swaps that ``refine`` tries. None goes on until 100 in a row were no
        improvement; fewer with more than 44 clusters.
    max_swap_seconds : float, default=None
        About how long ``refine`` may search. What it finds by then depends on the machine and
        what else it does: only with None is there one answer.
    skip_memory : int, default=None
        The most bytes to keep about the rows from pass to pass, which is what lets late passes
        skip work. Fewer make a fit slower and change no bit of what it finds. None keeps what
        pays: at most 20 bytes a row and half of ``X`` (`docs/memory.md` has the formulas).
    verbose : int, default=0
        With 1 or more, the plan, the rules behind it and every iteration print a line.

    Returns
    -------
    Result
        ``centroids`` (n_clusters, n_features), ``labels`` int32 (n_samples,), ``inertia``
        (infinite where float64 cannot hold it), and what led to them; unpacks as
        ``centroids, labels, inertia``.

    Raises
    ------
    ValueError
        If an entry of ``X`` is missing or not finite, or a parameter is out of range.
    TypeError
        If ``X`` does not hold numbers, or a parameter has the wrong type.
    MemoryError
        If the run, its record, or the copies for ``refine`` cannot fit into the memory that is
        free.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
    Theory 28 (1982), 129–137.

    A. Grønlund, K. G. Larsen, A. Mathiasen, J. S. Nielsen, S. Schneider, M. Song, "Fast exact
    k-means, k-medians and Bregman divergence clustering in 1D" (2017).

    Examples
    --------
    >>> from truemeans import k_means
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> centroids, labels, inertia = k_means(X, 2, init=[[0, 0], [9, 9]])
    >>> centroids
    array([[ 1.,  2.],
           [10.,  2.]])
    >>> labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    >>> inertia
    16.0
    """
    told = check_callback(callback)
    shown = check_flag("progress", progress)
    kept = check_flag("record", record)
    loud = check_verbose(verbose)
    problem = pose(
        X,
        n_clusters,
        sample_weight=sample_weight,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        tol=tol,
        random_state=random_state,
        n_threads=n_threads,
        refine=refine,
        max_swaps=max_swaps,
        max_swap_seconds=max_swap_seconds,
        skip_memory=skip_memory,
        caller="k_means",
    )
    if kept:
        check_record(problem.record_bytes, problem.max_iter, problem.n_init)
    if loud:
        told = Narrator(told, problem.tol, problem.plan)
    with ProgressBar(told) if shown else nullcontext(told) as watched:
        swaps = watched.swaps if isinstance(watched, ProgressBar) else None
        result = solve.fit(problem, callback=watched, record=kept, watch_swaps=swaps)
    warn_about(result, problem)
    return result


def kmeans_plusplus(
    X: Any,
    n_clusters: int,
    *,
    sample_weight: npt.ArrayLike | None = None,
    x_squared_norms: npt.ArrayLike | None = None,
    random_state: int | np.random.RandomState | np.random.Generator | None = None,
    n_local_trials: int | None = None,
    n_threads: int | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Choose ``n_clusters`` rows of ``X`` to start from, by greedy k-means++.

    The first row is drawn by weight, each further one by weight × squared distance to the
    nearest row chosen so far, the best of several draws each time.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or path of a .npy file
        The rows; what `k_means` takes.
    n_clusters : int
        Number of rows to choose, from 1 to ``n_samples``.
    sample_weight : array-like of shape (n_samples,) or a scalar, default=None
        Weight of each row, 0 or more; None weighs every row 1.
    x_squared_norms : array-like of shape (n_samples,), default=None
        Taken for compatibility with scikit-learn; distances are computed without it.
    random_state : int, RandomState, Generator or None, default=None
        What makes the random choices. An integer makes them the same every time.
    n_local_trials : int, default=None
        Draws to choose the best of, for every row but the first, at most 65,535. None makes it
        2 + ⌊ln n_clusters⌋; 1 is k-means++ without greed.
    n_threads : int, default=None
        The most threads to use; None takes what the process may use.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
        The chosen rows, float32 or float64.
    indices : ndarray of int, shape (n_clusters,)
        Where they are: ``X[indices]`` are the centers.

    Raises
    ------
    ValueError
        If an entry of ``X`` is missing or not finite, or a parameter is out of range.
    TypeError
        If ``X`` does not hold numbers, or a parameter has the wrong type.

    References
    ----------
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", Proceedings
    of the 18th ACM-SIAM Symposium on Discrete Algorithms (2007), 1027–1035.

    Examples
    --------
    >>> from truemeans import kmeans_plusplus
    >>> X = [[1.0, 2.0], [1.0, 2.0], [10.0, 2.0]]
    >>> centers, indices = kmeans_plusplus(X, 2, random_state=0)
    >>> sorted(centers.tolist())
    [[1.0, 2.0], [10.0, 2.0]]
    """
    problem = pose(
        X,
        n_clusters,
        sample_weight=sample_weight,
        random_state=random_state,
        n_threads=n_threads,
        n_local_trials=n_local_trials,
        caller="kmeans_plusplus",
    )
    check_squared_norms(x_squared_norms, problem.source.n_samples)
    return solve.seed(problem)


def pose(
    X: object,
    n_clusters: object,
    *,
    sample_weight: object = None,
    init: object = "k-means++",
    n_init: object = 1,
    max_iter: object = 300,
    tol: object = 0.0,
    random_state: object = None,
    n_threads: object = None,
    n_local_trials: object = None,
    any_start: bool = True,
    refine: object = None,
    max_swaps: object = None,
    max_swap_seconds: object = None,
    skip_memory: object = None,
    caller: str,
) -> Problem:
    """Return the problem that the caller's arguments describe, everything checked once.

    ``any_start`` lets the optimum of one feature stand in for a run from drawn centroids.
    ``caller`` is the name of what the user called, for a warning to name.
    """
    threads = n_threads
    if threads is not None:
        threads = check_integer("n_threads", threads, 1, "or give None to use what is there")
    source = open_source(X)
    count = check_n_clusters(n_clusters, source.n_samples)
    seeding = check_init(init, count, source.n_features, source.dtype)
    draws = isinstance(seeding, str)
    check_run_fits(source.n_samples, source.n_features, count, draws=draws)
    trials = check_n_local_trials(n_local_trials)
    refined, swaps, seconds = check_refine(refine, max_swaps, max_swap_seconds)
    kept = skip_memory
    if kept is not None:
        kept = check_integer("skip_memory", kept, 0, "or give None to keep what pays")
    plan = make_plan(
        source.n_samples,
        source.n_features,
        count,
        threads,
        any_start=any_start and draws,
        any_seeding=draws and seeding == "auto",
        itemsize=source.dtype.itemsize,
        skip_memory=kept,
    )
    problem = Problem(
        source=source,
        survey=survey_rows(source, plan, X),
        sample_weight=check_sample_weight(sample_weight, source.n_samples),
        n_clusters=count,
        init=plan.seeding or seeding,
        n_init=check_n_init(n_init, seeding, caller),
        max_iter=check_integer("max_iter", max_iter, 1, "give the most iterations to take"),
        tol=check_tol(tol),
        rng=check_random_state(random_state),
        plan=plan,
        n_threads=threads,
        refine=refined,
        max_swaps=swaps,
        max_swap_seconds=seconds,
        n_local_trials=trials,
        check_centroids=check_centroids,
    )
    if refined:
        check_refine_memory(problem.refine_bytes)
    return problem


def open_source(X: object) -> Source:
    """Return where the rows live: a .npy file read in place, or an array."""
    path = npy_path(X)
    return ArraySource(check_rows(X)) if path is None else NpySource(path)


def plan_survey(source: Source, n_threads: int | None = None) -> Plan:
    """Return how to survey rows where nothing else is planned."""
    return make_plan(source.n_samples, source.n_features, 1, n_threads)


def survey_rows(source: Source, plan: Plan, X: object) -> Survey:
    """Return the survey of the rows, and raise if one of them is not finite."""
    with open_engine(plan) as engine:
        found = survey(source, engine)
    check_finite(found.bad, X, source.dtype)
    return found


def warn_about(result: Result, problem: Problem) -> None:
    """Warn if a search was cut short, or if too few clusters hold a row that weighs anything."""
    if result.refinement is not None and result.refinement.interrupted:
        warn_interrupted()
    weight = problem.sample_weight
    seen = np.zeros(problem.n_clusters, bool)
    # Mostly the first stretch has a row of every cluster.
    for start in range(0, len(result.labels), _STRETCH):
        stretch = slice(start, start + _STRETCH)
        labels = result.labels[stretch]
        seen[labels if weight is None else labels[weight[stretch] > 0]] = True
        if (n_seen := int(np.count_nonzero(seen))) == problem.n_clusters:
            return
    warn_few_distinct(n_seen, problem.n_clusters)
