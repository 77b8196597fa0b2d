"""Activation functions on NumPy arrays, as fast as memory allows and right to the last bit."""

from fastact import backward, derivative
from fastact._config import config, get_num_threads, set_num_threads, show_config, threads
from fastact._public import publish
from fastact._records import activations
from fastact._version import __version__

_functions = publish(__name__, "value")
globals().update(_functions)

__all__ = [
    *_functions,
    "__version__",
    "activations",
    "backward",
    "config",
    "derivative",
    "get_num_threads",
    "set_num_threads",
    "show_config",
    "threads",
]
