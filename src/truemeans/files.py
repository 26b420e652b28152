"""Files on disk: what may be read, and how results are written whole or not at all."""

from __future__ import annotations

import difflib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["check_source", "check_target", "replacing", "same_file", "settle"]


def check_source(path: Path) -> None:
    """Raise, in one sentence, when ``path`` cannot be opened for reading.

    Parameters
    ----------
    path : Path
        The file to be read.

    Raises
    ------
    FileNotFoundError
        If nothing is there; the closest name in its folder is suggested.
    ValueError
        If it is a folder.
    PermissionError
        If it may not be read.
    """
    if path.is_symlink() and not path.exists():
        raise FileNotFoundError(f"{path} is a link to {os.readlink(path)}, which does not exist")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; {_closest_file(path)}")
    if path.is_dir():
        raise ValueError(f"{path} is a folder, and one file is read at a time; name a file in it")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"{path} may not be read by this user; change its permissions")


def _closest_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"its folder {folder} does not exist either: check the path"
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.7)
    return f"did you mean {folder / close[0]}?" if close else "check the path"


def check_target(path: Path, *, overwrite: bool, consent: str = "overwrite=True") -> None:
    """Raise, in one sentence, when a result cannot be written to ``path``.

    Parameters
    ----------
    path : Path
        The file to be written.
    overwrite : bool
        Whether a regular file that is there already may be replaced.
    consent : str
        What the caller writes to allow that; named in the message.

    Raises
    ------
    FileExistsError
        If a file is there and ``overwrite`` is false.
    FileNotFoundError
        If the folder does not exist.
    PermissionError
        If the folder may not be written to.
    ValueError
        If ``path`` is something other than a regular file.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder, and the result is one file; name a file in it")
    if path.exists():
        if not path.is_file():
            raise ValueError(f"{path} is not a regular file and is not replaced; name another file")
        if not overwrite:
            raise FileExistsError(
                f"{path} exists already and is not overwritten; name another file, "
                f"or add {consent} to replace it"
            )
    folder = _real(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{path} cannot be written because its folder does not exist; create the folder first"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f"{path} cannot be written because this user may not write to its folder; "
            "choose another folder"
        )


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same place, through links or not."""
    return _real(one) == _real(other)


def _real(path: Path) -> Path:
    # Unlike Path.resolve, this leaves a link that leads to itself as it is.
    return Path(os.path.realpath(path))


def settle(handle: BinaryIO) -> None:
    """Wait until all that was written is on the disk."""
    handle.flush()
    os.fsync(handle.fileno())


@contextmanager
def replacing(
    path: Path, *, overwrite: bool, consent: str = "overwrite=True"
) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` once it is complete.

    The bytes go to a temporary file in the same folder, reach the disk, and are then renamed;
    an error or an interrupt removes the temporary file and leaves ``path`` as it was.
    A symbolic link stays a link: the file it points to is replaced.

    Parameters
    ----------
    path : Path
        The file to be written.
    overwrite : bool
        Whether a file that is there already may be replaced.
    consent : str
        What the caller writes to allow that; named in the message.

    Yields
    ------
    BinaryIO
        Where to write.
    """
    check_target(path, overwrite=overwrite, consent=consent)
    target = _real(path)
    # A short name of its own: one made from the target's could be too long for the file system.
    part = target.with_name(f".truemeans-{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as handle:
            yield handle
            settle(handle)
        if target.exists():
            shutil.copymode(target, part)
        # Again, because the work in between may have taken hours.
        check_target(path, overwrite=overwrite, consent=consent)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
