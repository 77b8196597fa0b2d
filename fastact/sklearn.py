"""fastact under scikit-learn's perceptrons: `MLPClassifier` and `MLPRegressor` with faster activations.

    fastact.sklearn.patch()

    with fastact.sklearn.patched():
        MLPClassifier().fit(X, y)

scikit-learn keeps its activations, and their derivatives, in two tables of functions that work in place; the patch
replaces entries of them. An estimator holds none of these functions: it is fitted, pickled and loaded with the patch or
without. What stays scikit-learn's own is `exp`, the output of a Poisson regression, for which fastact has no function.

Derivatives are computed from the activation's result there, and fastact's own ones from its argument. Those of
`logistic` and `tanh` are therefore scikit-learn's formulas, with the same bits, over blocks that stay in cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fastact

__all__ = ["patch", "patched", "unpatch"]

Array = Any
InPlace = Callable[..., None]

# Entries that a derivative's temporaries hold at a time: they stay in cache, where whole ones make the system hand over
# fresh memory. Smaller blocks would cost more calls than they save.
BLOCK = 1 << 16


def _logistic(X: Array) -> None:
    fastact.sigmoid(X, out=X)


def _tanh(X: Array) -> None:
    fastact.tanh(X, out=X)


def _relu(X: Array) -> None:
    fastact.relu(X, out=X)


def _softmax(X: Array) -> None:
    fastact.softmax(X, axis=1, out=X)


def _relu_derivative(Z: Array, delta: Array) -> None:
    fastact.backward.relu(delta, Z, out=delta)  # relu's result Z is positive just where its argument was


def _logistic_derivative(Z: Array, delta: Array) -> None:
    for z, d in _blocks(Z, delta):
        d *= z
        d *= 1 - z


def _tanh_derivative(Z: Array, delta: Array) -> None:
    for z, d in _blocks(Z, delta):
        d *= 1 - z**2


def _blocks(Z: Array, delta: Array) -> list[tuple[Array, Array]]:
    """Some rows of each at a time."""
    if Z.size <= BLOCK:
        return [(Z, delta)]
    rows = max(1, BLOCK // Z.shape[1])
    return [(Z[begin : begin + rows], delta[begin : begin + rows]) for begin in range(0, len(Z), rows)]


ACTIVATIONS: dict[str, InPlace] = {"logistic": _logistic, "relu": _relu, "softmax": _softmax, "tanh": _tanh}
DERIVATIVES: dict[str, InPlace] = {
    "logistic": _logistic_derivative,
    "relu": _relu_derivative,
    "tanh": _tanh_derivative,
}
_replaced: dict[InPlace, InPlace] = {}


def patch() -> None:
    """Puts fastact's functions under scikit-learn's perceptrons; a second call changes nothing.

    Processes that joblib starts have scikit-learn's own, until they call this too.

    Raises
    ------
    ImportError
        Without scikit-learn.
    """
    for table, name, ours in _entries():
        if table[name] is not ours:
            _replaced[ours], table[name] = table[name], ours


def unpatch() -> None:
    """Puts back what `patch` replaced; without a patch it changes nothing.

    Raises
    ------
    ImportError
        Without scikit-learn.
    """
    for table, name, ours in _entries():
        if table[name] is ours:
            table[name] = _replaced[ours]


@contextmanager
def patched() -> Iterator[None]:
    """A block, or a decorated function, with the patch; afterwards it is as before, patched or not.

    Raises
    ------
    ImportError
        Without scikit-learn.
    """
    before = [(table, name, table[name]) for table, name, _ in _entries()]
    patch()
    try:
        yield
    finally:
        for table, name, function in before:
            table[name] = function


def _entries() -> list[tuple[dict[str, InPlace], str, InPlace]]:
    """Each entry of scikit-learn's tables that has a replacement: the table, the entry's name, the replacement."""
    try:
        from sklearn.neural_network import _base
    except ModuleNotFoundError as error:
        raise ImportError(f"fastact.sklearn: there is no module {error.name}: pip install scikit-learn") from None
    tables = (_base.ACTIVATIONS, ACTIVATIONS), (_base.DERIVATIVES, DERIVATIVES)
    return [(theirs, name, function) for theirs, ours in tables for name, function in ours.items()]
