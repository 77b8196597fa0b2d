"""The activations inside code that Numba compiles.

Numba finds this module by itself, through its extension entry point: in a function under `@njit`, `@vectorize` or
`@guvectorize`, `fastact.gelu(x)`, `fastact.derivative.gelu(x)` and `fastact.backward.gelu(grad, x)` are compiled into
the function, on numbers and on arrays. Here the same functions stand as compiled ones of their own, made when they are
first asked for: `fastact.numba.gelu`, `fastact.numba.gelu_derivative`, `fastact.numba.gelu_backward`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numba

from fastact._records import Activation, activations, loop_name, operation_inputs
from fastact._rowwise import RowActivation
from fastact.numba import _axes, _overloads
from fastact.numba._compiled import applied, same

_MODULES = {"value": "fastact", "derivative": "fastact.derivative", "backward": "fastact.backward"}


def _compilable() -> Iterator[tuple[Activation, str]]:
    """The activations and operations that compiled code may call."""
    for record in activations.values():
        for operation in _MODULES:
            if along_axis(record):
                possible = _axes.supports(record, operation)
            else:
                possible = operation != "backward" or len(record.operands) == 1
            if possible and hasattr(import_module(_MODULES[operation]), record.name):
                yield record, operation


def along_axis(record: Activation) -> bool:
    """Whether a function works along an axis of one array."""
    return record.halved or isinstance(record, RowActivation)


def _public(record: Activation, operation: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(import_module(_MODULES[operation]), record.name)
    return function


@functools.cache
def _init() -> None:
    """Numba's entry point: tells it of every function, once."""
    for record, operation in _compilable():
        register(record, operation)


def register(record: Activation, operation: str) -> None:
    """Tells Numba of one function."""
    family = _axes if along_axis(record) else _overloads
    family.register(_public(record, operation), record, operation)


def _names() -> dict[str, tuple[Activation, str]]:
    return {loop_name(record, operation): (record, operation) for record, operation in _compilable()}


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in _names():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    record, operation = _names()[name]
    public = _public(record, operation)

    inputs = ("x",) if along_axis(record) else operation_inputs(record, operation)
    function = applied(name, inputs, public, [same] * len(inputs))
    function.__defaults__ = None if along_axis(record) else _overloads.default_values(record)
    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = __name__, public.__doc__
    return globals().setdefault(name, numba.njit(nogil=True)(function))


def __dir__() -> list[str]:
    return list(_names())


_init()
