"""The walkthrough as data: frames against the textbook, words, numbers, pictures, files."""

from __future__ import annotations

import json
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import truemeans
from commands import rows
from truemeans import textbook
from truemeans._walkthrough.numbers import Style, Styles, style_for
from truemeans._walkthrough.page import recording
from truemeans._walkthrough.plane import plane_of

IRIS = rows()
SEEDS = range(5)


def texts(walk):
    told = zip(walk.frames, (None, *walk.frames), strict=False)
    return {frame.name: walk.teller.text(frame, before) for frame, before in told}


def exact_inertia(X, labels, centroids):
    return float(
        sum(
            (Fraction(float(x)) - Fraction(float(c))) ** 2
            for row, label in zip(X, labels, strict=True)
            for x, c in zip(row, centroids[label], strict=True)
        )
    )


class TestFrames:
    def test_the_lesson(self):
        walk = truemeans.walkthrough()
        assert len(walk.run.X) == 30
        names = [frame.name for frame in walk.frames]
        steps = [f"round-{r}-{step}" for r in range(1, 6) for step in ("assign", "update")]
        # The last round changes nothing, so its update step is not shown.
        assert names == ["data", "start", *steps[:-1], "stop"]
        assert [len(walk.frames[names.index(n)].changed) for n in steps[::2]] == [30, 7, 4, 2, 0]

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("k", [1, 2, 3, 5])
    @pytest.mark.parametrize("data", ["lesson", "iris"])
    def test_every_frame_is_the_textbooks(self, data, k, seed):
        given_rows = None if data == "lesson" else IRIS
        walk = truemeans.walkthrough(given_rows, k, random_state=seed)
        points = [tuple(row) for row in walk.run.X.tolist()]
        start = walk.frames[1]
        assert [points[row] for row in walk.origin.drawn] == [*map(tuple, start.centroids.tolist())]
        centroids = start.centroids.tolist()
        labels = [-1] * len(points)
        for frame in walk.frames[2:-1]:
            clusters = textbook.assign_points(points, centroids)
            if frame.kind == "assign":
                # Equal points share a cluster, so the cluster of a point is found by its value.
                now = [next(j for j, c in enumerate(clusters) if p in c) for p in points]
                assert frame.labels.tolist() == now
                assert frame.changed.tolist() == [
                    i for i, (a, b) in enumerate(zip(labels, now, strict=True)) if a != b
                ]
                labels = now
            else:
                moved = textbook.recalculate_centroids(clusters, centroids)
                assert frame.centroids.tolist() == moved
                assert frame.update.before.tolist() == [list(c) for c in centroids]
                assert frame.update.counts.tolist() == [len(c) for c in clusters]
                centroids = moved
            assert frame.inertia == exact_inertia(walk.run.X, labels, centroids)
            assert frame.parts.sum() == pytest.approx(frame.inertia, rel=1e-14)
        assert walk.frames[-1].labels.tolist() == labels
        assert walk.frames[-1].centroids.tolist() == [list(c) for c in centroids]

    def test_it_is_the_run_of_k_means(self):
        walk = truemeans.walkthrough(IRIS, 4, random_state=3, init="k-means++")
        result = truemeans.k_means(IRIS, 4, random_state=3, init="k-means++")
        assigned = [f.inertia for f in walk.frames if f.kind == "assign"]
        assert assigned == result.history.inertia.tolist()
        assert np.array_equal(walk.frames[-1].centroids, result.centroids)
        assert np.array_equal(walk.frames[-1].labels, result.labels)
        assert walk.frames[-1].inertia == result.inertia

    def test_squared_distances_are_canonical(self):
        frame = truemeans.walkthrough(IRIS, 3).frames[-1]
        expected = [[textbook.squared_distance(x, c) for c in frame.centroids] for x in IRIS]
        assert frame.sq_distances(IRIS).tolist() == expected

    def test_sums_divided_by_counts_are_the_means(self):
        for frame in truemeans.walkthrough(IRIS, 3).frames:
            if frame.update is not None:
                for j in range(3):
                    own = IRIS[frame.labels == j]
                    sums = [float(sum(map(Fraction, column.tolist()))) for column in own.T]
                    assert frame.update.sums[j].tolist() == sums
                    travel = np.linalg.norm(frame.centroids[j] - frame.update.before[j])
                    assert frame.update.travel[j] == pytest.approx(travel, rel=1e-14)

    def test_one_column_starts_at_drawn_points_too(self):
        walk = truemeans.walkthrough([[0.0], [1.0], [2.0], [10.0], [11.0]], 2, random_state=1)
        assert walk.plane.kind == "line"
        assert len(walk.frames) > 3
        assert walk.frames[-1].labels[0] != walk.frames[-1].labels[-1]

    def test_float32_rows_stay(self):
        walk = truemeans.walkthrough(IRIS.astype(np.float32), 3)
        assert walk.run.X.dtype == np.float32
        assert walk.frames[-1].centroids.dtype == np.float32


class TestEnds:
    def test_a_run_that_was_ended_labels_once_more(self):
        walk = truemeans.walkthrough(max_iter=2)
        assert [frame.name for frame in walk.frames[-3:]] == [
            "round-2-update",
            "final-assign",
            "stop",
        ]
        final = walk.frames[-2]
        result = truemeans.k_means(walk.run.X, 2, init="random", random_state=0, max_iter=2)
        assert final.inertia == result.inertia
        told = texts(walk)
        assert "ended after 2 rounds" in told["stop"]
        assert walk.teller.title(walk.frames[-1]) == "Ended early"

    def test_a_run_that_needs_no_second_round(self):
        walk = truemeans.walkthrough([[0, 0], [1, 5], [4, 4]], 3)
        assert [frame.name for frame in walk.frames] == ["data", "start", "round-1-assign", "stop"]
        assert "at the mean of its points already" in texts(walk)["stop"]

    def test_the_tolerance(self, tmp_path):
        result = truemeans.k_means(IRIS, 3, random_state=0, init="random", tol=0.1, record=True)
        assert result.converged
        walk = result.walkthrough(tmp_path / "page.html")
        assert "tolerance" in texts(walk)["stop"]
        assert walk.frames[-2].name == "final-assign"

    def test_a_cluster_that_loses_all_its_points_is_refilled(self):
        X = [[0, 0], [0, 1], [1, 0], [9, 9], [9, 10]]
        walk = truemeans.walkthrough(X, 3, init=[[0, 0], [9, 9], [50, 50]])
        frame = next(f for f in walk.frames if f.kind == "update")
        ((cluster, (row,)),) = frame.update.refilled
        assert cluster == 2
        assert frame.centroids[2].tolist() == X[row]
        assert frame.labels[row] == 2
        # The farthest from its own centroid; equals are taken in lexicographic order.
        assert X[row] == [0, 1]
        assert f"C has lost all its points and is given point {row + 1}" in texts(walk)[frame.name]

    def test_equal_points_are_given_together(self):
        X = [[0, 0], [0, 1], [0, 1], [9, 9], [9, 10]]
        walk = truemeans.walkthrough(X, 3, init=[[0, 0], [9, 9], [50, 50]])
        frame = next(f for f in walk.frames if f.kind == "update")
        assert frame.update.refilled == ((2, (1, 2)),)
        assert frame.update.counts.tolist() == [1, 2, 2]
        assert "is given points 2 and 3, which lie far" in texts(walk)[frame.name]

    def test_an_empty_cluster_that_stays_empty_is_not_called_refilled(self):
        with pytest.warns(match="distinct clusters"):
            walk = truemeans.walkthrough([[1, 1]] * 4, 2)
        assert all(f.update is None or not f.update.refilled for f in walk.frames)
        assert len(walk.to_html()) > 0


class TestWords:
    def test_the_numbers_in_the_text_are_the_runs(self):
        walk = truemeans.walkthrough()
        told = texts(walk)
        run = walk.run
        for r in range(1, 5):
            changed = np.flatnonzero(run.labels[r] != run.labels[r - 1]) + 1
            text = told[f"round-{r + 1}-assign"]
            assert f"{len(changed)} of 30" in text
            if len(changed):
                stated = re.search(r"sides: ([\d, and]+)\.", text).group(1)
                assert [int(n) for n in re.findall(r"\d+", stated)] == changed.tolist()
        assert "494.81" in told["round-1-assign"]
        assert "J falls from 494.81 to 239.77" in told["round-1-update"]
        assert "0 of 30" in told["round-5-assign"]
        assert "converged after 5 rounds" in told["stop"]

    @pytest.mark.parametrize(
        ("init", "words"),
        [("random", "Seed 7 draws points"), ("k-means++", "squared distance")],
    )
    def test_how_the_start_was_drawn(self, init, words):
        walk = truemeans.walkthrough(init=init, random_state=7)
        text = texts(walk)["start"]
        assert words in text
        for row in walk.origin.drawn:
            assert str(row + 1) in text

    def test_a_given_start(self):
        at_points = truemeans.walkthrough(init=[[2.5, 2.75], [2.75, 1.25]])
        assert "starts from points 1 and 2" in texts(at_points)["start"]
        elsewhere = truemeans.walkthrough(init=[[0, 0], [1, 1]])
        assert "given to it" in texts(elsewhere)["start"]

    def test_one_cluster_one_point(self):
        told = texts(truemeans.walkthrough([[3, 4]], 1))
        assert told["data"].startswith("1 point, each with 2 numbers")
        assert "The one point gets its first label" in told["round-1-assign"]


class TestNumbers:
    @pytest.mark.parametrize(
        ("style", "value", "text"),
        [
            (Style(True, 2), 0.125, "0.13"),
            (Style(True, 2), -0.125, "−0.13"),
            (Style(True, 1), -0.04, "0.0"),
            (Style(True, 0), 12345.5, "12346"),
            (Style(False, 3), 123456.0, "1.235×10⁵"),
            (Style(False, 2), -0.0009999, "−1.00×10⁻³"),
            (Style(False, 2), 9.999e9, "1.00×10¹⁰"),
            (Style(False, 2), 0.0, "0.00"),
            (Style(False, 2), 3.14159, "3.14"),
            (Style(True, 2), float("inf"), "∞"),
        ],
    )
    def test_styles(self, style, value, text):
        assert style(value) == text

    @given(st.floats(1e-90, 1e90), st.floats(0, 8), st.integers(3, 4))
    def test_numbers_a_hundredth_of_the_span_apart_differ(self, span, offset, decades):
        top = span * 10.0**offset
        style = style_for(span, top, decades)
        assert style(top) != style(top - 0.01 * span)
        assert len(style(top)) < 22

    def test_a_near_tie_gets_the_digits_that_show_it(self):
        styles = Styles.of(np.array([[0.0], [5.0]]))
        assert styles.squares([3.0, 0.1002, 0.1001]) == ["3.0000", "0.1002", "0.1001"]
        assert styles.squares([0.5, 0.5]) == ["0.500", "0.500"]
        assert styles.squares([2.0]) == ["2.000"]

    def test_each_column_has_its_own_digits(self):
        styles = Styles.of(np.array([[1e6, 0.001, 5.0], [2e6, 0.002, 5.0]]))
        assert styles.row([1234567.0, 0.00123456, 5.0]) == ["1234567", "0.001235", "5.000"]


class TestPlane:
    def test_two_columns_are_drawn_as_they_are(self):
        plane = plane_of(IRIS[:, :2], ("a", "b"))
        assert (plane.kind, plane.names) == ("columns", ("a", "b"))
        assert np.array_equal(plane.project(IRIS[:, :2]), IRIS[:, :2])

    def test_more_are_drawn_by_their_principal_axes(self):
        plane = plane_of(IRIS, ("a", "b", "c", "d"))
        assert plane.kind == "axes"
        # The share of the first two principal axes of Fisher's iris data is published.
        assert plane.share == pytest.approx(0.9777, abs=5e-5)
        assert plane.axes @ plane.axes.T == pytest.approx(np.eye(2), abs=1e-12)
        picture = plane.project(IRIS)
        assert picture.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
        singular = np.linalg.svd(IRIS - IRIS.mean(axis=0), compute_uv=False)
        assert np.sqrt((picture**2).sum(axis=0)) == pytest.approx(singular[:2], rel=1e-12)
        assert np.array_equal(plane_of(IRIS, "abcd").axes, plane.axes)

    @pytest.mark.parametrize("scale", [1e-80, 1.0, 1e80])
    def test_no_variance_and_extreme_scales(self, scale):
        flat = np.full((4, 3), scale)
        assert plane_of(flat, "abc").share == 1.0
        plane = plane_of(IRIS * scale, "abcd")
        assert plane.share == pytest.approx(0.9777, abs=5e-5)


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"n_clusters": 13}, "n_clusters=13 is more than the 12 a walkthrough has shapes for"),
            ({"n_clusters": 0}, "n_clusters=0 must be an integer"),
            ({"X": np.zeros((1001, 2))}, "n_samples=1001 is more than the 1000 rows"),
            ({"X": [[1e120, 0], [1, 1]]}, "the largest value of X is 1e"),
            ({"X": [[1e-120, 0], [0, 0]]}, "in other units"),
            ({"X": [[1, 2], [np.nan, 1]]}, "row 1, column 0"),
            ({"columns": ["a"]}, "columns has 1 names and X has 2 columns"),
            ({"columns": "ab"}, "columns='ab' must be a sequence of names"),
            ({"random_state": -1}, "random_state=-1 must be an integer, 0 or more"),
            ({"init": "best"}, "init='best'"),
        ],
    )
    def test_in_one_sentence(self, arguments, message):
        with pytest.raises((ValueError, TypeError), match=re.escape(message)):
            truemeans.walkthrough(**arguments)

    def test_a_run_without_a_record(self, tmp_path):
        result = truemeans.k_means(IRIS, 3, random_state=0)
        with pytest.raises(ValueError, match="run it again with record=True"):
            result.walkthrough(tmp_path / "page.html")
        assert not list(tmp_path.iterdir())

    def test_a_run_with_weights(self, tmp_path):
        weights = np.arange(1, 151)
        result = truemeans.k_means(IRIS, 3, sample_weight=weights, random_state=0, record=True)
        with pytest.raises(ValueError, match="not the plain means of their rows"):
            result.walkthrough(tmp_path / "page.html")

    def test_a_page_that_would_be_too_large(self, tmp_path):
        X = np.random.RandomState(0).rand(1000, 12)
        walk = truemeans.walkthrough(X, 12)
        with pytest.raises(ValueError, match=r"kB for 1000 rows and \d+ rounds"):
            walk.save(tmp_path / "page.html")
        assert not list(tmp_path.iterdir())

    def test_without_jinja(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
        with pytest.raises(ModuleNotFoundError, match="pip install jinja2"):
            truemeans.walkthrough().to_html()


class TestPage:
    def test_result_writes_its_own_run(self, tmp_path):
        result = truemeans.k_means(IRIS, 3, random_state=2, init="random", record=True)
        walk = result.walkthrough(tmp_path / "page.html", columns=["a", "b", "c", "d"])
        assert walk.names == ("a", "b", "c", "d")
        assert len(walk.origin.drawn) == 3
        page = (tmp_path / "page.html").read_text()
        assert page == walk.to_html()
        again = truemeans.walkthrough(IRIS, 3, random_state=2)
        assert [f.name for f in again.frames] == [f.name for f in walk.frames]

    def test_a_file_that_is_there_is_kept(self, tmp_path):
        path = tmp_path / "page.html"
        path.write_text("mine")
        walk = truemeans.walkthrough()
        with pytest.raises(FileExistsError, match="add overwrite=True"):
            walk.save(path)
        assert path.read_text() == "mine"
        walk.save(path, overwrite=True)
        assert path.read_text() == walk.to_html()
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"X": IRIS, "n_clusters": 12},
            {"X": np.random.RandomState(0).rand(1000, 2), "n_clusters": 8},
        ],
        ids=["lesson", "iris", "many"],
    )
    def test_size(self, arguments):
        assert len(truemeans.walkthrough(**arguments).to_html().encode()) < 300_000

    def test_nothing_outside_is_named(self):
        page = truemeans.walkthrough().to_html()
        outside = set(re.findall(r"(?:https?:)?//[\w.]+\.\w+", page)) - {"http://www.w3.org"}
        assert not outside
        assert "default-src 'none'" in page

    def test_names_and_numbers_survive_the_way_into_the_page(self):
        name = "</script><b>&\u2028 é"
        walk = truemeans.walkthrough(
            [[0.1, 1e-7], [2.0, -3.5]], 1, columns=[name, "y"], source=name
        )
        page = walk.to_html()
        data = re.search(r'id="recording">(.*?)</script>', page, re.DOTALL).group(1)
        assert json.loads(data) == recording(walk)
        assert json.loads(data)["points"] == [[0.1, 1e-7], [2, -3.5]]
        assert json.loads(data)["columns"][0] == name
        assert "<b>" not in page.replace("<b>${", "")

    def test_a_notebook_shows_it(self):
        frame = truemeans.walkthrough()._repr_html_()
        assert frame.startswith("<iframe")
        assert "&lt;!doctype html&gt;" in frame

    def test_repr(self):
        assert repr(truemeans.walkthrough()) == (
            "<truemeans walkthrough: 30 points of the lesson, K = 2, "
            "12 frames from 'data' to 'stop'>"
        )

    def test_names_of_a_table(self):
        pandas = pytest.importorskip("pandas")
        walk = truemeans.walkthrough(pandas.DataFrame(IRIS[:, :2], columns=["long", "wide"]), 2)
        assert walk.names == ("long", "wide")
        assert truemeans.walkthrough(IRIS, 2).names == ("x1", "x2", "x3", "x4")
