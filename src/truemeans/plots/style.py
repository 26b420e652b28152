"""How clusters look: colours that colour-blind readers can tell apart, and a shape for each.

M. Okabe, K. Ito, "Color universal design", 2008: seven colours, for dark backgrounds as they
are. Yellow is too faint on white, so an indigo stands in for it there. Shapes go round a list of
nine, so that colour and shape together repeat after 63 clusters only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans.validation.plots import check_axes, require_matplotlib

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

__all__ = [
    "COLORS_ON_DARK",
    "COLORS_ON_LIGHT",
    "MARKERS",
    "accent",
    "background",
    "colors",
    "foreground",
    "looks",
    "muted",
    "new_axes",
    "note",
]

_SIX = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
COLORS_ON_LIGHT = (*_SIX, "#3B1F7A")
COLORS_ON_DARK = (*_SIX, "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


def new_axes(ax: Axes | None) -> Axes:
    """Return the axes to draw on: the caller's, or those of a new figure."""
    require_matplotlib()
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.figure(layout="constrained").add_subplot()
    return check_axes(ax)


def background(ax: Axes) -> npt.NDArray[np.float64]:
    """Colour behind the axes as red, green and blue."""
    from matplotlib.colors import to_rgba

    color = np.array([1.0, 1.0, 1.0])
    for layer in (ax.figure.get_facecolor(), ax.get_facecolor()):
        *rgb, alpha = to_rgba(layer)
        color = (1 - alpha) * color + alpha * np.array(rgb)
    return color


def colors(ax: Axes) -> tuple[str, ...]:
    """Colours of the clusters, for a light or a dark style."""
    return COLORS_ON_DARK if _is_dark(ax) else COLORS_ON_LIGHT


def looks(ax: Axes, places: npt.NDArray[np.float64]) -> list[tuple[str, str]]:
    """Return a colour and a shape for each cluster.

    Each takes the colour whose clusters so far are farthest from it, among those its shape has
    not had, so that neighbours differ.

    Parameters
    ----------
    ax : Axes
        What they will be drawn on.
    places : ndarray of float64, shape (n_clusters, 2)
        The centroids in the plane.
    """
    palette = colors(ax)
    of: list[int] = []
    for j, place in enumerate(places):
        marker = j % len(MARKERS)
        had = of[marker :: len(MARKERS)]
        rest = set(range(len(palette))).difference(had[len(had) // len(palette) * len(palette) :])
        away = np.abs(places[:j] - place).max(axis=1)
        taken = np.array(of, int)
        near = [away[taken == color].min(initial=np.inf) for color in range(len(palette))]
        of.append(max(sorted(rest), key=near.__getitem__))
    return [(palette[color], MARKERS[j % len(MARKERS)]) for j, color in enumerate(of)]


def accent(ax: Axes) -> str:
    """Colour of a single line and of the words about it."""
    return colors(ax)[4 if _is_dark(ax) else 0]


def foreground(ax: Axes) -> str:
    """Colour of what must be read."""
    return "#F2F2F2" if _is_dark(ax) else "#1A1A1A"


def muted(ax: Axes) -> str:
    """Colour of what stands back."""
    return "#A6A6A6" if _is_dark(ax) else "#666666"


def _is_dark(ax: Axes) -> bool:
    return float(background(ax) @ (0.2126, 0.7152, 0.0722)) < 0.5


def note(ax: Axes, words: str) -> Any:
    """Write a small line above the axes, at the right."""
    return ax.annotate(
        words,
        (1, 1),
        (0, 4),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
        color=muted(ax),
    )
