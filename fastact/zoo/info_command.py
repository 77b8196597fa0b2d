"""`python -m fastact info`: what is known of an activation."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastact._records import Activation
from fastact._terminal import console
from fastact.zoo import facts


@click.command(name="info")
@click.argument("names", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON, which has the formula in LaTeX as well.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """Tell the facts of the activations called NAMES, and what other libraries call them."""
    try:
        records = [facts.record_of("info", name) for name in names]
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        print(json.dumps([facts.plain(record) for record in records], indent=2))
        return
    for record in records:
        _show(console(), record)


def _show(screen: Console, record: Activation) -> None:
    screen.print(Text(facts.signature(record), "bold"), Text(f"\n{record.summary}\n\n  {record.formula}\n"), sep="")
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for heading, lines in facts.sentences(record).items():
        table.add_row(heading, Text("\n".join(lines)))
    screen.print(table)
    screen.print()
