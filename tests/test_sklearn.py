"""fastact under scikit-learn's perceptrons; `python -m tools.foreign_tests sklearn` runs its own tests, patched."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor, _base

import fastact.sklearn
from tests.test_memory import ALLOWANCE, peak

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
THEIRS = dict(_base.ACTIVATIONS), dict(_base.DERIVATIVES)
OURS = THEIRS[0] | fastact.sklearn.ACTIVATIONS, THEIRS[1] | fastact.sklearn.DERIVATIVES


def tables() -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(_base.ACTIVATIONS), dict(_base.DERIVATIVES)


@pytest.fixture(autouse=True)
def unpatched() -> Iterator[None]:
    assert tables() == THEIRS
    yield
    fastact.sklearn.unpatch()
    assert tables() == THEIRS


def test_patch_and_unpatch() -> None:
    fastact.sklearn.unpatch()
    for _ in range(2):
        fastact.sklearn.patch()
        assert tables() == OURS
    for _ in range(2):
        fastact.sklearn.unpatch()
        assert tables() == THEIRS


def test_the_perceptrons_read_these_tables() -> None:
    from sklearn.neural_network import _multilayer_perceptron as perceptron

    assert perceptron.ACTIVATIONS is _base.ACTIVATIONS and perceptron.DERIVATIVES is _base.DERIVATIVES


def test_blocks_put_back_what_was_before() -> None:
    with fastact.sklearn.patched():
        assert tables() == OURS
        with fastact.sklearn.patched():
            assert tables() == OURS
        assert tables() == OURS
    assert tables() == THEIRS
    fastact.sklearn.patch()
    with pytest.raises(ZeroDivisionError), fastact.sklearn.patched():
        raise ZeroDivisionError
    assert tables() == OURS


@fastact.sklearn.patched()
def test_as_a_decorator() -> None:
    assert tables() == OURS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", fastact.sklearn.ACTIVATIONS)
def test_activations(name: str, dtype: Any) -> None:
    X = np.random.default_rng(0).normal(0, 4, (20, 7)).astype(dtype)
    expected = X.copy()
    THEIRS[0][name](expected)
    assert fastact.sklearn.ACTIVATIONS[name](X) is None
    np.testing.assert_allclose(X, expected, rtol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", fastact.sklearn.DERIVATIVES)
def test_derivatives(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    Z, delta = (rng.normal(0, 1, (20, 7)).astype(dtype) for _ in range(2))
    THEIRS[0][name](Z)
    expected, kept = delta.copy(), Z.copy()
    THEIRS[1][name](Z, expected)
    assert fastact.sklearn.DERIVATIVES[name](Z, delta) is None
    np.testing.assert_array_equal(delta, expected)
    np.testing.assert_array_equal(Z, kept)


@pytest.mark.parametrize("name", fastact.sklearn.DERIVATIVES)
def test_large_derivatives(name: str) -> None:
    """As scikit-learn's to the last bit, also in blocks, and without a temporary of their size."""
    rng = np.random.default_rng(0)
    for shape in ((5000, 100), (3, 100_001), (1, 0)):
        Z, delta = (rng.normal(0, 1, shape) for _ in range(2))
        THEIRS[0][name](Z)
        expected, ours = delta.copy(), fastact.sklearn.DERIVATIVES[name]
        for _ in range(2):  # as often as `peak` calls
            THEIRS[1][name](Z, expected)
        assert peak(lambda Z=Z, delta=delta, ours=ours: ours(Z, delta)) < ALLOWANCE
        np.testing.assert_array_equal(delta, expected)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("model", [MLPClassifier, MLPRegressor])
def test_the_same_model(activation: str, solver: str, model: type[Any]) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), rng.integers(0, 3, 60)
    estimator = model(hidden_layer_sizes=(8,), activation=activation, solver=solver, max_iter=5, random_state=0)
    theirs = pickle.loads(pickle.dumps(estimator)).fit(X, y)
    with fastact.sklearn.patched():
        ours = estimator.fit(X, y)
    loaded = pickle.loads(pickle.dumps(ours))
    for ours_coefs, theirs_coefs in zip(loaded.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(ours_coefs, theirs_coefs, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(loaded.predict(X), theirs.predict(X), rtol=1e-6)


@pytest.mark.once
def test_without_sklearn() -> None:
    """One line says what to install, and the import itself asks for nothing."""
    code = """
import sys
sys.modules["sklearn"] = None
import fastact.sklearn
for call in (fastact.sklearn.patch, fastact.sklearn.unpatch, fastact.sklearn.patched().__enter__):
    try:
        call()
    except ImportError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line = "fastact.sklearn: there is no module sklearn.neural_network: pip install scikit-learn"
    assert done.stdout.splitlines() == [line] * 3
    assert not done.stderr
