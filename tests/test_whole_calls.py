"""Whole calls, drawn at random: any function, on operands of any dtype, shape and layout, with any output and mask.

Each operand lies in memory that is full of known bytes, and an output may lie over an operand. A call must answer with
the bits that plain arrays get, those must be true, and no byte may change but those of the entries it was to write. A
call with a flaw must be refused in one line, and change no byte at all.

The same calls are drawn in every run. FASTACT_EXAMPLES=10000 draws that many others instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gmpy2
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastact
from fastact._public import engine
from fastact._rowwise import RowActivation
from tests import oracle, oracle_rowwise
from tests.catalogue import RECORDS, Loop, dtype_of, points
from tests.test_rowwise import BOUNDS, EXPONENTIAL, ONE_ULP, expected

pytest.importorskip("ml_dtypes")

Array = Any
FLOATS = ("float16", "bfloat16", "float32", "float64", "longdouble")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
OUTPUTS = {  # dtypes that take a result exactly
    "float16": ("float16", "float32", "float64"),
    "float32": ("float32", "float64", "longdouble"),
    "float64": ("float64", "longdouble"),
}
GRADIENTS = (-1.75, -1.0, -0.625, 0.5, 1.0, 1.25)
FAR = 40  # elements that an output may lie off an operand
MARGIN = 64 + 16 * FAR  # bytes around everything

asked = int(os.environ.get("FASTACT_EXAMPLES", "0"))


def drawn(examples: int, numba: int | None = None) -> Any:
    """So many examples, or fewer where each function that is drawn must be compiled first."""
    return settings(
        max_examples=asked or (numba if numba and engine.name == "numba" else examples),
        derandomize=not asked,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


# ---- arrays in memory ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """How an array lies in memory.

    `order` has its axes from the outermost to the innermost; the `steps` between their entries may be negative, leave
    gaps, or be 0, which repeats one entry. `off` bytes are added to an aligned address.
    """

    order: tuple[int, ...]
    steps: tuple[int, ...]
    off: int = 0
    swapped: bool = False

    def strides(self, shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
        strides, extent = [0] * len(shape), itemsize
        for axis in reversed(self.order):
            strides[axis] = self.steps[axis] * extent
            extent *= max(1, abs(self.steps[axis]) * shape[axis])
        return tuple(strides)

    def dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return dtype.newbyteorder() if self.swapped and dtype.name != "bfloat16" else dtype


def array_in(memory: Array, shift: int, shape: tuple[int, ...], dtype: np.dtype[Any], layout: Layout) -> Array:
    """An array over `memory` whose entries lie from its margin on, or `shift` bytes off."""
    strides = layout.strides(shape, dtype.itemsize)
    backwards = sum(stride * (n - 1) for stride, n in zip(strides, shape, strict=True) if stride < 0 and n > 0)
    return np.ndarray(shape, layout.dtype(dtype), memory, MARGIN + shift + layout.off - backwards, strides)


def memory_for(*arrays: tuple[tuple[int, ...], np.dtype[Any], Layout]) -> Array:
    """Memory that has room for each of these, with a margin around it."""
    extents = [
        sum(abs(stride) * n for stride, n in zip(layout.strides(shape, dtype.itemsize), shape, strict=True))
        for shape, dtype, layout in arrays
    ]
    return np.full(max(extents) + 2 * MARGIN, 0xA5, np.uint8)


def bytes_of(memory: Array, array: Array, mask: Array) -> Array:
    """Which bytes of the memory belong to the entries of an array that a mask takes."""
    belongs = np.zeros(memory.size, bool)
    start = array.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    view = np.ndarray((*array.shape, array.itemsize), bool, belongs, start, (*array.strides, 1))
    np.logical_or(view, np.asarray(mask)[..., np.newaxis], out=view)
    return belongs


def plain(array: Array) -> Array:
    """The same values in a contiguous array of native byte order."""
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def assert_same_bits(result: Array, reference: Array) -> None:
    assert (result.shape, result.dtype) == (reference.shape, reference.dtype.newbyteorder(result.dtype.byteorder))
    with np.errstate(invalid="ignore"):  # ml_dtypes asks a signalling NaN, which identity lets through
        isnan = np.isnan(reference)
        np.testing.assert_array_equal(np.isnan(result), isnan)
    numbers, expected_numbers = result[~isnan], reference[~isnan]
    np.testing.assert_array_equal(numbers, expected_numbers)
    np.testing.assert_array_equal(np.signbit(numbers), np.signbit(expected_numbers))


@st.composite
def layouts(draw: Any, ndim: int, repeats: bool = False) -> Layout:
    if draw(st.booleans()):
        return Layout(tuple(range(ndim)), (1,) * ndim)
    steps = st.sampled_from((1, 1, -1, 2, -2, 3, 0) if repeats else (1, 1, -1, 2, -2, 3))
    return Layout(
        order=draw(st.permutations(range(ndim)).map(tuple)),
        steps=tuple(draw(st.lists(steps, min_size=ndim, max_size=ndim))),
        off=draw(st.sampled_from((0, 0, 1, 2, 4))),
        swapped=draw(st.booleans()),
    )


SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    st.tuples(st.integers(0, 300)),
    st.tuples(st.integers(1, 3), st.integers(1, 100)),
)


@dataclass(frozen=True)
class Output:
    """An array that is given for the result: of its own, the operand itself (`over` is 0), or so many elements off."""

    dtype: str
    layout: Layout
    over: int | None


@st.composite
def outputs(draw: Any, dtype: str, ndim: int) -> Output:
    over = draw(st.one_of(st.none(), st.just(0), st.integers(-FAR, FAR)))
    return Output(draw(st.sampled_from(OUTPUTS.get(dtype, (dtype,)))), draw(layouts(ndim)), over)


def prepared(
    values: list[Array], inputs: tuple[Layout, ...], output: Output | None, shape: tuple[int, ...]
) -> tuple[list[Array], Array, list[Array]]:
    """The operands in their layouts, the output if there is one, and all memory that they lie in."""
    rooms = [[(array.shape, array.dtype, layout)] for array, layout in zip(values, inputs, strict=True)]
    if output is not None:
        rooms[-1].append((shape, dtype_of(output.dtype), output.layout))
    memories = [memory_for(*room) for room in rooms]
    operands = []
    for array, layout, memory in zip(values, inputs, memories, strict=True):
        operand = array_in(memory, 0, array.shape, array.dtype, layout)
        operand[...] = array
        operands.append(operand)
    if output is None:
        return operands, None, memories
    dtype, last = dtype_of(output.dtype), operands[-1]
    if output.over == 0 and (last.shape, last.dtype) == (shape, dtype) and 0 not in inputs[-1].steps:
        return operands, last, memories
    if output.over is None:
        memories.append(memory_for(*rooms[-1]))
    shift = (output.over or 0) * dtype.itemsize
    return operands, array_in(memories[-1], shift, shape, dtype, output.layout), memories


# ---- elementwise -----------------------------------------------------------------------------------------------------

ELEMENTWISE = [
    Loop(record, operation)
    for record in RECORDS
    for operation in ("value", "derivative", "backward")
    if engine.has(record, operation)
    and (len(record.operands) == 1 or (operation == "value" and not record.halved))  # others give pairs of results
]


@dataclass(frozen=True)
class ElementwiseCall:
    """What a call of an elementwise function is made of; `seed` makes its values and its mask."""

    name: str
    operation: str
    dtype: str
    shape: tuple[int, ...]
    inputs: tuple[Layout, ...]  # one for each operand
    per_entry: bool  # whether parameters are arrays along the last axis
    output: Output | None
    mask: Layout | None
    seed: int

    @property
    def loop(self) -> Loop:
        return Loop(fastact.activations[self.name], self.operation)

    @property
    def function(self) -> Callable[..., Any]:
        return self.loop.published

    @property
    def result_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def keywords(self) -> dict[str, Any]:
        return {}

    @property
    def computing(self) -> str:
        """The name of the dtype that is computed in."""
        if self.dtype in FLOATS or self.loop.record.keeps_integers:
            return self.dtype
        return "float32" if dtype_of(self.dtype).itemsize <= 2 else "float64"

    def values(self) -> list[Array]:
        """One array of values for each operand: x, or grad and x, or a gate and what it lets through."""
        generator, kind = np.random.default_rng(self.seed), dtype_of(self.dtype)
        if self.dtype in FLOATS:
            x = np.asarray(generator.choice(points(self.name, self.dtype), self.shape))
            if self.output is not None and self.output.dtype != self.dtype:
                x[np.isnan(x)] = np.nan  # NumPy's casts warn of a NaN that signals
            others = [generator.choice(np.array(GRADIENTS).astype(kind), self.shape) for _ in self.inputs[1:]]
        else:
            least, most = {"b": (0, 1), "u": (0, 7), "i": (-7, 7)}[kind.kind]  # whose products fit int8
            x, *others = (generator.integers(least, most, self.shape, endpoint=True).astype(kind) for _ in self.inputs)
        operands = [x, *others] if self.operation == "value" else [*others, x]
        return [np.asarray(operand) for operand in operands]

    @property
    def parameter_arrays(self) -> list[Array]:
        """A parameter for each place along the last axis, where the call is to have such."""
        if not (self.per_entry and self.shape and self.dtype in FLOATS):
            return []
        steps = np.arange(self.shape[-1]) % 3 / 4
        return [(value + steps).astype(dtype_of(self.dtype)) for value in self.loop.record.typical_parameters.values()]

    @property
    def parameters(self) -> list[Any]:
        """What is given after the operands."""
        parameters = self.loop.record.parameters.values()
        return self.parameter_arrays or [parameter.typical for parameter in parameters if parameter.default is None]

    def true(self, operands: list[Array]) -> Array:
        """What the oracle says of each entry, in C order."""
        kind = dtype_of(self.computing)
        *grad, x = (operand.astype(kind).ravel() for operand in operands)
        arrays = [*grad, x] if self.operation == "value" else [x]
        parameters = [np.broadcast_to(array, self.shape).ravel() for array in self.parameter_arrays]
        parameters = parameters or self.loop.inputs(x)[len(self.loop.record.operands) :]
        m = oracle.arithmetic_for(self.computing) if self.computing in FLOATS else oracle.LongDouble
        name = self.name + ("" if self.operation == "value" else "_derivative")
        true = oracle.exact(name, *arrays, *parameters, m=m)
        if self.operation != "backward":
            return true
        with np.errstate(all="ignore"), gmpy2.context(precision=oracle.PRECISION):
            return m.array(grad[0]) * true


@st.composite
def elementwise_calls(draw: Any, with_output: bool = False) -> ElementwiseCall:
    loop = draw(st.sampled_from(ELEMENTWISE))
    dtype = draw(st.one_of(st.sampled_from(FLOATS), st.sampled_from(("bool", *INTEGERS))))
    shape = draw(SHAPES)
    count = len(loop.record.operands) + (loop.operation == "backward")
    call = ElementwiseCall(
        name=loop.record.name,
        operation=loop.operation,
        dtype=dtype,
        shape=shape,
        inputs=tuple(draw(layouts(len(shape), repeats=True)) for _ in range(count)),
        per_entry=draw(st.booleans()),
        output=None,
        mask=None,
        seed=draw(st.integers(0, 2**32 - 1)),
    )
    if with_output or draw(st.booleans()):
        output, mask = draw(outputs(call.computing, len(shape))), draw(st.one_of(st.none(), layouts(len(shape), True)))
        if mask and output.dtype != call.computing:
            # Where a ufunc casts into an output over its operand, NumPy copies the whole output back, rounded.
            output = replace(output, over=None)
        call = replace(call, output=output, mask=mask)
    return call


def mask_for(call: Any, shape: tuple[int, ...]) -> Array:
    """The call's mask, in its layout."""
    mask = array_in(memory_for((shape, np.dtype(bool), call.mask)), 0, shape, np.dtype(bool), call.mask)
    mask[...] = np.random.default_rng(call.seed).random(shape) < 0.6
    return mask


def assert_true(call: ElementwiseCall, operands: list[Array], result: Array) -> None:
    if call.dtype == "bool" and call.computing == "bool":
        return  # it has no sums and products
    true = call.true(operands)
    if call.computing in INTEGERS:
        np.testing.assert_array_equal(result.astype(np.longdouble).ravel(), true)
        return
    loop = Loop(call.loop.record, "value" if call.operation == "value" else "derivative")
    bar = loop.bar(call.computing)
    if bar >= 1:  # one rounding more for each product with a gradient or a parameter
        bar += (call.operation == "backward") + bool(call.parameter_arrays)
    least_exponent = loop.least_exponent(operands[-1].astype(dtype_of(call.computing)).ravel())
    m = oracle.arithmetic_for(call.computing)
    error = oracle.ulp_error(result.ravel(), true, call.computing, m, least_exponent)
    assert np.max(error, initial=0) <= bar


@drawn(800, numba=150)
@given(elementwise_calls())
def test_elementwise(call: ElementwiseCall) -> None:
    operands, out, memories = prepared(call.values(), call.inputs, call.output, call.shape)
    values = [plain(operand) for operand in operands]  # those that were repeated are fewer
    before = [memory.copy() for memory in memories]
    reference = np.asarray(call.function(*values, *call.parameters))
    assert reference.dtype == dtype_of(call.computing) or call.dtype == "bool"
    assert_true(call, values, reference)

    mask = np.True_
    keywords: dict[str, Any] = {}
    if out is not None:
        keywords["out"] = out
    if call.mask is not None:
        keywords["where"] = mask = mask_for(call, call.shape)
    result = call.function(*operands, *call.parameters, **keywords)
    if out is None:
        assert_same_bits(np.asarray(result), reference)
    else:
        assert result is out
        taken = np.broadcast_to(mask, out.shape)
        assert_same_bits(out[taken], reference.astype(out.dtype)[taken])
    assert_only_written(memories, before, out, mask)


def assert_only_written(memories: list[Array], before: list[Array], out: Array | None, mask: Array) -> None:
    """No byte has changed but those of the output's entries that the mask takes; the output lies in the last memory."""
    for memory, old in zip(memories, before, strict=True):
        changed = memory != old
        if out is not None and memory is memories[-1]:
            changed &= ~bytes_of(memory, out, mask)
        assert not changed.any()


# ---- two gradients at once -------------------------------------------------------------------------------------------

PAIRS = [record.name for record in RECORDS if len(record.operands) == 2 and not record.halved]


@dataclass(frozen=True)
class PairCall:
    """A backward pass of a function of two operands; `targets` says which operands its gradients are written over."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    inputs: tuple[Layout, ...]  # of grad and of both operands
    targets: tuple[int | None, ...]
    seed: int


@st.composite
def pair_calls(draw: Any) -> PairCall:
    shape = draw(SHAPES)
    return PairCall(
        name=draw(st.sampled_from(PAIRS)),
        dtype=draw(st.sampled_from(FLOATS)),
        shape=shape,
        inputs=tuple(draw(layouts(len(shape))) for _ in range(3)),
        targets=tuple(draw(st.permutations((0, 1, 2, None, None))))[:2],
        seed=draw(st.integers(0, 2**32 - 1)),
    )


@drawn(200, numba=100)
@given(pair_calls())
def test_both_gradients(call: PairCall) -> None:
    generator, backward = np.random.default_rng(call.seed), getattr(fastact.backward, call.name)
    values = [np.asarray(generator.normal(0, 3, call.shape)).astype(dtype_of(call.dtype)) for _ in call.inputs]
    operands, _, memories = prepared(values, call.inputs, None, call.shape)
    before = [memory.copy() for memory in memories]
    references = backward(*values)
    results = backward(*operands, out=tuple(None if k is None else operands[k] for k in call.targets))
    for result, reference, k in zip(results, references, call.targets, strict=True):
        assert k is None or result is operands[k]
        assert_same_bits(np.asarray(result), np.asarray(reference))
    for k, (memory, old) in enumerate(zip(memories, before, strict=True)):
        assert_only_written([memory], [old], operands[k] if k in call.targets else None, np.True_)


# ---- row-wise --------------------------------------------------------------------------------------------------------

ROWWISE = [
    (name, operation)
    for name, record in fastact.activations.items()
    for operation in ("value", "backward")
    if isinstance(record, RowActivation) and engine.has(record, operation)
]
# What two orders of summing a row may differ by, in units of the largest number of the call.
REORDERED = 16


@dataclass(frozen=True)
class RowwiseCall:
    """What a call of a row-wise function is made of; `seed` makes its values and its mask."""

    name: str
    operation: str
    dtype: str
    shape: tuple[int, ...]
    inputs: tuple[Layout, ...]
    axis: int | tuple[int, ...] | None
    keepdims: bool
    output: Output | None
    mask: Layout | None
    seed: int

    @property
    def function(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(fastact if self.operation == "value" else fastact.backward, self.name)
        return function

    @property
    def parameters(self) -> list[Any]:
        return []

    @property
    def keywords(self) -> dict[str, Any]:
        return {"axis": self.axis, "keepdims": True} if self.keepdims else {"axis": self.axis}

    @property
    def reduces(self) -> bool:
        record = fastact.activations[self.name]
        return isinstance(record, RowActivation) and record.reduces

    @property
    def computing(self) -> str:
        if self.dtype in FLOATS:
            return self.dtype
        return "float32" if dtype_of(self.dtype).itemsize <= 2 else "float64"

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that a row lies along, counted from the front."""
        if self.axis is None:
            return tuple(range(len(self.shape)))
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return tuple(sorted(axis % len(self.shape) for axis in axes))

    @property
    def result_shape(self) -> tuple[int, ...]:
        if not self.reduces:
            return self.shape
        if self.keepdims:
            return tuple(1 if k in self.axes else n for k, n in enumerate(self.shape))
        return tuple(n for k, n in enumerate(self.shape) if k not in self.axes)

    def values(self) -> list[Array]:
        generator, kind = np.random.default_rng(self.seed), dtype_of(self.dtype)
        if self.dtype in FLOATS:
            return [np.asarray(generator.normal(0, 3, self.shape)).astype(kind) for _ in self.inputs]
        low = 0 if kind.kind in "bu" else -9
        return [np.asarray(generator.integers(low, 9, self.shape)).astype(kind) for _ in self.inputs]

    def true(self, x: Array) -> Array:
        """What the oracle says of an unmasked value."""
        outer = [k for k in range(x.ndim) if k not in self.axes]
        rows = x.transpose(*outer, *self.axes).reshape([x.shape[k] for k in outer] + [-1])
        true = np.asarray(expected(self.name, rows))
        if self.reduces:
            return true.reshape(self.result_shape)
        order = [*outer, *self.axes]
        return true.reshape([x.shape[k] for k in order]).transpose(np.argsort(order))


@st.composite
def rowwise_calls(draw: Any, with_output: bool = False) -> RowwiseCall:
    name, operation = draw(st.sampled_from(ROWWISE))
    dtype = draw(st.one_of(st.sampled_from(FLOATS), st.sampled_from(("bool", *INTEGERS))))
    shape = draw(SHAPES)
    ndim = len(shape)
    one_axis = st.integers(-ndim, ndim - 1) if ndim else st.none()
    call = RowwiseCall(
        name=name,
        operation=operation,
        dtype=dtype,
        shape=shape,
        inputs=tuple(draw(layouts(ndim, repeats=True)) for _ in range(1 + (operation == "backward"))),
        axis=draw(st.one_of(one_axis, st.none(), st.sets(st.integers(0, ndim - 1)).map(tuple) if ndim else st.none())),
        keepdims=name == "logsumexp" and draw(st.booleans()),
        output=None,
        mask=draw(st.one_of(st.none(), layouts(ndim, repeats=True))) if operation == "value" else None,
        seed=draw(st.integers(0, 2**32 - 1)),
    )
    if with_output or draw(st.booleans()):
        call = replace(call, output=draw(outputs(call.computing, len(call.result_shape))))
    return call


def assert_true_rows(call: RowwiseCall, x: Array, result: Array) -> None:
    """Within the bars of an unmasked value; half types are rounded once from float32, longdouble from the sums."""
    dtype = call.computing
    if call.operation == "backward" or call.mask is not None or not x.size or dtype in ("bfloat16", "longdouble"):
        return
    true = call.true(x.astype(dtype_of(dtype)))
    if call.name not in EXPONENTIAL:
        np.testing.assert_allclose(result, true.astype(float), atol=ONE_ULP[dtype], rtol=0)
        return
    scale = np.max(np.abs(x.astype(float))) if call.reduces else 0.0
    assert oracle_rowwise.units(result, true, scale) <= BOUNDS[dtype]


@drawn(800)
@given(rowwise_calls())
def test_rowwise(call: RowwiseCall) -> None:
    operands, out, memories = prepared(call.values(), call.inputs, call.output, call.result_shape)
    values = [plain(operand) for operand in operands]
    before = [memory.copy() for memory in memories]
    keywords = call.keywords
    if call.mask is not None:
        keywords["where"] = mask_for(call, call.shape)
    reference = np.asarray(call.function(*values, **keywords))
    assert (reference.shape, reference.dtype) == (call.result_shape, dtype_of(call.computing))
    assert_true_rows(call, values[-1], reference)

    result = call.function(*operands, **keywords, **({} if out is None else {"out": out}))
    assert out is None or result is out
    assert_same_rows(np.asarray(result), reference, values)
    assert_only_written(memories, before, out, np.True_)


def assert_same_rows(result: Array, reference: Array, values: list[Array]) -> None:
    """A row is summed in the order that its layout suggests: the last digits may differ."""
    eps = float(np.finfo(np.float32 if reference.dtype.name == "bfloat16" else reference.dtype).eps)
    if reference.dtype.name == "bfloat16":
        eps = 2.0**-8
    largest = max(np.max(np.abs(array.astype(float)), initial=1) for array in values)
    assert result.shape == reference.shape
    np.testing.assert_allclose(
        result.astype(np.longdouble),
        reference.astype(np.longdouble),
        rtol=REORDERED * eps,
        atol=REORDERED * eps * largest,
    )


# ---- refusals --------------------------------------------------------------------------------------------------------

FLAWS = ("shape of out", "dtype of out", "read-only out", "complex operand", "operand of text", "shape of where",
         "dtype of where", "unknown keyword")  # fmt: skip


@drawn(300)
@given(st.one_of(elementwise_calls(with_output=True), rowwise_calls(with_output=True)), st.sampled_from(FLAWS))
def test_refusals(call: ElementwiseCall | RowwiseCall, flaw: str) -> None:
    """A call with a flaw is refused in one line, and has changed nothing."""
    shape, output = call.result_shape, call.output
    assert output is not None
    if flaw in ("shape of out", "dtype of out"):
        output = replace(output, over=None)
    if flaw == "shape of out":
        # A ufunc may broadcast into a larger output, though not where the operand has another length already.
        assume(shape and shape[0] > 1)
        shape = (shape[0] + 1, *shape[1:])
    if flaw == "dtype of out":
        assume(call.computing != "bool")
        output = replace(output, dtype="bool")
    operands, out, memories = prepared(call.values(), call.inputs, output, shape)
    keywords = call.keywords
    if flaw == "read-only out":
        out.setflags(write=False)
    elif flaw in ("complex operand", "operand of text"):
        operands[0] = np.full(operands[0].shape, 1j if flaw == "complex operand" else "one")
    elif flaw in ("shape of where", "dtype of where"):
        assume(call.operation == "value" and call.shape and call.shape[-1] > 1)
        keywords["where"] = np.ones(call.shape[-1] + (flaw == "shape of where"), bool)
        if flaw == "dtype of where":
            keywords["where"] = keywords["where"].astype(float)
    elif flaw == "unknown keyword":
        keywords["axes_of_rows"] = 0
    before = [memory.copy() for memory in memories]
    with pytest.raises((TypeError, ValueError)) as refusal:
        call.function(*operands, *call.parameters, out=out, **keywords)
    assert str(refusal.value) and "\n" not in str(refusal.value)
    assert_only_written(memories, before, None, np.True_)
