# Pieces of straight lines, and the square of one.


cdef inline number relu6(number x) noexcept nogil:
    return 0 if x < 0 else (6 if x > 6 else x)


cdef inline real relu6_derivative(real x) noexcept nogil:
    return 0 if x <= 0 else (0 if x >= 6 else (1 if x == x else x))


cdef inline number squared_relu(number x) noexcept nogil:
    return 0 if x < 0 else x * x


cdef inline real squared_relu_derivative(real x) noexcept nogil:
    return 0 if x < 0 else x + x


cdef inline real prelu(real x, real weight) noexcept nogil:
    # A weight of 0 makes 0 of -inf too.
    return x if x > 0 else (<real>0 if (x < 0) & (weight == 0) else x * weight)


cdef inline real prelu_derivative(real x, real weight) noexcept nogil:
    return 1 if x > 0 else (weight if x <= 0 else x)


cdef inline real prelu_weight_derivative(real x) noexcept nogil:
    return 0 if x > 0 else x


cdef inline real hard_tanh(real x, real min_value, real max_value) noexcept nogil:
    return clip(x, min_value, max_value)


cdef inline real hard_tanh_derivative(real x, real min_value, real max_value) noexcept nogil:
    return 0 if x <= min_value else (0 if x >= max_value else (1 if x == x else x))


cdef inline real hard_sigmoid(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>hard_sigmoid[double](x)
    y, y_low = sixth_of_sum(x, <real>3)
    return 0 if x <= -3 else (1 if x >= 3 else y + y_low)


cdef inline real hard_sigmoid_derivative(real x) noexcept nogil:
    return 0 if absolute(x) >= 3 else (<real>0.16666666666666666 if x == x else x)


cdef inline real hard_swish(real x) noexcept nogil:
    cdef real y, y_low
    if real is float:
        if not HAS_FMA:
            return <float>hard_swish[double](x)
    y, y_low = sixth_of_sum(x, <real>3)
    return 0 if x <= -3 else (x if x >= 3 else fma(x, y, x * y_low))


cdef inline real hard_swish_derivative(real x) noexcept nogil:
    # x/3 + 1/2 = (2x + 3) / 6, whose sum is exact near its root.
    cdef real y = (x + x + <real>3) * <real>0.16666666666666666
    return 0 if x <= -3 else (1 if x >= 3 else y)


cdef inline real thresholded_relu(real x, real alpha) noexcept nogil:
    return 0 if x <= alpha else x


cdef inline real thresholded_relu_derivative(real x, real alpha) noexcept nogil:
    return 1 if x > alpha else (0 if x <= alpha else x)


cdef inline real threshold(real x, real limit, real value) noexcept nogil:
    return value if x <= limit else x


cdef inline real threshold_derivative(real x, real limit, real value) noexcept nogil:
    return 1 if x > limit else (0 if x <= limit else x)
