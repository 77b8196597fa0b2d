"""One training run: a fresh network learns a problem, and what it knows is measured after each epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fastact._records import Activation
from fastact.zoo.datasets import Data
from fastact.zoo.network import Network, accuracy, mean_loss


@dataclass(frozen=True)
class Settings:
    """How networks are made and trained."""

    hidden: tuple[int, ...]
    initialisation: str
    epochs: int
    batch: int
    learning_rate: float
    momentum: float


class Epoch(NamedTuple):
    """What a network knows after an epoch."""

    epoch: int
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float


class Run(NamedTuple):
    """A trained network, how it came there, and how long the training itself took."""

    network: Network
    epochs: list[Epoch]
    seconds: float


def train(activation: Activation, data: Data, settings: Settings, seed: int, tick: Callable[[], object]) -> Run:
    """Trains a fresh network; the seed draws the same weights and batches for every activation."""
    rng = np.random.default_rng(seed)
    sizes = (data.x.shape[1], *settings.hidden, data.classes)
    network = Network(sizes, activation, rng, settings.initialisation)
    epochs, seconds = [], 0.0
    # Where the numbers of a network grow out of bounds its losses say so.
    with np.errstate(all="ignore"):
        for number in range(1, settings.epochs + 1):
            start = time.perf_counter()
            _learn(network, data, settings, rng.permutation(len(data.x)))
            seconds += time.perf_counter() - start
            epochs.append(_measure(network, data, number))
            tick()
    return Run(network, epochs, seconds)


def _learn(network: Network, data: Data, settings: Settings, order: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """Takes a step for each batch of rows, in this order."""
    for start in range(0, len(order), settings.batch):
        batch = order[start : start + settings.batch]
        _, gradients = network.loss_and_gradients(data.x[batch], data.labels[batch])
        network.step(gradients, settings.learning_rate, settings.momentum)


def _measure(network: Network, data: Data, number: int) -> Epoch:
    learnt, tested = network.log_probabilities(data.x), network.log_probabilities(data.test_x)
    return Epoch(
        number,
        train_loss=mean_loss(learnt, data.labels),
        test_loss=mean_loss(tested, data.test_labels),
        train_accuracy=accuracy(learnt, data.labels),
        test_accuracy=accuracy(tested, data.test_labels),
    )
