"""Times calls in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastact.bench.machine import other_threads_run

# A turn is as many calls as take this long: the clock's own cost disappears in it.
TURN_SECONDS = 1e-3

# A first call may compile, fetch its arrays or wake its threads; from here on that matters little.
LONG_CALL_SECONDS = 0.05

# How long to wait for threads that spin.
LONGEST_SETTLE_SECONDS = 0.25


def settle() -> None:
    """Waits until this process's other threads no longer spin: they would take the processors from who comes next."""
    give_up = time.perf_counter() + LONGEST_SETTLE_SECONDS
    while other_threads_run() and time.perf_counter() < give_up:
        time.sleep(1e-3)


@dataclass
class Contestant:
    """Something that is timed: its calls, one after another, and what has been measured."""

    name: str
    calls: list[Callable[[], object]]
    refill: Callable[[], None] | None = None
    seconds_per_call: float = 0.0
    ulp: float = 0.0
    allocates: bool = False
    nanoseconds: dict[int, float] = field(default_factory=dict)  # per call, by round
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0

    def time(self) -> float:
        """Runs the calls once, on fresh inputs, and returns the seconds that one of them took."""
        if self.refill is not None:
            self.refill()
        calls = self.calls
        cpu = time.process_time()
        start = time.perf_counter()
        for call in calls:
            call()
        took = time.perf_counter() - start
        self.cpu_seconds += time.process_time() - cpu
        self.wall_seconds += took
        return took / len(calls)

    def calibrate(self, seconds: float) -> None:
        """Repeats the call often enough for a turn; in place, the pool of inputs says how often."""
        if self.seconds_per_call > LONG_CALL_SECONDS:  # in its check, which may have compiled it
            self.seconds_per_call = self.time()
        if self.seconds_per_call > LONG_CALL_SECONDS:  # one call is a turn
            return
        best = min(self.time() for _ in range(5))
        if self.refill is None:
            self.calls = self.calls[:1] * max(1, round(seconds / max(best, 1e-9)))
        self.seconds_per_call = best

    def turn(self, number: int) -> None:
        """One round's measurement."""
        if len(self.calls) > 1 and self.refill is None:
            self.calls[0]()  # brings the arrays back into cache and wakes this library's threads
        self.nanoseconds[number] = 1e9 * self.time()

    @property
    def turn_seconds(self) -> float:
        return self.seconds_per_call * len(self.calls)
