"""What the page draws of a frame, compared with the recorded run: every mark, every number."""

from __future__ import annotations

import re

import numpy as np


def numbers_in(text):
    """Numbers as the page writes them, read back."""
    powers = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    found = re.findall(r"−?\d+(?:\.\d+)?(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", text)
    return [float(n.replace("−", "-").replace("×10", "e").translate(powers)) for n in found]


def open_table(page):
    """Open the table of all numbers; the browser says so a little later."""
    page.click("#all-numbers summary")
    page.wait_for_selector("#table tbody tr")


def each(page, selector, what="textContent"):
    """One property of every element."""
    return page.evaluate(
        "([selector, what]) => [...document.querySelectorAll(selector)].map(e => e[what])",
        [selector, what],
    )


def cells(page, selector):
    """The text of every cell of a table's body."""
    return page.evaluate(
        "s => [...document.querySelectorAll(s + ' tbody tr')].map(r =>"
        " [...r.children].map(c => c.textContent.trim()))",
        selector,
    )


def letters(labels):
    return ["ABCDEFGHIJKL"[j] for j in labels]


def check_frame(page, walk, index):
    """Compare everything the page shows of a frame with the recorded run."""
    frame = walk.frames[index]
    before = walk.frames[index - 1] if index else None
    row, square = walk.styles.row, walk.styles.square
    X = walk.run.X
    assert page.get_attribute("#stage", "data-frame") == frame.name
    assert page.inner_text("#title") == walk.teller.title(frame)
    assert page.inner_text("#text") == walk.teller.text(frame, before)
    assert page.url.endswith(f"#{frame.name}")
    drawn = page.evaluate(
        "() => [...document.querySelectorAll('#plot .dot')].map(d =>"
        " [d.getAttribute('class'), d.getAttribute('aria-label'), d.style.transform])"
    )
    assert len(drawn) == len(X)
    at = np.array([place(transform) for _, _, transform in drawn])
    check_places(page, walk, frame, at)
    changed = set()
    if frame.kind == "assign" and before.labels is not None:
        changed = set(frame.changed.tolist())
    for i, (classes, name, _) in enumerate(drawn):
        coordinates = ", ".join(row(X[i]))
        assert f"Point {i + 1} at ({coordinates})" in name
        assert ("changed" in classes.split()) == (i in changed)
        if frame.labels is None:
            assert "no-cluster" in classes
        else:
            assert f"cluster-{frame.labels[i]}" in classes.split()
            assert f"cluster {letters(frame.labels)[i]}" in name
    table = cells(page, "#table")
    for i, line in enumerate(table):
        expected = [str(i + 1), *row(X[i])]
        if frame.centroids is not None:
            expected += walk.styles.squares(frame.sq_distances(X)[i])
        if frame.labels is not None:
            expected.append(letters(frame.labels)[i])
            last = [f for f in walk.frames[:index] if f.kind == "assign"]
            expected.append(f"was {letters(last[-1].labels)[i]}" if i in changed else "")
        assert line == expected
    assert len(table) == len(X)
    if frame.inertia is not None and frame.kind != "stop":
        assert page.text_content("#chart .now") == f"J = {square(frame.inertia)}"
    parts = each(page, "[data-part]")
    if frame.parts is not None and len(frame.parts) > 1:
        shown = [f"{letters([j])[0]} {square(p)}" for j, p in enumerate(frame.parts)]
        assert parts == shown
    if frame.update is not None:
        check_update(page, walk, frame)
    if frame.kind == "assign":
        check_distances(page, walk, frame)


def place(transform):
    """Where a mark stands, in pixels."""
    return [float(v) for v in re.findall(r"(-?[\d.]+)px", transform)]


def check_places(page, walk, frame, at):
    """One linear map takes rows and centroids to the screen: across grows with x, up with y."""
    points = walk.plane.project(walk.run.X)
    centroids = np.empty((0, 2)) if frame.centroids is None else walk.plane.project(frame.centroids)
    marks = page.evaluate(
        "() => [...document.querySelectorAll('#plot .centroid')].map(c => c.style.transform)"
    )
    assert len(marks) == len(centroids)
    shown = np.array([place(mark) for mark in marks]).reshape(-1, 2)
    for f, sign in ((0, 1), (1, -1)):
        span = np.ptp(points[:, f])
        if span == 0:
            continue
        first, last = points[:, f].argmin(), points[:, f].argmax()
        unit = (at[last, f] - at[first, f]) / span
        assert unit * sign > 0
        for drawn, true in ((at, points), (shown, centroids)):
            expected = at[first, f] + (true[:, f] - points[first, f]) * unit
            assert np.abs(drawn[:, f] - expected).max(initial=0) < 0.05


def check_update(page, walk, frame):
    """The sums, counts, means and moves that are shown."""
    row, length = walk.styles.row, walk.styles.length
    shown = each(page, "#numbers [data-cluster]", "innerText")
    for j, text in enumerate(shown):
        sums, count = frame.update.sums[j], frame.update.counts[j]
        wanted = [f"{count}", length(frame.update.travel[j])]
        wanted += row(frame.centroids[j])
        if count:
            wanted += row(sums)
        found = numbers_in(text)
        for number in numbers_in(" ".join(wanted)):
            assert number in found, (text, wanted)
    assert len(shown) == len(frame.centroids)


def check_distances(page, walk, frame):
    """The point in the light: its terms add up to its squared distances, the least is its own."""
    lead = page.inner_text("#numbers .lead")
    i = int(re.match(r"Point (\d+)", lead).group(1)) - 1
    d = frame.sq_distances(walk.run.X)[i]
    shown = each(page, "[data-sq-distance]")
    assert shown == walk.styles.squares(d)
    # Which is the least can be seen.
    assert len(set(shown)) > 1 or len(set(d.tolist())) == 1
    own = each(page, ".distances tbody tr", "className")
    assert own.index("own") == int(d.argmin()) == frame.labels[i]
    rounds = cells(page, ".rounds")
    passed = [f for f in walk.frames[: walk.frames.index(frame) + 1] if f.kind == "assign"]
    if len(passed) > 1:
        for row, one in zip(rounds, passed, strict=True):
            assert row[1:-1] == walk.styles.squares(one.sq_distances(walk.run.X)[i])
            assert row[-1].startswith(letters(one.labels)[i])
