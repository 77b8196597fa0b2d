"""The elementwise activations: each one's formula, derivative and facts, side by side.

`x` is one element (Numba) or an array (NumPy); `T` makes constants of the type that is computed in.
"""

from __future__ import annotations

from math import inf
from typing import Any

from fastact._records import Formula, Interval, Kink, Parameter, activation


@activation(
    formula="x",
    latex=r"x",
    range=Interval(-inf, inf),
    monotonic=True,
    smooth=True,
    parity="odd",
    keeps_integers=True,
    typical_use="output layer of a regression",
    source="the linear unit of Widrow and Hoff (1960)",
)
def identity(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The argument itself."""

    def value(x: Any) -> Any:
        return x

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, T(1))

    return value, derivative


@activation(
    parameters={"at_zero": Parameter(1.0)},
    formula="0 if x < 0, at_zero if x = 0, 1 if x > 0",
    latex=r"\begin{cases} 0 & x < 0 \\ \text{at\_zero} & x = 0 \\ 1 & x > 0 \end{cases}",
    range=Interval(0, 1, True, True),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, 0),),
    keeps_integers=True,
    typical_use="output of a perceptron; it has no gradient to learn from",
    source="McCulloch and Pitts, A logical calculus of the ideas immanent in nervous activity (1943)",
)
def step(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The Heaviside step: 0 for negative arguments, 1 for positive ones, and a choice of yours at 0."""

    def value(x: Any, at_zero: Any) -> Any:
        return xp.where(x > T(0), T(1), xp.where(x < T(0), T(0), xp.where(x == T(0), at_zero, x)))

    def derivative(x: Any, at_zero: Any) -> Any:
        return xp.where(xp.isnan(x), x, T(0))

    return value, derivative


@activation(
    formula="1 / (1 + exp(-x))",
    latex=r"\frac{1}{1 + e^{-x}}",
    range=Interval(0, 1),
    monotonic=True,
    smooth=True,
    typical_use="gates, and the output layer of a binary classifier",
    source="Verhulst's logistic curve (1845)",
)
def sigmoid(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The logistic function, which squashes the real line into (0, 1)."""

    # exp only ever sees a negative argument: nothing overflows, and the left tail keeps its digits.
    def value(x: Any) -> Any:
        e = xp.exp(-xp.abs(x))
        return xp.where(x >= T(0), T(1), e) / (T(1) + e)

    def derivative(x: Any) -> Any:
        e = xp.exp(-xp.abs(x))
        return e / ((T(1) + e) * (T(1) + e))

    return value, derivative


@activation(
    formula="(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    latex=r"\frac{e^x - e^{-x}}{e^x + e^{-x}}",
    range=Interval(-1, 1),
    monotonic=True,
    smooth=True,
    parity="odd",
    typical_use="recurrent networks, and outputs centred on zero",
    source="LeCun et al., Efficient BackProp (1998)",
)
def tanh(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The hyperbolic tangent, a sigmoid that is centred on zero."""

    def value(x: Any) -> Any:
        return xp.tanh(x)

    # 1 - tanh(x)**2 loses every digit once tanh(x) rounds to 1; this form keeps them all.
    def derivative(x: Any) -> Any:
        q = xp.exp(T(-2) * xp.abs(x))
        return T(4) * q / ((T(1) + q) * (T(1) + q))

    return value, derivative


@activation(
    formula="max(x, 0)",
    latex=r"\max(x, 0)",
    range=Interval(0, inf, low_reached=True),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, 0),),
    keeps_integers=True,
    typical_use="hidden layers",
    source="Nair and Hinton, Rectified linear units improve restricted Boltzmann machines (2010)",
)
def relu(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The rectified linear unit: negative arguments become 0."""

    def value(x: Any) -> Any:
        return xp.where(x <= T(0), T(0), x)

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > T(0), T(1), T(0)))

    return value, derivative


@activation(
    parameters={"negative_slope": Parameter(0.01)},
    formula="x if x > 0, else negative_slope * x",
    latex=r"\begin{cases} x & x > 0 \\ \text{negative\_slope}\, x & x \le 0 \end{cases}",
    range=Interval(-inf, inf),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, "negative_slope"),),
    typical_use="hidden layers whose units must not die",
    source="Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models (2013)",
)
def leaky_relu(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The rectified linear unit with a small slope for negative arguments, so that a gradient always flows."""

    def value(x: Any, negative_slope: Any) -> Any:
        return xp.where(x > T(0), x, negative_slope * x)

    def derivative(x: Any, negative_slope: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > T(0), T(1), negative_slope))

    return value, derivative


@activation(
    parameters={"beta": Parameter(1.0, lambda beta: beta != 0, "not 0")},
    formula="log(1 + exp(beta * x)) / beta",
    latex=r"\frac{1}{\beta} \log(1 + e^{\beta x})",
    range=Interval(0, inf),
    monotonic=True,
    smooth=True,
    typical_use="outputs that must be positive, such as a variance",
    source="Dugas et al., Incorporating second-order functional knowledge for better option pricing (2001)",
)
def softplus(xp: Any, T: Any) -> tuple[Formula, Formula]:
    """The smooth rectifier, whose derivative is the sigmoid. It needs no threshold: no argument overflows."""

    def value(x: Any, beta: Any) -> Any:
        z = beta * x
        # max(z, 0) / beta, in terms of x: dividing z by beta again would round twice.
        linear = xp.where(z > T(0), x, xp.where(xp.isnan(z), z, T(0)))
        return linear + xp.log1p(xp.exp(-xp.abs(z))) / beta

    def derivative(x: Any, beta: Any) -> Any:
        z = beta * x
        e = xp.exp(-xp.abs(z))
        return xp.where(z >= T(0), T(1), e) / (T(1) + e)

    return value, derivative
