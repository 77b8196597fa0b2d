"""Every activation that works along rows, and its gradient: few columns and many, along both axes, a batch alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fastact.bench.cases import OPERATIONS, ROW_SHAPES, Case, Sweep, functions, is_rowwise, parse_shapes

ROWWISE = tuple(name for name in functions() if is_rowwise(name))


@pytest.mark.parametrize("case", list(Sweep(ROWWISE, parse_shapes(ROW_SHAPES), operations=OPERATIONS).cases()), ids=str)
def test_rowwise(case: Case, measure: Callable[[Case], None]) -> None:
    """A case that works along an axis."""
    measure(case)
