"""The Numba and NumPy engines, over every 1021st float32 and all breakpoints: wider bars, a shorter walk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.catalogue import Loop
from tests.proof.compiled import Verdict
from tests.proof.float32 import examine, sampled_magnitudes, spelt
from tests.proof.subjects import fallbacks

NAMES = tuple(subject.name for subject in fallbacks())


def applies(loop: Loop) -> bool:
    """Every loop."""
    return True


def run(loop: Loop, sample: bool) -> dict[str, Any]:
    """By engine: the largest error and its input."""
    subjects = fallbacks()
    verdicts = {subject.name: Verdict() for subject in subjects}
    inputs = 0
    for magnitudes, overlap in sampled_magnitudes(loop.record):
        inputs += 2 * (magnitudes.size - overlap)
        examine(loop, subjects, magnitudes, overlap, verdicts)
    found = {name: {"error": verdict.error, "at": spelt(verdict.error_at)} for name, verdict in verdicts.items()}
    return {"inputs": inputs, "engines": found}


def misses(loop: Loop, result: dict[str, Any]) -> Iterator[str]:
    """Errors beyond the bar."""
    for subject in fallbacks():
        found, bar = result["engines"][subject.name], subject.bar(loop, "float32")
        if found["error"] > bar:
            yield f"{subject.name} {loop.name}: {found['error']:.4f} ULP at {found['at']}, more than {bar}"
