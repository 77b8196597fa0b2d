"""Every function against the oracle, in ULP."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastact
from fastact._public import engine
from tests import oracle
from tests.catalogue import LOOPS, ONE_OPERAND, Loop, dtype_of, points, true_values

DTYPES = ("float16", "bfloat16", "float32", "float64", "longdouble")
by_name = pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)


def check(loop: Loop, dtype: str, computed: Any, true: Any, x: Any, bar: float) -> None:
    m = oracle.arithmetic_for(dtype)
    error = oracle.ulp_error(computed, true, dtype, m, loop.least_exponent(x))
    worst = error.argmax()
    assert error[worst] <= bar, f"{error[worst]:.4f} ULP at x = {x[worst]!r}: {computed[worst]!r}, not {true[worst]}"


@pytest.mark.parametrize("dtype", DTYPES)
@by_name
def test_error(loop: Loop, dtype: str) -> None:
    kind = dtype_of(dtype)
    x = points(loop.record.name, dtype)
    computed = loop.published(*loop.given(x))
    assert computed.dtype == kind
    check(loop, dtype, computed, true_values(loop, dtype), x, loop.bar(dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("record", ONE_OPERAND, ids=lambda record: record.name)
def test_backward_is_grad_times_derivative(record: Any, dtype: str) -> None:
    if not engine.has(record, "backward"):
        pytest.skip("no kernel yet")
    loop = Loop(record, "derivative")
    x = points(record.name, dtype)
    grad = np.random.default_rng(1).choice(np.array([-1.75, -1, -0.625, 0.5, 1, 1.3], x.dtype), x.shape)
    backward = getattr(fastact.backward, record.name)
    computed = backward(grad, *loop.given(x))
    assert computed.dtype == x.dtype
    m = oracle.arithmetic_for(dtype)
    with np.errstate(all="ignore"), oracle.gmpy2.context(precision=oracle.PRECISION):
        true = m.array(grad) * true_values(loop, dtype)
    check(loop, dtype, computed, true, x, loop.bar(dtype) + (1 if loop.bar(dtype) >= 1 else 0))


# Values that a person may well try: one at a time, the other parameters staying typical.
AWKWARD = (0.0, 1e-3, 0.3, 1.0, 7.5, 1e3, -0.5, -30.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@by_name
def test_error_at_awkward_parameters(loop: Loop, dtype: str) -> None:
    parameters = loop.record.parameters
    if not parameters:
        pytest.skip("no parameters")
    x = points(loop.record.name, dtype)[::3]
    x = x[np.isfinite(x)]       # what 0 times infinity should be is nobody's documented choice
    for name, parameter in parameters.items():
        for value in AWKWARD:
            inputs = dict(zip(loop.record.inputs, loop.inputs(x), strict=True))
            inputs[name] = np.asarray(value, x.dtype)
            least = inputs.get(parameter.not_below, -np.inf)
            refused = parameter.accepts is not None and not parameter.accepts(value)
            if loop.name == "celu" and value < 0:
                continue        # it then grows like exp(x / alpha), with all that rounding x / alpha costs
            if refused or value < least or any(other.not_below == name and value > inputs[key]
                                               for key, other in parameters.items()):  # fmt: skip
                continue
            arrays = list(inputs.values())
            true = oracle.exact(loop.name, *arrays, m=oracle.arithmetic_for(dtype))
            check(loop, dtype, loop.published(*arrays), true, x, loop.bar(dtype) + 1)
