"""Makes ACCURACY.md of the proof's results, and results.json beside this file, which holds every number in it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.results import source_commit
from fastact._files import write_whole
from fastact._records import Activation, loop_name
from fastact.bench import machine
from fastact.bench.peers import PEERS
from tests import oracle
from tests.catalogue import BARS, ONE_OPERAND, ROOT_ZONE, Loop
from tests.proof import fallbacks, float32, float64, halves, parameters, peers
from tests.proof.compiled import HERE, RESULTS

ROOT = HERE.parents[1]
PAGE = ROOT / "ACCURACY.md"
OPERATIONS = ("value", "derivative")

# Measured once, side by side, each on the machine of its day: float32, 65,536 elements in cache (softmax: 64 rows of
# 1000), one thread, x86-64-v4.
BOUGHT = [
    ("`sigmoid`, the denominator's second part from r itself", "1.06 ULP becomes 0.86", "0.380 to 0.400 ns"),
    ("`sigmoid`, a rough quotient right to 7 %, and one form", "none falls, as before", "0.502 to 0.408 ns: a gain"),
    ("`softplus`, another form near 0", "484,540 pairs of neighbours that fell: none falls", "0.47 to 0.48 ns"),
    ("`softplus`, what the rounding of e**z takes, put back", "1.07 ULP becomes 0.98", "0.54 to 0.61 ns"),
    ("`silu`, the leading half of the rough quotient", "1.4 ULP becomes 0.97", "0.213 to 0.221 ns"),
    ("`gelu`, one step of Newton's for the quotient's rest", "1.04 ULP becomes 0.82", "0.356 to 0.384 ns"),
    ("`softmax`, a sum of exponentials not yet rounded", "2.40 ULP becomes 1.82, random rows", "0.246 to 0.256 ns"),
]

Results = dict[str, Any]  # by chapter and loop: "float32 sigmoid"


def write(results: Results) -> None:
    """Writes both files."""
    facts = {"commit": source_commit(), "machine": machine.describe()} | results
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in facts.items())
    write_whole(RESULTS, f"{{\n{lines}\n}}\n")
    write_whole(PAGE, markdown(read()))


def read() -> Results:
    """The results of the last whole proof; none before the first."""
    results: Results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return results


def markdown(results: Results) -> str:
    """The page: a section for each chapter that has been proved whole."""
    convention = (oracle.__doc__ or "").split("\n\n")[2].replace("\n", " ")
    head = (
        f"# How far from the truth\n\n"
        f"Made by `make prove`, which computes every number here again; they stand in "
        f"[{RESULTS.name}]({RESULTS.relative_to(ROOT).as_posix()}). {convention}\n\n"
        f"{provenance(results)}"
    )
    sections = [
        ("float32", float32_values),
        ("float32", float32_derivatives),
        ("halves", half_types),
        ("float64", float64_search),
        ("parameters", parameter_values),
        ("peers", other_libraries),
        ("fallbacks", engines),
        ("float32", bought),
    ]
    proved = {name.partition(" ")[0] for name in results}
    return "\n".join([head, *(section(results) for chapter, section in sections if chapter in proved)])


def float32_values(results: Results) -> str:
    """The largest errors of values over every input."""
    bars = BARS["compiled"]["float32"]
    return (
        f"## float32: every input\n\n"
        f"The largest error over all 4,294,967,296 inputs, and an input that has it, with default parameters. The bar "
        f"is {bars[0]} ULP. *monotone*: no result is less than that of the input before; *in range*: none beyond the "
        f"function's range; *odd*: f(-x) = -f(x), whatever a zero's sign.\n\n{float32_table(results, 'value')}"
    )


def float32_derivatives(results: Results) -> str:
    """The largest errors of derivatives over every input."""
    bars = BARS["compiled"]["float32"]
    return (
        f"## float32 derivatives: every input\n\n"
        f"The bar is {bars[1]} ULP; within {ROOT_ZONE['compiled']:g} of a root of the derivative, it is as many ULP of "
        f"1. *not negative*: as the slope of a monotone function has to be.\n\n{float32_table(results, 'derivative')}"
    )


def half_types(results: Results) -> str:
    """The largest errors in half precision, and what is not correctly rounded."""
    return (
        f"## float16 and bfloat16: every input\n\n"
        f"The largest error in ULP over all 65,536 inputs and all CPU targets, and in brackets how many results are "
        f"not the correctly rounded ones. The bar is {BARS['compiled']['float16'][0]} for values. A derivative's error "
        f"within {ROOT_ZONE['compiled']:g} of its root is counted in ULP of 2**-6, the brackets in the result's own."
        f"\n\n{halves_table(results)}"
    )


def float64_search(results: Results) -> str:
    """The largest errors that a search found."""
    return (
        f"## float64: a search\n\n"
        f"The largest error found in {float64.INPUTS:,} inputs and more, on any CPU target: breakpoints and their "
        f"neighbours, exact cases, random bit patterns of every binade, and a hill-climb from the worst. The bar is "
        f"{BARS['compiled']['float64'][0]} ULP.\n\n{float64_table(results)}"
    )


def parameter_values(results: Results) -> str:
    """The largest errors at awkward parameters."""
    bars = BARS["compiled"]["float32"]
    return (
        f"## Parameters\n\n"
        f"The largest float32 error on any CPU target, over ten million inputs for each of the values "
        f"{', '.join(f'{value:g}' for value in parameters.VALUES)} that the parameter may have, alone and as one value "
        f"for each channel. The bar is {bars[0]} ULP for values and {bars[1]} for derivatives.\n\n"
        f"{parameters_table(results)}"
    )


def other_libraries(results: Results) -> str:
    """The digits that other libraries keep."""
    return (
        f"## Other libraries\n\n"
        f"How many decimal digits of a float32 result are right where the fewest are: log10(2**24 / error in ULP), "
        f"from 7.5, correctly rounded, down to 0, nothing. Over every {peers.STEP}th input and all breakpoints, where "
        f"input and true value are normal numbers or 0.\n\n{peers_table(results)}"
    )


def engines(results: Results) -> str:
    """The largest errors of the Numba and NumPy engines."""
    return (
        f"## The engines without a compiler\n\n"
        f"The largest float32 error in ULP over every {float32.SAMPLE_STEP}st input and all breakpoints. The bar is "
        f"{BARS['numpy']['float32'][0]} ULP; within {ROOT_ZONE['numpy']:g} of a derivative's root, of 1.\n\n"
        f"{fallbacks_table(results)}"
    )


def bought(_: Results) -> str:
    """What the bars bought and cost."""
    return (
        "## What the bars bought and cost\n\n"
        "Where a function missed its bar, or a form that met it was faster. Time for an element of 65,536 float32 in "
        "cache (softmax: 64 rows of 1000), one thread, x86-64-v4; measured once, by hand, not by `make prove`.\n\n"
        f"{lines(['what', 'bought', 'cost'], BOUGHT)}"
    )


def provenance(results: Results) -> str:
    """Commit, machine, libraries, time."""
    versions = results.get("peers sigmoid", {}).get("versions", {})
    seconds = sum(value["seconds"] for value in results.values() if "seconds" in value)
    walked = Counter(value["commit"] for name, value in results.items() if name.startswith("float32 "))
    earlier = [f"{count} loops at {commit}" for commit, count in walked.items() if commit != results["commit"]]
    lines = [
        f"Commit {results['commit']}."
        + (f" Walked before, and the same since: {', '.join(earlier)}." if earlier else ""),
        f"Machine: {machine.in_words(results['machine'])}.",
        f"CPU targets: {', '.join(results['float32 sigmoid']['targets'])}.",
        f"It took {seconds / 3600:.1f} hours of one processor.",
    ]
    if versions:
        lines.append(f"Against {', '.join(f'{PEERS[name].title} {version}' for name, version in versions.items())}.")
    return "".join(f"- {line}\n" for line in lines)


def float32_table(results: Results, operation: str) -> str:
    """A column for each CPU target, and what else holds."""
    targets = list(results["float32 sigmoid"]["targets"])

    def row(record: Activation) -> list[str]:
        by_target = results[f"float32 {loop_name(record, operation)}"]["targets"]
        errors = [error_at(by_target[target]) for target in targets]
        return [*errors, checks(Loop(record, operation), by_target.values())]

    return table([*targets, "holds"], row)


def checks(loop: Loop, found: Iterable[dict[str, Any]]) -> str:
    """What holds on every target, and how often it does not."""
    facts = float32.Facts.of(loop)
    bounded = "in range" if loop.operation == "value" else "not negative"
    claims = [
        ("monotone", facts.monotonic, "falls"),
        (bounded, facts.low > -math.inf or facts.high < math.inf, "outside"),
        (str(facts.parity), facts.parity is not None, "asymmetric"),
    ]
    words = []
    for claim, claimed, counter in claims:
        count = max(target.get(counter, 0) for target in found)
        if claimed:
            words.append(f"**not {claim}: {count} times**" if count else claim)
    return ", ".join(words)


def halves_table(results: Results) -> str:
    """A column for each type and operation."""
    columns = [(dtype, operation) for operation in OPERATIONS for dtype in halves.DTYPES]

    def cell(record: Activation, dtype: str, operation: str) -> str:
        found = results[f"halves {loop_name(record, operation)}"][dtype].values()
        error = max(target["error"] for target in found)
        return f"{error:.4f} ({max(target['not_rounded'] for target in found)})" if error else "exact"

    return table(
        [f"{dtype} {operation}" for dtype, operation in columns],
        lambda record: [cell(record, *column) for column in columns],
    )


def float64_table(results: Results) -> str:
    """A column for each operation, with the target that is worst."""

    def cell(record: Activation, operation: str) -> str:
        return worst_target(results[f"float64 {loop_name(record, operation)}"]["targets"])

    return table(list(OPERATIONS), lambda record: [cell(record, operation) for operation in OPERATIONS])


def parameters_table(results: Results) -> str:
    """A row for each parameter, with the value that is worst."""

    def cell(record: Activation, name: str, operation: str) -> str:
        settings = results[f"parameters {loop_name(record, operation)}"]["parameters"][name].values()
        found = max((t for by_target in settings for t in by_target.values()), key=lambda t: t["error"])
        return f"{error_at(found)} with {found['value']:g}"

    rows = [
        [f"`{record.name}`, {name}", *(cell(record, name, operation) for operation in OPERATIONS)]
        for record in ONE_OPERAND
        for name in record.parameters
    ]
    return lines(["function, parameter", *OPERATIONS], rows)


def peers_table(results: Results) -> str:
    """A column for each library; fastact's digits are those of its worst CPU target, over every input."""

    def row(record: Activation) -> list[str]:
        own = max(target["error"] for target in results[f"float32 {record.name}"]["targets"].values())
        others = results[f"peers {record.name}"]["peers"]
        return [digits(own), *(digits(others[name]["error"]) if name in others else "" for name in peers.NAMES)]

    return table(["fastact", *(PEERS[name].title for name in peers.NAMES)], row)


def fallbacks_table(results: Results) -> str:
    """A column for each engine and operation."""
    columns = [(name, operation) for operation in OPERATIONS for name in fallbacks.NAMES]

    def cell(record: Activation, name: str, operation: str) -> str:
        return error_at(results[f"fallbacks {loop_name(record, operation)}"]["engines"][name])

    return table(
        [f"{name} {operation}" for name, operation in columns],
        lambda record: [cell(record, *column) for column in columns],
    )


def digits(error: float) -> str:
    """Decimal digits that an error in ULP leaves of a float32."""
    return "exact" if error == 0 else f"{max(0.0, math.log10(2**24 / error)):.1f}"


def error_at(found: dict[str, Any]) -> str:
    """An error and its input."""
    return "exact" if found["error"] == 0 else f"{found['error']:.4f} at {found['at']}"


def worst_target(by_target: dict[str, Any]) -> str:
    """The largest error, its input, and the CPU target that has it, or any."""
    name, found = max(by_target.items(), key=lambda item: item[1]["error"])
    return "exact" if found["error"] == 0 else f"{error_at(found)}, {name}"


def table(head: list[str], row: Callable[[Activation], list[str]]) -> str:
    """A row for each function."""
    return lines(["function", *head], ([f"`{record.name}`", *row(record)] for record in ONE_OPERAND))


def lines(head: list[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *rows])
