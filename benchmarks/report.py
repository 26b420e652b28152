"""Tables for the terminal, for the README, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.peers import OURS, PEERS
from benchmarks.turns import Measurement
from benchmarks.workloads import Workload

__all__ = ["fastest_exact", "print_machine", "print_markdown", "print_workload", "write_json"]


def duration(seconds: float) -> str:
    """In the unit that reads best."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def print_machine(facts: dict[str, Any], limits: dict[str, float], console: Console) -> None:
    """What it ran on, and what that can do."""
    console.print(
        f"{facts['cpu']}, {facts['n_cpus']} CPUs, SIMD target {facts['target']}; "
        f"Python {facts['python']}, NumPy {facts['numpy']}, truemeans {facts['truemeans']}"
    )
    if facts["load"] > 0.5:
        console.print(
            f"[yellow]Others keep {facts['load']:.1f} of its CPUs busy: peers that wait for all "
            "their threads at every step suffer most; trust no ratio.[/]"
        )
    for name, value in limits.items():
        console.print(f"  {name}: {value:.1f} {'GFLOP/s' if 'GEMM' in name else 'GB/s'}")


def print_workload(workload: Workload, found: Sequence[Measurement], console: Console) -> None:
    """One table: every peer, fastest first."""
    table = Table(title=f"[bold]{workload.name}[/]  {workload}", title_justify="left")
    table.add_column("peer")
    for column in ("time", "best", "iteration", "vs sklearn", "SSE / least", "beyond X", "runs"):
        table.add_column(column, justify="right")
    table.add_column("notes")
    done = sorted((m for m in found if not m.error), key=lambda m: m.median)
    base = next((m.median for m in done if m.peer == "sklearn"), None)
    # Of those that started from the same centroids; others may end below or above by luck.
    least = min((m.sse for m in done if m.sse is not None and PEERS[m.peer].exact), default=None)
    for m in done:
        table.add_row(*_cells(m, workload, base, least))
    for m in found:
        if m.error:
            table.add_row(m.peer, *["–"] * 7, m.error)
    console.print(table)


def _cells(
    m: Measurement, workload: Workload, base: float | None, least: float | None
) -> list[str]:
    notes = [PEERS[m.peer].note]
    if workload.verb == "predict":
        notes = []
    elif not workload.to_convergence and m.n_iter != workload.n_iter:
        notes.append(f"{m.n_iter} iterations")
    if m.sse is not None and m.sse_labels is not None and m.sse_labels > m.sse * (1 + 1e-6):
        notes.append(f"labels give SSE × {m.sse_labels / m.sse:.6f}")
    bold = "[bold]" if m.peer in OURS else ""
    return [
        bold + m.peer,
        bold + duration(m.median),
        duration(min(m.seconds)),
        duration(m.median / m.n_iter) if m.n_iter else "",
        f"{base / m.median:.2f}×" if base else "",
        f"{m.sse / least:.5f}" if m.sse is not None and least else "",
        f"{m.extra_bytes / 2**20:.0f} MB",
        str(len(m.seconds)),
        "; ".join(filter(None, notes)),
    ]


def fastest_exact(found: Iterable[Measurement], workload: str) -> Measurement | None:
    """The fastest of the peers that do the same work."""
    rivals = [
        m
        for m in found
        if m.workload == workload and not m.error and PEERS[m.peer].exact and m.peer not in OURS
    ]
    return min(rivals, key=lambda m: m.median, default=None)


def _summary(workloads: Sequence[Workload], found: Sequence[Measurement]) -> list[list[str]]:
    rows = []
    for w in workloads:
        rival = fastest_exact(found, w.name)
        for m in found:
            if m.workload != w.name or m.peer not in ("truemeans", "truemeans.KMeans") or m.error:
                continue
            row = [w.name, str(w), m.peer, duration(m.median), "", "", ""]
            if rival:
                row[4:] = [rival.peer, duration(rival.median), f"{rival.median / m.median:.1f}×"]
            rows.append(row)
    return rows


_COLUMNS = ["workload", "", "ours", "time", "fastest exact peer", "its time", "ratio"]


def print_summary(
    workloads: Sequence[Workload], found: Sequence[Measurement], console: Console
) -> None:
    """Ours against the fastest exact peer, one line for each workload."""
    table = Table(title="Against the fastest exact peer", title_justify="left")
    for i, column in enumerate(_COLUMNS):
        table.add_column(column, justify="right" if i in (3, 5, 6) else "left")
    for row in _summary(workloads, found):
        table.add_row(*row)
    console.print(table)


def print_markdown(workloads: Sequence[Workload], found: Sequence[Measurement]) -> None:
    """The README's table."""
    print("| " + " | ".join(_COLUMNS) + " |")
    print("|---|---|---|--:|---|--:|--:|")
    for row in _summary(workloads, found):
        print("| " + " | ".join(row) + " |")


def write_json(path: Path, facts: dict[str, Any], found: Sequence[Measurement]) -> None:
    """Everything measured, for plots and comparisons."""
    results = [asdict(m) | {"median": None if m.error else m.median} for m in found]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts | {"results": results}, indent=1) + "\n")
