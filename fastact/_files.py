"""Files that a command leaves behind: refused before any work is done, and then there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

PICTURES = (".png", ".svg", ".pdf")


def can_be_written(path: Path) -> bool:
    """Whether it is a file, there or not, in a folder that exists and can be written to."""
    return path.parent.is_dir() and os.access(path.parent, os.W_OK) and not path.is_dir()


def checked_picture(asker: str, name: str | os.PathLike[str]) -> Path:
    """The path of a picture that can be written; else a ValueError that names the asker."""
    path = Path(name)
    if path.suffix.lower() not in PICTURES:
        raise ValueError(f"{asker}: output is {str(name)!r}, expected a file that ends in {' or '.join(PICTURES)}")
    if not can_be_written(path):
        raise ValueError(
            f"{asker}: output is {str(name)!r}, expected a file in a folder that exists and can be written to"
        )
    return path


def checked_folder(asker: str, name: str | os.PathLike[str]) -> Path:
    """The path of a folder that can be written to, or made; else a ValueError that names the asker."""
    path = Path(name)
    place = path if path.exists() else path.parent
    named = os.fspath(name) != ""  # which Path takes for the folder that we are in
    if not named or not place.is_dir() or not os.access(place, os.W_OK):
        raise ValueError(
            f"{asker}: output is {str(name)!r}, expected a folder that can be written to, or that can be made"
        )
    return path


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file beside its place first, so that no reader ever finds half of it; text is written as UTF-8."""
    write_all({path: content})


def write_all(files: Mapping[Path, str | bytes]) -> None:
    """Writes files as `write_whole` does, and puts none in its place before all of them are written."""
    unfinished = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    try:
        for path, content in files.items():
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            unfinished[path].write_bytes(content.encode() if isinstance(content, str) else content)
        for path, beside in unfinished.items():
            beside.replace(path)
    finally:
        for beside in unfinished.values():
            beside.unlink(missing_ok=True)
