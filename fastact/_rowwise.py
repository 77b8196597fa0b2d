"""The row-wise activations: records, formulas, and the public functions' rules for axes, masks and results.

A row is what lies along the axis or axes of a call. Each function is a generalised ufunc underneath, which is always
called with an explicit axis; its reference formulas are over the numbers that sum up a row (see `_rowwise_reference`).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from fastact import _foreign, _promotion, _ufuncs
from fastact._records import Activation, Elsewhere, Interval, activations

# NumPy makes one object of each of these, for native byte order.
NATIVE = frozenset(np.dtype(name) for name in ("float16", "float32", "float64"))
# Dimensions of a row that the kernels walk; more are joined in a copy.
MAX_ROW_DIMENSIONS = 4

PROBABILITIES = Interval(0, 1, True, True)


@dataclass(frozen=True, kw_only=True)
class RowActivation(Activation):
    """A function of the entries of a row.

    Its formulas take arrays of rows, and what is known of each row: `statistics` names it. They are given sign * x.
    `reduces` says that a row becomes one number, `masked` is the result for entries that a mask leaves out.
    """

    statistics: str
    sign: int = 1
    masked: float = 0.0
    reduces: bool = False

    def has(self, operation: str) -> bool:
        """Whether there is a formula for it; a derivative of one number by one number there is not."""
        return operation == "value" or (operation == "backward" and len(self.make_formulas(np, np.float64)) > 1)


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
    latex=r"\frac{e^{x_i}}{\sum_j e^{x_j}}",
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

    def backward(grad: Any, y: Any, mean: Any) -> Any:  # mean = sum(grad * y)
        return y * (grad - mean)

    return value, backward


@row_activation(
    formula="x - log(sum(exp(x)))",
    latex=r"x_i - \log \sum_j e^{x_j}",
    range=Interval(-inf, 0, True, True),
    monotonic=True,
    smooth=True,
    typical_use=("output",),
    elsewhere=(Elsewhere("scipy.special.log_softmax"), Elsewhere("torch.log_softmax"), Elsewhere("jax.nn.log_softmax")),
    source="the logarithm of softmax: Bridle (1990)",
    statistics="exponentials",
    masked=-inf,
)
def log_softmax(xp: Any, T: Any) -> tuple[Any, ...]:
    """The logarithm of softmax, without the detour that loses small probabilities."""

    def value(x: Any, maximum: Any, rest: Any) -> Any:
        return (x - maximum) - xp.log1p(rest)

    def backward(grad: Any, y: Any, total: Any) -> Any:  # total = sum(grad)
        return grad - xp.exp(y) * total

    return value, backward


@row_activation(
    formula="exp(-x) / sum(exp(-x))",
    latex=r"\frac{e^{-x_i}}{\sum_j e^{-x_j}}",
    range=PROBABILITIES,
    monotonic=False,
    smooth=True,
    typical_use=("output",),
    elsewhere=(Elsewhere("torch.nn.Softmin"),),
    source="softmax of -x: Bridle (1990)",
    statistics="exponentials",
    sign=-1,
)
def softmin(xp: Any, T: Any) -> tuple[Any, ...]:
    """softmax of -x: the smallest entry of a row gets the largest probability."""

    def value(x: Any, maximum: Any, rest: Any) -> Any:  # x is negative already
        return xp.exp(x - maximum) / (T(1) + rest)

    def backward(grad: Any, y: Any, mean: Any) -> Any:
        return y * (mean - grad)

    return value, backward


@row_activation(
    formula="log(sum(exp(x)))",
    latex=r"\log \sum_j e^{x_j}",
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
        return xp.where(xp.abs(maximum) == T(inf), maximum, maximum + xp.log1p(rest))

    return (value,)


@row_activation(
    formula="1 if x is the first maximum of its row, else 0",
    latex=r"\begin{cases} 1 & i = \min \arg\max_j x_j \\ 0 & \text{else} \end{cases}",
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

    def value(x: Any, maximum: Any, place: Any) -> Any:  # place: of x, relative to the first maximum
        return xp.where(xp.isnan(maximum), maximum, xp.where(place == 0, T(1), T(0)))

    return (value,)


@row_activation(
    formula="max(x - threshold, 0), where the threshold makes a row sum to 1",
    latex=r"\max(x_i - \tau, 0), \quad \sum_j \max(x_j - \tau, 0) = 1",
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

    def value(x: Any, maximum: Any, threshold: Any) -> Any:  # threshold: less the maximum
        above = (x - maximum) - threshold
        return xp.where(above < T(0), T(0), above)

    def backward(grad: Any, y: Any, mean: Any) -> Any:  # mean: of grad, where y > 0
        return xp.where(y > T(0), grad - mean, xp.where(xp.isnan(y), y, T(0)))

    return value, backward


def make(record: RowActivation, operation: str, engine: Any) -> Callable[..., Any]:
    """The public function of a record's operation."""
    rows = _Rows(record, operation, engine)
    function = _backward_function(rows) if operation == "backward" else _value_function(rows)
    function.__code__ = function.__code__.replace(co_name=record.name, co_qualname=record.name)
    function.__name__ = function.__qualname__ = record.name
    function.__doc__ = _docstring(record, operation)
    return function


def _value_function(rows: _Rows) -> Callable[..., Any]:
    ufunc, general = rows.plain, rows.call
    ndarray, native = np.ndarray, NATIVE

    def reducing(
        x: Any, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None, keepdims: bool = False
    ) -> Any:
        if (
            type(x) is ndarray
            and x.dtype in native
            and type(axis) is int
            and out is None
            and where is None
            and dtype is None
            and not keepdims
            and x.ndim
            and x.flags.aligned
        ):
            return ufunc(x, axis=axis)
        return general((x,), axis, out, where, dtype, keepdims)

    # What NumPy itself does right is left to it: small arrays feel each test.
    def row(x: Any, axis: Any = -1, *, out: Any = None, where: Any = None, dtype: Any = None) -> Any:
        if (
            type(x) is ndarray
            and x.dtype in native
            and type(axis) is int
            and where is None
            and dtype is None
            and x.ndim
            and x.flags.aligned
        ):
            if out is None:
                return ufunc(x, axis=axis)
            if type(out) is ndarray and out.dtype is x.dtype and out.shape == x.shape:
                return ufunc(x, out, axis=axis)
        return general((x,), axis, out, where, dtype, False)

    return reducing if rows.record.reduces else row


def _backward_function(rows: _Rows) -> Callable[..., Any]:
    def backward(grad: Any, y: Any, axis: Any = -1, *, out: Any = None) -> Any:
        return rows.call((grad, y), axis, out, None, None, False)

    return backward


ERRORS = {
    "softmax": "float32 at most 2 ULP, down to the smallest results; each row sums to 1 within 1e-6",
    "softmin": "float32 at most 2 ULP, down to the smallest results; each row sums to 1 within 1e-6",
    "log_softmax": "at most 2 ULP",
    "logsumexp": "at most 2 ULP, of max(x) where the result is near its root",
    "hardmax": "none",
    "sparsemax": "1 ULP of 1",
}
AXIS = (
    "    The axis along which a row lies; a tuple of them, or None for all, makes one row of several dimensions. "
    "An xarray.DataArray takes names of dimensions as well."
)


def _docstring(record: RowActivation, operation: str) -> str:
    """Formula, operands, axis, mask, dtypes, range, error bound, errors and source of one function."""
    name = record.name
    if operation == "backward":
        lead = f"The gradient with respect to the argument of {name}, from its result y = {name}(x)."
        operands = [
            "grad : array_like",
            "    The gradient with respect to y.",
            "y : array_like",
            f"    The result of {name}, not its argument.",
        ]
    else:
        lead = record.summary
        operands = ["x : array_like", "    Real numbers."]
    lines = [
        lead,
        "",
        f"    {name}(x) = {record.formula}",
        "",
        "Parameters",
        "----------",
        *operands,
        "axis : int, tuple of int or None, default -1",
        AXIS,
        "out : ndarray, optional",
        "    Where the result goes; it may be an operand itself, which takes no memory.",
    ]
    if operation == "value":
        nothing = "-inf" if record.reduces else f"all {record.masked:g}"
        left_out = "" if record.reduces else f" Entries where it is false get {record.masked:g}."
        lines += [
            "where : array_like of bool, optional",
            f"    The entries of a row that take part; broadcasts against x.{left_out} A row with nothing left is "
            f"{nothing}.",
            "dtype : dtype, optional",
            "    What to compute in, and the dtype of a new result.",
        ]
    if record.reduces:
        lines += ["keepdims : bool, default False", "    Whether the axis stays, with length 1."]
    lines += [
        "",
        "Returns",
        "-------",
        "ndarray, or what array type the operand had" if not record.reduces else "ndarray or scalar",
        "    float16, bfloat16, float32, float64 and longdouble keep their dtype; bool and 8/16-bit integers give "
        "float32, wider integers float64.",
        "",
        "Notes",
        "-----",
    ]
    if operation == "value":
        lines += [
            f"Range: {record.range}.",
            f"Largest error: {ERRORS[name]}; float16 and bfloat16 are rounded once from float32.",
        ]
    lines += [
        "NaN makes its whole row NaN, and no other; no floating-point warning is ever raised.",
        "",
        "Raises",
        "------",
        "numpy.exceptions.AxisError",
        "    For an axis that the operand does not have.",
        "TypeError",
        "    For complex, object and other operands that are not real numbers, and for an unfit out.",
        "ValueError",
        "    For an axis given twice, and an out of another shape or read-only.",
        "",
        "References",
        "----------",
        f"{record.source}.",
    ]
    return "\n".join(lines)


class _Rows:
    """One operation on rows, over an engine's loops: everything that NumPy's machinery leaves to its callers."""

    def __init__(self, record: RowActivation, operation: str, engine: Any) -> None:
        self.record, self.operation, self.engine = record, operation, engine
        self.inputs = ("grad", "y") if operation == "backward" else ("x",)
        self.reduces = record.reduces and operation == "value"
        self._ufuncs: dict[tuple[bool, ...], Any] = {}
        self.plain = self._ufunc(np.dtype(np.float32), masked=False, several=False)

    def _ufunc(self, loop: np.dtype[Any], masked: bool, several: bool) -> Any:
        """The generalised ufunc, with a mask or without, over rows of one dimension or several."""
        key = masked, several, loop.char == "g"
        if key not in self._ufuncs:
            ufunc = self._ufuncs[key] = self.engine.make_row_ufunc(self.record, self.operation, *key)
            setattr(_ufuncs, ufunc.__name__, ufunc)  # where pickle finds it
        return self._ufuncs[key]

    def call(self, given: tuple[Any, ...], axis: Any, out: Any, where: Any, dtype: Any, keepdims: bool) -> Any:
        """Computes a call, whatever is passed."""
        if out is not None and not isinstance(out, np.ndarray):
            raise TypeError(f"{self.record.name}: out is a {_foreign.type_name(out)}, expected a numpy.ndarray")
        rules = _foreign.rules_for(given)
        if rules is not None:
            if out is not None:
                types = ", ".join(map(_foreign.type_name, given))
                raise TypeError(f"{self.record.name}: out is not there for {types}")
            return rules(self, given, axis, where, dtype, keepdims)
        _foreign.check_labels(self.record.name, given)
        arrays = [np.asarray(operand) for operand in given]
        loop = self.loop_dtype(arrays, dtype)
        if len(arrays) > 1:
            arrays = list(np.broadcast_arrays(*arrays))
        mask = self._mask(where, given, arrays[0].shape)
        computed_mask = mask
        if mask is not None and self.operation == "backward":
            # Entries that are left out get no gradient, and give none to the others.
            arrays = [np.where(mask, array, fill) for array, fill in zip(arrays, (0, self.record.masked), strict=True)]
            computed_mask = None
        axes = self.axes(axis, arrays[0].ndim)
        if self.reduces and axis is not None and isinstance(given[-1], np.matrix):
            keepdims = True  # as NumPy's own reductions: a matrix always has two dimensions
        self._check_out(out, self._result_shape(arrays[0].shape, axes, keepdims), loop)
        with np.errstate(all="ignore"):
            result = self._compute(arrays, axes, out, computed_mask, loop, keepdims)
        return result if out is not None else self._wrap(result, given[-1], axes, keepdims, mask)

    # ---- the rules ----------------------------------------------------------------------------------------------

    def loop_dtype(self, arrays: list[Any], dtype: Any) -> np.dtype[Any]:
        """The dtype that is computed in."""
        natural = _promotion.result_dtype(self.record.name, self.inputs, [array.dtype for array in arrays], False)
        if dtype is None:
            return natural
        chosen: np.dtype[Any] = np.dtype(dtype)
        if not _promotion.is_float(chosen):
            raise TypeError(f"{self.record.name}: dtype is {chosen}, expected a floating-point dtype")
        return chosen

    @staticmethod
    def axes(axis: Any, ndim: int) -> tuple[int, ...]:
        """The axes that a row lies along, in order."""
        if axis is None:
            return tuple(range(ndim))
        given = axis if isinstance(axis, tuple) else (axis,)
        axes = {normalize_axis_index(operator.index(one), ndim) for one in given}
        if len(axes) < len(given):
            raise ValueError("duplicate value in 'axis'")
        return tuple(sorted(axes))

    def _result_shape(self, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
        if not self.reduces:
            return shape
        if keepdims:
            return tuple(1 if k in axes else n for k, n in enumerate(shape))
        return tuple(n for k, n in enumerate(shape) if k not in axes)

    def _check_out(self, out: Any, shape: tuple[int, ...], loop: np.dtype[Any]) -> None:
        """Refuses an `out` that cannot take the result, before anything is written."""
        if out is None:
            return
        if out.shape != shape:
            raise ValueError(f"{self.record.name}: out has shape {out.shape}, expected {shape}")
        if not np.can_cast(loop, out.dtype, "same_kind"):
            raise TypeError(f"{self.record.name}: out has dtype {out.dtype}, expected one that {loop} can be cast to")
        if not out.flags.writeable:
            raise ValueError(f"{self.record.name}: out is read-only")

    def _mask(self, where: Any, given: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
        """The entries that take part: those that `where` says, less those that a masked array leaves out."""
        masks = [] if where is None else [np.asarray(where)]
        masks += [~np.ma.getmaskarray(operand) for operand in given if _is_masked(operand)]
        if not masks:
            return None
        if masks[0].dtype != bool:
            raise TypeError(f"{self.record.name}: where has dtype {masks[0].dtype}, expected bool")
        mask = functools.reduce(np.logical_and, masks)
        try:
            return np.broadcast_to(mask, shape)
        except ValueError:
            raise ValueError(
                f"{self.record.name}: where has shape {mask.shape}, which cannot be broadcast to {shape}"
            ) from None

    # ---- the computation ----------------------------------------------------------------------------------------

    def _compute(
        self, arrays: list[Any], axes: tuple[int, ...], out: Any, where: Any, loop: np.dtype[Any], keepdims: bool
    ) -> Any:
        if len(axes) > MAX_ROW_DIMENSIONS:
            return self._compute_joined(arrays, axes, out, where, loop, keepdims)
        shape = self._result_shape(arrays[0].shape, axes, keepdims)
        result = out
        if out is None:
            result = np.empty(shape, loop) if self.reduces else np.empty_like(arrays[0], dtype=loop, subok=False)
        ready = result.dtype == loop and result.flags.aligned
        target = result if ready else np.empty(shape, loop)
        operands = self._cast(arrays, target, loop)
        if where is not None:
            operands.append(where)
        if self.reduces:
            place = target.reshape(self._result_shape(arrays[0].shape, axes, False))
        else:
            place = _rows_last(target, axes)
        ufunc = self._ufunc(loop, masked=where is not None, several=len(axes) != 1)
        ufunc(*(_rows_last(operand, axes) for operand in operands), out=place)
        if target is not result:
            np.copyto(result, target, casting="same_kind")
        return result

    def _compute_joined(
        self, arrays: list[Any], axes: tuple[int, ...], out: Any, where: Any, loop: np.dtype[Any], keepdims: bool
    ) -> Any:
        """Joins a row of very many dimensions in copies, since no view can."""
        shape = arrays[0].shape
        outer = tuple(n for k, n in enumerate(shape) if k not in axes)
        last = range(len(outer), len(shape))
        flat = [np.moveaxis(array, axes, last).reshape(*outer, -1) for array in arrays]
        mask = None if where is None else np.moveaxis(where, axes, last).reshape(*outer, -1)
        result = self._compute(flat, (len(outer),), None, mask, loop, False)
        if self.reduces:
            result = result.reshape(self._result_shape(shape, axes, keepdims))
        else:
            result = np.moveaxis(result.reshape(*outer, *(shape[k] for k in axes)), last, axes)
        if out is None:
            return result
        np.copyto(out, result, casting="same_kind")
        return out

    def _cast(self, arrays: list[Any], target: Any, loop: np.dtype[Any]) -> list[Any]:
        """The operands in the type of the loop; one that must be cast is cast into the memory of the result."""
        operands = []
        spare = None if self.reduces or any(np.may_share_memory(array, target) for array in arrays) else target
        for array in arrays:
            if array.dtype == loop and array.dtype.isnative and array.flags.aligned:
                operands.append(array)
            elif spare is not None:
                np.copyto(spare, array, casting="unsafe")
                operands.append(spare)
                spare = None
            else:
                operands.append(array.astype(loop))
        return operands

    def _wrap(self, result: Any, given: Any, axes: tuple[int, ...], keepdims: bool, mask: Any) -> Any:
        """The result in the type of what was given, with its labels."""
        if _is_masked(given):
            left_out = np.logical_not(mask)
            if self.reduces:
                left_out = left_out.all(axis=axes, keepdims=keepdims)
            return np.ma.array(result, mask=left_out)
        if isinstance(given, np.matrix) and result.ndim == 0:
            return result[()]
        if isinstance(given, np.ndarray) and type(given) is not np.ndarray:
            return given.__array_wrap__(result, None, result.ndim == 0)
        if not keepdims:
            result = _foreign.with_pandas_labels(result, given, axes)
        return result[()] if result.ndim == 0 else result


def _rows_last(array: Any, axes: tuple[int, ...]) -> Any:
    """A view whose last dimension is the row; or its last MAX_ROW_DIMENSIONS, for rows of any other number of them."""
    outer = array.ndim - len(axes)
    moved = np.moveaxis(array, axes, range(outer, array.ndim))
    if len(axes) == 1:
        return moved
    return moved[(slice(None),) * outer + (np.newaxis,) * (MAX_ROW_DIMENSIONS - len(axes))]


def _is_masked(value: Any) -> bool:
    return isinstance(value, np.ma.MaskedArray)
