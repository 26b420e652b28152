"""``truemeans fit --explain``: how rows would be clustered and why, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from truemeans.cli.show import Summary, count, print_json

if TYPE_CHECKING:
    from truemeans.cli.fit import FitOptions
    from truemeans.cli.outputs import Request

__all__ = ["explain"]


def explain(request: Request, options: FitOptions) -> None:
    """Read and check all that a fit would, and print its plan; nothing is written.

    Parameters
    ----------
    request : Request
        What is read.
    options : FitOptions
        How it would be clustered.
    """
    from truemeans.cli.fit import read_rows
    from truemeans.functions import pose
    from truemeans.plan import skip_bytes

    table, selection, weights = read_rows(request, options)
    X = selection.X
    plan = pose(
        X,
        options.n_clusters,
        sample_weight=weights,
        init=options.init,
        n_threads=options.n_threads,
        skip_memory=options.skip_memory,
        caller="k_means",
    ).plan
    n_bytes = table.n_rows * skip_bytes(plan.skip, X.shape[1], X.itemsize, plan.row_room)
    if request.json:
        print_json(
            {
                "command": "fit --explain",
                "input": table.name,
                "n_samples": table.n_rows,
                "columns": list(selection.names),
                "dtype": str(X.dtype),
                "plan": {
                    "engine": plan.engine,
                    "target": plan.target,
                    "n_threads": plan.n_threads,
                    "scores": plan.scores,
                    "skip": plan.skip,
                    "skip_bytes": n_bytes,
                    "seeding": plan.seeding,
                    "reason": plan.reason,
                    "why": list(plan.why),
                },
            }
        )
        return
    show = Summary()
    columns = count(len(table.names), "column")
    show.line("Read", f"{table.name}: {count(table.n_rows, 'row')}, {columns}")
    show.columns(selection.names, selection.left_out)
    show.line("Plan", str(plan))
    for i, rule in enumerate(plan.why):
        show.line("" if i else "Why", rule)
    show.line("Memory", f"up to {n_bytes:,} bytes kept from pass to pass to skip work")
