"""Runs the test suite on every engine, and on every CPU target that this machine has.

One process serves one engine, so each gets a pytest of its own, as many at once as there are processors:
`python -m tests.engines [pytest arguments]`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from fastact._compiled import cpu
from fastact._engine import built_cpu_targets
from fastact.bench.machine import usable_cores


def settings() -> list[dict[str, str]]:
    """The environment variables that select each engine and CPU target."""
    runnable = [target.replace("_", "-") for target in cpu.supported_targets()]
    compiled = [
        {"FASTACT_ENGINE": "compiled", "FASTACT_CPU": target} for target in runnable if target in built_cpu_targets()
    ]
    return [*compiled, {"FASTACT_ENGINE": "numba"}, {"FASTACT_ENGINE": "numpy"}]


def main(arguments: list[str]) -> int:
    def run(number: int, setting: dict[str, str]) -> subprocess.CompletedProcess[str]:
        selection = ["-m", "not once"] if number else []
        command = [sys.executable, "-m", "pytest", *selection, *arguments]
        environment = os.environ | setting
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)

    names = [" ".join(setting.values()) for setting in settings()]
    failed = []
    with ThreadPoolExecutor(usable_cores()) as pool:
        for name, done in zip(names, pool.map(run, range(len(names)), settings()), strict=True):
            print(f"== {name}\n{done.stdout}", flush=True)
            if done.returncode:
                failed.append(name)
    if failed:
        print(f"failed on: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
