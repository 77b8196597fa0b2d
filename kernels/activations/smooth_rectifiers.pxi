# Rectifiers with an exponential, a root or a parabola in place of the kink.
# Under each formula that rounds stands the largest error measured: over every 43rd float32 input, with default
# parameters, and over a sample of float64.


cdef inline real softplus(real x, real beta) noexcept nogil:
    # max(x, 0) + log(1 + e**-|beta x|) / beta, in which the rounding of beta x counts |beta x| times.
    if real is float:
        if HAS_FMA:
            return softplus_float32(x, beta)
    cdef double z = <double>x * <double>beta
    cdef double depth = -absolute(z), excess, curved
    if real is float:
        depth = -200.0 if depth < -200.0 else depth
        return <float>((x if z > 0 else <float>0) + short_log1p(short_exp(depth)) / beta)
    else:
        excess = product_excess(x, beta, z)
        curved = log1p_of_exp(depth, excess if z > 0 else -excess)
        return (x if z > 0 else 0.0) + curved / beta
    # float32: 0.979 ULP, over all inputs, 0.533. float64: 1.30, 1.30.


cdef inline real softplus_at_1(real x) noexcept nogil:
    if real is float:
        if HAS_FMA:
            return softplus_float32_at_1(x, <float>1)
    return softplus(x, <real>1)


cdef inline real softplus_derivative(real x, real beta) noexcept nogil:
    # sigmoid(beta x)
    cdef real z = beta * x, excess
    if real is float:
        if not HAS_FMA:
            return <float>softplus_derivative[double](x, beta)
        excess = fma(-beta, x, z)
    else:
        excess = product_excess(beta, x, z)
    cdef real y = sigmoid_of_negative(-absolute(z), <real>1)
    # sigmoid' = y (1 - y) says what the rounding of beta x did to y. (At infinity the excess is NaN, and y is 0.)
    y = fma(y * y - y, excess if z < 0 else -excess, y) if y > 0 else y
    return <real>1 - y if z > 0 else y
    # float32: 0.950 ULP, 0.501. float64: 0.99, 1.07.


cdef inline real softplus_derivative_at_1(real x) noexcept nogil:
    return sigmoid(x)


cdef inline real elu(real x, real alpha) noexcept nogil:
    cdef double y, y_low
    if real is float:
        if HAS_FMA:
            return x if x > 0 else times_expm1_of_negative32(alpha, x)
        y = -200.0 if x < -200 else x
        return x if x > 0 else <float>(alpha * short_expm1(y))
    else:
        y, y_low = expm1_of_negative(x)
        return x if x > 0 else fma(alpha, y, alpha * y_low)
    # float32: 0.94 ULP, 0.51. float64 0.76


cdef inline real elu_derivative(real x, real alpha) noexcept nogil:
    cdef double y
    if real is float:
        y = -200.0 if x < -200 else x
        return <float>1 if x > 0 else <float>(alpha * short_exp(y))
    else:
        return 1.0 if x > 0 else times_exp_of_negative(alpha, x)
    # float32 0.54 ULP, float64 0.64


cdef inline real celu(real x, real alpha) noexcept nogil:
    cdef double z, z_low
    if real is float:
        # Beyond 200, every alpha makes the product infinite.
        return x if x > 0 else <float>(alpha * short_expm1(clip_evenly(<double>x / <double>alpha, 200.0)))
    else:
        z, z_low = quotient_in_parts(x, alpha)
        # For the smallest z, alpha (e**z - 1) is x, which a subnormal quotient would forget.
        return x if (x > 0) | (absolute(z) < 1e-30) else times_expm1(alpha, z, z_low)
    # float32 0.51 ULP, float64 0.71


cdef inline real celu_at_1(real x) noexcept nogil:
    return elu(x, <real>1)


cdef inline real celu_derivative(real x, real alpha) noexcept nogil:
    cdef double z, z_low
    if real is float:
        return <float>1 if x > 0 else <float>short_exp(clip_evenly(<double>x / <double>alpha, 200.0))
    else:
        z, z_low = quotient_in_parts(x, alpha)
        return 1.0 if x > 0 else times_exp(1.0, z, z_low)
    # float32 0.54 ULP, float64 0.61


cdef inline real celu_derivative_at_1(real x) noexcept nogil:
    return elu_derivative(x, <real>1)


# 1.0507009873554804934193349852946, and its product with 1.6732632423543772848170429916717.


cdef inline real selu(real x) noexcept nogil:
    cdef double y, y_low
    if real is float:
        y = -200.0 if x < -200 else x
        return <float>(1.0507009873554805 * x if x > 0 else 1.7580993408473768 * short_expm1(y))
    else:
        y, y_low = expm1_of_negative(x)
        y = fma(1.7580993408473768, y, 1.7580993408473768 * y_low + 1.41535193800845e-17 * y)
        return 1.0507009873554805 * x if x > 0 else y
    # float32 0.51 ULP, float64 1.08


cdef inline real selu_derivative(real x) noexcept nogil:
    cdef double y
    if real is float:
        y = -200.0 if x < -200 else x
        return <float>(1.0507009873554805 if x > 0 else 1.7580993408473768 * short_exp(y))
    else:
        return 1.0507009873554805 if x > 0 else times_exp_of_negative(1.7580993408473768, x)
    # float32 0.53 ULP, float64 1.04


# squareplus is (x + s) / 2 with s = sqrt(x**2 + b). Below 0 the sum cancels, and b / (2 (s - x)) does not.


cdef inline real squareplus(real x, real b) noexcept nogil:
    cdef double a = absolute(<double>x), s, s_low, t, t_low, k, half_per_k, inverse, y, edge
    if real is float:
        if HAS_FMA:
            return squareplus_float32(x, b)
        t = a + sqrt(a * a + b)
        return <float>(0.5 * (b / t if x < 0 else t))
    else:
        # b = 0 leaves nothing to divide at 0, and infinities have no power of two.
        edge = 0.0 if x < 0 else x
        a = 1.7976931348623157e308 if a > 1.7976931348623157e308 else a
        k, half_per_k = root_scale(a, b)
        s, s_low, t, t_low, inverse = root_and_sum(a * k, b * k * k)
        y = 0.5 * corrected_quotient(b * k, 0.0, t, t_low, s * inverse)
        y = y if x < 0 else (t + t_low) * half_per_k
        y = y if t > 0.0 else edge
        return edge if absolute(x) > a else y
    # float32: 0.87 ULP, 0.50. float64 0.50


cdef inline real squareplus_derivative(real x, real b) noexcept nogil:
    cdef double a = absolute(<double>x), s, s_low, t, t_low, k, half_per_k, inverse, product, product_low, above, below
    if real is float:
        if HAS_FMA:
            return squareplus_derivative_float32(x, b)
        a = 1e60 if a > 1e60 else a
        s = sqrt(a * a + b)
        t = a + s
        above = (b if x < 0 else t) / (s * t if x < 0 else s)
        return <float>(0.5 * (above if s > 0.0 else 1.0 + a))
    else:
        # t / (2s), or b / (2 s t).
        a = 1.7976931348623157e308 if a > 1.7976931348623157e308 else a
        k, half_per_k = root_scale(a, b)
        s, s_low, t, t_low, inverse = root_and_sum(a * k, b * k * k)
        product = s * t
        product_low = s * t_low + t * s_low - product_excess(s, t, product)
        below = corrected_quotient(b * k, 0.0, product, product_low, inverse) * k
        above = corrected_quotient(t, t_low, s, s_low, t * inverse)
        above = above if s > 0.0 else 1.0 + a
        return 0.5 * (below if x < 0 else above)
    # float32: 1.28 ULP, 0.50. float64 0.50


cdef inline real sparse_plus(real x) noexcept nogil:
    # (x + 1)**2 / 4 between -1 and 1.
    cdef real inside, sum, sum_low
    if real is float:
        if not HAS_FMA:
            return <float>sparse_plus[double](x)
    inside = clip_evenly(x, <real>1)
    sum = <real>1 + inside
    sum_low = inside - (sum - <real>1)
    sum = <real>0.5 * sum
    return x if x >= 1 else fma(sum, sum, sum * sum_low)
    # float32 0.50 ULP, float64 0.96


cdef inline real sparse_plus_derivative(real x) noexcept nogil:
    return sparse_sigmoid(x)
    # float32 0.50 ULP, float64 0.50
