"""Functions of rows, drawn as bars: the scores before, the result after, and where their definitions overflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastact._rowwise import RowActivation
from fastact.zoo.style import GREY, VALUE, VERMILLION

Array = npt.NDArray[np.float64]

SCORES = np.array([2.0, -1.0, 0.5, 3.0, 1.0])
# Adding the same number to all scores changes no softmax, but exp of this one is beyond float64.
SHIFT = 1000.0

BAR = 0.8

# Inches.
WIDTH, PANEL_HEIGHT = 5.0, 2.4


def draw_alone(figure: Figure, record: RowActivation) -> None:
    """Scores and results side by side; below, where exp overflows in the definition, what it gives and what fastact."""
    overflows = record.statistics == "exponentials"
    figure.set_size_inches(WIDTH, PANEL_HEIGHT * (1 + overflows))
    figure.suptitle(record.name)
    panels = figure.subplots(1 + overflows, 2, squeeze=False)
    _bars(panels[0, 0], "scores", SCORES, GREY)
    _bars(panels[0, 1], "result", record.function(SCORES), VALUE)
    if overflows:
        shift = record.sign * SHIFT
        large, title = SCORES + shift, f"scores {'+' if shift > 0 else '-'} {SHIFT:g}"
        _bars(panels[1, 0], f"{title}\nas in the formula", as_defined(record, large), VERMILLION)
        _bars(panels[1, 1], f"{title}\nby fastact", record.function(large), VALUE)


def draw_panel(axes: Axes, record: RowActivation) -> None:
    """The gallery's panel: each score's bar, and before it that of the result; one line if a row has one result."""
    result = record.function(SCORES)
    places = np.arange(1, SCORES.size + 1)
    axes.bar(places - BAR / 4, SCORES, BAR / 2, color=GREY, label="scores of a row")
    if record.reduces:
        axes.axhline(result, color=VALUE, label="value")
    else:
        axes.bar(places + BAR / 4, result, BAR / 2, color=VALUE, label="value")
    axes.set_xticks(places)


def as_defined(record: RowActivation, scores: Array) -> Array:
    """The record's formula taken at its word, in NumPy: exp of a large score is infinite, and its quotient NaN."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result: Any = eval(record.formula, {"exp": np.exp, "log": np.log, "sum": np.sum}, {"x": scores})
    return np.atleast_1d(result)


def _bars(axes: Axes, title: str, values: Array, colour: str) -> None:
    """A bar for each value, with its number; a hatched column with its name for one that is not finite."""
    values = np.atleast_1d(values)
    places = np.arange(1, values.size + 1)
    finite = np.isfinite(values)
    axes.set_title(title)
    axes.set_xticks(places)
    axes.set_xlim(0.4, values.size + 0.6)
    axes.set_yticks([])
    if finite.any():
        axes.axhline(0, color="black", linewidth=1)
    bars = axes.bar(places[finite], values[finite], BAR, color=colour)
    axes.bar_label(bars, fmt=_three_digits, fontsize="small", padding=2)
    axes.margins(y=0.2)
    for place, value in zip(places[~finite], values[~finite], strict=True):
        axes.axvspan(place - BAR / 2, place + BAR / 2, facecolor="none", edgecolor=colour, hatch="//", alpha=0.5)
        name = axes.text(place, 0.5, f"{value}", transform=axes.get_xaxis_transform(), ha="center", va="center")
        name.set(color=colour, rotation=90, fontweight="bold", backgroundcolor="white")


def _three_digits(value: float) -> str:
    return f"{value:.2f}".removesuffix(".00") if abs(value) < 1000 else f"{value:.1f}"
