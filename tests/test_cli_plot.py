"""``truemeans fit --plot``: a picture beside the labelled file and the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import IRIS, enter, typed


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def tm(capsys):
    return typed(capsys)


def texts(path):
    """The words in an SVG, which matplotlib notes beside their outlines."""
    return [
        line.strip().removeprefix("<!--").removesuffix("-->").strip()
        for line in Path(path).read_text().splitlines()
        if line.strip().startswith("<!--")
    ]


def test_the_picture_is_of_these_clusters(tm, folder):
    code, out, err = tm("fit", IRIS, "-k", 3, "--plot", "iris.svg")
    assert (code, err) == (0, "")
    assert "iris.svg  (the picture)" in out
    assert sorted(os.listdir(folder)) == ["iris.labelled.csv", "iris.svg", "iris.truemeans"]
    ElementTree.parse("iris.svg")
    words = texts("iris.svg")
    for expected in (
        "iris.csv: 3 clusters",
        "principal axis 1 (92.5 % of the variance)",
        "distances use all 4 columns",
        "0",
        "2",
    ):
        assert expected in words


def test_standardised_columns_are_drawn_in_their_units(tm):
    Path("people.csv").write_text(
        "income,age\n"
        + "\n".join(f"{20000 + 977 * i % 61000},{18 + 7 * i % 60}" for i in range(99))
    )
    code, out, _ = tm(
        "fit", "people.csv", "-k", 4, "--standardize", "--plot", "people.svg", "--json"
    )
    assert code == 0
    assert json.loads(out)["plot"] == "people.svg"
    words = texts("people.svg")
    assert {"income", "age", "40000", "people.csv: 4 clusters"} <= set(words)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_run_gives_the_same_bytes(tm, suffix):
    for run in "ab":
        arguments = (
            "--plot",
            f"{run}.{suffix}",
            "-o",
            f"{run}.csv",
            "-m",
            f"{run}.truemeans",
            "-q",
        )
        assert tm("fit", IRIS, "-k", 3, *arguments) == (0, "", "")
    assert Path(f"a.{suffix}").read_bytes() == Path(f"b.{suffix}").read_bytes()


def test_a_png_can_be_looked_at(tm):
    assert tm("fit", IRIS, "-k", 3, "--plot", "iris.png", "-q")[0] == 0
    with Image.open("iris.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape[0] > 700
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_names_are_drawn_as_they_are(tm):
    rows = "\n".join(f"{i % 7},{i % 5}" for i in range(40))
    Path("odd $x$ 名前.csv").write_text(f"$cost$ in $,名前\n{rows}\n")
    code, _, err = tm("fit", "odd $x$ 名前.csv", "-k", 2, "--plot", "odd.svg", "-q")
    assert (code, err) == (0, "")
    assert "$cost$ in $" in texts("odd.svg")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plot", "iris.jpg"], "--plot iris.jpg must end in .png, .svg or .pdf"),
        (["--plot", "none/iris.png"], "its folder does not exist"),
        (["--plot", "a.png", "--model", "a.png"], "--plot and --model are both a.png"),
        (["--plot", "a.png", "-o", "./a.png", "--format", "csv"], "--plot and --output are both"),
    ],
)
def test_wrong_places_are_refused_before_any_work(tm, folder, arguments, words):
    code, out, err = tm("fit", IRIS, "-k", 3, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert os.listdir(folder) == []


def test_a_picture_is_replaced_with_force_only(tm):
    Path("iris.png").write_text("mine")
    code, _, err = tm("fit", IRIS, "-k", 3, "--plot", "iris.png")
    assert code == 2
    assert "iris.png exists already" in err
    assert Path("iris.png").read_text() == "mine"
    assert tm("fit", IRIS, "-k", 3, "--plot", "iris.png", "-f", "-q")[0] == 0
    assert Path("iris.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_nothing_is_done(folder):
    code = (
        "import sys; sys.modules['matplotlib'] = None; from truemeans.cli import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "fit", str(IRIS), "-k", "3", "--plot", "iris.png"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'truemeans[plots]'" in done.stderr
    assert os.listdir(folder) == []
