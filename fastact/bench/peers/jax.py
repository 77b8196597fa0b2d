"""JAX on the CPU: jitted functions, waited for. Its arrays are immutable: it always allocates.

Gradients are the jitted pullbacks (`jax.vjp`). They start from the function's operands, as fastact's do, so that XLA
is free to choose what it computes again; along rows they start from what `jax.vjp` has kept of the function's call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastact.bench.cases import takes_result
from fastact.bench.peers._base import Array, Job, Prepared, SkipError, find

# jax.nn's names are fastact's own, except for these; what jax.nn lacks is a formula over jax.numpy.
NAMES = {"hard_swish": "hard_silu", "softsign": "soft_sign"}


def _function(jax: Any, job: Job) -> Any:
    """The function to be jitted."""
    p, np = job.parameters, jax.numpy  # jax's own
    special: dict[str, Callable[[], Any]] = {
        "identity": lambda: np.copy,
        "step": lambda: lambda x: np.heaviside(x, p["at_zero"]),
        "tanh": lambda: np.tanh,
        "logit": lambda: jax.scipy.special.logit,
        "gelu": lambda: partial(jax.nn.gelu, approximate=False),
        "gelu_tanh": lambda: partial(jax.nn.gelu, approximate=True),
        "quick_gelu": lambda: lambda x: x * jax.nn.sigmoid(1.702 * x),
        "squared_relu": lambda: lambda x: np.square(jax.nn.relu(x)),
        "prelu": lambda: lambda x, weight: np.where(x > 0, x, weight * x),
        "leaky_relu": lambda: partial(jax.nn.leaky_relu, negative_slope=p["negative_slope"]),
        "elu": lambda: partial(jax.nn.elu, alpha=p["alpha"]),
        "celu": lambda: partial(jax.nn.celu, alpha=p["alpha"]),
        "squareplus": lambda: partial(jax.nn.squareplus, b=p["b"]),
        "hard_tanh": lambda: lambda x: np.clip(x, p["min_value"], p["max_value"]),
        "hard_shrink": lambda: lambda x: np.where(np.abs(x) > p["threshold"], x, 0),
        "soft_shrink": lambda: lambda x: np.sign(x) * np.maximum(np.abs(x) - p["threshold"], 0),
        "tanh_shrink": lambda: lambda x: x - np.tanh(x),
        "threshold": lambda: lambda x: np.where(x > p["threshold"], x, p["value"]),
        "thresholded_relu": lambda: lambda x: np.where(x > p["alpha"], x, 0),
        "softmin": lambda: lambda x, axis: jax.nn.softmax(-x, axis),
        "swiglu": lambda: lambda gate, value: jax.nn.silu(gate) * value,
        "geglu": lambda: lambda gate, value: jax.nn.gelu(gate, approximate=False) * value,
        "reglu": lambda: lambda gate, value: jax.nn.relu(gate) * value,
    }
    if job.function in special:
        return special[job.function]()
    if job.function in NAMES:
        return getattr(jax.nn, NAMES[job.function])
    return find(job, vars(jax.nn), vars(jax.nn))


# An operand that gives the result which a gradient along rows is computed from.
OPERANDS: dict[str, Callable[[Array], Array]] = {
    "softmax": np.log,
    "softmin": lambda y: -np.log(y),
    "log_softmax": lambda y: y,
    "sparsemax": lambda y: y,
}


class Jax:
    """jax.nn and jax.numpy, jitted."""

    name = "jax"
    title = "JAX"

    def load(self, threads: int) -> str:
        """The worker's environment holds the number of threads: JAX takes it from there, once."""
        self._jax: Any = importlib.import_module("jax")
        importlib.import_module("jax.scipy.special")
        self._jax.config.update("jax_platforms", "cpu")
        self._jax.config.update("jax_enable_x64", True)
        return str(self._jax.__version__)

    def prepare(self, job: Job) -> Prepared:
        if job.in_place:
            raise SkipError("does not work in place")
        if job.function == "softplus" and job.parameters["beta"] != 1:
            raise SkipError("has no beta")
        function = _function(self._jax, job)
        if job.axis is not None:
            function = partial(function, axis=job.axis)
        operands = [self._jax.numpy.asarray(operand) for operand in job.operands]
        if job.operation == "backward":
            return self._pullback(function, job, operands)
        jitted = self._jax.jit(function)
        return Prepared(lambda: jitted(*operands).block_until_ready())

    def _pullback(self, function: Callable[..., Any], job: Job, operands: list[Any]) -> Prepared:
        jax, grad = self._jax, operands[0]
        if takes_result(job.function):
            if job.x.itemsize == 2:
                raise SkipError("starts from an operand, which a result in half precision does not tell")
            with np.errstate(all="ignore"):
                x = OPERANDS[job.function](job.x)
            _, kept = jax.vjp(function, jax.numpy.asarray(x))
            kept_jitted = jax.jit(lambda pullback, grad: pullback(grad))
            return Prepared(lambda: jax.block_until_ready(kept_jitted(kept, grad)))
        jitted = jax.jit(lambda grad, *operands: jax.vjp(function, *operands)[1](grad))
        return Prepared(lambda: jax.block_until_ready(jitted(*operands)))
