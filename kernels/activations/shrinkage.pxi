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
        return copy_sign(<float>short_tanh_shrink(absolute(x)), x)
    else:
        return copy_sign(precise_tanh_shrink(absolute(x)), x)
    # float32 0.53 ULP, float64 1.85


cdef inline real tanh_shrink_derivative(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>tanh_shrink_derivative[double](x)
    y, y_low = tanh_in_parts(absolute(x))
    # (y + y_low)**2: the leading half's square is exact.
    return fma(y, y, y_low * (y + y + y_low))
    # float32 1.59 ULP, float64 1.62
