"""The command line, as a user types it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import truemeans
from truemeans import model_file
from truemeans.cli import main

IRIS = Path(__file__).parents[1] / "examples" / "data" / "iris.csv"
COMMAND = [sys.executable, "-m", "truemeans.cli"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run every test in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


@pytest.fixture
def tm(capsys):
    """Run a command line in this process; return its exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def rows() -> np.ndarray:
    return np.loadtxt(IRIS, delimiter=",", skiprows=1)


def labels_in(path: str, column: str = "cluster") -> list[int]:
    return pacsv.read_csv(path).column(column).to_pylist()


class TestFit:
    def test_bundled_example(self, tm, folder):
        code, out, err = tm("fit", IRIS, "-k", 3)
        assert (code, err) == (0, "")
        assert sorted(os.listdir(folder)) == ["iris.labelled.csv", "iris.truemeans"]
        expected = truemeans.k_means(rows(), 3, random_state=0)
        assert labels_in("iris.labelled.csv") == expected.labels.tolist()
        lines = Path("iris.labelled.csv").read_text().splitlines()
        originals = IRIS.read_text().splitlines()
        assert [line.rpartition(",")[0] for line in lines] == originals
        for words in (
            "150 rows, 4 columns",
            "sepal_length, sepal_width, petal_length, petal_width",
            str(expected.plan),
            f"converged after {expected.n_iter} iterations (k-means++, seed 0)",
            f"{expected.inertia:.10g}",
            "iris.labelled.csv",
            "iris.truemeans",
        ):
            assert words in out
        for size in expected.sizes:
            assert re.search(rf"\b{size} +{size / 1.5:.1f} %", out)

    def test_next_commands_can_be_pasted(self, tm):
        _, out, _ = tm("fit", IRIS, "-k", 3)
        commands = [line[11:] for line in out[out.index("Next") :].splitlines()]
        assert len(commands) == 3
        for command in commands:
            program, *rest = shlex.split(command)
            assert program in ("truemeans", "python")
            call = [*COMMAND, *rest] if program == "truemeans" else [sys.executable, *rest]
            done = subprocess.run(call, capture_output=True, text=True, check=True)
            assert done.stderr == ""
            assert done.stdout
        assert labels_in("iris.predicted.csv") == labels_in("iris.labelled.csv")

    def test_same_command_same_files(self, tm):
        contents = []
        for threads in (1, 3):
            assert tm("fit", IRIS, "-k", 4, "--force", "--threads", threads)[0] == 0
            files = ("iris.labelled.csv", "iris.truemeans")
            contents.append([Path(name).read_bytes() for name in files])
        assert contents[0] == contents[1]

    def test_options_reach_the_library(self, tm):
        options = ["--seed", 5, "--init", "random", "--n-init", 4, "--max-iter", 2, "--tol", 0.5]
        code, out, _ = tm("fit", IRIS, "-k", 6, "--json", *options)
        assert code == 0
        said = json.loads(out)
        expected = truemeans.k_means(
            rows(), 6, init="random", n_init=4, max_iter=2, tol=0.5, random_state=5
        )
        assert said["inertia"] == expected.inertia
        assert said["n_iter"] == expected.n_iter
        assert said["converged"] == expected.converged
        assert said["sizes"] == expected.sizes.tolist()
        assert said["centroids"] == expected.centroids.tolist()
        assert said["history"]["inertia"] == expected.history.inertia.tolist()
        assert said["history"]["n_changed"] == expected.history.n_changed.tolist()
        assert said["plan"]["engine"] == expected.plan.engine
        model = model_file.read("iris.truemeans")
        assert dict(model.params) == said["params"]
        assert said["params"]["random_state"] == 5

    def test_columns(self, tm):
        _, out, _ = tm("fit", IRIS, "-k", 2, "--columns", "petal_width, sepal_width")
        assert model_file.read("iris.truemeans").feature_names == ("petal_width", "sepal_width")
        assert "sepal_length (not chosen); petal_length (not chosen)" in out
        expected = truemeans.k_means(rows()[:, [3, 1]], 2, random_state=0)
        assert labels_in("iris.labelled.csv") == expected.labels.tolist()

    def test_left_out_columns_are_said_and_kept(self, tm):
        Path("t.csv").write_text('name,a,"b,c"\nx,1,2\ny,3,4\nz,8,9\n')
        code, out, _ = tm("fit", "t.csv", "-k", 2, "--exclude", '"b,c"')
        assert code == 0
        assert "name ('x' in row 1 is not a number); b,c (excluded)" in out
        lines = Path("t.labelled.csv").read_text().splitlines()
        assert lines[0] == 'name,a,"b,c",cluster'
        assert [line[:-2] for line in lines[1:]] == ["x,1,2", "y,3,4", "z,8,9"]

    def test_weights(self, tm):
        Path("t.csv").write_text("a,w\n0,3\n1,1\n10,0\n")
        _, out, _ = tm("fit", "t.csv", "-k", 1, "--weights", "w", "--json")
        said = json.loads(out)
        assert said["centroids"] == [[0.25]]
        assert said["left_out"] == {"w": "used as weights"}

    @pytest.mark.parametrize("dtype", ["float", "double"])
    def test_standardize(self, tm, dtype):
        X = np.column_stack([rows() * [1, 1000, 1, 0.001], np.full(150, 7.0)])
        names = ["a", "b", "c", "d", "same"]
        data = pa.table({n: pa.array(X[:, j]).cast(dtype) for j, n in enumerate(names)})
        pq.write_table(data, "t.parquet")
        code, out, _ = tm("fit", "t.parquet", "-k", 3, "--standardize", "--json")
        assert code == 0
        said = json.loads(out)
        assert said["dtype"] == {"float": "float32", "double": "float64"}[dtype]
        assert said["standardize"]["scale"][-1] == 1.0
        labels = pq.read_table("t.labelled.parquet")["cluster"].to_numpy()
        X = np.column_stack(data.columns)
        means = [X[labels == j].mean(axis=0) for j in range(3)]
        np.testing.assert_allclose(said["centroids"], means, rtol=1e-5)
        assert truemeans.load("t.truemeans").predict(X).tobytes() == labels.tobytes()
        assert tm("predict", "t.truemeans", "t.parquet", "-o", "p.parquet")[0] == 0
        assert pq.read_table("p.parquet")["cluster"].equals(
            pq.read_table("t.labelled.parquet")["cluster"]
        )

    def test_notes(self, tm):
        Path("t.csv").write_text("1,5,0\n2,5,90\n3,7,10\n4,8,11\n")
        _, out, _ = tm("fit", "t.csv", "-k", 2)
        assert "the columns are named x1 to x3 (--header if it holds names)" in out
        assert "Column 'x1' counts the rows (1, 2, 3, …)" in out
        assert "The range of column 'x3' is 30 times that of 'x1'" in out
        _, out, _ = tm("fit", "t.csv", "-k", 2, "--header", "--standardize", "-f")
        assert "Columns    1, 5, 0" in out
        assert "The range" not in out

    def test_warnings_are_notes(self, tm):
        Path("t.csv").write_text("a\n1\n1\n2\n")
        code, out, err = tm("fit", "t.csv", "-k", 3, "--json")
        assert (code, err) == (0, "")
        assert any("distinct" in note for note in json.loads(out)["notes"])

    def test_not_converged(self, tm):
        _, out, _ = tm("fit", IRIS, "-k", 5, "--max-iter", 1)
        assert "stopped without converging after 1 iteration (" in out
        assert "--max-iter allows more" in out

    def test_quiet(self, tm):
        assert tm("fit", IRIS, "-k", 3, "-q") == (0, "", "")
        assert Path("iris.truemeans").exists()


class TestOutputs:
    @pytest.mark.parametrize("suffix", ["tsv", "parquet", "feather", "arrow", "npy"])
    def test_same_format_as_the_input(self, tm, folder, suffix):
        assert tm("fit", IRIS, "-k", 3, "-o", f"t.{suffix}", "-q")[0] == 0
        if suffix == "npy":
            labels = np.load("t.npy")
            assert labels.tolist() == truemeans.k_means(rows(), 3, random_state=0).labels.tolist()
            np.save("t.npy", rows())
        assert tm("fit", f"t.{suffix}", "-k", 3, "--label-column", "mine", "-q")[0] == 0
        assert {f"t.labelled.{suffix}", "t.truemeans"} < set(os.listdir(folder))

    def test_explicit_formats(self, tm):
        assert tm("fit", IRIS, "-k", 3, "--format", "parquet", "-q")[0] == 0
        assert pq.read_table("iris.labelled.parquet").column_names[-1] == "cluster"
        Path("iris.dat").write_bytes(IRIS.read_bytes())
        assert tm("fit", "iris.dat", "-k", 3, "--input-format", "csv", "-q", "-f")[0] == 0
        assert labels_in("iris.labelled.csv") == labels_in("iris.labelled.csv")

    def test_label_column_taken(self, tm):
        Path("t.csv").write_text("a,cluster\n1,x\n5,y\n")
        _, out, _ = tm("fit", "t.csv", "-k", 2)
        assert "column 'cluster_1'" in out
        assert Path("t.labelled.csv").read_text().startswith("a,cluster,cluster_1\n1,x,")

    def test_named_files_in_other_folders(self, tm, folder):
        (folder / "out").mkdir()
        assert tm("fit", IRIS, "-k", 3, "-o", "out/a.csv", "-m", "out/b", "-q")[0] == 0
        assert sorted(os.listdir("out")) == ["a.csv", "b"]
        assert os.listdir(folder) == ["out"]

    def test_to_standard_output(self, tm, folder):
        code, out, err = tm("fit", IRIS, "-k", 3, "-o", "-")
        assert code == 0
        assert len(out.splitlines()) == 151
        assert out.startswith("sepal_length,sepal_width,petal_length,petal_width,cluster\n5.1,")
        assert "Inertia" in err
        assert os.listdir(folder) == []
        tm("fit", IRIS, "-k", 3, "-o", "-", "-m", "m", "-q")
        assert os.listdir(folder) == ["m"]

    def test_overwriting_needs_force_and_is_refused_before_the_work(self, tm, folder):
        Path("iris.truemeans").write_text("mine")
        Path("broken.csv").write_text("a,b\n1\n")
        for arguments in (
            ["fit", IRIS, "-k", 3],
            ["fit", "broken.csv", "-k", 3, "-m", "iris.truemeans"],
        ):
            code, out, err = tm(*arguments)
            assert (code, out) == (2, "")
            assert "iris.truemeans exists already and is not overwritten" in err
            assert "--force" in err
        assert sorted(os.listdir(folder)) == ["broken.csv", "iris.truemeans"]
        assert Path("iris.truemeans").read_text() == "mine"
        assert tm("fit", IRIS, "-k", 3, "--force")[0] == 0
        assert model_file.read("iris.truemeans").n_clusters == 3

    def test_a_failed_write_leaves_nothing(self, tm, folder):
        pq.write_table(pa.table({"a": [1.0, 2.0], "l": [[1], [2]]}), "t.parquet")
        code, _, err = tm("fit", "t.parquet", "-k", 2, "--format", "csv")
        assert code == 2
        assert "which csv cannot hold" in err
        assert os.listdir(folder) == ["t.parquet"]

    def test_relabelling_in_place(self, tm, folder):
        Path("t.csv").write_bytes(IRIS.read_bytes())
        assert tm("fit", "t.csv", "-k", 3, "-o", "t.csv", "-f", "-q")[0] == 0
        assert len(labels_in("t.csv")) == 150
        assert sorted(os.listdir(folder)) == ["t.csv", "t.truemeans"]


class TestPredict:
    def test_matches_columns_by_name(self, tm):
        tm("fit", IRIS, "-k", 3, "--columns", "sepal_width,petal_width", "-q")
        data = pacsv.read_csv(IRIS)
        mixed = data.select(["petal_width", "sepal_length", "sepal_width"])
        pq.write_table(mixed, "mixed.parquet")
        code, out, err = tm("predict", "iris.truemeans", "mixed.parquet")
        assert (code, err) == (0, "")
        assert "Columns    sepal_width, petal_width" in out
        labels = pq.read_table("mixed.labelled.parquet")["cluster"].to_pylist()
        assert labels == labels_in("iris.labelled.csv")

    def test_single_precision_model_and_text(self, tm):
        X = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
        pq.write_table(pa.table({c: X[:, j] for j, c in enumerate("abc")}), "t.parquet")
        tm("fit", "t.parquet", "-k", 9, "--standardize", "-o", "t.csv", "-q")
        tm("predict", "t.truemeans", "t.csv", "-o", "p.csv", "-q")
        assert labels_in("p.csv", "cluster_1") == labels_in("t.csv")

    def test_model_without_names(self, tm):
        truemeans.KMeans(3, random_state=0).fit(rows()).save("m")
        code, _, _ = tm("predict", "m", IRIS, "-o", "a.csv")
        assert code == 0
        assert labels_in("a.csv") == truemeans.load("m").predict(rows()).tolist()
        code, _, err = tm("predict", "m", IRIS, "-o", "b.csv", "--columns", "sepal_width")
        assert code == 2
        assert "gives 1 column of numbers, and m was fitted on 4" in err

    def test_columns_that_stand_for_others(self, tm):
        tm("fit", IRIS, "-k", 3, "-q")
        text = IRIS.read_text().replace("sepal_length", "sl", 1)
        Path("other.csv").write_text(text)
        code, _, err = tm("predict", "iris.truemeans", "other.csv")
        assert code == 2
        assert "other.csv lacks 'sepal_length' of the columns that iris.truemeans" in err
        names = "sl,sepal_width,petal_length,petal_width"
        assert tm("predict", "iris.truemeans", "other.csv", "--columns", names)[0] == 0
        assert labels_in("other.labelled.csv") == labels_in("iris.labelled.csv")

    def test_json(self, tm):
        tm("fit", IRIS, "-k", 3, "-q")
        code, out, err = tm("predict", "iris.truemeans", IRIS, "--json", "-o", "p.npy")
        assert (code, err) == (0, "")
        said = json.loads(out)
        assert said["sizes"] == np.bincount(np.load("p.npy")).tolist()
        assert (said["output"], said["n_samples"]) == ("p.npy", 150)

    def test_the_model_is_not_overwritten(self, tm):
        tm("fit", IRIS, "-k", 3, "-q")
        code, _, err = tm("predict", "iris.truemeans", IRIS, "-o", "iris.truemeans", "-f")
        assert code == 2
        assert "is the model itself" in err


class TestInfo:
    def test_everything_is_shown(self, tm):
        tm("fit", IRIS, "-k", 3, "--standardize", "--seed", 11, "-q")
        model = model_file.read("iris.truemeans")
        code, out, err = tm("info", "iris.truemeans")
        assert (code, err) == (0, "")
        for words in (
            "3 clusters, 4 features, float64",
            f"truemeans {truemeans.__version__}, format version 1",
            "random_state=11",
            f"converged after {model.n_iter} iterations",
            f"{model.inertia:.10g}",
            "(x - offset) / scale",
            f"{model.offset[2]:.3f}",
            f"{model.scale[2]:.3f}",
            f"{model.centroids_in_units()[1, 2]:.3f}",
        ):
            assert words in out
        said = json.loads(tm("info", "iris.truemeans", "--json")[1])
        assert said["clustered_centroids"] == model.centroids.tolist()
        assert said["centroids"] == model.centroids_in_units().tolist()
        assert (said["offset"], said["scale"]) == (model.offset.tolist(), model.scale.tolist())
        assert said["sizes"] == model.sizes.tolist()
        assert said["feature_names"] == list(model.feature_names)

    def test_many_clusters_and_features_are_cut(self, tm):
        X = np.random.default_rng(0).normal(size=(60, 30))
        truemeans.KMeans(40, random_state=0).fit(X).save("m")
        _, out, _ = tm("info", "m")
        assert "x12, … and 18 more (the model has no names)" in out
        assert "… and 20 more clusters" in out
        assert len(json.loads(tm("info", "m", "--json")[1])["centroids"]) == 40

    def test_hostile_names_move_no_cursor(self, tm):
        Path("t.csv").write_text("a\x1b[2J,b\n1,2\n3,4\n")
        _, out, _ = tm("fit", "t.csv", "-k", 1)
        assert "\x1b" not in out
        assert r"a\x1b[2J" in out
        assert "\x1b" not in tm("info", "t.truemeans")[1]
        assert "\x1b" not in tm("fit", "t.csv", "-k", 1, "--columns", "c\x1b")[2]


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
            ("fit IRIS -k three", "Invalid value for .*-k"),
            ("fit IRIS", "Missing option .*-k.*; see truemeans fit --help"),
            ("fit", "Missing argument 'FILE'; see truemeans fit --help"),
            ("fit IRIS -k 3 --sed 1", "No such option: --sed"),
            ("fit IRIS -k 3 --init best", "'best' is not one of 'k-means\\+\\+', 'random'"),
            ("fit IRIS -k 3 --format xlsx", "'xlsx' is not one of 'csv', 'tsv'"),
            ("fit IRIS -k 3 --seed -1", "--seed is -1, and must be at least 0"),
            ("fit IRIS -k 3 --seed 4294967296", "--seed is 4294967296, and must be at most"),
            ("fit IRIS -k 3 --tol -1", "--tol is -1"),
            ("fit IRIS -k 3 --tol nan", "--tol is nan"),
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

    def test_values_beyond_float64_when_squared(self, tm, folder):
        Path("t.csv").write_text("a\n1e200\n-1e200\n5\n")
        code, out, err = tm("fit", "t.csv", "-k", 1)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert os.listdir(folder) == ["t.csv"]


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


class TestPipes:
    def test_in_and_out(self, folder):
        done = subprocess.run(
            [*COMMAND, *["fit", "-", "-k", "3", "-o", "-"]],
            input=IRIS.read_bytes(),
            capture_output=True,
        )
        assert done.returncode == 0
        assert done.stdout.count(b"\n") == 151
        assert b"standard input: 150 rows" in done.stderr
        assert os.listdir(folder) == []

    def test_binary_in_and_out(self, folder):
        pq.write_table(pacsv.read_csv(IRIS), "t.parquet")
        call = [*COMMAND, *["fit", "-", "-k", "3", "-o", "-", "--input-format", "parquet", "-q"]]
        done = subprocess.run(call, input=Path("t.parquet").read_bytes(), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
        assert pq.read_table(pa.BufferReader(done.stdout)).num_columns == 5

    def test_files_are_named_after_standard_input(self, folder):
        call = [*COMMAND, *["fit", "-", "-k", "3", "-q"]]
        done = subprocess.run(call, input=IRIS.read_bytes(), capture_output=True)
        assert (done.returncode, done.stdout) == (0, b"")
        assert sorted(os.listdir(folder)) == ["stdin.labelled.csv", "stdin.truemeans"]

    def test_empty_standard_input(self):
        call = [*COMMAND, *["fit", "-", "-k", "3"]]
        done = subprocess.run(call, input=b"", capture_output=True)
        assert done.returncode == 2
        assert done.stderr.startswith(b"truemeans: standard input is empty")

    def test_named_pipe(self, folder):
        os.mkfifo("pipe")
        call = [*COMMAND, *["fit", "pipe", "-k", "3", "--input-format", "csv", "-o", "-", "-q"]]
        with subprocess.Popen(call, stdout=subprocess.PIPE) as process:
            Path("pipe").write_bytes(IRIS.read_bytes())
            out, _ = process.communicate()
        assert process.returncode == 0
        assert out.count(b"\n") == 151

    def test_reader_goes_away(self, folder):
        n = 200_000
        pq.write_table(pa.table({"a": np.arange(n) % 7, "b": np.arange(n) % 5}), "t.parquet")
        for line in ("fit t.parquet -k 2 -o - --format csv -q", "info --help"):
            with subprocess.Popen(
                [*COMMAND, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            ) as process:
                process.stdout.close()
                err = process.stderr.read()
            assert (process.returncode, err) == (141, b"")
        assert os.listdir(folder) == ["t.parquet"]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            call = [*COMMAND, *f"fit {IRIS} -k 3 -o - -q".split()]
            done = subprocess.run(call, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr == b"truemeans: output: No space left on device\n"


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, arguments: list[str], columns: int = 80) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["COLUMNS"] = str(columns)
            os.environ["TERM"] = "xterm"
            os.execv(COMMAND[0], [*COMMAND, *arguments])
        self.seen = b""

    def read(self, until: bytes | None = None, seconds: float = 60.0) -> str:
        """Read what appears until a text does, or until the command ends."""
        deadline = time.monotonic() + seconds
        while until is None or until not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"nothing more after {self.seen!r}"
            try:
                chunk = os.read(self.fd, 65536)
            except OSError:  # the other side is closed
                break
            if not chunk:
                break
            self.seen += chunk
        return self.seen.decode()

    def wait(self) -> int:
        self.read()
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def slow_table() -> None:
    """Write rows that take many seconds to cluster, on any machine."""
    X = np.random.default_rng(0).normal(size=(400_000, 6)).astype(np.float32)
    pq.write_table(pa.table({c: X[:, j] for j, c in enumerate("abcdef")}), "slow.parquet")


class TestTerminal:
    @pytest.mark.parametrize(
        ("columns", "words"), [(80, "Share  sepal_length"), (60, "petal_length   1.")]
    )
    def test_the_table_fits(self, columns, words):
        terminal = Terminal(["fit", str(IRIS), "-k", "3"], columns)
        assert terminal.wait() == 0
        text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen.decode()).replace("\r", "")
        assert words in text
        table = text[text.index("Cluster") : text.index("Time")]
        assert max(map(len, table.splitlines())) <= columns

    def test_progress_and_ctrl_c(self, folder):
        slow_table()
        line = "fit slow.parquet -k 500 -o a.parquet -m b --threads 1"
        terminal = Terminal(line.split())
        terminal.read(until=b"labels changed")
        os.write(terminal.fd, b"\x03")
        begin = time.monotonic()
        assert terminal.wait() == 130
        assert "interrupted; no unfinished file is left behind" in terminal.seen.decode()
        assert "Traceback" not in terminal.seen.decode()
        assert os.listdir(folder) == ["slow.parquet"]
        # A wait without any limit would hide a loop that never looks at the signal.
        assert time.monotonic() - begin < 30

    def test_interrupt_without_a_terminal(self, folder):
        slow_table()
        call = [*COMMAND, *["fit", "slow.parquet", "-k", "500", "--threads", "2"]]
        with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        assert process.returncode == 130
        assert out == b""
        assert err == b"truemeans: interrupted; no unfinished file is left behind\n"
        assert os.listdir(folder) == ["slow.parquet"]
