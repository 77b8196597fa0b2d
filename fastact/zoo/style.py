"""How the zoo's figures look: colours that colour-blind readers tell apart, letters that a thumbnail keeps legible."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib.style
from matplotlib.figure import Figure

# Okabe and Ito's palette, which was made for this (Color universal design, 2008).
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#000000",
)
GREY = "#8c8c8c"

VALUE, DERIVATIVE, RANGE, OTHER = BLUE, VERMILLION, GREY, GREEN
OVERLAID = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
# After the colours come again, the dashes tell the curves apart.
DASHES = ("-", "--", ":", "-.")

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#4d4d4d",
    "axes.grid": True,
    "axes.labelsize": 13,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "figure.titlesize": 16,
    "figure.titleweight": "bold",
    "font.size": 12,
    "grid.color": "#e4e4e4",
    "legend.fontsize": 12,
    "legend.frameon": False,
    "lines.linewidth": 2.6,
    "lines.markersize": 8,
    "savefig.dpi": 200,
}
"""Settings of matplotlib for a panel that is about 5 inches wide, over its defaults."""


@contextmanager
def styled() -> Iterator[None]:
    """What is drawn and written inside looks like this, whatever the reader's own settings are."""
    with matplotlib.style.context(["default", STYLE]):
        yield


def as_file(figure: Figure, suffix: str) -> bytes:
    """The bytes of a figure's file, of the kind that the suffix says."""
    content = io.BytesIO()
    with styled():
        figure.savefig(content, format=suffix.removeprefix(".").lower())
    return content.getvalue()
