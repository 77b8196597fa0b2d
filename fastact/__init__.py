"""Activation functions on NumPy arrays, as fast as memory allows and right to the last bit."""

from importlib import import_module
from typing import Any

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

# Few programs use these, and some need extras: imported when first asked for.
_MODULES = ("functional", "numba", "sklearn", "special")
_FUNCTIONS = {
    "activation": "fastact._own",
    "compare": "fastact.zoo.comparison",
    "dense": "fastact._dense",
    "gradients": "fastact.zoo.gradients",
    "plot": "fastact.zoo.curves",
}
_activation_called = making_getter(__name__, "value")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"fastact.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    return _activation_called(name)


def __dir__() -> list[str]:
    return __all__
