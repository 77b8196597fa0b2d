"""The dense layer: its product, its bias and activation over blocks, and what it refuses."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import fastact
from fastact._dense import BLOCK_BYTES

Array = np.ndarray[Any, Any]


def layer(rows: int = 30, inputs: int = 7, units: int = 5, dtype: Any = np.float32) -> tuple[Array, Array, Array]:
    """Inputs, weights and biases of a layer."""
    rng = np.random.default_rng(9)
    arrays = rng.normal(size=(rows, inputs)), rng.normal(size=(inputs, units)), rng.normal(size=units)
    return arrays[0].astype(dtype), arrays[1].astype(dtype), arrays[2].astype(dtype)


# Whatever turns a row into a row, and takes nothing but it.
ONE_ROW = [
    name
    for name, record in fastact.activations.items()
    if record.operands == ("x",) and not record.halved and name in fastact.__all__ and name != "logsumexp"
    if all(parameter.default is not None for parameter in record.parameters.values())
]


# What it computes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ONE_ROW)
def test_every_activation(name: str, dtype: Any) -> None:
    x, w, b = layer(dtype=dtype)
    if name == "logit":
        x, w, b = (abs(array) / 64 for array in (x, w, b))
    result = fastact.dense(x, w, b, name)
    assert result.dtype == dtype
    reference = getattr(fastact, name)(x @ w + b)
    np.testing.assert_allclose(result, reference, rtol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["relu", "silu", "leaky_relu", "hard_tanh"])
def test_bias_and_activation_in_one_pass(name: str, dtype: Any) -> None:
    """The very bits of a sum and an activation, wherever blocks, rows and threads begin and end."""
    function = getattr(fastact, name)
    for rows, units in ((1, 1), (3, 5), (700, 3), (2, 1024), (5, 1023), (1, 5000), (301, 513)):
        x, w, b = layer(rows, 7, units, dtype)
        expected = function(x @ w + b)
        for threads in (1, 3):
            with fastact.threads(threads):
                np.testing.assert_array_equal(fastact.dense(x, w, b, name), expected)
                np.testing.assert_array_equal(fastact.dense(x, w, b, function), expected)
                out = np.empty_like(expected)
                np.testing.assert_array_equal(fastact.dense(x, w, b, name, out=out), expected)


def test_later_calls_are_like_the_first() -> None:
    """Which takes the long way: the next one of the same kind knows its own."""
    x, w, b = layer()
    first = fastact.dense(x, w, b, "gelu")
    np.testing.assert_array_equal(fastact.dense(x, w, b, "gelu"), first)
    np.testing.assert_array_equal(fastact.dense(x, w, np.repeat(b, 2)[::2], "gelu"), first)
    np.testing.assert_array_equal(fastact.dense(x[0], w, b, "gelu"), fastact.dense(x[:1], w, b, "gelu")[0])
    with pytest.raises(ValueError, match=r"x has shape \(30, 6\)"):
        fastact.dense(x[:, 1:], w, b, "gelu")
    with pytest.raises(ValueError, match=r"bias has shape \(4,\)"):
        fastact.dense(x, w, b[1:], "gelu")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("activation", [fastact.tanh, fastact.softmax, np.tanh])
def test_several_blocks(activation: Callable[..., Any], threads: int) -> None:
    x, w, b = layer(3 * threads * BLOCK_BYTES // (4 * 600) + 1, 7, 600)
    with fastact.threads(threads):
        result = fastact.dense(x, w, b, activation)
    np.testing.assert_allclose(result, activation(x @ w + b), rtol=1e-6)


def test_a_row_longer_than_a_block() -> None:
    x, w, b = layer(3, 2, BLOCK_BYTES // 4 + 100)
    np.testing.assert_array_equal(fastact.dense(x, w, b, "relu"), fastact.relu(x @ w + b))


def test_bias_and_activation_may_be_left_out() -> None:
    x, w, b = layer()
    np.testing.assert_array_equal(fastact.dense(x, w), x @ w)
    np.testing.assert_array_equal(fastact.dense(x, w, b), x @ w + b)
    np.testing.assert_array_equal(fastact.dense(x, w, b, None), x @ w + b)
    np.testing.assert_array_equal(fastact.dense(x, w, activation="relu"), fastact.relu(x @ w))


def test_parameters_are_bound_by_partial() -> None:
    x, w, b = layer()
    leaky = partial(fastact.leaky_relu, negative_slope=0.25)
    np.testing.assert_array_equal(fastact.dense(x, w, b, leaky), leaky(x @ w + b))


@pytest.mark.parametrize("shape", [(7,), (0, 7), (1, 7), (2, 3, 7), (2, 0, 3, 7)])
def test_shapes(shape: tuple[int, ...]) -> None:
    _, w, b = layer(dtype=np.float64)
    x = np.random.default_rng(1).normal(size=shape)
    result = fastact.dense(x, w, b, "softmax")
    assert result.shape == (*shape[:-1], 5)
    np.testing.assert_allclose(result, fastact.softmax(x @ w + b), rtol=1e-14)


def test_nothing_to_compute() -> None:
    assert fastact.dense(np.ones((3, 4)), np.ones((4, 0)), np.ones(0), "relu").shape == (3, 0)
    np.testing.assert_array_equal(fastact.dense(np.ones((3, 0)), np.ones((0, 2)), [1, -1], "relu"), [[1, 0]] * 3)


def test_any_layout_of_the_operands() -> None:
    x, w, b = layer(dtype=np.float64)
    expected = fastact.dense(x, w, b, "relu")
    doubled = np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3]
    big_endian = x.astype(">f8")
    for given in (np.asfortranarray(x), doubled, x.tolist(), big_endian, x[:, ::-1].copy()[:, ::-1]):
        np.testing.assert_allclose(fastact.dense(given, np.asfortranarray(w), b[::-1].copy()[::-1], "relu"), expected)


# Dtypes


def test_half_precision_is_rounded_once() -> None:
    half = [array.astype(np.float16) for array in layer()]
    wide = [array.astype(np.float32) for array in half]
    result = fastact.dense(*half, "silu")
    assert result.dtype == np.float16
    np.testing.assert_array_equal(result, fastact.dense(*wide, "silu").astype(np.float16))


def test_bfloat16_is_rounded_once() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    half = [array.astype(ml_dtypes.bfloat16) for array in layer()]
    wide = [array.astype(np.float32) for array in half]
    result = fastact.dense(*half, "silu")
    assert result.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(result, fastact.dense(*wide, "silu").astype(ml_dtypes.bfloat16))


@pytest.mark.parametrize(
    ("x", "weights", "result"),
    [("int8", "bool", "float32"), ("int8", "int64", "float64"), ("float16", "float32", "float32"),
     ("float32", "float64", "float64"), ("float32", "longdouble", "longdouble")],
)  # fmt: skip
def test_dtypes_of_results(x: str, weights: str, result: str) -> None:
    given, w = np.array([[0, 1, 1], [1, 1, 0]], x), np.array([[1], [1], [0]], weights)
    y = fastact.dense(given, w, activation="tanh")
    assert y.dtype == np.dtype(result)
    np.testing.assert_array_equal(y, fastact.tanh(np.array([[1], [2]], result)))


# out=


def test_out_takes_the_result_and_no_other_memory() -> None:
    x, w, b = layer(4096, 8, 1024)
    out = np.empty((4096, 1024), np.float32)
    expected = fastact.dense(x, w, b, "tanh")
    tracemalloc.start()
    try:
        assert fastact.dense(x, w, b, "tanh", out=out) is out
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(out, expected)
    assert peak < out.nbytes / 4


@pytest.mark.parametrize("name", ["relu", "softmax"])
def test_out_of_any_layout_and_dtype(name: str) -> None:
    x, w, b = layer(dtype=np.float64)
    expected = fastact.dense(x, w, b, name)
    for out in (
        np.empty((60, 10))[::2, ::2],
        np.empty((30, 5), order="F"),
        np.empty((30, 5), np.float32),
        np.empty((30, 5), ">f8"),
        np.empty((30, 5), np.longdouble),
    ):
        assert fastact.dense(x, w, b, name, out=out) is out
        np.testing.assert_array_equal(out, expected.astype(out.dtype))


def test_out_may_be_an_operand() -> None:
    x, w, b = layer(5, 5, 5)
    expected = fastact.dense(x, w, b, "relu")
    assert np.shares_memory(fastact.dense(x.copy(), w, b, "relu", out=x), x)
    np.testing.assert_array_equal(x, expected)
    x, w, b = layer(5, 5, 5)
    fastact.dense(x, w, b, "relu", out=w)
    np.testing.assert_array_equal(w, expected)
    x, w, b = layer(1, 5, 5)
    expected = fastact.dense(x, w, b, "relu")
    fastact.dense(x, w, b, "relu", out=b.reshape(1, 5))
    np.testing.assert_array_equal(b, expected[0])


def test_operands_are_left_alone() -> None:
    arrays = layer()
    before = [array.copy() for array in arrays]
    fastact.dense(*arrays, "tanh")
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize("call", ["first", "later"])
def test_no_warnings(call: str) -> None:
    x = np.array([[np.inf, -np.inf], [np.nan, 1], [3e38, 3e38], [0, 0]], np.float32)
    with np.errstate(all="raise"):
        result = fastact.dense(x, np.ones((2, 3), np.float32), np.zeros(3, np.float32), "sigmoid")
    np.testing.assert_array_equal(result, np.broadcast_to([[np.nan], [np.nan], [1], [0.5]], (4, 3)))


# Refusals: nothing is written


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.ones((3, 6))}, ValueError, r"x has shape \(3, 6\), expected \(..., 7\) for weights of"),
        ({"x": np.ones(())}, ValueError, r"x has shape \(\), expected"),
        ({"x": np.ones((3, 7)) * 1j}, TypeError, "argument x has dtype complex128, expected real numbers"),
        ({"weights": np.ones(7)}, ValueError, r"weights has shape \(7,\), expected two dimensions"),
        ({"weights": np.array([["a"]])}, TypeError, "argument weights has dtype"),
        ({"bias": np.ones((1, 5))}, ValueError, r"bias has shape \(1, 5\), expected \(5,\)"),
        ({"bias": 1.0}, ValueError, r"bias has shape \(\), expected \(5,\)"),
        ({"bias": np.array([None] * 5)}, TypeError, "argument bias has dtype object"),
        ({"activation": "rleu"}, ValueError, "there is no activation 'rleu'; did you mean 'relu'"),
        ({"activation": 3}, TypeError, "identifier is 3, expected a name or a callable"),
        ({"activation": "prelu"}, TypeError, "activation prelu is not of the kind"),
        ({"activation": "swiglu"}, TypeError, "activation swiglu is not of the kind"),
        ({"activation": "logsumexp"}, ValueError, "activation logsumexp is not of the kind"),
        ({"activation": "glu"}, ValueError, "activation glu is not of the kind"),
        ({"activation": np.sum}, ValueError, "activation sum is not of the kind"),
        ({"activation": abs}, TypeError, "activation abs is not of the kind"),
    ],
)  # fmt: skip
def test_refusals(change: dict[str, Any], error: type[Exception], message: str) -> None:
    x, w, b = layer(3, 7, 5, np.float64)
    out = np.full((3, 5), 7.0)
    with pytest.raises(error, match=message) as raised:
        fastact.dense(**{"x": x, "weights": w, "bias": b, "activation": "relu", "out": out, **change})
    assert "\n" not in str(raised.value)
    assert np.all(out == 7)


def test_unfit_outputs_are_left_alone() -> None:
    x, w, b = layer(3, 7, 5)
    frozen = np.full((3, 5), 7.0, np.float32)
    frozen.flags.writeable = False
    unfit: list[tuple[Any, type[Exception], str]] = [
        (np.full((5, 3), 7.0), ValueError, r"out has shape \(5, 3\), expected \(3, 5\)"),
        (np.full((3, 5), 7), TypeError, "out has dtype int64, expected one that float32 can be cast to"),
        (frozen, ValueError, "out is read-only"),
        ([[7.0] * 5] * 3, TypeError, "out is a list, expected a numpy.ndarray"),
    ]
    for out, error, message in unfit:
        with pytest.raises(error, match=message):
            fastact.dense(x, w, b, "relu", out=out)
        assert np.all(np.asarray(out) == 7)
