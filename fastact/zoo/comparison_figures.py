"""The figures of a comparison: losses and accuracies by epoch, decision boundaries, mistaken pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from fastact.zoo.datasets import Data
from fastact.zoo.network import Network, accuracy
from fastact.zoo.style import BLACK, BLUE, DASHES, GREY, ORANGE, OVERLAID, styled

Array = np.ndarray[Any, Any]

# From the first class's colour by white, where a network is undecided, to the second class's.
DECISIONS = LinearSegmentedColormap.from_list("decisions", ["#8fbfe0", "#ffffff", "#f3cd7d"])
CLASSES = ((BLUE, "o"), (ORANGE, "s"))
GRID, MARGIN = 201, 0.4

THICKEST, THINNEST = 4.0, 1.5
LEGEND_COLUMNS = 7

MISTAKES = 8

# Inches.
CURVES, PANEL, LEGEND, PICTURE = (10.0, 7.6), 3.1, 0.6, 1.0


def draw_curves(histories: Mapping[str, pd.DataFrame], target: float) -> Figure:
    """Loss and accuracy by epoch, where the networks learn and where they are tested: means over the seeds.

    Bands reach from the worst seed to the best.
    """
    with styled():
        figure = Figure(CURVES, layout="constrained")
        panels = figure.subplots(2, 2, sharex=True, sharey="row")
        for row, kind in enumerate(("loss", "accuracy")):
            for axes, part in zip(panels[row], ("train", "test"), strict=True):
                for k, (name, history) in enumerate(histories.items()):
                    colour, dash = OVERLAID[k % len(OVERLAID)], DASHES[k // len(OVERLAID) % len(DASHES)]
                    # Each one is thinner than the one before it, which so can be seen where they are the same.
                    width = max(THINNEST, THICKEST - k / 2)
                    _draw_band(axes, history, f"{part}_{kind}", colour, linestyle=dash, linewidth=width, label=name)
        for axes, title in zip(panels[0], ("training", "test"), strict=True):
            axes.set_title(title)
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(NullLocator())
        for axes in panels[1]:
            axes.axhline(target, color=GREY, linewidth=1.6, linestyle="--", label=f"target {target:g}")
            axes.set_xlabel("epoch")
        panels[0, 0].set_ylabel("loss (cross-entropy)")
        panels[1, 0].set_ylabel("accuracy")
        handles, labels = panels[1, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(LEGEND_COLUMNS, len(labels)))
    return figure


def _draw_band(axes: Axes, history: pd.DataFrame, column: str, colour: str, **look: Any) -> None:
    by_epoch = history.groupby("epoch")[column]
    axes.plot(by_epoch.mean(), color=colour, **look)
    if history["seed"].nunique() > 1:
        low, high = by_epoch.min(), by_epoch.max()
        axes.fill_between(low.index, low, high, color=colour, alpha=0.15, linewidth=0)


def draw_boundaries(networks: Mapping[str, Network], data: Data, seed: int) -> Figure:
    """Where in the plane each network decides for which class, and the test's points, ringed where it is wrong."""
    columns, lines = _grid(len(networks))
    low = np.concatenate([data.x, data.test_x]).min(axis=0) - MARGIN
    high = np.concatenate([data.x, data.test_x]).max(axis=0) + MARGIN
    across, up = (np.linspace(*ends, GRID, dtype=np.float32) for ends in zip(low, high, strict=True))
    plane = np.stack(np.meshgrid(across, up), axis=-1)
    extent = (low[0], high[0], low[1], high[1])
    with styled():
        figure = Figure((PANEL * columns, PANEL * lines + LEGEND), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, (name, network) in zip(panels, networks.items(), strict=False):
            tested = network.log_probabilities(data.test_x)
            second = np.exp(network.log_probabilities(plane)[..., 1])
            axes.imshow(second, DECISIONS, vmin=0, vmax=1, extent=extent, origin="lower", aspect="auto",
                        interpolation="bilinear")  # fmt: skip
            if np.isfinite(second).all():
                axes.contour(across, up, second, levels=[0.5], colors="#4d4d4d", linewidths=1.5)
            _draw_points(axes, data, tested.argmax(axis=1) != data.test_labels)
            axes.set_title(f"{name}  {100 * accuracy(tested, data.test_labels):.1f} %", fontsize=14)
            axes.set(xticks=[], yticks=[])
        for axes in panels[len(networks) :]:
            axes.remove()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside upper center", ncols=len(labels), title=f"test points of seed {seed}"
        )
    return figure


def _draw_points(axes: Axes, data: Data, wrong: Array) -> None:
    for k, (colour, marker) in enumerate(CLASSES):
        points = data.test_x[data.test_labels == k]
        axes.plot(*points.T, marker, color=colour, markeredgecolor="white", markersize=5.5, label=f"class {k}")
    across, up = data.test_x[wrong].T
    axes.plot(across, up, "o", fillstyle="none", color=BLACK, markersize=11, markeredgewidth=2, label="misclassified")


def draw_mistakes(networks: Mapping[str, Network], data: Data, seed: int) -> Figure:
    """Pictures that each network took for something else: what it saw, and what it is."""
    side = math.isqrt(data.test_x.shape[1])
    with styled():
        figure = Figure((PICTURE * MISTAKES + 2, PICTURE * 1.35 * len(networks)), layout="constrained")
        panels = figure.subplots(len(networks), MISTAKES, squeeze=False)
        for line, (name, network) in zip(panels, networks.items(), strict=True):
            tested = network.log_probabilities(data.test_x)
            seen = tested.argmax(axis=1)
            wrong = np.flatnonzero(seen != data.test_labels)
            part = 100 * accuracy(tested, data.test_labels)
            line[0].set_ylabel(f"{name}\n{part:.1f} %\n{len(wrong)} wrong", rotation=0, ha="right", va="center")
            for axes, k in zip(line, wrong, strict=False):
                axes.imshow(data.test_x[k].reshape(side, side), cmap="gray_r", interpolation="nearest")
                axes.set_title(f"{data.test_labels[k]} as {seen[k]}", fontsize=13, fontweight="normal")
            for axes in line:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
        figure.suptitle(f"mistakes in the test of seed {seed}")
    return figure


def _grid(count: int) -> tuple[int, int]:
    """Columns and lines of so many panels, as few of them empty as can be."""
    square = math.ceil(math.sqrt(count))
    columns = min(range(square, square * 3 // 2 + 1), key=lambda columns: -count % columns)
    return columns, math.ceil(count / columns)
