"""``truemeans walkthrough``, as a user types it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import truemeans
from commands import IRIS, Terminal, enter, rows, typed
from truemeans._walkthrough.page import recording


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def tm(capsys):
    return typed(capsys)


def recorded(page):
    return json.loads(re.search(r'id="recording">(.*?)</script>', page, re.DOTALL).group(1))


class TestPage:
    def test_the_lesson(self, tm, folder):
        code, out, err = tm("walkthrough", "--output", "page.html")
        assert (code, err) == (0, "")
        assert os.listdir(folder) == ["page.html"]
        assert "converged after 5 rounds" in out
        assert "page.html" in out
        assert "12 frames" in out
        assert Path("page.html").read_text() == truemeans.walkthrough().to_html()

    def test_a_table(self, tm, folder):
        code, _, err = tm("walkthrough", IRIS, "-k", 3, "--seed", 4)
        assert (code, err) == (0, "")
        assert os.listdir(folder) == ["iris.walkthrough.html"]
        page = Path("iris.walkthrough.html").read_text()
        expected = truemeans.walkthrough(rows(), 3, random_state=4, columns=[*"abcd"])
        found = recorded(page)
        assert found["columns"][0] == "sepal_length"
        assert found["points"] == recording(expected)["points"]
        assert [f.get("inertia") for f in found["frames"]] == [f.inertia for f in expected.frames]
        assert "iris.csv · K = 3 · random start, seed 4" in page
        assert "which show 97.8 % of the variance" in page

    def test_two_columns_of_some_rows(self, tm):
        code, out, _ = tm(
            "walkthrough", IRIS, "-k", 3, "--columns", "petal_length,petal_width",
            "--rows", 40, "--init", "k-means++", "--standardize", "-o", "-", "--quiet",
        )  # fmt: skip
        assert code == 0
        found = recorded(out)
        assert found["columns"] == ["petal_length (standardised)", "petal_width (standardised)"]
        assert len(found["points"]) == 40
        assert "40 of 150 rows of iris.csv" in out
        assert found["plane"]["kind"] == "columns"

    def test_names_that_would_move_the_cursor(self, tm):
        Path("t.csv").write_text("a\x1b[31m,b\n1,2\n3,4\n9,9\n")
        code, out, _ = tm("walkthrough", "t.csv", "--terminal")
        assert code == 0
        assert "\x1b[31m" not in out
        assert "a\\x1b[31m" in out

    def test_names_that_are_no_html(self, tm):
        Path("a&b.csv").write_text("<i>x</i>,y\n1,2\n3,4\n9,9\n")
        assert tm("walkthrough", "a&b.csv")[0] == 0
        page = Path("a&b.walkthrough.html").read_text()
        assert "a&amp;b.csv" in page
        assert "<i>" not in page
        assert recorded(page)["columns"] == ["<i>x</i>", "y"]


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["nofile.csv"], "nofile.csv does not exist"),
            ([IRIS, "-k", 13], "-k 13 is more than 12, and a walkthrough has shapes for 12"),
            (["few.csv", "-k", 4], "-k 4 is more than 3, and every cluster needs a row of its own"),
            (["long.csv"], "shows 1000 at most; draw some at random with --rows 200"),
            (["gap.csv"], "column 'y', row 2 (line 3) is empty"),
            (["--columns", "x"], "name a FILE to choose rows or columns"),
            ([IRIS, "--columns", "petal"], "has no column 'petal'; did you mean"),
            (["--terminal", "--output", "x.html"], "choose one of them"),
            (["--seed", 2**32], "--seed is 4294967296"),
            ([IRIS, "--rows", 0], "--rows is 0"),
            (["-o", "nowhere/page.html"], "its folder does not exist"),
            (["few.csv", "-o", "few.csv"], "is the table itself, which is kept"),
        ],
    )
    def test_in_one_sentence(self, tm, folder, arguments, sentence):
        Path("few.csv").write_text("x,y\n1,2\n3,4\n9,9\n")
        Path("gap.csv").write_text("x,y\n1,2\n3,\n9,9\n")
        Path("long.csv").write_text("x,y\n" + "1,2\n" * 1001)
        before = {p: p.read_bytes() for p in folder.iterdir()}
        code, out, err = tm("walkthrough", *arguments)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert sentence in err
        assert {p: p.read_bytes() for p in folder.iterdir()} == before

    def test_a_file_that_is_there_is_kept(self, tm):
        Path("walkthrough.html").write_text("mine")
        code, _, err = tm("walkthrough")
        assert (code, "--force" in err) == (2, True)
        assert Path("walkthrough.html").read_text() == "mine"
        assert tm("walkthrough", "--force")[0] == 0
        assert len(Path("walkthrough.html").read_text()) > 1000


class TestTerminal:
    def test_all_frames_into_a_pipe(self, tm, folder):
        code, out, err = tm("walkthrough", "--terminal")
        assert (code, err) == (0, "")
        assert not os.listdir(folder)
        walk = truemeans.walkthrough()
        for i, frame in enumerate(walk.frames):
            assert f"[{i + 1}/12] {walk.teller.title(frame)}" in out
            assert frame.name in out
        flat = " ".join(re.sub(r"[│\n]", " ", out).split())
        for before, frame in zip((None, *walk.frames), walk.frames, strict=False):
            assert walk.teller.text(frame, before) in flat
        row = walk.styles.row
        for frame in walk.frames:
            if frame.kind == "assign":
                for i in frame.changed:
                    assert " ".join(walk.styles.squares(frame.sq_distances(walk.run.X)[i])) in flat
            if frame.update is not None:
                for j in range(2):
                    sums, means = row(frame.update.sums[j]), row(frame.centroids[j])
                    pairs = [text for pair in zip(sums, means, strict=True) for text in pair]
                    shown = " ".join([str(frame.update.counts[j]), *pairs])
                    assert shown in flat

    def test_the_picture_shows_every_point_once(self, tm):
        _, out, _ = tm("walkthrough", "--terminal")
        data, start = out.split("╭")[1:3]
        assert data.count("·") == 30
        assert start.count("·") == 28
        final = out.split("╭")[-1].split("No point")[0]
        picture = "".join(line for line in final.splitlines()[1:] if line.startswith("│"))
        # A centroid may stand before a point.
        assert 12 <= picture.count("a") <= 14
        assert 14 <= picture.count("b") <= 16

    def test_step_by_step(self):
        terminal = Terminal(["walkthrough", "--terminal"])
        terminal.read(until="[1/12] The data")
        for typed_line, seen in [
            ("\n", "[2/12] Start"),
            ("\n", "[3/12] Round 1: assign"),
            ("b\n", "[2/12] Start"),
            ("12\n", "[12/12] Stop"),
            ("99\n", "[12/12] Stop"),
        ]:
            terminal._bytes = b""
            os.write(terminal.fd, typed_line.encode())
            terminal.read(until=seen)
            terminal.read(until="quits: ")
        os.write(terminal.fd, b"\n")
        assert terminal.wait() == 0

    def test_q_ends_it(self):
        terminal = Terminal(["walkthrough", "--terminal", "-k", "3"])
        terminal.read(until="quits: ")
        os.write(terminal.fd, b"q\n")
        assert terminal.wait() == 0
        assert "Start" not in terminal.seen

    def test_many_clusters_and_columns(self, tm):
        code, out, _ = tm("walkthrough", IRIS, "-k", 12, "--terminal")
        assert code == 0
        assert " L " in out
