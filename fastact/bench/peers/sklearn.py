"""scikit-learn's activations and their derivatives, which work in place only."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from fastact.bench.peers._base import Job, Prepared, SkipError, find, only, version

NAMES = {
    "identity": "identity",
    "sigmoid": "logistic",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
}
DIFFERENTIABLE = {name: title for name, title in NAMES.items() if name != "softmax"}


class ScikitLearn:
    """The activations of scikit-learn's perceptrons. Their derivatives are taken from the activations' results."""

    name = "sklearn"
    title = "scikit-learn"

    def load(self, threads: int) -> str:
        module: Any = importlib.import_module("sklearn.neural_network._base")
        self._functions, self._derivatives = module.ACTIVATIONS, module.DERIVATIVES
        return version("scikit-learn")

    def prepare(self, job: Job) -> Prepared:
        name = find(job, NAMES, DIFFERENTIABLE)
        only(job, "float32", "float64")
        if not job.in_place:
            raise SkipError("works in place only")
        if job.axis is not None and job.axis % job.x.ndim != 1:
            raise SkipError("works along the last axis only")
        return Prepared(self._call(name, job), lambda _: job.out)

    def _call(self, name: str, job: Job) -> Callable[[], Any]:
        if job.operation == "value":
            return partial(self._functions[name], job.x)
        result = job.x.copy()
        self._functions[name](result)
        return partial(self._derivatives[name], result, job.out)
