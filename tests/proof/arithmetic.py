"""What a loop's float32 results depend on, told from everything else in the kernels: so that a change to one function
leaves what has been proved of the others.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess

from kernels import generate
from tests.proof.compiled import HERE

DEFINITION = re.compile(r"^cdef inline .*?(?=^cdef |^# |\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"cdef inline (?:\([^)]*\)|\w+) (\w+)\(")
WORD = re.compile(r"\w+")
FLAG = re.compile(rb'"(-(?:std|O|f|m)[^"]*)"')
COMMENT = re.compile(r'""".*?"""|#[^\n]*|\s+', re.DOTALL)


@functools.cache
def fingerprint(formula: str) -> str:
    """Changes whenever a formula does, or anything that it calls, or how it is compiled; not with a comment."""
    digest = hashlib.sha256(environment())
    for name in sorted(called_by(formula)):
        digest.update(definitions()[name].encode())
    return digest.hexdigest()


@functools.cache
def environment() -> bytes:
    """What all formulas share: the header that they take bits from, the flags that count for numbers, the compiler."""
    compiler = [*os.environ.get("CC", "cc").split(), "--version"]
    version = subprocess.run(compiler, capture_output=True, check=True).stdout.splitlines()[0]
    flags = FLAG.findall((HERE.parents[1] / "setup.py").read_bytes())
    return b" ".join([(generate.HERE / "bits.h").read_bytes(), *flags, version])


@functools.cache
def definitions() -> dict[str, str]:
    """The text of every function in the formulas' files, by its name, without comments and white space."""
    texts = [text for path in generate.PRIMITIVES + generate.FORMULAS for text in DEFINITION.findall(path.read_text())]
    return {name_of(text): COMMENT.sub(" ", text) for text in texts}


def name_of(text: str) -> str:
    """The name of the function that a definition's text begins with."""
    found = NAME.match(text)
    assert found is not None, text
    return found[1]


def called_by(formula: str) -> set[str]:
    """The names of a formula, of what serves in its place for a parameter of 1, and of all functions that they call."""
    met, waiting = set(), [name for name in (formula, f"{formula}_at_1") if name in definitions()]
    while waiting:
        name = waiting.pop()
        if name not in met:
            met.add(name)
            waiting += [word for word in WORD.findall(definitions()[name]) if word in definitions()]
    return met
