"""scikit-learn's activations, which work in place only."""

from __future__ import annotations

import importlib
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


class ScikitLearn:
    """The activations of scikit-learn's perceptrons."""

    name = "sklearn"
    title = "scikit-learn"

    def load(self, threads: int) -> str:
        module: Any = importlib.import_module("sklearn.neural_network._base")
        self._functions = module.ACTIVATIONS
        return version("scikit-learn")

    def prepare(self, job: Job) -> Prepared:
        function = self._functions[find(NAMES, job)]
        only(job, "float32", "float64")
        if not job.in_place:
            raise SkipError("works in place only")
        if job.axis is not None and job.axis % job.x.ndim != 1:
            raise SkipError("works along the last axis only")
        return Prepared(partial(function, job.x), lambda _: job.x)
