"""Damaged and made-up input: the right answer or one clear error, never anything else.

What once came out wrong is kept as an ``example``. More examples than in every run:
``pytest tests/test_fuzz.py --hypothesis-profile=explore``.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyarrow import feather, ipc

import truemeans
from truemeans import KMeans, k_means, kmeans_plusplus, model_file
from truemeans.model import Model
from truemeans.tables import read_table, select

TABLE = pa.table(
    {
        "a": pa.array([1.0, 2.5, -3.0, None]),
        "name": pa.array(["x", "", "zürich", "x"]),
        "n": pa.array([1, 2, 3, 2**40], pa.int64()),
        "kind": pa.array(["p", "q", "p", "p"]).dictionary_encode(),
        "t": pa.array([0, 1, 2, 3], pa.timestamp("ms")),
        "l": pa.array([[1], [], None, [2, 3]]),
    }
)


def _files() -> dict[str, bytes]:
    """A small good file of every format."""
    found = {"csv": b'a,b\n1,2\n3,4.5\n-6e-1,"7"\n', "tsv": b"a\tb\n1\t2\n3\t4\n"}
    for name, compression in (("parquet", "snappy"), ("plain.parquet", "none")):
        out = io.BytesIO()
        pq.write_table(TABLE, out, compression=compression)
        found[name] = out.getvalue()
    out = io.BytesIO()
    feather.write_feather(TABLE, out, compression="uncompressed")
    found["feather"] = out.getvalue()
    out = io.BytesIO()
    with ipc.new_stream(out, TABLE.schema) as stream:
        stream.write_table(TABLE)
    found["arrow"] = out.getvalue()
    for name, array in {
        "npy": np.arange(12.0).reshape(4, 3),
        "fortran.npy": np.asfortranarray(np.arange(12, dtype=">f4").reshape(4, 3)),
    }.items():
        out = io.BytesIO()
        np.save(out, array)
        found[name] = out.getvalue()
    return found


FILES = _files()
FORMAT = {name: name.rpartition(".")[2].replace("arrow", "feather") for name in FILES}


@st.composite
def damaged(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, bytes]:
    """One of the good files with some of its bytes changed, cut out, doubled or put in."""
    name = draw(st.sampled_from(names))
    content = bytearray(FILES[name])
    for _ in range(draw(st.integers(1, 3))):
        # Headers and footers are where the lengths and offsets are.
        near = st.integers(0, min(200, len(content)))
        at = draw(st.one_of(near, near.map(lambda i: len(content) - i)))
        new = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(
                    [b"\xff" * 4, b"\xff" * 8, bytes(8), struct.pack("<q", 2**40), b"(9**9,)"]
                ),
            )
        )
        content[at : at + draw(st.sampled_from([0, len(new), 20, 10**6]))] = new
    return name, bytes(content)


def read(name: str, content: bytes) -> None:
    """Read a file; all that may come out is a table that can be used, or one sentence."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"x.{FORMAT[name]}"
        path.write_bytes(content)
        try:
            table = read_table(path, FORMAT[name])
            matrix = select(table).X
        except (ValueError, OSError) as error:
            sentence = str(error)
            assert "\n" not in sentence
            assert sentence.startswith((str(path), "x.", "column")) or str(path) in sentence
        else:
            assert matrix.shape[0] == table.n_rows > 0
            assert np.isfinite(matrix).all()


@given(damaged(tuple(FILES)))
def test_damaged_tables(case):
    read(*case)


@given(st.text("ab,;\t\"'\n\r 1.e-+é\x00\ufeff", max_size=60), st.sampled_from(["csv", "tsv"]))
def test_any_text_as_a_table(text, kind):
    read(kind, text.encode())


# A header whose brackets do not match ended in a tokenize.TokenError.
@example(("npy", FILES["npy"].replace(b"': False, 'shape': (", b"")))
@given(damaged(("npy", "fortran.npy")))
def test_damaged_npy_files_read_in_place(case):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        path.write_bytes(case[1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = k_means(path, 2, random_state=0)
            except (ValueError, TypeError) as error:
                assert "\n" not in str(error)
            else:
                assert np.isfinite(result.centroids).all()


# The checksum stops damage, so a hostile header comes with the right one.
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
GOOD = Model(
    centroids=np.arange(6.0).reshape(3, 2),
    inertia=0.5,
    n_iter=3,
    feature_names=("a", "b"),
    params={"n_clusters": 3, "init": "random", "tol": 1e-4},
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["format_version", "library_version", "n_clusters", "n_features", "dtype",
             "feature_names", "inertia", "n_iter", "converged", "params", "more"]
        ),
        VALUES,
        max_size=3,
    ),
    st.dictionaries(
        st.sampled_from(["n_clusters", "init", "n_init", "tol", "random_state", "copy_x"]),
        VALUES,
        max_size=2,
    ),
    st.dictionaries(
        st.sampled_from(["centroids", "offset", "scale", "sizes", "more"]),
        hnp.arrays(
            st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1"]),
            hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
        ),
        max_size=2,
    ),
)  # fmt: skip
def test_hostile_models_with_the_right_checksum(changes, params, arrays):
    from safetensors.numpy import save

    content = model_file.to_bytes(GOOD)
    length = int.from_bytes(content[:8], "little")
    about = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["truemeans"])
    about = {**about, "params": {**about["params"], **params}, **changes}
    del about["sha256"]
    held = {"centroids": GOOD.centroids, **arrays}
    with contextlib.suppress(ValueError):  # not a number has no place in JSON
        about["sha256"] = model_file._digest(about, held)
    bad = save(held, metadata={"truemeans": json.dumps(about)})
    try:
        model = model_file.from_bytes(bad, "x.truemeans")
    except ValueError as error:
        assert str(error).startswith("x.truemeans is not a model that truemeans can read: ")
        assert "\n" not in str(error)
        return
    estimator = model_file.to_estimator(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the rows have no names, and the model may have some
        labels = estimator.predict(np.zeros((3, model.n_features)))
    assert ((labels >= 0) & (labels < model.n_clusters)).all()


NUMBERS = hnp.arrays(
    st.one_of(
        hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(),
        st.sampled_from(["|b1", "|O", "<c16", "<M8[s]", "<m8[s]", "<U3"]),
    ),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
)  # fmt: skip
ANYTHING = st.one_of(
    NUMBERS,
    st.lists(st.lists(st.floats(width=32), max_size=3), max_size=4),
    VALUES,
)
FINITE = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements={"allow_nan": False, "allow_infinity": False},
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "sample_weight": ANYTHING,
        "init": st.one_of(ANYTHING, st.sampled_from(["random", "k-means++"])),
        "n_init": st.one_of(st.integers(-1, 3), VALUES),
        "max_iter": st.one_of(st.integers(-1, 3), VALUES),
        "tol": VALUES,
        "random_state": st.one_of(st.integers(0, 9), VALUES),
        "n_threads": st.one_of(st.integers(-1, 3), st.floats()),
    },
)


def answer(call, X, **options):
    """What a call returns, or None when it raised what a user may see."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(X, **options)
        except (ValueError, TypeError) as error:
            assert "internal" not in str(error)
            assert str(error)
        except FileNotFoundError:
            assert isinstance(X, str)
    return None


@given(st.one_of(FINITE, ANYTHING), st.one_of(st.integers(-1, 5), VALUES), OPTIONS)
def test_any_arguments_of_k_means(X, n_clusters, options):
    result = answer(k_means, X, n_clusters=n_clusters, **options)
    if result is not None:
        assert result.centroids.shape == (n_clusters, np.asarray(X).shape[1])
        assert np.isfinite(result.centroids).all()
        assert result.labels.min() >= 0
        assert result.labels.max() < n_clusters


@given(st.one_of(FINITE, ANYTHING), st.integers(-1, 5), st.one_of(FINITE, ANYTHING), OPTIONS)
def test_any_arguments_of_the_estimator(X, n_clusters, asked, options):
    weight = {"sample_weight": options.pop("sample_weight")} if "sample_weight" in options else {}
    model = KMeans(n_clusters, **options)
    if answer(model.fit, X, **weight) is None:
        return
    for call in (model.predict, model.transform, model.score):
        answer(call, asked)
    labels = answer(model.predict, X)
    assert labels.tobytes() == model.labels_.tobytes()


@given(st.one_of(FINITE, ANYTHING), st.one_of(st.integers(-1, 5), VALUES), st.integers(-1, 3))
def test_any_arguments_of_seeding(X, n_clusters, n_local_trials):
    found = answer(
        kmeans_plusplus, X, n_clusters=n_clusters, n_local_trials=n_local_trials, random_state=0
    )
    if found is not None:
        centers, rows = found
        assert len(rows) == n_clusters
        assert np.array_equal(np.asarray(X)[rows].astype(centers.dtype), centers)


def test_what_is_fuzzed_is_good_before():
    for name in FILES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"x.{FORMAT[name]}"
            path.write_bytes(FILES[name])
            assert read_table(path, FORMAT[name]).n_rows >= 2
    assert model_file.from_bytes(model_file.to_bytes(GOOD)).n_clusters == 3
    assert truemeans.k_means([[0.0], [1.0]], 2, random_state=0).inertia == 0
