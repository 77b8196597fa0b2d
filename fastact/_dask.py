"""Functions of rows over dask arrays: lazily, chunk by chunk, also where a row lies in several chunks.

A worker of a cluster finds all that a graph holds by its name: the functions here, and fastact's public ones.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from fastact import _numpy_namespace
from fastact._records import activations

Array = Any
Axes = tuple[int, ...]

MODULES = {"value": "fastact", "backward": "fastact.backward"}
# How a chunk's own softmax and the chunk's share of the row are joined, and the share of a chunk without entries.
JOINS = {"softmax": (np.multiply, 0.0), "log_softmax": (np.add, -np.inf)}
# What a gradient has to know of its row is the sum of these.
TERMS: dict[str, Callable[[Array, Array], Array]] = {
    "softmax": np.multiply,
    "softmin": np.multiply,
    "log_softmax": lambda grad, y: grad,
}
NOWHERE = np.iinfo(np.int64).max


def over_chunks(rows: Any, operands: tuple[Any, ...], axis: Any, where: Any, dtype: Any, keepdims: bool) -> Any:
    """Computes lazily, chunk by chunk."""
    da: Any = import_module("dask.array")
    name = rows.record.name
    arrays = da.broadcast_arrays(*map(da.asarray, operands))
    loop = rows.loop_dtype(arrays, dtype)
    axes = rows.axes(axis, arrays[0].ndim)
    if dtype is not None:
        arrays = [array.astype(loop) for array in arrays]
    dimensions = tuple(range(arrays[0].ndim))
    _, arrays = da.core.unify_chunks(*(item for array in arrays for item in (array, dimensions)))
    mask = None if where is None else _mask(name, where, arrays[0])
    if all(arrays[0].numblocks[k] == 1 for k in axes):
        return _whole_rows(rows, arrays, mask, axes, loop, keepdims)
    if name == "sparsemax":
        operand = rows.inputs[0]
        raise ValueError(f"{name}: {operand} has rows that lie in several chunks, expected one chunk along the axis")
    arrays = [array.astype(loop) for array in arrays]
    if rows.operation == "backward":
        grad, y = arrays
        return _chunked_backward(name, grad, y, axes)
    x = arrays[0] if rows.record.sign > 0 else -arrays[0]
    if mask is not None:
        x = _map(_filled, x, mask, dtype=loop, fill=-np.inf)
    if rows.reduces:
        return _chunked_logsumexp(x, axes, keepdims)
    if name == "hardmax":
        result = _chunked_hardmax(x, axes)
    else:
        result = _chunked_softmax("softmax" if name == "softmin" else name, x, axes)
    return result if mask is None else _map(_filled, result, mask, dtype=loop, fill=rows.record.masked)


def _mask(name: str, where: Any, x: Any) -> Any:
    """The entries that take part, in the chunks of x."""
    da: Any = import_module("dask.array")
    mask = da.asarray(where)
    if mask.dtype != bool:
        raise TypeError(f"{name}: where has dtype {mask.dtype}, expected bool")
    try:
        return da.broadcast_to(mask, x.shape).rechunk(x.chunks)
    except ValueError:
        raise ValueError(f"{name}: where has shape {mask.shape}, which cannot be broadcast to {x.shape}") from None


def _public(name: str, operation: str = "value") -> Callable[..., Any]:
    """The function that users call."""
    function: Callable[..., Any] = getattr(import_module(MODULES[operation]), name)
    return function


def _map(function: Callable[..., Any], /, *arrays: Any, dtype: Any, **keywords: Any) -> Any:
    """The function of each chunk of the arrays, in that dtype; where an array's length is 1, of the same for all."""
    da: Any = import_module("dask.array")
    return da.map_blocks(function, *arrays, meta=np.empty((0,) * arrays[0].ndim, dtype), **keywords)


def _lengths(x: Any, axes: Axes, length: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The chunks of x, with others along the axes."""
    return tuple(length(sizes) if k in axes else sizes for k, sizes in enumerate(x.chunks))


# ---- rows that no border between chunks cuts --------------------------------------------------------------------


def _whole_rows(rows: Any, arrays: list[Any], mask: Any, axes: Axes, loop: np.dtype[Any], keepdims: bool) -> Any:
    da: Any = import_module("dask.array")
    name = rows.record.name
    keywords: dict[str, Any] = {"axis": axes, "dtype": loop}
    if rows.reduces:
        keywords |= {"keepdims": True, "chunks": _lengths(arrays[0], axes, lambda sizes: (1,))}
    if mask is None:
        result = _map(_public(name, rows.operation), *arrays, **keywords)
    else:
        result = _map(_masked_rows, *arrays, mask, function=name, **keywords)
    return da.squeeze(result, axis=axes) if rows.reduces and not keepdims else result


def _masked_rows(x: Array, where: Array, function: str, **keywords: Any) -> Array:
    return _public(function)(x, where=where, **keywords)


def _filled(x: Array, mask: Array, fill: float) -> Array:
    return np.where(mask, x, x.dtype.type(fill))


# ---- rows that lie in several chunks ----------------------------------------------------------------------------


def _chunked_logsumexp(x: Any, axes: Axes, keepdims: bool) -> Any:
    """The logsumexp of the chunks' own ones, in a tree, as dask reduces."""
    return _reduction(_public("logsumexp"), x.astype(_wide(x.dtype)), axes, keepdims).astype(x.dtype)


def _reduction(function: Callable[..., Any], x: Any, axes: Axes, keepdims: bool = True) -> Any:
    """A reduction by a function that takes several of its results for one of their arguments."""
    da: Any = import_module("dask.array")
    meta = np.empty((0,) * x.ndim, x.dtype)
    return da.reduction(x, function, function, axis=axes, keepdims=keepdims, dtype=x.dtype, meta=meta)


def _chunked_softmax(name: str, x: Any, axes: Axes) -> Any:
    """Each chunk's own softmax, times the chunk's share of the row.

    A chunk's largest probability is 1 / sum(exp(x - maximum)): beside the maximum, all that the others must know of it.
    """
    loop, x = x.dtype, x.astype(np.promote_types(x.dtype, np.float32))  # a half would hold too little of a share
    ones = _lengths(x, axes, lambda sizes: (1,) * len(sizes))
    parts = _map(_public(name), x, axis=axes, dtype=x.dtype)
    maxima, largest = (_map(_maximum, array, axis=axes, chunks=ones, dtype=x.dtype) for array in (x, parts))
    beside = dict.fromkeys(axes, -1)
    shares = _map(_shares, maxima.rechunk(beside), largest.rechunk(beside), function=name, axis=axes, dtype=x.dtype)
    return _map(_joined, parts, shares.rechunk(ones), function=name, dtype=x.dtype).astype(loop)


def _maximum(chunk: Array, axis: Axes, keepdims: bool = True) -> Array:
    return np.max(chunk, axis=axis, keepdims=keepdims, initial=-np.inf)


def _shares(maxima: Array, largest: Array, function: str, axis: Axes) -> Array:
    """Each chunk's share of its row: the softmax of the logarithms of the chunks' sums, beside each other."""
    with np.errstate(all="ignore"):  # what is infinite, or NaN
        below = np.subtract(maxima, _maximum(maxima, axis), dtype=_wide(maxima.dtype))
        logarithms = below - (np.log(largest, dtype=below.dtype) if function == "softmax" else largest)
    # A chunk that is -inf throughout has no softmax of its own.
    logarithms = np.where(below == -np.inf, below, logarithms)
    return _public(function)(logarithms, axis=axis).astype(largest.dtype)


def _joined(part: Array, share: Array, function: str) -> Array:
    join, nothing = JOINS[function]
    with np.errstate(all="ignore"):
        result = join(part, share)
    np.copyto(result, nothing, where=share == nothing)
    return result


def _chunked_hardmax(x: Any, axes: Axes) -> Any:
    """1 at the first of the places, counted along the row, at which the maximum stands."""
    da: Any = import_module("dask.array")
    place = _places(x, axes)
    maximum = _reduction(_maximum, x, axes)
    first = _reduction(_minimum, da.where(x == maximum, place, NOWHERE), axes)
    return da.where(da.isnan(maximum), maximum, (place == first).astype(x.dtype))


def _places(x: Any, axes: Axes) -> Any:
    """The place of each entry in its row, in C order; of length 1 where no row lies."""
    da: Any = import_module("dask.array")
    place, step = da.zeros((1,) * x.ndim, dtype=np.int64), 1
    for k in reversed(axes):
        along = (slice(None) if dimension == k else np.newaxis for dimension in range(x.ndim))
        place = place + step * da.arange(x.shape[k], chunks=(x.chunks[k],), dtype=np.int64)[tuple(along)]
        step *= x.shape[k]
    return place


def _minimum(places: Array, axis: Axes, keepdims: bool) -> Array:
    return np.min(places, axis=axis, keepdims=keepdims, initial=NOWHERE)


def _chunked_backward(name: str, grad: Any, y: Any, axes: Axes) -> Any:
    """The gradient from the row's sum, to which each chunk adds its own."""
    wide = _wide(y.dtype)
    ones = _lengths(y, axes, lambda sizes: (1,) * len(sizes))
    sums = _map(_sum_of_terms, grad, y, function=name, axis=axes, chunks=ones, dtype=wide)
    return _map(_gradient, grad, y, sums.sum(axis=axes, keepdims=True), function=name, dtype=y.dtype)


def _sum_of_terms(grad: Array, y: Array, function: str, axis: Axes) -> Array:
    wide = _wide(y.dtype)
    with np.errstate(all="ignore"):
        return np.sum(TERMS[function](grad.astype(wide), y.astype(wide)), axis=axis, keepdims=True)


def _gradient(grad: Array, y: Array, total: Array, function: str) -> Array:
    wide = total.dtype
    _, backward = activations[function].make_formulas(_numpy_namespace, wide.type)
    with np.errstate(all="ignore"):
        return backward(grad.astype(wide), y.astype(wide), total).astype(y.dtype)


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of sums that chunks exchange: their rounding is not to be seen in the result."""
    return np.promote_types(dtype, np.float64)
