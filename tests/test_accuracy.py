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
@pytest.mark.parametrize("loop", [loop for loop in LOOPS if loop.record.parameters], ids=lambda loop: loop.name)
def test_error_at_awkward_parameters(loop: Loop, dtype: str) -> None:
    parameters = loop.record.parameters
    x = points(loop.record.name, dtype)[::3]
    x = x[np.isfinite(x)]  # what 0 times infinity should be is nobody's documented choice
    for name, parameter in parameters.items():
        for value in AWKWARD:
            inputs = dict(zip(loop.record.inputs, loop.inputs(x), strict=True))
            inputs[name] = np.asarray(value, x.dtype)
            least = inputs.get(parameter.not_below, -np.inf)
            refused = parameter.accepts is not None and not parameter.accepts(value)
            if loop.name == "celu" and value < 0:
                continue  # it then grows like exp(x / alpha), with all that rounding x / alpha costs
            if refused or value < least or any(other.not_below == name and value > inputs[key]
                                               for key, other in parameters.items()):  # fmt: skip
                continue
            arrays = list(inputs.values())
            true = oracle.exact(loop.name, *arrays, m=oracle.arithmetic_for(dtype))
            check(loop, dtype, loop.published(*arrays), true, x, loop.bar(dtype) + 1)


# What the incumbents lose, and where: each of these is right to at most 2 digits in at least one of them.
LOSSES = [
    ("gelu", np.float32, [-5.5, -6.0, -10.0]),
    ("gelu_tanh", np.float32, [-6.0, -6.5, -8.0, -9.5]),
    ("elu", np.float32, [-1e-7, -1e-8]),
    ("selu", np.float32, [-1e-7, -1e-8]),
    ("softplus", np.float64, [20.1]),
    ("log_sigmoid", np.float32, [20.0, 87.0]),
    ("mish", np.float32, list(np.linspace(-20, -2, 100))),
    ("silu", np.float32, [-87.4, -88.0, -90.0]),
    ("mish", np.float32, [-87.4, -88.0, -90.0]),
    ("tanh_shrink", np.float32, [1e-3, -1e-3]),
    ("tanh_derivative", np.float32, [6.0, -6.0]),
    ("sigmoid", np.float32, [-88.0, -100.0]),
    ("logit", np.float32, [0.5000001, 0.49999997, 0.501]),
    ("sigmoid_derivative", np.float32, [17.0, 80.0]),
]


@pytest.mark.parametrize(("name", "kind", "where"), LOSSES, ids=lambda value: value if isinstance(value, str) else "")
def test_what_others_lose(name: str, kind: Any, where: list[float]) -> None:
    loops = [loop for loop in LOOPS if loop.name == name]
    if not loops:
        pytest.skip("no kernel yet")
    x = np.array(where, kind)
    true = oracle.exact(name, *loops[0].inputs(x), m=oracle.Mpfr)
    error = oracle.ulp_error(loops[0].published(x), true, x.dtype.name, oracle.Mpfr)
    assert error.max() <= loops[0].bar(x.dtype.name)
