"""Home of the ufuncs that work behind functions with parameters, where pickle finds them by their names."""

from contextlib import suppress
from typing import Any


def housed(function: Any, module: str = __name__) -> Any:
    """The function, saying that it lives in `module`, where pickle looks it up by its name."""
    with suppress(AttributeError):  # a ufunc of NumPy before 2.2: pickle then searches the modules
        function.__module__ = module
    return function


def keep(ufunc: Any) -> Any:
    """Keeps a ufunc that works behind a thin function where pickle finds it (dask's graphs hold the ufunc itself)."""
    globals()[ufunc.__name__] = housed(ufunc)
    return ufunc


def __getattr__(name: str) -> Any:
    """Makes the public function that a ufunc belongs to, which puts the ufunc here."""
    import fastact
    from fastact import activations, backward, derivative

    for module, suffix in ((backward, "_backward"), (derivative, "_derivative"), (fastact, "")):
        stem = name.removesuffix("_with_defaults")
        public = stem.removesuffix(suffix).removesuffix("_weight")  # by prelu's second operand
        if stem.endswith(suffix) and public in module.__all__ and public in activations:
            getattr(module, public)
            if name in globals():
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
