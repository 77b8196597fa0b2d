# The logistic function's logarithm and inverse, and sigmoids without an exponential.
# Under each formula that rounds stands the largest error measured: over every 43rd float32 input, with default
# parameters, and over a sample of float64.


cdef inline float sigmoid_of_left(float x, float gain) noexcept nogil:
    """gain / (1 + e**|x|), for a processor with a fused multiply-add; the gain is a power of two."""
    # All over 2**64, for e**a may be 2**159. The denominator has two parts. A rough quotient from its bits, right to 7 %,
    # is put in place of the quotient, and what that leaves of the numerator, rest, is divided: its roundings count as
    # little as it does. So no sigmoid falls from one x to the next.
    cdef float sum, n, r, square, p, m, denominator, low, rough, rest
    cdef float one = <float>5.421011e-20
    # Beyond 110 all is 0 as it is at 110.
    cdef float a = magnitude_up_to(x, <float>110)
    sum = fma(a, <float>1.442695, <float>12582975.0)
    n = sum - <float>12582975.0
    # r is exact, but for n times what ln2 has beyond 24 digits.
    r = fma(-n, <float>0.6931472, a)
    square = r * r
    p = exp_excess(r, square)
    m = power_of_two(sum)
    denominator = fma(m, fma(square, p, r), m + one)
    low = fma(m * square, p, fma(m, r, (m - denominator) + one))
    rough = float32_of_bits(0x7ef127eaU - bits_of_float32(denominator))
    # Where n is not small, e**a is nearly the denominator, and its product with the rough quotient nearly 1.
    rest = fma(-rough, low, fma(<float>-1.9046542e-09, n, fma(-rough, denominator, <float>1)))
    return (rough + rest / denominator) * (one * gain)


cdef inline real sigmoid(real x) noexcept nogil:
    cdef real y
    if real is float:
        if not HAS_FMA:
            return <float>sigmoid[double](x)
        y = sigmoid_of_left(x, <float>1)
    else:
        y = sigmoid_of_negative(-absolute(x), 1.0)
    return <real>1 - y if x > 0 else y
    # float32: 0.857 ULP, 0.501. float64: 0.99, 1.07.


cdef inline real sigmoid_derivative(real x) noexcept nogil:
    # sigmoid(x) sigmoid(-x) = y (1 - y), with y the smaller one; y - y**2 rounds once.
    cdef real y
    if real is float:
        if not HAS_FMA:
            return <float>sigmoid_derivative[double](x)
        y = sigmoid_of_left(x, <float>1)
    else:
        y = sigmoid_of_negative(-absolute(x), 1.0)
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
    cdef real y
    if real is float:
        if not HAS_FMA:
            return <float>tanh_derivative[double](x)
        y = sigmoid_of_left(<float>2 * x, <float>4)
    else:
        y = sigmoid_of_negative(-2.0 * absolute(x), 4.0)
    return fma(<real>-0.25 * y, y, y)
    # float32: 1.61 ULP, 0.501. float64: 1.58, 1.63.


cdef inline real log_sigmoid(real x) noexcept nogil:
    if real is float:
        if HAS_FMA:
            return softplus_float32_at_1(-x, <float>-1)
    cdef double depth = -absolute(<double>x)
    if real is float:
        depth = -200.0 if depth < -200.0 else depth
        return <float>((<float>0 if x > 0 else x) - short_log1p(short_exp(depth)))
    else:
        return (0.0 if x > 0 else x) - log1p_of_exp(depth, 0.0)
    # float32 0.979 ULP, over all inputs; float64 1.16


cdef inline real log_sigmoid_derivative(real x) noexcept nogil:
    return sigmoid(-x)
    # float32 0.90 ULP, float64 0.93


cdef inline real logit(real x) noexcept nogil:
    cdef real y
    if real is float:
        y = log_odds_float32(x) if HAS_FMA else <float>short_log_odds(x)
    else:
        y = log_odds(x)
    y = -INFINITY if x <= 0 else (INFINITY if x >= 1 else y)
    return y if (x >= 0) & (x <= 1) else <real>NAN
    # float32: 0.95 ULP, 0.55. float64 0.55


cdef inline real logit_derivative(real x) noexcept nogil:
    # 1 / (x (1 - x)), where x - x**2 rounds once.
    if real is float:
        if HAS_FMA:
            return <float>1 / absolute(fma(-x, x, x)) if (x >= 0) & (x <= 1) else <float>NAN
    cdef double p = x, b = 1.0 - p, product = p * b, y = 1.0 / absolute(product), rest
    if real is double:
        # The product misses what rounding took from it, and x times what it took from 1 - x.
        rest = p * ((1.0 - b) - p) - product_excess(p, b, product)
        y = y - y * (y * rest) if (p > 1e-290) & (p < 1.0) else y
    return <real>y if (x >= 0) & (x <= 1) else <real>NAN
    # float32: 1.48 ULP, 0.50. float64 1.00


cdef inline real logit_backward(real grad, real x) noexcept nogil:
    # In one quotient, which fits where the derivative alone would overflow.
    if real is float:
        if HAS_FMA:
            return grad / absolute(fma(-x, x, x)) if (x >= 0) & (x <= 1) else <float>NAN
    cdef double p = x
    cdef double y = <double>grad / absolute(p * (1.0 - p))
    return <real>y if (x >= 0) & (x <= 1) else <real>NAN


cdef inline real softsign(real x) noexcept nogil:
    # Beyond the limit the quotient rounds to 1, and an infinity's would be no number.
    cdef real a, sum, r, q, limit
    if real is float:
        limit = <float>1e9
    else:
        limit = 1e20
    a = absolute(x)
    a = limit if a > limit else a
    sum = <real>1 + a
    if real is float:
        if not HAS_FMA:
            return copy_sign(<float>(a / (1.0 + a)), x)
    else:
        if not HAS_FMA:
            return copy_sign(a / sum, x)
    r = <real>1 / sum
    q = a * r
    # What q misses: its own roundings, and what is missing in the sum.
    return copy_sign(fma(r, fma(-q, sum_error(<real>1, a, sum), fma(-q, sum, a)), q), x)
    # float32 0.50 ULP, float64 1.40


cdef inline real softsign_derivative(real x) noexcept nogil:
    # 1 / (1 + |x|)**2.
    cdef real a, sum, r, rest, product
    if real is float:
        if not HAS_FMA:
            return <float>softsign_derivative[double](x)
    a = absolute(x)
    if real is float:
        a = <float>1e25 if a > <float>1e25 else a
    else:
        a = 1e200 if a > 1e200 else a
    sum = <real>1 + a
    r = <real>1 / sum
    if real is float:
        rest = fma(-r, sum, <float>1)
    else:
        product = r * sum
        rest = (1.0 - product) + product_excess(r, sum, product)
    rest = fma(-r, sum_error(<real>1, a, sum), rest)
    return fma(r, r, (r + r) * r * rest)
    # float32 1.00 ULP, float64 0.99


cdef inline real sparse_sigmoid(real x) noexcept nogil:
    return (clip_evenly(x, <real>1) + <real>1) * <real>0.5
    # float32 0.50 ULP, float64 0.50


cdef inline real sparse_sigmoid_derivative(real x) noexcept nogil:
    return 0 if absolute(x) >= 1 else (<real>0.5 if x == x else x)
