"""What to draw, from the words that ask for it: `NAME`, or `NAME:PARAMETER=VALUE,PARAMETER=VALUE`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from fastact._records import REALS, Activation, Interval
from fastact._rowwise import RowActivation
from fastact.zoo.facts import checked_name, record_of

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]
Limits = tuple[float, float]

# Curves are drawn from -REACH to REACH, or to MARGIN beyond the outermost kink.
REACH, MARGIN = 5.0, 2.0

# Values on both sides of a point that are farther apart than this jump; beside a kink they differ by much less.
JUMP = 1e-6

# Numbers beyond this have no place in a picture, and their squares and sums would overflow.
LARGEST = 1e6

# What the functions of two operands are drawn at: the weight that learning starts from, a gate wide open.
SECOND_OPERANDS = {"weight": 0.25, "value": 1.0}

# Where the field has two conventions for the value at a kink: the parameter that chooses, ours first.
CONVENTIONS = {"step": ("at_zero", (1.0, 0.0))}


@dataclass(frozen=True)
class Curve:
    """A function of one number.

    `derivative` is None where the user's own activation has none, `range` where the parameters are not those that the
    record states it for. `kinks` are the points where the value or the derivative jumps. `conventions` are the
    functions, this one first, that differ from it at kinks only.
    """

    name: str
    settings: str
    formula: str
    value: Function
    derivative: Function | None
    range: Interval | None
    domain: Interval = REALS
    kinks: tuple[float, ...] = ()
    conventions: tuple[tuple[str, Function], ...] = ()

    @property
    def label(self) -> str:
        """The name, and the values of parameters that were given or have no defaults."""
        return f"{self.name} {self.settings}".strip()


# No activation: it neither saturates nor rectifies, and its derivative has no bound on either side.
SQUARE = Curve("square", "", "x**2", np.square, lambda x: 2 * x, Interval(0, inf, low_reached=True))


def asked(text: str) -> Curve | RowActivation:
    """The function that the words ask for; a ValueError for names, parameters and values that there are not."""
    name, colon, settings = checked_name("plot", text).partition(":")
    if name == SQUARE.name:
        if colon:
            raise ValueError(_no_parameters(name, settings))
        return SQUARE
    record = record_of("plot", name)
    given = _settings(record, settings) if colon else {}
    if isinstance(record, RowActivation):
        return record
    curve = _curve(record, given)
    curve.value(np.zeros(1))  # the function itself refuses parameters that make no sense
    return curve


def _settings(record: Activation, text: str) -> dict[str, float]:
    """The values after the colon."""
    known = record.inputs[1:]
    if not known:
        raise ValueError(_no_parameters(record.name, text))
    given: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in known:
            raise ValueError(f"plot: {record.name} has no parameter {name!r}, expected {' or '.join(known)}")
        if name in given:
            raise ValueError(f"plot: {record.name}'s {name} is given twice")
        given[name] = number(f"{record.name}'s {name}", value)
    return given


def _no_parameters(name: str, settings: str) -> str:
    return f"plot: {name} takes no parameters, got {settings!r}"


def number(what: str, value: Any) -> float:
    """A number that a picture has room for."""
    try:
        converted = float(value)
    except (TypeError, ValueError):
        converted = inf
    if not abs(converted) <= LARGEST:
        raise ValueError(f"plot: {what} is {value!r}, expected a number from {-LARGEST:g} to {LARGEST:g}")
    return converted


def reach(curve: Curve, limits: Limits | None) -> Limits:
    """The part of the x axis to draw a curve over; a ValueError if nothing of its domain is in the limits."""
    farthest = max([REACH, *(abs(kink) + MARGIN for kink in curve.kinks)])
    low, high = limits or (-farthest, farthest)
    low, high = max(low, curve.domain.low), min(high, curve.domain.high)
    if not low < high:
        raise ValueError(f"plot: limits are {limits}, expected some of {curve.domain}, where {curve.name} is defined")
    return low, high


def _curve(record: Activation, given: dict[str, float]) -> Curve:
    usual = {name: SECOND_OPERANDS[name] for name in record.operands[1:]} | record.typical_parameters
    values = usual | given
    told = {name: value for name, value in values.items() if name in given or _has_no_default(record, name)}
    value = _of_one_operand(record, record.function, values)
    derivative = _of_one_operand(record, record.derivative, values) if record.has("derivative") else None
    points = sorted({kink.resolve(values)[0] for kink in record.kinks})
    return Curve(
        name=record.name,
        settings=" ".join(f"{name}={value:g}" for name, value in told.items()),
        formula=record.formula,
        value=value,
        derivative=derivative,
        range=record.range if values == usual else None,
        domain=record.domain,
        kinks=tuple(point for point in points if any(jumps(f, point) for f in (value, derivative) if f)),
        conventions=() if given else tuple(_conventions(record, values)),
    )


def _conventions(record: Activation, values: Mapping[str, float]) -> Iterator[tuple[str, Function]]:
    parameter, choices = CONVENTIONS.get(record.name, ("", ()))
    for choice in choices:
        yield f"{parameter}={choice:g}", _of_one_operand(record, record.function, {**values, parameter: choice})


def jumps(function: Function, point: float) -> bool:
    """Whether a function's values before and after a point differ by more than its slope makes them."""
    before, after = function(np.nextafter(point, np.array([-inf, inf])))
    return bool(abs(after - before) > JUMP)


def _has_no_default(record: Activation, name: str) -> bool:
    return name not in record.parameters or record.parameters[name].default is None


def _of_one_operand(record: Activation, function: Callable[..., Any], values: Mapping[str, float]) -> Function:
    """The function with all but its first operand fixed; of several derivatives, the one by that operand."""

    def halved(x: Array) -> Array:
        whole: Array = function(np.concatenate([np.full_like(x, values["value"]), x]))
        return whole[-x.size :]  # the gate's part, and all of a value

    def plain(x: Array) -> Array:
        operands = [x, *(np.full_like(x, values[name]) for name in record.operands[1:])]
        result = function(*operands, *(values[name] for name in record.parameters))
        first: Array = result[0] if isinstance(result, tuple) else result
        return first

    return halved if record.halved else plain
