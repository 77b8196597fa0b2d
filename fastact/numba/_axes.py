"""How the functions along an axis are compiled: softmax and its kin over rows, and glu over halves."""

from __future__ import annotations

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
from fastact.numba import _float32, _float64, _single
from fastact.numba._bits import inline, later, number_at, select
from fastact.numba._compiled import array_function, same
from fastact.numba._overloads import is_array, result_type

Function = Callable[..., Any]

# The sum of a row may be taken in any order: one sum for each lane of a vector.
in_lanes: Callable[[Any], Any] = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc"})
row_loop: Callable[[Any], Any] = numba.njit(nogil=True, error_model="numpy")

# Exponentials of short rows that are computed at a time, in cache.
BLOCK = 1024
# The longest row whose terms are computed together with those of others.
SHORT = 128
# Terms that stay in cache until they are summed.
PART = 2048
# The place of minus infinity.
LOWEST_32, LOWEST_64 = np.int32(~0x7F800000), np.int64(~0x7FF0000000000000)


def register(function: Function, record: Activation, operation: str) -> None:
    """Makes Numba compile calls of a function along an axis, which has to be a constant."""

    def choose(x: Any, axis: Any = -1) -> Function:
        if not is_array(x) or x.ndim == 0:
            raise NumbaTypeError(f"{record.name}: argument x is {x}, expected an array with an axis")
        kind = result_type(record, {"x": as_dtype(x.dtype)})
        order = _order(record, x.ndim, axis)
        if isinstance(record, RowActivation):
            return _of_rows(record, kind, order)
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


def _is_sorted(order: tuple[int, ...]) -> bool:
    return order == tuple(sorted(order))


@inline
def rest_of(maximum: Any, below: Any, ties: Any) -> Any:
    """The sum of a row's terms exp(x - maximum) but for one of the maximum's own."""
    return select(math.fabs(maximum) == math.inf, math.nan, below + (ties - 1.0))


def _over_rows(record: RowActivation, kind: types.Type) -> Function:
    """The function of rows, the entries of each one after another in memory.

    It is one function, for calls take longer than a row of ten, and longer still to compile.
    """
    exp, sign = (_float32 if kind == types.float32 else _float64).exp, record.sign
    scalar, lowest = (np.float32, LOWEST_32) if kind == types.float32 else (np.float64, LOWEST_64)
    narrow_sign, zero, one = scalar(sign), np.float32(0), np.float32(1)
    # Over float64's namespace, for a logarithm of the sum needs all of log1p.
    formula = inline(record.make_formulas(_float64, np.float64)[0])
    reduces, of_terms = record.reduces, record.name in ("softmax", "softmin")

    def short(rows: Any, results: Any) -> None:
        """Several rows at a time, for a loop of ten exponentials is slow."""
        n = rows.shape[1]
        step = max(1, BLOCK // max(1, n))
        terms, maxima, rests = np.empty(step * n), np.empty(step), np.empty(step)
        for first in range(0, rows.shape[0], step):
            count = min(step, rows.shape[0] - first)
            for r in range(count):
                row, differences = rows[first + r], terms[r * n : (r + 1) * n]
                place = lowest
                for i in range(n):
                    place = later(place, narrow_sign * scalar(row[i]))
                maxima[r] = maximum = np.float64(number_at(place))
                for i in range(n):
                    differences[i] = sign * np.float64(row[i]) - maximum
            some = terms[: count * n]
            for i in range(some.size):
                some[i] = exp(some[i])
            for r in range(count):
                row_terms, below, ties = terms[r * n : (r + 1) * n], 0.0, 0.0
                if of_terms:
                    for i in range(n):
                        below += row_terms[i]
                    result, factor = results[first + r], 1.0 / below
                    for i in range(n):
                        result[i] = row_terms[i] * factor
                else:
                    for i in range(n):
                        below += select(row_terms[i] == 1.0, 0.0, row_terms[i])
                        ties += select(row_terms[i] == 1.0, 1.0, 0.0)
                    rests[r] = rest_of(maxima[r], below, ties)
            if reduces:
                some_results = results[first : first + count]
                for r in range(count):
                    some_results[r] = formula(maxima[r], rests[r])
            elif not of_terms:
                for r in range(count):
                    row, result, maximum, rest = rows[first + r], results[first + r], maxima[r], rests[r]
                    for i in range(n):
                        result[i] = formula(sign * np.float64(row[i]), maximum, rest)

    def long(rows: Any, results: Any) -> None:
        """One row at a time, whose terms are kept in the result if they are needed again."""
        for r in range(rows.shape[0]):
            row = rows[r]
            place = lowest
            for i in range(row.size):
                place = later(place, narrow_sign * scalar(row[i]))
            maximum, below, ties = np.float64(number_at(place)), 0.0, 0.0
            if of_terms:
                result, total = results[r], 0.0
                for i in range(row.size):
                    term = exp(sign * np.float64(row[i]) - maximum)
                    result[i] = term
                    total += term
                factor = 1.0 / total
                for i in range(row.size):
                    result[i] *= factor
            else:
                for i in range(row.size):
                    term = exp(sign * np.float64(row[i]) - maximum)
                    below += select(term == 1.0, 0.0, term)
                    ties += select(term == 1.0, 1.0, 0.0)
                rest = rest_of(maximum, below, ties)
                if reduces:
                    results[r] = formula(maximum, rest)
                else:
                    result = results[r]
                    for i in range(row.size):
                        result[i] = formula(sign * np.float64(row[i]), maximum, rest)

    def long_in_float32(rows: Any, results: Any) -> None:
        """The same in float32, but for the sum, which would lose digits in it."""
        for r in range(rows.shape[0]):
            row, result, place = rows[r], results[r], lowest
            for i in range(row.size):
                place = later(place, narrow_sign * row[i])
            maximum, below, ties = number_at(place), 0.0, 0.0
            for first in range(0, row.size, PART):
                numbers, terms, ties_here = row[first : first + PART], result[first : first + PART], zero
                for i in range(numbers.size):
                    term = _single.exp_of_difference(narrow_sign * numbers[i], maximum)
                    ties_here += select(term == one, one, zero)
                    terms[i] = term if of_terms else select(term == one, zero, term)
                quarter = numbers.size // 4
                for i in range(quarter):  # four at a time, which rounds little: float64 has half as many lanes
                    left, right = terms[i] + terms[i + quarter], terms[i + 2 * quarter] + terms[i + 3 * quarter]
                    below += np.float64(left + right)
                for i in range(4 * quarter, numbers.size):
                    below += np.float64(terms[i])
                ties += np.float64(ties_here)
            if of_terms:
                factor = np.float32(1.0 / below)
                for i in range(row.size):
                    result[i] *= factor
            else:
                rest = rest_of(np.float64(maximum), below, ties)
                for i in range(row.size):
                    result[i] = formula(sign * np.float64(row[i]), np.float64(maximum), rest)

    # Where a row becomes one number, the maximum and the logarithm of the sum may cancel.
    single = kind == types.float32 and not reduces
    compute_short, compute_long = in_lanes(short), in_lanes(long_in_float32 if single else long)

    def compute(rows: Any, results: Any) -> None:
        if rows.shape[1] > SHORT:
            compute_long(rows, results)
        else:
            compute_short(rows, results)

    return inline(compute)


def _of_rows(record: RowActivation, kind: types.Type, order: tuple[int, ...]) -> Function:
    compute, ordered, dtype, last = _over_rows(record, kind), _transposition(order), as_dtype(kind), len(order) - 1

    def of_one(x: Any, axis: Any = -1) -> Any:
        result = np.empty(1, dtype)
        compute(np.ascontiguousarray(x).reshape((1, x.size)), result)
        return result[0]

    def of_several(x: Any, axis: Any = -1) -> Any:
        rows = ordered(x)
        result = np.empty(rows.shape[:-1], dtype)
        compute(np.ascontiguousarray(rows).reshape((result.size, rows.shape[last])), result.reshape(result.size))
        return result

    def along_last(x: Any, axis: Any = -1) -> Any:
        result = np.empty(x.shape, dtype)
        shape = (x.size // max(1, x.shape[last]), x.shape[last])
        compute(np.ascontiguousarray(x).reshape(shape), result.reshape(shape))
        return result

    if record.reduces:
        return of_several if last else of_one
    if _is_sorted(order):
        return along_last
    with_sorted = row_loop(along_last)

    def along_another(x: Any, axis: Any = -1) -> Any:
        result = np.empty(x.shape, dtype)
        ordered(result)[...] = with_sorted(ordered(x))
        return result

    return along_another


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
