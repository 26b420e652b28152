"""Good input in every form gives the same bits, and is never changed."""

import decimal
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from ladder import bits, blobs
from truemeans import KMeans, k_means, kmeans_plusplus
from truemeans.validation import check_rows

K = 4


def fit_bits(X, **parameters):
    return bits(k_means(X, K, random_state=5, **parameters))


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def unaligned(X):
    buffer = bytearray(1) + bytearray(X.tobytes())
    return np.frombuffer(buffer, X.dtype, offset=1).reshape(X.shape)


def strided(X, step):
    room = np.full((X.shape[0] * step, X.shape[1] * 2), np.nan, X.dtype)
    room[::step, ::2] = X
    return room[::step, ::2]


class Wrapped:
    def __init__(self, X):
        self.X = X

    def __array__(self, dtype=None, copy=None):
        return self.X


class Interchanged:
    """Speaks the data frame interchange protocol and nothing else."""

    columns = property(lambda self: self.table.column_names)

    def __init__(self, table):
        self.table = table

    def __dataframe__(self, **options):
        return self.table.__dataframe__(**options)


LAYOUTS = {
    "list": lambda X: X.tolist(),
    "tuple of arrays": tuple,
    "Fortran": np.asfortranarray,
    "reversed": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "every second": lambda X: strided(X, 2),
    "big endian": lambda X: X.astype(X.dtype.newbyteorder(">")),
    "read-only": read_only,
    "unaligned": unaligned,
    "object": lambda X: X.astype(object),
    "numbers as text": lambda X: [[repr(float(x)) for x in row] for row in X],
    "fractions": lambda X: [[Fraction(float(x)) for x in row] for row in X],
    "decimals": lambda X: [[decimal.Decimal(float(x)) for x in row] for row in X],
    "longdouble": lambda X: X.astype(np.longdouble),
    "mask of nothing": np.ma.array,
    "memoryview": memoryview,
    "__array__": Wrapped,
    "pandas": lambda X: pd.DataFrame(X, columns=list("abc")),
    "pandas, mixed": lambda X: pd.DataFrame({"a": X[:, 0].astype(object), "b": X[:, 1],
                                             "c": pd.array(X[:, 2], dtype="Float64")}),
    "pandas, Arrow": lambda X: pd.DataFrame(X).astype("float64[pyarrow]"),
    "polars": lambda X: pl.DataFrame(X, schema=list("abc")),
    "Arrow": lambda X: pa.table(list(X.T.copy()), names=list("abc")),
    "Arrow, chunks": lambda X: pa.concat_tables(
        [pa.table(list(part.T.copy()), names=list("abc")) for part in np.split(X, 5)]
    ),
    "record batch": lambda X: pa.record_batch(list(X.T.copy()), names=list("abc")),
    "interchange": lambda X: Interchanged(pa.table(list(X.T.copy()), names=list("abc"))),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_float64_in_every_form(layout):
    X = blobs()
    given = LAYOUTS[layout](X)

    assert fit_bits(given) == fit_bits(X)
    centers, indices = kmeans_plusplus(given, K, random_state=3)
    assert X[indices].tobytes() == centers.tobytes()
    model = KMeans(K, random_state=5).fit(given)
    assert model.predict(given).tobytes() == model.labels_.tobytes()
    plain = KMeans(K, random_state=5).fit(X)
    assert model.transform(given).tobytes() == plain.transform(X).tobytes()
    assert model.score(given) == plain.score(X) == -plain.inertia_


KEEP_FLOAT32 = {
    "Fortran", "reversed", "every second", "big endian", "read-only", "unaligned",
    "mask of nothing", "memoryview", "__array__", "tuple of arrays", "pandas", "polars", "Arrow",
    "Arrow, chunks", "record batch", "interchange",
}  # fmt: skip


@pytest.mark.parametrize("layout", sorted(KEEP_FLOAT32))
def test_float32_stays_in_every_form(layout):
    X = blobs(np.float32)
    result = k_means(LAYOUTS[layout](X), K, random_state=5)

    assert result.centroids.dtype == np.float32
    assert bits(result) == fit_bits(X)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_input_is_never_changed(layout):
    X = blobs()
    given, untouched = LAYOUTS[layout](X), LAYOUTS[layout](X.copy())
    weights = np.arange(90.0)

    k_means(given, K, random_state=5, sample_weight=weights)
    KMeans(K, random_state=5, copy_x=False).fit(given, sample_weight=weights).predict(given)

    np.testing.assert_array_equal(check_rows(given), check_rows(untouched))
    np.testing.assert_array_equal(X, blobs())
    np.testing.assert_array_equal(weights, np.arange(90.0))


def test_float16_is_clustered_as_float32():
    assert fit_bits(blobs(np.float16)) == fit_bits(blobs(np.float32))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i2", "?"])
def test_integers_are_clustered_as_float64(dtype):
    X = (np.abs(blobs()) * 5).astype(dtype)
    expected = k_means(X.astype(np.float64), 2, random_state=0)

    result = k_means(X, 2, random_state=0)

    assert result.centroids.dtype == np.float64
    assert bits(result) == bits(expected)


def test_integers_at_the_ends_of_their_range():
    X = np.array([[-128], [-127], [126], [127]], np.int8)

    centroids, labels, inertia = k_means(X, 2, init=[[-128], [127]])

    assert centroids.tolist() == [[-127.5], [126.5]]
    assert labels.tolist() == [0, 0, 1, 1]
    assert inertia == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int32, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_npy_file(tmp_path, dtype, order):
    X = np.array(blobs() * 16, dtype=dtype, order=order)
    path = tmp_path / "rows.npy"
    np.save(path, X)
    expected = fit_bits(X)

    assert fit_bits(path) == expected
    assert fit_bits(os.fspath(path)) == expected
    model = KMeans(K, random_state=5).fit(path)
    assert model.n_features_in_ == 3
    assert model.predict(path).tobytes() == model.predict(X).tobytes()


@pytest.mark.parametrize(
    ("stored", "match"),
    [
        (np.zeros(3), "Expected 2D array"),
        (np.zeros((0, 3)), "Found array with 0 sample"),
        (np.ones((2, 2)) * 1j, "Complex data not supported"),
        (np.array([["a"]]), "does not hold real numbers"),
        (np.array([[None]]), "does not read as an array"),
        (np.array([[1.0], [np.nan]]), r"Input X contains NaN\..*row 1, column 0"),
    ],
)
def test_a_npy_file_of_something_else(tmp_path, stored, match):
    np.save(tmp_path / "rows.npy", stored)

    with pytest.raises((ValueError, TypeError), match=match):
        k_means(tmp_path / "rows.npy", 1)


@pytest.mark.parametrize("keep", [0, 5, 60, -1])
def test_a_damaged_npy_file(tmp_path, keep):
    path = tmp_path / "rows.npy"
    np.save(path, np.zeros((4, 4)))
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(ValueError, match="does not read as an array"):
        k_means(path, 1)


def test_arrow_tables_need_no_pandas():
    code = (
        "import sys\n"
        "class NoPandas:\n"
        "    def find_spec(name, path, target=None):\n"
        "        if name == 'pandas': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, NoPandas)\n"
        "import pyarrow as pa, polars as pl, truemeans\n"
        "columns = {'a': [1, 1, 9, 9], 'b': [1.5, 2, 8, 9]}\n"
        "one = truemeans.k_means(pa.table(columns), 2, random_state=0)\n"
        "two = truemeans.k_means(pl.DataFrame(columns), 2, random_state=0)\n"
        "assert one.inertia == two.inertia == 0.625, one\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("seed", [3, np.int64(3), np.uint8(3)])
def test_integers_of_numpy_as_parameters(seed):
    X = blobs()

    result = k_means(X, np.int32(3), n_init=np.int8(2), max_iter=np.uint16(9), random_state=seed)

    assert bits(result) == bits(k_means(X, 3, n_init=2, max_iter=9, random_state=3))


def test_sources_of_randomness():
    X = blobs()
    expected = bits(k_means(X, K, init="random", random_state=9))

    assert bits(k_means(X, K, init="random", random_state=np.random.RandomState(9))) == expected
    np.random.seed(9)  # noqa: NPY002 - the global state is what None stands for
    assert bits(k_means(X, K, init="random")) == expected
    one, two = (
        k_means(X, K, init="random", random_state=np.random.default_rng(9)) for _ in range(2)
    )
    assert bits(one) == bits(two)


@pytest.mark.parametrize(
    "weights",
    [
        [2] * 90, (2.0,) * 90, np.full(90, 2, np.int8), np.full(180, 2.0)[::2], 2, 2.0,
        np.float32(2), np.full(90, 2.0, ">f8"), pd.Series([2] * 90), pl.Series([2] * 90),
        pa.array([2] * 90), np.full(90, "2"), read_only(np.full(90, 2.0)),
    ],
)  # fmt: skip
def test_weights_in_every_form(weights):
    X = blobs()

    result = k_means(X, K, random_state=5, sample_weight=weights)

    unweighted = k_means(X, K, random_state=5)
    assert result.centroids.tobytes() == unweighted.centroids.tobytes()
    assert result.labels.tobytes() == unweighted.labels.tobytes()
    assert result.inertia == 2 * unweighted.inertia


def test_given_centroids_in_every_form():
    X = blobs()
    expected = bits(k_means(X, 2, init=X[:2].copy()))

    for init in (X[:2].tolist(), np.asfortranarray(X[:2]), read_only(X[:2]), X[1::-1][::-1],
                 pd.DataFrame(X[:2]), pl.DataFrame(X[:2]), X[:2].astype(">f8"),
                 X[:2].astype(np.float16), lambda X, k, random_state: X[:k]):  # fmt: skip
        assert bits(k_means(X, 2, init=init)) == expected


def test_given_centroids_are_copied():
    X = blobs()
    init = X[:3].copy()

    result = k_means(X, 3, init=init)

    assert not np.shares_memory(result.centroids, init)
    np.testing.assert_array_equal(init, X[:3])


def test_what_a_callable_init_is_given():
    X = blobs(np.float32)
    seen = []

    def init(rows, n_clusters, random_state):
        seen.append((rows.shape, rows.dtype, n_clusters))
        return rows[random_state.permutation(len(rows))[:n_clusters]]

    result = k_means(X, 3, init=init, n_init=4, random_state=0)

    assert seen == [((90, 3), np.dtype(np.float32), 3)] * 4
    assert bits(result) == bits(k_means(X, 3, init=init, n_init=4, random_state=0))
