"""The functions that reference formulas are written over, for Numba and one float64 number.

`fastact._numpy_namespace` has the same functions for arrays, and says where they come from.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastact.numba._bits import PER_LN2, ROUNDER, bits_of, float_of, inline, inline_as_written, power_of_two, select

# ln2 in two parts: the products of the first with an exponent are exact (Cody and Waite 1980).
LN2_HIGH, LN2_LOW = 0.6931471805598903, 5.497923018708371e-14


@inline
def abs(x: Any) -> Any:
    return math.fabs(x)


@inline
def clip(x: Any, low: Any, high: Any) -> Any:
    at_least_low = select(x < low, low, x)
    return select(at_least_low > high, high, at_least_low)


@inline
def isnan(x: Any) -> Any:
    return x != x


@inline
def sqrt(x: Any) -> Any:
    return math.sqrt(x)


@inline
def where(condition: Any, yes: Any, no: Any) -> Any:
    return select(condition, yes, no)


@inline
def exp_tail(x: Any) -> Any:
    """What exp and expm1 share: (sum of n and the rounder, e**r - 1) where e**x = 2**n e**r."""
    rounded = x * PER_LN2 + ROUNDER
    n = rounded - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    # remez exp64: relative error of e**r 2**-60.3
    p = 0.5 + r * (0.16666666666666682 + r * (0.041666666666666095 + r * (0.008333333333317046
        + r * (0.001388888888911549 + r * (0.00019841269896352722 + r * (2.4801586926781873e-05
        + r * (2.755723489383747e-06 + r * (2.7557581802646767e-07 + r * (2.5112025447325152e-08
        + r * 2.082662022581899e-09)))))))))  # fmt: skip
    return rounded, r + r * r * p


@inline
def exp(x: Any) -> Any:
    x = clip(x, -746.0, 710.0)
    rounded, t = exp_tail(x)
    # 2**n in two factors: the first of them is normal where 2**n, and the result, are not any more.
    half = (rounded - ROUNDER) * 0.5 + ROUNDER
    first = power_of_two(half)
    return (first + first * t) * power_of_two(rounded - (half - ROUNDER))


@inline
def expm1(x: Any) -> Any:
    x = clip(x, -40.0, 710.0)
    rounded, t = exp_tail(x)
    m = power_of_two(rounded)
    return m * t + (m - 1.0)


@inline
def tanh(x: Any) -> Any:
    t = expm1(-2.0 * math.fabs(x))
    return math.copysign(t / (2.0 + t), x)


@inline
def split_logarithm(x: Any) -> tuple[Any, Any]:
    """(n, f) such that x = 2**n (1 + f), 1 + f between sqrt(1/2) and sqrt(2), for a normal number x."""
    n = (bits_of(x) - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    f = float_of(bits_of(x) - (n << np.int64(52))) - 1.0
    # The bits of n beside those of 1.5 * 2**52: their difference is n as a float, which AVX2 has no conversion for.
    return float_of(n + np.int64(0x4338000000000000)) - 1.5 * 2.0**52, f


@inline
def log_sum(x: Any, low: Any) -> Any:
    """log(x) + low, for a normal number x."""
    n, f = split_logarithm(x)
    # log(1 + f) = 2 atanh z = f - z (f - s P(s)), z = f / (2 + f), s = z**2: as in fdlibm.
    z = f / (2.0 + f)
    s = z * z
    # remez log1p64: relative error of the logarithm 2**-61.1
    p = 0.666666666666666 + s * (0.4000000000005571 + s * (0.2857142855605788 + s * (0.2222222427099321
        + s * (0.18181667374496724 + s * (0.15391063805070546 + s * (0.13174396541752595
        + s * 0.1383771513355702))))))  # fmt: skip
    return n * LN2_HIGH + (f - (z * (f - s * p) - (n * LN2_LOW + low)))


@inline
def log(x: Any) -> Any:
    subnormal = x < 2.0**-1022
    result = log_sum(select(subnormal, x * 2.0**54, x), select(subnormal, -54 * LN2_LOW, 0.0))
    result = select(subnormal, result - 54 * LN2_HIGH, result)
    return select(x > 0.0, select(x == math.inf, x, result), select(x == 0.0, -math.inf, math.nan))


@inline
def log1p(x: Any) -> Any:
    """For x > -1."""
    u = 1.0 + x
    return select(x == math.inf, x, log_sum(u, (x - (u - 1.0)) / u))


@inline
def arctanh(x: Any) -> Any:
    return 0.5 * log1p(2.0 * x / (1.0 - x))


@inline
def coth_excess(x: Any) -> Any:
    s = x * x
    # remez coth_excess: relative error of x - tanh x 2**-54.0
    return s * (0.3333333333333333 + s * (-0.0222222222222222 + s * (0.0021164021164014938
        + s * (-0.00021164021163397884 + s * (2.1377799122813534e-05 + s * (-2.164404176439472e-06
        + s * (2.192592592436794e-07 + s * (-2.2214287962378124e-08 + s * (2.250445657949087e-09
        + s * (-2.2778642250436672e-10 + s * (2.2950526245184753e-11 + s * (-2.27153292000796e-12
        + s * (2.1346914750002279e-13 + s * (-1.7844348047863264e-14 + s * (1.1979596190567704e-15
        + s * (-5.52286058212156e-17 + s * 1.2710435057683439e-18))))))))))))))))  # fmt: skip


@inline
def hypot(x: Any, y: Any) -> Any:
    # Powers of two keep the squares from overflowing, and from underflowing together.
    larger = select(math.fabs(x) > math.fabs(y), math.fabs(x), math.fabs(y))
    scale = select(larger > 2.0**500, 2.0**-600, select(larger < 2.0**-500, 2.0**600, 1.0))
    x, y = x * scale, y * scale
    return math.sqrt(x * x + y * y) / scale


@inline
def normal_tail(a: Any) -> Any:
    t = (a - 4.0) / (a + 4.0)
    # remez normal_tail: relative error 2**-53.8
    flat = 0.4484505461843524 + t * (-0.054104046939411905 + t * (-0.01709517911039127 + t * (0.046527215887979756
        + t * (-0.039914038454616926 + t * (0.020059121350382306 + t * (-0.005129269110913233
        + t * (-0.00044532656380882267 + t * (0.000741693184940996 + t * (-8.3041503585072e-05
        + t * (-9.501535867792476e-05 + t * (2.0092004879111553e-05 + t * (1.4703138240408705e-05
        + t * (-3.2242526777620467e-06 + t * (-2.7793360302791777e-06 + t * (3.514453770029432e-07
        + t * (5.774509118786264e-07 + t * (1.736346319013266e-08 + t * (-1.155524898083782e-07
        + t * (-2.5996760192249828e-08 + t * (1.9130587585021687e-08 + t * (8.986382229450088e-09
        + t * (-2.022985870978624e-09 + t * (-1.7196363562807139e-09 + t * (5.770728421495731e-11
        + t * 1.3805180514749913e-10))))))))))))))))))))))))  # fmt: skip
    return flat / (a + 0.75)


@inline
def gaussian_parts(x: Any) -> tuple[Any, Any]:
    head = np.floor(x * 64.0) / 64.0
    return head * head / 2.0, exp((head - x) * (head + x) / 2.0)


@inline
def head(x: Any) -> Any:
    return np.floor(x * 256.0) / 256.0


@inline
def scaled_product(a: Any, b: Any, y: Any) -> Any:
    deep = y < -600.0
    e = exp(select(deep, y * 0.5, y))
    return select(e == 0.0, e, select(deep, (a * e) * (b * e), a * e * b))


@inline_as_written
def product_error(a: Any, b: Any, product: Any) -> Any:
    splitter = 134217729.0
    a_high = splitter * a - (splitter * a - a)
    b_high = splitter * b - (splitter * b - b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return select(math.fabs(error) < math.inf, error, 0.0)
