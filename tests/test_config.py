"""Which engine, CPU target and number of threads serve, and how they are chosen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastact
from fastact import _config

CHOOSING = ("FASTACT_ENGINE", "FASTACT_CPU", "FASTACT_NUM_THREADS", "OMP_NUM_THREADS")


def run_python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `code` in a fresh interpreter whose choice of engine is made by `variables` alone."""
    environment = {key: value for key, value in os.environ.items() if key not in CHOOSING} | variables
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def config_with(**variables: str) -> dict[str, object]:
    done = run_python("import fastact, json; print(json.dumps(fastact.config()))", **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_config_tells_what_serves(engine: str) -> None:
    config = fastact.config()
    assert config["engine"] == os.environ.get("FASTACT_ENGINE", engine)
    assert config["version"] == fastact.__version__
    assert (config["cpu_target"] in config["cpu_targets_built"]) == (engine == "compiled")
    assert config["num_threads"] >= 1
    kinds = {"pthreads", "windows", "none"} if engine == "compiled" else {"none"}
    assert config["threads"] in kinds
    if engine == "compiled" and sys.platform == "linux":
        assert config["threads"] == "pthreads"


def test_show_config_prints_every_entry(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_config, "built_cpu_targets", lambda: ["x86-64-v2", "x86-64-v3"])
    fastact.show_config()
    printed = dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert printed.keys() == fastact.config().keys()
    assert printed["engine"] == fastact.config()["engine"]
    assert printed["cpu_targets_built"] == "x86-64-v2, x86-64-v3"


def test_show_config_says_how_to_get_kernels(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_config, "built_cpu_targets", list)
    fastact.show_config()
    *entries, last = capsys.readouterr().out.splitlines()
    assert len(entries) == len(fastact.config())
    assert last.startswith("no compiled kernels: with a C compiler and Python's headers, `pip install ")
    assert last.endswith(" --no-binary fastact fastact` makes them")


@pytest.mark.parametrize("forced", ["compiled", "numba", "numpy"])
def test_engine_can_be_forced(forced: str) -> None:
    if forced == "compiled" and not fastact.config()["cpu_targets_built"]:
        pytest.skip("built without a C compiler")
    assert config_with(FASTACT_ENGINE=forced)["engine"] == forced


def test_cpu_target_can_be_forced() -> None:
    for target in fastact.config()["cpu_targets_built"]:
        done = run_python("import fastact; print(fastact.config()['cpu_target'])", FASTACT_CPU=target)
        if done.returncode:
            assert f"FASTACT_CPU={target}: not available" in done.stderr
        else:
            assert done.stdout.strip() == target


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"FASTACT_ENGINE": "fortran"},
            "FASTACT_ENGINE=fortran: unknown engine, expected one of compiled, numba, numpy",
        ),
        ({"FASTACT_CPU": "vax"}, "FASTACT_CPU=vax: not available; this build and processor have"),
    ],
)
def test_forcing_what_is_not_there_says_what_is(variables: dict[str, str], message: str) -> None:
    if "FASTACT_CPU" in variables and not fastact.config()["cpu_targets_built"]:
        pytest.skip("built without a C compiler")
    done = run_python("import fastact", **variables)
    assert done.returncode != 0
    assert f"ImportError: {message}" in done.stderr


def test_import_brings_in_nothing_but_numpy() -> None:
    # The Numba engine needs Numba; every other engine must not even look at it.
    engine = "compiled" if fastact.config()["cpu_targets_built"] else "numpy"
    code = "import fastact, sys; print({'numba', 'scipy', 'pandas', 'ml_dtypes', 'rich', 'click'} & set(sys.modules))"
    done = run_python(code, FASTACT_ENGINE=engine)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize(
    ("variables", "number", "origin"),
    [
        ({"FASTACT_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3, "FASTACT_NUM_THREADS"),
        ({"OMP_NUM_THREADS": "5"}, 5, "OMP_NUM_THREADS"),
        ({"OMP_NUM_THREADS": "4,2"}, 4, "OMP_NUM_THREADS"),
    ],
)
def test_threads_from_the_environment(variables: dict[str, str], number: int, origin: str) -> None:
    if not fastact.config()["cpu_targets_built"]:
        pytest.skip("only the compiled engine has threads")
    config = config_with(FASTACT_ENGINE="compiled", **variables)
    assert (config["num_threads"], config["num_threads_from"]) == (number, origin)


def test_threads_default_to_the_processors_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in CHOOSING:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(_config, "CGROUP_QUOTA", str(tmp_path / "cpu.max"))
    assert _config._default_num_threads() == (4, "processors of this process")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert _config._default_num_threads() == (4, "processors of this process")
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert _config._default_num_threads() == (2, "cgroup quota")


def test_threads_inside_a_block(engine: str) -> None:
    before = fastact.get_num_threads()
    with fastact.threads(before + 2):
        assert fastact.get_num_threads() == (before + 2 if engine == "compiled" else 1)
    assert fastact.get_num_threads() == before


@pytest.mark.parametrize(("wrong", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_wrong_numbers_of_threads(wrong: object, error: type[Exception]) -> None:
    before = fastact.get_num_threads()
    with pytest.raises(error, match=r"n is .*, expected a positive integer"):
        fastact.set_num_threads(wrong)  # type: ignore[arg-type]
    assert fastact.get_num_threads() == before
