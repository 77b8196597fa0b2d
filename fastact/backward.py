"""Gradients: `backward.NAME(grad, x, *parameters)` is grad times the derivative of NAME at x, in one pass."""

from fastact._public import publish

_functions = publish(__name__, "backward")
globals().update(_functions)

__all__ = [*_functions]
