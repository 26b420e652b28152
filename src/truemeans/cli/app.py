"""The commands and their options, and how errors end them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from truemeans.cli import options as opt
from truemeans.cli import palette as colors
from truemeans.cli import walkthrough as steps
from truemeans.cli.signals import Ended, ending_cleanly

__all__ = ["app", "main"]

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_SIGNAL = 128

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="K-means, true to the last bit: exact, fast, one answer everywhere.",
    epilog="Example: truemeans fit customers.csv -k 5",
)


def _show_version(value: bool) -> None:
    if value:
        from truemeans import __version__

        print(f"truemeans {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=_show_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Print the help when no command is named."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(epilog="Example: truemeans fit customers.csv -k 5 --standardize")
def fit(
    file: opt.File,
    n_clusters: Annotated[
        int,
        typer.Option(
            "--n-clusters",
            "-k",
            metavar="K",
            show_default=False,
            rich_help_panel=opt.CLUSTERS,
            help="Number of clusters.",
        ),
    ],
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            rich_help_panel=opt.ROWS,
            help="Columns to use. Default: all that hold numbers.",
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
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            rich_help_panel=opt.ROWS,
            help="A column that holds the weight of each row.",
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
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=opt.CLUSTERS,
            help="The same seed gives the same clusters.",
        ),
    ] = 0,
    init: Annotated[
        opt.Init,
        typer.Option(
            metavar="HOW",
            rich_help_panel=opt.CLUSTERS,
            help="How the first centroids are drawn: k-means++, k-means||, random, or auto, which "
            "is k-means|| for many rows, else k-means++.",
        ),
    ] = opt.Init.AUTO,
    n_init: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=opt.CLUSTERS,
            help="Number of starts; the best run counts.",
        ),
    ] = 1,
    max_iter: Annotated[
        int,
        typer.Option(
            metavar="N",
            rich_help_panel=opt.CLUSTERS,
            help="The most iterations of a run.",
        ),
    ] = 300,
    refine: Annotated[
        opt.Refine,
        typer.Option(
            metavar="HOW",
            rich_help_panel=opt.CLUSTERS,
            help="After the run: none, or swap to look for better centroids.",
        ),
    ] = opt.Refine.NONE,
    max_swaps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            show_default=False,
            rich_help_panel=opt.CLUSTERS,
            help="The most swaps that --refine swap tries. Default: while it helps.",
        ),
    ] = None,
    max_swap_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            show_default=False,
            rich_help_panel=opt.CLUSTERS,
            help="Seconds that --refine swap takes; the answer then depends on the machine. "
            "Default: no limit.",
        ),
    ] = None,
    skip_memory: Annotated[
        int | None,
        typer.Option(
            metavar="BYTES",
            show_default=False,
            rich_help_panel=opt.CLUSTERS,
            help="The most bytes to keep from pass to pass; fewer are slower, never different.",
        ),
    ] = None,
    tol: Annotated[
        float,
        typer.Option(
            metavar="X",
            rich_help_panel=opt.CLUSTERS,
            help="End early, once the centroids move less than this share of the variance.",
        ),
    ] = 0.0,
    threads: opt.Threads = None,
    output: opt.Output = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="FILE",
            show_default=False,
            rich_help_panel=opt.RESULTS,
            help="Where the model goes. Default: NAME.truemeans in the current folder; "
            "none with --output -.",
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            rich_help_panel=opt.RESULTS,
            help="Draw the clusters: .png, .svg or .pdf. Default: no picture.",
        ),
    ] = None,
    label_column: opt.LabelColumn = None,
    output_format: opt.OutputFormat = None,
    input_format: opt.InputFormat = None,
    header: opt.Header = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            metavar="",
            rich_help_panel=opt.RESULTS,
            help="Say how the rows would be clustered and why, and end there.",
        ),
    ] = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    force: opt.Force = False,
) -> None:
    """Cluster the rows of a table; write the table labelled, and the model."""
    from truemeans.cli.fit import FitOptions
    from truemeans.cli.fit import fit as run
    from truemeans.cli.outputs import Request

    run(
        Request(
            file, input_format, header, output, output_format, label_column, force, json, quiet
        ),
        FitOptions(
            n_clusters=n_clusters,
            columns=None if columns is None else opt.split_names(columns),
            exclude=opt.split_names(exclude),
            weights=weights,
            standardize=standardize,
            seed=seed,
            init=init.value,
            n_init=n_init,
            max_iter=max_iter,
            refine=None if refine is opt.Refine.NONE else refine.value,
            max_swaps=max_swaps,
            max_swap_seconds=max_swap_seconds,
            skip_memory=skip_memory,
            explain=explain,
            tol=tol,
            n_threads=threads,
            model=model,
            plot=plot,
        ),
    )


@app.command(epilog="Example: truemeans predict customers.truemeans new.csv --output -")
def predict(
    model: opt.ModelFile,
    file: opt.File,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            rich_help_panel=opt.ROWS,
            help="Columns that stand for the model's features, in their order. "
            "Default: those of the same names.",
        ),
    ] = None,
    threads: opt.Threads = None,
    output: opt.Output = None,
    label_column: opt.LabelColumn = None,
    output_format: opt.OutputFormat = None,
    input_format: opt.InputFormat = None,
    header: opt.Header = None,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    force: opt.Force = False,
) -> None:
    """Label the rows of a table with the clusters of a model."""
    from truemeans.cli.outputs import Request
    from truemeans.cli.predict import predict as run

    request = Request(
        file, input_format, header, output, output_format, label_column, force, json, quiet
    )
    run(model, request, None if columns is None else opt.split_names(columns), threads)


@app.command(epilog="Example: truemeans info customers.truemeans")
def info(model: opt.ModelFile, json: opt.Json = False) -> None:
    """Show what a model file holds."""
    from truemeans.cli.info import info as run

    run(model, as_json=json)


app.command("palette", epilog=colors.EPILOG)(colors.palette)
app.command("walkthrough", epilog=steps.EPILOG)(steps.walkthrough)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after the program's name; by default what this process was started with.

    Returns
    -------
    int
        0; 2 for bad input, which is said in one sentence; 130 after Ctrl-C; 141 when the reader
        of the output went away; 128 and its number after another signal to end, 143 for SIGTERM.
    """
    _open_streams()
    try:
        with ending_cleanly():
            _dispatch(sys.argv[1:] if arguments is None else list(arguments))
            sys.stdout.flush()
    except typer.Exit as end:
        return end.exit_code
    except KeyboardInterrupt:
        _complain("interrupted; no unfinished file is left behind")
        return EXIT_INTERRUPTED
    except Ended as end:
        _complain(f"ended by {end}; no unfinished file is left behind")
        return EXIT_SIGNAL + end.number
    except BrokenPipeError:
        _forget_stdout()
        return EXIT_BROKEN_PIPE
    except (ValueError, OSError, MemoryError, ModuleNotFoundError) as error:
        _complain(_sentence(error))
        return EXIT_BAD_INPUT
    return 0


def _open_streams() -> None:
    """Let streams that were closed before the start lead nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
            setattr(sys, name, nowhere)


def _dispatch(arguments: list[str]) -> None:
    command = typer.main.get_command(app)
    try:
        with command.make_context("truemeans", arguments) as context:
            command.invoke(context)
    except Exception as error:
        # The class of usage errors has moved between releases of typer; what it can do has not.
        usage = getattr(error, "format_message", None)
        if usage is None:
            raise
        path = getattr(getattr(error, "ctx", None), "command_path", "truemeans")
        sentence = usage().replace("Value error, ", "").rstrip(".")
        raise ValueError(f"{sentence}; see {path} --help") from error


def _sentence(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"not enough memory ({error}); use fewer rows or columns"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'output'}: {error.strerror}"
    return str(error)


def _complain(sentence: str) -> None:
    from truemeans.cli.show import plain

    with contextlib.suppress(OSError):
        print(f"truemeans: {plain(' '.join(sentence.split()))}", file=sys.stderr)


def _forget_stdout() -> None:
    """Send what is still buffered nowhere, or the interpreter would complain about it at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
