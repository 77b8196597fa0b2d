"""Curves on axes: one with all its marks, several on one set of axes, or a gallery of panels."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastact._records import REALS, Interval
from fastact._rowwise import RowActivation
from fastact.zoo import rows
from fastact.zoo.asked import JUMP, Array, Curve, Function, Limits, jumps, reach
from fastact.zoo.style import DASHES, DERIVATIVE, OTHER, OVERLAID, RANGE, VALUE

POINTS = 1001
FORMULA_WIDTH = 56
THICKEST, THINNEST = 6.0, 2.0

# Inches. A gallery's names can be read where it is 400 pixels wide.
ALONE, OVERLAID_SIZE, GALLERY_PANEL, LEGEND_LINE = (5.0, 3.9), (5.0, 6.2), (2.0, 1.7), 0.35
MOST_COLUMNS = 5


def draw_alone(figure: Figure, one: Curve | RowActivation, limits: Limits | None, derivative: bool) -> None:
    """One function with all its marks, its definition and a legend."""
    if isinstance(one, RowActivation):
        rows.draw_alone(figure, one)
        return
    figure.set_size_inches(ALONE)
    figure.suptitle(one.name)
    axes = figure.subplots()
    _draw_marked(axes, one, limits, derivative, f"range {one.range}")
    definition = "\n".join(filter(None, (textwrap.fill(one.formula, FORMULA_WIDTH), one.settings)))
    axes.set_title(definition, fontsize="small")
    axes.set_xlabel("x")
    axes.legend()


def draw_overlaid(figure: Figure, curves: Sequence[Curve], limits: Limits | None, derivative: bool) -> None:
    """All curves on one set of axes, and their derivatives on another below."""
    width, height = OVERLAID_SIZE
    figure.set_size_inches(width, height if derivative else height / 2)
    panels = figure.subplots(1 + derivative, sharex=True, squeeze=False)[:, 0]
    for k, curve in enumerate(curves):
        x = _samples(curve, reach(curve, limits))
        colour, dash = OVERLAID[k % len(OVERLAID)], DASHES[k // len(OVERLAID) % len(DASHES)]
        # Each one is thinner than the one before it, which so can be seen where they are the same.
        width = max(THINNEST, THICKEST - 1.5 * k)
        for axes, function in zip(panels, (curve.value, curve.derivative), strict=False):
            if function is not None:
                _draw_line(axes, curve, function, x, color=colour, linestyle=dash, linewidth=width, label=curve.label)
    for axes, title in zip(panels, ("value", "derivative"), strict=False):
        axes.set_ylabel(title)
    panels[0].legend()
    panels[-1].set_xlabel("x")


def draw_gallery(
    figure: Figure, shown: Sequence[Curve | RowActivation], limits: Limits | None, derivative: bool
) -> None:
    """A panel for each function, and one legend for all."""
    square = min(math.ceil(math.sqrt(len(shown))), MOST_COLUMNS)
    most = min(square * 3 // 2, MOST_COLUMNS)
    columns = min(range(square, most + 1), key=lambda count: -len(shown) % count)
    lines = math.ceil(len(shown) / columns)
    width, height = GALLERY_PANEL
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, one in zip(panels, shown, strict=False):
        if isinstance(one, RowActivation):
            rows.draw_panel(axes, one)
        else:
            _draw_marked(axes, one, limits, derivative, "end of the range")
            settings = axes.text(0.04, 0.96, one.settings.replace(" ", "\n"), transform=axes.transAxes, va="top")
            settings.set(fontsize="small", bbox={"facecolor": "#ffffffb0", "edgecolor": "none", "pad": 1})
        axes.set_title(one.name, fontweight="bold")
    for axes in panels[len(shown) :]:
        axes.remove()
    legend: dict[str, Artist] = {}
    for axes in panels[: len(shown)]:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            legend.setdefault(label, handle)
    beside = min(columns, len(legend))
    figure.legend(legend.values(), legend.keys(), loc="outside upper center", ncols=beside)
    figure.set_size_inches(width * columns, height * lines + LEGEND_LINE * math.ceil(len(legend) / beside))


def _draw_marked(axes: Axes, curve: Curve, limits: Limits | None, derivative: bool, range_label: str) -> None:
    """The range's ends, the derivative, and the curve."""
    x = _samples(curve, reach(curve, limits))
    if curve.range is not None:
        _draw_range(axes, curve.range, range_label)
    _draw_line(axes, curve, curve.value, x, color=VALUE, label="value")
    slopes = np.empty(0)
    if derivative and curve.derivative is not None:
        # Smaller, broken and on top: where the two are the same, both are seen.
        look = {"color": DERIVATIVE, "linestyle": "--", "linewidth": 2, "markersize": 5, "label": "derivative"}
        _draw_line(axes, curve, curve.derivative, x, **look)
        slopes = curve.derivative(x)
    for (label, function), colour in zip(curve.conventions, (VALUE, OTHER), strict=False):
        kinks = np.intersect1d(x, curve.kinks)
        axes.plot(kinks, function(kinks), "o", color=colour, label=label)
    axes.set_ylim(_room(curve.value(x), slopes, curve.range or REALS))


def _draw_range(axes: Axes, ends: Interval, label: str) -> None:
    """A line at each finite end of the range: whole where the end is reached, dotted where it is only approached."""
    low, high, low_reached, high_reached = ends
    for end, reached in ((low, low_reached), (high, high_reached)):
        if math.isfinite(end):
            axes.axhline(end, color=RANGE, linewidth=1.6, linestyle="-" if reached else ":", label=label)
            label = "_"  # one line of the two in the legend


def _samples(curve: Curve, ends: Limits) -> Array:
    """Points to draw a curve through, among them its kinks and the numbers next to them."""
    around = [np.nextafter(kink, [-np.inf, kink, np.inf]) for kink in curve.kinks]
    points = np.unique(np.concatenate([np.linspace(*ends, POINTS), *around]))
    return points[(ends[0] <= points) & (points <= ends[1])]


def _draw_line(axes: Axes, curve: Curve, function: Function, x: Array, **look: Any) -> None:
    """A line that is broken where the function jumps, with a dot for the value there and a ring for one not taken."""
    y = function(x)
    dot = {"linestyle": "none", "marker": "o", "color": look["color"], "markersize": look.pop("markersize", None)}
    kinks = np.intersect1d(x, curve.kinks)
    jumping = [kink for kink in kinks if jumps(function, kink)]
    axes.plot(x, np.where(np.isin(x, jumping), np.nan, y), **look)
    for kink in jumping:
        sides = np.nextafter(kink, [-np.inf, np.inf])
        missed = sides[np.abs(function(sides) - function(np.array([kink]))) > JUMP]
        axes.plot(missed, function(missed), markerfacecolor="white", **dot)
    axes.plot(kinks, function(kinks), **dot)


def _room(values: Array, slopes: Array, ends: Interval) -> Limits:
    """Ends of the y axis that hold the values, and as much else as does not make the values look flat."""
    values, slopes = values[np.isfinite(values)], slopes[np.isfinite(slopes)]
    low, high = (values.min(), values.max()) if values.size else (-1.0, 1.0)
    span = high - low or 2.0
    lowest, highest = low - span / 2, high + span / 2
    near = [end for end in ends[:2] if lowest <= end <= highest]
    shown = [low, high, *near, *np.clip(slopes, lowest, highest)]
    margin = 0.07 * (max(shown) - min(shown)) or 0.5
    return min(shown) - margin, max(shown) + margin
