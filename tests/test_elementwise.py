"""Elementwise functions as array functions: layouts, dtypes, ufunc keywords, errors, pickling."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fastact
from fastact._public import engine
from tests.catalogue import LOOPS, ONE_OPERAND, Loop, bfloat16, dtype_of, points

FLOATS = ("float16", "bfloat16", "float32", "float64", "longdouble")
SOME = [loop for loop in LOOPS if loop.record.name in ("sigmoid", "gelu", "relu", "leaky_relu", "hard_tanh")]
ONE_OPERAND_LOOPS = [loop for loop in LOOPS if len(loop.record.operands) == 1]

every_loop = pytest.mark.parametrize("loop", ONE_OPERAND_LOOPS, ids=lambda loop: loop.name)
some_loops = pytest.mark.parametrize("loop", SOME, ids=lambda loop: loop.name)
every_record = pytest.mark.parametrize(
    "record", [record for record in ONE_OPERAND if engine.has(record, "value")], ids=lambda record: record.name
)


def call(loop: Loop, x: Any, **keywords: Any) -> Any:
    required = [p.typical for p in loop.record.parameters.values() if p.default is None]
    return loop.published(x, *required, **keywords)


def numbers(shape: Any, dtype: str = "float32", seed: int = 0) -> Any:
    kind = bfloat16() if dtype == "bfloat16" else np.dtype(dtype)
    return np.random.default_rng(seed).normal(0, 3, shape).astype(kind)


def same(a: Any, b: Any) -> None:
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    np.testing.assert_array_equal(a, b)


@every_loop
def test_same_bits_wherever_an_element_stands(loop: Loop) -> None:
    x = points(loop.record.name, "float32")[::97][:300]
    whole = call(loop, x)
    for n in range(257):
        same(call(loop, x[:n]), whole[:n])
    for start in range(1, 20):
        same(call(loop, x[start:]), whole[start:])
    for k in range(0, len(x), 7):
        same(np.asarray(call(loop, x[k])), whole[k])


LARGER_THAN_CACHES = 33 << 20  # bytes


def check_larger_than_caches(function: Any, operands: list[Any]) -> None:
    """Results that are written past the caches, line by line, from any start on."""
    expected = function(*operands)
    size = LARGER_THAN_CACHES // expected.itemsize + 13
    memory = np.empty(size + 5, expected.dtype)
    for start in (0, 5):
        out = memory[start:][:size]
        function(*(np.resize(operand, size) for operand in operands), out=out)
        assert np.array_equal(out.view(f"i{out.itemsize}"), np.resize(expected.view(f"i{out.itemsize}"), size))


@pytest.mark.skipif(engine.name != "compiled", reason="only the kernels write past the caches")
@every_loop
def test_larger_than_caches(loop: Loop) -> None:
    check_larger_than_caches(lambda x, **out: call(loop, x, **out), [points(loop.record.name, "float32")[:10_007]])


@pytest.mark.skipif(engine.name != "compiled", reason="only the kernels write past the caches")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", ["relu", "leaky_relu", "gelu", "softplus", "hard_tanh"])
def test_larger_than_caches_in_other_precisions(name: str, dtype: str) -> None:
    x, grad = numbers(10_007, dtype), numbers(10_007, dtype, seed=1)
    check_larger_than_caches(getattr(fastact, name), [x])
    check_larger_than_caches(getattr(fastact.backward, name), [grad, x])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["softplus", "celu"])
def test_a_parameter_of_1_as_a_number_and_in_an_array(name: str, dtype: str) -> None:
    """The number has kernels of its own."""
    x = numbers(1001, dtype)
    ones, grad = np.ones_like(x), numbers(1001, dtype, seed=1)
    value, slope = getattr(fastact, name), getattr(fastact.derivative, name)
    backward = getattr(fastact.backward, name)
    np.testing.assert_array_max_ulp(value(x, 1), value(x, ones), 1)
    np.testing.assert_array_max_ulp(slope(x, 1), slope(x, ones), 3)
    np.testing.assert_array_max_ulp(backward(grad, x, 1), backward(grad, x, ones), 3)
    np.testing.assert_array_max_ulp(backward(grad, x, 1), grad * slope(x, 1), 2)
    same(value(x[::-3], np.ones((), dtype)), value(x, 1)[::-3])


def layouts(x: Any) -> Any:
    """Views of the same values in every layout that NumPy has."""
    yield "contiguous", x.copy()
    strided = np.empty((2 * x.shape[0], 3 * x.shape[1]), x.dtype)[::2, ::3]
    strided[...] = x
    yield "strided", strided
    backwards = np.empty(x.shape, x.dtype)[::-1, ::-1]
    backwards[...] = x
    yield "negative strides", backwards
    yield "Fortran", np.array(x, order="F")
    swapped = x.dtype.newbyteorder()
    if x.dtype.name != "bfloat16":
        yield "byte-swapped", x.astype(swapped)
    raw = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    raw[...] = x
    yield "unaligned", raw
    readonly = x.copy()
    readonly.flags.writeable = False
    yield "read-only", readonly


@some_loops
@pytest.mark.parametrize("dtype", FLOATS)
def test_layouts(loop: Loop, dtype: str) -> None:
    x = numbers((17, 67), dtype)
    expected = call(loop, x)
    for name, view in layouts(x):
        given = view.copy(order="K")
        np.testing.assert_array_equal(call(loop, view), expected, err_msg=name)
        np.testing.assert_array_equal(view, given, err_msg=f"{name}: the input has changed")
        if view.flags.writeable:
            target = view  # in place, in this layout
            assert call(loop, view, out=target) is target
            np.testing.assert_array_equal(target, expected, err_msg=f"{name}, in place")


@some_loops
def test_shapes(loop: Loop) -> None:
    x = numbers((2, 3, 4))
    whole = call(loop, x)
    same(call(loop, np.broadcast_to(x[:1], (5, 3, 4))), np.broadcast_to(whole[:1], (5, 3, 4)))
    scalar = call(loop, x[0, 0, 0])
    assert isinstance(scalar, np.float32)
    assert call(loop, np.asarray(x[0, 0, 0])) == scalar == whole[0, 0, 0]
    assert call(loop, np.empty((0, 3), np.float32)).shape == (0, 3)
    assert isinstance(call(loop, 0.5), np.float64)
    assert call(loop, [0.5, 1.0]).dtype == np.float64
    fortran = call(loop, np.asfortranarray(x))
    assert fortran.flags.f_contiguous


@every_record
def test_dtypes(record: Any) -> None:
    loop = Loop(record, "value")
    for dtype in FLOATS:
        assert call(loop, numbers(3, dtype)).dtype == numbers(3, dtype).dtype
    inside = np.array([0, 1])
    for kind in (np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64):
        y = call(loop, inside.astype(kind))
        if record.keeps_integers:
            assert y.dtype == kind
        else:
            assert y.dtype == (np.float32 if np.dtype(kind).itemsize <= 2 else np.float64)
        np.testing.assert_array_equal(y.astype(np.float64), call(loop, inside.astype(y.dtype)).astype(np.float64))
    for kind in (np.complex64, np.complex128, object, "datetime64[s]", "U3"):
        with pytest.raises(TypeError):
            call(loop, np.zeros(2, kind))


@pytest.mark.parametrize("loop", [loop for loop in ONE_OPERAND_LOOPS if loop.record.keeps_integers],
                         ids=lambda loop: loop.name)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64])
def test_integers_stay_exact(loop: Loop, dtype: Any) -> None:
    limits = np.iinfo(dtype)
    x = np.array([limits.min, 0, 1, 2, 5, 6, 7, 11, limits.max // 2, limits.max], dtype)
    if loop.record.name == "squared_relu":
        x = x[1:8]  # its squares have to fit
    y = call(loop, x)
    assert y.dtype == dtype
    expected = [int(call(loop, np.longdouble(int(value)))) for value in x]
    assert y.tolist() == expected


@some_loops
def test_out(loop: Loop) -> None:
    x = numbers(100)
    expected = call(loop, x)
    wide = np.empty(100, np.float64)
    assert call(loop, x, out=wide) is wide
    np.testing.assert_array_equal(wide, expected)
    boxed = np.empty(100, np.float32)
    assert call(loop, x, out=(boxed,)) is boxed
    rows = np.empty((3, 100), np.float32)
    np.testing.assert_array_equal(call(loop, x, out=rows), np.broadcast_to(expected, (3, 100)))


@some_loops
def test_a_refused_out_is_not_written_to(loop: Loop) -> None:
    x = numbers(100)
    for out in (np.full(99, 7, np.float32), np.full((100, 1), 7, np.float32), np.full((), 7, np.float32)):
        with pytest.raises(ValueError, match=r"shape|broadcast"):
            call(loop, x, out=out)
        assert (out == 7).all()
    for dtype in (np.int32, np.bool_):
        out = np.full(100, 1, dtype)
        with pytest.raises(TypeError, match="cast"):
            call(loop, x, out=out)
        assert (out == 1).all()
    readonly = np.full(100, 7, np.float32)
    readonly.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        call(loop, x, out=readonly)
    assert (readonly == 7).all()
    with pytest.raises(TypeError):
        call(loop, x, out=[1.0])


@every_loop
@pytest.mark.parametrize("dtype", FLOATS[:4])
def test_in_place(loop: Loop, dtype: str) -> None:
    for n in (1, 15, 16, 17, 48, 1000, 1040, 5001):
        x = numbers(n, dtype)
        expected = call(loop, x)
        assert call(loop, x, out=x) is x
        assert x.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_any_parameter_that_is_not_a_number_gives_none(dtype: str) -> None:
    x = -np.abs(numbers(1000, dtype)) - np.ones(1, dtype_of(dtype))
    patterns = np.array([0x7FC00000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001], np.uint32).view(np.float32)
    for slope in (*patterns, np.resize(patterns, 1000)):
        assert np.isnan(fastact.prelu(x, slope)).all()


@some_loops
def test_overlap(loop: Loop) -> None:
    for shift in (-33, -16, -1, 1, 2, 16, 40):
        memory = numbers(5000)
        source = memory[max(0, -shift) : 5000 - max(0, shift)]
        target = memory[max(0, shift) : 5000 - max(0, -shift)]
        expected = call(loop, source.copy())
        call(loop, source, out=target)
        np.testing.assert_array_equal(target, expected)
    memory = numbers(200)
    expected = call(loop, memory.copy())
    call(loop, memory, out=memory[::-1])
    np.testing.assert_array_equal(memory[::-1], expected)
    square = numbers((40, 40))
    expected = call(loop, square.copy())
    call(loop, square, out=square.T)
    np.testing.assert_array_equal(square.T, expected)


@some_loops
def test_where(loop: Loop) -> None:
    x = numbers(300)
    mask = numbers(300, seed=1) > 0
    out = np.full(300, 7, np.float32)
    call(loop, x, out=out, where=mask)
    np.testing.assert_array_equal(out, np.where(mask, call(loop, x), np.float32(7)))


@some_loops
def test_dtype_and_casting(loop: Loop) -> None:
    x = numbers(50)
    same(call(loop, x, dtype=np.float64), call(loop, x.astype(np.float64)))
    same(call(loop, x, dtype="float16"), call(loop, x.astype(np.float16)))
    same(call(loop, np.arange(5), dtype=np.float32), call(loop, np.arange(5, dtype=np.float32)))
    with pytest.raises(TypeError):
        call(loop, x, dtype=np.float16, casting="safe")
    with pytest.raises(TypeError):
        call(loop, x, out=np.empty(50, np.float16), casting="safe")
    with pytest.raises(TypeError):
        call(loop, x, dtype=complex)


@every_loop
def test_silence(loop: Loop) -> None:
    """No floating-point warning, whatever the input."""
    with np.errstate(all="raise"):
        for dtype in FLOATS:
            x = points(loop.record.name, dtype)
            call(loop, x)
            call(loop, x, out=x.copy())
            for extreme in (np.inf, -np.inf, np.nan, 1e4, -1e4, 0.0):
                call(loop, x.dtype.type(extreme))
        call(loop, 1000.0)
        call(loop, -1000.0)


@every_loop
def test_nan_in_nan_out(loop: Loop) -> None:
    for dtype in FLOATS:
        x = np.array([0.5, np.nan, -np.nan, 0.25]).astype(numbers(1, dtype).dtype)
        assert np.isnan(call(loop, x).astype(np.float64)).tolist() == [False, True, True, False]


@every_record
def test_pickling_by_name(record: Any) -> None:
    for module in (fastact, fastact.derivative, fastact.backward):
        function = getattr(module, record.name)
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__name__ == record.name
        # In NumPy 2.0 a ufunc has no attributes of its own.
        assert getattr(function, "__module__", module.__name__) == module.__name__


@every_record
def test_backward_in_place(record: Any) -> None:
    backward = getattr(fastact.backward, record.name)
    required = [p.typical for p in record.parameters.values() if p.default is None]
    for dtype in ("float32", "float16", "float64"):
        x, grad = np.abs(numbers(777, dtype)) % 1, numbers(777, dtype, seed=1)
        expected = backward(grad, x, *required)
        for target in range(2):
            operands = [grad.copy(), x.copy()]
            assert backward(*operands, *required, out=operands[target]) is operands[target]
            np.testing.assert_array_equal(operands[target], expected)


@pytest.mark.parametrize("record", [record for record in ONE_OPERAND if record.parameters and
                                    engine.has(record, "value")], ids=lambda record: record.name)  # fmt: skip
class TestParameters:
    """Parameters are operands: by position or name, as numbers or arrays, one per channel if need be."""

    def test_by_name_and_position(self, record: Any) -> None:
        x = numbers(20)
        typical = record.typical_parameters
        for operation in ("value", "derivative", "backward"):
            module = {"value": fastact, "derivative": fastact.derivative, "backward": fastact.backward}[operation]
            function = getattr(module, record.name)
            arrays = [x, x] if operation == "backward" else [x]
            by_position = function(*arrays, *typical.values())
            same(function(*arrays, **typical), by_position)
            if all(parameter.default is not None for parameter in record.parameters.values()):
                same(function(*arrays), by_position)
            same(function(*arrays, *(np.float32(value) for value in typical.values())), by_position)
        assert getattr(fastact, record.name)(numbers(20, "float16"), *typical.values()).dtype == np.float16

    def test_per_channel(self, record: Any) -> None:
        x = numbers((5, 3, 7))
        function = getattr(fastact, record.name)
        channels = [
            np.array([value, value + 0.25, value + 1], np.float32) for value in record.typical_parameters.values()
        ]
        y = function(x, *(array[:, np.newaxis] for array in channels))
        assert y.shape == x.shape
        for k in range(3):
            same(y[:, k], function(x[:, k], *(float(array[k]) for array in channels)))

    def test_values_that_make_no_sense(self, record: Any) -> None:
        function = getattr(fastact, record.name)
        x = numbers(4)
        for name, parameter in record.parameters.items():
            for value in (0.0, -1.0, 0, -1, np.float64(-1)):
                given = record.typical_parameters | {name: value}
                if parameter.accepts is not None and not parameter.accepts(value):
                    out = np.full(4, 7, np.float32)
                    with pytest.raises(ValueError, match=f"{record.name}: {name} is .*, expected"):
                        function(x, **given, out=out)
                    assert (out == 7).all()
                    function(x, **(given | {name: np.full(4, value)}))  # arrays pass unread

    def test_unknown_names(self, record: Any) -> None:
        with pytest.raises(TypeError):
            getattr(fastact, record.name)(numbers(4), *record.typical_parameters.values(), slope=1)


@pytest.mark.skipif(not engine.has(fastact.activations["hard_tanh"], "value"), reason="no kernel yet")
def test_hard_tanh_wants_its_ends_in_order() -> None:
    with pytest.raises(ValueError, match=r"hard_tanh: max_value is -2\.0, expected at least min_value"):
        fastact.hard_tanh(numbers(4), 1.0, -2.0)
    fastact.hard_tanh(numbers(4), 1.0, 1.0)


def test_get() -> None:
    assert fastact.get("gelu") is fastact.gelu
    assert fastact.get("swish") is fastact.silu
    assert fastact.get(None) is fastact.identity
    assert fastact.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match=r"no activation 'gleu'; did you mean .*'gelu'"):
        fastact.get("gleu")
    with pytest.raises(ValueError, match="did you mean 'leaky_relu'"):
        fastact.get("LeakyReLU")
    with pytest.raises(ValueError, match=r"there is no activation 'quux'$"):
        fastact.get("quux")
    with pytest.raises(TypeError, match="identifier is 3"):
        fastact.get(3)
