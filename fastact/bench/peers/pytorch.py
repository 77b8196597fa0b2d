"""PyTorch on the CPU, in eager mode, on tensors that share the arrays' memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastact.bench.peers import _pytorch_gradients as gradients
from fastact.bench.peers._base import Array, Job, Prepared, find
from fastact.bench.peers.handwritten import SELU_ALPHA, SELU_SCALE

Call = Callable[..., Any]


def _one_operand(torch: Any, p: dict[str, float], dtype: Any) -> dict[str, Callable[[], Call]]:
    """What PyTorch calls each function; run for its own function alone, whose parameters are in p.

    Where the function that people call takes no out= but runs the same kernel as one that does (relu is clamp_min,
    selu and celu are elu), that one is called.
    """
    functional, nn = torch.nn.functional, torch._C._nn
    return {
        "identity": lambda: lambda x, out: out.copy_(x),
        "step": lambda: _then(torch.heaviside, torch.tensor(p["at_zero"], dtype=dtype)),
        "sigmoid": lambda: torch.sigmoid,
        "log_sigmoid": lambda: nn.log_sigmoid,
        "logit": lambda: torch.logit,
        "tanh": lambda: torch.tanh,
        "relu": lambda: partial(torch.clamp_min, min=0),
        "relu6": lambda: partial(nn.hardtanh, min_val=0, max_val=6),
        "squared_relu": lambda: lambda x, out: torch.square(torch.relu(x), out=out),
        "leaky_relu": lambda: partial(nn.leaky_relu, negative_slope=p["negative_slope"]),
        "silu": lambda: nn.silu,
        "mish": lambda: nn.mish,
        "elu": lambda: partial(nn.elu, alpha=p["alpha"]),
        "celu": lambda: partial(nn.elu, alpha=p["alpha"], scale=1, input_scale=1 / p["alpha"]),
        "selu": lambda: partial(nn.elu, alpha=SELU_ALPHA, scale=SELU_SCALE),
        "softplus": lambda: partial(nn.softplus, beta=p["beta"]),
        "softsign": lambda: functional.softsign,
        "hard_sigmoid": lambda: nn.hardsigmoid,
        "hard_swish": lambda: nn.hardswish,
        "hard_tanh": lambda: partial(nn.hardtanh, min_val=p["min_value"], max_val=p["max_value"]),
        "hard_shrink": lambda: partial(torch.hardshrink, lambd=p["threshold"]),
        "soft_shrink": lambda: partial(nn.softshrink, lambd=p["threshold"]),
        "tanh_shrink": lambda: functional.tanhshrink,
        "gelu": lambda: nn.gelu,
        "gelu_tanh": lambda: partial(nn.gelu, approximate="tanh"),
        "threshold": lambda: partial(torch.threshold, threshold=p["threshold"], value=p["value"]),
        "thresholded_relu": lambda: partial(torch.threshold, threshold=p["alpha"], value=0),
    }


def _two_operands(torch: Any) -> dict[str, Call]:
    """For the gated units PyTorch has no single function: the two calls that people write."""
    nn = torch._C._nn
    return {
        "prelu": torch.prelu,
        "swiglu": lambda gate, value, out: torch.mul(nn.silu(gate), value, out=out),
        "geglu": lambda gate, value, out: torch.mul(nn.gelu(gate), value, out=out),
        "reglu": lambda gate, value, out: torch.mul(torch.relu(gate), value, out=out),
    }


def _along_axis(torch: Any) -> dict[str, Call]:
    return {
        "softmax": torch.softmax,
        "log_softmax": torch.log_softmax,
        "softmin": torch.nn.functional.softmin,
        "logsumexp": torch.logsumexp,
        "glu": torch._C._nn.glu,
    }


def _then(function: Call, second: Any) -> Call:
    """A function of two tensors as one of its first."""
    return lambda x, **keywords: function(x, second, **keywords)


def _accepts_out(call: Call, out: Any) -> bool:
    """Whether a function writes to a given tensor, as most do; the documentation names only some of them."""
    kept = out.clone()
    try:
        call(out=out)
    except (TypeError, RuntimeError):
        return False
    out.copy_(kept)  # in place, that was the input
    return True


class PyTorch:
    """torch and torch.nn.functional."""

    name = "pytorch"
    title = "PyTorch"

    def load(self, threads: int) -> str:
        self._torch: Any = importlib.import_module("torch")
        self._torch.set_num_threads(threads)
        self._takes_out: dict[str, bool] = {}  # by function
        return str(self._torch.__version__)

    def prepare(self, job: Job) -> Prepared:
        torch = self._torch
        operands = [self._tensor(operand) for operand in job.operands]
        if job.operation == "backward":
            return self._gradient(job, operands)
        out = operands[0] if job.in_place else self._tensor(job.out)
        if len(operands) > 1:
            call: Call = partial(find(job, _two_operands(torch)), *operands)
        elif job.axis is not None:
            call = partial(find(job, _along_axis(torch)), operands[0], dim=job.axis)
        else:
            call = partial(find(job, _one_operand(torch, dict(job.parameters), operands[0].dtype))(), operands[0])
        if job.function not in self._takes_out:
            self._takes_out[job.function] = _accepts_out(call, out)
        call = partial(call, out=out) if self._takes_out[job.function] else self._copying(call, out, job)
        return Prepared(call, self._array)

    def _gradient(self, job: Job, operands: list[Any]) -> Prepared:
        outs = operands[:1] if job.in_place else [self._tensor(out) for out in job.outs]
        return Prepared(gradients.prepare(self._torch, job, operands, outs), self._array)

    @staticmethod
    def _copying(call: Call, out: Any, job: Job) -> Call:
        """In place, a function that only allocates has to copy its result back."""
        return (lambda: out.copy_(call())) if job.in_place else call

    def _tensor(self, array: Array) -> Any:
        if array.dtype.name != "bfloat16":
            return self._torch.from_numpy(array)
        return self._torch.from_numpy(array.view(np.int16)).view(self._torch.bfloat16)

    def _array(self, tensor: Any) -> Array:
        if tensor.dtype != self._torch.bfloat16:
            array: Array = tensor.numpy()
            return array
        import ml_dtypes  # there, or the input would not have been bfloat16

        return np.asarray(tensor.view(self._torch.int16).numpy()).view(ml_dtypes.bfloat16)
