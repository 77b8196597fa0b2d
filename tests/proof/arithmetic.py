"""What a loop's float32 results depend on, told from everything else in the kernels: so that a change to one function
leaves what has been proved of the others.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from kernels import generate
from tests.proof.compiled import HERE

DEFINITION = re.compile(r"^cdef inline .*?(?=^cdef |^# |\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"cdef inline (?:\([^)]*\)|\w+) (\w+)\(")
# Of wide.h: a function or a table, which ends with a brace at the beginning of a line, or a macro.
C_DEFINITION = re.compile(
    r"^static (?:ALWAYS_INLINE|const) .*?^\}|^#define (?:[^\n]*\\\n)*[^\n]*", re.MULTILINE | re.DOTALL
)
C_NAME = re.compile(r"#define (\w+)|[^(\[]*\b(\w+)[(\[]")
C_COMMENT = re.compile(r"/\*.*?\*/|\s+", re.DOTALL)
WORD = re.compile(r"\w+")
FLAG = re.compile(rb'"(-(?:std|O|f|m)[^"]*)"')
COMMENT = re.compile(r'""".*?"""|#[^\n]*|\s+', re.DOTALL)


@functools.cache
def fingerprint(formula: str) -> str:
    """Changes whenever a formula does, or what serves in its place, or what they call, or how all that is compiled; not
    with a comment.

    In its place may serve a formula for a parameter of 1, and, of either, one for batches of vectors.
    """
    digest = hashlib.sha256(environment())
    names = (formula, f"{formula}_at_1")
    for name in sorted(called_by(names, definitions())):
        digest.update(definitions()[name].encode())
    for name in sorted(called_by([f"{name}_wide" for name in names], wide_definitions())):
        digest.update(wide_definitions()[name].encode())
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
    return texts_by_name(generate.PRIMITIVES + generate.FORMULAS, DEFINITION, NAME, COMMENT)


@functools.cache
def wide_definitions() -> dict[str, str]:
    """The same of the functions, tables and macros for batches of vectors."""
    return texts_by_name([*generate.WIDE_PRIMITIVES, generate.WIDE_FORMULAS], C_DEFINITION, C_NAME, C_COMMENT)


def texts_by_name(
    files: Iterable[Path], definition: re.Pattern[str], name: re.Pattern[str], comment: re.Pattern[str]
) -> dict[str, str]:
    """The definitions in some files."""
    found = {}
    for text in (text for path in files for text in definition.findall(path.read_text())):
        match = name.match(text)
        assert match is not None, text
        found[match[match.lastindex or 0]] = comment.sub(" ", text)
    return found


def called_by(names: Iterable[str], known: dict[str, str]) -> set[str]:
    """Those of the names that are known, and of all that they call."""
    met, waiting = set(), [name for name in names if name in known]
    while waiting:
        name = waiting.pop()
        if name not in met:
            met.add(name)
            waiting += [word for word in WORD.findall(known[name]) if word in known]
    return met
