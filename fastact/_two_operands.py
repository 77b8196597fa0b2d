"""Functions of two operands, which have two gradients: prelu, the gates, and glu, which takes both from one array."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from fastact import _foreign, _promotion, _ufuncs
from fastact._engine import Engine
from fastact._records import Activation, loop_name

Pair = tuple[Any, Any]
Results = tuple[Any, ...]

SMALL = 4096
"""Elements of an array that a ufunc serves as fast as a job of the kernels does."""


def make(record: Activation, operation: str, engine: Engine, doc: str) -> Callable[..., Any]:
    """The public function of an operation of a record with two operands."""

    def ufunc(operation: str) -> Any:
        return _ufuncs.keep(engine.make(record, operation, loop_name(record, operation), doc))

    if operation == "value":
        value = ufunc("value")
        return _halves_value(value, _Planes(record, operation, engine)) if record.halved else value
    value = getattr(_ufuncs, record.name)  # dask's graphs hold it, and pickle wants the one that it finds by its name
    if operation == "derivative":
        pair = _derivative_pair(record, ufunc, value)
        return _halves_derivative(pair) if record.halved else pair
    planes = _Planes(record, operation, engine)
    backward = _backward_pair(record, ufunc, value, planes)
    return _halves_backward(backward) if record.halved else _backward(record, backward, planes)


def _derivative_pair(record: Activation, ufunc: Callable[[str], Any], value: Any) -> Callable[..., Pair]:
    by_first = ufunc("derivative")
    by_second = ufunc(f"{record.operands[1]}_derivative") if record.name == "prelu" else None

    def derivative(first: Any, second: Any) -> Pair:
        if by_second is not None:
            return by_first(first, second), by_second(first)
        return by_first(first, second), value(first, 1)  # a gate is linear in its value

    return derivative


class _Planes:
    """An operation on arrays of any layout as one job of the kernels, where the engine has one."""

    def __init__(self, record: Activation, operation: str, engine: Engine) -> None:
        self.record, self.job = record, engine.over_planes(record, operation)

    def __call__(self, arrays: Results, out: Results) -> Results | None:
        """The results, in `out` where it has an array; None if ufuncs have to compute them."""
        return self.at_once(arrays, out) or self.prepared(arrays, out)

    def at_once(self, arrays: Results, out: Results) -> Results | None:
        """The same for arrays that the job takes as they are, of which the first has the results' shape; else None."""
        if self.job is None or type(arrays[0]) is not np.ndarray:
            return None
        results = tuple(np.empty_like(arrays[0]) if target is None else target for target in out)
        if not self.job(arrays, results):
            return None
        if arrays[0].ndim == 0:  # numbers, where nobody asked for arrays
            return tuple(result[()] if target is None else target for target, result in zip(out, results, strict=True))
        return results

    def prepared(self, arrays: Results, out: Results) -> Results | None:
        """The same for arrays of several shapes or dtypes, and for outputs that overlap them."""
        if self.job is None or any(map(_foreign.is_dask, arrays)):
            return None
        inputs = ("grad", *self.record.operands)[-len(arrays) :]
        dtype = _promotion.result_dtype(self.record.name, inputs, [array.dtype for array in arrays], False)
        ready = tuple(np.require(array, dtype, "A") for array in np.broadcast_arrays(*arrays))
        results = self.at_once(ready, (None,) * len(out))
        if results is None:
            return None
        for target, result in zip(out, results, strict=True):
            if target is not None:
                np.copyto(target, result, casting="same_kind")
        return tuple(result if target is None else target for target, result in zip(out, results, strict=True))


def _backward_pair(record: Activation, ufunc: Callable[[str], Any], value: Any, planes: _Planes) -> Callable[..., Pair]:
    by_first = ufunc("backward")
    by_second = ufunc(f"{record.operands[1]}_backward") if record.name == "prelu" else None

    def backward(grad: Any, first: Any, second: Any, out: Pair = (None, None)) -> Pair:
        both = planes((grad, first, second), out)
        if both is not None:
            return both
        # The second gradient still needs these, which the first one may be asked to overwrite.
        needed = (grad, first, second) if out[1] is None else (grad, first, second, out[1])
        wait = out[0] is not None and any(np.may_share_memory(out[0], array) for array in needed)
        first_gradient = by_first(grad, first, second, out=None if wait else out[0])
        if by_second is not None:
            second_gradient = by_second(grad, first, out=out[1])
        else:
            second_gradient = value(first, grad, out=out[1])  # a gate is linear in its value
        if wait:
            np.copyto(out[0], first_gradient, casting="same_kind")
            first_gradient = out[0]
        return first_gradient, second_gradient

    return backward


def _backward(record: Activation, pair: Callable[..., Pair], planes: _Planes) -> Callable[..., Pair]:
    """The gradients with respect to both operands, each in its operand's shape."""

    def backward(grad: Any, first: Any, second: Any, *, out: Pair | None = None) -> Pair:
        arrays = grad, first, second = _array(grad), _array(first), _array(second)
        alike = grad.shape == first.shape == second.shape
        if out is None:
            gradients = pair(grad, first, second)
            return gradients if alike else _summed(gradients, (first.shape, second.shape))
        if alike and isinstance(out, tuple) and len(out) == 2:  # the job itself looks at them
            both = planes.at_once(arrays, out)
            if both is not None:
                return both
        _check_out(record, out, arrays)
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        if first.shape == second.shape == shape:
            return pair(grad, first, second, out)
        for target, gradient in zip(out, _summed(pair(grad, first, second), (first.shape, second.shape)), strict=True):
            if target is not None:
                np.copyto(target, gradient, casting="same_kind")
        return out

    return backward


def _summed(gradients: Pair, shapes: Pair) -> Pair:
    """Each gradient in its operand's shape: the sum over what the operand was broadcast over."""

    def summed(gradient: Any, shape: tuple[int, ...]) -> Any:
        if gradient.shape == shape:
            return gradient
        added = gradient.ndim - len(shape)
        stretched = (added + axis for axis, size in enumerate(shape) if size == 1)
        exact = np.result_type(gradient.dtype, np.float64)
        total = gradient.sum(axis=(*range(added), *stretched), dtype=exact, keepdims=True)
        return total.reshape(shape).astype(gradient.dtype)[()]

    first, second = (summed(_array(gradient), shape) for gradient, shape in zip(gradients, shapes, strict=True))
    return first, second


def _check_out(record: Activation, out: Any, arrays: Results) -> None:
    """Refuses outputs that cannot take the gradients, before anything is written."""
    if any(map(_foreign.is_dask, arrays)):
        raise TypeError(f"{record.name}: out is not there for dask arrays")
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(f"{record.name}: out is {type(out).__name__}, expected a tuple of two arrays or None")
    dtype = _promotion.result_dtype(record.name, ("grad", *record.operands), [array.dtype for array in arrays], False)
    for name, target, operand in zip(record.operands, out, arrays[1:], strict=True):
        if target is None:
            continue
        if not isinstance(target, np.ndarray):
            raise TypeError(f"{record.name}: out for {name} is {type(target).__name__}, expected an ndarray")
        if target.shape != operand.shape:
            raise ValueError(f"{record.name}: out for {name} has shape {target.shape}, expected {operand.shape}")
        if not np.can_cast(dtype, target.dtype, "same_kind"):
            raise TypeError(f"{record.name}: out for {name} has dtype {target.dtype}, expected {dtype}")
        if not target.flags.writeable:
            raise ValueError(f"{record.name}: out for {name} is read-only")


def _array(operand: Any) -> Any:
    """An operand as an array, which may be a lazy one of dask."""
    return operand if _foreign.is_dask(operand) else np.asarray(operand)


def _halves(x: Any, axis: int) -> Pair:
    """The gate and the value that one array holds: its second half along the axis, and its first."""
    axis = operator.index(axis)
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    size = x.shape[axis]
    if size % 2:
        raise ValueError(f"glu: x has size {size} along axis {axis}, expected an even size")
    whole: list[slice] = [slice(None)] * x.ndim
    first, second = whole.copy(), whole.copy()
    first[axis], second[axis] = slice(size // 2), slice(size // 2, None)
    return x[tuple(second)], x[tuple(first)]


def _halves_value(value: Any, planes: _Planes) -> Callable[..., Any]:
    def glu(x: Any, axis: int = -1, **keywords: Any) -> Any:
        whole = x if _foreign.is_dask(x) else np.asanyarray(x)
        halves = _halves(whole, axis)
        # A ufunc's loop would be called for each row, which only small arrays do not feel.
        rows = type(whole) is np.ndarray and whole.size > SMALL and not halves[0].flags.c_contiguous
        if rows and keywords.keys() <= {"out"}:
            results = planes.at_once(halves, (keywords.get("out"),))
            if results is not None:
                return results[0]
        return value(*halves, **keywords)

    return glu


def _halves_derivative(pair: Callable[..., Pair]) -> Callable[..., Any]:
    def glu(x: Any, axis: int = -1) -> Any:
        by_gate, by_value = pair(*_halves(_array(x), axis))
        return np.concatenate((by_value, by_gate), axis=axis)

    return glu


def _halves_backward(pair: Callable[..., Pair]) -> Callable[..., Any]:
    def glu(grad: Any, x: Any, axis: int = -1, *, out: Any = None) -> Any:
        grad, x = _array(grad), _array(x)
        gate, value = _halves(x, axis)
        if _foreign.is_dask(grad) or _foreign.is_dask(x):
            if out is not None:
                raise TypeError("glu: out is not there for dask arrays")
            by_gate, by_value = pair(grad, gate, value)
            return np.concatenate((by_value, by_gate), axis=axis)
        if out is None:
            dtype = _promotion.result_dtype("glu", ("grad", "x"), [grad.dtype, x.dtype], False)
            out = np.empty_like(x, dtype=dtype)
        elif out.shape != x.shape:
            raise ValueError(f"glu: out has shape {out.shape}, expected {x.shape}")
        pair(grad, gate, value, _halves(out, axis))
        return out

    return glu
