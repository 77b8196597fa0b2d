"""`fastact.dense`: a layer of neurons, its bias and its activation applied while the product is still in cache."""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import fastact
from fastact import _promotion
from fastact._lookup import get
from fastact._public import engine
from fastact._records import Activation as Record
from fastact._records import activations
from fastact._rowwise import RowActivation

Array = np.ndarray[Any, Any]
Activation = Callable[..., Any]
End = Callable[[Array, Array], None]

# What BLAS computes in. NumPy makes one object of each of these, for native byte order.
BLAS = (np.dtype(np.float32), np.dtype(np.float64))

# Rows of the product that get bias and activation before the next rows are touched, where the kernels do not do both in
# one pass: half of a common L2 cache, the fastest of 128 KiB to 4 MiB on one thread. Each thread gets as much, since
# softmax and its like split what they are given.
BLOCK_BYTES = 1 << 19

# Where NumPy raises no floating-point warnings: a copy of it is sooner made than an np.errstate entered and left.
_silent = contextvars.Context()
_silent.run(np.seterr, all="ignore")


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

    The product is BLAS's. Bias and activation then follow in place: by the kernels in one pass, with other functions
    over blocks of rows that fit in cache, where `activation(x @ weights + bias)` walks through memory for each.

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
    usual = _usual_layer(x, weights, bias, activation) if out is None else None
    if usual is not None:
        return usual

    function = get(activation)
    x, weights = np.asarray(x), np.asarray(weights)
    bias = None if bias is None else np.asarray(bias)
    result = _result_dtype(x, weights, bias)
    computed = np.dtype(np.float32) if result.itemsize == 2 else result
    shape = _result_shape(x, weights, bias)
    _check_out(out, shape, result)
    finish = _finish(function, bias, shape[-1], computed)

    operands = [operand for operand in (x, weights, bias) if operand is not None]
    direct = out is not None and _can_hold_product(out, computed, operands)
    product = out if out is not None and direct else np.empty(shape, computed)
    rows, inputs, weights = _rows(product), _as(computed, _rows(x)), _as(computed, weights)
    with np.errstate(all="ignore"):
        np.matmul(inputs, weights, rows)
        finish(rows)
        if direct:
            return product
        if out is None:
            return product.astype(result, copy=False)
        np.copyto(out, product, casting="same_kind")
        return out


# What ends layers of fastact's own activations, by name or function and dtype: after a product, each step in Python is
# one that has left the caches, and all that a call takes to find its way would cost as much as its activations.
_known_ends: dict[tuple[Any, np.dtype[Any]], End] = {}


def _usual_layer(x: Any, weights: Any, bias: Any, activation: Any) -> Array | None:
    """The layer of matrices in one of BLAS's dtypes; None for any other call, and the first of its kind."""
    if not (type(x) is type(weights) is type(bias) is np.ndarray and x.dtype is weights.dtype is bias.dtype):
        return None
    fits = x.ndim == weights.ndim == 2 and x.shape[1] == weights.shape[0] and bias.shape == weights.shape[1:]
    if not (fits and bias.flags.c_contiguous and bias.flags.aligned and isinstance(activation, (str, np.ufunc))):
        return None
    end = _known_ends.get((activation, x.dtype))
    if end is None:
        return None
    product: Array = _silent.copy().run(np.matmul, x, weights)
    end(product, bias)
    return product


def _rows(array: Array) -> Array:
    """The array as a matrix of its last axis."""
    return array if array.ndim == 2 else array.reshape(math.prod(array.shape[:-1]), array.shape[-1])


def _as(dtype: np.dtype[Any], array: Array) -> Array:
    """The array in this dtype, of native byte order; itself if it is so."""
    return array if array.dtype is dtype else array.astype(dtype, copy=False)


def _finish(function: Activation, bias: Array | None, units: int, computed: np.dtype[Any]) -> Callable[[Array], object]:
    """What adds the bias to a product's rows and applies the activation, in place."""
    record = _record_of(function)
    if record is None:
        _check_activation(function, units, computed)
    if bias is None:
        return _leave if function is fastact.identity else lambda rows: function(rows, out=rows)
    bias = np.require(bias, computed, ("C_CONTIGUOUS", "ALIGNED"))
    end = None if record is None else engine.layer_end(record, computed)
    if record is None or end is None:
        return lambda rows: _finish_blocks(rows, bias, function)
    for key in (record.name, *record.aliases, function):
        _known_ends[key, computed] = end
    return lambda rows: end(rows, bias)


def _leave(rows: Array) -> None:
    """What the identity does in place."""


def _record_of(function: Activation) -> Record | None:
    """The record of an activation of fastact's that needs nothing but one array; None for any other function."""
    name = getattr(function, "__name__", None)
    record = activations.get(name) if isinstance(name, str) else None
    known = record is not None and getattr(fastact, record.name, None) is function
    return record if known and record is not None and takes_one_array(record) else None


def takes_one_array(record: Record) -> bool:
    """Whether an activation computes each element from it alone, and needs to be told nothing else."""
    return (
        record.operands == ("x",)
        and not isinstance(record, RowActivation)
        and all(parameter.default is not None for parameter in record.parameters.values())
    )


def _finish_blocks(rows: Array, bias: Array, function: Activation) -> None:
    height = max(1, BLOCK_BYTES * fastact.get_num_threads() // max(1, rows.shape[1] * rows.itemsize))
    for start in range(0, len(rows), height):
        block = rows[start : start + height]
        np.add(block, bias, out=block)
        function(block, out=block)


def _result_dtype(x: Array, weights: Array, bias: Array | None) -> np.dtype[Any]:
    dtype: np.dtype[Any] = x.dtype
    one_dtype = weights.dtype is x.dtype and (bias is None or bias.dtype is x.dtype)
    if one_dtype and dtype in BLAS:
        return dtype  # nearly every call
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
