"""`python -m fastact plot`: activations drawn with their derivatives, ranges and kinks."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(
    name="plot",
    epilog="Parameters follow a colon: leaky_relu:negative_slope=0.2, hard_tanh:min_value=-2,max_value=2; so does the "
    "second operand of prelu (weight) and of the gates (value). The name square draws x**2, which is no activation, "
    "for contrast. Row-wise functions such as softmax are bars of a row's scores and results.",
)
@click.argument("names", nargs=-1)
@click.option("-o", "--output", metavar="FILE", help="Write a PNG, SVG or PDF, by its suffix; default a window.")
@click.option("--limits", nargs=2, type=float, metavar="LOW HIGH", help="The part of the x axis to draw.")
@click.option("--overlay", is_flag=True, help="Draw all on one set of axes.")
@click.option("--no-derivative", is_flag=True, help="Draw no derivatives.")
def command(
    names: tuple[str, ...], output: str | None, limits: tuple[float, float] | None, overlay: bool, no_derivative: bool
) -> None:
    """Draw activations: the curve, its derivative, the ends of its range and its kinks.

    One of the NAMES gives a figure of that function, several a panel for each, none a gallery of all.
    """
    try:
        from fastact.zoo.curves import plot

        if output is None:
            _refuse_without_display()
        plot(*names, limits=limits, derivative=not no_derivative, overlay=overlay, output=output)
    except OSError as error:
        raise click.UsageError(f"plot: {output!r} cannot be written ({error.strerror})") from None
    except (ImportError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    if output is None:
        _show()
    else:
        print(f"wrote {Path(output)}", file=sys.stderr)


def _refuse_without_display() -> None:
    """A ValueError where matplotlib has no way to open a window; finds out which way that is."""
    from matplotlib import get_backend
    from matplotlib.backends.registry import BackendFilter, backend_registry

    windowless: list[str] = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)  # type: ignore[no-untyped-call]
    if get_backend() in windowless:
        raise ValueError("plot: there is no display to open a window on, expected -o FILE")


def _show() -> None:
    from matplotlib import pyplot

    pyplot.show()
