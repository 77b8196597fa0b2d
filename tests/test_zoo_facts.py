"""`python -m fastact list` and `info`: every fact of every record reaches the reader, and bad names one clear line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

import fastact
from fastact.__main__ import main
from fastact._records import USES, Activation, Kink
from fastact.zoo import facts, info_command, list_command

pytestmark = pytest.mark.once

RECORDS = list(fastact.activations.values())
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)


def listed(*arguments: str) -> Result:
    return CliRunner().invoke(list_command.command, arguments)


def told(*arguments: str) -> Result:
    return CliRunner().invoke(info_command.command, arguments)


def names(result: Result) -> list[str]:
    """The names of a list's JSON."""
    return [record["name"] for record in json.loads(result.stdout)]


# list


def test_the_list_has_every_activation_with_its_formula_and_range() -> None:
    rows = {row.split()[0]: row for row in listed().stdout.splitlines()[2:]}
    assert list(rows) == list(fastact.activations)
    for record in RECORDS:
        assert all(text in rows[record.name] for text in (record.formula, str(record.range), *record.typical_use))


def test_a_narrow_terminal_loses_nothing() -> None:
    code = (
        "from fastact import _terminal\nfrom fastact.zoo import list_command\n"
        "_terminal.PIPED_WIDTH = 60\nlist_command.command(['gelu_tanh'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert max(map(len, ran.stdout.splitlines())) <= 60
    formula = fastact.activations["gelu_tanh"].formula
    assert set(formula.split()) <= set(ran.stdout.split())


@pytest.mark.parametrize("use", USES)
def test_list_by_use(use: str) -> None:
    assert names(listed("--use", use, "--json")) == [record.name for record in RECORDS if use in record.typical_use]


@pytest.mark.parametrize("fact", ["monotonic", "smooth"])
def test_list_by_shape(fact: str) -> None:
    have, have_not = names(listed(f"--{fact}", "--json")), names(listed(f"--not-{fact}", "--json"))
    assert have == [record.name for record in RECORDS if getattr(record, fact)]
    assert sorted(have + have_not) == sorted(fastact.activations)


@pytest.mark.parametrize(
    ("word", "found"),
    [("expit", ["sigmoid", "log_sigmoid"]), ("swish", ["silu", "quick_gelu", "hard_swish"]), ("NN.MISH", ["mish"])],
)
def test_list_by_a_name_in_any_library(word: str, found: list[str]) -> None:
    assert set(found) <= set(names(listed(word, "--json")))


# info


@every_record
def test_info_tells_all(record: Activation) -> None:
    text = told(record.name).stdout
    expected = [record.summary, record.formula, str(record.range), record.source, facts.signature(record)]
    expected += [str(other) for other in record.elsewhere]
    expected += [*record.aliases, *record.parameters, *record.operands]
    expected += [f"{point:g}" for point in record.turning_points]
    expected += ["not monotonic"] * (not record.monotonic) + ["not smooth"] * (not record.smooth)
    expected += ["kinks"] * bool(record.kinks) + ["domain"] * (record.name == "logit")
    assert [fact for fact in expected if fact not in text] == []


def test_info_reads_well() -> None:
    lines = [line.rstrip() for line in told("leaky_relu").stdout.splitlines()]
    assert lines[0] == "leaky_relu(x, negative_slope=0.01)"
    assert "parameters  negative_slope: a real number, 0.01 by default" in lines
    assert "limits      -inf as x goes to -inf" in lines
    assert "shape       monotonic, not smooth, centred on zero" in lines
    assert "kinks       at 0, where the derivative is negative_slope" in lines


def test_info_knows_aliases() -> None:
    assert told("swish").stdout == told("silu").stdout


@every_record
def test_json_is_the_record(record: Activation) -> None:
    (stated,) = json.loads(told(record.name, "--json").stdout, parse_constant=pytest.fail)  # no Infinity, no NaN
    assert stated["latex"] == record.latex
    assert [float(limit) for limit in stated["limits"] or ()] == list(record.limits or ())
    assert [Kink(**kink) for kink in stated["kinks"]] == list(record.kinks)
    assert {name: parameter["default"] for name, parameter in stated["parameters"].items()} == {
        name: parameter.default for name, parameter in record.parameters.items()
    }


# Bad input


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["info", "gleu"], "info: there is no activation 'gleu'; did you mean "),
        (["info", "relu", "foo"], "info: there is no activation 'foo'\n"),
        (["list", "--use", "hiden"], "--use: got 'hiden', expected one of hidden, output, gate\n"),
        (["list", "no such name"], "list: there is no such activation\n"),
        (["info"], "Missing argument"),
    ],
)
def test_bad_words_are_one_clear_line(
    arguments: list[str], line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fastact", *arguments])
    assert main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"fastact: {line}")
    assert said.err.count("\n") == 1
