"""Tables: columns by name, numbers as they stand, and one sentence for every cell that is none."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from on_disk import IRIS, parquet, saved, written
from truemeans.tables import (
    read_table,
    read_weights,
    select,
)


class TestReading:
    def test_bundled_example(self):
        table = read_table(IRIS)
        chosen = select(table)
        assert chosen.names == ("sepal_length", "sepal_width", "petal_length", "petal_width")
        assert chosen.left_out == {}
        assert chosen.X.dtype == np.float64
        np.testing.assert_array_equal(chosen.X, np.loadtxt(IRIS, delimiter=",", skiprows=1))

    @pytest.mark.parametrize("file_format", ["tsv", "parquet", "feather"])
    def test_every_format_holds_the_same_rows(self, tmp_path, file_format):
        table = read_table(IRIS)
        path = saved(tmp_path, f"iris.{file_format}", written(table, file_format))
        again = select(read_table(path), exclude=["cluster"])
        np.testing.assert_array_equal(again.X, select(table).X)

    @pytest.mark.parametrize("stream", [True, False])
    def test_arrow_files_and_streams(self, tmp_path, stream):
        data = pa.table({"a": [1.0, 2.0]})
        path = tmp_path / "t.arrow"
        opener = pa.ipc.new_stream if stream else pa.ipc.new_file
        with opener(path, data.schema) as writer:
            writer.write_table(data)
        assert select(read_table(path)).X.tolist() == [[1.0], [2.0]]

    def test_explicit_format_beats_the_suffix(self, tmp_path):
        path = saved(tmp_path, "t.csv", "a\tb\n1\t2\n")
        assert select(read_table(path, "tsv")).X.tolist() == [[1.0, 2.0]]

    def test_standard_input(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,2\n3,x\n")))
        table = read_table("-")
        assert select(table).X.tolist() == [[1.0], [3.0]]
        assert table.place("b", 2) == "standard input: column 'b', row 2 (line 3)"

    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    @pytest.mark.parametrize("last", [True, False])
    def test_line_endings_and_byte_order_mark(self, tmp_path, ending, mark, last):
        text = mark + ending.join(["a,b", "1,2", "3,4"]) + ending * last
        table = read_table(saved(tmp_path, "t.csv", text))
        assert table.names == ("a", "b")
        assert select(table).X.tolist() == [[1.0, 2.0], [3.0, 4.0]]

    def test_quotes_blank_lines_and_spaces(self, tmp_path):
        text = '\n"a, b",c\n\n1,"x\n""y"""\n 2 ,z\n'
        table = read_table(saved(tmp_path, "t.csv", text))
        assert table.names == ("a, b", "c")
        assert select(table).X.tolist() == [[1.0], [2.0]]
        assert table.data.column(1).to_pylist() == ['x\n"y"', "z"]
        assert [table.line_of(row) for row in (1, 2)] == [4, 6]

    def test_a_cell_may_be_a_document(self, tmp_path):
        text = "x" * 1_000_000
        table = read_table(saved(tmp_path, "t.csv", f"a,{text}\n1,{text}\n2,y\n3,\n"))
        assert table.names == ("a", text)
        assert select(table).X.tolist() == [[1.0], [2.0], [3.0]]
        assert table.line_of(3) == 4

    def test_a_line_too_long_to_read(self, tmp_path):
        path = saved(tmp_path, "t.csv", "a,b\n1," + "x" * (1 << 25) + "\n")
        with pytest.raises(ValueError, match=r"t\.csv cannot be read as text in columns"):
            read_table(path)

    def test_one_long_line(self, tmp_path):
        d = 200_000
        text = "\n".join(",".join(f"{name}{j}" for j in range(d)) for name in ("c", "1.2345"))
        table = read_table(saved(tmp_path, "t.csv", text))
        assert select(table, [f"c{d - 1}"]).X.tolist() == [[float(f"1.2345{d - 1}")]]


class TestHeader:
    def test_numbers_only_are_data(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "5.1,-3e2,.4\n1,2,3\n"))
        assert table.names == ("x1", "x2", "x3")
        assert select(table).X.tolist() == [[5.1, -300.0, 0.4], [1.0, 2.0, 3.0]]
        assert "named x1 to x3" in table.notes[0]

    def test_forced_either_way(self, tmp_path):
        path = saved(tmp_path, "t.csv", "2019,2020\n1,2\n")
        assert read_table(path, header=True).names == ("2019", "2020")
        assert read_table(path, header=True).notes == ()
        path = saved(tmp_path, "t.csv", "a,1\nb,2\n")
        table = read_table(path, header=False)
        assert table.n_rows == 2
        assert select(table).X.tolist() == [[1.0], [2.0]]
        assert select(table).left_out == {"x1": "'a' in row 1 is not a number"}

    def test_line_numbers_without_a_header(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "1,2\n3,\n"))
        with pytest.raises(ValueError, match=r"'x2', row 2 \(line 2\) is empty"):
            select(table)

    def test_a_numeric_name_is_pointed_out(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "5.1,setosa\n4.9,setosa\n"))
        assert "'5.1'" in table.notes[0]
        assert "--no-header" in table.notes[0]


class TestChoice:
    def test_all_numeric_columns_and_why_not_the_others(self, tmp_path):
        text = "a,name,b,none,\n1,x,0.5,,7\n2,y,1.5,NA,8\n"
        chosen = select(read_table(saved(tmp_path, "t.csv", text)))
        assert chosen.names == ("a", "b")
        assert chosen.X.tolist() == [[1.0, 0.5], [2.0, 1.5]]
        assert chosen.left_out == {
            "name": "'x' in row 1 is not a number",
            "none": "it is empty",
            "": "it has no name",
        }

    def test_order_and_exclusion(self):
        table = read_table(IRIS)
        chosen = select(table, ["petal_width", "sepal_length"])
        np.testing.assert_array_equal(chosen.X, select(table).X[:, [3, 0]])
        assert chosen.left_out == {"sepal_width": "not chosen", "petal_length": "not chosen"}
        chosen = select(table, exclude=["petal_width"], weights="petal_length")
        assert chosen.names == ("sepal_length", "sepal_width")
        assert chosen.left_out == {"petal_length": "used as weights", "petal_width": "excluded"}

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"columns": ["sepal_lenght"]}, "--columns: .* did you mean 'sepal_length'?"),
            ({"columns": ["zzz"]}, "--columns: .* the columns are sepal_length, "),
            ({"exclude": ["petal"]}, "--exclude: .* did you mean 'petal_"),
            ({"weights": "w"}, "--weights: .* has no column 'w'"),
            ({"columns": ["sepal_width", "sepal_width"]}, "'sepal_width' twice; name it once"),
            (
                {"columns": ["sepal_width"], "exclude": ["sepal_width"]},
                r"no column left to cluster \('sepal_width': excluded\)",
            ),
        ],
    )
    def test_impossible_choices(self, options, sentence):
        with pytest.raises(ValueError, match=sentence):
            select(read_table(IRIS), **options)

    def test_types_of_parquet(self, tmp_path):
        columns = {
            "whole": pa.array([1, 2], pa.uint8()),
            "decimal": pa.array([1, 2], pa.decimal128(5, 2)),
            "dictionary": pa.array([0.5, 0.25]).dictionary_encode(),
            "flag": pa.array([True, False]),
            "text": pa.array(["1", "2"]),
            "time": pa.array([1, 2], pa.timestamp("ms")),
            "nothing": pa.nulls(2),
            "list": pa.array([[1], [2]]),
        }
        table = read_table(parquet(tmp_path, columns))
        chosen = select(table)
        assert chosen.names == ("whole", "decimal", "dictionary")
        assert chosen.X.tolist() == [[1.0, 1.0, 0.5], [2.0, 2.0, 0.25]]
        assert chosen.left_out["text"] == "its type is string"
        assert chosen.left_out["nothing"] == "it is empty"
        assert set(chosen.left_out) == {"flag", "text", "time", "nothing", "list"}
        with pytest.raises(ValueError, match=r"column 'flag' .* its type is bool"):
            select(table, ["flag"])

    @pytest.mark.parametrize(
        ("types", "dtype"),
        [
            (("float", "float"), np.float32),
            (("float", "halffloat"), np.float32),
            (("float", "double"), np.float64),
            (("float", "int8"), np.float64),
        ],
    )
    def test_single_precision_stays(self, tmp_path, types, dtype):
        columns = {f"c{i}": pa.array([0.0, 1.0]).cast(kind) for i, kind in enumerate(types)}
        X = select(read_table(parquet(tmp_path, columns))).X
        assert X.dtype == dtype
        assert X.tolist() == [[0.0, 0.0], [1.0, 1.0]]

    def test_index_of_a_pandas_table_is_no_feature(self, tmp_path):
        path = tmp_path / "t.parquet"
        pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index([7, 8], name="id")).to_parquet(path)
        table = read_table(path)
        assert select(table).left_out == {"id": "the index of a pandas table"}
        assert select(table, ["id"]).X.tolist() == [[7.0], [8.0]]

    def test_weights(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "a,w,bad,zero,t\n1,2,1,0,x\n2,0,-3,0,y\n"))
        assert read_weights(table, "w").tolist() == [2.0, 0.0]
        with pytest.raises(ValueError, match=r"'bad', row 2 \(line 3\) holds -3, .* negative"):
            read_weights(table, "bad")
        with pytest.raises(ValueError, match="'zero' holds only zeros"):
            read_weights(table, "zero")
        with pytest.raises(ValueError, match=r"'t', row 1 \(line 2\) holds 'x'"):
            read_weights(table, "t")


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "sentence"),
        [
            ("", "is empty, and every cell must hold a number"),
            ("  ", "is empty"),
            (" NA", "holds ' NA'"),
            ("null", "holds 'null'"),
            ("nan", "holds 'nan'"),
            ("-inf", "holds '-inf'"),
            ("1e999", "holds '1e999'"),
        ],
    )
    def test_no_finite_number(self, tmp_path, cell, sentence):
        table = read_table(saved(tmp_path, "t.csv", f"a,b c\n1,2\n3,{cell}\n"))
        with pytest.raises(ValueError, match=sentence) as caught:
            select(table)
        message = str(caught.value)
        assert "column 'b c', row 2 (line 3)" in message
        assert message.endswith("or leave the column out with --exclude 'b c'")

    @pytest.mark.parametrize("cell", ["x", "1,5", "1_000", "0x1p3", "٣"])
    def test_text(self, tmp_path, cell):
        table = read_table(saved(tmp_path, "t.csv", f'a,b\n1,2\n\n3,"{cell}"\n4,y\n'))
        with pytest.raises(ValueError, match=rf"'b', row 2 \(line 4\) holds '{cell}'"):
            select(table, ["a", "b"])

    @given(
        st.integers(1, 300).flatmap(
            lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n), min_size=1, max_size=5))
        )
    )
    def test_first_text_of_a_column_is_found(self, case):
        n, bad = case
        cells = ["?" if i % 7 == 3 else str(i) for i in range(1, n + 1)]
        for row in bad:
            cells[row - 1] = "word"
        stdin = io.TextIOWrapper(
            io.BytesIO("\n".join(["a,b", *(f"1,{c}" for c in cells)]).encode())
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", stdin)
            table = read_table("-")
        assert select(table).left_out == {"b": f"'word' in row {min(bad)} is not a number"}

    @pytest.mark.parametrize("value", [None, np.nan, np.inf])
    def test_typed_columns(self, tmp_path, value):
        table = read_table(parquet(tmp_path, {"a": pa.array([1.0, value])}))
        with pytest.raises(ValueError, match=r"'a', row 2 (is empty|holds nan|holds inf)"):
            select(table)

    def test_too_large_for_the_type_asked_for(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "a\n1\n1e300\n"))
        with pytest.raises(ValueError, match="'1e300', and every cell must hold a finite float32"):
            select(table, dtype=np.float32)

    def test_a_column_of_nan_is_as_empty_as_one_of_na(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "a,b,c\nnan,NA,1\nNaN,NA,2\n"))
        assert select(table).left_out == {"a": "it is empty", "b": "it is empty"}


class TestNpy:
    def npy(self, folder: Path, array: np.ndarray) -> Path:
        path = folder / "t.npy"
        np.save(path, array)
        return path

    @pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", ">f8", "i1", "<u8", ">i4"])
    def test_types(self, tmp_path, dtype):
        array = np.arange(6).reshape(3, 2).astype(dtype)
        table = read_table(self.npy(tmp_path, np.asfortranarray(array)))
        X = select(table).X
        assert X.dtype == (np.float32 if dtype[-2:] in ("f2", "f4") else np.float64)
        assert X.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
        assert written(table, "csv").splitlines()[1] == b"0,1,0"

    @pytest.mark.parametrize(
        ("array", "sentence"),
        [
            (np.arange(3.0), "shape .3,., .* two dimensions"),
            (np.zeros((2, 2), complex), "complex128, and k-means needs real numbers"),
            (np.array([["a"]]), "<U1, and k-means needs real numbers"),
            (np.zeros((2, 2), bool), "bool, and k-means needs real numbers"),
            (np.zeros((0, 2)), "has no rows"),
            (np.zeros((2, 0)), "has no columns"),
            (np.array([[1, object()]], dtype=object), "allow_pickle=False"),
        ],
    )
    def test_refused(self, tmp_path, array, sentence):
        with pytest.raises(ValueError, match=sentence):
            read_table(self.npy(tmp_path, array))

    def test_missing_value(self, tmp_path):
        table = read_table(self.npy(tmp_path, np.array([[1.0, 2.0], [3.0, np.nan]])))
        with pytest.raises(ValueError, match="column 'x2', row 2 holds nan"):
            select(table)
