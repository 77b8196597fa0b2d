"""The oracle against the records' formulas in thousands of digits, and its two arithmetics against each other."""

from __future__ import annotations

import re
from typing import Any

import mpmath
import numpy as np
import pytest

from tests import oracle
from tests.catalogue import LOOPS, RECORDS, kinks

BITS = 4000  # enough for 1 + erf(-38), which cancels 1050 bits, and for a difference quotient of it
STEP = mpmath.mpf(2) ** -1000
POINTS = [-1e3, -38.5, -20.1, -6.03, -3.5, -1.3, -0.77, -0.3, -1e-8, -1e-30, 1e-30, 1e-7, 0.2, 0.4, 0.62, 0.9, 1.7, 4.4,
          7.9, 20.1, 100.5, 1e3]  # fmt: skip
FUNCTIONS = {name: getattr(mpmath, name) for name in ("exp", "log", "sqrt", "tanh", "erfc", "pi", "mpf")}


def from_formula(record: Any, x: Any, others: dict[str, Any]) -> Any:
    variables = dict(zip(record.operands, (x, others.pop("second", None)), strict=False)) | others
    formula = re.sub(r"\d+\.\d+", r"mpf('\g<0>')", record.formula)  # decimals are exact
    return eval(formula, FUNCTIONS | {"max": max, "min": min, "abs": abs}, variables)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_oracle_is_what_the_formula_says(record: Any) -> None:
    others = dict(record.typical_parameters)
    if len(record.operands) > 1:
        others["second"] = 1.25
    inside = [x for x in POINTS if record.domain.low < x < record.domain.high]
    x = np.array(inside)
    value = oracle.exact(record.name, x, *others.values(), m=oracle.Mpfr)
    slope = oracle.exact(f"{record.name}_derivative", x, *others.values(), m=oracle.Mpfr)
    with mpmath.workprec(BITS):
        for k, point in enumerate(inside):

            def f(x: Any) -> Any:
                return mpmath.mpf(from_formula(record, x, dict(others)))

            z = mpmath.mpf(point)
            assert close(value[k], f(z)), (record.name, point)
            if point not in kinks(record):
                assert close(slope[k], (f(z + STEP) - f(z - STEP)) / (2 * STEP)), (record.name, "derivative", point)


def close(computed: Any, true: Any) -> bool:
    """Equal to 45 digits."""
    mantissa, exponent = computed.as_mantissa_exp()
    error = abs(mpmath.ldexp(int(mantissa), int(exponent)) - true)
    return bool(error <= abs(true) * mpmath.mpf(10) ** -45 + mpmath.mpf(10) ** -400)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
def test_extended_precision_judges_float32(loop: Any) -> None:
    """The fast arithmetic is right to 1e-4 float32 ULP, so that it can tell 1.0 from 1.0001."""
    if oracle.arithmetic_for("float32") is oracle.Mpfr:
        pytest.skip("no extended precision here")
    x = np.concatenate([np.linspace(-120, 120, 400), np.geomspace(1e-40, 1e38, 200), -np.geomspace(1e-40, 1e38, 200)])
    inputs = loop.inputs(x.astype(np.float32))
    precise = oracle.exact(loop.name, *inputs, m=oracle.Mpfr)
    fast = oracle.exact(loop.name, *inputs, m=oracle.LongDouble)
    error = oracle.ulp_error(fast, precise, "float32", oracle.Mpfr, loop.least_exponent(x))
    assert error.max() < 1e-4, x[error.argmax()]
