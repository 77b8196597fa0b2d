"""Derivatives: `derivative.NAME(x, *parameters)` is the derivative of NAME at x."""

from fastact._public import publish

_functions = publish(__name__, "derivative")
globals().update(_functions)

__all__ = [*_functions]
