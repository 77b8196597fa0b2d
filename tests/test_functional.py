"""fastact.functional beside the real torch.nn.functional: names, signatures, values, gradients, errors."""

from __future__ import annotations

import functools
import inspect
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastact
import fastact.functional as F
from fastact import backward

Array = Any

IN_PLACE = [name for name in F.__all__ if "inplace" in inspect.signature(getattr(F, name)).parameters]
UNDERSCORED = [name for name in F.__all__ if name.endswith("_")]
REQUIRED = {"threshold": (0.1, 20.0), "prelu": (0.25,)}
# PyTorch's float32 gradients of softmax, tanh and gelu are that far off themselves.
TOLERANCES = {"float32": {"rtol": 2e-6, "atol": 1e-6}, "float64": {"rtol": 1e-12, "atol": 1e-13}}


def softplus_gradient(grad: Array, x: Array, beta: float = 1, threshold: float = 20) -> Array:
    return np.where(x * beta > threshold, grad, backward.softplus(grad, x, beta))


def prelu_gradients(grad: Array, x: Array, weight: Array) -> Array:
    channels = weight.reshape(-1, *(1,) * (x.ndim - 2)) if weight.size > 1 else weight.reshape(())
    by_x, by_weight = backward.prelu(grad, x, channels)
    return by_x, np.reshape(by_weight, weight.shape)


def through_output(name: str) -> Any:
    """The gradient of a row-wise function, which comes from its result, for an argument cast to dtype."""

    def gradient(grad: Array, x: Array, dim: int, dtype: Any = None) -> Array:
        if x.ndim == 0:
            return gradient(grad.reshape(1), x.reshape(1), dim, dtype)[0]
        return getattr(backward, name)(grad, getattr(F, name)(x, dim, dtype=dtype), dim)

    return gradient


# fastact's gradient for each function that PyTorch has samples of, with PyTorch's parameters.
GRADIENTS = {
    "celu": backward.celu,
    "elu": backward.elu,
    "gelu": lambda grad, x, approximate: (backward.gelu if approximate == "none" else backward.gelu_tanh)(grad, x),
    "glu": backward.glu,
    "hardshrink": lambda grad, x, lambd=0.5: backward.hard_shrink(grad, x, max(lambd, 0)),
    "hardsigmoid": backward.hard_sigmoid,
    "hardswish": backward.hard_swish,
    "hardtanh": lambda grad, x, min_val=-1, max_val=1: backward.hard_tanh(grad, x, min_val, max_val),
    "leaky_relu": backward.leaky_relu,
    "log_softmax": through_output("log_softmax"),
    "logsigmoid": backward.log_sigmoid,
    "mish": backward.mish,
    "prelu": prelu_gradients,
    "relu": backward.relu,
    "relu6": backward.relu6,
    "rrelu": lambda grad, x, training=False: backward.leaky_relu(grad, x, (1 / 8 + 1 / 3) / 2),
    "selu": backward.selu,
    "sigmoid": backward.sigmoid,
    "silu": backward.silu,
    "softmax": through_output("softmax"),
    "softmin": through_output("softmin"),
    "softplus": softplus_gradient,
    "softshrink": lambda grad, x, lambd=0.5: backward.soft_shrink(grad, x, lambd),
    "softsign": backward.softsign,
    "tanh": backward.tanh,
    "tanhshrink": backward.tanh_shrink,
    "threshold": backward.threshold,
}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


@functools.cache
def operators(name: str) -> list[Any]:
    """PyTorch's own records of a function, one for each variant that it tests with real numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    records = [record for record in op_db if record.name in (name, f"nn.functional.{name}")]
    return [record for record in records if record.variant_test_name != "complex"]


def as_numpy(value: Any) -> Any:
    """An argument of PyTorch's as one of ours."""
    torch = pytest.importorskip("torch")
    if isinstance(value, torch.Tensor):
        return value.detach().numpy()
    return {torch.float32: np.float32, torch.float64: np.float64}.get(value, value)


def numbers(shape: Any = 50, dtype: Any = np.float32, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0, 3, shape).astype(dtype)


# ---- beside PyTorch ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GRADIENTS)
def test_pytorchs_samples(name: str, dtype: str, torch: Any) -> None:
    """Values and gradients are PyTorch's, for all of the inputs that PyTorch tests itself with."""
    compared = 0
    for record in operators(name):
        for sample in record.sample_inputs("cpu", getattr(torch, dtype), requires_grad=True):
            if sample.kwargs.get("training"):
                continue  # random: another test's
            compared += 1
            result = record.op(sample.input, *sample.args, **sample.kwargs)
            x = as_numpy(sample.input)
            arguments = [as_numpy(value) for value in sample.args]
            named = {key: as_numpy(value) for key, value in sample.kwargs.items()}
            y = getattr(F, name)(x, *arguments, **named)
            assert y.dtype == as_numpy(result).dtype and np.shape(y) == tuple(result.shape)
            np.testing.assert_allclose(y, as_numpy(result), **TOLERANCES[dtype])
            grad = torch.from_numpy(np.asarray(numbers(tuple(result.shape)), y.dtype))
            inputs = [sample.input, *sample.args, *sample.kwargs.values()]
            inputs = [value for value in inputs if isinstance(value, torch.Tensor)]
            ours = GRADIENTS[name](as_numpy(grad), x, *arguments, **named)
            pairs = [
                (mine, tensor)
                for mine, tensor in zip(ours if isinstance(ours, tuple) else (ours,), inputs, strict=True)
                if tensor.requires_grad
            ]
            theirs = torch.autograd.grad(result, [tensor for _, tensor in pairs], grad)
            for (mine, _), gradient in zip(pairs, theirs, strict=True):
                if name == "hardsigmoid":  # PyTorch rounds its slope to float32, in float64 as well
                    gradient = gradient / float(np.float32(1 / 6)) / 6
                np.testing.assert_allclose(mine, as_numpy(gradient), **TOLERANCES[dtype])
    assert compared >= 1


@pytest.mark.parametrize("name", ["gelu", "hardtanh", "prelu", "rrelu", "softshrink"])
def test_pytorchs_errors(name: str, torch: Any) -> None:
    for record in operators(name):
        for case in record.error_inputs("cpu"):
            sample = case.sample_input
            with pytest.raises(ValueError, match=f"^{name}: .*expected"):
                getattr(F, name)(
                    as_numpy(sample.input), **{key: as_numpy(value) for key, value in sample.kwargs.items()}
                )


def test_every_activation_of_pytorch(torch: Any) -> None:
    import torch.nn.functional
    from torch.nn.modules import activation

    called = set(re.findall(r"\b(?:F|torch)\.([a-z]\w+)\(", inspect.getsource(activation)))
    wanted = {name for name in called & set(dir(torch.nn.functional)) if "attention" not in name and name != "linear"}
    assert len(wanted) > 25
    in_place = {f"{name}_" for name in wanted} & set(dir(torch.nn.functional))
    assert wanted | in_place <= set(F.__all__) <= set(dir(torch.nn.functional))


@pytest.mark.parametrize("name", F.__all__)
def test_signatures(name: str, torch: Any) -> None:
    """Parameters have PyTorch's names, places and defaults; what is more may only be given by name."""
    import torch.nn.functional

    theirs = getattr(torch.nn.functional, name)
    try:
        expected = inspect.signature(theirs)
    except ValueError:  # written in C++; its docstring begins with the signature
        line = theirs.__doc__.strip().partition(" ->")[0]
        scope: dict[str, Any] = {}
        exec(f"def {line}: pass", scope)
        expected = inspect.signature(scope[name])
    positional = [
        parameter
        for parameter in inspect.signature(getattr(F, name)).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]
    assert [(p.name, p.default) for p in positional] == [(p.name, p.default) for p in expected.parameters.values()]


def test_softmax_without_dim(torch: Any) -> None:
    for shape in [(), (3,), (3, 4), (2, 3, 4), (2, 3, 4, 5)]:
        x = numbers(shape)
        with pytest.warns(UserWarning, match="dim"):
            theirs = torch.nn.functional.softmax(torch.from_numpy(np.asarray(x)))
        with pytest.warns(UserWarning, match=r"^softmax: dim is not given, \d is taken; pass dim=\d$") as caught:
            ours = F.softmax(x)
        assert caught[0].filename == __file__
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=2e-6)


# ---- in place ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("name", IN_PLACE + UNDERSCORED)
def test_in_place(name: str, dtype: Any) -> None:
    required = REQUIRED.get(name.removesuffix("_"), ())
    x = numbers((4, 6), dtype)
    expected = getattr(F, name.removesuffix("_"))(x, *required)
    for view in (x.copy(), x.copy().T, np.repeat(x, 2, axis=1)[:, ::2]):
        right = expected.T if view.shape == (6, 4) else expected
        call = getattr(F, name)
        result = call(view, *required) if name.endswith("_") else call(view, *required, inplace=True)
        assert result is view
        np.testing.assert_array_equal(view, right)


@pytest.mark.parametrize("name", IN_PLACE)
def test_refused_in_place(name: str) -> None:
    def call(x: Any) -> Any:
        return getattr(F, name)(x, *REQUIRED.get(name, ()), inplace=True)

    readonly = np.full(3, 7.0)
    readonly.flags.writeable = False
    with pytest.raises(ValueError, match=f"^{name}: input is read-only"):
        call(readonly)
    with pytest.raises(TypeError, match=f"^{name}: input is list, expected a numpy.ndarray"):
        call([1.0])
    with pytest.raises(TypeError, match=f"^{name}: .* has dtype complex64, expected"):
        call(np.zeros(3, np.complex64))
    integers = np.arange(-3, 9)
    if name in ("relu", "relu6"):
        assert call(integers) is integers
        np.testing.assert_array_equal(integers, np.clip(np.arange(-3, 9), 0, 6 if name == "relu6" else None))
    else:
        with pytest.raises(TypeError, match=f"^{name}: input has dtype int64, expected a floating-point dtype"):
            call(integers)
        np.testing.assert_array_equal(integers, np.arange(-3, 9))


# ---- better than PyTorch's --------------------------------------------------------------------------------------


def test_softplus_needs_no_threshold() -> None:
    x = np.array([19.5, 20.1, 25.0, 30.0])
    np.testing.assert_allclose(F.softplus(x) - x, np.log1p(np.exp(-x)), atol=1e-14)
    assert (F.softplus(x) > x).all()
    np.testing.assert_array_equal(F.softplus(x, 2, 40), F.softplus(x, 2))
    np.testing.assert_array_equal(F.softplus(x[:1], 1, 19), x[:1])  # one that was asked for is heeded
    with np.errstate(all="raise"):
        assert F.softplus(np.float32(3e38), 3, 1) == np.float32(3e38)
    assert np.isnan(F.softplus(np.nan, 1, 1))
    masked = np.ma.array([0.0, 5.0, 1.0], mask=[False, False, True])
    np.testing.assert_array_equal(F.softplus(masked, 1, 1).mask, masked.mask)


def test_tails(torch: Any) -> None:
    """Where PyTorch gives 0 or has lost most digits, in float32."""
    for name, x in (("gelu", -5.5), ("gelu", -10), ("silu", -90), ("sigmoid", -90), ("tanhshrink", 1e-3)):
        ours = getattr(F, name)(np.float32(x))
        theirs = getattr(torch.nn.functional, name)(torch.tensor(x, dtype=torch.float32)).item()
        true = getattr(F, name)(np.float64(np.float32(x)))
        np.testing.assert_allclose(ours, true, rtol=5e-7)
        assert abs(theirs - true) > 0.01 * abs(true)


def test_integers() -> None:
    assert F.relu(np.arange(-2, 3)).dtype == np.int64
    assert F.sigmoid(np.arange(3, dtype=np.int8)).dtype == np.float32
    assert F.gelu([0, 1]).dtype == np.float64
    assert F.softmax(np.arange(4), 0).dtype == np.float64


def test_dtype_of_rows() -> None:
    x = numbers((3, 4))
    assert F.softmax(x, 1, dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(F.log_softmax(x, 1, dtype="float64"), F.log_softmax(x.astype(float), 1))


# ---- drawn at random --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rrelu_in_training(dtype: Any) -> None:
    x = numbers(2000, dtype)
    y = F.rrelu(x, 0.25, 0.5, True, generator=np.random.default_rng(5))
    assert y.dtype == dtype
    np.testing.assert_array_equal(y[x > 0], x[x > 0])
    slopes = (y[x < 0] / x[x < 0]).astype(np.float64)
    assert 0.249 < slopes.min() < 0.26 and 0.49 < slopes.max() < 0.501
    np.testing.assert_allclose(slopes.mean(), 0.375, atol=0.01)
    np.testing.assert_array_equal(y, F.rrelu(x, 0.25, 0.5, training=True, generator=5))  # a seed serves as well
    assert (F.rrelu(x, training=True) != F.rrelu(x, training=True)).any()
    again = x.copy()
    assert F.rrelu_(again, 0.25, 0.5, True, generator=5) is again
    np.testing.assert_array_equal(again, y)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gumbel_softmax(dtype: Any) -> None:
    x = np.log(np.array([0.1, 0.2, 0.7])).astype(dtype)
    rows = np.broadcast_to(x, (20000, 3))
    soft = F.gumbel_softmax(rows, generator=np.random.default_rng(3))
    assert soft.dtype == dtype and soft.shape == rows.shape
    np.testing.assert_allclose(soft.sum(axis=1, dtype=np.float64), 1, rtol=2e-3)
    hard = F.gumbel_softmax(rows, 0.5, hard=True, generator=3)
    assert set(np.unique(hard)) == {0, 1} and (hard.sum(axis=1) == 1).all()
    np.testing.assert_allclose(soft[hard == 1], soft.max(axis=1), rtol=2e-3)  # the same numbers were drawn
    np.testing.assert_allclose(hard.mean(axis=0, dtype=np.float64), [0.1, 0.2, 0.7], atol=0.01)
    columns = F.gumbel_softmax(rows.T, dim=0, generator=3)
    np.testing.assert_allclose(columns.sum(axis=0, dtype=np.float64), 1, rtol=2e-3)


def test_gumbel_softmax_refuses() -> None:
    with pytest.raises(ValueError, match="gumbel_softmax: tau is 0, expected more than 0"):
        F.gumbel_softmax(numbers(3), 0)
    with pytest.warns(UserWarning, match="gumbel_softmax: eps has no effect"):
        F.gumbel_softmax(numbers(3), eps=1e-5)
    with pytest.raises(TypeError, match="gumbel_softmax: argument input"):
        F.gumbel_softmax(np.zeros(3, complex))


# ---- errors -----------------------------------------------------------------------------------------------------


def test_refused_arguments() -> None:
    x = numbers((2, 5))
    with pytest.raises(ValueError, match="prelu: weight has 3 entries, expected 1 or one for each channel of input, 5"):
        F.prelu(x, np.ones(3))
    with pytest.raises(ValueError, match="prelu: weight has 2 dimensions"):
        F.prelu(x, np.ones((1, 5)))
    with pytest.raises(ValueError, match="size 5 along axis"):
        F.glu(x)
    for name in ("softmax", "softmin", "log_softmax", "glu"):
        with pytest.raises(IndexError):
            getattr(F, name)(x, 2)
    for name in sorted(set(F.__all__) - set(UNDERSCORED) - {"softmax", "softmin", "log_softmax"}):
        with pytest.raises(TypeError):
            getattr(F, name)(np.zeros(4, complex), *REQUIRED.get(name, ()))


def test_reached_from_the_package() -> None:
    assert fastact.functional is F


def test_the_page_runs() -> None:
    page = Path(__file__).parents[1] / "docs" / "functional.md"
    *_, example = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    scope: dict[str, Any] = {}
    exec(compile(example, str(page), "exec"), scope)
    assert scope["F"] is F
