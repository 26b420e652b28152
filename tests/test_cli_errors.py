"""The command line: bad input is one sentence and leaves nothing behind; help is quick."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import truemeans
from commands import IRIS, enter, typed


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def tm(capsys):
    return typed(capsys)


class TestBadInput:
    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("fit no.csv -k 3", "no.csv does not exist; check the path"),
            ("fit . -k 3", ". is a folder"),
            ("fit t.xlsx -k 3", "t.xlsx does not exist"),
            ("fit IRIS -k 0", "-k is 0, and must be at least 1"),
            ("fit IRIS -k -4", "-k is -4, and must be at least 1"),
            (
                "fit IRIS -k 151",
                r"-k 151: .*iris.csv has 150 rows, .* ask for 150 clusters at most",
            ),
            ("fit IRIS -k -1" + 400 * "0", "-k is -10+, and must be at least 1"),
            ("fit gap.csv -k 2 --columns a --weights b", "choose another column of weights"),
            ("fit IRIS -k three", "Invalid value for .*-k"),
            ("fit IRIS", "Missing option .*-k.*; see truemeans fit --help"),
            ("fit", "Missing argument 'FILE'; see truemeans fit --help"),
            ("fit IRIS -k 3 --sed 1", "No such option: --sed"),
            (
                "fit IRIS -k 3 --init best",
                "'best' is not one of 'auto', 'k-means\\+\\+', 'k-means\\|\\|', 'random'",
            ),
            ("fit IRIS -k 3 --format xlsx", "'xlsx' is not one of 'csv', 'tsv'"),
            ("fit IRIS -k 3 --seed -1", "--seed is -1, and must be at least 0"),
            ("fit IRIS -k 3 --seed 4294967296", "--seed is 4294967296, and must be at most"),
            ("fit IRIS -k 3 --tol -1", "--tol is -1"),
            ("fit IRIS -k 3 --tol nan", "--tol is nan"),
            ("fit IRIS -k 3 --tol inf", "--tol is inf, and must be at least 0 and finite"),
            ("fit IRIS -k 3 --n-init 0", "--n-init is 0"),
            ("fit IRIS -k 3 --max-iter 0", "--max-iter is 0"),
            ("fit IRIS -k 3 --threads 0", "--threads is 0"),
            ("fit IRIS -k 3 --columns petal", "--columns: .* has no column 'petal'"),
            ("fit IRIS -k 3 --exclude petal", "--exclude: .* has no column 'petal'"),
            ("fit IRIS -k 3 --weights petal", "--weights: .* has no column 'petal'"),
            ("fit text.csv -k 2 --columns a,b", r"'b', row 2 \(line 3\) holds 'x'"),
            ("fit gap.csv -k 2", r"'b', row 1 \(line 2\) is empty"),
            ("fit IRIS -k 3 -o no/x.csv", "no/x.csv cannot be written because its folder"),
            ("fit IRIS -k 3 -o .", "is a folder"),
            ("fit IRIS -k 3 -o /dev/null -f", "is not a regular file"),
            ("fit IRIS -k 3 -m IRIS -f", "is the table itself, which is kept"),
            ("fit IRIS -k 3 -o x -m ./x", "--model and --output are both x"),
            ("fit IRIS -k 3 -o - --json", "--json and --output - both write to standard output"),
            ("fit IRIS -k 3 --label-column sepal_width", "has a column 'sepal_width' already"),
            ("predict no IRIS", "no does not exist"),
            ("predict IRIS IRIS", "iris.csv is not a model that truemeans can read"),
            ("info IRIS", "iris.csv is not a model that truemeans can read"),
            ("info .", "is a folder"),
            ("cluster IRIS", "No such command 'cluster'"),
        ],
    )
    def test_one_sentence_and_nothing_written(self, tm, folder, line, sentence):
        Path("text.csv").write_text("a,b\n1,2\n3,x\n")
        Path("gap.csv").write_text("a,b\n1,\n3,4\n")
        code, out, err = tm(*line.replace("IRIS", str(IRIS)).split())
        assert (code, out) == (2, "")
        assert re.search(sentence, err)
        assert err.startswith("truemeans: ")
        assert err.count("\n") == 1
        assert sorted(os.listdir(folder)) == ["gap.csv", "text.csv"]

    def test_a_name_of_two_lines(self, tm):
        code, _, err = tm("fit", IRIS, "-k", 3, "--columns", "a\nb")
        assert code == 2
        assert "holds a line break outside quotes" in err

    def test_cells_that_no_model_labels(self, tm):
        Path("t.csv").write_text("a,b\n0,1\n1e-300,2\n2e-300,3\n3e-300,9\n")
        assert tm("fit", "t.csv", "-k", 2, "--standardize", "-m", "m", "-q")[0] == 0
        Path("far.csv").write_text("a,b\n0,1\n1e100,1\n")
        code, _, err = tm("predict", "m", "far.csv")
        assert code == 2
        assert "column 'a', row 2 (line 3) holds 1e+100, and standardised like the rows" in err
        Path("gap.csv").write_text("a,b\n0,1\n,1\n")
        code, _, err = tm("predict", "m", "gap.csv")
        assert code == 2
        assert err.endswith("fill it in or delete the row\n")

    def test_values_beyond_float64_when_squared(self, tm, folder):
        Path("t.csv").write_text("a\n1e200\n-1e200\n5\n")
        code, out, err = tm("fit", "t.csv", "-k", 1)
        assert (code, out) == (2, "")
        assert err.startswith("truemeans: the inertia is beyond the range of float64")
        assert err.count("\n") == 1
        assert os.listdir(folder) == ["t.csv"]
        assert tm("fit", "t.csv", "-k", 3, "--standardize")[0] == 0


class TestHelp:
    def test_help_and_version(self, tm):
        code, out, _ = tm("--version")
        assert (code, out) == (0, f"truemeans {truemeans.__version__}\n")
        for arguments in ([], ["--help"], ["-h"]):
            code, out, err = tm(*arguments)
            assert (code, err) == (0, "")
            assert all(command in out for command in ("fit", "predict", "info"))
        code, out, _ = tm("fit", "--help")
        assert code == 0
        assert "--standardize" in out

    def test_help_loads_little(self):
        code = (
            "import sys\nfrom truemeans.cli import main\ncode = main(['fit', '--help'])\n"
            "heavy = {'pyarrow', 'sklearn', 'scipy', 'pandas', 'safetensors'} & set(sys.modules)\n"
            "assert not heavy, heavy\nsys.exit(code)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
