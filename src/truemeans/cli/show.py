"""How results look: a summary for people, one JSON object for machines."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Summary", "count", "listed", "numbers", "plain", "print_json"]

_LABEL_WIDTH = 10
_MOST_NAMES = 12
_MOST_ROWS = 20
_MOST_VALUES = 8


def plain(text: object) -> str:
    """Return text that moves no cursor: what cannot be printed is written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def numbers(values: npt.NDArray[Any]) -> list[str]:
    """Return a column of numbers with the same decimals, about four digits for the largest."""
    largest = float(np.abs(values).max())
    if largest and not 1e-3 <= largest < 1e12:
        return [f"{value:.3e}" for value in values]
    decimals = max(0, 3 - math.floor(math.log10(largest))) if largest else 0
    return [f"{value:,.{decimals}f}" for value in values]


def count(n: int, noun: str) -> str:
    """Return a count with its noun: ``1 row``, ``1,000 rows``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object, ASCII only, as one line of standard output.

    JSON has no infinity: null stands for a number that is not finite.
    """
    print(json.dumps(_finite(content), allow_nan=False), flush=True)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    is_number = not isinstance(content, float) or math.isfinite(content)
    return content if is_number else None


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Rich would end the process here; the command line has one place for that.
        raise BrokenPipeError


class Summary:
    """A summary in lines of a label and a text, and tables of clusters.

    Parameters
    ----------
    to_stderr : bool
        Whether standard output is taken by something else.
    """

    def __init__(self, *, to_stderr: bool = False) -> None:
        file: TextIO = sys.stderr if to_stderr else sys.stdout
        if isinstance(file, io.TextIOWrapper):
            # Column names come in any script, and not every terminal's encoding has it.
            file.reconfigure(errors="replace")
        # In a file nothing needs to be broken into lines.
        width = None if file.isatty() else 1000
        self._console = _Console(file=file, width=width, highlight=False, markup=False, emoji=False)

    def line(self, label: str, text: str) -> None:
        """Print a text under a label, wrapped beside it."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_LABEL_WIDTH, style="bold")
        grid.add_column()
        grid.add_row(label, Text(plain(text)))
        self._console.print(grid)

    def exact(self, label: str, text: str, note: str = "") -> None:
        """Print a text that is to be copied, so it is never broken, and a note beside it."""
        line = Text.assemble((f"{label:<{_LABEL_WIDTH}} ", "bold"), (plain(text), "cyan"))
        line.append(f"  {plain(note)}" if note else "")
        self._console.print(line, soft_wrap=True)

    def gap(self) -> None:
        """Print an empty line."""
        self._console.print()

    def columns(self, used: Sequence[str], left_out: dict[str, str]) -> None:
        """Print which columns are used, and which are not and why."""
        self.line("Columns", listed(used))
        if left_out:
            reasons = [f"{name or '(no name)'} ({reason})" for name, reason in left_out.items()]
            self.line("Left out", listed(reasons, "; "))

    def notes(self, notes: Iterable[str]) -> None:
        """Print what the user should know."""
        for note in notes:
            self.line("Note", note)

    def clusters(
        self,
        n_clusters: int,
        sizes: npt.NDArray[np.int64] | None,
        centroids: npt.NDArray[Any] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        """Print a table of clusters: sizes, shares and, where there is room, the centroids.

        Parameters
        ----------
        n_clusters : int
            Number of clusters.
        sizes : ndarray of int64, shape (n_clusters,), or None
            Rows per cluster, if they are known.
        centroids : ndarray, shape (n_clusters, n_features), optional
            In the units of the data.
        names : sequence of str
            A name per feature.
        """
        bare = _size_columns(n_clusters, sizes)
        layouts = [bare]
        if centroids is not None and len(names) <= _MOST_VALUES:
            values = zip(names, centroids[:_MOST_ROWS].T, strict=True)
            full = [*bare, *([plain(name), *numbers(column)] for name, column in values)]
            across = [list(line) for line in zip(*full, strict=True)]
            layouts = [full, across, bare]
        tables = [_table(layout) for layout in layouts]
        self._console.print(next((t for t in tables if self._fits(t)), tables[-1]))
        if n_clusters > _MOST_ROWS:
            self.line("", f"… and {count(n_clusters - _MOST_ROWS, 'more cluster')}")

    def swatches(self, colors: Sequence[str], shares: npt.NDArray[np.float64]) -> None:
        """Print colours, each as itself, as ``#RRGGBB`` and with its share."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_LABEL_WIDTH, style="bold")
        # Elsewhere than on a terminal a block of colour is nothing but blanks.
        block = "      " if self._console.is_terminal else ""
        for color, share in zip(colors[:_MOST_ROWS], shares, strict=False):
            grid.add_row("", Text(block, f"on {color}"), color, Text(f"{100 * share:5.1f} %"))
        self._console.print(grid)
        if len(colors) > _MOST_ROWS:
            self.line("", f"… and {count(len(colors) - _MOST_ROWS, 'more colour')}")

    def values(self, names: Sequence[str], columns: dict[str, npt.NDArray[Any]]) -> None:
        """Print a table of values by feature, cut where it gets long."""
        cells = {name: numbers(values[:_MOST_ROWS]) for name, values in columns.items()}
        feature = ["Feature", *map(plain, names[:_MOST_ROWS])]
        self._console.print(_table([feature, *([name, *cell] for name, cell in cells.items())]))
        if len(names) > _MOST_ROWS:
            self.line("", f"… and {count(len(names) - _MOST_ROWS, 'more feature')}")

    def _fits(self, table: Table) -> bool:
        # Measured on a screen without an edge: on this one nothing would be wider than it.
        boundless = self._console.options.update(max_width=sys.maxsize)
        width = Measurement.get(self._console, boundless, table).maximum
        return width <= self._console.width


def listed(items: Sequence[str], separator: str = ", ") -> str:
    """Return items as one text, cut where it gets long."""
    more = [f"… and {len(items) - _MOST_NAMES:,} more"] if len(items) > _MOST_NAMES else []
    return separator.join([*items[:_MOST_NAMES], *more])


def _size_columns(n_clusters: int, sizes: npt.NDArray[np.int64] | None) -> list[list[str]]:
    """Return the columns every table of clusters has, each with its heading first."""
    columns = [["Cluster", *map(str, range(min(n_clusters, _MOST_ROWS)))]]
    if sizes is not None:
        shown = sizes[:_MOST_ROWS].tolist()
        total = max(int(sizes.sum()), 1)
        columns.append(["Size", *(f"{size:,}" for size in shown)])
        columns.append(["Share", *(f"{100 * size / total:.1f} %" for size in shown)])
    return columns


def _table(columns: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for i, (heading, *_) in enumerate(columns):
        table.add_column(heading, justify="left" if i == 0 else "right", no_wrap=True)
    for line in zip(*(cells for _, *cells in columns), strict=True):
        table.add_row(*line)
    return table
