"""How much memory this process may still take, as far as the system says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from truemeans.control_group import control_groups

__all__ = ["available_memory"]

_MEMINFO = Path("/proc/meminfo")
_STATM = Path("/proc/self/statm")


def available_memory() -> int | None:
    """Bytes that are free, swap included: the machine's, no more than any limit leaves.

    Limits are those of control groups and of the address space (``ulimit -v``). What the
    system gives up when memory is wanted, such as pages of files it keeps, counts as free.
    None where the system does not say.
    """
    machine, swap = _machine()
    groups = (free + swap for free in _groups())
    return min((*machine, *groups, *_address_space()), default=None)


def _machine() -> tuple[list[int], int]:
    """Free bytes with swap, and the swap among them."""
    try:
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        swap = _kib(lines.get("SwapFree", "0 kB"))
        return [_kib(lines["MemAvailable"]) + swap], swap
    except (OSError, KeyError, ValueError):
        # Not Linux: what is in use is not known, so this is all there is.
        if "SC_PHYS_PAGES" in os.sysconf_names:
            return [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")], 0
        return [], 0


def _kib(text: str) -> int:
    return int(text.split()[0]) * 1024


def _groups() -> Iterator[int]:
    for group in control_groups("memory"):
        try:
            yield from _group(group)
        except (OSError, ValueError):
            # Without a limit memory.max holds the word max; the root has no such file.
            continue


def _group(group: Path) -> Iterator[int]:
    second = (group / "memory.max").exists()
    limit = int((group / ("memory.max" if second else "memory.limit_in_bytes")).read_text())
    used = int((group / ("memory.current" if second else "memory.usage_in_bytes")).read_text())
    stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    prefix = "" if second else "total_"
    files = sum(int(stat.get(f"{prefix}{kind}_file", 0)) for kind in ("inactive", "active"))
    yield max(0, limit - used + files)


def _address_space() -> Iterator[int]:
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        used = int(_STATM.read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return
    if limit != resource.RLIM_INFINITY:
        yield max(0, limit - used)
