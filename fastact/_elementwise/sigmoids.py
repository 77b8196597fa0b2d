"""Curves shaped like an S, exact and in pieces of straight lines, and what belongs to the logistic function."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from fastact._records import Elsewhere, Formula, Interval, Kink, Parameter, activation


@activation(
    formula="1 / (1 + exp(-x))",
    latex=r"\frac{1}{1 + e^{-x}}",
    range=Interval(0, 1),
    limits=(0, 1),
    monotonic=True,
    smooth=True,
    typical_use=("output", "gate"),
    elsewhere=(
        Elsewhere("torch.nn.functional.sigmoid"),
        Elsewhere("jax.nn.sigmoid"),
        Elsewhere("scipy.special.expit"),
        Elsewhere("keras.activations.sigmoid"),
        Elsewhere("onnx.Sigmoid"),
    ),
    source="Verhulst, Recherches mathématiques sur la loi d'accroissement de la population (1845)",
)
def sigmoid(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The logistic function, which squashes the real line into (0, 1)."""

    # exp only ever sees a negative argument: nothing overflows, and the left tail keeps its digits.
    def value(x: Any) -> Any:
        e = xp.exp(-xp.abs(x))
        return xp.where(x >= 0, 1, e) / (1 + e)

    def derivative(x: Any) -> Any:
        e = xp.exp(-xp.abs(x))
        return e / ((1 + e) * (1 + e))

    return value, derivative


@activation(
    formula="-log(1 + exp(-x))",
    latex=r"-\log(1 + e^{-x})",
    range=Interval(-inf, 0),
    limits=(-inf, 0),
    monotonic=True,
    smooth=True,
    typical_use=("output",),
    elsewhere=(
        Elsewhere("torch.nn.functional.logsigmoid"),
        Elsewhere("jax.nn.log_sigmoid"),
        Elsewhere("scipy.special.log_expit"),
        Elsewhere("keras.activations.log_sigmoid"),
    ),
    source="Cox, The regression analysis of binary sequences (1958)",
)
def log_sigmoid(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The logarithm of the sigmoid: the log-likelihood of a binary outcome."""

    def value(x: Any) -> Any:
        return xp.where(x >= 0, 0, x) - xp.log1p(xp.exp(-xp.abs(x)))

    def derivative(x: Any) -> Any:
        e = xp.exp(-xp.abs(x))
        return xp.where(x >= 0, e, 1) / (1 + e)

    return value, derivative


@activation(
    formula="log(x / (1 - x))",
    latex=r"\log\frac{x}{1 - x}",
    domain=Interval(0, 1, True, True),
    range=Interval(-inf, inf, True, True),
    limits=(-inf, inf),
    monotonic=True,
    smooth=True,
    typical_use=("output",),
    elsewhere=(
        Elsewhere("torch.logit", "can clamp its argument away from 0 and 1"),
        Elsewhere("jax.scipy.special.logit"),
        Elsewhere("scipy.special.logit"),
    ),
    source="Berkson, Application of the logistic function to bio-assay (1944)",
)
def logit(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The inverse of the sigmoid: the log-odds of a probability. Outside [0, 1] it is NaN."""

    # Around 1/2, where the quotient is near 1, 2x - 1 is exact; log(x) - log1p(-x) would lose its digits there.
    def value(x: Any) -> Any:
        return xp.where(xp.abs(x - 0.5) <= 0.25, 2 * xp.arctanh(2 * x - 1), xp.log(x / (1 - x)))

    def derivative(x: Any) -> Any:
        product = x * (1 - x)
        return xp.where(product >= 0, 1 / xp.abs(product), nan)

    return value, derivative


@activation(
    formula="(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    latex=r"\frac{e^x - e^{-x}}{e^x + e^{-x}}",
    range=Interval(-1, 1),
    limits=(-1, 1),
    monotonic=True,
    smooth=True,
    parity="odd",
    typical_use=("hidden", "gate"),
    elsewhere=(
        Elsewhere("torch.nn.functional.tanh"),
        Elsewhere("jax.nn.tanh"),
        Elsewhere("numpy.tanh"),
        Elsewhere("keras.activations.tanh"),
        Elsewhere("onnx.Tanh"),
    ),
    source="LeCun, Bottou, Orr and Müller, Efficient BackProp (1998)",
)
def tanh(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The hyperbolic tangent, a sigmoid that is centred on zero."""

    def value(x: Any) -> Any:
        return xp.tanh(x)

    # 1 - tanh(x)**2 loses every digit once tanh(x) rounds to 1; this form keeps them all.
    def derivative(x: Any) -> Any:
        q = xp.exp(-2 * xp.abs(x))
        return 4 * q / ((1 + q) * (1 + q))

    return value, derivative


@activation(
    formula="x / (1 + abs(x))",
    latex=r"\frac{x}{1 + |x|}",
    range=Interval(-1, 1),
    limits=(-1, 1),
    monotonic=True,
    smooth=True,
    parity="odd",
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.softsign"),
        Elsewhere("jax.nn.soft_sign"),
        Elsewhere("keras.activations.softsign"),
        Elsewhere("onnx.Softsign"),
    ),
    source="Elliott, A better activation function for artificial neural networks (1993)",
)
def softsign(xp: Any, T: Any) -> tuple[Formula, ...]:
    """A sigmoid without an exponential, which approaches its limits slowly."""

    def value(x: Any) -> Any:
        finite = xp.clip(x, -1e300, 1e300)  # infinity / infinity would be NaN
        return finite / (1 + xp.abs(finite))

    def derivative(x: Any) -> Any:
        reciprocal = 1 / (1 + xp.abs(x))
        return reciprocal * reciprocal

    return value, derivative


@activation(
    parameters={
        "min_value": Parameter(-1.0),
        "max_value": Parameter(1.0, requirement="at least min_value", not_below="min_value"),
    },
    formula="min(max(x, min_value), max_value)",
    latex=r"\min(\max(x, \text{min\_value}), \text{max\_value})",
    range=Interval(-1, 1, True, True),
    limits=(-1, 1),
    monotonic=True,
    smooth=False,
    parity="odd",
    kinks=(Kink("min_value", 0), Kink("max_value", 0)),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.hardtanh"),
        Elsewhere("jax.nn.hard_tanh"),
        Elsewhere("keras.activations.hard_tanh"),
        Elsewhere("onnx.Clip", "unbounded by default"),
    ),
    source="Collobert, Large scale machine learning (2004)",
)
def hard_tanh(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The argument, cut off at a least and a greatest value."""

    def value(x: Any, min_value: Any, max_value: Any) -> Any:
        return xp.clip(x, min_value, max_value)

    def derivative(x: Any, min_value: Any, max_value: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where((x > min_value) & (x < max_value), 1, 0))

    return value, derivative


@activation(
    formula="min(max(x + 3, 0), 6) / 6",
    latex=r"\frac{\min(\max(x + 3, 0), 6)}{6}",
    range=Interval(0, 1, True, True),
    limits=(0, 1),
    monotonic=True,
    smooth=False,
    kinks=(Kink(-3, 0), Kink(3, 0)),
    typical_use=("gate",),
    elsewhere=(
        Elsewhere("torch.nn.functional.hardsigmoid"),
        Elsewhere("jax.nn.hard_sigmoid"),
        Elsewhere("keras.activations.hard_sigmoid"),
        Elsewhere("onnx.HardSigmoid", "the slope is 0.2 by default, where it is 1/6 here"),
    ),
    source="Howard et al., Searching for MobileNetV3 (2019)",
)
def hard_sigmoid(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The sigmoid in three straight pieces."""

    def value(x: Any) -> Any:
        return xp.clip(x + 3, 0, 6) / 6

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where((x > -3) & (x < 3), T(1) / 6, 0))

    return value, derivative


@activation(
    formula="min(max(x + 1, 0), 2) / 2",
    latex=r"\frac{\min(\max(x + 1, 0), 2)}{2}",
    range=Interval(0, 1, True, True),
    limits=(0, 1),
    monotonic=True,
    smooth=False,
    kinks=(Kink(-1, 0), Kink(1, 0)),
    typical_use=("output", "gate"),
    elsewhere=(
        Elsewhere("jax.nn.sparse_sigmoid"),
        Elsewhere("keras.activations.sparse_sigmoid"),
    ),
    source="Martins and Astudillo, From softmax to sparsemax (2016)",
)
def sparse_sigmoid(xp: Any, T: Any) -> tuple[Formula, ...]:
    """Sparsemax for two classes: a sigmoid that reaches 0 and 1."""

    def value(x: Any) -> Any:
        return xp.clip(x + 1, 0, 2) / 2

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(xp.abs(x) < 1, 0.5, 0))

    return value, derivative
