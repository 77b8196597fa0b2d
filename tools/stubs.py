"""Makes the type stubs of the public modules from the table of activations: `python -m tools.stubs [--check]`."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import fastact
from fastact import backward, derivative

HEADER = '''\
"""Made by `make stubs` from the table of activations."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
'''


ARRAYS = {"grad", "x", "y", "gate", "value", "weight"}
PLAIN_TYPES = {"int", "bool"}


def stub_of_function(name: str, function: Any) -> str:
    """One line of a stub file."""
    if isinstance(function, np.ufunc):
        return f"{name}: np.ufunc"
    signature = inspect.signature(function)
    typed = [parameter.replace(annotation=hint(parameter)) for parameter in signature.parameters.values()]
    text = str(signature.replace(parameters=typed, return_annotation="Any"))
    return f"def {name}{text.replace(QUOTE, '')}: ..."


QUOTE = "'"


def hint(parameter: inspect.Parameter) -> str:
    """The type of an argument: arrays and activations' parameters are array_like."""
    if parameter.annotation in PLAIN_TYPES:
        return str(parameter.annotation)
    is_array = parameter.name in ARRAYS or isinstance(parameter.default, float) or parameter.name in PARAMETERS
    return "ArrayLike" if is_array else "Any"


PARAMETERS = {name for record in fastact.activations.values() for name in record.parameters}


def stub_of_module(module: ModuleType, rest: str = "") -> str:
    """The stub file of a module whose functions follow from the table."""
    names = {name for record in fastact.activations.values() for name in (record.name, *record.aliases)}
    functions = [stub_of_function(name, getattr(module, name)) for name in module.__all__ if name in names]
    exported = "\n".join(f'    "{name}",' for name in module.__all__)
    return f"{HEADER}{rest}\n__all__ = [\n{exported}\n]\n\n" + "\n".join(functions) + "\n"


REST = """\

from fastact import backward, derivative
from fastact import functional as functional
from fastact import numba as numba
from fastact import sklearn as sklearn
from fastact import special as special
from fastact._config import config, get_num_threads, set_num_threads, show_config, threads
from fastact._dense import dense as dense
from fastact._lookup import get
from fastact._own import activation as activation
from fastact._records import activations
from fastact._version import __version__
from fastact.zoo.comparison import compare as compare
from fastact.zoo.curves import plot as plot
from fastact.zoo.gradients import gradients as gradients
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
