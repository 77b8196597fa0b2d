"""The measuring bench: what it measures is right, what it says is what it measured, and its command behaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastact
from benchmarks import picture
from benchmarks import results as repository_results
from fastact._files import write_whole
from fastact.bench import inputs, oracle, peers, report
from fastact.bench.cases import (
    OPERATIONS,
    Case,
    functions,
    has,
    is_rowwise,
    parse_shape,
    parse_shapes,
    quick,
    survey,
    takes_result,
    works_in_place,
)
from fastact.bench.compare import compare
from fastact.bench.contest import Contest, WrongResultError
from fastact.bench.floor import _moves, _split, floor
from fastact.bench.machine import other_threads_run
from fastact.bench.peers import FASTACT, PEERS, Job, Prepared, SkipError, handwritten, numba, numexpr, onnxruntime
from fastact.bench.results import CaseResult, Measurement, NotResultsError, Quartiles, Results
from fastact.bench.timing import Contestant
from tests import browser

every_function = pytest.mark.parametrize("function", functions())
every_gradient = pytest.mark.parametrize("function", [name for name in functions() if has(name, "backward")])
every_dtype = pytest.mark.parametrize("dtype", oracle.FORMATS)


def case_of(function: str, dtype: str = "float32", **settings: Any) -> Case:
    """A small case of a function."""
    rowwise = is_rowwise(function)
    return Case(function, dtype, (16, 20) if rowwise else (320,), axis=-1 if rowwise else None, **settings)


@pytest.fixture
def numpy_peer() -> None:
    """The peer that is always there."""
    PEERS["numpy"].load(1)


class Impostor:
    """A peer that answers whatever it is told to."""

    name = title = "impostor"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def load(self, threads: int) -> str:
        return "1"

    def prepare(self, job: Job) -> Prepared:
        return Prepared(lambda: self.answer(job))


# What is measured


@every_function
@pytest.mark.usefixtures("numpy_peer")
def test_every_function_of_the_table_is_measured(function: str) -> None:
    result = Contest(case_of(function), ["numpy"]).run(seconds=1e-3)
    assert result.fastact.peer == "fastact"
    assert result.fastact.rounds >= 5
    assert result.floor.low > 0
    assert result.harness_ns < 1e6
    assert result.peers or result.skipped["numpy"] == "has no such function"


@every_gradient
@pytest.mark.usefixtures("numpy_peer")
def test_every_gradient_is_measured(function: str) -> None:
    result = Contest(case_of(function, operation="backward"), ["numpy"]).run(seconds=1e-3)
    assert result.fastact.peer == "fastact"
    assert result.fastact.ulp < (4 if fastact.config()["engine"] == "compiled" else 10)
    assert not result.fastact.allocates
    assert result.bytes_per_element >= 8  # glu: of its operand, which is twice as large as what comes in
    assert result.peers or result.skipped["numpy"] == "has no such function"


@pytest.mark.parametrize("table", [handwritten.FUNCTIONS, numba.FORMULAS, numexpr.EXPRESSIONS, onnxruntime.GRAPHS,
                                   handwritten.GRADIENTS, numba.GRADIENTS, numexpr.GRADIENTS],
                         ids=["numpy", "numba", "numexpr", "onnxruntime",
                              "numpy backward", "numba backward", "numexpr backward"])  # fmt: skip
def test_peers_know_functions_by_the_table_s_names(table: dict[str, Any]) -> None:
    assert set(table) <= set(fastact.activations)


@every_function
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.usefixtures("numpy_peer")
def test_hand_written_numpy_computes_the_same(function: str, operation: str) -> None:
    if not has(function, operation):
        return
    for in_place in {False, works_in_place(function, operation)}:
        contest = Contest(case_of(function, "float64", in_place=in_place, operation=operation), ["numpy"])
        assert contest.skipped.get("numpy") in (None, "has no such function")


@every_gradient
@pytest.mark.parametrize("peer", ["pytorch", "jax", "numba", "numexpr", "sklearn"])
def test_peers_gradients_are_right(function: str, peer: str) -> None:
    if not importable(peer):
        pytest.skip(f"{peer} is not installed")
    for in_place in {False, works_in_place(function, "backward")}:
        contest = Contest(case_of(function, "float64", in_place=in_place, operation="backward"), [peer])
        assert not contest.skipped.get(peer, "").startswith(("wrong", "failed"))


@cache
def importable(peer: str) -> bool:
    """Whether a peer is installed, and has been loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries deprecate is none of ours
        return bool(peers.load([peer], 1)[0])


def test_plans_hold_every_function_and_dimension() -> None:
    cases = survey(threads=2)
    assert len(set(cases)) == len(cases)
    assert {case.function for case in cases} == set(functions())
    assert {case.dtype for case in cases} == set(oracle.FORMATS)
    assert {case.threads for case in cases} == {1, 2}
    assert {case.inputs for case in cases} == {"normal", "subnormal"}
    assert {case.shape for case in cases} >= {
        (100,),
        (4096,),
        (65536,),
        (1 << 20,),
        (1 << 24,),
        (8, 1 << 21),
        (64, 1000),
    }
    assert {case.axis for case in cases} == {None, -1, 0}
    values = [case for case in cases if case.operation == "value"]
    assert {case.function for case in values if case.in_place} == {f for f in functions() if not is_rowwise(f)}
    assert {case.function for case in quick(threads=1)} == set(functions())
    assert not any(case.in_place and not works_in_place(case.function, case.operation) for case in cases)


@every_gradient
def test_the_plan_holds_each_gradient_in_cache(function: str) -> None:
    shape = (64, 1000) if is_rowwise(function) else (65536,)
    cases = [case for case in survey(threads=2) if case.function == function and case.operation == "backward"]
    assert Case(function, "float32", shape, -1 if is_rowwise(function) else None, operation="backward") in cases
    assert {case.operation for case in quick(1, ("backward",))} == {"backward"}


def test_functions_without_a_gradient_have_no_such_case() -> None:
    assert not any(case.operation == "backward" and not has(case.function, "backward") for case in survey(threads=2))
    assert not has("hardmax", "backward")


@pytest.mark.parametrize(
    ("text", "dims", "axis"),
    [("100", (100,), -1), ("64Ki", (65536,), -1), ("8x2Mi", (8, 2 << 20), -1), ("1000x16@0", (1000, 16), 0)],
)
def test_shapes_as_people_write_them(text: str, dims: tuple[int, ...], axis: int) -> None:
    shape = parse_shape(text)
    assert (shape.dims, shape.axis) == (dims, axis)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "64k", "2x", "2x3x4", "10@1", "2x3@2", "2x3@", "x"])
def test_shapes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_shapes(text)


# What it is measured on


def test_inputs_reach_saturation_and_tails() -> None:
    case = Case("sigmoid", "float32", (65536,))
    (x,) = inputs.make(case)
    (sigmoid,) = oracle.truth(case, [x])
    assert (abs(x) > 17).any()
    assert (sigmoid < 1e-7).any()
    assert 0.2 < (abs(x) < 3).mean() < 0.8


def test_inputs_stay_inside_a_bounded_domain() -> None:
    (p,) = inputs.make(Case("logit", "float64", (10_000,)))
    assert ((p > 0) & (p < 1)).all()


@every_gradient
def test_a_gradient_s_operands_are_what_a_network_has_there(function: str) -> None:
    case = case_of(function, "float64", operation="backward")
    grad, *kept = inputs.make(case)
    of_value = inputs.make(replace(case, operation="value"))
    axis = {} if case.axis is None else {"axis": case.axis}
    result = getattr(fastact, function)(*of_value, **fastact.activations[function].typical_parameters, **axis)
    assert grad.shape == result.shape
    assert grad.std() > 1
    for one, other in zip(kept, [result] if takes_result(function) else of_value, strict=True):
        np.testing.assert_array_equal(one, other)


@every_function
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_subnormal_results(function: str, dtype: str, operation: str) -> None:
    if not has(function, operation):
        return
    case = case_of(function, dtype, inputs="subnormal", operation=operation)
    try:
        operands = inputs.make(case)
    except inputs.NoSuchInputError:
        assert is_rowwise(function) or function in NEVER_SUBNORMAL[operation]
        return
    result, *_ = oracle.truth(case, operands)
    assert ((abs(result) > 0) & (abs(result) < np.finfo(dtype).tiny)).all()


NEVER_SUBNORMAL = {
    "value": {
        "step", "threshold", "thresholded_relu", "logit", "hard_sigmoid", "sparse_sigmoid", "squareplus", "sparse_plus",
        "hard_shrink", "soft_shrink", "squared_relu", "tanh_shrink",
    },
    "backward": {
        "identity", "step", "relu", "relu6", "leaky_relu", "prelu", "threshold", "thresholded_relu", "logit",
        "softsign", "hard_tanh", "hard_sigmoid", "sparse_sigmoid", "squareplus", "sparse_plus", "hard_swish",
        "hard_shrink", "soft_shrink", "reglu",
    },
}  # fmt: skip


# Honesty


def answers(job: Job) -> dict[str, Any]:
    """Results that are not sigmoid's, and what is said of them."""
    return {
        "another function": np.tanh(job.x),
        "nothing written": job.out,
        "another shape": job.x[:5],
        "NaN": np.full_like(job.x, np.nan),
        "right in all but the last places": np.r_[1 / (1 + np.exp(-job.x[:-1])), 0.5].astype(job.x.dtype),
    }


@pytest.mark.parametrize("kind", answers(Job("sigmoid", ("x",), [np.ones(9)], [np.ones(9)])))
def test_a_wrong_result_is_not_timed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "impostor", Impostor(lambda job: answers(job)[kind]))
    contest = Contest(case_of("sigmoid"), ["impostor"])
    assert contest.peers == []
    assert contest.skipped["impostor"].startswith("wrong")


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("gelu", lambda job: job.operands[0] * fastact.derivative.gelu_tanh(job.x) + 1e-3),
        ("gelu", lambda job: fastact.gelu(job.x)),
        ("tanh", lambda job: fastact.derivative.tanh(job.x)),
        ("swiglu", lambda job: fastact.backward.swiglu(*job.operands)[::-1]),
        ("swiglu", lambda job: fastact.backward.swiglu(*job.operands)[0]),
        ("prelu", lambda job: (fastact.backward.prelu(*job.operands)[0], np.zeros(1, np.float32))),
        ("softmax", lambda job: job.x * job.operands[0]),
        ("log_softmax", lambda job: job.operands[0]),
    ],
)
def test_a_wrong_gradient_is_not_timed(function: str, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "impostor", Impostor(answer))
    contest = Contest(case_of(function, operation="backward"), ["impostor"])
    assert contest.skipped["impostor"].startswith("wrong")


def test_at_a_kink_libraries_may_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("hard_tanh", "float16", operation="backward")  # few numbers: some are on the kink
    grad, x = (np.resize(array, 4096) for array in inputs.make(case))
    x[::7] = 1
    check = oracle.Check(replace(case, shape=x.shape), [grad, x])
    right = fastact.backward.hard_tanh(grad, x)
    assert check.error(np.where(x == 1, grad, right)) == 0
    with pytest.raises(ValueError, match="is right"):
        check.error(np.where(x > 1, grad, right))


@pytest.mark.parametrize("size", [320, (1 << 20) + 5])
def test_a_weight_s_gradient_is_judged_over_the_whole_array(size: int) -> None:
    case = Case("prelu", "float32", (size,), operation="backward")
    grad, x, weight = inputs.make(case)
    by_x, by_weight = fastact.backward.prelu(grad, x, weight)
    check = oracle.Check(case, [grad, x, weight])
    assert check.error(by_x, by_weight) <= 1
    with pytest.raises(ValueError, match="is right"):
        check.error(by_x, by_weight + np.float32(1e-3 * np.abs(grad * x).sum()))


def test_a_result_beyond_the_dtype_s_range_is_infinite() -> None:
    case = Case("logit", "float16", (2,), operation="backward")
    operands = [np.array([5, -5], np.float16), np.array([1e-5, 0.5], np.float16)]
    assert oracle.Check(case, operands).error(np.array([np.inf, -20], np.float16)) == 0


def test_a_failing_peer_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "impostor", Impostor(lambda job: vars(job)["missing"]))
    contest = Contest(case_of("sigmoid"), ["impostor"])
    assert contest.skipped == {"impostor": "failed: KeyError"}


def test_a_wrong_result_of_fastact_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FASTACT, "prepare", Impostor(lambda job: np.tanh(job.x)).prepare)
    with pytest.raises(WrongResultError, match="sigmoid"):
        Contest(case_of("sigmoid"), [])


@every_dtype
def test_errors_are_counted_in_units_of_the_last_place(dtype: str) -> None:
    x = np.linspace(-3, 3, 50).astype(inputs.numpy_dtype(dtype))
    check = oracle.Check(Case("identity", dtype, x.shape), [x])
    bits = x.view(f"i{x.itemsize}")
    assert check.error(x.copy()) == 0
    assert check.error((bits + 2).view(x.dtype)) == 2


def test_allocating_is_told_apart_from_writing_to_given_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEERS, "impostor", Impostor(lambda job: 1 / (1 + np.exp(-job.x))))
    contest = Contest(case_of("sigmoid"), ["impostor"])
    assert contest.peers[0].allocates
    assert not contest.fastact.allocates


@pytest.mark.parametrize("size", [10, 100_000])
def test_in_place_every_turn_starts_from_the_inputs(size: int) -> None:
    case = Case("sigmoid", "float32", (size,), in_place=True)
    contest = Contest(case, [])
    (x,) = inputs.make(case)
    want = fastact.sigmoid(x)
    for number in range(3):
        contest.round(number, [contest.fastact])
        for array in contest._pool:
            np.testing.assert_array_equal(array, want)


@every_function
def test_the_floor_moves_the_function_s_bytes(function: str) -> None:
    operands = inputs.make(case_of(function))
    keywords = {"axis": -1} if is_rowwise(function) else {}
    given = fastact.activations[function].typical_parameters
    out = np.full_like(getattr(fastact, function)(*operands, **given, **keywords), np.nan)
    floor(operands, [out], threads=1)()
    if not keywords and len(operands) == 1:
        np.testing.assert_array_equal(out, operands[0])
    elif 2 * out.size >= operands[0].size:  # else nothing but the reading counts
        assert np.isfinite(out).all()


@every_gradient
@pytest.mark.parametrize("threads", [1, 3])
def test_the_floor_of_a_gradient_reads_every_operand_and_fills_every_result(function: str, threads: int) -> None:
    shape = (700, 1000) if is_rowwise(function) else (700_000,)
    case = Case(function, "float32", shape, -1 if is_rowwise(function) else None, operation="backward")
    operands = inputs.make(case)
    outs = [np.full_like(operand, np.nan) for operand in operands[1:]]
    floor(operands, outs, threads)()
    whole = [out for out in outs if out.size > 1]
    if len(outs) == 1 and operands[0].shape == operands[1].shape:
        np.testing.assert_array_equal(outs[0], operands[0] + operands[1])
    assert np.isfinite(whole).all()


def test_the_floor_of_a_gradient_in_place_is_a_sum() -> None:
    grad, x = np.arange(4.0), np.ones(4)
    floor([grad, x], [grad], threads=1)()
    np.testing.assert_array_equal(grad, np.arange(4) + 1.0)


def test_whether_other_threads_run() -> None:
    """Idle threads of one library may spin, and would take the processors from the next one."""
    x, stop = np.linspace(-3, 3, 1 << 20), threading.Event()

    def spin() -> None:
        while not stop.is_set():
            np.exp(x)

    spinning = threading.Thread(target=spin)
    spinning.start()
    try:
        assert any(other_threads_run() for _ in range(100))
    finally:
        stop.set()
        spinning.join()
    assert not all(other_threads_run() for _ in range(100))


@pytest.mark.parametrize("shape", [(3, 1 << 19), (1 << 19, 3)])
def test_the_floor_moves_whole_rows_on_several_threads(shape: tuple[int, int]) -> None:
    x, y = (np.random.default_rng(seed).normal(size=shape).astype(np.float32) for seed in (1, 2))
    out = np.full_like(x, np.nan)
    for call in (_split(_moves([x], [out]), 2), _split(_moves([x, y], [out]), 2)):
        out.fill(np.nan)
        call()
        assert not np.isnan(out).any()


@every_dtype
def test_the_floor_in_place_and_on_several_threads(dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=1_000_003).astype(inputs.numpy_dtype(dtype))
    out = np.zeros_like(x)
    floor([x], [out], threads=3)()
    np.testing.assert_array_equal(out.view(np.uint8), x.view(np.uint8))
    before = x.copy()
    floor([x], [x], threads=3)()
    assert (x.view(np.uint8) != before.view(np.uint8)).any()


def test_rounds_are_interleaved_and_ratios_are_taken_within_them() -> None:
    order: list[str] = []
    contest = Contest(case_of("relu"), [])
    for contestant in contest.contestants:
        contestant.calls = [partial(order.append, contestant.name)]
    for number in range(4):
        contest.round(number, contest.contestants)
    rounds = [order[k : k + 3] for k in range(0, 12, 3)]
    assert all(sorted(turns) == ["fastact", "floor", "harness"] for turns in rounds)
    assert len({tuple(turns) for turns in rounds}) > 1
    contest.fastact.nanoseconds = {0: 10.0, 1: 100.0, 2: 1000.0}
    contest.floor.nanoseconds = {0: 5.0, 1: 50.0, 2: 500.0}
    contest.harness.nanoseconds = {0: 1.0}
    assert contest.result().fastact.of_floor == 2.0


def test_a_first_call_that_compiles_does_not_make_a_contestant_slow() -> None:
    contestant = Contestant("compiled", [lambda: None], seconds_per_call=9.0)  # as its check has taken
    contestant.calibrate(seconds=1e-3)
    assert contestant.seconds_per_call < 1e-3
    assert len(contestant.calls) > 100


def test_a_long_call_is_a_turn() -> None:
    contestant = Contestant("long", [partial(time.sleep, 0.06)], seconds_per_call=0.06)
    contestant.calibrate(seconds=1e-3)
    assert len(contestant.calls) == 1
    assert contestant.seconds_per_call >= 0.06


def test_a_slow_contestant_takes_part_in_fewer_rounds() -> None:
    contestant = Contestant("slow", [lambda: None])
    contestant.nanoseconds = {0: 1.0}
    contestant.calibrate(seconds=1e-3)
    assert contestant.turn_seconds > 1e-4


# Results


def result_of(
    ns: float, peer_ns: float = 1.0, floor_ns: float = 0.25, spread: float = 0.02, **settings: Any
) -> CaseResult:
    """A case as if it had been measured."""

    def around(median: float) -> Quartiles:
        return Quartiles(median * (1 - spread / 2), median, median * (1 + spread / 2))

    def measured(peer: str, time: float, allocates: bool) -> Measurement:
        return Measurement(peer, around(time), around(ns / time), time / floor_ns, 0.5, 11, 1.0, allocates)

    case = Case("sigmoid", "float32", (65536,), **settings)
    rows = [measured("fastact", ns, False), measured("pytorch", peer_ns, True), measured("numpy", 9 * peer_ns, False)]
    return CaseResult(case, 8.0, 40.0, around(floor_ns), rows, {"scipy": "has no <such> function"})


def run_of(*cases: CaseResult) -> Results:
    machine = {
        "processor": "A & B", "architecture": "x86_64", "caches": {"L1": "32 KiB"}, "cores": 2, "system": "Linux",
        "python": "3.11", "numpy": "2.4", "fastact": "0.1", "engine": "compiled", "cpu_target": "x86-64-v3",
    }  # fmt: skip
    return Results(machine, {"pytorch": "2.13"}, {"jax": "not installed"}, list(cases), remarks=["Noisy: <really>."])


def test_results_survive_their_json() -> None:
    run = run_of(result_of(0.5), result_of(0.4, threads=2, in_place=True))
    text = run.dumps()
    again = Results.loads(text)
    assert [result.case for result in again.cases] == [result.case for result in run.cases]
    assert again.dumps() == text
    assert (again.machine, again.versions, again.missing, again.remarks) == (
        run.machine, run.versions, run.missing, run.remarks,
    )  # fmt: skip
    assert json.loads(text)["measurement_fields"][2] == "ns"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 1}', "null", '{"cases": 3}'])
def test_json_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(NotResultsError):
        Results.loads(text)


def test_results_of_before_there_were_operations_are_values() -> None:
    run = run_of(result_of(0.5))
    text = run.dumps()
    assert Results.loads(text.replace(',"operation":"value"', "")).dumps() == text
    assert '"operation":"value"' in text


def test_gigabytes_per_second_and_best_peer() -> None:
    result = result_of(0.5)
    assert result.gigabytes_per_second(result.fastact.ns.median) == 16.0
    assert result.best_peer is not None
    assert result.best_peer.peer == "pytorch"
    assert result.worst_ratio == 0.5


def test_what_got_slower() -> None:
    old = run_of(
        result_of(0.5), result_of(0.5, threads=2), result_of(0.5, inputs="subnormal"), result_of(0.5, in_place=True)
    )
    new = run_of(
        result_of(0.6),
        result_of(0.3, threads=2),
        result_of(0.9, inputs="subnormal", spread=0.3),  # noisy: not judged
        result_of(0.52, in_place=True),  # within the tolerance
    )
    comparison = compare(old, new, tolerance=0.1)
    assert [change.case for change in comparison.slower] == [new.cases[0].case]
    assert comparison.slower[0].factor == pytest.approx(1.2)
    assert [change.case for change in comparison.faster] == [new.cases[1].case]
    assert (comparison.judged, comparison.noisy) == (3, 1)


def test_a_slower_machine_is_not_a_slower_fastact() -> None:
    old, new = run_of(result_of(0.5)), run_of(result_of(1.0, floor_ns=0.5))
    assert compare(old, new, 0.1).slower == []


def test_files_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "results.json"
    write_whole(target, "± 1")
    assert target.read_bytes() == b"\xc2\xb1 1"
    write_whole(target, b"\x89PNG")

    def fail(*_: Any) -> None:
        raise OSError("no space")

    for step in ("write_bytes", "replace"):
        monkeypatch.setattr(Path, step, fail)
        with pytest.raises(OSError, match="no space"):
            write_whole(target, "new")
        assert target.read_bytes() == b"\x89PNG"
        assert list(tmp_path.iterdir()) == [target]
        monkeypatch.undo()


# The report


class Balance(HTMLParser):
    """Checks that every element is closed, and gathers what a page asks for."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def sample_run() -> Results:
    settings: list[dict[str, Any]] = [{}, {"threads": 2}, {"in_place": True}, {"inputs": "subnormal"}]
    settings.append({"operation": "backward"})
    cases = [result_of(0.5, 1.0 + k, **setting) for k, setting in enumerate(settings)]
    others = [replace(result, case=replace(result.case, function="gelu")) for result in cases]
    return run_of(*cases, *others)


def test_the_report_needs_nothing_but_itself() -> None:
    text = report.page(sample_run())
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert all(address is not None and address.startswith("#") for address in parser.addresses)
    assert not parser.seen & {"script", "link", "img", "iframe"}
    assert "url(" not in text
    assert "@import" not in text
    assert "A &amp; B" in text
    assert "Noisy: &lt;really&gt;." in text
    assert "has no &lt;such&gt; function" in text


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[browser.Browser, Path]]:
    """A browser, and the sample report on disk."""
    if not browser.installed():
        pytest.skip("no chromium with its chromedriver is installed")
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(report.page(sample_run()), encoding="utf-8")
    with browser.Browser() as opened:
        yield opened, page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280], ids=["phone", "desktop"])
def test_the_report_in_a_browser(window: tuple[browser.Browser, Path], width: int, dark: bool) -> None:
    chromium, page = window
    chromium.open(page, width, dark)
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask("performance.getEntriesByType('resource').length") == 0
    assert chromium.ask("document.querySelectorAll('section[id]').length") == 2
    assert chromium.ask("document.querySelectorAll('figure').length") == 10
    assert chromium.ask("[...document.querySelectorAll('h3 + .figures')].map(e => e.childElementCount)") == [1, 1]
    red, green, blue = map(int, re.findall(r"\d+", chromium.ask("getComputedStyle(document.body).backgroundColor"))[:3])
    assert (red + green + blue < 200) == dark

    # In the first figure: fastact 0.5, PyTorch 1.0, the floor at 0.25, NumPy cut.
    wide = chromium.ask("[...document.querySelector('figure').querySelectorAll('.bar')].map(bar => bar.offsetWidth)")
    assert wide[1] / wide[0] == pytest.approx(2, rel=0.05)
    line = "getComputedStyle(document.querySelector('figure .track'), '::after').left"
    assert float(chromium.ask(line).removesuffix("px")) / wide[0] == pytest.approx(0.5, rel=0.08)
    assert chromium.ask("document.querySelectorAll('figure:first-of-type .bar.cut').length") >= 1
    assert min(chromium.ask("[...document.querySelectorAll('.value')].map(e => e.scrollWidth - e.clientWidth)")) <= 0


def test_the_numbers_open_behind_the_bars(window: tuple[browser.Browser, Path]) -> None:
    chromium, page = window
    chromium.open(page, 360)
    table = "document.querySelector('figure details table')"
    assert not chromium.ask(f"{table}.checkVisibility()")
    chromium.ask("document.querySelector('figure summary').click()")
    assert chromium.ask(f"{table}.checkVisibility()")
    text = chromium.ask(f"{table}.innerText")
    assert all(word in text for word in ("fastact", "PyTorch", "NumPy", "floor", "empty call", "allocates", "0.500"))
    assert chromium.ask("document.documentElement.scrollWidth") <= 360


# What the repository makes of it


def test_the_repository_s_files_come_from_the_json() -> None:
    run = sample_run()
    text = repository_results.markdown(run, "abc1234")
    assert "Commit abc1234." in text
    assert "| sigmoid | 0.500 | 16.0 | 2.00 | PyTorch | 0.50 (0.49-0.51) |" in text
    block = repository_results.readme_block(run)
    assert "| 64 Ki, float32, 1 thread | 2.00 | 0.50 | 0.06 |" in block
    assert "| 64 Ki, backward, float32, 1 thread | 2.00 | 0.10 | 0.01 |" in block
    assert "## 64 Ki, backward, float32, 1 thread" in text
    readme = f"before\n{repository_results.BEGIN}\nold\n{repository_results.END}\nafter\n"
    filled = repository_results.fill(readme, block)
    assert filled == f"before\n{block}\nafter\n"
    assert repository_results.fill(filled, block) == filled
    with pytest.raises(repository_results.NoMarkersError):
        repository_results.fill("no markers", block)


def test_the_picture_is_well_formed() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(picture.svg(sample_run().cases[:1]))
    assert len([mark for mark in root.iter() if mark.get("class") == "fastact"]) == 2  # the legend's and the row's


# The command


def bench(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    command = [sys.executable, "-m", "fastact", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | settings, timeout=120, check=False)


def test_the_command_measures_and_writes(tmp_path: Path) -> None:
    files = tmp_path / "new.json", tmp_path / "new.html"
    ran = bench(
        "--functions", "sigmoid,softmax", "--sizes", "100,32x10", "--peers", "numpy", "--seconds", "0.01",
        "--json", str(files[0]), "--html", str(files[1]),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "sigmoid" in ran.stdout
    assert "empty call" in ran.stdout
    run = Results.loads(files[0].read_text())
    assert [result.case.function for result in run.cases] == ["sigmoid", "softmax"] * 2
    assert {peer.peer for result in run.cases for peer in result.peers} == {"numpy"}
    assert files[1].read_text().startswith("<!DOCTYPE html>")
    assert {path.name for path in tmp_path.iterdir()} == {"new.json", "new.html"}


OWN = """
import fastact

@fastact.activation(derivative=lambda x: 1 / (1 + abs(x)) ** 2)
def squash(x):
    return x / (1 + abs(x))
"""


def test_activations_of_one_s_own_are_measured(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    file = tmp_path / "new.json"
    arguments = "--sizes", "100", "--dtype", "float64", "--peers", "numpy", "--seconds", "0.01", "--json", str(file)
    ran = bench("--import", "mine", "--functions", "squash,tanh", *arguments, PYTHONPATH=python_path(tmp_path))
    assert ran.returncode == 0, ran.stderr
    own, other = Results.loads(file.read_text()).cases
    assert (own.case.function, own.peers) == ("squash", [])
    assert own.fastact.ulp < 2
    assert [peer.peer for peer in other.peers] == ["numpy"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "ModuleNotFoundError: No module named 'mine'"),
        ("import fastact\n1 +", "SyntaxError: invalid syntax (mine.py, line 2)"),
        (OWN.replace("squash", "tanh"), "ValueError: activation: "),
        ("raise ImportError('two\\nlines')", "ImportError: two lines)"),
    ],
)
def test_a_module_that_cannot_be_imported(content: str | None, reason: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "mine.py").write_text(content)
    ran = bench("--import", "mine", PYTHONPATH=python_path(tmp_path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(f"fastact: --import: got 'mine', expected a module that can be imported ({reason}")


def python_path(folder: Path) -> str:
    """Where a process finds fastact, and what is in the folder."""
    return os.pathsep.join([str(Path(fastact.__file__).parents[1]), str(folder)])


def test_comparing_sets_the_exit_status(tmp_path: Path) -> None:
    arguments = "--functions", "tanh", "--sizes", "64Ki", "--peers", "numpy", "--seconds", "0.02"
    old = tmp_path / "old.json"
    assert bench(*arguments, "--json", str(old)).returncode == 0
    run = Results.loads(old.read_text())
    (result,) = run.cases
    fast = replace(result.fastact, ns=Quartiles(*[result.fastact.ns.median / 50] * 3))
    calm = replace(result, floor=Quartiles(*[result.floor.median] * 3), measurements=[fast, *result.peers])
    old.write_text(replace(run, cases=[calm]).dumps())
    ran = bench(*arguments, "--compare", str(old))
    if "not judged" not in ran.stdout:  # a busy machine: this run is noisy, and says so
        assert ran.returncode == 1
        assert "Slower" in ran.stdout


@pytest.mark.parametrize(
    ("option", "came"),
    [
        ("--functions", "sigmod"),
        ("--operations", "derivative"),
        ("--peers", "pytorhc"),
        ("--dtype", "float33"),
        ("--sizes", "10k"),
        ("--threads", "0"),
        ("--threads", "many"),
        ("--threads", "4096"),
        ("--seconds", "-1"),
        ("--seconds", "soon"),
        ("--tolerance", "nan"),
        ("--inputs", "odd"),
        ("--json", "nowhere/new.json"),
        ("--html", "."),
        ("--compare", "nothing.json"),
    ],
)
def test_a_bad_option_is_one_clear_line(
    option: str, came: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fastact.__file__).parents[1]))
    monkeypatch.chdir(tmp_path)
    ran = bench("--html", "kept.html", option, came)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(f"fastact: {option}: got {came!r}, expected ")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else_to_compare_with(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"a": 1}')
    ran = bench("--compare", str(other))
    assert ran.returncode == 2
    assert ran.stderr.startswith("fastact: --compare: got ")


def test_gradients_are_measured_on_request(tmp_path: Path) -> None:
    file = tmp_path / "new.json"
    ran = bench(
        "--functions", "tanh,reglu,softmax,hardmax", "--sizes", "20x10", "--operations", "value,backward",
        "--peers", "numpy", "--seconds", "0.01", "--json", str(file),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "20 x 10, backward, float32, 1 thread" in ran.stdout
    measured = [(result.case.function, result.case.operation) for result in Results.loads(file.read_text()).cases]
    gradients = [(name, "backward") for name in ("tanh", "reglu", "softmax")]
    assert sorted(measured) == sorted([*gradients, *((n, "value") for n in ("tanh", "reglu", "softmax", "hardmax"))])
    assert bench("--functions", "tanh", "--operations", "backward", "--sizes", "100", "--peers", "numpy",
                 "--seconds", "0.01", "--compare", str(file)).returncode == 0  # fmt: skip


def test_quick_stands_alone() -> None:
    ran = bench("--quick", "--sizes", "100")
    assert ran.returncode == 2
    assert ran.stderr.startswith("fastact: --quick: got '--sizes'")


def test_an_unknown_option_is_one_line() -> None:
    ran = bench("--fast")
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_its_extra_the_command_says_so(missing: str) -> None:
    code = f"import sys, runpy; sys.modules[{missing!r}] = None; runpy.run_module('fastact', run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == f"fastact: this command needs {missing}: pip install 'fastact[cli]'\n"


def test_the_bench_is_not_imported_with_fastact() -> None:
    code = "import sys, fastact; fastact.sigmoid(1.0); print([m for m in sys.modules if m.startswith('fastact.bench')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_peer_without_the_function_says_so() -> None:
    job = Job("sparsemax", ("x",), [np.ones((2, 2))], [np.ones((2, 2))], axis=-1)
    with pytest.raises(SkipError, match="has no such function"):
        PEERS["numpy"].prepare(job)
