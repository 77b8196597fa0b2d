"""The report: one HTML page that opens from disk, with no script and nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import fastact
from fastact.bench import machine
from fastact.bench.cases import OPERATIONS, Case
from fastact.bench.peers import FASTACT, PEERS
from fastact.bench.report_style import STYLE
from fastact.bench.results import CaseResult, Measurement, Results, geometric_mean
from fastact.bench.table import number, remarks

# The longest bar is this many times fastact's or the floor's, or just the best peer's: one slow peer must not shrink
# all the others to nothing. Bars beyond are cut, and say so.
LONGEST_BAR = 3.0

EXPLANATION = """Bars are nanoseconds per element: shorter is faster. The number behind is fastact's time over that
library's, the median of the rounds, in which all are timed in turn: below 1, fastact is faster.
<span class="key">The line</span> is the floor: a plain copy of the same arrays (in place: a scale; of two arrays, as
in a backward pass: their sum). Backward is the gradient: grad times the derivative, in one pass."""

TITLES = {FASTACT.name: FASTACT.title, **{name: peer.title for name, peer in PEERS.items()}}


def page(results: Results) -> str:
    """The whole page."""
    functions = results.by_function()
    body = "\n".join(
        [
            _header(results),
            _overview(results),
            _index(functions),
            *(_function(name, cases) for name, cases in functions.items()),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>fastact, measured</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _header(results: Results) -> str:
    versions = ", ".join(f"{TITLES[peer]} {version}" for peer, version in results.versions.items())
    warnings = "".join(f"<li>{escape(line)}</li>" for line in remarks(results))
    list_of_warnings = f'<ul class="remarks">{warnings}</ul>' if warnings else ""
    return (
        "<header><h1>fastact, measured</h1>"
        f"<p>{escape(machine.in_words(results.machine))}.</p>"
        f"<p>Against {escape(versions)}.</p>"
        f"{list_of_warnings}<p>{EXPLANATION}</p></header>"
    )


def _overview(results: Results) -> str:
    """The geometric mean of the ratios, for each setting and peer."""
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for result in results.cases:
        groups.setdefault((result.case.setting, result.case.shape_text), []).append(result)
    peers = [name for name in PEERS if any(peer.peer == name for result in results.cases for peer in result.peers)]
    head = "".join(f"<th>{escape(TITLES[name])}</th>" for name in peers)
    rows = "".join(
        f"<tr><th>{escape(shape)} <small>{escape(setting)}</small></th>{_means(group, peers)}</tr>"
        for (setting, shape), group in groups.items()
    )
    return (
        "<section><h2>All functions</h2><p>fastact's time over each library's, the geometric mean over the functions "
        "that it has.</p>"
        f'<div class="wide"><table><thead><tr><th>elements</th><th>of floor</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _means(group: list[CaseResult], peers: list[str]) -> str:
    cells = [f"<td>{geometric_mean(result.fastact.of_floor for result in group):.2f}</td>"]
    for name in peers:
        ratios = [peer.ratio.median for result in group for peer in result.peers if peer.peer == name]
        cells.append(_mean_cell(ratios))
    return "".join(cells)


def _mean_cell(ratios: list[float]) -> str:
    if not ratios:
        return '<td class="none">&ndash;</td>'
    return f"<td>{_judged(geometric_mean(ratios))}</td>"


def _judged(ratio: float) -> str:
    """A ratio in the colour of its verdict."""
    return f'<span class="{"good" if ratio < 1 else "bad"}">{ratio:.2f}</span>'


def _index(functions: dict[str, list[CaseResult]]) -> str:
    links = "".join(f'<a href="#{name}">{name}</a> ' for name in functions)
    return f"<nav>{links}</nav>"


def _function(name: str, cases: list[CaseResult]) -> str:
    formula = escape(fastact.activations[name].formula) if name in fastact.activations else ""
    parts = {operation: [r for r in cases if r.case.operation == operation] for operation in OPERATIONS}
    figures = "".join(_figures(operation, part) for operation, part in parts.items() if part)
    return f'<section id="{name}"><h2>{name}</h2><p><code>{formula}</code></p>{figures}</section>'


def _figures(operation: str, cases: list[CaseResult]) -> str:
    title = "" if operation == "value" else f"<h3>{operation}</h3>"
    return f'{title}<div class="figures">{"".join(map(_figure, cases))}</div>'


def _figure(result: CaseResult) -> str:
    limit = _longest(result)
    bars = "".join(_bar(result, measurement, limit) for measurement in result.measurements)
    place = f"{100 * min(1, result.floor.median / limit):.2f}%"
    noisy = " <em>noisy</em>" if result.noisy else ""
    return (
        f"<figure><figcaption>{escape(result.case.shape_text)} <small>{escape(result.case.setting)}</small>{noisy}"
        f'</figcaption><div class="bars" style="--at:{place}">{bars}</div>{_details(result)}</figure>'
    )


def _longest(result: CaseResult) -> float:
    """The time that the longest bar stands for."""
    times = [measurement.ns.median for measurement in result.measurements]
    own = max(result.fastact.ns.median, result.floor.median)
    best = result.best_peer.ns.median if result.best_peer else 0
    return 1.02 * max(own, min(max(times), max(LONGEST_BAR * own, best)))


def _bar(result: CaseResult, measurement: Measurement, limit: float) -> str:
    ns = measurement.ns.median
    kind = "own" if measurement is result.fastact else "peer"
    cut = " cut" if ns > limit else ""
    ratio = "" if measurement is result.fastact else f" <small>{_judged(measurement.ratio.median)}</small>"
    return (
        f'<div class="row {kind}"><span class="name">{escape(TITLES[measurement.peer])}</span>'
        f'<span class="track"><span class="bar{cut}" style="width:{100 * min(1, ns / limit):.2f}%"></span></span>'
        f'<span class="value">{number(ns)}{ratio}</span></div>'
    )


def _details(result: CaseResult) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in ("", "ns/element", "GB/s", "of floor", "ratio", "error, ULP", "rounds", "remarks")
    )
    rows = "".join(_table_row(result, measurement) for measurement in result.measurements)
    floor, harness = result.floor, result.harness_ns / result.case.size
    rows += (
        f"<tr><th>floor</th><td>{_spread(floor.low, floor.median, floor.high)}</td>"
        f"<td>{number(result.gigabytes_per_second(floor.median))}</td><td colspan=5></td></tr>"
        f"<tr><th>empty call</th><td>{number(harness)}</td><td colspan=6>{result.harness_ns:.0f} ns a call</td></tr>"
    )
    return (
        f'<details><summary>Numbers</summary><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_skipped(result.skipped)}</details>"
    )


def _table_row(result: CaseResult, measurement: Measurement) -> str:
    ns, ratio = measurement.ns, measurement.ratio
    ratio_text = "" if measurement is result.fastact else _spread(ratio.low, ratio.median, ratio.high)
    cells = (
        _spread(ns.low, ns.median, ns.high),
        number(result.gigabytes_per_second(ns.median)),
        f"{measurement.of_floor:.2f}",
        ratio_text,
        f"{measurement.ulp:.3g}",
        str(measurement.rounds),
        ", ".join(_table_remarks(result.case, measurement)),
    )
    return f"<tr><th>{escape(TITLES[measurement.peer])}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table_remarks(case: Case, measurement: Measurement) -> Iterable[str]:
    if measurement.allocates:
        yield "allocates"
    if measurement.processors > case.threads + 0.3:
        yield f"kept {measurement.processors:.1f} processors busy"


def _spread(low: float, median: float, high: float) -> str:
    return f"{number(median)} <small>{number(low)}&ndash;{number(high)}</small>"


def _skipped(skipped: dict[str, str]) -> str:
    """The peers that are not in the figure, by reason."""
    reasons: dict[str, list[str]] = {}
    for peer, reason in skipped.items():
        reasons.setdefault(reason, []).append(TITLES[peer])
    items = "".join(f"<li>{escape(', '.join(names))}: {escape(reason)}</li>" for reason, names in reasons.items())
    return f"<ul>{items}</ul>" if items else ""
