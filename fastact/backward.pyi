"""Made by `make stubs` from the table of activations."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "identity",
    "linear",
    "step",
    "relu",
    "relu6",
    "squared_relu",
    "leaky_relu",
    "prelu",
    "threshold",
    "thresholded_relu",
    "sigmoid",
    "log_sigmoid",
    "logit",
    "tanh",
    "softsign",
    "hard_tanh",
    "hard_sigmoid",
    "sparse_sigmoid",
    "softplus",
    "squareplus",
    "sparse_plus",
    "elu",
    "celu",
    "selu",
    "silu",
    "swish",
    "quick_gelu",
    "mish",
    "gelu",
    "gelu_tanh",
    "hard_swish",
    "hard_silu",
    "tanh_shrink",
    "hard_shrink",
    "soft_shrink",
    "glu",
    "swiglu",
    "geglu",
    "reglu",
    "softmax",
    "log_softmax",
    "softmin",
    "sparsemax",
]

identity: np.ufunc
linear: np.ufunc
def step(grad: ArrayLike, x: ArrayLike, at_zero: ArrayLike = 1.0, **keywords: Any) -> Any: ...
relu: np.ufunc
relu6: np.ufunc
squared_relu: np.ufunc
def leaky_relu(grad: ArrayLike, x: ArrayLike, negative_slope: ArrayLike = 0.01, **keywords: Any) -> Any: ...
def prelu(grad: ArrayLike, x: ArrayLike, weight: ArrayLike, *, out: Any = None) -> Any: ...
def threshold(grad: ArrayLike, x: ArrayLike, threshold: ArrayLike, value: ArrayLike, **keywords: Any) -> Any: ...
def thresholded_relu(grad: ArrayLike, x: ArrayLike, alpha: ArrayLike = 1.0, **keywords: Any) -> Any: ...
sigmoid: np.ufunc
log_sigmoid: np.ufunc
logit: np.ufunc
tanh: np.ufunc
softsign: np.ufunc
def hard_tanh(grad: ArrayLike, x: ArrayLike, min_value: ArrayLike = -1.0, max_value: ArrayLike = 1.0, **keywords: Any) -> Any: ...
hard_sigmoid: np.ufunc
sparse_sigmoid: np.ufunc
def softplus(grad: ArrayLike, x: ArrayLike, beta: ArrayLike = 1.0, **keywords: Any) -> Any: ...
def squareplus(grad: ArrayLike, x: ArrayLike, b: ArrayLike = 4.0, **keywords: Any) -> Any: ...
sparse_plus: np.ufunc
def elu(grad: ArrayLike, x: ArrayLike, alpha: ArrayLike = 1.0, **keywords: Any) -> Any: ...
def celu(grad: ArrayLike, x: ArrayLike, alpha: ArrayLike = 1.0, **keywords: Any) -> Any: ...
selu: np.ufunc
silu: np.ufunc
swish: np.ufunc
quick_gelu: np.ufunc
mish: np.ufunc
gelu: np.ufunc
gelu_tanh: np.ufunc
hard_swish: np.ufunc
hard_silu: np.ufunc
tanh_shrink: np.ufunc
def hard_shrink(grad: ArrayLike, x: ArrayLike, threshold: ArrayLike = 0.5, **keywords: Any) -> Any: ...
def soft_shrink(grad: ArrayLike, x: ArrayLike, threshold: ArrayLike = 0.5, **keywords: Any) -> Any: ...
def glu(grad: ArrayLike, x: ArrayLike, axis: int = -1, *, out: Any = None) -> Any: ...
def swiglu(grad: ArrayLike, gate: ArrayLike, value: ArrayLike, *, out: Any = None) -> Any: ...
def geglu(grad: ArrayLike, gate: ArrayLike, value: ArrayLike, *, out: Any = None) -> Any: ...
def reglu(grad: ArrayLike, gate: ArrayLike, value: ArrayLike, *, out: Any = None) -> Any: ...
def softmax(grad: ArrayLike, y: ArrayLike, axis: Any = -1, *, out: Any = None) -> Any: ...
def log_softmax(grad: ArrayLike, y: ArrayLike, axis: Any = -1, *, out: Any = None) -> Any: ...
def softmin(grad: ArrayLike, y: ArrayLike, axis: Any = -1, *, out: Any = None) -> Any: ...
def sparsemax(grad: ArrayLike, y: ArrayLike, axis: Any = -1, *, out: Any = None) -> Any: ...
