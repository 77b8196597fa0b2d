"""The README's picture: where fastact and its peers stand, a row for each function, in light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from fastact.bench.peers import PEERS
from fastact.bench.results import CaseResult
from fastact.bench.table import number

# The peers that the picture shows: a dot for each in every row is as much as an eye can follow.
SHOWN = ("pytorch", "onnxruntime", "jax", "numpy")

WIDTH, LEFT, RIGHT, TOP, ROW = 820, 130, 24, 74, 18
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b1f24; } .soft { fill: #57606a; } .grid { stroke: #d8dee4; }
.paper { fill: #ffffff; } .floor { stroke: #bc4c00; stroke-width: 2; } .range { stroke: #d0d7de; stroke-width: 2; }
.fastact { fill: #0969da; } .pytorch { fill: #d1573b; } .onnxruntime { fill: #8250df; } .jax { fill: #1a7f37; }
.numpy { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .soft { fill: #9198a1; } .grid { stroke: #30363d; } .paper { fill: #0d1117; }
  .floor { stroke: #f0883e; } .range { stroke: #3d444d; } .fastact { fill: #4493f8; } .pytorch { fill: #ff8a65; }
  .onnxruntime { fill: #b78af8; } .jax { fill: #56d364; } .numpy { fill: #8b949e; }
}
"""


def svg(cases: Sequence[CaseResult]) -> str:
    """Nanoseconds per element on a logarithmic axis, the fastest function first."""
    rows = sorted(cases, key=lambda result: result.fastact.ns.median)
    scale = _Scale([time for result in rows for time in _times(result).values()])
    height = TOP + ROW * len(rows) + 16
    body = [_legend(), _grid(scale, height)]
    body += [_row(result, scale, TOP + ROW * (k + 0.5)) for k, result in enumerate(rows)]
    title = f"Nanoseconds per element, {rows[0].case.shape_text} elements, {rows[0].case.setting}" if rows else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>\n'
        f'<text x="12" y="22" font-weight="600">{escape(title)}; the line is a plain copy</text>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


class _Scale:
    """A logarithmic axis that holds all of these times."""

    def __init__(self, times: Sequence[float]) -> None:
        self._low = math.log10(min(times, default=0.1)) - 0.05
        self._high = math.log10(max(times, default=1.0)) + 0.05

    def __call__(self, time: float) -> float:
        """The place of a time."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(time) - self._low) / (self._high - self._low)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times powers of ten within the axis."""
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        candidates = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        return [tick for tick in candidates if self._low < math.log10(tick) < self._high]


def _times(result: CaseResult) -> dict[str, float]:
    """The times that the picture shows of a case: the floor's, fastact's, and those of the peers."""
    peers = {peer.peer: peer.ns.median for peer in result.peers if peer.peer in SHOWN}
    return {"floor": result.floor.median, **peers, "fastact": result.fastact.ns.median}


def _legend() -> str:
    marks, x = [], 12
    for name in ("fastact", *SHOWN):
        title = "fastact" if name == "fastact" else PEERS[name].title
        marks.append(f'<circle class="{name}" cx="{x + 5}" cy="42" r="5"/><text x="{x + 15}" y="46">{title}</text>')
        x += 30 + 8 * len(title)
    return "".join(marks)


def _grid(scale: _Scale, height: int) -> str:
    return "\n".join(
        f'<line class="grid" x1="{scale(tick):.1f}" x2="{scale(tick):.1f}" y1="{TOP - 4}" y2="{height - 12}"/>'
        f'<text class="soft" x="{scale(tick):.1f}" y="{TOP - 9}" text-anchor="middle">{number(tick)}</text>'
        for tick in scale.ticks()
    )


def _row(result: CaseResult, scale: _Scale, y: float) -> str:
    times = _times(result)
    floor = scale(times.pop("floor"))
    ends = scale(min(times.values())), scale(max(times.values()))
    dots = "".join(
        f'<circle class="{name}" cx="{scale(time):.1f}" cy="{y}" r="{6 if name == "fastact" else 4}">'
        f"<title>{name} {number(time)}</title></circle>"
        for name, time in times.items()
    )
    return (
        f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{result.case.function}</text>'
        f'<line class="range" x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{y}" y2="{y}"/>'
        f'<line class="floor" x1="{floor:.1f}" x2="{floor:.1f}" y1="{y - 6}" y2="{y + 6}"/>{dots}'
    )
