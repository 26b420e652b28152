"""``truemeans fit``: cluster a table, write it labelled, keep the model."""

from __future__ import annotations

import math
import shlex
import time
import warnings
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from truemeans.cli.explain import explain
from truemeans.cli.notes import look_at_rows
from truemeans.cli.options import check_least, check_seed
from truemeans.cli.outputs import Outputs, Request, choose_outputs, opened
from truemeans.cli.picture import choose_picture, draw_picture
from truemeans.cli.show import Summary, count, print_json
from truemeans.files import settle

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from truemeans.model import Model
    from truemeans.result import Result
    from truemeans.tables import Selection, Table

__all__ = ["FitOptions", "fit", "read_rows"]


@dataclass(frozen=True)
class FitOptions:
    """What the options say about the clustering; see ``truemeans fit --help``."""

    n_clusters: int
    columns: tuple[str, ...] | None
    exclude: tuple[str, ...]
    weights: str | None
    standardize: bool
    seed: int
    init: str
    n_init: int
    max_iter: int
    refine: str | None
    max_swaps: int | None
    max_swap_seconds: float | None
    skip_memory: int | None
    explain: bool
    tol: float
    n_threads: int | None
    model: str | None
    plot: str | None


@dataclass(frozen=True, eq=False)
class _Run:
    """Everything a report is made of."""

    request: Request
    options: FitOptions
    outputs: Outputs
    table: Table
    selection: Selection
    label: str
    result: Result
    model: Model
    notes: tuple[str, ...]
    seconds: dict[str, float]


def fit(request: Request, options: FitOptions) -> None:
    """Run the command.

    Parameters
    ----------
    request : Request
        What is read and written.
    options : FitOptions
        How it is clustered.
    """
    _check(options)
    if options.explain:
        explain(request, options)
        return
    outputs = choose_outputs(request, options.model, wants_model=True)
    picture = choose_picture(options.plot, request, outputs)
    outputs = replace(outputs, picture=picture)
    run = _compute(request, options, outputs)
    if request.json:
        print_json(_as_json(run))
    elif not request.quiet:
        _summarize(run)


def _check(options: FitOptions) -> None:
    check_least("-k", options.n_clusters, 1)
    check_seed(options.seed)
    check_least("--n-init", options.n_init, 1)
    check_least("--max-iter", options.max_iter, 1)
    check_least("--max-swaps", options.max_swaps, 0)
    check_least("--max-swap-seconds", options.max_swap_seconds, 0)
    check_least("--skip-memory", options.skip_memory, 0)
    check_least("--tol", options.tol, 0)
    check_least("--threads", options.n_threads, 1)


def _compute(request: Request, options: FitOptions, outputs: Outputs) -> _Run:
    from truemeans.tables import check_writable, label_name, write_table

    times = [time.perf_counter()]
    table, selection, weights = read_rows(request, options)
    label = label_name(table, request.label_column)
    check_writable(table, outputs.table_format)
    times.append(time.perf_counter())
    result, model, warned = _cluster(selection, weights, options)
    times.append(time.perf_counter())
    with ExitStack() as files:
        # All are opened first, and all are on the disk before one appears, so that all do or none.
        paths = [outputs.table, *filter(None, (outputs.model, outputs.picture))]
        handles = {p: files.enter_context(opened(p, force=outputs.force)) for p in paths}
        if outputs.model is not None:
            from truemeans.model_file import to_bytes

            handles[outputs.model].write(to_bytes(model))
        if outputs.picture is not None:
            title = f"{Path(table.name).name}: {count(options.n_clusters, 'cluster')}"
            content = draw_picture(outputs.picture, model, selection.X, title)
            handles[outputs.picture].write(content)
        write_table(handles[outputs.table], table, result.labels, outputs.table_format, label)
        for path, handle in handles.items():
            if path is not None:
                settle(handle)
    times.append(time.perf_counter())
    steps = ("read", "cluster", "write")
    seconds = {step: times[i + 1] - times[i] for i, step in enumerate(steps)}
    found = look_at_rows(selection.X, selection.names, standardized=options.standardize)
    notes = (*table.notes, *found, *warned)
    return _Run(request, options, outputs, table, selection, label, result, model, notes, seconds)


def read_rows(request: Request, options: FitOptions) -> tuple[Table, Selection, Any]:
    """Read the table, and take its rows and their weights, None for ones."""
    from truemeans.tables import read_table, read_weights, select

    table = read_table(request.file, request.input_format, header=request.header)
    selection = select(table, options.columns, options.exclude, weights=options.weights)
    weights = None if options.weights is None else read_weights(table, options.weights)
    if options.n_clusters > table.n_rows:
        raise ValueError(
            f"-k {options.n_clusters}: {table.name} has {count(table.n_rows, 'row')}, and every "
            f"cluster needs one of its own; ask for {table.n_rows} clusters at most"
        )
    return table, selection, weights


def _cluster(
    selection: Selection, weights: Any, options: FitOptions
) -> tuple[Result, Model, tuple[str, ...]]:
    from truemeans import __version__, k_means
    from truemeans.model import Model
    from truemeans.standardize import measure, standardize

    X, offset, scale = selection.X, None, None
    if options.standardize:
        offset, scale = measure(X, weights, options.n_threads)
        X = standardize(X, offset, scale)
    settings: dict[str, Any] = {
        "init": options.init,
        "n_init": options.n_init,
        "max_iter": options.max_iter,
        "tol": options.tol,
        "random_state": options.seed,
    }
    if options.refine:
        settings |= {
            "refine": options.refine,
            "max_swaps": options.max_swaps,
            "max_swap_seconds": options.max_swap_seconds,
        }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = k_means(
            X,
            options.n_clusters,
            sample_weight=weights,
            n_threads=options.n_threads,
            skip_memory=options.skip_memory,
            progress=True,
            **settings,
        )
    if not math.isfinite(result.inertia):
        raise ValueError(
            "the inertia is beyond the range of float64, because the values of the rows are so "
            "large; add --standardize, or give the columns in larger units"
        )
    model = Model(
        centroids=result.centroids,
        inertia=float(result.inertia),
        n_iter=int(result.n_iter),
        converged=bool(result.converged),
        feature_names=selection.names,
        offset=offset,
        scale=scale,
        sizes=result.sizes,
        params={"n_clusters": options.n_clusters, **settings},
        library_version=__version__,
    )
    return result, model, tuple(str(warning.message) for warning in caught)


def _as_json(run: _Run) -> dict[str, Any]:
    outputs, model, plan = run.outputs, run.model, run.result.plan
    standard = None
    if model.offset is not None and model.scale is not None:
        standard = {"offset": model.offset.tolist(), "scale": model.scale.tolist()}
    return {
        "command": "fit",
        "version": model.library_version,
        "input": run.table.name,
        "n_samples": run.table.n_rows,
        "n_features": model.n_features,
        "columns": list(run.selection.names),
        "left_out": run.selection.left_out,
        "weights": run.options.weights,
        "params": dict(model.params),
        "dtype": str(model.centroids.dtype),
        "plan": {
            "engine": str(plan.engine),
            "target": str(plan.target),
            "n_threads": plan.n_threads,
            "seeding": plan.seeding,
            "reason": str(plan.reason),
        },
        "n_iter": model.n_iter,
        "converged": model.converged,
        "optimal": run.result.optimal,
        "inertia": model.inertia,
        "restarts": run.result.restarts.tolist(),
        "refinement": None if run.result.refinement is None else asdict(run.result.refinement),
        "history": {
            "inertia": run.result.history.inertia.tolist(),
            "n_changed": run.result.history.n_changed.tolist(),
        },
        "sizes": run.result.sizes.tolist(),
        "centroids": model.centroids_in_units().tolist(),
        "standardize": standard,
        "output": None if outputs.table is None else str(outputs.table),
        "format": outputs.table_format,
        "label_column": run.label,
        "model": None if outputs.model is None else str(outputs.model),
        "plot": None if outputs.picture is None else str(outputs.picture),
        "notes": list(run.notes),
        "seconds": run.seconds,
    }


def _summarize(run: _Run) -> None:
    outputs, model, options = run.outputs, run.model, run.options
    show = Summary(to_stderr=outputs.table is None)
    rows, columns = count(run.table.n_rows, "row"), count(len(run.table.names), "column")
    show.line("Read", f"{run.table.name}: {rows}, {columns}")
    show.columns(run.selection.names, run.selection.left_out)
    show.notes(run.notes)
    show.line("Plan", str(run.result.plan))
    ended = "converged" if model.converged else "stopped without converging"
    more = "" if model.converged else "; --max-iter allows more"
    starts = f", best of {options.n_init} starts" if options.n_init > 1 else ""
    how = f"{run.result.plan.seeding or options.init}, seed {options.seed}{starts}"
    if run.result.optimal:
        how = "from the optimum: no clustering has a lower inertia"
    show.line(
        "Run",
        f"{ended} after {count(model.n_iter, 'iteration')} ({how}){more}",
    )
    done = run.result.refinement
    if done is not None:
        gain = 1 - model.inertia / done.inertia_before if done.inertia_before else 0.0
        show.line(
            "Refined",
            f"{count(done.n_tried, 'swap')} tried, {done.n_kept:,} kept; inertia {gain:.3%} lower"
            + (", interrupted" if done.interrupted else ""),
        )
    of_what = ", of the standardised columns" if options.standardize else ""
    show.line("Inertia", f"{model.inertia:.10g}{of_what}")
    if len(run.result.restarts) > 1:
        show.line("Restarts", _spread(run.result.restarts, is_refined=done is not None))
    show.clusters(model.n_clusters, model.sizes, model.centroids_in_units(), run.selection.names)
    parts = ", ".join(f"{step} {seconds:.2f}" for step, seconds in run.seconds.items())
    show.line("Time", f"{sum(run.seconds.values()):.2f} s ({parts})")
    _say_files(show, run)


def _spread(restarts: npt.NDArray[np.float64], *, is_refined: bool) -> str:
    least, most = float(restarts.min()), float(restarts.max())
    reached = int((restarts == least).sum())
    worse = f", {100 * (most / least - 1):.2g} % above the least" if least > 0 else ""
    what = f"{least:.10g}, which was refined" if is_refined else "this inertia"
    return f"{reached} of {len(restarts)} reached {what}, the worst {most:.10g}{worse}"


def _say_files(show: Summary, run: _Run) -> None:
    outputs = run.outputs
    npy = outputs.table_format == "npy"
    files = {
        "the labels" if npy else f"the rows with column {run.label!r}": outputs.table,
        "the model": outputs.model,
        "the picture": outputs.picture,
    }
    written = [(path, what) for what, path in files.items() if path is not None]
    for i, (path, what) in enumerate(written):
        show.exact("" if i else "Wrote", str(path), f"({what})")
    if outputs.model is None:
        return
    model = shlex.quote(str(outputs.model))
    show.gap()
    show.exact("Next", f"truemeans info {model}")
    if run.request.reads_as_named:
        file = Path(run.request.file)
        again = shlex.quote(f"{file.stem}.predicted{file.suffix}")
        show.exact("", f"truemeans predict {model} {shlex.quote(str(file))} --output {again}")
    if model == str(outputs.model):
        show.exact("", f"python -c \"import truemeans; print(truemeans.load('{model}'))\"")
