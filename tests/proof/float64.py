"""float64 cannot be walked: ten million inputs of each function where errors are likely, and a search for worse ones.

The inputs are breakpoints with their neighbours, cases whose results are exact or nearly so, and random bit patterns
of every binade, most of them in those where functions bend. From the worst found, a hill-climb goes on. Long double
judges; where it cannot decide about the bar, and for the error that is reported, MPFR does.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastact._records import REALS, Activation
from tests import oracle
from tests.catalogue import Loop
from tests.proof.breakpoints import breakpoints, distinct
from tests.proof.compiled import Array, truth_for
from tests.proof.subjects import Subject, compiled, rounded_parameters

INPUTS, SAMPLE = 10_000_000, 100_000
CHUNK = 1 << 16
BENDING = range(-40, 11)  # binades where no activation has reached its limits on both sides
ANYWHERE = range(-1074, 1024)
MARGIN = 1 / 16  # long double's error is less, in float64's ULP (test_proof.py)
KEPT = 256
ROUNDS, CHILDREN = 40, 16


def applies(loop: Loop) -> bool:
    """Every loop."""
    return True


def run(loop: Loop, sample: bool) -> dict[str, Any]:
    """By target: the largest error that was found, and its input."""
    worst: dict[str, Array] = {subject.name: np.empty(0) for subject in compiled()}
    inputs = 0
    for x in adversarial(loop.record, SAMPLE if sample else INPUTS):
        inputs += x.size
        truth = true_values(loop, x)
        for subject in compiled():
            worst[subject.name] = keep_worst(loop, subject, worst[subject.name], x, truth)
    targets = {}
    for subject in compiled():
        climbed = climb(loop, subject, worst[subject.name], sample)
        targets[subject.name] = decided(loop, subject, climbed)
    return {"inputs": inputs, "targets": targets}


def adversarial(record: Activation, count: int) -> Iterator[Array]:
    """At least `count` inputs, in chunks, the same ones every time."""
    generator = np.random.default_rng(zlib.crc32(record.name.encode()))
    special = distinct(np.concatenate([breakpoints(record, "float64"), exact_cases()]))
    special = np.concatenate([special, -special])
    for start in range(0, special.size, CHUNK):
        yield within_domain(record, special[start : start + CHUNK])
    for start in range(special.size, count, CHUNK):
        binades = ANYWHERE if start // CHUNK % 5 == 0 else BENDING
        exponents = generator.integers(binades.start, binades.stop, CHUNK)
        with np.errstate(under="ignore"):
            x = np.ldexp(generator.uniform(1, 2, CHUNK), exponents) * generator.choice([-1.0, 1.0], CHUNK)
        yield within_domain(record, x)


def exact_cases() -> Array:
    """Numbers of few digits, and all powers of two."""
    return np.concatenate([np.arange(0, 1024, 1 / 64), np.ldexp(1.0, np.arange(-1074, 1024))])


def within_domain(record: Activation, x: Array) -> Array:
    """The inputs, folded into [0, 1] and crowded at both its ends where the function has no more."""
    if record.domain == REALS:
        return x
    with np.errstate(all="ignore"):
        inside = np.where(np.abs(x) > 1, 1 / np.abs(x), np.abs(x))
    return np.where(np.signbit(x), 1 - inside, inside)


def true_values(loop: Loop, x: Array) -> Array:
    """Long double's."""
    return truth_for("float64")(loop.name, x, rounded_parameters(loop, "float64"))


def keep_worst(loop: Loop, subject: Subject, known: Array, x: Array, truth: Array) -> Array:
    """The inputs with the largest errors, of those known and of new ones; the worst first."""
    if known.size:
        x, truth = np.concatenate([known, x]), np.concatenate([true_values(loop, known), truth])
    error = oracle.ulp_error(subject.compute(loop, x), truth, "float64", oracle.LongDouble, loop.least_exponent(x))
    order = np.argsort(-error, kind="stable")[: 4 * KEPT]
    _, first = np.unique(x[order], return_index=True)
    return x[order[np.sort(first)]][:KEPT]


def climb(loop: Loop, subject: Subject, worst: Array, sample: bool) -> Array:
    """The worst inputs, after a search around them at all distances."""
    generator = np.random.default_rng(1)
    for _ in range(ROUNDS // 4 if sample else ROUNDS):
        distance = np.exp2(generator.uniform(0, 44, (worst.size, CHILDREN))).astype(np.int64)
        steps = distance * generator.choice([-1, 1], distance.shape)
        near = (worst.view(np.int64)[:, np.newaxis] + steps).view(np.float64).ravel()
        near = near[(near >= loop.record.domain.low) & (near <= loop.record.domain.high)]
        worst = keep_worst(loop, subject, worst, near, true_values(loop, near))
    return worst


def decided(loop: Loop, subject: Subject, worst: Array) -> dict[str, Any]:
    """The largest error in MPFR's opinion, of the worst input and of those where long double's may be wrong."""
    error = oracle.ulp_error(
        subject.compute(loop, worst), true_values(loop, worst), "float64", oracle.LongDouble, loop.least_exponent(worst)
    )
    asked = worst[error >= min(error[0], subject.bar(loop, "float64")) - MARGIN]
    true = oracle.exact(loop.name, *loop.inputs(asked), m=oracle.Mpfr)
    error = oracle.ulp_error(subject.compute(loop, asked), true, "float64", oracle.Mpfr, loop.least_exponent(asked))
    largest = int(error.argmax())
    return {"error": float(error[largest]), "at": repr(float(asked[largest]))}


def misses(loop: Loop, result: dict[str, Any]) -> Iterator[str]:
    """Errors beyond the bar."""
    for subject in compiled():
        found, bar = result["targets"][subject.name], subject.bar(loop, "float64")
        if found["error"] > bar:
            yield f"float64 {loop.name} on {subject.name}: {found['error']:.4f} ULP at {found['at']}, more than {bar}"
