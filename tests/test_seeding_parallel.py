"""k-means||: the law of its draws, what its candidates are, and when ``init="auto"`` means it."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import truemeans
from ladder import REFERENCE, bits, make_rows, native_plans
from test_seeding import chi_square
from truemeans.dataset import Dataset, survey
from truemeans.engines import open_engine
from truemeans.plan import seeding_for, tries_among_candidates
from truemeans.seeding import Draw, parallel
from truemeans.sources import ArraySource

# The package has a function of the same name.
MODULE = importlib.import_module("truemeans.seeding.parallel")
PLAN = next(native_plans())


def pool_of(X, engine, weight=None, seed=0):
    source = ArraySource(X)
    dataset = Dataset(source, engine, survey(source, engine), weight)
    return MODULE._Pool(dataset, Draw(dataset, np.random.RandomState(seed)))


def towns(n, d, seed=0, spread=30.0, n_towns=20):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_towns, d)) * spread)[rng.integers(n_towns, size=n)] + rng.normal(
        size=(n, d)
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("most", [0, 1000], ids=["by a pass", "by costs of earlier"])
def test_draws_follow_the_costs_of_now(most, weighted, monkeypatch):
    """Chi-square at a fixed seed; 3.3 standard deviations above the mean is one in a thousand."""
    monkeypatch.setattr(MODULE, "_DRAWN_FOR_ONE", most)
    X = make_rows("normal", 80, 3, np.float64)
    weight = np.random.default_rng(1).integers(1, 5, size=80) / 4 if weighted else None
    w = np.ones(80) if weight is None else weight
    known = np.arange(1, 9)
    counts, expected = np.zeros(80), np.zeros(80)
    with open_engine(PLAN) as engine:
        for seed in range(150):
            pool = pool_of(X, engine, weight, seed)
            pool._rows = np.concatenate([pool._rows, known])
            pool._rows = pool._rows[np.sort(np.unique(pool._rows, return_index=True)[1])]
            centroids = X[pool._rows]
            cost = w * ((X[:, None] - centroids) ** 2).sum(axis=2).min(axis=1)
            before = len(pool._rows)
            monkeypatch.setattr(MODULE, "_distinct", lambda rows, values: rows)
            assert pool.costs.measure()
            pool.add(200)
            drawn = pool._rows[before:]
            assert len(drawn) == 200
            assert pool._n_met == (1 if most else before)
            counts += np.bincount(drawn, minlength=80)
            expected += 200 * cost / cost.sum()
    statistic, degrees = chi_square(counts, expected)
    assert statistic < degrees + 3.3 * np.sqrt(2 * degrees)


def test_costs_that_fell_too_far_are_lowered_by_a_pass():
    # Of the draws by costs of the first row about one in ten thousand would be accepted.
    X = np.concatenate([towns(400, 4, spread=1.0, n_towns=3), [[1e4] * 4] * 400])
    with open_engine(PLAN) as engine:
        pool = pool_of(X, engine)
        while pool.costs.first >= 400:
            pool = pool_of(X, engine, seed=pool.costs.first)
        assert pool.costs.measure()
        pool.add(20)
        assert pool._n_met == 1
        pool.add(20)
        assert pool._n_met == 2  # of the twenty, all equal, one was kept
        assert len(pool._rows) > 12
        assert (pool._rows[2:] < 400).all()


def test_rows_of_every_scale_are_found():
    # Twelve groups, each a thousand times farther away than it is wide: while one is not covered,
    # costs of those within do not count, so that a fixed number of rounds would miss them.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 5))
    for j in range(12):
        X[50 * j : 50 * j + 50] += rng.normal(size=5) * 10.0 ** (j + 1)

    def worst_inertia(init):
        fits = [truemeans.k_means(X, 20, init=init, random_state=s) for s in range(5)]
        return max(fit.inertia for fit in fits)

    assert worst_inertia("k-means||") < 1.2 * worst_inertia("k-means++")


def test_equal_rows_are_one_candidate():
    X = np.zeros((60, 2))
    X[1::3, 1], X[2::3, 0], X[5::6, 1] = -0.0, 7.0, -0.0
    with open_engine(PLAN) as engine:
        pool = pool_of(X, engine)
        assert pool.costs.measure()
        pool.add(50)
        few, rows = pool.weighted()
    assert sorted(X[rows, 0]) == [0.0, 7.0]
    by_value = dict(zip(X[rows, 0], few.sample_weight, strict=True))
    assert by_value[0.0] == 2 * by_value[7.0]


def test_candidates_weigh_what_the_rows_nearest_to_them_weigh():
    X = make_rows("lattice", 300, 2, np.float64)
    weight = np.random.default_rng(0).integers(1, 9, 300) / 8
    with open_engine(PLAN) as engine, open_engine(REFERENCE) as reference:
        pool = pool_of(X, engine, weight)
        assert pool.costs.measure()
        pool.add(10)
        few, rows = pool.weighted()
        nearest = reference.sq_distances(X, X[rows]).argmin(axis=1)
    expected = np.bincount(nearest, weight, len(rows))
    np.testing.assert_array_equal(few.sample_weight * expected.max(), expected * few._weight_top)


def test_the_best_of_a_few_tries_is_kept(monkeypatch):
    X = towns(600, 3).astype(np.float32)
    potentials = []
    original = MODULE.plusplus

    def noted(few, *given):
        seeds = original(few, *given)
        cost = few.engine.sq_distances(
            few.source.take(np.arange(few.n_samples)), few.source.take(seeds.rows).astype(float)
        ).min(axis=1)
        potentials.append(((cost * few.sample_weight).sum(), few.source.take(seeds.rows)))
        return seeds

    monkeypatch.setattr(MODULE, "plusplus", noted)
    source = ArraySource(X)
    with open_engine(PLAN) as engine:
        dataset = Dataset(source, engine, survey(source, engine), None)
        seeds = parallel(dataset, Draw(dataset, np.random.RandomState(0)), 20, 4)
    assert len(potentials) == tries_among_candidates(20, 4) == 4
    assert len({potential for potential, _ in potentials}) > 1
    best = min(potentials, key=lambda pair: pair[0])[1]
    np.testing.assert_array_equal(X[seeds.rows], best)
    assert tries_among_candidates(1000, 8) == 1


def test_it_ends_lower_than_k_means_plusplus_where_clusters_lie_apart():
    X = towns(20_000, 16, n_towns=50, spread=4.0).astype(np.float32)

    def mean_inertia(init):
        fits = [truemeans.k_means(X, 50, init=init, random_state=s) for s in range(10)]
        return np.mean([fit.inertia for fit in fits])

    assert mean_inertia("k-means||") < 0.98 * mean_inertia("k-means++")


@pytest.mark.parametrize("n", [9_000, 300])
def test_weights_pick_what_copies_pick(n):
    # More than 16,384 copies are drawn through buckets, fewer rows from a sorted line.
    X = np.unique(make_rows("normal", n, 5, np.float64).round(3), axis=0)
    copies = np.random.default_rng(1).integers(1, 5, len(X))
    many = np.repeat(X, copies, axis=0)
    assert n < 9_000 or len(many) > 1 << 14 >= len(X)
    want = truemeans.k_means(many, 12, init="k-means||", random_state=0, max_iter=1)
    found = truemeans.k_means(
        X, 12, init="k-means||", random_state=0, max_iter=1, sample_weight=copies / 8
    )
    assert found.centroids.tobytes() == want.centroids.tobytes()


class TestAuto:
    def test_sizes_decide(self):
        assert seeding_for(16_385, 4, 8) == "k-means||"
        assert seeding_for(16_384, 4, 8) == "k-means++"  # few rows
        assert seeding_for(16_385, 3, 8) == "k-means++"  # boxes
        assert seeding_for(5_000_000, 3, 8) == "k-means||"
        assert seeding_for(1_000_000, 4, 7) == "k-means++"  # few clusters
        assert seeding_for(64_000, 4, 1000) == "k-means||"
        assert seeding_for(63_999, 4, 1000) == "k-means++"  # few rows a cluster

    @pytest.mark.parametrize(("n", "d", "k"), [(17_000, 4, 8), (17_000, 3, 8), (900, 5, 8)])
    def test_it_is_what_the_plan_says(self, n, d, k):
        X = make_rows("normal", n, d, np.float32)
        found = truemeans.k_means(X, k, random_state=0, max_iter=3)
        assert found.plan.seeding == seeding_for(n, d, k)
        named = truemeans.k_means(X, k, init=found.plan.seeding, random_state=0, max_iter=3)
        assert bits(found) == bits(named)
        assert named.plan.seeding == ""
        model = truemeans.KMeans(k, random_state=0, max_iter=3, tol=0).fit(X)
        assert model.init == "auto"
        assert model.cluster_centers_.tobytes() == found.centroids.tobytes()
        is_sampled = found.plan.seeding == "k-means||"
        assert found.plan.reason.startswith("seeds by k-means||; ") == is_sampled
        assert any("k-means||" in rule for rule in found.plan.why)
        assert not any("k-means||" in rule for rule in named.plan.why)

    def test_one_feature_gets_the_optimum_all_the_same(self):
        plan = truemeans.k_means(np.arange(20_000.0)[:, None], 9).plan
        assert plan.optimum_runs
        assert "k-means||" not in plan.reason
        assert not any("k-means||" in rule for rule in plan.why)
