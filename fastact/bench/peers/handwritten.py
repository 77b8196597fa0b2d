"""NumPy as people write it: one expression, whose last operation goes to memory that is there already."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastact.bench.peers._base import Array, Job, Prepared, find

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def _gelu_tanh(x: Array, out: Array) -> Any:
    return np.multiply(0.5 * x, 1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)), out=out)


def _selu(x: Array, out: Array) -> Any:
    return np.multiply(SELU_SCALE, np.where(x > 0, x, SELU_ALPHA * np.expm1(x)), out=out)


def _threshold(x: Array, out: Array, threshold: float, value: float) -> Any:
    np.copyto(out, np.where(x > threshold, x, x.dtype.type(value)))
    return out


def _sparse_plus(x: Array, out: Array) -> Any:
    np.copyto(out, np.where(x < 1, np.square(np.maximum(x + 1, 0)) / 4, x))
    return out


def _glu(x: Array, out: Array, axis: int) -> Any:
    value, gate = np.split(x, 2, axis)
    return np.divide(value, 1 + np.exp(-gate), out=out)


def _softmax(x: Array, out: Array, axis: int) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return np.divide(e, e.sum(axis, keepdims=True), out=out)


def _softmin(x: Array, out: Array, axis: int) -> Any:
    e = np.exp(x.min(axis, keepdims=True) - x)
    return np.divide(e, e.sum(axis, keepdims=True), out=out)


def _log_softmax(x: Array, out: Array, axis: int) -> Any:
    shifted = x - x.max(axis, keepdims=True)
    return np.subtract(shifted, np.log(np.exp(shifted).sum(axis, keepdims=True)), out=out)


def _logsumexp(x: Array, out: Array, axis: int) -> Any:
    m = x.max(axis, keepdims=True)
    return np.add(m.squeeze(axis), np.log(np.exp(x - m).sum(axis)), out=out)


def _hardmax(x: Array, out: Array, axis: int) -> Any:
    largest = x.argmax(axis, keepdims=True)
    out.fill(0)
    np.put_along_axis(out, largest, 1, axis)
    return out


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "identity": np.positive,
    "step": lambda x, out, at_zero: np.heaviside(x, at_zero, out=out),
    "sigmoid": lambda x, out: np.divide(1, 1 + np.exp(-x), out=out),
    "log_sigmoid": lambda x, out: np.negative(np.logaddexp(0, -x), out=out),
    "logit": lambda x, out: np.log(x / (1 - x), out=out),
    "tanh": np.tanh,
    "relu": lambda x, out: np.maximum(x, 0, out=out),
    "relu6": lambda x, out: np.clip(x, 0, 6, out=out),
    "squared_relu": lambda x, out: np.square(np.maximum(x, 0), out=out),
    "leaky_relu": lambda x, out, negative_slope: np.maximum(x, negative_slope * x, out=out),
    "prelu": lambda x, weight, out: np.maximum(x, weight * x, out=out),
    "silu": lambda x, out: np.divide(x, 1 + np.exp(-x), out=out),
    "mish": lambda x, out: np.multiply(x, np.tanh(np.logaddexp(0, x)), out=out),
    "elu": lambda x, out, alpha: np.add(np.maximum(x, 0), alpha * np.expm1(np.minimum(x, 0)), out=out),
    "celu": lambda x, out, alpha: np.add(np.maximum(x, 0), alpha * np.expm1(np.minimum(x, 0) / alpha), out=out),
    "selu": _selu,
    "softplus": lambda x, out, beta: np.divide(np.logaddexp(0, beta * x), beta, out=out),
    "softsign": lambda x, out: np.divide(x, 1 + np.abs(x), out=out),
    "hard_sigmoid": lambda x, out: np.divide(np.clip(x + 3, 0, 6), 6, out=out),
    "hard_swish": lambda x, out: np.multiply(x, np.clip(x + 3, 0, 6) / 6, out=out),
    "hard_tanh": lambda x, out, min_value, max_value: np.clip(x, min_value, max_value, out=out),
    "hard_shrink": lambda x, out, threshold: np.multiply(x, np.abs(x) > threshold, out=out),
    "soft_shrink": lambda x, out, threshold: np.multiply(np.sign(x), np.maximum(np.abs(x) - threshold, 0), out=out),
    "tanh_shrink": lambda x, out: np.subtract(x, np.tanh(x), out=out),
    "gelu_tanh": _gelu_tanh,
    "quick_gelu": lambda x, out: np.divide(x, 1 + np.exp(-1.702 * x), out=out),
    "threshold": _threshold,
    "thresholded_relu": lambda x, out, alpha: np.multiply(x, x > alpha, out=out),
    "squareplus": lambda x, out, b: np.divide(x + np.sqrt(x * x + b), 2, out=out),
    "sparse_sigmoid": lambda x, out: np.clip((x + 1) / 2, 0, 1, out=out),
    "sparse_plus": _sparse_plus,
    "swiglu": lambda gate, value, out: np.multiply(gate / (1 + np.exp(-gate)), value, out=out),
    "reglu": lambda gate, value, out: np.multiply(np.maximum(gate, 0), value, out=out),
    "glu": _glu,
    "softmax": _softmax,
    "softmin": _softmin,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "hardmax": _hardmax,
}


class HandWritten:
    """Formulas over NumPy."""

    name = "numpy"
    title = "NumPy"

    def load(self, threads: int) -> str:
        return np.__version__

    def prepare(self, job: Job) -> Prepared:
        keywords: dict[str, Any] = dict(job.parameters)
        if job.axis is not None:
            keywords["axis"] = job.axis
        return Prepared(partial(find(FUNCTIONS, job), *job.operands, out=job.out, **keywords))
