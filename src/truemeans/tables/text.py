"""Read CSV and TSV: every cell stays the text it is, and every fault is found with its line."""

from __future__ import annotations

import csv
import io
import itertools
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from truemeans.tables.source import Source
from truemeans.tables.table import SEPARATORS, Table, check_unique

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_text"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# One line must fit into a block: this holds about a million columns.
_BLOCK_BYTES = 1 << 24


def read_text(source: Source, file_format: str, header: bool | None) -> Table:
    """Read a CSV or TSV file, UTF-8, with or without a header.

    Parameters
    ----------
    source : Source
        The bytes.
    file_format : {"csv", "tsv"}
        Which separator stands between cells.
    header : bool or None
        Whether the first line names the columns; None decides by its cells.

    Returns
    -------
    Table
        All columns as text. Lines without any character are skipped.
    """
    separator = SEPARATORS[file_format]
    records = _records(source, separator)
    line, first = next(records, (0, []))
    if not first:
        raise ValueError(f"{source.name} has only blank lines, and needs rows of cells; check it")
    _check_separator(source, separator, first)
    after = next(records, (0, []))[0]
    cells = [cell.strip() for cell in first]
    numeric = [_NUMBER.fullmatch(cell) is not None for cell in cells]
    headed = not all(numeric) if header is None else header
    notes = _notes(cells, numeric, header)
    if headed:
        check_unique(source.name, cells)
        if not after:
            _check_quotes(source, separator)
            raise ValueError(f"{source.name} has no rows below its column names; add some rows")
    names = tuple(cells) if headed else tuple(f"x{i + 1}" for i in range(len(cells)))
    data = _read_cells(source, separator, len(cells), after - 1 if headed else line - 1)

    def line_of(row: int) -> int:
        lines = (at for at, _ in _records(source, separator))
        return next(at for i, at in enumerate(lines, 0 if headed else 1) if i == row)

    return Table(
        source.name, file_format, names, data.rename_columns(names), notes, line_of=line_of
    )


def _records(source: Source, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each record begins in, from 1, and its cells; blank lines are skipped."""
    with io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as text:
        # A cell may hold a whole document; the csv module's limit is one for the whole process.
        usual = csv.field_size_limit(sys.maxsize)
        try:
            reader = csv.reader(text, delimiter=separator)
            begin = 1
            for cells in reader:
                if cells:
                    yield begin, cells
                begin = reader.line_num + 1
        except UnicodeDecodeError:
            raise _wrong_encoding(source) from None
        finally:
            csv.field_size_limit(usual)


def _read_cells(source: Source, separator: str, width: int, skip: int) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as pacsv

    columns = [str(i) for i in range(width)]
    try:
        with source.open_arrow() as handle:
            data = pacsv.read_csv(
                handle,
                pacsv.ReadOptions(column_names=columns, skip_rows=skip, block_size=_BLOCK_BYTES),
                pacsv.ParseOptions(delimiter=separator, newlines_in_values=True),
                pacsv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
            )
    except pa.ArrowException as error:
        _check_widths(source, separator, width)
        raise ValueError(
            f"{source.name} cannot be read as text in columns ({str(error).splitlines()[0]}); "
            "check that it is such a file"
        ) from error
    last = data.slice(max(len(data) - 1, 0)).to_pylist()
    if any("\n" in cell or "\r" in cell for row in last for cell in row.values()):
        _check_quotes(source, separator)
    return data


def _check_widths(source: Source, separator: str, width: int) -> None:
    for line, cells in _records(source, separator):
        if len(cells) != width:
            raise ValueError(
                f"{source.name}: line {line} has {len(cells)} cell{'s' * (len(cells) != 1)}, and "
                f"the first line has {width}; give every line the same number of cells"
            )


def _check_quotes(source: Source, separator: str) -> None:
    # Without its closing quote a cell swallows the rest of the file, so it is the last row's.
    line = max(line for line, _ in _records(source, separator))
    with io.TextIOWrapper(source.open(), encoding="utf-8-sig", newline="") as text:
        last = "".join(itertools.islice(text, line - 1, None))
    if _ends_in_quotes(last, separator):
        raise ValueError(
            f'{source.name}: a quote (") opened in the row of line {line} is never closed; '
            "close it or remove it"
        )


def _ends_in_quotes(row: str, separator: str) -> bool:
    """Whether the last cell of a row begins with a quote that no other closes."""
    at = 0
    while True:
        if row.startswith('"', at):
            end = row.find('"', at + 1)
            while end >= 0 and row.startswith('"', end + 1):  # two stand for one
                end = row.find('"', end + 2)
            if end < 0:
                return True
            at = end + 1
        at = row.find(separator, at) + 1
        if at == 0:
            return False


def _check_separator(source: Source, separator: str, first: list[str]) -> None:
    other = next((c for c in ",;\t|" if c != separator and c in first[0]), None)
    if len(first) > 1 or other is None:
        return
    fix = {",": "read it with --input-format csv", "\t": "read it with --input-format tsv"}
    raise ValueError(
        f"{source.name}: the first line has no {separator!r} but has {other!r}, and cells are "
        f"separated by {separator!r} here; "
        f"{fix.get(other, 'save the file with commas between the cells')}"
    )


def _notes(cells: list[str], numeric: list[bool], header: bool | None) -> tuple[str, ...]:
    if header is not None:
        return ()
    if all(numeric):
        last = f" to x{len(cells)}" if len(cells) > 1 else ""
        return (
            "The first line holds numbers only, so it counts as data and the columns are named "
            f"x1{last} (--header if it holds names).",
        )
    if any(numeric):
        number = cells[numeric.index(True)]
        return (
            f"The first line names the columns, although one name is {number!r} "
            "(--no-header if it is data).",
        )
    return ()


def _wrong_encoding(source: Source) -> ValueError:
    with source.open() as handle:
        line, text, at = next(
            (line, text, at) for line, text in enumerate(handle, 1) if (at := _not_utf8(text)) >= 0
        )
    return ValueError(
        f"{source.name}: line {line} holds the byte 0x{text[at]:02x}, which is not UTF-8 text; "
        "save the file as UTF-8"
    )


def _not_utf8(text: bytes) -> int:
    """Return where the first byte is that is not UTF-8, or -1."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return -1
