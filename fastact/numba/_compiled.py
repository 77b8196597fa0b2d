"""Machine code for the reference formulas: functions of numbers, and ufuncs of arrays.

A formula is compiled in the type that it computes in: float64, over one namespace or the other, float32, or an integer
type.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core.caching import FunctionCache, NullCache

from fastact._fallback import derivative_of, formula_of, times_grad
from fastact._records import Activation, loop_name, operation_inputs
from fastact._version import __version__
from fastact.numba import _float32, _float64, _single
from fastact.numba._bits import inline, inline_as_written, inline_float32, is_same_address

Function = Callable[..., Any]


@inline
def same(x: Any) -> Any:
    """What stands where an argument or a result needs no conversion."""
    return x


# Numba takes an argument's name from the code of the function, and inlines no `*arguments` well: a body for each number
# of arguments serves all functions of so many.
def applied(name: str, inputs: Sequence[str], core: Function, enter: Sequence[Any], leave: Any = same) -> FunctionType:
    """The function `leave(core(enter[0](a), enter[1](b), ...))` under a name, with named inputs."""
    enter_a, enter_b, enter_c, enter_d = (*enter, same, same, same)[:4]

    def one(a: Any) -> Any:
        return leave(core(enter_a(a)))

    def two(a: Any, b: Any) -> Any:
        return leave(core(enter_a(a), enter_b(b)))

    def three(a: Any, b: Any, c: Any) -> Any:
        return leave(core(enter_a(a), enter_b(b), enter_c(c)))

    def four(a: Any, b: Any, c: Any, d: Any) -> Any:
        return leave(core(enter_a(a), enter_b(b), enter_c(c), enter_d(d)))

    body = (one, two, three, four)[len(inputs) - 1]
    code = body.__code__.replace(co_name=name, co_qualname=name, co_varnames=tuple(inputs))
    return FunctionType(code, body.__globals__, name, None, body.__closure__)


def formula(record: Activation, operation: str, kind: types.Type) -> Function:
    """An operation's formula, compiled to be part of its callers: numbers of the type that is computed in to the same.

    Beside the usual operations there is "second_derivative", that by the second of two operands.
    """
    if operation.endswith("backward"):
        return inline(times_grad(formula(record, derivative_of(operation), kind)))
    if operation == "second_derivative":
        return inline(_second_derivative(record, kind))
    if kind != types.float32:
        return inline_as_written(formula_of(record, operation, _float64, np.float64))
    if loop_name(record, operation) in _single.FORMULAS:
        return inline_float32(_single.in_float32(formula_of(record, operation, _single, np.float32)))
    shorter = _float32.FORMULAS.get(loop_name(record, operation))
    return shorter or inline_float32(formula_of(record, operation, _float32, np.float64))


def _second_derivative(record: Activation, kind: types.Type) -> Function:
    if record.name != "prelu":
        value = formula(record, "value", kind)
        return lambda gate, _: value(gate, 1.0)  # a gate is linear in its value
    weight_derivative = formula(record, "weight_derivative", kind)
    return lambda x, _: weight_derivative(x)


@functools.cache
def scalar_function(record: Activation, operation: str, kind: types.Type) -> FunctionType:
    """The operation on numbers of one type, for Numba to compile."""
    computed = derivative_of(operation) if operation.endswith("backward") else operation
    is_wide = kind == types.float32 and loop_name(record, computed) not in _single.FORMULAS
    wide = types.float64 if is_wide else kind
    inputs = operation_inputs(record, operation)
    core = formula(record, operation, kind)
    return applied(loop_name(record, operation), inputs, core, [wide] * len(inputs), kind)


@functools.cache
def number_function(record: Activation, operation: str, kind: types.Type) -> Function:
    """The operation on numbers of one type, compiled to be part of its callers."""
    return inline_as_written(scalar_function(record, operation, kind))


@functools.cache
def array_function(record: Activation, operation: str, kind: types.Type) -> Function:
    """The operation's ufunc for one type; that of fastact's own formulas is kept on disk for the next process."""
    function = scalar_function(record, operation, kind)
    ufunc = numba.vectorize(nopython=True)(function)
    ufunc._dispatcher.cache = _cache_for(record, function)
    ufunc.add(kind(*[kind] * function.__code__.co_argcount))
    ufunc.disable_compile()
    return ufunc


# By the numbers of arrays and parameters: what calls a function with those that it has.
CALLS: dict[tuple[int, int], Callable[[Function], Function]] = {
    (1, 0): lambda f: lambda a, b, p, q: f(a),
    (1, 1): lambda f: lambda a, b, p, q: f(a, p),
    (1, 2): lambda f: lambda a, b, p, q: f(a, p, q),
    (2, 0): lambda f: lambda a, b, p, q: f(a, b),
    (2, 1): lambda f: lambda a, b, p, q: f(a, b, p),
    (2, 2): lambda f: lambda a, b, p, q: f(a, b, p, q),
}


@functools.cache
def kernel(record: Activation, operation: str, kind: types.Type) -> Any:
    """A C function that computes blocks as fastact's kernels do, a `block_kernel` of elementwise.h.

    Parameters are numbers, each the first of its operand; the result may be one of the arrays. None stands for a
    formula that may raise, for nobody would hear of it. Cached, so that it stays where it is: ufuncs are never deleted.
    """
    parameters = len(record.parameters)
    arrays = len(operation_inputs(record, operation)) - parameters
    call = inline_as_written(CALLS[arrays, parameters](number_function(record, operation, kind)))
    # Where an operand is that is not there, the first one is read, and what was read dropped.
    of_b = 1 if arrays == 2 else 0
    of_p, of_q = arrays if parameters else 0, arrays + 1 if parameters == 2 else 0

    # One loop for each array that the result may be: LLVM's loops over vectors take two pointers to be apart.
    def compute(inputs: Any, result: Any, n: Any, uniform: Any) -> None:
        a, b, p, q = inputs[0], inputs[of_b], inputs[of_p][0], inputs[of_q][0]
        if is_same_address(a, result):
            for i in range(n):
                result[i] = call(result[i], b[i], p, q)
        elif is_same_address(b, result):
            for i in range(n):
                result[i] = call(a[i], result[i], p, q)
        else:
            for i in range(n):
                result[i] = call(a[i], b[i], p, q)

    pointer = types.CPointer(kind)
    signature = types.void(types.CPointer(pointer), pointer, types.intp, types.intc)
    compiled = numba.cfunc(signature, error_model="numpy")(compute)
    raises = "numba_gil_ensure" in compiled.inspect_llvm()  # what an exception would be printed under
    return None if raises else compiled


def block_function(record: Activation, operation: str, kind: types.Type) -> Function:
    """The operation on blocks of one dimension. A ufunc's loop vectorises only where every input advances."""
    ufunc = array_function(record, operation, kind)
    if not record.parameters:
        return ufunc
    inputs = operation_inputs(record, operation)
    operands = len(inputs) - len(record.parameters)
    name = f"{loop_name(record, operation)}_of_numbers"
    loop: Any = numba.njit(applied(name, inputs, ufunc, [same] * len(inputs)))
    loop._cache = _cache_for(record, loop.py_func)
    loop.compile((kind[::1],) * operands + (kind,) * len(record.parameters))

    def compute(*blocks: Any) -> Any:
        arrays, parameters = blocks[:operands], blocks[operands:]
        if any(parameter.strides != (0,) for parameter in parameters):
            return ufunc(*blocks)
        return loop(*map(np.ascontiguousarray, arrays), *(parameter[0] for parameter in parameters))

    return compute


def _cache_for(record: Activation, function: FunctionType) -> Any:
    """What keeps an operation's machine code: nothing does for a formula that is not fastact's own."""
    ours = record.make_formulas.__module__.startswith("fastact._elementwise.")
    return PackageCache(function) if ours else NullCache()


class PackageCache(FunctionCache):
    """Numba's cache on disk, for code that is made of more functions than the one that it is kept for.

    Numba itself would look for changes in that function's file alone, and tell closures apart by pickling them.
    """

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        return signature, codegen.magic_tuple(), __version__, _last_change()


@functools.cache
def _last_change() -> int:
    """When the sources of formulas and namespaces changed last."""
    package = Path(__file__).parents[1]
    return max(
        file.stat().st_mtime_ns for folder in ("_elementwise", "numba") for file in (package / folder).glob("*.py")
    )
