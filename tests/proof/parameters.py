"""Parameters that a person may well try, one at a time, the others staying typical: ten million float32 inputs each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.catalogue import Loop
from tests.proof.breakpoints import breakpoints
from tests.proof.compiled import Array, Verdict, truth_for
from tests.proof.float32 import confirmed_error, spelt
from tests.proof.subjects import compiled

VALUES = (0.0, 1e-3, 0.3, 1.0, 7.5, 1e3, -0.5, -30.0)
PER_CHANNEL = "per channel"
STEP, SAMPLE_STEP = 428, 42767  # every 428th float32 makes ten million
CHUNK = 1 << 16


def applies(loop: Loop) -> bool:
    """The functions that have parameters."""
    return bool(loop.record.parameters)


def run(loop: Loop, sample: bool) -> dict[str, Any]:
    """By parameter, value and target: the largest error and its input."""
    x = inputs(loop, SAMPLE_STEP if sample else STEP)
    found: dict[str, Any] = {}
    for name in loop.record.parameters:
        accepted = [value for value in VALUES if makes_sense(loop, name, value)]
        settings = {str(value): [value] for value in accepted} | {PER_CHANNEL: accepted}
        found[name] = {setting: judged(loop, x, name, values) for setting, values in settings.items()}
    return {"inputs": x.size, "parameters": found}


def inputs(loop: Loop, step: int) -> Array:
    """Finite numbers: what 0 times infinity should be is nobody's documented choice."""
    strided = np.arange(0, 1 << 32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    special = breakpoints(loop.record, "float32")
    x = np.concatenate([strided, special, -special])
    return np.asarray(x[np.isfinite(x)])


def makes_sense(loop: Loop, name: str, value: float) -> bool:
    """Whether the function takes the value, the other parameters being typical."""
    parameters, typical = loop.record.parameters, loop.record.typical_parameters | {name: value}
    accepts = parameters[name].accepts
    ordered = all(typical[other] >= typical[p.not_below] for other, p in parameters.items() if p.not_below)
    return ordered and (accepts is None or accepts(value))


def judged(loop: Loop, x: Array, name: str, values: list[float]) -> dict[str, Any]:
    """By target: the largest error with a value, or with one value for each channel, and its input."""
    verdicts = {subject.name: [Verdict() for _ in values] for subject in compiled()}
    typical = loop.record.typical_parameters
    given = typical | {name: values[0] if len(values) == 1 else np.array(values, np.float32)}
    for start in range(0, x.size, CHUNK):
        chunk = x[start : start + CHUNK]
        channels = chunk[: chunk.size // len(values) * len(values)].reshape(-1, len(values))
        truths = []
        for value, channel in zip(values, channels.T, strict=True):
            rounded = [float(np.float32(p)) for p in (typical | {name: value}).values()]
            truths.append(truth_for("float32")(loop.name, channel, rounded))
        for subject in compiled():
            results = subject.compute(loop, channels, parameters=list(given.values()))
            for verdict, truth, channel, y in zip(verdicts[subject.name], truths, channels.T, results.T, strict=True):
                verdict.judge_errors(np.ascontiguousarray(channel), np.ascontiguousarray(y), truth)
    return {subject.name: worst(loop, name, values, verdicts[subject.name]) for subject in compiled()}


def worst(loop: Loop, name: str, values: list[float], verdicts: list[Verdict]) -> dict[str, Any]:
    """The largest error of all channels."""
    value, verdict = max(zip(values, verdicts, strict=True), key=lambda pair: pair[1].error)
    parameters = list((loop.record.typical_parameters | {name: value}).values())
    return {
        "error": confirmed_error(loop, verdict, parameters),
        "at": spelt(verdict.error_at),
        "value": value,
    }


def misses(loop: Loop, result: dict[str, Any]) -> Iterator[str]:
    """Errors beyond the bar."""
    for name, settings in result["parameters"].items():
        for setting, by_target in settings.items():
            for subject in compiled():
                found, bar = by_target[subject.name], subject.bar(loop, "float32")
                if found["error"] > bar:
                    yield (f"parameters {loop.name} with {name} = {found['value']} ({setting}) on {subject.name}: "
                           f"{found['error']:.4f} ULP at {found['at']}, more than {bar}")  # fmt: skip
