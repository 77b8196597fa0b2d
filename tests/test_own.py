"""`fastact.activation`: formulas of a user's own."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import fastact
from fastact._public import engine

X = np.linspace(-4, 4, 33)


def squash(x: Any, scale: float = 1.0) -> Any:
    """A softsign of adjustable width."""
    return x / (scale + abs(x))


def squash_derivative(x: Any, scale: float) -> Any:
    return scale / (scale + abs(x)) ** 2


def for_numbers(x: Any) -> Any:
    return math.log(1 + x) if x > 0 else -math.log(1 - x)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Takes what a test has defined out of the table again."""
    before = set(fastact.activations)
    yield
    for name in set(fastact.activations) - before:
        del fastact.activations[name]
        for module in (fastact, fastact.derivative, fastact.backward):
            vars(module).pop(name, None)
            if name in module.__all__:
                module.__all__.remove(name)


def defined(function: Callable[..., Any] = squash, **facts: Any) -> Any:
    return fastact.activation(derivative=squash_derivative, **facts)(function)


def test_it_is_called_like_any_activation() -> None:
    ours = defined()
    for kind in (np.float32, np.float64):
        x = X.astype(kind)
        result = ours(x)
        assert result.dtype == kind
        np.testing.assert_allclose(result, fastact.softsign(x), rtol=1e-6)
        assert ours(x, out=x) is x
        np.testing.assert_array_equal(x, result)
    np.testing.assert_allclose(ours(X, scale=2), ours(X, 2.0))
    np.testing.assert_allclose(ours.derivative(X), fastact.derivative.softsign(X))
    np.testing.assert_allclose(ours.backward(X, X, 2.0), X * squash_derivative(X, 2.0))
    scales = np.array([[1.0], [3.0]])
    np.testing.assert_allclose(ours(X, scales), X / (scales + abs(X)))
    masked = ours(X, out=np.zeros_like(X), where=X > 0)
    np.testing.assert_allclose(masked, np.where(X > 0, fastact.softsign(X), 0))
    assert ours(X.astype(np.float16)).dtype == np.float16
    assert ours(1) == 0.5


def test_it_has_a_place_among_the_others() -> None:
    ours = defined(source="none")
    assert fastact.squash is ours and fastact.get("squash") is ours
    assert fastact.derivative.squash is ours.derivative and fastact.backward.squash is ours.backward
    for module in (fastact, fastact.derivative, fastact.backward):
        assert module.__all__.count("squash") == 1
    record = fastact.activations["squash"]
    assert record.function is ours and record.source == "none"
    assert record.summary == "A softsign of adjustable width."
    assert record.typical_parameters == {"scale": 1.0}
    assert record.range == (-1, 1, False, False) and record.limits == (-1, 1)
    assert record.monotonic and record.parity == "odd" and record.smooth


def test_it_pickles_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = defined()
    monkeypatch.setitem(globals(), "squash", ours)
    for function in (ours, ours.derivative, ours.backward):
        assert pickle.loads(pickle.dumps(function)) is function


def test_formulas_for_numbers_only() -> None:
    ours = fastact.activation(for_numbers)
    np.testing.assert_allclose(ours(X), [for_numbers(x) for x in X], rtol=1e-14)
    assert fastact.activations["for_numbers"].limits == (-math.inf, math.inf)


def test_without_a_derivative_there_is_none() -> None:
    ours = fastact.activation(for_numbers)
    record = fastact.activations["for_numbers"]
    assert not record.has("derivative") and not hasattr(fastact.derivative, "for_numbers")
    for what in (ours, record):
        for operation in ("derivative", "backward"):
            with pytest.raises(AttributeError, match="for_numbers has no derivative"):
                getattr(what, operation)


def test_a_second_definition_replaces_the_first() -> None:
    first, second = defined(), defined()
    assert fastact.squash is second is not first
    third = fastact.activation(squash)
    assert fastact.squash is third and not hasattr(fastact.backward, "squash")


compiled = pytest.mark.skipif(engine.name == "numpy" or not find_spec("numba"), reason="formulas are compiled by Numba")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("threads", [1, 2])
def test_large_arrays_are_split_among_threads(threads: int, kind: type) -> None:
    ours = defined()
    x = np.random.default_rng(5).normal(size=(2, 200_003)).astype(kind)
    grad = x[:, ::-1].copy()
    with fastact.threads(threads):
        for argument in (x, x[:, ::-1], x.T, x[:, ::3]):
            np.testing.assert_allclose(ours(argument), fastact.softsign(argument), rtol=1e-6)
            np.testing.assert_allclose(ours(argument, 2.0), argument / (2 + abs(argument)), rtol=1e-6)
        expected = fastact.backward.softsign(grad, x)
        for out in (grad.copy(), x.copy()):
            given = (out, x) if np.array_equal(out, grad) else (grad, out)
            assert ours.backward(*given, out=out) is out
            np.testing.assert_allclose(out, expected, rtol=2e-6)
        expected = fastact.softsign(x)
        shifted = x.ravel()
        ours(shifted[:-1], out=shifted[1:])  # each thread would read what another has written
        np.testing.assert_allclose(shifted[1:], expected.ravel()[:-1], rtol=1e-6)


@pytest.mark.skipif(engine.name != "compiled" or not find_spec("numba"), reason="runs on the kernels' threads")
def test_compiled_formulas_are_ufuncs_of_numpy() -> None:
    ours = defined()
    for kind in (np.float32, np.float64):
        for function in (ours, ours.derivative, ours.backward):
            assert isinstance(function._compiled_ufunc(np.dtype(kind)), np.ufunc)
    assert ours._compiled_ufunc(np.dtype(np.float16)) is None


@compiled
def test_what_a_formula_raises_is_heard() -> None:
    @fastact.activation
    def below_three(x: Any) -> Any:
        if x == 0.125:
            raise ValueError("an eighth")
        return x

    assert below_three(0.5) == 0.5
    with pytest.raises(ValueError, match="an eighth"):
        below_three(np.array([0.125]))


@compiled
def test_it_is_compiled_and_callable_in_compiled_code() -> None:
    import numba

    fastact.numba._init()
    ours = defined()
    call = numba.njit(lambda x: (fastact.squash(x), ours(x, 2.0), fastact.derivative.squash(x)))
    np.testing.assert_allclose(call(X)[1], ours(X, 2.0))
    assert call(1.0) == (0.5, 1 / 3, 0.25)


@compiled
def test_what_numba_does_not_compile_runs_on_numpy() -> None:
    def unusual(x: Any) -> Any:
        return np.piecewise(x, [x < 0], [0, 1])

    ours = fastact.activation(unusual)
    with pytest.warns(UserWarning, match="unusual runs on NumPy: Numba does not compile it"):
        np.testing.assert_array_equal(ours(X), X >= 0)


@pytest.mark.once
def test_errors() -> None:
    def gelu(x: Any) -> Any:
        return x

    def swish(x: Any) -> Any:
        return x

    def compare(x: Any) -> Any:
        return x

    def of_three(x: Any, a: float = 1.0, b: float = 1.0, c: float = 1.0) -> Any:
        return x

    def no_default(x: Any, a: Any) -> Any:
        return x

    def undefined(x: Any) -> Any:
        return x * np.nan

    cases: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (ValueError, "fastact has a gelu already", lambda: fastact.activation(gelu)),
        (ValueError, "fastact has a swish already", lambda: fastact.activation(swish)),
        (ValueError, "fastact has a compare already", lambda: fastact.activation(compare)),
        (ValueError, "'<lambda>', expected an identifier", lambda: fastact.activation(lambda x: x)),
        (TypeError, "function is 3, expected a function", lambda: fastact.activation(3)),
        (TypeError, "of_three has 3 parameters, expected at most 2", lambda: fastact.activation(of_three)),
        (TypeError, "parameter a of no_default has no number", lambda: fastact.activation(no_default)),
        (ValueError, "undefined is NaN everywhere", lambda: fastact.activation(undefined)),
        (TypeError, "squash has no fact 'colour'", lambda: defined(colour="red")),
        (TypeError, "derivative of squash is 2, expected a function", lambda: stated(2)),
        (ValueError, "the derivative of squash is 0 at x = -3.14", lambda: stated(no_slope)),
    ]  # fmt: skip
    for kind, message, call in cases:
        with pytest.raises(kind, match=message.replace("(", r"\(")):
            call()
    assert not {"squash", "of_three", "no_default", "undefined"} & set(fastact.activations)


def stated(derivative: Any) -> Any:
    return fastact.activation(derivative=derivative)(squash)


def no_slope(x: Any, scale: float) -> Any:
    return 0 * x
