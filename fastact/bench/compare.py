"""Two runs against each other: what got slower."""

from __future__ import annotations

from dataclasses import dataclass

from fastact.bench.cases import Case
from fastact.bench.results import CaseResult, Results


@dataclass(frozen=True)
class Change:
    """fastact's time in one case, new over old."""

    case: Case
    factor: float


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs, and how much of them could be compared."""

    slower: list[Change]
    faster: list[Change]
    judged: int
    noisy: int
    only_old: int
    same_machine: bool


def compare(old: Results, new: Results, tolerance: float) -> Comparison:
    """What changed by more than the tolerance.

    Times are taken as fractions of the floor of their own rounds, which a busy or slower machine raises too; on one and
    the same machine the plain times have to agree with the verdict. Noisy cases are not judged.
    """
    before = {result.case: result for result in old.cases}
    after = {result.case: result for result in new.cases}
    pairs = [(before[case], after[case]) for case in after if case in before]
    quiet = [(a, b) for a, b in pairs if not (a.noisy or b.noisy)]
    same = old.machine.get("processor") == new.machine.get("processor")
    slower = [Change(b.case, _factor(a, b)) for a, b in quiet if _slower(a, b, tolerance, same)]
    faster = [Change(b.case, _factor(a, b)) for a, b in quiet if _slower(b, a, tolerance, same)]
    return Comparison(
        slower=sorted(slower, key=lambda change: -change.factor),
        faster=sorted(faster, key=lambda change: change.factor),
        judged=len(quiet),
        noisy=len(pairs) - len(quiet),
        only_old=len(before.keys() - after.keys()),
        same_machine=same,
    )


def _factor(old: CaseResult, new: CaseResult) -> float:
    return (new.fastact.ns.median / new.floor.median) / (old.fastact.ns.median / old.floor.median)


def _slower(old: CaseResult, new: CaseResult, tolerance: float, same_machine: bool) -> bool:
    """Whether new is beyond the tolerance, and the middle halves of the two runs' rounds do not overlap."""
    apart = new.fastact.ns.low / new.floor.median > old.fastact.ns.high / old.floor.median
    slower = _factor(old, new) > 1 + tolerance and apart
    return slower and (not same_machine or new.fastact.ns.median > (1 + tolerance) * old.fastact.ns.median)
