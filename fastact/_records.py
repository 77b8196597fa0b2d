"""What fastact knows of each activation: one frozen record per function, kept in the one table `activations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

# Formulas are written once over a namespace of functions (`xp`) and a scalar type (`T`): over NumPy they are the
# fallback engine, over jitted functions the Numba engine, and for a reader they are the definition.
Formula = Callable[..., Any]
FormulaMaker = Callable[[Any, Any], "tuple[Formula, Formula]"]


@dataclass(frozen=True)
class Parameter:
    """A parameter of an activation: its default (None: it must be given) and the values that make sense."""

    default: float | None = None
    accepts: Callable[[float], bool] | None = None
    requirement: str = "a real number"


@dataclass(frozen=True)
class Interval:
    """The set of values that a function takes on the real line; an end is reached or only approached."""

    low: float
    high: float
    low_reached: bool = False
    high_reached: bool = False

    def __str__(self) -> str:
        left, right = "[" if self.low_reached else "(", "]" if self.high_reached else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True)
class Kink:
    """A point where the derivative jumps, and the value that fastact gives it there (PyTorch's choice)."""

    x: float | str
    derivative: float | str


@dataclass(frozen=True)
class Activation:
    """One activation function and its facts.

    `formula` and `latex` define it; `range`, `monotonic`, `smooth` and `parity` hold on the real line at the
    parameters' defaults; `kinks` are the points without a derivative; `keeps_integers` says that integer arrays
    stay integer; `typical_use` is the place in a network where it is met; `source` is where it was introduced.
    """

    name: str
    make_formulas: FormulaMaker
    summary: str
    formula: str
    latex: str
    range: Interval
    monotonic: bool
    smooth: bool
    typical_use: str
    source: str
    parity: str | None = None
    operands: tuple[str, ...] = ("x",)
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    kinks: tuple[Kink, ...] = ()
    keeps_integers: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of everything that the function takes: its operands, then its parameters."""
        return (*self.operands, *self.parameters)


activations: dict[str, Activation] = {}
"""Every activation of fastact, by name."""


def activation(parameters: Mapping[str, Parameter] | None = None, **facts: Any) -> Callable[[FormulaMaker], FormulaMaker]:
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
