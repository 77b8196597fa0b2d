"""The elementwise activations: each one's formula, derivative and facts, side by side.

A formula works on one element (Numba) or on an array (NumPy). `xp` is the namespace of functions that it is written
over; `T` makes constants of the type that is computed in, from their decimals where Python's float would round them.
Importing a module of this package enters its activations into `fastact._records.activations`.
"""

from fastact._elementwise import (  # noqa: F401  (in the order of the documentation)
    rectifiers,
    sigmoids,
    smooth_rectifiers,
    self_gated,
    shrinkage,
    gates,
)
