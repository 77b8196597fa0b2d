"""Proves every float32: `python -m tests.proof`, or `--sample` for the part of it that a change must pass."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from fastact import _public
from fastact.bench.machine import usable_cores
from tests.proof import page
from tests.proof.tasks import CHAPTERS, UNARY, Task, prove, tasks

SAMPLED = ("float32", "halves", "float64", "parameters", "fallbacks")  # what needs no other library


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    names = sorted({loop.record.name for loop in UNARY.values()})
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="every 1021st input and all breakpoints; no page")
    parser.add_argument("--functions", nargs="+", default=[], choices=names, metavar="NAME", help="only these")
    parser.add_argument("--chapters", nargs="+", default=[], choices=CHAPTERS, metavar="NAME",
                        help=f"only these of {', '.join(CHAPTERS)}")  # fmt: skip
    parser.add_argument("--processes", type=int, default=usable_cores(), metavar="N", help="how many at a time")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Runs what is asked for, says what misses a bar; a whole proof ends with the page."""
    options = parsed(arguments)
    if _public.engine.name != "compiled":
        print("nothing to prove: no compiled kernels here, or FASTACT_ENGINE asks for others", file=sys.stderr)
        return 2
    chapters = options.chapters or list(SAMPLED if options.sample else CHAPTERS)
    work = tasks(chapters, options.functions)
    start = time.monotonic()
    missed = []
    for done, (task, result) in enumerate(prove(work, options.sample, options.processes), 1):
        missed += task.misses(result)
        report(task, result, f"{done}/{len(work)} at {time.monotonic() - start:.0f} s")
    print(f"{len(missed)} bars missed in {time.monotonic() - start:.0f} s")
    print("".join(f"  {line}\n" for line in missed), end="")
    if not options.sample:
        write_page()
    return bool(missed)


def write_page() -> None:
    """Makes the page of the chapters that have been done whole for these kernels, in this run and those before."""
    kept = {chapter: {task.name: task.kept() for task in tasks([chapter], [])} for chapter in CHAPTERS}
    whole = {chapter: results for chapter, results in kept.items() if None not in results.values()}
    lacking = [chapter for chapter in CHAPTERS if chapter not in whole]
    if lacking:
        print(f"still to do: {', '.join(lacking)}")
    if "float32" in whole:
        page.write({name: result for results in whole.values() for name, result in results.items()})
        print(f"wrote {page.PAGE.name}")


def report(task: Task, result: dict[str, Any], progress: str) -> None:
    """A line of progress, and the bars that a task misses as soon as they are known."""
    print(f"{progress}: {task.chapter} {task.loop}, {result['seconds']} s", flush=True)
    for line in task.misses(result):
        print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
