"""The functions that reference formulas are written over, for Numba: one element at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from fastact._fallback import pick
from fastact._records import Activation

inline = numba.njit(inline="always", nogil=True)


@inline
def abs(x: Any) -> Any:
    return math.fabs(x)


@inline
def exp(x: Any) -> Any:
    return math.exp(x)


@inline
def expm1(x: Any) -> Any:
    return math.expm1(x)


@inline
def isnan(x: Any) -> Any:
    return x != x


@inline
def log(x: Any) -> Any:
    return math.log(x)


@inline
def log1p(x: Any) -> Any:
    return math.log1p(x)


@inline
def tanh(x: Any) -> Any:
    return math.tanh(x)


@inline
def where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


def jit_loop(record: Activation, operation: str) -> Callable[..., Any]:
    """A function from input arrays to a result array, whose loop Numba has compiled."""
    import fastact._numba_namespace as xp

    formula = numba.njit(nogil=True)(pick(record, operation, xp, np.float64))
    arity = len(record.inputs)

    if arity == 1:
        def loop(x, result):
            for i in range(result.size):
                result[i] = formula(x[i])
    elif arity == 2:
        def loop(x, a, result):
            for i in range(result.size):
                result[i] = formula(x[i], a[i])
    else:
        def loop(x, a, b, result):
            for i in range(result.size):
                result[i] = formula(x[i], a[i], b[i])

    compiled = numba.njit(nogil=True)(loop)

    def compute(*inputs):
        result = np.empty(inputs[0].shape, np.float64)
        compiled(*inputs, result)
        return result

    return compute
