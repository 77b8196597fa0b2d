"""scikit-learn's perceptrons with fastact's activations, in turns with their own.

`pytest benchmarks/test_sklearn.py` prints the shortest of each case's times, and their ratio.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from threadpoolctl import threadpool_limits

import fastact.sklearn

ROUNDS = 101
SAMPLES, FEATURES, CLASSES = 1000, 64, 10


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread for matrix products too: NumPy has loaded its BLAS before `conftest` sets the number."""
    with threadpool_limits(1):
        yield


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
@pytest.mark.parametrize(("method", "solver"), [("fit", "adam"), ("fit", "lbfgs"), ("predict_proba", "adam")])
def test_perceptron(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    method: str,
    solver: str,
    activation: str,
    dtype: str,
) -> None:
    """One epoch of a fit (lbfgs takes all samples at once), or a prediction, of a classifier of the default size."""
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(SAMPLES, FEATURES)).astype(dtype), rng.integers(0, CLASSES, SAMPLES)
    perceptron = MLPClassifier(activation=activation, solver=solver, max_iter=1, random_state=0).fit(X, y)
    arguments = (X, y) if method == "fit" else (X,)
    call = getattr(perceptron, method)
    own_times: list[float] = []

    def setup() -> None:
        start = time.perf_counter()
        call(*arguments)
        own_times.append(time.perf_counter() - start)

    @fastact.sklearn.patched()
    def patched() -> None:
        call(*arguments)

    name = method if method != "fit" else f"fit with {solver}"
    benchmark.group = name
    untyped: Any = benchmark
    untyped.pedantic(patched, setup=setup, rounds=ROUNDS)
    own, ours = min(own_times), min(untyped.stats.stats.data)
    benchmark.extra_info.update(own=own, ratio=ours / own)
    with capsys.disabled():
        print(f"\n{name}, {activation}, {dtype}: {1e3 * ours:.2f} ms, their own {1e3 * own:.2f} ms, {ours / own:.2f}")
