"""The row-wise functions without a C compiler: the reference formulas over NumPy, in blocks that stay in cache.

A row is read in chunks, as often as its statistics need; then its results are computed, again in chunks. So no
temporary has the size of the input, however long a row is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fastact import _numpy_namespace
from fastact._fallback import BLOCK, computing_dtype

Array = Any
# Makes the chunks of some rows anew: tuples of two-dimensional arrays, one for each input, rows along the last axis.
Chunks = Callable[[], Iterator[tuple[Array, ...]]]


def _sum(terms: Array) -> Array:
    return np.sum(terms, axis=-1, keepdims=True)


def _maximum(chunks: Chunks) -> Array:
    """The largest entry of each row; NaN if there is a NaN."""
    largest = -np.inf
    for (x,) in chunks():
        largest = np.maximum(largest, np.max(x, axis=-1, keepdims=True))
    return largest


def exponentials(chunks: Chunks) -> tuple[Array, ...]:
    """The maximum, and the sum of exp(x - maximum) over all other entries."""
    maximum = _maximum(chunks)
    below, ties = 0, 0
    for (x,) in chunks():
        below = below + _sum(np.where(x == maximum, 0, np.exp(x - maximum)))
        ties = ties + _sum(x == maximum)
    return maximum, np.where(np.isinf(maximum), np.nan, below + (ties - 1))


def place(chunks: Chunks) -> tuple[Array, ...]:
    """The maximum, and the number of entries before the first one that is equal to it."""
    maximum = _maximum(chunks)
    first: Array = np.asarray(-1)
    seen = 0
    for (x,) in chunks():
        found = np.argmax(x == maximum, axis=-1, keepdims=True) + seen
        first = np.where((first < 0) & np.any(x == maximum, axis=-1, keepdims=True), found, first)
        seen += x.shape[-1]
    return maximum, first


def threshold(chunks: Chunks) -> tuple[Array, ...]:
    """The maximum, and what must be taken from x - maximum for the positive differences to sum to 1.

    Michelot's iteration (1986): the threshold that makes a set which contains the support sum to 1 drops some of the
    set's entries, until none drops.
    """
    maximum = _maximum(chunks)
    level, size = np.full_like(maximum, -1), np.full_like(maximum, np.inf)
    while True:
        total, count = 0, 0
        for (x,) in chunks():
            inside = x - maximum > level
            total = total + _sum(np.where(inside, x - maximum, 0))
            count = count + _sum(inside)
        level = np.where(np.isfinite(maximum), (total - 1) / count, np.nan)
        if not np.any(count < size):
            return maximum, level
        size = count


def mean_gradient(chunks: Chunks) -> tuple[Array, ...]:
    """The sum of grad * y: the gradient's mean, weighted with the probabilities."""
    return (sum(_sum(grad * y) for grad, y in chunks()),)


def total_gradient(chunks: Chunks) -> tuple[Array, ...]:
    """The sum of grad."""
    return (sum(_sum(grad) for grad, _ in chunks()),)


def supported_gradient(chunks: Chunks) -> tuple[Array, ...]:
    """The mean of grad over the entries with y > 0."""
    total = sum(_sum(np.where(y > 0, grad, 0)) for grad, y in chunks())
    count = sum(_sum(y > 0) for _, y in chunks())
    return (total / count,)


STATISTICS = {
    "exponentials": exponentials,
    "place": place,
    "threshold": threshold,
    "softmax": mean_gradient,
    "softmin": mean_gradient,
    "log_softmax": total_gradient,
    "sparsemax": supported_gradient,
}


class ReferenceRowUfunc:
    """Behaves as a generalised ufunc over rows, so far as `_rowwise` needs it."""

    def __init__(self, record: Any, operation: str, masked: bool, several: bool) -> None:
        self.record = record
        self.inputs = 2 if operation == "backward" else 1
        self.masked = masked
        self.core = 4 if several else 1
        self.reduces = record.reduces and operation == "value"
        self._backward = operation == "backward"
        self._statistics = STATISTICS[record.name if self._backward else record.statistics]
        row = "(k,l,m,n)" if several else "(n)"
        self.signature = f"{','.join([row] * (self.inputs + masked))}->{'()' if self.reduces else row}"
        self.nin, self.nout = self.inputs + masked, 1
        self.__name__ = record.name

    def __call__(self, *operands: Any, out: Any = None, axis: int = -1) -> Any:
        if len(operands) > self.nin:
            operands, out = operands[:-1], operands[-1]
        for operand in operands:
            if not isinstance(operand, np.ndarray):
                return operand.__array_ufunc__(self, "__call__", *operands, axis=axis)
        axis = normalize_axis_index(axis, operands[0].ndim)
        rows = [np.moveaxis(operand, axis, -1) for operand in operands] if self.core == 1 else list(operands)
        result = out
        if out is None:
            shape = rows[0].shape[:-1] if self.reduces else operands[0].shape
            result = np.empty(shape, operands[0].dtype)
        if not result.flags.writeable:
            raise ValueError("output array is read-only")
        place = np.moveaxis(result, axis, -1) if self.core == 1 and not self.reduces else result
        rows = [row.copy() if overlaps(row, place) else row for row in rows]
        with np.errstate(all="ignore"):
            self._run(rows, place)
        return result[()] if out is None and result.ndim == 0 else result

    def _run(self, operands: list[Array], result: Array) -> None:
        """Computes some rows at a time, along the last dimension that is not part of a row."""
        outer = operands[0].shape[: operands[0].ndim - self.core]
        length = int(np.prod(operands[0].shape[len(outer) :]))
        if length == 0:
            if self.reduces:
                result[...] = -np.inf
            return
        if not outer:
            operands, result, outer = [operand[np.newaxis] for operand in operands], result[np.newaxis], (1,)
        step = max(1, BLOCK // length)
        for index in np.ndindex(outer[:-1]):
            for begin in range(0, outer[-1], step):
                rows = (*index, slice(begin, begin + step))
                self._run_rows([operand[rows] for operand in operands], result[rows], length)

    def _run_rows(self, operands: list[Array], result: Array, length: int) -> None:
        """Computes rows whose first dimension counts them; a row longer than a block stands alone."""
        dtype = computing_dtype(operands[0].dtype)

        def chunks() -> Iterator[tuple[Array, ...]]:
            for arrays in pieces(operands):
                yield self._prepared(arrays, dtype)

        statistics = self._statistics(chunks)
        formula = self.record.make_formulas(_numpy_namespace, dtype.type)[self._backward]
        if self.reduces:
            result[...] = formula(*statistics)[:, 0]
            return
        seen = 0
        for *arrays, target in pieces([*operands, result]):
            values = self._prepared(arrays, dtype)
            known = statistics
            if self._statistics is place:  # as the formula has it: relative to the first maximum
                known = statistics[0], np.arange(seen, seen + values[0].shape[1]) - statistics[1]
            computed = formula(*values, *known)
            if self.masked:
                computed = np.where(arrays[-1].reshape(computed.shape), computed, self.record.masked)
            target[...] = computed.reshape(target.shape)
            seen += values[0].shape[1]

    def _prepared(self, arrays: tuple[Array, ...] | list[Array], dtype: np.dtype[Any]) -> tuple[Array, ...]:
        """A chunk's inputs in the type that is computed in: grad and y, or sign * x, -inf where the mask is false."""
        values = tuple(array.reshape(array.shape[0], -1).astype(dtype) for array in arrays[: self.inputs])
        if self._backward:
            return values
        x = self.record.sign * values[0]
        return (np.where(arrays[-1].reshape(x.shape), x, -np.inf) if self.masked else x,)


def pieces(operands: list[Array]) -> Iterator[tuple[Array, ...]]:
    """The operands' rows, whole where they are short, else views of at most a block's entries, in order."""
    shape = operands[0].shape
    if operands[0].size <= BLOCK or len(shape) == 1:
        yield tuple(operands)
        return
    if shape[0] > 1:
        raise AssertionError("a row longer than a block stands alone")
    inner = int(np.prod(shape[2:]))
    step = max(1, BLOCK // inner)
    for begin in range(0, shape[1], step):
        parts = [operand[:, begin : begin + step] for operand in operands]
        if step == 1 and inner > BLOCK:
            yield from pieces([part[:, 0] for part in parts])
        else:
            yield tuple(parts)


def overlaps(array: Array, result: Array) -> bool:
    """Whether writing the result would change entries of the array that are still to be read."""
    same = (array.shape, array.strides, array.ctypes.data) == (result.shape, result.strides, result.ctypes.data)
    return not same and np.may_share_memory(array, result)
