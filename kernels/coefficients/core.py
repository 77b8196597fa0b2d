"""Compute the polynomials of primitives/core.pxi and softplus.pxi, by Remez's exchange algorithm in high precision.

    python -m kernels.coefficients.core            print each polynomial: interval, error, coefficients
    python -m kernels.coefficients.core --check    verify that the kernels hold these coefficients

Needs mpmath. In the kernels, the comment `remez NAME` stands above the polynomial of that name, and its coefficients
follow in ascending order of their powers.
"""

import argparse
import re
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import mpmath
from mpmath import mp, mpf

mp.dps = 60

LN2 = mp.log(2)
KERNELS = Path(__file__).parents[1]
# The reduced argument passes its nominal end by the rounding of the reduction: a little more than an ulp of it.
SLACK = 1 + mpf(2) ** -20


@dataclass(frozen=True)
class Fit:
    """The polynomial of `terms` terms closest to `target` on `interval`, errors counted times `weight`."""

    name: str
    bits: int  # 32 or 64: the precision that the coefficients are rounded to
    terms: int
    interval: tuple[mpf, mpf]
    target: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]


def series(term: Callable[[int], mpf], x: mpf) -> mpf:
    """Sum a power series with |x| < 1 to working precision: the closed forms cancel near 0."""
    return mp.fsum(term(k) * x**k for k in range(4 + int(mp.prec / abs(mp.log(x, 2))))) if x else term(0)


def coth_tail(s: mpf) -> mpf:
    """(u coth u - 1) / u^2 for s = u^2: sum of 2^(2k) B(2k) / (2k)! s^(k-1)."""
    return series(lambda k: mpf(4) ** (k + 1) * mp.bernoulli(2 * k + 2) / mp.factorial(2 * k + 2), s)


def exp_tail(order: int) -> Callable[[mpf], mpf]:
    """What follows the first `order` terms of e^r, divided by r^order."""
    return lambda r: series(lambda k: 1 / mp.factorial(k + order), r)


def atanh_tail(s: mpf) -> mpf:
    """(2 atanh(z) / z - 2) / z^2 for s = z^2."""
    return series(lambda k: mpf(2) / (2 * k + 3), s)


def log1p_ratio(x: mpf) -> mpf:
    """log(1 + x) / x."""
    return mp.log1p(x) / x if x else mpf(1)


def rounded(value: mpf, bits: int) -> float:
    """The nearest float32 or float64, as a Python float."""
    return float(value) if bits == 64 else struct.unpack("f", struct.pack("f", float(value)))[0]


def bits32(value: float) -> int:
    """The bits of a float32 number."""
    return int(struct.unpack("I", struct.pack("f", value))[0])


def literal(value: float, bits: int) -> str:
    """The shortest decimal that rounds to this value in its own precision."""
    return next(text for digits in range(1, 18) if rounded(float(text := f"{value:.{digits}g}"), bits) == value)


def softplus_bend(s: mpf) -> mpf:
    """(log(1 + e^z) - log 2 - z/2) / z^2 for s = z^2: even in z."""
    z = mp.sqrt(s) or mpf(10) ** -12
    return mp.log(mp.cosh(z / 2)) / z**2


def log1p_tail(x: mpf) -> mpf:
    """(log(1 + x) - x) / x^2."""
    return (mp.log1p(x) - x) / x**2 if x else mpf("-0.5")


# Where float32's softplus changes from one form to the other.
SOFTPLUS_NEAR = mpf("0.75")
QUARTER_LN2 = (mpf(0), (SLACK * LN2 / 4) ** 2)
HALF_LN2 = (-SLACK * LN2 / 2, SLACK * LN2 / 2)

# Each weight makes the error the relative one of the value that the polynomial ends up in.
FITS = (
    Fit("coth32", 32, 2, QUARTER_LN2, coth_tail, lambda s: s / (1 + s * coth_tail(s))),
    Fit("coth64", 64, 5, QUARTER_LN2, coth_tail, lambda s: s / (1 + s * coth_tail(s))),
    Fit(
        "softplus_bend",
        32,
        4,
        (mpf(0), SOFTPLUS_NEAR**2),
        softplus_bend,
        lambda s: s / mp.log1p(mp.exp(-mp.sqrt(s))),
    ),
    Fit(
        "softplus_tail",
        32,
        7,
        (mpf(0), mp.exp(-SOFTPLUS_NEAR) * SLACK),
        log1p_tail,
        lambda x: x**2 / mp.log1p(x) if x else mpf(0),
    ),
    Fit("exp64", 64, 11, HALF_LN2, exp_tail(2), lambda r: r**2 / mp.exp(r)),
    Fit("short_exp", 64, 6, HALF_LN2, exp_tail(1), lambda r: abs(r) / mp.exp(r)),
    Fit("log1p64", 64, 8, (mpf(0), mpf(1) / 25), atanh_tail, lambda s: s / (2 + s * atanh_tail(s))),
    Fit("short_log1p", 64, 12, (mpf(0), mpf(1)), log1p_ratio, lambda x: 1 / log1p_ratio(x)),
)


def remez(fit: Fit) -> list[mpf]:
    """Coefficients, in ascending order, of the weighted minimax polynomial."""
    low, high = fit.interval
    count = fit.terms + 1
    # Chebyshev's nodes, moved a little: none at an end or in the middle, where weights vanish.
    points = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (i + mpf("0.45")) / count) for i in range(count)]
    grid = [low + (high - low) * (1 - mp.cos(mp.pi * i / 600)) / 2 for i in range(601)]
    truth = [(fit.target(x), fit.weight(x)) for x in grid]
    for _ in range(30):
        rows = mpmath.matrix(
            [[x**k for k in range(fit.terms)] + [(-1) ** i / fit.weight(x)] for i, x in enumerate(points)]
        )
        solution = mpmath.lu_solve(rows, mpmath.matrix([fit.target(x) for x in points]))
        coefficients = list(solution)[: fit.terms]
        errors = [(t - mp.polyval(coefficients[::-1], x)) * w for x, (t, w) in zip(grid, truth, strict=True)]
        worst = max(abs(e) for e in errors)
        if worst <= abs(solution[fit.terms]) * (1 + mpf(10) ** -3):
            break
        points = extrema(grid, errors, count)
    return coefficients


def extrema(grid: list[mpf], errors: list[mpf], count: int) -> list[mpf]:
    """The largest error of each run of one sign: `count` points, dropped from the ends where there are more."""
    runs: list[int] = []
    for i, error in enumerate(errors):
        if runs and errors[runs[-1]] * error > 0:
            runs[-1] = i if abs(error) > abs(errors[runs[-1]]) else runs[-1]
        elif error:
            runs.append(i)
    while len(runs) > count:
        runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
    return [grid[i] for i in runs]


def reached(fit: Fit, coefficients: list[float]) -> mpf:
    """The largest weighted error with the coefficients as rounded."""
    low, high = fit.interval
    grid = (low + (high - low) * mpf(i) / 2000 for i in range(2001))
    values = [mpf(c) for c in reversed(coefficients)]
    return max(abs((mp.polyval(values, x) - fit.target(x)) * fit.weight(x)) for x in grid)


def in_kernels(name: str, text: str) -> list[str]:
    """The literals of the statement under `remez NAME`, but for integers."""
    _, _, rest = text.partition(f"# remez {name}:")
    statement = ""
    for line in rest.splitlines()[1:]:
        statement += line + "\n"
        if statement.count("(") == statement.count(")"):
            break
    return re.findall(r"(?<![\w.])-?\d+\.\d+(?:e-?\d+)?", statement)


def main(fits: Sequence[Fit], *sources: str) -> int:
    """Print the fits, and with --check compare them with what these files of the kernels hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the kernels")
    check = parser.parse_args().check
    text = "\n".join((KERNELS / source).read_text() for source in sources) if check else ""
    wrong = 0
    for fit in fits:
        coefficients = [rounded(c, fit.bits) for c in remez(fit)]
        literals = [literal(c, fit.bits) for c in coefficients]
        low, high = (mp.nstr(end, 5) for end in fit.interval)
        print(f"{fit.name}: [{low}, {high}], error 2^{mp.nstr(mp.log(reached(fit, coefficients), 2), 4)}")
        print("    " + ", ".join(literals))
        if check and in_kernels(fit.name, text) != literals:
            print(f"    the kernels hold {in_kernels(fit.name, text)}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(FITS, "primitives/core.pxi", "primitives/softplus.pxi"))
