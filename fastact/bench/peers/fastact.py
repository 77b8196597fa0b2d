"""fastact itself, called as any peer is."""

from __future__ import annotations

from functools import partial

import fastact
from fastact.bench.peers._base import Job, Prepared


class Fastact:
    """fastact on its compiled, Numba or NumPy engine."""

    name = "fastact"
    title = "fastact"

    def load(self, threads: int) -> str:
        fastact.set_num_threads(threads)
        return fastact.__version__

    def prepare(self, job: Job) -> Prepared:
        keywords = {"out": job.out} if job.axis is None else {"out": job.out, "axis": job.axis}
        # Parameters are left at their defaults, as a user does; only those without one have to be given.
        given = fastact.activations[job.function].parameters
        free = [job.parameters[name] for name, parameter in given.items() if parameter.default is None]
        return Prepared(partial(getattr(fastact, job.function), *job.operands, *free, **keywords))
