"""No call takes memory of its input's size beyond its result; in place, none at all."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastact

MEGABYTE = 1 << 20
SIZE = 16 * MEGABYTE  # bytes of the input
ALLOWANCE = 2 * MEGABYTE  # for blocks and bookkeeping


@pytest.fixture
def x() -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).normal(0, 3, (1024, SIZE // 4 // 1024)).astype(np.float32)


def peak(call: Callable[[], object]) -> int:
    """Bytes that a call holds at its peak, beyond what was there before; NumPy reports its arrays to tracemalloc."""
    call()  # what is made once, such as jitted code, is not the call's
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        result = call()
        _, top = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return top - before


ELEMENTWISE = [
    name
    for name, record in fastact.activations.items()
    if name in fastact.derivative.__all__
    and record.operands == ("x",)
    and all(parameter.default is not None for parameter in record.parameters.values())
]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_in_place_takes_nothing(name: str, x: np.ndarray[Any, Any]) -> None:
    function = getattr(fastact, name)
    assert peak(lambda: function(x, out=x)) < ALLOWANCE


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_takes_its_result_alone(name: str, x: np.ndarray[Any, Any]) -> None:
    function = getattr(fastact, name)
    assert peak(lambda: function(x)) < SIZE + ALLOWANCE
    assert peak(lambda: function(x.T[::-1])) < SIZE + ALLOWANCE


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_backward_in_place_takes_nothing(name: str, x: np.ndarray[Any, Any]) -> None:
    function = getattr(fastact.backward, name)
    grad = np.ones_like(x)
    assert peak(lambda: function(grad, x, out=grad)) < ALLOWANCE


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_in_place_takes_nothing(axis: int, x: np.ndarray[Any, Any]) -> None:
    assert peak(lambda: fastact.softmax(x, axis=axis, out=x)) < ALLOWANCE


@pytest.mark.parametrize("axis", [0, 1, None])
def test_softmax_takes_its_result_alone(axis: int | None, x: np.ndarray[Any, Any]) -> None:
    assert peak(lambda: fastact.softmax(x, axis=axis)) < SIZE + ALLOWANCE
