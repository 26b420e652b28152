"""One feature: the optimum, held to exhaustive search and to the full dynamic programme."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ladder import REFERENCE
from truemeans import KMeans, k_means
from truemeans.dataset import Dataset, survey
from truemeans.engines import open_engine
from truemeans.optimum import least_inertias, optimum
from truemeans.plan import make_plan
from truemeans.result import Plan
from truemeans.sources import ArraySource
from truemeans.targets import targets

NATIVE = Plan("native", "", 2, "samples", "none", 0, "forced")
MANY = 1 << 23


def find(x, k, weight=None, *, plan=NATIVE, max_runs=MANY):
    with open_engine(plan) as engine:
        return optimum(_dataset(x, weight, engine), k, max_runs)


def table(x, most, weight=None, *, plan=NATIVE):
    with open_engine(plan) as engine:
        return least_inertias(_dataset(x, weight, engine), most)


def _dataset(x, weight, engine):
    source = ArraySource(np.ascontiguousarray(x)[:, np.newaxis])
    return Dataset(source, engine, survey(source, engine), weight)


def exact_cost(x, w):
    mean = sum(a * b for a, b in zip(x, w, strict=True)) / sum(w)
    return sum(b * (a - mean) ** 2 for a, b in zip(x, w, strict=True))


def exhaustive(x, w, k):
    """Least inertia over every cut of the sorted values into k runs, exactly."""
    order = np.argsort(x, kind="stable")
    x, w = [Fraction(float(v)) for v in x[order]], [Fraction(float(v)) for v in w[order]]
    return min(
        sum(exact_cost(x[a:b], w[a:b]) for a, b in zip((0, *cuts), (*cuts, len(x)), strict=True))
        for cuts in combinations(range(1, len(x)), k - 1)
    )


def exact_inertia(x, w, centroids):
    return sum(
        Fraction(float(b)) * min((Fraction(float(a)) - Fraction(float(c))) ** 2 for c in centroids)
        for a, b in zip(x, w, strict=True)
    )


values = st.one_of(
    st.integers(-6, 6).map(float),
    st.floats(-1e3, 1e3, allow_nan=False).map(lambda v: v + 1e6),
    st.floats(-1.0, 1.0).map(lambda v: round(v, 2) ** 9 * 1e9),
)


@settings(max_examples=500, deadline=None)
@given(data=st.data(), n=st.integers(1, 10))
def test_no_clustering_is_better(data, n):
    x = np.array(data.draw(st.lists(values, min_size=n, max_size=n)))
    w = np.array(data.draw(st.lists(st.integers(1, 5).map(float), min_size=n, max_size=n)))
    k = data.draw(st.integers(1, n))
    result = k_means(x[:, np.newaxis], k, sample_weight=w) if len(np.unique(x)) >= k else None
    best = exhaustive(x, w, k)
    found = find(x, k, w / 8)
    assert found.proved
    # Each centroid is a mean rounded once: it adds at most w (u |mean|)^2 a cluster.
    rounding = Fraction(float(w.sum())) * Fraction(float(np.abs(x).max()) * 2.0**-52) ** 2
    assert exact_inertia(x, w, found.centroids[:, 0]) <= best + rounding
    if result is not None:
        assert result.optimal
        assert result.inertia == pytest.approx(float(best), rel=1e-15, abs=float(rounding))


def test_the_table_has_the_exhaustive_optimum_of_every_k():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=9) + 100.0, rng.integers(1, 4, 9) / 4
    best = [float(exhaustive(x, w, k)) for k in range(1, 10)]
    for plan in (NATIVE, REFERENCE):
        np.testing.assert_allclose(table(x, 9, w, plan=plan), best, rtol=1e-11, atol=1e-13)
    # Beyond the distinct values nothing is left to gain.
    assert table(np.array([1.0, 1.0, 4.0]), 3).tolist() == [6.0, 0.0, 0.0]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40, 80])
def test_native_gives_the_definition(n):
    rng = np.random.default_rng(n)
    for k in {1, 2, min(n, 5), max(1, n // 2), n}:
        x = rng.lognormal(size=n)
        expected = find(x, k, plan=REFERENCE)
        np.testing.assert_array_equal(find(x, k).centroids, expected.centroids)


def make(kind, n):
    rng = np.random.default_rng(1)
    if kind == "heavy":
        return rng.standard_cauchy(n)
    if kind == "even":
        return np.arange(n, dtype=float)
    if kind == "bumps":  # more bumps than clusters: many clusterings are nearly as good
        return rng.integers(0, 11, n) + 0.01 * rng.normal(size=n)
    if kind == "repeated":
        return rng.integers(0, 300, n).astype(float)
    return rng.normal(size=n)


@pytest.mark.parametrize("kind", ["normal", "heavy", "even", "bumps", "repeated"])
@pytest.mark.parametrize("k", [2, 5, 17])
def test_what_is_ruled_out_is_not_needed(kind, k):
    # Thousands of places: the search rules out in rounds; the table looks at every place.
    x = make(kind, 9_000)
    result = k_means(x[:, np.newaxis], k)
    assert result.optimal
    # The table errs by 2^-46 (n + k) of the spread at most.
    spread = table(x, 1)[0]
    error = 2.0**-46 * (len(x) + k) * spread
    assert result.inertia == pytest.approx(table(x, k)[-1], abs=error, rel=1e-12)


def test_one_answer():
    rng = np.random.default_rng(3)
    x = rng.normal(size=5_000).round(2)
    w = rng.random(5_000)
    expected = find(x, 12, w).centroids.tobytes()
    order = rng.permutation(len(x))
    assert find(x[order], 12, w[order]).centroids.tobytes() == expected
    for target in targets():
        for n_threads in (1, 3):
            plan = Plan("native", target, n_threads, "samples", "none", 0, "forced")
            assert find(x, 12, w, plan=plan).centroids.tobytes() == expected


def test_weights_are_copies():
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=200), rng.integers(0, 4, 200)
    weighted = k_means(x[:, np.newaxis], 6, sample_weight=w)
    copied = k_means(np.repeat(x, w)[:, np.newaxis], 6)
    np.testing.assert_array_equal(weighted.centroids, copied.centroids)
    assert weighted.inertia == pytest.approx(copied.inertia, rel=1e-15)


def test_seed_starts_and_runs_have_no_part_in_it():
    x = np.random.default_rng(5).normal(size=(500, 1))
    first = k_means(x, 7, random_state=0)
    for init, seed, n_init in (("random", 1, 3), ("k-means++", 2, 1)):
        again = k_means(x, 7, init=init, random_state=seed, n_init=n_init)
        assert again.centroids.tobytes() == first.centroids.tobytes()
        assert again.optimal
    assert first.n_iter <= 2
    assert first.converged
    np.testing.assert_array_equal(first.centroids, np.sort(first.centroids, axis=0))
    assert "the optimum" in str(first.plan)


def test_who_names_a_start_or_an_algorithm_gets_it():
    x = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0], [30.0]])
    start = np.array([[0.0], [1.0], [2.0]])
    assert not k_means(x, 3, init=start).optimal
    assert k_means(x, 3).optimal
    assert KMeans(3, random_state=0).fit(x).optimal_
    for algorithm in ("lloyd", "elkan"):
        model = KMeans(3, random_state=0, algorithm=algorithm).fit(x)
        assert not model.optimal_
        assert "optimum" not in str(k_means(x, 3, init=start).plan)
    assert not KMeans(3, init=start).fit(x).optimal_
    assert not k_means(np.hstack([x, x]), 3, random_state=0).optimal


def test_result_agrees_with_itself_in_float32():
    x = (np.random.default_rng(6).normal(size=(3_000, 1)) + 1e5).astype(np.float32)
    model = KMeans(9).fit(x)
    assert model.cluster_centers_.dtype == np.float32
    np.testing.assert_array_equal(model.predict(x), model.labels_)
    assert -model.score(x) == model.inertia_
    assert model.optimal_


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_any_scale(scale):
    x = np.array([0.0, 1.0, 5.0, 6.0, 20.0, 21.0]) * scale
    result = k_means(x[:, np.newaxis], 3)
    np.testing.assert_array_equal(result.labels, [0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("weight", [[2.0, 1.0, 5e-324], [1e300, 1e300, 1e-300]])
def test_a_weight_that_is_nothing_beside_the_others(weight):
    with pytest.warns(UserWarning, match="distinct"):
        result = k_means([[0.0], [1.0], [10.0]], 3, sample_weight=weight)
    assert sorted(set(result.centroids[:, 0].tolist())) == [0.0, 1.0]
    np.testing.assert_array_equal(result.labels, [0, 1, 1])
    assert result.optimal


def test_fewer_values_than_clusters():
    x = np.array([[3.0], [3.0], [1.0], [1.0]])
    with pytest.warns(UserWarning, match="distinct"):
        result = k_means(x, 3)
    assert result.optimal
    assert result.inertia == 0.0
    assert result.centroids.ravel().tolist() == [1.0, 3.0, 3.0]


def test_a_search_that_outgrows_its_room_says_so():
    x = make("bumps", 9_000)
    found = find(x, 6, max_runs=1_000)
    assert not found.proved
    # What it returns is where the loop would end as well.
    again = k_means(x[:, np.newaxis], 6, init=found.centroids)
    assert again.n_iter <= 2
    assert again.inertia >= k_means(x[:, np.newaxis], 6).inertia


def test_the_plan_says_why_not():
    assert make_plan(1000, 1, 5, any_start=True).optimum_runs
    assert not make_plan(1000, 1, 5).optimum_runs
    assert not make_plan(1000, 2, 5, any_start=True).optimum_runs
    large = make_plan(30_000_000, 1, 5, any_start=True)
    assert not large.optimum_runs
    assert "at most 20,000,000 rows" in large.reason


def test_rows_in_a_file(tmp_path):
    x = np.random.default_rng(7).normal(size=(2_000, 1))
    np.save(tmp_path / "x.npy", x)
    streamed, whole = k_means(tmp_path / "x.npy", 5), k_means(x, 5)
    assert streamed.optimal
    assert streamed.centroids.tobytes() == whole.centroids.tobytes()
