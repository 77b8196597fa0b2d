"""softmax and its kin: every axis, layout, mask and dtype; their accuracy, their edges, and what they refuse."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fastact
from tests import oracle_rowwise as oracle

Array = Any

NAMES = [name for name, record in fastact.activations.items() if hasattr(record, "statistics")]
KEEP_SHAPE = [name for name in NAMES if name != "logsumexp"]
EXPONENTIAL = ["softmax", "softmin", "log_softmax", "logsumexp"]
DTYPES = ["float16", "float32", "float64"]
# In float64 the sums themselves round, no wider type carries them; and the reference formulas round x - maximum.
BOUNDS = {"float16": 0.51, "float32": 2.0, "float64": 4.0 if fastact.config()["engine"] == "compiled" else 1000.0}
ONE_ULP = {"float16": 2.0**-11, "float32": 2.0**-23, "float64": 2.0**-51}


def call(name: str, x: Array, **keywords: Any) -> Array:
    return getattr(fastact, name)(x, **keywords)


def expected(name: str, x: Array, axis: Any = -1) -> Array:
    with np.errstate(all="ignore"):
        return getattr(oracle, name)(x, axis)


def normal(shape: Any, dtype: Any = np.float32, scale: float = 3.0, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(dtype)


def check(name: str, x: Array, axis: int = -1, **keywords: Any) -> None:
    computed = call(name, x, axis=axis, **keywords)
    true = expected(name, x, axis)
    dtype = computed.dtype.name
    assert computed.shape == true.shape
    if name in EXPONENTIAL:
        scale = np.max(np.abs(x), axis=axis).astype(float) if name == "logsumexp" and x.size else 0.0
        assert oracle.units(computed, true, scale) <= BOUNDS[dtype]
    else:
        np.testing.assert_allclose(computed, true.astype(float), atol=ONE_ULP[dtype], rtol=0)


LENGTHS = [*range(1, 40), 63, 64, 65, 100, 127, 128, 129, 1000, 1023, 1024, 1025, 3000]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_every_length(name: str, dtype: str) -> None:
    for n in LENGTHS:
        for rows in (1, 3, 17, 70) if n < 130 else (1, 3):
            check(name, normal((rows, n), dtype, seed=n))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1e3, 1e30])
@pytest.mark.parametrize("offset", [0.0, -700.0, 1e5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXPONENTIAL)
def test_every_magnitude(name: str, dtype: str, offset: float, scale: float) -> None:
    for shape in [(40, 3), (20, 33), (10, 100), (2, 3000)]:
        check(name, normal(shape, dtype, scale) + np.dtype(dtype).type(offset))


@pytest.mark.parametrize("n", [2, 17, 300, 1055, 5000, 70_000])
def test_many_equal_entries_below_the_maximum(n: int) -> None:
    """The roundings of equal exponentials all go one way."""
    rows = np.zeros((60, n), np.float32)
    rows[:, 1:] = -np.linspace(0.05, 40, 60, dtype=np.float32)[:, None]
    for name in ("softmax", "log_softmax"):
        true = expected(name, rows)
        counts = true > 1e-30 if name == "softmax" else slice(None)
        across = np.ascontiguousarray(rows.T)
        for computed in (call(name, rows), call(name, rows, where=rows <= 0), call(name, across, axis=0).T):
            assert oracle.units(computed[counts], true[counts]) <= BOUNDS["float32"]


@pytest.mark.parametrize("n", [2, 10, 33, 300, 100_000])
def test_logsumexp_near_0(n: int) -> None:
    """There the maximum and the logarithm cancel."""
    x = normal((40, n), np.float64)
    x = (x - oracle.logsumexp(x)[:, None] + np.linspace(-1e-3, 1e-3, 40)[:, None]).astype(np.float32)
    true = oracle.logsumexp(x)
    across, apart = np.ascontiguousarray(x.T), np.repeat(x, 2, axis=1)[:, ::2]
    assert oracle.units(call("logsumexp", across, axis=0), true) <= BOUNDS["float32"]
    for rows, keywords in ((x, {}), (apart, {}), (x, {"where": x < 100})):
        assert oracle.units(call("logsumexp", rows, axis=-1, **keywords), true) <= BOUNDS["float32"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_every_layout(name: str, dtype: str) -> None:
    x = normal((40, 50), dtype)
    wide = np.zeros((80, 100), dtype)
    wide[::2, ::2] = x
    backwards = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    unaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(dtype).reshape(x.shape)
    for axis in (0, 1):
        reference = call(name, x, axis=axis)
        for view in (np.asfortranarray(x), wide[::2, ::2], backwards, unaligned, x.astype(x.dtype.newbyteorder())):
            np.testing.assert_allclose(
                call(name, view, axis=axis), reference, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps
            )
        once = call(name, np.repeat(x[:1], len(x), 0), axis=axis)
        np.testing.assert_allclose(
            call(name, np.broadcast_to(x[:1], x.shape), axis=axis), once, rtol=8 * np.finfo(dtype).eps
        )


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -2, (0, 1), (1, 2), (2, 1), (0, 2), (1, 3), (0, 1, 3), (), None])
@pytest.mark.parametrize("name", NAMES)
def test_every_axis(name: str, axis: Any) -> None:
    x = normal((3, 4, 5, 6), np.float64)
    axes = tuple(range(4)) if axis is None else axis if isinstance(axis, tuple) else (axis % 4,)
    axes = tuple(sorted(axes))
    outer = [k for k in range(4) if k not in axes]
    rows = x.transpose(*outer, *axes).reshape([x.shape[k] for k in outer] + [-1])
    true = np.asarray(expected(name, rows)).astype(float)
    if name == "logsumexp":
        kept = call(name, x, axis=axis, keepdims=True)
        assert kept.shape == tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    else:
        shape = [x.shape[k] for k in (*outer, *axes)]
        true = true.reshape(shape).transpose(np.argsort([*outer, *axes]))
    for view in (x, np.asfortranarray(x), x.astype(">f8")):
        np.testing.assert_allclose(call(name, view, axis=axis), true, rtol=1e-14, atol=1e-15)
        out = np.full(true.shape, 7.0)
        assert call(name, view, axis=axis, out=out) is out
        np.testing.assert_allclose(out, true, rtol=1e-14, atol=1e-15)


def test_a_row_of_more_dimensions_than_the_kernels_walk() -> None:
    x = normal((2, 3, 2, 2, 3, 2), np.float64)
    axes = (0, 1, 2, 4, 5)
    np.testing.assert_allclose(fastact.softmax(x, axis=axes), oracle.softmax(x, axes).astype(float), rtol=1e-14)
    np.testing.assert_allclose(fastact.logsumexp(x, axis=axes), oracle.logsumexp(x, axes).astype(float), rtol=1e-14)


@pytest.mark.parametrize("shape", [(5, 7), (64, 10), (33, 300), (3, 9000), (1, 300_000)])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_masks(name: str, axis: int, shape: tuple[int, int]) -> None:
    x = normal(shape, np.float64)
    mask = np.random.default_rng(1).random(shape) < 0.6
    row = (slice(None), 0) if axis == 0 else (0, slice(None))
    mask[row] = False
    left_out = -np.inf if name == "log_softmax" else 0.0
    sign = -1 if name == "softmin" else 1
    kept = np.where(mask, x, -sign * np.inf)
    true = (
        np.asarray(expected(name, kept, axis)).astype(float)
        if name != "sparsemax"
        else np.asarray(oracle.sparsemax(np.where(mask, x, -1e6), axis)).astype(float)
    )
    nothing = ~mask.any(axis=axis)
    if name == "logsumexp":
        true = np.where(nothing, -np.inf, true)
    else:
        true = np.where(mask, true, left_out)
    for rubbish in (np.nan, np.inf, 1e9):
        computed = call(name, np.where(mask, x, rubbish), axis=axis, where=mask)
        np.testing.assert_allclose(computed, true, rtol=1e-13, atol=1e-13)
        if name != "logsumexp":
            assert np.all(computed[~mask] == left_out)


def test_a_mask_broadcasts() -> None:
    x = normal((4, 5, 6))
    mask = np.array([True, False, True, True, False, True])
    full = np.broadcast_to(mask, x.shape)
    np.testing.assert_array_equal(fastact.softmax(x, where=mask), fastact.softmax(x, where=full))
    np.testing.assert_allclose(fastact.softmax(x, where=mask)[..., mask], fastact.softmax(x[..., mask]), rtol=1e-6)
    assert not fastact.softmax(x, where=False).any()
    assert np.all(fastact.log_softmax(x, where=False) == -np.inf)


@pytest.mark.parametrize("n", [3, 20, 100, 5000])
def test_infinities_and_nan(n: int) -> None:
    x = normal((6, n))
    x[0, 1] = -np.inf
    x[1] = -np.inf
    x[2, 2] = np.inf
    x[3, 1] = np.nan
    x[4, 2] = -np.nan
    for axis, array in ((1, x), (0, np.ascontiguousarray(x.T))):
        y = np.moveaxis(fastact.softmax(array, axis=axis), axis, -1)
        logs = np.moveaxis(fastact.log_softmax(array, axis=axis), axis, -1)
        sums = fastact.logsumexp(array, axis=axis)
        assert y[0, 1] == 0 and logs[0, 1] == -np.inf and np.isfinite(y[0]).all()
        assert np.isnan(y[1:5]).all() and np.isnan(logs[1:5]).all()
        assert np.isfinite(y[5]).all() and np.isfinite(logs[5]).all()
        np.testing.assert_array_equal(sums[1:5], [-np.inf, np.inf, np.nan, np.nan])
        assert np.isfinite(sums[[0, 5]]).all()
        for name in ("hardmax", "sparsemax"):
            result = np.moveaxis(call(name, array, axis=axis), axis, -1)
            assert np.isnan(result[3:5]).all() and np.isfinite(result[[0, 5]]).all()


@pytest.mark.parametrize("large", [1e30, 3.4e38, -3.4e38, 65504.0])
def test_large_scores(large: float) -> None:
    x = np.array([[large, -large, 0.0], [large, large, large]], np.float32)
    y = fastact.softmax(x)
    np.testing.assert_array_equal(y, oracle.softmax(x).astype(np.float32))
    assert np.isfinite(fastact.logsumexp(x)).all()


@pytest.mark.parametrize("shape", [(1, 100), (300, 10), (3, 1 << 16), (1, 1 << 20)])
def test_rows_sum_to_one(shape: tuple[int, int]) -> None:
    for scale in (0.0, 1.0, 100.0, 1e30):
        sums = fastact.softmax(normal(shape, scale=scale)).sum(axis=-1, dtype=np.float64)
        np.testing.assert_allclose(sums, 1, atol=1e-6)


def test_a_row_of_sixteen_million() -> None:
    check("softmax", normal((1, 1 << 24)))


def test_many_equal_entries() -> None:
    for n in (3, 70_000):
        assert np.all(fastact.softmax(np.full((1, n), 4.25, np.float16)) == np.float16(1 / n))
        assert oracle.units(fastact.softmax(np.full((1, n), 4.25, np.float32)), np.full((1, n), 1 / n)) <= 2


def test_the_sum_of_what_is_not_the_maximum_keeps_its_digits() -> None:
    assert fastact.logsumexp(np.array([0.0, -40.0])) == np.exp(-40.0)
    assert fastact.logsumexp(np.array([0.0, -40.0], np.float32)) == np.float32(np.exp(-40.0))
    assert fastact.log_softmax(np.array([0.0, -40.0]))[0] == -np.exp(-40.0)
    row = np.array([0.0, *[-np.inf] * 2000], np.float32)
    assert fastact.logsumexp(row) == 0


@pytest.mark.parametrize("name", ["log_softmax", "logsumexp"])
def test_many_entries_far_below_the_maximum(name: str) -> None:
    for n in (100, 1000, 7000):
        x = np.full((3, n), -17.3, np.float32)
        x[:, n // 2] = 0
        assert oracle.units(call(name, x), expected(name, x)) <= 2


def test_logsumexp_near_its_root() -> None:
    x = normal((50, 100))
    x -= fastact.logsumexp(x)[:, np.newaxis]
    assert oracle.units(fastact.logsumexp(x), expected("logsumexp", x)) <= BOUNDS["float32"]


@pytest.mark.parametrize("shape", [(70_000, 130), (9000, 1001), (300, 32_769), (1000, 9000)])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_results_larger_than_the_caches(name: str, shape: tuple[int, int]) -> None:
    x = normal(shape)
    few = slice(-40, None)
    np.testing.assert_array_equal(call(name, x)[few], call(name, x[few]))
    np.testing.assert_array_equal(call(name, x, axis=0)[:, few], call(name, np.ascontiguousarray(x[:, few]), axis=0))


def misaligned(shape: tuple[int, ...], offset: int) -> Array:
    """A new array of float32 that begins `offset` elements after a line of memory."""
    memory = np.zeros(int(np.prod(shape)) + 64, np.float32)
    begin = -memory.ctypes.data % 64 // 4 + offset
    return memory[begin : begin + int(np.prod(shape))].reshape(shape)


@pytest.mark.parametrize("n", [33, 100, 128, 520, 1000, 6500, 20_000])
@pytest.mark.parametrize("name", EXPONENTIAL)
def test_each_row_for_itself(name: str, n: int) -> None:
    """Whatever stands in the other rows, how many there are, and where the result lies."""
    for rows, offset in [(1, 0), (2, 3), (5, 15), (16, 1), (17, 12), (41, 8)]:
        x = normal((rows, n), seed=rows)
        x[1::5] += 3000  # far from 0
        x[2::7, 1:] -= 1e30
        x[3::9, n // 2] = np.nan
        x[4::11, n // 3] = np.inf
        x[5::13] = -np.inf
        x[6::6, ::3] = -np.inf
        alone = np.concatenate([call(name, row[None], axis=-1) for row in x])
        out = misaligned(alone.shape, offset)
        np.testing.assert_array_equal(call(name, x, axis=-1, out=out), alone)
        if name != "logsumexp":
            out[...] = x
            np.testing.assert_array_equal(call(name, out, axis=-1, out=out), alone)
        plain = np.isfinite(x).all(axis=-1) & (np.abs(x).max(axis=-1) < 1e4)
        check(name, x[plain])


@pytest.mark.parametrize("shape", [(16, 70_001), (15, 70_001), (130, 66_000)])
@pytest.mark.parametrize("name", EXPONENTIAL)
def test_rows_longer_than_the_cache(name: str, shape: tuple[int, int]) -> None:
    x = normal(shape)
    with fastact.threads(1):
        alone = call(name, x, axis=-1)
    with fastact.threads(2):
        np.testing.assert_array_equal(call(name, x, axis=-1), alone)
    check(name, x[:16])
    if name != "logsumexp":
        np.testing.assert_array_equal(call(name, x, axis=-1, out=x), alone)


@pytest.mark.parametrize("n", [17, 33, 100, 128, 1000, 6500])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_each_gradient_for_itself(name: str, n: int) -> None:
    backward = getattr(fastact.backward, name)
    for rows, offset in [(1, 0), (2, 3), (5, 15), (16, 1), (41, 8)]:
        y, grad = call(name, normal((rows, n), seed=rows)), normal((rows, n), seed=n)
        grad[1::7, n // 2] = np.nan
        grad[2::9, n // 3] = np.inf
        with np.errstate(invalid="ignore"):
            alone = np.concatenate([backward(grad[r, None], y[r, None]) for r in range(rows)])
            out = misaligned(y.shape, offset)
            np.testing.assert_array_equal(backward(grad, y, out=out), alone)
            out[...] = y
            np.testing.assert_array_equal(backward(grad, out, out=out), alone)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_to_compute(name: str) -> None:
    for shape, axis in [((0,), -1), ((0, 3), 1), ((3, 0), 1), ((3, 0), 0), ((2, 0, 3), (1, 2)), ((0, 0), None)]:
        x = np.zeros(shape, np.float32)
        result = call(name, x, axis=axis)
        if name == "logsumexp":
            assert np.all(np.asarray(result) == -np.inf)
        else:
            assert result.shape == shape and result.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_scalars(name: str) -> None:
    result = call(name, 3.0, axis=None)
    assert result == {"log_softmax": 0, "logsumexp": 3}.get(name, 1)
    assert np.ndim(result) == 0


@pytest.mark.parametrize("given", ["bool", "int8", "uint8", "int16", "uint16"])
def test_small_integers_compute_in_float32(given: str) -> None:
    x = np.array([[0, 1, 1], [1, 0, 0]], given)
    for name in NAMES:
        assert call(name, x).dtype == np.float32
        np.testing.assert_array_equal(call(name, x), call(name, x.astype(np.float32)))


def test_other_inputs() -> None:
    assert fastact.softmax(np.array([1, 2, 3])).dtype == np.float64
    np.testing.assert_array_equal(fastact.softmax([1.0, 2.0]), fastact.softmax(np.array([1.0, 2.0])))
    assert fastact.softmax(normal(5, np.float16)).dtype == np.float16
    assert fastact.softmax(normal(5), dtype=np.float64).dtype == np.float64
    assert fastact.softmax(normal(5).astype(np.longdouble)).dtype == np.longdouble
    x = normal((2, 9)).astype(np.longdouble)
    np.testing.assert_allclose(
        fastact.softmax(x), oracle.softmax(x), rtol=1e-18 if np.finfo(x.dtype).nmant > 60 else 1e-15
    )


def test_bfloat16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = normal((50, 30))
    half = x.astype(ml_dtypes.bfloat16)
    for name in NAMES:
        result = call(name, half)
        assert result.dtype == half.dtype
        np.testing.assert_array_equal(result, call(name, half.astype(np.float32)).astype(half.dtype))


@pytest.mark.parametrize("name", KEEP_SHAPE)
def test_in_place(name: str) -> None:
    for shape, axis in [((70, 10), 1), ((9, 1000), 1), ((1000, 70), 0), ((2, 300_000), 1), ((4, 5, 6), (0, 2))]:
        x = normal(shape)
        reference = call(name, x, axis=axis)
        assert call(name, x, axis=axis, out=x) is x
        np.testing.assert_array_equal(x, reference)


@pytest.mark.parametrize("name", KEEP_SHAPE)
def test_overlapping_views(name: str) -> None:
    for take, put in [
        (slice(0, -7), slice(7, None)),
        (slice(7, None), slice(0, -7)),
        (slice(None, None, -1), slice(None)),
    ]:
        x = normal(2000)
        reference = call(name, x[take].copy())
        call(name, x[take], out=x[put])
        np.testing.assert_allclose(x[put], reference, rtol=1e-6)  # a row is summed as its layout suggests


def test_refusals() -> None:
    x = normal((3, 4))
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds for array of dimension 2"):
        fastact.softmax(x, axis=2)
    with pytest.raises(np.exceptions.AxisError, match="axis -1 is out of bounds for array of dimension 0"):
        fastact.softmax(np.float32(3))
    with pytest.raises(ValueError, match="duplicate value in 'axis'"):
        fastact.softmax(x, axis=(0, -2))
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        fastact.softmax(x, axis=1.0)
    for bad in (x + 1j, x.astype(object), np.array(["a"])):
        with pytest.raises(TypeError, match="softmax: argument x has dtype"):
            fastact.softmax(bad)
    with pytest.raises(TypeError, match="softmax: where has dtype int64, expected bool"):
        fastact.softmax(x, where=np.ones(4, np.int64))
    with pytest.raises(ValueError, match="softmax: where has shape"):
        fastact.softmax(x, where=np.ones(5, bool))
    with pytest.raises(TypeError, match="softmax: dtype is int64"):
        fastact.softmax(x, dtype=np.int64)


def test_unfit_outputs_are_left_alone() -> None:
    x = normal((3, 4))
    frozen = np.full((3, 4), 7, np.float32)
    frozen.flags.writeable = False
    unfit: list[tuple[Any, type[Exception]]] = [
        (np.full((3, 5), 7, np.float32), ValueError),
        (np.full((2, 3, 4), 7, np.float32), ValueError),
        (np.full((3, 4), 7, np.int32), TypeError),
        (frozen, ValueError),
    ]
    for out, error in unfit:
        for name in KEEP_SHAPE:
            with pytest.raises(error):
                call(name, x, out=out)
            assert np.all(out == 7)
    with pytest.raises(TypeError, match=r"softmax: out is a list, expected a numpy.ndarray"):
        fastact.softmax(x, out=[0.0])
    with pytest.raises(ValueError, match="logsumexp: out has shape"):
        fastact.logsumexp(x, out=np.zeros(4, np.float32))


GRADIENTS = ["softmax", "softmin", "log_softmax", "sparsemax"]


@pytest.mark.parametrize("shape", [(100, 2), (40, 10), (70, 16), (70, 33), (40, 100), (9, 1000), (2, 300_000)])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name: str, dtype: str, axis: int, shape: tuple[int, int]) -> None:
    x, grad = normal(shape, dtype), normal(shape, dtype, seed=5)
    y = call(name, x, axis=axis)
    g, p = grad.astype(np.longdouble), y.astype(np.longdouble)
    if name == "log_softmax":
        true = g - np.exp(p) * g.sum(axis=axis, keepdims=True)
    elif name == "sparsemax":
        support = p > 0
        true = np.where(support, g - (g * support).sum(axis, keepdims=True) / support.sum(axis, keepdims=True), 0)
    else:
        true = (p * (g - (g * p).sum(axis, keepdims=True))) * (-1 if name == "softmin" else 1)
    backward = getattr(fastact.backward, name)
    computed = backward(grad, y, axis=axis)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(computed.astype(np.longdouble), true, rtol=4 * eps, atol=200 * eps)
    over_y = y.copy()
    assert backward(grad, over_y, axis=axis, out=over_y) is over_y
    np.testing.assert_array_equal(over_y, computed)
    assert backward(grad, y, axis=axis, out=grad) is grad
    np.testing.assert_array_equal(grad, computed)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_past_the_caches(name: str) -> None:
    """Results of 32 MiB and more are those of the same rows in fewer."""
    y, grad = call(name, normal((91_000, 100), "float32")), normal((91_000, 100), "float32", seed=5)
    backward = getattr(fastact.backward, name)
    few = [backward(grad[i : i + 1000], y[i : i + 1000]) for i in range(0, len(y), 1000)]
    np.testing.assert_array_equal(backward(grad, y), np.concatenate(few))


def test_gradients_agree_with_differences() -> None:
    x, grad, step = normal((3, 7), np.float64), normal((3, 7), np.float64, seed=5), 1e-6
    for name in GRADIENTS:
        computed = getattr(fastact.backward, name)(grad, call(name, x))
        for i in np.ndindex(x.shape):
            moved = [x.copy(), x.copy()]
            moved[0][i] -= step
            moved[1][i] += step
            low, high = ((grad * call(name, m)).sum() for m in moved)
            assert abs(computed[i] - (high - low) / (2 * step)) < 1e-8


def test_which_operations_there_are() -> None:
    assert not any(hasattr(fastact.derivative, name) for name in NAMES)
    assert [name for name in NAMES if hasattr(fastact.backward, name)] == [
        "softmax",
        "log_softmax",
        "softmin",
        "sparsemax",
    ]


def test_no_warnings() -> None:
    x = np.array([[1e30, -1e30, np.nan], [np.inf, -np.inf, 0], [-np.inf] * 3, [3e38, 3e38, -3e38]], np.float32)
    half = np.clip(x, -60000, 60000).astype(np.float16)
    with np.errstate(all="raise"):
        for name in NAMES:
            call(name, x)
            call(name, half)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_pickles(name: str) -> None:
    function = getattr(fastact, name)
    assert function.__name__ == name and function.__module__ == "fastact"
    assert pickle.loads(pickle.dumps(function)) is function
    assert fastact.activations[name].formula in function.__doc__
