"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import kernels, report
from benchmarks.growth import growth
from benchmarks.handle import thread_limits
from benchmarks.limits import machine, measure_limits
from benchmarks.line import line
from benchmarks.memory import memory
from benchmarks.peers import PEERS
from benchmarks.refine import refine
from benchmarks.run import run
from benchmarks.seeding import SEEDERS, seeding
from benchmarks.starts import STARTS, starts
from benchmarks.sweep import N_CLUSTERS, N_FEATURES, N_SAMPLES, Grid, sweep
from benchmarks.turns import Rules
from benchmarks.workloads import WORKLOADS, Workload

_QUICK_PEERS = ["sklearn", "faiss", "truemeans", "truemeans.KMeans"]
_QUICK_SCALE = 0.2
_QUICK_REPEATS = 3


def _run(options: argparse.Namespace, console: Console) -> None:
    """All workloads, all peers."""
    workloads = _chosen(options)
    repeats = options.repeats or (_QUICK_REPEATS if options.quick else Rules.repeats)
    rules = Rules(repeats, options.budget, options.timeout)
    peers = options.peers or (_QUICK_PEERS if options.quick else list(PEERS))
    found = run(workloads, peers, options.threads, rules, options.json, console)
    if options.markdown:
        report.print_markdown(workloads, found)


def _chosen(options: argparse.Namespace) -> list[Workload]:
    chosen = [w for w in WORKLOADS if not options.only or w.name in options.only]
    if options.quick and not options.only:
        chosen = [w for w in chosen if w.quick]
    scale = options.scale or (_QUICK_SCALE if options.quick else 1.0)
    return [w.scaled(scale) for w in chosen]


def _sweep(options: argparse.Namespace, console: Console) -> None:
    """Every shape against scikit-learn."""
    grid = Grid(options.n_samples, options.n_features, options.n_clusters, options.dtypes)
    sweep(grid, options.threads, options.json, console)


def _growth(options: argparse.Namespace, console: Console) -> None:
    """Time over iterations, rows and threads."""
    growth(options.threads, options.scale or 1.0, console)


def _memory(options: argparse.Namespace, console: Console) -> None:
    """Peak memory against the formula."""
    memory(options.threads, options.scale or 1.0, console)


def _line(options: argparse.Namespace, console: Console) -> None:
    """The optimum of one feature against kmeans1d."""
    line(options.n_samples, options.repeats, options.json, console)


def _refine(options: argparse.Namespace, console: Console) -> None:
    """refine="swap" against best known inertias and breathing k-means."""
    refine(options.data, options.seeds, options.json, console)


def _kernels(options: argparse.Namespace, console: Console) -> None:
    """Single passes, to set the plan's numbers."""
    os.environ |= thread_limits(options.threads)
    getattr(kernels, options.which)(options.threads, console)


def _seeding(options: argparse.Namespace, console: Console) -> None:
    """k-means++ against its peers, and its share of a fit."""
    large = [w for w in WORKLOADS if w.verb == "fit" and not w.is_tiny]
    chosen = [
        w.scaled(options.scale or 1.0) for w in large if not options.only or w.name in options.only
    ]
    peers = options.peers or list(SEEDERS)
    seeding(chosen, peers, options.threads, options.repeats, options.timeout, options.json, console)


def _starts(options: argparse.Namespace, console: Console) -> None:
    """k-means++ against k-means||: where fits end, and what they take."""
    chosen = [w for name, w in STARTS.items() if not options.only or name in options.only]
    starts(chosen, options.seeds, options.threads, console)


def _limits(options: argparse.Namespace, console: Console) -> None:
    """What the machine can do."""
    report.print_machine(machine(), measure_limits(options.threads), console)


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(known)}")
        return names

    return parse


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(metavar="command", required=True)

    def command(call: Callable[..., Any]) -> argparse.ArgumentParser:
        added = commands.add_parser(call.__name__[1:], help=call.__doc__, description=call.__doc__)
        added.add_argument("--threads", type=int, default=2, help="for every peer (default: 2)")
        added.set_defaults(call=call)
        return added

    _add_run(command(_run))
    _add_sweep(command(_sweep))
    for call in (_growth, _memory):
        command(call).add_argument("--scale", type=float, help="share of the rows")
    _add_line(command(_line))
    _add_seeding(command(_seeding))
    _add_starts(command(_starts))
    _add_refine(command(_refine))
    command(_kernels).add_argument("which", choices=["layout", "small"])
    command(_limits)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--only", type=_names([w.name for w in WORKLOADS]), metavar="NAME,...", help="workloads")
    add("--peers", type=_names(list(PEERS)), metavar="NAME,...", help=", ".join(PEERS))
    add("--repeats", type=int, help=f"timed jobs of each peer (default: {Rules.repeats})")
    add("--budget", type=float, default=Rules.budget, help="seconds before the last of them")
    add("--timeout", type=float, default=Rules.timeout, help="seconds for one job")
    add("--scale", type=float, help="share of the rows")
    add("--quick", action="store_true", help="main workloads and peers, fewer rows and repeats")
    add("--json", type=Path, metavar="FILE")
    add("--markdown", action="store_true", help="print the README's table")


def _add_seeding(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--only", type=_names([w.name for w in WORKLOADS]), metavar="NAME,...", help="workloads")
    add("--peers", type=_names(list(SEEDERS)), metavar="NAME,...", help=", ".join(SEEDERS))
    add("--repeats", type=int, default=3, help="seeds of each peer (default: 3)")
    add("--timeout", type=float, default=300.0, help="seconds for one job")
    add("--scale", type=float, help="share of the rows")
    add("--json", type=Path, metavar="FILE")


def _add_starts(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--only", type=_names(list(STARTS)), metavar="NAME,...", help="workloads")
    add("--seeds", type=int, default=10, help="fits from each (default: 10)")


def _add_line(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--n-samples", type=int, default=1_000_000)
    add("--repeats", type=int, default=3)
    add("--json", type=Path, metavar="FILE")


def _add_refine(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("data", type=Path, help="folder with NAME.csv of the published sets")
    add("--seeds", type=int, default=20)
    add("--json", type=Path, metavar="FILE")


def _add_sweep(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--n-samples", type=_integers, default=N_SAMPLES, metavar="N,...")
    add("--n-features", type=_integers, default=N_FEATURES, metavar="D,...")
    add("--n-clusters", type=_integers, default=N_CLUSTERS, metavar="K,...")
    add("--dtypes", type=lambda text: text.split(","), default=["float32", "float64"])
    add("--json", type=Path, metavar="FILE")


def _console() -> Console:
    console = Console()
    # A log file has no width of its own, and eighty columns would fold the tables.
    return console if console.is_terminal else Console(width=140)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    options = _parser().parse_args(arguments)
    options.call(options, _console())


if __name__ == "__main__":
    main()
