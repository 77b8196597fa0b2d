"""What the right result is.

The oracle is the reference formula in long double, which is what fastact itself computes for that dtype: it is there
wherever fastact is installed, shares nothing with the kernels, and the tests hold it against a high-precision one.
Its task here is to catch a result that is not the function asked for (another definition, an output not written) before
it is timed; the error that each library makes is reported beside its time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fastact
from fastact.bench.cases import parameters

Array = np.ndarray[Any, Any]

FORMATS = {"float16": (10, -14), "bfloat16": (7, -126), "float32": (23, -126), "float64": (52, -1022)}
"""Bits of the fraction, and the exponent of the smallest normal number."""

# Of max(1, |result|). float64's makes room for PyTorch's softplus, which is linear from 20 on and off by 2e-9 there.
TOLERANCES = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-8}

SAMPLED_ELEMENTS = 4096
SAMPLED_ROW_ELEMENTS = 1 << 19


def truth(function: str, operands: list[Array], axis: int | None) -> Array:
    """The function in long double."""
    wide = [operand.astype(np.longdouble) for operand in operands]
    keywords = {} if axis is None else {"axis": axis}
    with np.errstate(all="ignore"):
        result: Array = getattr(fastact, function)(*wide, **parameters(function), **keywords)
    return result


class Check:
    """The right result of one case, at places spread over the whole array."""

    def __init__(self, function: str, dtype: str, operands: list[Array], axis: int | None) -> None:
        self.dtype = dtype
        self._axis = axis
        self._sample = _elements(operands[0]) if axis is None else _rows(operands[0], axis)
        full = operands[0].shape
        sampled = [operand[self._sample] if operand.shape == full else operand for operand in operands]
        self._want = truth(function, sampled, axis)

    def error(self, result: Array) -> float:
        """The largest error in units in the last place; ValueError if this is not the function at all."""
        try:
            got = result[self._sample_of(result)].astype(np.longdouble)
        except IndexError:
            raise ValueError(f"result has shape {result.shape}") from None
        if got.shape != self._want.shape:
            raise ValueError(f"result has shape {result.shape}")
        with np.errstate(all="ignore"):
            away = np.where((got == self._want) | (np.isnan(got) & np.isnan(self._want)), 0, np.abs(got - self._want))
            limit = TOLERANCES[self.dtype] * np.maximum(1, np.abs(self._want))
        wrong = ~(away <= limit)
        if wrong.any():
            raise ValueError(f"result is {got[wrong].flat[0]:.6g} where {self._want[wrong].flat[0]:.6g} is right")
        return float((away / _ulp(self._want, self.dtype)).max(initial=0))

    def _sample_of(self, result: Array) -> tuple[Any, ...]:
        """The sampled places in a result, which has no such axis where the function reduces it."""
        if self._axis is None or result.ndim == len(self._sample):
            return self._sample
        return tuple(index for index in self._sample if not isinstance(index, slice))


def _elements(x: Array) -> tuple[Any, ...]:
    """Indices of both ends and of places drawn between them."""
    ends = np.r_[0 : min(64, x.size), max(0, x.size - 64) : x.size]
    drawn = np.random.default_rng(0).integers(0, x.size, SAMPLED_ELEMENTS)
    return np.unravel_index(np.r_[ends, drawn], x.shape)


def _rows(x: Array, axis: int) -> tuple[Any, ...]:
    """Whole rows along the axis, spread evenly."""
    axis %= x.ndim
    other = 1 - axis
    count = min(x.shape[other], max(1, SAMPLED_ROW_ELEMENTS // x.shape[axis]))
    index: list[Any] = [slice(None)] * x.ndim
    index[other] = np.linspace(0, x.shape[other] - 1, count).astype(int)
    return tuple(index)


def _ulp(value: Array, dtype: str) -> Array:
    """The distance between neighbours of the dtype at a value."""
    fraction_bits, smallest_exponent = FORMATS[dtype]
    _, exponent = np.frexp(value)
    distance: Array = np.ldexp(np.ones_like(value), np.maximum(exponent - 1, smallest_exponent) - fraction_bits)
    return distance
