"""Dense layers of sizes that people use, beside NumPy's and PyTorch's: the ratios go to pytest-benchmark's JSON."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

pytest.importorskip("torch")

from benchmarks import dense
from benchmarks.conftest import ROUNDS
from fastact.bench.results import Quartiles


@pytest.mark.parametrize("activation", dense.ACTIVATIONS)
@pytest.mark.parametrize("shape", dense.SHAPES, ids=str)
def test_dense(shape: dense.Shape, activation: str, benchmark: BenchmarkFixture) -> None:
    """A layer on one thread; products alone are among the contestants."""
    with dense.on_threads(1):
        ways = dense.contestants(shape, activation)
        times = dense.in_turns(ways, rounds=ROUNDS)
        benchmark.group = f"dense {shape}"
        pedantic: Any = benchmark.pedantic  # untyped in pytest-benchmark
        pedantic(ways[dense.FASTACT], rounds=ROUNDS)
    for name, taken in times.items():
        ratios = [ours / its for ours, its in zip(times[dense.FASTACT], taken, strict=True)]
        benchmark.extra_info[name] = Quartiles.of(ratios).median
