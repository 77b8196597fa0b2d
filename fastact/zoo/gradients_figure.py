"""The picture of gradients on their way back: lines for a few activations, a map for many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fastact.zoo.gradients import Flow
from fastact.zoo.style import BLACK, BLUE, GREY, OVERLAID, VERMILLION, styled

# Powers of ten; what is beyond them has vanished, or exploded, by anyone's standard.
SMALLEST, LARGEST = -12, 12

# Vanished by what passes unchanged to exploded.
SIZES = LinearSegmentedColormap.from_list("sizes", [BLUE, "#ffffff", VERMILLION]).with_extremes(bad=GREY)

THICKEST, THINNEST, LEGEND_COLUMNS = 4.0, 1.5, 3

# Inches.
LINES, MAP_WIDTH, MAP_ROW, MAP_REST = (6.5, 6.5), 9.0, 0.3, 1.2


def draw(flows: Mapping[str, Flow]) -> Figure:
    """Sizes and dead units, layer by layer."""
    with styled():
        figure = Figure(layout="constrained")
        if len(flows) <= len(OVERLAID):
            _draw_lines(figure, flows)
        else:
            _draw_map(figure, flows)
    return figure


def _draw_lines(figure: Figure, flows: Mapping[str, Flow]) -> None:
    figure.set_size_inches(LINES)
    sizes, dead = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    sizes.axhline(1, color=BLACK, linewidth=1)
    for k, (name, flow) in enumerate(flows.items()):
        layers = np.arange(1, len(flow.sizes) + 1)
        # Each one is thinner than the one before it, which so can be seen where they are the same.
        width = max(THINNEST, THICKEST - k / 2)
        shown = np.where(flow.sizes > 0, flow.sizes, np.nan)
        sizes.plot(layers, shown, color=OVERLAID[k], linewidth=width, label=_label(name, flow))
        dead.plot(layers, 100 * flow.dead, color=OVERLAID[k], linewidth=width)
    sizes.set_yscale("log")
    sizes.set_ylabel("size of the gradient")
    low, high = sizes.get_ylim()
    sizes.set_ylim(max(low, 10.0 ** (SMALLEST - 8)), min(high, 10.0 ** (LARGEST + 8)))
    dead.set(xlabel="layers passed", ylabel="dead units, %", ylim=(-5, 105))
    figure.legend(loc="outside upper center", ncols=LEGEND_COLUMNS)


def _label(name: str, flow: Flow) -> str:
    """The name, and why there is no line."""
    if not np.isfinite(flow.sizes[0]):
        return f"{name} (overflow)"
    return name if flow.sizes[0] > 0 else f"{name} (zero)"


def _draw_map(figure: Figure, flows: Mapping[str, Flow]) -> None:
    figure.set_size_inches(MAP_WIDTH, MAP_ROW * len(flows) + MAP_REST)
    ordered = dict(sorted(flows.items(), key=lambda item: np.nan_to_num(item[1].sizes[-1], nan=-1)))
    sizes, dead = figure.subplots(1, 2, width_ratios=(4, 1), sharey=True)
    with np.errstate(divide="ignore"):
        powers = np.clip(np.log10([flow.sizes for flow in ordered.values()]), SMALLEST, LARGEST)
    edges = np.arange(powers.shape[1] + 1) + 0.5, np.arange(len(ordered) + 1) - 0.5
    image = sizes.pcolormesh(*edges, powers, cmap=SIZES, vmin=SMALLEST, vmax=LARGEST)
    sizes.set_yticks(range(len(ordered)), ordered)
    sizes.set_xlabel("layers passed")
    sizes.set_title("size of the gradient", fontsize=14)
    sizes.grid(visible=False)
    _draw_bars(dead, ordered)
    ticks = range(SMALLEST, LARGEST + 1, 4)
    bar = figure.colorbar(image, ax=(sizes, dead), location="bottom", aspect=50, ticks=ticks, extend="both")
    bar.ax.set_xticklabels([f"$10^{{{power}}}$" for power in ticks])
    bar.set_label("grey: overflow of float64")


def _draw_bars(axes: Axes, flows: Mapping[str, Flow]) -> None:
    """The share of dead units of all layers."""
    shares = [100 * flow.dead.mean() for flow in flows.values()]
    axes.barh(range(len(flows)), shares, color=GREY)
    axes.set(xlim=(0, 100), xlabel="%")
    axes.set_title("dead units", fontsize=14)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
