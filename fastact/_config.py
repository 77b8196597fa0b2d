"""What serves this process, and on how many threads."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastact import _threadpoolctl
from fastact._engine import built_cpu_targets
from fastact._public import engine
from fastact._version import __version__

CGROUP_QUOTA = "/sys/fs/cgroup/cpu.max"
HOW_TO_GET_KERNELS = (
    "no compiled kernels: with a C compiler and Python's headers, "
    "`pip install --force-reinstall --no-deps --no-cache-dir --no-binary fastact fastact` makes them"
)


def get_num_threads() -> int:
    """The number of threads that a call on a large array may use."""
    return engine.get_num_threads()


def set_num_threads(n: int) -> None:
    """Sets the number of threads that calls on large arrays may use, for the whole process."""
    global _threads_from
    n = _positive("n", n)
    engine.set_num_threads(n)
    _threads_from = "set_num_threads"


@contextmanager
def threads(n: int) -> Iterator[None]:
    """`with threads(n):` uses n threads inside the block and restores the number after it."""
    global _threads_from
    before, origin = get_num_threads(), _threads_from
    set_num_threads(n)
    try:
        yield
    finally:
        engine.set_num_threads(before)
        _threads_from = origin


def config() -> dict[str, Any]:
    """The engine, CPU target and threads in use, what was built, and the version.

    `threads` is their kind: "pthreads", "windows", or "none" where each call computes on the caller's thread alone.
    """
    return {
        "engine": engine.name,
        "cpu_target": engine.cpu_target,
        "cpu_targets_built": built_cpu_targets(),
        "threads": engine.thread_kind(),
        "num_threads": get_num_threads(),
        "num_threads_from": _threads_from,
        "version": __version__,
    }


def show_config() -> None:
    """Prints `config()`, a line each; without compiled kernels, also how to get them."""
    for key, value in config().items():
        print(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    if not built_cpu_targets():
        print(HOW_TO_GET_KERNELS)


def _positive(argument: str, n: Any) -> int:
    try:
        number = operator.index(n)
    except TypeError:
        raise TypeError(f"{argument} is {n!r}, expected a positive integer") from None
    if number < 1:
        raise ValueError(f"{argument} is {number}, expected a positive integer")
    return number


def _default_num_threads() -> tuple[int, str]:
    """The number of threads to begin with, and where it comes from."""
    for variable in ("FASTACT_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "").split(",")[0].strip()  # OpenMP takes a list, one number a nesting level
        if text.isdigit() and int(text) > 0:
            return int(text), variable
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota()
    return (quota, "cgroup quota") if quota < allowed else (allowed, "processors of this process")


def _cgroup_quota() -> int:
    """The whole processors that the cgroup's CPU quota amounts to; more than any machine has without one."""
    try:
        with open(CGROUP_QUOTA, encoding="ascii") as file:
            quota, period = file.read().split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # no cgroup v2, or its quota is "max"
        return sys.maxsize


_number, _threads_from = _default_num_threads()
engine.set_num_threads(_number)
if engine.name == "compiled":
    _threadpoolctl.register_when_imported()
