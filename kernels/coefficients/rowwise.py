"""Compute rowwise_avx512.h's sixteen powers of 2, and the polynomial between them, which is in primitives/wide.h.

    python -m kernels.coefficients.rowwise            print both
    python -m kernels.coefficients.rowwise --check    verify that the kernels hold them
    python -m kernels.coefficients.rowwise --search   find the factor of the powers, in half a minute

Needs mpmath and NumPy.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
from mpmath import mp

from kernels.coefficients import core
from kernels.coefficients.core import LN2, SLACK, Fit

SOURCE = core.KERNELS / "rowwise_avx512.h"
POLYNOMIAL_SOURCE = core.KERNELS / "primitives" / "wide.h"
SIXTEENTHS = np.arange(16)
# Candidates for the factor: 1 + k STEP up to 2**(1/16), two thousand to an ulp.
STEP, CANDIDATES = 6.1e-11, 730_000_000
FIT = Fit(
    "exp_sixteenth",
    32,
    2,
    (-SLACK * LN2 / 32, SLACK * LN2 / 32),
    core.exp_tail(2),
    lambda r: r**2 / mp.exp(r),
)


def powers(unit: float) -> np.ndarray:
    """float32's neighbours of unit 2**(j/16)."""
    return (unit * 2 ** (SIXTEENTHS / 16)).astype(np.float32)


def error(unit: float) -> float:
    """The largest relative error of the powers, in 2**-23."""
    return float(np.max(np.abs(powers(unit) / (unit * 2 ** (SIXTEENTHS / 16)) - 1))) * 2.0**23


def table(unit: float) -> list[str]:
    """The powers' bits, less j where n's lowest bit will be added: j comes with n."""
    bits = powers(unit).view(np.uint32).astype(np.int64) - (SIXTEENTHS << 19)
    return [f"{entry:#x}" for entry in bits]


def search() -> float:
    """The factor whose powers are nearest to float32 numbers."""
    best, least = 1.0, error(1.0)
    for start in range(0, CANDIDATES, 1 << 20):
        units = 1 + STEP * np.arange(start, min(start + (1 << 20), CANDIDATES))
        for j in SIXTEENTHS:
            exact = units * 2 ** (j / 16)
            units = units[np.abs(exact.astype(np.float32) / exact - 1) * 2.0**23 < least]
        for unit in units:
            if error(unit) < least:
                best, least = float(unit), error(unit)
    return best


def in_kernel(source: Path, pattern: str) -> list[str]:
    """The literals that follow a pattern, up to the end of the statement."""
    statement = re.split(pattern, source.read_text(), maxsplit=1)[1].partition(";")[0]
    return re.findall(r"0x[0-9a-f]{8}|\d+\.\d+(?=f?\b)", statement)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the kernels")
    parser.add_argument("--search", action="store_true", help="find the factor")
    arguments = parser.parse_args()
    unit = float(in_kernel(SOURCE, r"#define UNIT(?= )")[0])
    if arguments.search:
        print(f"best factor: {search():.12f}")
    coefficients = [core.rounded(c, FIT.bits) for c in core.remez(FIT)]
    literals = [core.literal(c, FIT.bits) for c in coefficients]
    print(f"powers: error {error(unit):.3f} * 2^-23\n    {', '.join(table(unit))}")
    print(f"{FIT.name}: error 2^{mp.nstr(mp.log(core.reached(FIT, coefficients), 2), 4)}\n    {', '.join(literals)}")
    polynomial = in_kernel(POLYNOMIAL_SOURCE, r"/\* remez exp_sixteenth \*/")
    held = [*in_kernel(SOURCE, r"/\* table powers \*/"), *reversed(polynomial)]
    if arguments.check and held != [*table(unit), *literals]:
        print(f"    the kernels hold {held}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
