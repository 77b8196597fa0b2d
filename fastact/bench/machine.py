"""The machine that is measured on: what a reader needs to know of it, and nothing that names it or its owner."""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import fastact

CPU_INFO = Path("/proc/cpuinfo")
CPU_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
CPU_TIMES = Path("/proc/stat")
OWN_THREADS = Path("/proc/self/task")

# Long enough for the system's count of processor time to move.
TICKS_SECONDS = 0.02

# Processors kept busy by others, from which a run is called noisy.
BUSY_ELSEWHERE = 0.2

# The part of the processors' time that the machine's host kept for itself, from which a run is called noisy.
STOLEN = 0.01


def describe() -> dict[str, Any]:
    """Processor, caches, cores, CPU target and versions."""
    config = fastact.config()
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "caches": _caches(),
        "cores": usable_cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "fastact": config["version"],
        "engine": config["engine"],
        "cpu_target": config["cpu_target"],
    }


def usable_cores() -> int:
    """The processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_words(machine: dict[str, Any]) -> str:
    """The description in a line."""
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    target = f" for {machine['cpu_target']}" if machine["cpu_target"] else ""
    cores = f"{machine['cores']} core" + ("s" if machine["cores"] > 1 else "")
    parts = [
        f"{machine['processor']} ({machine['architecture']})",
        cores,
        caches,
        machine["system"],
        f"Python {machine['python']}",
        f"NumPy {machine['numpy']}",
        f"fastact {machine['fastact']}, {machine['engine']} engine{target}",
    ]
    return "; ".join(part for part in parts if part)


def other_threads_run() -> bool:
    """Whether threads of this process other than the caller are on a processor, or want to be.

    Their states say so. Processor time does not: what threads use on other processors is counted at the system's ticks.
    """
    if not OWN_THREADS.exists():
        before, start = time.process_time(), time.perf_counter()
        time.sleep(TICKS_SECONDS)
        return time.process_time() - before > 0.2 * (time.perf_counter() - start)
    own = str(threading.get_native_id())
    others = (thread for thread in OWN_THREADS.iterdir() if thread.name != own)
    return any("".join(_lines(thread / "stat")).rpartition(")")[2].lstrip().startswith("R") for thread in others)


class Disturbance:
    """Watches, from its making to its end, who else uses the processors."""

    def __init__(self) -> None:
        self._start = _cpu_times()
        self._own = _own_seconds()

    def remarks(self, setting: str) -> list[str]:
        """What speaks against believing the times, in sentences; nothing where the system does not tell."""
        now = _cpu_times()
        if self._start is None or now is None:
            return []
        busy, stolen, total = (after - before for after, before in zip(now, self._start, strict=True))
        if total <= 0:
            return []
        cores = os.cpu_count() or 1
        elsewhere = max(0.0, busy - (_own_seconds() - self._own)) * cores / total
        remarks = []
        if elsewhere > BUSY_ELSEWHERE:
            remarks.append(f"Noisy on {setting}: other programs kept {elsewhere:.1f} of {cores} processors busy.")
        if stolen / total > STOLEN:
            remarks.append(f"Noisy on {setting}: the machine's host took {stolen / total:.0%} of the processors' time.")
        return remarks


def _cpu_times() -> tuple[float, float, float] | None:
    """Seconds that all processors together were busy, were taken by the host, and had."""
    try:
        fields = CPU_TIMES.read_text().split("\n", 1)[0].split()[1:9]
        user, nice, system, idle, waiting, interrupts, soft_interrupts, stolen = (
            int(field) / os.sysconf("SC_CLK_TCK") for field in fields
        )
    except (OSError, ValueError, AttributeError):
        return None
    busy = user + nice + system + interrupts + soft_interrupts
    return busy, stolen, busy + idle + waiting + stolen


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _processor() -> str:
    for line in _lines(CPU_INFO):
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return value.strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return platform.processor() or "unknown processor"


def _caches() -> dict[str, str]:
    """Sizes of the caches that hold data, of the first core."""
    caches = {}
    for index in sorted(CPU_CACHES.glob("index*")):
        kind, level, size = ("".join(_lines(index / name)) for name in ("type", "level", "size"))
        if kind in ("Data", "Unified"):
            caches[f"L{level}"] = _size(size)
    return caches


def _size(text: str) -> str:
    """1024K as 1 MiB."""
    kibibytes = int(text.removesuffix("K")) if text.endswith("K") else 0
    if kibibytes and kibibytes % 1024 == 0:
        return f"{kibibytes // 1024} MiB"
    return text.replace("K", " KiB").replace("M", " MiB")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
