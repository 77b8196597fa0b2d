"""Every elementwise activation, at sizes from a handful to the memory's, in each dtype, in place, and in the tails.

And its gradient, at each of these sizes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fastact.bench.cases import DTYPES, OPERATIONS, SIZES, Case, Sweep, distinct, functions, is_rowwise, parse_shapes

ELEMENTWISE = tuple(name for name in functions() if not is_rowwise(name))
IN_CACHE = parse_shapes("64Ki")
SWEEPS = (
    Sweep(ELEMENTWISE, parse_shapes(SIZES), operations=OPERATIONS),
    Sweep(ELEMENTWISE, IN_CACHE, dtypes=DTYPES),
    Sweep(ELEMENTWISE, IN_CACHE, in_place=(True,)),
    Sweep(ELEMENTWISE, IN_CACHE, inputs=("subnormal",)),
)


@pytest.mark.parametrize("case", distinct(case for sweep in SWEEPS for case in sweep.cases()), ids=str)
def test_elementwise(case: Case, measure: Callable[[Case], None]) -> None:
    """A case in which every element is on its own."""
    measure(case)
