"""Write a table back with one more column, the labels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from truemeans.tables.arrow import keep_pandas_out
from truemeans.tables.table import SEPARATORS, Table

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["check_writable", "label_name", "write_table"]

# Rows that become text at a time: enough to be fast, few enough to stay in the caches.
_BATCH_ROWS = 65_536
# Cells that a real number would not stand for: 007, and whole numbers of which it loses digits.
_NAME = "^[+-]?0[0-9]|^[+-]?[0-9]{16,}$"
# Rows that are written to nowhere before the work begins.
_REHEARSED_ROWS = 64


def label_name(table: Table, wanted: str | None = None) -> str:
    """Return a name for the column of labels that the table does not use yet.

    Parameters
    ----------
    table : Table
        The table to be labelled.
    wanted : str, optional
        The name asked for; an error if it is taken. By default ``cluster``, or ``cluster_1``
        and so on if that is taken.
    """
    taken = set(table.names)
    if wanted is not None:
        if wanted in taken:
            raise ValueError(
                f"--label-column: {table.name} has a column {wanted!r} already, and the labels "
                "need one of their own; choose another name"
            )
        return wanted
    names = ["cluster", *(f"cluster_{i}" for i in range(1, len(taken) + 1))]
    return next(name for name in names if name not in taken)


def check_writable(table: Table, file_format: str) -> None:
    """Raise, in one sentence, when a table has columns that a format cannot hold."""
    if file_format == "npy":
        return
    import pyarrow as pa

    keep_pandas_out()
    for at, name in enumerate(table.names):
        try:
            _rehearse(table.arrow_column(at), file_format)
        except pa.ArrowException as error:
            raise ValueError(
                f"{table.name}: column {name!r} has type {table.kind_of(at)}, which {file_format} "
                f"cannot hold; write another format, such as --format {table.format}"
            ) from error


def _rehearse(column: pa.ChunkedArray, file_format: str) -> None:
    """Write the first rows of a column, which mostly fails as all of them would."""
    import pyarrow as pa

    is_extension = isinstance(column.type, pa.BaseExtensionType)
    kind = column.type.storage_type if is_extension else column.type
    if file_format in SEPARATORS and "binary" in str(kind):
        raise pa.ArrowInvalid("bytes become text only by chance")
    some = pa.table({"column": column.slice(0, _REHEARSED_ROWS)})
    _write(io.BytesIO(), some, file_format, is_text=False)


def write_table(
    handle: BinaryIO, table: Table, labels: npt.NDArray[np.int32], file_format: str, label: str
) -> None:
    """Write all columns of a table in their order, and the labels as the last one.

    Parameters
    ----------
    handle : file object
        Where to write.
    table : Table
        The table as it was read.
    labels : ndarray of int32, shape (n_samples,)
        A label per row.
    file_format : {"csv", "tsv", "parquet", "feather", "npy"}
        How to write. An ``.npy`` file holds one array of one type, so it gets the labels only.
    label : str
        Name of the column of labels.
    """
    if file_format == "npy":
        np.save(handle, labels.astype(np.int32, copy=False))
        return
    import pyarrow as pa

    data = table.arrow().append_column(label, pa.array(labels, pa.int32()))
    try:
        _write(handle, data, file_format, is_text=table.is_text)
    except pa.ArrowException as error:
        raise ValueError(
            f"{table.name} cannot be written as {file_format} ({str(error).splitlines()[0]}); "
            f"write another format, such as --format {table.format}"
        ) from error


def _write(handle: BinaryIO, data: pa.Table, file_format: str, *, is_text: bool) -> None:
    if file_format in SEPARATORS:
        _write_text(handle, data, SEPARATORS[file_format])
        return
    if is_text:
        data = _typed(data)
    if file_format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(data, handle)
    else:
        from pyarrow import feather

        feather.write_feather(data, handle)


def _write_text(handle: BinaryIO, data: pa.Table, separator: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    special = f'[\\r\\n"{separator}]'
    header = [_quoted(pa.array([name]), special)[0].as_py() for name in data.column_names]
    handle.write((separator.join(header) + "\n").encode())
    # pyarrow's own CSV writer puts quotes around every text cell, numbers kept as text included.
    for batch in data.to_batches(max_chunksize=_BATCH_ROWS):
        cells = [_quoted(column, special) for column in batch.columns]
        lines = pc.binary_join_element_wise(*cells, _literal(separator))
        lines = pc.binary_join_element_wise(lines, _literal(""), _literal("\n"))
        _, offsets, content = lines.buffers()
        end = int(np.frombuffer(offsets, np.int64)[len(lines)])
        handle.write(memoryview(content)[:end])


def _quoted(column: pa.Array, special: str) -> pa.Array:
    """Return a column as text, with quotes around the cells that need them; null is empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.fill_null(pc.cast(column, pa.large_string()), "")
    needs = pc.match_substring_regex(text, special)
    if not pc.any(needs).as_py():
        return text
    quote = _literal('"')
    doubled = pc.replace_substring(text, '"', '""')
    quoted = pc.binary_join_element_wise(quote, doubled, quote, _literal(""))
    return pc.if_else(needs, quoted, text)


def _literal(text: str) -> Any:
    import pyarrow as pa

    return pa.scalar(text, pa.large_string())


def _typed(data: pa.Table) -> pa.Table:
    """Give text columns the type their cells have, for formats that have types."""
    import pyarrow as pa

    columns = [_typed_column(c) if pa.types.is_string(c.type) else c for c in data.columns]
    return pa.Table.from_arrays(columns, names=data.column_names)


def _typed_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(column)
    cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
    if cells.null_count == len(cells):
        return column
    try:
        whole = pc.cast(cells, pa.int64())
    except pa.ArrowInvalid:
        whole = None
    if whole is not None:
        # 007 is a name, not the number 7.
        return whole if pc.all(pc.equal(pc.cast(whole, pa.string()), cells)).as_py() else column
    if pc.any(pc.match_substring_regex(cells, _NAME)).as_py():
        return column
    try:
        real = pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return column
    return real if pc.any(pc.is_finite(real)).as_py() else column
