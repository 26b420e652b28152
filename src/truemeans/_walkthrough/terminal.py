"""The same frames in the terminal: a picture in characters, the numbers, and a key to go on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from truemeans._walkthrough.frames import Frame
from truemeans._walkthrough.story import letter

if TYPE_CHECKING:
    from truemeans._walkthrough.run import Walkthrough

__all__ = ["play"]

# Letters say which cluster; colours only help. Twelve that differ on light and dark grounds.
_COLOURS = (
    "blue", "dark_orange3", "green", "magenta", "yellow", "bright_black",
    "purple", "red", "bright_green", "cyan", "bright_red", "bright_blue",
)  # fmt: skip
_ROWS = 20
_MOST_COLUMNS = 4


def play(walk: Walkthrough, console: Console | None = None) -> None:
    """Show the frames one after the other.

    On a terminal, Enter goes on, b goes back, a number goes to that frame and q ends it; to a
    file or a pipe all frames are written.

    Parameters
    ----------
    walk : Walkthrough
        What is shown.
    console : rich.console.Console, optional
        Where to; standard output by default.
    """
    console = console or Console(highlight=False, emoji=False)
    if not (console.is_terminal and sys.stdin.isatty()):
        for index in range(len(walk.frames)):
            console.print(_page(walk, index, console.width))
        return
    index = 0
    last = len(walk.frames) - 1
    while True:
        console.clear()
        console.print(_page(walk, index, console.width))
        answer = _ask(console, index, last)
        if answer in ("q", "quit", "exit"):
            return
        if answer in ("b", "back"):
            index = max(0, index - 1)
        elif answer.isdecimal():
            index = min(max(int(answer), 1), last + 1) - 1
        elif index == last:
            return
        else:
            index += 1


def _ask(console: Console, index: int, last: int) -> str:
    on = "Enter ends" if index == last else "Enter goes on"
    try:
        return console.input(f"{on}, b goes back, 1 to {last + 1} jumps, q quits: ").strip().lower()
    except EOFError:
        return "q"


def _page(walk: Walkthrough, index: int, width: int) -> Panel:
    frame = walk.frames[index]
    before = walk.frames[index - 1] if index else None
    parts: list[Text | Table] = [
        _picture(walk, frame, before, min(width - 4, 76)),
        Text(walk.teller.text(frame, before)),
    ]
    if frame.update is not None:
        parts.append(_means(walk, frame))
    elif frame.kind == "assign" and before is not None:
        parts.append(_distances(walk, frame, before))
    title = f"[{index + 1}/{len(walk.frames)}] {walk.teller.title(frame)}"
    return Panel(Group(*parts), title=Text(title), subtitle=Text(frame.name), box=box.ROUNDED)


def _picture(walk: Walkthrough, frame: Frame, before: Frame | None, width: int) -> Text:
    """Points as small letters of their cluster, centroids as capitals; changed points stand out."""
    points = walk.plane.project(walk.run.X)
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)

    def cell(place: np.ndarray) -> tuple[int, int]:
        across, up = (place - low) / span
        return round(float(1 - up) * (_ROWS - 1)), round(float(across) * (width - 1))

    grid = [[(" ", "")] * width for _ in range(_ROWS)]
    changed = (
        set(frame.changed.tolist()) if before is not None and before.labels is not None else ()
    )
    for i, point in enumerate(points):
        row, column = cell(point)
        if frame.labels is None:
            grid[row][column] = ("·", "")
            continue
        label = int(frame.labels[i])
        style = _COLOURS[label] + (" reverse" if i in changed else "")
        grid[row][column] = (letter(label).lower(), style)
    if frame.centroids is not None:
        for j, place in enumerate(walk.plane.project(frame.centroids)):
            row, column = cell(np.clip(place, low, high))
            grid[row][column] = (letter(j), f"bold {_COLOURS[j]}")
    lines = (Text.assemble(*((sign, style) for sign, style in line)) for line in grid)
    return Text("\n").join([*lines, Text("")])


def _means(walk: Walkthrough, frame: Frame) -> Table:
    assert frame.update is not None
    assert frame.centroids is not None
    styles = walk.styles
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("cluster")
    names = walk.names[:_MOST_COLUMNS]
    for name in ("points", *(f"{what} {name}" for name in names for what in ("sum", "mean"))):
        table.add_column(Text(name), justify="right")
    table.add_column("moved", justify="right")
    for j, size in enumerate(frame.update.counts):
        sums, means = styles.row(frame.update.sums[j]), styles.row(frame.centroids[j])
        pairs = zip(sums, means, strict=True)
        cells = [text for pair in pairs for text in pair][: 2 * len(names)]
        moved = styles.length(float(frame.update.travel[j]))
        table.add_row(letter(j), str(size), *cells, moved)
    return table


def _distances(walk: Walkthrough, frame: Frame, before: Frame) -> Table:
    """Squared distances of the points that changed sides, or of all in the first round."""
    assert frame.labels is not None
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("point")
    shown = min(walk.teller.n_clusters, 6)
    for j in range(shown):
        table.add_column(f"d² to {letter(j)}", justify="right")
    table.add_column("cluster")
    distances = frame.sq_distances(walk.run.X)
    for i in frame.changed:
        was = "" if before.labels is None else f" (was {letter(int(before.labels[i]))})"
        numbers = walk.styles.squares(distances[i].tolist())[:shown]
        table.add_row(str(i + 1), *numbers, f"{letter(int(frame.labels[i]))}{was}")
    return table
