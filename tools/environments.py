"""Interpreters and virtual environments, for the tools that build and test in several."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PYTHONS = [
    version
    for classifier in PROJECT["project"]["classifiers"]
    for version in re.findall(r"Python :: (3\.\d+)$", classifier)
]


def run(*command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, cwd=cwd, env=os.environ | (environment or {}), check=True)


def is_there(command: str) -> bool:
    """Whether a command is on PATH, and works: a version manager's may stand for nothing."""
    return (
        shutil.which(command) is not None
        and subprocess.run([command, "--version"], capture_output=True).returncode == 0
    )


def new_environment(directory: Path, python: str) -> Path:
    """A fresh virtual environment; returns its interpreter."""
    run(python, "-m", "venv", "--clear", directory)
    return directory / "bin" / "python"


def install(python: Path, *what: str | Path, environment: dict[str, str] | None = None) -> None:
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what, environment=environment)
