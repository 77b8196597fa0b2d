"""NumExpr, with an expression per function as its users write it."""

from __future__ import annotations

import importlib
import math
from typing import Any

from fastact.bench.peers._base import Job, Prepared, find, only, version
from fastact.bench.peers.handwritten import SELU_ALPHA, SELU_SCALE

# Only float32 numbers keep a float32 expression in float32 (a bare 0.5 is a double), so every number that is not
# an integer is a variable.
CONSTANTS = {
    "selu_alpha": SELU_ALPHA,
    "selu_scale": SELU_SCALE,
    "half": 0.5,
    "cubic": 0.044715,
    "root": math.sqrt(2 / math.pi),
    "quick": 1.702,
}
EXPRESSIONS: dict[str, str] = {
    "step": "where(x > 0, 1, where(x < 0, 0, at_zero))",
    "sigmoid": "1 / (1 + exp(-x))",
    "log_sigmoid": "-log1p(exp(-x))",
    "logit": "log(x / (1 - x))",
    "tanh": "tanh(x)",
    "relu": "where(x > 0, x, 0)",
    "relu6": "where(x > 0, where(x < 6, x, 6), 0)",
    "squared_relu": "where(x > 0, x * x, 0)",
    "leaky_relu": "where(x > 0, x, negative_slope * x)",
    "prelu": "where(x > 0, x, weight * x)",
    "silu": "x / (1 + exp(-x))",
    "mish": "x * tanh(log1p(exp(x)))",
    "elu": "where(x > 0, x, alpha * expm1(x))",
    "celu": "where(x > 0, x, alpha * expm1(x / alpha))",
    "selu": "selu_scale * where(x > 0, x, selu_alpha * expm1(x))",
    "softplus": "log1p(exp(beta * x)) / beta",
    "softsign": "x / (1 + abs(x))",
    "hard_sigmoid": "where(x > -3, where(x < 3, (x + 3) / 6, 1), 0)",
    "hard_swish": "x * where(x > -3, where(x < 3, (x + 3) / 6, 1), 0)",
    "hard_tanh": "where(x > min_value, where(x < max_value, x, max_value), min_value)",
    "hard_shrink": "where(abs(x) > threshold, x, 0)",
    "soft_shrink": "where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0))",
    "tanh_shrink": "x - tanh(x)",
    "gelu_tanh": "half * x * (1 + tanh(root * (x + cubic * x * x * x)))",
    "quick_gelu": "x / (1 + exp(-quick * x))",
    "threshold": "where(x > threshold, x, value)",
    "thresholded_relu": "where(x > alpha, x, 0)",
    "squareplus": "half * (x + sqrt(x * x + b))",
    "swiglu": "gate / (1 + exp(-gate)) * value",
    "reglu": "where(gate > 0, gate, 0) * value",
}


# A subexpression that stands twice is evaluated once.
_TANH_OF_SOFTPLUS = "tanh(log1p(exp(x)))"
_INNER_TANH = "tanh(root * (x + cubic * x * x * x))"
GRADIENTS: dict[str, str | tuple[str, str]] = {
    "sigmoid": "grad / (1 + exp(-x)) * (1 - 1 / (1 + exp(-x)))",
    "log_sigmoid": "grad / (1 + exp(x))",
    "logit": "grad / (x * (1 - x))",
    "tanh": "grad * (1 - tanh(x) ** 2)",
    "relu": "where(x > 0, grad, 0)",
    "relu6": "where((x > 0) & (x < 6), grad, 0)",
    "squared_relu": "where(x > 0, 2 * x * grad, 0)",
    "leaky_relu": "where(x > 0, grad, negative_slope * grad)",
    "silu": "grad * (1 + x * exp(-x) / (1 + exp(-x))) / (1 + exp(-x))",
    "mish": f"grad * ({_TANH_OF_SOFTPLUS} + x / (1 + exp(-x)) * (1 - {_TANH_OF_SOFTPLUS} ** 2))",
    "elu": "where(x > 0, grad, alpha * grad * exp(x))",
    "celu": "where(x > 0, grad, grad * exp(x / alpha))",
    "selu": "selu_scale * where(x > 0, grad, selu_alpha * grad * exp(x))",
    "softplus": "grad / (1 + exp(-beta * x))",
    "softsign": "grad / (1 + abs(x)) ** 2",
    "hard_sigmoid": "where(abs(x) < 3, grad / 6, 0)",
    "hard_swish": "where(x > -3, where(x < 3, grad * (x / 3 + half), grad), 0)",
    "hard_tanh": "where((x > min_value) & (x < max_value), grad, 0)",
    "hard_shrink": "where(abs(x) > threshold, grad, 0)",
    "soft_shrink": "where(abs(x) > threshold, grad, 0)",
    "tanh_shrink": "grad * tanh(x) ** 2",
    "gelu_tanh": f"half * grad * (1 + {_INNER_TANH} + x * (1 - {_INNER_TANH} ** 2) * root * (1 + 3 * cubic * x * x))",
    "quick_gelu": "grad * (1 + quick * x * exp(-quick * x) / (1 + exp(-quick * x))) / (1 + exp(-quick * x))",
    "threshold": "where(x > threshold, grad, 0)",
    "thresholded_relu": "where(x > alpha, grad, 0)",
    "squareplus": "half * grad * (1 + x / sqrt(x * x + b))",
    "swiglu": (
        "grad * value * (1 + gate * exp(-gate) / (1 + exp(-gate))) / (1 + exp(-gate))",
        "grad * gate / (1 + exp(-gate))",
    ),
    "reglu": ("where(gate > 0, grad * value, 0)", "where(gate > 0, grad * gate, 0)"),
}
"""One expression for each gradient."""


class NumExpr:
    """Expressions that NumExpr compiles."""

    name = "numexpr"
    title = "NumExpr"

    def load(self, threads: int) -> str:
        self._numexpr: Any = importlib.import_module("numexpr")
        self._numexpr.set_num_threads(threads)
        return version("numexpr")

    def prepare(self, job: Job) -> Prepared:
        found = find(job, EXPRESSIONS, GRADIENTS)
        expressions = (found,) if isinstance(found, str) else found
        only(job, "float32", "float64")
        scalar = job.x.dtype.type
        names: dict[str, Any] = {name: scalar(number) for name, number in {**CONSTANTS, **job.parameters}.items()}
        names.update(zip(job.names, job.operands, strict=True))
        evaluate, work = self._numexpr.evaluate, list(zip(expressions, job.outs, strict=True))
        return Prepared(lambda: [evaluate(text, local_dict=names, global_dict={}, out=out) for text, out in work])
