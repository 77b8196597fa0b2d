"""Arrays that are not quite NumPy's: pandas, xarray, dask, masked, memory-mapped, subclasses, structured."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastact
from fastact import special
from tests.test_memory import ALLOWANCE, peak

Array = Any

ROW_NAMES = [name for name, record in fastact.activations.items() if hasattr(record, "statistics")]
KEEP_SHAPE = [name for name in ROW_NAMES if name != "logsumexp"]
EXPONENTIAL = ["softmax", "softmin", "log_softmax", "logsumexp"]
CHUNKED = [*EXPONENTIAL, "hardmax"]  # a row may lie in several chunks
# A function of each kind of elementwise one: without parameters, with parameters, keeping integers; then its gradient.
CALLS = {
    "sigmoid": fastact.sigmoid,
    "relu": fastact.relu,
    "leaky_relu": lambda x: fastact.leaky_relu(x, negative_slope=0.2),
    "hard_tanh": fastact.hard_tanh,
    "derivative": fastact.derivative.gelu,
    "backward": lambda x: fastact.backward.elu(x, x, 0.5),
}
elementwise = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def normal(shape: Any, dtype: Any = np.float32, seed: int = 0, scale: float = 3) -> Array:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(dtype)


def rows(name: str, x: Any, *arguments: Any, **keywords: Any) -> Any:
    return getattr(fastact, name)(x, *arguments, **keywords)


class TestPandas:
    @pytest.fixture
    def frame(self) -> Any:
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(normal((4, 3), np.float64), index=list("wxyz"), columns=pd.Index(list("abc"), name="k"))
        frame.attrs["unit"] = "m"
        return frame

    def check(self, result: Any, frame: Any, expected: Array) -> None:
        assert type(result) is type(frame)
        assert all(mine.equals(theirs) for mine, theirs in zip(result.axes, frame.axes, strict=True))
        assert [index.name for index in result.axes] == [index.name for index in frame.axes]
        assert getattr(result, "name", None) == getattr(frame, "name", None)
        assert result.attrs == frame.attrs
        np.testing.assert_array_equal(result.to_numpy(), expected)

    @elementwise
    def test_elementwise(self, call: Any, frame: Any) -> None:
        frame.attrs.clear()  # pandas itself keeps them for some ufuncs alone
        self.check(call(frame), frame, call(frame.to_numpy()))
        self.check(call(frame["a"]), frame["a"], call(frame["a"].to_numpy()))

    @pytest.mark.parametrize("name", KEEP_SHAPE)
    def test_rows(self, name: str, frame: Any) -> None:
        for axis in (0, 1, -1, None, (0, 1)):
            self.check(rows(name, frame, axis=axis), frame, rows(name, frame.to_numpy(), axis=axis))
        self.check(rows(name, frame["a"]), frame["a"], rows(name, frame["a"].to_numpy()))
        index = frame.index.to_series().map(ord).set_axis(list("wxyz")).astype(float)
        assert type(rows(name, type(frame.index)(index))).__name__ == "Index"

    def test_logsumexp(self, frame: Any) -> None:
        across, down = fastact.logsumexp(frame), fastact.logsumexp(frame, axis=0)
        assert across.index.equals(frame.index) and down.index.equals(frame.columns)
        np.testing.assert_array_equal(across.to_numpy(), fastact.logsumexp(frame.to_numpy()))
        np.testing.assert_array_equal(down.to_numpy(), fastact.logsumexp(frame.to_numpy(), axis=0))
        assert isinstance(fastact.logsumexp(frame["a"]), np.float64)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
    def test_backward(self, name: str, frame: Any) -> None:
        backward, y = getattr(fastact.backward, name), rows(name, frame)
        grad = frame * 2
        self.check(backward(grad, y), frame, backward(grad.to_numpy(), y.to_numpy()))
        with pytest.raises(ValueError, match=f"^{name}: grad and y have different labels"):
            backward(grad[["b", "a", "c"]], y)
        with pytest.raises(ValueError, match=f"^{name}: grad and y have different labels"):
            backward(grad["a"].iloc[::-1], y["a"])

    def test_subclass(self, frame: Any) -> None:
        pd = pytest.importorskip("pandas")

        class Frame(pd.DataFrame):  # type: ignore[misc]
            @property
            def _constructor(self) -> Any:
                return Frame

        assert type(fastact.softmax(Frame(frame))) is Frame

    def test_dtypes(self, frame: Any) -> None:
        pd = pytest.importorskip("pandas")
        mixed = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
        np.testing.assert_array_equal(fastact.softmax(mixed), fastact.softmax(mixed.to_numpy()))
        nullable = pd.Series([1, 2, None], dtype="Float32")
        assert fastact.sigmoid(nullable).dtype == "Float32" and fastact.sigmoid(nullable).isna().tolist() == [0, 0, 1]
        assert np.isnan(fastact.softmax(nullable)).all()  # as for NaN
        for call in (fastact.sigmoid, fastact.softmax):
            with pytest.raises(TypeError, match="argument x has dtype object"):
                call(pd.Series(["a", "b"], dtype=object))


class TestXarray:
    @pytest.fixture
    def array(self) -> Any:
        xr = pytest.importorskip("xarray")
        coordinates = {"row": list("wxyz"), "shift": ("column", [1, 2, 3])}
        return xr.DataArray(
            normal((4, 3), np.float64), coordinates, ("row", "column"), name="scores", attrs={"unit": "m"}
        )

    def check(self, result: Any, array: Any, expected: Array) -> None:
        pytest.importorskip("xarray").testing.assert_identical(result, array.copy(data=expected))

    @elementwise
    def test_elementwise(self, call: Any, array: Any) -> None:
        self.check(call(array).assign_attrs(unit="m"), array, call(array.values))

    @pytest.mark.parametrize("name", KEEP_SHAPE)
    def test_dimensions_by_name_and_number(self, name: str, array: Any) -> None:
        for axis, numbers in (("row", 0), ("column", 1), (0, 0), (-1, 1), (("column", "row"), None), (None, None)):
            self.check(rows(name, array, axis=axis), array, rows(name, array.values, axis=numbers))
        self.check(rows(name, array), array, rows(name, array.values))

    def test_logsumexp(self, array: Any) -> None:
        assert fastact.logsumexp(array).dims == ("row",)
        down = fastact.logsumexp(array, axis="row")
        assert down.dims == ("column",) and list(down.coords) == ["shift"] and down.attrs == {"unit": "m"}
        np.testing.assert_array_equal(down, fastact.logsumexp(array.values, axis=0))
        kept = fastact.logsumexp(array, axis="row", keepdims=True)
        assert kept.sizes == {"row": 1, "column": 3} and "row" not in kept.coords

    def test_masks(self, array: Any) -> None:
        mask = array > 0
        expected = fastact.softmax(array.values, where=mask.values, axis=0)
        self.check(fastact.softmax(array, axis="row", where=mask), array, expected)
        self.check(fastact.softmax(array, axis="row", where=mask.transpose()), array, expected)
        self.check(fastact.softmax(array, axis="row", where=mask.values), array, expected)
        first = np.array([True, True, False])
        expected = fastact.softmax(array.values, where=first, axis=0)
        self.check(fastact.softmax(array, axis="row", where=first), array, expected)

    def test_backward(self, array: Any) -> None:
        y, grad = fastact.softmax(array, axis="row"), array * 2
        expected = fastact.backward.softmax(grad.values, y.values, axis=0)
        for given in (grad, grad.transpose(), grad.values):
            result = fastact.backward.softmax(given, y, axis="row")
            np.testing.assert_array_equal(result, expected)
            assert result.dims == array.dims
        with pytest.raises(ValueError, match="row"):
            fastact.backward.softmax(grad.assign_coords(row=list("abcd")), y)

    def test_lazily(self, array: Any) -> None:
        da = pytest.importorskip("dask.array")
        chunked = array.chunk({"row": 2, "column": 3})
        for axis in ("row", "column"):
            result = fastact.softmax(chunked, axis=axis)
            assert isinstance(result.data, da.Array)
            number = array.dims.index(axis)
            np.testing.assert_allclose(result.compute(), fastact.softmax(array.values, axis=number), rtol=1e-14)
            masked = fastact.softmax(chunked, axis=axis, where=chunked > 0)
            assert isinstance(masked.data, da.Array)
            expected = fastact.softmax(array.values, axis=number, where=array.values > 0)
            np.testing.assert_allclose(masked.compute(), expected, rtol=1e-14)
            gradient = fastact.backward.softmax(chunked, result, axis=axis)
            assert isinstance(gradient.data, da.Array)
            expected = fastact.backward.softmax(array.values, result.values, axis=number)
            np.testing.assert_allclose(gradient.compute(), expected, rtol=1e-12, atol=1e-15)
        assert isinstance(fastact.sigmoid(chunked).data, da.Array)

    def test_through_apply_ufunc(self, array: Any) -> None:
        xr = pytest.importorskip("xarray")
        da = pytest.importorskip("dask.array")
        result = xr.apply_ufunc(
            fastact.softmax,
            array.chunk({"row": 4, "column": 2}),
            input_core_dims=[["row"]],
            output_core_dims=[["row"]],
            dask="parallelized",
            output_dtypes=[np.float64],
        )
        assert isinstance(result.data, da.Array)
        np.testing.assert_array_equal(result.transpose("row", ...), fastact.softmax(array.values, axis=0))

    def test_data_sets(self, array: Any) -> None:
        data = array.to_dataset()
        np.testing.assert_array_equal(fastact.sigmoid(data).scores, fastact.sigmoid(array.values))
        result = data.map(fastact.softmax, axis="row")
        np.testing.assert_array_equal(result.scores, fastact.softmax(array.values, axis=0))

    def test_errors(self, array: Any) -> None:
        with pytest.raises(ValueError, match="depth"):
            fastact.softmax(array, axis="depth")
        with pytest.raises(np.exceptions.AxisError):
            fastact.softmax(array, axis=2)
        with pytest.raises(ValueError, match="duplicate"):
            fastact.softmax(array, axis=("row", 0))
        with pytest.raises(TypeError, match=r"softmax: out is not there for xarray"):
            fastact.softmax(array, out=np.empty((4, 3)))


class TestDask:
    @pytest.fixture
    def da(self) -> Any:
        return pytest.importorskip("dask.array")

    @elementwise
    def test_elementwise_lazily(self, call: Any, da: Any) -> None:
        x = normal((40, 6))
        reads = []

        def read(block: Array, block_id: Any) -> Array:
            reads.append(block_id)
            return block

        lazy = da.map_blocks(read, da.from_array(x, chunks=(10, 4)), dtype=x.dtype, meta=np.empty((0, 0), x.dtype))
        result = call(lazy)
        assert isinstance(result, da.Array) and result.chunks == lazy.chunks and not reads
        np.testing.assert_array_equal(result.compute(), call(x))
        assert len(set(reads)) == 8

    @pytest.mark.parametrize("name", ROW_NAMES)
    def test_whole_rows(self, name: str, da: Any) -> None:
        for dtype in (np.float32, np.int16):
            x = normal((40, 6, 2), dtype)
            lazy = da.from_array(x, chunks=(10, 6, 1))
            for axis in (1, -2):
                result = rows(name, lazy, axis=axis)
                expected = rows(name, x, axis=axis)
                assert result.dtype == expected.dtype and result.shape == expected.shape
                # Short rows are summed in another order where there are fewer than sixteen of them.
                np.testing.assert_array_almost_equal_nulp(result.compute(), expected, nulp=1)
        wide = rows(name, lazy.rechunk(-1), axis=None, dtype=np.float64)
        np.testing.assert_array_equal(wide.compute(), rows(name, x, axis=None, dtype=np.float64))

    @pytest.mark.parametrize("name", CHUNKED)
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.uint8])
    def test_rows_in_several_chunks(self, name: str, dtype: Any, da: Any) -> None:
        x = np.abs(normal((6, 20, 4), dtype, scale=9))
        lazy = da.from_array(x, chunks=(4, (3, 16, 1), 2))
        for axis in (1, 0, (0, 2), None):
            result, expected = rows(name, lazy, axis=axis), rows(name, x, axis=axis)
            assert result.dtype == expected.dtype and result.shape == expected.shape
            kind = np.finfo(expected.dtype)
            # Chunks exchange logarithms, whose rounding shows where no wider type holds them.
            tolerance = kind.eps * (4 if kind.bits < 64 else 64)
            np.testing.assert_allclose(result.compute(), expected, tolerance, 2 * kind.smallest_subnormal)

    def test_keeping_dimensions(self, da: Any) -> None:
        x = normal((6, 20))
        for chunks in ((3, 20), (3, 7)):
            kept = fastact.logsumexp(da.from_array(x, chunks=chunks), keepdims=True)
            assert kept.shape == (6, 1)
            np.testing.assert_allclose(kept.compute(), fastact.logsumexp(x, keepdims=True), rtol=1e-6)

    def test_digits_survive_chunks(self, da: Any) -> None:
        """Small results keep their digits, wherever the row stands and however unequal its chunks are."""
        x = np.array([0.0, -40.0, -300.0, -690.0])
        for offset in (0.0, 1e6):  # these sums are exact
            lazy = da.from_array(x + offset, chunks=1)
            np.testing.assert_allclose(fastact.softmax(lazy).compute(), np.exp(x), rtol=1e-13)
            np.testing.assert_allclose(fastact.log_softmax(lazy).compute()[0], -np.exp(-40.0), rtol=1e-13)

    def test_edges(self, da: Any) -> None:
        nothing = [-np.inf] * 3
        x = np.array([[*nothing, 1, 2, 3], [*nothing, *nothing], [1, np.nan, 2, 3, 4, 5], [1, 2, 3, np.inf, 4, 5]])
        lazy = da.from_array(x, chunks=(2, 3))
        for name in CHUNKED:
            np.testing.assert_allclose(rows(name, lazy).compute(), rows(name, x), rtol=1e-15)
            for mask in (x > 2, x < 0, np.zeros(6, bool), ~np.isnan(x)):
                masked = rows(name, lazy, where=mask)
                np.testing.assert_allclose(masked.compute(), rows(name, x, where=mask), rtol=1e-15)

    @pytest.mark.parametrize("name", ROW_NAMES)
    def test_masks(self, name: str, da: Any) -> None:
        x, mask = normal((6, 20, 4)), normal((6, 20, 4), seed=1) > 0
        for chunks, axes in (((3, 20, 2), (1,)), ((4, (3, 16, 1), 2), (1, (0, 2), None))):
            if name == "sparsemax" and len(axes) > 1:
                continue
            lazy = da.from_array(x, chunks=chunks)
            for axis in axes:
                for where, plain in ((mask, mask), (da.from_array(mask, chunks=5), mask), (mask[0], mask[:1])):
                    result, expected = rows(name, lazy, axis=axis, where=where), rows(name, x, axis=axis, where=plain)
                    assert isinstance(result, da.Array)
                    assert result.dtype == expected.dtype and result.shape == expected.shape
                    np.testing.assert_allclose(result.compute(), expected, rtol=1e-6, atol=1e-45)

    def test_the_first_maximum(self, da: Any) -> None:
        """It is the first in the row's own order, which is not that of the chunks."""
        x = np.random.default_rng(0).integers(0, 3, (6, 7, 8)).astype(np.float32)
        lazy = da.from_array(x, chunks=(2, 3, 5))
        for axis in ((0, 1), (1, 2), (0, 2), None):
            np.testing.assert_array_equal(fastact.hardmax(lazy, axis=axis).compute(), fastact.hardmax(x, axis=axis))

    def test_nothing_is_gathered(self, da: Any) -> None:
        callbacks = pytest.importorskip("dask.callbacks")
        sizes: list[int] = []

        def note(key: Any, result: Any, *_: Any) -> None:
            sizes.append(getattr(result, "nbytes", 0))

        chunk = np.float32().nbytes * 2 * 500
        lazy = da.random.default_rng(0).normal(size=(2, 50_000), chunks=(2, 500)).astype(np.float32)
        with callbacks.Callback(posttask=note):
            da.abs(fastact.softmax(lazy) - fastact.hardmax(lazy)).max().compute(scheduler="sync")
            fastact.backward.softmax(lazy, lazy, axis=-1).max().compute(scheduler="sync")
        assert len(sizes) > 200 and max(sizes) <= 2 * chunk

    def test_refused(self, da: Any) -> None:
        x = normal((6, 20))
        lazy = da.from_array(x, chunks=(3, 7))
        with pytest.raises(ValueError, match=r"^sparsemax: x has rows that lie in several chunks, expected one chunk"):
            fastact.sparsemax(lazy)
        with pytest.raises(ValueError, match=r"^sparsemax: grad has rows that lie in several chunks"):
            fastact.backward.sparsemax(lazy, lazy)
        with pytest.raises(TypeError, match=r"softmax: out is a dask.*expected a numpy.ndarray"):
            fastact.softmax(x, out=lazy)
        with pytest.raises(TypeError, match=r"softmax: out is not there for dask"):
            fastact.softmax(lazy, out=x)
        with pytest.raises(TypeError, match="softmax: where has dtype float32, expected bool"):
            fastact.softmax(lazy, where=lazy)
        with pytest.raises(
            ValueError, match=r"softmax: where has shape \(6, 7\), which cannot be broadcast to \(6, 20\)"
        ):
            fastact.softmax(lazy, where=lazy[:, :7] > 0)
        with pytest.raises(TypeError, match="softmax: argument x has dtype complex128"):
            fastact.softmax(lazy.astype(complex))
        with pytest.raises(np.exceptions.AxisError):
            fastact.softmax(lazy, axis=2)

    def test_backward(self, da: Any) -> None:
        grad, y = normal((6, 20)), fastact.softmax(normal((6, 20), seed=1))
        result = fastact.backward.softmax(da.from_array(grad, chunks=(3, 20)), da.from_array(y, chunks=(2, 20)))
        assert isinstance(result, da.Array)
        np.testing.assert_array_equal(result.compute(), fastact.backward.softmax(grad, y))

    @pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_backward_in_several_chunks(self, name: str, dtype: Any, da: Any) -> None:
        backward = getattr(fastact.backward, name)
        for axis in (1, (0, 2), None):
            grad, y = normal((6, 20, 4), dtype), rows(name, normal((6, 20, 4), dtype, seed=1), axis=axis)
            y[0, 0, 0] = np.nan
            result = backward(da.from_array(grad, chunks=5), da.from_array(y, chunks=(4, (3, 16, 1), 2)), axis=axis)
            expected, eps = backward(grad, y, axis=axis), np.finfo(dtype).eps
            assert isinstance(result, da.Array) and result.dtype == expected.dtype
            np.testing.assert_allclose(result.compute(), expected, 4 * eps, 64 * eps)  # of sums in another order

    @pytest.mark.parametrize("name", ["prelu", "swiglu", "geglu", "reglu"])
    def test_two_operands(self, name: str, da: Any) -> None:
        """Both gradients are lazy, and their graphs travel."""
        first, second, grad = (normal((6, 20), seed=seed) for seed in range(3))
        lazy = [da.from_array(array, chunks=(4, 7)) for array in (grad, first, second)]
        pairs = [(getattr(fastact.derivative, name)(*lazy[1:]), getattr(fastact.derivative, name)(first, second))]
        pairs.append((getattr(fastact.backward, name)(*lazy), getattr(fastact.backward, name)(grad, first, second)))
        one = (
            getattr(fastact.backward, name)(*lazy[:2], second[:1]),
            getattr(fastact.backward, name)(grad, first, second[:1]),
        )
        for results, expected in (*pairs, one):
            for result, array in zip(results, expected, strict=True):
                assert isinstance(result, da.Array) and result.dtype == array.dtype and result.shape == array.shape
                np.testing.assert_allclose(result.compute(), array, rtol=1e-6, atol=1e-6)
                assert pickle.loads(pickle.dumps(result)).name == result.name
        with pytest.raises(TypeError, match=f"^{name}: out is not there for dask arrays"):
            getattr(fastact.backward, name)(*lazy, out=(first, second))

    def test_glu(self, da: Any) -> None:
        callbacks = pytest.importorskip("dask.callbacks")
        x = normal((6, 20))
        computed: list[Any] = []
        with callbacks.Callback(pretask=lambda key, *_: computed.append(key)):
            for chunks in ((3, 20), (2, 5), (4, 7)):  # the last cuts the halves at different places
                for axis in (-1, 0):
                    lazy = fastact.glu(da.from_array(x, chunks=chunks), axis)
                    expected = fastact.glu(x, axis)
                    assert isinstance(lazy, da.Array) and not computed
                    assert lazy.dtype == expected.dtype and lazy.shape == expected.shape
                    np.testing.assert_array_equal(lazy.compute(scheduler="sync"), expected)
                    assert computed
                    computed.clear()
                    gradient = fastact.backward.glu(fastact.glu(da.from_array(x, chunks=chunks), axis), x, axis)
                    derivative = fastact.derivative.glu(da.from_array(x, chunks=chunks), axis)
                    assert isinstance(gradient, da.Array) and isinstance(derivative, da.Array) and not computed
                    np.testing.assert_array_equal(derivative.compute(), fastact.derivative.glu(x, axis))
                    expected = fastact.backward.glu(expected, x, axis)
                    np.testing.assert_allclose(gradient.compute(), expected, rtol=1e-6, atol=1e-6)
                    computed.clear()
        travelled = pickle.loads(pickle.dumps(lazy.dask))
        assert travelled.keys() == lazy.dask.keys()
        with pytest.raises(ValueError, match="glu: x has size 5 along axis -1, expected an even size"):
            fastact.glu(da.zeros((2, 5)))
        with pytest.raises(np.exceptions.AxisError):
            fastact.glu(da.zeros((2, 4)), axis=2)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    folder = str(tmp_path_factory.mktemp("workers"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS", raising=False)  # which workers inherit, unless dask sets it for them
        with (
            distributed.LocalCluster(
                2, threads_per_worker=1, dashboard_address=None, local_directory=folder
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


@pytest.mark.once
@pytest.mark.slow
class TestCluster:
    """A dask cluster of two processes of one thread each."""

    def test_results(self, client: Any) -> None:
        dask = pytest.importorskip("dask")
        da = pytest.importorskip("dask.array")
        x = normal((200, 60))
        lazy = da.from_array(x, chunks=(100, 60))
        calls = [*CALLS.values(), fastact.glu, *(getattr(fastact, name) for name in ROW_NAMES)]
        calls += [special.expit, special.softplus, fastact.derivative.glu]
        for name in ("prelu", "swiglu", "geglu", "reglu"):
            calls.append(lambda x, name=name: getattr(fastact.derivative, name)(x, x)[1])
            calls.append(lambda x, name=name: getattr(fastact.backward, name)(x, x, x)[0])
        for call, result in zip(calls, dask.compute([call(lazy) for call in calls])[0], strict=True):
            np.testing.assert_allclose(result, call(x), rtol=1e-6, atol=1e-6)
        cut = lazy.rechunk((100, 30))
        calls = [lambda x, name=name: rows(name, x, where=x > -1) for name in CHUNKED]
        calls += [lambda x, name=name: rows(name, x) for name in CHUNKED]
        calls.append(lambda x: fastact.backward.softmax(x, fastact.softmax(x)))
        for call, result in zip(calls, dask.compute([call(cut) for call in calls])[0], strict=True):
            np.testing.assert_allclose(result, call(x), rtol=1e-5, atol=1e-5)

    def test_functions_travel_by_name(self, client: Any) -> None:
        x = normal(1000)
        functions = [fastact.gelu, fastact.elu, fastact.glu, fastact.softmax, fastact.derivative.gelu]
        futures = [client.submit(function, x) for function in functions]
        for function, future in zip(functions, futures, strict=True):
            np.testing.assert_array_equal(future.result(), function(x))

    def test_a_worker_uses_its_one_thread(self, client: Any) -> None:
        counts = client.run(fastact.get_num_threads)
        assert list(counts.values()) == [1, 1]


class TestMaskedArrays:
    @pytest.fixture
    def x(self) -> Any:
        return np.ma.array(normal((4, 5), np.float64), mask=np.eye(4, 5, dtype=bool))

    @elementwise
    def test_elementwise(self, call: Any, x: Any) -> None:
        y = call(x)
        np.testing.assert_array_equal(y.mask, x.mask)
        np.testing.assert_array_equal(y.compressed(), call(x.data)[~x.mask])

    @pytest.mark.parametrize("name", KEEP_SHAPE)
    def test_rows(self, name: str, x: Any) -> None:
        for axis in (0, 1, None):
            y = rows(name, x, axis=axis)
            np.testing.assert_array_equal(y.mask, x.mask)
            np.testing.assert_array_equal(y.data, rows(name, x.data, axis=axis, where=~x.mask))

    def test_logsumexp(self, x: Any) -> None:
        x[1] = np.ma.masked
        y = fastact.logsumexp(x)
        assert y.mask.tolist() == [False, True, False, False]
        np.testing.assert_array_equal(y.data, fastact.logsumexp(x.data, where=~x.mask))

    def test_beside_where(self, x: Any) -> None:
        y = fastact.softmax(x, where=x.data > 0)
        np.testing.assert_array_equal(y.data, fastact.softmax(x.data, where=(x.data > 0) & ~x.mask))

    @pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "sparsemax"])
    def test_backward(self, name: str, x: Any) -> None:
        """As if the entries that are left out were not there."""
        y = rows(name, x)
        y.data[y.mask] = 7
        grad = normal(x.shape, np.float64, seed=1)
        result = getattr(fastact.backward, name)(grad, y)
        np.testing.assert_array_equal(result.mask, x.mask)
        for k in range(4):
            kept = ~x.mask[k]
            expected = getattr(fastact.backward, name)(grad[k, kept], y.data[k, kept])
            np.testing.assert_allclose(result.data[k, kept], expected, rtol=1e-13, atol=1e-16)

    def test_glu(self, x: Any) -> None:
        y = fastact.glu(x, axis=0)
        np.testing.assert_array_equal(y.mask, x.mask[:2] | x.mask[2:])
        np.testing.assert_array_equal(y.compressed(), fastact.glu(x.data, axis=0)[~y.mask])

    def test_in_place(self, x: Any) -> None:
        expected = fastact.softmax(x)
        assert fastact.softmax(x, out=x) is x
        np.testing.assert_array_equal(x.filled(0), expected.filled(0))


class TestMemoryMaps:
    """Files may be larger than memory: a call takes nothing of their size."""

    SHAPE = (1024, 2048)  # 8 MB, against the allowance of 2

    def files(self, folder: Path) -> tuple[Any, Any]:
        given = np.memmap(folder / "x", np.float32, "w+", shape=self.SHAPE)
        given[...] = normal(self.SHAPE)
        given.flush()
        x = np.memmap(folder / "x", np.float32, "r", shape=self.SHAPE)
        return x, np.memmap(folder / "y", np.float32, "w+", shape=self.SHAPE)

    def test_elementwise(self, tmp_path: Path) -> None:
        x, y = self.files(tmp_path)
        assert peak(lambda: fastact.leaky_relu(x, out=y)) < ALLOWANCE
        np.testing.assert_array_equal(y, fastact.leaky_relu(np.array(x)))
        assert peak(lambda: fastact.backward.sigmoid(y, x, out=y)) < ALLOWANCE

    @pytest.mark.parametrize("axis", [0, 1, None])
    def test_rows(self, axis: Any, tmp_path: Path) -> None:
        x, y = self.files(tmp_path)
        assert fastact.softmax(x, axis=axis, out=y) is y
        np.testing.assert_array_equal(y, fastact.softmax(np.array(x), axis=axis))
        assert peak(lambda: fastact.softmax(x, axis=axis, out=y)) < ALLOWANCE
        assert peak(lambda: fastact.logsumexp(x, axis=axis)) < ALLOWANCE
        assert peak(lambda: fastact.softmax(y, axis=axis, out=y)) < ALLOWANCE

    def test_read_only(self, tmp_path: Path) -> None:
        x, _ = self.files(tmp_path)
        with pytest.raises(ValueError, match="read-only"):
            fastact.softmax(x, out=x)
        with pytest.raises(ValueError, match="read-only"):
            fastact.sigmoid(x, out=x)


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
class TestMatrix:
    @elementwise
    def test_elementwise(self, call: Any) -> None:
        x = np.matrix(normal((3, 4)))
        assert type(call(x)) is np.matrix
        np.testing.assert_array_equal(call(x), call(np.asarray(x)))

    def test_rows(self) -> None:
        x = np.matrix(normal((3, 4)))
        for name in KEEP_SHAPE:
            assert type(rows(name, x, axis=0)) is np.matrix
            np.testing.assert_array_equal(rows(name, x, axis=0), rows(name, np.asarray(x), axis=0))
        for axis in (0, 1, -1):  # like NumPy's own reductions, it keeps its two dimensions
            result = fastact.logsumexp(x, axis=axis)
            assert type(result) is np.matrix and result.shape == x.sum(axis=axis).shape
            np.testing.assert_array_equal(result, fastact.logsumexp(np.asarray(x), axis=axis, keepdims=True))
        whole = fastact.logsumexp(x, axis=None)
        assert type(whole) is np.float32 and whole == fastact.logsumexp(np.asarray(x), axis=None)
        assert fastact.logsumexp(x, axis=None, keepdims=True).shape == (1, 1)


class TestSubclasses:
    class Labelled(np.ndarray):
        label: str | None

        def __array_finalize__(self, given: Any) -> None:
            self.label = getattr(given, "label", None)

    def labelled(self) -> Any:
        x = normal((4, 5)).view(self.Labelled)
        x.label = "logits"
        return x

    @elementwise
    def test_elementwise(self, call: Any) -> None:
        y = call(self.labelled())
        assert type(y) is self.Labelled and y.label == "logits"

    @pytest.mark.parametrize("name", ROW_NAMES)
    def test_rows(self, name: str) -> None:
        x = self.labelled()
        y = rows(name, x)
        assert type(y) is self.Labelled and y.label == "logits"
        np.testing.assert_array_equal(np.asarray(y), rows(name, np.asarray(x)))

    def test_one_that_refuses(self) -> None:
        class Refusing:
            __array_ufunc__ = None

        class Answering:
            def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
                return ufunc.__name__, keywords

        with pytest.raises(TypeError):
            fastact.sigmoid(Refusing())
        with pytest.raises(TypeError):
            fastact.softmax(Refusing())
        assert fastact.softmax(Answering(), axis=0) == ("softmax", {"axis": 0})
        with pytest.raises(
            TypeError, match=r"softmax: where, dtype, keepdims and several axes are not there for .*Answ"
        ):
            fastact.softmax(Answering(), axis=None)


STRUCTURES = {
    "fields": np.zeros(4, [("a", "f4"), ("b", "f8")]),
    "records": np.zeros(4, [("a", "f4"), ("b", "f8")]).view(np.recarray),
    "one field": np.zeros(4, [("a", "f4")]),
    "raw": np.zeros(4, "V4"),
    "objects": np.array([1.0, 2.0, None, 3.0]),
    "text": np.array(["1.0"] * 4),
    "ragged": np.array([[1.0], [1.0, 2.0]] * 2, dtype=object),
}


@pytest.mark.parametrize("x", STRUCTURES.values(), ids=STRUCTURES)
def test_structured_nonsense(x: Any) -> None:
    for call in (*CALLS.values(), *(getattr(fastact, name) for name in ROW_NAMES), fastact.glu):
        with pytest.raises(TypeError):
            call(x)
    with pytest.raises(TypeError, match=r"^sigmoid: argument x has dtype (void|record|object|str)\w*, expected real"):
        fastact.sigmoid(x)
    with pytest.raises(TypeError, match=r"^softmax: argument x has dtype (void|record|object|str)\w*, expected real"):
        fastact.softmax(x)


def test_a_field_of_a_structure() -> None:
    x = np.zeros(4, [("a", "f4"), ("b", "f8")])
    x["b"] = normal(4, np.float64)
    expected = fastact.softmax(x["b"].copy())
    fastact.softmax(x["b"], out=x["b"])
    np.testing.assert_array_equal(x["b"], expected)
    np.testing.assert_array_equal(x["a"], 0)
