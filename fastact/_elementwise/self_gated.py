"""The argument times a gate that it opens itself: silu, mish, gelu and their like."""

from __future__ import annotations

from math import inf
from typing import Any

from fastact._records import Elsewhere, Formula, Interval, Kink, activation

# The left tails are products with exp(y) that are normal numbers where exp(y) itself is not any more:
# `xp.scaled_product(a, b, y)` is a b exp(y) with all its digits.


@activation(
    formula="x / (1 + exp(-x))",
    latex=r"\frac{x}{1 + e^{-x}}",
    range=Interval(-0.27846454276107380, inf, low_reached=True),
    limits=(0, inf),
    monotonic=False,
    turning_points=(-1.2784645427610738,),
    smooth=True,
    typical_use=("hidden",),
    aliases=("swish",),
    elsewhere=(
        Elsewhere("torch.nn.functional.silu"),
        Elsewhere("jax.nn.silu"),
        Elsewhere("keras.activations.silu"),
        Elsewhere("onnx.Swish"),
    ),
    source="Elfwing, Uchibe and Doya, Sigmoid-weighted linear units for neural network function approximation in "
    "reinforcement learning (2017)",
)
def silu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The sigmoid-weighted linear unit, also called swish: x times sigmoid(x)."""

    # Every exponential is that of -|x|: compiled, they are computed once.
    def value(x: Any) -> Any:
        y = -xp.abs(x)
        s = 1 / (1 + xp.exp(y))
        return xp.where(x >= 0, x * s, xp.scaled_product(x, s, y))

    def derivative(x: Any) -> Any:
        y = -xp.abs(x)
        s = 1 / (1 + xp.exp(y))
        right = s * (1 + xp.scaled_product(x, s, y))
        return xp.where(x >= 0, right, xp.scaled_product(s, 1 + x * s, y))

    return value, derivative


@activation(
    formula="x / (1 + exp(-1.702 * x))",
    latex=r"\frac{x}{1 + e^{-1.702 x}}",
    range=Interval(-0.16361018963635358, inf, low_reached=True),
    limits=(0, inf),
    monotonic=False,
    turning_points=(-0.75115425544128895,),
    smooth=True,
    typical_use=("hidden",),
    elsewhere=(Elsewhere("onnx.Swish", "with alpha = 1.702"),),
    source="Hendrycks and Gimpel, Gaussian error linear units (GELUs) (2016)",
)
def quick_gelu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The cheap approximation of gelu: x times sigmoid(1.702 x)."""
    slope = T("1.702")
    slope_high, slope_low = T(1.701171875), T("0.000828125")

    # exp(-1.702 |x|) = exp(-high) factor, where high is exact: exp would magnify a rounding.
    def value(x: Any) -> Any:
        a = xp.clip(xp.abs(x), 0, 32768)
        head = xp.head(a)
        high, factor = slope_high * head, xp.exp(-slope_low * head - slope * (a - head))
        s = 1 / (1 + xp.exp(-high) * factor)
        return xp.where(x >= 0, x * s, xp.scaled_product(-a * s, factor, -high))

    def derivative(x: Any) -> Any:
        a = xp.clip(xp.abs(x), 0, 32768)
        head = xp.head(a)
        high, factor = slope_high * head, xp.exp(-slope_low * head - slope * (a - head))
        s = 1 / (1 + xp.exp(-high) * factor)
        right = s * (1 + xp.scaled_product(slope * a * s, factor, -high))
        return xp.where(x >= 0, right, xp.scaled_product(s * factor, 1 - slope * a * s, -high))

    return value, derivative


@activation(
    formula="x * tanh(log(1 + exp(x)))",
    latex=r"x \tanh(\log(1 + e^x))",
    range=Interval(-0.30884341301725041, inf, low_reached=True),
    limits=(0, inf),
    monotonic=False,
    turning_points=(-1.1924312145154952,),
    smooth=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.mish"),
        Elsewhere("jax.nn.mish"),
        Elsewhere("keras.activations.mish"),
        Elsewhere("onnx.Mish"),
    ),
    source="Misra, Mish: a self regularized non-monotonic activation function (2019)",
)
def mish(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The self-regularised activation: x times tanh(softplus(x))."""

    # With w = exp(x), tanh(log(1 + w)) = w (w + 2) / (w (w + 2) + 2): no logarithm, and nothing cancels. Every
    # exponential is that of -|x|: compiled, they are computed once.
    def value(x: Any) -> Any:
        y = -xp.abs(x)
        e = xp.exp(y)
        quotient = xp.where(x >= 0, 1 + 2 * e, e + 2) / xp.where(x >= 0, 1 + 2 * e * (1 + e), e * (e + 2) + 2)
        return xp.where(x >= 0, x * quotient, xp.scaled_product(x, quotient, y))

    def derivative(x: Any) -> Any:
        y = -xp.abs(x)
        e = xp.exp(y)
        q = 1 / xp.where(x >= 0, 1 + 2 * e * (1 + e), e * (e + 2) + 2)
        right = (1 + 2 * e) * q + xp.scaled_product(4 * x, e * (1 + e) * q * q, y)
        left = xp.scaled_product(1, (e + 2 + 4 * x * (1 + e) * q) * q, y)
        return xp.where(x >= 0, right, left)

    return value, derivative


@activation(
    formula="x / 2 * erfc(-x / sqrt(2))",
    latex=r"\frac{x}{2} \operatorname{erfc}\left(-\frac{x}{\sqrt 2}\right)",
    range=Interval(-0.16997120747990367, inf, low_reached=True),
    limits=(0, inf),
    monotonic=False,
    turning_points=(-0.75179152469356446,),
    smooth=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.gelu"),
        Elsewhere("jax.nn.gelu", "gelu_tanh by default"),
        Elsewhere("keras.activations.gelu"),
        Elsewhere("onnx.Gelu"),
    ),
    source="Hendrycks and Gimpel, Gaussian error linear units (GELUs) (2016)",
)
def gelu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The Gaussian error linear unit: x times the normal distribution function at x."""
    density_at_0 = T("0.3989422804014326779399460599343818684759")

    # x Phi(x), where Phi is the normal distribution; its tail beyond a is exp(-a**2 / 2) normal_tail(a).
    def value(x: Any) -> Any:
        a = xp.clip(xp.abs(x), 0, 256)
        square, factor = xp.gaussian_parts(a)
        tail = xp.scaled_product(a * xp.normal_tail(a), factor, -square)
        return xp.where(x >= 0, x - tail, -tail)

    def derivative(x: Any) -> Any:
        a = xp.clip(xp.abs(x), 0, 256)
        square, factor = xp.gaussian_parts(a)
        tail = xp.scaled_product(xp.normal_tail(a) - a * density_at_0, factor, -square)
        return xp.where(x >= 0, 1 - tail, tail)

    return value, derivative


@activation(
    formula="x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))",
    latex=r"\frac{x}{2} \left(1 + \tanh\left(\sqrt{2 / \pi}\, (x + 0.044715 x^3)\right)\right)",
    range=Interval(-0.17004075057125406, inf, low_reached=True),
    limits=(0, inf),
    monotonic=False,
    turning_points=(-0.75246142207101626,),
    smooth=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.gelu", "with approximate='tanh'"),
        Elsewhere("jax.nn.gelu"),
        Elsewhere("keras.activations.gelu", "with approximate=True"),
        Elsewhere("onnx.Gelu", "with approximate='tanh'"),
    ),
    source="Hendrycks and Gimpel, Gaussian error linear units (GELUs) (2016)",
)
def gelu_tanh(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The approximation of gelu by tanh."""
    # x sigmoid(v), where v = linear x + cubic x**3; the high parts are multiples of 2**-14.
    linear, linear_high = T("1.595769121605730711759784239737527473903"), T(26145 / 16384)
    cubic, cubic_high = T("0.07135481627260024877633875227986354099559"), T(1169 / 16384)
    linear_low, cubic_low = T("4.9614494807117597842397375274739034e-6"), T("4.7186163502487763387522798635409956e-6")

    # exp(-|v|) = exp(-high) factor, where high is exact: exp would magnify a rounding.
    def value(x: Any) -> Any:
        a = xp.clip(xp.abs(x), 0, 128)
        head = xp.head(a)
        high = head * (linear_high + cubic_high * head * head)
        step_from_head = (a - head) * (linear + cubic * (a * a + a * head + head * head))
        factor = xp.exp(-head * (linear_low + cubic_low * head * head) - step_from_head)
        s = 1 / (1 + xp.exp(-high) * factor)
        return xp.where(x >= 0, x * s, xp.scaled_product(-a * s, factor, -high))

    def derivative(x: Any) -> Any:
        a = xp.clip(xp.abs(x), 0, 128)
        head = xp.head(a)
        high = head * (linear_high + cubic_high * head * head)
        step_from_head = (a - head) * (linear + cubic * (a * a + a * head + head * head))
        factor = xp.exp(-head * (linear_low + cubic_low * head * head) - step_from_head)
        s = 1 / (1 + xp.exp(-high) * factor)
        weighted_slope = a * (linear + 3 * cubic * a * a) * s
        right = s * (1 + xp.scaled_product(weighted_slope, factor, -high))
        return xp.where(x >= 0, right, xp.scaled_product(s * factor, 1 - weighted_slope, -high))

    return value, derivative


@activation(
    formula="x * min(max(x + 3, 0), 6) / 6",
    latex=r"x \frac{\min(\max(x + 3, 0), 6)}{6}",
    range=Interval(-0.375, inf, low_reached=True),
    limits=(0, inf),
    monotonic=False,
    turning_points=(-1.5,),
    smooth=False,
    kinks=(Kink(-3, 0), Kink(3, 1)),
    typical_use=("hidden",),
    aliases=("hard_silu",),
    elsewhere=(
        Elsewhere("torch.nn.functional.hardswish"),
        Elsewhere("jax.nn.hard_swish"),
        Elsewhere("keras.activations.hard_swish"),
        Elsewhere("onnx.HardSwish"),
    ),
    source="Howard et al., Searching for MobileNetV3 (2019)",
)
def hard_swish(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The piecewise stand-in for silu: x times hard_sigmoid(x)."""

    def value(x: Any) -> Any:
        return xp.where(x <= -3, 0, xp.where(x >= 3, x, x * (x + 3) / 6))

    def derivative(x: Any) -> Any:
        return xp.where(x <= -3, 0, xp.where(x >= 3, 1, (2 * x + 3) / 6))

    return value, derivative
