"""The arrays that are measured on."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

import fastact
from fastact.bench import oracle
from fastact.bench.cases import Case, operand_names, parameters, published, takes_result

Array = np.ndarray[Any, Any]

# Wide enough that saturation and tails occur (relu6 is flat above 6, float32's sigmoid above 17), narrow enough that
# most elements take the usual path.
STANDARD_DEVIATION = 5.0
WEIGHT = 0.25
SEED = 20240229


class NoSuchInputError(Exception):
    """The function has no input of the kind that is asked for."""


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The dtype of a name; bfloat16 is ml_dtypes' and needs it installed."""
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        raise NoSuchInputError("bfloat16 needs ml_dtypes") from None
    dtype: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return dtype


def make(case: Case) -> list[Array]:
    """The operands of a case."""
    dtype = numpy_dtype(case.dtype)
    first = _subnormal(case, dtype) if case.inputs == "subnormal" else _normal(case, 0)
    operands = [first, *(_second(case, name, dtype) for name in operand_names(case.function)[1:])]
    return operands if case.operation == "value" else [_gradient(case, first, dtype), *_kept(case, operands)]


def _gradient(case: Case, x: Array, dtype: np.dtype[Any]) -> Array:
    """The gradient that comes from behind, in the shape of the function's result."""
    shape = list(case.shape)
    if case.axis is not None and fastact.activations[case.function].halved:
        shape[case.axis] //= 2
    return np.ones(shape, dtype) if case.inputs == "subnormal" else _draw(tuple(shape), case.dtype, 2)


def _kept(case: Case, operands: list[Array]) -> list[Array]:
    """What a network keeps for its backward pass: the function's operands, or its result."""
    if not takes_result(case.function):
        return operands
    function = published(case.function, "value")
    return [function(*operands, **parameters(case.function), axis=case.axis)]


def _second(case: Case, name: str, dtype: np.dtype[Any]) -> Array:
    """A second operand: a gated unit's value, or the one weight that prelu has learned for its whole input."""
    if name == "weight":
        return np.full(1, WEIGHT, dtype)
    return np.ones(case.shape, dtype) if case.inputs == "subnormal" else _normal(case, 1)


def _normal(case: Case, k: int) -> Array:
    """Numbers all over the domain; logit's are probabilities."""
    drawn = _draw(case.shape, case.dtype, k)
    domain = fastact.activations[case.function].domain
    if not np.isfinite([domain.low, domain.high]).all():
        return drawn
    inside = domain.low + (domain.high - domain.low) / (1 + np.exp(-drawn.astype(np.float64)))
    return inside.astype(drawn.dtype)


@lru_cache(maxsize=3)
def _draw(shape: tuple[int, ...], dtype: str, k: int) -> Array:
    """The same numbers for every function: they are drawn once for all cases of a shape."""
    rng = np.random.default_rng(SEED + k)
    return (rng.standard_normal(shape, np.float32) * np.float32(STANDARD_DEVIATION)).astype(numpy_dtype(dtype))


def _subnormal(case: Case, dtype: np.dtype[Any]) -> Array:
    """Inputs whose results are subnormal numbers, in which many implementations slow down or flush to zero."""
    if case.axis is not None:
        raise NoSuchInputError("only elementwise functions have such inputs here")
    _, smallest_exponent = oracle.FORMATS[case.dtype]
    tail = np.linspace(smallest_exponent, 0, 20_001).astype(dtype)  # e**-126 is below 2**-126
    tiny = (np.linspace(-0.99, 0.99, 2_000) * 2.0**smallest_exponent).astype(dtype)
    for candidates in (tail, -tail, tiny):
        others = {name: np.ones_like(candidates) for name in operand_names(case.function, case.operation)}
        operands = {**others, operand_names(case.function)[0]: candidates}
        result = np.abs(oracle.truth(case, list(operands.values()))[0])
        found = candidates[(result > 0) & (result < 2.0**smallest_exponent)]
        if result.shape == candidates.shape and found.size:
            return np.random.default_rng(SEED).choice(found, case.shape)
    raise NoSuchInputError("no result of this function is subnormal")
