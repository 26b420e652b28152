"""The page in a real browser: what it draws is the recorded run, for every reader."""

from __future__ import annotations

import re

import numpy as np
import pytest

import colours
import truemeans
from browser import chromium, opened, violations
from commands import rows
from drawn import cells, check_distances, check_frame, each, letters, open_table
from truemeans._walkthrough.numbers import Style
from truemeans.engines.reference import ReferenceEngine

IRIS = rows()
WALKS = {
    "lesson": lambda: truemeans.walkthrough(),
    "iris": lambda: truemeans.walkthrough(IRIS, 3, columns=["a", "b", "c", "d"]),
    "twelve": lambda: truemeans.walkthrough(IRIS[:, :2], 12),
    "ended": lambda: truemeans.walkthrough(IRIS[::4, 1:3], 4, max_iter=2),
    "refill": lambda: truemeans.walkthrough(
        [[0, 0], [0, 1], [1, 0], [9, 9], [9, 10]], 3, init=[[0, 0], [9, 9], [50, 50]]
    ),
    "line": lambda: truemeans.walkthrough([[0.0], [1], [2], [10], [11]], 2),
    "far": lambda: truemeans.walkthrough(IRIS[::5, :2] * 1e-9 + 1e3, 2),
    "stretched": lambda: truemeans.walkthrough(IRIS[::5, :2] * [1e4, 1e-2], 3),
    "point": lambda: truemeans.walkthrough([[5, 5]], 1),
}


TABS = ("sandbox", "all-frames", "worksheet")


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write a walkthrough once, and return it with the file."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}

    def get(name):
        if name not in made:
            walk = WALKS[name]()
            walk.save(folder / f"{name}.html")
            made[name] = (walk, folder / f"{name}.html")
        return made[name]

    return get


class TestFrames:
    @pytest.mark.parametrize("name", WALKS)
    def test_by_click(self, browser, pages, name):
        walk, path = pages(name)
        with opened(browser, path) as page:
            open_table(page)
            for index in range(len(walk.frames)):
                check_frame(page, walk, index)
                if index < len(walk.frames) - 1:
                    page.click("#next")
            assert page.get_attribute("#next", "aria-disabled") == "true"
            for index in reversed(range(len(walk.frames) - 1)):
                page.click("#back")
                assert page.get_attribute("#stage", "data-frame") == walk.frames[index].name

    def test_by_key(self, browser, pages):
        walk, path = pages("lesson")
        with opened(browser, path) as page:
            open_table(page)
            page.click("h1")
            for index in range(len(walk.frames)):
                check_frame(page, walk, index)
                page.keyboard.press("ArrowRight")
            last = len(walk.frames) - 1
            for key, index in [
                ("ArrowLeft", last - 1),
                ("Home", 0),
                ("End", last),
                ("PageUp", last - 1),
                ("PageDown", last),
            ]:
                page.keyboard.press(key)
                check_frame(page, walk, index)

    def test_by_address(self, browser, pages):
        walk, path = pages("lesson")
        with opened(browser, path, "round-3-update") as page:
            open_table(page)
            check_frame(page, walk, 7)
            for index, frame in enumerate(walk.frames):
                page.evaluate("name => { location.hash = name; }", frame.name)
                page.wait_for_selector(f"#stage[data-frame='{frame.name}']")
                check_frame(page, walk, index)
        with opened(browser, path, "round-99-assign") as page:
            assert page.get_attribute("#stage", "data-frame") == "data"
        with opened(browser, path) as page:
            page.click("#frames a[href='#round-2-assign']")
            page.wait_for_selector("#stage[data-frame='round-2-assign']")

    def test_scrubber_and_ends(self, browser, pages):
        walk, path = pages("lesson")
        with opened(browser, path) as page:
            page.click("#last")
            assert page.get_attribute("#stage", "data-frame") == "stop"
            page.click("#first")
            assert page.get_attribute("#stage", "data-frame") == "data"
            page.fill("#scrubber", "4")
            assert page.get_attribute("#stage", "data-frame") == walk.frames[4].name
            page.focus("#scrubber")
            page.keyboard.press("ArrowRight")
            assert page.get_attribute("#stage", "data-frame") == walk.frames[5].name
            assert "Round 2: update" in page.get_attribute("#scrubber", "aria-valuetext")

    def test_play(self, browser, pages):
        walk, path = pages("lesson")
        with opened(browser, path) as page:
            page.clock.install()
            page.select_option("#speed", "2")
            page.click("#play")
            assert page.get_attribute("#play", "aria-label") == "Pause"
            page.clock.run_for(600)
            assert page.get_attribute("#stage", "data-frame") == walk.frames[1].name
            page.clock.run_for(1600)
            assert page.get_attribute("#stage", "data-frame") == walk.frames[2].name
            page.keyboard.press("Escape")
            page.click("h1")
            page.keyboard.press(" ")
            page.clock.run_for(60_000)
            assert page.get_attribute("#stage", "data-frame") == walk.frames[2].name
            page.keyboard.press(" ")
            page.clock.run_for(60_000)
            assert page.get_attribute("#stage", "data-frame") == "stop"
            assert page.get_attribute("#play", "aria-label") == "Play"

    def test_every_squared_distance_is_the_librarys_bits(self, browser, pages):
        for name in WALKS:
            walk, path = pages(name)
            with opened(browser, path) as page:
                shown = page.evaluate(
                    "() => truemeans.frames.map(f => f.centroids &&"
                    " truemeans.run.points.map((_, i) => truemeans.distances(f, i)))"
                )
            for frame, found in zip(walk.frames, shown, strict=True):
                if frame.centroids is not None:
                    canonical = ReferenceEngine().sq_distances(
                        walk.run.X, frame.centroids.astype(np.float64)
                    )
                    assert canonical.tolist() == found

    def test_numbers_are_written_as_in_python(self, browser, pages):
        random = np.random.RandomState(0)
        values = random.standard_normal(300) * 10.0 ** random.randint(-12, 12, 300)
        values = [*values, 0.0, -0.0, 0.125, -0.125, 2.5, 9.9995, 1e7]
        with opened(browser, pages("lesson")[1]) as page:
            for fixed, digits in [(True, 0), (True, 2), (True, 8), (False, 3), (False, 5)]:
                shown = page.evaluate(
                    "([fixed, digits, values]) => values.map(truemeans.formatter({fixed, digits}))",
                    [fixed, digits, [float(v) for v in values]],
                )
                assert shown == [Style(fixed, digits)(float(v)) for v in values]


class TestPoints:
    def test_hover_tap_and_keys_show_a_points_numbers(self, browser, pages):
        walk, path = pages("lesson")
        frame = next(f for f in walk.frames if f.name == "round-3-assign")
        with opened(browser, path, frame.name) as page:
            page.hover("#plot [data-point='8'] .reach", force=True)
            tip = page.inner_text("#tip")
            assert "Point 9" in tip
            for text in walk.styles.squares(frame.sq_distances(walk.run.X)[8]):
                assert text in tip
            page.mouse.move(2, 2)
            assert page.is_hidden("#tip")
            page.click("#plot [data-point='8'] .reach", force=True)
            page.mouse.move(2, 2)
            check_distances(page, walk, frame)
            assert "Point 9 " in page.inner_text("#numbers .lead")
            assert len(cells(page, ".rounds")) == 3
            page.focus("#plot")
            page.keyboard.press("ArrowDown")
            assert "Point 10 " in page.inner_text("#numbers .lead")
            assert "Point 10 at" in page.text_content("#spoken")
            page.keyboard.press("ArrowUp")
            page.keyboard.press("ArrowUp")
            assert "Point 8 " in page.inner_text("#numbers .lead")

    def test_the_cells_are_the_nearest_centroids(self, browser, pages):
        _, path = pages("twelve")
        for name in ("round-1-assign", "stop"):
            with opened(browser, path, name) as page:
                corners = each_points(page, "#plot .cell")
                wrong = page.evaluate(
                    """() => {
                      const svg = document.getElementById("plot");
                      const cells = [...svg.querySelectorAll(".cell")];
                      const number = (node) =>
                        Number(/cluster-(\\d+)/.exec(node.getAttribute("class"))[1]);
                      const read = (node) => node.style.transform.match(/-?[\\d.]+/g).map(Number);
                      return [...svg.querySelectorAll(".dot")].filter((dot) => {
                        const [x, y] = read(dot);
                        // Corners are drawn to a tenth of a pixel, and some points lie on a border.
                        const near = [[0, 0], [0.2, 0], [-0.2, 0], [0, 0.2], [0, -0.2]];
                        const holds = (cell) =>
                          near.some(([dx, dy]) => cell.isPointInFill(new DOMPoint(x + dx, y + dy)));
                        return !cells.filter(holds).map(number).includes(number(dot));
                      }).length;
                    }"""
                )
                assert wrong == 0
                # The cells cover the picture once: none reaches into another.
                low, high = np.concatenate(corners).min(axis=0), np.concatenate(corners).max(axis=0)
                assert sum(map(area, corners)) == pytest.approx(np.prod(high - low), rel=1e-3)

    def test_with_more_columns_the_notice_says_what_distances_use(self, browser, pages):
        _, path = pages("iris")
        with opened(browser, path, "round-2-assign") as page:
            assert "Distances are measured in all columns" in page.inner_text("#all-columns")
            # Cells in the picture would not be the cells of the clusters.
            assert page.locator("#plot .cell").count() == 0
            assert page.is_hidden("#not-to-scale")

    def test_a_stretched_picture_says_so(self, browser, pages):
        with opened(browser, pages("stretched")[1]) as page:
            assert page.is_visible("#not-to-scale")
        with opened(browser, pages("lesson")[1]) as page:
            assert page.is_hidden("#not-to-scale")
            assert page.locator("#all-columns").count() == 0


class TestPredict:
    def test_the_next_frame_waits_for_an_answer(self, browser, pages):
        walk, path = pages("lesson")
        with opened(browser, path, "start") as page:
            page.check("#predict")
            page.click("#next")
            assert page.get_attribute("#stage", "data-frame") == "start"
            question = page.inner_text("#question .lead")
            i = int(re.search(r"point (\d+)", question).group(1)) - 1
            right = int(walk.frames[2].labels[i])
            page.click(f"[data-choice='{right}']")
            assert page.get_attribute("#stage", "data-frame") == "round-1-assign"
            assert page.inner_text("#question .lead").startswith("Yes")
            page.click("#next")
            assert "move farthest" in page.inner_text("#question .lead")
            far = int(walk.frames[3].update.travel.argmax())
            # A tap on a centroid answers too.
            page.locator("#plot .centroid").nth(1 - far).click(force=True)
            assert page.inner_text("#question .lead") == f"No, it is {letters([far])[0]}."
            assert "1 of 2 answers right" in page.inner_text("#question")
            assert page.get_attribute("#stage", "data-frame") == "round-1-update"


class TestEveryReader:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 390])
    def test_accessibility(self, browser, pages, scheme, width):
        _, path = pages("lesson")
        shape = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        with opened(browser, path, reduced_motion="reduce", **shape) as page:
            open_table(page)
            for place in ("data", "start", "round-2-assign", "round-2-update", "stop", *TABS):
                page.evaluate("place => { location.hash = place; }", place)
                if place == "worksheet":
                    page.check("#sheet-answers")
                assert violations(page) == []
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, place

    @pytest.mark.parametrize("name", ["iris", "twelve", "ended"])
    def test_accessibility_of_other_data(self, browser, pages, name):
        _, path = pages(name)
        with opened(browser, path, reduced_motion="reduce") as page:
            for place in ("round-2-assign", "round-2-update", "stop", "sandbox"):
                page.evaluate("place => { location.hash = place; }", place)
                assert violations(page) == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_colours_stand_out_and_differ(self, browser, pages, scheme):
        _, path = pages("lesson")
        with opened(browser, path, color_scheme=scheme) as page:
            shown = page.evaluate(
                """() => {
                  const probe = document.createElement("span");
                  document.body.append(probe);
                  const read = (name) => {
                    probe.style.color = `var(--${name})`;
                    const colour = getComputedStyle(probe).color;
                    return colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
                  };
                  const clusters = [...Array(12).keys()].map((j) => `c${j}`);
                  return ["card", "none", "mark-ink", ...clusters].map(read);
                }"""
            )
        card, none, ink, *clusters = [colours.linear(colour) for colour in shown]
        for colour in (none, *clusters):
            assert colours.contrast(colour, card) >= 3
        for colour in clusters:
            assert colours.contrast(colour, ink) >= 3
        # 2.3 is just noticeable in this space; shapes and letters differ as well.
        assert colours.least_difference(clusters[:4]) > 25
        assert colours.least_difference(clusters) > 12

    def test_shapes_differ(self, browser, pages):
        _, path = pages("twelve")
        with opened(browser, path, "stop") as page:
            shapes = page.evaluate(
                "() => [...document.querySelectorAll('#plot .centroid .mark')]"
                ".map(m => m.getAttribute('d'))"
            )
            names = each(page, "#plot .letter")
        assert len(set(shapes)) == len(set(names)) == 12

    def test_reduced_motion(self, browser, pages):
        _, path = pages("lesson")
        moving = (
            "() => getComputedStyle(document.querySelector('#plot .centroid')).transitionDuration"
        )
        with opened(browser, path, "start", reduced_motion="reduce") as page:
            assert page.evaluate(moving) == "0s"
        with opened(browser, path, "start", reduced_motion="no-preference") as page:
            assert page.evaluate(moving) != "0s"

    def test_the_frame_is_spoken(self, browser, pages):
        _, path = pages("lesson")
        with opened(browser, path, "stop") as page:
            live = page.locator("[aria-live=polite]", has=page.locator("#title"))
            assert "converged after 5 rounds" in live.inner_text()

    def test_theme_button(self, browser, pages):
        _, path = pages("lesson")
        paper = "() => getComputedStyle(document.body).backgroundColor"
        with opened(browser, path, color_scheme="light") as page:
            before = page.evaluate(paper)
            page.click("#theme")
            assert page.evaluate(paper) == before
            page.click("#theme")
            assert page.evaluate(paper) != before
            assert page.get_attribute("#theme", "aria-label") == "Colours: dark"


def each_points(page, selector):
    """The corners of polygons, in pixels."""
    texts = page.evaluate(
        "s => [...document.querySelectorAll(s)].map(e => e.getAttribute('points'))", selector
    )
    return [np.array([[*map(float, p.split(","))] for p in text.split()]) for text in texts]


def area(corners):
    x, y = corners.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


class TestPaper:
    def test_all_frames_as_a_comic_strip(self, browser, pages):
        walk, path = pages("lesson")
        with opened(browser, path, "all-frames") as page:
            panels = page.locator(".panel")
            assert panels.count() == len(walk.frames)
            before = None
            for i, frame in enumerate(walk.frames):
                text = panels.nth(i).inner_text()
                assert text.startswith(walk.teller.title(frame))
                assert walk.teller.text(frame, before) in text
                if frame.update is not None:
                    row = walk.styles.row
                    for j in range(2):
                        sums = ", ".join(row(frame.update.sums[j]))
                        means = ", ".join(row(frame.centroids[j]))
                        assert f"({sums}) ÷ {frame.update.counts[j]} = ({means})" in text
                before = frame

    def test_printing_prints_the_strip_on_one_sheet(self, browser, pages, tmp_path):
        _, path = pages("lesson")
        with opened(browser, path, "round-2-assign") as page:
            page.pdf(path=tmp_path / "strip.pdf", format="A4")
            assert (tmp_path / "strip.pdf").read_bytes().count(b"/Type /Page\n") == 1
            page.emulate_media(media="print")
            assert page.is_visible("#strip")
            assert page.is_hidden("#panel-walk")
            assert page.locator(".panel").count() == 12

    def test_a_worksheet_with_answers(self, browser, pages):
        walk, path = pages("lesson")
        row = walk.styles.row
        with opened(browser, path, "worksheet") as page:
            page.select_option("#sheet-round", "2")
            assert not page.is_visible(".answer >> nth=0")
            page.check("#sheet-answers")
            assert page.is_visible(".answer >> nth=0")
            assign = next(f for f in walk.frames if f.name == "round-2-assign")
            update = next(f for f in walk.frames if f.name == "round-2-update")
            rows_shown = cells(page, "#sheet")
            d = assign.sq_distances(walk.run.X)
            for i in range(30):
                expected = [str(i + 1), *row(walk.run.X[i]), *walk.styles.squares(d[i])]
                assert rows_shown[i] == [*expected, letters(assign.labels)[i]]
            for j in range(2):
                sums, means = row(update.update.sums[j]), row(update.centroids[j])
                flat = [text for pair in zip(sums, means, strict=True) for text in pair]
                counts = str(update.update.counts[j])
                assert rows_shown[30 + j] == [letters([j])[0], counts, *flat]


class TestSize:
    @pytest.mark.parametrize("name", WALKS)
    def test_below_300_kb(self, pages, name):
        assert pages(name)[1].stat().st_size < 300_000
