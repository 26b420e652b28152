"""Seeding: the law of the draws, and that they belong to rows and not to their places."""

from __future__ import annotations

import numpy as np
import pytest

import truemeans
from ladder import make_rows, native_plans
from truemeans.dataset import Dataset, survey
from truemeans.engines import open_engine
from truemeans.engines.masses import mass_scale
from truemeans.seeding import Draw
from truemeans.sources import ArraySource
from truemeans.validation import check_random_state

PLAN = next(native_plans())


@pytest.mark.parametrize("seed", [0, 5, 2**32 - 1])
def test_an_integer_stands_for_the_numbers_numpy_draws_from_it(seed):
    ours, numpys = check_random_state(seed), np.random.RandomState(seed)
    np.testing.assert_array_equal(ours.random(1000), numpys.random(1000))
    np.testing.assert_array_equal(ours.normal(size=9), numpys.normal(size=9))


@pytest.fixture(params=[0, 1 << 14], ids=["buckets", "sorted once"])
def sorted_once(request, monkeypatch):
    """Up to how many rows the line is sorted as a whole."""
    monkeypatch.setattr(truemeans.seeding.draw, "_SORTED_ONCE", request.param)


def draws(X, weight=None, seed=0, closest=None, size=1):
    source = ArraySource(X)
    with open_engine(PLAN) as engine:
        dataset = Dataset(source, engine, survey(source, engine), weight)
        draw = Draw(dataset, np.random.RandomState(seed))
        if closest is None:
            return draw.by_weight(size)
        weights = np.ones(len(X)) if weight is None else weight
        return draw.by_cost(closest, mass_scale(float((weights * closest).sum())), size)


def chi_square(counts, expected):
    held = expected > 0
    assert not counts[~held].any(), "a row without mass was drawn"
    return ((counts[held] - expected[held]) ** 2 / expected[held]).sum(), held.sum() - 1


@pytest.mark.usefixtures("sorted_once")
@pytest.mark.parametrize("kind", ["normal", "lattice"])
@pytest.mark.parametrize("by", ["weight", "cost"])
def test_draws_follow_their_masses(kind, by):
    """Chi-square at a fixed seed; 3.3 standard deviations above the mean is one in a thousand."""
    X = make_rows(kind, 60, 2, np.float64)
    rng = np.random.default_rng(1)
    weight = rng.integers(0, 4, size=60) / 4
    closest = rng.exponential(size=60) * (rng.random(60) < 0.8) if by == "cost" else None
    mass = weight if closest is None else weight * closest
    rows = draws(X, weight, closest=closest, size=40_000)
    counts = np.bincount(rows, minlength=60)
    # Equal rows are interchangeable: compare by value.
    _, value = np.unique(X, axis=0, return_inverse=True)
    statistic, degrees = chi_square(
        np.bincount(value, counts), np.bincount(value, mass) * 40_000 / mass.sum()
    )
    assert statistic < degrees + 3.3 * np.sqrt(2 * degrees)


@pytest.mark.parametrize("kind", ["normal", "lattice", "offset", "twins"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by", ["weight", "cost"])
def test_buckets_draw_what_the_whole_line_draws(kind, weighted, by, monkeypatch):
    X = make_rows(kind, 500, 3, np.float32)
    rng = np.random.default_rng(1)
    weight = rng.random(500) if weighted else None
    closest = rng.exponential(size=500) if by == "cost" else None
    whole = draws(X, weight, closest=closest, size=300)
    monkeypatch.setattr(truemeans.seeding.draw, "_SORTED_ONCE", 0)
    buckets = draws(X, weight, closest=closest, size=300)
    np.testing.assert_array_equal(X[whole], X[buckets])


@pytest.mark.usefixtures("sorted_once")
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
@pytest.mark.parametrize("kind", ["normal", "lattice", "offset", "twins"])
def test_seeds_do_not_depend_on_the_order_of_rows(init, kind):
    X = make_rows(kind, 200, 3, np.float32)
    expected = truemeans.k_means(X, 6, init=init, random_state=3, max_iter=1)
    order = np.random.default_rng(0).permutation(200)
    actual = truemeans.k_means(X[order], 6, init=init, random_state=3, max_iter=1)
    assert actual.centroids.tobytes() == expected.centroids.tobytes()
    np.testing.assert_array_equal(actual.labels, expected.labels[order])


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_scaling_by_a_power_of_two_changes_no_seed(init):
    X = make_rows("normal", 300, 4, np.float64)
    expected = truemeans.k_means(X, 9, init=init, random_state=1)
    for power in (-600, -3, 40, 700):
        scaled = truemeans.k_means(np.ldexp(X, power), 9, init=init, random_state=1)
        np.testing.assert_array_equal(scaled.labels, expected.labels)
        np.testing.assert_array_equal(scaled.centroids, np.ldexp(expected.centroids, power))


def test_kmeans_plusplus_is_what_k_means_starts_from():
    X = make_rows("normal", 300, 4, np.float32)
    centers, rows = truemeans.kmeans_plusplus(X, 6, random_state=5)
    np.testing.assert_array_equal(X[rows], centers)
    assert len(set(rows)) == 6
    first = []
    truemeans.k_means(X, 6, random_state=5, callback=lambda it: first.append(it.centroids))
    np.testing.assert_array_equal(first[0], centers)


def test_random_seeds_are_distinct_rows():
    X = make_rows("lattice", 500, 1, np.float64)  # seven different values
    for seed in range(20):
        result = truemeans.k_means(X, 7, init="random", random_state=seed)
        assert len(np.unique(result.centroids)) == 7


def test_a_far_row_without_weight_does_not_starve_the_others():
    X = np.random.RandomState(0).rand(90, 3)
    X[-1] = 1e9
    weight = np.ones(90)
    weight[-1] = 0
    for seed in range(20):
        centers, rows = truemeans.kmeans_plusplus(X, 5, sample_weight=weight, random_state=seed)
        assert 89 not in rows
        assert len(np.unique(centers, axis=0)) == 5


def test_greedy_seeding_is_better_than_one_trial():
    X = np.vstack([make_rows("normal", 50, 2, np.float64, s) + 20 * s for s in range(20)])

    def mean_potential(trials):
        costs = []
        for seed in range(20):
            centers, _ = truemeans.kmeans_plusplus(X, 20, random_state=seed, n_local_trials=trials)
            costs.append(((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1).sum())
        return np.mean(costs)

    assert mean_potential(None) < 0.8 * mean_potential(1)


def test_parallel_seeding_is_nearly_as_good_as_one_by_one():
    X = np.vstack([make_rows("normal", 50, 2, np.float64, s) + 20 * s for s in range(20)])

    def mean_inertia(init):
        runs = [truemeans.k_means(X, 20, init=init, random_state=s) for s in range(20)]
        return np.mean([run.history.inertia[0] for run in runs])

    assert mean_inertia("k-means||") < 1.3 * mean_inertia("k-means++")
    assert mean_inertia("k-means||") < 0.1 * mean_inertia("random")


@pytest.mark.parametrize("init", ["k-means++", "k-means||"])
def test_as_many_clusters_as_distinct_rows(init):
    X = make_rows("lattice", 60, 1, np.float64)
    distinct = np.unique(X)
    for seed in range(5):
        result = truemeans.k_means(X, len(distinct), init=init, random_state=seed, max_iter=1)
        assert sorted(result.centroids[:, 0]) == distinct.tolist()
        assert result.inertia == 0.0


def test_restarts_are_kept():
    X = make_rows("normal", 400, 5, np.float64)
    result = truemeans.k_means(X, 12, n_init=7, random_state=0)
    assert result.restarts.shape == (7,)
    assert result.restarts.min() == result.inertia
    assert len(set(result.restarts)) > 1
    model = truemeans.KMeans(12, n_init=7, tol=0, random_state=0).fit(X)
    np.testing.assert_array_equal(model.restarts_, result.restarts)


def test_which_of_two_zeros_was_drawn_does_not_show():
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    seen = set()
    for order in ([0, 1, 2, 3], [1, 0, 2, 3]):
        with pytest.warns(UserWarning, match="distinct"):
            seen.add(truemeans.k_means(X[order], 4, random_state=1).centroids.tobytes())
    assert len(seen) == 1
