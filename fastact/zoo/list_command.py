"""`python -m fastact list`: what activations there are."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click
from rich import box
from rich.table import Table
from rich.text import Text

import fastact
from fastact._records import USES, Activation
from fastact._terminal import console
from fastact.zoo import facts


@click.command(name="list", epilog="WORD is part of a name, here or in another library: swish, expit, torch, onnx.")
@click.argument("word", required=False)
@click.option("--use", metavar="USE", help=f"Only what is met there: {', '.join(USES)}.")
@click.option("--monotonic/--not-monotonic", default=None, help="Only what nowhere decreases, or does.")
@click.option("--smooth/--not-smooth", default=None, help="Only what has a continuous derivative, or has not.")
@click.option("--json", "as_json", is_flag=True, help="All facts, as JSON.")
def command(word: str | None, use: str | None, as_json: bool, **wanted: bool | None) -> None:
    """List the activations with their formulas and ranges."""
    if use is not None and use not in USES:
        raise click.UsageError(f"--use: got {use!r}, expected one of {', '.join(USES)}")
    chosen = [
        record
        for record in fastact.activations.values()
        if (word is None or _is_called(record, word))
        and (use is None or use in record.typical_use)
        and all(value is None or getattr(record, fact) == value for fact, value in wanted.items())
    ]
    if not chosen:
        raise click.UsageError("list: there is no such activation")
    if as_json:
        print(json.dumps([facts.plain(record) for record in chosen], indent=2))
    else:
        _show(chosen)


def _is_called(record: Activation, word: str) -> bool:
    names = (record.name, *record.aliases, *(other.name for other in record.elsewhere))
    return any(word.lower() in name.lower() for name in names)


def _show(records: Iterable[Activation]) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for heading in ("name", "formula", "range", "use"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "name")
    for record in records:
        cells = (record.formula, str(record.range), ", ".join(record.typical_use))
        table.add_row(Text(record.name, "bold"), *map(Text, cells))
    console().print(table)
