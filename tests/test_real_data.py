"""Real data: the textbook's clusters, the same bits for every way to compute them, known optima."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import truemeans
from truemeans import textbook
from truemeans.targets import targets

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "tests" / "data").glob("*.csv"))


@pytest.mark.parametrize("n_clusters", [3, 10])
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_textbook_and_every_target_agree(path, n_clusters, monkeypatch):
    X = np.loadtxt(path, delimiter=",")
    init, _ = truemeans.kmeans_plusplus(X, n_clusters, random_state=0)
    expected = truemeans.k_means(X, n_clusters, init=init)
    told = textbook.k_means(X.tolist(), n_clusters, initial_centroids=init.tolist())
    assert [cluster.tolist() for cluster in expected.clusters] == told
    ways = [{"n_threads": n} for n in (1, 2, 3)] + [{"target": t} for t in targets()]
    for way in ways:
        if "target" in way:
            monkeypatch.setenv("TRUEMEANS_TARGET", way["target"])
        actual = truemeans.k_means(X, n_clusters, init=init, n_threads=way.get("n_threads"))
        np.testing.assert_array_equal(actual.labels, expected.labels)
        assert actual.centroids.tobytes() == expected.centroids.tobytes()
        assert actual.inertia == expected.inertia


def test_iris_reaches_its_proved_optimum():
    X = np.loadtxt(ROOT / "examples" / "data" / "iris.csv", delimiter=",", skiprows=1)
    best = min(truemeans.k_means(X, 3, random_state=seed).inertia for seed in range(10))
    assert best == pytest.approx(78.851441426, abs=5e-10)


def test_r15_reaches_the_best_known():
    X = np.loadtxt(ROOT / "tests" / "data" / "sipu_r15.csv", delimiter=",")
    best = truemeans.k_means(X, 15, n_init=20, random_state=0).inertia
    assert best == pytest.approx(108.619040813, abs=1e-9)
