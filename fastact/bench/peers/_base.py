"""What a peer is: a library that has some of the activations, called as its own users call it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]

NO_SUCH_FUNCTION = "has no such function"


class SkipError(Exception):
    """A peer has no such function, dtype or way to be called; the message says which, in a few words."""


@dataclass(frozen=True)
class Job:
    """One call to be prepared: the operands and parameters of a function, and the memory for its results.

    Before the function's operands, a backward pass has the gradient that it multiplies, and there is memory for the
    gradient of each of them. In place, `out` is the first operand itself.
    """

    function: str
    names: tuple[str, ...]  # of the operands
    operands: list[Array]
    outs: list[Array]
    parameters: Mapping[str, float] = field(default_factory=dict)
    axis: int | None = None
    in_place: bool = False
    threads: int = 1
    operation: str = "value"

    @property
    def x(self) -> Array:
        """The first of the function's own operands, or its result where the gradient is computed from that."""
        return self.operands[self.operation == "backward"]

    @property
    def out(self) -> Array:
        return self.outs[0]

    @property
    def dtype(self) -> str:
        return str(self.x.dtype.name)


@dataclass(frozen=True)
class Prepared:
    """A call without arguments, ready to be timed, and how to see each thing that it returned as a NumPy array."""

    call: Callable[[], Any]
    view: Callable[[Any], Array] = np.asarray

    def results(self, returned: Any) -> list[Array]:
        """What the call returned: one array or several."""
        return [self.view(result) for result in (returned if isinstance(returned, (tuple, list)) else (returned,))]


class Peer(Protocol):
    """A library to measure against. `name` is what --peers takes."""

    name: str
    title: str

    def load(self, threads: int) -> str:
        """Imports the library, sets its threads, returns its version; ImportError if it is not installed."""
        ...

    def prepare(self, job: Job) -> Prepared:
        """Makes the call, or raises SkipError."""
        ...


def find(job: Job, values: Mapping[str, Any], gradients: Mapping[str, Any] | None = None) -> Any:
    """The peer's entry for a function or for its gradient; many a library has no gradients."""
    table = values if job.operation == "value" else gradients or {}
    if job.function not in table:
        raise SkipError(NO_SUCH_FUNCTION)
    return table[job.function]


def only(job: Job, *dtypes: str) -> None:
    """Raises SkipError for a dtype that the peer does not have."""
    if job.dtype not in dtypes:
        raise SkipError(f"has no {job.dtype}")


def version(distribution: str) -> str:
    """The installed version of a distribution."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown version"
