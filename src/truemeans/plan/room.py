"""Memory that is kept about rows from pass to pass."""

from __future__ import annotations

__all__ = ["n_groups", "skip_bytes"]


def n_groups(n_features: int, itemsize: int, row_room: int | None = None) -> int:
    """The most groups whose bounds, with labels, fit 24 bytes and half a row.

    And whose bounds fit ``row_room`` bytes a row, if eight groups do.
    """
    # Label, upper bound and slack take 12 bytes a row, a bound 2; groups come in eights.
    room = 24 - 12 + n_features * itemsize // 2
    if row_room is not None:
        room = min(room, row_room - 8)
    return max(8, room // 2 // 8 * 8)


def skip_bytes(skip: str, n_features: int, itemsize: int, row_room: int | None = None) -> int:
    """The most bytes a row that are kept from pass to pass (docs/memory.md; memory)."""
    if skip == "groups":
        # Upper bound and slack, and a lower bound a group.
        return 8 + 2 * n_groups(n_features, itemsize, row_room)
    if skip == "boxes":
        # The row once more, its number, and four bytes: its place while rows are sorted, then half
        # a label and for every 32 rows or more the two corners of a box. While rows are numbered
        # there are two of number and place.
        return max(n_features * itemsize + 8, 16)
    if skip == "packed":
        # Bytes in whole tiles of 64 features, their factor, two norms, the own score and its doubt.
        return (n_features + 63) // 64 * 64 + 20
    return 4 if skip == "rows" else 0
