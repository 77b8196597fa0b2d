# What moves its argument towards 0.


cdef inline real hard_shrink(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else x


cdef inline real hard_shrink_derivative(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else (1 if x == x else x)


cdef inline real soft_shrink(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else copy_sign(absolute(x) - threshold, x)


cdef inline real soft_shrink_derivative(real x, real threshold) noexcept nogil:
    return 0 if absolute(x) <= threshold else (1 if x == x else x)


cdef inline real tanh_shrink(real x) noexcept nogil:
    cdef real y, y_low, s, t, near, far, a, third, third_low, excess, s_excess
    if real is float:
        if not HAS_FMA:
            return <float>tanh_shrink[double](x)
    a = absolute(x)
    # Near 0, x**3 / 3 + x**5 t(x**2), where the difference would cancel.
    s = a * a
    if real is float:
        third, third_low = <float>0.33333334, <float>-9.934108e-09
        # remez tanh_shrink32: relative error 2**-27.6
        t = s * (<float>-0.13333142 + s * <float>0.05392506)
    else:
        third, third_low = 0.3333333333333333, 1.850371707708594e-17
        # remez tanh_shrink64: relative error 2**-55.4
        t = s * (-0.13333333333333325 + s * (0.05396825396824285 + s * (-0.02186948853559959
            + s * (0.008863235515834683 + s * (-0.003592127824725047 + s * (0.001455832314205407
            + s * (-0.000590013536804199 + s * (0.00023906300887760026 + s * (-9.668818555479361e-05
            + s * (3.870861224969483e-05 + s * (-1.4876114552450766e-05 + s * (5.068842459774713e-06
            + s * (-1.3036730581954418e-06 + s * 1.797179103427265e-07)))))))))))))
    y = s * third
    if real is float:
        excess, s_excess = fma(-s, third, y), fma(-a, a, s)
    else:
        excess, s_excess = product_excess(s, third, y), product_excess(a, a, s)
    y_low = fma(s, third_low + t, -excess) - s_excess * third
    near = fma(a, y, a * y_low)
    # Farther out, tanh's leading half is taken away first, nearly always exactly.
    y, y_low = tanh_in_parts(a)
    s = a - y
    far = s - (y_low - ((a - s) - y))
    return copy_sign(near if a < <real>0.8 else (far if a < <real>1e6 else a - <real>1), x)


cdef inline real tanh_shrink_derivative(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>tanh_shrink_derivative[double](x)
    y, y_low = tanh_in_parts(absolute(x))
    # (y + y_low)**2: the leading half's square is exact.
    return fma(y, y, y_low * (y + y + y_low))
