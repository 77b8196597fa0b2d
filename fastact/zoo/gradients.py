"""`fastact.gradients`: what is left of a gradient after many layers, and how many units pass none on at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastact._dense import dense
from fastact._records import Activation
from fastact.zoo.network import INITIALISATIONS, hidden_activation, random_weights, suitable

Array = np.ndarray[Any, Any]


class Flow(NamedTuple):
    """The way of a gradient back through a network.

    `sizes[k]` is the gradient's root mean square k + 1 layers before the last one's result, over that at the result;
    infinite or NaN where numbers grew beyond float64. `dead[k]` is the share of dead units in the layer passed k-th:
    of those whose derivative is 0 for every input.
    """

    sizes: Array
    dead: Array


def gradients(
    activations: Sequence[str] = (),
    *,
    layers: int = 50,
    units: int = 128,
    inputs: int = 128,
    initialisation: str = "glorot",
    seed: int = 0,
) -> dict[str, Flow]:
    """Sends a gradient back through a network of random dense layers, for each of several activations.

    The inputs and the gradient at the last layer are normal, the weights normal of the initialisation's variance, and
    the same for every activation; there are no biases. All in float64, since a gradient may shrink to 1e-40 on its way.

    Parameters
    ----------
    activations : sequence of str
        Activations of one number that are defined everywhere and whose parameters have defaults; default all of them.
    layers, units, inputs : int, default 50, 128 and 128
        The network's depth and width, and how many inputs it is given.
    initialisation : {"glorot", "he", "lecun"}
        The variance of the weights: 2 / (units + units), 2 / units, 1 / units.
    seed : int, default 0
        Draws inputs, weights and the gradient.

    Returns
    -------
    dict
        By activation, a `Flow` with `sizes` and `dead`, one number for each layer that is passed.

    Raises
    ------
    ValueError
        For names that there are not, and numbers that make no sense.
    """
    if isinstance(activations, str):
        raise ValueError(f"gradients: activations is {activations!r}, expected a list of names")
    records = {name: hidden_activation("gradients", name) for name in activations or suitable()}
    if initialisation not in INITIALISATIONS:
        expected = ", ".join(INITIALISATIONS)
        raise ValueError(f"gradients: initialisation is {initialisation!r}, expected one of {expected}")
    for argument, number, least in (
        ("layers", layers, 1),
        ("units", units, 1),
        ("inputs", inputs, 1),
        ("seed", seed, 0),
    ):
        if not (isinstance(number, int) and number >= least):
            raise ValueError(f"gradients: {argument} is {number!r}, expected a whole number from {least} on")
    rng = np.random.default_rng(seed)
    x, grad = rng.normal(size=(2, inputs, units))
    weights = [random_weights(rng, units, units, initialisation) for _ in range(layers)]
    with np.errstate(all="ignore"):
        return {name: _flow(record, x, weights, grad) for name, record in records.items()}


def _flow(record: Activation, x: Array, weights: Sequence[Array], grad: Array) -> Flow:
    sums = []
    for layer in weights:
        sums.append(dense(x, layer))
        x = record.function(sums[-1])
    start = _size(grad)
    sizes, dead = [], []
    for layer, z in zip(reversed(weights), reversed(sums), strict=True):
        passed = record.backward(np.ones_like(z), z)
        dead.append(float((passed == 0).all(axis=0).mean()))
        grad = record.backward(grad, z) @ layer.T
        sizes.append(_size(grad) / start)
    return Flow(np.array(sizes), np.array(dead))


def _size(grad: Array) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(np.square(grad))))
