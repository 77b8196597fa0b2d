# The activations: one scalar formula each. A function of this file whose first argument is `real x` is an activation
# or, where its name ends in _derivative, an activation's derivative; the build finds them by that shape, and makes
# their loops. Under each formula stands the largest error measured over all float32 inputs.


cdef inline number identity(number x) noexcept nogil:
    return x


cdef inline real identity_derivative(real x) noexcept nogil:
    return 1 if x == x else x


cdef inline number step(number x, number at_zero) noexcept nogil:
    return 1 if x > 0 else (0 if x < 0 else (at_zero if x == 0 else x))


cdef inline real step_derivative(real x, real at_zero) noexcept nogil:
    return 0 if x == x else x


cdef inline number relu(number x) noexcept nogil:
    return 0 if x < 0 else x


cdef inline real relu_derivative(real x) noexcept nogil:
    return 1 if x > 0 else (0 if x <= 0 else x)


cdef inline real leaky_relu(real x, real negative_slope) noexcept nogil:
    return x if x > 0 else x * negative_slope


cdef inline real leaky_relu_derivative(real x, real negative_slope) noexcept nogil:
    return 1 if x > 0 else (negative_slope if x <= 0 else x)


cdef inline real sigmoid(real x) noexcept nogil:
    if real is float:
        if not HAS_FMA:
            return <float>sigmoid[double](x)
    cdef real y = sigmoid_of_negative(-absolute(x), <real>0)
    return <real>1 - y if x > 0 else y


cdef inline real sigmoid_derivative(real x) noexcept nogil:
    # sigmoid(x) sigmoid(-x) = y (1 - y), with y the smaller one; y - y**2 rounds once.
    if real is float:
        if not HAS_FMA:
            return <float>sigmoid_derivative[double](x)
    cdef real y = sigmoid_of_negative(-absolute(x), <real>0)
    return fma(-y, y, y)


cdef inline real tanh(real x) noexcept nogil:
    cdef real sum, u, u_low, w, m, a, b, q, c, d, rest, y, one
    if real is float:
        if not HAS_FMA:
            return <float>tanh[double](x)
        sum, u, u_low = reduce_by_half_ln2(x, <float>12583039.0)
    else:
        sum, u, u_low = reduce_by_half_ln2(x, 6755399441056767.0)
    w = coth_series(u)
    m = power_of_two(sum)
    # Where m + 1 rounds, 2 - b differs from it by exactly 2; and its sign makes -0.0 come out as -0.0.
    b = m + <real>1
    a = <real>2 - b
    q = leading_half(rough_tanh(x))
    c = fma(q, b, a)
    d = fma(q, a, b)
    rest = fma(-w, c, fma(d, u, -c))
    if real is double:
        rest = fma(d, u_low, rest)
    y = q + rest / fma(b, w, fma(-a, u, b))
    one = copy_sign(<real>1, x)
    if real is float:
        return one if absolute(x) > <float>9.02 else y
    else:
        return one if absolute(x) > 19.1 else y


cdef inline real tanh_derivative(real x) noexcept nogil:
    # 1 - tanh(x)**2 = 4 sigmoid(2x) sigmoid(-2x), which does not cancel.
    return <real>4 * sigmoid_derivative(<real>2 * x)


cdef inline real softplus(real x, real beta) noexcept nogil:
    cdef double z = <double>x * <double>beta
    cdef double inverse = 1.0 / <double>beta
    cdef double linear = x if z > 0 else <real>0
    cdef double depth = -absolute(z), curved, excess
    if real is float:
        depth = -200.0 if depth < -200.0 else depth
        return <float>(linear + short_log1p(short_exp(depth)) * inverse)
    else:
        excess = product_excess(x, beta, z)
        curved = log1p_of_exp(depth, excess if z > 0 else -excess)
        excess = product_excess(curved * inverse, beta, curved)
        return linear + (curved * inverse + excess * inverse)


cdef inline real softplus_derivative(real x, real beta) noexcept nogil:
    if real is float:
        if not HAS_FMA:
            return <float>softplus_derivative[double](x, beta)
    cdef real z = beta * x
    cdef real excess = fma(-beta, x, z)
    cdef real y = sigmoid_of_negative(-absolute(z), excess if z < 0 else -excess)
    return <real>1 - y if z > 0 else y
