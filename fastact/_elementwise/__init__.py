"""The elementwise activations: each one's formula, derivative and facts, side by side.

A formula works on one element (Numba) or on an array (NumPy). `xp` is the namespace of functions that it is written
over; `T` makes constants of the type that is computed in, from their decimals where Python's float would round them.
Importing a module of this package enters its activations into `fastact._records.activations`.
"""

# ruff: noqa: F401, I001  (the order is that of the documentation)
from fastact._elementwise import rectifiers, sigmoids, smooth_rectifiers, self_gated, shrinkage, gates
