"""How a run converged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans.plots import style
from truemeans.validation.plots import check_history

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["convergence"]

# Inertias further apart than this are drawn on a logarithmic scale.
_LOG_FROM = 20.0
_MOST_DOTS = 60


def convergence(fitted: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the inertia of each iteration, and behind it the number of labels that changed.

    Parameters
    ----------
    fitted : Result or KMeans
        A fitted one; a model from a file has no history.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; None makes a new figure. A second vertical axis is put at the right.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the inertia.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If ``fitted`` has no history.
    TypeError
        If ``fitted`` is no fitted k-means, or ``ax`` no axes.

    Examples
    --------
    >>> from truemeans import k_means, plots
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> ax = plots.convergence(k_means(X, 2, init=[[0, 0], [9, 9]]))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('iteration', 'inertia')
    """
    history = check_history(fitted)
    ax = style.new_axes(ax)
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    n_iter = len(history.inertia)
    iterations = np.arange(1, n_iter + 1)
    behind = ax.twinx()
    behind.set_facecolor(ax.get_facecolor())
    behind.patch.set_visible(True)
    ax.patch.set_visible(False)
    ax.set_zorder(behind.get_zorder() + 1)
    behind.bar(iterations, history.n_changed, width=0.5, color=style.muted(ax), alpha=0.3)
    # Changes fall by orders of magnitude, and the last is 0, which a plain logarithm has no place
    # for.
    behind.set_yscale("symlog", linthresh=1)
    behind.set_ylim(0, max(1.0, 1.3 * float(history.n_changed.max())))
    behind.set_ylabel("labels changed", color=style.muted(ax))
    behind.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    behind.tick_params(axis="y", colors=style.muted(ax))
    color = style.accent(ax)
    marker = "o" if n_iter <= _MOST_DOTS else ""
    ax.plot(iterations, history.inertia, color=color, marker=marker, markersize=5)
    if 0 < _LOG_FROM * history.inertia[-1] < history.inertia[0]:
        ax.set_yscale("log")
    ax.set_xlabel("iteration")
    ax.set_ylabel("inertia", color=color)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(0.4, n_iter + 0.6)
    last = ", the last changed no label" if history.n_changed[-1] == 0 else ""
    style.note(ax, f"{n_iter} iteration{'s' if n_iter > 1 else ''}{last}")
    return ax
