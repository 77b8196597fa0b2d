"""The proof's own judges: the compiled oracle against MPFR, planted faults, and what a stopped proof keeps."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests import oracle
from tests.catalogue import Loop
from tests.compiler import needs_compiler
from tests.proof import arithmetic, float32, float64, halves, page, parameters, peers, tasks
from tests.proof.compiled import RESULTS, Verdict, truth_for
from tests.proof.subjects import Subject, compiled, rounded_parameters

pytestmark = [pytest.mark.once, needs_compiler]

LOOPS = pytest.mark.parametrize("loop", tasks.UNARY.values(), ids=tasks.UNARY)
SIGMOID = tasks.UNARY["sigmoid"]


def inputs(dtype: str, reach: float) -> Any:
    """Everywhere, where functions bend, and near their roots."""
    generator = np.random.default_rng(7)
    exponents = generator.uniform(-40, 10, 200)
    sizes = np.concatenate([2.0**exponents, np.geomspace(1e-37, 1e38, 60), generator.uniform(0, reach, 200)])
    return np.concatenate([sizes, -sizes, np.linspace(-3, 1, 201), [0, -0.0, np.inf, -np.inf, np.nan]]).astype(dtype)


@LOOPS
def test_true_values_for_float32(loop: Loop) -> None:
    x = inputs("float32", 110)
    truth = truth_for("float32")(loop.name, x, rounded_parameters(loop, "float32"))
    precise = oracle.exact(loop.name, *loop.inputs(x), m=oracle.Mpfr)
    error = oracle.ulp_error(truth.astype(np.longdouble), precise, "float32", oracle.Mpfr, loop.least_exponent(x))
    assert error.max() < 2**-20, x[error.argmax()]


@LOOPS
def test_true_values_for_float64(loop: Loop) -> None:
    x = inputs("float64", 760)
    truth = float64.true_values(loop, x)
    precise = oracle.exact(loop.name, *loop.inputs(x), m=oracle.Mpfr)
    error = oracle.ulp_error(truth, precise, "float64", oracle.Mpfr, loop.least_exponent(x))
    assert error.max() < float64.MARGIN, x[error.argmax()]


@pytest.mark.parametrize(
    ("loop", "name"),
    [pytest.param(loop, name, id=f"{loop.name}-{name}") for loop in tasks.UNARY.values()
     for name in loop.record.parameters],
)  # fmt: skip
def test_true_values_at_awkward_parameters(loop: Loop, name: str) -> None:
    x = inputs("float32", 110)[::3]
    x = x[np.isfinite(x)]
    for value in parameters.VALUES:
        if not parameters.makes_sense(loop, name, value):
            continue
        given = [np.float32(p) for p in (loop.record.typical_parameters | {name: value}).values()]
        truth = truth_for("float32")(loop.name, x, [float(p) for p in given])
        precise = oracle.exact(loop.name, x, *given, m=oracle.Mpfr)
        error = oracle.ulp_error(truth.astype(np.longdouble), precise, "float32", oracle.Mpfr)
        assert error.max() < 2**-20, (value, x[error.argmax()])


def test_errors_are_counted_as_the_oracle_counts_them() -> None:
    truth = np.array([1.0, 1.999, 3.0, -1e-40, 1e-50, 0.0, 3.41e38, 1e300, -1e300, 5.0, np.nan, 2.0, np.inf])
    off = np.array([1, 1, -3, 1, 0, 2, 0, 0, 1, 1, 0, 0, 0])
    with np.errstate(over="ignore"):
        y = truth.astype(np.float32)
    y = (y.view(np.int32) + np.where(np.isnan(truth), 0, off)).astype(np.int32).view(np.float32)
    y[off == 2] = -3e-45
    x = np.arange(y.size, dtype=np.float32)
    for k in range(y.size):
        verdict = Verdict()
        verdict.judge_errors(x[k : k + 1], y[k : k + 1], truth[k : k + 1])
        precise = oracle.LongDouble.array(truth[k : k + 1])
        assert verdict.error == oracle.ulp_error(y[k : k + 1], precise, "float32", oracle.LongDouble)[0]
        assert not verdict.error or verdict.error_at == x[k]


@pytest.mark.parametrize(("y", "truth"), [(np.nan, 1.0), (1.0, np.nan)])
def test_nan_out_of_place_is_an_infinite_error(y: float, truth: float) -> None:
    verdict = Verdict()
    verdict.judge_errors(np.float32([7]), np.float32([y]), np.float64([truth]))
    assert verdict.error == np.inf and verdict.error_at == 7


def test_near_a_root_an_ulp_is_that_of_1() -> None:
    x, y, truth = np.float32([0.5, 0.75]), np.float32([2e-7, 2e-7]), np.array([1e-7, 1e-7])
    near, far = Verdict(), Verdict()
    near.judge_errors(x, y, truth, [0.6], 0.2)
    far.judge_errors(x, y, truth, [0.6], 0.01)
    assert near.error == pytest.approx(1e-7 / 2**-23, rel=1e-3)
    assert far.error > 1e6


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("where", [0, 1023, 1024, 2998])
def test_a_fall_is_found_wherever_it_is(where: int, mirrored: bool) -> None:
    x = np.arange(3000, dtype=np.float32)
    y = x.copy()
    y[where + 1] = np.nextafter(y[where], np.float32(-1))
    verdict = Verdict()
    if mirrored:
        verdict.judge_order(-x, -y)
    else:
        verdict.judge_order(x, y)
    assert (verdict.falls, verdict.fall_at) == (1, -x[where + 1] if mirrored else x[where])
    assert 0 < verdict.fall <= 1
    rising = Verdict()
    rising.judge_order(x, x)
    rising.judge_order(-x, -x)
    assert rising.falls == 0


def test_results_out_of_range_and_without_mirror_image_are_found() -> None:
    x = np.linspace(0, 1, 3000, dtype=np.float32)
    y = x.copy()
    y[2000] = 1.5
    verdict = Verdict()
    verdict.judge_range(x, y, 0, 1)
    verdict.judge_parity(x, x, -x, odd=True)
    verdict.judge_parity(x, x, x, odd=False)
    assert (verdict.outside, verdict.outside_at, verdict.asymmetric) == (1, x[2000], 0)
    verdict.judge_parity(x, y, -x, odd=True)
    verdict.judge_parity(x, x, -x, odd=False)
    assert verdict.asymmetric == 1 + 2999  # of an even function, all but 0


def test_the_walk_sees_every_float32_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(float32, "PATTERNS", 10 * float32.CHUNK)
    chunks = [magnitudes.view(np.uint32)[overlap:] for magnitudes, overlap in float32.every_magnitude()]
    assert (np.concatenate(chunks) == np.arange(10 * float32.CHUNK)).all()
    assert all(overlap == (k > 0) for k, (_, overlap) in enumerate(float32.every_magnitude()))


class FaultyEngine:
    """Kernels that are right but for a fault."""

    name = "compiled"

    def __init__(self, fault: Callable[..., Any]) -> None:
        self.fault = fault

    def make(self, *arguments: Any) -> Any:
        right = compiled()[0].engine.make(*arguments)
        return lambda *inputs: self.fault(right, *inputs)


def judged(chapter: Any, loop: Loop, fault: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    faulty = (Subject("faulty", FaultyEngine(fault)),)  # type: ignore[arg-type]
    monkeypatch.setattr(chapter, "compiled", lambda: faulty)
    result: dict[str, Any] = chapter.run(loop, sample=True)
    return result


def test_a_fault_in_float32_misses_three_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(right: Any, x: Any) -> Any:
        return np.where(x == 20, np.float32(1 + 2**-22), right(x))

    result = judged(float32, SIGMOID, fault, monkeypatch)
    found = result["targets"]["faulty"]
    assert found["error"] == pytest.approx(4, abs=0.1)  # and MPFR agrees
    assert (found["at"], found["falls"], found["outside"]) == ("20.0", 1, 1)
    assert len(list(float32.misses(SIGMOID, result))) == 3


def test_a_fault_in_float64_is_found_by_the_climb(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(right: Any, x: Any) -> Any:  # 5 ULP at 0.71, falling to none within 2**-12 of it
        with np.errstate(all="ignore"):
            height = np.maximum(0, 1 - np.abs(x - 0.71) * 2**12)
            return right(x) * (1 + 5 * height * 2**-53)

    result = judged(float64, SIGMOID, fault, monkeypatch)
    found = result["targets"]["faulty"]
    assert 2.5 < found["error"] < 4.5
    assert float(found["at"]) == pytest.approx(0.71, abs=2**-14)
    assert len(list(float64.misses(SIGMOID, result))) == 1


def test_a_fault_in_one_channel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = tasks.UNARY["leaky_relu"]

    def fault(right: Any, x: Any, slope: Any) -> Any:
        return right(x, slope) if np.ndim(slope) == 0 else right(x, np.where(slope == 7.5, 7.25, slope))

    result = judged(parameters, loop, fault, monkeypatch)
    settings = {name: by_target["faulty"] for name, by_target in result["parameters"]["negative_slope"].items()}
    assert settings["7.5"]["error"] <= 0.5
    assert settings[parameters.PER_CHANNEL]["error"] > 1e5
    assert settings[parameters.PER_CHANNEL]["value"] == 7.5
    (miss,) = parameters.misses(loop, result)
    assert "leaky_relu with negative_slope = 7.5 (per channel) on faulty" in miss


def test_other_libraries_are_judged_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "NAMES", ("numpy",))
    found = peers.run(tasks.UNARY["logit"], sample=True)["peers"]["numpy"]
    assert found["error"] > 1e6  # log(x / (1 - x)) has no digit left next to 1/2
    assert float(found["at"]) == pytest.approx(0.5, abs=1e-6)


def test_an_oracle_that_is_wrong_does_not_pass() -> None:
    verdict = Verdict(error=0.75, error_at=1.0, error_in=0.7310586)
    with pytest.raises(float32.OracleError, match=r"sigmoid\(np.float32\(1.0\)\): 0.75 ULP by the compiled oracle"):
        float32.confirmed_error(SIGMOID, verdict)


def test_correct_rounding_of_halves() -> None:
    loop = tasks.UNARY["sparse_sigmoid"]  # (x + 1) / 2, half way between two float16 for the first two inputs
    x = np.array([3 * 2**-11, 2**-11, 0.3], np.float16)
    truth = truth_for("float16")(loop.name, x.astype(np.float64), [])
    right = np.array([0.5 + 2 * 2**-11, 0.5, 0.65], np.float16)
    wrong = np.array([0.5 + 2**-11, 0.5 + 2**-11, np.nextafter(right[2], np.float16(1))], np.float16)
    assert halves.correctly_rounded(loop, x, right, truth, "float16").all()
    assert not halves.correctly_rounded(loop, x, wrong, truth, "float16").any()


def test_float64_inputs_stay_in_the_domain_and_are_always_the_same() -> None:
    logit = tasks.UNARY["logit"].record
    first, again = (np.concatenate(list(float64.adversarial(logit, 200_000))) for _ in range(2))
    assert first.size >= 200_000
    assert ((first >= 0) & (first <= 1)).all()
    assert (first == again).all()
    assert 0.5 in first and np.nextafter(0.5, 1) in first


def test_a_proof_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    runs: list[str] = []

    class Chapter:
        def run(self, loop: Loop, sample: bool) -> dict[str, Any]:
            runs.append(loop.name)
            return {"runs": len(runs)}

    monkeypatch.setattr(tasks, "STATE", tmp_path)
    monkeypatch.setattr(page, "read", dict)
    monkeypatch.setitem(tasks.CHAPTERS, "float32", Chapter())  # type: ignore[arg-type]
    task = tasks.Task("float32", "sigmoid")
    assert task.kept() is None
    assert task.run(sample=False)["runs"] == 1
    assert task.run(sample=False)["runs"] == 1
    assert task.run(sample=True)["runs"] == 2  # a sample stands for nothing
    monkeypatch.setattr(tasks, "basis", lambda task: "other kernels")
    assert task.kept() is None
    monkeypatch.setattr(page, "read", lambda: {"float32 sigmoid": {"runs": 7, "basis": "other kernels"}})
    assert task.run(sample=False)["runs"] == 7


def proved_again(monkeypatch: pytest.MonkeyPatch, source: str, changed: dict[str, str]) -> list[str]:
    """Which of three formulas have another fingerprint when one of arithmetic's sources holds other definitions."""
    before = {name: arithmetic.fingerprint(name) for name in ("sigmoid", "tanh", "relu")}
    monkeypatch.setattr(arithmetic, source, lambda: changed)
    arithmetic.fingerprint.cache_clear()
    after = {name: arithmetic.fingerprint(name) for name in before}
    arithmetic.fingerprint.cache_clear()
    return [name for name in before if before[name] != after[name]]


def test_a_formula_is_proved_again_when_what_it_calls_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"sigmoid", "fma", "coth_series"} <= arithmetic.called_by(["sigmoid"], arithmetic.definitions())
    assert arithmetic.called_by(["relu", "relu_at_1"], arithmetic.definitions()) == {"relu"}
    changed = arithmetic.definitions() | {"coth_series": "s * 0.33"}
    assert proved_again(monkeypatch, "definitions", changed) == ["sigmoid", "tanh"]


def test_a_formula_for_batches_is_proved_with_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    called = arithmetic.called_by(["tanh_wide"], arithmetic.wide_definitions())
    assert {"tanh_wide", "piece_at", "TANH", "TANH_SCALE", "VECTORWISE"} <= called
    assert "SOFTPLUS" not in called
    changed = arithmetic.wide_definitions() | {"TANH": "{0}"}
    assert proved_again(monkeypatch, "wide_definitions", changed) == ["tanh"]


@pytest.mark.skipif(not RESULTS.exists(), reason="no proof has been committed yet")
def test_the_page_follows_from_the_results() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.markdown(page.read())


def test_verdict_is_laid_out_as_in_c() -> None:
    assert ctypes.sizeof(Verdict) == 72
