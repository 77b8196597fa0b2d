"""MKL's vector mathematics, through ctypes: high accuracy (1 ULP, its default) and low accuracy (4 ULP)."""

from __future__ import annotations

import ctypes
import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastact.bench.peers._base import Job, Prepared, find, only, version

LOW_ACCURACY, HIGH_ACCURACY = 0x1, 0x2
TYPES = {"float32": ("s", ctypes.c_float), "float64": ("d", ctypes.c_double)}

Call = Callable[[], object]
Bind = Callable[..., Call]  # a function's name and its arrays' -> the call


def _gelu(bind: Bind) -> Call:
    """X times the normal distribution's function, in two passes: MKL has no gelu."""
    distribution, product = bind("CdfNorm", "x", "scratch"), bind("Mul", "x", "scratch", "out")

    def call() -> None:
        distribution()
        product()

    return call


FUNCTIONS: dict[str, Callable[[Bind], Call]] = {
    "tanh": lambda bind: bind("Tanh", "x", "out"),
    "gelu": _gelu,
}


class Mkl:
    """One accuracy mode of the library."""

    def __init__(self, name: str, title: str, mode: int) -> None:
        self.name, self.title, self._mode = name, title, mode

    def load(self, threads: int) -> str:
        self._library = ctypes.CDLL(str(_library()), mode=getattr(ctypes, "RTLD_LOCAL", 0))
        self._library.MKL_Set_Num_Threads(ctypes.c_int(threads))
        return version("mkl")

    def prepare(self, job: Job) -> Prepared:
        function = find(job, FUNCTIONS)
        only(job, *TYPES)
        arrays = {"x": job.x, "out": job.out, "scratch": job.x.copy()}

        def bind(name: str, *operands: str) -> Call:
            letter, element = TYPES[job.dtype]
            routine: Any = getattr(self._library, f"vm{letter}{name}")
            routine.restype = None
            pointers = [arrays[operand].ctypes.data_as(ctypes.POINTER(element)) for operand in operands]
            arguments = (ctypes.c_int(job.x.size), *pointers, ctypes.c_int64(self._mode))
            return lambda: routine(*arguments)

        return Prepared(function(bind), lambda _: job.out)


def _library() -> Path:
    """The library in the environment that the `mkl` package was installed to."""
    try:
        importlib.metadata.version("mkl")
    except importlib.metadata.PackageNotFoundError:
        raise ImportError("mkl") from None
    patterns = ("lib/libmkl_rt.so*", "lib/libmkl_rt*.dylib", "Library/bin/mkl_rt*.dll")
    found = [path for pattern in patterns for path in sorted(Path(sys.prefix).glob(pattern))]
    if not found:
        raise ImportError("mkl")
    return found[0]
