"""The arguments and options that commands share."""

from __future__ import annotations

import csv
import math
from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "CLUSTERS",
    "RESULTS",
    "ROWS",
    "File",
    "Force",
    "Format",
    "Header",
    "Init",
    "InputFormat",
    "Json",
    "LabelColumn",
    "ModelFile",
    "Output",
    "OutputFormat",
    "Quiet",
    "Refine",
    "Threads",
    "check_least",
    "check_seed",
    "split_names",
]


_LARGEST_SEED = 2**32 - 1

# The groups of options in the help.
ROWS, CLUSTERS, RESULTS = "Rows", "Clusters", "Results"


class Format(StrEnum):
    """The formats of tables, as options name them."""

    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    FEATHER = "feather"
    NPY = "npy"


class Refine(StrEnum):
    """The ways to improve a run that a command line can name."""

    NONE = "none"
    SWAP = "swap"


class Init(StrEnum):
    """The ways to start that a command line can name."""

    AUTO = "auto"
    KMEANS_PLUSPLUS = "k-means++"
    KMEANS_PARALLEL = "k-means||"
    RANDOM = "random"


File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="A table: .csv, .tsv, .parquet, .feather, .arrow or .npy; - reads standard input.",
    ),
]
ModelFile = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        show_default=False,
        help="A model file from truemeans fit or KMeans.save.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        show_default=False,
        rich_help_panel=RESULTS,
        help="Where the labelled table goes; - is standard output. "
        "Default: NAME.labelled.SUFFIX in the current folder.",
    ),
]
OutputFormat = Annotated[
    Format | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        show_default=False,
        rich_help_panel=RESULTS,
        help="csv, tsv, parquet, feather or npy. "
        "Default: what --output's suffix says, else as FILE.",
    ),
]
InputFormat = Annotated[
    Format | None,
    typer.Option(
        "--input-format",
        metavar="FORMAT",
        show_default=False,
        rich_help_panel=ROWS,
        help="csv, tsv, parquet, feather or npy. "
        "Default: what FILE's suffix says; csv for standard input.",
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        metavar="",
        show_default=False,
        rich_help_panel=ROWS,
        help="Whether a CSV's first line names the columns. "
        "Default: it does, unless it holds numbers only.",
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label-column",
        metavar="NAME",
        show_default=False,
        rich_help_panel=RESULTS,
        help="Name of the new column. Default: cluster, or cluster_1, … if that is taken.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        show_default=False,
        rich_help_panel=CLUSTERS,
        help="Number of threads; the answer does not depend on it. Default: all there are.",
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        rich_help_panel=RESULTS,
        help="Print one JSON object and nothing else.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        "-f",
        metavar="",
        rich_help_panel=RESULTS,
        help="Replace files that exist already.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", metavar="", rich_help_panel=RESULTS, help="Print no summary."),
]


def check_least(option: str, value: float | None, least: int) -> None:
    """Raise when an option is below the least it may be, or no finite number."""
    if value is not None and not least <= value < math.inf:
        number = f"{value:g}" if isinstance(value, float) else str(value)
        raise ValueError(
            f"{option} is {number}, and must be at least {least} and finite; give such a number"
        )


def check_seed(seed: int) -> None:
    """Raise when ``--seed`` is no seed of NumPy's generator."""
    check_least("--seed", seed, 0)
    if seed > _LARGEST_SEED:
        raise ValueError(
            f"--seed is {seed}, and must be at most {_LARGEST_SEED}; give a smaller one"
        )


def split_names(text: str | None) -> tuple[str, ...]:
    """Split ``a,b,"c, d"`` into names, as a line of CSV."""
    if text is None:
        return ()
    try:
        cells = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:
        raise ValueError(
            f"{text!r} holds a line break outside quotes, and names stand between commas in one "
            "line; put a name of several lines into double quotes"
        ) from None
    return tuple(cell.strip() for cell in cells)
