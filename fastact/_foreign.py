"""Other libraries' arrays in the row-wise functions: pandas', xarray's, dask's.

Elementwise functions are ufuncs, which these libraries know how to call. They do not know over which axis to call a
function of rows, and which labels its result keeps. None of them is imported before an array of theirs is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any
# Computes a call in place of NumPy: (rows, operands, axis, where, dtype, keepdims) -> the result.
Rules = Callable[[Any, tuple[Any, ...], Any, Any, Any, bool], Any]


def rules_for(operands: tuple[Any, ...]) -> Rules | None:
    """Who computes a call on these operands, if some of them are not for NumPy to look into."""
    if all(type(operand) is np.ndarray for operand in operands):
        return None
    if any(_is(operand, "xarray", "DataArray") for operand in operands):
        return _over_dimensions
    if any(map(is_dask, operands)):
        from fastact._dask import over_chunks

        return over_chunks
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
