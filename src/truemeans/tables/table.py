"""What reading a file gives, and the formats there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

__all__ = [
    "FORMATS",
    "SEPARATORS",
    "Table",
    "check_unique",
    "format_of_suffix",
    "suffix_of_format",
]

FORMATS = ("csv", "tsv", "parquet", "feather", "npy")
SEPARATORS = {"csv": ",", "tsv": "\t"}

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".arrows": "feather",
    ".ipc": "feather",
    ".npy": "npy",
}


def format_of_suffix(path: str | PurePath) -> str | None:
    """Return the format a file name's suffix stands for, or None."""
    return _SUFFIXES.get(PurePath(path).suffix.lower())


def suffix_of_format(name: str) -> str:
    """Return the usual suffix of files of a format, dot included."""
    return f".{name}"


def check_unique(file: str, names: Sequence[str]) -> None:
    """Raise when two columns have the same name; columns without a name have none to share."""
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name and name in seen:
            raise ValueError(
                f"{file}: columns {seen[name] + 1} and {i + 1} are both named {name!r}, and names "
                "must be unique; rename one of them"
            )
        seen[name] = i


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length, as they were read.

    Attributes
    ----------
    name : str
        How messages name the file.
    format : str
        One of `FORMATS`.
    names : tuple of str
        Column names in file order; unique, but for columns without a name ("").
    data : pyarrow.Table or ndarray of shape (n_rows, n_columns)
        An ndarray for ``.npy``. For CSV and TSV every column is text.
    notes : tuple of str
        What the reader should be told about how the file was understood.
    index_columns : frozenset of str
        Columns that hold the index of a pandas table.
    line_of : callable or None
        Line of the file in which a data row (from 1) begins, for formats with lines.
    """

    name: str
    format: str
    names: tuple[str, ...]
    data: pa.Table | npt.NDArray[Any]
    notes: tuple[str, ...] = ()
    index_columns: frozenset[str] = frozenset()
    line_of: Callable[[int], int] | None = None

    @property
    def n_rows(self) -> int:
        """Number of data rows."""
        return len(self.data)

    @property
    def is_text(self) -> bool:
        """Whether the cells are text to be read as numbers."""
        return self.format in SEPARATORS

    def place(self, name: str, row: int) -> str:
        """Say where a cell is: file, column, data row from 1 and, if it has lines, the line."""
        line = f" (line {self.line_of(row)})" if self.line_of is not None else ""
        return f"{self.name}: column {name!r}, row {row}{line}"

    def kind_of(self, at: int) -> object:
        """Return the type of a column as it was read."""
        if isinstance(self.data, np.ndarray):
            return self.data.dtype
        return self.data.schema.field(at).type

    def arrow_column(self, at: int) -> pa.ChunkedArray:
        """Return a column by number."""
        if isinstance(self.data, np.ndarray):
            import pyarrow as pa

            return pa.chunked_array([pa.array(np.ascontiguousarray(self.data[:, at]))])
        return self.data.column(at)

    def arrow(self) -> pa.Table:
        """Return the columns as a pyarrow table."""
        if isinstance(self.data, np.ndarray):
            import pyarrow as pa

            columns = [self.arrow_column(at) for at in range(len(self.names))]
            return pa.Table.from_arrays(columns, names=list(self.names))
        return self.data
