"""Functions of two operands: prelu, the gates, and glu; both gradients, broadcasting, outputs, overlap."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fastact
from fastact._public import engine
from tests import oracle
from tests.catalogue import RECORDS, ROOT_ZONE, bfloat16

PAIRS = [record for record in RECORDS if len(record.operands) == 2 and engine.has(record, "backward")]
pairs = pytest.mark.parametrize(
    "record", [record for record in PAIRS if not record.halved], ids=lambda record: record.name
)


def numbers(shape: Any, dtype: Any = np.float32, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, 2, shape).astype(dtype)


def true_gradients(record: Any, grad: Any, first: Any, second: Any) -> tuple[Any, Any]:
    """Both gradients for every element, in extended precision."""
    m = oracle.LongDouble
    grad, first, second = (np.asarray(array, np.longdouble) for array in (grad, first, second))
    by_first = oracle.exact(f"{record.name}_derivative", first, second, m=m)
    if record.name == "prelu":
        by_second = oracle.exact("prelu_weight_derivative", first, m=m)
    else:
        by_second = oracle.exact(record.name, first, np.ones_like(second), m=m)
    return grad * by_first, grad * by_second


@pairs
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_both_gradients(record: Any, dtype: str) -> None:
    kind = bfloat16() if dtype == "bfloat16" else np.dtype(dtype)
    grad, first, second = (numbers((7, 31), kind, seed) for seed in range(3))
    precision = 2.0 ** (1 - oracle.FORMATS[dtype].digits)
    results = getattr(fastact.backward, record.name)(grad, first, second)
    for result, true in zip(results, true_gradients(record, grad, first, second), strict=True):
        assert result.dtype == kind
        np.testing.assert_allclose(result.astype(np.longdouble), true, rtol=8 * precision, atol=8 * precision)
    slopes = getattr(fastact.derivative, record.name)(first, second)
    for slope, true in zip(slopes, true_gradients(record, 1, first, second), strict=True):
        assert slope.dtype == kind
        np.testing.assert_allclose(slope.astype(np.longdouble), true, rtol=8 * precision, atol=8 * precision)


@pairs
@pytest.mark.parametrize(
    ("first_shape", "second_shape"),
    [((4, 5, 6), (5, 1)), ((4, 5, 6), ()), ((4, 5, 6), (1, 5, 1)), ((1, 6), (4, 5, 1)), ((), (3, 2))],
)
def test_gradients_have_their_operands_shapes(record: Any, first_shape: Any, second_shape: Any) -> None:
    first, second = numbers(first_shape), numbers(second_shape, seed=1)
    grad = numbers(np.broadcast_shapes(first_shape, second_shape), seed=2)
    results = getattr(fastact.backward, record.name)(grad, first, second)
    true = [np.broadcast_to(array, grad.shape) for array in true_gradients(record, grad, first, second)]
    for result, operand, gradient in zip(results, (first, second), true, strict=True):
        missing = grad.ndim - np.ndim(operand)
        axes = tuple(k for k in range(grad.ndim) if k < missing or np.shape(operand)[k - missing] == 1)
        expected = gradient.sum(axis=axes, keepdims=True).reshape(np.shape(operand))
        assert np.shape(result) == np.shape(operand)
        np.testing.assert_allclose(np.asarray(result, np.longdouble), expected, rtol=1e-5, atol=1e-5)
    outputs = np.empty(first_shape, np.float32), np.empty(second_shape, np.float32)
    assert getattr(fastact.backward, record.name)(grad, first, second, out=outputs) is outputs
    for output, result in zip(outputs, results, strict=True):
        np.testing.assert_array_equal(output, result)


def layouts(array: Any) -> dict[str, Any]:
    """The same numbers in memory of other kinds."""
    rows, columns = array.shape
    halves = np.zeros((rows, 2 * columns), array.dtype)
    halves[:, columns:] = array
    bytes_before = np.zeros(array.nbytes + 1, np.uint8)
    unaligned = np.ndarray(array.shape, array.dtype, bytes_before, offset=1)
    unaligned[...] = array
    return {
        "halves": halves[:, columns:],
        "columns of Fortran's order": array.copy(order="F"),
        "backwards": array[::-1, ::-1].copy()[::-1, ::-1],
        "every third": np.repeat(array, 3, axis=1)[:, ::3],
        "swapped bytes": array.astype(array.dtype.newbyteorder()),
        "unaligned": unaligned,
    }


@pairs
@pytest.mark.parametrize("columns", [1, 3, 16, 40, 64, 300, 1040])
def test_gradients_of_any_layout(record: Any, columns: int) -> None:
    backward = getattr(fastact.backward, record.name)
    operands = [numbers((17, columns), seed=seed) for seed in range(3)]
    expected = backward(*operands)
    for kind in layouts(operands[0]):
        laid_out = [layouts(operand)[kind] for operand in operands]
        for results in (backward(*laid_out), backward(operands[0], *laid_out[1:])):
            for result, true in zip(results, expected, strict=True):
                assert result.dtype == np.float32
                np.testing.assert_array_equal(result, true, err_msg=kind)
        out = tuple(layouts(np.empty_like(operand))[kind] for operand in operands[1:])
        backward(*operands, out=out)
        for result, true in zip(out, expected, strict=True):
            np.testing.assert_array_equal(result, true, err_msg=kind)
        backward(*laid_out, out=tuple(laid_out[1:]))
        for result, true in zip(laid_out[1:], expected, strict=True):
            np.testing.assert_array_equal(result, true, err_msg=kind)


@pairs
def test_gradients_over_their_neighbours(record: Any) -> None:
    """Outputs that overlap operands element by element, but not as the same elements."""
    backward = getattr(fastact.backward, record.name)
    memory = numbers(400)
    grad, first, second = memory[:200].copy(), memory[100:300], memory[200:400]
    expected = backward(grad, first.copy(), second.copy())
    out = memory[50:250], memory[199:399]
    backward(grad, first, second, out=(None, out[1]))
    np.testing.assert_array_equal(out[1], expected[1])
    memory[:] = numbers(400)
    backward(grad, first, second, out=(out[0], None))
    np.testing.assert_array_equal(out[0], expected[0])
    memory[:] = numbers(400)
    first_gradient, second_gradient = np.split(np.zeros(400, np.float32), 2)
    backward(grad, first[::-1], second[::-1], out=(first_gradient[::-1], second_gradient))
    np.testing.assert_array_equal(first_gradient[::-1], backward(grad, first[::-1].copy(), second[::-1].copy())[0])


@pairs
def test_gradients_of_nothing_and_of_many_dimensions(record: Any) -> None:
    backward = getattr(fastact.backward, record.name)
    for shape in ((0,), (3, 0), (0, 3)):
        for result in backward(*(numbers(shape) for _ in range(3))):
            assert result.shape == shape and result.dtype == np.float32
    deep = [numbers((2, 3, 1, 2, 4, 5, 2), seed=seed).transpose(3, 0, 6, 1, 2, 5, 4) for seed in range(3)]
    flat = [np.ascontiguousarray(array) for array in deep]
    for result, expected in zip(backward(*deep), backward(*flat), strict=True):
        np.testing.assert_array_equal(result, expected)


@pairs
def test_gradients_of_numbers_are_numbers(record: Any) -> None:
    """As every other function's are, in every engine; arrays of no dimensions are filled where they are given."""
    backward, operands = getattr(fastact.backward, record.name), [np.float32(x) for x in (1.5, -0.5, 2)]
    expected = backward(*(np.full(1, x) for x in operands))
    out = np.empty((), np.float32), np.empty((), np.float32)
    for results in (backward(*operands), backward(*map(np.asarray, operands))):
        assert [type(result) for result in results] == [np.float32, np.float32]
        np.testing.assert_array_equal(results, np.ravel(expected))
    assert all(result is target for result, target in zip(backward(*operands, out=out), out, strict=True))
    np.testing.assert_array_equal(out, np.ravel(expected))


@pairs
def test_threads_change_no_gradient(record: Any) -> None:
    backward = getattr(fastact.backward, record.name)
    operands = [numbers((301, 2002), seed=seed)[:, 1:1002] for seed in range(3)]
    with fastact.threads(1):
        alone = backward(*operands)
    with fastact.threads(4):
        together = backward(*operands)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["swiglu", "geglu", "reglu"])
def test_float32_gradients_are_rounded_once(name: str) -> None:
    """Also where a gate's factor is no float32 any more, but its product with grad and value is."""
    near = [numbers(20_000, seed=seed) for seed in range(3)]
    far = [numbers(2000, seed=seed) * scale for seed, scale in enumerate((1e18, 40, 1e18))]
    bar = 1.25 if engine.name == "compiled" else 6
    for grad, gate, value in (near, far):
        results = getattr(fastact.backward, name)(grad, gate, value)
        true = true_gradients(fastact.activations[name], grad, gate, value)
        slope = np.abs(true_gradients(fastact.activations[name], 1, gate, 1)[0])
        off_root = (np.abs(gate) > 3) | (slope > ROOT_ZONE[engine.name])
        for result, gradient, counts in zip(results, true, (off_root, slice(None)), strict=True):
            error = oracle.ulp_error(result[counts], gradient[counts], "float32", oracle.LongDouble)
            assert error.max() <= bar


@pytest.mark.parametrize("scale", [1, 1e-40, 1e37], ids=["ordinary", "subnormal", "huge"])
@pytest.mark.parametrize("name", ["glu", "swiglu", "geglu"])
def test_each_element_for_itself(name: str, scale: float) -> None:
    """A gate so far from 0 that its factor is no float32 changes nothing of those beside it, in accuracy or in bits."""

    def gated(gate: Any, value: Any) -> Any:
        return fastact.glu(np.concatenate((value, gate))) if name == "glu" else getattr(fastact, name)(gate, value)

    # One in a batch of 64 is far now and then, for geglu from 10.9 on, for the others from 60.
    gate = numbers(5000) * np.where(np.arange(5000) % 97 == 0, np.float32(40), np.float32(1))
    value = numbers(5000, seed=1) * np.float32(scale)
    result = gated(gate, value)
    near = np.abs(gate) < 8
    np.testing.assert_array_equal(gated(gate[near], value[near]), result[near])
    order = np.random.default_rng(2).permutation(5000)
    np.testing.assert_array_equal(gated(gate[order], value[order]), result[order])
    with np.errstate(all="ignore"):
        true = oracle.exact(name, gate.astype(np.longdouble), value.astype(np.longdouble), m=oracle.LongDouble)
    assert oracle.ulp_error(result, true, "float32", oracle.LongDouble).max() <= 2


@pairs
def test_gradients_in_place(record: Any) -> None:
    backward = getattr(fastact.backward, record.name)
    operands = [numbers(500, seed=seed) for seed in range(3)]
    expected = backward(*operands)
    for targets in ((1, 2), (2, 1), (0, 1), (1, 0), (0, 2), (2, 0)):
        copies = [operand.copy() for operand in operands]
        out = tuple(copies[k] for k in targets)
        results = backward(*copies, out=out)
        for result, target, true in zip(results, out, expected, strict=True):
            assert result is target
            np.testing.assert_array_equal(result, true)
    copies = [operand.copy() for operand in operands]
    first, second = backward(*copies, out=(copies[1], None))
    np.testing.assert_array_equal(first, expected[0])
    np.testing.assert_array_equal(second, expected[1])


@pairs
def test_refused_outputs_are_not_written_to(record: Any) -> None:
    backward = getattr(fastact.backward, record.name)
    grad, first, second = (numbers(9, seed=seed) for seed in range(3))
    readonly = np.full(9, 7, np.float32)
    readonly.flags.writeable = False
    bad: list[tuple[Any, type[Exception], str]] = [
        (np.full(8, 7, np.float32), ValueError, "has shape"),
        (np.full(9, 7, np.int32), TypeError, "has dtype"),
        (readonly, ValueError, "read-only"),
        ([0.0] * 9, TypeError, "expected an ndarray"),
    ]
    for wrong, error, message in bad:
        for place in range(2):
            out = [np.full(9, 7, np.float32), np.full(9, 7, np.float32)]
            out[place] = wrong
            with pytest.raises(error, match=message):
                backward(grad, first, second, out=tuple(out))
            assert all((np.asarray(array) == 7).all() or isinstance(array, list) for array in out)
    with pytest.raises(TypeError, match="expected a tuple of two"):
        backward(grad, first, second, out=np.empty(9, np.float32))


@pairs
def test_named_operands_and_pickling(record: Any) -> None:
    first, second = numbers(5), numbers(5, seed=1)
    for module in (fastact.derivative, fastact.backward):
        function = getattr(module, record.name)
        assert pickle.loads(pickle.dumps(function)) is function
    names = dict(zip(record.operands, (first, second), strict=True))
    for result, expected in zip(getattr(fastact.backward, record.name)(first, **names),
                                getattr(fastact.backward, record.name)(first, first, second), strict=True):  # fmt: skip
        np.testing.assert_array_equal(result, expected)


@pairs
def test_silence(record: Any) -> None:
    edges = np.array([0, -0.0, 1, -1, 1e30, -1e30, 1e-40, 90, -90, np.inf, -np.inf, np.nan], np.float32)
    gate, value = np.meshgrid(edges, edges)
    with np.errstate(all="raise"):
        getattr(fastact, record.name)(gate, value)
        getattr(fastact.derivative, record.name)(gate, value)
        getattr(fastact.backward, record.name)(value, gate, value)


@pytest.mark.skipif(not engine.has(fastact.activations["glu"], "backward"), reason="no kernel yet")
class TestGlu:
    """glu takes both operands from one array: the first half is the value, the second opens the gate."""

    @pytest.mark.parametrize("axis", [-1, 0, 1, -3])
    def test_halves(self, axis: int) -> None:
        x = numbers((4, 6, 8))
        value, gate = np.split(x, 2, axis=axis)
        expected = oracle.exact("glu", gate, value, m=oracle.LongDouble)
        np.testing.assert_allclose(fastact.glu(x, axis=axis), expected.astype(np.float64), rtol=4e-7)
        out = np.empty_like(value)
        assert fastact.glu(x, axis, out=out) is out
        np.testing.assert_array_equal(out, fastact.glu(x, axis))

    @pytest.mark.parametrize("columns", [2, 20, 32, 128, 600, 2082])
    def test_rows_of_halves(self, columns: int) -> None:
        x = numbers((1031, columns))
        gate, value = x[:, columns // 2 :].copy(), x[:, : columns // 2].copy()
        expected = np.asarray(fastact.glu(np.concatenate((value.ravel(), gate.ravel())))).reshape(gate.shape)
        out = np.empty((1031, columns), np.float32)[:, ::2]
        for threads in (1, 4):
            with fastact.threads(threads):
                for rows in (x, np.asfortranarray(x), x.reshape(1, 1031, 1, columns)):
                    np.testing.assert_array_equal(fastact.glu(rows), expected.reshape((*rows.shape[:-1], -1)))
                assert fastact.glu(x, out=out) is out
                np.testing.assert_array_equal(out, expected)
                over = x.copy()
                target = over[:, columns // 2 :]
                assert fastact.glu(over, out=target) is target
                np.testing.assert_array_equal(target, expected)

    @pytest.mark.parametrize("axis", [-1, 0])
    def test_gradient(self, axis: int) -> None:
        x = numbers((4, 6))
        value, gate = np.split(x, 2, axis=axis)
        grad = numbers(value.shape, seed=1)
        by_gate, by_value = true_gradients(fastact.activations["glu"], grad, gate, value)
        expected = np.concatenate([by_value, by_gate], axis=axis)
        result = fastact.backward.glu(grad, x, axis)
        np.testing.assert_allclose(result, expected.astype(np.float64), rtol=1e-6, atol=1e-9)
        assert fastact.backward.glu(grad, x, axis=axis, out=x) is x
        np.testing.assert_array_equal(x, result)

    def test_errors(self) -> None:
        with pytest.raises(ValueError, match="glu: x has size 5 along axis -1, expected an even size"):
            fastact.glu(numbers((2, 5)))
        with pytest.raises(np.exceptions.AxisError):
            fastact.glu(numbers((2, 4)), axis=2)
        with pytest.raises(ValueError, match="out has shape"):
            fastact.backward.glu(numbers(2), numbers(4), out=np.empty(3, np.float32))

    def test_as_in_pytorch(self) -> None:
        torch = pytest.importorskip("torch")
        x = numbers((3, 8))
        theirs = torch.from_numpy(x).requires_grad_()
        y = torch.nn.functional.glu(theirs)
        y.sum().backward()
        np.testing.assert_allclose(fastact.glu(x), y.detach().numpy(), rtol=1e-6)
        np.testing.assert_allclose(fastact.backward.glu(np.ones((3, 4), np.float32), x), theirs.grad.numpy(), rtol=1e-5)


@pytest.mark.skipif(not engine.has(fastact.activations["prelu"], "backward"), reason="no kernel yet")
def test_prelu_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x, weight = numbers((4, 3, 5)), np.array([0.25, 0.0, -0.5], np.float32)
    x[0, :, 0] = 0
    theirs = torch.from_numpy(x.copy()).requires_grad_()
    their_weight = torch.from_numpy(weight.copy()).requires_grad_()
    y = torch.nn.functional.prelu(theirs, their_weight)
    grad = numbers(x.shape, seed=1)
    y.backward(torch.from_numpy(grad))
    np.testing.assert_array_equal(fastact.prelu(x, weight[:, np.newaxis]), y.detach().numpy())
    by_x, by_weight = fastact.backward.prelu(grad, x, weight[:, np.newaxis])
    np.testing.assert_array_equal(by_x, theirs.grad.numpy())
    np.testing.assert_allclose(by_weight[:, 0], their_weight.grad.numpy(), rtol=1e-5)
