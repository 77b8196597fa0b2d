"""Compute the polynomials of primitives_gauss.pxi, as coefficients.py does those of the other kernels.

    python kernels/coefficients_gauss.py            print each polynomial: interval, error, coefficients
    python kernels/coefficients_gauss.py --check    verify that the kernels hold these coefficients

R(a) = exp(a^2 / 2) Phi(-a) is the normal distribution's tail without its fast decay (Mills' ratio over sqrt(2 pi)). It
falls smoothly like 1 / a, and so is a polynomial in t = (a - k) / (a + k), or in 1 / (a + k), over all of a >= 0
(Shepherd and Laframboise 1981). S(a) = (R(a) - a phi(0)) / (z - a) is what gelu's derivative is without that decay and
without its root z.
"""

import sys

from coefficients import SLACK, Fit, main
from mpmath import mp, mpf

import coefficients

ROOT_2 = mp.sqrt(2)
DENSITY_AT_0 = 1 / mp.sqrt(2 * mp.pi)
ROOT_OF_DERIVATIVE = mp.findroot(lambda a: mp.erfc(a / ROOT_2) / 2 - a * mp.npdf(a), mpf("0.75"))
K32, K64 = 4, 4
END32, END64 = 20, 55


def tail(a: mpf) -> mpf:
    """R(a)."""
    return mp.exp(a * a / 2) * mp.erfc(a / ROOT_2) / 2


def flat_tail(a: mpf) -> mpf:
    """R(a) without its decay, too."""
    return (a + mpf("0.75")) * tail(a)


def slope(a: mpf) -> mpf:
    """S(a)."""
    return (tail(a) - a * DENSITY_AT_0) / (ROOT_OF_DERIVATIVE - a)


def argument(t: mpf) -> mpf:
    """a, from t = (a - k) / (a + k) for float64."""
    return K64 * (1 + t) / (1 - t)


INTERVAL32 = (mpf(1) / (END32 + K32), mpf(1) / K32)
INTERVAL64 = (mpf(-1), mpf(END64 - K64) / (END64 + K64))
HALF_LN2_SQUARED = (mpf(0), (SLACK * mp.log(2) / 2) ** 2)


def twice_coth_tail(s: mpf) -> mpf:
    """(r coth(r / 2) - 2) / r^2 for s = r^2."""
    return coefficients.coth_tail(s / 4) / 2


FITS = (
    Fit("short_coth", 64, 2, HALF_LN2_SQUARED, twice_coth_tail, lambda s: s / (2 + s * twice_coth_tail(s))),
    Fit("normal_tail32", 64, 11, INTERVAL32, lambda r: tail(1 / r - K32) / r, lambda r: r / tail(1 / r - K32)),
    Fit("normal_slope32", 64, 11, INTERVAL32, lambda r: slope(1 / r - K32), lambda r: 1 / slope(1 / r - K32)),
    Fit("normal_tail64", 64, 27, INTERVAL64, lambda t: flat_tail(argument(t)), lambda t: 1 / flat_tail(argument(t))),
    Fit("normal_slope64", 64, 26, INTERVAL64, lambda t: slope(argument(t)), lambda t: 1 / slope(argument(t))),
)

if __name__ == "__main__":
    coefficients.FITS = FITS
    coefficients.SOURCES = ("primitives_gauss.pxi",)
    sys.exit(main())
