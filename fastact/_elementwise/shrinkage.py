"""Functions that shrink their argument towards 0."""

from __future__ import annotations

from math import inf
from typing import Any

from fastact._records import REALS, Elsewhere, Formula, Kink, Parameter, activation

THRESHOLD = Parameter(0.5, lambda threshold: threshold >= 0, "at least 0")


@activation(
    formula="x - tanh(x)",
    latex=r"x - \tanh x",
    range=REALS,
    limits=(-inf, inf),
    monotonic=True,
    smooth=True,
    parity="odd",
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.tanhshrink"),
        Elsewhere("keras.activations.tanh_shrink"),
    ),
    source="Collobert, Kavukcuoglu and Farabet, Torch7: a Matlab-like environment for machine learning (2011)",
)
def tanh_shrink(xp: Any, T: Any) -> tuple[Formula, ...]:
    """What tanh takes away from its argument."""

    # Near 0 the difference would cancel. With t = x coth(x) - 1, tanh(x) = x / (1 + t), and it is x t / (1 + t).
    def value(x: Any) -> Any:
        t = xp.coth_excess(x)
        return xp.where(xp.abs(x) < 2, x * (t / (1 + t)), x - xp.tanh(x))

    def derivative(x: Any) -> Any:
        y = xp.tanh(x)
        return y * y

    return value, derivative


@activation(
    parameters={"threshold": THRESHOLD},
    formula="x if abs(x) > threshold else 0",
    latex=r"\begin{cases} x & |x| > \text{threshold} \\ 0 & |x| \le \text{threshold} \end{cases}",
    range=REALS,
    limits=(-inf, inf),
    monotonic=True,
    smooth=False,
    parity="odd",
    kinks=(Kink("-threshold", 0), Kink("threshold", 0)),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.hardshrink"),
        Elsewhere("keras.activations.hard_shrink"),
        Elsewhere("onnx.Shrink"),
    ),
    source="Donoho and Johnstone, Ideal spatial adaptation by wavelet shrinkage (1994)",
)
def hard_shrink(xp: Any, T: Any) -> tuple[Formula, ...]:
    """Hard thresholding: arguments near 0 become 0, the others stay."""

    def value(x: Any, threshold: Any) -> Any:
        return xp.where(xp.abs(x) <= threshold, 0, x)

    def derivative(x: Any, threshold: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(xp.abs(x) > threshold, 1, 0))

    return value, derivative


@activation(
    parameters={"threshold": THRESHOLD},
    formula="x - threshold if x > threshold else x + threshold if x < -threshold else 0",
    latex=r"\operatorname{sign}(x) \max(|x| - \text{threshold}, 0)",
    range=REALS,
    limits=(-inf, inf),
    monotonic=True,
    smooth=False,
    parity="odd",
    kinks=(Kink("-threshold", 0), Kink("threshold", 0)),
    typical_use=("hidden",),
    elsewhere=(
        Elsewhere("torch.nn.functional.softshrink"),
        Elsewhere("keras.activations.soft_shrink"),
        Elsewhere("onnx.Shrink", "with bias = lambd"),
    ),
    source="Donoho, De-noising by soft-thresholding (1995)",
)
def soft_shrink(xp: Any, T: Any) -> tuple[Formula, ...]:
    """Soft thresholding: arguments near 0 become 0, the others move towards 0 by the threshold."""

    def value(x: Any, threshold: Any) -> Any:
        return xp.where(xp.abs(x) <= threshold, 0, x - xp.clip(x, -threshold, threshold))

    def derivative(x: Any, threshold: Any) -> Any:
        return xp.where(xp.isnan(x), x, xp.where(xp.abs(x) > threshold, 1, 0))

    return value, derivative
