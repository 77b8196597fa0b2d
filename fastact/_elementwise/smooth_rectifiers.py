"""Rectifiers without a kink at 0, or with an exponential in place of the straight negative side."""

from __future__ import annotations

from math import inf
from typing import Any

from fastact._records import Elsewhere, Formula, Interval, Kink, Parameter, activation


@activation(
    parameters={"beta": Parameter(1.0, lambda beta: beta != 0, "not 0")},
    formula="log(1 + exp(beta * x)) / beta",
    latex=r"\frac{1}{\beta} \log(1 + e^{\beta x})",
    range=Interval(0, inf),
    limits=(0, inf),
    monotonic=True,
    smooth=True,
    typical_use=("hidden", "output"),
    elsewhere=(
        Elsewhere("torch.nn.functional.softplus", "is the identity above beta x = 20"),
        Elsewhere("jax.nn.softplus"),
        Elsewhere("keras.activations.softplus"),
        Elsewhere("onnx.Softplus"),
    ),
    source="Dugas et al., Incorporating second-order functional knowledge for better option pricing (2001)",
)
def softplus(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The smooth rectifier, whose derivative is the sigmoid. It needs no threshold: no argument overflows."""

    # exp turns what rounding beta x loses into a relative error, which is put back.
    def value(x: Any, beta: Any) -> Any:
        z = beta * x
        lost = xp.product_error(beta, x, z)
        e = xp.exp(-xp.abs(z))
        # max(z, 0) / beta, in terms of x: dividing z by beta again would round twice.
        linear = xp.where(z > 0, x, xp.where(xp.isnan(z), z, 0))
        return linear + xp.log1p(e + e * xp.where(z > 0, -lost, lost)) / beta

    def derivative(x: Any, beta: Any) -> Any:
        z = beta * x
        lost = xp.product_error(beta, x, z)
        e = xp.exp(-xp.abs(z))
        return xp.where(z >= 0, 1, e + e * lost) / (1 + e)

    return value, derivative


@activation(
    parameters={"b": Parameter(4.0, lambda b: b >= 0, "at least 0")},
    formula="(x + sqrt(x**2 + b)) / 2",
    latex=r"\frac{x + \sqrt{x^2 + b}}{2}",
    range=Interval(0, inf),
    limits=(0, inf),
    monotonic=True,
    smooth=True,
    typical_use=("hidden", "output"),
    elsewhere=(
        Elsewhere("jax.nn.squareplus"),
        Elsewhere("keras.activations.squareplus"),
    ),
    source="Barron, Squareplus: a softplus-like algebraic rectifier (2021)",
)
def squareplus(xp: Any, T: Any) -> tuple[Formula, ...]:
    """A smooth rectifier without an exponential. With b = 0 it is relu, with the derivative 1/2 at 0."""

    # For negative x the sum would cancel: (x + s) / 2 = b / (2 (s - x)), where s = sqrt(x**2 + b).
    def value(x: Any, b: Any) -> Any:
        s = xp.hypot(x, xp.sqrt(b))
        below = xp.where(b == 0, b, b / 4 / (s / 2 + xp.abs(x) / 2))
        return xp.where(x < 0, below, x / 2 + s / 2)

    def derivative(x: Any, b: Any) -> Any:
        s = xp.hypot(x, xp.sqrt(b))
        below = xp.where(b == 0, b, b / 4 / (s / 2 + xp.abs(x) / 2))
        slope = xp.where(s == 0, 0.5, below / s)
        return xp.where(x < 0, slope, 1 - slope)

    return value, derivative


@activation(
    formula="0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4",
    latex=r"\begin{cases} 0 & x \le -1 \\ (x + 1)^2 / 4 & -1 < x < 1 \\ x & x \ge 1 \end{cases}",
    range=Interval(0, inf, low_reached=True),
    limits=(0, inf),
    monotonic=True,
    smooth=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("jax.nn.sparse_plus"),
        Elsewhere("keras.activations.sparse_plus"),
    ),
    source="Blondel, Martins and Niculae, Learning with Fenchel-Young losses (2020)",
)
def sparse_plus(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The smooth rectifier that reaches 0, and whose derivative is sparse_sigmoid."""

    def value(x: Any) -> Any:
        root = xp.clip(x + 1, 0, 2) / 2
        return xp.where(x >= 1, x, root * root)

    def derivative(x: Any) -> Any:
        return xp.clip(x + 1, 0, 2) / 2

    return value, derivative


@activation(
    parameters={"alpha": Parameter(1.0)},
    formula="x if x > 0 else alpha * (exp(x) - 1)",
    latex=r"\begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}",
    range=Interval(-1, inf),
    limits=(-1, inf),
    monotonic=True,
    smooth=True,
    kinks=(Kink(0, "alpha"),),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.elu"),
        Elsewhere("jax.nn.elu"),
        Elsewhere("keras.activations.elu"),
        Elsewhere("onnx.Elu"),
    ),
    source="Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units "
    "(2015)",
)
def elu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The exponential linear unit: linear for positive arguments, levelling out at -alpha for negative ones."""

    def value(x: Any, alpha: Any) -> Any:
        return xp.where(x > 0, x, alpha * xp.expm1(x))

    def derivative(x: Any, alpha: Any) -> Any:
        return xp.where(x > 0, 1, xp.scaled_product(alpha, 1, x))

    return value, derivative


@activation(
    parameters={"alpha": Parameter(1.0, lambda alpha: alpha != 0, "not 0")},
    formula="x if x > 0 else alpha * (exp(x / alpha) - 1)",
    latex=r"\begin{cases} x & x > 0 \\ \alpha (e^{x / \alpha} - 1) & x \le 0 \end{cases}",
    range=Interval(-1, inf),
    limits=(-1, inf),
    monotonic=True,
    smooth=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.celu"),
        Elsewhere("jax.nn.celu"),
        Elsewhere("keras.activations.celu"),
        Elsewhere("onnx.Celu"),
    ),
    source="Barron, Continuously differentiable exponential linear units (2017)",
)
def celu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The exponential linear unit whose derivative is continuous for every alpha."""

    def value(x: Any, alpha: Any) -> Any:
        z = x / alpha
        return xp.where((x > 0) | (xp.abs(z) < 1e-30), x, alpha * xp.expm1(z))

    # exp turns what rounding x / alpha loses into a relative error, which is put back.
    def derivative(x: Any, alpha: Any) -> Any:
        z = x / alpha
        product = z * alpha
        lost = ((x - product) - xp.product_error(z, alpha, product)) / alpha
        return xp.where(x > 0, 1, xp.exp(z) * xp.where(xp.abs(lost) < 1, 1 + lost, 1))

    return value, derivative


@activation(
    formula="1.0507009873554804934193349852946 * (x if x > 0 else 1.6732632423543772848170429916717 * (exp(x) - 1))",
    latex=r"\lambda \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}",
    range=Interval(-1.7580993408473768599, inf),
    limits=(-1.7580993408473768599, inf),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, 1.7580993408473768599),),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.selu"),
        Elsewhere("jax.nn.selu"),
        Elsewhere("keras.activations.selu"),
        Elsewhere("onnx.Selu"),
    ),
    source="Klambauer, Unterthiner, Mayr and Hochreiter, Self-normalizing neural networks (2017)",
)
def selu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The exponential linear unit scaled so that layers keep their inputs' mean 0 and variance 1."""
    scale = T("1.0507009873554804934193349852946")
    scale_alpha = T("1.7580993408473768599402175208123193420602458")

    def value(x: Any) -> Any:
        return xp.where(x > 0, scale * x, scale_alpha * xp.expm1(x))

    def derivative(x: Any) -> Any:
        return xp.where(x > 0, scale, scale_alpha * xp.exp(x))

    return value, derivative
