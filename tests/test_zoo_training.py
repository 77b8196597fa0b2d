"""`fastact.compare`: the network learns as PyTorch's does, a seed gives the same bits, and the command behaves."""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import fastact
from fastact.zoo import compare_command
from fastact.zoo.comparison import Comparison, compare
from fastact.zoo.datasets import PROBLEMS, load
from fastact.zoo.network import INITIALISATIONS, Network, accuracy, suitable
from fastact.zoo.style import GREY

pytestmark = pytest.mark.once

QUICK: dict[str, Any] = {"epochs": 3, "hidden": (8,), "batch": 100}


@pytest.fixture(scope="module")
def moons() -> Comparison:
    """Two activations on two seeds."""
    return compare("moons", ["relu", "sigmoid"], seeds=2, target=0.8, **QUICK)


def network_of(name: str, sizes: tuple[int, ...] = (5, 7, 6, 3), dtype: Any = np.float64) -> Network:
    return Network(sizes, fastact.activations[name], np.random.default_rng(3), "glorot", dtype)


# The network


@pytest.mark.parametrize("name", suitable())
def test_gradients_agree_with_differences(name: str) -> None:
    network = network_of(name)
    rng = np.random.default_rng(4)
    x, labels = 3 * rng.normal(size=(11, 5)), rng.integers(0, 3, 11)
    for bias in network.biases:
        bias += 0.3 * rng.normal(size=bias.shape)
    _, gradients = network.loss_and_gradients(x, labels)
    # With these numbers no difference straddles a point where step or hard_shrink jumps.
    step = 1e-6
    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        for place in np.ndindex(parameter.shape):
            kept = parameter[place]
            losses = []
            for moved in (kept - step, kept + step):
                parameter[place] = moved
                losses.append(network.loss_and_gradients(x, labels)[0])
            parameter[place] = kept
            assert gradient[place] == pytest.approx((losses[1] - losses[0]) / (2 * step), abs=1e-7)


def test_prediction_and_training_see_the_same_network() -> None:
    network = network_of("gelu")
    x, labels = np.random.default_rng(4).normal(size=(2, 5)), np.array([0, 2])
    loss, _ = network.loss_and_gradients(x, labels)
    assert loss == -network.log_probabilities(x)[[0, 1], labels].mean()
    assert accuracy(np.log([[0.2, 0.8], [0.9, 0.1]]), np.array([1, 1])) == 0.5


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
def test_variance_of_the_weights(initialisation: str) -> None:
    network = Network((400, 100), fastact.activations["relu"], np.random.default_rng(0), initialisation)
    expected = {"glorot": 2 / 500, "he": 2 / 400, "lecun": 1 / 400}[initialisation]
    assert network.weights[0].var() == pytest.approx(expected, rel=0.02)
    assert network.weights[0].dtype == np.float32


def in_pytorch(torch: Any) -> dict[str, Callable[[Any], Any]]:
    """Every activation of a hidden layer, by PyTorch: its own function, or where it has none the formula."""
    functional = torch.nn.functional
    return {
        "identity": lambda x: x,
        "step": lambda x: (x >= 0).to(x.dtype),
        "relu": functional.relu,
        "relu6": functional.relu6,
        "squared_relu": lambda x: functional.relu(x) ** 2,
        "leaky_relu": functional.leaky_relu,
        "thresholded_relu": lambda x: functional.threshold(x, 1, 0),
        "sigmoid": torch.sigmoid,
        "log_sigmoid": functional.logsigmoid,
        "tanh": torch.tanh,
        "softsign": functional.softsign,
        "hard_tanh": functional.hardtanh,
        "hard_sigmoid": functional.hardsigmoid,
        "sparse_sigmoid": lambda x: torch.clamp((x + 1) / 2, 0, 1),
        "softplus": functional.softplus,
        "squareplus": lambda x: (x + torch.sqrt(x * x + 4)) / 2,
        "sparse_plus": lambda x: torch.where(x > 1, x, torch.clamp(x + 1, min=0) ** 2 / 4),
        "elu": functional.elu,
        "celu": functional.celu,
        "selu": functional.selu,
        "silu": functional.silu,
        "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
        "mish": functional.mish,
        "gelu": functional.gelu,
        "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "hard_swish": functional.hardswish,
        "tanh_shrink": functional.tanhshrink,
        "hard_shrink": functional.hardshrink,
        "soft_shrink": functional.softshrink,
    }


@pytest.mark.parametrize("name", suitable())
def test_the_same_losses_as_in_pytorch(name: str) -> None:
    """Weights, batches and descent are the same: so are forty losses, in float32."""
    torch = pytest.importorskip("torch")
    activation = in_pytorch(torch)[name]
    data = load("moons", 0)
    network = network_of(name, (2, 16, 16, 2), np.float32)
    layers = [
        [torch.tensor(array, requires_grad=True) for array in arrays] for arrays in (network.weights, network.biases)
    ]
    optimiser = torch.optim.SGD([*layers[0], *layers[1]], lr=0.05, momentum=0.9)
    for k in range(40):
        batch = slice(10 * k, 10 * k + 10)
        ours, gradients = network.loss_and_gradients(data.x[batch], data.labels[batch])
        network.step(gradients, rate=0.05, momentum=0.9)
        x = torch.from_numpy(data.x[batch])
        for weights, bias in zip(layers[0][:-1], layers[1], strict=False):
            x = activation(x @ weights + bias)
        loss = torch.nn.functional.cross_entropy(x @ layers[0][-1] + layers[1][-1], torch.tensor(data.labels[batch]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert ours == pytest.approx(loss.item(), abs=1e-5), k


# The problems


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems(name: str) -> None:
    data = load(name, 1)
    assert data.x.dtype == np.float32
    assert len(data.test_x) == pytest.approx((len(data.x) + len(data.test_x)) / 3, abs=1)
    assert data.x.mean() == pytest.approx(0, abs=1e-5) and data.x.std() == pytest.approx(1, abs=1e-5)
    assert set(data.labels) == set(data.test_labels) == set(range(data.classes))
    assert not np.array_equal(data.labels, load(name, 2).labels)


# The comparison


def test_it_learns() -> None:
    summary = compare("circles", ["relu", "identity"], epochs=15).summary
    assert summary.accuracy["relu"] > 0.95 > 0.7 > summary.accuracy["identity"]
    assert summary.epochs_to_target["relu"] <= 15 and np.isnan(summary.epochs_to_target["identity"])


def test_a_seed_gives_the_same_bits(moons: Comparison) -> None:
    again = compare("moons", ["sigmoid", "relu"], seeds=2, target=0.8, **QUICK)
    for name, history in moons.histories.items():
        assert history.to_numpy().tobytes() == again.histories[name].to_numpy().tobytes()
    alone = compare("moons", ["relu"], seed=1, **QUICK).histories["relu"]
    history = moons.histories["relu"]
    assert alone.to_numpy().tobytes() == history[history.seed == 1].to_numpy().tobytes()
    assert not np.array_equal(alone.test_loss, history[history.seed == 0].test_loss)


def test_histories_and_summary(moons: Comparison) -> None:
    assert list(moons.histories) == list(moons.summary.index) == ["relu", "sigmoid"]
    for name, history in moons.histories.items():
        assert list(zip(history.seed, history.epoch, strict=True)) == [(s, e) for s in (0, 1) for e in (1, 2, 3)]
        told = moons.summary.loc[name]
        last = history[history.epoch == 3].test_accuracy
        assert told.accuracy == pytest.approx(last.mean()) and told.deviation == pytest.approx(last.std())
        reached = history[history.test_accuracy >= 0.8].groupby("seed").epoch.min()
        assert told.reached == len(reached)
        np.testing.assert_equal(told.epochs_to_target, reached.median())
        assert told.seconds > 0


def test_every_activation_starts_from_the_same_weights() -> None:
    runs = compare("moons", ["tanh", "identity"], learning_rate=1e-30, **QUICK).runs
    for one, other in zip(*(run.network.weights for run in runs.values()), strict=True):
        np.testing.assert_array_equal(one, other)


def test_divergence_is_told_and_silent() -> None:
    comparison = compare("digits", ["squared_relu"], learning_rate=1e6, **QUICK)
    assert np.isnan(comparison.histories["squared_relu"].train_loss.iloc[-1])
    assert comparison.figures().keys() == {"curves", "mistakes"}


def test_ticks() -> None:
    ticks: list[str] = []
    compare("moons", ["relu", "tanh"], seeds=2, tick=ticks.append, **QUICK)
    assert ticks == (["relu"] * 3 + ["tanh"] * 3) * 2


# The figures


def test_curves_are_the_histories(moons: Comparison) -> None:
    axes = moons.figures()["curves"].axes
    columns = ["train_loss", "test_loss", "train_accuracy", "test_accuracy"]
    for panel, column in zip(axes, columns, strict=True):
        for name, history in moons.histories.items():
            (line,) = (line for line in panel.lines if line.get_label() == name)
            np.testing.assert_allclose(line.get_ydata(), history.groupby("epoch")[column].mean())
        assert len(panel.collections) == 2  # a band for each
    assert [line.get_ydata()[0] for line in axes[3].lines if line.get_color() == GREY] == [0.8]


def test_rings_are_around_what_is_misclassified(moons: Comparison) -> None:
    panels = moons.figures()["boundaries"].axes
    for axes, (name, run) in zip(panels, moons.runs.items(), strict=True):
        (rings,) = (line for line in axes.lines if line.get_label() == "misclassified")
        seen = run.network.log_probabilities(moons.problem.test_x).argmax(axis=1)
        wrong = moons.problem.test_x[seen != moons.problem.test_labels]
        np.testing.assert_array_equal(np.transpose(rings.get_data()), wrong)
        assert axes.get_title().startswith(f"{name}  ")


def test_mistakes_are_told_by_both_digits() -> None:
    comparison = compare("digits", ["relu"], **QUICK)
    seen = comparison.runs["relu"].network.log_probabilities(comparison.problem.test_x).argmax(axis=1)
    pairs = zip(comparison.problem.test_labels, seen, strict=True)
    wrong = [f"{true} as {taken}" for true, taken in pairs if true != taken]
    titles = [axes.get_title() for axes in comparison.figures()["mistakes"].axes]
    assert titles == wrong[: len(titles)]


# Files


def test_the_folder(moons: Comparison, tmp_path: Path) -> None:
    moons.save(tmp_path / "made")
    names = {path.name for path in (tmp_path / "made").iterdir()}
    pictures = {"curves.png", "boundaries.png"}
    assert names == {"history-relu.csv", "history-sigmoid.csv", "summary.csv", "settings.json"} | pictures
    for name in pictures:
        assert (tmp_path / "made" / name).read_bytes().startswith(b"\x89PNG")
    for name, history in moons.histories.items():
        read = pd.read_csv(tmp_path / "made" / f"history-{name}.csv")
        pd.testing.assert_frame_equal(read, history, rtol=1e-15)
    read = pd.read_csv(tmp_path / "made" / "summary.csv", index_col="activation")
    pd.testing.assert_frame_equal(read, moons.summary, rtol=1e-15)
    settings = json.loads((tmp_path / "made" / "settings.json").read_text())
    assert settings["activations"] == ["relu", "sigmoid"] and settings["seeds"] == [0, 1] and settings["hidden"] == [8]


# Refusals and the command


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "sun"}, "data is 'sun', expected one of moons, circles, digits"),
        ({"activations": ["rleu"]}, "there is no activation 'rleu'; did you mean 'relu'"),
        ({"activations": ["softmax"]}, "'softmax' does not suit a hidden layer, expected one of identity, "),
        ({"activations": ["logit"]}, "'logit' does not suit"),
        ({"activations": ["prelu"]}, "'prelu' does not suit"),
        ({"activations": ["glu"]}, "'glu' does not suit"),
        ({"activations": []}, "activations is [], expected a list of different names"),
        ({"activations": "relu"}, "activations is 'relu', expected a list of different names"),
        ({"activations": ["relu", "relu"]}, "expected a list of different names"),
        ({"initialisation": "best"}, "initialisation is 'best', expected one of glorot, he, lecun"),
        ({"seed": -1}, "seed is -1"),
        ({"seeds": 0}, "seeds is 0"),
        ({"epochs": 2.5}, "epochs is 2.5"),
        ({"batch": 0}, "batch is 0"),
        ({"hidden": ()}, "hidden is ()"),
        ({"hidden": (32, 0)}, "hidden is (32, 0), expected the units of one layer or more, from 1 to 4096"),
        ({"hidden": (10**9,)}, "hidden is (1000000000,), expected the units of one layer or more, from 1 to 4096"),
        ({"output": ""}, "output is '', expected a folder"),
        ({"hidden": (3, 4.5)}, "hidden is (3, 4.5)"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"momentum": 1}, "momentum is 1"),
        ({"target": 0}, "target is 0"),
    ],
)
def test_refusals(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (its text is looked at below)
        compare(**{"output": tmp_path / "folder", **change})
    assert str(raised.value).startswith("compare: ") and message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("activations", [[fastact.relu], [None], ["relu", ["tanh"]]])
def test_names_are_strings(activations: Any) -> None:
    with pytest.raises(TypeError, match=r"compare: a name is .*, expected a string"):
        compare(activations=activations)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(compare_command.command, arguments)


def test_the_command(tmp_path: Path) -> None:
    arguments = ["--activations", "tanh, relu", "--seeds", "2", "--epochs", "2", "--hidden", "4", "--data", "circles"]
    ran = run(*arguments, "-o", str(tmp_path / "made"))
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.split()[:2] == ["activation", "test"]
    assert {line.split()[0] for line in ran.stdout.splitlines()[2:]} == {"tanh", "relu"}
    assert ran.stderr == f"wrote {tmp_path / 'made'}\n"
    assert len(list((tmp_path / "made").iterdir())) == 6


@pytest.mark.parametrize("arguments", [["--data", "sun"], ["--hidden", "3,x"], ["--seeds", "x"], ["--epochs", "0"]])
def test_a_bad_option_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    ran = run(*arguments, "-o", str(tmp_path / "made"))
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    output = str(tmp_path / "nowhere" / "made")
    command = [sys.executable, "-m", "fastact", "compare", "-o", output]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = f"output is {output!r}, expected a folder that can be written to, or that can be made"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"fastact: compare: {expected}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(ValueError, match="expected a folder that can be written to"):
        compare(output=file)
    assert file.read_text() == "kept"


@pytest.mark.parametrize("in_the_way", ["curves.png", "settings.json"])
def test_a_folder_in_a_file_s_place_is_one_line(in_the_way: str, tmp_path: Path) -> None:
    (tmp_path / in_the_way).mkdir()
    ran = run("--activations", "relu", "--epochs", "1", "-o", str(tmp_path))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "cannot be written (Is a directory)" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == [in_the_way]


def test_a_terminal_of_few_characters() -> None:
    """Which has no ±."""
    command = [sys.executable, "-m", "fastact", "compare", "--activations", "relu", "--epochs", "1", "--seeds", "2"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "relu" in ran.stdout


@pytest.mark.parametrize("made", [False, True])
def test_a_full_disk_is_one_line(made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    ran = run("--activations", "relu", "--epochs", "1", "-o", str(tmp_path / "made" if made else tmp_path))
    assert ran.exit_code == 2
    assert "cannot be written (No space left on device)" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("missing", "package"), [("matplotlib", "matplotlib"), ("pandas", "pandas"), ("sklearn", "scikit-learn")]
)
def test_without_an_extra_the_command_says_so(
    missing: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in list(sys.modules):
        if module.startswith("fastact.zoo") or module.partition(".")[0] == missing:
            monkeypatch.delitem(sys.modules, module)
    imports = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return imports(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    ran = run("-o", str(tmp_path / "made"))
    assert ran.exit_code == 2
    assert ran.stderr.splitlines()[-1] == f"Error: fastact.compare needs {package}: pip install 'fastact[zoo]'"
    assert list(tmp_path.iterdir()) == []
