"""Chooses, once at import, who computes: the compiled kernels, Numba, or NumPy."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from fastact import _promotion
from fastact._records import Activation, loop_name, operation_inputs

OPERATIONS = ("value", "derivative", "backward")


class Engine(Protocol):
    """Makes the callables (ufuncs, or what behaves like one) that compute an activation's operations."""

    @property
    def name(self) -> str: ...

    @property
    def cpu_target(self) -> str | None: ...

    def has(self, record: Activation, operation: str) -> bool:
        """Whether this engine computes the operation for the activation."""

    def make(self, record: Activation, operation: str, name: str, doc: str) -> Any:
        """A ufunc of the operation's arrays and parameters."""

    def bind(self, record: Activation, operation: str, name: str, doc: str) -> Any:
        """A ufunc of the operation's arrays alone, every parameter at its default; None if it would gain nothing."""

    def make_as_in_scipy(self, record: Activation, name: str, doc: str) -> Any:
        """A ufunc of an activation without parameters that has SciPy's dtypes."""

    def make_row_ufunc(self, record: Any, operation: str, masked: bool, several: bool, extended: bool) -> Any: ...

    def make_own(self, record: Activation, operation: str, name: str, doc: str, kernel: int, dtype: str) -> Any:
        """A ufunc for one dtype, over a kernel that Numba has compiled; None if there are no threads to run it on."""

    def addresses(self, record: Activation, operation: str) -> dict[str, int] | None:
        """Where the operation's loops lie in memory, by the name of their dtype; None if they are not machine code."""

    def over_planes(self, record: Activation, operation: str) -> Callable[..., bool] | None:
        """What computes an operation on arrays of any layout as one job; None if there is nothing better than a ufunc.

        It takes the inputs, a tuple, and the outputs, which are both gradients if the operation is "backward"; it
        says whether these arrays are such as it can serve, and else does nothing.
        """

    def layer_end(self, record: Activation, dtype: np.dtype[Any]) -> Callable[[Any, Any], None] | None:
        """What makes `rows` the activation of rows + bias, both contiguous and of this dtype, in one pass.

        The activation takes one array, and its parameters have defaults. None if the engine has nothing better than a
        sum and an activation.
        """

    def set_num_threads(self, n: int) -> None: ...

    def get_num_threads(self) -> int: ...

    def thread_kind(self) -> str:
        """What the threads are: "pthreads", "windows", or "none" where one thread serves."""


def built_cpu_targets() -> list[str]:
    """The CPU targets whose kernels are installed, as FASTACT_CPU spells them."""
    suffixes = tuple(EXTENSION_SUFFIXES)
    files = os.listdir(os.path.join(os.path.dirname(__file__), "_compiled"))
    modules = {file.partition(".")[0] for file in files if file.endswith(suffixes)}
    return sorted(module.replace("_", "-") for module in modules - {"cpu", "shortcut"})


class CompiledEngine:
    """The Cython kernels: real ufuncs, over loops for one CPU target."""

    name = "compiled"

    def __init__(self, kernels: ModuleType, cpu_target: str) -> None:
        self.kernels = kernels
        self.cpu_target = cpu_target
        self._inputs_of: dict[Any, tuple[str, ...]] = {}
        self._keeps_integers: set[Any] = set()
        self._serves_bfloat16: set[Any] = set()
        self._as_in_scipy: set[Any] = set()
        kernels.set_promotion(self._promote)

    def has(self, record: Activation, operation: str) -> bool:
        return loop_name(record, operation) in self.kernels.loops

    def make(self, record: Activation, operation: str, name: str, doc: str) -> Any:
        ufunc = self.kernels.make_ufunc(loop_name(record, operation), name, doc)
        return self._complete(ufunc, record, operation, ())

    def bind(self, record: Activation, operation: str, name: str, doc: str) -> Any:
        defaults = tuple(parameter.default for parameter in record.parameters.values())
        if None in defaults:
            return None
        ufunc = self.kernels.bind_ufunc(loop_name(record, operation), name, doc, defaults)
        return self._complete(ufunc, record, operation, defaults)

    def make_as_in_scipy(self, record: Activation, name: str, doc: str) -> Any:
        roles, signature, addresses = self.kernels.loops[record.name]
        loop = f"{record.name}_as_in_scipy"
        self.kernels.loops[loop] = roles, signature, {dtype: addresses[dtype] for dtype in ("float32", "float64")}
        ufunc = self._complete(self.kernels.make_ufunc(loop, name, doc), record, "value", ())
        self._as_in_scipy.add(ufunc)
        return ufunc

    def make_row_ufunc(self, record: Any, operation: str, masked: bool, several: bool, extended: bool) -> Any:
        """The generalised ufunc of an operation on rows: with a mask, over rows of several dimensions, longdouble."""
        if extended:
            from fastact._rowwise_reference import ReferenceRowUfunc

            return ReferenceRowUfunc(record, operation, masked, several)
        name = loop_name(record, operation) + "_masked" * masked + "_4d" * several
        ufunc = self.kernels.make_ufunc(name, name, record.summary)
        self._inputs_of[ufunc] = (*operation_inputs(record, operation), *["where"] * masked)
        return ufunc

    def make_own(self, record: Activation, operation: str, name: str, doc: str, kernel: int, dtype: str) -> Any:
        """A ufunc for one dtype, over the kernel at an address: that of a user's own formula."""
        parameters = len(record.parameters)
        arrays = len(operation_inputs(record, operation)) - parameters
        return self.kernels.own_ufunc(name, doc, arrays, parameters, kernel, dtype)

    def addresses(self, record: Activation, operation: str) -> dict[str, int]:
        _, _, addresses = self.kernels.loops[loop_name(record, operation)]
        return dict(addresses)

    def over_planes(self, record: Activation, operation: str) -> Callable[..., bool] | None:
        there = (record.name, operation) in self.kernels.planes
        return partial(self.kernels.over_planes, record.name, operation) if there else None

    def layer_end(self, record: Activation, dtype: np.dtype[Any]) -> Callable[[Any, Any], None] | None:
        address = self.addresses(record, "value").get(dtype.name) if self.has(record, "value") else None
        if address is None:  # a user's own activation, longdouble
            return None
        parameters = np.array([parameter.default for parameter in record.parameters.values()], dtype)
        return partial(self.kernels.finish_layer, address, parameters)

    def set_num_threads(self, n: int) -> None:
        self.kernels.set_num_threads(n)

    def get_num_threads(self) -> int:
        return int(self.kernels.get_num_threads())

    def thread_kind(self) -> str:
        return str(self.kernels.thread_kind())

    def _complete(self, ufunc: Any, record: Activation, operation: str, bound: tuple[Any, ...]) -> Any:
        """Gives a new ufunc what the kernels leave to us: extended precision, and the rule for mixed dtypes."""
        inputs = operation_inputs(record, operation)
        self._inputs_of[ufunc] = inputs[: len(inputs) - len(bound)]
        if record.keeps_integers:
            self._keeps_integers.add(ufunc)
        self.kernels.add_python_loop(ufunc, np.dtype(np.longdouble), _LongDouble(record, operation, bound))
        return ufunc

    def _promote(self, ufunc: Any, given: list[Any], fixed: list[Any]) -> np.dtype[Any]:
        """Answers NumPy's question which loop serves a call; NumPy remembers the answer for the same dtypes."""
        name, keeps_integers = ufunc.__name__.removesuffix("_with_defaults"), ufunc in self._keeps_integers
        dtypes = [given_dtype(dtype) for dtype in (fixed or given)]
        if ufunc in self._as_in_scipy:
            return _promotion.scipy_dtype(name, given_dtype(given[0]), dtypes if fixed else [])
        if fixed:
            dtype = _promotion.chosen_dtype(name, dtypes, keeps_integers)
        else:
            dtype = _promotion.result_dtype(name, self._inputs_of[ufunc], dtypes, keeps_integers)
        if dtype.name == "bfloat16" and ufunc not in self._serves_bfloat16:
            self.kernels.add_loop(ufunc, dtype)
            self._serves_bfloat16.add(ufunc)
        return dtype


def given_dtype(dtype_class: Any) -> Any:
    """A dtype for a NumPy DType class; the number's type for the classes that stand for Python numbers."""
    scalar = dtype_class.type
    return scalar if scalar in _promotion.PYTHON_NUMBERS else np.dtype(scalar)


class _LongDouble:
    """The reference formula over NumPy's extended precision; made at its first call, since few programs need it."""

    def __init__(self, record: Activation, operation: str, bound: tuple[Any, ...]) -> None:
        self.record, self.operation = record, operation
        self.bound = [np.longdouble(value) for value in bound]

    def __call__(self, *arrays: Any) -> Any:
        from fastact._fallback import numpy_formula

        with np.errstate(all="ignore"):
            return numpy_formula(self.record, self.operation, np.longdouble)(*arrays, *self.bound)


def _compiled(cpu_target: str | None) -> Engine:
    built = built_cpu_targets()
    if not built:
        raise ImportError("FASTACT_ENGINE=compiled: no compiled kernels are installed (built without a C compiler?)")
    cpu = importlib.import_module("fastact._compiled.cpu")

    runnable = [target.replace("_", "-") for target in cpu.supported_targets()]
    usable = [target for target in runnable if target in built]
    if cpu_target is not None and cpu_target not in usable:
        raise ImportError(f"FASTACT_CPU={cpu_target}: not available; this build and processor have {', '.join(usable)}")
    if not usable:
        raise ImportError(f"no compiled kernels run on this processor; the build has {', '.join(built)}")
    target = cpu_target or usable[0]
    return CompiledEngine(importlib.import_module(f"fastact._compiled.{target.replace('-', '_')}"), target)


def _numba(cpu_target: str | None) -> Engine:
    from fastact._fallback import NumbaEngine

    return NumbaEngine()


def _numpy(cpu_target: str | None) -> Engine:
    from fastact._fallback import NumpyEngine

    return NumpyEngine()


def choose() -> Engine:
    """The engine that FASTACT_ENGINE and FASTACT_CPU ask for, else the fastest one that is there."""
    makers = {"compiled": _compiled, "numba": _numba, "numpy": _numpy}
    cpu_target = os.environ.get("FASTACT_CPU") or None
    forced = os.environ.get("FASTACT_ENGINE") or ("compiled" if cpu_target else None)
    if forced is not None:
        if forced not in makers:
            raise ImportError(f"FASTACT_ENGINE={forced}: unknown engine, expected one of {', '.join(makers)}")
        return makers[forced](cpu_target)
    if built_cpu_targets():
        try:
            return _compiled(None)
        except ImportError:  # built for a better processor than this one
            pass
    return _numba(None) if PathFinder.find_spec("numba") else _numpy(None)
