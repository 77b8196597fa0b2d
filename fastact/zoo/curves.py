"""`fastact.plot`: activations drawn from their records and by their own kernels."""

from __future__ import annotations

import os

import fastact
from fastact._files import checked_picture, write_whole
from fastact.zoo.asked import SQUARE, Curve, Limits, asked, number, reach
from fastact.zoo.extra import needs

try:
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    from fastact.zoo import drawing
    from fastact.zoo.style import as_file, styled
except ImportError as error:
    raise ImportError(needs("fastact.plot", error)) from error


def plot(
    *names: str,
    limits: Limits | None = None,
    derivative: bool = True,
    overlay: bool = False,
    output: str | os.PathLike[str] | None = None,
) -> Figure:
    """Draws activations: the curve, its derivative, the ends of its range and its kinks.

    Parameters
    ----------
    names : str
        Any of `fastact.activations` or their aliases, or "square", which is none, for contrast. Parameters follow a
        colon: "leaky_relu:negative_slope=0.2", "hard_tanh:min_value=-2,max_value=2". One name gives a figure of that
        function, several a panel for each, none a gallery of all. Row-wise functions are bars of a row's scores and
        results; alone, also where the definition overflows. Functions of two operands are drawn over the first, the
        second set as a parameter: "prelu:weight=0.1", "swiglu:value=2".
    limits : (float, float), optional
        The part of the x axis to draw, default from -5 to 5, and farther where kinks are. Not for row-wise functions.
    derivative : bool, default True
        Whether to draw the derivatives.
    overlay : bool, default False
        Draw all curves on one set of axes, and their derivatives on a second one.
    output : path, optional
        A file to write, PNG, SVG or PDF by its suffix.

    Returns
    -------
    matplotlib.figure.Figure
        Without `output` it is one of pyplot's, which `matplotlib.pyplot.show()` opens.

    Raises
    ------
    ValueError
        For an unknown name or parameter, limits that are not two numbers in order, and an output that cannot be.
    OSError
        If the file cannot be written after all; what was there before then still is.
    ImportError
        Without matplotlib.
    """
    path = None if output is None else checked_picture("plot", output)
    shown = [asked(name) for name in names or (*fastact.activations, SQUARE.name)]
    curves = [one for one in shown if isinstance(one, Curve)]
    if overlay and len(curves) < len(shown):
        raise ValueError("plot: overlay is for functions of one number, not for those of rows")
    limits = None if limits is None else _checked(limits)
    for curve in curves:
        reach(curve, limits)  # refuses limits outside of its domain
    with styled():
        figure = pyplot.figure(layout="constrained") if path is None else Figure(layout="constrained")
        if overlay:
            drawing.draw_overlaid(figure, curves, limits, derivative)
        elif len(shown) > 1:
            drawing.draw_gallery(figure, shown, limits, derivative)
        else:
            drawing.draw_alone(figure, shown[0], limits, derivative)
    if path is not None:
        write_whole(path, as_file(figure, path.suffix))
    return figure


def _checked(limits: Limits) -> Limits:
    try:
        low, high = limits
    except (TypeError, ValueError):
        raise ValueError(f"plot: limits is {limits!r}, expected two numbers") from None
    low, high = number("the lower limit", low), number("the upper limit", high)
    if not low < high:
        raise ValueError(f"plot: limits are {low:g} and {high:g}, expected the lower one first")
    return low, high
