# What moves its argument towards 0.
# Under each formula that rounds stands the largest error measured: over every 43rd float32 input, with default
# parameters, and over a sample of float64.


cdef inline real hard_shrink(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else x


cdef inline real hard_shrink_derivative(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else (1 if x == x else x)


cdef inline real soft_shrink(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else copy_sign(absolute(x) - threshold, x)
    # float32 0.50 ULP, float64 0.50


cdef inline real soft_shrink_derivative(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else (1 if x == x else x)


cdef inline double short_tanh_shrink(double x) noexcept nogil:
    """x - tanh x for x >= 0, to float32's accuracy."""
    cdef double s = x * x, near
    # remez tanh_shrink32: relative error 2**-31.0
    near = 0.33333333318383307 + s * (-0.13333330903868426 + s * (0.053967597597278184 + s * (-0.02186258252382402
        + s * (0.008826278081045778 + s * (-0.0034784451012094815 + s * (0.001242226211691975
        + s * (-0.00033773180894065065 + s * 4.8477549969699065e-05)))))))
    return x * s * near if x < 1.0 else (x - 1.0) + 2.0 / (1.0 + short_exp(30.0 if x > 15.0 else x + x))


cdef inline float tanh_shrink_float32(float x) noexcept nogil:
    """x - tanh x, for a processor with a fused multiply-add."""
    cdef float a = absolute(x), lowered, clamped, sum, n, u, m, above, below, q, c, d, w, far
    cdef float square, third, third_low, first, p, near
    # Far from 0, tanh's leading half is taken away first, which is exact, and then its rest (see tanh_of_positive).
    # Beyond 9.02 that is 0 as it is there, and from 2 on the leading half is 1. It is right to 1 % up to 1, where the
    # rest counts.
    lowered = size_up_to(x, <float>2)
    clamped = size_up_to(x, <float>9.01953125)
    sum = fma(clamped, <float>2.88539, <float>12583039.0)
    n = sum - <float>12583039.0
    u = fma(-n, <float>0.3465736, clamped)
    m = power_of_two(sum)
    above = m + <float>1
    below = above - <float>2
    q = leading_half(fma(lowered, fma(lowered, <float>-0.21875, <float>0.890625), <float>0.09375))
    c = fma(-q, above, below)
    d = fma(-q, below, above)
    w = coth_series(u)
    far = (a - q) - fma(w, c, fma(d, u, c)) / fma(above, w, fma(below, u, above))
    # Near 0, x (x**2 / 3 + x**2 p), where x**2 / 3 has two parts.
    square = a * a
    third = square * <float>0.33333334
    third_low = fma(fma(a, a, -square), <float>0.33333334, fma(square, <float>0.33333334, -third))
    # remez tanh_shrink_near: relative error 2**-27.8
    first, p = <float>-0.13333319, (<float>0.05396257 + square * (<float>-0.021795047
        + square * (<float>0.008429383 + square * <float>-0.0023908673)))
    # The last number is what 1/3 has beyond 24 digits.
    p = fma(square, fma(square, p, first), <float>-9.934108e-09)
    near = fma(a, third, a * fma(square, p, third_low))
    return copy_sign(near if a < <float>0.5985 else far, x)


cdef inline double precise_tanh_shrink(double x) noexcept nogil:
    """x - tanh x for x >= 0, to float64's accuracy."""
    cdef double s = x * x, t, y, y_low, excess, near, far
    # Near 0, x**3 / 3 + x**5 t(x**2), where the difference would cancel.
    # remez tanh_shrink64: relative error 2**-55.4
    t = s * (-0.13333333333333325 + s * (0.05396825396824285 + s * (-0.02186948853559959
        + s * (0.008863235515834683 + s * (-0.003592127824725047 + s * (0.001455832314205407
        + s * (-0.000590013536804199 + s * (0.00023906300887760026 + s * (-9.668818555479361e-05
        + s * (3.870861224969483e-05 + s * (-1.4876114552450766e-05 + s * (5.068842459774713e-06
        + s * (-1.3036730581954418e-06 + s * 1.797179103427265e-07)))))))))))))
    y = s * 0.3333333333333333
    y_low = (s * (1.850371707708594e-17 + t) - product_excess(s, 0.3333333333333333, y)
             - product_excess(x, x, s) * 0.3333333333333333)
    t = x * y
    excess = product_excess(x, y, t)
    near = t + (x * y_low - (0.0 if t < 1e-290 else excess))    # so near 0, the excess has no digits left
    # Farther out, tanh's leading half is taken away first, which is nearly always exact.
    y, y_low = tanh_in_parts(x)
    s = x - y
    far = s + (((x - s) - y) - y_low)
    return near if x < 0.8 else (far if x < 1e6 else x - 1.0)


cdef inline real tanh_shrink(real x) noexcept nogil:
    if real is float:
        if HAS_FMA:
            return tanh_shrink_float32(x)
        return copy_sign(<float>short_tanh_shrink(absolute(x)), x)
    else:
        return copy_sign(precise_tanh_shrink(absolute(x)), x)
    # float32 1.00 ULP, float64 1.85


cdef inline real tanh_shrink_derivative(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>tanh_shrink_derivative[double](x)
    y, y_low = tanh_in_parts(absolute(x))
    # (y + y_low)**2: the leading half's square is exact.
    return fma(y, y, y_low * (y + y + y_low))
    # float32 1.59 ULP, float64 1.62
