"""Pieces of straight lines: the identity, the step, and the rectifiers with a kink."""

from __future__ import annotations

from math import inf
from typing import Any

from fastact._records import REALS, Elsewhere, Formula, Interval, Kink, Parameter, activation


@activation(
    formula="x",
    latex=r"x",
    range=REALS,
    limits=(-inf, inf),
    monotonic=True,
    smooth=True,
    parity="odd",
    keeps_integers=True,
    typical_use=("output",),
    aliases=("linear",),
    elsewhere=(
        Elsewhere("torch.nn.Identity", "a module"),
        Elsewhere("jax.nn.identity"),
        Elsewhere("keras.activations.linear"),
        Elsewhere("onnx.Identity"),
    ),
    source="Widrow and Hoff, Adaptive switching circuits (1960)",
)
def identity(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The argument itself."""

    def value(x: Any) -> Any:
        return x

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, 1)

    return value, derivative


@activation(
    parameters={"at_zero": Parameter(1.0)},
    formula="0 if x < 0 else 1 if x > 0 else at_zero",
    latex=r"\begin{cases} 0 & x < 0 \\ \text{at\_zero} & x = 0 \\ 1 & x > 0 \end{cases}",
    range=Interval(0, 1, True, True),
    limits=(0, 1),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, 0),),
    keeps_integers=True,
    typical_use=("output",),
    elsewhere=(
        Elsewhere("torch.heaviside", "the value at 0 has no default and is a tensor"),
        Elsewhere("numpy.heaviside", "the value at 0 has no default"),
    ),
    source="McCulloch and Pitts, A logical calculus of the ideas immanent in nervous activity (1943)",
)
def step(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The Heaviside step: 0 for negative arguments, 1 for positive ones, and a choice of yours at 0."""

    def value(x: Any, at_zero: Any) -> Any:
        return xp.where(x > 0, 1, xp.where(x < 0, 0, xp.where(x == 0, at_zero, x)))

    def derivative(x: Any, at_zero: Any) -> Any:
        return xp.where(xp.isnan(x), x, 0)

    return value, derivative


@activation(
    formula="max(x, 0)",
    latex=r"\max(x, 0)",
    range=Interval(0, inf, low_reached=True),
    limits=(0, inf),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, 0),),
    keeps_integers=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.relu"),
        Elsewhere("jax.nn.relu"),
        Elsewhere("keras.activations.relu", "also takes a slope, a maximum and a threshold"),
        Elsewhere("onnx.Relu"),
    ),
    source="Nair and Hinton, Rectified linear units improve restricted Boltzmann machines (2010)",
)
def relu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The rectified linear unit: negative arguments become 0."""

    def value(x: Any) -> Any:
        return xp.where(x <= 0, 0, x)

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > 0, 1, 0))

    return value, derivative


@activation(
    formula="min(max(x, 0), 6)",
    latex=r"\min(\max(x, 0), 6)",
    range=Interval(0, 6, True, True),
    limits=(0, 6),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, 0), Kink(6, 0)),
    keeps_integers=True,
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.relu6"),
        Elsewhere("jax.nn.relu6"),
        Elsewhere("keras.activations.relu6"),
    ),
    source="Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010)",
)
def relu6(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The rectified linear unit, cut off at 6 so that few bits hold its values."""

    def value(x: Any) -> Any:
        return xp.clip(x, 0, 6)

    def derivative(x: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where((x > 0) & (x < 6), 1, 0))

    return value, derivative


@activation(
    formula="max(x, 0)**2",
    latex=r"\max(x, 0)^2",
    range=Interval(0, inf, low_reached=True),
    limits=(0, inf),
    monotonic=True,
    smooth=True,
    keeps_integers=True,
    typical_use=("hidden",),
    elsewhere=(Elsewhere("onnx.Relu", "squared by a node of its own"),),
    source="So et al., Primer: searching for efficient transformers for language modeling (2021)",
)
def squared_relu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The square of the rectified linear unit, which has no kink."""

    def value(x: Any) -> Any:
        return xp.where(x <= 0, 0, x * x)

    def derivative(x: Any) -> Any:
        return xp.where(x <= 0, 0, 2 * x)

    return value, derivative


@activation(
    parameters={"negative_slope": Parameter(0.01)},
    formula="x if x > 0 else negative_slope * x",
    latex=r"\begin{cases} x & x > 0 \\ \text{negative\_slope}\, x & x \le 0 \end{cases}",
    range=REALS,
    limits=(-inf, inf),
    monotonic=True,
    smooth=False,
    kinks=(Kink(0, "negative_slope"),),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.leaky_relu"),
        Elsewhere("jax.nn.leaky_relu"),
        Elsewhere("keras.activations.leaky_relu", "the slope is 0.2 by default"),
        Elsewhere("onnx.LeakyRelu"),
    ),
    source="Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models (2013)",
)
def leaky_relu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The rectified linear unit with a small slope for negative arguments, so that a gradient always flows."""

    def value(x: Any, negative_slope: Any) -> Any:
        return xp.where(x > 0, x, negative_slope * x)

    def derivative(x: Any, negative_slope: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > 0, 1, negative_slope))

    return value, derivative


@activation(
    operands=("x", "weight"),
    formula="x if x > 0 else weight * x",
    latex=r"\begin{cases} x & x > 0 \\ \text{weight}\, x & x \le 0 \end{cases}",
    range=REALS,
    monotonic=False,
    smooth=False,
    kinks=(Kink(0, "weight"),),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.prelu", "the weights stand along axis 1"),
        Elsewhere("keras.layers.PReLU", "a layer"),
        Elsewhere("onnx.PRelu"),
    ),
    source="He, Zhang, Ren and Sun, Delving deep into rectifiers (2015)",
)
def prelu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The leaky rectified linear unit whose slope for negative arguments is learnt."""

    def value(x: Any, weight: Any) -> Any:
        return xp.where(x > 0, x, weight * x)

    def derivative(x: Any, weight: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > 0, 1, weight))

    def weight_derivative(x: Any) -> Any:
        return xp.where(x > 0, 0, x)

    return value, derivative, weight_derivative


@activation(
    parameters={"threshold": Parameter(example=1.0), "value": Parameter(example=0.0)},
    formula="x if x > threshold else value",
    latex=r"\begin{cases} x & x > \text{threshold} \\ \text{value} & x \le \text{threshold} \end{cases}",
    range=Interval(0, inf, low_reached=True),
    limits=(0, inf),
    monotonic=True,
    smooth=False,
    kinks=(Kink("threshold", 0),),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.threshold"),
        Elsewhere("keras.activations.threshold", "the value is called default_value"),
    ),
    source="Collobert, Kavukcuoglu and Farabet, Torch7: a Matlab-like environment for machine learning (2011)",
)
def threshold(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The argument where it exceeds a threshold, and a fixed value elsewhere."""

    def value(x: Any, threshold: Any, value: Any) -> Any:
        return xp.where(x > threshold, x, xp.where(xp.isnan(x), x, value))

    def derivative(x: Any, threshold: Any, value: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > threshold, 1, 0))

    return value, derivative


@activation(
    parameters={"alpha": Parameter(1.0)},
    formula="x if x > alpha else 0",
    latex=r"\begin{cases} x & x > \alpha \\ 0 & x \le \alpha \end{cases}",
    range=Interval(0, inf, low_reached=True),
    limits=(0, inf),
    monotonic=True,
    smooth=False,
    kinks=(Kink("alpha", 0),),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.threshold", "takes the value below the threshold, and has no defaults"),
        Elsewhere("onnx.ThresholdedRelu"),
    ),
    source="Konda, Memisevic and Krueger, Zero-bias autoencoders and the benefits of co-adapting features (2014)",
)
def thresholded_relu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The argument where it exceeds alpha, and 0 elsewhere."""

    def value(x: Any, alpha: Any) -> Any:
        return xp.where(x > alpha, x, xp.where(xp.isnan(x), x, 0))

    def derivative(x: Any, alpha: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(x > alpha, 1, 0))

    return value, derivative
