"""Resolves the number of threads a call may use, once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from truemeans.control_group import control_groups

__all__ = ["resolve_threads"]

# More threads than any machine we know has processors only cost memory.
_MOST = 1024


def resolve_threads(n_threads: int | None) -> int:
    """Threads to use: the argument (at most 1024), or what the process may use.

    Without an argument: the processors in the affinity mask, no more than the cgroup's CPU
    quota (rounded up), no more than ``OMP_NUM_THREADS`` where it is set, which joblib lowers
    in its workers.
    """
    if n_threads is not None:
        return min(n_threads, _MOST)
    limits = [_affinity(), *_quotas(), _environment()]
    return max(1, min(limit for limit in limits if limit is not None))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas() -> Iterator[int]:
    for group in control_groups("cpu"):
        quota, period = _quota(group)
        # No limit reads "max" in version 2 of the interface and -1 in version 1.
        if quota.isdigit():
            yield math.ceil(int(quota) / int(period))


def _quota(group: Path) -> tuple[str, str]:
    """Microseconds of processor time the group may take in each period of so many."""
    try:
        quota, period = _read(f"{group}/cpu.max").split()
    except (OSError, ValueError):
        try:
            quota = _read(f"{group}/cpu.cfs_quota_us").strip()
            period = _read(f"{group}/cpu.cfs_period_us").strip()
        except OSError:
            return "max", ""
    return quota, period


def _read(name: str) -> str:
    with open(name) as file:
        return file.read()


def _environment() -> int | None:
    value = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return int(value) if value.isdigit() and int(value) > 0 else None
