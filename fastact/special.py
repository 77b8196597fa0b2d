"""`scipy.special`'s activation functions, under its names and signatures: change the import, keep the code.

`expit`, `log_expit`, `logit` and `softplus` are fastact's own functions. `softmax` and `log_softmax` work over all
elements unless given an axis, and `logsumexp` takes weights and complex numbers, as in SciPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import fastact
from fastact import _promotion, logit, softplus
from fastact import log_sigmoid as log_expit
from fastact import sigmoid as expit

__all__ = ["expit", "log_expit", "log_softmax", "logit", "logsumexp", "softmax", "softplus"]

Array = Any
Axis = int | tuple[int, ...] | None


def softmax(x: ArrayLike, axis: Axis = None) -> Any:
    """Turns scores into probabilities: positive numbers that sum to 1.

        softmax(x) = exp(x) / sum(exp(x))

    Parameters
    ----------
    x : array_like
        Real numbers.
    axis : int, tuple of int or None, default None
        The axis or axes of the sum; None sums over all elements.

    Returns
    -------
    ndarray or scalar
        The shape of x. Dtypes, errors and everything else are those of `fastact.softmax`.
    """
    return fastact.softmax(x, axis=_axis_of_scalar(x, axis))


def log_softmax(x: ArrayLike, axis: Axis = None) -> Any:
    """The logarithm of softmax, without the detour that loses small probabilities.

        log_softmax(x) = x - log(sum(exp(x)))

    Parameters
    ----------
    x : array_like
        Real numbers.
    axis : int, tuple of int or None, default None
        The axis or axes of the sum; None sums over all elements.

    Returns
    -------
    ndarray or scalar
        The shape of x. Dtypes, errors and everything else are those of `fastact.log_softmax`.
    """
    return fastact.log_softmax(x, axis=_axis_of_scalar(x, axis))


def _axis_of_scalar(x: ArrayLike, axis: Axis) -> Axis:
    """NumPy's reductions, and so SciPy's functions, take a scalar for an array with one axis."""
    return None if axis in (0, -1) and np.ndim(x) == 0 else axis


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
        For an axis given twice, and shapes that do not broadcast.

    References
    ----------
    Blanchard, Higham and Higham, Accurately computing the log-sum-exp and softmax functions (2021).
    """
    dtype = _common_dtype(a, b)
    if np.ndim(a) == 0:
        a = np.atleast_1d(a)
    if b is None and dtype.kind != "c":
        other = None if dtype == getattr(a, "dtype", None) else dtype
        log = fastact.logsumexp(a, axis=axis, keepdims=keepdims, dtype=other)
        return (log, np.where(np.isnan(log), log, log > -np.inf)[()]) if return_sign else log
    with np.errstate(all="ignore"):
        total, log = _weighted_sum(a, b, axis, np.result_type(dtype, np.float32))  # half types are rounded once
        if return_sign:
            results = [log, np.sign(total)]
        elif dtype.kind == "c":
            results = [np.log(total)]
            results[0].real = log
        else:
            results = [np.where(total < 0, np.nan, log)]
    if not keepdims:
        results = [result.squeeze(axis)[()] for result in results]
    if dtype.kind != "c":
        results = [result.astype(dtype, copy=False) for result in results]
    return tuple(results) if return_sign else results[0]


def _common_dtype(a: ArrayLike, b: ArrayLike | None) -> np.dtype[Any]:
    """The dtype of both operands together; Python numbers adapt to the array beside them."""
    known = [_dtype("a", a)] if b is None else [_dtype("a", a), _dtype("b", b)]
    common = np.result_type(*known)
    return np.dtype(np.float64) if common.kind in "biu" else common


def _dtype(name: str, operand: Any) -> Any:
    """An operand's dtype, or a Python number itself."""
    if isinstance(operand, _promotion.PYTHON_NUMBERS):
        return operand
    # Asking a dask array for more than its dtype would compute it; a sparse matrix has a dtype, and is no array.
    dtype = getattr(operand, "dtype", None) if hasattr(operand, "__array__") else None
    if not isinstance(dtype, np.dtype):
        dtype = np.asarray(operand).dtype
    if dtype.kind not in "biuc" and not _promotion.is_float(dtype):
        raise TypeError(f"logsumexp: argument {name} has dtype {dtype}, expected numbers")
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
