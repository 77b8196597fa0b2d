"""A small classifier for comparisons: dense layers on fastact's forward and backward kernels, trained by descent."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fastact
from fastact._dense import dense, takes_one_array
from fastact._records import REALS, Activation
from fastact.zoo.facts import record_of

Array = np.ndarray[Any, Any]

# The variance of a weight. Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
# networks (2010); He et al., Delving deep into rectifiers (2015); LeCun et al., Efficient backprop (1998).
INITIALISATIONS: dict[str, Callable[[int, int], float]] = {
    "glorot": lambda inputs, units: 2 / (inputs + units),
    "he": lambda inputs, units: 2 / inputs,
    "lecun": lambda inputs, units: 1 / inputs,
}

# Units of a layer: weights between two larger ones are no longer small enough to be forgotten about.
MOST_UNITS = 4096


def hidden_activation(asker: str, name: str) -> Activation:
    """The record of an activation that a hidden layer can have; a ValueError that names the asker for others."""
    record = record_of(asker, name)
    if not suits_hidden_layer(record):
        raise ValueError(f"{asker}: {name!r} does not suit a hidden layer, expected one of {', '.join(suitable())}")
    return record


def suitable() -> list[str]:
    """The activations that a hidden layer can have."""
    return [name for name, record in fastact.activations.items() if suits_hidden_layer(record)]


def suits_hidden_layer(record: Activation) -> bool:
    """Whether it takes any one number and needs to be told nothing else."""
    return takes_one_array(record) and record.domain == REALS


def random_weights(rng: np.random.Generator, inputs: int, units: int, initialisation: str) -> Array:
    """Normal weights of a layer, of the initialisation's variance."""
    deviation = INITIALISATIONS[initialisation](inputs, units) ** 0.5
    return rng.normal(0, deviation, (inputs, units))


class Network:
    """Dense layers, the hidden ones with one activation, and log_softmax over the last one's units."""

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Activation,
        rng: np.random.Generator,
        initialisation: str = "glorot",
        dtype: Any = np.float32,
    ) -> None:
        """Draws the weights of layers between `sizes` units: of the inputs, of each hidden layer, of the classes."""
        self.activation = activation
        self.weights = [
            random_weights(rng, inputs, units, initialisation).astype(dtype)
            for inputs, units in itertools.pairwise(sizes)
        ]
        self.biases = [np.zeros(units, dtype) for units in sizes[1:]]
        self._velocities = [np.zeros_like(parameter) for parameter in self.parameters]

    @property
    def parameters(self) -> list[Array]:
        """All that is learnt: the layers' weights, then their biases."""
        return [*self.weights, *self.biases]

    def log_probabilities(self, x: Array) -> Array:
        """The logarithm of each class's probability, for each row of x."""
        for weights, bias in zip(self.weights[:-1], self.biases, strict=False):
            x = dense(x, weights, bias, self.activation.function)
        return dense(x, self.weights[-1], self.biases[-1], fastact.log_softmax)

    def loss_and_gradients(self, x: Array, labels: Array) -> tuple[float, list[Array]]:
        """The mean cross-entropy, and its gradient with respect to each parameter."""
        values, sums = [x], []
        for weights, bias in zip(self.weights[:-1], self.biases, strict=False):
            sums.append(dense(values[-1], weights, bias))
            values.append(self.activation.function(sums[-1]))
        y = dense(values[-1], self.weights[-1], self.biases[-1], fastact.log_softmax)
        chosen = np.arange(len(labels)), labels
        grad = np.zeros_like(y)
        grad[chosen] = -1 / len(labels)
        grad = fastact.backward.log_softmax(grad, y, out=grad)
        by_weights, by_biases = [values[-1].T @ grad], [grad.sum(axis=0)]
        for k in reversed(range(len(sums))):
            grad = self.activation.backward(grad @ self.weights[k + 1].T, sums[k])
            by_weights.insert(0, values[k].T @ grad)
            by_biases.insert(0, grad.sum(axis=0))
        return mean_loss(y, labels), [*by_weights, *by_biases]

    def step(self, gradients: Sequence[Array], rate: float, momentum: float) -> None:
        """One step of descent: a velocity gathers the gradients, and moves the parameters."""
        for parameter, velocity, gradient in zip(self.parameters, self._velocities, gradients, strict=True):
            velocity *= momentum
            velocity += gradient
            parameter -= rate * velocity


def mean_loss(log_probabilities: Array, labels: Array) -> float:
    """The cross-entropy of the labels, in nats."""
    return -float(log_probabilities[np.arange(len(labels)), labels].mean(dtype=np.float64))


def accuracy(log_probabilities: Array, labels: Array) -> float:
    """The part of the rows whose most probable class is the right one."""
    return float((log_probabilities.argmax(axis=1) == labels).mean())
