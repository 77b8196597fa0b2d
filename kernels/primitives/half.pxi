# What the formulas of half-precision arrays share: float32 arithmetic whose result is rounded once more, to 11 or 8
# digits. An error of 1.6 ULP of float32 moves a float16's by 0.0002 ULP, a bfloat16's by less, and so nothing here
# carries rounding errors. All ranges are those of bfloat16, which are float32's.
#
# The polynomials come from coefficients/half.py.

from libc.math cimport sqrtf
from libc.stdint cimport int32_t


cdef inline float power_if(bint scaled) noexcept nogil:
    """2**64 if a number is to be scaled, else 1."""
    return float32_of_bits(bits_of_float32(<float>18446744073709551616.0) if scaled else bits_of_float32(<float>1))


cdef inline float nan_of(float x, float y) noexcept nogil:
    """y, but NaN where x is."""
    return y if x == x else x


# 12583039 is the rounder of power_of_two(); with 64 more or less, the power is 2**64 times too big or too small, where
# e**x or its inverse may be subnormal.


cdef inline (float, float) half_reduced(float x, float rounder) noexcept nogil:
    """r of e**x = 2**n e**r, |r| <= ln2/2, and the sum of n and the rounder."""
    cdef float sum = fma(x, <float>1.442695, rounder)
    cdef float n = sum - rounder
    if HAS_FMA:
        return fma(-n, <float>0.6931472, x), sum
    return (x - n * <float>0.69314575) - n * <float>1.4286068e-06, sum


cdef inline float half_expm1(float r) noexcept nogil:
    """e**r - 1 for |r| <= ln2/2, where 1 is added to it."""
    cdef float s = r * r
    # remez half_exp: relative error of e**r 2**-23.17
    cdef float excess = (<float>0.4999923 + r * <float>0.16667114) + s * (<float>0.041890115 + r * <float>0.008312538)
    return fma(s, excess, r)


cdef inline float half_exact_expm1(float r) noexcept nogil:
    """e**r - 1 for |r| <= ln2/2."""
    cdef float s = r * r
    return fma(s, exp_excess(r, s), r)


cdef inline float half_expm1_of_negative(float a) noexcept nogil:
    """e**-a - 1 for 0 <= a <= 80."""
    cdef float r, sum, m
    r, sum = half_reduced(-a, <float>12583039.0)
    m = power_of_two(sum)
    return fma(m, half_exact_expm1(r), m - <float>1)


cdef inline float half_sigmoid(float a) noexcept nogil:
    """1 / (1 + e**a) for 0 <= a <= 104, both parts over 2**64."""
    cdef float r, sum, m
    r, sum = half_reduced(a, <float>12582975.0)
    m = power_of_two(sum)
    return <float>5.421011e-20 / fma(m, half_expm1(r), m + <float>5.421011e-20)


cdef inline float half_sigmoid_of_product(float a, float b, float b_low) noexcept nogil:
    """1 / (1 + 2**(a (b + b_low))) for 0 <= a b <= 190; for a processor with a fused multiply-add."""
    cdef float sum = fma(a, b, <float>12582975.0)
    cdef float f = fma(a, b_low, fma(a, b, -(sum - <float>12582975.0)))
    cdef float m = power_of_two(sum), s = f * f, ratio
    # remez half_exp2: relative error of 2**f 2**-23.14
    ratio = (<float>0.693147 + f * <float>0.24022242) + s * ((<float>0.055507336 + f * <float>0.009671513)
        + s * <float>0.0013264726)
    return <float>5.421011e-20 / fma(m * f, ratio, m + <float>5.421011e-20)


cdef inline float half_log1p_exp(float depth, float depth_low) noexcept nogil:
    """log(1 + e**-(depth + depth_low)) for 0 <= depth <= 131, times 2**64."""
    cdef float r, sum, m, power, e, s, ratio
    r, sum = half_reduced(-depth, <float>12583103.0)
    r = r - depth_low
    m = power_of_two(sum)
    power = fma(m, half_exact_expm1(r), m)
    e = power * <float>5.421011e-20
    s = e * e
    # remez half_log1p: relative error 2**-23.81
    ratio = ((<float>0.99999994 + e * <float>-0.49999493) + s * (<float>0.33319098 + e * <float>-0.24842986)) + (
        s * s) * ((<float>0.1910602 + e * <float>-0.1366327) + s * (<float>0.0782262 + e * <float>-0.029505366)
        + (s * s) * <float>0.00523272)
    return power * ratio


cdef inline float half_softplus_near(float z) noexcept nogil:
    """log(1 + e**z) for |z| <= 0.04, where the other form would not always rise."""
    return fma(fma(z, <float>0.125, <float>0.5), z, <float>0.6931472)
