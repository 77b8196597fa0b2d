"""`fastact.activation`: a user's own formula becomes an activation like those of the table."""

from __future__ import annotations

import functools
import inspect
import keyword
import math
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from importlib.machinery import PathFinder
from types import MappingProxyType
from typing import Any, overload

import numpy as np

import fastact
from fastact import _docs
from fastact._fallback import Chunk, ReferenceUfunc, compiled_formula
from fastact._public import canonical, engine
from fastact._records import Activation, Interval, Parameter, activations, loop_name

Scalar = Callable[..., Any]

MODULES = {"value": "fastact", "derivative": "fastact.derivative", "backward": "fastact.backward"}
# The facts that a caller may state; the rest of a record follows from the function.
FACTS = frozenset(field.name for field in fields(Activation)) - {
    "name", "make_formulas", "operands", "parameters", "aliases", "keeps_integers", "halved"}  # fmt: skip
MAX_PARAMETERS = 2


@dataclass(frozen=True, eq=False)
class OwnActivation(Activation):
    """An activation that was defined outside of fastact. Its `module` has to be imported for it to be there."""

    module: str = ""

    def has(self, operation: str) -> bool:
        """Whether there is a formula for it: a derivative need not have been given."""
        return operation == "value" or len(self.make_formulas(None, None)) > 1

    def _published(self, module: str) -> Callable[..., Any]:
        if module != "fastact" and not self.has("derivative"):
            raise AttributeError(f"{self.name} has no derivative: @fastact.activation was given none")
        return super()._published(module)


@overload
def activation(function: Scalar, /) -> OwnUfunc: ...
@overload
def activation(*, derivative: Scalar | None = None, **facts: Any) -> Callable[[Scalar], OwnUfunc]: ...
def activation(function: Scalar | None = None, /, *, derivative: Scalar | None = None, **facts: Any) -> Any:
    """Makes an activation of a formula for one number.

        @fastact.activation(derivative=lambda x: 1 / (1 + abs(x)) ** 2)
        def squash(x):
            return x / (1 + abs(x))

    The function is then called like any activation, with `out=`, `where=`, `dtype=`, broadcasting and threads; it is
    `fastact.squash`, with `fastact.derivative.squash` and `fastact.backward.squash`, and stands in
    `fastact.activations`, which plots, comparisons and benchmarks read. With Numba the formula is compiled at its first
    call, and callable in compiled code; without, it runs on NumPy's arrays, or element by element if it is written for
    numbers only (`if`, `math`).

    Parameters
    ----------
    function : callable
        The formula, `f(x)` or `f(x, parameter=default)` with at most two parameters. It computes in float64 for
        float32 and float64 arrays; float32 results are rounded once.
    derivative : callable, optional
        The derivative by x, with the same arguments. It is held against differences of the values, and refused where it
        contradicts them. Without it there is no derivative and no backward: differences are no substitute for one.
    **facts
        Fields of `fastact.activations[...]`: `range`, `limits`, `monotonic`, `parity`, `kinks`, `formula`, `source`
        and others. Those left out are read off the values between -30 and 30.

    Returns
    -------
    A callable that behaves as a NumPy ufunc, also as `.derivative` and `.backward` if there is a derivative. It
    pickles by its name, where its module can be imported.

    Raises
    ------
    TypeError
        For what is no function of numbers, and for facts that records do not have.
    ValueError
        For a name that fastact has already, and for a derivative that contradicts the values.
    """

    def make(function: Scalar) -> OwnUfunc:
        record = _record(function, derivative, facts)
        _check_derivative(record)
        return _publish(record)

    return make if function is None else make(function)


def _record(function: Scalar, derivative: Scalar | None, facts: Mapping[str, Any]) -> OwnActivation:
    """The record of a formula: what was stated, and what its values show."""
    name = _checked_name(function)
    unknown = sorted(facts.keys() - FACTS)
    if unknown:
        raise TypeError(f"activation: {name} has no fact {unknown[0]!r}, expected some of {', '.join(sorted(FACTS))}")
    if derivative is not None and not callable(derivative):
        raise TypeError(f"activation: derivative of {name} is {derivative!r}, expected a function")
    formulas = (function,) if derivative is None else (function, derivative)
    place = f"{function.__module__}.{function.__qualname__}"
    stated: dict[str, Any] = {
        "range": Interval(-math.inf, math.inf),
        "monotonic": False,
        "summary": (function.__doc__ or f"The function {place}.").strip().partition("\n")[0],
        "formula": f"{place}(x)",
        "latex": rf"\operatorname{{{name}}}(x)".replace("_", r"\_"),
        "smooth": not facts.get("kinks"),
        "typical_use": ("hidden",),
        "source": place,
    }
    record = OwnActivation(
        name=name, make_formulas=lambda xp, T: formulas, parameters=_parameters(name, function),
        module=function.__module__, **stated)  # fmt: skip
    return replace(record, **{**_observed(record), **facts})


def _checked_name(function: Scalar) -> str:
    """The function's name, if an activation may have it; a second definition in the same place replaces the first."""
    name: str = getattr(function, "__name__", "")
    if not callable(function) or not name:
        raise TypeError(f"activation: function is {function!r}, expected a function of one number")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"activation: the function's name is {name!r}, expected an identifier (use def, not lambda)")
    before = activations.get(name)
    if isinstance(before, OwnActivation) and before.module == function.__module__:
        return name
    lazy = (*vars(fastact)["_MODULES"], *vars(fastact)["_FUNCTIONS"])
    if before is not None or name in (*canonical, *vars(fastact), *lazy):
        raise ValueError(f"activation: fastact has a {name} already, expected another name")
    return name


def _parameters(name: str, function: Scalar) -> Mapping[str, Parameter]:
    _, *rest = inspect.signature(function).parameters.values()
    for parameter in rest:
        if not isinstance(parameter.default, int | float):
            raise TypeError(f"activation: parameter {parameter.name} of {name} has no number as its default")
    if len(rest) > MAX_PARAMETERS:
        raise TypeError(f"activation: {name} has {len(rest)} parameters, expected at most {MAX_PARAMETERS}")
    return MappingProxyType({parameter.name: Parameter(float(parameter.default)) for parameter in rest})


def _values(record: OwnActivation, operation: str, x: Any) -> Any:
    """An operation at some points, in float64, and parameters at their defaults."""
    with np.errstate(all="ignore"):
        result = _on_arrays(record, operation)(x, *record.typical_parameters.values())
    return np.broadcast_to(np.asarray(result, np.float64), x.shape)


def _observed(record: OwnActivation) -> dict[str, Any]:
    """The facts that values show: as far as points between -30 and 30 can tell, and two far beyond."""
    half = np.linspace(0, 30, 3001)[1:]
    left, right = (_values(record, "value", x) for x in (-half, half))
    values = np.concatenate([left[::-1], _values(record, "value", np.zeros(1)), right])
    try:
        near, ends = _values(record, "value", np.array([-1e9, 1e9, -1e200, 1e200])).reshape(2, 2)
    except ArithmeticError:  # raised by Python's own numbers where NumPy's become infinite
        near = ends = np.full(2, np.nan)
    ends = np.where(np.abs(ends) > 1.01 * np.abs(near), np.copysign(np.inf, ends), ends)
    known = values[~np.isnan(values)]
    if not known.size:
        raise ValueError(f"activation: {record.name} is NaN everywhere between -30 and 30")
    low, high = np.nanmin([known.min(), *ends]), np.nanmax([known.max(), *ends])
    odd, even = (np.array_equal(left, right * sign) for sign in (-1, 1))
    return {
        "range": Interval(float(low), float(high), bool(known.min() == low), bool(known.max() == high)),
        "limits": None if np.isnan(ends).any() else (float(ends[0]), float(ends[1])),
        "monotonic": bool(np.all(np.diff(known) >= 0)),
        "parity": "odd" if odd else "even" if even else None,
    }


def _check_derivative(record: OwnActivation) -> None:
    """Refuses a derivative that is not the rise of the values, at points where no kink of a round number lies."""
    if not record.has("derivative"):
        return
    x = np.linspace(-math.pi, math.e, 41)
    x = x[(x > record.domain.low) & (x < record.domain.high)]
    step = 1e-6
    rise = (_values(record, "value", x + step) - _values(record, "value", x - step)) / (2 * step)
    stated = _values(record, "derivative", x)
    wrong = np.abs(stated - rise) > 1e-4 * (1 + np.abs(rise))
    if wrong.any():
        k = int(wrong.argmax())
        raise ValueError(
            f"activation: the derivative of {record.name} is {stated[k] + 0.0:.6g} at x = {x[k]:.6g}, where the "
            f"values rise by {rise[k]:.6g} per unit"
        )


def _on_arrays(record: OwnActivation, operation: str) -> Chunk:
    """The formula on NumPy's arrays; one number at a time if it is written for numbers only."""
    formulas = record.make_formulas(None, None)
    function = formulas[operation != "value"]
    each = np.frompyfunc(function, 1 + len(record.parameters), 1)

    def compute(*arrays: Any) -> Any:
        try:
            return function(*arrays)
        except (TypeError, ValueError):  # `if` and `math` refuse arrays
            return each(*arrays)

    if operation == "backward":
        return lambda grad, *inputs: grad * compute(*inputs)
    return compute


def _publish(record: OwnActivation) -> OwnUfunc:
    """Enters the record into the table, and its functions into the modules."""
    activations[record.name] = record
    value = OwnUfunc(record, "value")
    for operation, module_name in MODULES.items():
        module = import_module(module_name)
        vars(module).pop(record.name, None)  # of a definition that this one replaces
        if record.has(operation):
            function = value if operation == "value" else OwnUfunc(record, operation, value)
            setattr(module, record.name, function)
            if record.name not in module.__all__:
                module.__all__.append(record.name)
            if "fastact.numba" in sys.modules:
                sys.modules["fastact.numba"].register(record, operation)
    return value


class OwnUfunc(ReferenceUfunc):
    """Behaves as a NumPy ufunc over a user's formula, on as many threads as fastact uses."""

    def __init__(self, record: OwnActivation, operation: str, value: OwnUfunc | None = None) -> None:
        name, doc = (
            loop_name(record, operation),
            _docs.LEADS[operation].format(name=record.name, summary=record.summary),
        )
        super().__init__(record, operation, name, doc, self._formula_for)
        self.record = record
        self._operation = operation
        self._compiled_ufuncs: dict[np.dtype[Any], Any] = {}
        self._value = value
        self._defaults = {name: parameter.typical for name, parameter in record.parameters.items()}
        self.__module__ = record.module if value is None else MODULES[operation]
        given = [
            inspect.Parameter(
                name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=self._defaults.get(name, inspect.Parameter.empty)
            )
            for name in self.inputs
        ]
        self.__signature__ = inspect.Signature(given)  # fmt: skip

    def __reduce__(self) -> Any:
        """The value stands under its name in its module; the others belong to it."""
        return self.__name__ if self._value is None else (getattr, (self._value, self._operation))

    @property
    def derivative(self) -> Callable[..., Any]:
        """The derivative by x; an AttributeError says that none was given."""
        return self.record.derivative

    @property
    def backward(self) -> Callable[..., Any]:
        """The gradient; an AttributeError says that no derivative was given."""
        return self.record.backward

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        missing = list(self.inputs[len(args) :])
        filled = [keywords.pop(name, self._defaults[name]) for name in missing if name in self._defaults]
        return super().__call__(*args, *filled, **keywords)

    def _formula_for(self, dtype: np.dtype[Any]) -> Chunk:
        on_arrays = _on_arrays(self.record, self._operation)
        if dtype.char not in "fd" or not _has_numba():
            return on_arrays
        from numba.core.errors import NumbaError

        try:
            return compiled_formula(self.record, self._operation, dtype)
        except NumbaError as error:
            reason = str(error).strip().splitlines()[-1]
            warnings.warn(f"{self.record.name} runs on NumPy: Numba does not compile it ({reason})", stacklevel=5)
            return on_arrays

    def _run(self, arrays: list[Any], out: Any, where: Any, casting: Any, order: Any, loop: np.dtype[Any]) -> Any:
        """On the kernels' threads, if the formula is compiled; parameters that are arrays take the long way."""
        numbers = arrays[len(arrays) - len(self.record.parameters) :]
        ufunc = self._compiled_ufunc(loop) if all(number.ndim == 0 for number in numbers) else None
        if ufunc is None:
            return super()._run(arrays, out, where, casting, order, loop)
        self._check_casting(arrays, out, casting, loop)
        return ufunc(*arrays, out=out, where=where, casting="unsafe", order=order, dtype=loop, subok=False)

    def _compiled_ufunc(self, dtype: np.dtype[Any]) -> Any:
        """NumPy's own ufunc over the compiled formula; None where there is none."""
        if dtype not in self._compiled_ufuncs:
            self._compiled_ufuncs[dtype] = self._make_compiled_ufunc(dtype)
        return self._compiled_ufuncs[dtype]

    def _make_compiled_ufunc(self, dtype: np.dtype[Any]) -> Any:
        if dtype.char not in "fd" or engine.name != "compiled" or not _has_numba():
            return None
        from numba.core.errors import NumbaError
        from numba.np.numpy_support import from_dtype

        from fastact.numba._compiled import kernel

        try:
            compiled = kernel(self.record, self._operation, from_dtype(dtype))
        except NumbaError:  # the long way says so
            return None
        if compiled is None:
            return None
        name, doc = self.__name__, str(self.__doc__)
        return engine.make_own(self.record, self._operation, name, doc, compiled.address, dtype.name)


@functools.cache
def _has_numba() -> bool:
    """Whether formulas are compiled: not if the NumPy engine was asked for."""
    return engine.name != "numpy" and PathFinder.find_spec("numba") is not None
