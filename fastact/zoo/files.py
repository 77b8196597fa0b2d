"""Files that a command leaves behind: refused before any work is done, and then there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def checked_file(asker: str, name: str | os.PathLike[str], suffixes: Sequence[str]) -> Path:
    """The path of a file that can be written, with one of these suffixes; else a ValueError that names the asker."""
    path = Path(name)
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{asker}: output is {str(path)!r}, expected a file that ends in {' or '.join(suffixes)}")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise ValueError(
            f"{asker}: output is {str(path)!r}, expected a file in a folder that exists and can be written to"
        )
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file beside its place first, so that no reader ever finds half of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
