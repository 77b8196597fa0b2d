"""Compute the polynomials of fastact/numba's namespaces, as self_gated does for the kernels.

python -m kernels.coefficients.numba            print each: error, coefficients
python -m kernels.coefficients.numba --check    verify that the namespaces hold these coefficients
"""

import argparse
import sys

from mpmath import mp, mpf

from kernels.coefficients import core, self_gated
from kernels.coefficients.core import Fit, log1p_ratio

SOURCES = [core.KERNELS.parent / "fastact/numba" / name for name in ("_float32.py", "_float64.py", "_single.py")]


def arctanh_ratio(s: mpf) -> mpf:
    """atanh(x) / x for s = x^2."""
    return core.series(lambda k: mpf(1) / (2 * k + 1), s)


def coth_tail(s: mpf) -> mpf:
    """(x coth x - 1) / x^2 for s = x^2: beyond core's series."""
    x = mp.sqrt(s)
    return (x * mp.coth(x) - 1) / s if s > mpf("0.1") else core.coth_tail(s)


def shrink_weight(s: mpf) -> mpf:
    """Makes an error of coth_tail, t / s, the relative one of x t / (1 + t)."""
    t = s * coth_tail(s)
    return 1 / (coth_tail(s) * (1 + t))


SQUARES_TO_4 = (mpf(0), mpf(4))

KERNELS_OWN = {fit.name: fit for fit in (*core.FITS, *self_gated.FITS)}
SHARED = ("exp64", "short_exp", "log1p64", "short_log1p", "short_coth", "short_tail", "normal_tail")
FITS = (
    *(KERNELS_OWN[name] for name in SHARED),
    Fit("single_exp", 32, 5, core.HALF_LN2, core.exp_tail(2), lambda r: r**2 / mp.exp(r)),
    Fit("short_log", 64, 11, (1 / mp.sqrt(2) - 1, mp.sqrt(2) - 1), log1p_ratio, lambda f: 1 / log1p_ratio(f)),
    Fit("short_arctanh", 64, 7, (mpf(0), mpf(1) / 4), arctanh_ratio, lambda s: 1 / arctanh_ratio(s)),
    Fit("short_coth_excess", 64, 8, SQUARES_TO_4, coth_tail, shrink_weight),
    Fit("coth_excess", 64, 17, SQUARES_TO_4, coth_tail, shrink_weight),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the namespaces")
    check = parser.parse_args().check
    text = "\n".join(source.read_text() for source in SOURCES)
    wrong = 0
    for fit in FITS:
        error, polynomials = self_gated.computed(fit)
        expected = [c for polynomial in polynomials for c in polynomial]
        print(f"{fit.name}: error {error}\n    {', '.join(expected)}")
        if check and (found := self_gated.in_kernels(fit.name, len(expected), text)) != expected:
            print(f"    fastact/numba holds {found}", file=sys.stderr)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
