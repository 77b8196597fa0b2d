"""Builds the kernels once for each CPU target; without a working C compiler, the package installs without them."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from kernels import generate  # noqa: E402

GENERATED = Path("build/kernels")
KERNEL_FILES = sorted(str(path.relative_to(HERE)) for path in (HERE / "kernels").rglob("*.*") if path.suffix != ".pyc")

# Two flags let a plain loop vectorise whole without changing any result. -ffast-math would change results, and
# linking with it the denormal mode of the whole process. Buffers hold elements of any type, hence the aliasing flag.
UNIX_FLAGS = ["-std=gnu11", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-fno-strict-aliasing"]
# GCC alone knows the first: a loop over the 16 elements of a vector is not written out one by one before it is
# vectorised. The second is for the compilers that do not know it.
UNIX_FLAGS += ["--param=max-completely-peel-times=14", "-Wno-unused-command-line-argument"]
MSVC_FLAGS = ["/std:c11", "/O2"]
# Cython's own code is not ours to mend: these warnings come from it alone, but for the last two, which formulas raise
# that ask an integer whether it is NaN or negative.
WERROR_FLAGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-unused-function",
    "-Wno-missing-field-initializers",
    "-Wno-cast-function-type",
    "-Wno-type-limits",
    "-Wno-tautological-compare",
]
# FASTACT_SANITIZE: the code as it is written, before an optimiser drops what is undefined, with names and line numbers.
SANITIZERS = ["-fsanitize=address,undefined"]
SANITIZED_FLAGS = [*SANITIZERS, "-O1", "-g1", "-fno-omit-frame-pointer"]

WITHOUT_KERNELS = (
    "NumPy or Numba will compute; for the fast engine, install a C compiler and Python's headers, then run "
    "`pip install --force-reinstall --no-deps --no-cache-dir --no-binary fastact fastact`"
)

# Flags for a Unix compiler and for MSVC, by CPU target.
X86_64_TARGETS = {
    "x86_64_v2": (["-march=x86-64-v2"], []),
    "x86_64_v3": (["-march=x86-64-v3"], ["/arch:AVX2"]),
    "x86_64_v4": (["-march=x86-64-v4", "-mprefer-vector-width=512"], ["/arch:AVX512"]),
}
OTHER_TARGETS: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "aarch64": {"aarch64": ([], [])},
    "arm64": {"aarch64": ([], [])},
}


def asked(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


def cpu_targets() -> dict[str, tuple[list[str], list[str]]]:
    """All of the machine's targets, or the one that FASTACT_BUILD_TARGET names as `fastact.config()` does."""
    machine = os.environ.get("FASTACT_BUILD_MACHINE", platform.machine()).lower()
    x86_64 = machine in ("x86_64", "amd64")
    targets = X86_64_TARGETS if x86_64 else OTHER_TARGETS.get(machine, {"generic": ([], [])})
    only = os.environ.get("FASTACT_BUILD_TARGET", "").replace("-", "_")
    if only and only not in targets:
        raise CompileError(f"FASTACT_BUILD_TARGET is {only}, expected one of {', '.join(targets)}")
    return {only: targets[only]} if only else targets


class BuildKernels(build_ext):
    """Makes each target's Cython module from the template, and compiles it with that target's flags."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel: int | None = self.parallel or os.cpu_count()

    def run(self) -> None:
        super().run()
        if self.extensions:  # else there is no compiler, and so nobody who could use it
            generate.write_cython_api(Path(self.get_ext_fullpath("fastact.cython_api")).parent)

    def build_extensions(self) -> None:
        problem = "FASTACT_NO_COMPILE is set" if asked("FASTACT_NO_COMPILE") else self._compiler_problem()
        if problem and asked("FASTACT_WERROR"):
            raise CompileError(problem)
        if problem:
            for stale in self.get_outputs():  # of an earlier build
                Path(stale).unlink(missing_ok=True)
            self.extensions.clear()
            print(f"fastact: warning: kernels not compiled ({problem}): {WITHOUT_KERNELS}", file=sys.stderr)
            return
        self._write_c_sources()
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        unix, msvc = cpu_targets().get(ext.name.rpartition(".")[2], ([], []))
        if self.compiler.compiler_type == "msvc":
            ext.extra_compile_args = [*MSVC_FLAGS, *msvc]
        else:
            ext.extra_compile_args = [*UNIX_FLAGS, *unix, *(WERROR_FLAGS if asked("FASTACT_WERROR") else [])]
            ext.extra_link_args = ["-s", "-pthread"] if sys.platform == "linux" else []
            if asked("FASTACT_SANITIZE"):
                ext.extra_compile_args += SANITIZED_FLAGS
                ext.extra_link_args = [*SANITIZERS, "-pthread"]
        super().build_extension(ext)

    def _compiler_problem(self) -> str | None:
        """Why a trivial file does not compile, or None where it does."""
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory) / "trivial.c"
            source.write_text("#include <Python.h>\nint fastact_trivial;\n")
            try:
                self.compiler.compile([str(source)], output_dir=directory, include_dirs=self.include_dirs)
            except Exception:  # each compiler class has its own
                name = getattr(self.compiler, "compiler", ["the C compiler"])[0]
                return f"{name} cannot compile what includes Python.h"
        return None

    def _write_c_sources(self) -> None:
        import numpy
        from Cython.Build import cythonize

        for ext in self.extensions:
            module = ext.name.rpartition(".")[2]
            ext.include_dirs = ["kernels", numpy.get_include(), *self.include_dirs]
            if module == "shortcut":
                continue
            pyx = "kernels/cpu.pyx" if module == "cpu" else str(generate.write_module(module, GENERATED))
            (cythonized,) = cythonize(
                [Extension(ext.name, [pyx])], include_path=["kernels"], build_dir=str(GENERATED), quiet=True
            )
            ext.sources = cythonized.sources


NUMPY_MACROS = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")]

setup(
    ext_modules=[
        Extension(
            "fastact._compiled.shortcut",
            ["fastact/_shortcut.c"],
            define_macros=NUMPY_MACROS,
            optional=not asked("FASTACT_WERROR"),
        ),
    ]
    + [
        Extension(
            f"fastact._compiled.{module}",
            sources=["kernels/module.pyx.in"],
            depends=KERNEL_FILES,
            libraries=[] if os.name == "nt" else ["m"],
            define_macros=NUMPY_MACROS,
            optional=not asked("FASTACT_WERROR"),
        )
        for module in ["cpu", *cpu_targets()]
    ],
    cmdclass={"build_ext": BuildKernels},
)
