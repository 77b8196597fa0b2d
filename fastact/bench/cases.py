"""What is measured: cases, made by walking the table of activations."""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import fastact
import fastact.backward

OPERATIONS = ("value", "backward")
DTYPES = ("float64", "float32", "float16", "bfloat16")
INPUTS = ("normal", "subnormal")
SIZES = "100,4Ki,64Ki,1Mi,16Mi"
ROW_SHAPES = "131072x128,16384x1000,512x32768,8x2Mi,1000x16384@0,64x1000"
SUFFIXES = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20}
MAX_DIMENSIONS = 2


@dataclass(frozen=True)
class Case:
    """One thing to measure: a function, or its gradient, on arrays of one dtype and shape, on so many threads.

    The shape is that of the function's operands. In place, a gradient is written over the one that it is made from.
    """

    function: str
    dtype: str
    shape: tuple[int, ...]
    axis: int | None = None
    threads: int = 1
    in_place: bool = False
    inputs: str = "normal"
    operation: str = "value"

    @property
    def size(self) -> int:
        """The number of elements of an operand."""
        return math.prod(self.shape)

    @property
    def shape_text(self) -> str:
        """The shape, and the axis where it is not the last."""
        text = " x ".join(_short(n) for n in self.shape)
        return f"{text}, axis {self.axis}" if self.axis not in (None, -1) else text

    @property
    def setting(self) -> str:
        """Everything but the function and the shape, in words."""
        words = [] if self.operation == "value" else [self.operation]
        words += [self.dtype, "1 thread" if self.threads == 1 else f"{self.threads} threads"]
        if self.in_place:
            words.append("in place")
        if self.inputs != "normal":
            words.append(f"{self.inputs} results")
        return ", ".join(words)

    def __str__(self) -> str:
        """Name the whole case in a line."""
        return f"{self.function} {self.shape_text}, {self.setting}"

    def to_json(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Case:
        """The case that `to_json` has written; before there were operations, all were values."""
        return cls(**{**fields, "shape": tuple(fields["shape"])})


@dataclass(frozen=True)
class Shape:
    """The shape that a user asks for: a plain count of elements, or rows x columns with the axis to work along."""

    dims: tuple[int, ...]
    axis: int = -1

    def for_function(self, rowwise: bool) -> tuple[int, ...]:
        """A count of elements becomes rows of 1000 for a function that works along rows."""
        if not rowwise or len(self.dims) > 1:
            return self.dims
        columns = min(self.dims[0], 1000)
        return (self.dims[0] // columns, columns)


@dataclass(frozen=True)
class Sweep:
    """A block of the plan: every combination of what it lists."""

    functions: tuple[str, ...]
    shapes: tuple[Shape, ...]
    dtypes: tuple[str, ...] = ("float32",)
    threads: tuple[int, ...] = (1,)
    in_place: tuple[bool, ...] = (False,)
    inputs: tuple[str, ...] = ("normal",)
    operations: tuple[str, ...] = ("value",)

    def cases(self) -> Iterator[Case]:
        """The combinations that make sense."""
        for threads, dtype, operation, shape, in_place, inputs, function in itertools.product(
            self.threads, self.dtypes, self.operations, self.shapes, self.in_place, self.inputs, self.functions
        ):
            rowwise = is_rowwise(function)
            if not has(function, operation) or (in_place and not works_in_place(function, operation)):
                continue
            dims, axis = shape.for_function(rowwise), shape.axis if rowwise else None
            yield Case(function, dtype, dims, axis, threads, in_place, inputs, operation)


def functions() -> tuple[str, ...]:
    """Every activation of the table that this engine has, in the table's order."""
    return tuple(name for name in fastact.activations if hasattr(fastact, name))


def published(function: str, operation: str) -> Callable[..., Any]:
    """What fastact's users call."""
    call: Callable[..., Any] = getattr(fastact if operation == "value" else fastact.backward, function)
    return call


def has(function: str, operation: str) -> bool:
    """Whether there is something to call: a few functions have no gradient."""
    return hasattr(fastact if operation == "value" else fastact.backward, function)


def operand_names(function: str, operation: str = "value") -> tuple[str, ...]:
    """The arrays that an operation takes; glu, which splits its one array along an axis, is documented by two."""
    names = ("x",) if is_rowwise(function) else fastact.activations[function].operands
    if operation == "value":
        return names
    return ("grad", "y") if takes_result(function) else ("grad", *names)


def is_rowwise(function: str) -> bool:
    """Whether a function works along an axis."""
    call = getattr(fastact, function)
    return not isinstance(call, np.ufunc) and "axis" in inspect.signature(call).parameters


def takes_result(function: str) -> bool:
    """Whether a gradient is computed from the function's result, not from its operand."""
    return is_rowwise(function) and not fastact.activations[function].halved


def works_in_place(function: str, operation: str = "value") -> bool:
    """Whether there is one result and it has the first operand's shape, so that it can be written over it."""
    x = np.full((2, 2), 0.5, np.float32)
    operands = [x] * len(operand_names(function))
    result = published(function, "value")(*operands, **parameters(function))
    return bool(result.shape == x.shape) and (operation == "value" or len(operands) == 1)


def parameters(function: str) -> dict[str, float]:
    """The parameters that a function is measured with: its defaults, and examples of what has none."""
    return fastact.activations[function].typical_parameters


def survey(threads: int) -> list[Case]:
    """The full measurement: every dimension at its interesting values, not their whole product."""
    rowwise = tuple(name for name in functions() if is_rowwise(name))
    elementwise = tuple(name for name in functions() if name not in rowwise)
    in_cache, in_memory, batch = parse_shapes("64Ki"), parse_shapes("16Mi"), parse_shapes("64x1000")
    backward = ("backward",)
    sweeps = [
        Sweep(elementwise, parse_shapes(SIZES)),
        Sweep(elementwise, in_cache, dtypes=("float64", "float16", "bfloat16")),
        Sweep(elementwise, in_cache, in_place=(True,)),
        Sweep(elementwise, in_cache, inputs=("subnormal",)),
        Sweep(rowwise, parse_shapes(ROW_SHAPES)),
        Sweep(elementwise, in_cache, threads=(threads,)),
        Sweep(elementwise, in_memory, threads=(threads,)),
        Sweep(elementwise, in_memory, threads=(threads,), in_place=(True,)),
        Sweep(rowwise, parse_shapes("16384x1000"), threads=(threads,)),
        Sweep(elementwise, in_cache, operations=backward),
        Sweep(elementwise, in_cache, in_place=(True,), operations=backward),
        Sweep(elementwise, in_memory, threads=(threads,), operations=backward),
        Sweep(rowwise, batch, operations=backward),
        Sweep(rowwise, parse_shapes("16384x1000"), threads=(threads,), operations=backward),
    ]
    return distinct(case for sweep in sweeps for case in sweep.cases())


def quick(threads: int, operations: tuple[str, ...] = ("value",)) -> list[Case]:
    """In cache on one thread and in memory on all of them, for every function."""
    sweeps = [
        Sweep(functions(), parse_shapes("64Ki"), operations=operations),
        Sweep(functions(), parse_shapes("4Mi"), threads=(threads,), operations=operations),
    ]
    return distinct(case for sweep in sweeps for case in sweep.cases())


def distinct(cases: Iterable[Case]) -> list[Case]:
    """The cases in their order, each once."""
    return list(dict.fromkeys(cases))


def parse_shapes(text: str) -> tuple[Shape, ...]:
    """Reads `100,64Ki,16384x1000,1000x16384@0`: counts of elements, or rows x columns with an axis."""
    return tuple(parse_shape(part.strip()) for part in text.split(","))


def parse_shape(text: str) -> Shape:
    """Reads one of them; ValueError with the text if it is none."""
    dims, at, axis = text.partition("@")
    try:
        shape = tuple(_count(dim) for dim in dims.split("x"))
        chosen = int(axis) if at else -1
    except ValueError:
        raise ValueError(text) from None
    if len(shape) > MAX_DIMENSIONS or not -len(shape) <= chosen < len(shape):
        raise ValueError(text)
    return Shape(shape, chosen)


def _count(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]*)(Ki|Mi|)", text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * SUFFIXES[match[2]]


def _short(n: int) -> str:
    """65536 as 64 Ki: powers of two are easier to recognise that way."""
    for suffix in ("Mi", "Ki"):
        if n % SUFFIXES[suffix] == 0 and n >= SUFFIXES[suffix]:
            return f"{n // SUFFIXES[suffix]} {suffix}"
    return str(n)
