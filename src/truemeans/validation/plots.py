"""Checks of what pictures are made of."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from truemeans.validation.parameters import InvalidParameterError, shown
from truemeans.validation.tables import column_label, is_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from truemeans.result import History

__all__ = [
    "check_axes",
    "check_columns",
    "check_drawable",
    "check_history",
    "check_rows_given",
    "names_of",
    "require_matplotlib",
]


def require_matplotlib() -> None:
    """Raise, and say what to install, where matplotlib is not there."""
    if find_spec("matplotlib") is None:
        raise ModuleNotFoundError(
            "plots need matplotlib, which is not installed; pip install 'truemeans[plots]' "
            "installs it.",
            name="matplotlib",
        )


def check_axes(ax: object) -> Axes:
    """Return matplotlib axes."""
    from matplotlib.axes import Axes as Kind

    if isinstance(ax, Kind):
        return ax
    raise InvalidParameterError(
        f"ax={shown(ax)} must be matplotlib axes or None; give what plt.subplots() returns second."
    )


def check_drawable(fitted: Any) -> tuple[Any, Any]:
    """Return the scaler, or None, and the fitted k-means of an estimator or pipeline."""
    steps = [step for _, step in getattr(fitted, "steps", [("", fitted)])]
    *before, last = steps
    if not hasattr(last, "n_clusters"):
        raise InvalidParameterError(
            f"fitted={shown(fitted)} must be a fitted KMeans, a Result of k_means or what "
            "truemeans.load returns; give one of them."
        )
    if not hasattr(last, "cluster_centers_"):
        raise ValueError(f"This {type(last).__name__} is not fitted yet; call fit before drawing.")
    if not before:
        return None, last
    scaler = before[0]
    if len(before) > 1 or getattr(scaler, "mean_", None) is None or scaler.scale_ is None:
        raise ValueError(
            "Of pipelines only a StandardScaler before a KMeans is drawn in the units of the data; "
            "give the last step, and X as it comes to that step."
        )
    return scaler, last


def check_rows_given(X: object) -> None:
    """Raise if there are no rows to draw."""
    if X is None:
        raise ValueError("X is missing, and this model holds no rows; give the rows to draw.")


def names_of(X: object, n_features: int) -> tuple[str, ...] | None:
    """Return the names of the columns of a table, None where they have none."""
    if not is_table(X):
        return None
    return tuple(column_label(X, j) or "" for j in range(n_features))


def check_columns(columns: object, names: Sequence[str]) -> tuple[int, int] | None:
    """Return the two columns to draw, by number."""
    if columns is None:
        return None
    if isinstance(columns, str) or not isinstance(columns, Sequence) or len(columns) != 2:
        raise InvalidParameterError(
            f"columns={shown(columns)} must be two names or numbers of columns, or None; give two."
        )
    first, second = (_column(column, names) for column in columns)
    return first, second


def _column(column: object, names: Sequence[str]) -> int:
    if isinstance(column, str):
        if column in names:
            return list(names).index(column)
        close = difflib.get_close_matches(column, names, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names[:12])}."
        raise ValueError(f"columns names {column!r}, and no column is called that; {hint}")
    try:
        number = operator.index(column)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if isinstance(column, bool) or not 0 <= number < len(names):
        raise InvalidParameterError(
            f"columns has {shown(column)}, which must be a name or a number from 0 to "
            f"{len(names) - 1}; give one."
        )
    return number


def check_history(fitted: Any) -> History:
    """Return the history of a run."""
    history = getattr(fitted, "history", None) or getattr(fitted, "history_", None)
    if history is not None and hasattr(history, "n_changed"):
        found: History = history
        return found
    raise ValueError(
        f"{type(fitted).__name__} has no history of a run: models keep none in a file, and other "
        "objects have none; give a Result of k_means or a KMeans after fit."
    )
