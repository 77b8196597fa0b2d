"""What the namespaces are made of: the compiler's decorator, a number's bits, powers of two; and pointers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic as as_intrinsic

# Every function is branch-free and becomes part of its caller, so that LLVM vectorises a loop over it whole. `contract`
# lets a product and a sum become one fused operation; nothing in these functions depends on whether they do.
inline: Callable[[Any], Any] = numba.njit(nogil=True, forceinline=True, error_model="numpy", fastmath={"contract"})
# The same for formulas of float32, which have digits to spare: a division by a constant may become a product.
inline_float32: Callable[[Any], Any] = numba.njit(
    nogil=True, forceinline=True, error_model="numpy", fastmath={"contract", "arcp"}
)
# The same for arithmetic that is exact only as it is written.
inline_as_written: Callable[[Any], Any] = numba.njit(nogil=True, forceinline=True, error_model="numpy")

intrinsic: Callable[[Any], Any] = as_intrinsic

# Adding 1.5 * 2**52 to a number rounds it to an integer n, which then stands in the sum's lowest bits. This rounder
# holds the exponent's bias too: those bits, shifted up to where the exponent is, are 2**n.
ROUNDER = 1.5 * 2.0**52 + 1023
PER_LN2 = 1.4426950408889634


@intrinsic
def bits_of(context: Any, x: Any) -> Any:
    """The bits of a float64, as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def float_of(context: Any, bits: Any) -> Any:
    """The float64 that has these bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@inline
def power_of_two(rounded: Any) -> Any:
    """2**n, from the sum of n and the rounder."""
    return float_of(bits_of(rounded) << np.int64(52))


@intrinsic
def select(context: Any, condition: Any, yes: Any, no: Any) -> Any:
    """`yes if condition else no` without a branch, which LLVM would not always vectorise."""
    result = context.unify_types(yes, no)
    if not isinstance(condition, types.Boolean) or not isinstance(result, types.Number | types.Boolean):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        chosen = [
            context.cast(builder, argument, kind, signature.return_type)
            for argument, kind in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        return builder.select(arguments[0], *chosen)

    return result(condition, yes, no), generate


@intrinsic
def is_same_address(context: Any, a: Any, b: Any) -> Any:
    """Whether two pointers are equal."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.icmp_unsigned("==", *arguments)

    return types.boolean(a, b), generate


@intrinsic
def later(context: Any, place: Any, x: Any) -> Any:
    """The greater of a place and that of a number, in the order of numbers and with NaN last.

    Places are integers, for LLVM vectorises their maximum. They are as wide as the number: Numba's own arithmetic would
    make them 64 bits wide.
    """
    kind = types.int32 if x == types.float32 else types.int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        before, number = arguments
        integer = context.get_value_type(kind)
        not_a_number = builder.fcmp_unordered("uno", number, number)
        bits = builder.bitcast(builder.select(not_a_number, number.type(math.nan), number), integer)
        here = _mirrored(builder, bits)
        return builder.select(builder.icmp_signed(">", before, here), before, here)

    return kind(place, x), generate


@intrinsic
def number_at(context: Any, place: Any) -> Any:
    """The number that has a place."""
    kind = types.float32 if place == types.int32 else types.float64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(_mirrored(builder, arguments[0]), context.get_value_type(kind))

    return kind(place), generate


def _mirrored(builder: Any, bits: Any) -> Any:
    """Negative numbers' bits count the other way."""
    width = bits.type.width
    sign = builder.ashr(bits, bits.type(width - 1))
    return builder.xor(bits, builder.and_(sign, bits.type((1 << (width - 1)) - 1)))
