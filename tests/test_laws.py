"""Laws that hold for any rows, weights, starts and methods, looked for exceptions by hypothesis."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.extra import numpy as hnp

from exact import exact_inertia, exact_mean, optimum, optimum_in_line
from ladder import KINDS, canonical_labels, make_rows
from truemeans import KMeans, k_means, kmeans_plusplus
from truemeans.engines import native as native_engine
from truemeans.plan import methods
from truemeans.targets import targets

DTYPES = (np.float32, np.float64)
# Rows of wide range are left out where exact means count: a mean is right to 2⁻¹⁰⁰ of its
# feature's largest value, and which digits are beyond that depends on the number of rows.
EXACT = tuple(kind for kind in KINDS if kind != "wide")


@dataclass(frozen=True, repr=False)
class Case:
    """Rows, a start, weights, and a way to compute."""

    kind: str
    X: np.ndarray
    start: np.ndarray
    weight: np.ndarray | None
    seed: int
    way: dict[str, str]
    n_threads: int

    def _repr_pretty_(self, printer, cycle):
        given = "no" if self.weight is None else self.weight.dtype
        printer.text(
            f"<{self.kind} {self.X.dtype} {self.X.shape}, {len(self.start)} clusters, {given} "
            f"weights, seed {self.seed}, {self.n_threads} threads, {self.way}>"
        )

    def fit(self, X: np.ndarray | None = None, **changes: Any):
        """Run k_means, on other rows or with other arguments if need be."""
        arguments = {
            "n_clusters": len(self.start),
            "init": self.start,
            "sample_weight": self.weight,
            "random_state": self.seed,
            "n_threads": self.n_threads,
        }
        with in_this_way(self.way):
            return k_means(self.X if X is None else X, **arguments | changes)


class in_this_way:  # noqa: N801 - reads as a statement
    """Force the method, use what it remembers at once, and let too few distinct rows be."""

    def __init__(self, way):
        self.patch = pytest.MonkeyPatch()
        self.way = way

    def __enter__(self):
        for name, value in self.way.items():
            self.patch.setenv(name, value)
        self.patch.setattr(native_engine, "should_skip", lambda *_: True)
        self.patch.setattr(native_engine, "should_keep", lambda *_: True)
        self.caught = warnings.catch_warnings()
        self.caught.__enter__()
        warnings.filterwarnings("ignore", message="Number of distinct clusters")

    def __exit__(self, *error):
        self.caught.__exit__(*error)
        self.patch.undo()


@st.composite
def ways(draw, d):
    target = draw(st.sampled_from(list(targets())))
    scores, skip = draw(st.sampled_from(methods(target, d)))
    return {
        "TRUEMEANS_TARGET": target,
        "TRUEMEANS_METHOD": f"{scores}/{skip}/{draw(st.integers(0, 9))}",
    }


@st.composite
def cases(draw, kinds=KINDS, dtypes=DTYPES, weights=("none", "some", "whole"), most=70):
    """Rows by kind, size and seed: quick to make, and small sizes are tried first."""
    kind, dtype = draw(st.sampled_from(kinds)), draw(st.sampled_from(dtypes))
    n, d = draw(st.integers(1, most)), draw(st.sampled_from([1, 2, 3, 5, 8, 17]))
    k = draw(st.integers(1, min(n, 11)))
    seed = draw(st.integers(0, 999))
    X = make_rows(kind, n, d, dtype, seed)
    rng = np.random.default_rng(seed)
    weight = {
        "none": None,
        "some": rng.random(n) * (rng.random(n) < 0.8) + (np.arange(n) == 0),
        "whole": rng.integers(0, 4, n) + (np.arange(n) == 0),
    }[draw(st.sampled_from(weights))]
    start = X[rng.choice(n, k, replace=draw(st.booleans()))]
    return Case(kind, X, start, weight, seed, draw(ways(d)), draw(st.integers(1, 3)))


inits = st.sampled_from(["k-means++", "k-means||", "random", "array"])


def same_bits(a, b):
    """Everything but labels and inertia's unit: centroids, history, number of iterations."""
    assert a.centroids.tobytes() == b.centroids.tobytes()
    assert a.n_iter == b.n_iter
    assert a.history.inertia.tobytes() == b.history.inertia.tobytes()


# What a result says about itself --------------------------------------------------------------


@given(cases(), inits)
def test_every_way_gives_the_definition(case, init):
    init = case.start if init == "array" else init
    result = case.fit(init=init, max_iter=5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUEMEANS_ENGINE", "reference")
        with in_this_way({}):
            expected = k_means(
                case.X, len(case.start), init=init, sample_weight=case.weight,
                random_state=case.seed, max_iter=5,
            )  # fmt: skip

    assert expected.plan.engine == "reference"
    same_bits(result, expected)
    assert result.labels.tobytes() == expected.labels.tobytes()
    assert result.inertia == expected.inertia


@given(cases(), st.integers(1, 6))
def test_labels_are_the_nearest_of_the_returned_centroids(case, max_iter):
    result = case.fit(max_iter=max_iter)

    expected = canonical_labels(case.X, result.centroids)
    np.testing.assert_array_equal(result.labels, expected)


@given(cases(), inits)
def test_predict_and_score_agree_with_fit(case, init):
    init = case.start if init == "array" else init
    with in_this_way(case.way):
        model = KMeans(
            len(case.start), init=init, n_init=1, random_state=case.seed, max_iter=4,
            n_threads=case.n_threads,
        ).fit(case.X, sample_weight=case.weight)  # fmt: skip

        np.testing.assert_array_equal(model.predict(case.X), model.labels_)
        np.testing.assert_array_equal(model.predict(case.X[-1:]), model.labels_[-1:])
        assert model.score(case.X, sample_weight=case.weight) == -model.inertia_


@given(cases(), st.integers(1, 6))
def test_inertia_is_the_exact_sum_rounded_once(case, max_iter):
    result = case.fit(max_iter=max_iter)

    assert result.inertia == exact_inertia(case.X, result.labels, result.centroids, case.weight)


@given(cases(kinds=EXACT))
def test_every_centroid_is_the_exact_mean_of_its_rows(case):
    result = case.fit(max_iter=1000)

    assert result.converged
    weight = np.ones(len(case.X)) if case.weight is None else case.weight.astype(float)
    for j, centroid in enumerate(result.centroids):
        own = result.labels == j
        if weight[own].any():
            assert centroid.tolist() == exact_mean(case.X[own], weight[own])


# What never goes up ---------------------------------------------------------------------------


def at_most(inertia, bound, case):
    """Whether ``inertia`` is no larger, but for near ties in the canonical distances.

    A label is the centroid of least canonical distance, and that errs by (d + 2) 2⁻⁵³ of itself;
    so a row may go to a centroid farther by twice as much. The rest, the update step and the
    rounding of both sums, never raises it.
    """
    return inertia <= bound * (1 + (case.X.shape[1] + 2) * 2.0**-52)


@given(cases())
def test_inertia_never_rises_from_one_iteration_to_the_next(case):
    result = case.fit()

    inertias = [*result.history.inertia, result.inertia]
    assert all(at_most(b, a, case) for a, b in pairwise(inertias))


@given(cases(), st.integers(1, 4))
def test_more_iterations_or_runs_never_raise_the_inertia(case, count):
    few, more = (case.fit(max_iter=m).inertia for m in (count, count + 2))
    assert at_most(more, few, case)

    few, more = (case.fit(init="random", n_init=m, max_iter=3).inertia for m in (count, count + 2))
    assert more <= few


@given(cases(), st.integers(0, 10**6))
def test_one_more_cluster_never_raises_the_inertia(case, row):
    fewer = case.fit()
    start = np.vstack([fewer.centroids, case.X[row % len(case.X)]])
    assume(len(start) <= len(case.X))

    more = case.fit(n_clusters=len(start), init=start)

    assert at_most(more.inertia, fewer.inertia, case)


# What changes nothing -------------------------------------------------------------------------


@given(cases(), inits, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(case, init, random):
    order = list(range(len(case.X)))
    random.shuffle(order)
    init = case.start if init == "array" else init

    result = case.fit(init=init)
    moved = case.fit(
        case.X[order],
        init=init,
        sample_weight=None if case.weight is None else case.weight[order],
    )

    same_bits(moved, result)
    np.testing.assert_array_equal(moved.labels, result.labels[order])
    assert moved.inertia == result.inertia


@given(cases(kinds=EXACT, weights=("whole",)), inits)
def test_weight_w_is_w_copies_and_weight_0_is_absence(case, init):
    copies = case.X.repeat(case.weight, axis=0)
    assume(len(copies) >= len(case.start))
    init = case.start if init == "array" else init

    weighted = case.fit(init=init)
    repeated = case.fit(copies, init=init, sample_weight=None)

    same_bits(weighted, repeated)
    np.testing.assert_array_equal(weighted.labels.repeat(case.weight), repeated.labels)
    assert weighted.inertia == repeated.inertia


@given(cases(kinds=EXACT), inits)
def test_every_row_twice_doubles_the_inertia_and_changes_nothing_else(case, init):
    init = case.start if init == "array" else init
    twice = None if case.weight is None else np.tile(case.weight, 2)

    once = case.fit(init=init)
    doubled = case.fit(np.vstack([case.X, case.X]), init=init, sample_weight=twice)

    assert doubled.centroids.tobytes() == once.centroids.tobytes()
    np.testing.assert_array_equal(doubled.labels, np.tile(once.labels, 2))
    assert doubled.inertia == 2 * once.inertia
    assert doubled.history.inertia.tobytes() == (2 * once.history.inertia).tobytes()


@given(cases(kinds=("lattice",)), inits, st.data())
def test_scaling_by_a_power_of_two_is_exact(case, init, data):
    """From the smallest denormal number to the largest: rows, weights, and what comes out."""
    # Lattices reach 3; a mean of at most 280 whole copies has more bits than denormals keep, so
    # where centroids are rounded more coarsely only the first labels must agree.
    low, high, room = (-149, 125, -102) if case.X.dtype == np.float32 else (-1074, 1021, -998)
    power = data.draw(st.integers(low, high))
    init = case.start if init == "array" else init

    plain = case.fit(init=init, record=True)
    scaled = case.fit(
        np.ldexp(case.X, power),
        init=init if isinstance(init, str) else np.ldexp(init, power),
        sample_weight=None if case.weight is None else np.ldexp(case.weight * 1.0, -power // 2),
        record=True,
    )

    np.testing.assert_array_equal(scaled.history.labels[0], plain.history.labels[0])
    np.testing.assert_array_equal(
        scaled.history.centroids[0], np.ldexp(plain.history.centroids[0], power)
    )
    if power > room:
        np.testing.assert_array_equal(scaled.labels, plain.labels)
        np.testing.assert_array_equal(scaled.centroids, np.ldexp(plain.centroids, power))
        assert scaled.n_iter == plain.n_iter


@given(
    hnp.arrays(
        np.int64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-8, 8)
    ),
    st.integers(1, 4),
    st.integers(-(2**40), 2**40),
    st.sampled_from(DTYPES),
    st.data(),
)
def test_shifting_by_a_whole_number_is_exact(X, k, shift, dtype, data):
    # 27720 is divisible by 1, 2, …, 12: all means are whole numbers, here and there.
    X = (27720 * X).astype(dtype)
    shift = dtype(shift % 2**23 if dtype is np.float32 else shift)
    start = X[: min(k, len(X))]

    with in_this_way(data.draw(ways(X.shape[1]))):
        plain = k_means(X, len(start), init=start)
        shifted = k_means(X + shift, len(start), init=start + shift)

    np.testing.assert_array_equal(shifted.labels, plain.labels)
    np.testing.assert_array_equal(shifted.centroids, plain.centroids + shift)
    assert shifted.history.inertia.tolist() == plain.history.inertia.tolist()
    assert shifted.inertia == plain.inertia


# One cluster, as many as rows, and the best there is ---------------------------------------------


@given(cases(kinds=EXACT), inits)
def test_one_cluster_is_the_mean_and_n_clusters_are_the_rows(case, init):
    one = case.fit(n_clusters=1, init="random")
    assert set(one.labels) == {0}
    assert one.inertia == exact_inertia(case.X, one.labels, one.centroids, case.weight)

    rows = np.unique(case.X, axis=0)
    init = rows if init == "array" else init
    every = case.fit(rows, n_clusters=len(rows), init=init, sample_weight=None)
    assert every.inertia == 0.0
    assert sorted(every.labels) == list(range(len(rows)))


small_sets = st.integers(1, 3).flatmap(
    lambda d: hnp.arrays(
        np.float64,
        st.tuples(st.integers(2, 12), st.just(d)),
        elements=st.integers(-8, 8).map(float),
    )
)


@given(small_sets, st.integers(1, 4), st.data())
def test_no_run_beats_the_exhaustive_optimum_and_the_optimum_stays(X, k, data):
    k = min(k, len(X))
    least, clusters = optimum(X, k)
    # Costs of these whole numbers are good to 1e-11, and differ by 1/27720 if they differ.
    with in_this_way(data.draw(ways(X.shape[1]))):
        for init in ("k-means++", "random", X[:k]):
            assert k_means(X, k, init=init, random_state=0).inertia >= least - 1e-9

        best = np.array([X[rows].mean(axis=0) for rows in clusters])
        stays = k_means(X, len(best), init=best)
        assert stays.inertia == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_best_of_all_starts_on_rows_is_the_exhaustive_optimum(k):
    """No theorem, so the sets are fixed: 60 of at most 12 rows, from every choice of k rows."""
    for seed in range(60):
        rng = np.random.default_rng([k, seed])
        X = rng.integers(-8, 9, (rng.integers(k, 13), rng.integers(1, 4))).astype(float)
        least, _ = optimum(X, k)

        with in_this_way({}):
            best = min(k_means(X, k, init=X[[*c]]).inertia for c in combinations(range(len(X)), k))

        assert best == pytest.approx(least, abs=1e-9), seed


@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.integers(-99, 99).map(float)),
    st.integers(1, 8),
    st.integers(0, 99),
)
def test_numbers_in_a_line_get_the_optimum_and_no_start_beats_it(x, k, seed):
    X, k = x[:, np.newaxis], min(k, len(x))
    least = optimum_in_line(np.sort(x), k)

    with in_this_way({}):
        found = k_means(X, k, random_state=seed)
        started = k_means(X, k, init=X[np.random.default_rng(seed).permutation(len(X))[:k]])

    # Sums of at most 40 squares below 10⁴ err by less than 1e-8.
    assert found.optimal
    assert found.inertia == pytest.approx(least, abs=1e-7)
    assert started.inertia >= least - 1e-7


@given(cases(), st.integers(1, 5))
def test_seeds_are_distinct_rows_that_weigh_something(case, trials):
    weight = None if case.weight is None else case.weight * 1.0
    with in_this_way(case.way):
        centers, rows = kmeans_plusplus(
            case.X, len(case.start), sample_weight=weight, random_state=case.seed,
            n_local_trials=trials,
        )  # fmt: skip

    np.testing.assert_array_equal(case.X[rows], centers)
    if weight is not None:
        assert weight[rows].all()
    heavy = case.X if weight is None else case.X[weight > 0]
    n_distinct = len(np.unique(heavy, axis=0))
    assert len(np.unique(centers, axis=0)) == min(len(centers), n_distinct)
