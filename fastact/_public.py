"""Turns the records into the public functions: a ufunc for each, under a signature with named parameters."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from fastact import _docs, _elementwise, _engine, _rowwise, _two_operands, _ufuncs  # noqa: F401  (_elementwise fills the table)
from fastact._records import Activation, activations, loop_name, operation_inputs

engine = _engine.choose()
canonical = {alias: record.name for record in activations.values() for alias in record.aliases}


def names(operation: str) -> list[str]:
    """The activations that the engine has an operation for."""
    records = [record for record in activations.values() if engine.has(record, operation)]
    return [name for record in records for name in (record.name, *record.aliases)]


def making_getter(module: str, operation: str) -> Callable[[str], Any]:
    """A module's `__getattr__` that makes each function when it is first asked for: few programs use them all."""

    def get(name: str) -> Any:
        record = activations.get(canonical.get(name, name))
        if record is None or not engine.has(record, operation):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if name != record.name:
            return getattr(sys.modules[module], record.name)
        # Two threads may both have made it; one of the two is kept.
        return vars(sys.modules[module]).setdefault(name, _public_function(record, operation, module))

    return get


def _public_function(record: Activation, operation: str, module: str) -> Any:
    if isinstance(record, _rowwise.RowActivation):
        function = _rowwise.make(record, operation, engine)
        return _ufuncs.housed(_shortcut(record, operation, function, function), module)
    doc = _docs.docstring(record, operation)
    if len(record.operands) > 1:
        return _ufuncs.housed(_named(_two_operands.make(record, operation, engine, doc), record, doc), module)
    if not record.parameters:
        return _ufuncs.housed(engine.make(record, operation, record.name, doc), module)
    return _ufuncs.housed(_with_named_inputs(record, operation, doc), module)


def _named(function: Any, record: Activation, doc: str) -> Any:
    """The function under the record's name and operands' names; a ufunc has been made under its name."""
    if isinstance(function, FunctionType):
        code = function.__code__
        names = code.co_varnames
        if not record.halved:
            names = tuple(
                dict(zip(("first", "second"), record.operands, strict=True)).get(name, name) for name in names
            )
        function.__code__ = code.replace(co_name=record.name, co_qualname=record.name, co_varnames=names)
        function.__name__ = function.__qualname__ = record.name
        function.__doc__ = doc
    return function


def _with_named_inputs(record: Activation, operation: str, doc: str) -> Callable[..., Any]:
    """A thin function over a ufunc of several inputs that gives them names and its parameters their defaults."""
    name = loop_name(record, operation)
    ufunc = _ufuncs.keep(engine.make(record, operation, name, doc))
    bound = engine.bind(record, operation, f"{name}_with_defaults", doc)
    inputs = operation_inputs(record, operation)
    defaults = tuple(parameter.default for parameter in record.parameters.values())
    while None in defaults:  # parameters that have to be given
        defaults = defaults[1:]
    parameters = len(record.parameters)
    check = _checker(record)

    # Python takes an argument's name from the code of the function: one body serves all functions of so many inputs.
    def two(a: Any, b: Any, **keywords: Any) -> Any:
        if check is not None:
            check(b)
        if record.keeps_integers:
            b = _unwidening(b, (a,), keywords)
        return ufunc(a, b, **keywords)

    def three(a: Any, b: Any, c: Any, **keywords: Any) -> Any:
        if check is not None:
            check(*(b, c)[-parameters:])
        if record.keeps_integers:  # such a function has one parameter at most
            c = _unwidening(c, (a, b), keywords)
        return ufunc(a, b, c, **keywords)

    def four(a: Any, b: Any, c: Any, d: Any, **keywords: Any) -> Any:
        if check is not None:
            check(c, d)
        return ufunc(a, b, c, d, **keywords)

    body = {2: two, 3: three, 4: four}[len(inputs)]
    code = body.__code__.replace(
        co_name=record.name, co_qualname=record.name, co_varnames=(*inputs, *body.__code__.co_varnames[len(inputs) :])
    )
    function = FunctionType(code, body.__globals__, record.name, defaults, body.__closure__)
    function.__doc__ = doc
    return function if bound is None else _shortcut(record, operation, _ufuncs.keep(bound), function)


def _unwidening(parameter: Any, operands: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """A parameter that is a whole number, in a type that leaves integers integer and, if it is 0 or 1, bools bool."""
    if not isinstance(parameter, (int, float)) or any(isinstance(operand, float) for operand in operands):
        return parameter
    if parameter in (0, 1) and "casting" not in keywords:  # which NumPy applies to a bool, but not to an int
        return bool(parameter)
    return int(parameter) if float(parameter).is_integer() else parameter


def _shortcut(record: Activation, operation: str, bound: Any, function: Callable[..., Any]) -> Any:
    """The function behind a callable of C, where there is a loop that it can run.

    A call that gives arrays alone, or rows and their last axis, is computed there and then if they are contiguous; one
    without an axis is else sent to `bound`.
    """
    addresses = engine.addresses(record, operation)
    if addresses is None:
        return function
    from fastact._compiled.shortcut import Shortcut

    shortcut = Shortcut(
        bound,
        function,
        addresses,
        arrays=len(operation_inputs(record, operation)) - len(record.parameters),
        defaults=tuple(parameter.default for parameter in record.parameters.values()),
        rowwise=isinstance(record, _rowwise.RowActivation),
        reduces=isinstance(record, _rowwise.RowActivation) and record.reduces,
    )
    return functools.update_wrapper(shortcut, function)


def _checker(record: Activation) -> Callable[..., None] | None:
    """Refuses numbers that make no sense as parameters; arrays of parameters pass unread."""
    if not any(parameter.accepts or parameter.not_below for parameter in record.parameters.values()):
        return None

    def check(*values: Any) -> None:
        given = dict(zip(record.parameters, values, strict=True))
        for name, value in given.items():
            parameter = record.parameters[name]
            if not isinstance(value, (int, float)):
                continue
            least = given.get(parameter.not_below or "")
            below = isinstance(least, (int, float)) and value < least
            if below or (parameter.accepts and not parameter.accepts(value)):
                raise ValueError(f"{record.name}: {name} is {value!r}, expected {parameter.requirement}")

    return check
