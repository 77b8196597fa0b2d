"""`fastact.plot`: what is drawn is what the kernels and the records say, and the command behaves."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from click.testing import CliRunner, Result
from matplotlib import colors, pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import fastact
from fastact._records import Activation
from fastact._rowwise import RowActivation
from fastact.zoo import plot_command, rows, style
from fastact.zoo.asked import Curve, asked

pytestmark = pytest.mark.once

CURVES = [name for name, record in fastact.activations.items() if not isinstance(record, RowActivation)]
ROWS = [name for name, record in fastact.activations.items() if isinstance(record, RowActivation)]
THUMBNAIL = 200  # pixels


@pytest.fixture(autouse=True)
def no_windows() -> Iterator[None]:
    """A backend without windows; no figure outlives its test."""
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def line(axes: Axes, label: str) -> tuple[Any, Any]:
    """The points of the line that the legend calls so."""
    (found,) = (line for line in axes.lines if line.get_label() == label)
    return found.get_xdata(), found.get_ydata()


def dots(axes: Axes, colour: str, filled: bool) -> list[tuple[float, float]]:
    """The points that are marked in a colour, by dots or by rings."""
    marks = [line for line in axes.lines if line.get_marker() == "o" and line.get_color() == colour]
    chosen = [mark for mark in marks if (mark.get_markerfacecolor() == colour) == filled]
    return [point for mark in chosen for point in zip(mark.get_xdata(), mark.get_ydata(), strict=True)]


def heights(axes: Axes) -> list[float]:
    return [bar.get_height() for container in axes.containers for bar in container]


def thumbnail(path: Path) -> Image.Image:
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((THUMBNAIL, picture.height), Image.Resampling.LANCZOS)
    return picture


def share(picture: Image.Image, colour: str) -> float:
    """How much of a picture is of nearly this colour."""
    pixels = np.asarray(picture, np.float64)
    distance = np.abs(pixels - 255 * np.array(colors.to_rgb(colour))).max(axis=-1)
    return float((distance < 60).mean())


# What is drawn


@pytest.mark.parametrize("name", CURVES)
def test_curves_are_the_kernels_values(name: str) -> None:
    (axes,) = fastact.plot(name).axes
    curve = asked(name)
    assert isinstance(curve, Curve)
    for label, function in (("value", curve.value), ("derivative", curve.derivative)):
        x, y = line(axes, label)
        drawn = ~np.isnan(y)
        assert drawn.sum() > 990
        np.testing.assert_array_equal(y[drawn], function(x)[drawn])
    record = fastact.activations[name]
    if len(record.operands) == 1 and not record.parameters:
        x, y = line(axes, "value")
        np.testing.assert_array_equal(asked(name).value(x), record.function(x))


def test_parameters_reach_the_kernels() -> None:
    (axes,) = fastact.plot("hard_tanh:min_value=-2,max_value=0.5").axes
    x, y = line(axes, "value")
    np.testing.assert_array_equal(y, fastact.hard_tanh(x, -2, 0.5))
    assert "min_value=-2 max_value=0.5" in axes.get_title()


@pytest.mark.parametrize(
    ("name", "like"), [("swiglu", "silu"), ("glu", "sigmoid"), ("prelu:weight=0.01", "leaky_relu")]
)
def test_functions_of_two_operands_over_the_first(name: str, like: str) -> None:
    one, other = asked(name), asked(like)
    x = np.linspace(-5, 5, 101)
    assert isinstance(one, Curve)
    assert isinstance(other, Curve)
    np.testing.assert_allclose(one.value(x), other.value(x), rtol=1e-15)
    np.testing.assert_allclose(one.derivative(x), other.derivative(x), rtol=1e-15)


def test_limits() -> None:
    x, _ = line(fastact.plot("sigmoid", limits=(-2, 3)).axes[0], "value")
    assert (x[0], x[-1]) == (-2, 3)
    x, _ = line(fastact.plot("logit").axes[0], "value")
    assert (x[0], x[-1]) == (0, 1)
    x, _ = line(fastact.plot("relu6").axes[0], "value")
    assert x[-1] > 6


@pytest.mark.parametrize(
    ("name", "marks"),
    [("sigmoid", {0: ":", 1: ":"}), ("relu6", {0: "-", 6: "-"}), ("relu", {0: "-"}), ("identity", {})],
)
def test_the_ends_of_the_range(name: str, marks: dict[float, str]) -> None:
    (axes,) = fastact.plot(name).axes
    ends = {line.get_ydata()[0]: line.get_linestyle() for line in axes.lines if line.get_color() == style.RANGE}
    assert ends == marks
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert (f"range {fastact.activations[name].range}" in legend) == bool(marks)


def test_an_end_of_the_range_that_is_near_can_be_seen() -> None:
    low, high = fastact.plot("softsign").axes[0].get_ylim()
    assert low < -1
    assert high > 1
    low, high = fastact.plot("sigmoid", limits=(-0.1, 0.1), derivative=False).axes[0].get_ylim()
    assert 0.4 < low < high < 0.6


def test_no_range_is_claimed_for_other_parameters() -> None:
    for name, claimed in (("elu", True), ("elu:alpha=2", False)):
        (axes,) = fastact.plot(name).axes
        assert any(line.get_color() == style.RANGE for line in axes.lines) == claimed


def test_kinks_are_marked_where_there_are_some() -> None:
    (axes,) = fastact.plot("hard_shrink").axes
    assert dots(axes, style.VALUE, filled=True) == [(-0.5, 0), (0.5, 0)]
    np.testing.assert_allclose(dots(axes, style.VALUE, filled=False), [(-0.5, -0.5), (0.5, 0.5)])
    assert dots(axes, style.DERIVATIVE, filled=True) == [(-0.5, 0), (0.5, 0)]
    for name in ("gelu", "elu"):  # elu has a kink for alpha != 1 only
        assert dots(fastact.plot(name).axes[0], style.VALUE, filled=True) == []
    assert dots(fastact.plot("elu:alpha=2").axes[0], style.VALUE, filled=True) == [(0, 0)]


def test_jumps_are_not_drawn_as_slopes() -> None:
    x, y = line(fastact.plot("step").axes[0], "value")
    assert np.isnan(y[x == 0]).all()
    assert set(y[x != 0]) == {0, 1}


def test_step_shows_both_conventions() -> None:
    (axes,) = fastact.plot("step").axes
    for label, value in (("at_zero=1", 1), ("at_zero=0", 0)):
        x, y = line(axes, label)
        assert (x.item(), y.item()) == (0, value)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"at_zero=1", "at_zero=0"} <= set(legend)


def test_the_square_for_contrast() -> None:
    (axes,) = fastact.plot("square").axes
    x, y = line(axes, "value")
    np.testing.assert_array_equal(y, x * x)
    x, y = line(axes, "derivative")
    np.testing.assert_array_equal(y, 2 * x)


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_bars_before_and_after(name: str) -> None:
    before, after, *overflow = fastact.plot(name).axes
    assert heights(before) == list(rows.SCORES)
    result = np.atleast_1d(getattr(fastact, name)(rows.SCORES))
    assert heights(after) == list(result)
    assert len(overflow) == (2 if name in ("softmax", "log_softmax", "softmin", "logsumexp") else 0)


def test_softmax_overflows_as_in_the_formula_and_not_in_fastact() -> None:
    _, after, naive, stable = fastact.plot("softmax").axes
    assert heights(naive) == []
    assert [text.get_text() for text in naive.texts] == ["nan"] * rows.SCORES.size
    assert heights(stable) == pytest.approx(heights(after), rel=1e-12)


def test_the_formula_taken_at_its_word_is_right_where_nothing_overflows() -> None:
    for name in ("softmax", "log_softmax", "softmin", "logsumexp"):
        record = fastact.activations[name]
        assert isinstance(record, RowActivation)
        expected = np.atleast_1d(record.function(rows.SCORES))
        np.testing.assert_allclose(rows.as_defined(record, rows.SCORES), expected, rtol=1e-13)


def test_overlay() -> None:
    values, derivatives = fastact.plot("relu", "leaky_relu", "leaky_relu:negative_slope=0.2", overlay=True).axes
    labels = [text.get_text() for text in values.get_legend().get_texts()]
    assert labels == ["relu", "leaky_relu", "leaky_relu negative_slope=0.2"]
    for axes in (values, derivatives):
        looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines if line.get_label() in labels}
        assert len(looks) == 3
    _, y = line(derivatives, "leaky_relu negative_slope=0.2")
    assert set(y[~np.isnan(y)]) == {0.2, 1}
    assert len(fastact.plot("relu", "gelu", overlay=True, derivative=False).axes) == 1


def test_many_overlaid_curves_all_look_different() -> None:
    names = [name for name in CURVES if name != "logit"]
    (axes,) = fastact.plot(*names[:28], overlay=True, derivative=False).axes
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines if line.get_linestyle() != "None"}
    assert len(looks) == 28


def test_without_derivative() -> None:
    (axes,) = fastact.plot("tanh", derivative=False).axes
    assert "derivative" not in [line.get_label() for line in axes.lines]


class WithoutDerivative(Activation):
    """An activation as users may add them."""

    def has(self, operation: str) -> bool:
        return operation == "value"


def test_an_activation_without_a_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    known = fastact.activations["hard_tanh"]
    record = WithoutDerivative(**{field.name: getattr(known, field.name) for field in dataclasses.fields(known)})
    monkeypatch.setitem(fastact.activations, "hard_tanh", record)
    (axes,) = fastact.plot("hard_tanh").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["range [-1, 1]", "value"]
    _, derivatives = fastact.plot("hard_tanh", "tanh", overlay=True).axes
    assert [line.get_label() for line in derivatives.lines if line.get_linestyle() != "None"] == ["tanh"]


def test_the_gallery_has_all() -> None:
    figure = fastact.plot()
    assert [axes.get_title() for axes in figure.axes] == [*fastact.activations, "square"]
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert {"value", "derivative", "end of the range", "at_zero=0"} <= set(texts)
    assert len(texts) == len(set(texts))


def test_a_gallery_of_rows_only_has_its_legend() -> None:
    (legend,) = fastact.plot("softmax", "logsumexp").legends
    assert [text.get_text() for text in legend.get_texts()] == ["scores of a row", "value"]


# How it looks


@pytest.mark.parametrize("names", [["gelu"], ["relu"], ["softmax"], ["step"], ["relu", "leaky_relu"]], ids="-".join)
def test_a_thumbnail_is_legible(names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    figure = fastact.plot(*names, overlay=len(names) > 1, output=path)
    points_across = 72 * figure.get_figwidth()
    labels = [text for axes in figure.axes for text in (*axes.get_xticklabels(), axes.title, axes.xaxis.label)]
    assert min(text.get_fontsize() for text in labels) * THUMBNAIL / points_across >= 5
    small = thumbnail(path)
    assert share(small, style.BLUE) > 0.002
    assert share(small, style.VERMILLION) > 0.001


def test_nothing_is_cut_off_or_overlaps(tmp_path: Path) -> None:
    figure = fastact.plot("selu", output=tmp_path / "selu.png")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    box = axes.title.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert not box.overlaps(axes.get_window_extent())


def test_colours_are_apart_for_the_colour_blind() -> None:
    # In CIE luminance, which everybody sees; the neighbours in the order of use.
    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colors.to_rgb(colour)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    assert abs(luminance(style.VALUE) - luminance(style.DERIVATIVE)) > 0.05
    assert len(set(style.OVERLAID)) == len(style.OVERLAID)


def test_the_reader_s_own_style_stays(tmp_path: Path) -> None:
    with matplotlib.rc_context({"lines.linewidth": 17.0, "text.color": "white", "figure.facecolor": "black"}):
        figure = fastact.plot("relu", output=tmp_path / "relu.png")
        assert matplotlib.rcParams["lines.linewidth"] == 17.0
    assert figure.get_facecolor() == (1, 1, 1, 1)


# Files


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_formats(suffix: str, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"tanh{suffix}"
    figure = fastact.plot("tanh", output=path)
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]
    assert pyplot.get_fignums() == []  # nothing is left open
    assert isinstance(figure, Figure)


def test_a_figure_for_a_window_is_pyplot_s() -> None:
    figure = fastact.plot("tanh")
    assert pyplot.gcf() is figure


# Bad input

BAD = [
    (["rleu"], {}, "plot: there is no activation 'rleu'; did you mean 'relu'"),
    (["relu:slope=1"], {}, "plot: relu takes no parameters, got 'slope=1'"),
    (["leaky_relu:slope=1"], {}, "plot: leaky_relu has no parameter 'slope', expected negative_slope"),
    (["leaky_relu:"], {}, "plot: leaky_relu has no parameter '', expected negative_slope"),
    (["leaky_relu:negative_slope=1,negative_slope=2"], {}, "plot: leaky_relu's negative_slope is given twice"),
    (["square:power=3"], {}, "plot: square takes no parameters, got 'power=3'"),
    (["softmax:axis=1"], {}, "plot: softmax takes no parameters, got 'axis=1'"),
    (["elu:alpha=much"], {}, "plot: elu's alpha is 'much', expected a number from -1e+06 to 1e+06"),
    (["elu:alpha=nan"], {}, "plot: elu's alpha is 'nan', expected a number"),
    (["softplus:beta=0"], {}, "softplus: beta is 0.0, expected not 0"),
    (["hard_tanh:min_value=3"], {}, "hard_tanh: max_value is 1.0, expected at least min_value"),
    (["relu"], {"limits": (2, 1)}, "plot: limits are 2 and 1, expected the lower one first"),
    (["relu"], {"limits": (0, np.inf)}, "plot: the upper limit is inf, expected a number from"),
    (["relu"], {"limits": 3}, "plot: limits is 3, expected two numbers"),
    (["logit"], {"limits": (2, 3)}, "plot: limits are (2.0, 3.0), expected some of [0, 1], where logit is defined"),
    (["relu", "softmax"], {"overlay": True}, "plot: overlay is for functions of one number, not for those of rows"),
]


@pytest.mark.parametrize(("names", "options", "line"), BAD, ids=[line for _, _, line in BAD])
def test_bad_arguments(names: list[str], options: dict[str, Any], line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        fastact.plot(*names, output=tmp_path / "none.png", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_function_is_not_a_name() -> None:
    with pytest.raises(TypeError, match="expected a string"):
        fastact.plot(fastact.relu)  # type: ignore[arg-type]


def test_extreme_limits_and_parameters_are_drawn(tmp_path: Path) -> None:
    for k, (name, limits) in enumerate(
        [
            ("relu", (-5, -1)),
            ("square", (-1e6, 1e6)),
            ("tanh", (0, 1e-6)),
            ("elu:alpha=1e6", None),
            ("step:at_zero=0", None),
        ]
    ):
        fastact.plot(name, limits=limits, output=tmp_path / f"{k}.png")


# The command


def draw(*arguments: str) -> Result:
    return CliRunner().invoke(plot_command.command, arguments)


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "both.svg"
    ran = draw("relu", "leaky_relu", "--overlay", "--limits", "-3", "3", "--no-derivative", "-o", str(path))
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", f"wrote {path}\n")
    assert path.exists()


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("none.bmp", "plot: output is 'none.bmp', expected a file that ends in .png or .svg or .pdf"),
        ("none", "plot: output is 'none', expected a file that ends in"),
        ("", "plot: output is '', expected a file that ends in"),
        ("nowhere/none.png", "expected a file in a folder that exists and can be written to"),
        ("folder.png", "expected a file in a folder that exists and can be written to"),
    ],
)
def test_a_bad_output(output: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.png").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = draw("relu", "-o", output)
    assert ran.exit_code == 2
    assert line in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_an_output_that_fails_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(self: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    ran = draw("relu", "-o", str(tmp_path / "relu.png"))
    assert ran.exit_code == 2
    assert "relu.png' cannot be written (No space left on device)" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=120, check=False)


def test_no_display_is_one_clear_line() -> None:
    ran = draw("relu")
    assert ran.exit_code == 2
    assert ran.stderr.endswith("plot: there is no display to open a window on, expected -o FILE\n")
    assert pyplot.get_fignums() == []


def test_without_matplotlib_the_command_says_so(tmp_path: Path) -> None:
    code = (
        "import sys, runpy; sys.modules['matplotlib'] = None\n"
        f"sys.argv = ['fastact', 'plot', 'relu', '-o', {str(tmp_path / 'relu.png')!r}]\n"
        "runpy.run_module('fastact', run_name='__main__')"
    )
    ran = run("-c", code)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "fastact: fastact.plot needs matplotlib: pip install 'fastact[zoo]'\n"
    assert list(tmp_path.iterdir()) == []


def test_matplotlib_is_not_imported_with_fastact() -> None:
    ran = run("-c", "import sys, fastact; fastact.sigmoid(1.0); print('matplotlib' in sys.modules)")
    assert ran.stdout == "False\n"
