"""The k-means algorithm as the textbook tells it, step for step, in plain Python.

Given m points x⁽¹⁾ … x⁽ᵐ⁾ and a number k, choose k centroids μ₁ … μₖ among the points, then
repeat two steps until the centroids stay where they are:

    assignment step    c⁽ⁱ⁾ := the j with the least ‖x⁽ⁱ⁾ − μⱼ‖²
    update step        μⱼ  := Σᵢ 1{c⁽ⁱ⁾ = j} x⁽ⁱ⁾  /  Σᵢ 1{c⁽ⁱ⁾ = j}

Neither step can raise the inertia

    J = Σᵢ ‖x⁽ⁱ⁾ − μ_c⁽ⁱ⁾‖²

which is what k-means minimises: the sum of the *squared* distances from each point to the
centroid of its cluster. Introductions often leave out "squared", but the mean of a cluster
minimises its squared distances, not its distances.

`truemeans.k_means` computes the same answer fast; its tests start from this file.
"""

import random
from collections.abc import Sequence
from math import isfinite
from statistics import mean

__all__ = [
    "assign_points",
    "has_converged",
    "initialize_centroids",
    "k_means",
    "recalculate_centroids",
]

Point = Sequence[float]


def k_means(
    data: Sequence[Point],
    k: int,
    *,
    initial_centroids: Sequence[Point] | None = None,
    seed: int | None = None,
) -> list[list[Point]]:
    """Separate the points of ``data`` into ``k`` clusters.

    Parameters
    ----------
    data : sequence of points, shape (n_samples, n_features)
        Every point is a sequence of finite numbers.
    k : int
        Number of clusters, from 1 to the number of points.
    initial_centroids : sequence of k points, default=None
        Where to start. With None, ``k`` points of ``data`` are chosen at random.
    seed : int, default=None
        Makes the random choice repeatable.

    Returns
    -------
    list of k clusters
        Each cluster lists its points, in the order they have in ``data``.

    Raises
    ------
    ValueError
        If ``k`` is larger than the number of points, or a feature is NaN or infinite.

    References
    ----------
    S. P. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information
    Theory 28 (1982), 129–137.

    Examples
    --------
    >>> k_means([(0, 0), (0, 1), (9, 9), (9, 8)], 2, initial_centroids=[(0, 0), (9, 9)])
    [[(0, 0), (0, 1)], [(9, 9), (9, 8)]]
    """
    if not all(isfinite(x) for point in data for x in point):
        raise ValueError("every feature of every point must be a finite number")

    # Initialize centroids
    if initial_centroids is None:
        centroids: Sequence[Point] = initialize_centroids(data, k, seed)
    else:
        centroids = initial_centroids

    # Initialize clusters
    clusters: list[list[Point]] = [[] for _ in range(k)]

    # Initialize old_centroids
    old_centroids = None

    # Iterate until centroids converge
    while not has_converged(centroids, old_centroids):
        # Assign data points to clusters
        clusters = assign_points(data, centroids)

        # Save old centroids
        old_centroids = centroids

        # Recalculate centroids
        centroids = recalculate_centroids(clusters, old_centroids)

    return clusters


def initialize_centroids(data: Sequence[Point], k: int, seed: int | None = None) -> list[Point]:
    """Choose ``k`` of the points at random, no point twice."""
    return random.Random(seed).sample(data, k)


def assign_points(data: Sequence[Point], centroids: Sequence[Point]) -> list[list[Point]]:
    """Put every point into the cluster of its nearest centroid: the assignment step.

    Of two centroids at the same distance, the one that comes first takes the point.
    """
    clusters: list[list[Point]] = [[] for _ in centroids]
    for point in data:
        distances = [squared_distance(point, centroid) for centroid in centroids]
        clusters[distances.index(min(distances))].append(point)
    return clusters


def squared_distance(point: Point, centroid: Point) -> float:
    """Add up the squared differences, feature by feature, from first to last."""
    total = 0.0
    for x, mu in zip(point, centroid, strict=True):
        difference = float(x) - float(mu)
        total += difference * difference
    return total


def recalculate_centroids(
    clusters: Sequence[Sequence[Point]], old_centroids: Sequence[Point] = ()
) -> list[Point]:
    """Move every centroid to the mean of the points of its cluster: the update step.

    `statistics.mean` adds exactly and rounds once. A cluster without points has no mean, so
    its centroid stays; `truemeans.k_means` gives such a cluster the farthest point instead.
    """
    return [
        [mean(feature) for feature in zip(*cluster, strict=True)] if cluster else old_centroids[j]
        for j, cluster in enumerate(clusters)
    ]


def has_converged(centroids: Sequence[Point], old_centroids: Sequence[Point] | None) -> bool:
    """Tell whether the update step left every centroid where it was."""
    return old_centroids is not None and [*map(tuple, centroids)] == [*map(tuple, old_centroids)]
