"""One case: prepares its contestants, checks what they compute, and times them in turn, round by round.

Interleaving makes whatever else the machine does hit all of them alike, and a ratio is taken within a round.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from fastact.bench import inputs
from fastact.bench.cases import Case, operand_names, parameters, published
from fastact.bench.floor import floor
from fastact.bench.oracle import Check
from fastact.bench.peers import FASTACT, PEERS, Job, Peer, Prepared, SkipError
from fastact.bench.results import CaseResult, Measurement, Quartiles
from fastact.bench.timing import TURN_SECONDS, Contestant, settle

Array = np.ndarray[Any, Any]

MIN_ROUNDS = 5
MAX_ROUNDS = 31

# A contestant this many times slower than fastact gets fewer rounds: its ratio needs no third digit.
FAR_SLOWER = 3
ROUNDS_FOR_FAR_SLOWER = 2

# In place, small arrays are taken from a pool that fits in L1, so that one refill serves many calls.
POOL_BYTES = 1 << 14
POOL_CALLS = 64


class WrongResultError(Exception):
    """fastact's own result is not right: nothing to be timed."""


class Contest:
    """One case: every contestant that can do it, checked and ready."""

    def __init__(self, case: Case, peers: list[str]) -> None:
        self.case = case
        self.skipped: dict[str, str] = {}
        self._operands = inputs.make(case)
        self._check = Check(case, self._operands)
        self._pool = self._make_pool() if case.in_place else []
        self._outs = self._pool[:1] or self._make_outs()
        self._bytes = sum(array.nbytes for array in (*self._operands, *self._outs))
        self.fastact = self._fastact()
        self.floor = self._floor()
        self.harness = Contestant("harness", [_nothing])
        self.peers = [peer for name in peers if (peer := self._peer(PEERS[name])) is not None]

    @property
    def contestants(self) -> list[Contestant]:
        """Everyone that is timed: fastact, the floor, the empty call, and the peers that can do it."""
        return [self.fastact, self.floor, self.harness, *self.peers]

    def calibrate(self, seconds: float = TURN_SECONDS) -> None:
        """Finds out how often everyone's call has to be repeated for a turn of so long."""
        for contestant in self.contestants:
            self._settle()
            contestant.calibrate(seconds)

    def run(self, seconds: float) -> CaseResult:
        """Measures for about so long, and at least the smallest number of rounds."""
        self.calibrate(min(TURN_SECONDS, seconds / 50))
        slow = [
            peer
            for peer in self.peers
            if peer.seconds_per_call > FAR_SLOWER * self.fastact.seconds_per_call
            and peer.turn_seconds > 2 * TURN_SECONDS
        ]
        others = [contestant for contestant in self.contestants if contestant not in slow]
        spent = ROUNDS_FOR_FAR_SLOWER * sum(peer.turn_seconds for peer in slow)
        rounds = int((seconds - spent) / sum(contestant.turn_seconds for contestant in others))
        rounds = max(MIN_ROUNDS, min(MAX_ROUNDS, rounds))
        for number in range(rounds):
            self.round(number, self.contestants if number < ROUNDS_FOR_FAR_SLOWER else others)
        return self.result()

    def round(self, number: int, contestants: list[Contestant]) -> None:
        """Gives everyone a turn, in an order of this round's own."""
        for contestant in random.Random(number).sample(contestants, len(contestants)):
            self._settle()
            contestant.turn(number)

    def result(self) -> CaseResult:
        """What the rounds say."""
        return CaseResult(
            case=self.case,
            bytes_per_element=self._bytes / self.case.size,
            harness_ns=float(np.median(list(self.harness.nanoseconds.values()))),
            floor=self._quartiles(self.floor),
            measurements=[self._measurement(contestant) for contestant in (self.fastact, *self.peers)],
            skipped=self.skipped,
        )

    def _measurement(self, contestant: Contestant) -> Measurement:
        threads_used = contestant.cpu_seconds / max(contestant.wall_seconds, 1e-9)
        return Measurement(
            peer=contestant.name,
            ns=self._quartiles(contestant),
            ratio=_ratio(self.fastact, contestant),
            of_floor=_ratio(contestant, self.floor).median,
            ulp=contestant.ulp,
            rounds=len(contestant.nanoseconds),
            processors=threads_used,
            allocates=contestant.allocates,
        )

    def _quartiles(self, contestant: Contestant) -> Quartiles:
        """Nanoseconds per element of the function's operand."""
        return Quartiles.of([ns / self.case.size for ns in contestant.nanoseconds.values()])

    def _floor(self) -> Contestant:
        prepared, refill = self._prepare(lambda job: Prepared(floor(job.operands, job.outs, job.threads)))
        return Contestant("floor", [p.call for p in prepared], refill)

    def _settle(self) -> None:
        if self.case.threads > 1:
            settle()

    def _make_outs(self) -> list[Array]:
        """Memory for the results: a gradient has the shape of its operand, a value that which the function gives."""
        if self.case.operation == "value":
            shapes = [self._value_shape()]
        else:
            shapes = [operand.shape for operand in self._operands[1:]]
        return [_memory(shape, self.case.dtype, number) for number, shape in enumerate(shapes)]

    def _value_shape(self) -> tuple[int, ...]:
        x, axis = self._operands[0], self.case.axis
        if axis is None:
            return self.case.shape
        row = x[tuple(slice(None) if k == axis % x.ndim else slice(1) for k in range(x.ndim))]
        like = published(self.case.function, "value")(row, **parameters(self.case.function), axis=axis)
        shape = list(x.shape)
        if like.ndim < x.ndim:
            del shape[axis]
        else:
            shape[axis] = like.shape[axis]
        return tuple(shape)

    def _fastact(self) -> Contestant:
        try:
            return self._checked(FASTACT)
        except ValueError as error:
            raise WrongResultError(f"{self.case}: {error}") from None

    def _peer(self, peer: Peer) -> Contestant | None:
        """A peer that can do the case and does it right, else None and the reason."""
        try:
            return self._checked(peer)
        except SkipError as reason:
            self.skipped[peer.name] = str(reason)
        except ValueError as error:
            self.skipped[peer.name] = f"wrong: {error}"
        except Exception as error:  # a peer's failure is a remark on that peer, whatever class it has
            self.skipped[peer.name] = f"failed: {type(error).__name__}"
        return None

    def _checked(self, peer: Peer) -> Contestant:
        """The peer's calls, after the first one's result has been compared with the right one."""
        prepared, refill = self._prepare(peer.prepare)
        if not self.case.in_place:
            for out in self._outs:
                out.view(np.uint8).fill(0xFF)  # NaN: the last contestant's result must not pass for this one's
        start = time.perf_counter()
        returned = prepared[0].call()
        took = time.perf_counter() - start
        results = prepared[0].results(returned)
        ulp = self._check.error(*results)
        allocates = not all(map(np.shares_memory, results, self._outs))
        return Contestant(peer.name, [p.call for p in prepared], refill, took, ulp, allocates)

    def _prepare(self, prepare: Callable[[Job], Prepared]) -> tuple[list[Prepared], Callable[[], None] | None]:
        """One call; in place, one for each array of a pool that is refilled before every turn."""
        if not self.case.in_place:
            return [prepare(self._job(self._operands, self._outs))], None
        self._refill()
        return [prepare(self._job([array, *self._operands[1:]], [array])) for array in self._pool], self._refill

    def _refill(self) -> None:
        """Functions applied to their own results drift to a fixed point: every turn starts from the inputs."""
        for array in self._pool:
            np.copyto(array, self._operands[0])

    def _make_pool(self) -> list[Array]:
        x = self._operands[0]
        count = min(POOL_CALLS, POOL_BYTES // x.nbytes)
        return [x.copy() for _ in range(count)] or [_memory(x.shape, self.case.dtype, 0)]

    def _job(self, operands: list[Array], outs: list[Array]) -> Job:
        case = self.case
        return Job(
            case.function,
            operand_names(case.function, case.operation),
            operands,
            outs,
            parameters(case.function),
            case.axis,
            case.in_place,
            case.threads,
            case.operation,
        )


@lru_cache(maxsize=2)
def _memory(shape: tuple[int, ...], dtype: str, number: int) -> Array:
    """Memory for a result: the next case of this shape gets the same, since fresh pages cost more than many calls."""
    return np.empty(shape, inputs.numpy_dtype(dtype))


def _nothing() -> None:
    """What the harness calls to learn its own cost."""


def _ratio(one: Contestant, other: Contestant) -> Quartiles:
    """One's time over the other's, in the rounds that both took part in."""
    rounds = one.nanoseconds.keys() & other.nanoseconds.keys()
    return Quartiles.of([one.nanoseconds[number] / other.nanoseconds[number] for number in rounds])
