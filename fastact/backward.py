"""Gradients: `backward.NAME(grad, x, *parameters)` is grad times the derivative of NAME at x, in one pass."""

from fastact._public import making_getter, names

__all__ = names("backward")
__getattr__ = making_getter(__name__, "backward")


def __dir__() -> list[str]:
    return __all__
