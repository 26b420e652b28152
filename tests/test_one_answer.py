"""One answer: the same bits through the public functions, however the rows are read or computed."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
import pytest

import truemeans
from ladder import assert_same_run, bits, make_rows, native_plans, run
from truemeans.engines import native as native_engine
from truemeans.plan import METHODS, make_plan, methods
from truemeans.sources import ArraySource, NpySource, keep_rows, npy
from truemeans.targets import has_tiles, targets

PLAN = next(native_plans())
INITS = ("k-means++", "k-means||", "random", "array", "callable")
# Every number of threads, each with another block size.
WORKERS = [(1, 1), (2, 7), (3, 2), (4, 0), (8, 16), (64, 33)]


def history(result):
    return (*bits(result), result.history.inertia.tobytes(), result.history.n_changed.tobytes())


def hard_rows(n, d, dtype):
    """Ties, exact duplicates, an offset, and a wide range, a part of the rows each."""
    kinds = ("lattice", "twins", "offset", "wide")
    parts = [make_rows(kind, n // len(kinds), d, np.float64) for kind in kinds]
    return np.ascontiguousarray(np.vstack(parts), dtype)


def options(X, k, init, weighted):
    """Arguments of one problem; each call makes its own source of randomness."""
    rng = np.random.default_rng(1)
    start = X[rng.choice(len(X), k, replace=False)]
    start[1] = start[0]  # ties everywhere
    start[2] = 1e9  # an empty cluster
    return {
        "n_clusters": k,
        "init": {"array": start, "callable": lambda X, k, random_state: start}.get(init, init),
        "random_state": 7,
        "max_iter": 8,
        "sample_weight": rng.integers(0, 4, len(X)) * 0.17 if weighted else None,
    }


@contextmanager
def forced(target, scores, skip, block_rows=0):
    """Compute by this method, with what it remembers between passes used from the second on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUEMEANS_TARGET", target)
        patch.setenv("TRUEMEANS_METHOD", f"{scores}/{skip}/{block_rows}")
        patch.setattr(native_engine, "should_skip", lambda *_: True)
        patch.setattr(native_engine, "should_keep", lambda *_: True)
        yield


# How it is computed ---------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("shape", [(600, 3, 20), (300, 50, 33)], ids=str)
def test_every_method_target_and_number_of_threads(shape, init, dtype, weighted):
    n, d, k = shape
    X = hard_rows(n, d, dtype)
    problem = options(X, k, init, weighted)
    expected = history(truemeans.k_means(X, **problem))
    for target in targets():
        for scores, skip in methods(target, d):
            for n_threads, block_rows in WORKERS:
                with forced(target, scores, skip, block_rows):
                    result = truemeans.k_means(X, **problem, n_threads=n_threads)
                plan = result.plan
                assert (plan.target, plan.scores, plan.skip) == (target, scores, skip)
                assert (plan.n_threads, plan.block_rows) == (n_threads, block_rows)
                assert history(result) == expected, plan


@pytest.mark.parametrize("scores", ["samples", "centroids", "tiles", "coarse", "bytes"])
@pytest.mark.parametrize("target", targets())
def test_every_block_size(target, scores):
    if scores in ("tiles", "coarse", "bytes") and not has_tiles(target):
        pytest.skip(f"{target} has no matrix unit")
    X = hard_rows(160, 9, np.float32)
    problem = options(X, 11, "array", weighted=False)
    expected = history(truemeans.k_means(X, **problem))
    for block_rows in range(1, len(X) + 2):
        with forced(target, scores, "rows", block_rows):
            assert history(truemeans.k_means(X, **problem, n_threads=2)) == expected


@pytest.mark.parametrize("target", targets())
def test_the_plan_chooses_among_the_forced_methods(target, monkeypatch):
    monkeypatch.setenv("TRUEMEANS_TARGET", target)
    shapes = [
        (n, d, k)
        for n in (10, 1000, 60_000, 30_000_000)
        for d in (1, 3, 8, 40, 128, 400)
        for k in (1, 2, 50, 1000)
    ]
    chosen = {(plan.scores, plan.skip) for plan in (make_plan(*shape) for shape in shapes)}
    # Methods that remember nothing are what the others start from, before it pays. A matrix unit
    # takes the shapes for which others need bounds by groups; bytes are kept where there is room.
    others = {(scores, "rows") for scores in ("tiles", "coarse")} | {("bytes", "packed")}
    if has_tiles(target):
        others = {("centroids", "groups")}
    others.add(("bytes", "rows"))
    start = {method for method in METHODS if method[1] == "none"} - {("none", "none")}
    assert chosen == set(METHODS) - start - others


@pytest.mark.parametrize("method", ["samples", "rows/samples", "samples/rows/x", "samples/boxes"])
def test_a_method_there_is_none_of(method, monkeypatch):
    monkeypatch.setenv("TRUEMEANS_METHOD", method)
    with pytest.raises(ValueError, match=rf"TRUEMEANS_METHOD='{method}' must be one of none/none"):
        truemeans.k_means(np.zeros((4, 5)), 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_many_rows_of_few_features_go_through_boxes(d, dtype):
    rng = np.random.default_rng(d)
    X = np.vstack([rng.normal(size=(30_000, d)) * 0.01 + 5, rng.normal(size=(30_000, d))])
    X = np.ascontiguousarray(X, dtype)
    X[0] = 1e4  # an outlier that the grid must bear
    problem = {"n_clusters": 40, "init": X[::1500], "sample_weight": rng.random(len(X))}
    result = truemeans.k_means(X, **problem, max_iter=6)
    assert result.plan.skip == "boxes"
    with forced("", "samples", "none"):
        dense = truemeans.k_means(X, **problem, max_iter=6)
    assert history(result) == history(dense)


def burn(stop):
    """Something for the scheduler to do: Python, and fits on threads of their own."""
    X = make_rows("normal", 2000, 8, np.float32)
    while not stop.is_set():
        truemeans.k_means(X, 20, init=X[:20], n_threads=3, max_iter=3)
        sum(range(20_000))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fifty_runs_under_load(dtype):
    """scikit-learn 1.9.1: 8 threads gave 6 different sets of centroids in 6 runs."""
    X = make_rows("normal", 20_000, 8, dtype)
    stop = threading.Event()
    load = [threading.Thread(target=burn, args=(stop,)) for _ in range(4)]
    for thread in load:
        thread.start()
    try:
        found = {
            history(truemeans.k_means(X, 30, random_state=1, max_iter=4, n_threads=2 + i % 7))
            for i in range(50)
        }
    finally:
        stop.set()
        for thread in load:
            thread.join()
    assert len(found) == 1


# How the rows are kept ------------------------------------------------------------------------


def every_second(X):
    room = np.full((2 * len(X), 2 * X.shape[1]), np.nan, X.dtype)
    room[::2, ::2] = X
    return room[::2, ::2]


def mapped(X, folder, *, fortran=False):
    np.save(folder / "mapped.npy", np.asfortranarray(X) if fortran else X)
    return np.load(folder / "mapped.npy", mmap_mode="r")


KEPT = {
    "Fortran order": lambda X, folder: np.asfortranarray(X),
    "every second row and column": lambda X, folder: every_second(X),
    "rows backwards": lambda X, folder: X[::-1].copy()[::-1],
    "memory-mapped": mapped,
    "memory-mapped, Fortran order": lambda X, folder: mapped(X, folder, fortran=True),
}


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("kept", KEPT)
def test_every_way_to_keep_rows(kept, init, dtype, weighted, tmp_path):
    X = hard_rows(600, 5, dtype)
    problem = options(X, 9, init, weighted)
    given = KEPT[kept](X, tmp_path)
    assert history(truemeans.k_means(given, **problem)) == history(truemeans.k_means(X, **problem))
    if init == "k-means++":
        one, other = (truemeans.KMeans(9, random_state=0).fit(rows) for rows in (X, given))
        assert one.labels_.tobytes() == other.labels_.tobytes() == other.predict(given).tobytes()
        assert one.transform(X).tobytes() == other.transform(given).tobytes()
        assert one.inertia_ == -other.score(given)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("d", [3, 20])
def test_every_way_to_stream_rows(d, init, dtype, weighted, tmp_path, monkeypatch):
    """From a file in blocks of any size, by every method."""
    X = hard_rows(240, d, dtype)
    np.save(tmp_path / "rows.npy", X)
    problem = options(X, 9, init, weighted)
    expected = history(truemeans.k_means(X, **problem))
    ways = [*methods("", d), ("none", "none"), ("centroids", "groups")]
    for rows in (1, 2, 7, 60, 239, 240):
        monkeypatch.setattr(npy, "_BLOCK_BYTES", rows * X[0].nbytes)
        for scores, skip in ways if rows > 1 else ways[:2]:
            with forced("", scores, skip):
                result = truemeans.k_means(tmp_path / "rows.npy", **problem, n_threads=2)
            assert history(result) == expected, (rows, scores, skip)


@pytest.mark.parametrize("block_rows", [1, 7, 100, 1000])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("stored", ["<f4", ">f4", "<f8", "<i2", "fortran"])
def test_every_way_to_store_a_file(tmp_path, stored, weighted, block_rows):
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


def test_sources_take_rows_by_number(tmp_path):
    X = make_rows("normal", 50, 3, np.float64)
    np.save(tmp_path / "rows.npy", X)
    rows = np.array([3, 3, 49, 0])
    for source in (ArraySource(X), NpySource(tmp_path / "rows.npy", 7)):
        np.testing.assert_array_equal(source.take(rows), X[rows])


def test_sources_keep_some_of_their_rows(tmp_path):
    X = make_rows("normal", 50, 3, np.float64)
    np.save(tmp_path / "rows.npy", X)
    numbers = np.array([0, 1, 20, 48, 49])  # whole blocks of 7 keep no row
    for source in (ArraySource(X), NpySource(tmp_path / "rows.npy", 7)):
        kept = keep_rows(source, numbers)
        blocks = list(kept.blocks())
        np.testing.assert_array_equal(np.vstack([block for _, block in blocks]), X[numbers])
        assert [i for where, _ in blocks for i in range(5)[where]] == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal(kept.take(np.array([4, 2])), X[[49, 20]])


# In which order, and how many at a time -------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "array"])
@pytest.mark.parametrize("d", [2, 50])
def test_permuting_rows_permutes_labels_and_changes_no_other_bit(d, init, dtype, weighted):
    X = hard_rows(400, d, dtype)
    problem = options(X, 13, init, weighted)
    weight = problem.pop("sample_weight")
    expected = truemeans.k_means(X, **problem, sample_weight=weight)
    rng = np.random.default_rng(2)
    for scores, skip in methods("", d):
        order = rng.permutation(len(X))
        with forced("", scores, skip):
            actual = truemeans.k_means(
                X[order], **problem, sample_weight=None if weight is None else weight[order]
            )
        np.testing.assert_array_equal(actual.labels, expected.labels[order])
        assert actual.centroids.tobytes() == expected.centroids.tobytes()
        assert actual.inertia == expected.inertia
        assert actual.history.inertia.tobytes() == expected.history.inertia.tobytes()


@pytest.mark.parametrize("target", targets())
def test_predicting_one_row_is_predicting_the_batch(target):
    X = make_rows("lattice", 2000, 3, np.float32)  # many exact ties
    model = truemeans.KMeans(20, random_state=0).fit(X)
    assert -model.score(X) == model.inertia_
    for scores, skip in methods(target, 3):
        with forced(target, scores, skip):
            batch = model.predict(X)
            single = [int(model.predict(X[i : i + 1])[0]) for i in range(0, 2000, 67)]
        np.testing.assert_array_equal(batch, model.labels_)
        np.testing.assert_array_equal(batch[::67], single)
