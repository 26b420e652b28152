"""A progress bar for runs that take longer than a second, in terminals and in notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from truemeans.result import END_RUN

if TYPE_CHECKING:
    from rich.progress import Progress

    from truemeans.result import Callback, Iteration, Refinement

__all__ = ["ProgressBar"]

_PATIENCE_SECONDS = 1.0
_REDRAW_SECONDS = 0.1


class ProgressBar:
    """A callback that draws the iterations of a fit as a bar.

    What ``k_means(..., progress=True)`` uses; for `KMeans` it is given as below. The bar appears
    once the fit has lasted a second, on standard error if that is a terminal, under the cell in
    a notebook, and nowhere else. It would be full at ``max_iter``, which few runs reach: they
    end when nothing changes. The ``with`` takes the bar away even if the fit is interrupted.

    Parameters
    ----------
    callback : callable, default=None
        Another callback, told of every iteration first; what it returns is passed on.

    Examples
    --------
    >>> from truemeans import KMeans, ProgressBar
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> with ProgressBar() as bar:
    ...     model = KMeans(n_clusters=2, init=[[0, 0], [9, 9]], callback=bar).fit(X)
    >>> model.inertia_
    16.0
    """

    def __init__(self, callback: Callback | None = None) -> None:
        self._callback = callback
        self._begin: float | None = None
        self._drawing: _Drawing | None = None

    def __enter__(self) -> ProgressBar:
        self._begin = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._begin = None
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None

    def __call__(self, iteration: Iteration) -> object:
        """Draw one iteration, once the fit has lasted long enough for someone to wonder."""
        answer = None if self._callback is None else self._callback(iteration)
        if self._begin is None:
            self._begin = time.monotonic()
        seconds = time.monotonic() - self._begin
        if self._drawing is None and seconds >= _PATIENCE_SECONDS:
            self._drawing = _draw(iteration.max_iter * iteration.n_init)
        if self._drawing is not None:
            run = f"run {iteration.run + 1} of {iteration.n_init}, " if iteration.n_init > 1 else ""
            self._drawing.move(
                iteration.run * iteration.max_iter + iteration.n_iter,
                f"{run}iteration {iteration.n_iter} of at most {iteration.max_iter}, "
                f"{iteration.n_changed:,} labels changed, {seconds:.0f} s",
            )
        if _is_last(iteration) or (answer and answer is not END_RUN):
            self._end()
        return answer

    def swaps(self, done: Refinement) -> None:
        """Draw the state of a search for better centroids."""
        if self._begin is None:
            self._begin = time.monotonic()
        seconds = time.monotonic() - self._begin
        if self._drawing is None and seconds >= _PATIENCE_SECONDS:
            self._drawing = _draw(None)
        if self._drawing is not None:
            self._drawing.move(
                done.n_tried,
                f"{done.n_tried:,} swaps tried, {done.n_kept:,} kept, {seconds:.0f} s; "
                "Ctrl-C takes the best so far",
            )
        if done.ended:
            self._end()


def _is_last(iteration: Iteration) -> bool:
    ends = iteration.converged or iteration.n_iter == iteration.max_iter
    return ends and iteration.run == iteration.n_init - 1


class _Drawing:
    """A bar that is on show."""

    def __init__(
        self,
        bar: Progress,
        total: int | None,
        refresh: Callable[[], object],
        close: Callable[[], object],
    ) -> None:
        self._bar, self._refresh, self.close = bar, refresh, close
        self._task = bar.add_task("", total=total)
        self._drawn = 0.0

    def move(self, completed: int, words: str) -> None:
        self._bar.update(self._task, completed=completed, description=words)
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_SECONDS:
            self._drawn = now
            self._refresh()


def _draw(total: int | None) -> _Drawing:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(file=sys.stderr)
    columns = (BarColumn(20), TextColumn("{task.description}"))
    if console.is_jupyter:
        return _draw_in_notebook(Progress(*columns, console=console, auto_refresh=False), total)
    # Where nobody is looking, in a log file say, rich draws nothing until the end.
    shown = sys.stderr is not None and sys.stderr.isatty()
    bar = Progress(*columns, console=console, transient=True, auto_refresh=False, disable=not shown)
    bar.start()
    return _Drawing(bar, total, bar.refresh, bar.stop)


def _draw_in_notebook(bar: Progress, total: int | None) -> _Drawing:
    from IPython.display import display

    # A display that is updated in place, which needs no widgets; rich renders itself as HTML.
    handle: Any = display(bar, display_id=True)

    def refresh() -> None:
        handle.update(bar)

    return _Drawing(bar, total, refresh, refresh)
