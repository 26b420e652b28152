"""Who computes a pass. An engine knows the arithmetic on one block of rows, nothing else."""

from truemeans.engines.base import Engine
from truemeans.engines.records import RowState, SqGrids
from truemeans.result import Plan

__all__ = ["Engine", "RowState", "SqGrids", "open_engine"]


def open_engine(plan: Plan) -> Engine:
    """Start the planned engine; it lives as long as one call of the library."""
    if plan.engine == "native":
        from truemeans.engines.native import NativeEngine

        return NativeEngine(plan)
    if plan.engine == "reference":
        from truemeans.engines.reference import ReferenceEngine

        return ReferenceEngine()
    raise ValueError(
        f"engine={plan.engine!r} is not built into this library; use 'native' or 'reference'."
    )
