"""NumPy as people write it: one expression, whose last operation goes to memory that is there already."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastact.bench.peers._base import Array, Job, Prepared, find

Pair = tuple[Array, Array]

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


def _logistic(x: Array) -> Array:
    y: Array = 1 / (1 + np.exp(-x))
    return y


def _where(condition: Array, true: Any, false: Any, out: Array) -> Any:
    np.copyto(out, np.where(condition, true, false))
    return out


def _prelu_backward(grad: Array, x: Array, weight: Array, out: Pair) -> Any:
    _where(x > 0, grad, weight * grad, out[0])
    out[1][0] = (grad * np.minimum(x, 0)).sum()
    return out


def _sigmoid_backward(grad: Array, x: Array, out: Array) -> Any:
    y = _logistic(x)
    return np.multiply(grad * y, 1 - y, out=out)


def _self_gated_backward(grad: Array, x: Array, out: Array, slope: float = 1) -> Any:
    gate = _logistic(slope * x)
    return np.multiply(grad * gate, 1 + slope * x * (1 - gate), out=out)


def _mish_backward(grad: Array, x: Array, out: Array) -> Any:
    t = np.tanh(np.logaddexp(0, x))
    return np.multiply(grad, t + x * _logistic(x) * (1 - t * t), out=out)


def _gelu_tanh_backward(grad: Array, x: Array, out: Array) -> Any:
    scale = math.sqrt(2 / math.pi)
    t = np.tanh(scale * (x + 0.044715 * x * x * x))
    slope = 0.5 * (1 + t + x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x))
    return np.multiply(grad, slope, out=out)


def _elu_backward(grad: Array, x: Array, out: Array, alpha: float, scale: float = 1) -> Any:
    return _where(x > 0, scale * grad, scale * alpha * grad * np.exp(np.minimum(x, 0)), out)


def _hard_swish_backward(grad: Array, x: Array, out: Array) -> Any:
    return np.multiply(grad, np.where(np.abs(x) < 3, x / 3 + 0.5, x > 0), out=out)


def _swiglu_backward(grad: Array, gate: Array, value: Array, out: Pair) -> Any:
    s = _logistic(gate)
    np.multiply(grad * value, s * (1 + gate * (1 - s)), out=out[0])
    np.multiply(grad, gate * s, out=out[1])
    return out


def _reglu_backward(grad: Array, gate: Array, value: Array, out: Pair) -> Any:
    np.multiply(grad * value, gate > 0, out=out[0])
    np.multiply(grad, np.maximum(gate, 0), out=out[1])
    return out


def _glu_backward(grad: Array, x: Array, out: Array, axis: int) -> Any:
    value, gate = np.split(x, 2, axis)
    by_value, by_gate = np.split(out, 2, axis)
    s = _logistic(gate)
    np.multiply(grad, s, out=by_value)
    np.multiply(grad * value, s * (1 - s), out=by_gate)
    return out


def _softmax_backward(grad: Array, y: Array, out: Array, axis: int) -> Any:
    return np.multiply(y, grad - (grad * y).sum(axis, keepdims=True), out=out)


def _softmin_backward(grad: Array, y: Array, out: Array, axis: int) -> Any:
    return np.multiply(y, (grad * y).sum(axis, keepdims=True) - grad, out=out)


def _log_softmax_backward(grad: Array, y: Array, out: Array, axis: int) -> Any:
    return np.subtract(grad, np.exp(y) * grad.sum(axis, keepdims=True), out=out)


GRADIENTS: dict[str, Callable[..., Any]] = {
    "identity": lambda grad, x, out: np.positive(grad, out=out),
    "sigmoid": _sigmoid_backward,
    "log_sigmoid": lambda grad, x, out: np.divide(grad, 1 + np.exp(x), out=out),
    "logit": lambda grad, x, out: np.divide(grad, x * (1 - x), out=out),
    "tanh": lambda grad, x, out: np.multiply(grad, 1 - np.square(np.tanh(x)), out=out),
    "relu": lambda grad, x, out: np.multiply(grad, x > 0, out=out),
    "relu6": lambda grad, x, out: np.multiply(grad, (x > 0) & (x < 6), out=out),
    "squared_relu": lambda grad, x, out: np.multiply(grad, 2 * np.maximum(x, 0), out=out),
    "leaky_relu": lambda grad, x, out, negative_slope: _where(x > 0, grad, negative_slope * grad, out),
    "prelu": _prelu_backward,
    "silu": _self_gated_backward,
    "mish": _mish_backward,
    "elu": _elu_backward,
    "celu": lambda grad, x, out, alpha: np.multiply(grad, np.exp(np.minimum(x, 0) / alpha), out=out),
    "selu": partial(_elu_backward, alpha=SELU_ALPHA, scale=SELU_SCALE),
    "softplus": lambda grad, x, out, beta: np.divide(grad, 1 + np.exp(-beta * x), out=out),
    "softsign": lambda grad, x, out: np.divide(grad, np.square(1 + np.abs(x)), out=out),
    "hard_sigmoid": lambda grad, x, out: np.multiply(grad / 6, np.abs(x) < 3, out=out),
    "hard_swish": _hard_swish_backward,
    "hard_tanh": lambda grad, x, out, min_value, max_value: np.multiply(
        grad, (x > min_value) & (x < max_value), out=out
    ),
    "hard_shrink": lambda grad, x, out, threshold: np.multiply(grad, np.abs(x) > threshold, out=out),
    "soft_shrink": lambda grad, x, out, threshold: np.multiply(grad, np.abs(x) > threshold, out=out),
    "tanh_shrink": lambda grad, x, out: np.multiply(grad, np.square(np.tanh(x)), out=out),
    "gelu_tanh": _gelu_tanh_backward,
    "quick_gelu": partial(_self_gated_backward, slope=1.702),
    "threshold": lambda grad, x, out, threshold, value: np.multiply(grad, x > threshold, out=out),
    "thresholded_relu": lambda grad, x, out, alpha: np.multiply(grad, x > alpha, out=out),
    "squareplus": lambda grad, x, out, b: np.multiply(grad / 2, 1 + x / np.sqrt(x * x + b), out=out),
    "sparse_sigmoid": lambda grad, x, out: np.multiply(grad / 2, np.abs(x) < 1, out=out),
    "sparse_plus": lambda grad, x, out: np.multiply(grad, np.clip((x + 1) / 2, 0, 1), out=out),
    "swiglu": _swiglu_backward,
    "reglu": _reglu_backward,
    "glu": _glu_backward,
    "softmax": _softmax_backward,
    "softmin": _softmin_backward,
    "log_softmax": _log_softmax_backward,
}
"""From the function's operands, as values are, or along rows from its result; two of them write two gradients."""


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
        out = job.out if len(job.outs) == 1 else tuple(job.outs)
        return Prepared(partial(find(job, FUNCTIONS, GRADIENTS), *job.operands, out=out, **keywords))
