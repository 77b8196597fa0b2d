"""Every activation that works along rows: few columns and many, along both axes, and a batch alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fastact.bench.cases import ROW_SHAPES, Case, Sweep, functions, is_rowwise, parse_shapes

ROWWISE = tuple(name for name in functions() if is_rowwise(name))


@pytest.mark.parametrize("case", list(Sweep(ROWWISE, parse_shapes(ROW_SHAPES)).cases()), ids=str)
def test_rowwise(case: Case, measure: Callable[[Case], None]) -> None:
    """A case that works along an axis."""
    measure(case)
