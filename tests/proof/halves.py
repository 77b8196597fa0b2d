"""float16 and bfloat16: every input, the largest error, and how many results are not the correctly rounded ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests import oracle
from tests.catalogue import Loop, pattern_points
from tests.proof.compiled import Array, truth_for
from tests.proof.subjects import Subject, compiled, rounded_parameters

DTYPES = ("float16", "bfloat16")
UNDECIDED = 1e-6  # around half an ULP the compiled oracle asks MPFR on which side the truth lies


def applies(loop: Loop) -> bool:
    """Every loop."""
    return True


def run(loop: Loop, sample: bool) -> dict[str, Any]:
    """By type and target: the largest error, its input, and how many results are not correctly rounded."""
    return {dtype: {subject.name: judged(loop, subject, dtype) for subject in compiled()} for dtype in DTYPES}


def judged(loop: Loop, subject: Subject, dtype: str) -> dict[str, Any]:
    """One target's results for all 65,536 inputs of a type."""
    x = pattern_points(dtype)
    y = subject.compute(loop, x)
    with np.errstate(invalid="ignore"):  # some of the patterns are signalling NaN
        wide = x.astype(np.float64)
    truth = truth_for(dtype)(loop.name, wide, rounded_parameters(loop, dtype))
    error = oracle.ulp_error(y, truth, dtype, oracle.LongDouble, loop.least_exponent(x))
    worst = int(error.argmax())
    return {
        "error": float(error[worst]),
        "at": str(x[worst]),
        "inputs": x.size,
        "not_rounded": int(np.count_nonzero(~correctly_rounded(loop, x, y, truth, dtype))),
    }


def correctly_rounded(loop: Loop, x: Array, y: Array, truth: Array, dtype: str) -> Array:
    """Which results are the nearest number of the type; of two as near, the one whose last bit is 0."""
    error = oracle.ulp_error(y, truth, dtype, oracle.LongDouble)
    undecided = np.abs(error - 0.5) < UNDECIDED
    if undecided.any():
        true = oracle.exact(loop.name, *loop.inputs(x[undecided]), m=oracle.Mpfr)
        error[undecided] = oracle.ulp_error(y[undecided], true, dtype, oracle.Mpfr)
    even = y.view(np.uint16) % 2 == 0
    return np.asarray((error < 0.5) | ((error == 0.5) & even))


def misses(loop: Loop, result: dict[str, Any]) -> Iterator[str]:
    """Errors beyond the bar."""
    for dtype in DTYPES:
        for subject in compiled():
            found, bar = result[dtype][subject.name], subject.bar(loop, dtype)
            if found["error"] > bar:
                yield (f"{dtype} {loop.name} on {subject.name}: {found['error']:.4f} ULP at {found['at']}, "
                       f"more than {bar}")  # fmt: skip
