"""`fastact.dense`: a layer of neurons, its bias and its activation applied while the product is still in cache."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import fastact
from fastact import _promotion
from fastact._lookup import get

Array = np.ndarray[Any, Any]
Activation = Callable[..., Any]

# What BLAS computes in. NumPy makes one object of each of these, for native byte order.
BLAS = (np.dtype(np.float32), np.dtype(np.float64))

# Rows of the product that get bias and activation before the next rows are touched: half of a common L2 cache, the
# fastest of 128 KiB to 4 MiB on one thread. Each thread gets as much, since the kernels split what they are given.
BLOCK_BYTES = 1 << 19


def dense(
    x: ArrayLike,
    weights: ArrayLike,
    bias: ArrayLike | None = None,
    activation: str | Activation | None = "identity",
    *,
    out: Array | None = None,
) -> Array:
    """A dense layer: what its neurons make of each row of x.

        dense(x, weights, bias, h) = h(x @ weights + bias)

    The product is BLAS's. Bias and activation then follow in one pass, in place, over blocks of rows that fit in
    cache, where `activation(x @ weights + bias)` walks through memory for each.

    Parameters
    ----------
    x : array_like, shape (..., inputs)
        Rows of inputs, or one row.
    weights : array_like, shape (inputs, units)
        A column for each neuron.
    bias : array_like, shape (units,), optional
        What is added to each row of the product.
    activation : str, callable or None, default "identity"
        A name that `fastact.get` knows, or a function that is called as `activation(rows, out=rows)` on blocks of rows
        and must treat each row alone: elementwise, or along the last axis as `softmax` does. Parameters are given with
        `functools.partial(fastact.leaky_relu, negative_slope=0.2)`. None is the identity.
    out : ndarray, shape (..., units), optional
        Where the result goes. The product is made in its memory if it is contiguous, has the dtype that is computed in
        and shares no memory with an operand.

    Returns
    -------
    ndarray, shape (..., units)
        float32, float64 and longdouble keep their dtype (longdouble has no BLAS and is slow); float16 and bfloat16 are
        computed in float32 and rounded once; bool and 8/16-bit integers give float32, wider integers float64; of
        several dtypes the widest.

    Notes
    -----
    No floating-point warning is ever raised. The product's rounding is that of NumPy's BLAS, the activation's error
    its own.

    Raises
    ------
    TypeError
        For operands that are not real numbers, for an activation that is neither a name nor a callable or that cannot
        be called so, and for an unfit out.
    ValueError
        For shapes that do not fit together, an unknown name, an activation that does not keep the shape of its rows,
        and an out of another shape or read-only. Nothing is written then.
    """
    function = get(activation)
    x, weights = np.asarray(x), np.asarray(weights)
    bias = None if bias is None else np.asarray(bias)
    result = _result_dtype(x, weights, bias)
    computed = np.dtype(np.float32) if result.itemsize == 2 else result
    shape = _result_shape(x, weights, bias)
    _check_out(out, shape, result)
    _check_activation(function, shape[-1], computed)

    operands = [operand for operand in (x, weights, bias) if operand is not None]
    direct = out is not None and _can_hold_product(out, computed, operands)
    product = out if out is not None and direct else np.empty(shape, computed)
    count = math.prod(shape[:-1])
    rows, inputs = product.reshape(count, shape[-1]), x.reshape(count, x.shape[-1])
    with np.errstate(all="ignore"):
        np.matmul(inputs.astype(computed, copy=False), weights.astype(computed, copy=False), out=rows)
        _finish(rows, bias, function)
        if direct:
            return product
        if out is None:
            return product.astype(result, copy=False)
        np.copyto(out, product, casting="same_kind")
        return out


def _finish(rows: Array, bias: Array | None, function: Activation) -> None:
    """Adds the bias and applies the activation, in place, a block of rows at a time."""
    activates = function is not fastact.identity
    height = max(1, BLOCK_BYTES * fastact.get_num_threads() // max(1, rows.shape[1] * rows.itemsize))
    for start in range(0, len(rows), height):
        block = rows[start : start + height]
        if bias is not None:
            np.add(block, bias, out=block)
        if activates:
            function(block, out=block)


def _result_dtype(x: Array, weights: Array, bias: Array | None) -> np.dtype[Any]:
    dtype: np.dtype[Any] = x.dtype
    one_dtype = weights.dtype is x.dtype and (bias is None or bias.dtype is x.dtype)
    if one_dtype and dtype in BLAS:
        return dtype  # nearly every call: after a product, each step in Python is one that has left the caches
    operands = {"x": x, "weights": weights, "bias": bias}
    given = {name: operand.dtype for name, operand in operands.items() if operand is not None}
    return _promotion.result_dtype("dense", given.keys(), given.values(), keeps_integers=False)


def _result_shape(x: Array, weights: Array, bias: Array | None) -> tuple[int, ...]:
    """The shape of the result, of operands that fit together."""
    if weights.ndim != 2:
        raise ValueError(f"dense: weights has shape {weights.shape}, expected two dimensions: inputs, units")
    inputs, units = weights.shape
    if x.ndim == 0 or x.shape[-1] != inputs:
        raise ValueError(f"dense: x has shape {x.shape}, expected (..., {inputs}) for weights of shape {weights.shape}")
    if bias is not None and bias.shape != (units,):
        raise ValueError(f"dense: bias has shape {bias.shape}, expected ({units},)")
    return (*x.shape[:-1], units)


def _check_out(out: Any, shape: tuple[int, ...], result: np.dtype[Any]) -> None:
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise TypeError(f"dense: out is a {type(out).__name__}, expected a numpy.ndarray")
    if out.shape != shape:
        raise ValueError(f"dense: out has shape {out.shape}, expected {shape}")
    if not np.can_cast(result, out.dtype, "same_kind"):
        raise TypeError(f"dense: out has dtype {out.dtype}, expected one that {result} can be cast to")
    if not out.flags.writeable:
        raise ValueError("dense: out is read-only")


def _check_activation(function: Activation, units: int, computed: np.dtype[Any]) -> None:
    """Tries the activation on no rows: found out later, it would leave a half-made result in `out`."""
    nothing = np.empty((0, units), computed)
    try:
        function(nothing, out=nothing)
    except (TypeError, ValueError) as error:
        name = getattr(function, "__name__", repr(function))
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"dense: activation {name} is not of the kind activation(rows, out=rows): {error}") from None


def _can_hold_product(out: Array, computed: np.dtype[Any], operands: list[Array]) -> bool:
    """Whether the product can be made in the memory of `out`."""
    fits = out.dtype == computed and out.dtype.isnative and out.flags.c_contiguous and out.flags.aligned
    return fits and not any(np.may_share_memory(out, operand) for operand in operands)
