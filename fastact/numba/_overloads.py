"""How the elementwise functions are compiled when a user's own compiled code calls them.

Numba asks for each call with the types of its arguments. The dtype follows the one rule of all engines, but for what
compiled code cannot know: a number there may have been Python's or NumPy's. So numbers adapt to the arrays beside them,
and parameters to the operands.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import overload
from numba.np.numpy_support import as_dtype, from_dtype

from fastact import _promotion
from fastact._records import Activation, operation_inputs
from fastact.numba._bits import inline
from fastact.numba._compiled import applied, array_function, number_function, same


def register(function: Any, record: Activation, operation: str) -> None:
    """Makes Numba compile calls of an elementwise function."""
    defaults = default_values(record)
    inputs = operation_inputs(record, operation)
    required = len(inputs) - len(defaults)
    signature = inspect.Signature([
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD,
                          default=defaults[k - required] if k >= required else inspect.Parameter.empty)
        for k, name in enumerate(inputs)
    ])  # fmt: skip

    def choose(*arguments: types.Type, **named: types.Type) -> FunctionType:
        given = signature.bind(*arguments, **named)
        given.apply_defaults()
        function = implementation(record, operation, list(given.arguments.values()))
        function.__defaults__ = defaults
        return function

    choose.__signature__ = signature  # type: ignore[attr-defined]
    overload(function, inline="always")(choose)


def default_values(record: Activation) -> tuple[float, ...]:
    """The parameters' defaults; whole numbers as integers where a float would make an integer result floating."""
    defaults = [parameter.default for parameter in record.parameters.values() if parameter.default is not None]
    return tuple(int(value) if record.keeps_integers and value.is_integer() else value for value in defaults)


def implementation(record: Activation, operation: str, given: Sequence[Any]) -> FunctionType:
    """The function that serves a call with arguments of these types."""
    inputs = operation_inputs(record, operation)
    kind = computing_type(record, inputs, given)
    compiled = array_function if any(is_array(argument) for argument in given) else number_function
    enter = [same if is_array(argument) else kind for argument in given]
    first = compiled(record, operation, kind)
    if operation == "value" or len(record.operands) == 1:
        return applied(record.name, inputs, first, enter)
    return _pair(record.name, inputs, (first, compiled(record, "second_derivative", kind)), enter)


def _pair(name: str, inputs: Sequence[str], cores: Sequence[Callable[..., Any]], enter: Sequence[Any]) -> FunctionType:
    """The function that gives two derivatives."""
    first, second = (inline(applied(name, inputs, core, enter)) for core in cores)

    def pair(a: Any, b: Any) -> Any:
        return first(a, b), second(a, b)

    code = pair.__code__.replace(co_name=name, co_qualname=name, co_varnames=tuple(inputs))
    return FunctionType(code, pair.__globals__, name, None, pair.__closure__)


def computing_type(record: Activation, inputs: Sequence[str], given: Sequence[Any]) -> types.Type:
    """The type of a call's result: arrays decide, or the operands where there are no arrays."""
    arrays = any(is_array(argument) for argument in given)
    dtypes = {
        name: _python_type(argument)
        if not is_array(argument) and (arrays or name in record.parameters)
        else _dtype(record, name, argument)
        for name, argument in zip(inputs, given, strict=True)
        if not isinstance(argument, types.Omitted | int | float)  # defaults have no say
    }
    return result_type(record, dtypes)


def result_type(record: Activation, dtypes: Mapping[str, Any]) -> types.Type:
    """Numba's type for the dtype that a call computes in, from those of its arguments."""
    try:
        dtype = _promotion.result_dtype(record.name, dtypes, dtypes.values(), record.keeps_integers)
    except TypeError as error:
        raise NumbaTypeError(str(error)) from None
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        raise NumbaTypeError(f"{record.name}: {dtype} is not there in compiled code, only float32 and float64")
    return from_dtype(dtype)


def is_array(argument: Any) -> bool:
    return isinstance(argument, types.Array)


def _dtype(record: Activation, name: str, argument: Any) -> np.dtype[Any]:
    element = argument.dtype if is_array(argument) else types.unliteral(argument)
    if not isinstance(element, types.Number | types.Boolean):
        raise NumbaTypeError(f"{record.name}: argument {name} is {argument}, expected real numbers")
    return as_dtype(element)


def _python_type(argument: Any) -> type:
    """The type of Python number that a number is treated as."""
    kind = types.unliteral(argument)
    return bool if isinstance(kind, types.Boolean) else int if isinstance(kind, types.Integer) else float
