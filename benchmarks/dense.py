"""A dense layer by fastact, NumPy and PyTorch, in turns within one process: `python -m benchmarks.dense [THREADS]`.

The products alone are timed too: they are nearly all of a layer's time, and not fastact's work.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import threadpoolctl
import torch
from rich.console import Console
from rich.table import Table

import fastact
from fastact._dense import dense
from fastact.bench.peers.handwritten import FUNCTIONS as BY_HAND
from fastact.bench.results import Quartiles
from fastact.bench.timing import Contestant, settle

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

ROUNDS = 11
TURN_SECONDS = 0.02

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "gelu_tanh": partial(torch.nn.functional.gelu, approximate="tanh"),
}
"""What is measured, by PyTorch's functions."""


class Shape(NamedTuple):
    """The size of a layer."""

    rows: int
    inputs: int
    units: int

    def __str__(self) -> str:
        return " x ".join(map(str, self))


SHAPES = (Shape(256, 784, 512), Shape(4096, 768, 3072))
FASTACT = "fastact.dense"


def contestants(shape: Shape, activation: str) -> dict[str, Call]:
    """The ways to compute a layer, found to agree, and the products alone."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape[:2]).astype(np.float32)
    w = (rng.normal(size=shape[1:]) / shape.inputs**0.5).astype(np.float32)
    b = rng.normal(size=shape.units).astype(np.float32)
    tx, tw, tb = map(torch.from_numpy, (x, w, b))
    of_fastact, of_torch, by_hand = getattr(fastact, activation), ACTIVATIONS[activation], BY_HAND[activation]
    layers: dict[str, Call] = {
        FASTACT: lambda: dense(x, w, b, activation),
        "fastact(x @ w + b)": lambda: of_fastact(x @ w + b),
        "NumPy, h(x @ w + b)": lambda: by_hand(x @ w + b, out=None),
        "PyTorch, h(x @ w + b)": lambda: of_torch(tx @ tw + tb),
        "PyTorch, h(addmm(b, x, w))": lambda: of_torch(torch.addmm(tb, tx, tw)),
    }
    expected = layers[FASTACT]()
    for name, call in layers.items():
        np.testing.assert_allclose(np.asarray(call()), expected, rtol=1e-4, atol=1e-5, err_msg=name)
    return {**layers, "NumPy, the product": lambda: x @ w, "PyTorch, the product": lambda: tx @ tw}


def in_turns(ways: dict[str, Call], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of each way, round by round, in an order of each round's own."""
    everyone = [Contestant(name, [call]) for name, call in ways.items()]
    for contestant in everyone:
        contestant.calibrate(TURN_SECONDS)
    for number in range(rounds):
        for contestant in random.Random(number).sample(everyone, len(everyone)):
            settle()
            contestant.turn(number)
    return {contestant.name: [1e-6 * ns for ns in contestant.nanoseconds.values()] for contestant in everyone}


def table(title: str, times: dict[str, list[float]]) -> Table:
    """Milliseconds, and fastact's time over each, taken within rounds."""
    shown = Table("way", "ms", "fastact's time over it", title=title, title_justify="left")
    for name, taken in times.items():
        ratio = Quartiles.of([ours / its for ours, its in zip(times[FASTACT], taken, strict=True)])
        shown.add_row(name, str(Quartiles.of(taken)), str(ratio))
    return shown


@contextmanager
def on_threads(threads: int) -> Iterator[None]:
    """So many threads for everyone; NumPy's BLAS has taken its number when it was loaded, and has to be told."""
    torch.set_num_threads(threads)
    with fastact.threads(threads), threadpoolctl.threadpool_limits(threads, user_api="blas"), torch.no_grad():
        yield


def main(threads: int) -> None:
    """Prints a table for each shape and activation."""
    with on_threads(threads):
        for shape in SHAPES:
            for activation in ACTIVATIONS:
                title = f"{shape}, {activation}, float32, {threads} thread{'s' * (threads > 1)}"
                Console().print(table(title, in_turns(contestants(shape, activation))))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
