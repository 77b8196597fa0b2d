"""Compute the polynomials and rational functions of the half.pxi, as self_gated does for its own.

python -m kernels.coefficients.half            print each: interval, error, coefficients
python -m kernels.coefficients.half --check    verify that the kernels hold these coefficients

Two digits more than float16 has would do for nearly all results. These have as many as float32, or one less: a result
that lies almost in the middle between two float16 is rounded to the wrong one by the smallest error.
"""

import sys

from mpmath import mp, mpf

from kernels.coefficients.algebraic import LOGIT_Z, tanh_shrink_ratio
from kernels.coefficients.core import HALF_LN2, LN2, SLACK, Fit, atanh_tail, exp_tail, log1p_ratio
from kernels.coefficients.self_gated import RationalFit, main, tail


def exp2_ratio(f: mpf) -> mpf:
    """(2^f - 1) / f."""
    return LN2 * exp_tail(1)(f * LN2)


def tanh_ratio(s: mpf) -> mpf:
    """tanh(x) / x for s = x^2."""
    x = mp.sqrt(s)
    return mp.tanh(x) / x if x else mpf(1)


FITS = (
    Fit("half_exp", 32, 4, HALF_LN2, exp_tail(2), lambda r: r**2 / mp.exp(r)),
    Fit("half_exp2", 32, 5, (-SLACK / 2, SLACK / 2), exp2_ratio, lambda f: abs(f) / mpf(2) ** f),
    Fit("half_log1p", 32, 9, (mpf(0), mpf(1)), log1p_ratio, lambda x: 1 / log1p_ratio(x)),
    Fit("half_tanh_shrink", 32, 7, (mpf(0), mpf(1)), tanh_shrink_ratio, lambda s: 1 / tanh_shrink_ratio(s)),
    Fit("half_atanh", 32, 3, LOGIT_Z, atanh_tail, lambda s: s / (2 + s * atanh_tail(s))),
    RationalFit("half_tanh", 32, (3, 3), mpf("21.2"), tanh_ratio, lambda s: 1 / tanh_ratio(s)),
    RationalFit("half_tail", 32, (4, 5), mpf("14.5"), tail, lambda a: 1 / tail(a)),
)

if __name__ == "__main__":
    sys.exit(main(FITS, "primitives/half.pxi", "activations/half.pxi"))
