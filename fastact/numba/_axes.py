"""How the functions along an axis are compiled: softmax and its kin over rows, and glu over halves."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.errors import NumbaTypeError
from numba.extending import overload
from numba.np.numpy_support import as_dtype

from fastact._records import Activation
from fastact._rowwise import RowActivation
from fastact.numba import _float32, _float64
from fastact.numba._bits import bits_of, float_of, inline, select
from fastact.numba._compiled import array_function, same
from fastact.numba._overloads import is_array, result_type

Function = Callable[..., Any]

# The sum of a row may be taken in any order: one sum for each lane of a vector.
in_lanes: Callable[[Any], Any] = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc"})
row_loop: Callable[[Any], Any] = numba.njit(nogil=True, error_model="numpy")


def register(function: Function, record: Activation, operation: str) -> None:
    """Makes Numba compile calls of a function along an axis, which has to be a constant."""

    def choose(x: Any, axis: Any = -1) -> Function:
        if not is_array(x) or x.ndim == 0:
            raise NumbaTypeError(f"{record.name}: argument x is {x}, expected an array with an axis")
        kind = result_type(record, {"x": as_dtype(x.dtype)})
        order = _order(record, x.ndim, axis)
        if isinstance(record, RowActivation):
            return (_reducing if record.reduces else _row_by_row)(record, kind, order)
        return _over_halves(record, operation, kind, order)

    overload(function, prefer_literal=True)(choose)


def supports(record: Activation, operation: str) -> bool:
    """Whether there is compiled code for an operation along an axis."""
    if isinstance(record, RowActivation):
        return operation == "value" and record.statistics == "exponentials"
    return operation != "backward"


def _order(record: Activation, ndim: int, axis: Any) -> tuple[int, ...]:
    """The order of the dimensions that puts the axis last."""
    if isinstance(axis, types.Omitted):
        axis = axis.value
    elif isinstance(axis, types.IntegerLiteral):
        axis = axis.literal_value
    if not isinstance(axis, int):
        raise NumbaTypeError(f"{record.name}: argument axis is {axis}, expected an integer constant")
    if not -ndim <= axis < ndim:
        raise NumbaTypeError(f"{record.name}: axis {axis} is out of bounds for an array of dimension {ndim}")
    return (*(k for k in range(ndim) if k != axis % ndim), axis % ndim)


def _transposition(order: tuple[int, ...]) -> Function:
    """What puts an array's dimensions into an order."""
    return same if _is_sorted(order) else inline(lambda x: x.transpose(order))


def _gathering(order: tuple[int, ...]) -> Function:
    """What makes a row contiguous where dimensions are in another order, so that its loops vectorise."""
    return same if _is_sorted(order) else inline(lambda row: np.ascontiguousarray(row))


def _is_sorted(order: tuple[int, ...]) -> bool:
    return order == tuple(sorted(order))


@inline
def in_order(x: Any) -> Any:
    """An integer that is greater where x is greater, and greatest where x is NaN: LLVM vectorises its maximum."""
    bits = bits_of(select(x != x, math.nan, x))
    return bits ^ ((bits >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF))


@inline
def out_of_order(place: Any) -> Any:
    """The number that `in_order` gives this place."""
    return float_of(place ^ ((place >> np.int64(63)) & np.int64(0x7FFFFFFFFFFFFFFF)))


@functools.cache
def _statistics(exp: Function, sign: int) -> Function:
    """The maximum of sign * row, and the sum of exp(x - maximum) over all other entries."""

    def exponentials(row: Any) -> tuple[Any, Any]:
        place = in_order(-math.inf)
        for i in range(row.size):
            place = max(place, in_order(sign * np.float64(row[i])))
        maximum = out_of_order(place)
        below, ties = 0.0, 0.0
        for i in range(row.size):
            x = sign * np.float64(row[i])
            below += select(x == maximum, 0.0, exp(x - maximum))
            ties += select(x == maximum, 1.0, 0.0)
        return maximum, select(math.fabs(maximum) == math.inf, math.nan, below + (ties - 1.0))

    return in_lanes(exponentials)


def _of_a_row(record: RowActivation, kind: types.Type) -> tuple[Function, Function]:
    """A row's statistics and the formula over them. A logarithm of the sum needs all of log1p."""
    namespace = _float32 if kind == types.float32 else _float64
    of_formula = _float64 if record.name in ("log_softmax", "logsumexp") else namespace
    formula = record.make_formulas(of_formula, np.float64)[0]
    return _statistics(namespace.exp, record.sign), inline(formula)


def _reducing(record: RowActivation, kind: types.Type, order: tuple[int, ...]) -> Function:
    statistics, formula = _of_a_row(record, kind)
    ordered, gathered, dtype = _transposition(order), _gathering(order), as_dtype(kind)

    def one(x: Any, axis: Any = -1) -> Any:
        return kind(formula(*statistics(x)))

    def several(x: Any, axis: Any = -1) -> Any:
        rows = ordered(x)
        result = np.empty(rows.shape[:-1], dtype)
        for index in np.ndindex(result.shape):
            result[index] = formula(*statistics(gathered(rows[index])))
        return result

    return one if len(order) == 1 else several


def _row_by_row(record: RowActivation, kind: types.Type, order: tuple[int, ...]) -> Function:
    statistics, formula = _of_a_row(record, kind)
    ordered, gathered, dtype, sign = _transposition(order), _gathering(order), as_dtype(kind), record.sign

    @row_loop
    def compute(row: Any, result: Any) -> None:
        maximum, rest = statistics(row)
        for i in range(row.size):
            result[i] = formula(sign * np.float64(row[i]), maximum, rest)

    def one(x: Any, axis: Any = -1) -> Any:
        result = np.empty(x.shape, dtype)
        compute(x, result)
        return result

    def several(x: Any, axis: Any = -1) -> Any:
        result = np.empty(x.shape, dtype)
        rows, places = ordered(x), ordered(result)
        for index in np.ndindex(rows.shape[:-1]):
            compute(gathered(rows[index]), places[index])
        return result

    return one if len(order) == 1 else several


def _over_halves(record: Activation, operation: str, kind: types.Type, order: tuple[int, ...]) -> Function:
    """The value, or both derivatives in the halves that their operands lie in: the value's first."""
    ordered, back = _transposition(order), _transposition(tuple(np.argsort(order).tolist()))
    by_gate, last = array_function(record, operation, kind), len(order) - 1
    by_value = array_function(record, "second_derivative", kind)
    message = f"{record.name}: x has an odd size along the axis, expected an even size"

    def value(x: Any, axis: Any = -1) -> Any:
        rows = ordered(x)
        half = rows.shape[-1] // 2
        if rows.shape[-1] % 2:
            raise ValueError(message)
        return back(by_gate(rows[..., half:], rows[..., :half]))

    def derivative(x: Any, axis: Any = -1) -> Any:
        rows = ordered(x)
        half = rows.shape[-1] // 2
        if rows.shape[-1] % 2:
            raise ValueError(message)
        gate, value = rows[..., half:], rows[..., :half]
        return back(np.concatenate((by_value(gate, value), by_gate(gate, value)), last))

    return value if operation == "value" else derivative
