"""`python -m fastact compare`: the same network trained with one activation after another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fastact._terminal import console
from fastact.zoo.network import INITIALISATIONS


@click.command(name="compare", epilog="LISTs are separated by commas. Everything follows from the seed.")
@click.option("--data", default="moons", metavar="NAME", help="moons, circles or digits; default moons.")
@click.option("--activations", metavar="LIST", help="Hidden activations; default six that are widely used.")
@click.option("--seed", type=int, default=0, metavar="N", help="Draws points, weights and batches; default 0.")
@click.option("--seeds", type=int, default=1, metavar="K", help="Repeat with K seeds, since one run proves little.")
@click.option("--hidden", default="32,32", metavar="LIST", help="Units of each hidden layer, default 32,32.")
@click.option("--init", default="glorot", metavar="NAME", help=f"{', '.join(INITIALISATIONS)}; default glorot.")
@click.option("--epochs", type=int, default=50, metavar="N", help="Passes over the data, default 50.")
@click.option("--batch", type=int, default=32, metavar="N", help="Rows of a batch, default 32.")
@click.option("--learning-rate", type=float, default=0.05, metavar="R", help="The descent's step, default 0.05.")
@click.option("--target", type=float, default=0.95, metavar="A", help="The test accuracy to wait for, default 0.95.")
@click.option("-o", "--output", metavar="FOLDER", help="Write the histories, figures, summary and settings there.")
def command(activations: str | None, hidden: str, init: str, output: str | None, **settings: Any) -> None:
    """Train the same small network with each activation in its hidden layers, and compare."""
    try:
        from fastact.zoo.comparison import ACTIVATIONS, compare

        names = ACTIVATIONS if activations is None else [name.strip() for name in activations.split(",")]
        with _progress(len(names) * settings["seeds"] * settings["epochs"]) as tick:
            comparison = compare(
                activations=names, hidden=_counts(hidden), initialisation=init, output=output, tick=tick, **settings
            )
    except OSError as error:
        raise click.UsageError(f"compare: {output!r} cannot be written ({error.strerror})") from None
    except (ImportError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    console().print(table(comparison.summary, settings["target"], settings["seeds"]))
    if output is not None:
        print(f"wrote {Path(output)}", file=sys.stderr)


def table(summary: Any, target: float, seeds: int) -> Table:
    """The summary, the most accurate first."""
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False)
    shown.add_column("activation", no_wrap=True)
    for heading in ("test accuracy", f"epochs to {target:g}", "seconds"):
        shown.add_column(heading, justify="right")
    for row in summary.sort_values("accuracy", ascending=False, kind="stable").itertuples():
        spread = "" if isnan(row.deviation) else f" ± {row.deviation:.3f}"
        waited = "" if isnan(row.epochs_to_target) else f"{row.epochs_to_target:g}"
        reached = f" ({row.reached} of {seeds})" if seeds > 1 else ""
        shown.add_row(row.Index, f"{row.accuracy:.3f}{spread}", f"{waited or 'never'}{reached}", f"{row.seconds:.2f}")
    return shown


def _counts(text: str) -> tuple[int, ...]:
    """Whole numbers of a list."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"compare: hidden is {text!r}, expected whole numbers such as 32,32") from None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], object]]:
    """What is to be called after each epoch, with a bar that moves then."""
    errors = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        bar = progress.add_task("", total=max(0, total))
        yield lambda name: progress.update(bar, advance=1, description=name)
