"""Gated linear units: one operand, through an activation, opens the way for the other.

The derivative is that by the gate. `fastact._two_operands` makes both gradients of it: a gate is linear in its value.
"""

from __future__ import annotations

from typing import Any

from fastact._records import REALS, Elsewhere, Formula, Kink, activation

# `xp.scaled_product` because gate and value may have a normal product where the gate's factor alone is not any more.


@activation(
    operands=("gate", "value"),
    halved=True,
    formula="value / (1 + exp(-gate))",
    latex=r"\frac{\text{value}}{1 + e^{-\text{gate}}}",
    range=REALS,
    monotonic=False,
    smooth=True,
    typical_use=("gate",),
    elsewhere=(
        Elsewhere("torch.nn.functional.glu"),
        Elsewhere("jax.nn.glu"),
        Elsewhere("keras.activations.glu"),
    ),
    source="Dauphin, Fan, Auli and Grangier, Language modeling with gated convolutional networks (2017)",
)
def glu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The gated linear unit: the first half of x times the sigmoid of its second half."""

    def value(gate: Any, value: Any) -> Any:
        s = 1 / (1 + xp.exp(-xp.abs(gate)))
        return xp.where(gate >= 0, value * s, xp.scaled_product(value, s, gate))

    def derivative(gate: Any, value: Any) -> Any:
        s = 1 / (1 + xp.exp(-xp.abs(gate)))
        return xp.scaled_product(value, s * s, -xp.abs(gate))

    return value, derivative


@activation(
    operands=("gate", "value"),
    formula="gate / (1 + exp(-gate)) * value",
    latex=r"\frac{\text{gate}}{1 + e^{-\text{gate}}}\, \text{value}",
    range=REALS,
    monotonic=False,
    turning_points=(-1.2784645427610738,),
    smooth=True,
    typical_use=("gate",),
    source="Shazeer, GLU variants improve transformer (2020)",
)
def swiglu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The gated linear unit with silu: silu(gate) times value."""

    def value(gate: Any, value: Any) -> Any:
        s = 1 / (1 + xp.exp(-xp.abs(gate)))
        return xp.where(gate >= 0, gate * s * value, xp.scaled_product(gate * s, value, gate))

    def derivative(gate: Any, value: Any) -> Any:
        s = 1 / (1 + xp.exp(-xp.abs(gate)))
        right = s * (1 + xp.scaled_product(gate, s, -gate)) * value
        return xp.where(gate >= 0, right, xp.scaled_product(s * (1 + gate * s), value, gate))

    return value, derivative


@activation(
    operands=("gate", "value"),
    formula="gate / 2 * erfc(-gate / sqrt(2)) * value",
    latex=r"\frac{\text{gate}}{2} \operatorname{erfc}\left(-\frac{\text{gate}}{\sqrt 2}\right) \text{value}",
    range=REALS,
    monotonic=False,
    turning_points=(-0.75179152469356446,),
    smooth=True,
    typical_use=("gate",),
    source="Shazeer, GLU variants improve transformer (2020)",
)
def geglu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The gated linear unit with gelu: gelu(gate) times value."""
    density_at_0 = T("0.3989422804014326779399460599343818684759")

    def value(gate: Any, value: Any) -> Any:
        a = xp.clip(xp.abs(gate), 0, 256)
        square, factor = xp.gaussian_parts(a)
        tail = a * xp.normal_tail(a) * factor
        right = (gate - xp.scaled_product(tail, 1, -square)) * value
        return xp.where(gate >= 0, right, xp.scaled_product(-tail, value, -square))

    def derivative(gate: Any, value: Any) -> Any:
        a = xp.clip(xp.abs(gate), 0, 256)
        square, factor = xp.gaussian_parts(a)
        tail = (xp.normal_tail(a) - a * density_at_0) * factor
        right = (1 - xp.scaled_product(tail, 1, -square)) * value
        return xp.where(gate >= 0, right, xp.scaled_product(tail, value, -square))

    return value, derivative


@activation(
    operands=("gate", "value"),
    formula="max(gate, 0) * value",
    latex=r"\max(\text{gate}, 0)\, \text{value}",
    range=REALS,
    monotonic=False,
    smooth=False,
    kinks=(Kink(0, 0),),
    typical_use=("gate",),
    source="Shazeer, GLU variants improve transformer (2020)",
)
def reglu(xp: Any, T: Any) -> tuple[Formula, ...]:
    """The gated linear unit with relu: relu(gate) times value."""

    def value(gate: Any, value: Any) -> Any:
        return xp.where(gate <= 0, 0, gate) * value

    def derivative(gate: Any, value: Any) -> Any:
        return xp.where(xp.isnan(gate), gate, xp.where(gate > 0, 1, 0)) * value

    return value, derivative
