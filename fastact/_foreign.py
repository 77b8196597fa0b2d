"""Other libraries' arrays in the row-wise functions: pandas', xarray's, dask's.

Elementwise functions are ufuncs, which these libraries know how to call. They do not know over which axis to call a
function of rows, and which labels its result keeps. None of them is imported before an array of theirs is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

Array = Any
# Computes a call in place of NumPy: (rows, operands, axis, where, dtype, keepdims) -> the result.
Rules = Callable[[Any, tuple[Any, ...], Any, Any, Any, bool], Any]

MODULES = {"value": "fastact", "backward": "fastact.backward"}
# How a chunk's own softmax and the chunk's share of the row are joined, and the share of a chunk without entries.
JOINS = {"softmax": (np.multiply, 0.0), "log_softmax": (np.add, -np.inf)}


def rules_for(operands: tuple[Any, ...]) -> Rules | None:
    """Who computes a call on these operands, if some of them are not for NumPy to look into."""
    if all(type(operand) is np.ndarray for operand in operands):
        return None
    if any(_is(operand, "xarray", "DataArray") for operand in operands):
        return _over_dimensions
    if any(map(is_dask, operands)):
        return _over_chunks
    if any(_answers_ufuncs(operand) for operand in operands):
        return _over_unknown
    return None


def _is(value: Any, module: str, name: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name, ()))


def is_dask(value: Any) -> bool:
    """Whether this is a dask array, which computes lazily."""
    return _is(value, "dask.array", "Array")


def _is_pandas(value: Any) -> bool:
    return any(_is(value, "pandas", name) for name in ("DataFrame", "Series", "Index"))


def _answers_ufuncs(value: Any) -> bool:
    """Whether the type of an operand computes ufuncs in its own way, and not on NumPy's arrays."""
    if isinstance(value, (np.ndarray, np.generic)) or _is_pandas(value):
        return False
    return getattr(type(value), "__array_ufunc__", None) is not None


def type_name(value: Any) -> str:
    """The type of a value, as messages have it."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


# ---- unknown libraries ------------------------------------------------------------------------------------------


def _over_unknown(rows: Any, operands: tuple[Any, ...], axis: Any, where: Any, dtype: Any, keepdims: bool) -> Any:
    """Leaves a call to an operand's own way with generalised ufuncs."""
    if where is not None or dtype is not None or keepdims or axis is None or isinstance(axis, tuple):
        types = ", ".join(type_name(operand) for operand in operands)
        raise TypeError(f"{rows.record.name}: where, dtype, keepdims and several axes are not there for {types}")
    return rows.plain(*operands, axis=axis)


# ---- pandas -----------------------------------------------------------------------------------------------------


def check_labels(name: str, operands: tuple[Any, ...]) -> None:
    """Refuses pandas operands whose labels differ: their rows would be taken by position."""
    labelled = [operand for operand in operands if _is(operand, "pandas", "DataFrame")]
    labelled += [operand for operand in operands if _is(operand, "pandas", "Series")]
    for other in labelled[1:]:
        if len(other.axes) == len(labelled[0].axes) and not all(map(_equal, other.axes, labelled[0].axes)):
            raise ValueError(f"{name}: grad and y have different labels, expected the same in the same order")


def _equal(index: Any, other: Any) -> bool:
    return bool(index.equals(other))


def with_pandas_labels(result: Array, given: Any, axes: tuple[int, ...]) -> Any:
    """A result with the labels that pandas would give it; as it is, if `given` is not of pandas."""
    if not _is_pandas(given):
        return result
    if _is(given, "pandas", "Index"):
        return given.__array_wrap__(result)
    if result.ndim == given.ndim:
        labels = dict(zip(("index", "columns"), given.axes, strict=False))
        return given._constructor(result, **labels, copy=False).__finalize__(given)
    if result.ndim == 0:
        return result[()]
    return given._constructor_sliced(result, index=given.axes[1 - axes[0]])


# ---- xarray -----------------------------------------------------------------------------------------------------


def _over_dimensions(rows: Any, operands: tuple[Any, ...], axis: Any, where: Any, dtype: Any, keepdims: bool) -> Any:
    """Computes over dimensions, which `axis` numbers or names; xarray aligns the operands, and keeps laziness."""
    import xarray

    like = next(operand for operand in reversed(operands) if _is(operand, "xarray", "DataArray"))
    if axis is not None:
        given = axis if isinstance(axis, tuple) else (axis,)
        axis = tuple(like.get_axis_num(one) if isinstance(one, str) else one for one in given)
    dimensions = [like.dims[k] for k in rows.axes(axis, like.ndim)]
    last = tuple(range(-len(dimensions), 0))

    def over_last(*arrays: Array) -> Array:
        mask = None if where is None else arrays[-1]
        return rows.call(arrays[: len(operands)], last, None, mask, dtype, keepdims)

    arguments = [_labelled(argument, like) for argument in (*operands, where) if argument is not None]
    result = xarray.apply_ufunc(
        over_last,
        *arguments,
        input_core_dims=[dimensions] * len(arguments),
        output_core_dims=[[] if rows.reduces and not keepdims else dimensions],
        exclude_dims=set(dimensions) if keepdims else frozenset(),
        dask="allowed",
        keep_attrs=True,
    )
    return result.transpose(..., *(dimension for dimension in like.dims if dimension in result.dims))


def _labelled(argument: Any, like: Any) -> Any:
    """An operand or a mask as xarray has it: a plain one has the dimensions of `like`."""
    if _is(argument, "xarray", "DataArray"):
        return argument
    return like.copy(data=np.broadcast_to(argument, like.shape))


# ---- dask -------------------------------------------------------------------------------------------------------


def _over_chunks(rows: Any, operands: tuple[Any, ...], axis: Any, where: Any, dtype: Any, keepdims: bool) -> Any:
    """Computes lazily, chunk by chunk."""
    da: Any = import_module("dask.array")
    name = rows.record.name
    if where is not None:
        raise TypeError(f"{name}: where is not there for dask arrays")
    arrays = da.broadcast_arrays(*map(da.asarray, operands))
    loop = rows.loop_dtype(arrays, dtype)
    axes = rows.axes(axis, arrays[0].ndim)
    if dtype is not None:
        arrays = [array.astype(loop) for array in arrays]
    if all(array.numblocks[k] == 1 for array in arrays for k in axes):
        return _whole_rows(rows, arrays, axes, loop, keepdims)
    x = arrays[0].astype(loop)
    if rows.operation == "value":
        if name == "logsumexp":
            return _chunked_logsumexp(x, axes, keepdims)
        if name == "softmin":
            return _chunked_softmax("softmax", -x, axes)
        if name in JOINS:
            return _chunked_softmax(name, x, axes)
    raise ValueError(f"{name}: {rows.inputs[0]} has rows that lie in several chunks, expected one chunk along the axis")


def _public(name: str, operation: str = "value") -> Callable[..., Any]:
    """The function that users call: workers of a cluster find it by its name."""
    function: Callable[..., Any] = getattr(import_module(MODULES[operation]), name)
    return function


def _whole_rows(rows: Any, arrays: list[Any], axes: tuple[int, ...], loop: np.dtype[Any], keepdims: bool) -> Any:
    """Rows that no border between chunks cuts."""
    da: Any = import_module("dask.array")
    function = _public(rows.record.name, rows.operation)
    meta = np.empty((0,) * arrays[0].ndim, loop)
    if not rows.reduces:
        return da.map_blocks(function, *arrays, axis=axes, meta=meta)
    lengths = tuple((1,) if k in axes else sizes for k, sizes in enumerate(arrays[0].chunks))
    result = da.map_blocks(function, *arrays, axis=axes, keepdims=True, chunks=lengths, meta=meta)
    return result if keepdims else da.squeeze(result, axis=axes)


def _chunked_logsumexp(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The logsumexp of the chunks' own ones, in a tree, as dask reduces."""
    da: Any = import_module("dask.array")
    wide = _wide(x.dtype)
    logsumexp = _public("logsumexp")
    meta = np.empty((0,) * x.ndim, wide)
    whole = da.reduction(x.astype(wide), logsumexp, logsumexp, axis=axes, keepdims=keepdims, dtype=wide, meta=meta)
    return whole.astype(x.dtype)


def _chunked_softmax(name: str, x: Any, axes: tuple[int, ...]) -> Any:
    """Each chunk's own softmax, times the chunk's share of the row.

    A chunk's largest probability is 1 / sum(exp(x - maximum)): beside the maximum, all that the others must know of it.
    """
    da: Any = import_module("dask.array")
    loop, x = x.dtype, x.astype(np.promote_types(x.dtype, np.float32))  # a half would hold too little of a share
    meta = np.empty((0,) * x.ndim, x.dtype)
    parts = da.map_blocks(_public(name), x, axis=axes, meta=meta)
    ones = tuple((1,) * len(sizes) if k in axes else sizes for k, sizes in enumerate(x.chunks))
    maxima, largest = (da.map_blocks(_maximum, array, axis=axes, chunks=ones, meta=meta) for array in (x, parts))
    beside = dict.fromkeys(axes, -1)
    shares = da.map_blocks(
        _shares, maxima.rechunk(beside), largest.rechunk(beside), function=name, axis=axes, meta=meta
    )
    return da.map_blocks(_joined, parts, shares.rechunk(ones), function=name, meta=meta).astype(loop)


def _maximum(chunk: Array, axis: tuple[int, ...]) -> Array:
    return np.max(chunk, axis=axis, keepdims=True, initial=-np.inf)


def _shares(maxima: Array, largest: Array, function: str, axis: tuple[int, ...]) -> Array:
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


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of sums that chunks exchange: their rounding is not to be seen in the result."""
    return np.promote_types(dtype, np.float64)
