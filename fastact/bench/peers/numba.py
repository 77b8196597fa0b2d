"""Numba: a plain `@vectorize` over a scalar formula."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from fastact.bench.peers._base import Job, Prepared, find, only, version
from fastact.bench.peers.handwritten import SELU_ALPHA, SELU_SCALE

FORMULAS: dict[str, Callable[..., float]] = {
    "step": lambda x, at_zero: 1.0 if x > 0 else 0.0 if x < 0 else at_zero,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "log_sigmoid": lambda x: min(x, 0) - math.log1p(math.exp(-abs(x))),
    "logit": lambda x: math.log(x / (1 - x)),
    "tanh": lambda x: math.tanh(x),
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "squared_relu": lambda x: max(x, 0) ** 2,
    "leaky_relu": lambda x, negative_slope: x if x > 0 else negative_slope * x,
    "prelu": lambda x, weight: x if x > 0 else weight * x,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "mish": lambda x: x * math.tanh(max(x, 0) + math.log1p(math.exp(-abs(x)))),
    "elu": lambda x, alpha: x if x > 0 else alpha * math.expm1(x),
    "celu": lambda x, alpha: x if x > 0 else alpha * math.expm1(x / alpha),
    "selu": lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * math.expm1(x)),
    "softplus": lambda x, beta: max(x, 0) + math.log1p(math.exp(-abs(beta * x))) / beta,
    "softsign": lambda x: x / (1 + abs(x)),
    "hard_sigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "hard_tanh": lambda x, min_value, max_value: min(max(x, min_value), max_value),
    "hard_shrink": lambda x, threshold: x if abs(x) > threshold else 0.0,
    "soft_shrink": lambda x, threshold: math.copysign(max(abs(x) - threshold, 0), x),
    "tanh_shrink": lambda x: x - math.tanh(x),
    "gelu": lambda x: 0.5 * x * math.erfc(-x * math.sqrt(0.5)),
    "gelu_tanh": lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "quick_gelu": lambda x: x / (1 + math.exp(-1.702 * x)),
    "threshold": lambda x, threshold, value: x if x > threshold else value,
    "thresholded_relu": lambda x, alpha: x if x > alpha else 0.0,
    "squareplus": lambda x, b: (x + math.sqrt(x * x + b)) / 2,
    "swiglu": lambda gate, value: gate / (1 + math.exp(-gate)) * value,
    "reglu": lambda gate, value: max(gate, 0) * value,
}


def _sigmoid_backward(grad: float, x: float) -> float:
    y = 1 / (1 + math.exp(-x))
    return grad * y * (1 - y)


def _silu_backward(grad: float, x: float) -> float:
    s = 1 / (1 + math.exp(-x))
    return grad * s * (1 + x * (1 - s))


def _quick_gelu_backward(grad: float, x: float) -> float:
    s = 1 / (1 + math.exp(-1.702 * x))
    return grad * s * (1 + 1.702 * x * (1 - s))


def _mish_backward(grad: float, x: float) -> float:
    t = math.tanh(max(x, 0) + math.log1p(math.exp(-abs(x))))
    return grad * (t + x / (1 + math.exp(-x)) * (1 - t * t))


def _gelu_backward(grad: float, x: float) -> float:
    density = math.exp(-0.5 * x * x) * math.sqrt(0.5 / math.pi)
    return grad * (0.5 * math.erfc(-x * math.sqrt(0.5)) + x * density)


def _gelu_tanh_backward(grad: float, x: float) -> float:
    scale = math.sqrt(2 / math.pi)
    t = math.tanh(scale * (x + 0.044715 * x**3))
    return 0.5 * grad * (1 + t + x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x))


GRADIENTS: dict[str, Callable[..., float]] = {
    "sigmoid": _sigmoid_backward,
    "log_sigmoid": lambda grad, x: grad / (1 + math.exp(x)),
    "logit": lambda grad, x: grad / (x * (1 - x)),
    "tanh": lambda grad, x: grad * (1 - math.tanh(x) ** 2),
    "relu": lambda grad, x: grad if x > 0 else 0.0,
    "relu6": lambda grad, x: grad if 0 < x < 6 else 0.0,
    "squared_relu": lambda grad, x: 2 * grad * max(x, 0),
    "leaky_relu": lambda grad, x, negative_slope: grad if x > 0 else negative_slope * grad,
    "silu": _silu_backward,
    "mish": _mish_backward,
    "elu": lambda grad, x, alpha: grad if x > 0 else alpha * grad * math.exp(x),
    "celu": lambda grad, x, alpha: grad if x > 0 else grad * math.exp(x / alpha),
    "selu": lambda grad, x: SELU_SCALE * grad * (1.0 if x > 0 else SELU_ALPHA * math.exp(x)),
    "softplus": lambda grad, x, beta: grad / (1 + math.exp(-beta * x)),
    "softsign": lambda grad, x: grad / (1 + abs(x)) ** 2,
    "hard_sigmoid": lambda grad, x: grad / 6 if abs(x) < 3 else 0.0,
    "hard_swish": lambda grad, x: grad * (x / 3 + 0.5 if abs(x) < 3 else 1.0 if x > 0 else 0.0),
    "hard_tanh": lambda grad, x, min_value, max_value: grad if min_value < x < max_value else 0.0,
    "hard_shrink": lambda grad, x, threshold: grad if abs(x) > threshold else 0.0,
    "soft_shrink": lambda grad, x, threshold: grad if abs(x) > threshold else 0.0,
    "tanh_shrink": lambda grad, x: grad * math.tanh(x) ** 2,
    "gelu": _gelu_backward,
    "gelu_tanh": _gelu_tanh_backward,
    "quick_gelu": _quick_gelu_backward,
    "threshold": lambda grad, x, threshold, value: grad if x > threshold else 0.0,
    "thresholded_relu": lambda grad, x, alpha: grad if x > alpha else 0.0,
    "squareplus": lambda grad, x, b: 0.5 * grad * (1 + x / math.sqrt(x * x + b)),
}
"""Of functions of one operand: `@vectorize` returns one result."""


class Numba:
    """Ufuncs that Numba compiles."""

    name = "numba"
    title = "Numba"

    def load(self, threads: int) -> str:
        self._numba: Any = importlib.import_module("numba")
        self._compiled: dict[tuple[str, ...], Callable[..., Any]] = {}
        return version("numba")

    def prepare(self, job: Job) -> Prepared:
        formula = find(job, FORMULAS, GRADIENTS)
        only(job, "float32", "float64")
        key = job.function, job.operation, job.dtype
        if key not in self._compiled:
            self._compiled[key] = self._vectorize(formula, job)
        parameters = [job.x.dtype.type(value) for value in job.parameters.values()]
        return Prepared(partial(self._compiled[key], *job.operands, *parameters, job.out))

    def _vectorize(self, formula: Callable[..., float], job: Job) -> Callable[..., Any]:
        """Numba's parallel target wants its types stated."""
        scalar = getattr(self._numba, job.dtype)
        signature = scalar(*[scalar] * (len(job.operands) + len(job.parameters)))
        target = "cpu" if job.threads == 1 else "parallel"
        compiled: Callable[..., Any] = self._numba.vectorize([signature], target=target)(formula)
        return compiled
