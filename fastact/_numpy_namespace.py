"""The functions that reference formulas are written over, for NumPy arrays."""

from numpy import abs, exp, expm1, isnan, log, log1p, tanh, where

__all__ = ["abs", "exp", "expm1", "isnan", "log", "log1p", "tanh", "where"]
