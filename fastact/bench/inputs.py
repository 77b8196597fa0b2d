"""The arrays that are measured on."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

import fastact
from fastact.bench import oracle
from fastact.bench.cases import Case

Array = np.ndarray[Any, Any]

# Wide enough that saturation and tails occur (relu6 is flat above 6, float32's sigmoid above 17), narrow enough that
# most elements take the usual path.
STANDARD_DEVIATION = 5.0
SEED = 20240229


class NoSuchInput(Exception):
    """The function has no input of the kind that is asked for."""


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The dtype of a name; bfloat16 is ml_dtypes' and needs it installed."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        raise NoSuchInput("bfloat16 needs ml_dtypes") from None
    return np.dtype(ml_dtypes.bfloat16)


def make(case: Case) -> list[Array]:
    """The operands of a case."""
    operands = fastact.activations[case.function].operands
    if case.inputs == "subnormal":
        return [_subnormal(case)] + [np.ones(case.shape, numpy_dtype(case.dtype)) for _ in operands[1:]]
    return [_normal(case, k) for k in range(len(operands))]


def _normal(case: Case, k: int) -> Array:
    drawn = _draw(case.size, k)
    if _needs_probabilities(case.function):
        drawn = 1 / (1 + np.exp(-drawn))
    return drawn.astype(numpy_dtype(case.dtype)).reshape(case.shape)


@lru_cache(maxsize=2)
def _draw(size: int, k: int) -> Array:
    rng = np.random.default_rng(SEED + k)
    return rng.standard_normal(size, np.float32) * np.float32(STANDARD_DEVIATION)


def _needs_probabilities(function: str) -> bool:
    """Whether a function (logit) is defined on (0, 1) alone."""
    outside = [np.array([-2.0, 2.0])] * len(fastact.activations[function].operands)
    return bool(np.isnan(oracle.truth(function, outside, None)).all())


def _subnormal(case: Case) -> Array:
    """Inputs whose results are subnormal numbers, in which many implementations slow down or flush to zero."""
    if case.axis is not None:
        raise NoSuchInput("only elementwise functions have such inputs here")
    dtype = numpy_dtype(case.dtype)
    _, smallest_exponent = oracle.FORMATS[case.dtype]
    tail = np.linspace(smallest_exponent, 0, 20_001).astype(dtype)     # e**-126 is below 2**-126
    tiny = (np.linspace(-0.99, 0.99, 2_000) * 2.0**smallest_exponent).astype(dtype)
    ones = [np.ones_like(tail)] * (len(fastact.activations[case.function].operands) - 1)
    for candidates in (tail, tiny):
        operands = [candidates, *(one[: candidates.size] for one in ones)]
        result = np.abs(oracle.truth(case.function, operands, case.axis))
        found = candidates[(result > 0) & (result < 2.0**smallest_exponent)]
        if result.shape == candidates.shape and found.size:
            return np.random.default_rng(SEED).choice(found, case.shape)
    raise NoSuchInput("no result of this function is subnormal")
