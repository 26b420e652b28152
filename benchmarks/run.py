"""All workloads, all peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.limits import machine, measure_limits
from benchmarks.peers import PEERS
from benchmarks.turns import Crew, Measurement, Rules
from benchmarks.workloads import Workload

__all__ = ["run"]


def run(
    workloads: Sequence[Workload],
    peers: Sequence[str],
    n_threads: int,
    rules: Rules,
    path: Path | None,
    console: Console,
) -> list[Measurement]:
    """Measure, print a table for each workload and one for all; rewrite ``path`` after each."""
    facts, limits = machine(), measure_limits(n_threads)
    about = {"machine": facts, "limits": limits, "rules": asdict(rules) | {"n_threads": n_threads}}
    report.print_machine(facts, limits, console)
    found: list[Measurement] = []
    for workload in workloads:
        members = {peer: (peer, n_threads) for peer in peers if PEERS[peer].can(workload)}
        with (
            console.status(workload.name) as status,
            Crew(workload, members, rules, status.update) as crew,
        ):
            new = list(crew.do().values())
        found += new
        report.print_workload(workload, new, console)
        if path:
            report.write_json(path, about, found)
    report.print_summary(workloads, found, console)
    return found
