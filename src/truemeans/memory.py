"""How much memory this process may still take, as far as the system says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_memory"]

_CONTROL_GROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def available_memory() -> int | None:
    """Bytes that are free: the machine's, no more than the control group's limit leaves.

    None where the system does not say.
    """
    return min((*_machine(), *_control_group()), default=None)


def _machine() -> Iterator[int]:
    try:
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        yield int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        # Not Linux: what is in use is not known, so this is all there is.
        if "SC_PHYS_PAGES" in os.sysconf_names:
            yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _control_group() -> Iterator[int]:
    # Version 2 of the interface; without a limit memory.max holds the word max. Pages of files
    # that were read count as used there, and are given up when memory is wanted.
    try:
        limit = int((_CONTROL_GROUP / "memory.max").read_text())
        used = int((_CONTROL_GROUP / "memory.current").read_text())
        stat = (_CONTROL_GROUP / "memory.stat").read_text().splitlines()
        files = {name: int(size) for name, size in (line.split() for line in stat)}
    except (OSError, ValueError):
        return
    yield max(0, limit - used + files.get("inactive_file", 0))
