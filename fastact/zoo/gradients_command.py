"""`python -m fastact gradients`: how gradients vanish or explode on their way through layers, and units die."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import isfinite

import click
import numpy as np
from rich import box
from rich.table import Table

from fastact._files import checked_picture, write_whole
from fastact._terminal import console
from fastact.zoo.extra import needs
from fastact.zoo.gradients import Flow, gradients
from fastact.zoo.network import INITIALISATIONS, MOST_UNITS

# The layers whose numbers the table tells, beside the last.
TOLD = (1, 5, 10, 25)

# Sizes beyond which a gradient has vanished or exploded, for the table's colours.
VANISHED, EXPLODED = 1e-3, 1e3


@click.command(
    name="gradients",
    epilog="A unit is dead if its derivative is 0 for every one of the inputs. NAMES are those of activations of one "
    "number; without them, all.",
)
@click.argument("names", nargs=-1)
@click.option(
    "--layers", type=click.IntRange(1, 1000), default=50, metavar="N", help="The network's depth, default 50."
)
@click.option(
    "--units", type=click.IntRange(1, MOST_UNITS), default=128, metavar="N", help="Units of a layer, default 128."
)
@click.option("--init", type=click.Choice(list(INITIALISATIONS)), default="glorot", help="The weights, default glorot.")
@click.option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Draws weights and inputs, default 0.")
@click.option("-o", "--output", metavar="FILE", help="Write a picture, PNG, SVG or PDF by its suffix.")
def command(names: tuple[str, ...], layers: int, units: int, init: str, seed: int, output: str | None) -> None:
    """Send a gradient back through random dense layers, and tell its size and the share of dead units."""
    try:
        path = None if output is None else checked_picture("gradients", output)
        if path is not None:
            from fastact.zoo import gradients_figure, style
        flows = gradients(names, layers=layers, units=units, initialisation=init, seed=seed)
        if path is not None:
            write_whole(path, style.as_file(gradients_figure.draw(flows), path.suffix))
    except ImportError as error:
        raise click.UsageError(needs("gradients: --output", error)) from None
    except OSError as error:
        raise click.UsageError(f"gradients: {output!r} cannot be written ({error.strerror})") from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    console().print(table(flows))
    if path is not None:
        print(f"wrote {path}", file=sys.stderr)


def table(flows: Mapping[str, Flow]) -> Table:
    """The gradient's size after so many layers, the largest first, and how many of all units are dead."""
    depth = len(next(iter(flows.values())).sizes)
    told = [*(layer for layer in TOLD if layer < depth), depth]
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, caption="size of the gradient after so many layers")
    shown.add_column("activation", no_wrap=True)
    for layer in told:
        shown.add_column(f"{layer}", justify="right")
    shown.add_column("dead units", justify="right")
    for name, flow in sorted(flows.items(), key=lambda item: -np.nan_to_num(item[1].sizes[-1], nan=-1)):
        sizes = (_size(flow.sizes[layer - 1]) for layer in told)
        shown.add_row(name, *sizes, f"{100 * flow.dead.mean():.0f} %")
    return shown


def _size(size: float) -> str:
    if not isfinite(size):
        return "[yellow]inf[/]"
    if size < VANISHED:
        return f"[blue]{size:.1e}[/]" if size else "[blue]0[/]"
    return f"[red]{size:.1e}[/]" if size > EXPLODED else f"{size:.3g}"
