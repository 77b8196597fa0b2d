"""`cimport fastact.cython_api` in a user's own module: all of its functions right, and vectorised where asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fastact
from tests import oracle
from tests.catalogue import BARS, LOOPS, Loop, points, true_values
from tests.compiler import needs_compiler

PACKAGE = Path(fastact.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "cython.md"
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not (PACKAGE / "cython_api.pxd").exists(), reason="built without a compiler"),
    needs_compiler,
]

TYPES = {"float32": ("float", "f32"), "float64": ("double", "f64")}
LOOP = """
def {function}(Py_ssize_t n, {addresses}, size_t out):
    cdef Py_ssize_t i
    with nogil:
        for i in range(n):
            (<{ctype} *> out)[i] = cython_api.{function}({elements})
"""


def user_loop(function: str, inputs: int, ctype: str) -> str:
    """A loop over one of the API's functions, on arrays that are given by their addresses."""
    operands = [f"operand{k}" for k in range(inputs)]
    return LOOP.format(
        function=function,
        ctype=ctype,
        addresses=", ".join(f"size_t {operand}" for operand in operands),
        elements=", ".join(f"(<const {ctype} *> {operand})[i]" for operand in operands),
    )


def compiled(directory: Path, name: str, source: str, flags: str) -> tuple[ModuleType, str]:
    """The module, made by Cython's own command, and what was said on the way."""
    (directory / f"{name}.pyx").write_text(source)
    path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
    command = ["-m", "Cython.Build.Cythonize", "--inplace", "-3", "--option", "emit_linenums=True", f"{name}.pyx"]
    outcome = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": path, "CFLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    (file,) = (file for suffix in EXTENSION_SUFFIXES for file in directory.glob(f"{name}{suffix}"))
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, outcome.stderr


def results(module: ModuleType, function: str, inputs: list[Any]) -> Any:
    """What a function makes of arrays, and of numbers that stand for each of their elements."""
    operands = [np.ascontiguousarray(operand) for operand in np.broadcast_arrays(*inputs)]
    out = np.empty_like(operands[0])
    getattr(module, function)(out.size, *(operand.ctypes.data for operand in operands), out.ctypes.data)
    return out


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A loop over each function, compiled for the oldest processor: on x86-64, without a fused multiply-add."""
    pytest.importorskip("Cython")
    loops = [user_loop(f"{loop.name}_{suffix}", len(loop.record.inputs), ctype) for loop in LOOPS
             for ctype, suffix in TYPES.values()]  # fmt: skip
    source = "\n".join(["from fastact cimport cython_api", *loops, user_loop("silu_backward_f32", 2, "float")])
    return compiled(tmp_path_factory.mktemp("baseline"), "baseline", source, "-O1")[0]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
def test_error(baseline: ModuleType, loop: Loop, dtype: str) -> None:
    x = points(loop.record.name, dtype)
    computed = results(baseline, f"{loop.name}_{TYPES[dtype][1]}", loop.inputs(x))
    m = oracle.arithmetic_for(dtype)
    error = oracle.ulp_error(computed, true_values(loop, dtype), dtype, m, loop.least_exponent(x))
    gate = len(loop.record.operands) > 1
    assert error.max() <= BARS["compiled"][dtype][loop.operation != "value"] + gate


def test_backward(baseline: ModuleType) -> None:
    x = np.linspace(-10, 10, 1001, dtype=np.float32)
    computed = results(baseline, "silu_backward_f32", [np.float32(-1.75), x])
    np.testing.assert_allclose(computed, fastact.backward.silu(np.float32(-1.75), x), rtol=1e-6)


def test_example_in_the_documentation(tmp_path: Path) -> None:
    pytest.importorskip("Cython")
    page = PAGE.read_text()
    example = page.partition("```cython\n")[2].partition("```")[0]
    flags = re.findall(r'CFLAGS="(.*)"', page)[0]
    gcc = "Free Software Foundation" in subprocess.run(["cc", "--version"], capture_output=True, text=True).stdout
    module, messages = compiled(tmp_path, "example", example, flags + " -fopt-info-vec-optimized" * gcc)

    x, gate = np.random.default_rng(1).normal(0, 3, (2, 1000)).astype(np.float32)
    out = np.empty_like(x)
    module.gated(x, gate, 1.5, -0.25, out)
    np.testing.assert_allclose(out, fastact.gelu(np.float32(1.5) * x - np.float32(0.25)) * gate, rtol=1e-6, atol=1e-6)
    if gcc:
        line = example[: example.index("for i in range")].count("\n") + 1
        assert re.search(rf"example\.pyx:{line}:\d+: optimized: loop vectorized", messages)
