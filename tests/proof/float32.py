"""The walk over every float32: errors, order of neighbours, range, parity, for all CPU targets in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from fastact._records import Activation
from tests import oracle
from tests.catalogue import Loop
from tests.proof.breakpoints import breakpoints, distinct, short_numbers
from tests.proof.compiled import Array, Verdict, truth_for
from tests.proof.subjects import Subject, compiled, rounded_parameters

CHUNK = 1 << 16  # an input, a result and a true value for each fit into a processor's own cache
SAMPLE_STEP = 1021
PATTERNS = 1 << 31  # of either sign
AGREEMENT = 1e-4  # between the compiled oracle and MPFR, in ULP


class OracleError(Exception):
    """The compiled oracle and MPFR do not agree."""


@dataclass(frozen=True)
class Facts:
    """What a loop's results have to be beside near the truth."""

    monotonic: bool
    parity: str | None
    low: float
    high: float

    @classmethod
    def of(cls, loop: Loop) -> Facts:
        """The record's facts for a value; what follows from them for its derivative."""
        record = loop.record
        if loop.operation == "value":
            return cls(record.monotonic, record.parity, *_range(record))
        parity = {"odd": "even", "even": "odd", None: None}[record.parity]
        return cls(False, parity, 0.0 if record.monotonic else -inf, inf)


def _range(record: Activation) -> tuple[float, float]:
    """The range's ends in float32; one that is not a whole number rounds to either side."""
    ends = [np.float32(end) for end in (record.range.low, record.range.high)]
    away = (np.float32(-inf), np.float32(inf))
    return tuple(  # type: ignore[return-value]
        float(end if float(end).is_integer() or np.isinf(end) else np.nextafter(end, direction))
        for end, direction in zip(ends, away, strict=True)
    )


def every_magnitude() -> Iterator[tuple[Array, int]]:
    """All float32 that are not negative, NaN included, in chunks; each but the first begins with its forerunner's end.

    With a chunk goes how many of its elements are such repetitions.
    """
    for start in range(0, PATTERNS, CHUNK):
        overlap = int(start > 0)
        yield np.arange(start - overlap, start + CHUNK, dtype=np.uint32).view(np.float32), overlap


def sampled_magnitudes(record: Activation) -> Iterator[tuple[Array, int]]:
    """Every 1021st of them, those of few digits, and all breakpoints."""
    strided = np.arange(0, PATTERNS, SAMPLE_STEP, dtype=np.uint32)
    special = np.concatenate([breakpoints(record, "float32"), short_numbers()])
    bits = distinct(np.concatenate([strided, special.view(np.uint32)]))
    for start in range(0, bits.size, CHUNK):
        overlap = int(start > 0)
        yield bits[start - overlap : start + CHUNK].view(np.float32), overlap


def applies(loop: Loop) -> bool:
    """Every loop."""
    return True


def run(loop: Loop, sample: bool) -> dict[str, Any]:
    """What was found of a loop: by target, the largest error and what breaks order, range and parity."""
    subjects = compiled()
    verdicts = {subject.name: Verdict() for subject in subjects}
    inputs = 0
    for magnitudes, overlap in sampled_magnitudes(loop.record) if sample else every_magnitude():
        inputs += 2 * (magnitudes.size - overlap)
        examine(loop, subjects, magnitudes, overlap, verdicts)
    return {
        "inputs": inputs,
        "targets": {subject.name: reported(loop, verdicts[subject.name]) for subject in subjects},
    }


def examine(
    loop: Loop, subjects: tuple[Subject, ...], magnitudes: Array, overlap: int, verdicts: dict[str, Verdict]
) -> None:
    """Adds a chunk, at both signs, to the verdicts."""
    facts = Facts.of(loop)
    parameters = rounded_parameters(loop, "float32")
    roots = loop.record.turning_points if loop.operation == "derivative" else ()
    mirrored = -magnitudes
    own = slice(overlap, None)
    truths = [truth_for("float32")(loop.name, x, parameters) for x in (magnitudes, mirrored)]
    for subject in subjects:
        verdict = verdicts[subject.name]
        results = [subject.compute(loop, x) for x in (magnitudes, mirrored)]
        for x, y, truth in zip((magnitudes, mirrored), results, truths, strict=True):
            verdict.judge_errors(x[own], y[own], truth[own], roots, subject.root_zone)
            if facts.low > -inf or facts.high < inf:
                verdict.judge_range(x[own], y[own], facts.low, facts.high)
            if facts.monotonic:
                verdict.judge_order(x, y)
        if facts.monotonic and not overlap:  # from -0 to 0
            verdict.judge_order(np.array([-0.0, 0.0], np.float32), np.array([results[1][0], results[0][0]]))
        if facts.parity:
            verdict.judge_parity(magnitudes[own], results[0][own], results[1][own], facts.parity == "odd")


def reported(loop: Loop, verdict: Verdict) -> dict[str, Any]:
    """The verdict for JSON, its largest error as MPFR sees it."""
    found: dict[str, Any] = {"error": confirmed_error(loop, verdict), "at": spelt(verdict.error_at)}
    for count, at in (("falls", "fall_at"), ("outside", "outside_at"), ("asymmetric", "asymmetric_at")):
        if getattr(verdict, count):
            found |= {count: getattr(verdict, count), at: spelt(getattr(verdict, at))}
    if verdict.falls:
        found["fall"] = verdict.fall
    return found


def confirmed_error(loop: Loop, verdict: Verdict, parameters: list[float] | None = None) -> float:
    """MPFR's opinion of the largest error, which the compiled oracle's must be near."""
    if verdict.error == 0:
        return 0.0
    x = np.array([verdict.error_at], np.float32)
    inputs = loop.inputs(x) if parameters is None else [x, *(np.float32(p) for p in parameters)]
    true = oracle.exact(loop.name, *inputs, m=oracle.Mpfr)
    y = np.array([verdict.error_in], np.float32)
    error = float(oracle.ulp_error(y, true, "float32", oracle.Mpfr, loop.least_exponent(x))[0])
    if not (error == verdict.error or abs(error - verdict.error) <= AGREEMENT):
        raise OracleError(f"{loop.name}({x[0]!r}): {verdict.error} ULP by the compiled oracle, {error} by MPFR")
    return error


def spelt(x: float) -> str:
    """A float32 in the fewest digits that tell it from others."""
    return str(np.float32(x))


def misses(loop: Loop, result: dict[str, Any]) -> Iterator[str]:
    """What the bars forbid, in a line each."""
    for subject in compiled():
        found, bar = result["targets"][subject.name], subject.bar(loop, "float32")
        where = f"float32 {loop.name} on {subject.name}:"
        if found["error"] > bar:
            yield f"{where} {found['error']:.4f} ULP at {found['at']}, more than {bar}"
        if "falls" in found:
            yield (f"{where} {found['falls']} pairs of neighbours in the wrong order, by {found['fall']:.3g} ULP "
                   f"at {found['fall_at']}")  # fmt: skip
        if "outside" in found:
            yield f"{where} {found['outside']} results out of range, at {found['outside_at']}"
        if "asymmetric" in found:
            yield f"{where} {found['asymmetric']} results without their mirror image, at {found['asymmetric_at']}"
