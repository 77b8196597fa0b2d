"""Other projects' own tests of what fastact stands in for: `python -m tools.foreign_tests scipy|sklearn [pytest ...]`.

The tests are those of the installed version, unmodified, and none is left out. fastact's functions are put in place
before pytest imports the tests, and no test module may hold another function under one of their names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest


def put_in_scipy() -> dict[str, Any]:
    """Puts `fastact.special` in the place of `scipy.special`'s functions; returns them by their names."""
    import scipy.special
    from scipy._lib import _array_api

    from fastact import special

    # Where SciPy, since 1.16, looks up which array libraries to test a function with.
    capabilities = getattr(_array_api, "xp_capabilities_table", {})
    ours = {name: getattr(special, name) for name in special.__all__ if hasattr(scipy.special, name)}
    for name, function in ours.items():
        theirs = getattr(scipy.special, name)
        if theirs in capabilities:
            capabilities[function] = capabilities[theirs]
        setattr(scipy.special, name, function)
    return ours


def put_in_sklearn() -> dict[str, Any]:
    """Puts fastact under the perceptrons, which leaves every name as it is."""
    import fastact.sklearn

    fastact.sklearn.patch()
    return {}


SPECIAL_TESTS = ("logit", "logsumexp", "log_softmax", "basic", "cython_special")
# What puts fastact in place, and the modules that test it, so far as the installed version has them.
PROJECTS: dict[str, tuple[Callable[[], dict[str, Any]], list[str]]] = {
    "scipy": (put_in_scipy, [f"scipy.special.tests.test_{name}" for name in SPECIAL_TESTS]),
    "sklearn": (put_in_sklearn, ["sklearn.neural_network.tests.test_mlp"]),
}


class Watch:
    """Refuses test modules that hold other functions than fastact's under one of the names."""

    def __init__(self, ours: dict[str, Any]) -> None:
        self.ours = ours

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for module in {item.getparent(pytest.Module) for item in session.items}:
            held = vars(module.obj) if module else {}
            others = [name for name, function in self.ours.items() if held.get(name, function) is not function]
            if others:
                raise pytest.UsageError(f"{module} has {', '.join(others)} from elsewhere")


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in PROJECTS:
        print(f"usage: python -m tools.foreign_tests {'|'.join(PROJECTS)} [pytest arguments]", file=sys.stderr)
        return 2
    put_in_place, modules = PROJECTS[arguments[0]]
    ours = put_in_place()
    files = [spec.origin for spec in map(find_spec, modules) if spec is not None and spec.origin is not None]
    # Their settings are in their conftest files, and ours are not for them.
    options = ["-c", os.devnull, "--rootdir", str(Path(files[0]).parent), "-p", "no:cacheprovider"]
    choice = ["-k", " or ".join(ours)]  # some of the modules are about other functions too
    return int(pytest.main([*options, *choice, *files, *arguments[1:]], plugins=[Watch(ours)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
