"""The activations of `torch.nn.functional`, with its names and signatures, on NumPy arrays.

Change `import torch.nn.functional as F` into `import fastact.functional as F`; docs/functional.md says what differs.

Every function takes an array_like of real numbers and returns a new array, or with `inplace=True` (and where the name
ends in `_`) writes into the array that it is given and returns that. float16, bfloat16, float32, float64 and longdouble
keep their dtype; bool and 8/16-bit integers give float32, wider integers float64, but `relu` and `relu6` keep integers.
The accuracy is that of the function of fastact that each docstring's formula belongs to, and so is the derivative in
`fastact.derivative` and `fastact.backward`. No finite result raises a floating-point warning.

All functions raise TypeError for complex, object and other operands that are not real numbers, and, in place, for what
is not an array that can hold the result; ValueError for a read-only array in place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import fastact
from fastact import _promotion

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

# PyTorch's default. From here on its softplus is the argument itself, and the true value differs from that by less than
# 2.1e-9 / beta.
SOFTPLUS_THRESHOLD = 20


# ---- rectifiers -------------------------------------------------------------------------------------------------


def threshold(input: ArrayLike, threshold: float, value: float, inplace: bool = False) -> Any:
    """x if x > threshold else value."""
    return fastact.threshold(input, threshold, value, out=_target("threshold", input, inplace))


def threshold_(input: ArrayLike, threshold: float, value: float) -> Any:
    """`threshold` in place."""
    return fastact.threshold(input, threshold, value, out=_target("threshold", input, True))


def relu(input: ArrayLike, inplace: bool = False) -> Any:
    """max(x, 0)."""
    return fastact.relu(input, out=_target("relu", input, inplace))


def relu_(input: ArrayLike) -> Any:
    """`relu` in place."""
    return relu(input, inplace=True)


def relu6(input: ArrayLike, inplace: bool = False) -> Any:
    """min(max(x, 0), 6)."""
    return fastact.relu6(input, out=_target("relu6", input, inplace))


def leaky_relu(input: ArrayLike, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x if x > 0 else negative_slope * x."""
    return fastact.leaky_relu(input, negative_slope, out=_target("leaky_relu", input, inplace))


def leaky_relu_(input: ArrayLike, negative_slope: float = 0.01) -> Any:
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def prelu(input: ArrayLike, weight: ArrayLike) -> Any:
    """x if x > 0 else weight * x.

    `weight` is one number, or as many as `input` has channels: entries along its second dimension. ValueError for any
    other number of them, and for more than one dimension.
    """
    shape = np.shape(weight)
    if len(shape) > 1:
        raise ValueError(f"prelu: weight has {len(shape)} dimensions, expected a number or 1 dimension")
    if not shape:
        return fastact.prelu(input, weight)
    if shape == (1,):
        return fastact.prelu(input, np.reshape(weight, ()))
    channels = np.shape(input)[1] if np.ndim(input) > 1 else 1
    if shape[0] != channels:
        raise ValueError(
            f"prelu: weight has {shape[0]} entries, expected 1 or one for each channel of input, {channels}"
        )
    return fastact.prelu(input, np.reshape(weight, (channels, *(1,) * (np.ndim(input) - 2))))


def rrelu(
    input: ArrayLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: np.random.Generator | int | None = None,
) -> Any:
    """x if x > 0 else slope * x, with a random slope for each element in training, else (lower + upper) / 2.

    The slopes are uniform between `lower` and `upper`. They are drawn from `generator`: a NumPy generator, or what
    `numpy.random.default_rng` makes one from. ValueError where `lower` is greater than `upper`.
    """
    if lower > upper:
        raise ValueError(f"rrelu: lower is {lower}, expected at most upper, {upper}")
    out = _target("rrelu", input, inplace)
    if not training:
        return fastact.leaky_relu(input, (lower + upper) / 2, out=out)
    slopes = np.random.default_rng(generator).uniform(lower, upper, np.shape(input))
    return fastact.prelu(input, slopes.astype(_floating_dtype("rrelu", input)), out=out)


def rrelu_(
    input: ArrayLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    generator: np.random.Generator | int | None = None,
) -> Any:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, inplace=True, generator=generator)


def hardtanh(input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """min(max(x, min_val), max_val). ValueError where `min_val` is greater than `max_val`."""
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val is {min_val}, expected at most max_val, {max_val}")
    return fastact.hard_tanh(input, min_val, max_val, out=_target("hardtanh", input, inplace))


def hardtanh_(input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


# ---- smooth rectifiers ------------------------------------------------------------------------------------------


def elu(input: ArrayLike, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x if x > 0 else alpha * (exp(x) - 1)."""
    return fastact.elu(input, alpha, out=_target("elu", input, inplace))


def elu_(input: ArrayLike, alpha: float = 1.0) -> Any:
    """`elu` in place."""
    return elu(input, alpha, inplace=True)


def selu(input: ArrayLike, inplace: bool = False) -> Any:
    """1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1))."""
    return fastact.selu(input, out=_target("selu", input, inplace))


def selu_(input: ArrayLike) -> Any:
    """`selu` in place."""
    return selu(input, inplace=True)


def celu(input: ArrayLike, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x if x > 0 else alpha * (exp(x / alpha) - 1). ValueError for an `alpha` of 0."""
    return fastact.celu(input, alpha, out=_target("celu", input, inplace))


def celu_(input: ArrayLike, alpha: float = 1.0) -> Any:
    """`celu` in place."""
    return celu(input, alpha, inplace=True)


def softplus(input: ArrayLike, beta: float = 1, threshold: float = SOFTPLUS_THRESHOLD) -> Any:
    """log(1 + exp(beta * x)) / beta, but x where beta * x > threshold. ValueError for a `beta` of 0.

    No threshold is needed here: from 20 on, it is left out, and the value is the true one.
    """
    if threshold >= SOFTPLUS_THRESHOLD:
        return fastact.softplus(input, beta)
    result = np.array(input, _floating_dtype("softplus", input), subok=True)
    with np.errstate(over="ignore"):
        curved = np.asarray(result * beta <= threshold)
    fastact.softplus(result, beta, out=result, where=curved)
    return result[()]


def logsigmoid(input: ArrayLike) -> Any:
    """-log(1 + exp(-x))."""
    return fastact.log_sigmoid(input)


# ---- gates of themselves ----------------------------------------------------------------------------------------


def gelu(input: ArrayLike, approximate: str = "none") -> Any:
    """x / 2 * erfc(-x / sqrt(2)), or its approximation by tanh.

    With `approximate="tanh"` x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))). ValueError for an
    `approximate` that is neither "none" nor "tanh".
    """
    if approximate == "none":
        return fastact.gelu(input)
    if approximate == "tanh":
        return fastact.gelu_tanh(input)
    raise ValueError(f"gelu: approximate is {approximate!r}, expected 'none' or 'tanh'")


def silu(input: ArrayLike, inplace: bool = False) -> Any:
    """x / (1 + exp(-x))."""
    return fastact.silu(input, out=_target("silu", input, inplace))


def mish(input: ArrayLike, inplace: bool = False) -> Any:
    """x * tanh(log(1 + exp(x)))."""
    return fastact.mish(input, out=_target("mish", input, inplace))


def hardswish(input: ArrayLike, inplace: bool = False) -> Any:
    """x * min(max(x + 3, 0), 6) / 6."""
    return fastact.hard_swish(input, out=_target("hardswish", input, inplace))


def glu(input: ArrayLike, dim: int = -1) -> Any:
    """a / (1 + exp(-b)), where a and b are the halves of `input` along `dim`.

    ValueError for an odd size along `dim`, numpy.exceptions.AxisError (an IndexError) for a `dim` that is not there.
    """
    return fastact.glu(input, axis=dim)


# ---- sigmoids ---------------------------------------------------------------------------------------------------


def sigmoid(input: ArrayLike) -> Any:
    """1 / (1 + exp(-x))."""
    return fastact.sigmoid(input)


def tanh(input: ArrayLike) -> Any:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return fastact.tanh(input)


def softsign(input: ArrayLike) -> Any:
    """x / (1 + abs(x))."""
    return fastact.softsign(input)


def hardsigmoid(input: ArrayLike, inplace: bool = False) -> Any:
    """min(max(x + 3, 0), 6) / 6."""
    return fastact.hard_sigmoid(input, out=_target("hardsigmoid", input, inplace))


# ---- shrinkage --------------------------------------------------------------------------------------------------


def hardshrink(input: ArrayLike, lambd: float = 0.5) -> Any:
    """x if x > lambd or x < -lambd else 0."""
    return fastact.hard_shrink(input, max(lambd, 0))  # below 0, nothing is between lambd and -lambd


def softshrink(input: ArrayLike, lambd: float = 0.5) -> Any:
    """x - lambd if x > lambd else x + lambd if x < -lambd else 0. ValueError for a negative `lambd`."""
    if lambd < 0:
        raise ValueError(f"softshrink: lambd is {lambd}, expected at least 0")
    return fastact.soft_shrink(input, lambd)


def tanhshrink(input: ArrayLike) -> Any:
    """x - tanh(x)."""
    return fastact.tanh_shrink(input)


# ---- over rows --------------------------------------------------------------------------------------------------


def softmax(input: ArrayLike, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Any:
    """exp(x) / sum(exp(x)), the sum over `dim`.

    `dtype` is what is computed in and returned. Where `dim` is not given, PyTorch's old choice is taken, with a
    warning: 0 for arrays of 0, 1 and 3 dimensions, else 1. numpy.exceptions.AxisError (an IndexError) for a `dim` that
    is not there.
    """
    return _over(fastact.softmax, input, dim, _stacklevel, dtype)


def softmin(input: ArrayLike, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Any:
    """exp(-x) / sum(exp(-x)), the sum over `dim`; arguments and errors as in `softmax`."""
    return _over(fastact.softmin, input, dim, _stacklevel, dtype)


def log_softmax(input: ArrayLike, dim: int | None = None, _stacklevel: int = 3, dtype: DTypeLike | None = None) -> Any:
    """x - log(sum(exp(x))), the sum over `dim`; arguments and errors as in `softmax`."""
    return _over(fastact.log_softmax, input, dim, _stacklevel, dtype)


def gumbel_softmax(
    logits: ArrayLike,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: np.random.Generator | int | None = None,
) -> Any:
    """softmax((x + g) / tau) over `dim`, where each g is drawn from the Gumbel distribution: a sample of categories.

    With `hard`, exactly 1 at the first maximum and 0 elsewhere. The numbers are drawn from `generator`: a NumPy
    generator, or what `numpy.random.default_rng` makes one from. `eps` has no effect, and passing it warns. ValueError
    for a `tau` that is not positive.

    Jang, Gu and Poole, Categorical reparameterization with Gumbel-softmax (2017).
    """
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau is {tau}, expected more than 0")
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps has no effect", stacklevel=2)
    dtype = _floating_dtype("gumbel_softmax", logits)
    scores = np.random.default_rng(generator).gumbel(size=np.shape(logits))
    scores += np.asarray(logits)
    scores /= tau
    scores = scores.astype(dtype, copy=False)
    return _over(fastact.hardmax if hard else fastact.softmax, scores, dim, 3, None)


def _over(function: Callable[..., Any], input: ArrayLike, dim: int | None, stacklevel: int, dtype: Any) -> Any:
    """Calls a row-wise function over a dimension, which PyTorch may leave out, and which a number may have."""
    ndim = np.ndim(input)
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(f"{function.__name__}: dim is not given, {dim} is taken; pass dim={dim}", stacklevel=stacklevel)
    if ndim == 0:
        return function(np.reshape(input, 1), dim, dtype=dtype)[0]
    return function(input, dim, dtype=dtype)


def _target(name: str, input: Any, inplace: bool) -> Any:
    """Where a result goes: into `input`, which has to be an array that can hold it, or nowhere yet."""
    if not inplace:
        return None
    if not isinstance(input, np.ndarray):
        raise TypeError(f"{name}: input is {type(input).__name__}, expected a numpy.ndarray to write into")
    if not _promotion.is_float(input.dtype) and name not in ("relu", "relu6"):
        raise TypeError(f"{name}: input has dtype {input.dtype}, expected a floating-point dtype to write into")
    if not input.flags.writeable:
        raise ValueError(f"{name}: input is read-only, expected an array to write into")
    return input


def _floating_dtype(name: str, input: ArrayLike) -> np.dtype[Any]:
    """The dtype that a function of `input` computes in."""
    return _promotion.result_dtype(name, ("input",), [np.asarray(input).dtype], False)
