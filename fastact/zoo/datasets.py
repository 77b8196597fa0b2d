"""Classification problems for comparisons, standardised and split, from scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits, make_circles, make_moons

Array = np.ndarray[Any, Any]

POINTS, NOISE = 600, 0.2
TEST_PART = 1 / 3


class Data(NamedTuple):
    """Rows of inputs in float32 and their classes, to learn from and to be tested on."""

    x: Array
    labels: Array
    test_x: Array
    test_labels: Array

    @property
    def classes(self) -> int:
        return int(self.labels.max()) + 1


PROBLEMS: dict[str, Callable[[int], Any]] = {
    "moons": lambda seed: make_moons(POINTS, noise=NOISE, random_state=seed),
    "circles": lambda seed: make_circles(POINTS, noise=NOISE / 2, factor=0.5, random_state=seed),
    "digits": lambda seed: load_digits(return_X_y=True),
}
"""Inputs and classes, by the problem's name."""


def load(name: str, seed: int) -> Data:
    """A problem: the seed draws its points, where they are drawn at all, and says which of them are the test's."""
    x, labels = PROBLEMS[name](seed)
    order = np.random.default_rng(seed).permutation(len(x))
    test = round(TEST_PART * len(x))
    x, labels = x[order], labels[order]
    # One mean and one deviation for all inputs: pictures stay pictures.
    x = ((x - x[test:].mean()) / x[test:].std()).astype(np.float32)
    return Data(x[test:], labels[test:], x[:test], labels[:test])
