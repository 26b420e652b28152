"""refine="swap": never worse, one answer, and as good as the best that is known."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

import truemeans.refine
import truemeans.validation.parameters
from commands import enter, typed
from truemeans import KMeans, k_means
from truemeans.engines.native import NativeEngine, targets
from truemeans.plan import make_plan

DATA = Path(__file__).parent / "data"
IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"

# Proved optimal: O. du Merle, P. Hansen, B. Jaumard, N. Mladenović, SIAM Journal on Scientific
# Computing 21 (2000).
IRIS_OPTIMA = {
    2: 152.347951760,
    3: 78.851441426,
    4: 57.228473214,
    5: 46.446182051,
    6: 39.039987246,
    7: 34.298229665,
    8: 29.988943951,
    9: 27.786092417,
    10: 25.834054820,
}
# Means over 100 runs of breathing k-means, by its author.
BREATHING = {
    ("sipu_r15", 30): 65.80,
    ("sipu_aggregation", 200): 234.0,
    ("sipu_flame", 80): 43.92,
    ("bkm_uniform", 100): 1.206,
}


def iris():
    return np.loadtxt(IRIS, delimiter=",", skiprows=1, usecols=range(4))


def read(name):
    return np.loadtxt(DATA / f"{name}.csv", delimiter=",")


def blobs(n=600, d=3, k=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(k, d))[rng.integers(0, k, n)] * 6 + rng.normal(size=(n, d))


@pytest.mark.parametrize("k", IRIS_OPTIMA)
def test_iris_reaches_the_proved_optimum(k):
    X = iris()
    found = [k_means(X, k, random_state=seed, refine="swap").inertia for seed in range(20)]
    assert min(found) >= IRIS_OPTIMA[k] * (1 - 1e-9)
    assert sum(value <= IRIS_OPTIMA[k] * (1 + 1e-6) for value in found) >= 19


def test_r15_reaches_its_optimum():
    X = read("sipu_r15")
    found = [k_means(X, 15, random_state=seed, refine="swap").inertia for seed in range(20)]
    assert sum(value <= 108.619040813 * (1 + 1e-6) for value in found) >= 19


@pytest.mark.parametrize(("name", "k"), BREATHING)
def test_no_worse_than_breathing(name, k):
    X = read(name)
    found = [k_means(X, k, random_state=s, refine="swap").inertia for s in range(3)]
    assert np.mean(found) <= BREATHING[name, k]


def test_what_costs_least_is_taken_away_first():
    # Where a removal is valued wrongly, most trials fail and the search ends at 230.
    X = read("sipu_aggregation")
    found = [k_means(X, 200, random_state=s, refine="swap").inertia for s in range(3)]
    assert np.mean(found) <= 225.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_never_worse_and_agrees_with_itself(dtype, weighted):
    X = blobs().astype(dtype)
    weight = np.random.default_rng(1).random(len(X)) if weighted else None
    for seed in range(5):
        plain = KMeans(9, random_state=seed, tol=0).fit(X, sample_weight=weight)
        model = KMeans(9, random_state=seed, tol=0, refine="swap").fit(X, sample_weight=weight)
        done = model.refinement_
        assert model.inertia_ <= plain.inertia_
        assert done.inertia_before == plain.inertia_
        assert (model.inertia_ < plain.inertia_) or done.n_kept == 0
        assert done.ended
        assert not done.interrupted
        np.testing.assert_array_equal(model.predict(X), model.labels_)
        assert model.score(X, sample_weight=weight) == -model.inertia_
        assert model.cluster_centers_.dtype == dtype
        # The run that was refined keeps its history.
        np.testing.assert_array_equal(model.history_.inertia, plain.history_.inertia)
        assert model.n_iter_ == plain.n_iter_
    assert plain.refinement_ is None


@pytest.mark.parametrize("d", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_single_row_gains_by_moving(d, weighted):
    # One feature too: here the search is asked itself, not k_means, which has the optimum.
    X = blobs(203, d, 8)
    w = np.random.default_rng(1).random(len(X)) + 0.1 if weighted else np.ones(len(X))
    start, labels = X[:10], ((X[:, np.newaxis] - X[:10]) ** 2).sum(axis=2).argmin(axis=1)
    with NativeEngine(make_plan(len(X), d, 10, None)) as engine:
        search = engine.swap_search(X, w, labels.astype(np.int32), start, 100)
        assert search.run(10**6, 60.0)
    centroids = search.centroids.reshape(10, d)
    distance = ((X[:, np.newaxis] - centroids) ** 2).sum(axis=2)
    labels = distance.argmin(axis=1)
    mass = np.bincount(labels, w, 10)
    means = np.stack([np.bincount(labels, w * x, 10) / mass for x in X.T], axis=1)
    np.testing.assert_allclose(centroids, means, rtol=0, atol=1e-12)
    own = np.take_along_axis(distance, labels[:, np.newaxis], axis=1)[:, 0]
    assert search.inertia == pytest.approx(w @ own, rel=1e-12)
    rest = mass[labels] - w
    leaves = np.where(rest > 0, mass[labels] / np.maximum(rest, 1e-300) * own, 0.0)
    enters = mass / (mass + w[:, np.newaxis]) * distance
    enters[np.arange(len(X)), labels] = np.inf
    assert (enters.min(axis=1) >= leaves * (1 - 1e-9)).all()


def test_one_answer(monkeypatch):
    X = blobs().astype(np.float32)
    start = k_means(X, 9, random_state=0).centroids
    expected = k_means(X, 9, init=start, refine="swap")
    assert expected.refinement.n_kept > 0
    for n_threads in (1, 3):
        again = k_means(X, 9, init=start, refine="swap", n_threads=n_threads)
        assert again.centroids.tobytes() == expected.centroids.tobytes()
        assert again.refinement == expected.refinement
    for target in targets():
        monkeypatch.setenv("TRUEMEANS_TARGET", target)
        again = k_means(X, 9, init=start, refine="swap")
        assert again.centroids.tobytes() == expected.centroids.tobytes()
    monkeypatch.delenv("TRUEMEANS_TARGET")
    order = np.random.default_rng(2).permutation(len(X))
    mixed = k_means(X[order], 9, init=start, refine="swap")
    assert mixed.centroids.tobytes() == expected.centroids.tobytes()
    np.testing.assert_array_equal(mixed.labels, expected.labels[order])
    assert mixed.inertia == expected.inertia
    # How often the search comes up for air does not matter.
    monkeypatch.setattr(truemeans.refine, "_SLICE_SECONDS", 0.0)
    assert k_means(X, 9, init=start, refine="swap").refinement == expected.refinement


def test_rows_of_equal_key_are_ordered_by_their_values(monkeypatch):
    X = blobs(100, 2, 5)
    start = X[:6]
    expected = k_means(X, 6, init=start, refine="swap")
    engine = truemeans.engines.native.NativeEngine
    monkeypatch.setattr(engine, "row_keys", lambda self, X: np.zeros(len(X)))
    order = np.random.default_rng(0).permutation(len(X))
    a = k_means(X, 6, init=start, refine="swap")
    b = k_means(X[order], 6, init=start, refine="swap")
    assert a.centroids.tobytes() == b.centroids.tobytes()
    assert a.inertia == pytest.approx(expected.inertia, rel=0.2)


def test_weights_are_copies():
    X = blobs(150, 2, 6)
    w = np.random.default_rng(3).integers(0, 4, len(X))
    start = X[w > 0][:8]
    weighted = k_means(X, 8, sample_weight=w, init=start, refine="swap")
    copied = k_means(np.repeat(X, w, axis=0), 8, init=start, refine="swap")
    assert weighted.centroids.tobytes() == copied.centroids.tobytes()
    assert weighted.refinement.n_tried == copied.refinement.n_tried


def test_the_budget_holds():
    X = blobs(800, 2, 30, seed=5)
    before = k_means(X, 30, random_state=0)
    last = before.inertia
    for most in (0, 1, 5, 20, 80):
        result = k_means(X, 30, random_state=0, refine="swap", max_swaps=most)
        assert result.refinement.n_tried <= most
        assert result.inertia <= last
        last = result.inertia
    assert last < before.inertia
    nothing = k_means(X, 30, random_state=0, refine="swap", max_swaps=0)
    assert nothing.centroids.tobytes() == before.centroids.tobytes()


def test_seconds_are_a_budget_too():
    X = np.random.default_rng(0).normal(size=(40_000, 8)).astype(np.float32)
    plain = k_means(X, 30, random_state=0, max_iter=10)
    nothing = k_means(X, 30, random_state=0, max_iter=10, refine="swap", max_swap_seconds=0)
    assert nothing.centroids.tobytes() == plain.centroids.tobytes()
    assert nothing.refinement.n_tried == 0
    # One search of many seconds, stopped soon; one stopped never.
    some = k_means(X, 30, random_state=0, max_iter=10, refine="swap", max_swap_seconds=0.2)
    assert not some.refinement.ended
    assert not some.refinement.interrupted
    assert some.inertia < plain.inertia
    Y, start = blobs(), blobs()[:9]
    free = k_means(Y, 9, init=start, refine="swap")
    bound = k_means(Y, 9, init=start, refine="swap", max_swap_seconds=1e9)
    assert bound.centroids.tobytes() == free.centroids.tobytes()
    assert bound.refinement == free.refinement


def test_time_can_end_before_the_first_swap():
    # From anywhere to the nearest local optimum takes rounds; each may be the last.
    X = blobs(3000, 4, 12)
    labels = np.random.default_rng(0).integers(0, 12, len(X)).astype(np.int32)
    with NativeEngine(make_plan(len(X), 4, 12, None)) as engine:

        def begin():
            return engine.swap_search(X, np.ones(len(X)), labels, X[:12], 100)

        search, inertias = begin(), []
        while search.n_tried == 0:
            assert not search.run(1, 0.0)
            inertias.append(search.inertia)
        assert len(inertias) > 5
        assert np.all(np.diff(inertias) <= 0)
        while not search.has_ended:
            search.run(1, 0.0)
        at_once = begin()
        assert at_once.run(10**6, 60.0)
        assert at_once.centroids.tobytes() == search.centroids.tobytes()
        # A kept swap is seen through to its local optimum, whatever the budget of swaps.
        few, one_by_one = begin(), begin()
        assert few.run(30, 60.0)
        assert not few.has_ended
        for _ in range(30):
            assert one_by_one.run(1, 60.0)
        assert few.n_kept > 0
        assert few.centroids.tobytes() == one_by_one.centroids.tobytes()


def test_budgets_of_any_size():
    X = blobs(60, 2, 5)
    free = k_means(X, 6, random_state=0, refine="swap")
    for most, seconds in ((2**64, None), (10**30, 10**400)):
        bound = k_means(
            X, 6, random_state=0, refine="swap", max_swaps=most, max_swap_seconds=seconds
        )
        assert bound.centroids.tobytes() == free.centroids.tobytes()
        assert bound.refinement == free.refinement


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_any_scale(scale):
    X = blobs(200, 2, 8)
    start = X[:10]
    plain = k_means(X, 10, init=start, refine="swap")
    scaled = k_means(X * scale, 10, init=start * scale, refine="swap")
    assert scaled.refinement.n_kept == pytest.approx(plain.refinement.n_kept, abs=5)
    assert len(np.unique(scaled.labels)) == 10


def test_few_rows_and_few_values():
    assert k_means([[0.0, 0.0], [1.0, 1.0]], 2, random_state=0, refine="swap").inertia == 0.0
    assert k_means([[0.0, 0.0], [2.0, 0.0]], 1, random_state=0, refine="swap").inertia == 2.0
    with pytest.warns(UserWarning, match="distinct"):
        result = k_means([[0.0, 0.0]] * 3 + [[1.0, 1.0]], 3, random_state=0, refine="swap")
    assert result.inertia == 0.0
    # The optimum of one feature cannot be refined.
    assert k_means([[0.0], [1.0], [5.0]], 2, refine="swap").refinement is None


def interrupt_soon(iteration):
    if iteration.converged or iteration.n_iter == iteration.max_iter:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_ctrl_c_returns_the_best_so_far():
    # Fifteen seconds of search, if nobody stopped it.
    X = np.random.default_rng(0).normal(size=(100_000, 8)).astype(np.float32)
    plain = k_means(X, 40, random_state=0, max_iter=30, tol=1e-2)
    model = KMeans(
        40, random_state=0, max_iter=30, tol=1e-2, refine="swap", callback=interrupt_soon
    )
    with pytest.warns(UserWarning, match="Ctrl-C ended the search"):
        model.fit(X)
    assert model.refinement_.interrupted
    assert not model.refinement_.ended
    assert model.inertia_ <= plain.inertia
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_


def test_too_little_memory_is_said_before_the_start(monkeypatch):
    monkeypatch.setattr(truemeans.validation.parameters, "available_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"refine='swap' .* up to 20,800,000 bytes, and 1,000"):
        k_means(blobs(200_000, 2), 3, init=np.eye(3, 2), refine="swap")


@pytest.mark.parametrize("value", ["swaps", 1, True])
def test_errors(value):
    with pytest.raises(ValueError, match="refine"):
        k_means(blobs(10), 2, refine=value)
    with pytest.raises(ValueError, match="refine"):
        KMeans(2, refine=value).fit(blobs(10))
    with pytest.raises(ValueError, match="max_swaps"):
        k_means(blobs(10), 2, refine="swap", max_swaps=-1)
    for seconds in (-1.0, np.nan, "1", True):
        with pytest.raises(ValueError, match="max_swap_seconds"):
            k_means(blobs(10), 2, refine="swap", max_swap_seconds=seconds)


def test_the_definition_has_no_search(monkeypatch):
    monkeypatch.setenv("TRUEMEANS_ENGINE", "reference")
    with pytest.raises(NotImplementedError, match="native engine"):
        k_means(blobs(20), 3, random_state=0, refine="swap")


def test_command_line(tmp_path, monkeypatch, capsys):
    enter(tmp_path, monkeypatch)
    tm = typed(capsys)
    code, out, _ = tm("fit", IRIS, "-k", 5, "--refine", "swap", "--max-swaps", 400, "--json")
    assert code == 0
    said = json.loads(out)
    assert said["inertia"] == pytest.approx(IRIS_OPTIMA[5], rel=1e-9)
    assert said["refinement"]["n_tried"] <= 400
    assert said["params"]["refine"] == "swap"
    assert not said["optimal"]
    code, out, _ = tm(
        "fit", IRIS, "-k", 5, "--refine", "swap", "--max-swap-seconds", 0, "--json", "-f"
    )
    assert code == 0
    assert json.loads(out)["refinement"]["n_tried"] == 0
    code, _, err = tm("fit", IRIS, "-k", 5, "--refine", "swap", "--max-swap-seconds", "nan", "-f")
    assert code == 2
    assert "--max-swap-seconds" in err
    code, out, _ = tm("fit", IRIS, "-k", 5, "--refine", "swap", "--n-init", 4, "-f")
    starts = k_means(iris(), 5, n_init=4, random_state=0).restarts
    assert code == 0
    assert f" of 4 reached {starts.min():.10g}, which was refined, the worst" in out
    code, _, err = tm("fit", IRIS, "-k", 5, "--refine", "swap", "--max-swaps", -1, "-f")
    assert code == 2
    assert "--max-swaps" in err
