"""The functions that reference formulas are written over, for Numba: one float64 number at a time.

`_numpy_namespace` has the same functions for arrays, and says where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from fastact._numpy_namespace import NODES, STEP

inline = numba.njit(inline="always", nogil=True)

WEIGHTED_NODES = tuple((math.sqrt(2) * STEP / math.pi * math.exp(-node * node), 2 * node * node) for node in NODES)
POLE = math.sqrt(2) * math.pi / STEP


@inline
def abs(x: Any) -> Any:
    return math.fabs(x)


@inline
def arctanh(x: Any) -> Any:
    return math.atanh(x)


@inline
def clip(x: Any, low: Any, high: Any) -> Any:
    at_least_low = low if x < low else x
    return high if at_least_low > high else at_least_low


@inline
def exp(x: Any) -> Any:
    return math.exp(x)


@inline
def expm1(x: Any) -> Any:
    return math.expm1(x)


@inline
def floor(x: Any) -> Any:
    return np.floor(x)


@inline
def hypot(x: Any, y: Any) -> Any:
    return math.hypot(x, y)


@inline
def isnan(x: Any) -> Any:
    return math.isnan(x)


@inline
def log(x: Any) -> Any:
    return math.log(x)


@inline
def log1p(x: Any) -> Any:
    return math.log1p(x)


@inline
def sqrt(x: Any) -> Any:
    return math.sqrt(x)


@inline
def tanh(x: Any) -> Any:
    return math.tanh(x)


@inline
def where(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


@inline
def normal_tail(a: Any) -> Any:
    total = 0.0
    for weight, place in WEIGHTED_NODES:
        total += weight / (a * a + place)
    residue = math.exp(a * (a / 2 - POLE)) / (1 + math.exp(-POLE * a)) if a < POLE else 0.0
    return a * total + residue


@inline
def gaussian_parts(x: Any) -> Any:
    head = np.floor(x * 64) / 64
    return head * head / 2, math.exp((head - x) * (head + x) / 2)


@inline
def scaled_product(a: Any, b: Any, y: Any) -> Any:
    deep = y < -600
    e = math.exp(y / 2 if deep else y)
    if e == 0:
        return e
    return (a * e) * (b * e) if deep else a * e * b


@inline
def product_error(a: Any, b: Any, product: Any) -> Any:
    splitter = 134217729.0
    a_high = splitter * a - (splitter * a - a)
    b_high = splitter * b - (splitter * b - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return error if math.isfinite(error) else 0.0


def compile_ufunc(formula: Callable[..., Any], inputs: int) -> Callable[..., Any]:
    """A float64 ufunc over a formula of this namespace; the machine code is kept on disk for the next process."""
    signature = numba.float64(*(numba.float64,) * inputs)
    ufunc: Callable[..., Any] = numba.vectorize([signature], nopython=True, cache=True)(formula)  # type: ignore[no-untyped-call]
    return ufunc
