"""The functions that reference formulas are written over, for Numba and one float32 number.

Their arithmetic is float64's, to float32's accuracy: nothing on the way underflows or cancels, so that a formula's
result, rounded once, is right to nearly half an ULP. That takes half of a vector's lanes, and saves what would carry
rounding errors in float32. `fastact._numpy_namespace` has the same functions for arrays, and says where they come from.
"""

from __future__ import annotations

import math
from typing import Any

from fastact.numba._bits import PER_LN2, ROUNDER, inline, power_of_two, select
from fastact.numba._float64 import abs, clip, isnan, split_logarithm, sqrt, where

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

LN2 = math.log(2)
# e**-640 times any product of three float32 is 0 in float32, and e**640 is infinite.
FAR = 640.0


@inline
def split_exponent(x: Any) -> tuple[Any, Any]:
    """(m, r) such that e**x = m e**r, m a power of two and |r| <= ln2/2."""
    rounded = clip(x, -FAR, FAR) * PER_LN2 + ROUNDER
    return power_of_two(rounded), clip(x, -FAR, FAR) - (rounded - ROUNDER) * LN2


@inline
def exp_tail(r: Any) -> Any:
    """e**r - 1."""
    # remez short_exp: relative error of e**r 2**-28.9
    return r * (1.00000003216356 + r * (0.49999994208152626 + r * (0.16666431264754894 + r * (0.04166800225862507
        + r * (0.00837415527493478 + r * 0.0013843641464150683)))))  # fmt: skip


@inline
def exp(x: Any) -> Any:
    m, r = split_exponent(x)
    return m + m * exp_tail(r)


@inline
def expm1(x: Any) -> Any:
    m, r = split_exponent(x)
    return m * exp_tail(r) + (m - 1.0)


@inline
def tanh(x: Any) -> Any:
    x = clip(x, -0.5 * FAR, 0.5 * FAR)
    rounded = x * (2.0 * PER_LN2) + ROUNDER
    m, r = power_of_two(rounded), x - (rounded - ROUNDER) * (0.5 * LN2)  # e**(2 x) = m e**(2 r)
    s = r * r
    # e**(2 r) = (w + r) / (w - r), w = r coth r: tanh x is ((m-1) w + (m+1) r) / ((m+1) w + (m-1) r), both halved here.
    # remez short_coth: relative error of w 2**-28.8
    w = s * (2 * 0.16666625839678087 + s * (8 * -0.002766763794017052)) + 1.0
    shared = (0.5 * m - 0.5) * (w + r)
    return (shared + r) / (shared + w)


@inline
def hypot(x: Any, y: Any) -> Any:
    return math.sqrt(x * x + y * y)


@inline
def log(x: Any) -> Any:
    """For normal numbers, 0 and infinity."""
    n, f = split_logarithm(x)
    # remez short_log: relative error of log(1 + f) 2**-30.5
    tail = f * (1.0000000006310996 + f * (-0.499999996686598 + f * (0.3333330160787402 + f * (-0.2500002692927528
        + f * (0.20002575976620277 + f * (-0.16667918189611144 + f * (0.1421253368879648 + f * (-0.12400987421364065
        + f * (0.11926046675861958 + f * (-0.11718671844602677 + f * 0.06726022670217063))))))))))  # fmt: skip
    return select(x > 0.0, select(x == math.inf, x, n * LN2 + tail), select(x == 0.0, -math.inf, math.nan))


@inline
def log1p(x: Any) -> Any:
    """For 0 <= x <= 1."""
    # remez short_log1p: relative error 2**-33.0
    return x * (0.9999999998820471 + x * (-0.4999999650106145 + x * (0.33333160250529276 + x * (-0.24996613512425794
        + x * (0.19965304269007028 + x * (-0.16452879912193522 + x * (0.1342655930120732 + x * (-0.10124398604743033
        + x * (0.06400814503742765 + x * (-0.030172763289718765 + x * (0.00908106524418174
        + x * -0.0012806192989494067)))))))))))  # fmt: skip


@inline
def arctanh(x: Any) -> Any:
    """For |x| <= 1/2."""
    s = x * x
    # remez short_arctanh: relative error 2**-29.5
    return x * (1.0000000012639598 + s * (0.3333328487587285 + s * (0.20003018392606753 + s * (0.14215801288679095
        + s * (0.11870555749003059 + s * (0.049850765616497275 + s * 0.17855449861343978))))))  # fmt: skip


@inline
def coth_excess(x: Any) -> Any:
    s = x * x
    # remez short_coth_excess: relative error of x - tanh x 2**-28.8
    return s * (0.3333333326349089 + s * (-0.02222219684798507 + s * (0.0021162539821627407
        + s * (-0.0002113129475765275 + s * (2.1020505784076028e-05 + s * (-1.947405258386462e-06
        + s * (1.4183994621153218e-07 + s * -5.572755892926703e-09)))))))  # fmt: skip


@inline
def normal_tail(a: Any) -> Any:
    # remez short_tail: relative error 2**-26.56
    above = 0.500000005037531 + a * (0.4468637837440938 + a * (0.18965763498046423 + a * (0.042818084049516515
        + a * 0.0044456301947336085)))  # fmt: skip
    below = 1.0 + a * (1.6916128181631924 + a * (1.229019473218613 + a * (0.4864393227393056
        + a * (0.10733298804654483 + a * 0.011143479832459956))))  # fmt: skip
    return above / below


@inline
def gaussian_parts(x: Any) -> tuple[Any, Any]:
    """The square of a float32 is exact in float64."""
    return x * x * 0.5, 1.0


@inline
def head(x: Any) -> Any:
    """0: exp's rounding needs no splitting in float64."""
    return 0.0


@inline
def scaled_product(a: Any, b: Any, y: Any) -> Any:
    return select(y == -math.inf, 0.0, a * b * exp(y))


@inline
def product_error(a: Any, b: Any, product: Any) -> Any:
    """Nothing: the product of two float32 is exact in float64."""
    return 0.0


# Formulas that float64 makes shorter for float32 numbers.


@inline
def logit(x: Any) -> Any:
    """The quotient keeps its digits where it is near 1."""
    return log(x / (1.0 - x))


@inline
def squareplus_derivative(x: Any, b: Any) -> Any:
    """No square is too large, and no quotient too small to be divided in one step."""
    root = math.sqrt(x * x + b)
    slope = select(root == 0.0, 0.5, 0.5 * b / ((root + math.fabs(x)) * root))
    return select(x < 0.0, slope, 1.0 - slope)


FORMULAS = {"logit": logit, "squareplus_derivative": squareplus_derivative}
