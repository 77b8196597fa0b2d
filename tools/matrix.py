"""Tests the compiled engine with the oldest and the newest NumPy, on the oldest and the newest Python.

`python -m tools.matrix FOLDER` (see `make matrix`), where the folder holds a wheel for the Python that runs this; those
for others are built into it. The suite itself runs with the newest NumPy on the Python that developers have.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tools.environments import PYTHONS, ROOT, install, is_there, new_environment, run

# Where NumPy's rules count most: dtypes, promotion, memory layouts, generalised ufuncs, pickles.
TESTS = ["tests/test_elementwise.py", "tests/test_rowwise.py", "tests/test_gates.py", "tests/test_config.py"]
PACKAGES = ["gmpy2", "ml_dtypes", "mpmath", "pytest"]
# The first that has wheels for a Python. (A Python added to the classifiers is missed here, not passed over.)
OLDEST_NUMPY = {"3.11": "numpy==2.0.*", "3.12": "numpy==2.0.*", "3.13": "numpy==2.1.*"}


def wheel_for(python: str, folder: Path) -> Path:
    """The wheel for a Python, built if it is not in the folder."""
    pattern = f"fastact-*-cp{python.replace('.', '')}-*.whl"
    if not list(folder.glob(pattern)):
        run(f"python{python}", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob(pattern)
    return wheel


def test(interpreter: Path, tests: Path) -> None:
    run(interpreter, "-c", "import numpy; print('NumPy', numpy.__version__)")
    run(interpreter, "-m", "pytest", "-q", "-x", *TESTS, cwd=tests, environment={"FASTACT_ENGINE": "compiled"})


def main(folder: Path) -> None:
    work = ROOT / "build" / "matrix"
    shutil.rmtree(work, ignore_errors=True)
    tests = work / "tests"  # where the sources of fastact are not, or they would be tested in place of the wheel
    shutil.copytree(ROOT / "tests", tests / "tests")
    shutil.copy(ROOT / "pyproject.toml", tests)
    for python in (PYTHONS[0], PYTHONS[-1]):
        if not is_there(f"python{python}"):
            print(f"python{python} is not here: not tested")
            continue
        interpreter = new_environment(work / python, f"python{python}")
        install(interpreter, wheel_for(python, folder), *PACKAGES, OLDEST_NUMPY[python])
        test(interpreter, tests)
        install(interpreter, "--upgrade", "numpy")
        test(interpreter, tests)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
