"""Activation functions on NumPy arrays, as fast as memory allows and right to the last bit."""

from fastact import backward, derivative
from fastact._config import config, get_num_threads, set_num_threads, show_config, threads
from fastact._lookup import get
from fastact._public import making_getter, names
from fastact._records import activations
from fastact._version import __version__

__all__ = [
    *names("value"),
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
__getattr__ = making_getter(__name__, "value")


def __dir__() -> list[str]:
    return __all__
