"""From pandas, polars and Arrow tables to rows, without converting one into another.

A pandas frame holds NumPy arrays already. Every other table speaks Arrow's C interface, or
the older interchange protocol, and pyarrow reads both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from truemeans.validation.floats import float_dtype, real_numbers, refusal

__all__ = ["column_label", "is_table", "table_rows"]


def is_table(X: object) -> bool:
    """Tell whether ``X`` is a data frame or another table with named columns."""
    kind = type(X)
    return hasattr(kind, "columns") and any(
        hasattr(kind, protocol) for protocol in ("__arrow_c_stream__", "__dataframe__", "collect")
    )


def column_label(X: object, column: int) -> str | None:
    """Return the name of a column of a table, None if ``X`` is not a table."""
    if not is_table(X):
        return None
    kind = type(X)
    names: Any = X.column_names if hasattr(kind, "column_names") else X.columns  # type: ignore[attr-defined]
    return str(names[column])


def table_rows(X: Any, name: str) -> npt.NDArray[Any]:
    """Return a table as an array, shape (n_rows, n_columns).

    float32 if every column is float32 or float16, float64 otherwise.
    """
    if type(X).__module__.partition(".")[0] == "pandas":
        dtypes = list(X.dtypes)
        if all(isinstance(dtype, np.dtype) and dtype == dtypes[0] for dtype in dtypes):
            return np.asarray(X)
        columns = _pandas_columns(X, name)
        labels = [str(label) for label in X.columns]
    else:
        table = _arrow_table(X, name)
        columns = _arrow_columns(table, name)
        labels = table.column_names
    n_rows = len(columns[0]) if columns else len(X)
    small = all(float_dtype(column.dtype) == np.float32 for column in columns)
    rows = np.empty((n_rows, len(columns)), np.float32 if small and columns else np.float64)
    for j, (column, label) in enumerate(zip(columns, labels, strict=True)):
        rows[:, j] = real_numbers(column, f"column {label!r} of {name}", "row {}".format)
    return rows


def _missing(name: str, label: object, missing: npt.NDArray[np.bool_]) -> ValueError:
    return ValueError(
        f"Input {name} contains NaN. Column {label!r} has no value in row "
        f"{int(missing.argmax())}; fill it or drop that row."
    )


def _pandas_columns(X: Any, name: str) -> list[npt.NDArray[Any]]:
    columns = []
    for j, (label, dtype) in enumerate(zip(X.columns, X.dtypes, strict=True)):
        column = X.iloc[:, j]
        if isinstance(dtype, np.dtype):
            columns.append(column.to_numpy())
            continue
        if dtype.kind in "mM":
            raise refusal(dtype, f"column {label!r} of {name}")
        if type(dtype).__name__ == "SparseDtype":
            raise TypeError(
                f"Column {label!r} of {name} is sparse, and sparse data is not supported; "
                "convert it with .sparse.to_dense()."
            )
        if column.hasnans:
            raise _missing(name, label, column.isna().to_numpy())
        columns.append(column.to_numpy(dtype=getattr(dtype, "numpy_dtype", None)))
    return columns


def _arrow_table(X: Any, name: str) -> Any:
    if hasattr(type(X), "collect"):
        raise TypeError(f"{name} is a query that has not run yet; pass {name}.collect().")
    import pyarrow as pa

    try:
        if hasattr(X, "__arrow_c_stream__"):
            return pa.table(X)
        from pyarrow.interchange import from_dataframe

        return from_dataframe(X)
    except pa.ArrowException as error:
        raise TypeError(
            f"{name} has a column of a type that pyarrow cannot read ({error}); convert it to "
            "float64."
        ) from error


def _arrow_columns(table: Any, name: str) -> list[npt.NDArray[Any]]:
    columns = []
    for label, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count:
            raise _missing(name, label, column.is_null().to_numpy())
        columns.append(column.to_numpy())
    return columns
