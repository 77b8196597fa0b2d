"""Who is judged: the kernels of each CPU target that this machine runs, and the engines without a compiler."""

from __future__ import annotations

import functools
import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastact import _public
from fastact._compiled import cpu
from fastact._engine import CompiledEngine, Engine, built_cpu_targets
from fastact._fallback import NumbaEngine, NumpyEngine
from tests.catalogue import BARS, ROOT_ZONE, Loop, dtype_of
from tests.proof.compiled import Array


@dataclass(frozen=True)
class Subject:
    """An engine, by the name that the page calls it."""

    name: str
    engine: Engine

    def compute(self, loop: Loop, *arrays: Array, parameters: Sequence[Any] | None = None) -> Array:
        """The results of a value or derivative, at the typical parameters unless others are given."""
        if parameters is None:
            parameters = list(loop.record.typical_parameters.values())
        result: Array = _ufunc(self, loop)(*arrays, *parameters)
        return result

    def bar(self, loop: Loop, dtype: str) -> float:
        """The largest error that is allowed, in ULP."""
        return BARS[self.engine.name][dtype][loop.operation != "value"]

    @property
    def root_zone(self) -> float:
        """How far around a derivative's roots an ULP is at least that of 1."""
        return ROOT_ZONE[self.engine.name]


@functools.cache
def _ufunc(subject: Subject, loop: Loop) -> Any:
    return subject.engine.make(loop.record, loop.operation, loop.name, "")


@functools.cache
def compiled() -> tuple[Subject, ...]:
    """The CPU targets that this machine runs, the best one first."""
    runnable = [target.replace("_", "-") for target in cpu.supported_targets()]
    return tuple(Subject(target, _engine(target)) for target in runnable if target in built_cpu_targets())


@functools.cache
def fallbacks() -> tuple[Subject, ...]:
    """The engines that serve where nothing is compiled."""
    return Subject("numba", NumbaEngine()), Subject("numpy", NumpyEngine())


def fingerprint() -> str:
    """Changes whenever a CPU target's kernels do."""
    digest = hashlib.sha256()
    for subject in compiled():
        digest.update(Path(_module(subject.name).__file__).read_bytes())
    return digest.hexdigest()


def _engine(target: str) -> Engine:
    # A module of kernels serves one engine at a time: the one that it has asked how dtypes mix.
    own = _public.engine
    engine = own if own.cpu_target == target else CompiledEngine(_module(target), target)
    engine.set_num_threads(1)  # the proof runs a process on each processor
    return engine


def _module(target: str) -> Any:
    return importlib.import_module(f"fastact._compiled.{target.replace('-', '_')}")


def rounded_parameters(loop: Loop, dtype: str) -> list[float]:
    """The record's typical parameters as a kernel for `dtype` takes them."""
    inputs = loop.inputs(np.empty(0, dtype_of(dtype)))
    return [float(parameter) for parameter in inputs[len(loop.record.operands) :]]
