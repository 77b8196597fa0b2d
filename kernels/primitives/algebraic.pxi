# What the piecewise, exponential and algebraic activations share beyond core.pxi.
#
# Choices stand one after the other, not inside each other, and where two would tell the same about x, one of them asks
# |x|: the compiler takes nested or related choices apart, and makes masked moves of all their combinations.

from libc.math cimport INFINITY, NAN, sqrt, sqrtf


cdef inline real clip(real x, real low, real high) noexcept nogil:
    """x kept within low and high; NaN stays NaN."""
    x = low if x < low else x
    return high if x > high else x


cdef inline real clip_evenly(real x, real limit) noexcept nogil:
    """x kept within -limit and limit; NaN stays NaN."""
    cdef real a = absolute(x)
    return copy_sign(limit if a > limit else a, x)


cdef inline real sum_error(real a, real b, real sum) noexcept nogil:
    """a + b - sum, exactly, for the rounded sum (Knuth 1969)."""
    cdef real b_part = sum - a
    return (a - (sum - b_part)) + (b - b_part)


cdef inline (real, real) sixth_of_sum(real x, real shift) noexcept nogil:
    """(x + shift) / 6 in two parts, for |x| <= shift."""
    cdef real sixth, sixth_low, sum, y, excess
    sum = shift + x
    if real is float:
        sixth, sixth_low = <float>0.16666667, <float>-4.967054e-09
        y = sum * sixth
        excess = fma(sum, -sixth, y)
    else:
        sixth, sixth_low = 0.16666666666666666, 9.25185853854297e-18
        y = sum * sixth
        excess = product_excess(sum, sixth, y)
    return y, fma(x - (sum - shift), sixth, fma(sum, sixth_low, -excess))


# To float32's accuracy, in float64.


cdef inline double short_expm1(double x) noexcept nogil:
    """e**x - 1 for |x| <= 700."""
    cdef double sum = 1.4426950408889634 * x + 6755399441056767.0
    cdef double r = x - (sum - 6755399441056767.0) * 0.6931471805599453
    cdef double m = power_of_two(sum)
    # remez short_expm1: relative error 2**-32.0
    r = r * (1.0000000000311966 + r * (0.5000000046651902 + r * (0.16666666249458012 + r * (0.04166635444665167
        + r * (0.008333402932372216 + r * (0.001394100525425781 + r * 0.00019841234776489864))))))
    return m * r + (m - 1.0)


# To float64's accuracy. Results in two parts, of which the second is the first one's rounding error, let a factor be
# applied with one rounding in all.


cdef inline (double, double) expm1_reduced(double x, double x_low, double n) noexcept nogil:
    """e**r - 1 in two parts, for r = x + x_low - n ln2, |r| <= ln2/2."""
    cdef double high = x - n * 0.6931471805598903    # exact: the constant is short
    cdef double low = n * 5.497923018708371e-14 - x_low
    cdef double r = high - low
    cdef double r_low = (high - r) - low
    cdef double p, tail
    # remez expm1_64: relative error 2**-59.9
    p = 0.5 + r * (0.16666666666666677 + r * (0.04166666666666651 + r * (0.0083333333333217
        + r * (0.0013888888888962361 + r * (0.00019841269885939383 + r * (2.4801587172523343e-05
        + r * (2.755724440360028e-06 + r * (2.755740268108055e-07 + r * (2.510896775825976e-08
        + r * 2.0875310578868355e-09)))))))))
    tail = r_low + r * r * p
    p = r + tail
    return p, tail - (p - r)


cdef inline (double, double) expm1_in_units(double x, double x_low, double unit, double rounder) noexcept nogil:
    """unit * (e**(x + x_low) - 1) in two parts; the rounder's lowest bits hold the unit's exponent."""
    cdef double sum, m, base, p, p_low, y
    sum = 1.4426950408889634 * x + rounder
    p, p_low = expm1_reduced(x, x_low, sum - rounder)
    m = power_of_two(sum)
    base = m - unit
    y = base + m * p
    return y, (m * p - (y - base)) + m * p_low


cdef inline (double, double) expm1_of_negative(double x) noexcept nogil:
    """e**x - 1 in two parts, for x <= 0."""
    return expm1_in_units(-50.0 if x < -50.0 else x, 0.0, 1.0, 6755399441056767.0)


cdef inline double times_expm1(double factor, double x, double x_low) noexcept nogil:
    """factor * (e**(x + x_low) - 1)."""
    # Far up, in units of 2**512: the factor may bring back what would overflow.
    cdef double y, y_low
    cdef double unit = 7.458340731200207e-155 if x > 500.0 else 1.0
    cdef double per_unit = 1.3407807929942597e+154 if x > 500.0 else 1.0
    cdef double rounder = 6755399441056255.0 if x > 500.0 else 6755399441056767.0
    y, y_low = expm1_in_units(clip(x, -50.0, 1060.0), x_low, unit, rounder)
    return fma(factor, y, factor * y_low) * per_unit


cdef inline double times_exp(double factor, double x, double x_low) noexcept nogil:
    """factor * e**(x + x_low)."""
    # In units of 2**-512 or 2**512: neither a subnormal nor an infinity loses the digits on the way.
    cdef double sum, m, p, p_low, high
    cdef double per_unit = 7.458340731200207e-155 if x < 0.0 else 1.3407807929942597e+154
    cdef double rounder = 6755399441057279.0 if x < 0.0 else 6755399441056255.0
    x = clip_evenly(x, 1060.0)
    sum = 1.4426950408889634 * x + rounder
    p, p_low = expm1_reduced(x, x_low, sum - rounder)
    m = power_of_two(sum)
    high = 1.0 + p
    return fma(factor, m * high, factor * (m * ((p - (high - 1.0)) + p_low))) * per_unit


cdef inline double times_exp_of_negative(double factor, double x) noexcept nogil:
    """factor * e**x for x <= 0, |factor| < 2**511."""
    cdef double sum, m, p, p_low, high
    # In units of 2**-512, so that the last e**x are no subnormals before they are rounded.
    x = -1060.0 if x < -1060.0 else x
    sum = 1.4426950408889634 * x + 6755399441057279.0
    p, p_low = expm1_reduced(x, 0.0, sum - 6755399441057279.0)
    m = power_of_two(sum)
    high = 1.0 + p
    return fma(factor, m * high, factor * (m * ((p - (high - 1.0)) + p_low))) * 7.458340731200207e-155


cdef inline (double, double) quotient_in_parts(double x, double y) noexcept nogil:
    """x / y and its rounding error, or 0 where that is beyond reach."""
    cdef double quotient = x / y
    cdef double product = quotient * y
    cdef double rest = ((x - product) + product_excess(quotient, y, product)) / y
    return quotient, (rest if absolute(rest) < 1.0 else 0.0)


cdef inline float times_expm1_of_negative32(float factor, float x) noexcept nogil:
    """factor * (e**x - 1) for x <= 0, for a processor with a fused multiply-add."""
    # e**x - 1 = (m - 1) + m r + m (e**r - 1 - r), all times the factor. From the first to the last, each rounding goes
    # into a low part. Beyond -20 all is as at -20; what ln2 has beyond 24 digits, times n, does not count beside m - 1.
    cdef float clamped, sum, n, r, square, scaled, base, base_low, high, low
    clamped = <float>-20 if x < <float>-20 else x
    sum = fma(clamped, <float>1.442695, <float>12583039.0)
    n = sum - <float>12583039.0
    r = fma(-n, <float>0.6931472, clamped)
    square = r * r
    scaled = factor * power_of_two(sum)
    base = scaled - factor
    base_low = scaled - (base + factor)
    high = fma(scaled, r, base)
    low = fma(scaled, r, base - high) + base_low
    return high + fma(scaled * square, exp_excess(r, square), low)


# squareplus for float32, with a fused multiply-add. Its root and its quotient are corrected by what they leave; that
# takes but a rough inverse, which the bits of a number give within 12 %: exponent and, roughly, the logarithm of the
# mantissa change sign.


cdef inline (float, float, float, float, float, float) scaled_root_and_sum(float x, float b) noexcept nogil:
    """For x >= 0: s = sqrt(x**2 + b) and its rest, t = x + s and its rest, all times a power of two k that brings the
    larger one of x and sqrt b near 1, then k, and 1 / (2k)."""
    # Half the bits of b are roughly those of its root; and 2**-124 keeps 1 / (2k) normal.
    cdef uint32_t root = (bits_of_float32(b) >> 1) + 0x1fc00000U, size = bits_of_float32(x), exponent
    cdef float k, square_b, s, s_low, t
    root = 0x01800000U if b == 0 else root
    size = root if root > size else size
    exponent = size & 0x7f800000U
    k = float32_of_bits(0x7f800000U - exponent)
    x = x * k
    square_b = b * k * k
    s = sqrtf(fma(x, x, square_b))
    # Exact where b is the larger part. Where x**2 is, its rounding counts half in t.
    s_low = fma(x, x, fma(-s, s, square_b)) * float32_of_bits(0x7e7311c7U - bits_of_float32(s))
    t = s + x
    return s, s_low, t, (x - (t - s)) + s_low, k, float32_of_bits(exponent - 0x01000000U)


cdef inline float roughly_corrected(float quotient, float n, float d, float d_low) noexcept nogil:
    """n / (d + d_low), given n / d rounded."""
    cdef float rest = fma(-quotient, d_low, fma(-quotient, d, n))
    return fma(rest, float32_of_bits(0x7ef127eaU - bits_of_float32(d)), quotient)


cdef inline float squareplus_float32(float x, float b) noexcept nogil:
    cdef float a = absolute(x), s, s_low, t, t_low, k, half_per_k, scaled_b, y
    s, s_low, t, t_low, k, half_per_k = scaled_root_and_sum(a, b)
    scaled_b = b * k
    y = <float>0.5 * roughly_corrected(scaled_b / t, scaled_b, t, t_low)
    y = y if x < 0 else (t + t_low) * half_per_k
    # Infinities have no power of two.
    return y if a < <float>INFINITY else (<float>0 if x < 0 else x)


cdef inline float squareplus_derivative_float32(float x, float b) noexcept nogil:
    # y = b / (2 s t) below 0, and 1 - y above.
    cdef float a = absolute(x), s, s_low, t, t_low, k, half_per_k, scaled_b, product, product_low, y
    a = <float>3.4028235e38 if a > <float>3.4028235e38 else a
    s, s_low, t, t_low, k, half_per_k = scaled_root_and_sum(a, b)
    scaled_b = b * k * k
    product = s * t
    product_low = fma(s, t_low, fma(t, s_low, fma(s, t, -product)))
    y = <float>0.5 * roughly_corrected(scaled_b / product, scaled_b, product, product_low)
    y = y if x < 0 else <float>1 - y
    # Nothing is left to divide where x = b = 0; and NaN is not > 0 either.
    return y if s > 0 else <float>0.5 + x


cdef inline (double, double) root_scale(double x, double b) noexcept nogil:
    """A power of two k that brings x and sqrt b near 1, where no square overflows or loses digits, and 1 / (2k)."""
    # Half the bits of b are roughly those of its root. The exponent is arithmetic, for GCC 12 takes chained choices of
    # constants apart, lane by lane.
    cdef double root = float64_of_bits((bits_of_float64(b) >> 1) + 0x1ff8000000000000ULL)
    cdef double size = x
    cdef uint64_t exponent
    root = 1e-290 if b == 0.0 else root
    size = root if size < root else size
    size = 1e-290 if size < 1e-290 else size
    exponent = bits_of_float64(size) & 0x7ff0000000000000ULL
    return float64_of_bits(0x7ff0000000000000ULL - exponent), float64_of_bits(exponent - 0x0020000000000000ULL)


cdef inline (double, double, double, double, double) root_and_sum(double x, double b) noexcept nogil:
    """s = sqrt(x**2 + b) and t = x + s, each in two parts, and 1 / (s t)."""
    cdef double square = x * x
    cdef double h = square + b
    cdef double s = sqrt(h)
    cdef double t = x + s
    cdef double again = s * s
    cdef double inverse = 1.0 / (s * t)
    cdef double rest = (((h - again) + product_excess(s, s, again))
                        + (sum_error(square, b, h) - product_excess(x, x, square)))
    cdef double s_low = 0.5 * rest * (t * inverse)
    return s, s_low, t, sum_error(s, x, t) + s_low, inverse


cdef inline double corrected_quotient(double n, double n_low, double d, double d_low, double inverse) noexcept nogil:
    """(n + n_low) / (d + d_low), given 1 / d roughly."""
    cdef double q = n * inverse
    cdef double product = q * d
    return q + (((n - product) + product_excess(q, d, product)) + (n_low - q * d_low)) * inverse


# The logarithm of odds p / (1 - p) = 2**k a / b: with k chosen so that a / b is near 1, it is k ln2 + 2 atanh z,
# z = (a - b) / (a + b). Where p is near 1/2, k = 0 and a - b = 2p - 1, a + b = 1, all exact. The difference of two
# numbers' bits is nearly that of their logarithms (Mitchell 1962): rounded to a whole exponent, it leaves a / b within
# 2/3 and 3/2.


cdef inline (double, double) match_exponents(double a, double b) noexcept nogil:
    """k, and a / 2**k, within 2/3 and 3/2 of b, for normal numbers."""
    cdef uint64_t biased = (bits_of_float64(a) - bits_of_float64(b) + 0x3ff8000000000000ULL) >> 52
    # 2**52 + biased stands in the bits as in an integer.
    return (float64_of_bits(biased | 0x4330000000000000ULL) - 4503599627371519.0,
            a * float64_of_bits((2046 - biased) << 52))


cdef inline double short_log_odds(double p) noexcept nogil:
    """log(p / (1 - p)) for 2**-1000 < p < 1, to float32's accuracy."""
    cdef double b = 1.0 - p, k, a, z, s
    k, a = match_exponents(p, b)
    z = (a - b) / (a + b)
    s = z * z
    # remez short_atanh: relative error 2**-28.4
    s = s * (0.6666694629996052 + s * (0.3995790985156208 + s * 0.30359058880317935))
    return k * 0.6931471805599453 + (z + z + z * s)


cdef inline float log_odds_float32(float p) noexcept nogil:
    """log(p / (1 - p)) for 0 < p < 1, for a processor with a fused multiply-add."""
    # 2**32 p is no subnormal; 159 then stands for k = 0, which serves from 1/4 to 3/4, where z = 2p - 1 is exact.
    cdef float b = <float>1 - p, b_excess = (<float>1 - b) - p, lifted = p * <float>4294967296.0
    cdef float k, a, n, d, z, s, t, low
    cdef uint32_t biased = (bits_of_float32(lifted) - bits_of_float32(b) + 0x3fc00000U) >> 23
    biased = 159 if absolute(p - <float>0.5) <= <float>0.25 else biased
    # 2**23 + biased stands in the bits as in an integer.
    k = float32_of_bits(biased | 0x4b000000U) - <float>8388767.0
    a = lifted * float32_of_bits((254 - biased) << 23)
    n = (a - b) - b_excess
    d = a + b
    z = n / d
    s = z * z
    # remez atanh32: relative error 2**-27.6
    t = <float>0.66666603 + s * (<float>0.40005037 + s * (<float>0.28445524 + s * (<float>0.23647472
        + s * (<float>0.102715924 + s * <float>0.35338324))))
    low = fma(z * s, t, k * <float>-1.9046542e-09)
    # What the quotient leaves, twice, over d: see roughly_corrected.
    low = fma(fma(-z, d, n), float32_of_bits(0x7f7127eaU - bits_of_float32(d)), low)
    return fma(k, <float>0.6931472, fma(<float>2, z, low))


cdef inline double log_odds(double p) noexcept nogil:
    """log(p / (1 - p)) for 0 < p < 1."""
    cdef double b = 1.0 - p, b_low = (1.0 - b) - p
    # A subnormal has no exponent to match.
    cdef double lift = 1.3407807929942597e+154 if p < 1e-300 else 1.0
    cdef double lifted = 512.0 if p < 1e-300 else 0.0
    cdef double k, a, numerator, denominator, rest, r, z, z_low, s, t, high, y
    k, a = match_exponents(p * lift, b)
    k -= lifted
    numerator = a - b
    denominator = a + b
    r = 1.0 / denominator
    z = (numerator - b_low) * r
    rest = z * denominator
    # What z misses: the quotient's own rounding, and those of both its parts.
    rest = (((numerator - rest) + product_excess(z, denominator, rest)) - b_low
            - z * (sum_error(a, b, denominator) + b_low))
    z_low = rest * r
    s = z * z
    # remez atanh64: relative error 2**-60.0
    t = s * (0.6666666666666666 + s * (0.3999999999999922 + s * (0.2857142857169748 + s * (0.2222222217688246
        + s * (0.18181822500640238 + s * (0.1538436743875559 + s * (0.13342071187010257 + s * (0.11580471585271009
        + s * 0.12635293486969457))))))))
    high = k * 0.6931471805598903
    y = high + (z + z)
    return y + (((high - y) + (z + z)) + (k * 5.497923018708371e-14 + (z_low + z_low) + z * t))


cdef inline (real, real) tanh_in_parts(real x) noexcept nogil:
    """tanh x for x >= 0 as the sum of a number with half the digits and a smaller rest (see tanh_of_positive)."""
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
    w = coth_series(u)
    m = power_of_two(sum)
    b = m + <real>1
    a = b - <real>2
    q = leading_half(rough_tanh(x))
    c = fma(-q, b, a)
    d = fma(-q, a, b)
    rest = fma(w, c, fma(d, u, c))
    if real is double:
        rest = fma(d, u_low, rest)
    rest = rest / fma(b, w, fma(a, u, b))
    return (<real>1 if x > limit else q), (<real>0 if x > limit else rest)
