"""The main job on real input: a classifier's logits and a photograph, by fastact, by SciPy, and by hand in NumPy.

Digits go through a real classifier, whose logits become probabilities by softmax; a photograph's contrast is curved
by a sigmoid. Three ways of computing each are checked to give the same answer, then timed in turn.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.special
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits, load_sample_image
from sklearn.linear_model import LogisticRegression

import fastact

Array = npt.NDArray[np.floating]
Function = Callable[[Array], Array]

ROUNDS = 15
# As many images as a batch job would classify: the 1,797 digits many times over, and each with noise of its own.
COPIES = 100
CONTRAST = np.float32(12)


@dataclass(frozen=True)
class Job:
    """One function on one real array, and the three ways to compute it."""

    name: str
    data: Array
    ways: dict[str, Function]


def softmax_by_hand(x: Array) -> Array:
    """What people write: the maximum taken off, so that nothing overflows."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid_by_hand(x: Array) -> Array:
    """What people write; it overflows below -88."""
    return 1 / (1 + np.exp(-x))


def digit_logits() -> Array:
    """Logits of a classifier that has learnt scikit-learn's digits, for a large batch of noisy ones."""
    digits = load_digits()
    classifier = LogisticRegression(max_iter=200).fit(digits.data, digits.target)
    noise = np.random.default_rng(0)
    batch = np.concatenate([digits.data + noise.normal(0, 2, digits.data.shape) for _ in range(COPIES)])
    return classifier.decision_function(batch).astype(np.float32)


def photograph() -> Array:
    """A photograph's brightness, centred on zero and stretched for a sigmoid contrast curve."""
    image = load_sample_image("china.jpg").astype(np.float32) / np.float32(255)
    return (image - np.float32(0.5)) * CONTRAST


def jobs() -> list[Job]:
    logits = digit_logits()
    softmax_ways: dict[str, Function] = {
        "fastact": fastact.softmax,
        "SciPy": lambda x: scipy.special.softmax(x, axis=-1),
        "NumPy by hand": softmax_by_hand,
    }
    sigmoid_ways: dict[str, Function] = {
        "fastact": fastact.sigmoid,
        "SciPy": scipy.special.expit,
        "NumPy by hand": sigmoid_by_hand,
    }
    return [
        Job("softmax of digit logits", logits, softmax_ways),
        Job("sigmoid of digit logits", logits, sigmoid_ways),
        Job("softmax over colour channels", photograph(), softmax_ways),
        Job("sigmoid contrast of a photograph", photograph(), sigmoid_ways),
    ]


def seconds(function: Function, data: Array) -> float:
    start = time.perf_counter()
    function(data)
    return time.perf_counter() - start


def median_times(job: Job) -> dict[str, float]:
    """The median time of each way; they take turns, so that a busy moment meets all of them."""
    times: dict[str, list[float]] = {way: [] for way in job.ways}
    for _ in range(ROUNDS):
        for way, function in job.ways.items():
            times[way].append(seconds(function, job.data))
    return {way: statistics.median(taken) for way, taken in times.items()}


def largest_difference(job: Job) -> float:
    """How far apart fastact and the other ways are, at most."""
    ours = job.ways["fastact"](job.data)
    return max(float(np.max(np.abs(ours - function(job.data)))) for function in job.ways.values())


def main() -> None:
    console = Console(width=max(Console().width, 130))
    table = Table(title="The same answers, sooner (float32, median of interleaved rounds)")
    for heading in ("job", "array"):
        table.add_column(heading)
    for heading in ("largest difference", "fastact ms", "SciPy ms", "NumPy ms", "faster than SciPy", "than NumPy"):
        table.add_column(heading, justify="right")
    for job in jobs():
        times = median_times(job)
        ours = times["fastact"]
        table.add_row(
            job.name,
            " x ".join(map(str, job.data.shape)),
            f"{largest_difference(job):.1e}",
            *(f"{1000 * taken:.2f}" for taken in times.values()),
            *(f"{times[way] / ours:.1f} x" for way in ("SciPy", "NumPy by hand")),
        )
    console.print(table)
    configuration = fastact.config()
    console.print(
        f"fastact {configuration['version']}: {configuration['engine']} engine, "
        f"{configuration['cpu_target'] or 'any processor'}, {configuration['num_threads']} threads"
    )


if __name__ == "__main__":
    main()
