"""The functions that some formulas are written over, for Numba and one float32 number: all arithmetic in float32.

It takes half the time of `_float32`'s in float64, where the few roundings that a formula has left do not add up.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
from numba import types

from fastact.numba import _bits
from fastact.numba._bits import inline, inline_as_written, intrinsic, select
from fastact.numba._float64 import abs, clip, isnan, sqrt, where

__all__ = ["abs", "clip", "exp", "hypot", "isnan", "scaled_product", "sqrt", "where"]

# The formulas that it does for: few roundings, and nothing cancels after the first.
FORMULAS = frozenset(
    {
        "hard_sigmoid",
        "hard_sigmoid_derivative",
        "hard_swish_derivative",
        "logit_derivative",
        "relu6",
        "relu6_derivative",
        "silu",
        "soft_shrink",
        "soft_shrink_derivative",
        "sparse_plus",
        "sparse_plus_derivative",
        "sparse_sigmoid",
        "sparse_sigmoid_derivative",
        "squareplus",
    }
)

# ln2 in two parts: the products of the first with an exponent are exact (Cody and Waite 1980).
LN2_HIGH, LN2_LOW = np.float32(0.693145751953125), np.float32(1.4286068203094172e-06)
# As in `_bits`: 1.5 * 2**23, and the exponent's bias.
ROUNDER = np.float32(1.5 * 2.0**23 + 127)
PER_LN2 = np.float32(_bits.PER_LN2)


def in_float32(function: Any) -> FunctionType:
    """The function with its literals as float32: Numba takes them for float64, and whole numbers with float32 too."""
    constants = function.__code__.co_consts
    narrow = tuple(np.float32(value) if type(value) in (int, float) else value for value in constants)
    code = function.__code__.replace(co_consts=narrow)
    return FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)


@intrinsic
def power_of_two(context: Any, rounded: Any) -> Any:
    """2**n, from the sum of n and the rounder. (Numba's own integers would become 64 bits wide.)"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer = context.get_value_type(types.int32)
        bits = builder.bitcast(arguments[0], integer)
        return builder.bitcast(builder.shl(bits, integer(23)), context.get_value_type(types.float32))

    return types.float32(types.float32), generate


@inline
@in_float32
def exp_tail(r: Any) -> Any:
    """(e**r - 1 - r) / r**2."""
    # remez single_exp: relative error of e**r 2**-28.0
    return 0.49999994 + r * (0.16666521 + r * (0.04166839 + r * (0.00836871 + r * 0.0013814617)))


@inline
@in_float32
def split_exponent(x: Any) -> tuple[Any, Any]:
    """(sum of n and the rounder, e**r) such that e**x = 2**n e**r and |r| <= ln2/2."""
    rounded = x * PER_LN2 + ROUNDER
    n = rounded - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    return rounded, 1 + (r + r * r * exp_tail(r))


@inline
@in_float32
def exp(x: Any) -> Any:
    """0 where the result is subnormal: formulas add it to numbers that it vanishes beside."""
    rounded, p = split_exponent(clip(x, -87, 88))
    return p * power_of_two(rounded)


@inline
@in_float32
def scaled_product(a: Any, b: Any, y: Any) -> Any:
    """For y <= 0."""
    rounded, p = split_exponent(clip(y, -150, 0))
    # 2**n in two factors: the first of them is normal where 2**n, and the result, are not any more.
    half = (rounded - ROUNDER) * 0.5 + ROUNDER
    product = a * b * p * power_of_two(half) * power_of_two(rounded - (half - ROUNDER))
    return select(y < -150, 0, product)


@inline
@in_float32
def hypot(x: Any, y: Any) -> Any:
    # Powers of two keep the squares from overflowing, and from underflowing together.
    larger = select(abs(x) > abs(y), abs(x), abs(y))
    far, near = larger > 2.0**60, larger < 2.0**-60
    scale = select(far, 2.0**-65, select(near, 2.0**65, 1))
    unscale = select(far, 2.0**65, select(near, 2.0**-65, 1))
    x, y = x * scale, y * scale
    return sqrt(x * x + y * y) * unscale


@inline_as_written
def difference(x: Any, y: Any) -> tuple[Any, Any]:
    """x - y, and what its rounding has left (Knuth 1969)."""
    rounded = x - y
    part = rounded - x
    return rounded, (x - (rounded - part)) - (y + part)


@inline
@in_float32
def exp_of_difference(x: Any, y: Any) -> Any:
    """e**(x - y), for x <= y. The exponential would magnify the rounding of the difference, so it takes that too."""
    high, low = difference(x, y)
    depth = clip(high, -110, 0)
    rounded = depth * PER_LN2 + ROUNDER
    n = rounded - ROUNDER
    r = ((depth - n * LN2_HIGH) - n * LN2_LOW) + select(high < -110, 0, low)
    half = n * 0.5 + ROUNDER
    return (1 + (r + r * r * exp_tail(r))) * power_of_two(half) * power_of_two(rounded - (half - ROUNDER))
