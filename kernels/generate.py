"""Makes a CPU target's Cython module from the scalar formulas and the template, during the build.

The formulas' own definitions are the list of what there is: whatever `activations/*.pxi` define gets its loops, and a
formula called `NAME_derivative` also gets `NAME_backward`, which multiplies it with a gradient in the same pass. What
`NAME_at_1` defines is a cheaper `NAME` for its one parameter at 1: the loop takes it where that is one number for all
elements. `NAME_gradients` makes both gradients of a function of two operands in one pass. The row-wise functions are
found in the same way, from the tables of their arithmetic in `rowwise_real.h`.

Where a formula has a form for batches of vectors, `NAME_wide`, the module of a processor that has such vectors takes
that for float32, and for half precision if there is no form of its own, `NAME_half`.

The same formulas make the package's `cython_api.pxd`, for the loops that users write in Cython themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
PRIMITIVES = [HERE / "primitives" / f"{name}.pxi" for name in ("core", "algebraic", "self_gated", "softplus", "half")]
FORMULAS = sorted((HERE / "activations").glob("*.pxi"))
ROW_FUNCTIONS = HERE / "rowwise_real.h"
TEMPLATE = HERE / "module.pyx.in"
CYTHON_API_TEMPLATE = HERE / "cython_api.pxd.in"
SOURCES = sorted(path for pattern in ("*.pxi", "*.in", "*.h", "*.c", "*.py") for path in HERE.rglob(pattern))

# Operands of these names are arrays of the call's dtype, and so is the value that a gate lets through; all others are
# parameters.
ARRAYS = frozenset({"x", "grad", "gate"})

# Formulas of a half-precision array's own, with the accuracy that it needs.
HALF_FORMULAS = HERE / "activations" / "half.pxi"
HALF_DEFINITION = re.compile(r"^cdef inline float (\w+_half)\(", re.MULTILINE)

# Formulas for batches of vectors, and the module for the processors that have them.
WIDE_PRIMITIVES = [HERE / "primitives" / name for name in ("wide.h", "wide_tables.h")]
WIDE_FORMULAS = HERE / "activations" / "wide.h"
WIDE_DEFINITION = re.compile(r"^static ALWAYS_INLINE batch (\w+)_wide\(", re.MULTILINE)
WIDE_MODULE = "x86_64_v4"

DEFINITION = re.compile(r"^cdef inline (real|number) (\w+)\(([^)]*)\) noexcept nogil:", re.MULTILINE)

GRADIENTS = re.compile(r"^cdef inline \(real, real\) (\w+)_gradients\(([^)]*)\) noexcept nogil:", re.MULTILINE)

# What the formulas take from bits.h, and how they say so.
BITS_NAME = re.compile(r"\b(HAS_FMA|(?:bits_of|fma)_float\d+|float\d+_of_bits)\b")
BITS_IMPORT = 'cdef extern from "bits.h" nogil:\n'

# The start of a table: the function's name, the number of its inputs, and whether it reduces a row to one number.
ROW_FUNCTION = re.compile(r"^static const row_function R\((\w+)\) = \{\s*(\d), (\d)", re.MULTILINE)


@dataclass(frozen=True)
class ElementType:
    """An array type: its NumPy name, the C type that kernels compute it in, and the driver's name for it."""

    name: str
    ctype: str
    driver: str

    @property
    def is_half(self) -> bool:
        return self.name in ("float16", "bfloat16")

    @property
    def kernel(self) -> str:
        """Which of a formula's kernels serves such arrays: halves have their own, others the one for the C type."""
        return self.name if self.is_half else self.ctype

    @property
    def parameter(self) -> str:
        """The NumPy name of the type that parameters have beside such arrays: the one that is computed in."""
        return {"float": "float32", "double": "float64"}.get(self.ctype, self.name)


REAL_TYPES = (
    ElementType("float16", "float", "FLOAT16"),
    ElementType("bfloat16", "float", "BFLOAT16"),
    ElementType("float32", "float", "FLOAT32"),
    ElementType("float64", "double", "FLOAT64"),
)
INTEGER_TYPES = (
    ElementType("bool", "uint8_t", "INTEGER8"),
    *(
        ElementType(f"{prefix}int{bits}", f"{prefix}int{bits}_t", f"INTEGER{bits}")
        for prefix in ("", "u")
        for bits in (8, 16, 32, 64)
    ),
)


@dataclass(frozen=True)
class ElementwiseLoop:
    """A ufunc's inner loops: name, inputs (arrays first), and formula, which a backward pass multiplies with `grad`."""

    name: str
    inputs: tuple[str, ...]
    formula: str
    half_formula: str  # the same where it has no shorter form for half-precision arrays
    has_wide: bool  # whether the module's processor computes it in batches
    types: tuple[ElementType, ...]
    at_1: ElementwiseLoop | None = None

    @property
    def kernels(self) -> tuple[ElementwiseLoop, ...]:
        """Itself, and what serves where its parameter is 1."""
        return (self, self.at_1) if self.at_1 else (self,)

    @property
    def half_kernels(self) -> tuple[ElementwiseLoop, ...]:
        """The same for half-precision arrays, whose formulas for 1 are few."""
        has_own = self.at_1 and (self.at_1.half_formula != self.at_1.formula or self.at_1.has_wide)
        return self.kernels if has_own else (self,)

    def kernels_for(self, element: ElementType) -> tuple[ElementwiseLoop, ...]:
        return self.half_kernels if element.is_half else self.kernels

    def streaming_kernel(self, element: ElementType) -> str:
        """What writes results of this type past the caches."""
        return f"FOR_STREAMING({self.name}_{element.kernel}_streaming)" if element in REAL_TYPES else "NULL"

    def expression(self, array_index: str = "", parameter_index: str = "", module: str = "", half: bool = False) -> str:
        """One element in Cython, from inputs written with these indices, by the formula in this module."""
        parameter = "plain_nan({}{})" if half and parameter_index.startswith("[") else "{}{}"
        operands = [operand + array_index for operand in self.arrays]
        operands += [parameter.format(operand, parameter_index) for operand in self.parameters]
        factor = "" if self.formula == self.name else f"{operands.pop(0)} * "
        formula = self.half_formula if half else self.formula
        return f"{factor}{module}{formula}({', '.join(operands)})"

    def is_wide(self, kernel: str) -> bool:
        """Whether the kernel for this C type or half type computes batches."""
        is_half = kernel in (element.name for element in REAL_TYPES if element.is_half)
        return self.has_wide and (kernel == "float" or (is_half and self.half_formula == self.formula))

    def batch(self, kernel: str, count: str) -> str:
        """A batch in Cython, of which `count` elements from the i-th on are loaded."""
        operands = [f"load_{kernel}({operand}, i, {count})" for operand in self.arrays]
        factor = None if self.formula == self.name else operands.pop(0)
        value = f"{self.formula}_wide({', '.join(operands)})"
        return f"product({factor}, {value})" if factor else value

    def declarations(self, ctype: str) -> str:
        """The inputs as a function's parameters of this type."""
        return ", ".join(f"{ctype} {operand}" for operand in self.inputs)

    @property
    def arrays(self) -> tuple[str, ...]:
        arrays = ARRAYS | {"value"} if "gate" in self.inputs else ARRAYS
        return tuple(operand for operand in self.inputs if operand in arrays)

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.inputs[len(self.arrays) :]

    @property
    def ctypes(self) -> list[str]:
        return sorted({element.ctype for element in self.types})


def elementwise_loops(
    source: str, half_formulas: frozenset[str], wide_formulas: frozenset[str]
) -> list[ElementwiseLoop]:
    """The loops for the formulas that a source text defines, in its order."""
    loops: list[ElementwiseLoop] = []
    for fused_type, name, operands in DEFINITION.findall(source):
        inputs = names_of(operands)
        types = REAL_TYPES + (INTEGER_TYPES if fused_type == "number" else ())
        half = name + "_half" if name + "_half" in half_formulas else name
        wide = name in wide_formulas
        made = [ElementwiseLoop(name, inputs, name, half, wide, types)]
        function, operation, suffix = name.partition("_derivative")
        backward = f"{function}_backward{suffix}"
        if operation and f" {backward}(" not in source:
            made.append(ElementwiseLoop(backward, ("grad", *inputs), name, half, wide, types))
        if name.endswith("_at_1"):
            loops = [with_kernel_at_1(loop, made) for loop in loops]
        else:
            loops += made
    return loops


def with_kernel_at_1(loop: ElementwiseLoop, kernels: list[ElementwiseLoop]) -> ElementwiseLoop:
    """The loop, with the one of these kernels that is its own where its parameter is 1."""
    own = [kernel for kernel in kernels if kernel.name == f"{loop.name}_at_1"]
    return replace(loop, at_1=own[0]) if own else loop


@dataclass(frozen=True)
class GradientPair:
    """What computes both gradients of a function of two operands."""

    function: str
    inputs: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.function}_gradients"

    def expression(self, index: str) -> str:
        """Both gradients of one element in Cython, from inputs written with this index."""
        return f"{self.name}({', '.join(operand + index for operand in self.inputs)})"


def names_of(operands: str) -> tuple[str, ...]:
    """The names in a formula's list of declared operands."""
    return tuple(operand.split()[-1] for operand in operands.split(","))


@dataclass(frozen=True)
class RowwiseLoop:
    """A generalised ufunc's inner loops: over rows of one or more dimensions, with a mask or without."""

    table: str
    inputs: int
    reduces: bool
    masked: bool
    core: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.table.lower() + "_masked" * self.masked + f"_{len(self.core)}d" * (len(self.core) > 1)

    @property
    def signature(self) -> str:
        row = f"({','.join(self.core)})"
        return f"{','.join([row] * (self.inputs + self.masked))}->{'()' if self.reduces else row}"


def rowwise_loops(source: str) -> list[RowwiseLoop]:
    """The loops for the tables in `source`; a gradient needs no mask, for its y is 0 where the mask was false."""
    return [
        RowwiseLoop(table, int(inputs), reduces == "1", masked, core)
        for table, inputs, reduces in ROW_FUNCTION.findall(source)
        for masked in ((False,) if table.endswith("_BACKWARD") else (False, True))
        for core in (("n",), ("k", "l", "m", "n"))
    ]


def all_elementwise_loops(module: str = "") -> list[ElementwiseLoop]:
    """The loops of a module; without its name, as they are on every processor."""
    half_formulas = frozenset(HALF_DEFINITION.findall(HALF_FORMULAS.read_text()))
    wide_formulas = frozenset(WIDE_DEFINITION.findall(WIDE_FORMULAS.read_text()) if module == WIDE_MODULE else ())
    return [loop for path in FORMULAS for loop in elementwise_loops(path.read_text(), half_formulas, wide_formulas)]


def gradient_pairs() -> list[GradientPair]:
    found = [match for path in FORMULAS for match in GRADIENTS.findall(path.read_text())]
    return [GradientPair(function, names_of(operands)) for function, operands in found]


def write_module(module: str, directory: Path) -> Path:
    """Writes `directory/module.pyx` and returns its path."""
    loops = all_elementwise_loops(module)
    text = filled_in(
        TEMPLATE,
        formula_files=[path.relative_to(HERE) for path in PRIMITIVES + FORMULAS],
        elementwise_loops=loops,
        wide_types=["float", *(element.name for element in REAL_TYPES if element.is_half)],
        wide_formulas=[
            kernel for loop in loops for kernel in loop.kernels if kernel.has_wide and kernel.name == kernel.formula
        ],
        gates=[loop for loop in loops if loop.inputs == ("gate", "value") and not loop.name.endswith("_derivative")],
        gradient_pairs=gradient_pairs(),
        rowwise_loops=rowwise_loops(ROW_FUNCTIONS.read_text()),
        element_types=REAL_TYPES + INTEGER_TYPES,
        real_types=REAL_TYPES,
        half_types=[element for element in REAL_TYPES if element.is_half],
    )
    return write(directory / f"{module}.pyx", text)


def write_cython_api(package: Path) -> None:
    """Writes `cython_api.pxd`, and `_formulas.pxd` with what it calls, into the installed package."""
    types = {"f32": "float", "f64": "double"}
    text = filled_in(CYTHON_API_TEMPLATE, elementwise_loops=all_elementwise_loops(), types=types)
    write(package / "cython_api.pxd", text)
    write(package / "_formulas.pxd", formulas_in_one_file())


def formulas_in_one_file() -> str:
    """All formulas, with bits.h inside, under names that do not meet those of the user's own C code."""
    bits = (HERE / "bits.h").read_text()
    formulas = "\n\n".join(path.read_text() for path in PRIMITIVES + FORMULAS)
    head = (
        "# cython: language_level=3, cdivision=True\n# Made by generate.py from the kernels' formulas.\n\n"
        "ctypedef fused number:\n    float\n    double\n\n"
    )
    text = head + formulas.replace(BITS_IMPORT, f'cdef extern from * nogil:\n    """\n{bits}    """\n')
    return BITS_NAME.sub(r"fastact_\1", text)


def filled_in(template: Path, **values: object) -> str:
    from Cython.Tempita import Template

    return str(Template(template.read_text(), name=str(template)).substitute(**values))


def write(path: Path, text: str) -> Path:
    """Writes a file, only when it would change, for else all that depends on it would be made anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return path
