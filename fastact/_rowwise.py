"""The row-wise activations: records, formulas, and the public functions' rules for axes, masks and results.

A row is what lies along the axis or axes of a call. Each function is a generalised ufunc underneath, which is always
called with an explicit axis; its reference formulas are over the numbers that sum up a row (see `_rowwise_reference`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from fastact import _promotion
from fastact._records import Activation, Elsewhere, Interval, activations

# NumPy makes one object of each of these, for native byte order.
NATIVE = frozenset(np.dtype(name) for name in ("float16", "float32", "float64"))
# Dimensions of a row that the kernels walk; more are joined in a copy.
MAX_ROW_DIMENSIONS = 4

PROBABILITIES = Interval(0, 1, True, True)


@dataclass(frozen=True, kw_only=True)
class RowActivation(Activation):
    """A function of the entries of a row.

    Its formulas take arrays of rows, and what is known of each row: `statistics` names it. `reduces` says that a row
    becomes one number, `masked` is the result for entries that a mask leaves out.
    """

    statistics: str
    masked: float = 0.0
    reduces: bool = False

    @property
    def rowwise(self) -> bool:
        """Whether the function works along an axis."""
        return True


def row_activation(**facts: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters the decorated formulas into the table, under the name of the function that makes them."""

    def enter(make_formulas: Callable[..., Any]) -> Callable[..., Any]:
        name = make_formulas.__name__
        activations[name] = RowActivation(
            name=name, make_formulas=make_formulas, summary=(make_formulas.__doc__ or "").strip(), **facts
        )
        return make_formulas

    return enter


# In the formulas, `maximum` is the largest entry of a row, and `rest` the sum of exp(x - maximum) over all the other
# entries: 1 + rest is the whole sum, and log1p(rest) keeps its digits where one entry towers above the others.


@row_activation(
    formula="exp(x) / sum(exp(x))",
    latex=r"\\frac{e^{x_i}}{\\sum_j e^{x_j}}",
    range=PROBABILITIES,
    monotonic=True,
    smooth=True,
    typical_use=("output",),
    elsewhere=(Elsewhere("scipy.special.softmax"), Elsewhere("torch.softmax"), Elsewhere("jax.nn.softmax")),
    source="Bridle, Probabilistic interpretation of feedforward classification network outputs (1990)",
    statistics="exponentials",
)
def softmax(xp: Any, T: Any) -> tuple[Any, ...]:
    """Turns rows of scores into probabilities: positive numbers that sum to 1."""

    def value(x: Any, maximum: Any, rest: Any) -> Any:
        return xp.exp(x - maximum) / (T(1) + rest)

    def backward(grad: Any, y: Any, mean: Any) -> Any:      # mean = sum(grad * y)
        return y * (grad - mean)

    return value, backward


@row_activation(
    formula="x - log(sum(exp(x)))",
    latex=r"x_i - \\log \\sum_j e^{x_j}",
    range=Interval(-inf, 0, True, True),
    monotonic=True,
    smooth=True,
    typical_use=("output",),
    elsewhere=(
        Elsewhere("scipy.special.log_softmax"), Elsewhere("torch.log_softmax"), Elsewhere("jax.nn.log_softmax")
    ),
    source="the logarithm of softmax: Bridle (1990)",
    statistics="exponentials",
    masked=-inf,
)
def log_softmax(xp: Any, T: Any) -> tuple[Any, ...]:
    """The logarithm of softmax, without the detour that loses small probabilities."""

    def value(x: Any, maximum: Any, rest: Any) -> Any:
        return (x - maximum) - xp.log1p(rest)

    def backward(grad: Any, y: Any, total: Any) -> Any:     # total = sum(grad)
        return grad - xp.exp(y) * total

    return value, backward


@row_activation(
    formula="exp(-x) / sum(exp(-x))",
    latex=r"\\frac{e^{-x_i}}{\\sum_j e^{-x_j}}",
    range=PROBABILITIES,
    monotonic=False,
    smooth=True,
    typical_use=("output",),
    elsewhere=(Elsewhere("torch.nn.Softmin"),),
    source="softmax of -x: Bridle (1990)",
    statistics="exponentials",
)
def softmin(xp: Any, T: Any) -> tuple[Any, ...]:
    """softmax of -x: the smallest entry of a row gets the largest probability."""

    def value(x: Any, maximum: Any, rest: Any) -> Any:      # of -x
        return xp.exp(-x - maximum) / (T(1) + rest)

    def backward(grad: Any, y: Any, mean: Any) -> Any:
        return y * (mean - grad)

    return value, backward


@row_activation(
    formula="log(sum(exp(x)))",
    latex=r"\\log \\sum_j e^{x_j}",
    range=Interval(-inf, inf, True, True),
    monotonic=True,
    smooth=True,
    typical_use=("output",),
    elsewhere=(
        Elsewhere("scipy.special.logsumexp", "also takes weights"),
        Elsewhere("torch.logsumexp"),
        Elsewhere("jax.nn.logsumexp", "also takes weights"),
    ),
    source="the logarithm of softmax's denominator: Bridle (1990)",
    statistics="exponentials",
    reduces=True,
)
def logsumexp(xp: Any, T: Any) -> tuple[Any, ...]:
    """A smooth maximum of each row, whose gradient is softmax. It is -inf for a row without entries."""

    def value(maximum: Any, rest: Any) -> Any:
        return maximum + xp.log1p(rest)

    return (value,)


@row_activation(
    formula="1 if x is the first maximum of its row, else 0",
    latex=r"\\begin{cases} 1 & i = \\min \\arg\\max_j x_j \\\\ 0 & \\text{else} \\end{cases}",
    range=PROBABILITIES,
    monotonic=True,
    smooth=False,
    typical_use=("output",),
    elsewhere=(Elsewhere("onnx.Hardmax"),),
    source="the ONNX operator Hardmax",
    statistics="place",
)
def hardmax(xp: Any, T: Any) -> tuple[Any, ...]:
    """The limit of softmax for ever larger scores: 1 at the first maximum of a row, 0 elsewhere."""

    def value(x: Any, maximum: Any, place: Any) -> Any:     # place: of x, relative to the first maximum
        return xp.where(xp.isnan(maximum), maximum, xp.where(place == 0, T(1), T(0)))

    return (value,)


@row_activation(
    formula="max(x - threshold, 0), where the threshold makes a row sum to 1",
    latex=r"\\max(x_i - \\tau, 0), \\quad \\sum_j \\max(x_j - \\tau, 0) = 1",
    range=PROBABILITIES,
    monotonic=True,
    smooth=False,
    typical_use=("output",),
    elsewhere=(Elsewhere("jax.nn.sparsemax"), Elsewhere("keras.activations.sparsemax")),
    source="Martins and Astudillo, From softmax to sparsemax (2016)",
    statistics="threshold",
)
def sparsemax(xp: Any, T: Any) -> tuple[Any, ...]:
    """The probabilities nearest to the scores: like softmax, but small ones become exactly 0."""

    def value(x: Any, maximum: Any, threshold: Any) -> Any:     # threshold: less the maximum
        above = (x - maximum) - threshold
        return xp.where(above < T(0), T(0), above)

    def backward(grad: Any, y: Any, mean: Any) -> Any:      # mean: of grad, where y > 0
        return xp.where(y > T(0), grad - mean, xp.where(xp.isnan(y), y, T(0)))

    return value, backward


def make(record: RowActivation, operation: str, engine: Any, doc: str) -> Callable[..., Any]:
    """The public function of a record's operation."""
    rows = _Rows(record, operation, engine)
    function = {"value": _value_function, "backward": _backward_function}[operation](record, rows)
    function.__name__ = function.__qualname__ = record.name
    function.__doc__ = doc
    return function


def _value_function(record: RowActivation, rows: _Rows) -> Callable[..., Any]:
    ufunc, general = rows.plain, rows.call
    ndarray, native = np.ndarray, NATIVE

    def reducing(x: Any, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None,
                 keepdims: bool = False) -> Any:
        return general((x,), axis, out, where, dtype, keepdims)

    # What NumPy itself does right is left to it: small arrays feel each test.
    def row(x: Any, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any:
        if (type(x) is ndarray and x.dtype in native and type(axis) is int and where is None and dtype is None
                and x.ndim and x.flags.aligned):
            if out is None:
                return ufunc(x, axis=axis)
            if type(out) is ndarray and out.dtype is x.dtype and out.shape == x.shape:
                return ufunc(x, out, axis=axis)
        return general((x,), axis, out, where, dtype, False)

    return reducing if record.reduces else row


def _backward_function(record: RowActivation, rows: _Rows) -> Callable[..., Any]:
    def backward(grad: Any, y: Any, axis: Any = -1, *, out: Any = None) -> Any:
        return rows.call((grad, y), axis, out, None, None, False)

    return backward


class _Rows:
    """One operation on rows, over an engine's loops: everything that NumPy's machinery leaves to its callers."""

    def __init__(self, record: RowActivation, operation: str, engine: Any) -> None:
        self.record, self.operation = record, operation
        self.name = record.name
        self.inputs = ("grad", "y") if operation == "backward" else ("x",)
        self._engine = engine
        self._ufuncs: dict[tuple[bool, bool], Any] = {}
        self.plain = self._ufunc(masked=False, several=False)

    def _ufunc(self, masked: bool, several: bool) -> Any:
        """The generalised ufunc with a mask or without, over rows of one dimension or several."""
        key = masked, several
        if key not in self._ufuncs:
            self._ufuncs[key] = self._engine.make_row_ufunc(self.record, self.operation, masked, several)
        return self._ufuncs[key]

    def call(self, given: tuple[Any, ...], axis: Any, out: Any, where: Any, dtype: Any, keepdims: bool) -> Any:
        """Computes one call with whatever a user may pass."""
        foreign = _foreign(given)
        if foreign is not None:
            return self._ask(foreign, given, axis, out, where, dtype, keepdims)
        arrays = [np.asarray(operand) for operand in given]
        if where is None and _is_masked(given):
            where = True
        if where is not None:
            where = self._mask(where, given, arrays)
        arrays = list(np.broadcast_arrays(*arrays)) if len(arrays) > 1 else arrays
        loop = self._loop_dtype(arrays, dtype)
        axes = self._axes(axis, arrays[0].ndim)
        shape = self._result_shape(arrays[0].shape, axes, keepdims)
        self._check_out(out, shape, loop)
        result = self._compute(arrays, axes, out, where, loop, shape, keepdims)
        if out is not None:
            return out
        return self._wrap(result, given[-1], axes, keepdims)

    # ---- the rules ----------------------------------------------------------------------------------------------

    def _loop_dtype(self, arrays: list[Any], dtype: Any) -> np.dtype[Any]:
        if dtype is not None:
            loop = np.dtype(dtype)
            if not _promotion.is_float(loop):
                raise TypeError(f"{self.name}: dtype is {loop.name}, expected a floating-point dtype")
            _promotion.result_dtype(self.name, self.inputs, [array.dtype for array in arrays], False)
            return loop
        loop = _promotion.result_dtype(self.name, self.inputs, [array.dtype for array in arrays], False)
        return loop.newbyteorder("=")

    @staticmethod
    def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
        if axis is None:
            return tuple(range(ndim))
        return tuple(sorted(np.lib.array_utils.normalize_axis_tuple(axis, ndim)))

    def _result_shape(self, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
        if not self.record.reduces or self.operation == "backward":
            return shape
        if keepdims:
            return tuple(1 if k in axes else n for k, n in enumerate(shape))
        return tuple(n for k, n in enumerate(shape) if k not in axes)

    def _check_out(self, out: Any, shape: tuple[int, ...], loop: np.dtype[Any]) -> None:
        """Refuses an `out` that cannot take the result, before anything is written."""
        if out is None:
            return
        if not isinstance(out, np.ndarray):
            raise TypeError(f"{self.name}: out is a {_type_name(out)}, expected a numpy.ndarray")
        if out.shape != shape:
            raise ValueError(f"{self.name}: out has shape {out.shape}, expected {shape}")
        if not np.can_cast(loop, out.dtype, "same_kind"):
            raise TypeError(f"{self.name}: out has dtype {out.dtype}, expected one that {loop} can be cast to")
        if not out.flags.writeable:
            raise ValueError(f"{self.name}: out is read-only")

    def _mask(self, where: Any, given: tuple[Any, ...], arrays: list[Any]) -> Any:
        mask = np.asarray(where)
        if mask.dtype != bool:
            raise TypeError(f"{self.name}: where has dtype {mask.dtype}, expected bool")
        for operand in given:
            if _is_masked((operand,)):
                mask = mask & ~np.ma.getmaskarray(operand)
        try:
            return np.broadcast_to(mask, arrays[0].shape)
        except ValueError:
            raise ValueError(
                f"{self.name}: where has shape {mask.shape}, which does not broadcast to x's {arrays[0].shape}"
            ) from None

    # ---- the computation ----------------------------------------------------------------------------------------

    def _compute(self, arrays: list[Any], axes: tuple[int, ...], out: Any, where: Any, loop: np.dtype[Any],
                 shape: tuple[int, ...], keepdims: bool) -> Any:
        reduces = self.record.reduces and self.operation == "value"
        result = out
        if out is None:
            result = np.empty(shape, loop) if reduces else np.empty_like(arrays[0], dtype=loop, subok=False)
        target = result if result.dtype == loop and result.flags.aligned else np.empty_like(result, dtype=loop)
        if not reduces:
            arrays = self._cast_into(target, arrays, loop)
        masked = where is not None
        several = len(axes) != 1
        operands = [*arrays, where] if masked else arrays
        ufunc = self._ufunc(masked, several)
        views = [self._rows_last(operand, axes) for operand in operands]
        place = target
        if reduces:
            place = target.reshape(self._result_shape(arrays[0].shape, axes, False), copy=None) if keepdims else target
        else:
            place = self._rows_last(target, axes)
        with np.errstate(all="ignore"):
            if several:
                ufunc(*views, out=place)
            else:
                ufunc(*views, out=place, axis=-1)
        if target is not result:
            np.copyto(result, target, casting="same_kind")
        return result

    @staticmethod
    def _cast_into(target: Any, arrays: list[Any], loop: np.dtype[Any]) -> list[Any]:
        """Operands as the kernels take them; the first that must be cast is cast into the result itself."""
        ready = []
        free = not any(np.may_share_memory(array, target) for array in arrays)
        for array in arrays:
            if array.dtype == loop and array.dtype.isnative and array.flags.aligned:
                ready.append(array)
            elif free or array is target:
                np.copyto(target, array, casting="unsafe")
                ready.append(target)
                free = False
            else:
                ready.append(array.astype(loop))
        return ready

    @staticmethod
    def _rows_last(array: Any, axes: tuple[int, ...]) -> Any:
        """A view whose last dimension, or last MAX_ROW_DIMENSIONS of them, are the rows."""
        moved = np.moveaxis(array, axes, range(-len(axes), 0)) if axes else array
        if len(axes) == 1:
            return moved
        if len(axes) > MAX_ROW_DIMENSIONS:
            joined = moved.shape[moved.ndim - len(axes) :]
            moved = moved.reshape(*moved.shape[: moved.ndim - len(axes)], 1, 1, 1, int(np.prod(joined)))
            return moved
        missing = MAX_ROW_DIMENSIONS - len(axes)
        outer = moved.ndim - len(axes)
        return moved.reshape(*moved.shape[:outer], *(1,) * missing, *moved.shape[outer:])
