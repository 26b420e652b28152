"""Choose columns of a table and turn them into the rows k-means takes."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from truemeans.tables.table import Table

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["Selection", "read_weights", "select"]

# Cells copied and looked at a time, because Ctrl-C is only heard between calls.
_PIECE_CELLS = 1 << 21
_MISSING = ("", "na", "n/a", "nan", "null", "none", "?")


@dataclass(frozen=True, eq=False)
class Selection:
    """The columns that are clustered.

    Attributes
    ----------
    names : tuple of str
        Their names, in the order of the columns of `X`.
    X : ndarray, shape (n_samples, n_features)
        Their values, all finite: float32 if every chosen column is float32
        or float16, else float64.
    left_out : dict of str to str
        The other columns of the table, each with the reason why it is not used.
    """

    names: tuple[str, ...]
    X: npt.NDArray[Any]
    left_out: dict[str, str]


@dataclass(frozen=True)
class _Fault:
    """Why a column is not numeric: the rule it breaks, and the first row (from 1) that does."""

    reason: str
    row: int | None = None


def select(
    table: Table,
    columns: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    *,
    weights: str | None = None,
    dtype: npt.DTypeLike | None = None,
    can_exclude: bool = True,
) -> Selection:
    """Take the chosen columns of a table as rows for k-means.

    Parameters
    ----------
    table : Table
        Where to take them from.
    columns : sequence of str, optional
        The columns, in this order. By default every numeric column, in file order.
    exclude : sequence of str
        Columns to leave out.
    weights : str, optional
        The column of weights, which is left out too.
    dtype : dtype, optional
        Type of the values; by default the type of the columns decides.
    can_exclude : bool
        Whether whoever asks may leave out a column that has a bad cell.

    Returns
    -------
    Selection
        What was chosen, and what was left out and why.

    Raises
    ------
    ValueError
        If a name is unknown or chosen twice, a chosen column is not numeric, a cell is missing
        or not finite, or no column is left.
    """
    for option, names in (("--columns", columns or ()), ("--exclude", exclude)):
        _check_names(table, option, names)
    reasons = dict.fromkeys(exclude, "excluded")
    if weights is not None:
        _check_names(table, "--weights", (weights,))
        reasons[weights] = "used as weights"
    numbers: dict[str, npt.NDArray[Any]] = {}
    for name in table.names if columns is None else columns:
        reason = reasons.get(name) or _unnamed(table, name, chosen=columns is not None)
        if reason is not None:
            reasons[name] = reason
            continue
        values = _numbers(table, name)
        if not isinstance(values, _Fault):
            numbers[name] = values
        elif columns is None:
            reasons[name] = values.reason
        else:
            raise _not_numeric(table, name, values)
    if not numbers:
        raise _nothing_left(table, reasons)
    X = _matrix(table, numbers, dtype, _exclude if can_exclude else None)
    left_out = {c: reasons.get(c, "not chosen") for c in table.names if c not in numbers}
    return Selection(tuple(numbers), X, left_out)


def read_weights(table: Table, name: str) -> npt.NDArray[np.float64]:
    """Take one column as sample weights: finite, none negative, not all zero.

    Parameters
    ----------
    table : Table
        Where to take it from.
    name : str
        The column.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
    """
    _check_names(table, "--weights", (name,))
    values = _numbers(table, name)
    if isinstance(values, _Fault):
        raise _not_numeric(table, name, values)
    weights = _matrix(table, {name: values}, np.float64, _other_weights)[:, 0]
    if (weights < 0).any():
        row = int(np.argmax(weights < 0)) + 1
        raise ValueError(
            f"{table.place(name, row)} holds {weights[row - 1]:g}, and a weight must not be "
            "negative; correct the cell or delete the row"
        )
    if not weights.any():
        raise ValueError(
            f"{table.name}: column {name!r} holds only zeros, and some weight must be positive; "
            "choose another column of weights"
        )
    return weights


def _check_names(table: Table, option: str, names: Sequence[str]) -> None:
    known = set(table.names)
    for i, name in enumerate(names):
        if name not in known or not name:
            close = difflib.get_close_matches(name, table.names, n=1, cutoff=0.5)
            listed = ", ".join(table.names[:12]) + (", …" if len(table.names) > 12 else "")
            fix = f"did you mean {close[0]!r}?" if close else f"the columns are {listed}"
            raise ValueError(f"{option}: {table.name} has no column {name!r}; {fix}")
        if name in names[:i]:
            raise ValueError(f"{option} names column {name!r} twice; name it once")


def _unnamed(table: Table, name: str, *, chosen: bool) -> str | None:
    """Say why a column that nobody chose by name is no feature, whatever it holds."""
    if not name:
        return "it has no name"
    if name in table.index_columns and not chosen:
        return "the index of a pandas table"
    return None


def _numbers(table: Table, name: str) -> npt.NDArray[Any] | _Fault:
    """Return a column as numbers, NaN where there is none, or the fault that forbids it."""
    at = table.names.index(name)
    if isinstance(table.data, np.ndarray):
        return table.data[:, at]
    column = table.data.column(at)
    return _text_numbers(column) if table.is_text else _typed_numbers(column)


def _typed_numbers(column: pa.ChunkedArray) -> npt.NDArray[Any] | _Fault:
    import pyarrow as pa

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if column.null_count == len(column):
        return _Fault("it is empty")
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        return _Fault(f"its type is {kind}")
    column = column.cast(kind)
    if not pa.types.is_float32(kind):
        wide = pa.float32() if pa.types.is_float16(kind) else pa.float64()
        column = column.cast(wide, safe=False)
    return np.asarray(column.to_numpy())


def _text_numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64] | _Fault:
    import pyarrow as pa
    import pyarrow.compute as pc

    def parsed(cells: pa.ChunkedArray) -> npt.NDArray[np.float64] | None:
        try:
            return np.asarray(pc.cast(cells, pa.float64()).to_numpy())
        except pa.ArrowInvalid:
            return None

    # Most columns are plain numbers, and what follows costs more than the parsing.
    plain = parsed(column)
    if plain is not None:
        return _Fault("it is empty") if np.isnan(plain).all() else plain
    cells = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(_MISSING))
    cells = pc.if_else(missing, pa.scalar(None, pa.string()), cells)
    if cells.null_count == len(cells):
        return _Fault("it is empty")
    numbers = parsed(cells)
    if numbers is not None:
        return numbers
    # Cells before `low` parse; one of those from `low` up to `high` does not.
    low, high = 0, len(cells)
    while high - low > 1:
        middle = (low + high) // 2
        if parsed(cells.slice(low, middle - low)) is None:
            high = middle
        else:
            low = middle
    return _Fault(f"{_shown(cells[low].as_py())} in row {low + 1} is not a number", low + 1)


def _matrix(
    table: Table,
    numbers: dict[str, npt.NDArray[Any]],
    dtype: npt.DTypeLike | None,
    way_out: Callable[[str], str] | None,
) -> npt.NDArray[Any]:
    """The columns side by side; ``way_out`` says what else helps where a cell is bad."""
    if dtype is None:
        single = all(values.dtype in (np.float16, np.float32) for values in numbers.values())
        dtype = np.float32 if single else np.float64
    step = _PIECE_CELLS // len(numbers) + 1
    pieces = [slice(i, i + step) for i in range(0, table.n_rows, step)]
    is_whole = isinstance(table.data, np.ndarray) and tuple(numbers) == table.names
    if is_whole and table.data.dtype == dtype and table.data.flags.c_contiguous:
        # The rows are already what column by column would make of them.
        X = np.asarray(table.data)
    else:
        X = np.empty((table.n_rows, len(numbers)), dtype)
        with np.errstate(over="ignore"):
            for piece in pieces:
                for j, values in enumerate(numbers.values()):
                    X[piece, j] = values[piece]
    for piece in pieces:
        finite = np.isfinite(X[piece])
        if not finite.all():
            row, at = divmod(int(np.argmin(finite)), X.shape[1])
            raise _not_finite(table, list(numbers)[at], piece.start + row + 1, X.dtype, way_out)
    return X


def _cell(table: Table, name: str, row: int) -> Any:
    at = table.names.index(name)
    if isinstance(table.data, np.ndarray):
        return table.data[row - 1, at].item()
    return table.data.column(at)[row - 1].as_py()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:38]}…{text[0]}"


def _exclude(name: str) -> str:
    return f"leave the column out with --exclude {shlex.quote(name)}"


def _other_weights(_: str) -> str:
    return "choose another column of weights"


def _not_finite(
    table: Table,
    name: str,
    row: int,
    dtype: np.dtype[Any],
    way_out: Callable[[str], str] | None,
) -> ValueError:
    value = _cell(table, name, row)
    place = table.place(name, row)
    end = " or delete the row" if way_out is None else f", delete the row, or {way_out(name)}"
    if value is None or (isinstance(value, str) and not value.strip()):
        return ValueError(f"{place} is empty, and every cell must hold a number; fill it in{end}")
    shown = _shown(value) if isinstance(value, str) else f"{value:g}"
    return ValueError(
        f"{place} holds {shown}, and every cell must hold a finite {dtype} number; correct it{end}"
    )


def _not_numeric(table: Table, name: str, fault: _Fault) -> ValueError:
    if fault.row is not None:
        value = _shown(_cell(table, name, fault.row))
        return ValueError(
            f"{table.place(name, fault.row)} holds {value}, and a column to be used must hold "
            "numbers; correct the cell or choose other columns"
        )
    return ValueError(
        f"{table.name}: column {name!r} cannot be used because {fault.reason}, and a column to be "
        "used must hold numbers; convert it or choose other columns"
    )


def _nothing_left(table: Table, reasons: dict[str, str]) -> ValueError:
    listed = [f"{name!r}: {reason}" for name, reason in reasons.items()][:4]
    more = ", …" if len(reasons) > 4 else ""
    return ValueError(
        f"{table.name} has no column left to cluster ({', '.join(listed)}{more}), and k-means "
        "needs at least one column of numbers; choose with --columns and --exclude"
    )
