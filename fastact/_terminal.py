"""The terminal that the commands print on."""

from __future__ import annotations

import sys

from rich.console import Console

# Output to a file or another program is not cut to a terminal's width.
PIPED_WIDTH = 200


def console() -> Console:
    """Standard output, with nothing coloured but what is meant to be."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
