"""What was measured, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastact.bench.cases import Case
from fastact.bench.peers import NO_SUCH_FUNCTION

FORMAT = 1
DIGITS = 4

# A case is noisy when the middle half of the floor's or of fastact's rounds spreads over more than this.
NOISY_SPREAD = 0.10


class NotResultsError(Exception):
    """A file does not hold this program's results."""


@dataclass(frozen=True)
class Quartiles:
    """A median and its spread: half of the rounds lie between low and high."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Quartiles:
        low, median, high = np.percentile(values, [25, 50, 75])
        return cls(float(low), float(median), float(high))

    @property
    def spread(self) -> float:
        """The distance between the quartiles, as a part of the median."""
        return (self.high - self.low) / self.median

    def __str__(self) -> str:
        """The median, and in brackets where half of the rounds lie."""
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


@dataclass(frozen=True)
class Measurement:
    """One contestant in one case.

    `ns` is per element; `ratio` is fastact's time over this one's, taken round by round (below 1: fastact is faster);
    `of_floor` is this one's time over the floor's; `ulp` is the largest error at the places that were checked;
    `processors` is how many processors the process kept busy; `allocates`: a new array at every call.
    """

    peer: str
    ns: Quartiles
    ratio: Quartiles
    of_floor: float
    ulp: float
    rounds: int
    processors: float
    allocates: bool

    FIELDS = (
        "peer",
        "ns_low",
        "ns",
        "ns_high",
        "ratio_low",
        "ratio",
        "ratio_high",
        "of_floor",
        "ulp",
        "rounds",
        "processors",
        "allocates",
    )

    def to_json(self) -> list[Any]:
        numbers = [
            self.ns.low,
            self.ns.median,
            self.ns.high,
            self.ratio.low,
            self.ratio.median,
            self.ratio.high,
            self.of_floor,
            self.ulp,
        ]
        return [self.peer, *map(_rounded, numbers), self.rounds, round(self.processors, 1), self.allocates]

    @classmethod
    def from_json(cls, row: list[Any]) -> Measurement:
        peer, *numbers, of_floor, ulp, rounds, processors, allocates = row
        return cls(peer, Quartiles(*numbers[:3]), Quartiles(*numbers[3:]), of_floor, ulp, rounds, processors, allocates)


@dataclass(frozen=True)
class CaseResult:
    """One case: fastact first, then the peers that could do it, and why the others could not."""

    case: Case
    bytes_per_element: float
    harness_ns: float  # per call
    floor: Quartiles  # ns per element
    measurements: list[Measurement]
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def fastact(self) -> Measurement:
        return self.measurements[0]

    @property
    def peers(self) -> list[Measurement]:
        return self.measurements[1:]

    @property
    def best_peer(self) -> Measurement | None:
        return min(self.peers, key=lambda peer: peer.ns.median, default=None)

    @property
    def worst_ratio(self) -> float:
        """Fastact's time over its best peer's; 0 where it has no peer."""
        return self.best_peer.ratio.median if self.best_peer else 0.0

    @property
    def noisy(self) -> bool:
        return max(self.floor.spread, self.fastact.ns.spread) > NOISY_SPREAD

    def gigabytes_per_second(self, ns: float) -> float:
        """The memory traffic of so many ns per element: every operand read once, the result written once."""
        return self.bytes_per_element / ns

    def to_json(self) -> dict[str, Any]:
        return {
            **self.case.to_json(),
            "bytes_per_element": _rounded(self.bytes_per_element),
            "harness_ns": _rounded(self.harness_ns),
            "floor": [_rounded(n) for n in (self.floor.low, self.floor.median, self.floor.high)],
            "measurements": [measurement.to_json() for measurement in self.measurements],
            "skipped": self.skipped,
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> CaseResult:
        fields = dict(fields)
        own = {name: fields.pop(name) for name in ("bytes_per_element", "harness_ns", "skipped")}
        floor = Quartiles(*fields.pop("floor"))
        measurements = [Measurement.from_json(row) for row in fields.pop("measurements")]
        return cls(Case.from_json(fields), floor=floor, measurements=measurements, **own)


@dataclass
class Results:
    """A whole run: the machine, the peers' versions, every case, and what a reader should know before believing it."""

    machine: dict[str, Any]
    versions: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)
    cases: list[CaseResult] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def noisy(self) -> list[CaseResult]:
        return [result for result in self.cases if result.noisy]

    def worst_first(self) -> list[CaseResult]:
        return sorted(self.cases, key=lambda result: -result.worst_ratio)

    def by_function(self) -> dict[str, list[CaseResult]]:
        functions: dict[str, list[CaseResult]] = {}
        for result in self.cases:
            functions.setdefault(result.case.function, []).append(result)
        return functions

    def dumps(self) -> str:
        """JSON with a line per case, so that a diff of two runs can be read."""
        head = {
            "format": FORMAT,
            "machine": self.machine,
            "versions": self.versions,
            "missing": self.missing,
            "failures": self.failures,
            "remarks": self.remarks,
            "seconds": round(self.seconds),
            "measurement_fields": Measurement.FIELDS,
        }
        lines = ",\n".join(_line(_without_the_obvious(result.to_json())) for result in self.cases)
        return _line(head)[:-1].replace(',"', ',\n"') + f',\n"cases": [\n{lines}\n]}}\n'

    @classmethod
    def loads(cls, text: str) -> Results:
        try:
            fields = json.loads(text)
            if fields["format"] != FORMAT:
                raise NotResultsError(f"format {fields['format']}")
            kept = {name: fields[name] for name in ("machine", "versions", "missing", "failures", "remarks", "seconds")}
            return cls(cases=[CaseResult.from_json(case) for case in fields["cases"]], **kept)
        except (ValueError, KeyError, TypeError, IndexError):
            raise NotResultsError("not JSON of this program's") from None


def geometric_mean(values: Iterable[float]) -> float:
    """The mean that suits ratios; NaN of none."""
    logarithms = np.log(list(values))
    return float(np.exp(logarithms.mean())) if logarithms.size else float("nan")


def _without_the_obvious(fields: dict[str, Any]) -> dict[str, Any]:
    """A case without the peers that simply lack its function: half of a file would be that."""
    skipped = {peer: reason for peer, reason in fields["skipped"].items() if reason != NO_SUCH_FUNCTION}
    return {**fields, "skipped": skipped}


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))
