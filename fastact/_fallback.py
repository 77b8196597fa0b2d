"""The engines without a C compiler: the reference formulas over NumPy, and jitted by Numba.

NumPy cannot make a real ufunc from Python, so `ReferenceUfunc` behaves as one: broadcasting, `out=`, `where=`,
`dtype=`, `casting=`, overlap, and other libraries' arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastact import _promotion
from fastact._records import Activation, operation_inputs

# Elements that a formula's temporaries hold at a time: they stay in cache, and no call takes memory of its input's
# size beyond the result.
BLOCK = 8192

Chunk = Callable[..., Any]
Formula = Callable[[np.dtype[Any]], Chunk]


def formula_of(record: Activation, operation: str, xp: Any, scalar: Any) -> Chunk:
    """The formula of a value or derivative, over a namespace and a scalar type."""
    names = ("value", "derivative", *(f"{operand}_derivative" for operand in record.operands[1:]))
    return dict(zip(names, record.make_formulas(xp, scalar), strict=False))[operation]


def numpy_formula(record: Activation, operation: str, scalar: Any) -> Chunk:
    """What computes an operation over NumPy arrays of one type."""
    from fastact import _numpy_namespace

    if operation.endswith("backward"):
        return times_grad(numpy_formula(record, derivative_of(operation), scalar))
    return formula_of(record, operation, _numpy_namespace, scalar)


def compiled_formula(record: Activation, operation: str, dtype: np.dtype[Any]) -> Chunk:
    """What computes an operation over blocks of float32 or float64 in machine code."""
    from numba.np.numpy_support import from_dtype

    from fastact.numba._compiled import block_function

    return block_function(record, operation, from_dtype(dtype))


def derivative_of(backward: str) -> str:
    """The derivative that a backward operation multiplies its gradient with."""
    return backward.removesuffix("backward") + "derivative"


def times_grad(derivative: Chunk) -> Chunk:
    """The backward pass of a derivative."""
    return lambda grad, *inputs: grad * derivative(*inputs)


def computing_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Formulas compute in a wider type than their arrays hold, and round once; nothing is wider than longdouble."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    return dtype if dtype.kind in "iu" or dtype.itemsize >= 8 else np.dtype(np.float64)


class ReferenceUfunc:
    """Behaves as a NumPy ufunc of one output whose inner loop is `compute(*input arrays)`."""

    nout = 1
    signature = None
    identity = None

    def __init__(
        self,
        record: Activation,
        operation: str,
        name: str,
        doc: str,
        formula: Formula,
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        self.inputs = operation_inputs(record, operation)
        self.nin, self.nargs = len(self.inputs), len(self.inputs) + 1
        self._parameters = frozenset(record.parameters)
        self._keeps_integers = record.keeps_integers
        self._formula = formula
        self._formulas: dict[np.dtype[Any], Chunk] = {}

    def __repr__(self) -> str:
        return f"<fastact ufunc {self.__name__!r}>"

    def __reduce__(self) -> str:
        return self.__name__

    def __call__(
        self,
        *args: Any,
        out: Any = None,
        where: Any = True,
        casting: Any = "same_kind",
        order: Any = "K",
        dtype: Any = None,
        subok: bool = True,
    ) -> Any:
        inputs, out = self._operands(args, out)
        keywords = {"casting": casting, "order": order, "dtype": dtype, "subok": subok}
        answer = self._ask_other_types(inputs, out, where, keywords)
        if answer is not NotImplemented:
            return answer
        arrays = [np.asanyarray(operand) for operand in inputs]
        loop = self._loop_dtype(inputs, arrays, dtype)
        with np.errstate(all="ignore"):  # a cast in the iterator would speak of signalling NaN
            result = self._run([np.asarray(array) for array in arrays], out, where, casting, order, loop)
        return self._wrap(result, inputs, arrays, out, subok)

    def _operands(self, args: tuple[Any, ...], out: Any) -> tuple[tuple[Any, ...], Any]:
        """Splits positional arguments into inputs and an output, as a ufunc takes them."""
        if not self.nin <= len(args) <= self.nargs:
            raise TypeError(
                f"{self.__name__}() takes from {self.nin} to {self.nargs} positional arguments but "
                f"{len(args)} were given"
            )
        if len(args) == self.nargs:
            if out is not None:
                raise TypeError("cannot specify 'out' as both a positional and keyword argument")
            out = args[-1]
        if isinstance(out, tuple):
            if len(out) != 1:
                raise ValueError("The 'out' tuple must have exactly one entry per ufunc output")
            out = out[0]
        return args[: self.nin], out

    def _ask_other_types(self, inputs: tuple[Any, ...], out: Any, where: Any, keywords: dict[str, Any]) -> Any:
        """NumPy's protocol: an operand whose type overrides ufuncs answers for the call."""
        operands = [*inputs, out] if out is not None else list(inputs)
        overriding = []
        for operand in operands:
            method = getattr(type(operand), "__array_ufunc__", np.ndarray.__array_ufunc__)
            if method is None:
                raise TypeError(f"operand {type(operand).__name__!r} does not support ufuncs (__array_ufunc__=None)")
            if method is not np.ndarray.__array_ufunc__:
                overriding.append(operand)
        if not overriding:
            return NotImplemented
        defaults = {"casting": "same_kind", "order": "K", "dtype": None, "subok": True}
        given = {key: value for key, value in keywords.items() if value is not defaults[key]}
        if out is not None:
            given["out"] = (out,)
        if where is not True:
            given["where"] = where
        for operand in overriding:
            answer = type(operand).__array_ufunc__(operand, self, "__call__", *inputs, **given)
            if answer is not NotImplemented:
                return answer
        names = ", ".join(repr(type(operand).__name__) for operand in operands)
        raise TypeError(f"operand type(s) all returned NotImplemented from __array_ufunc__({self!r}): {names}")

    def _loop_dtype(self, inputs: tuple[Any, ...], arrays: list[Any], dtype: Any) -> np.dtype[Any]:
        if dtype is not None:
            return _promotion.chosen_dtype(self.__name__, [np.dtype(dtype)], self._keeps_integers)
        weak = len(inputs) > 1  # a lone Python number has nothing to adapt to
        dtypes = [
            type(given) if weak and type(given) in _promotion.PYTHON_NUMBERS else array.dtype
            for given, array in zip(inputs, arrays, strict=True)
        ]
        return _promotion.result_dtype(self.__name__, self.inputs, dtypes, self._keeps_integers)

    def _run(self, arrays: list[Any], out: Any, where: Any, casting: Any, order: Any, loop: np.dtype[Any]) -> Any:
        """Walks all operands in blocks of the type that is computed in; NumPy's iterator casts and broadcasts."""
        self._check_casting(arrays, out, casting, loop)
        compute = computing_dtype(loop)
        arrays = [self._rounded(name, array, loop) for name, array in zip(self.inputs, arrays, strict=True)]
        masked = where is not True
        operands = [*arrays, *([np.asarray(where).astype(bool, casting="safe", copy=False)] if masked else []), out]
        mask_type = [np.dtype(bool)] if masked else []
        in_flags = ["readonly", "overlap_assume_elementwise"]
        # What the mask leaves out is not to pass through a buffer either, whose dtype may hold fewer digits.
        mask_flags = [[*in_flags, "arraymask"]] if masked else []
        out_flags = [
            *(["readwrite", "writemasked"] if masked else ["writeonly"]),
            "overlap_assume_elementwise",
            "allocate",
            "no_broadcast",
            "no_subtype",
        ]
        op_flags: Any = [in_flags] * len(arrays) + mask_flags + [out_flags]
        if out is None:
            shape = np.broadcast_shapes(*(operand.shape for operand in operands[:-1]))
            operands[-1] = self._allocate(arrays, shape, order, loop)
        iterator = np.nditer(
            operands,
            flags=["external_loop", "buffered", "zerosize_ok", "copy_if_overlap"],
            op_flags=op_flags,
            op_dtypes=[compute] * len(arrays) + mask_type + [loop],
            casting="unsafe",  # checked above, against the dtype of the loop
            order=order,
            buffersize=BLOCK,
        )
        formula = self._formulas.get(compute)
        if formula is None:
            formula = self._formulas[compute] = self._formula(compute)
        with iterator:
            for blocks in iterator:
                *inputs, result = blocks
                if masked:
                    *inputs, mask = inputs
                    np.copyto(result, formula(*inputs), where=mask, casting="unsafe")
                else:
                    result[...] = formula(*inputs)
        return operands[-1]

    def _rounded(self, name: str, array: Any, loop: np.dtype[Any]) -> Any:
        """The operand as the loop takes it: in the loop's dtype, but for parameters, which are at least float32."""
        if np.can_cast(array.dtype, loop):
            return array
        half = loop.kind not in "biu" and loop.itemsize < np.dtype(np.float32).itemsize
        return array.astype(np.float32 if half and name in self._parameters else loop)

    @staticmethod
    def _allocate(arrays: list[Any], shape: tuple[int, ...], order: Any, loop: np.dtype[Any]) -> Any:
        for array in arrays:
            if array.shape == shape:
                return np.empty_like(array, dtype=loop, order=order, subok=False)
        return np.empty(shape, loop, order="F" if order == "F" else "C")

    def _check_casting(self, arrays: list[Any], out: Any, casting: Any, loop: np.dtype[Any]) -> None:
        for k, array in enumerate(arrays):
            if array.ndim and not np.can_cast(array.dtype, loop, casting):
                raise TypeError(
                    f"Cannot cast ufunc {self.__name__!r} input {k} from {array.dtype!r} to {loop!r} with "
                    f"casting rule {casting!r}"
                )
        if out is None:
            return
        if not isinstance(out, np.ndarray):
            raise TypeError("return arrays must be of ArrayType")
        if not np.can_cast(loop, out.dtype, casting):
            raise TypeError(
                f"Cannot cast ufunc {self.__name__!r} output from {loop!r} to {out.dtype!r} with casting "
                f"rule {casting!r}"
            )
        if not out.flags.writeable:
            raise ValueError("output array is read-only")

    def _wrap(self, result: Any, inputs: tuple[Any, ...], arrays: list[Any], out: Any, subok: bool) -> Any:
        """Gives the result the type that NumPy's ufuncs would: a scalar for scalars, a subclass for a subclass."""
        if out is not None:
            return out
        if subok:
            wrappers = [
                given
                for given in inputs
                if hasattr(given, "__array_wrap__")
                and type(given) is not np.ndarray
                and not isinstance(given, np.generic)
            ]
            if wrappers:
                winner = max(wrappers, key=lambda given: getattr(given, "__array_priority__", 0.0))
                return winner.__array_wrap__(result, (self, inputs, 0), False)
        return result[()] if result.ndim == 0 else result

    def _no_method(self, *args: Any, **keywords: Any) -> Any:
        raise ValueError(f"{self.__name__}: only the call itself is defined, not reduce, accumulate, outer or at")

    reduce = accumulate = reduceat = outer = at = _no_method


class ReferenceScipyUfunc(ReferenceUfunc):
    """One of SciPy's ufuncs: of one operand, with SciPy's dtypes."""

    def _loop_dtype(self, inputs: tuple[Any, ...], arrays: list[Any], dtype: Any) -> np.dtype[Any]:
        return _promotion.scipy_dtype(self.__name__, arrays[0].dtype, [] if dtype is None else [np.dtype(dtype)])


class NumpyEngine:
    """The reference formulas over NumPy: always there."""

    name = "numpy"
    cpu_target = None

    def has(self, record: Activation, operation: str) -> bool:
        return record.has(operation)

    def make(self, record: Activation, operation: str, name: str, doc: str) -> ReferenceUfunc:
        return ReferenceUfunc(record, operation, name, doc, self._formula(record, operation))

    def make_as_in_scipy(self, record: Activation, name: str, doc: str) -> ReferenceUfunc:
        return ReferenceScipyUfunc(record, "value", name, doc, self._formula(record, "value"))

    def _formula(self, record: Activation, operation: str) -> Formula:
        """What computes an operation over arrays of a dtype."""
        return lambda dtype: numpy_formula(record, operation, dtype.type)

    def bind(self, record: Activation, operation: str, name: str, doc: str) -> None:
        """Nothing: a bound ufunc is a short cut of the compiled engine."""

    def make_row_ufunc(self, record: Any, operation: str, masked: bool, several: bool, extended: bool) -> Any:
        from fastact._rowwise_reference import ReferenceRowUfunc

        return ReferenceRowUfunc(record, operation, masked, several)

    def make_own(self, record: Activation, operation: str, name: str, doc: str, kernel: int, dtype: str) -> None:
        """Nothing: there are no threads to run it on."""

    def addresses(self, record: Activation, operation: str) -> None:
        """Nothing: the loops are Python's."""

    def over_planes(self, record: Activation, operation: str) -> None:
        """Nothing: there are no threads that could share a job."""

    def layer_end(self, record: Activation, dtype: np.dtype[Any]) -> None:
        """Nothing: a sum is NumPy's."""

    def get_num_threads(self) -> int:
        return 1

    def set_num_threads(self, n: int) -> None:
        """Nothing to set: NumPy computes on one thread."""

    def thread_kind(self) -> str:
        return "none"


class NumbaEngine(NumpyEngine):
    """The reference formulas compiled by Numba, each at its first call; NumPy where Numba has no such type."""

    name = "numba"

    def _formula(self, record: Activation, operation: str) -> Formula:
        def formula(dtype: np.dtype[Any]) -> Chunk:
            if dtype.char in "fd":
                return compiled_formula(record, operation, dtype)
            return numpy_formula(record, operation, dtype.type)

        return formula
