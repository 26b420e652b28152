"""Tables as files: what is wrong with one is one sentence, and what comes out is what went in."""

from __future__ import annotations

import io
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

from on_disk import IRIS, parquet, saved, written
from truemeans.tables import (
    FORMATS,
    check_writable,
    label_name,
    read_table,
    select,
)


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "is empty"),
            ("\n\n", "only blank lines"),
            ("a,b", "no rows below its column names"),
            ("a,b\n\n", "no rows below its column names"),
            ("a,b,a\n1,2,3\n", "columns 1 and 3 are both named 'a'"),
            ("a,b\n1,2\n3\n", "line 3 has 1 cell, and the first line has 2"),
            ("a,b\n\n1,2,3\n", "line 3 has 3 cells, and the first line has 2"),
            ("a,b\n1,2\n  \n", "line 3 has 1 cell, and"),
            ("a;b\n1;2\n", "first line has no ',' but has ';'"),
            ("a\tb\n1\t2\n", "read it with --input-format tsv"),
            ('a,b\n1,x\n2,"y\n3,z\n', "quote .* line 3 is never closed"),
            ('a,b,c\n1,2,5"\n2,3,"y\n3,4,z\n', "quote .* line 3 is never closed"),
            ('a,"b\n1,2\n3,4\n', "quote .* line 1 is never closed"),
            (b"a,b\n1,2\n3,caf\xe9\n", "line 3 holds the byte 0xe9, which is not UTF-8"),
            ("a,b\n1,2\n".encode("utf-16"), "line 1 holds the byte 0xff, which is not UTF-8"),
        ],
    )
    def test_csv(self, tmp_path, text, sentence):
        path = saved(tmp_path, "t.csv", text)
        with pytest.raises(ValueError, match=sentence) as caught:
            read_table(path)
        assert str(caught.value).startswith(str(path))

    @pytest.mark.parametrize("suffix", ["parquet", "feather", "arrow", "npy"])
    @pytest.mark.parametrize("content", [b"nonsense", b"PAR1", b"ARROW1", b"FEA1", b"\x93NUMPY"])
    def test_binary(self, tmp_path, suffix, content):
        with pytest.raises(ValueError, match=r"t\.\w+ cannot be read as a .* file \("):
            read_table(saved(tmp_path, f"t.{suffix}", content))

    @pytest.mark.parametrize("file_format", ["parquet", "feather", "npy"])
    def test_damage_is_an_error_or_harmless(self, tmp_path, file_format):
        rng = np.random.default_rng(5)
        columns = {"a": rng.normal(size=50), "t": ["text"] * 50}
        table = read_table(parquet(tmp_path, columns))
        if file_format == "npy":
            buffer = io.BytesIO()
            np.save(buffer, rng.normal(size=(50, 2)))
            good = buffer.getvalue()
        else:
            good = written(table, file_format)
        sentences = set()
        for _ in range(200):
            bad = bytearray(good)
            if rng.random() < 0.3:
                del bad[int(rng.integers(1, len(bad))) :]
            else:
                bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
            try:
                select(read_table(saved(tmp_path, f"bad.{file_format}", bytes(bad))))
            except ValueError as error:
                sentences.add(str(error))
        assert sentences
        assert not any("\n" in sentence for sentence in sentences)

    def test_no_such_file_or_folder(self, tmp_path):
        saved(tmp_path, "customers.csv", "a\n1\n")
        with pytest.raises(FileNotFoundError, match=r"did you mean .*customers\.csv\?"):
            read_table(tmp_path / "custommers.csv")
        with pytest.raises(FileNotFoundError, match=r"its folder .* does not exist either"):
            read_table(tmp_path / "no" / "t.csv")
        with pytest.raises(ValueError, match="is a folder"):
            read_table(tmp_path)

    def test_a_link_to_nothing(self, tmp_path):
        (tmp_path / "t.csv").symlink_to("gone.csv")
        with pytest.raises(FileNotFoundError, match=r"t.csv is a link to gone.csv, which does not"):
            read_table(tmp_path / "t.csv")

    def test_unknown_format(self, tmp_path):
        with pytest.raises(ValueError, match=r"the suffix '\.xlsx', .* --input-format"):
            read_table(saved(tmp_path, "t.xlsx", "a"))
        with pytest.raises(ValueError, match="has no suffix"):
            read_table(saved(tmp_path, "t", "a"))
        with pytest.raises(ValueError, match="format 'xlsx' is not known; choose one of csv,"):
            read_table(saved(tmp_path, "t", "a"), "xlsx")

    def test_duplicate_names_in_feather(self, tmp_path):
        data = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
        path = tmp_path / "t.feather"
        with pa.ipc.new_file(path, data.schema) as writer:
            writer.write_table(data)
        with pytest.raises(ValueError, match="columns 1 and 2 are both named 'a'"):
            read_table(path)


class TestWriting:
    TEXT = 'id,name,zip,v\n1,"Doe, ""J""",007,1.50\n2,,012,2e3\n3,"a\nb",100,-0\n'

    def test_csv_keeps_every_cell(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", self.TEXT))
        lines = self.TEXT.replace("name,zip,v\n", "name,zip,v,cluster\n")
        for i, cell in enumerate(("1.50", "2e3", "-0")):
            lines = lines.replace(f"{cell}\n", f"{cell},{i}\n")
        assert written(table, "csv").decode() == lines

    def test_csv_to_tsv_quotes_what_needs_it_there(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", 'a,b\n"x\ty","p,q"\n'))
        assert written(table, "tsv").decode() == 'a\tb\tcluster\n"x\ty"\tp,q\t0\n'

    @pytest.mark.parametrize("file_format", ["parquet", "feather"])
    def test_csv_gets_types(self, tmp_path, file_format):
        table = read_table(saved(tmp_path, "t.csv", self.TEXT))
        read = pq.read_table if file_format == "parquet" else feather.read_table
        data = read(pa.BufferReader(written(table, file_format)))
        assert data.to_pydict() == {
            "id": [1, 2, 3],
            "name": ['Doe, "J"', "", "a\nb"],
            "zip": ["007", "012", "100"],
            "v": [1.5, 2000.0, -0.0],
            "cluster": [0, 1, 2],
        }
        assert data.schema.field("cluster").type == pa.int32()

    def test_empty_columns_stay_text(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "a,b\n1,\n2,\n"))
        data = pq.read_table(pa.BufferReader(written(table, "parquet")))
        assert data["b"].to_pylist() == ["", ""]

    def test_parquet_keeps_types_and_left_out_columns(self, tmp_path):
        columns = pa.table(
            {
                "a": pa.array([1.5, None], pa.float32()),
                "l": pa.array([[1], []]),
                "t": pa.array([1, 2], pa.timestamp("us")),
                "d": pa.array(["x", "y"]).dictionary_encode(),
            }
        )
        data = pq.read_table(
            pa.BufferReader(written(read_table(parquet(tmp_path, columns)), "parquet"))
        )
        assert data.drop_columns("cluster").equals(columns)
        assert data.column_names[-1] == "cluster"

    def test_typed_columns_as_text(self, tmp_path):
        columns = {
            "f": pa.array([0.1, None], pa.float32()),
            "b": pa.array([True, False]),
            "t": pa.array(["x,y", None]),
        }
        table = read_table(parquet(tmp_path, columns))
        assert written(table, "csv").decode() == 'f,b,t,cluster\n0.1,true,"x,y",0\n,false,,1\n'

    def test_npy_gets_the_labels(self):
        labels = np.load(io.BytesIO(written(read_table(IRIS), "npy")), allow_pickle=False)
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, np.arange(150))

    def test_many_rows(self, tmp_path):
        n = 200_001
        data = pa.table({"a": np.arange(n) / 8, "t": pa.array(["a,b", "c"] * (n // 2) + ["d"])})
        table = read_table(parquet(tmp_path, data))
        again = pacsv.read_csv(pa.BufferReader(written(table, "csv")))
        assert again.equals(data.append_column("cluster", pa.array(range(n), pa.int64())))

    @given(
        st.lists(
            st.lists(st.text("ab,;\"'\n\t 1.é", max_size=5), min_size=2, max_size=2), min_size=1
        )
    )
    def test_any_text_survives(self, rows):
        import csv

        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([["p", "q"], *rows])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.getvalue().encode())))
            table = read_table("-")
        again = list(csv.reader(io.StringIO(written(table, "csv").decode(), newline="")))
        assert again == [["p", "q", "cluster"], *([*row, str(i)] for i, row in enumerate(rows))]

    def test_label_names(self, tmp_path):
        table = read_table(saved(tmp_path, "t.csv", "a,cluster,cluster_1\n1,2,3\n"))
        assert label_name(table) == "cluster_2"
        assert label_name(table, "group") == "group"
        assert label_name(read_table(IRIS)) == "cluster"
        with pytest.raises(ValueError, match="has a column 'a' already"):
            label_name(table, "a")

    def test_a_quote_within_a_cell_closes_nothing(self, tmp_path):
        text = 'a,b\n5",1\n"6""","multi\nline, ""quoted"""\n'
        table = read_table(saved(tmp_path, "t.csv", text))
        assert table.data.column("b").to_pylist() == ["1", 'multi\nline, "quoted"']

    @pytest.mark.parametrize("file_format", ["parquet", "feather"])
    def test_cells_that_a_number_would_not_stand_for_stay_text(self, tmp_path, file_format):
        columns = {
            "id": ["12345678901234567890123", "12345678901234567890124"],
            "mixed": ["1234567890123456", "1.5"],
            "zip": ["007", "1.5"],
            "words": ["nan", "inf"],
            "whole": ["1234567890123456789", "-5"],
            "real": ["1e5", "nan"],
        }
        text = "\n".join(map(",".join, [columns, *zip(*columns.values(), strict=True)]))
        table = read_table(saved(tmp_path, "t.csv", text))
        read = pq.read_table if file_format == "parquet" else feather.read_table
        found = read(pa.BufferReader(written(table, file_format)))
        kept = {name: found.column(name).to_pylist() for name in columns}
        assert {n: c for n, c in kept.items() if n not in ("whole", "real")} == {
            n: c for n, c in columns.items() if n not in ("whole", "real")
        }
        assert kept["whole"] == [1234567890123456789, -5]
        assert kept["real"][0] == 1e5

    def test_dictionaries_of_what_is_no_number(self, tmp_path):
        values = {"v": pa.array(["x", "y"], pa.string_view()), "l": pa.array([[1], [2]])}
        index = pa.array([0, 1, 0], pa.int32())
        columns = {n: pa.DictionaryArray.from_arrays(index, v) for n, v in values.items()}
        data = pa.table({"a": [1.0, 2.0, 30.0], **columns})
        with pa.ipc.new_file(tmp_path / "t.arrow", data.schema) as file:
            file.write_table(data)
        table = read_table(tmp_path / "t.arrow")
        chosen = select(table)
        assert chosen.names == ("a",)
        assert set(chosen.left_out) == {"v", "l"}
        check_writable(table, "feather")
        for file_format in ("csv", "parquet"):
            with pytest.raises(ValueError, match=f"which {file_format} cannot hold"):
                check_writable(table, file_format)

    def test_numbers_that_only_numpy_has(self, tmp_path):
        np.save(tmp_path / "t.npy", np.ones((3, 2), np.longdouble))
        table = read_table(tmp_path / "t.npy")
        check_writable(table, "npy")
        if np.dtype(np.longdouble).itemsize > 8:
            with pytest.raises(ValueError, match="'x1' has type float128, which csv cannot hold"):
                check_writable(table, "csv")

    def test_what_a_format_cannot_hold_is_known_before(self, tmp_path):
        columns = {"a": [1.0], "l": pa.array([[1]]), "b": pa.array([b"\xff"])}
        table = read_table(parquet(tmp_path, columns))
        with pytest.raises(
            ValueError, match=r"'l' has type list.*, which csv cannot hold; .* parquet"
        ):
            check_writable(table, "csv")
        for file_format in ("parquet", "feather", "npy"):
            check_writable(table, file_format)
        bytes_only = read_table(parquet(tmp_path, {"b": pa.array([b"\xff"])}))
        with pytest.raises(ValueError, match="'b' has type binary, which tsv cannot hold"):
            check_writable(bytes_only, "tsv")
        for file_format in FORMATS:
            check_writable(read_table(IRIS), file_format)
