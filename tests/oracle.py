"""The true values: each activation from its definition, in more digits than any array holds.

One text per function serves two arithmetics: `LongDouble` (NumPy's extended precision, fast enough for millions of
float32 and half-precision inputs) and `Mpfr` (160 bits through gmpy2, for float64). It shares nothing with the kernels
or with the reference formulas; `test_oracle.py` checks it against the records' formulas in thousands of digits.

An error in ULP is |computed - true| / ulp(true), where ulp(true) is the distance between the neighbouring numbers of
the array's type in the binade of the true value: the smallest subnormal below the normal range. Beyond the largest
number stands 2**emax, which both the true value and an infinite result are cut to. A NaN where a number is expected
(or the other way round) is an infinite error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np

Array = Any
PRECISION = 160


@dataclass(frozen=True)
class Format:
    """A floating-point type: digits, exponent of the smallest subnormal, exponent of overflow."""

    digits: int
    smallest: int
    overflow: int


FORMATS = {
    "float16": Format(11, -24, 16),
    "bfloat16": Format(8, -133, 128),
    "float32": Format(24, -149, 128),
    "float64": Format(53, -1074, 1024),
    "longdouble": Format(64, -16445, 16384),
}


class LongDouble:
    """The oracle's functions over arrays of NumPy's extended precision (64 digits on x86)."""

    abs, cosh, exp, expm1, log, log1p, sqrt, tanh, where, isnan = (
        np.abs, np.cosh, np.exp, np.expm1, np.log, np.log1p, np.sqrt, np.tanh, np.where, np.isnan)  # fmt: skip
    number = np.longdouble
    far = np.longdouble(2) ** 5000

    @staticmethod
    def array(x: Array) -> Array:
        return np.asarray(x).astype(np.longdouble)

    @classmethod
    def erfc(cls, x: Array) -> Array:
        """Taylor's series near 0, whose terms are all positive, and Laplace's continued fraction in the tail."""
        z = np.abs(x)
        near = np.where(z < 2, z, 0)
        term = total = near
        for n in range(1, 60):
            term = term * (2 * near * near / (2 * n + 1))
            total = total + term
        far = np.where(z < 2, 2, z)
        fraction = far
        for n in range(120, 0, -1):
            fraction = far + n / (2 * fraction)
        root_pi = np.sqrt(cls.pi())
        erfc = np.where(z < 2, 1 - 2 / root_pi * np.exp(-near * near) * total, np.exp(-far * far) / root_pi / fraction)
        return np.where(x < 0, 2 - erfc, erfc)

    @staticmethod
    def pi() -> Any:
        return np.longdouble("3.14159265358979323846264338327950288")

    @staticmethod
    def exponent(x: Array) -> Array:
        return np.frexp(x)[1].astype(np.int64)

    @staticmethod
    def scaled(x: Array, exponent: Array) -> Array:
        return np.ldexp(x, exponent.astype(np.int32)).astype(np.float64)


class Mpfr:
    """The oracle's functions over object arrays of MPFR numbers."""

    cosh, exp, expm1, log, log1p, sqrt, tanh, erfc = (
        np.frompyfunc(getattr(gmpy2, name), 1, 1)
        for name in ("cosh", "exp", "expm1", "log", "log1p", "sqrt", "tanh", "erfc")
    )
    abs, where = np.abs, np.where
    number = gmpy2.mpfr
    far = gmpy2.exp2(50000)

    @staticmethod
    def isnan(x: Array) -> Array:
        return x != x

    @staticmethod
    def array(x: Array) -> Array:
        x = np.asarray(x)
        exact = np.frompyfunc(lambda x: gmpy2.mpfr(float(x)), 1, 1)
        if x.dtype != np.longdouble:
            return exact(x.astype(np.float64))
        mantissa, exponent = np.frexp(x)  # the mantissa is the sum of two float64
        high = mantissa.astype(np.float64)
        low = np.where(np.isfinite(high), mantissa - high, 0)
        return (exact(high) + exact(low)) * np.frompyfunc(lambda n: gmpy2.exp2(int(n)), 1, 1)(exponent)

    @staticmethod
    def pi() -> Any:
        return gmpy2.const_pi()

    @staticmethod
    def exponent(x: Array) -> Array:
        def one(x: Any) -> int:
            return gmpy2.get_exp(x) if gmpy2.is_finite(x) and not gmpy2.is_zero(x) else 0

        return np.frompyfunc(one, 1, 1)(x).astype(np.int64)

    @staticmethod
    def scaled(x: Array, exponent: Array) -> Array:
        return np.frompyfunc(lambda x, n: float(x * gmpy2.exp2(int(n))), 2, 1)(x, exponent).astype(np.float64)


def arithmetic_for(dtype: str) -> Any:
    """The arithmetic that has digits enough to judge results of `dtype`."""
    return Mpfr if dtype in ("float64", "longdouble") or np.finfo(np.longdouble).nmant < 63 else LongDouble


def exact(loop: str, *inputs: Array, m: Any) -> Array:
    """The true value of a formula (`sigmoid`, `sigmoid_derivative`) for arrays of inputs."""
    with np.errstate(all="ignore"), gmpy2.context(precision=PRECISION):
        arrays = [m.array(x) for x in inputs]
        isnan = np.logical_or.reduce(np.broadcast_arrays(*(m.isnan(x) for x in arrays))).astype(bool)
        # An infinity stands for a limit, which a number far beyond every array's range has to any precision.
        arrays = [m.where(x > m.far, m.far, m.where(x < -m.far, -m.far, x)) for x in arrays]
        return m.where(isnan, m.number("nan"), globals()[loop](m, *arrays))


def ulp_error(computed: Array, true: Array, dtype: str, m: Any, least_exponent: int | None = None) -> Array:
    """The errors of `computed` in ULP; with `least_exponent` e, an ULP is at least that of 2**e."""
    form = FORMATS[dtype]
    with np.errstate(all="ignore"), gmpy2.context(precision=PRECISION):
        edge = m.number(2) ** form.overflow
        computed, true = (
            m.where(x > edge, edge, m.where(x < -edge, -edge, x)) for x in (m.array(computed), np.asarray(true))
        )
        exponent = m.exponent(true) - form.digits
        exponent = np.where((true == 0).astype(bool), form.smallest, np.maximum(exponent, form.smallest))
        if least_exponent is not None:
            exponent = np.maximum(exponent, least_exponent + 1 - form.digits)
        error = m.scaled(m.abs(computed - true), -exponent)
        both_nan = (m.isnan(computed) & m.isnan(true)).astype(bool)
        return np.where(both_nan, 0.0, np.where(np.isnan(error), np.inf, error))


# Each activation and its derivative. Where a definition would lose its digits to cancellation however many there
# are, the identity that avoids it is used.


def identity(m: Any, x: Array) -> Array:
    return x


def identity_derivative(m: Any, x: Array) -> Array:
    return 0 * x + 1


def step(m: Any, x: Array, at_zero: Array) -> Array:
    return m.where(x == 0, at_zero, m.where(x > 0, m.number(1), m.number(0)))


def step_derivative(m: Any, x: Array, at_zero: Array) -> Array:
    return 0 * x


def sigmoid(m: Any, x: Array) -> Array:
    return 1 / (1 + m.exp(-x))


def sigmoid_derivative(m: Any, x: Array) -> Array:
    return sigmoid(m, x) * sigmoid(m, -x)


def log_sigmoid(m: Any, x: Array) -> Array:
    return -softplus(m, -x, 1)


def log_sigmoid_derivative(m: Any, x: Array) -> Array:
    return sigmoid(m, -x)


def logit(m: Any, p: Array) -> Array:
    # log(p / (1 - p)), where p / (1 - p) - 1 = (2p - 1) / (1 - p)
    return m.where(p < 0.25, m.log(p / (1 - p)), m.log1p((2 * p - 1) / (1 - p)))


def logit_derivative(m: Any, p: Array) -> Array:
    return m.where((p < 0) | (p > 1), m.number("nan"), 1 / m.abs(p * (1 - p)))


def tanh(m: Any, x: Array) -> Array:
    return m.tanh(x)


def tanh_derivative(m: Any, x: Array) -> Array:
    return 1 / m.cosh(x) ** 2


def relu(m: Any, x: Array) -> Array:
    return m.where(x > 0, x, 0 * x)


def relu_derivative(m: Any, x: Array) -> Array:
    return _indicator(m, x > 0)


def relu6(m: Any, x: Array) -> Array:
    return hard_tanh(m, x, 0, 6)


def relu6_derivative(m: Any, x: Array) -> Array:
    return hard_tanh_derivative(m, x, 0, 6)


def squared_relu(m: Any, x: Array) -> Array:
    return relu(m, x) ** 2


def squared_relu_derivative(m: Any, x: Array) -> Array:
    return 2 * relu(m, x)


def leaky_relu(m: Any, x: Array, negative_slope: Array) -> Array:
    return m.where(x > 0, x, negative_slope * x)


def leaky_relu_derivative(m: Any, x: Array, negative_slope: Array) -> Array:
    return m.where(x > 0, m.number(1), negative_slope)


prelu, prelu_derivative = leaky_relu, leaky_relu_derivative


def prelu_weight_derivative(m: Any, x: Array) -> Array:
    return m.where(x > 0, 0 * x, x)


def elu(m: Any, x: Array, alpha: Array) -> Array:
    return m.where(x > 0, x, alpha * m.expm1(x))


def elu_derivative(m: Any, x: Array, alpha: Array) -> Array:
    return m.where(x > 0, m.number(1), alpha * m.exp(x))


def celu(m: Any, x: Array, alpha: Array) -> Array:
    return m.where(x > 0, x, alpha * m.expm1(x / alpha))


def celu_derivative(m: Any, x: Array, alpha: Array) -> Array:
    return m.where(x > 0, m.number(1), m.exp(x / alpha))


def selu(m: Any, x: Array) -> Array:
    alpha, scale = m.number("1.6732632423543772848170429916717"), m.number("1.0507009873554804934193349852946")
    return scale * elu(m, x, alpha)


def selu_derivative(m: Any, x: Array) -> Array:
    alpha, scale = m.number("1.6732632423543772848170429916717"), m.number("1.0507009873554804934193349852946")
    return scale * elu_derivative(m, x, alpha)


def softplus(m: Any, x: Array, beta: Array) -> Array:
    z = beta * x
    return m.where(z > 0, z + m.log1p(m.exp(-z)), m.log1p(m.exp(z))) / beta


def softplus_derivative(m: Any, x: Array, beta: Array) -> Array:
    return sigmoid(m, beta * x)


def squareplus(m: Any, x: Array, b: Array) -> Array:
    # (x + s) / 2 = b / (2 (s - x)), where s = sqrt(x**2 + b)
    s = m.sqrt(x * x + b)
    return m.where(x >= 0, (x + s) / 2, b / (2 * (s - x)))


def squareplus_derivative(m: Any, x: Array, b: Array) -> Array:
    s = m.sqrt(x * x + b)
    return m.where(s == 0, m.number(0.5), squareplus(m, x, b) / s)


def softsign(m: Any, x: Array) -> Array:
    return x / (1 + m.abs(x))


def softsign_derivative(m: Any, x: Array) -> Array:
    return 1 / (1 + m.abs(x)) ** 2


def silu(m: Any, x: Array) -> Array:
    return x * sigmoid(m, x)


def silu_derivative(m: Any, x: Array) -> Array:
    return sigmoid(m, x) * (1 + x * sigmoid(m, -x))


def quick_gelu(m: Any, x: Array) -> Array:
    return x * sigmoid(m, m.number("1.702") * x)


def quick_gelu_derivative(m: Any, x: Array) -> Array:
    return silu_derivative(m, m.number("1.702") * x)


def mish(m: Any, x: Array) -> Array:
    return x * m.tanh(m.log1p(m.exp(x)))


def mish_derivative(m: Any, x: Array) -> Array:
    y = m.log1p(m.exp(x))
    return m.tanh(y) + x * sigmoid(m, x) / m.cosh(y) ** 2


def gelu(m: Any, x: Array) -> Array:
    return x * _normal_cdf(m, x)


def gelu_derivative(m: Any, x: Array) -> Array:
    return _normal_cdf(m, x) + x * m.exp(-x * x / 2) / m.sqrt(2 * m.pi())


def gelu_tanh(m: Any, x: Array) -> Array:
    # (1 + tanh(u)) / 2 = sigmoid(2u)
    return x * sigmoid(m, _gelu_tanh_argument(m, x))


def gelu_tanh_derivative(m: Any, x: Array) -> Array:
    v = _gelu_tanh_argument(m, x)
    slope = m.sqrt(8 / m.pi()) * (1 + 3 * m.number("0.044715") * x * x)
    return sigmoid(m, v) * (1 + x * slope * sigmoid(m, -v))


def tanh_shrink(m: Any, x: Array) -> Array:
    # x - tanh(x) = (x cosh(x) - sinh(x)) / cosh(x), whose numerator is the sum of 2k x**(2k+1) / (2k+1)!
    near = m.where(m.abs(x) < 1, x, m.number(0))
    power, series = near, 0 * near
    for k in range(1, 25):
        power = power * near * near / (2 * k * (2 * k + 1))
        series = series + 2 * k * power
    return m.where(m.abs(x) < 1, series / m.cosh(near), x - m.tanh(x))


def tanh_shrink_derivative(m: Any, x: Array) -> Array:
    return m.tanh(x) ** 2


def hard_tanh(m: Any, x: Array, min_value: Array, max_value: Array) -> Array:
    return m.where(x < min_value, 0 * x + min_value, m.where(x > max_value, 0 * x + max_value, x))


def hard_tanh_derivative(m: Any, x: Array, min_value: Array, max_value: Array) -> Array:
    return _indicator(m, (x > min_value) & (x < max_value))


def hard_sigmoid(m: Any, x: Array) -> Array:
    return relu6(m, x + 3) / 6


def hard_sigmoid_derivative(m: Any, x: Array) -> Array:
    return relu6_derivative(m, x + 3) / 6


def hard_swish(m: Any, x: Array) -> Array:
    return x * hard_sigmoid(m, x)


def hard_swish_derivative(m: Any, x: Array) -> Array:
    return m.where(x <= -3, 0 * x, m.where(x >= 3, 0 * x + 1, x / 3 + 0.5))


def hard_shrink(m: Any, x: Array, threshold: Array) -> Array:
    return x * hard_shrink_derivative(m, x, threshold)


def hard_shrink_derivative(m: Any, x: Array, threshold: Array) -> Array:
    return _indicator(m, m.abs(x) > threshold)


def soft_shrink(m: Any, x: Array, threshold: Array) -> Array:
    return relu(m, x - threshold) - relu(m, -x - threshold)


soft_shrink_derivative = hard_shrink_derivative


def threshold(m: Any, x: Array, threshold: Array, value: Array) -> Array:
    return m.where(x > threshold, x, value)


def threshold_derivative(m: Any, x: Array, threshold: Array, value: Array) -> Array:
    return _indicator(m, x > threshold)


def thresholded_relu(m: Any, x: Array, alpha: Array) -> Array:
    return m.where(x > alpha, x, 0 * x)


def thresholded_relu_derivative(m: Any, x: Array, alpha: Array) -> Array:
    return _indicator(m, x > alpha)


def sparse_plus(m: Any, x: Array) -> Array:
    return m.where(x >= 1, x, sparse_sigmoid(m, x) ** 2)


def sparse_plus_derivative(m: Any, x: Array) -> Array:
    return sparse_sigmoid(m, x)


def sparse_sigmoid(m: Any, x: Array) -> Array:
    return hard_tanh(m, (x + 1) / 2, 0, 1)


def sparse_sigmoid_derivative(m: Any, x: Array) -> Array:
    return _indicator(m, m.abs(x) < 1) / 2


def glu(m: Any, gate: Array, value: Array) -> Array:
    return sigmoid(m, gate) * value


def glu_derivative(m: Any, gate: Array, value: Array) -> Array:
    return sigmoid_derivative(m, gate) * value


def swiglu(m: Any, gate: Array, value: Array) -> Array:
    return silu(m, gate) * value


def swiglu_derivative(m: Any, gate: Array, value: Array) -> Array:
    return silu_derivative(m, gate) * value


def geglu(m: Any, gate: Array, value: Array) -> Array:
    return gelu(m, gate) * value


def geglu_derivative(m: Any, gate: Array, value: Array) -> Array:
    return gelu_derivative(m, gate) * value


def reglu(m: Any, gate: Array, value: Array) -> Array:
    return relu(m, gate) * value


def reglu_derivative(m: Any, gate: Array, value: Array) -> Array:
    return relu_derivative(m, gate) * value


def _indicator(m: Any, condition: Array) -> Array:
    return m.where(condition, m.number(1), m.number(0))


def _normal_cdf(m: Any, x: Array) -> Array:
    return m.erfc(-x / m.sqrt(m.number(2))) / 2


def _gelu_tanh_argument(m: Any, x: Array) -> Array:
    return m.sqrt(8 / m.pi()) * (x + m.number("0.044715") * x * x * x)
