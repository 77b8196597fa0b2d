"""The examples run without a window, and their figures show what they should, also in a thumbnail."""

from __future__ import annotations

import contextlib
import functools
import io
import runpy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import colors, pyplot
from matplotlib.figure import Figure
from PIL import Image

import fastact
from fastact.zoo.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION

pytestmark = pytest.mark.once

EXAMPLES = Path(__file__).parents[1] / "examples"
THUMBNAIL = 200  # pixels

# The colours that each file of an example has to show.
FILES = {
    "four_classics": {
        "four_classics.png": [BLUE, VERMILLION, GREEN, PURPLE],
        "four_derivatives.png": [BLUE, VERMILLION, GREEN],
    },
    "softmax_overflow": {"softmax_overflow.png": [BLUE, VERMILLION], "softmax_cliff.png": [BLUE, VERMILLION]},
    "gallery": {"torch_gallery.png": [BLUE, VERMILLION, GREY]},
    "hidden_layers": {
        "hidden_layers_curves.png": [BLUE, VERMILLION, GREEN, PURPLE],
        "hidden_layers_boundaries.png": [BLUE, ORANGE],
    },
}
# The figures that an example leaves under these names.
FIGURES = {
    "four_classics": ["together", "slopes"],
    "softmax_overflow": ["bars", "cliff"],
    "gallery": ["gallery"],
    "hidden_layers": ["figure"],
}


@dataclass(frozen=True)
class Ran:
    """What an example has defined, printed, and written."""

    defined: dict[str, Any]
    printed: str
    folder: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Ran]]:
    """Runs an example, once, as from the command line and without windows or PyTorch."""

    @functools.cache
    def run(name: str) -> Ran:
        folder = tmp_path_factory.mktemp(name) / "made"
        printed = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, matplotlib.rc_context(), contextlib.redirect_stdout(printed):
            patch.setattr("sys.argv", [name, "-o", str(folder)])
            if name == "gallery":
                patch.setitem(sys.modules, "torch", None)  # importing it would fail
            defined = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return Ran(defined, printed.getvalue(), folder)

    pyplot.switch_backend("agg")
    yield run
    pyplot.close("all")


def share(picture: Image.Image, colour: str, tolerance: int) -> float:
    """How much of a picture is of nearly this colour."""
    pixels = np.asarray(picture, np.float64)
    distance = np.abs(pixels - 255 * np.array(colors.to_rgb(colour))).max(axis=-1)
    return float((distance <= tolerance).mean())


def thumbnail(picture: Image.Image) -> Image.Image:
    return picture.resize((THUMBNAIL, THUMBNAIL * picture.height // picture.width), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("name", FILES)
def test_an_example(name: str, ran: Callable[[str], Ran]) -> None:
    example = ran(name)
    assert {path.name for path in example.folder.iterdir()} == set(FILES[name])
    for file, expected in FILES[name].items():
        picture = Image.open(example.folder / file).convert("RGB")
        assert picture.width >= 3 * THUMBNAIL
        for colour in expected:
            assert share(picture, colour, 8) > 2e-4, (file, colour)
            assert share(thumbnail(picture), colour, 110) > 1e-3, (file, colour)
    for key in FIGURES[name]:
        check_figure(example.defined[key])


def check_figure(figure: Figure) -> None:
    """Every panel says what it is, and no text is cut off or too small."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.get_title() or (axes.get_xlabel() and axes.get_ylabel())
        if axes.get_title():
            box = axes.title.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert axes.title.get_fontsize() >= 10
    for legend in figure.legends:
        assert legend.get_window_extent().x0 >= 0


def test_the_classics_are_fastact_s(ran: Callable[[str], Ran]) -> None:
    axes = ran("four_classics").defined["together"].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("sum of the weighted inputs", "activation")
    drawn = {line.get_label(): line for line in axes.lines}
    assert list(drawn) == ["step", "sigmoid", "tanh", "relu"]
    for name, line in drawn.items():
        np.testing.assert_array_equal(line.get_ydata(), fastact.get(name)(line.get_xdata()))


def test_the_overflow_is_shown(ran: Callable[[str], Ran]) -> None:
    example = ran("softmax_overflow")
    by_hand, by_fastact = example.defined["bars"].axes
    assert [text.get_text() for text in by_hand.texts] == ["NaN"] * 5
    heights = [bar.get_height() for bar in by_fastact.patches]
    np.testing.assert_allclose(heights, fastact.softmax(example.defined["scores"]), rtol=1e-12)
    assert 80 < example.defined["last"] < 89
    assert "by hand: [nan nan nan nan nan]" in example.printed


def test_the_gallery_has_what_pytorch_has(ran: Callable[[str], Ran]) -> None:
    titles = [axes.get_title() for axes in ran("gallery").defined["gallery"].axes]
    assert {"relu", "gelu", "hardswish", "logsigmoid", "softmax", "tanhshrink"} <= set(titles)
    assert len(titles) == len(set(titles))


def test_hidden_layers_differ_in_what_they_reach(ran: Callable[[str], Ran]) -> None:
    summary = ran("hidden_layers").defined["comparison"].summary
    assert list(summary.index) == ["relu", "tanh", "sigmoid", "gelu"]
    assert summary["accuracy"].idxmin() == "sigmoid"
