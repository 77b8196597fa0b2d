"""`fastact.special` beside SciPy; `python -m tools.foreign_tests scipy` runs SciPy's own tests of these functions."""

from __future__ import annotations

import inspect
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.special

import fastact
from fastact import special

ELEMENTWISE = [name for name in special.__all__ if name not in ("softmax", "log_softmax", "logsumexp")]
AXES: list[Any] = [None, 0, -1, (0, 2), ()]
TOLERANCE = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-14, "longdouble": 1e-14, "int64": 1e-14}
dtypes = pytest.mark.parametrize("dtype", TOLERANCE)
# Up to SciPy 1.17, expit and log_expit make float64 of what float32 would hold.
SCIPY_IS_OLD = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 18)


def dtype_has_changed(name: str, given: Any) -> bool:
    """Whether a newer SciPy than the one that is here has another dtype for this."""
    if not SCIPY_IS_OLD or name not in ("expit", "log_expit") or not isinstance(given, np.ndarray | np.generic | bool):
        return False
    dtype = np.asarray(given).dtype
    return dtype != np.float32 and np.can_cast(dtype, np.float32)


def numbers(shape: Any, dtype: Any = np.float64, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, 3, shape).astype(dtype)


def complex_numbers(shape: Any, dtype: Any = np.complex128, seed: int = 0) -> Any:
    return (numbers(shape, seed=seed) + 1j * numbers(shape, seed=seed + 1)).astype(dtype)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_signatures(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(module, name)) for module in (special, scipy.special))
    plain = [parameter.replace(annotation=parameter.empty) for parameter in ours.parameters.values()]
    assert plain == list(theirs.parameters.values())


@pytest.mark.parametrize("name", special.__all__)
def test_pickling(name: str) -> None:
    function = getattr(special, name)
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("name", ELEMENTWISE)
@dtypes
def test_elementwise(name: str, dtype: str) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    x = np.array([0, 1, 0, 1]).astype(dtype) if name == "logit" else numbers(50, dtype)
    result = ours(x)
    assert result.dtype == (np.float32 if dtype_has_changed(name, x) else theirs(x).dtype)
    np.testing.assert_allclose(result, theirs(x), rtol=TOLERANCE[dtype])
    out = np.full(len(x), 7, result.dtype)
    assert ours(x, out=out, where=x > 0) is out
    np.testing.assert_array_equal(out, np.where(x > 0, result, np.asarray(7, result.dtype)))


GIVEN: list[Any] = [
    *(np.array([0, 1, 1]).astype(character) for character in np.typecodes["All"] if character not in "SUVmM"),
    *(np.zeros(3, kind) for kind in ("S1", "U1", "V4", "m8[s]", "M8[s]")),
    *(True, 1, 0.5, 0.5j, None, "a", [1, 0], [0.5, 0.25], [], [[0.5]]),
    *(kind(1) for kind in (np.bool_, np.int8, np.uint16, np.int32, np.float16, np.float32, np.longdouble)),
]


def outcome(function: Any, *arguments: Any, **keywords: Any) -> tuple[Any, ...]:
    """The type, dtype and shape of a result, or the kind of error in place of it."""
    with np.errstate(all="ignore"):
        try:
            result = function(*arguments, **keywords)
        except (TypeError, ValueError) as error:
            return (TypeError if isinstance(error, TypeError) else ValueError,)
    return type(result), result.dtype, result.shape


@pytest.mark.parametrize("name", special.__all__)
def test_dtypes(name: str) -> None:
    """Each dtype and each number gives what it gives in SciPy, or the same error, which names the function."""
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    for given in GIVEN:
        if name in ("softmax", "log_softmax") and (given is None or np.shape(given) == (0,)):
            continue  # an error of another type in SciPy, and no error here
        if name == "logsumexp" and getattr(given, "dtype", np.dtype(float)).kind in "mM":
            continue  # SciPy counts times among the numbers
        if dtype_has_changed(name, given):
            assert ours(given).dtype == np.float32
            continue
        expected = outcome(theirs, given)
        assert outcome(ours, given) == expected, given
        if expected[0] is TypeError:
            with pytest.raises(TypeError, match=f"^{name}: argument [xa] has dtype"):
                ours(given)


@pytest.mark.parametrize("name", ["expit", "log_expit", "logit"])
def test_keywords_of_ufuncs(name: str) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    keywords: list[dict[str, Any]] = [
        *({"dtype": character} for character in "efdgiF?O"),
        *({"dtype": chosen, "casting": rule} for chosen in "fd" for rule in ("no", "safe", "unsafe")),
        *({"casting": rule} for rule in ("no", "equiv", "safe", "same_kind", "unsafe")),
        *({"order": "F"}, {"subok": False}, {"axis": 0}, {"nonsense": 1}),
    ]
    for character in "?bhiqefdg":
        x = np.array([0, 1, 1]).astype(character)
        if dtype_has_changed(name, x):
            continue
        for keyword in keywords:
            assert outcome(ours, x, **keyword) == outcome(theirs, x, **keyword), (character, keyword)
        for target in "efdgiF":
            expected = outcome(theirs, x, out=np.zeros(3, target))
            assert outcome(ours, x, out=np.zeros(3, target)) == expected, (character, target)
        halves = np.full(3, 0.5)
        assert ours(x, out=halves, where=x > 0) is halves
        np.testing.assert_array_equal(halves, [0.5, *np.asarray(ours(x), float)[1:]])
    with pytest.raises(TypeError, match=f"^{name}: dtype is float16, expected float32, float64 or longdouble"):
        ours(0.5, dtype=np.float16)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, np.clongdouble])
def test_complex_rows(name: str, axis: Any, dtype: Any) -> None:
    for scale in (0.1, 1, 100):
        x = complex_numbers((3, 4, 5), dtype) * dtype(scale)
        with np.errstate(all="raise"):
            result = getattr(special, name)(x, axis)
        expected = getattr(scipy.special, name)(x, axis)
        assert result.dtype == expected.dtype and result.shape == expected.shape
        kind = np.finfo(dtype)
        np.testing.assert_allclose(result, expected, 300 * kind.eps, 300 * kind.eps)


def test_complex_rows_at_infinity() -> None:
    inf, nan = np.inf, np.nan
    for row in ([inf, 1], [-inf, 1], [-inf, -inf], [nan, 1], [complex(0, inf), 1], [1 + 2j], [complex(1, np.pi), 1]):
        for name in ("softmax", "log_softmax"):
            with np.errstate(all="ignore"):
                expected = getattr(scipy.special, name)(np.array(row, complex))
            np.testing.assert_allclose(getattr(special, name)(np.array(row, complex)), expected, rtol=1e-15)
    assert special.log_softmax([0, -40 + 0j])[0] == pytest.approx(-np.exp(-40.0), rel=1e-15)  # SciPy has 0
    x = np.ma.array([1j, 2.0, 3.0], mask=[False, True, False])
    np.testing.assert_allclose(special.softmax(x)[[0, 2]], special.softmax(x.compressed()))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", AXES)
@dtypes
def test_along_axes(name: str, axis: Any, dtype: str) -> None:
    x = numbers((3, 4, 5), dtype)
    result, expected = (getattr(module, name)(x, axis) for module in (special, scipy.special))
    assert result.dtype == expected.dtype
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(result, expected, rtol=4 * tolerance, atol=4 * tolerance)


@pytest.mark.parametrize("weights", [None, "positive", "signed", "scalar", "broadcast", "complex"])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64", "complex64", "complex128"])
def test_logsumexp(weights: str | None, kind: str) -> None:
    a = complex_numbers((3, 4, 5), kind) if kind.startswith("complex") else numbers((3, 4, 5), kind)
    b: Any = {
        None: None,
        "positive": np.abs(numbers((3, 4, 5), np.float32, seed=1)),
        "signed": numbers((3, 4, 5), seed=1),
        "scalar": 2.5,
        "broadcast": np.array([1, 0, 3, 1, 2]),
        "complex": complex_numbers((4, 1), np.complex64, seed=1),
    }[weights]
    extended = np.clongdouble if np.iscomplexobj(a) or np.iscomplexobj(b) else np.longdouble
    terms = (1 if b is None else b) * np.exp(a.astype(extended))
    for axis, keepdims in itertools.product(AXES, (False, True)):
        arguments = a, axis, b, keepdims
        results = special.logsumexp(*arguments), *special.logsumexp(*arguments, return_sign=True)
        with np.errstate(all="ignore"):
            theirs = scipy.special.logsumexp(*arguments), *scipy.special.logsumexp(*arguments, return_sign=True)
            total, size = (np.sum(values, axis=axis, keepdims=keepdims) for values in (terms, np.abs(terms)))
            exact = np.log(total), np.log(np.abs(total)), np.sign(total)
            condition = np.where(total == 0, 1, size / np.abs(total))  # what cancels in the sum
        for result, their, true in zip(results, theirs, exact, strict=True):
            assert result.dtype == their.dtype
            assert np.shape(result) == np.shape(their)
            finite, result = np.isfinite(true), np.asarray(result)
            np.testing.assert_array_equal(result[~finite], true[~finite])
            error = np.abs(result[finite] - true[finite]) / (condition + np.abs(true))[finite]
            assert np.max(error, initial=0) <= 4 * np.finfo(result.dtype).eps


def test_logsumexp_at_infinity() -> None:
    """As in SciPy, where SciPy has a result; it has NaN for some infinities whose weight is 0."""
    numbers = (0.0, 1.0, -3.0, np.inf, -np.inf, np.nan)
    weights = (1.0, -1.0, 0.0, 2.0, np.inf, np.nan)
    known = 0
    for a, b in itertools.product(itertools.product(numbers, repeat=2), itertools.product(weights, repeat=2)):
        with np.errstate(all="raise"):
            results = special.logsumexp(a, b=b, return_sign=True)
        with np.errstate(all="ignore"):
            expected = scipy.special.logsumexp(a, b=b, return_sign=True)
        if not np.isnan(expected[0]):
            known += 1
            np.testing.assert_allclose(results, expected, rtol=1e-14, atol=1e-15, err_msg=f"{a} {b}")
        if 0 in b:
            rest = [value for value, weight in zip(a, b, strict=True) if weight]
            weight = [weight for weight in b if weight]
            np.testing.assert_array_equal(results, special.logsumexp(rest, b=weight, return_sign=True))
    assert known > 300


def test_logsumexp_keeps_its_digits() -> None:
    assert special.logsumexp([0.0, -40.0], b=[1, 1]) == pytest.approx(np.exp(-40.0), rel=1e-15)
    assert special.logsumexp([0.0, -40.0], b=[-1, -1], return_sign=True) == pytest.approx((np.exp(-40.0), -1))
    assert special.logsumexp([1000.0, 1000.0, 999.0], b=[1, -1, 1]) == 999
    assert special.logsumexp([-1e4, -1e4]) == pytest.approx(-1e4 + np.log(2), rel=1e-15)


def test_logsumexp_of_few_terms() -> None:
    assert special.logsumexp([]) == -np.inf
    assert special.logsumexp([], b=[], return_sign=True) == (-np.inf, 0)
    assert special.logsumexp(np.ones((2, 0)), axis=1, return_sign=True)[1].tolist() == [0, 0]
    np.testing.assert_array_equal(special.logsumexp(3, axis=0, keepdims=True), [3])
    for a in (3, 3.0, np.float32(3), 3 + 1j):
        result, expected = special.logsumexp(a, b=2), scipy.special.logsumexp(a, b=2)
        assert result == pytest.approx(expected) and result.dtype == expected.dtype


def test_masked_entries_take_no_part() -> None:
    a = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    plain = np.array([1.0, 3.0])
    assert special.logsumexp(a) == pytest.approx(special.logsumexp(plain))
    assert special.logsumexp(a, b=[1, 2, 3]) == pytest.approx(special.logsumexp(plain, b=[1, 3]))
    assert special.logsumexp(a + 1j) == pytest.approx(special.logsumexp(plain + 1j))
    assert special.logsumexp(a.data, b=np.ma.array([1, 2, 3], mask=a.mask)) == special.logsumexp(a, b=[1, 2, 3])


def test_operands_are_left_alone() -> None:
    a, b = numbers(20), numbers(20, seed=1)
    kept = a.copy(), b.copy()
    special.logsumexp(a, b=b)
    special.softmax(a)
    np.testing.assert_array_equal((a, b), kept)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_a_scalar_has_one_axis(name: str) -> None:
    for x, axis in itertools.product((1000, 1000j), (None, 0, -1)):
        assert getattr(special, name)(x, axis) == getattr(scipy.special, name)(x, axis)
    with pytest.raises(np.exceptions.AxisError):
        getattr(special, name)(1000, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"a": ["x"]}, ValueError, "logsumexp: argument a has dtype <U1, expected numbers"),
        ({"a": [None]}, TypeError, "logsumexp: argument a has dtype object, expected numbers"),
        ({"a": scipy.sparse.eye(2), "b": 2}, TypeError, "logsumexp: argument a has dtype object, expected numbers"),
        ({"a": [1.0], "b": ["x"]}, ValueError, "logsumexp: argument b has dtype <U1, expected numbers"),
        ({"a": [1.0, 2], "b": [1, 2, 3]}, ValueError, r"logsumexp: b has shape \(3,\), which does not broadcast"),
        ({"a": [[1.0]], "axis": (0, 0)}, ValueError, "duplicate value in 'axis'"),
        ({"a": [[1j]], "axis": (0, 0)}, ValueError, "duplicate value in 'axis'"),
        ({"a": [1.0], "axis": 1}, np.exceptions.AxisError, "out of bounds"),
        ({"a": [1.0], "axis": 1, "b": 2}, np.exceptions.AxisError, "out of bounds"),
        ({"a": [1.0], "axis": 1.0}, TypeError, "integer"),
    ],
)
def test_errors(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        special.logsumexp(**arguments)


def test_frames() -> None:
    """Labels stay, and dtypes are SciPy's, also for a frame of short integers, which has no single dtype."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 1]}, index=["x", "y"], dtype=np.int8)
    for name in special.__all__:
        result = getattr(special, name)(frame)
        if name != "softplus" and not dtype_has_changed(name, frame.to_numpy()):
            # To pandas, softplus's parameter is an array of float64.
            assert np.asarray(result).dtype == getattr(scipy.special, name)(frame.to_numpy()).dtype
        assert name == "logsumexp" or list(result.index) == ["x", "y"]
    assert special.logsumexp(frame, axis=1).dtype == np.float64


def test_reached_as_an_attribute() -> None:
    assert fastact.special is special
