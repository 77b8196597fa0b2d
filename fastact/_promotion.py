"""Which dtype a call computes in. One rule for every engine.

float16, bfloat16, float32, float64 and longdouble keep their dtype; bool and 8/16-bit integers compute in float32,
wider integers in float64; functions that keep integers keep them; Python numbers adapt to the arrays beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

DType = Any  # a NumPy DType class, such as type(np.dtype("float32")): NumPy has no public static type for these

# Those that have no dtype of their own; True and False have.
PYTHON_NUMBERS = (int, float, complex)


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether this is a dtype of real numbers that fastact computes in."""
    return dtype.char in "efdg" or dtype.name == "bfloat16"


def float_for_integer(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 where it holds every value of the integer dtype, else float64."""
    return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)


def is_real(dtype: np.dtype[Any]) -> bool:
    """Whether this is a dtype of real numbers."""
    return dtype.kind in "biu" or is_float(dtype)


def chosen_dtype(name: str, dtypes: list[np.dtype[Any]], keeps_integers: bool) -> np.dtype[Any]:
    """The dtype that `name` computes in where its caller chooses: one dtype, or several by `signature`."""
    for dtype in dtypes:
        if not is_real(dtype):
            raise TypeError(f"{name}: dtype is {dtype}, expected a real dtype")
    return result_dtype(name, ("dtype",) * len(dtypes), dtypes, keeps_integers)


def scipy_dtype(name: str, given: Any, fixed: list[np.dtype[Any]]) -> np.dtype[Any]:
    """The dtype that SciPy's ufunc `name` computes in: float32, float64 or longdouble.

    Of these, expit and log_expit take the first that holds all of an array's numbers, as they do from SciPy 1.18 on;
    logit takes float64 unless the array is of another of the three. `given` is the operand's dtype, or Python's own
    type for a Python number; `fixed` is what the caller chooses.
    """
    if fixed:
        if any(dtype.char not in "fdg" for dtype in fixed) or len(set(fixed)) > 1:
            chosen = " and ".join(map(str, fixed))
            raise TypeError(f"{name}: dtype is {chosen}, expected float32, float64 or longdouble")
        return fixed[0]
    natural = result_dtype(name, ("x",), (given,), False)
    if not isinstance(given, np.dtype):
        return np.dtype(np.float64)
    if name != "logit" and np.can_cast(given, np.float32):
        return np.dtype(np.float32)
    return natural if given.char in "fdg" else np.dtype(np.float64)


def result_dtype(name: str, inputs: Iterable[str], dtypes: Iterable[Any], keeps_integers: bool) -> np.dtype[Any]:
    """The dtype that `name` computes in, given each input's dtype, or Python's own type for a Python number."""
    arrays: list[np.dtype[Any]] = []
    python_types: set[type] = set()
    for argument, dtype in zip(inputs, dtypes, strict=True):
        if dtype is bool or dtype is int or dtype is float:
            python_types.add(dtype)
        elif isinstance(dtype, np.dtype) and is_real(dtype):
            arrays.append(dtype)
        else:
            came = dtype.name if isinstance(dtype, np.dtype) else dtype.__name__
            raise TypeError(f"{name}: argument {argument} has dtype {came}, expected real numbers")
    integers = keeps_integers and float not in python_types
    if not arrays:
        return np.dtype(np.int64 if integers else np.float64)
    if any(is_float(dtype) for dtype in arrays):
        return np.result_type(*arrays)
    if not integers:
        return max((float_for_integer(dtype) for dtype in arrays), key=lambda dtype: dtype.itemsize)
    common = np.result_type(*arrays, *(0 for python_type in python_types if python_type is int))
    # C has more integer types than there are sizes; the kernels know integers by their size.
    return common if common.kind == "b" or is_float(common) else np.dtype(f"{common.kind}{common.itemsize}")
