"""Derivatives: `derivative.NAME(x, *parameters)` is the derivative of NAME at x."""

from fastact._public import making_getter, names

__all__ = names("derivative")
__getattr__ = making_getter(__name__, "derivative")


def __dir__() -> list[str]:
    return __all__
