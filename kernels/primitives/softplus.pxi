# softplus, log(1 + e**z). float32 has it in two parts, of which only the sum is rounded as the result is; float64 has
# what depends on the exponential, for z <= 0.
#
# The polynomials come from coefficients/core.py.


cdef inline (float, float, float) softplus_far(float z, float depth_low) noexcept nogil:
    """log(1 + e**-(|z| + depth_low)) for |z| >= 0.75: two parts, and a power of two, 2**64 times too big, which is to
    multiply their sum; for a processor with a fused multiply-add."""
    cdef float depth, one, excess, r_low, sum, f, power, e, square, tail
    # Beyond 131 all is taken as it is at 131, where it is 0; so is NaN.
    depth = size_up_to(z, <float>131)
    # e**-depth is the power times one + excess.
    one, excess, r_low, sum = exp_parts32(-depth)
    f = one + excess
    excess = fma(r_low - depth_low, f, excess)
    power = power_of_two(sum)
    e = f * (power * <float>5.421011e-20)
    square = e * e
    # log(1 + e) = e + e**2 tail
    # remez softplus_tail: relative error 2**-27.3
    tail = <float>-0.49999964 + e * ((<float>0.33331403 + e * <float>-0.24963208)
        + square * ((<float>0.19660647 + e * <float>-0.14933583)
        + square * (<float>0.09076558 + e * <float>-0.029934678)))
    # f misses some of one + excess, and its square twice as much: roughly e times that is what e**2 tail misses.
    return one, fma(f * e, tail, fma(f - one - excess, e, excess)), power


cdef inline (float, float) softplus_near(float z, float shift) noexcept nogil:
    """log(1 + e**z) + shift in two parts, for |z| < 0.75, if log 2 were a float32."""
    # Here the other form falls by an ULP between some neighbours. In this one, log 2 + z / 2 + z**2 bend, all that is
    # rounded twice grows with z**2.
    cdef float square = z * z, bend
    cdef float high = fma(z, <float>0.5, <float>0.6931472)
    # remez softplus_bend: relative error 2**-29.7
    bend = <float>0.124999985 + square * (<float>-0.005208082 + square * (<float>0.0003459093
        + square * <float>-2.3580089e-05))
    return high, fma(square, bend, fma(z, <float>0.5, <float>0.6931472 - high) + shift)


cdef inline float softplus_float32(float x, float beta) noexcept nogil:
    """log(1 + e**(beta x)) / beta, for a processor with a fused multiply-add."""
    cdef float z = x * beta, z_low, high, low, power, near, near_low, inverse, rest
    # Divided by a beta near 0, what softplus_far takes as 0 might not be.
    cdef bint far = absolute(z) > <float>131
    z_low = <float>0 if far else fma(x, beta, -z)
    high, low, power = softplus_far(z, float32_of_bits(bits_of_float32(z_low) ^ (bits_of_float32(z) & 0x80000000U)))
    near, near_low = softplus_near(z, fma(z_low, fma(z, <float>0.25, <float>0.5), <float>-1.9046542e-09))
    high = near if absolute(z) < <float>0.75 else high
    low = near_low if absolute(z) < <float>0.75 else low
    power = <float>18446744073709551616.0 if absolute(z) < <float>0.75 else power
    inverse = <float>0 if far else <float>1 / beta
    rest = fma(low, inverse, high * (inverse * fma(-beta, inverse, <float>1)))
    # Where beta or its inverse is infinite, there is no rest.
    high = fma(high, inverse, rest if absolute(rest) < <float>INFINITY else <float>0)
    return fma(high * power, <float>5.421011e-20, <float>0 if z < <float>0.75 else x)


cdef inline float softplus_float32_at_1(float x, float sign) noexcept nogil:
    """sign * log(1 + e**x), the sign 1 or -1, for a processor with a fused multiply-add."""
    cdef float high, low, power, near, near_low
    high, low, power = softplus_far(x, <float>0)
    near, near_low = softplus_near(x, <float>-1.9046542e-09)
    # The power may be subnormal, but is exact until it has less than half of the smallest number.
    high = fma(high + low, power * (sign * <float>5.421011e-20), sign * (<float>0 if x < 0 else x))
    return sign * (near + near_low) if absolute(x) < <float>0.75 else high


cdef inline double log1p_of_exp(double x, double x_low) noexcept nogil:
    """log(1 + e**(x + x_low)) for x <= 0, to float64's accuracy."""
    cdef double sum, n, r, p, high, low, m, e, e_low, half, f, z, s
    # e**x = m e**r = m (e + e_low); m in two factors, for the last of e**x are subnormal.
    sum = 1.4426950408889634 * x + 6755399441057215.0
    n = sum - 6755399441057215.0
    r = (x - n * 0.6931471805598903) - (n * 5.497923018708371e-14 - x_low)
    # remez exp64: relative error of e**r 2**-60.3
    p = 0.5 + r * (0.16666666666666682 + r * (0.041666666666666095 + r * (0.008333333333317046
        + r * (0.001388888888911549 + r * (0.00019841269896352722 + r * (2.4801586926781873e-05
        + r * (2.755723489383747e-06 + r * (2.7557581802646767e-07 + r * (2.5112025447325152e-08
        + r * 2.082662022581899e-09)))))))))
    high = 1.0 + r
    low = (r - (high - 1.0)) + r * r * p
    e = high + low
    e_low = low - (e - high)
    m = power_of_two(sum)
    e = e * m * 1.3758210268297398e-135
    e_low = e_low * m * 1.3758210268297398e-135
    # log(1 + e), where e > 1/2 as ln2 + log(1 + f) with 1 + f = (1 + e) / 2, an exact f.
    half = 0.5 if e > 0.5 else 0.0
    f = (e - half * e) - half
    e_low = e_low - half * e_low
    # log(1 + f) = 2 atanh z = f - z (f - s P(s)), z = f / (2 + f), s = z**2: as in fdlibm.
    z = f / (2.0 + f)
    s = z * z
    # remez log1p64: relative error of the logarithm 2**-61.1
    p = 0.666666666666666 + s * (0.4000000000005571 + s * (0.2857142855605788 + s * (0.2222222427099321
        + s * (0.18181667374496724 + s * (0.15391063805070546 + s * (0.13174396541752595 + s * 0.1383771513355702))))))
    f = f + (e_low - z * (f - s * p) + half * 1.0995846037416742e-13)
    return 0.0 if x < -748.0 else half * 1.3862943611197807 + f
