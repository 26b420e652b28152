"""The loop: it ends where nothing changes, never goes uphill, and refills by one rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import truemeans
from ladder import KINDS, make_rows, native_plans, run
from truemeans import textbook

PLAN = next(native_plans())
FOUR = np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 3.0], [5.0, 4.0]])


def test_four_points_by_hand():
    result = truemeans.k_means(FOUR, 2, init=FOUR[:2])
    # Labels 0 1 1 1, then 0 0 1 1, then no change.
    np.testing.assert_array_equal(result.centroids, [[1.5, 1.0], [4.5, 3.5]])
    np.testing.assert_array_equal(result.labels, [0, 0, 1, 1])
    np.testing.assert_array_equal(result.history.n_changed, [4, 1, 0])
    assert result.inertia == 0.25 * 2 + 0.5 * 2
    assert (result.n_iter, result.converged) == (3, True)


def test_a_result_unpacks_counts_and_shows_its_clusters():
    result = truemeans.k_means(FOUR, 2, init=FOUR[:2])
    centroids, labels, inertia = result
    assert centroids is result.centroids
    assert labels is result.labels
    assert inertia == result.inertia
    np.testing.assert_array_equal(result.sizes, [2, 2])
    np.testing.assert_array_equal(result.clusters, [FOUR[:2], FOUR[2:]])
    assert "4 samples × 2 features in 2 clusters" in repr(result)
    assert "converged after 3 iterations" in repr(result)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inertia_never_rises_and_labels_are_canonical(kind, dtype):
    X = make_rows(kind, 400, 5, dtype)
    done = run(X, X[:9], PLAN, max_iter=100)
    assert done.converged
    # Each inertia is the exact one rounded; a true descent can at most tie after rounding.
    assert all(b <= a * (1 + 2**-51) for a, b in itertools.pairwise(done.inertias))
    again = run(X, done.centroids, PLAN)
    np.testing.assert_array_equal(again.labels, done.labels)
    assert again.centroids.tobytes() == done.centroids.tobytes()
    assert (len(again.inertias), again.converged) == (1, True)


def test_max_iter_returns_labels_of_the_returned_centroids():
    X = make_rows("normal", 500, 3, np.float64)
    for max_iter in (1, 2, 5):
        result = truemeans.k_means(X, 8, init=X[:8], max_iter=max_iter)
        assert (result.n_iter, result.converged) == (max_iter, False)
        distances = ((X[:, None] - result.centroids) ** 2).sum(axis=2)
        np.testing.assert_array_equal(result.labels, distances.argmin(axis=1))
        assert result.inertia == pytest.approx(distances.min(axis=1).sum(), rel=1e-13)


def test_tol_is_relative_to_the_mean_variance():
    X = make_rows("normal", 2000, 3, np.float64)
    strict = truemeans.k_means(X, 8, init=X[:8])
    for scale in (1.0, 2.0**20):
        loose = truemeans.k_means(X * scale, 8, init=X[:8] * scale, tol=1e-3)
        assert loose.converged
        assert loose.n_iter < strict.n_iter
    shifts = []
    truemeans.k_means(
        X, 8, init=X[:8], tol=1e-3, callback=lambda it: shifts.append(it.centroids) and None
    )
    moved = [((b - a) ** 2).sum() for a, b in itertools.pairwise(shifts)]
    assert min(moved[:-1]) > 1e-3 * X.var(axis=0).mean()


def test_a_callback_sees_every_iteration_and_can_stop_the_run():
    X = make_rows("normal", 500, 3, np.float32)
    seen = []

    def stop_after_three(iteration):
        assert not iteration.centroids.flags.writeable
        seen.append((iteration.n_iter, iteration.inertia, iteration.n_changed))
        return iteration.n_iter == 3

    result = truemeans.k_means(X, 8, init=X[:8], callback=stop_after_three)
    assert [n for n, _, _ in seen] == [1, 2, 3]
    assert [inertia for _, inertia, _ in seen] == list(result.history.inertia)
    assert (result.n_iter, result.converged) == (3, False)
    assert result.inertia <= seen[-1][1]


def test_n_init_keeps_the_best_run_and_numbers_them():
    X = make_rows("normal", 300, 2, np.float64)
    last: dict[int, float] = {}

    def note(iteration):
        last[iteration.run] = iteration.inertia

    result = truemeans.k_means(X, 12, n_init=5, random_state=0, callback=note)
    assert sorted(last) == [0, 1, 2, 3, 4]
    assert result.inertia == min(last.values())


# -- empty clusters ------------------------------------------------------------------------


def test_an_empty_cluster_takes_the_farthest_row():
    X = np.array([[0.0], [1.0], [2.0], [9.0]])
    result = truemeans.k_means(X, 3, init=[[0.0], [1.5], [100.0]], max_iter=1)
    # Farthest from its centroid is 9 (from 1.5), so the third cluster gets it, and the second
    # keeps the mean of 1 and 2.
    np.testing.assert_array_equal(result.centroids, [[0.0], [1.5], [9.0]])


def test_the_farthest_row_counts_by_weight():
    X = np.array([[0.0], [4.0], [10.0], [17.0]])
    weight = [1.0, 9.0, 1.0, 1.0]
    # Costs: 9 × 4² = 144 for the row at 4, 1 × 7² = 49 for the row at 17.
    result = truemeans.k_means(
        X, 3, init=[[0.0], [10.0], [500.0]], sample_weight=weight, max_iter=1
    )
    np.testing.assert_array_equal(result.centroids, [[0.0], [13.5], [4.0]])


def test_a_donor_is_never_emptied():
    X = np.array([[0.0], [10.0], [11.0]])
    # The row at 0 is the farthest from its centroid (-50), but all its cluster has.
    result = truemeans.k_means(X, 3, init=[[-50.0], [10.2], [400.0]], max_iter=1)
    np.testing.assert_array_equal(result.centroids, [[0.0], [10.0], [11.0]])


def test_equal_rows_refill_one_cluster_only():
    X = np.array([[0.0], [0.0], [50.0], [50.0], [51.0], [53.0]])
    result = truemeans.k_means(X, 4, init=[[0.0], [60.0], [900.0], [901.0]], max_iter=1)
    # 50 twice is farthest; the second empty cluster takes 51 instead.
    np.testing.assert_array_equal(result.centroids[2:], [[50.0], [51.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points_of_equal_cost_refill_in_lexicographic_order(dtype):
    corners = np.array(list(itertools.product([-1.0, 0.0, 1.0], repeat=2)), dtype)
    far = corners[np.abs(corners).sum(axis=1) == 1]  # (-1, 0), (0, -1), (0, 1), (1, 0)
    X = np.vstack([-0.0 * far, far[::-1], 0.0 * far])
    result = truemeans.k_means(X, 5, init=[[0.0, 0.0], *[[90.0, 9.0]] * 4], max_iter=1)
    np.testing.assert_array_equal(result.centroids[1:], far)


def test_refilling_does_not_depend_on_the_order_of_rows():
    X = make_rows("lattice", 60, 3, np.float64)
    init = np.vstack([X[:3], np.full((4, 3), 1e3) + np.arange(4)[:, None]])
    expected = truemeans.k_means(X, 7, init=init)
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(60)
        actual = truemeans.k_means(X[order], 7, init=init)
        assert actual.centroids.tobytes() == expected.centroids.tobytes()
        np.testing.assert_array_equal(actual.labels, expected.labels[order])
    assert (expected.sizes > 0).all()


# -- against the textbook ------------------------------------------------------------------

lattices = st.integers(1, 3).flatmap(
    lambda d: st.lists(
        st.lists(st.integers(-4, 4).map(float), min_size=d, max_size=d), min_size=3, max_size=25
    )
)


@given(lattices, st.integers(1, 3))
def test_the_textbook_gives_the_same_clusters(data, k):
    distinct = [list(p) for p in dict.fromkeys(map(tuple, data))]
    init = distinct[:k]
    expected = textbook.k_means(data, len(init), initial_centroids=init)
    if all(expected):  # an empty cluster is where the library does more than the textbook
        result = truemeans.k_means(data, len(init), init=init)
        assert [cluster.tolist() for cluster in result.clusters] == expected
