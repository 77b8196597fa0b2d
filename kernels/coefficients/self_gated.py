"""Compute the polynomials and rational functions of primitives/self_gated.pxi, as core does for primitives/core.pxi.

    python -m kernels.coefficients.self_gated            print each: interval, error, coefficients
    python -m kernels.coefficients.self_gated --check    verify that the kernels hold these coefficients

R(a) = exp(a^2 / 2) Phi(-a) is the normal distribution's tail without its fast decay (Mills' ratio over sqrt(2 pi)). It
falls smoothly like 1 / a, and so is a polynomial in t = (a - 4) / (a + 4) over all of a >= 0 (Shepherd and Laframboise
1981), or a short rational function of a (Cody 1969). S(a) = (R(a) - a phi(0)) / (z - a) is what gelu's derivative is
without that decay and without its root z.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mpmath
from mpmath import mp, mpf

from kernels.coefficients import core
from kernels.coefficients.core import HALF_LN2, Fit, exp_tail, extrema, literal, reached, remez, rounded

ROOT_2 = mp.sqrt(2)
DENSITY_AT_0 = 1 / mp.sqrt(2 * mp.pi)
ROOT_OF_DERIVATIVE = mp.findroot(lambda a: mp.erfc(a / ROOT_2) / 2 - a * mp.npdf(a), mpf("0.75"))
SHIFT = 4


@dataclass(frozen=True)
class RationalFit:
    """The quotient of polynomials in a, of the given degrees, closest to `target` for 0 <= a <= end; errors as in Fit.

    The denominator's first coefficient, 1, is not listed.
    """

    name: str
    bits: int
    degrees: tuple[int, int]
    end: mpf
    target: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]


def tail(a: mpf) -> mpf:
    """R(a)."""
    return mp.exp(a * a / 2) * mp.erfc(a / ROOT_2) / 2


def flat_tail(a: mpf) -> mpf:
    """R(a) without its decay, too."""
    return (a + mpf("0.75")) * tail(a)


def tail_ripple(a: mpf) -> mpf:
    """The relative difference of R(a) from 1 / (2.1875 (a + 0.875)), at most 8 %."""
    return mpf("2.1875") * (a + mpf("0.875")) * tail(a) - 1


def slope(a: mpf) -> mpf:
    """S(a)."""
    return (tail(a) - a * DENSITY_AT_0) / (ROOT_OF_DERIVATIVE - a)


def argument(t: mpf) -> mpf:
    """a, from t = (a - 4) / (a + 4)."""
    return SHIFT * (1 + t) / (1 - t)


def twice_coth_tail(s: mpf) -> mpf:
    """(r coth(r / 2) - 2) / r^2 for s = r^2."""
    return core.coth_tail(s / 4) / 2


def interval(end: int) -> tuple[mpf, mpf]:
    """Of t, for 0 <= a <= end."""
    return mpf(-1), mpf(end - SHIFT) / (end + SHIFT)


HALF_LN2_SQUARED = (mpf(0), HALF_LN2[1] ** 2)

FITS: tuple[Fit | RationalFit, ...] = (
    Fit("short_coth", 64, 2, HALF_LN2_SQUARED, twice_coth_tail, lambda s: s / (2 + s * twice_coth_tail(s))),
    Fit("exp_excess", 32, 5, HALF_LN2, exp_tail(2), lambda r: r**2 / mp.exp(r)),
    RationalFit("tail_ripple", 32, (5, 5), mpf("14.5"), tail_ripple, lambda a: 1 / (1 + tail_ripple(a))),
    RationalFit("short_tail", 64, (4, 5), mpf(20), tail, lambda a: 1 / tail(a)),
    RationalFit("short_slope", 64, (4, 4), mpf(20), slope, lambda a: 1 / slope(a)),
    Fit("normal_tail", 64, 26, interval(55), lambda t: flat_tail(argument(t)), lambda t: 1 / flat_tail(argument(t))),
    Fit("normal_slope", 64, 25, interval(55), lambda t: slope(argument(t)), lambda t: 1 / slope(argument(t))),
)


def rational_remez(fit: RationalFit) -> tuple[list[mpf], list[mpf]]:
    """Numerator and denominator, in ascending order; the equations are linear but for error times denominator."""
    above, below = fit.degrees
    count = above + below + 2
    low, high = -1, (fit.end - SHIFT) / (fit.end + SHIFT)
    grid = [argument(low + (high - low) * (1 - mp.cos(mp.pi * i / 600)) / 2) for i in range(601)]
    truth = [(fit.target(a), fit.weight(a)) for a in grid]
    points = [round(600 * (i + 0.45) / count) for i in range(count)]
    denominator = [mpf(1)] + [mpf(0)] * below
    for _ in range(30):
        for _ in range(6):
            rows, targets = [], []
            for i, point in enumerate(points):
                a, (value, weight) = grid[point], truth[point]
                error = (-1) ** i * mp.polyval(denominator[::-1], a) / weight
                rows.append([a**k for k in range(above + 1)] + [-value * a**k for k in range(1, below + 1)] + [error])
                targets.append(value)
            solution = list(mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(targets)))
            numerator, denominator = solution[: above + 1], [mpf(1), *solution[above + 1 : -1]]
        errors = [
            (value - quotient(numerator, denominator, a)) * weight
            for a, (value, weight) in zip(grid, truth, strict=True)
        ]
        if max(abs(e) for e in errors) <= abs(solution[-1]) * (1 + mpf(10) ** -3):
            break
        position = {a: i for i, a in enumerate(grid)}
        points = [position[a] for a in extrema(grid, errors, count)]
    return numerator, denominator


def quotient(numerator: list[mpf], denominator: list[mpf], a: mpf) -> mpf:
    return mp.polyval(numerator[::-1], a) / mp.polyval(denominator[::-1], a)


def computed(fit: Fit | RationalFit) -> tuple[str, list[list[str]]]:
    """The error reached with rounded coefficients, and each polynomial's coefficients as the kernels write them."""
    if isinstance(fit, Fit):
        values = [[rounded(c, fit.bits) for c in remez(fit)]]
        error = reached(fit, values[0])
    else:
        values = [[rounded(c, fit.bits) for c in polynomial] for polynomial in rational_remez(fit)]
        above, below = ([mpf(c) for c in polynomial] for polynomial in values)
        del values[1][0]
        grid = (fit.end * (mpf(i) / 1000) ** 2 for i in range(1001))
        error = max(abs((quotient(above, below, a) - fit.target(a)) * fit.weight(a)) for a in grid)
    return f"2^{mp.nstr(mp.log(error, 2), 4)}", [[literal(c, fit.bits) for c in polynomial] for polynomial in values]


def in_kernels(name: str, count: int, text: str) -> list[str]:
    """The first `count` numbers that stand under `remez NAME`."""
    _, _, after = text.partition(f"# remez {name}:")
    found = re.findall(r"-?\b\d+\.\d+(?:e[-+]?\d+)?|-?\b\d+e[-+]?\d+", after.partition("\n")[2])
    return [number for number in found if number != "1.0"][:count]


def main(fits: Sequence[Fit | RationalFit], *sources: str) -> int:
    """Print the fits, and with --check compare them with what these files of the kernels hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the kernels")
    check = parser.parse_args().check
    text = "\n".join((core.KERNELS / source).read_text() for source in sources) if check else ""
    wrong = 0
    for fit in fits:
        error, polynomials = computed(fit)
        print(f"{fit.name}: error {error}")
        for polynomial in polynomials:
            print("    " + ", ".join(polynomial))
        expected = [c for polynomial in polynomials for c in polynomial if c != "1"]
        if check and (found := in_kernels(fit.name, len(expected), text)) != expected:
            print(f"    the kernels hold {found}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(FITS, "primitives/self_gated.pxi"))
