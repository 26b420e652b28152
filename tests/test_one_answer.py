"""One answer: the same bits through the public functions, however the rows are read or computed."""

from __future__ import annotations

import numpy as np
import pytest

import truemeans
from ladder import assert_same_run, make_rows, native_plans, run
from truemeans.engines.native import targets
from truemeans.sources import ArraySource, NpySource

PLAN = next(native_plans())


def assert_same_result(expected, actual):
    np.testing.assert_array_equal(expected.labels, actual.labels)
    assert expected.centroids.tobytes() == actual.centroids.tobytes()
    assert expected.inertia == actual.inertia
    assert expected.history.inertia.tobytes() == actual.history.inertia.tobytes()
    assert expected.n_iter == actual.n_iter


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", ["k-means++", "random", "array"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(3000, 2, 40), (2500, 20, 9), (1200, 70, 80)], ids=str)
def test_threads_and_targets(shape, weighted, init, dtype, monkeypatch):
    n, d, k = shape
    X = make_rows("normal", n, d, dtype)
    options = {
        "init": X[:k] if init == "array" else init,
        "random_state": 7,
        "max_iter": 6,
        "sample_weight": np.random.default_rng(0).random(n) if weighted else None,
    }
    expected = truemeans.k_means(X, k, n_threads=1, **options)
    for n_threads in (2, 3, 8):
        actual = truemeans.k_means(X, k, n_threads=n_threads, **options)
        assert actual.plan.n_threads == n_threads
        assert_same_result(expected, actual)
    for target in targets():
        monkeypatch.setenv("TRUEMEANS_TARGET", target)
        actual = truemeans.k_means(X, k, **options)
        assert actual.plan.target == target
        assert_same_result(expected, actual)


@pytest.mark.parametrize("block_rows", [1, 2, 7, 100, 1000])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("stored", ["<f4", ">f4", "<f8", "<i2", "fortran"])
def test_a_file_read_block_by_block_is_the_array(tmp_path, stored, weighted, block_rows):
    rows = make_rows("lattice" if stored == "<i2" else "offset", 300, 3, np.float64)
    saved = np.asfortranarray(rows) if stored == "fortran" else rows.astype(stored)
    np.save(tmp_path / "rows.npy", saved)
    source = NpySource(tmp_path / "rows.npy", block_rows)
    X = np.ascontiguousarray(saved, source.dtype)
    assert source.dtype == (np.float32 if "f4" in stored else np.float64)
    weight = np.random.default_rng(0).random(300) if weighted else None
    init = X[:8].copy()
    init[7] = 1e9  # an empty cluster, so that rows are taken by number too
    assert_same_run(run(X, init, PLAN, weight), run(source, init, PLAN, weight))


def test_a_path_goes_where_an_array_goes(tmp_path):
    X = make_rows("normal", 500, 4, np.float32)
    np.save(tmp_path / "rows.npy", X)
    for init in ("k-means++", "random"):
        assert_same_result(
            truemeans.k_means(X, 5, init=init, random_state=0),
            truemeans.k_means(tmp_path / "rows.npy", 5, init=init, random_state=0),
        )


def test_sources_take_rows_by_number(tmp_path):
    X = make_rows("normal", 50, 3, np.float64)
    np.save(tmp_path / "rows.npy", X)
    rows = np.array([3, 3, 49, 0])
    for source in (ArraySource(X), NpySource(tmp_path / "rows.npy", 7)):
        np.testing.assert_array_equal(source.take(rows), X[rows])


def test_predicting_one_row_is_predicting_the_batch():
    X = make_rows("lattice", 2000, 3, np.float32)  # many exact ties
    model = truemeans.KMeans(20, random_state=0).fit(X)
    batch = model.predict(X)
    np.testing.assert_array_equal(batch, model.labels_)
    single = [int(model.predict(X[i : i + 1])[0]) for i in range(0, 2000, 13)]
    np.testing.assert_array_equal(batch[::13], single)
    assert -model.score(X) == model.inertia_


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_many_rows_of_few_features_go_through_boxes(d, dtype, weighted, monkeypatch):
    rng = np.random.default_rng(d)
    X = np.vstack([rng.normal(size=(30_000, d)) * 0.01 + 5, rng.normal(size=(30_000, d))])
    X = np.ascontiguousarray(X, dtype)
    X[0] = 1e4  # an outlier that the grid must bear
    weight = rng.random(len(X)) if weighted else None
    result = truemeans.k_means(X, 40, init=X[::1500], sample_weight=weight, max_iter=6)
    assert result.plan.skip == "boxes"
    expected = run(X, X[::1500], PLAN, weight, max_iter=6)
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_array_equal(result.centroids, expected.centroids)
    for n_threads in (1, 3):
        other = truemeans.k_means(
            X, 40, init=X[::1500], sample_weight=weight, max_iter=6, n_threads=n_threads
        )
        assert_same_result(result, other)
