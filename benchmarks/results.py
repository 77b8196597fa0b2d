"""What the repository shows of its last committed measurement: `python -m benchmarks.results` after `make bench`.

Writes RESULTS.md and results.svg beside results.json, and the block of the README between its markers. Every number in
them is taken from results.json.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import picture
from fastact._files import write_whole
from fastact.bench import machine, table
from fastact.bench.cases import Case
from fastact.bench.peers import PEERS
from fastact.bench.results import CaseResult, Results, geometric_mean
from fastact.bench.table import number

HERE = Path(__file__).parent
JSON, MARKDOWN, PICTURE = HERE / "results.json", HERE / "RESULTS.md", HERE / "results.svg"
README = HERE.parent / "README.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"

# The settings that the README tells of, as (shape, threads): in cache on one thread, in memory on one and on all.
IN_CACHE, IN_MEMORY = (65_536,), (16_777_216,)


class NoMarkersError(Exception):
    """The README has no place for the block."""


def markdown(results: Results, commit: str) -> str:
    """RESULTS.md: the machine, what to know, the means, and a table for each setting."""
    tables = "\n".join(_setting(group) for group in groups(results.cases).values())
    return (
        "# The last committed measurement\n\n"
        "Made by `python -m benchmarks.results`; the numbers behind it are in `results.json`. Measure your own machine "
        "with `python -m fastact bench`.\n\n"
        f"{_provenance(results, commit)}\n"
        f"{table.EXPLANATION}\n\n"
        f"## All functions\n\nThe geometric means of the ratios to each library, over the functions that it has.\n\n"
        f"{_means(results.cases)}\n{tables}"
    )


def readme_block(results: Results) -> str:
    """The README's picture and headline ratios."""
    chosen = [result for result in results.cases if _is_headline(result.case)]
    return (
        f"{BEGIN}\n"
        f"![Nanoseconds per element of each function]({PICTURE.relative_to(README.parent).as_posix()})\n\n"
        "fastact's time over each library's, the geometric mean over the functions that both have (below 1, fastact is "
        "faster), and over the floor, the time of a plain copy of the same arrays (backward: of grad + x):\n\n"
        f"{_means(chosen)}\n"
        f"{machine.in_words(results.machine)}. More in [benchmarks/RESULTS.md](benchmarks/RESULTS.md); "
        "`python -m fastact bench` measures your machine.\n"
        f"{END}"
    )


def fill(text: str, block: str) -> str:
    """The README with the block between its markers replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise NoMarkersError(f"README.md: expected {BEGIN} and {END}")
    return before + block + after


def groups(cases: Iterable[CaseResult]) -> dict[tuple[str, str], list[CaseResult]]:
    """The cases by shape and setting."""
    grouped: dict[tuple[str, str], list[CaseResult]] = {}
    for result in cases:
        grouped.setdefault((result.case.shape_text, result.case.setting), []).append(result)
    return grouped


def _provenance(results: Results, commit: str) -> str:
    versions = ", ".join(f"{PEERS[peer].title} {version}" for peer, version in results.versions.items())
    lines = [
        f"Commit {commit}.",
        f"Machine: {machine.in_words(results.machine)}.",
        f"Against {versions}.",
        f"{len(results.cases)} cases in {results.seconds / 60:.0f} minutes.",
        *table.remarks(results),
    ]
    return "".join(f"- {line}\n" for line in lines)


def _setting(group: list[CaseResult]) -> str:
    case = group[0].case
    rows = [
        [
            result.case.function + (" ~" if result.noisy else ""),
            number(result.fastact.ns.median),
            number(result.gigabytes_per_second(result.fastact.ns.median)),
            f"{result.fastact.of_floor:.2f}",
            PEERS[result.best_peer.peer].title if result.best_peer else "none",
            str(result.best_peer.ratio) if result.best_peer else "",
        ]
        for result in group
    ]
    head = ["function", "ns/element", "GB/s", "of floor", "best peer", "ratio"]
    return f"\n## {case.shape_text}, {case.setting}\n\n{_table(head, rows)}"


def _means(cases: Sequence[CaseResult]) -> str:
    """A row for each setting: fastact over the floor, and over each peer."""
    measured = {peer.peer for result in cases for peer in result.peers}
    peers = [name for name in PEERS if name in measured]
    rows = []
    for (shape, setting), group in groups(cases).items():
        floor = geometric_mean(result.fastact.of_floor for result in group)
        rows.append([f"{shape}, {setting}", f"{floor:.2f}", *(_mean(group, name) for name in peers)])
    return _table(["", "floor", *(PEERS[name].title for name in peers)], rows)


def _mean(group: list[CaseResult], name: str) -> str:
    ratios = [peer.ratio.median for result in group for peer in result.peers if peer.peer == name]
    return f"{geometric_mean(ratios):.2f}" if ratios else ""


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _is_headline(case: Case) -> bool:
    usual = case.dtype == "float32" and not case.in_place and case.inputs == "normal"
    return usual and (case.shape == IN_MEMORY or (case.shape == IN_CACHE and case.threads == 1))


def _is_pictured(case: Case) -> bool:
    return case.shape == IN_CACHE and case.operation == "value"


def source_commit() -> str:
    """The commit of the code that was measured or proved, and whether that differed from it."""
    git = ["git", "-C", str(HERE.parent)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    # The files of results may differ: they are what has just been written.
    status = [*git, "status", "--porcelain", "--untracked-files=no", "--", "fastact", "kernels", "setup.py"]
    changed = subprocess.run(status, capture_output=True, text=True, check=True).stdout
    return head.stdout.strip() + (" with uncommitted changes" if changed else "")


def main() -> int:
    """Writes everything that is made from results.json."""
    results = Results.loads(JSON.read_text(encoding="utf-8"))
    write_whole(MARKDOWN, markdown(results, source_commit()))
    in_cache = [r for r in results.cases if _is_headline(r.case) and _is_pictured(r.case)]
    write_whole(PICTURE, picture.svg(in_cache))
    try:
        write_whole(README, fill(README.read_text(encoding="utf-8"), readme_block(results)))
    except NoMarkersError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
