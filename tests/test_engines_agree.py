"""Reference → baseline → AVX2 → AVX-512, in every layout: the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from ladder import (
    KINDS,
    REFERENCE,
    assert_same_run,
    boxes_plans,
    make_rows,
    name_of,
    native_plans,
    run,
)
from truemeans.engines import open_engine
from truemeans.engines.native import NativeEngine
from truemeans.engines.records import Around, Nearest, Proposals, RowState, SqGrids
from truemeans.targets import targets

DTYPES = (np.float32, np.float64)
# Sizes on both sides of vector widths and tiles.
SIZES = [
    (1, 1, 1),
    (2, 1, 2),
    (30, 2, 2),
    (7, 3, 7),
    (64, 8, 5),
    (65, 7, 9),
    (129, 9, 17),
    (200, 15, 31),
    (193, 16, 33),
    (257, 17, 8),
    (150, 31, 16),
    (300, 33, 65),
    (127, 64, 12),
    (90, 129, 47),
    (150, 128, 2),
    (60, 131, 3),
    (300, 70, 40),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_runs_agree_to_the_last_bit(size, kind, dtype):
    n, d, k = size
    X = make_rows(kind, n, d, dtype)
    rng = np.random.default_rng(n)
    init = X[rng.choice(n, k, replace=False)]
    weight = rng.integers(0, 4, size=n) * 0.17 if n % 2 else None
    if weight is not None and not weight.any():
        weight[0] = 1.0
    expected = run(X, init, REFERENCE, weight, max_iter=4)
    for plan in (*native_plans(), *(boxes_plans() if d <= 3 else ())):
        assert_same_run(expected, run(X, init, plan, weight, max_iter=4))


@pytest.mark.parametrize("target", targets())
def test_a_forced_target_is_the_one_that_runs(target):
    plan = next(p for p in native_plans() if p.target == target)
    with NativeEngine(plan) as engine:
        assert engine.target == target


def test_every_target_built_for_this_machine_is_listed():
    assert list(targets())[-1] == "baseline"


def verbs(plan, X, weight, centroids):
    """What every verb gives on one block."""
    with open_engine(plan) as engine:
        extent = engine.survey(X)
        weighted = weight is not None
        finest = engine.survey(weight[:, np.newaxis]).features[2, 0] if weighted else 1.0
        magic, center, reach = engine.choose_footing(extent, 1.0, finest, weighted, len(X), X.dtype)
        state = RowState(np.full(len(X), -1, np.int32))
        sums = np.zeros((len(centroids), len(magic), X.shape[1] + 1))
        engine.assign(X, weight, centroids, magic, state, sums)
        center = center[np.newaxis]
        top = engine.max_abs_diff(X, center, None)
        own_top = engine.max_abs_diff(X, centroids, state.labels)
        around = Around(center[0], extent.top, 1e6, 0.0, 0.0)
        totals = np.zeros((2, 3))
        engine.add_sq_diff(X, weight, center, None, SqGrids(top, 1.0, len(X)), totals[0])
        engine.add_sq_diff(
            X, weight, centroids, state.labels, SqGrids(own_top, 1.0, len(X)), totals[1]
        )
        closest, which = np.full(len(X), np.inf), np.full(len(X), -1, np.int32)
        most = engine.lower_closest(X, weight, centroids[0], Nearest(closest, which), 4)
        scale = 2.0 ** (40 - np.frexp(most)[1])
        gains = np.zeros(len(centroids))
        engine.add_gains(X, weight, centroids, closest, scale, gains)
        masses = np.zeros(9)
        buckets = (np.arange(len(X)) % 7).astype(np.uint16)
        engine.add_bucket_masses(weight, closest, scale, buckets, masses)
        pairs = engine.find_closer(X, weight, centroids, closest, None, X.size * len(centroids))
        by_row = np.lexsort((pairs.rows, np.repeat(np.arange(11), np.diff(pairs.starts))))
        rows = np.arange(11, dtype=np.int32)
        proposals = Proposals(rows, closest[rows], np.linspace(0, 0.9, 11))
        after = Nearest(closest.copy(), which.copy())
        played = engine.play_rounds(proposals, pairs, weight, scale, 3, 2, after, 5)
        keys = engine.row_keys(X)
        return {
            "extent": extent.features,
            "bad": np.array(extent[1:]),
            "footing": np.append(center, reach),
            "magic": magic,
            "labels": state.labels,
            "sums": sums,
            "means": engine.update(sums, centroids, X.dtype, around).centroids,
            "tops": np.array([top, own_top, most]),
            "totals": totals,
            "sum_sq": np.array(
                engine.finish_sq_diff(totals[0], X.shape[1], SqGrids(top, 1.0, len(X)))
            ),
            "distances": engine.sq_distances(X, centroids),
            "own": engine.own_sq_distances(X, centroids, state.labels),
            "closest": closest,
            "gains": gains,
            "starts": pairs.starts,
            "pair_rows": pairs.rows[by_row],
            "pair_sq_dist": pairs.sq_dist[by_row],
            "winners": played.winners,
            "next": np.array([played.next, played.gain]),
            "after": after.closest,
            "which": after.which,
            "keys": keys,
            "buckets": engine.sort_into_buckets(keys, np.unique(keys[::3])).of_row,
            "masses": masses,
        }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 33])
def test_every_verb_agrees_to_the_last_bit(d, kind, dtype, weighted):
    X = make_rows(kind, 101, d, dtype)
    weight = np.random.default_rng(d).random(101) if weighted else None
    centroids = X[:11].astype(float)
    expected = verbs(REFERENCE, X, weight, centroids)
    for plan in native_plans():
        actual = verbs(plan, X, weight, centroids)
        for verb, value in expected.items():
            if verb == "extent":
                # The native survey may call a power of two finer than it is, never coarser.
                np.testing.assert_array_equal(value[:2], actual[verb][:2])
                assert (actual[verb][2] <= value[2]).all(), name_of(plan)
            elif verb not in ("magic", "sums"):
                assert value.tobytes() == actual[verb].tobytes(), (verb, name_of(plan))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 3, 40, 77, 130])
@pytest.mark.parametrize("d", [1, 2, 33, 300])
def test_survey_finds_the_first_bad_entry(d, place, bad):
    X = make_rows("normal", 131, d, np.float32)
    X[place, d // 2] = bad
    X[130, d - 1] = np.nan
    expected = min(place * d + d // 2, 130 * d + d - 1)
    for plan in native_plans():
        with open_engine(plan) as engine:
            assert engine.survey(X).bad == expected


def test_the_scores_decide_nearly_every_row_of_ordinary_data():
    """Margins must not be so wide that everything is settled one by one."""
    X = make_rows("normal", 4000, 16, np.float32)
    for plan in native_plans():
        if plan.scores == "none":
            continue
        with open_engine(plan) as engine:
            state = RowState(np.full(len(X), -1, np.int32))
            done = engine.assign(X, None, X[:50].astype(float), None, state, None)
        assert done.n_settled < 40, name_of(plan)
