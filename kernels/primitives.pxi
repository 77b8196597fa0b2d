# The arithmetic that the activations share: bits, reduction by powers of two, exp, log1p, and the quotients that tanh
# and sigmoid end in. Every function is branch-free, so that the compiler vectorises a loop over it whole.
#
# Three habits keep it so. A constant in float32 code is written <float>0.5: a bare one is a double. fma() stands where
# a formula lives on the single rounding, a + b * c where it does not matter. And float64 arithmetic may serve a
# float32 result: it costs twice the instructions, and saves those that would carry rounding errors (the short_ ones).

from libc.stdint cimport uint32_t, uint64_t

ctypedef fused real:
    float
    double

cdef extern from "bits.h" nogil:
    const int HAS_FMA
    uint32_t bits_of_float32(float x)
    uint64_t bits_of_float64(double x)
    float float32_of_bits(uint32_t bits)
    double float64_of_bits(uint64_t bits)
    float fma_float32(float a, float b, float c)
    double fma_float64(double a, double b, double c)


cdef inline real fma(real a, real b, real c) noexcept nogil:
    """a b + c, rounded once where the processor can."""
    if real is float:
        return fma_float32(a, b, c)
    else:
        return fma_float64(a, b, c)


cdef inline real absolute(real x) noexcept nogil:
    """|x|."""
    if real is float:
        return float32_of_bits(bits_of_float32(x) & 0x7fffffffU)
    else:
        return float64_of_bits(bits_of_float64(x) & 0x7fffffffffffffffULL)


cdef inline real leading_half(real x) noexcept nogil:
    """x with the lower half of its digits cut off: the product of two such numbers is exact."""
    if real is float:
        return float32_of_bits(bits_of_float32(x) & 0xfffff000U)
    else:
        return float64_of_bits(bits_of_float64(x) & 0xfffffffff8000000ULL)


cdef inline real copy_sign(real x, real sign) noexcept nogil:
    """x >= 0 with the sign of another number."""
    if real is float:
        return float32_of_bits(bits_of_float32(x) | (bits_of_float32(sign) & 0x80000000U))
    else:
        return float64_of_bits(bits_of_float64(x) | (bits_of_float64(sign) & 0x8000000000000000ULL))


cdef inline real at_least(real x, real low) noexcept nogil:
    """The larger of the two; NaN stays NaN."""
    return low if x < low else x


cdef inline real at_most(real x, real high) noexcept nogil:
    """The smaller of the two; NaN stays NaN."""
    return high if x > high else x


cdef inline double product_excess(double a, double b, double product) noexcept nogil:
    """By how much the rounded product exceeds a b (Dekker 1971, where there is no fused multiply-add)."""
    if HAS_FMA:
        return fma(-a, b, product)
    cdef double a_high = leading_half(a), b_high = leading_half(b)
    cdef double a_low = a - a_high, b_low = b - b_high
    return product - a_high * b_high - a_high * b_low - a_low * b_high - a_low * b_low


# Powers of two. Adding 1.5 * 2**(digits - 1) to a number rounds it to an integer n, for the sum has no digits below the
# unit, and n stands in the sum's lowest bits. If what is added also holds the exponent's bias, those bits, shifted up
# to where the exponent is, are 2**n. So 12583039.0 is 1.5 * 2**23 + 127, 6755399441056767.0 is 1.5 * 2**52 + 1023.


cdef inline real power_of_two(real sum) noexcept nogil:
    """2**n, from the sum."""
    if real is float:
        return float32_of_bits(bits_of_float32(sum) << 23)
    else:
        return float64_of_bits(bits_of_float64(sum) << 52)


# e**x = 2**n e**r with n = rint(x / ln2), |r| <= ln2/2 (Cody and Waite 1980: ln2 is subtracted in two parts, the first
# short enough for its product with n to be exact).


cdef inline real exp(real x) noexcept nogil:
    """e**x."""
    cdef real sum, n, r, p
    if real is float:
        x = at_most(at_least(x, <float>-104.0), <float>89.0)
        sum = <float>1.442695 * x + <float>12583039.0
        n = sum - <float>12583039.0
        r = x - n * <float>0.69314575
        r = r - n * <float>1.4286068e-06
        # remez exp32: relative error 2**-28.0
        p = <float>0.49999994 + r * (<float>0.16666521 + r * (<float>0.04166839 + r * (<float>0.00836871
            + r * <float>0.0013814617)))
        p = r + r * r * p
    else:
        x = at_most(at_least(x, -746.0), 710.0)
        sum = 1.4426950408889634 * x + 6755399441056767.0
        n = sum - 6755399441056767.0
        r = x - n * 0.6931471805598903
        r = r - n * 5.497923018708371e-14
        # remez exp64: relative error 2**-56.3
        p = 0.5000000000000011 + r * (0.16666666666666413 + r * (0.041666666666530267 + r * (0.008333333333494336
            + r * (0.0013888888943596833 + r * (0.0001984126950676485 + r * (2.480149313700458e-05
            + r * (2.7557586281944997e-06 + r * (2.763023366422882e-07 + r * 2.5000067321957548e-08))))))))
        p = r + r * r * p
    return p


# tanh and sigmoid are quotients in e**(2y). With y = n ln2/2 + u, m = 2**n and W = u coth u,
#     e**(2y) = m (W + u) / (W - u),    tanh y = ((m - 1) W + (m + 1) u) / ((m + 1) W + (m - 1) u),
# where m - 1 and m + 1 are exact, and W is 1 + w, a small even series that takes fewer terms than e**u or tanh u. The
# quotient's first approximation q needs few digits. Cut to half length, its products with m - 1 and m + 1 are exact
# too, so that what is left of the numerator, numerator - q * denominator, has all its digits; and q plus that over the
# denominator is rounded only once. Without a fused multiply-add some of these digits are lost, in float64 up to 1 ULP;
# float32 then goes through float64.


cdef inline (real, real, real) reduce_by_half_ln2(real y, real rounder) noexcept nogil:
    """y = n ln2/2 + u + u_low: the sum of n and the rounder, u, u_low."""
    cdef real sum, n, u, high
    if real is float:
        sum = fma(y, <float>2.88539, rounder)
        n = sum - rounder
        # The float32 nearest to ln2/2 is 20 digits long, so u is exact.
        u = fma(-n, <float>0.3465736, y)
        return sum, u, n * <float>9.523271e-10
    else:
        sum = fma(y, 2.8853900817779268, rounder)
        n = sum - rounder
        high = fma(-n, 0.34657359027994517, y)
        u = fma(-n, 2.7489615093541856e-14, high)
        return sum, u, fma(-n, 2.7489615093541856e-14, high - u)


cdef inline real coth_tail(real u) noexcept nogil:
    """u coth u - 1 for |u| <= ln2/4."""
    cdef real s = u * u
    if real is float:
        # remez coth32: relative error of W 2**-28.6
        return s * (<float>0.3333325 + s * <float>-0.02213411)
    else:
        # remez coth64: relative error of W 2**-59.7
        return s * (0.33333333333333204 + s * (-0.022222222221614064 + s * (0.002116402023042511
            + s * (-0.00021163395600638267 + s * 2.118737198504276e-05))))


cdef inline real tanh_of_positive(real x) noexcept nogil:
    """tanh x for x >= 0."""
    cdef real sum, u, u_low, w, m, a, b, inverse, q, c, d, rest
    if real is float:
        x = at_most(x, <float>9.1)
        sum, u, u_low = reduce_by_half_ln2(x, <float>12583039.0)
    else:
        x = at_most(x, 20.0)
        sum, u, u_low = reduce_by_half_ln2(x, 6755399441056767.0)
    m = power_of_two(sum)
    w = coth_tail(u)
    a = m - <real>1
    b = m + <real>1
    inverse = <real>1 / fma(a, u, b * (<real>1 + w))
    q = leading_half(fma(b, u, a) * inverse)
    c = fma(-q, b, a)
    d = fma(-q, a, b)
    rest = fma(w, c, fma(d, u, c))
    if real is double:
        rest = fma(d, u_low, rest)
    return fma(rest, inverse, q)


cdef inline real sigmoid_of_negative(real x, real excess) noexcept nogil:
    """1 / (1 + e**(excess - x)) for x <= 0, down to the smallest subnormal."""
    cdef real scale, sum, m, u, u_low, w, a, b, inverse, q, c, d, rest
    # The result is carried as a multiple of 2**-64 (2**-512), so that nothing but the last step can underflow.
    if real is float:
        scale = <float>5.421010862427522e-20
        x = at_least(x, <float>-104.0)
        sum, u, u_low = reduce_by_half_ln2(<float>0.5 * x, <float>12583103.0)
    else:
        scale = 7.458340731200207e-155
        x = at_least(x, -746.0)
        sum, u, u_low = reduce_by_half_ln2(0.5 * x, 6755399441057279.0)
    u_low = u_low - <real>0.5 * excess
    w = coth_tail(u)
    m = power_of_two(sum)
    a = <real>1 - m * scale
    b = <real>1 + m * scale
    inverse = <real>1 / fma(-a, u, b * (<real>1 + w))
    q = leading_half(fma(m, u, m) * inverse)
    c = fma(-q, b, m)
    d = fma(q, a, m)
    rest = fma(d, u_low, fma(w, c, fma(d, u, c)))
    return fma(rest, inverse, q) * scale


# To float32's accuracy, in float64.


cdef inline double short_exp(double x) noexcept nogil:
    """e**x for |x| <= 700."""
    cdef double sum = 1.4426950408889634 * x + 6755399441056767.0
    cdef double r = x - (sum - 6755399441056767.0) * 0.6931471805599453
    # remez short_exp: relative error 2**-28.9
    return power_of_two(sum) * (1 + r * (1.00000003216356 + r * (0.49999994208152626 + r * (0.16666431264754894
        + r * (0.04166800225862507 + r * (0.00837415527493478 + r * 0.0013843641464150683))))))


cdef inline double short_log1p(double x) noexcept nogil:
    """log(1 + x) for 0 <= x <= 1."""
    # remez short_log1p: relative error 2**-33.0
    return x * (0.9999999998820471 + x * (-0.4999999650106145 + x * (0.33333160250529276 + x * (-0.24996613512425794
        + x * (0.19965304269007028 + x * (-0.16452879912193522 + x * (0.1342655930120732 + x * (-0.10124398604743033
        + x * (0.06400814503742765 + x * (-0.030172763289718765 + x * (0.00908106524418174
        + x * -0.0012806192989494067)))))))))))
