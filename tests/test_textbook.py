"""The first rung of the ladder: the algorithm of the book, held by hand-worked examples."""

import ast
import csv
import doctest
import random
import sys
from fractions import Fraction
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given

import truemeans
from truemeans import textbook

IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"

# Thirty points on a grid: a group at the lower left, a group at the upper right, and a few
# points between them that change sides while the centroids move.
LOW = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (2, 4), (3, 1), (3, 2), (3, 3), (3, 4)]
BETWEEN = [(4, 2), (4, 3), (4, 4), (4, 5), (5, 4), (5, 5), (6, 5), (6, 6)]
HIGH = [(7, 6), (7, 7), (7, 8), (8, 6), (8, 7), (8, 8), (8, 9), (9, 6), (9, 7), (9, 8), (9, 9)]
PICTURE = LOW + BETWEEN + HIGH


def test_four_points_by_hand():
    data = [(0, 0), (0, 2), (4, 0), (4, 4)]
    start = [(0, 0), (0, 2)]

    first = textbook.assign_points(data, start)
    assert first == [[(0, 0), (4, 0)], [(0, 2), (4, 4)]]
    moved = textbook.recalculate_centroids(first, start)
    assert moved == [[2, 0], [2, 3]]
    assert not textbook.has_converged(moved, start)

    # From (0, 2) it is 8 to (2, 0) and 5 to (2, 3): nothing changes, so the run ends here.
    assert textbook.assign_points(data, moved) == first
    assert textbook.k_means(data, 2, initial_centroids=start) == first


def test_the_picture_of_thirty_points():
    assert len(PICTURE) == 30

    # Both centroids start in the lower group, and one has to walk all the way across.
    clusters = textbook.k_means(PICTURE, 2, initial_centroids=[(1, 1), (2, 1)])

    assert clusters == [LOW + BETWEEN[:6], BETWEEN[6:] + HIGH]


def test_a_tie_goes_to_the_first_centroid():
    assert textbook.assign_points([(1, 0)], [(0, 0), (2, 0)]) == [[(1, 0)], []]
    assert textbook.assign_points([(1, 0)], [(2, 0), (0, 0)]) == [[(1, 0)], []]
    assert textbook.assign_points([(5, 5)], [(1, 1), (1, 1), (1, 1)]) == [[(5, 5)], [], []]


def test_one_cluster_holds_everything():
    assert textbook.k_means(PICTURE, 1, seed=0) == [PICTURE]


@pytest.mark.parametrize("seed", range(5))
def test_as_many_clusters_as_points(seed):
    clusters = textbook.k_means(PICTURE, 30, seed=seed)

    assert sorted(clusters) == [[point] for point in sorted(PICTURE)]


def test_initial_centroids_are_points_and_no_point_twice():
    chosen = textbook.initialize_centroids(PICTURE, 30, seed=1)

    assert sorted(chosen) == sorted(PICTURE)
    assert chosen == textbook.initialize_centroids(PICTURE, 30, seed=1)
    assert chosen != textbook.initialize_centroids(PICTURE, 30, seed=2)


def test_squares_are_added_from_first_to_last():
    # 10¹⁶ + 1 rounds to 10¹⁶, twice; a compensated sum would keep the 2.
    assert textbook.squared_distance([1e8, 1, 1], [0, 0, 0]) == 1e16
    assert textbook.squared_distance([1, 1, 1e8], [0, 0, 0]) == 1e16 + 2


def test_the_mean_is_exact_and_rounded_once():
    # Added left to right these make 0.6000000000000001, and a third of that is not 0.2.
    assert textbook.recalculate_centroids([[(0.1,), (0.2,), (0.3,)]]) == [[0.2]]
    # And 2⁵³ swallows a 1 that is added to it.
    column = [2.0**53, 1.0, -(2.0**53)]
    assert textbook.recalculate_centroids([[(x,) for x in column]]) == [[float(Fraction(1, 3))]]


def test_an_empty_cluster_keeps_its_centroid():
    clusters = textbook.assign_points([(0,), (1,)], [(0,), (9,)])

    assert textbook.recalculate_centroids(clusters, [(0,), (9,)]) == [[0.5], (9,)]
    assert textbook.k_means([(0,), (1,)], 2, initial_centroids=[(0,), (9,)]) == [[(0,), (1,)], []]


def test_more_clusters_than_points():
    with pytest.raises(ValueError, match="larger than population"):
        textbook.k_means([(0,), (1,)], 3)


@pytest.mark.parametrize("x", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite(x):
    with pytest.raises(ValueError, match="finite"):
        textbook.k_means([(0,), (x,)], 1)


def test_only_the_standard_library():
    tree = ast.parse(Path(textbook.__file__).read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_its_example_runs():
    ran = doctest.testmod(textbook)

    assert ran.attempted > 0
    assert ran.failed == 0


def read_iris():
    with IRIS.open(newline="") as file:
        _, *rows = csv.reader(file)
    return [tuple(map(float, row)) for row in rows]


def assert_library_agrees(data, start):
    """Compare cluster by cluster, row by row, bit by bit."""
    expected = textbook.k_means(data, len(start), initial_centroids=start)
    result = truemeans.k_means(data, len(start), init=start)

    assert [[tuple(row) for row in cluster.tolist()] for cluster in result.clusters] == expected
    assert result.centroids.tolist() == [
        [float(x) for x in centroid] for centroid in textbook.recalculate_centroids(expected, start)
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_iris_agrees_with_the_library(k, seed):
    data = read_iris()
    distinct = sorted(set(data))

    assert_library_agrees(data, random.Random(seed).sample(distinct, k))


def test_the_picture_agrees_with_the_library():
    assert_library_agrees(PICTURE, [(1.0, 1.0), (2.0, 1.0)])


def loses_a_cluster(data, centroids):
    """Tell whether some iteration leaves a cluster empty, which the library would refill."""
    old = None
    while not textbook.has_converged(centroids, old):
        clusters = textbook.assign_points(data, centroids)
        if not all(clusters):
            return True
        old, centroids = centroids, textbook.recalculate_centroids(clusters)
    return False


@given(st.data())
def test_lattices_agree_with_the_library(data):
    """Small integers, scaled to steps of a tenth: full of ties, and of tenths that round."""
    n_features = data.draw(st.integers(1, 4))
    point = st.tuples(*[st.integers(-4, 4)] * n_features)
    points = data.draw(st.lists(point, min_size=1, max_size=40))
    scale = data.draw(st.sampled_from([1.0, 0.1, 1e-9, 3e7]))
    points = [tuple(x * scale for x in p) for p in points]
    k = data.draw(st.integers(1, min(8, len(set(points)))))
    start = data.draw(st.permutations(sorted(set(points))))[:k]
    assume(not loses_a_cluster(points, start))

    assert_library_agrees(points, start)


def test_float32_rows_are_taken_for_the_numbers_they_are():
    X = np.float32([[0.1, 0.2], [0.3, 0.1], [5.1, 5.2], [5.3, 5.1], [2.6, 2.7]])
    start = X[[0, 2]]
    expected = textbook.k_means(X.tolist(), 2, initial_centroids=start.tolist())

    result = truemeans.k_means(X, 2, init=start)

    assert [cluster.tolist() for cluster in result.clusters] == expected
