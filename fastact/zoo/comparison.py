"""`fastact.compare`: what an activation does to a model, trained in NumPy on fastact's own kernels."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import fastact
from fastact._files import checked_folder, write_all
from fastact.zoo.extra import needs
from fastact.zoo.facts import checked_name
from fastact.zoo.network import INITIALISATIONS, MOST_UNITS, hidden_activation

try:
    import pandas as pd

    from fastact.zoo import comparison_figures
    from fastact.zoo.datasets import PROBLEMS, Data, load
    from fastact.zoo.style import as_file
    from fastact.zoo.training import Run, Settings, train
except ImportError as error:
    raise ImportError(needs("fastact.compare", error)) from error

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "silu", "gelu")


@dataclass(frozen=True)
class Comparison:
    """Networks of the same weights that differ in their activation only, and what became of them.

    `histories` has a frame for each activation, a row for each seed and epoch. `summary` has a row for each activation:
    the mean and standard deviation of the last test accuracies, in how many of the runs the target was reached and
    after how many epochs in the middle one of those, and the mean time of training. `problems` and `runs` are those of
    the first seed.
    """

    data: str
    target: float
    seeds: tuple[int, ...]
    settings: Settings
    histories: dict[str, pd.DataFrame]
    summary: pd.DataFrame
    problem: Data
    runs: dict[str, Run]

    def figures(self) -> dict[str, Any]:
        """The curves over the epochs, and the decision boundaries, or the mistakes where the inputs are pictures."""
        drawn = {"curves": comparison_figures.draw_curves(self.histories, self.target)}
        networks = {name: run.network for name, run in self.runs.items()}
        if self.problem.x.shape[1] == 2:
            drawn["boundaries"] = comparison_figures.draw_boundaries(networks, self.problem, self.seeds[0])
        else:
            drawn["mistakes"] = comparison_figures.draw_mistakes(networks, self.problem, self.seeds[0])
        return drawn

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the histories, the summary and the settings as CSV and JSON, and the figures as PNG."""
        path = checked_folder("compare", folder)
        files = {f"{name}.png": as_file(figure, ".png") for name, figure in self.figures().items()}
        files |= {f"history-{name}.csv": _as_csv(frame, index=False) for name, frame in self.histories.items()}
        files["summary.csv"] = _as_csv(self.summary, index=True)
        files["settings.json"] = json.dumps(self._made_by(), indent=2).encode()
        made = not path.exists()
        path.mkdir(exist_ok=True)
        try:
            write_all({path / name: content for name, content in files.items()})
        except OSError:
            if made:
                path.rmdir()
            raise

    def _made_by(self) -> dict[str, Any]:
        """What is needed to make it again."""
        return {
            "data": self.data,
            "activations": list(self.histories),
            "seeds": self.seeds,
            "target": self.target,
            **dataclasses.asdict(self.settings),
            "fastact": fastact.__version__,
            "engine": fastact.config()["engine"],
            "cpu_target": fastact.config()["cpu_target"],
        }


def compare(
    data: str = "moons",
    activations: Sequence[str] = ACTIVATIONS,
    *,
    seed: int = 0,
    seeds: int = 1,
    hidden: Sequence[int] = (32, 32),
    initialisation: str = "glorot",
    epochs: int = 50,
    batch: int = 32,
    learning_rate: float = 0.05,
    momentum: float = 0.9,
    target: float = 0.95,
    output: str | os.PathLike[str] | None = None,
    tick: Callable[[str], object] | None = None,
) -> Comparison:
    """Trains the same small network with each of several activations in its hidden layers.

    The network is made of dense layers with log_softmax behind the last; it learns by gradient descent with momentum on
    batches, from the mean cross-entropy. Every activation meets the same points, weights and batches. The same seed
    gives the same numbers to the last bit, on the same engine and number of BLAS threads.

    Parameters
    ----------
    data : {"moons", "circles", "digits"}
        Two interleaved half circles, a circle around another one, or scikit-learn's images of handwritten digits. A
        third of the points is kept for testing.
    activations : sequence of str
        Activations of one number that are defined everywhere and whose parameters have defaults.
    seed, seeds : int, default 0 and 1
        Repeats everything for `seeds` seeds from `seed` on: one run proves little.
    hidden : sequence of int, default (32, 32)
        The number of units in each hidden layer, 4096 at most.
    initialisation : {"glorot", "he", "lecun"}
        The variance of the weights at the start: 2 / (inputs + units), 2 / inputs, 1 / inputs.
    epochs, batch, learning_rate, momentum
        Passes over the data, rows of a batch, and the descent's step and inertia.
    target : float, default 0.95
        The test accuracy whose first epoch goes to the summary.
    output : path, optional
        A folder that gets the histories (CSV), the figures (PNG), the summary (CSV) and the settings (JSON). It is made
        if it is not there; files of other names in it stay.
    tick : callable, optional
        Called with the activation's name after each of its epochs.

    Returns
    -------
    Comparison
        With `histories`, a dictionary of pandas DataFrames by activation, `summary` and `figures()`.

    Raises
    ------
    TypeError
        For names that are not strings.
    ValueError
        For names that there are not, numbers that make no sense, and an output that cannot be; nothing is written then.
    OSError
        If the folder cannot be written to after all; what was there before then still is.
    ImportError
        Without matplotlib, pandas or scikit-learn.
    """
    if data not in PROBLEMS:
        raise ValueError(f"compare: data is {data!r}, expected one of {', '.join(PROBLEMS)}")
    records = {name: hidden_activation("compare", name) for name in _distinct(activations)}
    if initialisation not in INITIALISATIONS:
        expected = ", ".join(INITIALISATIONS)
        raise ValueError(f"compare: initialisation is {initialisation!r}, expected one of {expected}")
    _check_counts(seeds=seeds, epochs=epochs, batch=batch)
    _check_numbers(seed, learning_rate, momentum, target)
    if not hidden or not all(isinstance(units, int) and 1 <= units <= MOST_UNITS for units in hidden):
        expected = f"the units of one layer or more, from 1 to {MOST_UNITS}"
        raise ValueError(f"compare: hidden is {hidden!r}, expected {expected}")
    if output is not None:
        checked_folder("compare", output)

    settings = Settings(tuple(hidden), initialisation, epochs, batch, learning_rate, momentum)
    numbers = tuple(range(seed, seed + seeds))
    problems = [load(data, number) for number in numbers]
    runs: dict[str, list[Run]] = {name: [] for name in records}
    # Seed by seed: what else the machine does then falls on all activations alike.
    for number, problem in zip(numbers, problems, strict=True):
        for name, record in records.items():
            runs[name].append(train(record, problem, settings, number, _ticking(tick, name)))

    histories = {name: _history(numbers, taken) for name, taken in runs.items()}
    rows = {name: _summarised(taken, target) for name, taken in runs.items()}
    comparison = Comparison(
        data=data,
        target=target,
        seeds=numbers,
        settings=settings,
        histories=histories,
        summary=pd.DataFrame.from_dict(rows, orient="index").rename_axis("activation"),
        problem=problems[0],
        runs={name: taken[0] for name, taken in runs.items()},
    )
    if output is not None:
        comparison.save(output)
    return comparison


def _distinct(activations: Sequence[str]) -> list[str]:
    names = [checked_name("compare", name) for name in activations]
    if not names or isinstance(activations, str) or len(set(names)) < len(names):
        raise ValueError(f"compare: activations is {activations!r}, expected a list of different names")
    return names


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if not (isinstance(count, int) and count >= 1):
            raise ValueError(f"compare: {name} is {count!r}, expected a whole number from 1 on")


def _check_numbers(seed: int, learning_rate: float, momentum: float, target: float) -> None:
    if not (isinstance(seed, int) and 0 <= seed < 2**31):
        raise ValueError(f"compare: seed is {seed!r}, expected a whole number from 0 to 2**31 - 1")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"compare: learning_rate is {learning_rate!r}, expected a positive number")
    if not 0 <= momentum < 1:
        raise ValueError(f"compare: momentum is {momentum!r}, expected a number from 0 to less than 1")
    if not 0 < target <= 1:
        raise ValueError(f"compare: target is {target!r}, expected an accuracy, above 0 and up to 1")


def _ticking(tick: Callable[[str], object] | None, name: str) -> Callable[[], object]:
    return lambda: None if tick is None else tick(name)


def _history(seeds: Iterable[int], runs: Iterable[Run]) -> pd.DataFrame:
    """A row for each seed and epoch."""
    return pd.DataFrame(
        [{"seed": seed, **epoch._asdict()} for seed, run in zip(seeds, runs, strict=True) for epoch in run.epochs]
    )


def _summarised(runs: Sequence[Run], target: float) -> dict[str, float]:
    """What is told of an activation; a deviation takes two runs, and the epochs those that reached the target."""
    last = pd.Series([run.epochs[-1].test_accuracy for run in runs])
    reached = pd.Series(filter(None, (_epochs_to(target, run) for run in runs)), dtype="int64")
    return {
        "accuracy": last.mean(),
        "deviation": last.std(),
        "reached": len(reached),
        "epochs_to_target": reached.median(),
        "seconds": sum(run.seconds for run in runs) / len(runs),
    }


def _epochs_to(target: float, run: Run) -> int | None:
    """The first epoch whose test accuracy is at the target."""
    return next((epoch.epoch for epoch in run.epochs if epoch.test_accuracy >= target), None)


def _as_csv(frame: pd.DataFrame, index: bool) -> bytes:
    """CSV whose numbers can be read back to the same bits."""
    return str(frame.to_csv(index=index)).encode()
