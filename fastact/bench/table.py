"""The results as tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable

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
    "scale). ~: noisy."
)
NOISY_MARK = " ~"


def show(console: Console, results: Results, worst_first: bool) -> None:
    """Prints the whole run."""
    for table in [_worst_first(results)] if worst_first else _by_setting(results):
        console.print(table)
    console.print(EXPLANATION, style="dim")
    console.print(machine.in_words(results.machine), style="dim", highlight=False)
    for line in remarks(results):
        console.print(line, style="yellow", highlight=False)


def remarks(results: Results) -> list[str]:
    """What a reader should know before believing the numbers."""
    lines = list(results.remarks)
    if results.noisy:
        lines.append(f"{len(results.noisy)} of {len(results.cases)} cases are noisy: "
                     "their floor or fastact's time spreads over more than 10 %.")
    if results.missing:
        reasons = ", ".join(f"{PEERS[peer].title} ({reason})" for peer, reason in results.missing.items())
        lines.append(f"Left out: {reasons}.")
    wrong: dict[str, list[str]] = {}
    for result in results.cases:
        for peer, reason in result.skipped.items():
            if reason.startswith(("wrong", "failed")):
                wrong.setdefault(peer, []).append(result.case.function)
    for peer, functions in wrong.items():
        names = ", ".join(dict.fromkeys(functions))
        lines.append(f"Not timed, since {PEERS[peer].title}'s result was not right or it failed: {names}.")
    return [*lines, *(f"WRONG, not timed: {failure}" for failure in results.failures)]


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Prints what got slower and faster."""
    if not comparison.same_machine:
        console.print("The old results are another processor's: only times relative to the floor are compared.",
                      style="yellow")
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
    table = Table(title=title, title_justify="left")
    table.add_column("case")
    table.add_column("new / old", justify="right")
    for change in changes:
        table.add_row(str(change.case), Text(f"{change.factor:.2f}", style))
    return table


def _by_setting(results: Results) -> Iterable[Table]:
    """A table for each shape and setting, a row for each function."""
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for result in results.cases:
        groups.setdefault((result.case.shape_text, result.case.setting), []).append(result)
    for (shape, setting), group in groups.items():
        yield _setting_table(f"{shape} elements, {setting}", group)


def _setting_table(title: str, group: list[CaseResult]) -> Table:
    measured = {peer.peer for result in group for peer in result.peers}
    peers = [name for name in PEERS if name in measured]
    table = Table(title=title, title_justify="left")
    table.add_column("function", no_wrap=True)
    for header in ("ns/element", "GB/s", "of floor", "best peer's ratio", *(PEERS[name].title for name in peers)):
        table.add_column(header, justify="right")
    for result in group:
        by_name = {peer.peer: peer for peer in result.peers}
        ratios = [ratio_text(by_name[name]) if name in by_name else Text("") for name in peers]
        table.add_row(_function(result), *_own_columns(result), _best(result), *ratios)
    table.add_section()
    first, blanks = group[0], [""] * (len(peers) + 2)
    floor = first.floor.median
    table.add_row("floor", number(floor), number(first.gigabytes_per_second(floor)), *blanks, style="dim")
    harness = first.harness_ns / first.case.size
    table.add_row("empty call", number(harness), "", *blanks, style="dim")
    return table


def _worst_first(results: Results) -> Table:
    table = Table(title="Worst ratios first", title_justify="left")
    for header in ("function", "shape", "setting"):
        table.add_column(header, no_wrap=header == "function")
    for header in ("ns/element", "GB/s", "of floor", "best peer", "ratio"):
        table.add_column(header, justify="right")
    for result in results.worst_first():
        best = PEERS[result.best_peer.peer].title if result.best_peer else "none"
        table.add_row(_function(result), result.case.shape_text, result.case.setting, *_own_columns(result), best,
                      _best(result))
    return table


def _function(result: CaseResult) -> str:
    return result.case.function + (NOISY_MARK if result.noisy else "")


def _own_columns(result: CaseResult) -> list[str]:
    ns = result.fastact.ns.median
    return [number(ns), number(result.gigabytes_per_second(ns)), f"{result.fastact.of_floor:.2f}"]


def _best(result: CaseResult) -> Text:
    if result.best_peer is None:
        return Text("")
    return Text(str(result.best_peer.ratio), _style(result.best_peer))


def ratio_text(peer: Measurement) -> Text:
    return Text(f"{peer.ratio.median:.2f}", _style(peer))


def _style(peer: Measurement) -> str:
    """Green and red only where the middle half of the rounds agrees."""
    return "green" if peer.ratio.high < 1 else "red" if peer.ratio.low > 1 else ""


def number(value: float) -> str:
    """Three significant digits without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
