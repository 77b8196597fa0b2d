"""Where functions are most likely to go wrong, however few inputs one can afford.

The numbers that the kernels' own sources mention are breakpoints of the implementation, or may be, and nobody has to
keep a list of them.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from fastact._records import Activation, loop_name
from tests.catalogue import kinks, points
from tests.proof.compiled import RESULTS, Array

KERNELS = Path(__file__).parents[2] / "kernels"
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![\w.])")
NEIGHBOURS = 8


@functools.cache
def numbers_in_kernels() -> tuple[float, ...]:
    """Every decimal number in the sources of the formulas and of the functions they are made of."""
    texts = [path.read_text() for path in sorted(KERNELS.rglob("*.pxi"))]
    return tuple(sorted({float(number) for text in texts for number in NUMBER.findall(text)}))


def breakpoints(record: Activation, dtype: str) -> Array:
    """The function's special points, the kernels' numbers, the worst inputs known, each with its neighbours.

    Ascending and not negative.
    """
    special = [
        *numbers_in_kernels(),
        *known_worst(record, dtype),
        *record.turning_points,
        *kinks(record),
        record.domain.low,
        record.domain.high,
    ]
    with np.errstate(over="ignore"):
        centres = np.abs(np.array(special, np.float64)).astype(dtype)
    return distinct(np.concatenate([neighbourhood(centres, NEIGHBOURS), np.abs(points(record.name, dtype))]))


@functools.cache
def known_worst(record: Activation, dtype: str) -> tuple[float, ...]:
    """The inputs where the last whole proof found the largest errors, or what must not be."""
    if not RESULTS.exists():
        return ()
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    loops = (f"{dtype} {loop_name(record, operation)}" for operation in ("value", "derivative"))
    found = [results[loop]["targets"] for loop in loops if loop in results]
    places = ("at", "fall_at", "outside_at", "asymmetric_at")
    return tuple(float(target[place]) for targets in found for target in targets.values() for place in places
                 if place in target)  # fmt: skip


def short_numbers() -> Array:
    """Every float32 of up to 8 significant bits, with its neighbours; ascending and not negative."""
    centres = np.arange(0, 0x7F80 + 1, dtype=np.uint32) << 16
    return distinct(neighbourhood(centres.view(np.float32), 2))


def neighbourhood(centres: Array, steps: int) -> Array:
    """Numbers that are not negative, with as many neighbours above and below as there are up to infinity and zero."""
    bits: Any = np.int32 if centres.dtype == np.float32 else np.int64
    around = centres.view(bits)[:, np.newaxis] + np.arange(-steps, steps + 1, dtype=bits)
    clipped: Array = np.clip(around, 0, np.array(np.inf, centres.dtype).view(bits)).view(centres.dtype)
    return clipped.ravel()


def distinct(values: Array) -> Array:
    """The numbers in ascending order, each once, without NaN; `np.unique` takes ten times as long for millions."""
    ordered = np.sort(values)
    first: Array = np.append(True, ordered[1:] > ordered[:-1])
    return np.asarray(ordered[first])
