"""The command line, as a user types it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

import truemeans
from commands import COMMAND, IRIS, enter, labels_in, rows, typed
from truemeans import model_file
from truemeans.plan import make_plan


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def tm(capsys):
    return typed(capsys)


class TestFit:
    def test_json_of_numbers_that_json_has_not(self, tm):
        Path("t.csv").write_text("a,b\n1e154,1\n-1e154,1\n1.1e154,3\n0,4\n3e154,1\n-2e154,1\n")
        code, out, err = tm("fit", "t.csv", "-k", 3, "--json", "-f")
        assert (code, err) == (0, "")
        assert None in json.loads(out)["history"]["inertia"]

    def test_float64_rows_meet_a_float32_model_as_they_are(self, tm):
        pq.write_table(pa.table({"a": pa.array([0.0, 1.0], pa.float32())}), "t.parquet")
        assert tm("fit", "t.parquet", "-k", 2, "-m", "m", "-q")[0] == 0
        near = pa.table({"a": [0.5 - 1e-12, 0.5, 0.5 + 1e-12]})
        pq.write_table(near, "near.parquet")
        assert tm("predict", "m", "near.parquet", "-o", "near.csv", "-q")[0] == 0
        expected = truemeans.load("m").predict(near)
        assert labels_in("near.csv") == expected.tolist()

    def test_restarts_and_another_way_to_start(self, tm):
        options = ("fit", IRIS, "-k", 7, "--init", "k-means||", "--n-init", 5, "--force")
        code, out, _ = tm(*options)
        expected = truemeans.k_means(rows(), 7, init="k-means||", n_init=5, random_state=0)
        worst = expected.restarts.max()
        assert code == 0
        assert f"of 5 reached this inertia, the worst {worst:.10g}" in out
        found = json.loads(tm(*options, "--json")[1])
        assert found["restarts"] == expected.restarts.tolist()
        assert found["inertia"] == min(found["restarts"])

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

    @pytest.mark.parametrize(("name", "n_commands"), [("iris", 3), ("Ann's $1 flowers", 2)])
    def test_next_commands_can_be_pasted(self, tm, name, n_commands):
        Path(f"{name}.csv").write_bytes(IRIS.read_bytes())
        _, out, _ = tm("fit", f"{name}.csv", "-k", 3)
        commands = [line[11:] for line in out[out.index("Next") :].splitlines()]
        assert len(commands) == n_commands
        for command in commands:
            program, *rest = shlex.split(command)
            assert program in ("truemeans", "python")
            call = [*COMMAND, *rest] if program == "truemeans" else [sys.executable, *rest]
            done = subprocess.run(call, capture_output=True, text=True, check=True)
            assert done.stderr == ""
            assert done.stdout
        assert labels_in(f"{name}.predicted.csv") == labels_in(f"{name}.labelled.csv")

    def test_a_file_whose_name_does_not_say_how_to_read_it_is_not_suggested(self, tm):
        Path("iris.dat").write_bytes(IRIS.read_bytes())
        _, out, _ = tm("fit", "iris.dat", "-k", 3, "--input-format", "csv")
        assert "truemeans info iris.truemeans" in out
        assert "truemeans predict" not in out

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
        model = truemeans.load("t.truemeans")
        assert model.predict(data.to_pandas()).tobytes() == labels.tobytes()
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


class TestExplain:
    def test_the_plan_and_its_rules_are_told_and_nothing_is_written(self, tm, folder):
        Path("iris.labelled.csv").write_text("mine")
        code, out, err = tm("fit", IRIS, "-k", 3, "--explain")
        assert (code, err) == (0, "")
        plan = truemeans.k_means(rows(), 3, random_state=0).plan
        for said in (str(plan), *plan.why, "150 rows", "petal_width", "0 bytes"):
            assert said in out
        assert os.listdir(folder) == ["iris.labelled.csv"]
        assert Path("iris.labelled.csv").read_text() == "mine"

    def test_what_may_be_kept_is_part_of_it(self, tm):
        X = np.random.default_rng(0).normal(size=(60_000, 3))
        np.save("x.npy", X)
        found = []
        for more in ([], ["--skip-memory", 60_000 * 4 + 1], ["--skip-memory", 0]):
            said = json.loads(tm("fit", "x.npy", "-k", 40, "--explain", "--json", *more)[1])
            room = more[-1] if more else None
            plan = make_plan(60_000, 3, 40, any_start=True, any_seeding=True, skip_memory=room)
            assert said["plan"]["why"] == list(plan.why)
            found.append((said["plan"]["skip"], said["plan"]["skip_bytes"]))
        assert found == [("boxes", 60_000 * 32), ("rows", 60_000 * 4), ("none", 0)]

    def test_what_a_fit_would_refuse_is_refused(self, tm):
        assert tm("fit", IRIS, "-k", 151, "--explain")[0] == 2
        assert tm("fit", "missing.csv", "-k", 3, "--explain")[0] == 2
        assert tm("fit", IRIS, "-k", 3, "--skip-memory", -1, "--explain")[0] == 2

    def test_less_to_keep_is_the_same_answer(self, tm, folder):
        tm("fit", IRIS, "-k", 9, "--force")
        first = Path("iris.labelled.csv").read_bytes()
        tm("fit", IRIS, "-k", 9, "--force", "--skip-memory", 0)
        assert Path("iris.labelled.csv").read_bytes() == first


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
        expected = truemeans.k_means(rows(), 3, random_state=0)
        assert labels_in("iris.labelled.csv") == expected.labels.tolist()

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

    @pytest.mark.parametrize("nth", [1, 2])
    def test_ctrl_c_while_files_reach_the_disk_leaves_none(self, tm, folder, monkeypatch, nth):
        calls = []

        def interrupted(number):
            calls.append(number)
            if len(calls) == nth:
                raise KeyboardInterrupt

        monkeypatch.setattr("truemeans.files.os.fsync", interrupted)
        code, _, err = tm("fit", IRIS, "-k", 3)
        assert (code, os.listdir(folder)) == (130, [])
        assert "no unfinished file" in err

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

    def test_numbers_of_any_size(self, tm):
        Path("t.csv").write_text("a,b,c,d\n1e-7,-2e15,0,1234567.5\n1e-7,-2e15,0,1234567.5\n")
        _, out, _ = tm("fit", "t.csv", "-k", 1)
        assert re.search(r"1\.000e-07 +-2\.000e\+15 +0 +1,234,568\b", out)

    def test_many_clusters_and_features_are_cut(self, tm):
        X = np.random.default_rng(0).normal(size=(60, 30))
        truemeans.KMeans(40, random_state=0).fit(X).save("m")
        _, out, _ = tm("info", "m")
        assert "x12, … and 18 more (the model has no names)" in out
        assert "… and 20 more clusters" in out
        np.savetxt("t.csv", X, delimiter=",")
        tm("fit", "t.csv", "-k", 2, "--standardize", "-q")
        assert "… and 10 more features" in tm("info", "t.truemeans")[1]
        assert len(json.loads(tm("info", "m", "--json")[1])["centroids"]) == 40

    def test_hostile_names_move_no_cursor(self, tm):
        Path("t.csv").write_text("a\x1b[2J,b\n1,2\n3,4\n")
        _, out, _ = tm("fit", "t.csv", "-k", 1)
        assert "\x1b" not in out
        assert r"a\x1b[2J" in out
        assert "\x1b" not in tm("info", "t.truemeans")[1]
        assert "\x1b" not in tm("fit", "t.csv", "-k", 1, "--columns", "c\x1b")[2]
