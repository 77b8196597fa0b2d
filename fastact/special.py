"""`scipy.special`'s activation functions, under its names and signatures: change the import, keep the code.

Dtypes are SciPy's too, where fastact's own functions have others: `expit` and `log_expit` make float32 of float16,
`logit` computes all but float32 and longdouble in float64. `softmax` and `log_softmax` work over all elements unless
given an axis, and take complex numbers; `logsumexp` takes weights as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import fastact
from fastact import _promotion, _public, _ufuncs

__all__ = ["expit", "log_expit", "log_softmax", "logit", "logsumexp", "softmax", "softplus"]

Array = Any
Axis = int | tuple[int, ...] | None


def _like_scipy(name: str, activation: str) -> np.ufunc:
    """The ufunc of an activation under SciPy's name, with SciPy's dtypes."""
    record = fastact.activations[activation]
    others = "all other real numbers give float64"
    if name != "logit":
        others = "float16, bool and integers of up to 16 bits give float32, wider integers float64"
    doc = f"""{record.summary}

    {name}(x) = {record.formula}

Parameters
----------
x : array_like
    Real numbers.
out, where, dtype, casting, order, subok
    As in every NumPy ufunc.

Returns
-------
ndarray or scalar
    float32, float64 and longdouble keep their dtype; {others}, as in SciPy.

Notes
-----
Range: {record.range}. Largest error: float32 1 ULP, float64 2 ULP. No finite result raises a floating-point warning.

Raises
------
TypeError
    For complex, object and other operands that are not real numbers, and for another dtype to compute in.

References
----------
{record.source}.
"""
    ufunc: np.ufunc = _ufuncs.housed(_public.engine.make_as_in_scipy(record, name, doc), __name__)
    return ufunc


expit = _like_scipy("expit", "sigmoid")
log_expit = _like_scipy("log_expit", "log_sigmoid")
logit = _like_scipy("logit", "logit")


def softplus(x: ArrayLike, **kwargs: Any) -> Any:
    """A smooth version of the rectifier, log(1 + exp(x)).

    Parameters
    ----------
    x : array_like
        Real numbers.
    **kwargs
        `out`, `where`, `dtype` and the other keywords of NumPy's ufuncs.

    Returns
    -------
    ndarray or scalar
        bool gives float64, 8-bit integers float16, 16-bit ones float32, wider ones float64, as in SciPy. Errors and
        everything else are those of `fastact.softplus`.
    """
    if type(x) is not float and "dtype" not in kwargs and "signature" not in kwargs:
        dtype = _dtype("softplus", "x", x)
        x = _prepared(x, dtype)
        if dtype.kind == "b":
            kwargs["dtype"] = np.float64
    return fastact.softplus(x, **kwargs)


def softmax(x: ArrayLike, axis: Axis = None) -> Any:
    """Turns scores into probabilities: positive numbers that sum to 1.

        softmax(x) = exp(x) / sum(exp(x))

    Parameters
    ----------
    x : array_like
        Real or complex numbers.
    axis : int, tuple of int or None, default None
        The axis or axes of the sum; None sums over all elements.

    Returns
    -------
    ndarray or scalar
        The shape of x. Floating-point and complex dtypes are kept; 8-bit integers give float16, 16-bit ones float32,
        wider ones float64, as in SciPy.

    Raises
    ------
    TypeError
        For bool and for operands that are not numbers.
    numpy.exceptions.AxisError
        For an axis that the operand does not have.
    """
    dtype = _dtype_without_bool("softmax", x)
    if dtype.kind != "c":
        return _over_rows(fastact.softmax, _prepared(x, dtype), axis)
    a = _filled(x)
    with np.errstate(all="ignore"):
        e = np.exp(a - _complex_maximum(a, axis))
        return (e / np.sum(e, axis=axis, keepdims=True))[()]


def log_softmax(x: ArrayLike, axis: Axis = None) -> Any:
    """The logarithm of softmax, without the detour that loses small probabilities.

        log_softmax(x) = x - log(sum(exp(x)))

    Parameters
    ----------
    x : array_like
        Real or complex numbers.
    axis : int, tuple of int or None, default None
        The axis or axes of the sum; None sums over all elements.

    Returns
    -------
    ndarray or scalar
        The shape of x, and the dtype as of `softmax`. Of complex numbers, the imaginary part at the largest entry, by
        real part first, is in [-pi, pi).

    Raises
    ------
    TypeError
        For bool and for operands that are not numbers.
    numpy.exceptions.AxisError
        For an axis that the operand does not have.
    """
    dtype = _dtype_without_bool("log_softmax", x)
    if dtype.kind != "c":
        return _over_rows(fastact.log_softmax, _prepared(x, dtype), axis)
    a = _filled(x)
    with np.errstate(all="ignore"):
        largest = _complex_maximum(a, axis)
        a = a - np.where(np.isfinite(largest), largest, 0)
        return (a - _complex_logarithm(*_weighted_sum(a, None, axis, dtype)))[()]


def _dtype_without_bool(name: str, x: ArrayLike) -> np.dtype[Any]:
    """The dtype of numbers that can be subtracted, as SciPy subtracts their maximum."""
    dtype = _dtype(name, "x", x)
    if dtype.kind == "b":
        raise TypeError(f"{name}: argument x has dtype bool, expected numbers")
    return dtype


def _prepared(x: Any, dtype: np.dtype[Any]) -> Any:
    """An array of any library, in which 8-bit integers are float16, as in SciPy; fastact would make them float32."""
    x = x if hasattr(x, "astype") else np.asarray(x)
    return x.astype(np.float16) if dtype.kind in "iu" and dtype.itemsize == 1 else x


def _over_rows(function: Callable[..., Any], x: Any, axis: Axis) -> Any:
    """Calls fastact's own function. NumPy's reductions take a scalar for an array with one axis, and so does SciPy."""
    if axis in (0, -1) and np.ndim(x) == 0:
        axis = None
    if axis is None and type(x) is np.ndarray and x.flags.c_contiguous:
        return function(x.reshape(-1)).reshape(x.shape)[()]  # a row of one axis is begun sooner than one of several
    return function(x, axis=axis)


def _filled(x: ArrayLike) -> Array:
    """A plain array, in which a masked entry takes no part in a sum of exponentials."""
    return x.filled(-np.inf) if isinstance(x, np.ma.MaskedArray) else np.asarray(x)


def _complex_maximum(a: Array, axis: Axis) -> Array:
    """The largest entry as NumPy compares complex numbers: by the real part, then by the imaginary one."""
    return np.max(a, axis=axis, keepdims=True, initial=-np.inf)


def _complex_logarithm(total: Array, log: Array) -> Array:
    """The logarithm of a complex sum, of whose absolute value the logarithm is known better."""
    result = np.asarray(np.log(total))
    result.real = log
    return result


def logsumexp(
    a: ArrayLike, axis: Axis = None, b: ArrayLike | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """The logarithm of a sum of exponentials, which may be weighted; nothing overflows on the way.

        logsumexp(a, b=b) = log(sum(b * exp(a)))

    Parameters
    ----------
    a : array_like
        Real or complex numbers.
    axis : int, tuple of int or None, default None
        The axis or axes of the sum; None sums over all elements.
    b : array_like, optional
        Weights, real or complex; broadcasts against a. Where it is 0, nothing is added, whatever a is there.
    keepdims : bool, default False
        Whether the axis stays, with length 1.
    return_sign : bool, default False
        Whether to return log(abs(sum)) and the sum's sign: 1, 0 or -1, or the phase exp(i phi) of a complex sum.

    Returns
    -------
    ndarray or scalar, or a pair of them
        In the dtype of a and b together, where integers count as float64. Without `return_sign`, the logarithm of a
        negative sum is NaN, and that of a complex one has its imaginary part in (-pi, pi].

    Notes
    -----
    Range: [-inf, inf]. An empty sum is 0, with the logarithm -inf. Real sums without weights are at most 2 ULP from the
    true value, of max(a) where the result is near its root. No floating-point warning is raised.

    Raises
    ------
    numpy.exceptions.AxisError
        For an axis that the operands do not have.
    TypeError
        For operands that are not numbers.
    ValueError
        For text, an axis given twice, and shapes that do not broadcast.

    References
    ----------
    Blanchard, Higham and Higham, Accurately computing the log-sum-exp and softmax functions (2021).
    """
    dtype = _common_dtype(a, b)
    if np.ndim(a) == 0:
        a = np.atleast_1d(a)
    if b is None and dtype.kind != "c":
        other = None if getattr(a, "dtype", np.void) == dtype else dtype  # to NumPy, None would be float64
        log = fastact.logsumexp(a, axis=axis, keepdims=keepdims, dtype=other)
        return (log, np.where(np.isnan(log), log, log > -np.inf)[()]) if return_sign else log
    with np.errstate(all="ignore"):
        total, log = _weighted_sum(a, b, axis, np.result_type(dtype, np.float32))  # half types are rounded once
        if return_sign:
            results = [log, np.sign(total)]
        elif dtype.kind == "c":
            results = [_complex_logarithm(total, log)]
        else:
            results = [np.where(total < 0, np.nan, log)]
    if not keepdims:
        results = [result.squeeze(axis)[()] for result in results]
    if dtype.kind != "c":
        results = [result.astype(dtype, copy=False) for result in results]
    return tuple(results) if return_sign else results[0]


def _common_dtype(a: ArrayLike, b: ArrayLike | None) -> np.dtype[Any]:
    """The dtype of both operands together; Python numbers adapt to the array beside them."""
    operands = {"a": a} if b is None else {"a": a, "b": b}
    known = [
        operand if isinstance(operand, _promotion.PYTHON_NUMBERS) else _dtype("logsumexp", name, operand)
        for name, operand in operands.items()
    ]
    common = np.result_type(*known)
    return common if common.char in "efdgFDG" else np.dtype(np.float64)


def _dtype(function: str, name: str, operand: Any) -> np.dtype[Any]:
    """The dtype of an operand, which has to be one of numbers."""
    # Asking a dask array for more than its dtype would compute it; a sparse matrix has a dtype, and is no array.
    dtype = getattr(operand, "dtype", None) if hasattr(operand, "__array__") else None
    if not isinstance(dtype, np.dtype):
        dtype = np.asarray(operand).dtype
    if dtype.kind not in "biuc" and not _promotion.is_float(dtype):
        # SciPy's logsumexp converts what it is given to float64; the other functions look for a loop.
        error = ValueError if function == "logsumexp" and dtype.kind in "SUV" else TypeError
        raise error(f"{function}: argument {name} has dtype {dtype}, expected numbers")
    return dtype


def _weighted_sum(a: Any, b: Any, axis: Axis, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """The sum of b * exp(a), divided by a positive number that keeps it in range, and log(abs(sum)) itself."""
    a, b = _without_masks(a, b)
    a = a.astype(dtype, copy=False)
    if b is not None:
        try:
            a, b = np.broadcast_arrays(np.where(b == 0, -np.inf, a), b.astype(dtype, copy=False))
        except ValueError:
            raise ValueError(f"logsumexp: b has shape {b.shape}, which does not broadcast with {a.shape}") from None
    # A row whose largest entry is infinite is the logarithm of its sum by IEEE's rules.
    largest = np.max(a.real, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(largest), largest, 0)
    terms = np.exp(a - shift)
    if b is not None:
        terms *= b
    # Beside terms of exp(0), small ones would be lost: they are added up on their own, and log1p takes both.
    first = a == shift
    high = np.sum(terms, axis=axis, keepdims=True, where=first)
    low = np.sum(terms, axis=axis, keepdims=True, where=~first)
    total = high + low
    turn = np.conj(np.sign(total))  # turns the sum around to the positive numbers
    rest = (turn * high - 1) + turn * low
    near = np.log1p(rest.real * (2 + rest.real) + rest.imag**2) / 2
    return total, shift + np.where(np.abs(rest) < 0.5, near, np.log(np.abs(total)))


def _without_masks(a: Any, b: Any) -> tuple[Array, Array | None]:
    """Plain arrays, where a masked entry has the weight 0."""
    mask = np.ma.getmask(a) | np.ma.getmask(b)
    if mask is not np.ma.nomask:
        b = np.where(mask, 0, 1 if b is None else b)
    return np.asarray(a), None if b is None else np.asarray(b)
