"""Bad input gets one sentence that names the place, the value, the rule and the fix."""

import datetime
import re
import reprlib

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.exceptions import ConvergenceWarning

import truemeans
from truemeans import KMeans, k_means, kmeans_plusplus

X = np.arange(12.0).reshape(6, 2) ** 2


def with_entry(value, dtype=np.float64):
    """Return rows of which row 4, column 1 is ``value``."""
    rows = X.astype(dtype)
    rows[4, 1] = value
    return rows


def with_wide_indices(rows):
    """Return a sparse matrix with 64-bit indices, out of order, and a zero that is stored."""
    columns, starts = np.array([1, 0, 1], np.int64), np.array([0, 2, 3], np.int64)
    return scipy.sparse.csr_matrix((rows[:3, 0], columns, starts), (2, 2))


BAD_ROWS = [
    # (name, rows, error, what scikit-learn or we begin with, what tells place, value and fix)
    ("no rows",
     np.zeros((0, 3)), ValueError, "Found array with 0 sample(s) (shape=(0, 3)) while a minimum "
     "of 1 is required", "at least one sample"),
    ("no columns",
     np.zeros((3, 0)), ValueError, "Found array with 0 feature(s) (shape=(3, 0)) while a minimum "
     "of 1 is required", "at least one feature"),
    ("an empty list", [], ValueError, "Expected 2D array, got 1D array instead", "shape (0,)"),
    ("a list of an empty row",
     [[]], ValueError, "Found array with 0 feature(s) (shape=(1, 0))", "at least one feature"),
    ("an empty pandas frame",
     pd.DataFrame(), ValueError, "Found array with 0 sample(s)", "at least one sample"),
    ("an empty polars frame",
     pl.DataFrame(), ValueError, "Found array with 0 sample(s)", "at least one sample"),
    ("an empty Arrow table",
     pa.table({}), ValueError, "Found array with 0 sample(s)", "at least one sample"),
    ("a frame without rows",
     pd.DataFrame({"a": []}), ValueError, "Found array with 0 sample(s)", "at least one sample"),
    ("one dimension",
     np.zeros(4), ValueError, "Expected 2D array, got 1D array instead", "X.reshape(-1, 1)"),
    ("a pandas series",
     pd.Series([1, 2]), ValueError, "Expected 2D array, got 1D array instead", "(2,)"),
    ("a polars series",
     pl.Series([1, 2]), ValueError, "Expected 2D array, got 1D array instead", "(2,)"),
    ("an Arrow array",
     pa.array([1, 2]), ValueError, "Expected 2D array, got 1D array instead", "(2,)"),
    ("a scalar", 5.0, ValueError, "Expected 2D array, got scalar array instead", "float"),
    ("None", None, ValueError, "Expected 2D array, got scalar array instead", "NoneType"),
    ("a dict", {"a": [1, 2]}, ValueError, "Expected 2D array, got scalar array instead", "dict"),
    ("a generator",
     (row for row in X), ValueError, "Expected 2D array, got scalar array instead", "generator"),
    ("three dimensions", np.zeros((2, 2, 2)), ValueError, "Found array with dim 3", "reshape it"),
    ("NaN", with_entry(np.nan), ValueError, "Input X contains NaN.", "row 4, column 1"),
    ("NaN, float32",
     with_entry(np.nan, np.float32), ValueError, "Input X contains NaN.", "row 4, column 1"),
    ("NaN, float16",
     with_entry(np.nan, np.float16), ValueError, "Input X contains NaN.", "row 4, column 1"),
    ("NaN, big endian",
     with_entry(np.nan, ">f8"), ValueError, "Input X contains NaN.", "row 4, column 1"),
    ("NaN, Fortran order",
     with_entry(np.nan).T.copy().T, ValueError, "Input X contains NaN.", "row 4, column 1"),
    ("None among numbers",
     with_entry(None, object), ValueError, "Input X contains NaN.", "row 4, column 1"),
    ("None in a list", [[1, 2], [3, None]], ValueError, "Input X contains NaN.", "row 1, column 1"),
    ("nan as text", [[1, 2], [3, "nan"]], ValueError, "Input X contains NaN.", "row 1, column 1"),
    ("infinity",
     with_entry(np.inf), ValueError, "Input X contains infinity or a value too large for "
     "dtype('float64').", "row 4, column 1"),
    ("minus infinity, float32",
     with_entry(-np.inf, np.float32), ValueError, "Input X contains infinity or a value too large "
     "for dtype('float32').", "row 4, column 1"),
    ("beyond float64, long double",
     with_entry(np.longdouble("1e4000"), np.longdouble), ValueError, "Input X contains infinity "
     "or a value too large for dtype('float64').", "row 4, column 1"),
    ("beyond float64, integer",
     [[1, 2], [3, 10**400]], ValueError, "X holds 1000", "row 1, column 1"),
    ("complex", X + 0j, ValueError, "Complex data not supported", "complex128"),
    ("complex in a list",
     [[1, 2], [3, 4j]], ValueError, "Complex data not supported", "columns of their own"),
    ("datetime64", X.astype("M8[s]"), TypeError, "X has dtype datetime64[s]", "convert"),
    ("timedelta64", X.astype("m8[s]"), TypeError, "X has dtype timedelta64[s]", "convert"),
    ("dates", [[datetime.date(2020, 1, 1)]], TypeError, "X holds datetime.date", "row 0, column 0"),
    ("raw bytes", np.zeros((2, 2), "V4"), TypeError, "X has dtype |V4", "convert it to float64"),
    ("a real mask",
     np.ma.array(X, mask=np.isin(X, X[4, 1])), ValueError, "X has masked entries", "X[4, 1]"),
    ("numpy.matrix", np.asmatrix(X), TypeError, "np.matrix is not supported", "np.asarray"),
    ("sparse matrix",
     scipy.sparse.csr_matrix(X), TypeError, "X is sparse (csr_matrix)", "X.toarray()"),
    ("sparse matrix, 64-bit indices", with_wide_indices(X), TypeError,
     "X is sparse (csr_matrix)", "X.toarray()"),
    ("sparse array",
     scipy.sparse.coo_array(X), TypeError, "X is sparse (coo_array)", "X.toarray()"),
    ("text in a list", [[1, 2], [3, "x"]], ValueError, "X holds 'x'", "row 1, column 1"),
    ("text that is no number",
     [["1", "2"], ["3", "4,5"]], ValueError, "X holds '4,5'", "row 1, column 1"),
    ("text in an array", np.array([["a", "b"]]), ValueError, "X holds 'a'", "row 0, column 0"),
    ("an object", [[1, 2], [3, {"x": 1}]], TypeError, "X holds {'x': 1}", "row 1, column 1"),
    ("ragged rows",
     [[1, 2], [3, 4], [5]], ValueError, "Row 2 of X has 1 entries and row 0 has 2", "same number"),
    ("a row that is no row",
     [[1, 2], 3], ValueError, "Row 1 of X is a single value and row 0 has 2", "same number"),
    ("a row within a row", [[1, 2], [3, [4, 5]]], ValueError, "X holds [4, 5]", "row 1, column 1"),
    ("a path of another file", "rows.csv", ValueError, "X='rows.csv' is a path", "only .npy files"),
    ("a path of no file",
     "missing.npy", FileNotFoundError, "X='missing.npy' is not there", "a .npy file"),
]  # fmt: skip

BAD_TABLES = [
    ("NaN in pandas", pd.DataFrame({"a": [1, 2], "b": [1.5, np.nan]}), ValueError,
     "Input X contains NaN.", "row 1, column 1 ('b')"),
    ("NaN in one column", pd.DataFrame({"a": [1.5, np.nan]}), ValueError,
     "Input X contains NaN.", "row 1, column 0 ('a')"),
    ("missing in pandas, nullable",
     pd.DataFrame({"a": [1, 2], "b": pd.array([1, None], dtype="Int64")}), ValueError,
     "Input X contains NaN.", "Column 'b' has no value in row 1"),
    ("missing in pandas, Arrow",
     pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]")}), ValueError,
     "Input X contains NaN.", "Column 'a' has no value in row 1"),
    ("None in pandas", pd.DataFrame({"a": np.array([1, None], dtype=object)}), ValueError,
     "Input X contains NaN.", "row 1, column 0 ('a')"),
    ("missing in polars", pl.DataFrame({"a": [1, 2], "b": [1, None]}), ValueError,
     "Input X contains NaN.", "Column 'b' has no value in row 1"),
    ("NaN in polars", pl.DataFrame({"a": [1, 2], "b": [1.0, float("nan")]}), ValueError,
     "Input X contains NaN.", "row 1, column 1 ('b')"),
    ("missing in Arrow", pa.table({"a": [1, 2], "b": [1, None]}), ValueError,
     "Input X contains NaN.", "Column 'b' has no value in row 1"),
    ("a column of nothing", pa.table({"a": pa.nulls(2)}), ValueError,
     "Input X contains NaN.", "Column 'a' has no value in row 0"),
    ("infinity in Arrow", pa.table({"a": [1.0, float("inf")]}), ValueError,
     "Input X contains infinity", "row 1, column 0 ('a')"),
    ("text in pandas", pd.DataFrame({"a": [1, 2], "s": ["1", "x"]}), ValueError,
     "column 's' of X holds 'x'", "row 1"),
    ("text in polars", pl.DataFrame({"a": [1, 2], "s": ["1", "x"]}), ValueError,
     "column 's' of X holds 'x'", "row 1"),
    ("text in Arrow", pa.table({"a": [1, 2], "s": ["1", "x"]}), ValueError,
     "column 's' of X holds 'x'", "row 1"),
    ("lists in polars",
     pl.DataFrame({"s": [[1, 2], [3]]}), ValueError, "column 's' of X holds", "row 0"),
    ("times in pandas",
     pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2020", "2021"])}), TypeError,
     "column 't' of X has dtype datetime64", "convert"),
    ("times with a zone",
     pd.DataFrame({"t": pd.to_datetime(["2020", "2021"], utc=True)}), TypeError,
     "column 't' of X has dtype datetime64", "convert"),
    ("dates in polars", pl.DataFrame({"t": [datetime.date(2020, 1, 1)]}), TypeError,
     "column 't' of X has dtype datetime64", "convert"),
    ("durations in Arrow", pa.table({"t": pa.array([1], pa.duration("s"))}), TypeError,
     "column 't' of X has dtype timedelta64", "convert"),
    ("a sparse column", pd.DataFrame({"s": pd.arrays.SparseArray([0, 1])}), TypeError,
     "Column 's' of X is sparse", ".sparse.to_dense()"),
    ("a lazy query", pl.LazyFrame({"a": [1, 2]}), TypeError,
     "X is a query that has not run yet", "X.collect()"),
]  # fmt: skip

BAD_PARAMETERS = [
    ({"n_clusters": 0}, "n_clusters=0", "1 or more"),
    ({"n_clusters": -3}, "n_clusters=-3", "1 or more"),
    ({"n_clusters": 2.0}, "n_clusters=2.0", "integer"),
    ({"n_clusters": "2"}, "n_clusters='2'", "integer"),
    ({"n_clusters": True}, "n_clusters=True", "integer"),
    ({"n_clusters": np.True_}, "n_clusters=np.True_", "integer"),
    ({"n_clusters": None}, "n_clusters=None", "integer"),
    ({"n_clusters": 7}, "n_samples=6 should be >= n_clusters=7.", "fewer clusters"),
    ({"n_init": 0}, "n_init=0", "1 or more"),
    ({"n_init": "auto"}, "n_init='auto'", "integer"),
    ({"max_iter": 0}, "max_iter=0", "1 or more"),
    ({"max_iter": 1.5}, "max_iter=1.5", "integer"),
    ({"tol": -1e-3}, "tol=-0.001", "0 or more"),
    ({"tol": float("nan")}, "tol=nan", "0 or more"),
    ({"tol": "small"}, "tol='small'", "real number"),
    ({"tol": None}, "tol=None", "real number"),
    ({"init": "kmeans++"}, "init='kmeans++'", "'k-means++', 'k-means||', 'random'"),
    ({"init": 3}, "init=3", "'k-means++', 'k-means||', 'random'"),
    ({"init": None}, "init=None", "'k-means++', 'k-means||', 'random'"),
    ({"init": X[:3]}, "The shape of the initial centers (3, 2) does not match the number of "
     "clusters 2.", "one centroid for each"),
    ({"init": X[:2, :1]}, "The shape of the initial centers (2, 1) does not match the number of "
     "features of the data 2.", "every feature"),
    ({"init": [[0, 0], [0, np.nan]]}, "Input contains NaN", "init[1, 1]=nan"),
    ({"init": [[0, 0], [-np.inf, 0]]}, "Input contains infinity", "init[1, 0]=-inf"),
    ({"init": [[0, 0], ["a", 0]]}, "init holds 'a'", "row 1, column 0"),
    ({"init": [[0, 0], [1]]}, "Row 1 of init has 1 entries", "same number"),
    ({"init": [0, 1]}, "Expected 2D array, got 1D array instead: init", "shape (2,)"),
    ({"init": scipy.sparse.csr_array(X[:2])}, "init is sparse", "toarray()"),
    ({"init": lambda X, k, random_state: X[:3]}, "The shape of the initial centers (3, 2)", "3"),
    ({"init": lambda X, k, random_state: X[:2] * np.nan}, "Input contains NaN", "init[0, 0]"),
    ({"init": lambda X, k, random_state: None}, "Expected 2D array", "init"),
    ({"random_state": -1}, "random_state=-1", "2**32 - 1"),
    ({"random_state": 2**32}, "random_state=4294967296", "2**32 - 1"),
    ({"random_state": 1.5}, "random_state=1.5", "None, an integer"),
    ({"random_state": "seed"}, "random_state='seed'", "None, an integer"),
    ({"n_threads": 0}, "n_threads=0", "1 or more"),
    ({"n_threads": 1.0}, "n_threads=1.0", "integer"),
    ({"callback": 3}, "callback=3", "callable"),
    ({"sample_weight": [1, 2, 3]}, "sample_weight.shape == (3,), expected (6,)!", "each row"),
    ({"sample_weight": np.ones((6, 1))}, "Sample weights must be 1D array or scalar", "got 2D"),
    ({"sample_weight": [1, 1, -1, 1, -2, 1]}, "sample_weight=-1.0 at row 2 is negative", "give 0"),
    ({"sample_weight": -1}, "sample_weight=-1.0 at row 0 is negative", "give 0"),
    ({"sample_weight": [1, 1, np.nan, 1, 1, 1]}, "Input sample_weight contains NaN.", "row 2"),
    ({"sample_weight": [1, 1, 1, np.inf, 1, 1]}, "Input sample_weight contains infinity", "row 3"),
    ({"sample_weight": [0] * 6}, "Sample weights must contain at least one non-zero number.", ""),
    ({"sample_weight": 0}, "Sample weights must contain at least one non-zero number.", ""),
    ({"sample_weight": [1, 1, "x", 1, 1, 1]}, "sample_weight holds 'x'", "row 2"),
    ({"sample_weight": "heavy"}, "sample_weight holds 'heavy'", "row 0"),
    ({"sample_weight": np.ones(6) * 1j}, "Complex data not supported: sample_weight", "complex128"),
    ({"sample_weight": [[1, 2], 3]}, "Row 1 of sample_weight", "same number"),
    ({"sample_weight": np.ma.array(np.ones(6), mask=[0, 0, 1, 0, 0, 0])},
     "sample_weight has masked entries", "sample_weight[2]"),
]  # fmt: skip


every_bad_input = pytest.mark.parametrize(
    ("rows", "kind", "opening", "detail"),
    [pytest.param(*rest, id=name) for name, *rest in BAD_ROWS + BAD_TABLES],
)


def name_of(value):
    """Name the parameters of a case in its id."""
    if isinstance(value, dict):
        return ", ".join(f"{k}={reprlib.repr(v)}" for k, v in value.items())
    return ""


def assert_says(error, opening, detail):
    message = str(error.value)
    assert message.startswith(opening)
    assert detail in message
    assert "\n" not in message
    assert len(message) < 400


@every_bad_input
def test_rows(rows, kind, opening, detail):
    with pytest.raises(kind) as error:
        k_means(rows, 1)

    assert_says(error, opening, detail)


@pytest.mark.filterwarnings("ignore:X has feature names")
@every_bad_input
def test_rows_in_the_estimator(rows, kind, opening, detail):
    fitted = KMeans(1).fit(X)
    attempts = [KMeans(1).fit, fitted.predict, fitted.transform, fitted.score]

    for attempt in attempts if not hasattr(rows, "send") else attempts[:1]:
        with pytest.raises(kind) as error:
            attempt(rows)

        assert_says(error, opening, detail)


@every_bad_input
def test_rows_in_the_seeding(rows, kind, opening, detail):
    with pytest.raises(kind) as error:
        kmeans_plusplus(rows, 1)

    assert_says(error, opening, detail)


@pytest.mark.parametrize(("parameters", "opening", "detail"), BAD_PARAMETERS, ids=name_of)
def test_parameters(parameters, opening, detail):
    with pytest.raises((ValueError, TypeError)) as error:
        k_means(X, **{"n_clusters": 2} | parameters)

    assert_says(error, opening, detail)


@pytest.mark.parametrize(
    ("parameters", "opening", "detail"),
    [bad for bad in BAD_PARAMETERS if bad[0] != {"n_init": "auto"}],
)
def test_parameters_in_the_estimator(parameters, opening, detail):
    """The words are scikit-learn's where it checks first; the parameter is always named."""
    given = dict(parameters)
    weights = {"sample_weight": given.pop("sample_weight")} if "sample_weight" in given else {}

    with pytest.raises((ValueError, TypeError)) as error:
        KMeans(**{"n_clusters": 2, "n_init": 1} | given).fit(X, **weights)

    message = str(error.value)
    assert message.startswith(opening) or re.match(
        rf"The '{next(iter(given))}' parameter of KMeans must be ", message
    )


@pytest.mark.parametrize(
    ("parameters", "opening", "detail"),
    [
        ({"n_local_trials": 0}, "n_local_trials=0", "1 or more"),
        ({"n_local_trials": 1.5}, "n_local_trials=1.5", "integer"),
        ({"n_local_trials": 65536}, "n_local_trials=65536", "from 1 to 65535"),
        ({"n_local_trials": 10**30}, "n_local_trials=1", "from 1 to 65535"),
        ({"n_clusters": 7}, "n_samples=6 should be >= n_clusters=7.", "fewer clusters"),
        ({"x_squared_norms": np.ones(2)}, "The length of x_squared_norms 2 should be equal to the "
         "length of n_samples 6.", "each row"),
        ({"sample_weight": np.zeros(6)}, "Sample weights must contain at least one", "None"),
        ({"random_state": -1}, "random_state=-1", "2**32 - 1"),
    ],
)  # fmt: skip
def test_parameters_of_the_seeding(parameters, opening, detail):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are checked below
        kmeans_plusplus(X, **{"n_clusters": 2} | parameters)

    assert_says(error, opening, detail)


def test_the_first_bad_entry_in_reading_order_is_named():
    rows = X.copy()
    rows[5, 0] = np.nan
    rows[2, 1] = np.nan
    rows[3, 0] = np.inf

    for n_threads in (1, 2, 3):
        with pytest.raises(ValueError, match=r"NaN.*row 2, column 1;"):
            k_means(rows, 2, n_threads=n_threads)


def test_a_centroid_too_large_for_float32():
    with pytest.raises(ValueError, match=r"too large for dtype\('float32'\).*init\[0, 1\]=1e\+300"):
        k_means(X.astype(np.float32), 2, init=[[0, 1e300], [0, 0]])


def test_integers_that_float64_rounds():
    rows = np.array([[0, 1], [2**53 + 1, 2], [5, 2**60 + 1]])

    with pytest.warns(UserWarning, match=r"integer 9007199254740993 at row 1, column 0") as caught:
        k_means(rows, 1)

    assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**52 + 1])
def test_integers_that_float64_holds(value):
    assert k_means(np.array([[value]]), 1).centroids.tolist() == [[value]]


def test_too_many_runs_from_given_centroids():
    match = "Explicit initial center position passed: performing only one init in "
    with pytest.warns(RuntimeWarning, match=match + "k_means instead of n_init=3") as caught:
        k_means(X, 2, init=X[:2], n_init=3)
    assert caught[0].filename == __file__

    with pytest.warns(RuntimeWarning, match=match + "KMeans instead of n_init=3") as caught:
        KMeans(2, init=X[:2], n_init=3).fit(X)
    assert caught[0].filename == __file__


FEW = "Number of distinct clusters (2) found smaller than n_clusters (4). Possibly due to "


@pytest.mark.parametrize("init", ["k-means++", "random", [[0, 0], [0, 0], [5, 5], [5, 5]]])
def test_fewer_distinct_rows_than_clusters(init):
    rows = [[0, 0]] * 3 + [[5, 5]] * 3

    for run in (lambda: k_means(rows, 4, init=init), lambda: KMeans(4, init=init).fit(rows)):
        with pytest.warns(ConvergenceWarning, match=re.escape(FEW)) as caught:
            run()
        assert [w.filename for w in caught] == [__file__]


def test_not_fitted():
    for attempt in ("predict", "transform", "score"):
        with pytest.raises(ValueError, match="not fitted yet"):
            getattr(KMeans(), attempt)(X)
    with pytest.raises(ValueError, match="not fitted yet"):
        KMeans().save("never.model")


def test_another_number_of_features():
    fitted = KMeans(2, random_state=0).fit(X)

    for attempt in (fitted.predict, fitted.transform, fitted.score):
        with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 2 feat"):
            attempt(np.zeros((4, 3)))


def test_a_failed_fit_leaves_the_arrays_of_the_caller_alone():
    rows, weights, init = with_entry(np.nan), np.ones(6), X[:2].copy()
    copies = rows.copy(), weights.copy(), init.copy()

    with pytest.raises(ValueError, match="NaN"):
        k_means(rows, 2, sample_weight=weights, init=init)

    for array, copy in zip((rows, weights, init), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_an_error_in_a_callback_comes_through():
    class StopHereError(Exception):
        pass

    def stop(iteration):
        raise StopHereError(iteration.n_iter)

    with pytest.raises(StopHereError, match="1"):
        k_means(X, 2, callback=stop)


def test_every_name_is_public():
    assert {"KMeans", "k_means", "kmeans_plusplus"} <= set(truemeans.__all__)
