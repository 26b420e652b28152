"""Skipping work: the labels and sums of the dense pass at every iteration, on hard data."""

from __future__ import annotations

import numpy as np
import pytest

from ladder import name_of
from truemeans.dataset import Dataset, survey
from truemeans.engines import native as native_engine
from truemeans.engines import open_engine
from truemeans.plan import n_groups
from truemeans.result import Plan
from truemeans.sources import ArraySource
from truemeans.targets import has_tiles, targets


def dense(target):
    return Plan("native", target, 1, "samples", "none", 0, "dense")


def skipping(target):
    yield Plan("native", target, 2, "samples", "rows", 0, "rows")
    yield Plan("native", target, 1, "centroids", "rows", 17, "rows")
    yield Plan("native", target, 2, "centroids", "groups", 0, "groups")
    if has_tiles(target):
        yield Plan("native", target, 2, "tiles", "rows", 0, "rows")
        yield Plan("native", target, 1, "tiles", "rows", 17, "rows")
        yield Plan("native", target, 1, "coarse", "rows", 0, "rows")
        yield Plan("native", target, 2, "tiles", "none", 0, "labels kept")
        yield Plan("native", target, 1, "tiles", "none", 17, "labels kept")
        yield Plan("native", target, 2, "coarse", "none", 0, "labels kept")
        yield Plan("native", target, 1, "bytes", "rows", 0, "rows")
        yield Plan("native", target, 2, "bytes", "none", 0, "labels kept")
        yield Plan("native", target, 2, "bytes", "packed", 0, "packed, then rows")


def boxed(target):
    yield Plan("native", target, 2, "samples", "boxes", 0, "boxes")


def near_ties(rng, n, d):
    """Rows half-way between lattice points, nudged by a few units in the last place."""
    X = rng.integers(-4, 5, size=(n, d)) / 2
    return X * (1 + rng.integers(-3, 4, size=(n, d)) * 2.0**-23)


HARD = {
    "normal": lambda rng, n, d: rng.normal(size=(n, d)),
    "near ties": near_ties,
    "huge offset": lambda rng, n, d: rng.normal(size=(n, d)) + 1e6,
    "wide range": lambda rng, n, d: rng.normal(size=(n, d)) * 10.0 ** rng.integers(-15, 15, (n, d)),
    "denormal": lambda rng, n, d: rng.normal(size=(n, d)) * 1e-39,
    "large": lambda rng, n, d: rng.normal(size=(n, d)) * 1e37,
    "far groups": lambda rng, n, d: rng.normal(size=(n, d)) + 1e3 * rng.integers(0, 4, (n, 1)),
    "twins": lambda rng, n, d: np.repeat(rng.normal(size=(n // 4 + 1, d)), 4, axis=0)[:n],
    "constant columns": lambda rng, n, d: rng.normal(size=(n, d)) * (np.arange(d) % 2),
}


@pytest.fixture
def at_once(monkeypatch):
    """Use what earlier passes tell from the second pass on, and do not give up coarse tiles."""
    monkeypatch.setattr(native_engine, "should_skip", lambda *_: True)
    monkeypatch.setattr(native_engine, "should_keep", lambda *_: True)
    monkeypatch.setattr(native_engine, "finer_scores", lambda scores, *_: scores)


def iterations(X, init, plan, count):
    """Labels, sums and centroids after each pass."""
    source = ArraySource(X)
    with open_engine(plan) as engine:
        dataset = Dataset(source, engine, survey(source, engine), None)
        sums = dataset.new_run(len(init))
        centroids = init.astype(float)
        for _ in range(count):
            done = dataset.assign(centroids, sums)
            yield dataset.labels.copy(), sums.copy(), centroids, done
            centroids = dataset.update(sums, centroids).centroids


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape",
    [(900, 2, 12), (2000, 3, 40), (3000, 1, 9), (700, 9, 40), (500, 50, 70), (300, 140, 50)],
    ids=str,
)
@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("target", targets())
def test_bounds_change_no_label_at_any_iteration(target, kind, shape, dtype, at_once):
    n, d, k = shape
    rng = np.random.default_rng(n)
    X = np.ascontiguousarray(HARD[kind](rng, n, d), dtype)
    init = X[rng.choice(n, k, replace=False)]
    init[1] = init[0]  # a duplicated centroid ties everywhere
    expected = list(iterations(X, init, dense(target), 12))
    for plan in (*skipping(target), *(boxed(target) if d <= 3 else ())):
        steps = iterations(X, init, plan, 12)
        for number, (want, got) in enumerate(zip(expected, steps, strict=True)):
            np.testing.assert_array_equal(got[0], want[0], err_msg=f"{name_of(plan)} {number}")
            assert got[1].tobytes() == want[1].tobytes()
            assert got[3] == want[3]


@pytest.fixture
def kept_on(at_once, monkeypatch):
    """Keep rows packed, and follow the scores of their labels, pass after pass."""
    monkeypatch.setattr(native_engine, "should_skip", lambda *_: False)


def packed():
    """Chunks of whole blocks of rows, and one that forgets at every pass what is packed."""
    for n_threads, block_rows in ((2, 0), (1, 64), (2, 64), (1, 17)):
        yield Plan("native", "", n_threads, "bytes", "packed", block_rows, "packed")


@pytest.mark.skipif(not has_tiles(""), reason="no matrix unit")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(700, 9, 40), (900, 70, 70), (300, 140, 50)], ids=str)
@pytest.mark.parametrize("kind", HARD)
def test_followed_scores_change_no_label_at_any_iteration(kind, shape, dtype, kept_on):
    n, d, k = shape
    rng = np.random.default_rng(n)
    X = np.ascontiguousarray(HARD[kind](rng, n, d), dtype)
    init = X[rng.choice(n, k, replace=False)]
    init[1] = init[0]
    expected = list(iterations(X, init, dense(""), 20))
    for plan in packed():
        steps = iterations(X, init, plan, 20)
        for number, (want, got) in enumerate(zip(expected, steps, strict=True)):
            np.testing.assert_array_equal(got[0], want[0], err_msg=f"{name_of(plan)} {number}")
            assert got[1].tobytes() == want[1].tobytes()


@pytest.mark.skipif(not has_tiles(""), reason="no matrix unit")
@pytest.mark.parametrize("plan", list(packed()), ids=name_of)
@pytest.mark.parametrize("step", [1e-7, 1e-3, 0.05, 1.0])
def test_scores_are_followed_however_far_centroids_go(plan, step, kept_on):
    """Hundreds of small steps, or jumps: what is in doubt must grow with them."""
    rng = np.random.default_rng(8)
    X = near_ties(rng, 900, 40).astype(np.float32)
    source = ArraySource(X)
    centroids = X[rng.choice(900, 60)].astype(float)
    with open_engine(plan) as engine, open_engine(dense("")) as plain:
        mine = Dataset(source, engine, survey(source, engine), None)
        true = Dataset(source, plain, survey(source, plain), None)
        sums = [mine.new_run(60), true.new_run(60)]
        for _ in range(60):
            mine.assign(centroids, sums[0])
            true.assign(centroids, sums[1])
            np.testing.assert_array_equal(mine.labels, true.labels)
            centroids += rng.normal(size=centroids.shape) * step
            centroids[rng.integers(60)] = X[rng.integers(900)]  # one jumps on a row


@pytest.mark.parametrize("plan", list(skipping(next(iter(targets())))), ids=name_of)
def test_centroids_that_jump_are_followed(plan, at_once):
    """Bounds must hold for any movement, not only for means: here centroids jump and return."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(2000, 6)).astype(np.float32)
    source = ArraySource(X)
    places = [X[rng.choice(2000, 30)].astype(float) for _ in range(3)]
    with open_engine(plan) as engine, open_engine(dense("")) as plain:
        mine = Dataset(source, engine, survey(source, engine), None)
        true = Dataset(source, plain, survey(source, plain), None)
        sums = [mine.new_run(30), true.new_run(30)]
        for step in (0, 1, 1, 0, 2, 2, 1, 0, 0):
            centroids = places[step] + (step == 2) * 1e-6
            mine.assign(centroids, sums[0])
            true.assign(centroids, sums[1])
            np.testing.assert_array_equal(mine.labels, true.labels)


@pytest.mark.skipif(not has_tiles(""), reason="no matrix unit")
@pytest.mark.parametrize("scores", ["tiles", "coarse", "bytes"])
def test_kept_labels_with_more_centroids_than_are_marked_at_a_time(scores, at_once):
    rng = np.random.default_rng(2)
    X = rng.integers(-2, 3, size=(5000, 36)).astype(np.float32)
    X[:200] = 0.5  # near all centroids that are small: more candidates than a list holds
    init = X[rng.choice(5000, 4200, replace=False)]
    init[:60] = rng.normal(size=(60, 36)) * 1e-4 + 0.5
    plan = Plan("native", "", 2, scores, "none", 0, "labels kept")
    for want, got in zip(
        iterations(X, init, dense(""), 4), iterations(X, init, plan, 4), strict=True
    ):
        np.testing.assert_array_equal(got[0], want[0])


@pytest.mark.skipif(not has_tiles(""), reason="no matrix unit")
@pytest.mark.parametrize(("n", "first"), [(900, "bytes"), (9000, "tiles")])
def test_coarse_scores_give_way_where_they_decide_nothing(n, first, monkeypatch):
    """A pass at a time where rows are few; many are asked by a sample before the first pass."""
    rng = np.random.default_rng(4)
    X = (5 + rng.normal(size=(n, 70)) * 1e-3).astype(np.float32)
    X[::9] *= -1  # so that the middle is far from all rows
    scores = []
    core_assign = native_engine._core.assign

    def noted(team, rows, weight, centroids, layout, *rest):
        if len(rows) == n:
            scores.append(layout)
        return core_assign(team, rows, weight, centroids, layout, *rest)

    monkeypatch.setattr(native_engine._core, "assign", noted)
    plan = Plan("native", "", 1, "bytes", "none", 0, "bytes")
    list(iterations(X, X[:40], plan, 3))
    assert scores[0] == first
    assert scores[-1] == "tiles"


@pytest.mark.parametrize(("copies", "scored"), [(1, 3000), (3, 3000)])
def test_copies_of_a_row_are_scored_once(copies, scored):
    """Rows in boxes are folded where that leaves few enough of them."""
    rng = np.random.default_rng(5)
    rows = rng.permutation(30**3)[:3000]
    colours = np.stack([rows % 30, rows // 30 % 30, rows // 900], axis=1)
    X = rng.permutation(np.repeat(colours, copies, axis=0)).astype(np.float32)
    core = native_engine._core
    team = core.Team(2, "")
    labels = np.full(len(X), -1, np.int32)
    boxes = core.Boxes32(team, X, None, False)
    boxes.restart(40)
    done = core.assign_boxed(team, boxes, None, X[:40].astype(float), None, labels, None)
    assert done[0] == len(X)
    assert 0 < done[2] <= scored
    assert all(len(set(labels[(x == X).all(axis=1)])) == 1 for x in X[:50])


@pytest.mark.parametrize(("by_value", "n_kept"), [(False, 3001), (True, 301)])
def test_equal_rows_within_a_cell_are_brought_together_by_value(by_value, n_kept):
    """30 cells of ten values each, one after the other: as they stand none is next to its copy."""
    X = np.stack([np.repeat(1e6 * np.arange(30.0), 100), np.tile(np.arange(10.0), 300)], axis=1)
    X = np.vstack([X, [[0.0, 1e9]]])
    core = native_engine._core
    team = core.Team(2, "")
    boxes = core.Boxes64(team, X, None, by_value)
    boxes.restart(2)
    labels = np.full(len(X), -1, np.int32)
    # Two centroids as far from every row, so that no box is all of one's.
    centroids = np.array([[0.0, 5e8], [0.0, 5e8]])
    assert core.assign_boxed(team, boxes, None, centroids, None, labels, None)[2] == n_kept
    assert not labels.any()


def test_boxes_take_more_clusters_than_half_a_label_can_tell():
    core = native_engine._core
    rng = np.random.default_rng(2)
    X, centroids = rng.normal(size=(100, 2)), rng.normal(size=(70_000, 2))
    team = core.Team(2, "")
    nearest = core.sq_distances(team, X, centroids).argmin(axis=1)
    assert nearest.max() > 65_535 > nearest.min()
    labels = np.full(len(X), -1, np.int32)
    boxes = core.Boxes64(team, X, None, False)
    boxes.restart(len(centroids))
    for changed, order in ((100, slice(None)), (0, slice(None)), (100, slice(None, None, -1))):
        turned = np.ascontiguousarray(centroids[order])
        assert core.assign_boxed(team, boxes, None, turned, None, labels, None)[0] == changed
        np.testing.assert_array_equal(np.arange(70_000)[order][labels], nearest)


def test_late_passes_leave_most_rows_alone():
    """The share of rows that is scored falls as the centroids come to rest."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(20, 8)) * 2
    X = (centers[rng.integers(20, size=20_000)] + rng.normal(size=(20_000, 8))).astype("f4")
    team = native_engine._core.Team(1, "")
    skip = native_engine._core.Skip(len(X))
    labels = np.zeros(len(X), np.int32)
    centroids = X[:20].astype(float)
    scored = []
    for _ in range(40):
        done = native_engine._core.assign(
            team, X, None, centroids, "samples", 0, False, skip, None, None, labels, None
        )
        scored.append(done[2] / len(X))
        centroids = np.array([X[labels == j].mean(axis=0, dtype=float) for j in range(20)])
    assert scored[0] == 1.0
    assert scored[-1] < 0.25


def test_bounds_fit_their_memory():
    """At most 24 bytes a row with the label, plus half of the row."""
    for d in (8, 48, 128, 768, 4096):
        for itemsize in (4, 8):
            groups = n_groups(d, itemsize)
            assert 12 + 2 * groups <= max(24 + d * itemsize / 2, 28)
            assert groups % 8 == 0
