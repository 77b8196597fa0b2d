# The activations: one scalar formula each. The build finds them by the shape of their definitions, and makes their
# loops; where a name ends in _derivative, it is the derivative's. Under each formula that rounds more than once stands
# the largest error over all float32 inputs: with a fused multiply-add, without one; and over 2.7 million float64 inputs
# (breakpoints and their neighbours, every binade, random), in the same order. Parameters at their defaults.


cdef inline number identity(number x) noexcept nogil:
    return x


cdef inline number identity_derivative(number x) noexcept nogil:
    return 1 if x == x else x


cdef inline number step(number x, number at_zero) noexcept nogil:
    return 1 if x > 0 else (0 if x < 0 else (at_zero if x == 0 else x))


cdef inline number step_derivative(number x, number at_zero) noexcept nogil:
    return 0 if x == x else x


cdef inline number relu(number x) noexcept nogil:
    return 0 if x < 0 else x


cdef inline number relu_derivative(number x) noexcept nogil:
    return 1 if x > 0 else (0 if x <= 0 else x)


cdef inline real leaky_relu(real x, real negative_slope) noexcept nogil:
    return x if x > 0 else x * negative_slope


cdef inline real leaky_relu_derivative(real x, real negative_slope) noexcept nogil:
    return 1 if x > 0 else (negative_slope if x <= 0 else x)


cdef inline real sigmoid(real x) noexcept nogil:
    if real is float:
        if not HAS_FMA:
            return <float>sigmoid[double](x)
    cdef real y = sigmoid_of_negative(-absolute(x), <real>1)
    return <real>1 - y if x > 0 else y
    # float32: 0.950 ULP, 0.501. float64: 0.99, 1.07.


cdef inline real sigmoid_derivative(real x) noexcept nogil:
    # sigmoid(x) sigmoid(-x) = y (1 - y), with y the smaller one; y - y**2 rounds once.
    if real is float:
        if not HAS_FMA:
            return <float>sigmoid_derivative[double](x)
    cdef real y = sigmoid_of_negative(-absolute(x), <real>1)
    return fma(-y, y, y)
    # float32: 1.61 ULP, 0.501. float64: 1.54, 1.65.


cdef inline real tanh(real x) noexcept nogil:
    if real is float:
        if not HAS_FMA:
            return <float>tanh[double](x)
    return copy_sign(tanh_of_positive(absolute(x)), x)
    # float32: 0.708 ULP, 0.501. float64: 0.71, 0.91.


cdef inline real tanh_derivative(real x) noexcept nogil:
    # 1 - tanh(x)**2 = 4 sigmoid(2x) sigmoid(-2x), which does not cancel: 4 y (1 - y).
    if real is float:
        if not HAS_FMA:
            return <float>tanh_derivative[double](x)
    cdef real y = sigmoid_of_negative(<real>-2 * absolute(x), <real>4)
    return fma(<real>-0.25 * y, y, y)
    # float32: 1.61 ULP, 0.501. float64: 1.58, 1.63.


cdef inline real softplus(real x, real beta) noexcept nogil:
    # max(x, 0) + log(1 + e**-|beta x|) / beta, in which the rounding of beta x counts |beta x| times.
    cdef double z = <double>x * <double>beta
    cdef double depth = -absolute(z), excess, curved
    if real is float:
        depth = -200.0 if depth < -200.0 else depth
        return <float>((x if z > 0 else <float>0) + short_log1p(short_exp(depth)) / beta)
    else:
        excess = product_excess(x, beta, z)
        curved = log1p_of_exp(depth, excess if z > 0 else -excess)
        return (x if z > 0 else 0.0) + curved / beta
    # float32: 0.533 ULP, 0.533. float64: 1.30, 1.30.


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
    # sigmoid' = y (1 - y) says what the rounding of beta x did to y.
    y = fma(y * y - y, excess if z < 0 else -excess, y)
    return <real>1 - y if z > 0 else y
    # float32: 0.950 ULP, 0.501. float64: 0.99, 1.07.
