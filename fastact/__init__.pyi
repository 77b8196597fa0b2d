"""Made by `make stubs` from the table of activations."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastact import backward, derivative
from fastact import functional as functional
from fastact import numba as numba
from fastact import sklearn as sklearn
from fastact import special as special
from fastact._config import config, get_num_threads, set_num_threads, show_config, threads
from fastact._dense import dense as dense
from fastact._lookup import get
from fastact._own import activation as activation
from fastact._records import activations
from fastact._version import __version__
from fastact.zoo.comparison import compare as compare
from fastact.zoo.curves import plot as plot
from fastact.zoo.gradients import gradients as gradients

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
    "logsumexp",
    "hardmax",
    "sparsemax",
    "__version__",
    "activations",
    "backward",
    "config",
    "derivative",
    "get",
    "get_num_threads",
    "set_num_threads",
    "show_config",
    "threads",
]

identity: np.ufunc
linear: np.ufunc
def step(x: ArrayLike, at_zero: ArrayLike = 1.0, **keywords: Any) -> Any: ...
relu: np.ufunc
relu6: np.ufunc
squared_relu: np.ufunc
def leaky_relu(x: ArrayLike, negative_slope: ArrayLike = 0.01, **keywords: Any) -> Any: ...
prelu: np.ufunc
def threshold(x: ArrayLike, threshold: ArrayLike, value: ArrayLike, **keywords: Any) -> Any: ...
def thresholded_relu(x: ArrayLike, alpha: ArrayLike = 1.0, **keywords: Any) -> Any: ...
sigmoid: np.ufunc
log_sigmoid: np.ufunc
logit: np.ufunc
tanh: np.ufunc
softsign: np.ufunc
def hard_tanh(x: ArrayLike, min_value: ArrayLike = -1.0, max_value: ArrayLike = 1.0, **keywords: Any) -> Any: ...
hard_sigmoid: np.ufunc
sparse_sigmoid: np.ufunc
def softplus(x: ArrayLike, beta: ArrayLike = 1.0, **keywords: Any) -> Any: ...
def squareplus(x: ArrayLike, b: ArrayLike = 4.0, **keywords: Any) -> Any: ...
sparse_plus: np.ufunc
def elu(x: ArrayLike, alpha: ArrayLike = 1.0, **keywords: Any) -> Any: ...
def celu(x: ArrayLike, alpha: ArrayLike = 1.0, **keywords: Any) -> Any: ...
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
def hard_shrink(x: ArrayLike, threshold: ArrayLike = 0.5, **keywords: Any) -> Any: ...
def soft_shrink(x: ArrayLike, threshold: ArrayLike = 0.5, **keywords: Any) -> Any: ...
def glu(x: ArrayLike, axis: int = -1, **keywords: Any) -> Any: ...
swiglu: np.ufunc
geglu: np.ufunc
reglu: np.ufunc
def softmax(x: ArrayLike, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any: ...
def log_softmax(x: ArrayLike, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any: ...
def softmin(x: ArrayLike, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any: ...
def logsumexp(x: ArrayLike, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None, keepdims: bool = False) -> Any: ...
def hardmax(x: ArrayLike, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any: ...
def sparsemax(x: ArrayLike, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any: ...
