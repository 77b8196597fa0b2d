"""Runs the test suite on every engine, and on every CPU target that this machine has.

One process serves one engine, so each gets a pytest of its own: `python -m tests.engines [pytest arguments]`.
"""

from __future__ import annotations

import os
import subprocess
import sys

from fastact._compiled import cpu
from fastact._engine import built_cpu_targets


def settings() -> list[dict[str, str]]:
    """The environment variables that select each engine and CPU target."""
    runnable = [target.replace("_", "-") for target in cpu.supported_targets()]
    compiled = [
        {"FASTACT_ENGINE": "compiled", "FASTACT_CPU": target} for target in runnable if target in built_cpu_targets()
    ]
    return [*compiled, {"FASTACT_ENGINE": "numba"}, {"FASTACT_ENGINE": "numpy"}]


def main(arguments: list[str]) -> int:
    failed = []
    for number, setting in enumerate(settings()):
        name = " ".join(setting.values())
        print(f"== {name}", flush=True)
        selection = ["-m", "not once"] if number else []
        command = [sys.executable, "-m", "pytest", *selection, *arguments]
        status = subprocess.run(command, env=os.environ | setting, check=False)
        if status.returncode:
            failed.append(name)
    if failed:
        print(f"failed on: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
