"""The results as tables in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastact.bench import machine
from fastact.bench.compare import Change, Comparison
from fastact.bench.peers import PEERS
from fastact.bench.results import CaseResult, Measurement, Results

EXPLANATION = (
    "ratio: fastact's time over the peer's, the median of the rounds (in brackets where half of them lie); "
    "below 1, fastact is faster. of floor: fastact's time over that of a plain copy of the same arrays (in place: a "
    "scale; of two arrays, as in a backward pass: their sum). ~: noisy."
)
NOISY_MARK = " ~"
LIMITLESS = 1000
NARROW = ("ns/element", "of floor", "best peer", "ratio")


def show(console: Console, results: Results, worst_first: bool) -> None:
    """Prints the whole run."""
    for table in [_worst_first(results)] if worst_first else _by_setting(console, results):
        console.print(table, "")
    console.print(EXPLANATION, style="dim")
    console.print(machine.in_words(results.machine), style="dim", highlight=False)
    for line in remarks(results):
        console.print(line, style="yellow", highlight=False)


def remarks(results: Results) -> list[str]:
    """What a reader should know before believing the numbers."""
    lines = list(results.remarks)
    if results.noisy:
        lines.append(
            f"{len(results.noisy)} of {len(results.cases)} cases are noisy: "
            "their floor or fastact's time spreads over more than 10 %."
        )
    if results.missing:
        reasons = ", ".join(f"{PEERS[peer].title} ({reason})" for peer, reason in results.missing.items())
        lines.append(f"Left out: {reasons}.")
    wrong: dict[str, list[str]] = {}
    for result in results.cases:
        for peer, reason in result.skipped.items():
            if reason.startswith(("wrong", "failed")):
                backward = " backward" * (result.case.operation == "backward")
                wrong.setdefault(peer, []).append(result.case.function + backward)
    for peer, functions in wrong.items():
        names = ", ".join(dict.fromkeys(functions))
        lines.append(f"Not timed, since {PEERS[peer].title}'s result was not right or it failed: {names}.")
    return [*lines, *(f"WRONG, not timed: {failure}" for failure in results.failures)]


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Prints what got slower and faster."""
    if not comparison.same_machine:
        console.print(
            "The old results are another processor's: only times relative to the floor are compared.", style="yellow"
        )
    for title, changes, style in (("Slower", comparison.slower, "red"), ("Faster", comparison.faster, "green")):
        if changes:
            console.print(_changes(title, changes, style))
    notes = [f"{comparison.judged} cases compared, {len(comparison.slower)} slower"]
    if comparison.noisy:
        notes.append(f"{comparison.noisy} noisy ones not judged")
    if comparison.only_old:
        notes.append(f"{comparison.only_old} of the old ones not measured now")
    console.print("; ".join(notes) + ".")


def _changes(title: str, changes: Iterable[Change], style: str) -> Table:
    table = _table(title, ["case"], ["new / old"])
    for change in changes:
        table.add_row(str(change.case), Text(f"{change.factor:.2f}", style))
    return table


def _by_setting(console: Console, results: Results) -> Iterable[Table]:
    """A table for each shape and setting, a row for each function; on a narrow terminal the best peer stands alone."""
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for result in results.cases:
        groups.setdefault((result.case.shape_text, result.case.setting), []).append(result)
    for (shape, setting), group in groups.items():
        title = f"{shape}, {setting}"
        measured = {peer.peer for result in group for peer in result.peers}
        table = _setting_table(title, group, [name for name in PEERS if name in measured])
        fits = console.measure(table, options=console.options.update(width=LIMITLESS)).maximum <= console.width
        yield table if fits else _narrow_table(title, group)


def _table(title: str, left: Iterable[str], right: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    for header in left:
        table.add_column(header, no_wrap=True)
    for header in right:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _setting_table(title: str, group: list[CaseResult], peers: list[str]) -> Table:
    titles = [PEERS[name].title for name in peers]
    table = _table(title, ["function"], ["ns/element", "GB/s", "of floor", "best peer", "ratio", *titles])
    for result in group:
        by_name = {peer.peer: peer for peer in result.peers}
        ratios = [_ratio(by_name[name]) if name in by_name else Text("") for name in peers]
        table.add_row(_function(result), *_own_columns(result), *_best(result), *ratios)
    table.add_section()
    _floor_rows(table, group[0], traffic=True)
    return table


def _narrow_table(title: str, group: list[CaseResult]) -> Table:
    """What fits on 80 columns."""
    table = _table(title, ["function"], NARROW)
    for result in group:
        table.add_row(_function(result), *_own_columns(result)[::2], *_best(result))
    table.add_section()
    _floor_rows(table, group[0], traffic=False)
    return table


def _floor_rows(table: Table, first: CaseResult, traffic: bool) -> None:
    """The floor, here that of the group's first function, and the harness's own cost."""
    floor = first.floor.median
    table.add_row("floor", number(floor), number(first.gigabytes_per_second(floor)) if traffic else "", style="dim")
    table.add_row("empty call", number(first.harness_ns / first.case.size), style="dim")


def _worst_first(results: Results) -> Table:
    table = _table("Worst ratios first", ["case"], NARROW)
    table.columns[0].no_wrap = False
    for result in results.worst_first():
        case = str(result.case) + (NOISY_MARK if result.noisy else "")
        table.add_row(case, *_own_columns(result)[::2], *_best(result))
    return table


def _function(result: CaseResult) -> str:
    return result.case.function + (NOISY_MARK if result.noisy else "")


def _own_columns(result: CaseResult) -> list[str]:
    ns = result.fastact.ns.median
    return [number(ns), number(result.gigabytes_per_second(ns)), f"{result.fastact.of_floor:.2f}"]


def _best(result: CaseResult) -> tuple[Text, Text]:
    """The fastest peer and the ratio to it, with its spread."""
    best = result.best_peer
    if best is None:
        return Text("none", "dim"), Text("")
    return Text(PEERS[best.peer].title), Text(str(best.ratio), _style(best))


def _ratio(peer: Measurement) -> Text:
    return Text(f"{peer.ratio.median:.2f}", _style(peer))


def _style(peer: Measurement) -> str:
    """Green and red only where the middle half of the rounds agrees."""
    return "green" if peer.ratio.high < 1 else "red" if peer.ratio.low > 1 else ""


def number(value: float) -> str:
    """Three significant digits without an exponent, of numbers that are not very small."""
    decimals = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{min(3, max(0, decimals))}f}"
