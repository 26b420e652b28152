"""Order-free sums: the mean is the exact mean rounded once, whatever the data and the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exact import exact_inertia, exact_mean
from ladder import native_plans, run
from truemeans.dataset import Dataset, survey
from truemeans.engines import open_engine
from truemeans.sources import ArraySource

PLAN = next(native_plans())


def mean_of(X, weight=None):
    """The library's mean of all rows, as one cluster's centroid."""
    return run(X, X[:1], PLAN, weight, max_iter=1).centroids[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "column",
    [
        [0.1] * 1000 + [1e9],
        [1e16, 1.0, -1e16] * 50,
        [1e-13, 1.0, -1.0, 3e-13],
        [5e-42, 1.0, 2e-41],
        [0.0, -0.0, 0.0],
        [1.0, 1.0 + 2.0**-23],
        [1.0, 1.0 + 2.0**-52],
        [3.0, 1e-20, -3.0, 1e-20, 1e-25],
    ],
    ids=str,
)
def test_hard_columns(column, dtype):
    X = np.array(column, dtype)[:, np.newaxis]
    np.testing.assert_array_equal(mean_of(X), exact_mean(X))


# Exponents within 2**±150 keep the sum of squares representable without rescaling.
floats = st.floats(-1e30, 1e30, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-30)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=floats))
def test_the_mean_is_exact_and_rounded_once(X):
    # Entries below 2**-100 of the largest are beyond the contract; here none are.
    top = np.abs(X).max(axis=0)
    X = np.where(np.abs(X) < top * 2.0**-40, 0.0, X)
    np.testing.assert_array_equal(mean_of(X), exact_mean(X))


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-9, 9, width=32)
    ),
    st.data(),
)
def test_the_weighted_mean_is_exact_and_rounded_once(X, data):
    X = np.where(np.abs(X) < 2.0**-30, np.float32(0), X)
    weight = data.draw(hnp.arrays(np.float64, len(X), elements=st.floats(2.0**-20, 1)))
    np.testing.assert_array_equal(mean_of(X, weight), exact_mean(X, weight))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("d", [1, 2, 7, 8, 9])
def test_narrow_and_wide_rows_are_summed_alike(d, weighted):
    """Rows of few features are summed in runs before they touch memory; the sums are the same."""
    rng = np.random.default_rng(d)
    X = rng.normal(size=(400, d)) * 10.0 ** rng.integers(-6, 6, size=(400, d))
    weight = rng.random(400) if weighted else None
    init = X[:5]
    narrow = run(X, init, PLAN, weight, max_iter=3)
    labels = narrow.labels
    for j in range(5):
        own = None if weight is None else weight[labels == j]
        done = run(X, narrow.centroids, PLAN, weight, max_iter=1)
        np.testing.assert_array_equal(done.centroids[j], exact_mean(X[labels == j], own))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e30])
def test_inertia_is_the_exact_sum_rounded_once(scale, offset, dtype, weighted):
    if dtype == np.float32 and scale == 1e-150:
        scale = 1e-18
    rng = np.random.default_rng(8)
    X = ((rng.normal(size=(120, 3)) + offset) * scale).astype(dtype)
    weight = rng.random(120) if weighted else None
    done = run(X, X[:5], PLAN, weight, max_iter=3)
    assert done.inertia == exact_inertia(X, done.labels, done.centroids, weight)


def test_inertia_of_tiny_clusters_far_apart_comes_from_the_rows():
    """The sums alone cannot tell it; one more pass can, and is exact to the last bit."""
    rng = np.random.default_rng(2)
    X = np.repeat(rng.normal(size=(4, 2)) * 1e6, 25, axis=0)
    X += rng.normal(size=X.shape) * 1e-9
    done = run(X, X[::25], PLAN)
    assert 0 < done.inertia < 1e-12
    assert done.inertia == exact_inertia(X, done.labels, done.centroids)


def test_inertia_is_exactly_zero_when_every_row_has_its_own_centroid():
    X = np.random.default_rng(0).normal(size=(50, 3)) * 1e7
    assert run(X, X, PLAN).inertia == 0.0


def test_grids_are_few_on_ordinary_data_and_reach_2_to_the_minus_100():
    rng = np.random.default_rng(0)
    for X, most in [
        (rng.integers(0, 256, size=(1000, 3)).astype(np.float32), 1),
        (rng.normal(size=(1000, 3)).astype(np.float32), 2),
        (rng.normal(size=(1000, 3)), 3),
    ]:
        source = ArraySource(X)
        with open_engine(PLAN) as engine:
            dataset = Dataset(source, engine, survey(source, engine), None)
            assert dataset.new_run(1).shape[1] <= most
    X = np.array([[1.0], [2.0**-99], [2.0**-99]])
    assert mean_of(np.vstack([X, -X[:1]]))[0] == 2.0**-100
