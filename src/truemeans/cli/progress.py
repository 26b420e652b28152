"""A progress bar on the terminal for runs that take longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from truemeans.result import Iteration

__all__ = ["FitProgress"]

_PATIENCE_SECONDS = 1.0


class FitProgress:
    """A callback for `truemeans.k_means` that draws its iterations on standard error.

    Parameters
    ----------
    n_init : int
        Number of runs.
    """

    def __init__(self, n_init: int) -> None:
        self._n_init = n_init
        self._begin = time.monotonic()
        self._drawn: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> FitProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()

    def __call__(self, iteration: Iteration) -> None:
        """Draw one iteration, once the run has lasted long enough for someone to wonder."""
        if self._drawn is None:
            if time.monotonic() - self._begin < _PATIENCE_SECONDS:
                return
            self._drawn = self._draw(total=iteration.max_iter * self._n_init)
        bar, task = self._drawn
        run = f"run {iteration.run + 1} of {self._n_init}, " if self._n_init > 1 else ""
        bar.update(
            task,
            completed=iteration.run * iteration.max_iter + iteration.n_iter,
            description=f"{run}iteration {iteration.n_iter} of at most {iteration.max_iter}, "
            f"{iteration.n_changed:,} labels changed, {time.monotonic() - self._begin:.0f} s",
        )

    @staticmethod
    def _draw(total: int) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (BarColumn(20), TextColumn("{task.description}"))
        bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
        bar.start()
        return bar, bar.add_task("", total=total)
