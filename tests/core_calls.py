"""One call of each function of the compiled core: arguments that fit, and the right answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

import truemeans._core as core
from ladder import make_rows
from truemeans.engines.records import (
    Around,
    Closer,
    Extent,
    Moves,
    Nearest,
    Proposals,
    RowState,
    SqGrids,
)
from truemeans.engines.reference import ReferenceEngine

# The arguments that have a shape, as "kind axes", a letter for each axis: the same letter in one
# call is the same length, e is d + 1 and s is r + 1, and a digit stands for itself.
ROWS = {"X": "rows nd", "weight": "weight n"}
PASS = {"centroids": "centroids kd", "magic": "magic ge", "labels": "old n", "sums": "sums kge"}
SHAPES = {
    "survey": {"X": "rows nd"},
    "max_abs_diff": {"X": "rows nd", "centers": "centroids kd", "labels": "labels n"},
    "add_sq_diff": ROWS | {"centers": "centroids kd", "labels": "labels n", "totals": "sums 3"},
    "finish_sq_diff": {"totals": "costs 3"},
    "assign": ROWS | PASS | {"skip": "skip n", "packed": "packed nd"},
    "assign_bounded": ROWS | PASS | {"bounds": "bounds nkd"},
    "assign_boxed": PASS | {"boxes": "boxes nd", "weight": "weight n"},
    "Bounds": {"centroids": "centroids kd"},
    "Boxes32": {"X": "rows32 nd", "weight": "weight n"},
    "Boxes64": {"X": "rows64 nd", "weight": "weight n"},
    "add_rows": ROWS | {"labels": "labels n", "magic": "magic ge", "sums": "sums kge"},
    "move_rows": ROWS
    | {"rows": "numbers m", "from_": "old m", "to": "labels m"}
    | {"magic": "magic ge", "sums": "sums kge"},
    "sq_distances": {"X": "rows nd", "centroids": "centroids kd"},
    "own_sq_distances": {"X": "rows nd", "centroids": "centroids kd", "labels": "labels n"},
    "choose_footing": {"features": "extent 3d"},
    "update": {"sums": "held kge", "previous": "centroids kd", "center": "center d"},
    "row_keys": {"X": "rows nd"},
    "lower_closest": ROWS | {"centroid": "center d", "closest": "costs n", "which": "labels n"},
    "lower_by_labels": {"X": "rows nd", "centroids": "centroids kd", "labels": "labels n"}
    | {"closest": "costs n", "which": "labels n"},
    "add_gains": ROWS | {"candidates": "centroids kd", "closest": "costs n", "gains": "sums k"},
    "draw_rounds": ROWS | {"u": "uniform t"},
    "draw_in_boxes": {"boxes": "boxes nd", "weight": "weight n", "u": "uniform t"},
    "Axes": {"X": "rows nd", "lines": "centroids kd", "center": "center d"},
    "find_closer": ROWS | {"candidates": "centroids kd", "closest": "costs n", "axes": "axes nd"},
    "play_rounds": {"rows": "numbers r", "start": "costs r", "u": "uniform r", "starts": "starts s"}
    | {"pair_rows": "numbers p", "pair_sq_dist": "costs p"}
    | {"weight": "weight n", "closest": "costs n", "which": "labels n"},
    "play_ahead": ROWS
    | {"rows": "numbers r", "start": "costs r", "u": "uniform r"}
    | {"marks": "marks w", "closest": "costs n", "which": "labels n"},
    "sort_into_buckets": {"keys": "center n", "splitters": "rising b"},
    "add_bucket_masses": {"weight": "weight n", "closest": "costs n", "buckets": "buckets n"}
    | {"sums": "sums b"},
    "optimum": {"values": "rising v", "weights": "positive v"},
    "least_inertias": {"values": "rising v", "weights": "positive v"},
    "SwapSearch": {"X": "rows64 nd", "weight": "positive n"}
    | {"centroids": "centroids kd", "labels": "labels n"},
}
WITHOUT_TEAM = ("choose_footing", "finish_sq_diff")
OBJECTS = ("skip", "packed", "bounds", "boxes", "axes")
PASSES = ("assign", "assign_bounded", "assign_boxed")
SIZES = {"n": 40, "d": 2, "k": 5, "g": 2, "m": 6, "r": 9, "p": 20, "b": 7, "v": 10, "t": 9}
# Made-up rows times weights are multiples, so that sums are exact.
SPACING = 2.0**-10


@dataclass(frozen=True)
class Call:
    """A call of one function: of what sizes, on what data, and computed how."""

    name: str
    sizes: dict[str, int] = field(default_factory=lambda: SIZES)
    dtype: Any = np.float32
    kind: str = "lattice"
    seed: int = 0
    without: tuple[str, ...] = ()
    target: str = ""
    n_threads: int = 1
    scores: str = "samples"
    team: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "team", core.Team(self.n_threads, self.target))

    def shape(self, argument: str) -> tuple[int, ...]:
        sizes = {**self.sizes, "e": self.sizes["d"] + 1, "s": self.sizes["r"] + 1, "3": 3}
        sizes["w"] = -(-self.sizes["n"] // 64) * self.sizes["r"]
        return tuple(sizes[axis] for axis in SHAPES[self.name][argument].split()[1])

    def arguments(self) -> dict[str, Any]:
        """All that have a shape, made to fit each other."""
        names = SHAPES[self.name]
        return {
            a: None if a in self.without else self.make(names[a], self.shape(a), a) for a in names
        }

    def make(self, what: str, shape: tuple[int, ...], salt: str = "") -> Any:
        """One argument, of any shape."""
        kind = what.split()[0]
        size, rng = int(np.prod(shape)), np.random.default_rng([self.seed, *map(ord, salt)])
        if kind in ("rows", "rows32", "rows64", "centroids"):
            dtype = {"rows": self.dtype, "rows32": np.float32}.get(kind, np.float64)
            rows = make_rows(self.kind, *shape, dtype, self.seed)
            return rows / 2 + 0.25 if kind == "centroids" else rows
        if kind == "skip":
            return core.Skip(*shape)
        if kind == "axes":
            lines, center = self.make("centroids", (2, shape[1])), self.make("center", shape[1:])
            return core.Axes(self.team, self.make("rows", shape, "X"), lines, center, 50.0)
        if kind == "packed":
            return core.PackedRows(*shape)
        if kind == "bounds":
            return core.Bounds(self.team, self.make("centroids", shape[1:]), shape[0], 2)
        if kind == "boxes":
            boxes = core.Boxes32 if self.dtype == np.float32 else core.Boxes64
            made = boxes(self.team, *self.boxed(shape), self.name != "assign_boxed")
            if self.name == "assign_boxed":
                made.restart(self.sizes["k"])
            return made
        k, n, b, p = (self.sizes[axis] for axis in "knbp")
        lowest = 0 if "skip" in SHAPES[self.name] and "skip" not in self.without else -1
        values: Any = {
            "weight": lambda: rng.integers(0, 9, size) / 8,
            "positive": lambda: rng.integers(1, 9, size) / 8,
            "old": lambda: rng.integers(lowest, max(k, 1), size, np.int32),
            "labels": lambda: rng.integers(0, max(k, 1), size, np.int32),
            "numbers": lambda: rng.integers(0, max(n, 1), size, np.int32),
            "buckets": lambda: rng.integers(0, max(b, 1), size, np.uint16),
            "marks": lambda: np.zeros(size, np.uint64),
            "starts": lambda: np.linspace(0, p, size).astype(np.int64),
            "magic": lambda: np.full(size, 1.5 * 2.0**52 * SPACING),
            "sums": lambda: np.zeros(size),
            "held": lambda: rng.integers(0, 99, size) / 4,
            "center": lambda: rng.integers(-9, 9, size) / 2,
            "costs": lambda: rng.integers(0, 40, size) / 2,
            "uniform": lambda: rng.random(size),
            "rising": lambda: np.cumsum(rng.integers(1, 5, size) / 4) - size / 4,
            "extent": lambda: np.resize(np.repeat([-2.0, 3.0, 0.25], max(shape[1], 1)), size),
        }[kind]
        return values().reshape(shape)

    def boxed(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        """The rows and weights in boxes."""
        weight = None if "weight" in self.without else self.make("weight", shape[:1])
        return self.make("rows", shape), weight

    def scalars(self) -> dict[str, Any]:
        """The arguments without a shape."""
        grids = {"top": 64.0, "weight_top": 1.0, "n_rows": 500.0}
        spread = {"spread_hi": 1e6, "spread_lo": 0.0, "spread_error": 0.0}
        finest = {"weight_top": 1.0, "weight_finest": 0.125, "weighted": True, "n_rows": 99.0}
        scores = {"scores": self.scores, "block_rows": self.seed % 9}
        rounds = {"weight_scale": 16.0, "n_trials": 2, "n_clusters": self.n_drawn}
        few = min(3, self.sizes["v"])
        return {
            "add_sq_diff": grids,
            "finish_sq_diff": {"d": self.sizes["d"], **grids},
            "assign": {**scores, "keeps": bool(self.seed % 2)},
            "Bounds": {"n_rows": self.sizes["n"], "most_groups": 2},
            "choose_footing": {**finest, "single": self.dtype == np.float32},
            "update": {"single": self.dtype == np.float32, "top": 64.0, **spread},
            "add_gains": {"scale": 16.0},
            "draw_rounds": rounds,
            "draw_in_boxes": {"n": self.sizes["n"], "d": self.sizes["d"], **rounds},
            "Boxes32": {"by_value": bool(self.seed % 2)},
            "Boxes64": {"by_value": bool(self.seed % 2)},
            "Axes": {"sq_radius": 50.0},
            "find_closer": {**scores, "most": 10**9},
            "lower_closest": {"number": self.seed % 2 * 9},
            "lower_by_labels": {"first": 9},
            "play_rounds": {"scale": 16.0, "n_trials": 2, "n_rounds": 3, "first": 9},
            "play_ahead": {
                "scored": bool(self.seed % 2),
                "scale": 16.0,
                "n_trials": 2,
                "n_rounds": 3,
                "first": 9,
            },
            "add_bucket_masses": {"scale": 16.0},
            "optimum": {"k": few, "max_runs": 10**6},
            "least_inertias": {"most": few},
            "SwapSearch": {"patience": 20},
        }.get(self.name, {})

    @property
    def n_drawn(self) -> int:
        """Clusters for which there is a number for the first row and two for every other."""
        return (self.sizes["t"] + 1) // 2

    def run(self, given: dict[str, Any]) -> Any:
        """What the core says."""
        first = () if self.name in WITHOUT_TEAM else (self.team,)
        return getattr(core, self.name)(*first, **{**self.scalars(), **given})


def lengths(name: str, given: dict[str, Any]) -> dict[str, set[int]]:
    """The lengths that the arguments have for each axis."""
    found: dict[str, set[int]] = {}
    for argument, value in given.items():
        if isinstance(value, np.ndarray):
            for axis, length in zip(SHAPES[name][argument].split()[1], value.shape, strict=True):
                of = {"e": "d", "s": "r"}.get(axis, axis)
                found.setdefault(of, set()).add(length - (of != axis))
    return found


# The right answers: of each call, its arguments before and after, and what came of it.

REFERENCE = ReferenceEngine()
GRIDS = SqGrids(64.0, 1.0, 500.0)


def same(expected: Any, actual: Any) -> None:
    assert np.asarray(expected).tobytes() == np.asarray(actual).tobytes()


def survey(call, before, after, found):
    expected = REFERENCE.survey(before["X"])
    same(expected.features[:2], found[0][:2])
    assert (found[0][2] <= expected.features[2]).all()
    assert found[1:] == expected[1:]


def max_abs_diff(call, before, after, found):
    same(REFERENCE.max_abs_diff(*before.values()), found)


def add_sq_diff(call, before, after, found):
    X, weight, centers, labels, totals = before.values()
    REFERENCE.add_sq_diff(X, weight, centers, labels, GRIDS, totals)
    if call.kind != "offset":  # these are beyond the grids
        same(totals, after["totals"])


def finish_sq_diff(call, before, after, found):
    same(REFERENCE.finish_sq_diff(before["totals"], call.sizes["d"], GRIDS), found)


def a_pass(call, before, after, found, X, weight):
    """Labels, changes and sums of this pass, and of one more with other centroids."""
    for step in range(2):
        state = RowState(before["labels"].copy())
        sums = before["sums"].copy()
        done = REFERENCE.assign(X, weight, before["centroids"], before["magic"], state, sums)
        same(state.labels, after["labels"])
        assert found[0] == done.n_changed
        np.testing.assert_array_equal(sums, after["sums"])
        if step == 0:
            before |= {a: after[a].copy() for a in ("labels", "sums")}
            moved = before["centroids"].copy()
            moved[:: call.seed % 3 + 1] += 0.5
            before["centroids"] = after["centroids"] = moved
            found = call.run(after)


def assign(call, before, after, found):
    a_pass(call, before, after, found, before["X"], before["weight"])


def assign_boxed(call, before, after, found):
    # The boxes know no label before the first pass.
    before["labels"] = np.full_like(before["labels"], -1)
    X, _ = call.boxed(call.shape("boxes"))
    a_pass(call, before, after, found, X, before["weight"])


def made(call, before, after, found):
    assert getattr(found, "n_groups", 1) in (1, 2)


def add_rows(call, before, after, found):
    REFERENCE.add_rows(*before.values())
    np.testing.assert_array_equal(before["sums"], after["sums"])


def move_rows(call, before, after, found):
    X, weight, rows, from_, to, magic, sums = before.values()
    REFERENCE.move(X, weight, Moves(rows, from_, to), magic, sums)
    np.testing.assert_array_equal(sums, after["sums"])


def sq_distances(call, before, after, found):
    same(REFERENCE.sq_distances(**before), found)


def own_sq_distances(call, before, after, found):
    same(REFERENCE.own_sq_distances(**before), found)


def choose_footing(call, before, after, found):
    extent = Extent(before["features"], 0, 3.0)
    expected = REFERENCE.choose_footing(extent, 1.0, 0.125, True, 99, np.dtype(call.dtype))
    for want, got in zip(expected, found, strict=True):
        same(want, got)


def update(call, before, after, found):
    around = Around(before["center"], 64.0, 1e6, 0.0, 0.0)
    expected = REFERENCE.update(before["sums"], before["previous"], np.dtype(call.dtype), around)
    same(expected.centroids, found[0])
    # Any order of fewer than 2^10 squares that are good to 2^-52.
    assert abs(found[1] - expected.sq_shift) <= 2.0**-42 * expected.sq_shift
    # The bound is that of the sum before it is rounded to float64, as the reference's is.
    assert abs(found[2] - expected.inertia) <= found[3] + 2.0**-52 * abs(expected.inertia)
    assert found[4] == expected.n_empty


def row_keys(call, before, after, found):
    same(REFERENCE.row_keys(before["X"]), found)


def lower_closest(call, before, after, found):
    X, weight, centroid, *nearest = before.values()
    same(REFERENCE.lower_closest(X, weight, centroid, Nearest(*nearest), call.seed % 2 * 9), found)
    same(before["closest"], after["closest"])
    same(before["which"], after["which"])


def lower_by_labels(call, before, after, found):
    X, centroids, labels, *nearest = before.values()
    REFERENCE.lower_by_labels(X, centroids, labels, Nearest(*nearest), 9)
    same(before["closest"], after["closest"])
    same(before["which"], after["which"])


def add_gains(call, before, after, found):
    X, weight, candidates, closest, gains = before.values()
    REFERENCE.add_gains(X, weight, candidates, closest, 16.0, gains)
    np.testing.assert_array_equal(gains, after["gains"])


def draw_rounds(call, before, after, found):
    X, weight, u = before.values()
    same(REFERENCE.draw_rounds(X, weight, 16.0, u, call.n_drawn, 2), found)


def draw_in_boxes(call, before, after, found):
    X, _ = call.boxed(call.shape("boxes"))
    expected = REFERENCE.draw_in_boxes(X, before["weight"], 16.0, before["u"], call.n_drawn, 2)
    np.testing.assert_array_equal(X[expected], X[found])


def find_closer(call, before, after, found):
    expected = REFERENCE.find_closer(*before.values(), 10**9)
    starts, rows, sq_dist = found
    same(expected.starts, starts)
    order = np.lexsort((rows, np.repeat(np.arange(len(starts) - 1), np.diff(starts))))
    same(expected.rows, rows[order])
    same(expected.sq_dist, sq_dist[order])


def play_rounds(call, before, after, found):
    rows, start, u, starts, pair_rows, pair_sq_dist, weight, *nearest = before.values()
    # A row is the pair of a proposal once at most.
    if all(len(set(pair_rows[a:b].tolist())) == b - a for a, b in pairwise(starts.tolist())):
        proposals, pairs = Proposals(rows, start, u), Closer(starts, pair_rows, pair_sq_dist)
        expected = REFERENCE.play_rounds(proposals, pairs, weight, 16.0, 2, 3, Nearest(*nearest), 9)
        same(expected.winners, found[0])
        assert expected[1:] == found[1:]
        same(before["closest"], after["closest"])
        same(before["which"], after["which"])


def play_ahead(call, before, after, found):
    X, weight, rows, start, u, marks, *nearest = before.values()
    proposals = Proposals(rows, start, u)
    expected = REFERENCE.play_ahead(X, weight, proposals, 16.0, 2, 3, marks, Nearest(*nearest), 9)
    same(expected.winners, found[0])
    assert expected[1:] == found[1:]
    same(before["closest"], after["closest"])
    same(before["which"], after["which"])


def sort_into_buckets(call, before, after, found):
    for expected, part in zip(REFERENCE.sort_into_buckets(**before), found, strict=True):
        same(expected, part)


def add_bucket_masses(call, before, after, found):
    weight, closest, buckets, sums = before.values()
    REFERENCE.add_bucket_masses(weight, closest, 16.0, buckets, sums)
    np.testing.assert_array_equal(sums, after["sums"])


def optimum(call, before, after, found):
    few = call.scalars()["k"]
    same(REFERENCE.optimum(before["values"], before["weights"], few, 0)[0], found[0])
    assert found[1]


def least_inertias(call, before, after, found):
    values, weights = before["values"], before["weights"]
    most = call.scalars()["most"]
    expected = REFERENCE.least_inertias(values, weights, most)
    # The bound that core/optimum.hpp gives.
    error = 2.0**-46 * (len(values) + most) * expected[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=error)


def swap_search(call, before, after, found):
    X, weight, centroids, labels = before.values()
    means = [np.average(X[labels == j], 0, weight[labels == j]) for j in np.unique(labels)]
    nearest = REFERENCE.sq_distances(X, np.array(means)).min(axis=1)
    ended = found.run(10, 1.0)
    assert ended in (False, True)
    assert found.n_kept <= found.n_tried <= 10
    assert found.centroids.shape == (centroids.size,)
    # Never worse than the means of the labels it began with, but for the rounding of fewer than
    # 2^17 float64 products in either.
    assert found.inertia <= float(weight @ nearest) * (1 + 2.0**-34) + 2.0**-30


ANSWERS = {
    **{name: globals()[name] for name in SHAPES if name in globals()},
    "assign_bounded": assign,
    "SwapSearch": swap_search,
    **dict.fromkeys(("Bounds", "Boxes32", "Boxes64", "Axes"), made),
}
