"""What PyTorch's autograd runs in a backward pass: the same operators, without its bookkeeping.

sigmoid, tanh and softmax are differentiated from their results, and log_sigmoid from what its forward pass leaves
behind: these are computed beforehand. Reached from Python, such an operator costs a microsecond more than a function of
`torch`; in an array of 64 Ki elements that is 0.015 ns of each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fastact.bench.peers._base import Job, find
from fastact.bench.peers.handwritten import SELU_ALPHA, SELU_SCALE

Call = Callable[[], Any]

SOFTPLUS_THRESHOLD = 20.0  # PyTorch's default, from which on it is linear


def prepare(torch: Any, job: Job, operands: list[Any], outs: list[Any]) -> Call:
    """The gradient of a job's function, on tensors; SkipError where PyTorch has none."""
    if len(outs) > 1:
        table = _of_two_operands(torch, operands, outs)
    elif job.axis is not None:
        table = _along_axis(torch, operands, outs[0], job.axis)
    else:
        table = _of_one_operand(torch, dict(job.parameters), operands, outs[0])
    call: Call = find(job, {}, table)()
    return call


def _of_one_operand(torch: Any, p: dict[str, float], operands: list[Any], out: Any) -> dict[str, Callable[[], Call]]:
    """Run for its own function alone, whose parameters are in p."""
    aten = torch.ops.aten
    grad, x = operands

    def of(operator: str, *arguments: Any, **keywords: Any) -> Call:
        return partial(getattr(aten, f"{operator}_backward").grad_input, grad, *arguments, **keywords, grad_input=out)

    def mish() -> Call:  # only allocates
        allocating = partial(aten.mish_backward.default, grad, x)
        return (lambda: out.copy_(allocating())) if out is grad else allocating

    def tanh_shrink() -> Call:
        y = torch.tanh(x)
        return lambda: torch.sub(grad, aten.tanh_backward.default(grad, y), out=out)

    def softsign() -> Call:  # a quotient
        divisor = 1 + x.abs()

        def call() -> Any:
            by_divisor = -grad * ((x / divisor) / divisor)
            return torch.div(grad, divisor, out=out).add_(by_divisor * x.sgn())

        return call

    return {
        "identity": lambda: lambda: out.copy_(grad),
        "sigmoid": lambda: of("sigmoid", torch.sigmoid(x)),
        "log_sigmoid": lambda: of("log_sigmoid", x, aten.log_sigmoid_forward(x)[1]),
        "logit": lambda: of("logit", x),
        "tanh": lambda: of("tanh", torch.tanh(x)),
        "relu": lambda: of("threshold", x, 0),
        "relu6": lambda: of("hardtanh", x, 0, 6),
        "squared_relu": lambda: partial(_twice_the_product, torch, grad, torch.relu(x), out),
        "leaky_relu": lambda: of("leaky_relu", x, p["negative_slope"], False),
        "silu": lambda: of("silu", x),
        "mish": mish,
        "elu": lambda: of("elu", p["alpha"], 1, 1, False, x),
        "celu": lambda: of("elu", p["alpha"], 1, 1 / p["alpha"], False, x),
        "selu": lambda: of("elu", SELU_ALPHA, SELU_SCALE, 1, False, x),
        "softplus": lambda: of("softplus", x, p["beta"], SOFTPLUS_THRESHOLD),
        "softsign": softsign,
        "hard_sigmoid": lambda: of("hardsigmoid", x),
        "hard_swish": lambda: partial(aten.hardswish_backward.out, grad, x, out=out),
        "hard_tanh": lambda: of("hardtanh", x, p["min_value"], p["max_value"]),
        "hard_shrink": lambda: of("hardshrink", x, p["threshold"]),
        "soft_shrink": lambda: of("softshrink", x, p["threshold"]),
        "tanh_shrink": tanh_shrink,
        "gelu": lambda: of("gelu", x),
        "gelu_tanh": lambda: of("gelu", x, approximate="tanh"),
        "threshold": lambda: of("threshold", x, p["threshold"]),
        "thresholded_relu": lambda: of("threshold", x, p["alpha"]),
    }


def _twice_the_product(torch: Any, grad: Any, positive: Any, out: Any) -> Any:
    return torch.mul(grad, positive, out=out).mul_(2)


def _of_two_operands(torch: Any, operands: list[Any], outs: list[Any]) -> dict[str, Callable[[], Call]]:
    """A gated unit is a product: of the activation, which its forward pass has kept, and the value."""
    aten = torch.ops.aten
    grad, first, second = operands
    by_first, by_second = outs

    def gated(activated: Any, backward: Any, *arguments: Any) -> Call:
        def call() -> Any:
            torch.mul(grad, second, out=by_first)
            backward(by_first, first, *arguments, grad_input=by_first)
            torch.mul(grad, activated, out=by_second)
            return outs

        return call

    def prelu() -> Any:
        by_x, by_weight = aten._prelu_kernel_backward.default(grad, first, second)
        return by_x, by_weight.sum().reshape(1)

    return {
        "prelu": lambda: prelu,
        "swiglu": lambda: gated(torch.nn.functional.silu(first), aten.silu_backward.grad_input),
        "geglu": lambda: gated(torch.nn.functional.gelu(first), aten.gelu_backward.grad_input),
        "reglu": lambda: gated(torch.relu(first), aten.threshold_backward.grad_input, 0),
    }


def _along_axis(torch: Any, operands: list[Any], out: Any, axis: int) -> dict[str, Callable[[], Call]]:
    """softmin is the softmax of -x."""
    aten = torch.ops.aten
    grad, kept = operands
    softmax = partial(aten._softmax_backward_data.out, grad, kept, axis, grad.dtype, grad_input=out)
    return {
        "softmax": lambda: softmax,
        "softmin": lambda: lambda: softmax().neg_(),
        "log_softmax": lambda: partial(aten._log_softmax_backward_data.out, grad, kept, axis, grad.dtype, out=out),
        "glu": lambda: partial(aten.glu_backward.grad_input, grad, kept, axis, grad_input=out),
    }
