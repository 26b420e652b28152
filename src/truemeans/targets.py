"""The SIMD targets this machine can run."""

from __future__ import annotations

import truemeans._core as _core

__all__ = ["has_tiles", "targets"]


def targets() -> dict[str, str]:
    """SIMD targets this machine can run, best first, with a description."""
    return dict(_core.targets())


def has_tiles(target: str) -> bool:
    """Whether a target, or the best one for an empty name, has a matrix unit."""
    return (target or next(iter(targets()))) == "amx"
