"""Where the bytes of a table come from: a file that is opened as often as needed, or memory."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from truemeans.files import check_source

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Source"]


@dataclass(frozen=True)
class Source:
    """Bytes that can be read from their beginning any number of times.

    Attributes
    ----------
    name : str
        How messages name them.
    path : Path or None
        The regular file they are in.
    content : bytes or None
        The bytes themselves, when there is no such file.
    """

    name: str
    path: Path | None
    content: bytes | None

    @classmethod
    def of(cls, name: str) -> Source:
        """Return the source a command line names: a path, or ``-`` for standard input."""
        if name == "-":
            if sys.stdin is None:
                raise ValueError("standard input is closed; name a file instead of -")
            return cls("standard input", None, _all_of(sys.stdin.buffer))
        path = Path(name)
        check_source(path)
        if path.is_file():
            return cls(name, path, None)
        # A pipe can be read once only.
        with open(path, "rb") as handle:
            return cls(name, None, _all_of(handle))

    def open(self) -> BinaryIO:
        """Open the bytes for reading."""
        return io.BytesIO(self.content or b"") if self.path is None else open(self.path, "rb")

    def open_arrow(self) -> pa.NativeFile:
        """Open the bytes for pyarrow, whose own files need no call back into Python."""
        import pyarrow as pa

        if self.path is None:
            return pa.BufferReader(self.content)
        # As bytes where a name is bytes: not all of them are text.
        name = os.fsencode(self.path) if os.name == "posix" else os.fspath(self.path)
        return pa.OSFile(name, "rb")

    def head(self, size: int) -> bytes:
        """Return the first ``size`` bytes, or as many as there are."""
        with self.open() as handle:
            return handle.read(size)


def _all_of(handle: BinaryIO) -> bytes:
    """Read to the end in pieces, because Ctrl-C is only heard between calls."""
    return b"".join(iter(lambda: handle.read(1 << 24), b""))
