"""Rounds of k-means++, ahead or one by one: their law, and the same picks however computed."""

from __future__ import annotations

import importlib
import itertools
from collections import Counter

import numpy as np
import pytest

import truemeans
from ladder import KINDS, REFERENCE, make_rows
from truemeans.dataset import Dataset, survey
from truemeans.engines import open_engine
from truemeans.engines.masses import mass_scale
from truemeans.engines.native import NativeEngine
from truemeans.engines.records import Nearest, Proposals
from truemeans.plan import draws_at_once
from truemeans.result import Plan
from truemeans.seeding import Draw, plusplus
from truemeans.sources import ArraySource, NpySource
from truemeans.targets import targets

# The package has a function of the same name.
MODULE = importlib.import_module("truemeans.seeding.plusplus")
AXES = importlib.import_module("truemeans.seeding.axes")


def plan(target="", scores="samples", n_threads=1, block_rows=0):
    return Plan("native", target, n_threads, scores, "none", block_rows, "forced")


WAYS = ("at once", "in boxes", "ahead")


def draw(way, monkeypatch):
    """Draw in this way, whatever the rows."""
    monkeypatch.setattr(MODULE, "draws_at_once", lambda *_: way == "at once")
    monkeypatch.setattr(MODULE, "draws_in_boxes", lambda *_: way == "in boxes")


@pytest.fixture
def ahead(monkeypatch):
    draw("ahead", monkeypatch)


def picks(source, plan, k, trials, weight=None, seed=0):
    with open_engine(plan) as engine:
        dataset = Dataset(source, engine, survey(source, engine), weight)
        seeds = plusplus(dataset, Draw(dataset, np.random.RandomState(seed)), k, trials)
    if seeds.labels is not None:
        X = source.take(np.arange(source.n_samples))
        with open_engine(REFERENCE) as reference:
            distances = reference.sq_distances(X, X[seeds.rows].astype(float))
        counts = slice(None) if weight is None else weight > 0
        np.testing.assert_array_equal(seeds.labels[counts], distances.argmin(axis=1)[counts])
    return seeds.rows


def see_along_axes(monkeypatch):
    """Of any rows, from the first round on."""
    monkeypatch.setattr(MODULE, "most_marked", lambda *_: 0)
    monkeypatch.setattr(AXES, "_FROM", 1)
    monkeypatch.setattr(AXES, "axes_are_worth_looking", lambda *_: True)
    monkeypatch.setattr(NativeEngine, "axes_a_word", lambda self, _: self._team.numbers_a_word)


def law(X, weight, k, trials):
    """Probability of every sequence of picks, round by round as scikit-learn draws them."""
    distances = ((X[:, None] - X) ** 2).sum(axis=2)
    chances = {(i,): w for i, w in enumerate(weight / weight.sum())}
    for _ in range(k - 1):
        longer = Counter()
        for picked, chance in chances.items():
            closest = distances[list(picked)].min(axis=0)
            p = weight * closest / (weight * closest).sum()
            left = (weight * np.minimum(closest, distances)).sum(axis=1)
            for drawn in itertools.product(np.flatnonzero(p), repeat=trials):
                best = min(drawn, key=lambda i: left[i])  # the first of equals
                longer[*picked, int(best)] += chance * np.prod(p[list(drawn)])
        chances = longer
    return chances


@pytest.mark.parametrize("trials", [1, 2])
@pytest.mark.parametrize(("way", "share"), [*((way, 0.25) for way in WAYS), ("ahead", 10.0)])
def test_the_law_is_that_of_drawing_round_by_round(trials, way, share, monkeypatch):
    """Chi-square over sequences of four picks; 3.3 deviations above the mean is one in a thousand.

    With ten rounds ahead all of them are drawn by the costs beside the first centroid alone.
    """
    draw(way, monkeypatch)
    monkeypatch.setattr(MODULE, "rounds_ahead", lambda n, _: max(1, int(share * n)))
    rng = np.random.default_rng(2)
    X = np.round(rng.normal(size=(6, 2)), 2)
    weight = np.array([1.0, 2.0, 0.0, 1.0, 0.5, 1.5]) / 2
    expected = law(X, weight, 4, trials)
    n = 3_000
    source = ArraySource(X)
    found: Counter = Counter()
    with open_engine(plan()) as engine:
        dataset = Dataset(source, engine, survey(source, engine), weight)
        drawn = Draw(dataset, np.random.RandomState(0))
        for _ in range(n):
            found[tuple(int(i) for i in plusplus(dataset, drawn, 4, trials).rows)] += 1
    assert set(found) <= set(expected)
    often = {s: p * n for s, p in expected.items() if p * n >= 5}
    rare = sum(p * n for p in expected.values()) - sum(often.values())
    statistic = sum((found[s] - e) ** 2 / e for s, e in often.items())
    degrees = len(often) - 1
    if rare >= 5:
        statistic += (n - sum(found[s] for s in often) - rare) ** 2 / rare
        degrees += 1
    assert statistic < degrees + 3.3 * np.sqrt(2 * degrees)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 3, 19, 40])
@pytest.mark.usefixtures("ahead")
def test_the_same_picks_however_it_is_computed(d, kind, dtype, weighted, tmp_path, monkeypatch):
    n, k = 700, 60
    X = make_rows(kind, n, d, dtype)
    weight = np.random.default_rng(d).integers(0, 5, n) / 4 if weighted else None
    np.save(tmp_path / "rows.npy", X)
    expected = X[picks(ArraySource(X), REFERENCE, k, 6, weight)]
    for target in targets():
        for scores, n_threads, block_rows in [("samples", 1, 0), ("none", 2, 0), ("samples", 3, 7)]:
            forced = plan(target, scores, n_threads, block_rows)
            np.testing.assert_array_equal(X[picks(ArraySource(X), forced, k, 6, weight)], expected)
    read = NpySource(tmp_path / "rows.npy", 90)
    np.testing.assert_array_equal(X[picks(read, plan(), k, 6, weight)], expected)
    # Whatever rows are seen along, be it nothing much.
    see_along_axes(monkeypatch)
    for n_axes in {1, -(-d // 2), d}:
        monkeypatch.setattr(AXES, "best_axes", lambda *_, n=n_axes: n)
        np.testing.assert_array_equal(X[picks(ArraySource(X), plan(), k, 6, weight)], expected)
    monkeypatch.setattr(NativeEngine, "axes_a_word", lambda *_: 0)
    # Whether rows are marked, for few candidates or many, or pairs are kept, for many rounds or
    # few, or every round reads the rows, is the same.
    for most_marked, most_pairs in [(7, 0), (10**4, 0), (0, 0), (0, 300), (0, 10**9)]:
        monkeypatch.setattr(MODULE, "most_marked", lambda *_, most=most_marked: most)
        monkeypatch.setattr(MODULE, "most_pairs", lambda *_, axes, most=most_pairs: most)
        np.testing.assert_array_equal(X[picks(ArraySource(X), plan(), k, 6, weight)], expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (33, 1, 33), (700, 3, 60), (320, 19, 40)])
def test_the_same_picks_in_one_call_on_every_engine(n, d, k, kind, dtype, weighted, tmp_path):
    X = make_rows(kind, n, d, dtype)
    weight = np.random.default_rng(d).integers(1 - (n > 1), 5, n) / 4 if weighted else None
    np.save(tmp_path / "rows.npy", X)
    assert draws_at_once(n, d, k, 6)
    expected = X[picks(ArraySource(X), REFERENCE, k, 6, weight)]
    for target in targets():
        for seeded in (ArraySource(X), NpySource(tmp_path / "rows.npy", 90)):
            np.testing.assert_array_equal(X[picks(seeded, plan(target), k, 6, weight)], expected)
    mixed = np.random.default_rng(0).permutation(n)
    other = picks(ArraySource(X[mixed]), plan(), k, 6, None if weight is None else weight[mixed])
    np.testing.assert_array_equal(X[mixed][other], expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (65, 1, 65), (1500, 2, 60), (700, 3, 300)])
def test_the_same_picks_in_boxes_on_every_engine(
    n, d, k, kind, dtype, weighted, tmp_path, monkeypatch
):
    draw("in boxes", monkeypatch)
    X = make_rows(kind, n, d, dtype)
    weight = np.random.default_rng(d).integers(1 - (n > 1), 5, n) / 4 if weighted else None
    np.save(tmp_path / "rows.npy", X)
    expected = X[picks(ArraySource(X), REFERENCE, k, 6, weight)]
    for target, n_threads in itertools.product(targets(), (1, 3)):
        for seeded in (ArraySource(X), NpySource(tmp_path / "rows.npy", 90)):
            found = picks(seeded, plan(target, n_threads=n_threads), k, 6, weight)
            np.testing.assert_array_equal(X[found], expected)
    mixed = np.random.default_rng(0).permutation(n)
    other = picks(ArraySource(X[mixed]), plan(), k, 6, None if weight is None else weight[mixed])
    np.testing.assert_array_equal(X[mixed][other], expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_candidates_that_promise_less_than_the_best_gains_need_no_look(d, weighted, monkeypatch):
    # Towns of all sizes and a few rows far away, which are drawn often and gain little.
    draw("in boxes", monkeypatch)
    rng = np.random.default_rng(d)
    town = rng.zipf(1.3, 6000) % 40
    X = (rng.normal(size=(40, d)) * 30)[town] + rng.normal(size=(6000, d)) / 8
    X[:40] = rng.uniform(-900, 900, (40, d))
    weight = rng.integers(0, 5, 6000) / 4 if weighted else None
    expected = X[picks(ArraySource(X), REFERENCE, 50, 6, weight)]
    for target, n_threads in itertools.product(targets(), (1, 3)):
        found = picks(ArraySource(X), plan(target, n_threads=n_threads), 50, 6, weight)
        np.testing.assert_array_equal(X[found], expected)


def test_weights_pick_what_copies_pick_in_boxes(monkeypatch):
    draw("in boxes", monkeypatch)
    rng = np.random.default_rng(1)
    X = np.unique(rng.normal(size=(900, 2)).round(2), axis=0)
    copies = rng.integers(1, 5, len(X))
    many = np.repeat(X, copies, axis=0)
    expected = many[picks(ArraySource(many), plan(n_threads=2), 50, 5)]
    found = X[picks(ArraySource(X), plan(), 50, 5, copies / 8)]
    np.testing.assert_array_equal(found, expected)


def test_boxes_are_made_once_for_draws_and_all_runs(monkeypatch):
    used = []
    boxes_of = NativeEngine._boxes_of

    def noted(*given, **named):
        used.append(boxes_of(*given, **named))
        return used[-1]

    monkeypatch.setattr(NativeEngine, "_boxes_of", noted)
    X = make_rows("normal", 60_000, 2, np.float64)
    found = truemeans.k_means(X, 40, n_init=3, random_state=0, max_iter=5, tol=1e-9)
    assert len(used) == 6  # drawn from and run on, three times
    assert all(boxes is used[0] for boxes in used)
    monkeypatch.setenv("TRUEMEANS_METHOD", "samples/none")
    want = truemeans.k_means(X, 40, n_init=3, random_state=0, max_iter=5, tol=1e-9)
    np.testing.assert_array_equal(found.labels, want.labels)
    assert found.restarts.tobytes() == want.restarts.tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_rows_without_cost_are_drawn_by_weight(way, monkeypatch):
    draw(way, monkeypatch)
    X = np.repeat([[0.0, 1.0], [5.0, 1.0], [9.0, 9.0]], [40, 60, 100], axis=0)
    weight = np.repeat([0.5, 1.0, 0.0], [40, 60, 100])
    for plan_of in (REFERENCE, plan()):
        found = X[picks(ArraySource(X), plan_of, 5000, 2, weight)]
        assert len(np.unique(found[:2], axis=0)) == 2
        # Of the rest three quarters, within five standard deviations.
        assert abs((found[2:, 0] == 5).mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 4998)


@pytest.mark.parametrize("way", WAYS)
def test_rows_whose_costs_have_no_mass_are_drawn_by_weight(way, monkeypatch):
    """Costs that are not zero, and yet too small for the finest masses."""
    draw(way, monkeypatch)
    far, near = np.zeros((200, 3)), np.ones((200, 3))
    far[:, 0] = np.arange(200) / 128
    near[:, 1] = np.arange(200) % 7 * 1e-161
    weight = np.full(200, 1e-310)
    weight[:3] = 1.0
    for X, w in ((far, weight), (near, None)):
        expected = X[picks(ArraySource(X), REFERENCE, 9, 4, w)]
        np.testing.assert_array_equal(X[picks(ArraySource(X), plan(), 9, 4, w)], expected)
        if w is not None:
            assert set(expected[:, 0] * 128) == {0.0, 1.0, 2.0}


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_seeding_ends_where_costs_have_no_mass(init):
    weight = np.exp(-np.linspace(0, 745, 100))
    X = make_rows("normal", 100, 2, np.float64)
    found = truemeans.k_means(X, 99, sample_weight=weight, init=init, random_state=0, max_iter=5)
    assert np.isfinite(found.centroids).all()
    X = np.ones((200, 2))
    X[:, 1] = np.arange(200) % 7 * 1e-161
    assert truemeans.k_means(X, 5, init=init, random_state=0).inertia < 1e-300


def near_ties(n, d, dtype, seed):
    """Rows whose distances to the candidates equal those to the centroid, or nearly so."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + rng.choice([0.0, 30.0, 3000.0])
    X[1::2] = X[::2] + rng.normal(size=(n // 2, d)) * 10.0 ** rng.uniform(-9, 0, (n // 2, 1))
    return np.ascontiguousarray(X, dtype)


def lines_through(X, m, how, rng):
    """Axes that are the best, any, all but parallel, or nothing."""
    if how == "principal":
        return np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:m].astype(float)
    lines = rng.normal(size=(m, X.shape[1])) * 10.0 ** rng.uniform(-3, 3)
    if how == "parallel":
        lines = lines[:1] * rng.normal(size=(m, 1)) + 1e-9 * lines
    if how == "nearly none":
        lines[1:] = 0.0
    return lines


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 8, 19, 20, 64, 257, 300])
def test_scores_rule_out_no_pair_that_is_closer(d, dtype):
    """Held to canonical distances: limits are set at, just above and just below them."""
    for seed, how in enumerate([None, None, "principal", "any", "parallel", "nearly none"]):
        X = near_ties(400, d, dtype, seed)
        candidates = X[::13].astype(float)
        with open_engine(REFERENCE) as engine:
            distances = engine.sq_distances(X, candidates)
        rng = np.random.default_rng(seed)
        closest = distances[np.arange(400), rng.integers(0, len(candidates), 400)]
        closest = closest * rng.choice([1 - 2.0**-52, 1.0, 1 + 2.0**-52], 400)
        expected = distances < closest[:, None]
        for target, m in itertools.product(targets(), (1, 7, 16, 33) if how else (0,)):
            with NativeEngine(plan(target)) as engine:
                axes = None
                if how:
                    lines = np.ascontiguousarray(lines_through(X, min(m, d), how, rng))
                    center = X.mean(axis=0).astype(float)
                    axes = engine.look_along(X, lines, center, float(distances.max()))
                    assert axes is not None
                found = engine.find_closer(X, None, candidates, closest, axes, X.size * len(X))
            pairs = np.zeros_like(expected)
            pairs[found.rows, np.repeat(np.arange(len(candidates)), np.diff(found.starts))] = True
            np.testing.assert_array_equal(pairs, expected)


def mirrored(n, d, dtype, seed):
    """Rows and their opposites, nearly: what the one gains, so does the other."""
    X = np.repeat(np.random.default_rng(seed).normal(size=(n // 2, d)), 2, axis=0)
    X[1::2] *= -1.0 + np.random.default_rng(seed + 1).choice([0.0, 1e-7, -1e-9])
    return np.ascontiguousarray(X, dtype)


def outliers(n, d, dtype, seed):
    """Some rows whose scores overflow, and some that blunt the scores of their neighbours."""
    X = make_rows("normal", n, d, dtype, seed)
    X[::97] *= dtype(1e25)
    X[::31] *= dtype(1e5)
    return X


@pytest.mark.parametrize("weights", ["none", "quarters", "tiny"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 2, 8, 19])
@pytest.mark.parametrize("make", [near_ties, mirrored, outliers])
def test_bounds_of_gains_decide_as_all_pairs_do(make, d, dtype, weights):
    """Held to the reference on rows whose gains nearly tie, over several chunks of rows."""
    n, m = 1300, 60
    for seed in range(4):
        X, rng = make(n, d, dtype, seed), np.random.default_rng(seed)
        weight = {
            "none": None,
            "quarters": rng.integers(0, 5, n) / 4,
            "tiny": rng.random(n) * 2.0**-142,
        }[weights]
        # Opposite rows compete, and some rows twice.
        rows = np.repeat(rng.integers(0, n // 2, m // 2), 2).astype(np.int32) * 2
        rows[1::2] += rng.integers(0, 2, m // 2, np.int32)
        with open_engine(REFERENCE) as reference:
            start = reference.sq_distances(X, X[rng.integers(0, n, 2)].astype(float)).min(axis=1)
            mass = start if weight is None else weight * start
            scale = mass_scale(float(mass.sum()))
            proposals = Proposals(rows, start[rows], rng.random(m))
            marks = np.empty(m * -(-n // 64), np.uint64)
            want = Nearest(start.copy(), np.zeros(n, np.int32))
            expected = reference.play_ahead(
                X, weight, proposals, scale, 4, 20, marks, want, first=2
            )
        for target, n_threads in itertools.product(targets(), (1, 3)):
            with NativeEngine(plan(target, n_threads=n_threads)) as engine:
                nearest = Nearest(start.copy(), np.zeros(n, np.int32))
                found = engine.play_ahead(X, weight, proposals, scale, 4, 20, marks, nearest, 2)
            np.testing.assert_array_equal(found.winners, expected.winners)
            assert found[1:] == expected[1:]
            np.testing.assert_array_equal(nearest.closest, want.closest)
            np.testing.assert_array_equal(nearest.which, want.which)


@pytest.mark.parametrize("scale", [1e-38, 1e19, 1e30, 3e38])
@pytest.mark.usefixtures("ahead")
def test_rows_of_any_size_are_seen_along_axes_or_not_at_all(scale, monkeypatch):
    X = make_rows("normal", 700, 24, np.float32)
    X = np.abs(X) * (np.float32(scale) / np.abs(X).max())
    X[0] = -np.float32(scale)  # farther from the middle than float32 may hold
    expected = X[picks(ArraySource(X), REFERENCE, 40, 6)]
    see_along_axes(monkeypatch)
    np.testing.assert_array_equal(X[picks(ArraySource(X), plan(), 40, 6)], expected)


@pytest.mark.parametrize("size", [1e3, 1e19, 1e25, 1e37])
@pytest.mark.parametrize("m", [3, 18, 37])
def test_rows_that_nothing_may_lower_are_no_hits_however_large(m, size):
    """Nor are candidates that only fill up a panel, of which there are any for each m."""
    n, d = 96, 64
    X = make_rows("normal", n, d, np.float32)
    X[:8] *= np.float32(size)
    candidates = make_rows("normal", m, d, np.float64, 1)
    closest, weight = np.full(n, 1e3), np.ones(n)
    closest[:4], closest[4:8], weight[:8] = 0.0, 1e60, 0.0
    lines = np.eye(8, d)
    for target in targets():
        with NativeEngine(plan(target)) as engine:
            axes = engine.look_along(X, lines, np.zeros(d), 1e4)
            for seen in (None, axes):
                found = engine.find_closer(X, weight, candidates, closest, seen, n * m)
                assert np.diff(found.starts).tolist() == [n - 8] * m
                assert found.rows.min() == 8


@pytest.mark.parametrize("d", [20, 32, 64])
@pytest.mark.parametrize("init", ["k-means++", "k-means||"])
def test_rows_of_thirty_sizes_are_seeded_alike_in_any_order(init, d):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, d)) * 10.0 ** rng.integers(-15, 16, (100, 1))
    order = rng.permutation(100)
    a = truemeans.k_means(X, 100, init=init, random_state=0)
    b = truemeans.k_means(X[order], 100, init=init, random_state=0)
    assert np.sort(a.centroids, axis=0).tobytes() == np.sort(b.centroids, axis=0).tobytes()


@pytest.mark.parametrize("scale", [1e-30, 1e15, 1e25, 1e37])
def test_rows_whose_scores_overflow_are_not_lost(scale):
    X = make_rows("normal", 300, 5, np.float32)
    X[::7] *= np.float32(scale)
    candidates = X[1:30].astype(float)
    with open_engine(REFERENCE) as engine:
        distances = engine.sq_distances(X, candidates)
    closest = np.sort(distances, axis=1)[:, 9].copy()
    with NativeEngine(plan()) as engine:
        found = engine.find_closer(X, None, candidates, closest, None, 10**6)
    assert len(found.rows) == (distances < closest[:, None]).sum()


@pytest.mark.parametrize("way", WAYS)
def test_one_far_row_does_not_blunt_the_draws(way, monkeypatch):
    """Its cost is all but everything until it is picked; then the others are drawn by theirs."""
    draw(way, monkeypatch)
    X = np.vstack([make_rows("normal", 300, 2, np.float64) * 1e-6, [[1e9, 1e9]]])
    for seed in range(10):
        _, rows = truemeans.kmeans_plusplus(X, 20, random_state=seed)
        assert len(set(rows.tolist())) == 20
