# The arithmetic that the activations share: bits, powers of two, and the cores of tanh and sigmoid. Every
# function is branch-free, so that the compiler vectorises a loop over it whole.
#
# Three habits keep it so. A constant in float32 code is written <real>0.5 or <float>0.5: a bare one is a double. fma()
# stands where a formula lives on the single rounding, a + b * c where it does not matter. And float64 arithmetic may
# serve a float32 result: it costs twice the instructions, and saves those that would carry rounding errors.
#
# The polynomials come from coefficients/core.py, which also checks them here, by the name after `remez`.

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


cdef inline float size_up_to(float x, float bound) noexcept nogil:
    """min(|x|, bound); NaN becomes the bound: the smaller of two bit patterns is one instruction."""
    cdef uint32_t size = bits_of_float32(absolute(x)), limit = bits_of_float32(bound)
    return float32_of_bits(size if size < limit else limit)


cdef inline float magnitude_up_to(float x, float limit) noexcept nogil:
    """The smaller of |x| and a limit > 0; NaN stays NaN."""
    # Counted from the first bits of NaN on, those of numbers come after all others. A choice between floats would take
    # longer, for which GCC compares and selects.
    cdef uint32_t bits = (bits_of_float32(x) & 0x7fffffffU) - 0x7f800001U
    cdef uint32_t limit_bits = bits_of_float32(limit) - 0x7f800001U
    return float32_of_bits((bits if bits < limit_bits else limit_bits) + 0x7f800001U)


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


cdef inline double product_excess(double a, double b, double product) noexcept nogil:
    """By how much the rounded product exceeds a b (Dekker 1971, where there is no fused multiply-add)."""
    if HAS_FMA:
        return fma(-a, b, product)
    cdef double a_high = leading_half(a), b_high = leading_half(b)
    cdef double a_low = a - a_high, b_low = b - b_high
    return product - a_high * b_high - a_high * b_low - a_low * b_high - a_low * b_low


# Powers of two. Adding 1.5 * 2**(digits - 1) to a number rounds it to an integer n, for the sum has no digits below the
# unit, and n stands in the sum's lowest bits. If what is added, the rounder, also holds an exponent's bias, those bits,
# shifted up to where the exponent is, are 2**n. So 12583039 is 1.5 * 2**23 + 127; with 56 more it makes 2**(n + 56).
# 6755399441056767 is 1.5 * 2**52 + 1023; with 448 more it makes 2**(n + 448).


cdef inline real power_of_two(real sum) noexcept nogil:
    """2**n, from the sum of n and the rounder."""
    if real is float:
        return float32_of_bits(bits_of_float32(sum) << 23)
    else:
        return float64_of_bits(bits_of_float64(sum) << 52)


# tanh and sigmoid are quotients in e**(2y). With y = n ln2/2 + u, |u| <= ln2/4, m = 2**n and W = u coth u,
#     e**(2y) = m (W + u) / (W - u),    tanh y = ((m - 1) W + (m + 1) u) / ((m + 1) W + (m - 1) u),
# where W is 1 plus a small even series w, which takes fewer terms than e**u or tanh u. A rough q with half the digits
# is put in place of the quotient. Its products with the powers of two are exact, so that what it leaves of the
# numerator, rest = numerator - q * denominator, is known to all its digits; and as q is right to 6 % (tanh) or 11 %
# (sigmoid), the roundings in rest / denominator count no more than that. As q needs no division, the loop waits less,
# which is bound by how many instructions the processor can hold that wait for another's result. Without a fused
# multiply-add some digits of the rest are lost; float32 then goes through float64, which can afford it.


cdef inline (real, real) reduce_by_half_ln2(real y, real n) noexcept nogil:
    """u and its rounding error u_low: y - n ln2/2 = u + u_low."""
    cdef real high, u
    if real is float:
        # float32's ln2/2 is 20 digits long, so that u is exact; what it differs from ln2/2 is the error.
        return fma(-n, <float>0.3465736, y), n * <float>9.523271e-10
    else:
        # The first part of ln2/2 is short enough for its product with n to be exact (Cody and Waite 1980).
        high = fma(-n, 0.34657359027994517, y)
        u = fma(-n, 2.7489615093541856e-14, high)
        return u, fma(-n, 2.7489615093541856e-14, high - u)


cdef inline real coth_series(real u) noexcept nogil:
    """w = u coth u - 1."""
    cdef real s = u * u
    if real is float:
        # remez coth32: relative error of W 2**-28.6
        return s * (<float>0.3333325 + s * <float>-0.02213411)
    else:
        # remez coth64: relative error of W 2**-59.7
        return s * (0.33333333333333204 + s * (-0.022222222221614064 + s * (0.002116402023042511
            + s * (-0.00021163395600638267 + s * 2.118737198504276e-05))))


cdef inline real rough_exp(real x, real rounder) noexcept nogil:
    """e**x within 3 %, times the power of two in the rounder: x / ln2 in the exponent, its fraction in the mantissa."""
    # Schraudolph 1999; the rounder keeps 8 (20) binary places.
    if real is float:
        return float32_of_bits(bits_of_float32(fma(x, <float>1.442695, rounder)) << 15)
    else:
        return float64_of_bits(bits_of_float64(fma(x, 1.4426950408889634, rounder)) << 32)


cdef inline real rough_tanh(real x) noexcept nogil:
    """x - x**2 / 4, from x = 2 on 1: within 6 % of tanh x for x >= 0."""
    # The smaller of two numbers >= 0 is the one with the smaller bits: one instruction, where floats take two.
    cdef uint32_t bits32
    cdef uint64_t bits64
    if real is float:
        bits32 = bits_of_float32(x)
        x = float32_of_bits(bits32 if bits32 < 0x40000000U else 0x40000000U)
    else:
        bits64 = bits_of_float64(x)
        x = float64_of_bits(bits64 if bits64 < 0x4000000000000000ULL else 0x4000000000000000ULL)
    return x - <real>0.25 * x * x


cdef inline real tanh_of_positive(real x) noexcept nogil:
    """tanh x for x >= 0."""
    cdef real sum, n, limit, u, u_low, w, m, a, b, q, c, d, rest
    if real is float:
        limit = <float>9.02
        sum = fma(x, <float>2.88539, <float>12583039.0)
        n = sum - <float>12583039.0
    else:
        limit = 19.1
        sum = fma(x, 2.8853900817779268, 6755399441056767.0)
        n = sum - 6755399441056767.0
    u, u_low = reduce_by_half_ln2(x, n)
    m = power_of_two(sum)
    # Where m + 1 is rounded, m - 1 must differ from it by 2 all the same.
    b = m + <real>1
    a = b - <real>2
    q = leading_half(rough_tanh(x))
    # numerator - q * denominator = c W + d u
    c = fma(-q, b, a)
    d = fma(-q, a, b)
    w = coth_series(u)
    rest = fma(w, c, fma(d, u, c))
    if real is double:
        rest = fma(d, u_low, rest)
    return <real>1 if x > limit else q + rest / fma(b, w, fma(a, u, b))


cdef inline real sigmoid_of_negative(real x, real gain) noexcept nogil:
    """gain / (1 + e**-x) for x <= 0, down to the smallest subnormal; the gain is a power of two."""
    cdef real big, limit, sum, n, u, u_low, w, m, g, a, b, e, q, scaled_q, c, d, rest
    # Numerator and denominator are 2**56 (2**448) times too big, so that none of their parts underflows.
    if real is float:
        big, limit = <float>72057594037927936.0, <float>-106.0
        sum = fma(x, <float>1.442695, <float>12583095.0)
        n = sum - <float>12583095.0
        e = rough_exp(x, <float>49334.957)
    else:
        big, limit = 7.268387242956069e+134, -748.0
        sum = fma(x, 1.4426950408889634, 6755399441057215.0)
        n = sum - 6755399441057215.0
        e = rough_exp(x, 6442452414.9564)
    u, u_low = reduce_by_half_ln2(<real>0.5 * x, n)
    m = power_of_two(sum)
    g = m * gain
    a = big - m
    b = big + m
    # 1 / (1 + e) is 0.961 - 0.48 e, within 8 %.
    q = leading_half(e * (<real>0.961 * gain / big - <real>0.48 * gain / big / big * e))
    scaled_q = q * big
    # numerator - q * denominator = c W + d u
    c = fma(-q, m, g - scaled_q)
    d = fma(-q, m, g + scaled_q)
    w = coth_series(u)
    rest = fma(w, c, fma(d, u + u_low, c))
    return <real>0 if x < limit else q + rest / fma(b, w, fma(-a, u, b))


# To float32's accuracy, in float64 arithmetic.


cdef inline double short_exp(double x) noexcept nogil:
    """e**x for |x| <= 700, to float32's accuracy."""
    cdef double sum = 1.4426950408889634 * x + 6755399441056767.0
    cdef double r = x - (sum - 6755399441056767.0) * 0.6931471805599453
    # remez short_exp: relative error of e**r 2**-28.9
    r = 1 + r * (1.00000003216356 + r * (0.49999994208152626 + r * (0.16666431264754894 + r * (0.04166800225862507
        + r * (0.00837415527493478 + r * 0.0013843641464150683)))))
    return power_of_two(sum) * r


cdef inline double short_log1p(double x) noexcept nogil:
    """log(1 + x) for 0 <= x <= 1, to float32's accuracy."""
    # remez short_log1p: relative error 2**-33.0
    return x * (0.9999999998820471 + x * (-0.4999999650106145 + x * (0.33333160250529276 + x * (-0.24996613512425794
        + x * (0.19965304269007028 + x * (-0.16452879912193522 + x * (0.1342655930120732 + x * (-0.10124398604743033
        + x * (0.06400814503742765 + x * (-0.030172763289718765 + x * (0.00908106524418174
        + x * -0.0012806192989494067)))))))))))
