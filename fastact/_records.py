"""What fastact knows of each activation: one frozen record per function, kept in the one table `activations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import inf, isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

# Formulas are written once over a namespace of functions (`xp`) and a scalar type (`T`): over NumPy they are the
# fallback engine, over jitted functions the Numba engine, and for a reader they are the definition. A maker returns
# the value, its derivative by the first operand and, for prelu, the derivative by its weight.
Formula = Callable[..., Any]
FormulaMaker = Callable[[Any, Any], "tuple[Formula, ...]"]

USES = ("hidden", "output", "gate")


class Parameter(NamedTuple):
    """A parameter of an activation, and the values that make sense for it.

    A parameter whose `default` is None has to be given; `example` then stands for it where facts are stated.
    `accepts` judges a value alone, `not_below` names the parameter that must not be greater.
    """

    default: float | None = None
    accepts: Callable[[float], bool] | None = None
    requirement: str = "a real number"
    example: float | None = None
    not_below: str | None = None

    @property
    def typical(self) -> float:
        """The value that the record's facts hold at."""
        value = self.example if self.default is None else self.default
        if value is None:
            raise ValueError("a parameter without a default needs an example")
        return value


class Interval(NamedTuple):
    """A set of real numbers; an end belongs to it (is reached) or is only approached."""

    low: float
    high: float
    low_reached: bool = False
    high_reached: bool = False

    def __str__(self) -> str:
        left, right = "[" if self.low_reached else "(", "]" if self.high_reached else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


REALS = Interval(-inf, inf)


class Kink(NamedTuple):
    """A point where the derivative jumps, and the value that fastact gives it there (PyTorch's choice).

    Either may be the name of a parameter, with a minus sign before it or not.
    """

    x: float | str
    derivative: float | str

    def resolve(self, parameters: Mapping[str, float]) -> tuple[float, float]:
        """The point and the derivative there, for values of the parameters."""
        point, derivative = (_resolve(quantity, parameters) for quantity in (self.x, self.derivative))
        return point, derivative


def _resolve(quantity: float | str, parameters: Mapping[str, float]) -> float:
    if not isinstance(quantity, str):
        return quantity
    value = parameters[quantity.removeprefix("-")]
    return -value if quantity.startswith("-") else value


class Elsewhere(NamedTuple):
    """The same activation in another library, and how its definition or its defaults differ there."""

    name: str
    difference: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.difference})" if self.difference else self.name


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function and its facts.

    `formula` (Python over exp, log, sqrt, tanh, erfc, pi) and `latex` define it. `range`, `limits` (at both ends of
    `domain`), `monotonic` (nowhere decreasing), `turning_points` (where the derivative changes its sign), `smooth`
    (the derivative is continuous) and `parity` hold at the parameters' typical values. `kinks` are the points where the
    derivative jumps, for some values of the parameters at least. `keeps_integers` says that integer arrays stay
    integer, `halved` that the function takes both its operands from one array `x`, as halves along an axis.
    `typical_use` says where in a network it is met: in a hidden layer, an output layer, a gate. `aliases` are other
    names of the very same function here, `elsewhere` its names in other libraries, `source` where it was introduced.
    """

    name: str
    make_formulas: FormulaMaker
    summary: str
    formula: str
    latex: str
    range: Interval
    monotonic: bool
    smooth: bool
    typical_use: tuple[str, ...]
    source: str
    limits: tuple[float, float] | None = None
    domain: Interval = REALS
    parity: str | None = None
    operands: tuple[str, ...] = ("x",)
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    kinks: tuple[Kink, ...] = ()
    turning_points: tuple[float, ...] = ()
    keeps_integers: bool = False
    halved: bool = False
    aliases: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of everything that the function takes: its operands, then its parameters."""
        return (*self.operands, *self.parameters)

    def has(self, operation: str) -> bool:
        """Whether the operation makes sense for this activation: "value", "derivative" or "backward"."""
        return True

    @property
    def typical_parameters(self) -> dict[str, float]:
        """The values of the parameters that the facts hold at: the defaults, where there are any."""
        return {name: parameter.typical for name, parameter in self.parameters.items()}

    @property
    def saturates(self) -> tuple[str, ...]:
        """The sides, "left" or "right", on which the function levels out at a finite limit."""
        sides = zip(("left", "right"), self.limits or (), strict=False)
        return tuple(side for side, limit in sides if isfinite(limit))

    @property
    def zero_centred(self) -> bool:
        """Whether the values reach equally far on both sides of zero."""
        return self.range.low == -self.range.high

    @property
    def function(self) -> Callable[..., Any]:
        """The activation itself: `fastact.NAME`."""
        return self._published("fastact")

    @property
    def derivative(self) -> Callable[..., Any]:
        """Its derivative: `fastact.derivative.NAME`."""
        return self._published("fastact.derivative")

    @property
    def backward(self) -> Callable[..., Any]:
        """Its gradient: `fastact.backward.NAME`."""
        return self._published("fastact.backward")

    def _published(self, module: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(import_module(module), self.name)
        return function


def operation_inputs(record: Activation, operation: str) -> tuple[str, ...]:
    """The names of the arrays that an operation takes: its gradient first, in a backward pass.

    The derivative by a second operand (`weight_derivative`) takes the other inputs: the function is linear in it.
    """
    differentiated, _, kind = operation.rpartition("_")
    inputs = tuple(name for name in record.inputs if name != differentiated)
    return ("grad", *inputs) if kind == "backward" else inputs


def loop_name(record: Activation, operation: str) -> str:
    """What the kernels call the loop of an operation."""
    return record.name if operation == "value" else f"{record.name}_{operation}"


activations: dict[str, Activation] = {}
"""Every activation of fastact, by name."""


def activation(
    parameters: Mapping[str, Parameter] | None = None, **facts: Any
) -> Callable[[FormulaMaker], FormulaMaker]:
    """Enters the decorated formulas into the table, under the name of the function that makes them."""

    def enter(make_formulas: FormulaMaker) -> FormulaMaker:
        name = make_formulas.__name__
        summary = (make_formulas.__doc__ or "").strip()
        activations[name] = Activation(
            name=name,
            make_formulas=make_formulas,
            summary=summary,
            parameters=MappingProxyType(dict(parameters or {})),
            **facts,
        )
        return make_formulas

    return enter
