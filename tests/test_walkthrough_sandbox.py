"""The sandbox's small Lloyd is held to the library's bits, in a real browser."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import truemeans
from browser import chromium, opened


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("sandbox") / "page.html"
    truemeans.walkthrough().save(path)
    shape = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    with chromium() as browser, opened(browser, path, "sandbox", **shape) as opened_page:
        yield opened_page


@pytest.fixture(autouse=True)
def afresh(page):
    """Load the lesson again before each test."""
    page.select_option("#scene", "groups")
    page.select_option("#scene", "run")
    page.check("input[name=tool][value=move]", force=True)


def state(page):
    return page.evaluate("() => JSON.parse(JSON.stringify(truemeans.sandbox))")


def fitted(points, start, max_iter=300):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct points than clusters
        return truemeans.k_means(np.array(points), len(start), init=start, max_iter=max_iter)


def check(found, result):
    """Compare bits: what JavaScript and Python read from JSON are the float64 themselves."""
    assert found["labels"] == result.labels.tolist()
    assert found["centroids"] == result.centroids.tolist()
    assert found["inertia"] == result.inertia


def hostile(name, random):
    """Points and initial centroids that are made to go wrong."""
    n, k = random.randint(1, 40), random.randint(1, 8)
    k = min(n, k)
    points = random.standard_normal((n, 2))
    if name == "grid":
        points = random.randint(0, 4, (n, 2)).astype(float)
    elif name == "far":
        points += 1e9
    elif name == "wide":
        # Wider than that, the library's means are good to 2**-101 of the largest value.
        points *= 10.0 ** random.randint(-6, 7, (n, 1))
    elif name == "tiny":
        points *= 1e-100
    elif name == "copies":
        points[:] = points[random.randint(0, 3, n) % n]
    start = points[random.choice(n, k, replace=False)]
    if name == "empty":
        # Far away, so that clusters lose all their points.
        start = start.copy()
        start[random.rand(k) < 0.6] += 50
    elif name == "ties":
        points = random.randint(-2, 3, (n, 2)).astype(float)
        start = random.randint(-2, 3, (k, 2)).astype(float)
    return points.tolist(), start.tolist()


class TestLloyd:
    @pytest.mark.parametrize(
        "name", ["plain", "grid", "far", "wide", "tiny", "copies", "empty", "ties"]
    )
    def test_same_bits_as_the_library(self, page, name):
        random = np.random.RandomState(sum(map(ord, name)))
        cases = [hostile(name, random) for _ in range(60)]
        found = page.evaluate(
            "cases => cases.map(([points, start]) => truemeans.lloyd(points, start))", cases
        )
        for (points, start), one in zip(cases, found, strict=True):
            result = fitted(points, start)
            check(one, result)
            assert (one["nIter"], one["converged"]) == (result.n_iter, result.converged)

    def test_same_bits_when_it_is_ended(self, page):
        random = np.random.RandomState(3)
        points = random.rand(40, 2).tolist()
        for max_iter in (1, 2, 3):
            found = page.evaluate(
                "([points, most]) => truemeans.lloyd(points, points.slice(0, 5), most)",
                [points, max_iter],
            )
            result = fitted(points, points[:5], max_iter)
            check(found, result)
            assert (found["nIter"], found["converged"]) == (result.n_iter, result.converged)

    def test_a_mean_just_above_a_tie(self, page):
        # The mean is even + 1/2 + 2**-16: 53 bits, and what tells it from a tie is 16 bits on.
        even, half = 2.0**52 + 4, 2**14
        points = [[even + 1, 0.0]] * (half + 1) + [[even, 0.0]] * half
        found = page.evaluate("points => truemeans.lloyd(points, [points[0]]).centroids", points)
        assert found == fitted(points, [points[0]]).centroids.tolist() == [[even + 1, 0]]

    def test_three_columns(self, page):
        points = np.random.RandomState(5).rand(30, 3).tolist()
        found = page.evaluate("points => truemeans.lloyd(points, points.slice(0, 4))", points)
        check(found, fitted(points, points[:4]))


def drag(page, selector, across, up):
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across / 2, y - up / 2, steps=3)
    page.mouse.move(x + across, y - up, steps=3)
    page.mouse.up()


class TestByHand:
    def test_it_begins_as_the_walkthrough_did(self, page):
        walk = truemeans.walkthrough()
        now = state(page)
        assert now["points"] == walk.run.X.tolist()
        assert now["centroids"] == walk.frames[1].centroids.tolist()
        page.click("#run")
        check(state(page), fitted(now["points"], now["start"]))
        assert state(page)["centroids"] == walk.frames[-1].centroids.tolist()
        assert "5, converged" in page.inner_text("#sandbox-round")

    @pytest.mark.parametrize("row", [12, 17])
    def test_drag_a_point(self, page, row):
        before = state(page)
        drag(page, f"#sandbox-plot [data-point='{row}'] .mark", -120, 60)
        now = state(page)
        moved = [i for i in range(30) if now["points"][i] != before["points"][i]]
        assert moved == [row]
        (x0, y0), (x1, y1) = before["points"][row], now["points"][row]
        # To scale: as far to the left as twice the way up.
        assert x1 - x0 == pytest.approx(-2 * (y1 - y0), rel=0.02)
        assert x1 < x0 - 1
        here = now["centroids"]
        squares = (np.array(now["points"])[:, np.newaxis] - here) ** 2
        nearest = squares.sum(axis=2).argmin(axis=1).tolist()
        assert now["labels"] == nearest
        page.click("#run")
        check(state(page), fitted(now["points"], here))

    def test_drag_a_centroid(self, page):
        before = state(page)
        drag(page, "#sandbox-plot .centroid >> nth=1", 60, -300)
        now = state(page)
        assert now["points"] == before["points"]
        assert now["centroids"][0] == before["centroids"][0]
        assert now["centroids"][1] != before["centroids"][1]
        assert now["start"] == now["centroids"]
        page.click("#step")
        one = state(page)
        after = fitted(now["points"], now["start"], max_iter=1)
        check(one, after)
        assert one["round"] == 1

    def test_add_and_remove_points(self, page):
        page.check("input[name=tool][value=add]", force=True)
        box = page.locator("#sandbox-plot").bounding_box()
        page.mouse.click(box["x"] + 200, box["y"] + 200)
        now = state(page)
        assert len(now["points"]) == len(now["labels"]) == 31
        page.check("input[name=tool][value=remove]", force=True)
        page.click("#sandbox-plot [data-point='0'] .mark", force=True)
        page.click("#sandbox-plot [data-point='29'] .mark", force=True)
        now = state(page)
        assert len(now["points"]) == 29
        page.click("#run")
        check(state(page), fitted(now["points"], now["start"]))

    def test_k_and_seed(self, page):
        page.fill("#clusters", "5")
        page.keyboard.press("Enter")
        first = state(page)
        assert len(first["centroids"]) == 5
        assert all(c in first["points"] for c in first["centroids"])
        assert len({tuple(c) for c in first["centroids"]}) == 5
        page.click("#run")
        check(state(page), fitted(first["points"], first["start"]))
        page.fill("#seed", "2")
        page.keyboard.press("Enter")
        assert state(page)["start"] != first["start"]
        page.fill("#seed", "1")
        page.keyboard.press("Enter")
        assert state(page)["start"] == first["start"]
        page.fill("#clusters", "99")
        page.keyboard.press("Enter")
        assert len(state(page)["centroids"]) == 12

    def test_run_after_every_change(self, page):
        page.check("#keep")
        drag(page, "#sandbox-plot [data-point='3'] .mark", -200, -200)
        now = state(page)
        assert now["settled"]
        again = fitted(now["points"], now["centroids"])
        assert now["centroids"] == again.centroids.tolist()
        page.uncheck("#keep")

    def test_by_keyboard_alone(self, page):
        page.select_option("#item", "point-6")
        page.focus("#sandbox-plot")
        before = state(page)["points"][6]
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        x, y = state(page)["points"][6]
        assert x > before[0]
        assert y > before[1]
        page.keyboard.press("Delete")
        assert len(state(page)["points"]) == 29
        page.select_option("#item", "centroid-1")
        page.fill("#item-x", "9.25")
        page.keyboard.press("Enter")
        assert state(page)["centroids"][1][0] == 9.25
        page.click("#add")
        assert len(state(page)["points"]) == 30

    def test_numbers_shown(self, page):
        square = truemeans.walkthrough().styles.square
        page.click("#step")
        now = state(page)
        assert page.inner_text("#sandbox-objective") == square(now["inertia"])
        sizes = np.bincount(now["labels"])
        shown = page.inner_text("#sandbox-sizes").split()
        assert [int(n) for n in shown if n.isdigit()] == sizes.tolist()
        assert square(now["inertia"]) in page.inner_text("#sandbox-said")

    def test_another_seed_may_end_worse(self, page):
        page.select_option("#scene", "groups")
        ends = set()
        for seed in range(8):
            page.fill("#seed", str(seed))
            page.fill("#clusters", "3")
            page.click("#fresh")
            page.click("#run")
            ends.add(state(page)["inertia"])
        page.fill("#seed", "1")
        page.fill("#clusters", "2")
        page.keyboard.press("Enter")
        assert max(ends) > 1.5 * min(ends)

    def test_a_centroid_far_from_all_points_is_given_one(self, page):
        page.select_option("#item", "centroid-0")
        page.fill("#item-x", "-500")
        page.keyboard.press("Enter")
        assert 0 not in state(page)["labels"]
        page.click("#step")
        now = state(page)
        assert now["centroids"][0] in now["points"]

    @pytest.mark.parametrize("scene", ["groups", "rings", "long", "uneven", "none"])
    def test_scenes(self, page, scene):
        page.select_option("#scene", scene)
        page.fill("#clusters", "3")
        page.keyboard.press("Enter")
        now = state(page)
        page.click("#run")
        check(state(page), fitted(now["points"], now["start"]))
        page.click("#again")
        assert state(page)["centroids"] == now["start"]
        page.fill("#clusters", "2")
        page.keyboard.press("Enter")
