"""What the row-wise functions should give, in NumPy's extended precision, and how far a result is from it."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def _parts(x: Array, axis: Any) -> tuple[Array, Array, Array]:
    """x - maximum, the maximum, and the sum of exp(x - maximum) over all other entries."""
    x = np.asarray(x).astype(np.longdouble)
    maximum = np.max(x, axis=axis, keepdims=True)
    below = np.where(x == maximum, 0, np.exp(x - maximum))
    ties = np.sum(x == maximum, axis=axis, keepdims=True)
    return x - maximum, maximum, np.sum(below, axis=axis, keepdims=True) + (ties - 1)


def softmax(x: Array, axis: Any = -1) -> Array:
    shifted, _, rest = _parts(x, axis)
    return np.exp(shifted) / (1 + rest)


def softmin(x: Array, axis: Any = -1) -> Array:
    return softmax(-np.asarray(x), axis)


def log_softmax(x: Array, axis: Any = -1) -> Array:
    shifted, _, rest = _parts(x, axis)
    return shifted - np.log1p(rest)


def logsumexp(x: Array, axis: Any = -1) -> Array:
    _, maximum, rest = _parts(x, axis)
    return np.squeeze(maximum + np.log1p(rest), axis=axis)


def hardmax(x: Array, axis: int = -1) -> Array:
    x = np.asarray(x)
    result = np.zeros(x.shape)
    np.put_along_axis(result, np.expand_dims(np.argmax(x, axis=axis), axis), 1, axis)
    return result


def sparsemax(x: Array, axis: int = -1) -> Array:
    """By sorting, as Martins and Astudillo (2016) have it."""
    z = np.moveaxis(np.asarray(x).astype(np.longdouble), axis, -1)
    z = z - np.max(z, axis=-1, keepdims=True)
    ordered = -np.sort(-z, axis=-1)
    sums = np.cumsum(ordered, axis=-1)
    size = np.sum(1 + np.arange(1, z.shape[-1] + 1) * ordered > sums, axis=-1, keepdims=True)
    threshold = (np.take_along_axis(sums, size - 1, -1) - 1) / size
    return np.moveaxis(np.maximum(z - threshold, 0), -1, axis)


def units(computed: Array, true: Array, scale: Array = 0.0) -> float:
    """The largest error, in units in the last place of the true value (or of `scale`, where that is larger)."""
    computed = np.asarray(computed)
    bits, smallest = {"float16": (10, -14), "float32": (23, -126), "float64": (52, -1022)}[computed.dtype.name]
    true = np.asarray(true, np.longdouble)
    _, exponent = np.frexp(np.maximum(np.abs(true), scale))
    unit = np.ldexp(np.longdouble(1), np.maximum(exponent - 1, smallest) - bits)
    same = (computed == true) | (np.isnan(computed) & np.isnan(true))
    with np.errstate(invalid="ignore"):
        errors = np.where(same, 0, np.abs(computed.astype(np.longdouble) - true) / unit)
    return float(np.max(np.where(np.isnan(errors), np.inf, errors), initial=0))
