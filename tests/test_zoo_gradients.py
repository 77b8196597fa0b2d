"""`fastact.gradients`: what is left of a gradient is what differences say, and the command behaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import fastact
from fastact.zoo import gradients_command, gradients_figure
from fastact.zoo.gradients import gradients
from fastact.zoo.network import INITIALISATIONS, random_weights, suitable

pytestmark = pytest.mark.once

SMALL: dict[str, Any] = {"layers": 4, "units": 12, "inputs": 9}


@pytest.mark.parametrize("name", [name for name in suitable() if name not in ("step", "hard_shrink")])
def test_sizes_agree_with_differences(name: str) -> None:
    flow = gradients([name], **SMALL)[name]
    function = getattr(fastact, name)
    rng = np.random.default_rng(0)
    x, grad = rng.normal(size=(2, 9, 12))
    weights = [random_weights(rng, 12, 12, "glorot") for _ in range(4)]
    for passed in range(1, 5):
        start = x
        for layer in weights[: 4 - passed]:
            start = function(start @ layer)

        def result(values: np.ndarray[Any, Any], last: int = passed) -> float:
            for layer in weights[4 - last :]:
                values = function(values @ layer)
            return float((values * grad).sum())

        numeric = np.empty_like(start)
        for place in np.ndindex(start.shape):
            moved = [start.copy(), start.copy()]
            moved[0][place] -= 1e-6
            moved[1][place] += 1e-6
            numeric[place] = (result(moved[1]) - result(moved[0])) / 2e-6
        expected = np.sqrt((numeric**2).mean() / (grad**2).mean())
        assert flow.sizes[passed - 1] == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_a_unit_is_dead_if_it_passes_nothing_for_any_input() -> None:
    flow = gradients(["relu"], **SMALL)["relu"]
    rng = np.random.default_rng(0)
    x, _ = rng.normal(size=(2, 9, 12))
    dead = []
    for _ in range(4):
        z = x @ random_weights(rng, 12, 12, "glorot")
        dead.append((z <= 0).all(axis=0).mean())
        x = fastact.relu(z)
    np.testing.assert_array_equal(flow.dead, dead[::-1])
    assert flow.dead.max() > 0


def test_what_everyone_should_see() -> None:
    flows = gradients(["identity", "sigmoid", "relu", "leaky_relu", "step"], initialisation="he")
    assert flows["sigmoid"].sizes[-1] < 1e-20
    assert 0.01 < flows["relu"].sizes[-1] < 100
    assert flows["identity"].sizes[-1] > 1e6
    assert flows["relu"].dead.mean() > 0.1 and flows["leaky_relu"].dead.max() == 0
    assert np.all(flows["step"].dead == 1) and np.all(flows["step"].sizes == 0)


def test_a_seed_gives_the_same_bits() -> None:
    one, same, other = (gradients(["gelu"], seed=seed, **SMALL)["gelu"] for seed in (1, 1, 2))
    assert one.sizes.tobytes() == same.sizes.tobytes() != other.sizes.tobytes()
    beside = gradients(["tanh", "gelu"], seed=1, **SMALL)["gelu"]
    assert one.sizes.tobytes() == beside.sizes.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activations": ["rleu"]}, "there is no activation 'rleu'; did you mean 'relu'"),
        ({"activations": ["softmax"]}, "'softmax' does not suit a hidden layer"),
        ({"activations": "relu"}, "activations is 'relu', expected a list of names"),
        ({"initialisation": "best"}, f"initialisation is 'best', expected one of {', '.join(INITIALISATIONS)}"),
        ({"layers": 0}, "layers is 0, expected a whole number from 1 on"),
        ({"units": 2.5}, "units is 2.5"),
        ({"inputs": -1}, "inputs is -1"),
        ({"seed": -1}, "seed is -1, expected a whole number from 0 on"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  (its text is looked at below)
        gradients(**change)
    assert str(raised.value).startswith("gradients: ") and message in str(raised.value)


def test_a_function_is_not_a_name() -> None:
    with pytest.raises(TypeError, match=r"gradients: a name is .*, expected a string"):
        gradients([fastact.relu])  # type: ignore[list-item]


# The picture


def test_lines_of_a_few() -> None:
    pytest.importorskip("matplotlib")
    flows = gradients(["tanh", "step", "squared_relu"], layers=40, units=20)
    sizes, dead = gradients_figure.draw(flows).axes
    lines = {line.get_label(): line for line in sizes.lines}
    np.testing.assert_array_equal(lines["tanh"].get_ydata(), flows["tanh"].sizes)
    assert "step (zero)" in lines and "squared_relu (overflow)" in lines
    np.testing.assert_array_equal(dead.lines[1].get_ydata(), np.full(40, 100))


def test_a_map_of_many() -> None:
    pytest.importorskip("matplotlib")
    flows = gradients(**SMALL)
    sizes, dead, _ = gradients_figure.draw(flows).axes
    names = [label.get_text() for label in sizes.get_yticklabels()]
    assert sorted(names) == sorted(suitable())
    (image,) = sizes.collections
    shown = dict(zip(names, np.asarray(image.get_array()).reshape(len(names), 4), strict=True))
    np.testing.assert_allclose(10 ** shown["gelu"], flows["gelu"].sizes)
    assert np.all(shown["step"] == gradients_figure.SMALLEST)
    bars = dict(zip(names, (bar.get_width() for bar in dead.patches), strict=True))
    assert bars["step"] == 100 and bars["relu"] == pytest.approx(100 * flows["relu"].dead.mean())


# The command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(gradients_command.command, arguments)


def test_the_command(tmp_path: Path) -> None:
    picture = tmp_path / "flow.png"
    ran = run("sigmoid", "step", "squared_relu", "--layers", "30", "-o", str(picture))
    assert ran.exit_code == 0, ran.output
    rows = [line.split() for line in ran.stdout.splitlines()]
    assert rows[0] == ["activation", "1", "5", "10", "25", "30", "dead", "units"]
    assert [row[0] for row in rows[2:5]] == ["sigmoid", "step", "squared_relu"]
    assert rows[3][1:] == ["0"] * 5 + ["100", "%"] and rows[4][1] == "inf"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert ran.stderr == f"wrote {picture}\n"


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_kinds_of_files(suffix: str, start: bytes, tmp_path: Path) -> None:
    picture = tmp_path / f"flow{suffix}"
    assert run("tanh", "--layers", "3", "-o", str(picture)).exit_code == 0
    assert picture.read_bytes().startswith(start)


@pytest.mark.parametrize(
    "arguments", [["rleu"], ["softmax"], ["--layers", "0"], ["--init", "best"], ["-o", "a.txt"], ["-o", "no/a.png"]]
)
def test_bad_arguments_write_nothing(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_the_table_needs_no_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fastact.__file__).parents[1]))
    code = "import sys, runpy; sys.modules['matplotlib'] = None; runpy.run_module('fastact', run_name='__main__')"
    command = [sys.executable, "-c", code, "gradients", "tanh", "--layers", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0 and "tanh" in ran.stdout
    ran = subprocess.run([*command, "-o", "flow.png"], capture_output=True, text=True, check=False, cwd=tmp_path)
    message = "fastact: gradients: --output needs matplotlib: pip install 'fastact[zoo]'\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", message)
    assert list(tmp_path.iterdir()) == []
