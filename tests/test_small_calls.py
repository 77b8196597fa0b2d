"""Calls that give arrays alone, which skip NumPy's ufuncs: the same bits, types and refusals as by any other way.

Where the compiled kernels serve, the functions with parameters and the row-wise ones stand behind `Shortcut`. A keyword
that changes nothing sends a call the ordinary way, whose results are the reference here.
"""

from __future__ import annotations

import ctypes
import inspect
import math
import pickle
import platform
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastact
from fastact import backward, derivative
from fastact._public import engine as engine_under_test
from fastact._records import Activation, operation_inputs
from fastact._rowwise import RowActivation

Array = Any
DTYPES = ["float16", "float32", "float64"]
SHAPES: list[tuple[int, ...]] = [
    (1,),
    (7,),
    (100,),
    (3000,),
    (3, 5),
    (40, 100),
    (2, 3, 17),
    (1, 1, 1),
    (0,),
    (3, 0),
    (0, 3),
]


@dataclass(frozen=True)
class Case:
    """A public function, and keywords that change nothing but the way that its calls take."""

    function: Callable[..., Any]
    record: Activation
    operation: str
    keywords: dict[str, Any]

    @property
    def arrays(self) -> int:
        return len(operation_inputs(self.record, self.operation)) - len(self.record.parameters)

    @property
    def reduces(self) -> bool:
        return isinstance(self.record, RowActivation) and self.record.reduces

    def ordinary(self, *arrays: Array) -> Any:
        return self.function(*arrays, **self.keywords)

    def __str__(self) -> str:
        return f"{self.record.name}-{self.operation}"


def cases() -> list[Case]:
    found = []
    for operation, module in {"value": fastact, "derivative": derivative, "backward": backward}.items():
        for name, record in fastact.activations.items():
            defaults = {key: parameter.default for key, parameter in record.parameters.items()}
            rows = {"where": None} if operation == "value" else {"axis": (-1,)}
            keywords = rows if isinstance(record, RowActivation) else defaults
            if keywords and None not in keywords.values() and engine_under_test.has(record, operation):
                found.append(Case(getattr(module, name), record, operation, keywords))
    return found


CASES = cases()
every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_rowwise_case = pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case.record, RowActivation)], ids=str
)
IN_PLACE = pytest.mark.parametrize("case", [case for case in CASES if not case.reduces], ids=str)


def numbers(shape: tuple[int, ...], dtype: Any = np.float32, seed: int = 0) -> Array:
    """Mostly usual numbers; the first are special, but no NaN stands among them, for it would hide a row's others."""
    x = np.random.default_rng(seed).normal(0, 3, shape)
    special = [0.0, -0.0, 1e-7, -30.0, 30.0, -1e-300]
    count = min(x.size // 2, len(special))
    x.reshape(-1)[:count] = special[:count]
    return x.astype(dtype)


def operands(case: Case, shape: tuple[int, ...], dtype: Any = np.float32) -> list[Array]:
    return [numbers(shape, dtype, seed) for seed in range(case.arrays)]


def assert_same(result: Any, reference: Any) -> None:
    """The same in type, dtype, shape, order and every bit."""
    assert type(result) is type(reference)
    assert (result.dtype, result.shape) == (reference.dtype, reference.shape)
    assert result.flags.c_contiguous == reference.flags.c_contiguous
    assert result.flags.writeable == reference.flags.writeable
    assert result.tobytes() == reference.tobytes()


@every_case
@pytest.mark.parametrize("dtype", DTYPES)
def test_same_bits(case: Case, dtype: str) -> None:
    for shape in SHAPES:
        arrays = operands(case, shape, dtype)
        given = [array.copy() for array in arrays]
        assert_same(case.function(*arrays), case.ordinary(*arrays))
        for array, before in zip(arrays, given, strict=True):
            assert array.tobytes() == before.tobytes()


@every_case
def test_not_finite(case: Case) -> None:
    x = np.array([[1, np.nan, 2, 3], [np.inf, 1, 2, 3], [-np.inf, 1, 2, 3], [-np.inf] * 4, [np.inf] * 4], np.float32)
    arrays = [np.ones_like(x)] * (case.arrays - 1) + [x]
    assert_same(case.function(*arrays), case.ordinary(*arrays))


@every_case
def test_no_dimensions(case: Case) -> None:
    arrays = [np.array(0.75, np.float32)] * case.arrays
    if isinstance(case.record, RowActivation):
        with pytest.raises(np.exceptions.AxisError):
            case.function(*arrays)
    else:
        assert_same(case.function(*arrays), case.ordinary(*arrays))


def layouts(x: Array) -> dict[str, Array]:
    """The same numbers, in forms of which the short way takes only the last."""
    misaligned = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    misaligned[...] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    return {
        "every other": np.repeat(x, 2, axis=-1)[..., ::2],
        "reversed": x[..., ::-1].copy()[..., ::-1],
        "Fortran": np.asfortranarray(x),
        "swapped": x.astype(x.dtype.newbyteorder()),
        "misaligned": misaligned,
        "subclass": np.ma.array(x),
        "list": x.tolist(),
        "read-only": read_only,
    }


@every_case
def test_other_operands(case: Case) -> None:
    arrays = operands(case, (6, 10), np.float64)
    plain = case.function(*arrays)
    forms = [layouts(array) for array in arrays]
    for form in forms[0]:
        given = [form_of[form] for form_of in forms]
        result = case.function(*given)
        assert_same(result, case.ordinary(*given))
        np.testing.assert_allclose(result, plain, rtol=0, atol=1e-12 * np.abs(plain).max(), err_msg=form)


@every_case
@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "bool", "longdouble"])
def test_other_dtypes(case: Case, dtype: str) -> None:
    arrays = [np.array([[0, 1, 1], [1, 0, 1]], dtype)] * case.arrays
    result, reference = case.function(*arrays), case.ordinary(*arrays)
    assert result.dtype == reference.dtype
    np.testing.assert_array_equal(result, reference)


STEPS = {
    "value": fastact.step,
    "derivative": derivative.step,
    "backward": lambda x, *given, **named: backward.step(x, x, *given, **named),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_step_keeps_integers(step: Any) -> None:
    """Integers and bools stay what they are beside any number that they can hold, written as an int or a float."""
    for dtype in ("bool", "int8", "uint8", "int16", "uint32", "int64", "float16", "float32", "float64"):
        x = np.array([0, 1], dtype)
        for at_zero in (0.0, 1.0, 0, 1, False, True, np.float64(1)):
            for result in (step(x, at_zero), step(x, at_zero=at_zero), step(x[0], at_zero)):
                assert result.dtype == dtype, (at_zero, result.dtype)
        for at_zero in (2, 2.0):
            assert step(x, at_zero).dtype == ("int64" if dtype == "bool" else dtype)
        narrow = "float32" if x.dtype.itemsize <= 2 else "float64"
        assert step(x, 0.5).dtype == (narrow if x.dtype.kind in "biu" else dtype)
    assert [step(x).dtype for x in (True, 5, 5.0)] == ["bool", "int64", "float64"]
    assert [step(x, 1.0).dtype for x in (True, 5, 5.0)] == ["bool", "int64", "float64"]
    assert [step(x, 1.0).dtype for x in ([True], [5], [5.0])] == ["bool", "int64", "float64"]


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_step_casting_nothing(step: Any) -> None:
    for dtype in ("int8", "int64", "float32", "float64"):
        x = np.array([0, 1], dtype)
        assert step(x, casting="no").dtype == step(x, 1.0, casting="no").dtype == dtype


def test_step_at_zero() -> None:
    for dtype in ("bool", "int8", "float32"):
        x = np.array([0, 1], dtype)
        assert [fastact.step(x, at_zero).tolist() for at_zero in (0.0, 1.0, 2.0, 0.5)] == [
            [0, 1], [1, 1], [2, 1], [0.5, 1]]  # fmt: skip
    assert fastact.step(2.0, -3.0) == 1 and backward.step(2.0, np.zeros(1, np.int8)).dtype == np.float32
    assert backward.step(2.0, np.zeros(1, np.int8), 1.0).dtype == np.float32


@every_case
def test_refused_dtypes(case: Case) -> None:
    """By either way, the message has the name that users know, and what they gave."""
    arrays = [numbers((3,)).astype(complex)] * case.arrays
    name = rf"^{case.record.name}(_{case.operation})?"
    for call in (case.function, case.ordinary):
        with pytest.raises(TypeError, match=rf"{name}: argument \w+ has dtype complex128, expected real numbers$"):
            call(*arrays)
    if isinstance(case.record, RowActivation) and case.operation == "backward":
        return  # takes no dtype
    with pytest.raises(TypeError, match=rf"{name}: dtype is complex64, expected a (real|floating-point) dtype$"):
        case.function(*operands(case, (3,)), dtype=np.complex64)


@pytest.mark.parametrize("case", [case for case in CASES if case.arrays == 2], ids=str)
def test_operands_that_differ(case: Case) -> None:
    x = numbers((4, 5))
    for grad in (np.ones(5, np.float32), np.ones((4, 1), np.float32), np.ones((4, 5)), np.ones((2, 4, 5), np.float32)):
        assert_same(case.function(grad, x), case.ordinary(grad, x))
    with pytest.raises(ValueError, match="broadcast"):
        case.function(np.ones((3, 5), np.float32), x)


@IN_PLACE
@pytest.mark.parametrize("dtype", DTYPES)
def test_in_place(case: Case, dtype: str) -> None:
    for shape in [*SHAPES, *((rows, n) for rows in (1, 3, 70) for n in (2, 8, 17, 33, 300))]:
        arrays = operands(case, shape, dtype)
        expected = case.ordinary(*arrays)
        for k in range(case.arrays):
            given = [array.copy() for array in arrays]
            assert case.function(*given, out=given[k]) is given[k]
            assert given[k].tobytes() == expected.tobytes()


@IN_PLACE
def test_out_of_another_array(case: Case) -> None:
    arrays = operands(case, (4, 25))
    expected = case.ordinary(*arrays)
    for out in (np.empty((4, 25), np.float32), np.empty((4, 25)), np.empty((4, 50), np.float32)[:, ::2]):
        assert case.function(*arrays, out=out) is out
        np.testing.assert_array_equal(out, expected)
    over_input = arrays[0].reshape(-1)[:].reshape(4, 25)  # another object over the same memory
    assert case.function(*arrays, out=over_input) is over_input
    assert over_input.tobytes() == expected.tobytes()


@IN_PLACE
def test_overlapping_out(case: Case) -> None:
    memory = numbers((101,))
    arrays = [memory[:100], memory[1:]][-case.arrays :]
    expected = case.ordinary(*[array.copy() for array in arrays])
    out = arrays[0]
    assert case.function(*arrays, out=out) is out
    assert out.tobytes() == expected.tobytes()


@IN_PLACE
def test_read_only_out(case: Case) -> None:
    arrays = operands(case, (10,))
    before = arrays[0].tobytes()
    arrays[0].flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        case.function(*arrays, out=arrays[0])
    assert arrays[0].tobytes() == before


@every_rowwise_case
def test_axis(case: Case) -> None:
    """Named or after the arrays: the last axis, which goes the short way, any other, and one that is not there."""
    for shape in SHAPES:
        arrays = operands(case, shape)
        others = [np.moveaxis(array, 0, -1) for array in arrays]
        for axis, given in (("last", arrays), ("first", others)):
            numbers = (-1, len(shape) - 1) if axis == "last" else (-len(shape), 0)
            expected = case.ordinary(*given)
            for number in numbers:
                for result in (case.function(*arrays, number), case.function(*arrays, axis=number)):
                    rows_last = result if axis == "last" or case.reduces else np.moveaxis(result, 0, -1)
                    np.testing.assert_array_equal(rows_last, expected)
        for number in (len(shape), -len(shape) - 1, 2**64 - 1, -(2**64) - 1):
            with pytest.raises((np.exceptions.AxisError, OverflowError)):
                case.function(*arrays, axis=number)
    with pytest.raises(TypeError):
        case.function(*arrays, -1, axis=-1)
    with pytest.raises(TypeError):
        case.function(*arrays, axis=-1.0)


@every_rowwise_case
def test_axis_beside_out(case: Case) -> None:
    for axis in (-1, 1):
        arrays = operands(case, (6, 10))
        expected = case.ordinary(*arrays)
        elsewhere = np.empty_like(expected)
        assert case.function(*arrays, axis=axis, out=elsewhere) is elsewhere
        assert elsewhere.tobytes() == expected.tobytes()
        if not case.reduces:
            assert case.function(*arrays, out=arrays[0], axis=axis) is arrays[0]
            assert arrays[0].tobytes() == expected.tobytes()


def test_logsumexp_not_in_place() -> None:
    x = numbers((3, 4))
    before = x.tobytes()
    with pytest.raises(ValueError, match="shape"):
        fastact.logsumexp(x, out=x)
    assert x.tobytes() == before


@every_case
def test_results_are_new(case: Case) -> None:
    arrays = operands(case, (10, 10))
    first, second = case.function(*arrays), case.function(*arrays)
    assert first.flags.owndata
    assert not any(np.shares_memory(first, other) for other in (second, *arrays))


@pytest.mark.skipif(not hasattr(sys, "getrefcount"), reason="counts references in CPython")
@every_case
def test_references_do_not_leak(case: Case) -> None:
    arrays = operands(case, (20,))
    watched = [*arrays, np.dtype(np.float32), case.function]

    def counts() -> list[int]:
        return [sys.getrefcount(thing) for thing in watched]

    def use() -> None:
        for _ in range(100):
            case.function(*arrays)
            case.ordinary(*arrays)
            if not case.reduces:
                case.function(*arrays, out=arrays[0])

    use()
    before = counts()
    use()
    assert all(abs(after - count) < 20 for after, count in zip(counts(), before, strict=True))
    assert sys.getrefcount(case.function(*arrays)) <= sys.getrefcount(object())


@every_case
def test_no_warnings(case: Case) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 1e-40, 3e38, -3e38, 88.8, -104], np.float32)
    with np.errstate(all="raise"):
        for row in (x, x[3:], x[:1]):
            case.function(*[row] * case.arrays)


# Invalid, division by zero, overflow and underflow: not inexact, which nearly every operation raises.
EXCEPTION_FLAGS = {"x86_64": 0b11101, "aarch64": 0b01111}.get(platform.machine())


@pytest.mark.skipif(sys.platform != "linux" or EXCEPTION_FLAGS is None, reason="reads the flags through Linux's libm")
@pytest.mark.skipif(engine_under_test.name != "compiled", reason="NumPy itself clears the flags that its loops raise")
@every_case
def test_exception_flags_untouched(case: Case) -> None:
    libm = ctypes.CDLL(None)
    arrays = [np.array([1e-40, 3e38, -3e38, 88.8, -104, 0], np.float32)] * case.arrays
    for raised in (0, EXCEPTION_FLAGS):
        libm.feclearexcept(EXCEPTION_FLAGS)
        libm.feraiseexcept(raised)
        case.function(*arrays)
        assert libm.fetestexcept(EXCEPTION_FLAGS) == raised
    libm.feclearexcept(EXCEPTION_FLAGS)


@every_case
def test_stays_a_function(case: Case) -> None:
    name = case.record.name
    module = {"value": "fastact", "derivative": "fastact.derivative", "backward": "fastact.backward"}[case.operation]
    assert pickle.loads(pickle.dumps(case.function)) is case.function
    assert (case.function.__name__, case.function.__qualname__, case.function.__module__) == (name, name, module)
    assert inspect.getdoc(case.function)
    assert next(iter(case.keywords)) in inspect.signature(case.function).parameters
    for arrays in ([], [np.ones(3)] * 7):
        with pytest.raises(TypeError):
            case.function(*arrays)
    with pytest.raises(TypeError):
        case.function(*operands(case, (3,)), nothing=1)


def test_many_threads() -> None:
    """Rows that are long enough for other threads to run meanwhile."""
    arrays = [numbers((4, 1000), seed=seed) for seed in range(16)]
    expected = [fastact.softmax(array, where=None) for array in arrays]
    with ThreadPoolExecutor(4) as pool:
        for result, reference in zip(pool.map(fastact.softmax, arrays * 4), expected * 4, strict=True):
            assert result.tobytes() == reference.tobytes()


# ---- which way a call takes ------------------------------------------------------------------------------------------


def way(case: Case, *args: Any, **keywords: Any) -> str:
    """ "loop", "bound" or "function": what serves a call."""
    shortcut = pytest.importorskip("fastact._compiled.shortcut")
    addresses = engine_under_test.addresses(case.record, case.operation)
    if addresses is None:
        pytest.skip("for loops of machine code")
    defaults = tuple(parameter.default for parameter in case.record.parameters.values())
    standing_before = shortcut.Shortcut(
        lambda *args, **keywords: "bound",
        lambda *args, **keywords: "function",
        addresses,
        case.arrays,
        defaults,
        isinstance(case.record, RowActivation),
        case.reduces,
    )
    answer = standing_before(*args, **keywords)
    return answer if isinstance(answer, str) else "loop"


@every_case
def test_ways(case: Case) -> None:
    for dtype in DTYPES:
        for shape in SHAPES:
            expected = "loop" if math.prod(shape) else "bound"
            assert way(case, *operands(case, shape, dtype)) == expected, (dtype, shape)
    arrays = operands(case, (6, 10))
    forms = [layouts(array) for array in arrays]
    for form in forms[0]:
        expected = "loop" if form == "read-only" else "bound"
        assert way(case, *(form_of[form] for form_of in forms)) == expected, form
    in_place = case.arrays == 1 and not case.reduces
    assert way(case, *arrays, out=arrays[0]) == ("loop" if in_place else "bound")
    result = case.function(*arrays)
    assert way(case, *arrays, out=result) == "loop"
    for unfit in (np.empty(result.shape, np.int32), result[:-1]):
        assert way(case, *arrays, out=unfit) == "bound"
    memory = np.zeros(2 * arrays[0].size, arrays[0].dtype)
    operand, beside = (memory[k : k + arrays[0].size].reshape(arrays[0].shape) for k in (0, 1))
    assert way(case, operand, *arrays[1:], out=beside) == "bound"
    assert way(case, *(array.astype(np.int32) for array in arrays)) == "bound"
    assert way(case, *arrays, **case.keywords) == "function"
    assert way(case, *arrays, arrays[0]) == "function"


@every_rowwise_case
def test_ways_of_an_axis(case: Case) -> None:
    arrays = operands(case, (2, 3, 17))
    for axis in (-1, 2):
        assert way(case, *arrays, axis) == way(case, *arrays, axis=axis) == "loop"
        in_place = case.arrays == 1 and not case.reduces
        assert way(case, *arrays, axis=axis, out=arrays[0]) == ("loop" if in_place else "function")
        assert way(case, *arrays, axis, out=arrays[0]) == ("loop" if in_place else "function")
        assert way(case, *arrays, axis=axis, out=case.function(*arrays)) == "loop"
        assert way(case, *(array.astype(np.int32) for array in arrays), axis=axis) == "function"
    axes: list[Any] = [0, 1, -2, 3, -4, None, (-1,), (0, 2), np.int64(-1), True, -1.0, 2**64 - 1, -(2**64) - 1]
    for other in axes:
        assert way(case, *arrays, axis=other) == "function", other
    assert way(case, *arrays, -1, axis=-1) == "function"


def test_an_axis_is_of_rows_alone() -> None:
    case = next(case for case in CASES if not isinstance(case.record, RowActivation))
    arrays = operands(case, (3, 4))
    assert way(case, *arrays, axis=-1) == way(case, *arrays, -1) == "function"


def test_shortcut_refuses() -> None:
    shortcut = pytest.importorskip("fastact._compiled.shortcut")
    loops = dict.fromkeys(DTYPES, 0)
    with pytest.raises(ValueError, match="got 3 arrays and 0 parameters"):
        shortcut.Shortcut(None, None, loops, 3, (), False, False)
    with pytest.raises(ValueError, match="got 1 arrays and 3 parameters"):
        shortcut.Shortcut(None, None, loops, 1, (1, 2, 3), False, False)
    with pytest.raises(KeyError, match="float64"):
        shortcut.Shortcut(None, None, {"float16": 0, "float32": 0}, 1, (), False, False)
    with pytest.raises(TypeError):
        shortcut.Shortcut(None, None, loops, 1, ("one",), False, False)
