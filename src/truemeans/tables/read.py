"""Read a whole file into a `Table`; every way a file can be wrong is one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from truemeans.tables.arrow import keep_pandas_out
from truemeans.tables.source import Source
from truemeans.tables.table import FORMATS, SEPARATORS, Table, check_unique, format_of_suffix

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["input_format", "read_table"]

# Of a Parquet file read at a time: some milliseconds.
_PIECE_ROWS = 1 << 18
_PIECE_CELLS = 1 << 21


def input_format(name: str, file_format: str | None = None) -> str:
    """Return how a file is to be read: as asked, or as its name says."""
    chosen = file_format or ("csv" if name == "-" else format_of_suffix(name))
    if chosen is None:
        suffix = Path(name).suffix
        raise ValueError(
            f"{name} has {f'the suffix {suffix!r}' if suffix else 'no suffix'}, and a suffix must "
            f"say how to read the file; name its format with --input-format {{{','.join(FORMATS)}}}"
        )
    if chosen not in FORMATS:
        raise ValueError(f"format {chosen!r} is not known; choose one of {', '.join(FORMATS)}")
    return chosen


def read_table(
    path: str | os.PathLike[str], file_format: str | None = None, *, header: bool | None = None
) -> Table:
    """Read a table.

    Parameters
    ----------
    path : str or path-like
        The file; ``-`` reads standard input.
    file_format : {"csv", "tsv", "parquet", "feather", "npy"}, optional
        How to read it. By default the suffix of the name says; standard input is CSV.
    header : bool, optional
        Whether the first line of a CSV or TSV file names the columns. By default it does,
        unless every cell in it is a number; then the columns are named x1, x2, …

    Returns
    -------
    Table
        At least one row and one column.

    Raises
    ------
    ValueError, OSError
        If the file is missing, empty, not of this format, or damaged.
    """
    name = os.fspath(path)
    source = Source.of(name)
    chosen = input_format(name, file_format)
    if not source.head(1):
        raise ValueError(f"{source.name} is empty, and a table needs at least one row; check it")
    table = _read(source, chosen, header)
    if not table.names:
        raise ValueError(f"{source.name} has no columns, and k-means needs at least one; check it")
    if table.n_rows == 0:
        raise ValueError(f"{source.name} has no rows below its column names; add some rows")
    return table


def _read(source: Source, file_format: str, header: bool | None) -> Table:
    if file_format == "npy":
        return _read_npy(source)
    keep_pandas_out()
    if file_format in SEPARATORS:
        from truemeans.tables.text import read_text

        return read_text(source, file_format, header)
    title = "Parquet" if file_format == "parquet" else "Feather or Arrow IPC"
    try:
        data = (_parquet if file_format == "parquet" else _arrow_ipc)(source)
    except Exception as error:  # damage shows as a dozen types, KeyError and OSError among them
        _refuse(source, title, error)
    names = tuple(data.column_names)
    check_unique(source.name, names)
    return Table(source.name, file_format, names, data, index_columns=_pandas_index(data))


def _pandas_index(data: pa.Table) -> frozenset[str]:
    try:
        described = data.schema.pandas_metadata or {}
        return frozenset(c for c in described["index_columns"] if isinstance(c, str))
    except (ValueError, KeyError, TypeError):
        return frozenset()


def _parquet(source: Source) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with source.open_arrow() as handle:
        file = pq.ParquetFile(handle)
        schema = file.schema_arrow
        # In pieces, because Ctrl-C is only heard between calls; a row group may be the whole file.
        rows = min(_PIECE_ROWS, _PIECE_CELLS // max(len(schema), 1) + 1)
        return pa.Table.from_batches(_checked(file.iter_batches(rows)), schema)


def _checked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same, each looked at: readers trust offsets, and damaged ones lead out of bounds."""
    for batch in batches:
        batch.validate(full=True)
        yield batch


def _arrow_ipc(source: Source) -> pa.Table:
    import pyarrow as pa

    magic = source.head(6)
    if magic.startswith(b"FEA1"):
        raise ValueError("it is the old Feather version 1; write it again as version 2")
    with source.open_arrow() as handle:
        if magic == b"ARROW1":
            file = pa.ipc.open_file(handle)
            batches = (file.get_batch(i) for i in range(file.num_record_batches))
            return pa.Table.from_batches(_checked(batches), file.schema)
        stream = pa.ipc.open_stream(handle)
        return pa.Table.from_batches(_checked(stream), stream.schema)


def _read_npy(source: Source) -> Table:
    try:
        with source.open() as handle:
            if source.head(6) != b"\x93NUMPY":
                raise ValueError("it does not begin as one")
            # Given only a read method NumPy reads in pieces, and Ctrl-C is heard between them.
            array = np.lib.format.read_array(SimpleNamespace(read=handle.read), allow_pickle=False)
    except Exception as error:  # NumPy evaluates the header, which can fail in any way
        _refuse(source, "NumPy .npy", error)
    if array.ndim != 2:
        raise ValueError(
            f"{source.name} holds an array of shape {array.shape}, and k-means needs two "
            "dimensions, rows and columns; reshape it (one column: reshape(-1, 1))"
        )
    if array.dtype.kind not in "fiu":
        raise ValueError(
            f"{source.name} holds values of type {array.dtype}, and k-means needs real numbers; "
            "convert them to float64"
        )
    names = tuple(f"x{i + 1}" for i in range(array.shape[1]))
    return Table(source.name, "npy", names, array.astype(array.dtype.newbyteorder("="), copy=False))


def _refuse(source: Source, title: str, error: Exception) -> NoReturn:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = lines[0].rstrip(". ")
    raise ValueError(
        f"{source.name} cannot be read as a {title} file ({reason}); check that it is one and "
        "that it is complete"
    ) from error
