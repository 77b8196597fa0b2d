"""Makes the type stubs of the public modules from the table of activations: `python -m tools.stubs [--check]`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

import fastact
from fastact import backward, derivative

HEADER = '''\
"""Made by `make stubs` from the table of activations."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
'''


def stub_of_function(name: str, function: object) -> str:
    """One line (or definition) of a stub file."""
    if isinstance(function, np.ufunc):
        return f"{name}: np.ufunc"
    parameters = []
    for parameter in inspect.signature(function).parameters.values():  # type: ignore[arg-type]
        hint = "Any" if parameter.kind is parameter.VAR_KEYWORD else parameter.annotation
        typed = parameter.replace(annotation=inspect.Parameter.empty)
        text = str(typed)
        declared = f"{text.partition('=')[0]}: {hint if isinstance(hint, str) else 'ArrayLike'}"
        parameters.append(declared + (f" = {parameter.default!r}" if parameter.default is not parameter.empty else ""))
    return f"def {name}({', '.join(parameters)}) -> Any: ..."


def stub_of_module(module: ModuleType, more: str = "") -> str:
    """The stub file of a module whose functions follow from the table."""
    functions = [name for name in module.__all__ if name in fastact.activations or callable(getattr(module, name))]
    lines = [stub_of_function(name, getattr(module, name)) for name in functions if name in fastact.activations]
    names = "\n".join(f'    "{name}",' for name in module.__all__)
    return f"{HEADER}{more}\n__all__ = [\n{names}\n]\n\n" + "\n".join(lines) + "\n"


REST = """\

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastact import backward, derivative
from fastact._records import Activation, activations
from fastact._config import config, get_num_threads, set_num_threads, show_config, threads
from fastact._version import __version__
"""


def stubs() -> dict[Path, str]:
    """The text of every stub file."""
    directory = Path(fastact.__file__).parent
    return {
        directory / "__init__.pyi": stub_of_module(fastact, REST),
        directory / "derivative.pyi": stub_of_module(derivative),
        directory / "backward.pyi": stub_of_module(backward),
    }


def main(arguments: list[str]) -> int:
    stale = [path for path, text in stubs().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.name} does not follow from the table: run `make stubs`")
        return bool(stale)
    for path in stale:
        path.write_text(stubs()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
