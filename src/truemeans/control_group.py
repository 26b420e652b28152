"""The control groups that limit this process, of both versions of the interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["control_groups"]

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def control_groups(controller: str) -> Iterator[Path]:
    """Folders of the groups whose limits hold: the process's own and every one around it.

    ``controller`` is ``"cpu"`` or ``"memory"``. In a container the own group is often the root
    of what can be seen, and sometimes not there to be seen at all: such folders are left out.
    """
    try:
        lines = _OWN.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        # Version 2 names no controllers; version 1 has a tree for each.
        if names and controller not in names.split(","):
            continue
        root = _ROOT / controller if names else _ROOT
        own = root / path.strip("/")
        inside = [own, *(folder for folder in own.parents if folder.is_relative_to(root))]
        yield from (folder for folder in inside if folder.is_dir())
