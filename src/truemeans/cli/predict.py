"""``truemeans predict``: label a table with the clusters of a model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from truemeans.cli.options import check_least
from truemeans.cli.outputs import Request, choose_outputs, opened
from truemeans.cli.show import Summary, count, print_json

if TYPE_CHECKING:
    import numpy.typing as npt

    from truemeans.model import Model
    from truemeans.tables import Selection, Table

__all__ = ["predict"]


def predict(
    model_file: str, request: Request, columns: Sequence[str] | None, n_threads: int | None
) -> None:
    """Run the command.

    Parameters
    ----------
    model_file : str
        Where the model is.
    request : Request
        What is read and written.
    columns : sequence of str or None
        The columns, in the order of the model's features; None takes those of its names.
    n_threads : int or None
        Number of threads.
    """
    from truemeans import __version__
    from truemeans.model_file import read
    from truemeans.tables import check_writable, label_name, read_table, write_table

    check_least("--threads", n_threads, 1)
    outputs = choose_outputs(request, model_file, wants_model=False)
    start = time.perf_counter()
    model = read(model_file)
    table = read_table(request.file, request.input_format, header=request.header)
    label = label_name(table, request.label_column)
    check_writable(table, outputs.table_format)
    selection = _features(table, model, model_file, columns)
    labels = _labels(table, selection, model, n_threads)
    with opened(outputs.table, force=outputs.force) as handle:
        write_table(handle, table, labels, outputs.table_format, label)
    seconds = time.perf_counter() - start
    sizes = np.bincount(labels, minlength=model.n_clusters)
    if request.json:
        print_json(
            {
                "command": "predict",
                "version": __version__,
                "model": model_file,
                "input": table.name,
                "n_samples": table.n_rows,
                "columns": list(selection.names),
                "left_out": selection.left_out,
                "sizes": sizes.tolist(),
                "output": None if outputs.table is None else str(outputs.table),
                "format": outputs.table_format,
                "label_column": label,
                "notes": list(table.notes),
                "seconds": seconds,
            }
        )
    elif not request.quiet:
        show = Summary(to_stderr=outputs.table is None)
        show.line("Model", f"{model_file}: {count(model.n_clusters, 'cluster')}")
        show.line("Read", f"{table.name}: {count(table.n_rows, 'row')}")
        show.columns(selection.names, selection.left_out)
        show.notes(table.notes)
        show.clusters(model.n_clusters, sizes)
        show.line("Time", f"{seconds:.2f} s")
        if outputs.table is not None:
            is_npy = outputs.table_format == "npy"
            what = "the labels" if is_npy else f"the rows with column {label!r}"
            show.exact("Wrote", str(outputs.table), f"({what})")


def _features(
    table: Table, model: Model, model_file: str, columns: Sequence[str] | None
) -> Selection:
    """Take the model's features from a table: by name if it has names, else by position."""
    from truemeans.tables import select

    wanted = columns or model.feature_names
    if columns is None and wanted is not None:
        missing = [name for name in wanted if name not in table.names]
        if missing:
            listed = ", ".join(map(repr, missing[:8])) + (", …" if len(missing) > 8 else "")
            raise ValueError(
                f"{table.name} lacks {listed} of the columns that {model_file} was fitted on; add "
                "them, or name the columns that stand for the model's features with --columns"
            )
    # Text is the shortest that stands for a number of the model's type.
    dtype = model.centroids.dtype if table.is_text else None
    selection = select(table, wanted, dtype=dtype, can_exclude=False)
    if len(selection.names) != model.n_features:
        raise ValueError(
            f"{table.name} gives {count(len(selection.names), 'column')} of numbers, and "
            f"{model_file} was fitted on {model.n_features}; choose as many with --columns"
        )
    return selection


def _labels(
    table: Table, selection: Selection, model: Model, n_threads: int | None
) -> npt.NDArray[np.int32]:
    from truemeans import solve
    from truemeans.functions import open_source
    from truemeans.standardize import standardize

    X = selection.X
    if model.offset is not None and model.scale is not None:
        with np.errstate(over="ignore"):
            X = standardize(X, model.offset, model.scale)
        finite = np.isfinite(X)
        if not finite.all():
            row, at = divmod(int(np.argmin(finite)), X.shape[1])
            raise ValueError(
                f"{table.place(selection.names[at], row + 1)} holds {selection.X[row, at]:g}, and "
                f"standardised like the rows of the model that is beyond {X.dtype}; correct it or "
                "delete the row"
            )
    return np.asarray(solve.assign(open_source(X), model.centroids, n_threads), np.int32)
