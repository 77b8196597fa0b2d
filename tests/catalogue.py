"""What the suites that walk the registry share: the functions under test, their inputs, and the bars."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastact
from fastact._public import engine
from fastact._records import Activation, loop_name
from tests import oracle

RECORDS = [record for record in fastact.activations.values() if type(record) is Activation]  # not the row-wise ones
ONE_OPERAND = [record for record in RECORDS if len(record.operands) == 1]

# The largest errors in ULP: (value, derivative). The fallback engines compute in float64.
BARS = {
    "compiled": {"float16": (0.5002, 0.5004), "bfloat16": (0.5002, 0.5004), "float32": (1, 2), "float64": (2, 2)},
    "numba": {"float16": (0.5002, 0.5002), "bfloat16": (0.5002, 0.5002), "float32": (4, 4), "float64": (4, 6)},
    "numpy": {"float16": (0.5002, 0.5002), "bfloat16": (0.5002, 0.5002), "float32": (4, 4), "float64": (4, 6)},
}
# How far around the roots of a derivative its error counts in ULP of 1.
ROOT_ZONE = {"compiled": 1 / 16, "numba": 1 / 2, "numpy": 1 / 2}
LONGDOUBLE_BAR = 8  # the reference formulas, in every engine
SECOND_OPERAND = 1.25


@dataclass(frozen=True)
class Loop:
    """A value or derivative of a record: what is called, and what it should have answered."""

    record: Activation
    operation: str

    @property
    def name(self) -> str:
        return loop_name(self.record, self.operation)

    @property
    def published(self) -> Callable[..., Any]:
        """The public function; only the first of two derivatives, and glu over its two operands."""
        module = {"value": fastact, "derivative": fastact.derivative, "backward": fastact.backward}[self.operation]
        function = getattr(module, self.record.name)
        if len(self.record.operands) == 1 or (self.operation == "value" and not self.record.halved):
            return function
        if not self.record.halved:
            return lambda *arrays: function(*arrays)[0]

        def over_halves(gate: Any, value: Any) -> Any:
            gate, value = np.broadcast_arrays(gate, value)
            whole = function(np.concatenate([np.ravel(value), np.ravel(gate)]))
            return whole if self.operation == "value" else whole[gate.size :]

        return over_halves

    def inputs(self, x: Any) -> list[Any]:
        """The function's inputs, parameters at their typical values in the type that kernels compute in."""
        second = [np.full(x.shape, SECOND_OPERAND, x.dtype)] * (len(self.record.operands) - 1)
        kind = np.dtype(np.float32) if x.dtype.itemsize == 2 else x.dtype
        return [x, *second, *(np.asarray(value).astype(kind) for value in self.record.typical_parameters.values())]

    def given(self, x: Any) -> list[Any]:
        """The inputs that a caller has to give: not the parameters that have defaults."""
        names = self.record.parameters
        required = [name for name in names if names[name].default is None]
        inputs = dict(zip(self.record.inputs, self.inputs(x), strict=True))
        # Parameters as Python numbers: they adapt to the array.
        return [*(inputs[name] for name in self.record.operands), *(float(inputs[name]) for name in required)]

    def bar(self, dtype: str) -> float:
        if dtype == "longdouble":
            return LONGDOUBLE_BAR
        bar = BARS[engine.name][dtype][self.operation != "value"]
        # A gate is a product with the rounded activation: one rounding more.
        return bar + 1 if len(self.record.operands) > 1 and bar >= 1 else bar

    def least_exponent(self, x: Any) -> Any:
        """Near its roots, a derivative's ULP is that of 1; of 2**-6 in half precision, which is computed in float32."""
        if self.operation == "value" or not self.record.turning_points:
            return None
        x = np.asarray(x)
        zone = ROOT_ZONE["numpy" if x.dtype == np.longdouble else engine.name]
        with np.errstate(all="ignore"):
            away = np.abs(x.astype(np.float64)[..., np.newaxis] - self.record.turning_points).min(axis=-1)
        return np.where(away <= zone, -6 if x.dtype.itemsize == 2 else 0, -(10**6))


LOOPS = [Loop(record, operation) for record in RECORDS for operation in ("value", "derivative")
         if engine.has(record, operation)]  # fmt: skip


def kinks(record: Activation) -> dict[float, float]:
    """The points where the derivative jumps, at typical parameters, and the derivative there."""
    return dict(kink.resolve(record.typical_parameters | {"weight": SECOND_OPERAND}) for kink in record.kinks)


def bfloat16() -> Any:
    import pytest

    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16)


def dtype_of(name: str) -> np.dtype[Any]:
    return bfloat16() if name == "bfloat16" else np.dtype(name)


@functools.cache
def pattern_points(dtype: str) -> Any:
    """Every bit pattern of a half type, every 104729th of float32, random ones of float64 and longdouble."""
    if dtype in ("float16", "bfloat16"):
        return np.arange(1 << 16, dtype=np.uint16).view(dtype_of(dtype))
    if dtype == "float32":
        return np.arange(0, 1 << 32, 104729, dtype=np.uint64).astype(np.uint32).view(np.float32)
    generator = np.random.default_rng(20241122)
    anywhere = generator.integers(0, 1 << 64, 300, dtype=np.uint64).view(np.float64)
    usual = generator.choice([-1.0, 1.0], 1200) * 2.0 ** generator.uniform(-40, 11, 1200)
    return np.concatenate([anywhere, usual, generator.uniform(-40, 40, 1000)]).astype(dtype_of(dtype))


@functools.cache
def points(record_name: str, dtype: str) -> Any:
    """The patterns, and everything special: zeros, infinities, NaN, subnormals, kinks, saturation."""
    record = fastact.activations[record_name]
    kind = dtype_of(dtype)
    form = oracle.FORMATS[dtype]
    special = [0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 6.0, 20.1, *np.geomspace(1e-9, 1, 40), *record.turning_points]
    special += [*kinks(record), record.domain.low, record.domain.high]
    with np.errstate(all="ignore"):
        special = np.array([*special, *(-x for x in special)]).astype(kind)
        smallest, normal = (np.ldexp(kind.type(1), e) if dtype != "bfloat16" else np.array(2.0**e).astype(kind)
                            for e in (form.smallest, form.smallest + form.digits - 1))  # fmt: skip
        largest = np.nextafter(kind.type(np.inf), kind.type(0))
        edges = np.array([smallest, normal, largest, np.inf, np.nan]).astype(kind)
        special = np.concatenate([special, edges, -edges])
        up, down = (np.nextafter(special, np.full_like(special, end)) for end in (np.inf, -np.inf))
        sweep = np.linspace(-30, 30, 20001 if dtype == "float32" else 501).astype(kind)
        deep = {"float32": (80, 110), "float64": (690, 760)}.get(dtype, (8, 30))
        tails = np.linspace(*deep, 301).astype(kind)
    return np.concatenate([pattern_points(dtype), special, up, down, sweep, tails, -tails])


@functools.cache
def true_values(loop: Loop, dtype: str) -> Any:
    """What the oracle says at `points`."""
    inputs = loop.inputs(points(loop.record.name, dtype))
    return oracle.exact(loop.name, *inputs, m=oracle.arithmetic_for(dtype))
