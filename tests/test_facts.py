"""Every fact of every record, checked by arithmetic, and the choices at kinks against PyTorch's own."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
import pytest

import fastact
from fastact._public import engine
from fastact._records import USES, Activation, Interval
from tests import oracle
from tests.catalogue import LOOPS, ONE_OPERAND, RECORDS, Loop, dtype_of, kinks, pattern_points, points

records = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
of_one_operand = pytest.mark.parametrize("record", ONE_OPERAND, ids=lambda record: record.name)
EVERYWHERE = np.concatenate([np.linspace(-30, 30, 1201), [-300.0, -1e-3, 1e-3, 300.0]])


def inside(record: Activation, x: Any = EVERYWHERE) -> Any:
    return x[(x > record.domain.low) & (x < record.domain.high)]


def true(record: Activation, x: Any, operation: str = "value") -> Any:
    loop = Loop(record, operation)
    return oracle.exact(loop.name, *loop.inputs(np.asarray(x, np.float64)), m=oracle.Mpfr)


def computed(record: Activation, x: Any, operation: str = "value") -> Any:
    if not engine.has(record, operation):
        pytest.skip("no kernel yet")
    loop = Loop(record, operation)
    return loop.published(*loop.given(x))


@records
def test_records_are_frozen_and_complete(record: Activation) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.name = "other"  # type: ignore[misc]
    for text in (record.summary, record.formula, record.latex, record.source):
        assert text
    assert record.typical_use
    assert set(record.typical_use) <= set(USES)
    if engine.has(record, "value"):
        assert record.function is getattr(fastact, record.name)
        assert record.derivative is getattr(fastact.derivative, record.name)
        assert record.backward is getattr(fastact.backward, record.name)


@records
def test_aliases_are_the_same_functions(record: Activation) -> None:
    if not engine.has(record, "value"):
        pytest.skip("no kernel yet")
    for alias in record.aliases:
        for module in (fastact, fastact.derivative, fastact.backward):
            assert getattr(module, alias) is getattr(module, record.name)
            assert alias in module.__all__


@of_one_operand
def test_range(record: Activation) -> None:
    interior = [float(y) for y in true(record, inside(record))]
    low, high = record.range.low, record.range.high
    assert min(interior) >= low - 1e-15
    assert max(interior) <= high + 1e-15
    special = true(record, inside(record, np.array([*record.turning_points, *kinks(record), -7.0, 0.0, 7.0])))
    for end, reached in ((low, record.range.low_reached), (high, record.range.high_reached)):
        if np.isfinite(end):
            assert reached == any(abs(y - end) <= 1e-15 for y in special), end
    for dtype in ("float16", "float32", "float64"):
        y = computed(record, points(record.name, dtype))
        y = y[~np.isnan(y)]
        lowest, highest = y.dtype.type(low), y.dtype.type(high)
        if not float(low).is_integer():  # a rounded turning point or limit
            lowest = np.nextafter(lowest, y.dtype.type(-np.inf))
        assert lowest <= y.min()
        assert y.max() <= highest


@of_one_operand
def test_monotonic(record: Activation) -> None:
    slopes = true(record, inside(record), "derivative")
    assert record.monotonic == all(slope >= 0 for slope in slopes)
    if not record.monotonic:
        return
    for dtype in ("float16", "float32"):  # also from one number to the next
        kind = np.dtype(dtype)
        bits = np.dtype(f"u{kind.itemsize}")
        for start in (1e-3, 0.24, 0.49, 0.7, 0.999, 1.5, 6.5, 17.0, 88.0):
            first = kind.type(start).view(bits)
            run = (first + np.arange(512, dtype=bits)).view(kind)
            for x in (run, -run[::-1]):
                y = computed(record, x)
                assert (np.diff(y[~np.isnan(y)]) >= 0).all(), start


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@of_one_operand
def test_half_types_never_fall(record: Activation, dtype: str) -> None:
    if not record.monotonic:
        return
    x = pattern_points(dtype)
    with np.errstate(invalid="ignore"):  # some of the patterns are signalling NaN
        x = x[np.argsort(x.astype(np.float32))]
        y = computed(record, x).astype(np.float32)
    assert (np.diff(y[np.isfinite(y)]) >= 0).all()


@records
def test_turning_points(record: Activation) -> None:
    for point in record.turning_points:
        before, after = true(record, [point - 1e-9, point + 1e-9], "derivative")
        assert before * after < 0


@of_one_operand
def test_limits(record: Activation) -> None:
    assert record.limits is not None
    for dtype in ("float16", "float32", "float64"):
        ends = np.array([record.domain.low, record.domain.high], dtype)
        assert (computed(record, ends) == np.array(record.limits, dtype)).all()
        slopes = computed(record, ends, "derivative")
        assert not np.isnan(slopes).any()
        for side, slope in zip(("left", "right"), slopes, strict=True):
            assert (slope == 0) == (side in record.saturates)


@of_one_operand
def test_parity(record: Activation) -> None:
    x = points(record.name, "float32")
    x = x[np.isfinite(x)]
    y, mirrored = computed(record, x), computed(record, -x)
    if record.parity == "odd":
        assert (mirrored == -y).all()
    else:
        assert record.parity is None
        assert (mirrored != -y).any()
        assert (mirrored != y).any()


@of_one_operand
def test_zero_centred(record: Activation) -> None:
    values = true(record, inside(record, np.array([-1e9, 1e-9, 1 - 1e-9, 1e9])))
    least, greatest = min(values), max(values)
    assert record.zero_centred == (least < 0 < greatest and 1e-3 < -greatest / least < 1e3)


@of_one_operand
def test_smooth(record: Activation) -> None:
    tiny = 1e-12

    def jumps(point: float, operation: str) -> bool:
        before, after = true(record, [point - tiny, point + tiny], operation)
        return bool(abs(before - after) > 1e-6 * max(1, abs(before)))

    jumping = [point for point in kinks(record) if jumps(point, "value") or jumps(point, "derivative")]
    assert record.smooth == (not jumping)
    elsewhere = [x for x in inside(record) if min((abs(x - kink) for kink in kinks(record)), default=1) > 1e-9]
    assert not any(jumps(x, "derivative") for x in elsewhere)


@records
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_derivative_at_kinks(record: Activation, dtype: str) -> None:
    for point, derivative in kinks(record).items():
        x = np.array([point]).astype(dtype_of(dtype))
        slope = computed(record, x, "derivative")
        assert slope[0] == np.array(derivative).astype(x.dtype) * (1.25 if record.name == "reglu" else 1)


IN_PYTORCH = [
    pytest.param(record, other.name, id=record.name)
    for record in ONE_OPERAND
    for other in record.elsewhere
    if record.kinks and other.name.startswith("torch.") and not other.difference
]


@pytest.mark.parametrize(("record", "name"), IN_PYTORCH)
def test_kinks_are_as_in_pytorch(record: Activation, name: str) -> None:
    torch = pytest.importorskip("torch")
    function = resolve(name)
    required = [p.typical for p in record.parameters.values() if p.default is None]
    for point in kinks(record):
        x = torch.tensor([point], dtype=torch.float64, requires_grad=True)
        function(x, *required).sum().backward()
        assert computed(record, np.array([point]), "derivative")[0] == pytest.approx(x.grad.item(), rel=1e-6)


def resolve(name: str) -> Any:
    """The function of another library, if that is installed here."""
    package, _, rest = name.partition(".")
    found = pytest.importorskip(package)
    path = package
    for part in rest.split("."):
        path = f"{path}.{part}"
        found = getattr(found, part, None) or importlib.import_module(path)
    return found


ELSEWHERE = [pytest.param(record, other, id=other.name) for record in RECORDS for other in record.elsewhere
             if other.name.split(".")[0] in ("torch", "jax", "scipy", "numpy")]  # fmt: skip


@pytest.mark.parametrize(("record", "other"), ELSEWHERE)
def test_other_libraries_have_the_same(record: Activation, other: Any) -> None:
    function = resolve(other.name)
    if other.difference or len(record.operands) > 1:
        return
    x = inside(record, np.linspace(-7, 7, 57, dtype=np.float32))
    required = [p.typical for p in record.parameters.values() if p.default is None]
    given = importlib.import_module("torch").from_numpy(x) if other.name.startswith("torch.") else x
    np.testing.assert_allclose(np.asarray(function(given, *required)), computed(record, x), rtol=2e-5, atol=1e-6)


def test_intervals_print_as_in_a_textbook() -> None:
    assert str(Interval(0, np.inf, low_reached=True)) == "[0, inf)"


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
def test_docstrings(loop: Any) -> None:
    doc = loop.record.function.__doc__
    for text in (loop.record.summary, loop.record.formula, loop.record.source):
        assert text in doc
    assert all(name in doc for name in loop.record.parameters)
