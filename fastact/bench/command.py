"""`python -m fastact bench`: measures fastact against other libraries on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fastact._files import can_be_written, write_whole
from fastact._terminal import console
from fastact.bench import cases as bench_cases
from fastact.bench import machine, report, table, worker
from fastact.bench.cases import DTYPES, INPUTS, OPERATIONS, Case, Sweep
from fastact.bench.compare import compare
from fastact.bench.peers import PEERS
from fastact.bench.results import CaseResult, NotResultsError, Results

SECONDS_PER_CASE = 0.25
SECONDS_PER_QUICK_CASE = 0.1

# --quick stops taking cases then, so that it ends within a minute on any machine.
QUICK_SECONDS = 48.0

SLOWER = WRONG = 1


class OptionError(click.ClickException):
    """A wrong option: which, what came, what was expected."""

    exit_code = 2

    def __init__(self, option: str, came: str, expected: str) -> None:
        super().__init__(f"{option}: got {came!r}, expected {expected}")


@click.command(
    name="bench",
    epilog="Without --quick, --operations, --sizes, --dtype, --threads, --in-place and --inputs, a survey of all of "
    "these is measured, which takes minutes. LISTs are separated by commas.",
)
@click.option("--import", "modules", metavar="LIST", help="Modules that define activations of your own.")
@click.option("--quick", is_flag=True, help="Every function in cache and in memory, in under a minute.")
@click.option("--functions", metavar="LIST", help="Functions, default all.")
@click.option(
    "--operations",
    metavar="LIST",
    help=f"Of {', '.join(OPERATIONS)} (the gradient: grad times the derivative, in one pass); default value.",
)
@click.option("--peers", metavar="LIST", help=f"Libraries to measure against: {', '.join(PEERS)}; default all.")
@click.option(
    "--sizes",
    metavar="LIST",
    help="Elements (100, 64Ki, 16Mi) or rows x columns (16384x1000; 1000x16384@0 works along axis 0).",
)
@click.option("--dtype", metavar="LIST", help=f"Of {', '.join(DTYPES)}; default float32.")
@click.option("--threads", metavar="LIST", help="Numbers of threads, or all; default 1.")
@click.option("--in-place", is_flag=True, help="Write each result over its input, a gradient over what comes in.")
@click.option("--inputs", type=str, metavar="KIND", help=f"{' or '.join(INPUTS)} (results); default normal.")
@click.option("--seconds", type=str, metavar="S", help=f"Time to spend on a case, default {SECONDS_PER_CASE}.")
@click.option("--worst-first", is_flag=True, help="One table, sorted by the ratio to the best peer.")
@click.option("--json", "json_file", metavar="FILE", help="Write the results as JSON.")
@click.option("--html", "html_file", metavar="FILE", help="Write a report, one page that opens from disk.")
@click.option(
    "--compare",
    "old_file",
    metavar="FILE",
    help="Say what got slower than in this JSON; exit status 1 if anything did.",
)
@click.option("--tolerance", type=str, metavar="PART", help="How much slower is slower, default 0.1.")
def command(**options: Any) -> int:
    """Measure fastact against other libraries on this machine, side by side."""
    started = time.monotonic()
    modules = _imported(options["modules"])
    cases = _cases(options)
    peers = _names("--peers", options["peers"], PEERS) or list(PEERS)
    seconds = _number("--seconds", options["seconds"]) or (
        SECONDS_PER_QUICK_CASE if options["quick"] else SECONDS_PER_CASE
    )
    tolerance = _number("--tolerance", options["tolerance"]) or 0.1
    outputs = {name: _writable(f"--{name}", options[f"{name}_file"]) for name in ("json", "html")}
    old = _old_results(options["old_file"])
    stop = started + QUICK_SECONDS if options["quick"] else None

    results = measure(cases, peers, seconds, stop, modules)
    results.seconds = time.monotonic() - started
    return _report(results, old, tolerance, outputs, options["worst_first"])


def measure(
    cases: Sequence[Case], peers: list[str], seconds: float, stop: float | None = None, modules: tuple[str, ...] = ()
) -> Results:
    """Measures all cases, those of one number of threads in one process, and shows how far it is."""
    results = Results(machine=machine.describe(), versions={})
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    errors = Console(stderr=True)
    thread_counts = sorted({case.threads for case in cases})
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("loading the libraries", total=len(cases))
        for k, threads in enumerate(thread_counts):
            left = None if stop is None else (stop - time.monotonic()) / (len(thread_counts) - k)
            chosen = [case.to_json() for case in cases if case.threads == threads]
            _take(results, worker.Plan(chosen, peers, threads, seconds, left, modules), progress, task)
    return results


def _take(results: Results, plan: worker.Plan, progress: Progress, task: Any) -> None:
    """Adds one process's messages to the results."""
    try:
        for message in worker.measure(plan):
            ((kind, content),) = message.items()
            if kind == "peers":
                results.versions, results.missing = content
            elif kind == "begin":
                progress.update(task, description=content)
            elif kind == "remarks":
                results.remarks += content
            elif kind == "left":
                results.remarks.append(f"{content} cases on {_threads(plan.threads)} left out: the time was up.")
            else:
                progress.advance(task)
                if kind == "result":
                    results.cases.append(CaseResult.from_json(content))
                elif kind == "wrong":
                    results.failures.append(content)
    except worker.CrashedError as error:
        results.failures.append(str(error))


def _report(
    results: Results, old: Results | None, tolerance: float, outputs: dict[str, Path | None], worst_first: bool
) -> int:
    screen = console()
    table.show(screen, results, worst_first)
    for name, text in (("json", results.dumps), ("html", lambda: report.page(results))):
        path = outputs[name]
        if path is not None:
            _write(f"--{name}", path, text())
    status = WRONG if results.failures else 0
    if old is not None:
        comparison = compare(old, results, tolerance)
        table.show_comparison(screen, comparison)
        status = status or (SLOWER if comparison.slower else 0)
    return status


def _imported(text: str | None) -> tuple[str, ...]:
    """The modules of a list, imported: the activations that they define are in the table then."""
    modules = () if text is None else tuple(name.strip() for name in text.split(","))
    for module in modules:
        try:
            import_module(module)
        except Exception as error:  # whatever is wrong with the module
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise OptionError("--import", module, f"a module that can be imported ({reason})") from None
    return modules


def _cases(options: dict[str, Any]) -> list[Case]:
    """The plan that the options ask for: the survey, the quick one, or the product of what is given."""
    functions = _names("--functions", options["functions"], bench_cases.functions())
    operations = tuple(_names("--operations", options["operations"], OPERATIONS)) or OPERATIONS[:1]
    cores = machine.usable_cores()
    others = [f"--{name}" for name in ("sizes", "dtype", "threads", "inputs") if options[name] is not None]
    others += ["--in-place"] * options["in_place"]
    if options["quick"] and others:
        expected = "no other choice of cases than --functions and --operations beside it"
        raise OptionError("--quick", " ".join(others), expected)
    if options["quick"] or not (others or options["operations"]):
        plan = bench_cases.quick(cores, operations) if options["quick"] else bench_cases.survey(cores)
        return [case for case in plan if not functions or case.function in functions]
    sweep = Sweep(
        functions=tuple(functions or bench_cases.functions()),
        shapes=_shapes(options["sizes"]),
        dtypes=tuple(_names("--dtype", options["dtype"], DTYPES) or ["float32"]),
        threads=tuple(_thread_counts(options["threads"], cores)),
        in_place=(options["in_place"],),
        inputs=tuple(_names("--inputs", options["inputs"], INPUTS) or ["normal"]),
        operations=operations,
    )
    return bench_cases.distinct(sweep.cases())


def _names(option: str, text: str | None, known: Iterable[str]) -> list[str]:
    """The names of a list, all of them known; none if the option is not given."""
    known = list(known)
    names = [] if text is None else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise OptionError(option, name, f"one of {', '.join(known)}")
    return names


def _shapes(text: str | None) -> tuple[bench_cases.Shape, ...]:
    try:
        return bench_cases.parse_shapes(text or bench_cases.SIZES)
    except ValueError as error:
        expected = "a count such as 100, 64Ki or 16Mi, or rows x columns such as 16384x1000 or 1000x16384@0"
        raise OptionError("--sizes", str(error), expected) from None


def _thread_counts(text: str | None, cores: int) -> list[int]:
    counts = []
    for part in map(str.strip, (text or "1").split(",")):
        if part != "all" and not (part.isdecimal() and 1 <= int(part) <= cores):
            raise OptionError("--threads", part, f"a number from 1 to {cores} (the cores that are here), or all")
        counts.append(cores if part == "all" else int(part))
    return counts


def _number(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise OptionError(option, text, "a positive number")
    return value


def _writable(option: str, name: str | None) -> Path | None:
    """A path that can be written to, found out before anything is measured."""
    if name is None:
        return None
    path = Path(name)
    if not can_be_written(path):
        raise OptionError(option, name, "a file in a folder that exists and can be written to")
    return path


def _write(option: str, path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise OptionError(option, str(path), f"a file that can be written ({error.strerror})") from None
    print(f"wrote {path}", file=sys.stderr)


def _old_results(name: str | None) -> Results | None:
    if name is None:
        return None
    try:
        return Results.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotResultsError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise OptionError("--compare", name, f"a file that --json has written ({reason})") from None


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
