"""Other libraries, as the benchmark calls them, over a strided walk of float32: how many digits each returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastact.bench.peers import PEERS, Job, SkipError, load
from tests.catalogue import Loop
from tests.proof.breakpoints import breakpoints
from tests.proof.compiled import Array, Verdict, truth_for
from tests.proof.float32 import spelt
from tests.proof.subjects import rounded_parameters

NAMES = ("numpy", "scipy", "pytorch", "jax", "onnxruntime")
STEP, SAMPLE_STEP = 257, 10007
LEAST_NORMAL, BEYOND = 2.0**-126, 2.0**128


def applies(loop: Loop) -> bool:
    """The values: most libraries keep their derivatives to themselves."""
    return loop.operation == "value"


def run(loop: Loop, sample: bool) -> dict[str, Any]:
    """By library that has the function: the largest error and its input; the libraries' versions."""
    versions, _ = load(list(NAMES), 1)
    x, truth = inputs(loop, SAMPLE_STEP if sample else STEP)
    results = {name: result for name in versions if (result := computed(loop, name, x)) is not None}
    return {
        "inputs": x.size,
        "peers": {name: judged(x, y, truth) for name, y in results.items()},
        "versions": versions,
    }


def inputs(loop: Loop, step: int) -> tuple[Array, Array]:
    """Finite inputs and their true values: normal numbers both, or 0, since some libraries do without subnormals."""
    strided = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    special = breakpoints(loop.record, "float32")
    x = np.concatenate([strided, special, -special])
    x = x[normal(x)]
    truth = truth_for("float32")(loop.name, x, rounded_parameters(loop, "float32"))
    kept = normal(truth)
    return x[kept], truth[kept]


def normal(numbers: Array) -> Array:
    """Which are normal float32 numbers or 0."""
    size = np.abs(numbers, dtype=np.float64)
    return np.asarray(((size >= LEAST_NORMAL) & (size < BEYOND)) | (size == 0))


def computed(loop: Loop, peer: str, x: Array) -> Array | None:
    """A library's results, or None where it has no such function."""
    record = loop.record
    job = Job(record.name, record.operands, [x], [np.empty_like(x)], record.typical_parameters)
    try:
        prepared = PEERS[peer].prepare(job)
    except SkipError:
        return None
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(prepared.view(prepared.call()), np.float32)


def judged(x: Array, y: Array, truth: Array) -> dict[str, Any]:
    """The largest error, and its input."""
    verdict = Verdict()
    verdict.judge_errors(x, y, truth)
    return {"error": verdict.error, "at": spelt(verdict.error_at)}


def misses(loop: Loop, result: dict[str, Any]) -> Iterator[str]:
    """None: they have no bars here."""
    return iter(())
