"""The proof in pieces: one loop in one chapter each, shared by processes, and not done again when a proof goes on."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from benchmarks.results import source_commit
from fastact._files import write_whole
from tests.catalogue import LOOPS, Loop
from tests.proof import arithmetic, fallbacks, float32, float64, halves, page, parameters, peers, subjects
from tests.proof.compiled import BUILD, HERE

STATE = BUILD / "state"
UNARY = {loop.name: loop for loop in LOOPS if len(loop.record.operands) == 1}


class Chapter(Protocol):
    """A module that proves one thing of every loop that it applies to."""

    def applies(self, loop: Loop) -> bool:
        """Whether there is anything to prove."""
        ...

    def run(self, loop: Loop, sample: bool) -> dict[str, Any]:
        """Proves it, or looks at a sample; returns what JSON can hold."""
        ...

    def misses(self, loop: Loop, result: dict[str, Any]) -> Iterator[str]:
        """The bars that a result misses, in a line each."""
        ...


CHAPTERS: dict[str, Chapter] = {
    "float32": float32,
    "halves": halves,
    "float64": float64,
    "parameters": parameters,
    "fallbacks": fallbacks,
    "peers": peers,
}
OF_KERNELS = ("halves", "float64", "parameters")
OF_A_FORMULA = ("float32",)  # the chapter of hours: it goes on from the committed results, loop by loop


@dataclass(frozen=True)
class Task:
    """A loop in a chapter."""

    chapter: str
    loop: str

    def run(self, sample: bool) -> dict[str, Any]:
        """The result, from the state of an earlier run where there is one; a sample neither reads nor leaves any."""
        kept = None if sample else self.kept()
        if kept is not None:
            return kept
        start = time.monotonic()
        result = CHAPTERS[self.chapter].run(UNARY[self.loop], sample)
        result["seconds"] = round(time.monotonic() - start, 1)
        if not sample:
            result |= {"commit": source_commit(), "basis": basis(self)}
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(result))
        return result

    def kept(self) -> dict[str, Any] | None:
        """The result of an earlier run with the same kernels and oracle."""
        known = [json.loads(self._path.read_text())] if self._path.exists() else []
        if self.chapter in OF_A_FORMULA:
            known.append(page.read().get(self.name, {}))
        return next((result for result in known if result.get("basis") == basis(self)), None)

    def misses(self, result: dict[str, Any]) -> list[str]:
        """The bars that a result misses."""
        return list(CHAPTERS[self.chapter].misses(UNARY[self.loop], result))

    @property
    def name(self) -> str:
        """What the results are called: "float32 sigmoid"."""
        return f"{self.chapter} {self.loop}"

    @property
    def _path(self) -> Path:
        return STATE / self.chapter / f"{self.loop}.json"


@functools.cache
def basis(task: Task) -> str:
    """Changes whenever what is judged does, or the judge: the kernels and the compiled oracle.

    The reference formulas and the peers are judged in minutes: delete build/proof when they have changed.
    """
    digest = hashlib.sha256((HERE / "truth.c").read_bytes() + (HERE / "judge.c").read_bytes())
    if task.chapter in OF_KERNELS:
        digest.update(subjects.fingerprint().encode())
    if task.chapter in OF_A_FORMULA:
        digest.update(arithmetic.fingerprint(task.loop).encode())
        digest.update(" ".join(subject.name for subject in subjects.compiled()).encode())
    return digest.hexdigest()[:16]


def tasks(chapters: list[str], functions: list[str]) -> list[Task]:
    """What there is to do, in the order of the chapters and of the table; no functions are all."""
    return [
        Task(chapter, name)
        for chapter in chapters
        for name, loop in UNARY.items()
        if CHAPTERS[chapter].applies(loop) and (not functions or loop.record.name in functions)
    ]


def prove(work: list[Task], sample: bool, processes: int) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Every task with its result, as they are done."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(task.run, sample): task for task in work}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
