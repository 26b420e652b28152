"""The control groups that limit this process, of both versions of the interface."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

__all__ = ["control_groups"]

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def control_groups(controller: str) -> tuple[Path, ...]:
    """Folders of the groups whose limits hold: the process's own and every one around it.

    ``controller`` is ``"cpu"`` or ``"memory"``. In a container the own group is often the root
    of what can be seen, and sometimes not there to be seen at all: such folders are left out.
    """
    try:
        with open(_OWN) as file:
            groups = file.read()
    except OSError:
        return ()
    return _folders(groups, controller, _ROOT)


# Asked at every call, and it takes longer than a small fit; a process seldom changes its groups.
@lru_cache(maxsize=16)
def _folders(groups: str, controller: str, root_of_all: Path) -> tuple[Path, ...]:
    found: list[Path] = []
    for line in groups.splitlines():
        _, names, path = line.split(":", 2)
        # Version 2 names no controllers; version 1 has a tree for each.
        if names and controller not in names.split(","):
            continue
        root = root_of_all / controller if names else root_of_all
        own = root / path.strip("/")
        inside = [own, *(folder for folder in own.parents if folder.is_relative_to(root))]
        found += [folder for folder in inside if folder.is_dir()]
    return tuple(found)
