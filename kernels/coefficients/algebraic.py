"""Compute the polynomials of primitives/algebraic.pxi, as core does those of primitives/core.pxi.

python -m kernels.coefficients.algebraic            print each polynomial: interval, error, coefficients
python -m kernels.coefficients.algebraic --check    verify that the kernels hold these coefficients
"""

import sys

from mpmath import mp, mpf

from kernels.coefficients.core import HALF_LN2, SLACK, Fit, atanh_tail, exp_tail, main


def tanh_shrink_ratio(s: mpf) -> mpf:
    """(x - tanh x) / x^3 for s = x^2."""
    if s > mpf(10) ** -6:
        x = mp.sqrt(s)
        with mp.workdps(2 * mp.dps):
            return +((x - mp.tanh(x)) / x**3)
    return -mp.fsum(
        mpf(4) ** k * (mpf(4) ** k - 1) * mp.bernoulli(2 * k) / mp.factorial(2 * k) * s ** (k - 2) for k in range(2, 16)
    )


def tanh_shrink_tail(s: mpf) -> mpf:
    """What follows 1/3 in it, divided by s."""
    return (tanh_shrink_ratio(s) - mpf(1) / 3) / s if s else -mpf(2) / 15


def expm1_ratio(r: mpf) -> mpf:
    """(e^r - 1) / r."""
    return exp_tail(1)(r)


# What a quotient can be off from a power of two when logit chooses it from the exponents' difference.
LOGIT_Z = (mpf(0), (SLACK * (mpf(3) / 2 - 1) / (mpf(3) / 2 + 1)) ** 2)

FITS = (
    Fit("short_expm1", 64, 7, HALF_LN2, expm1_ratio, lambda r: 1 / expm1_ratio(r)),
    Fit("expm1_64", 64, 11, HALF_LN2, exp_tail(2), lambda r: abs(r) / expm1_ratio(r)),
    Fit("short_atanh", 64, 3, LOGIT_Z, atanh_tail, lambda s: s / (2 + s * atanh_tail(s))),
    Fit("atanh64", 64, 9, LOGIT_Z, atanh_tail, lambda s: s / (2 + s * atanh_tail(s))),
    Fit("tanh_shrink32", 64, 9, (mpf(0), mpf(1)), tanh_shrink_ratio, lambda s: 1 / tanh_shrink_ratio(s)),
    Fit("tanh_shrink_near", 32, 5, (mpf(0), mpf("0.359")), tanh_shrink_tail, lambda s: s / tanh_shrink_ratio(s)),
    Fit("tanh_shrink64", 64, 14, (mpf(0), mpf("0.64")), tanh_shrink_tail, lambda s: s / tanh_shrink_ratio(s)),
    Fit("atanh32", 32, 6, (mpf(0), SLACK / 4), atanh_tail, lambda s: s / (2 + s * atanh_tail(s))),
)

if __name__ == "__main__":
    sys.exit(main(FITS, "primitives/algebraic.pxi", "activations/shrinkage.pxi"))
