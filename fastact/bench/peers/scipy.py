"""SciPy's special functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fastact.bench.peers._base import Array, Job, Prepared, SkipError, find, only, version


class SciPy:
    """scipy.special."""

    name = "scipy"
    title = "SciPy"

    def load(self, threads: int) -> str:
        special: Any = importlib.import_module("scipy.special")
        ndtr = special.ndtr

        def gelu(x: Array, out: Array) -> Any:
            return np.multiply(x, ndtr(x), out=out)

        # Ufuncs, which take out=; and functions of an array and an axis, which always allocate.
        self._ufuncs: dict[str, Callable[..., Any]] = {
            "sigmoid": special.expit,
            "log_sigmoid": special.log_expit,
            "logit": special.logit,
            "gelu": gelu,
        }
        if hasattr(special, "softplus"):  # since 1.16
            self._ufuncs["softplus"] = special.softplus
        self._along_axis: dict[str, Callable[..., Any]] = {
            "softmax": special.softmax,
            "log_softmax": special.log_softmax,
            "logsumexp": special.logsumexp,
        }
        return version("scipy")

    def prepare(self, job: Job) -> Prepared:
        if job.axis is None:
            call = find(job, self._ufuncs)
            if job.dtype == "bfloat16":
                raise SkipError("has no bfloat16")
            return Prepared(partial(call, job.x, out=job.out))
        only(job, "float32", "float64")
        if job.in_place:
            raise SkipError("does not work in place")
        return Prepared(partial(find(job, self._along_axis), job.x, axis=job.axis))
