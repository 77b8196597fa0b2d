"""Measures in a process of its own: `python -m fastact.bench.worker`, told a plan on standard input.

Some libraries take their number of threads from the environment, once: each number of threads gets a fresh process.
It answers with a line of JSON per case: a crash in one of the peers costs what comes after, not what was before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import IO, Any

THREAD_VARIABLES = (
    "FASTACT_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NPROC",  # the size of XLA's thread pool, and so of JAX's
)

# OpenMP's idle threads go to sleep after a millisecond instead of 200: turns are calls back to back and lose nothing
# by it, and the next library gets the processors.
ENVIRONMENT = {"KMP_BLOCKTIME": "1"}


@dataclass(frozen=True)
class Plan:
    """What one process measures."""

    cases: list[dict[str, Any]]
    peers: list[str]
    threads: int
    seconds_per_case: float
    seconds: float | None = None  # when to stop, whatever is left
    modules: tuple[str, ...] = ()  # which define activations of the user's own


class CrashedError(Exception):
    """The measuring process died."""


def environment_for(threads: int) -> dict[str, str]:
    """The variables that tell every library its number of threads; they are read when it is imported."""
    return {**ENVIRONMENT, **dict.fromkeys(THREAD_VARIABLES, str(threads))}


def measure(plan: Plan) -> Iterator[dict[str, Any]]:
    """Runs a plan in a fresh process and yields its messages, each a dict with one key."""
    environment = {**os.environ, **environment_for(plan.threads)}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "fastact.bench.worker"],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(asdict(plan)))
            process.stdin.close()
            for line in process.stdout:
                yield json.loads(line)
            if process.wait():
                errors.seek(0)
                last = (errors.read().strip().splitlines() or ["no message"])[-1]
                raise CrashedError(f"the measuring process ended with status {process.returncode}: {last}")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def main() -> None:
    """The process that measures."""
    plan = Plan(**json.load(sys.stdin))
    keep_to(plan.threads)
    # Libraries print what they like; only messages may reach the parent.
    messages = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for message in _work(plan):
        _send(messages, message)


def keep_to(processors: int) -> None:
    """Binds this process to so many processors, which no library can mistake.

    JAX hands every call to a thread of its own: on one processor that costs it least, and it cannot use two.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-processors:])


def _work(plan: Plan) -> Iterator[dict[str, Any]]:
    from fastact.bench import machine, peers
    from fastact.bench.cases import Case
    from fastact.bench.contest import Contest, WrongResultError
    from fastact.bench.inputs import NoSuchInputError

    for module in plan.modules:
        import_module(module)
    started = time.monotonic()
    peers.FASTACT.load(plan.threads)
    versions, missing = peers.load(plan.peers, plan.threads)
    yield {"peers": [versions, missing]}
    disturbance = machine.Disturbance()
    for number, fields in enumerate(plan.cases):
        if plan.seconds is not None and time.monotonic() - started > plan.seconds:
            yield {"left": len(plan.cases) - number}
            break
        case = Case.from_json(fields)
        yield {"begin": str(case)}
        try:
            yield {"result": Contest(case, list(versions)).run(plan.seconds_per_case).to_json()}
        except NoSuchInputError:
            yield {"none": str(case)}
        except WrongResultError as error:
            yield {"wrong": str(error)}
    yield {"remarks": disturbance.remarks("1 thread" if plan.threads == 1 else f"{plan.threads} threads")}


def _send(messages: IO[str], message: dict[str, Any]) -> None:
    messages.write(json.dumps(message) + "\n")
    messages.flush()


if __name__ == "__main__":
    main()
