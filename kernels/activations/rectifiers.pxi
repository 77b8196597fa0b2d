# Pieces of straight lines, and the square of one.
# Under each formula that rounds stands the largest error measured: over every 43rd float32 input, with default
# parameters, and over a sample of float64.


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


cdef inline number relu6(number x) noexcept nogil:
    return 0 if x < 0 else (6 if x > 6 else x)


cdef inline number relu6_derivative(number x) noexcept nogil:
    cdef number y = 1 if x == x else x
    y = 0 if x <= 0 else y
    return 0 if x >= 6 else y


cdef inline number squared_relu(number x) noexcept nogil:
    return 0 if x < 0 else x * x
    # float32 0.50 ULP, float64 0.50


cdef inline number squared_relu_derivative(number x) noexcept nogil:
    return 0 if x < 0 else x + x


cdef inline number squared_relu_backward(number grad, number x) noexcept nogil:
    # grad x fits where 2 x alone would overflow.
    cdef number half = 0 if x < 0 else grad * x
    return half + half


cdef inline real prelu(real x, real weight) noexcept nogil:
    # A weight of 0 makes 0 of -inf too.
    cdef real y = 0 if weight == 0 else x * weight
    return y if x < 0 else x
    # float32 0.50 ULP, float64 0.50


cdef inline real prelu_derivative(real x, real weight) noexcept nogil:
    return 1 if x > 0 else (weight if x <= 0 else x)


cdef inline real prelu_weight_derivative(real x) noexcept nogil:
    return 0 if x > 0 else x


cdef inline (real, real) prelu_gradients(real grad, real x, real weight) noexcept nogil:
    return grad * prelu_derivative(x, weight), grad * prelu_weight_derivative(x)


cdef inline real hard_tanh(real x, real min_value, real max_value) noexcept nogil:
    return clip(x, min_value, max_value)


cdef inline real hard_tanh_derivative(real x, real min_value, real max_value) noexcept nogil:
    cdef real y = 1 if x == x else x
    y = 0 if x <= min_value else y
    return 0 if x >= max_value else y


cdef inline real hard_sigmoid(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>hard_sigmoid[double](x)
    y, y_low = sixth_of_sum(x, <real>3)
    cdef real edge = 0 if x < 0 else 1
    return edge if absolute(x) >= 3 else y + y_low
    # float32 0.50 ULP, float64 0.50


cdef inline real hard_sigmoid_derivative(real x) noexcept nogil:
    return 0 if absolute(x) >= 3 else (<real>0.16666666666666666 if x == x else x)
    # float32 0.34 ULP, float64 0.34


cdef inline real hard_swish(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>hard_swish[double](x)
    y, y_low = sixth_of_sum(x, <real>3)
    cdef real edge = 0 if x < 0 else x
    return edge if absolute(x) >= 3 else fma(x, y, x * y_low)
    # float32 0.50 ULP, float64 1.00


cdef inline real hard_swish_derivative(real x) noexcept nogil:
    # x/3 + 1/2 = (2x + 3) / 6, whose sum is exact near its root.
    cdef real y = (x + x + <real>3) * <real>0.16666666666666666
    cdef real edge = 0 if x < 0 else 1
    return edge if absolute(x) >= 3 else y
    # float32 1.34 ULP, float64 1.34


cdef inline real thresholded_relu(real x, real alpha) noexcept nogil:
    return 0 if x <= alpha else x


cdef inline real thresholded_relu_derivative(real x, real alpha) noexcept nogil:
    return 1 if x > alpha else (0 if x <= alpha else x)


cdef inline real threshold(real x, real limit, real value) noexcept nogil:
    return value if x <= limit else x


cdef inline real threshold_derivative(real x, real limit, real value) noexcept nogil:
    return 1 if x > limit else (0 if x <= limit else x)
