"""``truemeans walkthrough``: a run step by step, as a page or in the terminal."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from truemeans.cli import options as opt

if TYPE_CHECKING:
    from truemeans import Walkthrough

__all__ = ["EPILOG", "walkthrough"]

EPILOG = "Example: truemeans walkthrough customers.csv -k 3 --columns age,income --rows 100"

STDIO = "-"


def walkthrough(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]",
            show_default=False,
            help="A table, as for truemeans fit. Without one, the 30 points of the lesson.",
        ),
    ] = None,
    n_clusters: Annotated[
        int,
        typer.Option(
            "--n-clusters",
            "-k",
            metavar="K",
            rich_help_panel=opt.CLUSTERS,
            help="Number of clusters, up to 12.",
        ),
    ] = 2,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            rich_help_panel=opt.ROWS,
            help="Columns to use. Default: all that hold numbers; more than two are drawn by "
            "their principal axes.",
        ),
    ] = None,
    exclude: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            rich_help_panel=opt.ROWS,
            help="Columns to leave out.",
        ),
    ] = None,
    standardize: Annotated[
        bool,
        typer.Option(
            "--standardize",
            metavar="",
            rich_help_panel=opt.ROWS,
            help="Give every column mean 0 and standard deviation 1.",
        ),
    ] = False,
    n_rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            metavar="N",
            show_default=False,
            rich_help_panel=opt.ROWS,
            help="Draw so many rows at random. Default: all, at most 1000.",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=opt.CLUSTERS,
            help="The same seed draws the same points.",
        ),
    ] = 0,
    init: Annotated[
        opt.Init,
        typer.Option(
            metavar="HOW",
            rich_help_panel=opt.CLUSTERS,
            help="How the first centroids are drawn: random, k-means++, k-means|| or auto.",
        ),
    ] = opt.Init.RANDOM,
    max_iter: Annotated[
        int,
        typer.Option(metavar="N", rich_help_panel=opt.CLUSTERS, help="The most rounds."),
    ] = 300,
    terminal: Annotated[
        bool,
        typer.Option(
            "--terminal",
            metavar="",
            rich_help_panel=opt.RESULTS,
            help="Play it here, step by step, instead of writing a page.",
        ),
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default=False,
            rich_help_panel=opt.RESULTS,
            help="The page; - is standard output. Default: NAME.walkthrough.html in the current "
            "folder, or walkthrough.html.",
        ),
    ] = None,
    input_format: opt.InputFormat = None,
    header: opt.Header = None,
    quiet: opt.Quiet = False,
    force: opt.Force = False,
) -> None:
    """Show a run of k-means step by step, as one HTML page or in the terminal."""
    from truemeans.cli.show import plain
    from truemeans.files import check_source, check_target, same_file

    _check(n_clusters, seed, max_iter, n_rows, terminal=terminal, output=output)
    if file is not None and file != STDIO:
        check_source(Path(file))
    target = None if terminal or output == STDIO else Path(output or _default_name(file))
    if target is not None:
        if file is not None and file != STDIO and same_file(target, Path(file)):
            raise ValueError(f"--output {target} is the table itself, which is kept; name another")
        check_target(target, overwrite=force, consent="--force")
    data, notes = _read(file, columns, exclude, input_format, header, n_rows, seed, standardize)
    if terminal and data:
        data |= {"columns": [*map(plain, data["columns"])], "source": plain(data["source"])}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        walk = _run(data, n_clusters, init.value, seed, max_iter)
    if terminal:
        from truemeans._walkthrough.terminal import play

        play(walk)
        return
    _write(walk, target, force=force)
    if not quiet:
        _say(walk, target, (*notes, *(str(warning.message) for warning in caught)))


def _check(
    n_clusters: int,
    seed: int,
    max_iter: int,
    n_rows: int | None,
    *,
    terminal: bool,
    output: str | None,
) -> None:
    opt.check_least("-k", n_clusters, 1)
    opt.check_seed(seed)
    opt.check_least("--max-iter", max_iter, 1)
    opt.check_least("--rows", n_rows, 1)
    if terminal and output is not None:
        raise ValueError("--terminal and --output are two ways to show the run; choose one of them")


def _default_name(file: str | None) -> str:
    if file is None or file == STDIO:
        return "walkthrough.html"
    return f"{Path(file).stem}.walkthrough.html"


def _read(
    file: str | None,
    columns: str | None,
    exclude: str | None,
    input_format: opt.Format | None,
    header: bool | None,
    n_rows: int | None,
    seed: int,
    standardize: bool,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the rows and what they are called, and what the user should know about them."""
    if file is None:
        chosen = [columns, exclude, n_rows, input_format, header]
        if standardize or any(value is not None for value in chosen):
            raise ValueError(
                "the lesson's points are shown as they are; name a FILE to choose rows or columns"
            )
        return {}, ()
    from truemeans.cli.notes import look_at_rows
    from truemeans.tables import read_table, select

    table = read_table(file, input_format, header=header)
    names = None if columns is None else opt.split_names(columns)
    selection = select(table, names, opt.split_names(exclude))
    X, source = selection.X, Path(table.name).name
    notes = (*table.notes, *look_at_rows(X, selection.names, standardized=standardize))
    labels = selection.names
    if standardize:
        from truemeans import standardize as scaling

        X = scaling.standardize(X, *scaling.measure(X))
        labels = tuple(f"{name} (standardised)" for name in labels)
    if n_rows is not None and n_rows < len(X):
        import numpy as np

        rows = np.random.RandomState(seed).choice(len(X), n_rows, replace=False)
        source = f"{n_rows} of {len(X):,} rows of {source}"
        X = X[np.sort(rows)]
    return {"X": X, "columns": labels, "source": source}, notes


def _run(data: dict[str, Any], n_clusters: int, init: str, seed: int, max_iter: int) -> Walkthrough:
    from truemeans._walkthrough import walkthrough as told
    from truemeans.validation.walkthrough import MOST_CLUSTERS, MOST_ROWS

    n_rows = len(data["X"]) if data else MOST_CLUSTERS
    if n_rows > MOST_ROWS:
        raise ValueError(
            f"{data['source']} has {n_rows:,} rows, and a walkthrough shows {MOST_ROWS} at most; "
            "draw some at random with --rows 200"
        )
    most = min(n_rows, MOST_CLUSTERS)
    if n_clusters > most:
        shapes = f"a walkthrough has shapes for {MOST_CLUSTERS}"
        rule = "every cluster needs a row of its own" if most < MOST_CLUSTERS else shapes
        raise ValueError(f"-k {n_clusters} is more than {most}, and {rule}; ask for fewer clusters")
    return told(**data, n_clusters=n_clusters, init=init, random_state=seed, max_iter=max_iter)


def _write(walk: Walkthrough, target: Path | None, *, force: bool) -> None:
    page = walk.to_html().encode()
    if target is None:
        sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()
        return
    from truemeans.files import replacing

    with replacing(target, overwrite=force, consent="--force") as handle:
        handle.write(page)


def _say(walk: Walkthrough, target: Path | None, notes: tuple[str, ...]) -> None:
    from truemeans.cli.show import Summary, count

    show = Summary(to_stderr=target is None)
    run = walk.run
    ended = "converged" if run.converged else "stopped without converging"
    show.line("Run", f"{walk.origin.source}: {ended} after {count(len(run.labels), 'round')}")
    show.notes(notes)
    if target is not None:
        show.exact(
            "Wrote", str(target), f"({count(len(walk.frames), 'frame')}; open it in a browser)"
        )
