"""What the right result is.

The oracle is the reference formula in long double, which is what fastact itself computes for that dtype: it is there
wherever fastact is installed, shares nothing with the kernels, and the tests hold it against a high-precision one.
Its task here is to catch a result that is not the function asked for (another definition, an output not written) before
it is timed; the error that each library makes is reported beside its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastact
from fastact.bench.cases import Case, parameters, published, takes_result

Array = np.ndarray[Any, Any]

FORMATS = {"float16": (10, -14), "bfloat16": (7, -126), "float32": (23, -126), "float64": (52, -1022)}
"""Bits of the fraction, and the exponent of the smallest normal number."""

# Of what `_scale` says. float64's makes room for PyTorch's softplus, which is linear from 20 on and off by 2e-9 there.
TOLERANCES = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-8}

SAMPLED_ELEMENTS = 4096
SAMPLED_ROW_ELEMENTS = 1 << 19
BLOCK_ELEMENTS = 1 << 20

# So close to a root of the derivative, the last place is that of the gradient which it is multiplied with.
ROOT_ZONE = 1 / 16


def truth(case: Case, operands: list[Array]) -> tuple[Array, ...]:
    """The operation in long double: a value, or a gradient for each of the function's operands."""
    wide = [operand.astype(np.longdouble) for operand in operands]
    keywords = {} if case.axis is None else {"axis": case.axis}
    with np.errstate(all="ignore"):
        result = published(case.function, case.operation)(*wide, **parameters(case.function), **keywords)
    return result if isinstance(result, tuple) else (result,)


@dataclass(frozen=True)
class Part:
    """One of the right results: where it is sampled, and the sizes that its errors and its last places are held to."""

    places: tuple[Any, ...]
    want: Array
    scale: Array | float
    least: Array | float

    def error(self, result: Array, dtype: str) -> float:
        """The largest error in units in the last place; ValueError if this is not the function at all."""
        try:
            got = result[self.places].astype(np.longdouble)
        except IndexError:
            raise ValueError(f"result has shape {result.shape}") from None
        if got.shape != self.want.shape:
            raise ValueError(f"result has shape {result.shape}")
        with np.errstate(all="ignore"):
            away = np.where((got == self.want) | (np.isnan(got) & np.isnan(self.want)), 0, np.abs(got - self.want))
            wrong = ~(away <= TOLERANCES[dtype] * np.maximum(self.scale, np.abs(self.want)))
        if wrong.any():
            raise ValueError(f"result is {got[wrong].flat[0]:.6g} where {self.want[wrong].flat[0]:.6g} is right")
        return float((away / _ulp(np.maximum(np.abs(self.want), self.least), dtype)).max(initial=0))


class Check:
    """The right results of one case, at places spread over the whole array."""

    def __init__(self, case: Case, operands: list[Array]) -> None:
        self._dtype = case.dtype
        x = operands[0] if case.operation == "value" else operands[1]
        places = _elements(x) if case.axis is None else _rows(x, case.axis)
        if case.operation == "backward" and case.axis is None:
            places = _off_kinks(case, x, places)
        sampled = [operand if _is_spread(operand, x) else operand[places] for operand in operands]
        wanted = truth(case, sampled)
        if case.operation == "value":
            self._parts = [Part(_without_reduced(places, wanted[0]), _in_range(wanted[0], case.dtype), 1, 0)]
        else:
            given = operands[1:]
            self._parts = [
                _summed(case, operands, number)
                if _is_spread(given[number], x)
                else Part(places, _in_range(want, case.dtype), *_gradient_sizes(case, sampled, want))
                for number, want in enumerate(wanted)
            ]

    def error(self, *results: Array) -> float:
        """The largest error of any of the results in units in the last place; ValueError if one is quite another."""
        if len(results) != len(self._parts):
            raise ValueError(f"{len(results)} results where {len(self._parts)} are right")
        return max(part.error(result, self._dtype) for part, result in zip(self._parts, results, strict=True))


def _is_spread(operand: Array, x: Array) -> bool:
    """Whether an operand is broadcast over the elements of x; glu's gradient, half as wide, is not."""
    return operand.size == 1 < x.size


def _off_kinks(case: Case, x: Array, places: tuple[Any, ...]) -> tuple[Any, ...]:
    """The places where there is one derivative only: at a kink, each library has a convention of its own."""
    record = fastact.activations[case.function]
    numbers = {**dict.fromkeys(record.operands, 1.0), **parameters(case.function)}
    kinks = np.array([kink.resolve(numbers)[0] for kink in record.kinks]).astype(x.dtype)
    smooth = ~np.any([x[places] == kink for kink in kinks], axis=0) if kinks.size else slice(None)
    return tuple(index[smooth] for index in places)


def _in_range(want: Array, dtype: str) -> Array:
    """The right results with those infinite that are beyond the dtype's range."""
    fraction_bits, smallest_exponent = FORMATS[dtype]
    beyond = np.ldexp(1 - np.ldexp(np.longdouble(1), -fraction_bits - 2), 2 - smallest_exponent)
    return np.where(np.abs(want) >= beyond, np.copysign(np.inf, want), want)


def _without_reduced(places: tuple[Any, ...], want: Array) -> tuple[Any, ...]:
    """The sampled places in a result, which has no such axis where the function reduces it."""
    kept = tuple(index for index in places if not isinstance(index, slice))
    return kept if want.ndim < len(places) and len(kept) < len(places) else places


def _gradient_sizes(case: Case, operands: list[Array], want: Array) -> tuple[Array, Array | float]:
    """What the errors of a gradient are held to, and where its last place is.

    Along a row, entries are the small differences of large ones: they are held to the size of the row as a whole and
    of the terms of its sum.
    """
    grad, x = (operand.astype(np.longdouble) for operand in operands[:2])
    if case.axis is not None:
        terms = grad * np.minimum(np.abs(x), 1) if takes_result(case.function) else 0
        size = np.sqrt(np.sum(want * want + terms * terms, case.axis, keepdims=True))
        return np.broadcast_to(size, want.shape), size / np.sqrt(want.shape[case.axis])
    roots = fastact.activations[case.function].turning_points
    near = np.any([np.abs(x - root) < ROOT_ZONE for root in roots], axis=0) if roots else False
    return np.abs(grad), np.where(near, np.abs(grad), 0)


def _summed(case: Case, operands: list[Array], number: int) -> Part:
    """The gradient of an operand that is broadcast: a sum over the whole array, held to the size of its terms."""
    sums = [truth(case, block)[number] for block in _blocks(operands)]
    sizes = [truth(case, [np.abs(grad), *others])[number] for grad, *others in _blocks(operands)]
    size = np.abs(np.sum(sizes, axis=0))
    return Part((...,), np.sum(sums, axis=0), size, size)


def _blocks(operands: list[Array]) -> Iterator[list[Array]]:
    """The operands cut into pieces that are small enough for long double."""
    x = operands[1]
    for start in range(0, x.size, BLOCK_ELEMENTS):
        piece = slice(start, start + BLOCK_ELEMENTS)
        yield [operand if _is_spread(operand, x) else operand.reshape(-1)[piece] for operand in operands]


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
