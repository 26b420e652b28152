"""Where results go: names, formats, and the checks that come before any work."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from truemeans.cli.options import Format
from truemeans.files import check_source, check_target, replacing, same_file
from truemeans.tables import format_of_suffix, input_format, suffix_of_format

__all__ = ["Outputs", "Request", "choose_outputs", "opened"]

STDIO = "-"


@dataclass(frozen=True)
class Request:
    """What the options say about reading and writing a table.

    Attributes
    ----------
    file : str
        The table to read; ``-`` is standard input.
    input_format : Format or None
        How to read it.
    header : bool or None
        Whether its first line names the columns.
    output : str or None
        Where the labelled table goes; ``-`` is standard output.
    output_format : Format or None
        How to write it.
    label_column : str or None
        Name of the new column.
    force : bool
        Whether files that exist may be replaced.
    json : bool
        Whether standard output is for one JSON object.
    quiet : bool
        Whether to print no summary.
    """

    file: str
    input_format: Format | None
    header: bool | None
    output: str | None
    output_format: Format | None
    label_column: str | None
    force: bool
    json: bool
    quiet: bool

    @property
    def reads_as_named(self) -> bool:
        """Whether the name of the file alone says how to read it."""
        return self.file != STDIO and self.input_format is None and self.header is None


@dataclass(frozen=True)
class Outputs:
    """Where the results go.

    Attributes
    ----------
    table : Path or None
        The labelled table; None is standard output.
    table_format : str
        How it is written.
    model : Path or None
        The model file, if one is written.
    force : bool
        Whether files that exist may be replaced.
    picture : Path or None
        The picture, if one is drawn.
    """

    table: Path | None
    table_format: str
    model: Path | None
    force: bool
    picture: Path | None = None


def choose_outputs(request: Request, model: str | None, *, wants_model: bool) -> Outputs:
    """Decide where results go, and raise when they cannot go there.

    Parameters
    ----------
    request : Request
        The options.
    model : str or None
        Where the model goes, or was read from.
    wants_model : bool
        Whether a model is written. Without a name it goes beside the labelled file; when that
        is standard output, there is none.
    """
    if request.file != STDIO:
        check_source(Path(request.file))
    if request.output == STDIO and request.json:
        raise ValueError(
            "--json and --output - both write to standard output, which holds one of them; "
            "give --output a file"
        )
    stem = "stdin" if request.file == STDIO else Path(request.file).stem
    read_as = input_format(request.file, request.input_format)
    written_as = _output_format(request, read_as)
    table = _table_path(request, stem, written_as)
    model_path = None
    if wants_model and (model is not None or table is not None):
        model_path = Path(model or f"{stem}.truemeans")
        _check_model_path(request, model_path, table)
    elif model is not None and table is not None and same_file(Path(model), table):
        raise ValueError(f"--output {table} is the model itself, which is kept; name another file")
    for path in (table, model_path):
        if path is not None:
            check_target(path, overwrite=request.force, consent="--force")
    return Outputs(table, written_as, model_path, request.force)


def _output_format(request: Request, read_as: str) -> str:
    if request.output_format is not None:
        return request.output_format.value
    if request.output is None or request.output == STDIO:
        return read_as
    return format_of_suffix(request.output) or read_as


def _table_path(request: Request, stem: str, written_as: str) -> Path | None:
    if request.output == STDIO:
        return None
    if request.output is not None:
        return Path(request.output)
    same = format_of_suffix(request.file) == written_as
    suffix = Path(request.file).suffix if same else suffix_of_format(written_as)
    return Path(f"{stem}.labelled{suffix}")


def _check_model_path(request: Request, model: Path, table: Path | None) -> None:
    if table is not None and same_file(model, table):
        raise ValueError(f"--model and --output are both {model}, and need a file each; change one")
    if request.file != STDIO and same_file(model, Path(request.file)):
        raise ValueError(f"--model {model} is the table itself, which is kept; name another file")


@contextmanager
def opened(path: Path | None, *, force: bool) -> Iterator[BinaryIO]:
    """Open an output: a file that appears when it is complete, or standard output for None."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with replacing(path, overwrite=force, consent="--force") as handle:
        yield handle
