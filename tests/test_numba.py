"""The activations inside code that Numba compiles, and the machine code that the Numba engine keeps.

The formulas' accuracy is the Numba engine's, which the whole suite runs on: here are calls, types and vectors.
"""

from __future__ import annotations

import inspect
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastact
from tests.catalogue import ONE_OPERAND, RECORDS

numba = pytest.importorskip("numba")
from fastact.numba._axes import BLOCK  # noqa: E402

fastact.numba._init()  # as Numba's extension entry point does

once = pytest.mark.once
REPOSITORY = Path(__file__).parents[1]
MODULES = {"value": fastact, "derivative": fastact.derivative, "backward": fastact.backward}
X = np.linspace(-6, 6, 97).astype(np.float32)


def same(computed: Any, expected: Any) -> None:
    assert np.asarray(computed).dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(computed, expected, rtol=1e-6, equal_nan=True)


@once
@pytest.mark.parametrize("operation", ["value", "derivative", "backward"])
def test_numba_knows_every_function(operation: str) -> None:
    context = numba.core.registry.cpu_target.typing_context
    context.refresh()
    for record in RECORDS if operation != "backward" else ONE_OPERAND:
        function = getattr(MODULES[operation], record.name)
        assert isinstance(context.resolve_value_type(function), numba.types.Function), record.name


# Representatives: straight lines, parameters with and without defaults, two operands, each of the primitives.
@numba.njit
def of_numbers(x: Any) -> Any:
    return (
        fastact.relu(x),
        fastact.leaky_relu(x, negative_slope=0.1),
        fastact.threshold(x, 0.25, 0.5),
        fastact.prelu(x, x),
        fastact.sigmoid(x),
        fastact.softplus(x),
        fastact.tanh_shrink(x),
        fastact.gelu(x),
        fastact.swish(x),
        fastact.derivative.mish(x),
        fastact.derivative.elu(x, 1.5),
        fastact.derivative.prelu(x, x)[1],
        fastact.backward.quick_gelu(x, x),
        fastact.logit(x),
    )


@once
def test_numbers() -> None:
    for x in np.array([-2.5, 0.4], np.float32):
        same(np.array(of_numbers(x), np.float32), np.array(of_numbers.py_func(x)))
    (signature,) = of_numbers.nopython_signatures
    assert set(signature.return_type) == {numba.float32}


@numba.njit
def of_arrays(x: Any, gate: Any, slopes: Any) -> Any:
    return fastact.gelu(2 * x + 1) * gate, fastact.leaky_relu(x, slopes), fastact.derivative.swiglu(x, x)


def test_arrays_broadcast() -> None:
    x, gate = X[:, np.newaxis], np.linspace(-1, 1, 5, dtype=np.float32)
    *computed, computed_pair = of_arrays(x, gate, gate)
    *expected, expected_pair = of_arrays.py_func(x, gate, gate)
    for one, other in zip((*computed, *computed_pair), (*expected, *expected_pair), strict=True):
        same(one, other)


@once
def test_array_expressions_run_in_parallel() -> None:
    @numba.njit(parallel=True)
    def fused(x: Any) -> Any:
        return fastact.softsign(2 * x) * x

    same(fused(X), fastact.softsign(2 * X) * X)
    (compiled,) = fused.overloads.values()
    assert compiled.metadata["parfor_diagnostics"].count_parfors()


@once
def test_vectorize_and_guvectorize() -> None:
    @numba.vectorize
    def shifted(x: Any) -> Any:
        return fastact.elu(x) + x

    @numba.guvectorize(["void(float32[:], float32[:])"], "(n)->(n)")
    def rows(x: Any, result: Any) -> None:
        result[:] = fastact.squared_relu(x)
        result[0] = fastact.hard_swish(x[0])

    same(shifted(X), fastact.elu(X) + X)
    expected = fastact.squared_relu(X)
    expected[0] = fastact.hard_swish(X[0])
    same(rows(X), expected)


@once
def test_dtypes_follow_the_rule_of_all_engines() -> None:
    @numba.njit
    def of(x: Any) -> Any:
        return fastact.relu(x), fastact.step(x), fastact.leaky_relu(x, 2)

    for dtype in (np.bool_, np.uint16, np.int64):
        x = np.array([0, 1]).astype(dtype)
        for computed, expected in zip(of(x), of.py_func(x), strict=True):
            same(computed, expected)
    mixed = numba.njit(lambda x, y: fastact.reglu(x, y))
    same(mixed(X, X.astype(np.float64)), fastact.reglu(X, X.astype(np.float64)))
    same(mixed(X, 2), fastact.reglu(X, 2))


@once
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="looks for x86's packed instructions")
def test_loops_are_inlined_and_vectorised() -> None:
    @numba.njit
    def fused(a: Any, b: Any, x: Any, gate: Any, result: Any) -> None:
        for i in range(x.size):
            result[i] = fastact.gelu(a * x[i] + b) * gate[i]

    a, result = np.float32(2), np.empty_like(X)
    fused(a, a, X, X, result)
    same(result, fastact.gelu(a * X + a) * X)
    assembly = next(iter(fused.inspect_asm().values()))
    body = assembly[: assembly.index("cpython")] if "cpython" in assembly else assembly
    assert len(re.findall(r"\bv?(?:mul|div|add)pd\b|\bvfn?m(?:add|sub)\d+pd\b", body)) > 20
    assert not re.search(r"\bcall\w*\s+.*\b(?:exp|erfc?|fma)\b", body)


@once
@pytest.mark.parametrize(("name", "axis"), [("softmax", 0), ("logsumexp", 0), ("log_softmax", -1), ("softmin", 1)])
def test_rows(name: str, axis: int) -> None:
    function = getattr(fastact, name)
    compiled = numba.njit(lambda x: function(x, axis=axis))
    x = np.random.default_rng(3).normal(0, 5, (6, 7))
    x[1, 2], x[2], x[3, 1], x[4, :3] = np.nan, -np.inf, np.inf, -np.inf
    np.testing.assert_allclose(compiled(x), function(x, axis=axis), rtol=1e-13)


@once
def test_rows_of_every_length() -> None:
    functions = [getattr(fastact, name) for name in ("softmax", "softmin", "log_softmax", "logsumexp")]
    softmax, softmin, log_softmax, logsumexp = functions

    @numba.njit
    def of(x: Any) -> Any:
        return softmax(x), softmin(x), log_softmax(x), logsumexp(x)

    generator = np.random.default_rng(3)
    for length in (0, 1, 2, 31, 100, BLOCK, BLOCK + 1, 5000):
        x = generator.normal(0, 5, (5, length)).astype(np.float32)
        if length > 1:
            x[1, -1], x[2], x[3, 1], x[4, ::2] = -np.float32("nan"), -np.inf, np.inf, 20
        for given in (x, x[::-1, ::-1]):
            for computed, function in zip(of(given), functions, strict=True):
                same(computed, function(given))


@once
def test_one_row_of_float32() -> None:
    @numba.njit
    def of(x: Any) -> Any:
        return fastact.softmax(x), fastact.logsumexp(x)

    probabilities, total = of(X)
    same(probabilities, fastact.softmax(X))
    assert total == pytest.approx(float(fastact.logsumexp(X)), rel=1e-7)


@once
def test_glu_and_its_derivative() -> None:
    @numba.njit
    def along(x: Any) -> Any:
        return fastact.glu(x, axis=0), fastact.derivative.glu(x)

    with pytest.raises(ValueError, match="odd size"):
        along(X[:90].reshape(15, 6))
    x = X[:72].reshape(12, 6)
    for computed, expected in zip(along(x), along.py_func(x), strict=True):
        same(computed, expected)


@once
@pytest.mark.parametrize(
    ("call", "argument", "message"),
    [
        (lambda x: fastact.sigmoid(x), 1j, "sigmoid: argument x has dtype complex128, expected real numbers"),
        (lambda x: fastact.sigmoid(x), "a", "sigmoid: argument x is unicode_type, expected real numbers"),
        (lambda x: fastact.softmax(x), 1.0, "softmax: argument x is float64, expected an array with an axis"),
        (lambda x: fastact.softmax(x, x.size), X, "softmax: argument axis is int64, expected an integer constant"),
        (lambda x: fastact.softmax(x, 1), X, "softmax: axis 1 is out of bounds for an array of dimension 1"),
    ],
)
def test_errors_name_the_argument(call: Any, argument: Any, message: str) -> None:
    with pytest.raises(numba.TypingError, match=re.escape(message)):
        numba.njit(call)(argument)


@once
def test_plain_functions() -> None:
    assert fastact.numba.leaky_relu(-2.0, negative_slope=0.5) == -1.0
    same(fastact.numba.step(np.arange(-1, 2)), np.array([0, 1, 1]))
    same(fastact.numba.relu_backward(X, X), fastact.backward.relu(X, X))
    assert str(inspect.signature(fastact.numba.softplus_derivative.py_func)) == "(x, beta=1.0)"
    assert "softmax" in dir(fastact.numba) and "sparsemax" not in dir(fastact.numba)
    with pytest.raises(AttributeError, match=r"fastact\.numba.*has no attribute 'foo'"):
        fastact.numba.foo  # noqa: B018


def run_python(code: str, path: Path, **variables: str) -> str:
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{path}"} | variables
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


@once
def test_the_entry_point_is_enough(tmp_path: Path) -> None:
    information = tmp_path / "entry-0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: entry\nVersion: 0\n")
    (information / "entry_points.txt").write_text("[numba_extensions]\ninit = fastact.numba:_init\n")
    code = "import numba, fastact; print(numba.njit(lambda x: fastact.relu(x) + 1)(2.0))"
    assert run_python(code, tmp_path).strip() == "3.0"


@once
def test_machine_code_is_kept_on_disk(tmp_path: Path) -> None:
    code = "import fastact; print(fastact.leaky_relu([-2.0, 2.0]))"
    variables = {"FASTACT_ENGINE": "numba", "NUMBA_CACHE_DIR": str(tmp_path)}
    times = []
    for _ in range(2):
        assert run_python(code, tmp_path, **variables).strip() == "[-0.02  2.  ]"
        times.append({file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.nbc")})
    assert times[0]
    assert times[0] == times[1]


@once
def test_kept_code_is_told_from_that_of_other_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastact.numba import _compiled

    cache = _compiled.PackageCache(same)
    codegen = numba.core.registry.cpu_target.target_context.codegen()
    before = cache._index_key((), codegen)
    assert before == cache._index_key((), codegen)
    monkeypatch.setattr(_compiled, "_last_change", lambda: -1)
    assert before != cache._index_key((), codegen)
