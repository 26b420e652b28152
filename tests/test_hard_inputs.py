"""Hard numbers get the right answer: one test for each kind of input that breaks other libraries.

Input that must be refused is in test_errors.py, input in other containers, layouts and dtypes in
test_input_forms.py, Ctrl-C, forks, threads and memory in test_alive.py, copies of a fitted model
and damaged files in test_estimator.py and test_model_file.py.
"""

import ctypes
import math
import mmap
import platform
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from exact import exact_inertia
from ladder import bits, blobs, canonical_labels
from truemeans import KMeans, k_means, kmeans_plusplus

K = 4

# Far from the origin --------------------------------------------------------------------------

EXACT_OFFSETS = [(np.float64, 10.0**p) for p in range(4, 13)] + [
    (np.float32, 10.0**p) for p in (4, 5, 6)
]


@pytest.mark.parametrize(("dtype", "offset"), EXACT_OFFSETS)
def test_an_offset_that_keeps_every_digit_changes_no_label(dtype, offset):
    X = blobs(dtype)
    shifted = X + dtype(offset)
    assert np.array_equal(shifted - dtype(offset), X)

    plain = k_means(X, 3, init=X[:3])
    moved = k_means(shifted, 3, init=shifted[:3])

    np.testing.assert_array_equal(moved.labels, plain.labels)
    # Rounding a centroid of m rows by e adds m e² to its part of the inertia.
    rounding = X.size * (np.spacing(shifted.max()) / 2) ** 2
    assert abs(moved.inertia - plain.inertia) <= rounding + 1e-12 * plain.inertia


@pytest.mark.parametrize(("dtype", "offset"), [*EXACT_OFFSETS, (np.float64, 1e15)])
@pytest.mark.parametrize("k", [3, 20])
def test_predict_and_score_agree_with_fit_at_any_offset(dtype, offset, k):
    """scikit-learn 1.9.1: float32 + 1e5, k = 3: 32 % of labels agree and the score is 50 times
    the inertia; k = 20: 7 %; float64 + 1e9, k = 20: 11 %.
    """
    rng = np.random.default_rng(0)
    X = np.repeat(np.eye(3) * 8, 30, axis=0) + rng.normal(size=(90, 3))
    shifted = (X + offset).astype(dtype)

    model = KMeans(k, init=shifted[:k], tol=0).fit(shifted)

    np.testing.assert_array_equal(model.predict(shifted), model.labels_)
    np.testing.assert_array_equal(model.predict(shifted[7:8]), model.labels_[7:8])
    assert model.score(shifted) == -model.inertia_
    # Subtracting the offset is exact, and so these are the labels of data at the origin.
    back = shifted.astype(float) - offset
    centers = model.cluster_centers_.astype(float) - offset
    np.testing.assert_array_equal(model.labels_, canonical_labels(back, centers))
    exact = sum(
        (Fraction(x) - Fraction(c)) ** 2
        for row, label in zip(back.tolist(), model.labels_, strict=True)
        for x, c in zip(row, centers[label].tolist(), strict=True)
    )
    assert model.inertia_ == float(exact)


def test_an_offset_that_swallows_the_digits():
    """float32 steps by 8 at 10⁸, so each group of rows has become one point."""
    X = blobs(np.float32) + np.float32(1e8)
    n_distinct = len(np.unique(X, axis=0))
    assert n_distinct < 12

    with pytest.warns(ConvergenceWarning, match=rf"clusters \({n_distinct}\) found smaller"):
        result = k_means(X, 12, random_state=0)

    assert result.inertia == 0.0


def test_a_large_constant_column_changes_nothing():
    X = blobs()
    beside = np.column_stack([X, np.full(90, 1e9)])

    result = k_means(beside, K, init=beside[:K])

    expected = k_means(X, K, init=X[:K])
    np.testing.assert_array_equal(result.labels, expected.labels)
    assert result.centroids[:, :3].tobytes() == expected.centroids.tobytes()


# Huge and tiny --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "power"),
    [(np.float64, 664), (np.float64, 1018), (np.float64, -664), (np.float64, -1070),
     (np.float32, 122), (np.float32, -120), (np.float32, -145)],
)  # fmt: skip
def test_scaling_by_a_power_of_two_is_exact(dtype, power):
    """Near the largest numbers, near the smallest, and among the denormal ones."""
    X = np.round(blobs(dtype))
    scaled = np.ldexp(X, power).astype(dtype)
    assert np.isfinite(scaled).all()
    np.testing.assert_array_equal(np.ldexp(scaled, -power), X)

    plain = k_means(X, 3, init=X[:3])
    result = k_means(scaled, 3, init=scaled[:3])

    np.testing.assert_array_equal(result.labels, plain.labels)
    np.testing.assert_array_equal(result.centroids, np.ldexp(plain.centroids, power))
    assert result.n_iter == plain.n_iter


@pytest.mark.parametrize(
    ("dtype", "factor", "inertia"),
    [(np.float64, 1e200, math.inf), (np.float64, 1e-200, 0.0), (np.float64, 1e150, 87.2e300),
     (np.float64, 1e-310, 0.0), (np.float32, 1e37, 87.2e74), (np.float32, 1e-40, 87.2e-80)],
)  # fmt: skip
def test_values_whose_squares_do_not_fit(dtype, factor, inertia):
    """scikit-learn 1.9.1: one cluster, or NaN; an inertia float64 cannot hold is inf, or 0."""
    X = (blobs() * factor).astype(dtype)

    model = KMeans(3, random_state=0).fit(X)

    groups = np.arange(90) % 3
    assert len({*zip(groups, model.labels_, strict=True)}) == 3
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == pytest.approx(inertia, rel=1e-3)
    assert model.score(X) == -model.inertia_
    assert np.isfinite(model.transform(X)).all()
    _, picked = kmeans_plusplus(X, 3, random_state=0)
    assert set(picked % 3) == {0, 1, 2}


def test_the_largest_numbers_of_both_signs():
    top = np.finfo(np.float64).max
    X = np.array([[top], [-top]] * 3)

    centroids, labels, inertia = k_means(X, 2, init=[[-top], [top]])
    assert centroids.tolist() == [[-top], [top]]
    assert labels.tolist() == [1, 0] * 3
    assert inertia == 0.0

    centroids, labels, inertia = k_means(X, 1)
    assert centroids.tolist() == [[0.0]]
    assert inertia == math.inf


def test_a_row_beyond_all_others_takes_a_cluster_and_says_what_it_swallowed():
    """A mean is right to 2⁻¹⁰⁰ of its feature's largest value: next to 1e200, 8 is 0."""
    X = np.vstack([blobs(), np.full((1, 3), 1e200)])

    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller"):
        model = KMeans(4, random_state=0).fit(X)

    assert len(set(model.labels_[:-1])) == 1
    assert model.labels_[-1] != model.labels_[0]
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X) == -model.inertia_


@pytest.mark.parametrize("far", [1e3, 1e15, 1e60, 1e150, 1e160, 1e307])
@pytest.mark.parametrize("k", [5, 33])
def test_rows_far_beyond_the_centroids_are_labelled_canonically(k, far):
    """Their scores overflow float32, and at last the canonical distances overflow too. By then
    all centroids are one point to them: x - c rounds to x long before, so all distances tie.
    """
    X = np.random.default_rng(0).normal(size=(400, 6))
    model = KMeans(k, random_state=0, max_iter=5).fit(X)

    rows = X * far
    rows[::2, 1:] = X[::2, 1:]
    labels = model.predict(rows)

    # Scaling both sides by the same power of two changes no distance but the range.
    small = np.ldexp(rows, -600), np.ldexp(model.cluster_centers_, -600)
    expected = canonical_labels(*(small if far > 1e150 else (rows, model.cluster_centers_)))
    np.testing.assert_array_equal(labels, expected)
    assert (labels == 0).all() or far < 1e60


@pytest.mark.parametrize("rows_at", [1e-300, 1e-200, 1.0, 1e150, 1e160, 1e200, 1e307])
@pytest.mark.parametrize("fitted_at", [1e-200, 1.0, 1e200])
def test_rows_of_another_size_than_the_fitted_ones(fitted_at, rows_at):
    """Distances and their squared sum are right wherever float64 can hold them."""
    rng = np.random.default_rng(0)
    model = KMeans(5, random_state=0).fit(rng.normal(size=(60, 6)) * fitted_at)
    X = rng.normal(size=(40, 6)) * rows_at
    X[::2, 1:] *= 0.5

    labels, distances, score = model.predict(X), model.transform(X), model.score(X)

    # The larger side brought near 1; both sides lose nothing that shows beside the larger.
    down = -math.frexp(max(fitted_at, rows_at))[1]
    x, c = np.ldexp(X, down), np.ldexp(model.cluster_centers_, down)
    expected = np.sqrt(((x[:, np.newaxis] - c) ** 2).sum(axis=2))
    np.testing.assert_allclose(distances, np.ldexp(expected, -down), rtol=1e-14)
    np.testing.assert_array_equal(labels, canonical_labels(x, c))
    total = (expected.min(axis=1) ** 2).sum()
    with np.errstate(over="ignore", under="ignore"):
        assert -score == pytest.approx(np.ldexp(total, -2 * down), rel=1e-13, abs=5e-324)
    for i in (0, 7):
        np.testing.assert_array_equal(model.transform(X[i : i + 1])[0], distances[i])


@pytest.mark.parametrize("method", ["samples/none", "centroids/none", "centroids/groups"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [3, 17, 64])
def test_near_ties_of_rows_far_from_all_centroids(d, dtype, method, monkeypatch):
    """Pairs of centroids mirrored in a plane, rows almost in that plane, and far away: the error
    of a score grows with the row's distance, and so must the margin.
    """
    rng = np.random.default_rng(d)
    across = rng.normal(size=d)
    across /= np.linalg.norm(across)
    half = rng.normal(size=(10, d))
    centers = np.vstack([half, half - 2 * np.outer(half @ across, across)])
    X = rng.normal(size=(3000, d)) * 100
    X -= np.outer(X @ across - rng.normal(size=3000) * 1e-5, across)
    X, centers = X.astype(dtype), centers.astype(dtype)
    monkeypatch.setenv("TRUEMEANS_METHOD", method)

    result = k_means(X, 20, init=centers, max_iter=1, record=True)

    np.testing.assert_array_equal(result.history.labels[0], canonical_labels(X, centers))


@contextmanager
def flushing_to_zero():
    """What a library linked with -ffast-math does to the thread that loads it."""
    libm = ctypes.CDLL("libm.so.6")
    before, changed = (ctypes.c_ubyte * 32)(), (ctypes.c_ubyte * 32)()
    assert libm.fegetenv(before) == 0
    # On x86-64 the control word of the vector unit comes last; bits 15 and 6 flush results and
    # operands below the smallest normal number.
    word = int.from_bytes(bytes(before[28:]), "little") | 0x8040
    changed[:] = bytes(before[:28]) + word.to_bytes(4, "little")
    assert libm.fesetenv(changed) == 0
    try:
        assert np.float64(5e-324) * np.float64(1) == 0
        yield
        assert np.float64(5e-324) * np.float64(1) == 0, "the caller's mode is the caller's"
    finally:
        assert libm.fesetenv(before) == 0


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="sets the control word of this platform",
)
@pytest.mark.parametrize(("dtype", "power"), [(np.float64, -1070), (np.float32, -145)])
def test_another_librarys_flush_to_zero_changes_nothing(dtype, power):
    X = np.ldexp(np.round(blobs(dtype, n=2001)), power).astype(dtype)

    def answers():
        model = KMeans(3, random_state=0, n_threads=2).fit(X)
        return (
            model.cluster_centers_.tobytes(),
            model.labels_.tobytes(),
            model.predict(X).tobytes(),
            model.transform(X).tobytes(),
            model.score(X),
            kmeans_plusplus(X, 3, random_state=1)[1].tobytes(),
        )

    expected = answers()
    with flushing_to_zero():
        found = answers()
    assert found == expected
    assert np.frombuffer(expected[0], dtype).any()


# Few and many clusters ------------------------------------------------------------------------


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_every_row_its_own_cluster(init):
    X = np.unique(blobs(), axis=0)

    result = k_means(X, len(X), init=init, random_state=0)

    assert result.inertia == 0.0
    assert sorted(result.labels) == list(range(len(X)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_one_cluster_is_the_exact_mean_rounded_once(dtype, weighted):
    rng = np.random.RandomState(0)
    X = (rng.standard_normal((101, 3)) * [1.0, 1e6, 1e-6] + [0.0, 1.0, 1e3]).astype(dtype)
    weights = rng.randint(1, 9, 101) / 8 if weighted else np.ones(101)
    total = sum(map(Fraction, weights.tolist()))
    means = [
        sum(Fraction(w) * Fraction(x) for w, x in zip(weights.tolist(), column, strict=True))
        / total
        for column in X.T.tolist()
    ]

    centroids = k_means(X, 1, sample_weight=weights).centroids

    # float() rounds a fraction once; to float32 it would round a second time.
    expected = np.array([float(mean) for mean in means])
    if dtype is np.float64:
        assert centroids[0].tolist() == expected.tolist()
    else:
        np.testing.assert_array_max_ulp(centroids[0], expected.astype(np.float32), 1)


def test_elkan_with_one_cluster_warns_as_scikit_learn_does():
    with pytest.warns(RuntimeWarning, match="algorithm='elkan' doesn't make sense for a single"):
        KMeans(1, algorithm="elkan").fit(blobs())


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "array"])
@pytest.mark.parametrize("n_distinct", [1, 2])
def test_fewer_distinct_rows_than_clusters(n_distinct, init):
    X = np.repeat([[1.0, 2.0], [3.0, 4.0]][:n_distinct], 6, axis=0)
    start = X[:5] if init == "array" else init

    with pytest.warns(ConvergenceWarning) as caught:
        result = k_means(X, 5, init=start, random_state=0)

    assert [str(w.message) for w in caught] == [
        f"Number of distinct clusters ({n_distinct}) found smaller than n_clusters (5). "
        "Possibly due to duplicate points in X."
    ]
    assert result.inertia == 0.0
    # It starts on the rows there are, or one refill away from them.
    assert result.n_iter <= 1 + n_distinct
    assert np.isfinite(result.centroids).all()
    np.testing.assert_array_equal(result.labels, canonical_labels(X, result.centroids))


@pytest.mark.parametrize("d", [1, 2, 5, 40])
def test_ties_and_duplicates_go_to_the_lowest_index(d):
    """Rows half-way between centroids, and centroids that are there twice, in fit and predict."""
    X = np.zeros((2000, d))
    X[:, 0] = np.arange(2000) % 5  # 1 is as far from 0 as from 2, and 3 as from 2 and 4
    centers = np.zeros((6, d))
    centers[:, 0] = [4, 4, 2, 2, 0, 0]

    with pytest.warns(ConvergenceWarning, match=r"clusters \(3\)"):
        model = KMeans(6, init=centers).fit(centers)

    np.testing.assert_array_equal(model.cluster_centers_, centers)
    np.testing.assert_array_equal(model.labels_, [0, 0, 2, 2, 4, 4])
    np.testing.assert_array_equal(model.predict(X), np.tile([4, 2, 2, 0, 0], 400))


@pytest.mark.parametrize("start", ["one row, repeated", "far away", "infinitely far away"])
def test_unhelpful_starts(start):
    X = blobs()
    init = {
        "one row, repeated": np.repeat(X[:1], K, axis=0),
        "far away": np.full((K, 3), 1e12),
        "infinitely far away": np.full((K, 3), 1e300) * [[1], [-1], [1], [-1]],
    }[start]
    untouched = init.copy()

    model = KMeans(K, init=init, tol=0).fit(X)

    assert (np.bincount(model.labels_, minlength=K) > 0).all()
    assert model.n_iter_ < 300
    assert not np.isnan(model.history_.inertia).any()
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    np.testing.assert_array_equal(init, untouched)


# Weights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("far", [1e6, 1e30, 1e60, 1e150, 1e200, 1e308])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "array"])
def test_a_row_of_weight_zero_is_only_labelled(init, far):
    """However far it is: beside 1e60 the sums would have no room left for the others."""
    X = np.vstack([blobs(), [[far] * 3], blobs()[:5]])
    weights = np.r_[np.ones(90), np.zeros(6)]
    start = X[:3] if init == "array" else init

    model = KMeans(3, init=start, n_init=1, random_state=1, tol=0).fit(X, sample_weight=weights)

    without = k_means(X[:90], 3, init=start, random_state=1)
    assert model.cluster_centers_.tobytes() == without.centroids.tobytes()
    assert model.labels_[:90].tobytes() == without.labels.tobytes()
    assert (model.inertia_, model.n_iter_) == (without.inertia, without.n_iter)
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.score(X, sample_weight=weights) == -model.inertia_


def test_rows_of_weight_zero_in_a_file_are_passed_over(tmp_path):
    X, weights = blobs(), np.arange(90.0) % 3
    np.save(tmp_path / "rows.npy", X)

    result = k_means(tmp_path / "rows.npy", K, sample_weight=weights, random_state=0)

    assert bits(result) == bits(k_means(X, K, sample_weight=weights, random_state=0))


def test_the_record_labels_rows_of_weight_zero_too():
    X = np.vstack([[[1e60, 0, 0]], blobs()])
    seen = []

    result = k_means(
        X,
        K,
        init=X[1 : 1 + K],
        sample_weight=np.r_[0, np.ones(90)],
        record=True,
        callback=lambda iteration: seen.append(iteration.labels) and None,
    )

    for labels, told, centroids in zip(
        result.history.labels, seen, result.history.centroids, strict=True
    ):
        np.testing.assert_array_equal(labels, canonical_labels(X, centroids))
        np.testing.assert_array_equal(told, labels)


def test_a_row_of_weight_zero_is_never_a_seed():
    X = np.vstack([[[1e6, 1e6, 1e6]], blobs(), [[1e200, 0, 0]]])
    weights = np.r_[0, np.ones(90), 0]

    for seed in range(20):
        centers, picked = kmeans_plusplus(X, 20, sample_weight=weights, random_state=seed)
        assert not {0, 91} & set(picked)
        np.testing.assert_array_equal(X[picked], centers)


def test_far_rows_of_hardly_any_weight_leave_the_inertia_alone():
    X = np.vstack([blobs(), [[1e30, 0, 0]]])
    weights = np.r_[np.ones(90), 1e-100]

    result = k_means(X, 3, init=X[:3], sample_weight=weights)

    # The far row adds 1e-100 · 1e60 to a cluster, which its mean then follows by 1e-71.
    assert result.inertia == pytest.approx(k_means(X[:-1], 3, init=X[:3]).inertia, rel=1e-14)


def test_weights_of_forty_sizes_leave_the_inertia_exact():
    x = [9, -1, -2, 9, 1, -1, -15, -3, 0]
    X = np.column_stack([x, [-1, -3, -6, -9, 4, 6, -2, -2, 0]]).astype(float)
    weight = np.array([1e21, 1e-19, 1e-11, 1e9, 1e-19, 1e-9, 1e-8, 1e-3, 1e-8])
    found = k_means(X, 4, sample_weight=weight, random_state=0)
    expected = exact_inertia(X, found.labels, found.centroids, weight)
    assert found.inertia == pytest.approx(expected, rel=1e-15)


def test_fewer_rows_that_weigh_anything_than_clusters():
    weights = np.zeros(90)
    weights[[4, 50]] = 1.0

    with pytest.warns(ConvergenceWarning, match=r"clusters \(2\) found smaller than n_clusters"):
        result = k_means(blobs(), K, sample_weight=weights, random_state=0)

    assert np.isfinite(result.centroids).all()
    assert result.inertia == 0.0


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "array"])
def test_a_weight_is_a_number_of_copies(init):
    X = blobs(n=60)
    weights = np.random.RandomState(3).randint(0, 4, 60)
    copies = np.repeat(X, weights, axis=0)
    start = X[:K] if init == "array" else init

    weighted = k_means(X, K, init=start, sample_weight=weights, random_state=2)

    repeated = k_means(copies, K, init=start, random_state=2)
    assert weighted.centroids.tobytes() == repeated.centroids.tobytes()
    assert np.repeat(weighted.labels, weights).tobytes() == repeated.labels.tobytes()
    assert weighted.inertia == repeated.inertia


@pytest.mark.parametrize("scale", [2.0**990, 2.0**-990, 2.0**-1060, 1e300, 1e-300])
def test_weights_of_any_size(scale):
    X = blobs()
    weights = np.random.RandomState(3).randint(1, 9, 90).astype(float)

    result = k_means(X, K, sample_weight=weights * scale, random_state=2)

    expected = k_means(X, K, sample_weight=weights, random_state=2)
    np.testing.assert_array_equal(result.labels, expected.labels)
    np.testing.assert_allclose(result.centroids, expected.centroids, rtol=1e-15)


# Shapes and sizes -----------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [np.float32, np.float64])
@pytest.mark.parametrize("asked", [np.float16, np.float32, np.float64, np.int64, np.longdouble])
def test_fit_on_one_dtype_and_predict_on_another(fitted, asked):
    """scikit-learn 1.9.1: "Buffer dtype mismatch, expected 'const float' but got 'double'"."""
    X = (blobs() * 16).astype(fitted)
    model = KMeans(K, random_state=0).fit(X)

    rows = (blobs() * 16).astype(asked)
    np.testing.assert_array_equal(model.predict(rows), model.labels_)
    assert model.score(rows) == -model.inertia_
    np.testing.assert_allclose(model.transform(rows), model.transform(X), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2, 1), (200, 1), (5, 200_000)])
def test_extreme_shapes(shape):
    X = np.random.RandomState(0).randint(-50, 50, shape).astype(np.float32)
    k = min(3, shape[0])

    centroids, labels, inertia = k_means(X, k, random_state=0)

    np.testing.assert_array_equal(labels, canonical_labels(X, centroids))
    wide = X.astype(np.float64)
    # Each square and each addition errs by one part in 2⁵³ at most.
    own = ((wide - centroids[labels].astype(np.float64)) ** 2).sum()
    assert inertia == pytest.approx(own, rel=1e-15 * math.log2(X.size + 2))


def test_more_pairs_of_row_and_centroid_than_32_bits_count():
    """2.4e9 pairs; a table of their distances would take 19 GB."""
    n, k = 60_000, 40_000
    X = np.zeros((n, 4), np.float32)
    X[:, 0] = np.arange(n)
    assert n * k > 2**31

    result = k_means(X, k, init=X[:k], max_iter=1)

    # The first assignment gives the rows from k on to the last centroid.
    assert result.history.n_changed.tolist() == [n]
    np.testing.assert_array_equal(result.centroids[: k - 1, 0], np.arange(k - 1))
    assert result.centroids[-1, 0] == np.float32((k - 1 + n - 1) / 2)
    np.testing.assert_array_equal(result.labels[: k - 1], np.arange(k - 1))


@pytest.mark.skipif(platform.system() != "Linux", reason="maps memory nobody wrote to, unreserved")
def test_more_entries_than_32_bits_count():
    """8.6 GB of rows that the system keeps as one page of zeros, but for the last rows."""
    d = 4096
    n = 2**31 // d + 64
    unreserved = 0x4000  # MAP_NORESERVE, which the mmap module names from Python 3.13 on
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | unreserved
    with mmap.mmap(-1, n * d * 4, flags=flags) as memory:
        X = np.frombuffer(memory, np.float32).reshape(n, d)
        X[-5:] = 3.0
        init = np.zeros((2, d), np.float32)
        init[1] = 2.0

        result = k_means(X, 2, init=init, max_iter=1)

        assert result.sizes.tolist() == [n - 5, 5]
        assert result.labels[-6:].tolist() == [0, 1, 1, 1, 1, 1]
        assert result.centroids.tolist() == [[0.0] * d, [3.0] * d]
        assert result.inertia == 0.0
        X[-1, -1] = np.nan
        with pytest.raises(ValueError, match=rf"row {n - 1}, column {d - 1}"):
            k_means(X, 2)
        del X, result
