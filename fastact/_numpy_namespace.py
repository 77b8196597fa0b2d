"""The functions that reference formulas are written over, for NumPy arrays of float64 or longdouble.

`fastact.numba._float32` and `fastact.numba._float64` have the same functions for one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import abs, arctanh, clip, exp, expm1, floor, hypot, isnan, log, log1p, sqrt, tanh, where

__all__ = [
    "abs",
    "arctanh",
    "clip",
    "coth_excess",
    "exp",
    "expm1",
    "gaussian_parts",
    "head",
    "hypot",
    "isnan",
    "log",
    "log1p",
    "normal_tail",
    "product_error",
    "scaled_product",
    "sqrt",
    "tanh",
    "where",
]

# The normal distribution's tail is an integral, Phi(-a) exp(a**2 / 2) = a sqrt(2) / pi times that of
# exp(-t**2) / (a**2 + 2 t**2) over t > 0. The midpoint rule with step 7/16 misses it by less than
# exp(-(pi / STEP)**2) = 4e-23 once the residue at the pole t = i a / sqrt(2) is added (Chiarella and Reichel, On the
# evaluation of integrals related to the error function, 1968). Every term is positive: no digits cancel.
STEP = 0.4375
NODES = [(n + 0.5) * STEP for n in reversed(range(16))]  # the smallest terms first: their sum rounds less


def normal_tail(a: Any) -> Any:
    """Phi(-a) exp(a**2 / 2) for a >= 0, with Phi the normal distribution: at most 3 ULP."""
    T = a.dtype.type
    root2, pi = sqrt(T(2)), T("3.14159265358979323846264338327950288")
    total = np.zeros_like(a)
    for node in NODES:
        weight = root2 * T(STEP) / pi * exp(T(-node * node))
        total += weight / (a * a + 2 * node * node)
    pole = root2 * pi / STEP
    residue = exp(a * (a / 2 - pole)) / (1 + exp(-pole * a))
    return a * total + where(a < pole, residue, 0)


def coth_excess(x: Any) -> Any:
    """x coth(x) - 1 for |x| < 2, by Lambert's fraction: x**2 / (3 + x**2 / (5 + ...))."""
    square = x * x
    t = square / 33
    for odd in range(31, 1, -2):
        t = square / (odd + t)
    return t


def head(x: Any) -> Any:
    """The part of x >= 0 down to 1/256: few digits, so that products with it have no rounding for exp to magnify."""
    return floor(x * 256) / 256


def gaussian_parts(x: Any) -> tuple[Any, Any]:
    """(square, factor) such that exp(-x**2 / 2) = exp(-square) factor for x in [0, 256], square being exact."""
    head = floor(x * 64) / 64  # few digits: its square has no rounding for exp to magnify
    return head * head / 2, exp((head - x) * (head + x) / 2)


def scaled_product(a: Any, b: Any, y: Any) -> Any:
    """A b exp(y), also where exp(y) alone would lose digits to underflow or be 0."""
    deep = y < -600
    e = exp(where(deep, y / 2, y))
    return where(e == 0, e, where(deep, (a * e) * (b * e), a * e * b))


def product_error(a: Any, b: Any, product: Any) -> Any:
    """A b - product, the rounding error of a product (Dekker 1971); 0 where that overflows."""
    splitter = 2.0 ** ((np.finfo(product.dtype).nmant + 2) // 2) + 1

    def halves(x: Any) -> tuple[Any, Any]:
        c = splitter * x
        high = c - (c - x)
        return high, x - high

    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return where(np.isfinite(error), error, 0)
