"""Compiles truth.c and judge.c for this machine, into build/proof, and calls them on arrays."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "proof"
RESULTS = HERE / "results.json"  # of the last whole proof, committed
# No contraction: what vectorises may not depend on whether the machine fuses a product with a sum.
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fPIC",
         "-shared", "-Wall", "-Wextra", "-Wno-unused-parameter")  # fmt: skip


def library(*sources: str, define: str | None = None) -> ctypes.CDLL:
    """The shared library of some C files beside this one, compiled unless it has been."""
    texts = [(HERE / source).read_bytes() for source in sources]
    digest = hashlib.sha256(b"".join(texts) + " ".join((*FLAGS, define or "")).encode()).hexdigest()[:16]
    path = BUILD / f"{sources[0].removesuffix('.c')}-{digest}.so"
    if not path.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        command = [os.environ.get("CC", "cc"), *FLAGS, *([f"-D{define}"] if define else [])]
        subprocess.run([*command, *(str(HERE / s) for s in sources), "-o", str(unfinished), "-lm"], check=True)
        unfinished.replace(path)
    return ctypes.CDLL(str(path))


@dataclass(frozen=True)
class Truth:
    """The true values for inputs of one type, in a type with digits to spare."""

    given: np.dtype[Any]
    real: np.dtype[Any]
    library: ctypes.CDLL

    def __call__(self, loop_name: str, x: Array, parameters: Sequence[float], out: Array | None = None) -> Array:
        """The true values of `sigmoid`, `sigmoid_derivative`, ... at x."""
        x = np.ascontiguousarray(x, self.given)
        truth = np.empty(x.shape, self.real) if out is None else out
        values = (ctypes.c_double * max(1, len(parameters)))(*parameters)
        evaluate = getattr(self.library, f"evaluate_{loop_name}")
        evaluate(_pointer(x), ctypes.c_ssize_t(x.size), values, _pointer(truth))
        return truth


@functools.cache
def truth_for(dtype: str) -> Truth:
    """The true values for float32 inputs in double, for all others in long double."""
    if dtype == "float32":
        return Truth(np.dtype(np.float32), np.dtype(np.float64), library("truth.c"))
    return Truth(np.dtype(np.float64), np.dtype(np.longdouble), library("truth.c", define="FOR_FLOAT64"))


class Verdict(ctypes.Structure):
    """What has been found of one function's float32 results; judge.c says what each field is."""

    _fields_ = (
        ("error", ctypes.c_double),
        ("error_at", ctypes.c_float),
        ("error_in", ctypes.c_float),
        ("falls", ctypes.c_int64),
        ("fall", ctypes.c_double),
        ("fall_at", ctypes.c_float),
        ("outside", ctypes.c_int64),
        ("outside_at", ctypes.c_float),
        ("asymmetric", ctypes.c_int64),
        ("asymmetric_at", ctypes.c_float),
    )

    def judge_errors(self, x: Array, y: Array, truth: Array, roots: Sequence[float] = (), zone: float = 0) -> None:
        """Adds the errors of y; within `zone` of a root, an ULP is at least that of 1."""
        values = (ctypes.c_double * max(1, len(roots)))(*roots)
        arrays = (_pointer(x), _pointer(y), _pointer(truth), ctypes.c_ssize_t(x.size))
        _judge().judge_errors(*arrays, values, len(roots), ctypes.c_double(zone), ctypes.byref(self))

    def judge_order(self, x: Array, y: Array) -> None:
        """Adds the pairs of neighbours that fall; x ascends or descends."""
        descending = ctypes.c_int(bool(x[0] > x[-1] or np.signbit(x[-1])))
        _judge().judge_order(_pointer(x), _pointer(y), ctypes.c_ssize_t(x.size), descending, ctypes.byref(self))

    def judge_range(self, x: Array, y: Array, low: float, high: float) -> None:
        """Adds the results below `low` or above `high`."""
        ends = ctypes.c_float(low), ctypes.c_float(high)
        _judge().judge_range(_pointer(x), _pointer(y), ctypes.c_ssize_t(x.size), *ends, ctypes.byref(self))

    def judge_parity(self, x: Array, y: Array, mirrored: Array, odd: bool) -> None:
        """Adds the results at x that those at -x do not mirror; a zero's sign is free."""
        arrays = (_pointer(x), _pointer(y), _pointer(mirrored), ctypes.c_ssize_t(x.size))
        _judge().judge_parity(*arrays, ctypes.c_int(odd), ctypes.byref(self))


@functools.cache
def _judge() -> ctypes.CDLL:
    return library("judge.c")


def _pointer(array: Array) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)
