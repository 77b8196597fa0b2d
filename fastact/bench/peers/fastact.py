"""fastact itself, called as any peer is."""

from __future__ import annotations

from functools import partial
from typing import Any

import fastact
from fastact.bench.cases import published
from fastact.bench.peers._base import Job, Prepared


class Fastact:
    """fastact on its compiled, Numba or NumPy engine."""

    name = "fastact"
    title = "fastact"

    def load(self, threads: int) -> str:
        fastact.set_num_threads(threads)
        return fastact.__version__

    def prepare(self, job: Job) -> Prepared:
        keywords: dict[str, Any] = {"out": job.out if len(job.outs) == 1 else tuple(job.outs)}
        if job.axis is not None:
            keywords["axis"] = job.axis
        # Parameters are left at their defaults, as a user does; only those without one have to be given.
        given = fastact.activations[job.function].parameters
        free = [job.parameters[name] for name, parameter in given.items() if parameter.default is None]
        return Prepared(partial(published(job.function, job.operation), *job.operands, *free, **keywords))
