"""Where rows live. A source hands out blocks of rows and takes rows by index, nothing else."""

from truemeans.sources.array import ArraySource
from truemeans.sources.base import Source
from truemeans.sources.kept import keep_rows
from truemeans.sources.npy import NpySource

__all__ = ["ArraySource", "NpySource", "Source", "keep_rows"]
