# What the activations that gate themselves share: a product with sigmoid or with the normal distribution, and the
# derivative of such a product. float32 goes through float64, where nothing on the way underflows: one rounding, at the
# end; but where there is a fused multiply-add, many a value is computed in float32. That, and float64, carries what
# each rounding lost (a "low" beside each number), and powers of two apart from the rest.


# Selects on the bits, or GCC carries those of a float32 into the float64 that it becomes, at twice the cost.


cdef inline real at_least(real x, real low) noexcept nogil:
    """max(x, low); NaN stays."""
    if real is float:
        return float32_of_bits(bits_of_float32(low) if x < low else bits_of_float32(x))
    else:
        return float64_of_bits(bits_of_float64(low) if x < low else bits_of_float64(x))


cdef inline float at_most(float x, float high) noexcept nogil:
    """min(x, high); NaN stays."""
    return float32_of_bits(bits_of_float32(high) if x > high else bits_of_float32(x))


cdef inline real clamp(real x, real bound) noexcept nogil:
    """x between -bound and bound; NaN stays."""
    if real is float:
        return copy_sign(float32_of_bits(bits_of_float32(bound) if absolute(x) > bound
                                         else bits_of_float32(absolute(x))), x)
    else:
        return copy_sign(float64_of_bits(bits_of_float64(bound) if absolute(x) > bound
                                         else bits_of_float64(absolute(x))), x)


cdef inline real positive_part(real x) noexcept nogil:
    """max(x, 0); NaN stays."""
    return <real>0 if x < 0 else x


cdef inline float between_ends(float x, float left, float right, float y, float y_right) noexcept nogil:
    """y for x between left and right, 0 to their left, y_right to their right."""
    return y_right if x > right else (<float>0 if x < left else y)


# float32, in float64.


cdef inline (double, double) short_exp_quotient(double x) noexcept nogil:
    """Numerator and denominator of e**x, for |x| <= 600; the denominator lies between 1.6 and 2.4."""
    cdef double sum = fma(x, 1.4426950408889634, 6755399441056767.0)
    cdef double r = fma(-(sum - 6755399441056767.0), 0.6931471805599453, x)
    cdef double s = r * r
    # e**r = (W + r) / (W - r), W = r coth(r/2).
    # remez short_coth: relative error of W 2**-28.8
    cdef double w = fma(s, 0.16666625839678087 + s * -0.002766763794017052, 2.0)
    return power_of_two(sum) * (w + r), w - r


cdef inline double short_gated(double x, double v) noexcept nogil:
    """x sigmoid(v)."""
    cdef double a, b
    a, b = short_exp_quotient(v)
    return x * a / (a + b)


cdef inline double short_gated_derivative(double v, double g) noexcept nogil:
    """The derivative of x sigmoid(v), where g = x dv/dx: s + g s (1 - s)."""
    cdef double a, b, d
    a, b = short_exp_quotient(v)
    d = a + b
    return a * (d + g * b) / (d * d)


cdef inline double short_sigmoid_derivative(double v, double factor) noexcept nogil:
    """The derivative of sigmoid times a factor."""
    cdef double a, b, d
    a, b = short_exp_quotient(-v)
    d = a + b
    return a * b * factor / (d * d)


cdef inline (double, double) normal_tail_quotient(double a) noexcept nogil:
    """exp(a**2 / 2) Phi(-a) for 0 <= a <= 20, as a quotient."""
    # remez short_tail: relative error 2**-26.56
    cdef double above = 0.500000005037531 + a * (0.4468637837440938 + a * (0.18965763498046423
        + a * (0.042818084049516515 + a * 0.0044456301947336085)))
    cdef double below = 1.0 + a * (1.6916128181631924 + a * (1.229019473218613 + a * (0.4864393227393056
        + a * (0.10733298804654483 + a * 0.011143479832459956))))
    return above, below


cdef inline (double, double) normal_slope_quotient(double a) noexcept nogil:
    """exp(a**2 / 2) (Phi(-a) - a phi(a)) for 0 <= a <= 20, as a quotient."""
    # remez short_slope: relative error 2**-26.25
    cdef double above = 0.6650779867844027 + a * (0.7625994729083063 + a * (0.38664979696746066
        + a * (0.09916400747644234 + a * 0.01100367889760192)))
    cdef double below = 1.0 + a * (1.412244025310935 + a * (0.809784480235708 + a * (0.22783616868846568
        + a * 0.027582046883041087)))
    return (0.7517915246935645 - a) * above, below


cdef inline double short_gelu(double x, double a) noexcept nogil:
    """x Phi(x), where a is |x| or 20 if that is less."""
    cdef double p, q, above, below
    p, q = short_exp_quotient(-0.5 * a * a)
    above, below = normal_tail_quotient(a)
    return positive_part(x) - a * p * above / (q * below)


cdef inline double short_gelu_derivative(double x, double a) noexcept nogil:
    """Phi(x) + x phi(x), where a is |x| or 20 if that is less."""
    cdef double p, q, above, below, left
    p, q = short_exp_quotient(-0.5 * a * a)
    above, below = normal_slope_quotient(a)
    left = p * above / (q * below)
    return 1.0 - left if x > 0 else left


cdef inline (double, double) short_gelu_and_derivative(double x, double a) noexcept nogil:
    """Both in one quotient, where a is |x| or 30 if that is less."""
    cdef double p, q, above, below, slope_above, slope_below, left
    p, q = short_exp_quotient(-0.5 * a * a)
    above, below = normal_tail_quotient(a)
    slope_above, slope_below = normal_slope_quotient(a)
    p = p / (q * (below * slope_below))
    left = p * (slope_above * below)
    return positive_part(x) - p * (a * (above * slope_below)), 1.0 - left if x > 0 else left


cdef inline float rough_inverse(float x) noexcept nogil:
    """1 / x for x > 0, within 0.4 %: the exponent and, roughly, the logarithm of the mantissa change sign; one step of
    Newton's iteration mends that."""
    cdef float y = float32_of_bits(0x7ef127eaU - bits_of_float32(x))
    return y * fma(-x, y, <float>2)


cdef inline float exp_excess(float r, float square) noexcept nogil:
    """(e**r - 1 - r) / r**2 for |r| <= ln2/2, given r**2."""
    # remez exp_excess: relative error of e**r 2**-28.0
    return (<float>0.49999994 + r * <float>0.16666521) + square * (
        (<float>0.04166839 + r * <float>0.00836871) + square * <float>0.0013814617)


cdef inline (float, float, float, float) exp_parts32(float x) noexcept nogil:
    """e**x for -131 <= x <= 0, without its power of two: 1 + r rounded, what e**r has beyond it, the part of x that r
    leaves out, and the power plus a bias.

    The power in the bias is 2**64 times too big, for it may be subnormal or less.
    """
    cdef float sum = fma(x, <float>1.442695, <float>12583103.0)
    cdef float n = sum - <float>12583103.0
    # r is exact.
    cdef float r = fma(-n, <float>0.6931472, x)
    cdef float square = r * r
    cdef float one = <float>1 + r
    return one, fma(square, exp_excess(r, square), r - (one - <float>1)), n * <float>1.9046542e-09, sum


cdef inline float without_share(float x, float a, float denominator, float low, float lost) noexcept nogil:
    """max(x, 0) - (a - lost) / (denominator + low), a = |x|, where the denominator is 2**64 times too small."""
    # The first part of the denominator needs no polynomial, and so a rough quotient is there early. It is within 12 %,
    # and the roundings in rest / denominator count no more than that. As low > 0, it is made a little too small.
    cdef float rough = a * float32_of_bits(0x7ee20000U - bits_of_float32(denominator))
    cdef float rest = fma(-rough, denominator, a) - lost
    cdef float y = rough + fma(-rough, low, rest) / (denominator + low)
    return fma(-y, <float>5.421011e-20, positive_part(x))


cdef inline float silu_float32(float x) noexcept nogil:
    """x sigmoid(x), for a processor with a fused multiply-add."""
    # With a = |x|, a sigmoid(-a) = a / (1 + e**a), all over 2**64, for e**a may be 2**159.
    cdef float a, sum, n, r, square, m, denominator, low
    cdef float one = <float>5.421011e-20
    # Beyond 110 all is 0 as it is at 110. NaN comes through x itself.
    a = size_up_to(x, <float>110)
    sum = fma(a, <float>1.442695, <float>12582975.0)
    n = sum - <float>12582975.0
    # r is exact, but for n times what ln2 has beyond 24 digits.
    r = fma(-n, <float>0.6931472, a)
    square = r * r
    m = power_of_two(sum)
    denominator = fma(m, r, m + one)
    low = fma(m * square, exp_excess(r, square), fma(m, r, (m - denominator) + one))
    return without_share(x, a, denominator, low, a * (n * <float>1.9046542e-09))


cdef inline float gated_float32(float x, float a, float v, float v_low) noexcept nogil:
    """x sigmoid(v + v_low) for x > 0, x sigmoid(-v - v_low) for x < 0; a = |x|, 0 <= v <= 110."""
    # As silu_float32, but v_low must go into r, as n times the rest of ln2 then can, and r has a part r_low itself.
    cdef float sum, n, first, second, r, r_low, square, m, denominator, low
    cdef float one = <float>5.421011e-20
    sum = fma(v, <float>1.442695, <float>12582975.0)
    n = sum - <float>12582975.0
    first = fma(-n, <float>0.6931472, v)
    second = fma(n, <float>1.9046542e-09, v_low)
    r = first + second
    r_low = (first - r) + second
    square = r * r
    m = power_of_two(sum)
    denominator = fma(m, r, m + one)
    low = fma(m, fma(square, exp_excess(r, square), fma(r, r_low, r_low)), fma(m, r, (m - denominator) + one))
    return without_share(x, a, denominator, low, <float>0)


cdef inline float quick_gelu_float32(float x) noexcept nogil:
    """x sigmoid(1.702 x), for a processor with a fused multiply-add."""
    cdef float a, v
    # Beyond 64 all is 0 as it is at 64. NaN comes through x itself.
    a = size_up_to(x, <float>64)
    v = <float>1.702 * a
    return gated_float32(x, a, v, fma(a, <float>-2.193451e-08, fma(a, <float>1.702, -v)))


cdef inline float gelu_tanh_float32(float x) noexcept nogil:
    """x sigmoid(v), v = x (1.5957691 + 0.07135481 x**2), for a processor with a fused multiply-add."""
    cdef float a, square, square_low, c, c_low, v
    # Beyond 10.9 all is 0 as it is at 10.9. NaN comes through x itself.
    a = size_up_to(x, <float>10.9)
    square = a * a
    square_low = fma(a, a, -square)
    # v / a = c + c_low, where adding 1536 and taking it away rounds c to 13 binary places. The constant has 19, so that
    # its difference from c is exact; what it lacks comes later.
    c = fma(square, <float>0.071354814, <float>1537.5957698822021) - <float>1536
    c_low = fma(square, <float>0.071354814, <float>1.5957698822021484 - c)
    c_low = c_low + fma(square_low, <float>0.071354814, fma(square, <float>2.3988325e-09, <float>-7.6059644e-07))
    v = a * c
    return gated_float32(x, a, v, fma(a, c_low, fma(a, c, -v)))


cdef inline (float, float) opened_float32(float x, float gate) noexcept nogil:
    """x sigmoid(gate) = y unfold**2, for gate >= -200 and a processor with a fused multiply-add: y and unfold."""
    # x / (1 + e**t), t = -gate, where the denominator is 4**k times too small from e**t = 2**123 on. Its first part and
    # the rough quotient are as in silu_float32, but the latter is never too large: where x is infinite, the two
    # products with it have the same sign.
    cdef float t, sum, n, r, square, m, denominator, low, rough
    cdef uint32_t k
    t = -at_most(gate, <float>60)
    sum = fma(t, <float>1.442695, <float>12583039.0)
    n = sum - <float>12583039.0
    r = fma(n, <float>1.9046542e-09, fma(-n, <float>0.6931472, t))
    square = r * r
    # 0x4b4000f8 is the sum where n = 121.
    k = ((bits_of_float32(sum) if bits_of_float32(sum) > 0x4b4000f8U else 0x4b4000f8U) - 0x4b4000f8U) >> 1
    m = float32_of_bits((bits_of_float32(sum) << 23) - (k << 24))
    denominator = fma(m, r, m + <float>1)
    low = fma(m * square, exp_excess(r, square), fma(m, r, (m - denominator) + <float>1))
    rough = float32_of_bits(0x7ed1eb85U - bits_of_float32(denominator))
    low = fma(-rough, low, fma(-rough, denominator, <float>1)) / (denominator + low)
    return fma(x, rough, x * low), float32_of_bits(0x3f800000U - (k << 23))


cdef inline float glu_float32(float gate, float value) noexcept nogil:
    """value sigmoid(gate), for a processor with a fused multiply-add."""
    cdef float y, unfold
    y, unfold = opened_float32(value, at_least(gate, <float>-200))
    return y * unfold * unfold


cdef inline float swiglu_float32(float gate, float value) noexcept nogil:
    """value gate sigmoid(gate), for a processor with a fused multiply-add."""
    # The first product with sigmoid is of the value where |gate| < 1, and else of the gate: it does not overflow, and
    # where it underflows, what it loses does not grow.
    cdef float y, unfold
    cdef bint small
    gate = at_least(gate, <float>-200)
    small = bits_of_float32(absolute(gate)) < 0x3f800000U
    y, unfold = opened_float32(float32_of_bits(bits_of_float32(value) if small else bits_of_float32(gate)), gate)
    return y * float32_of_bits(bits_of_float32(gate) if small else bits_of_float32(value)) * unfold * unfold


cdef inline float gelu_float32(float x) noexcept nogil:
    """x Phi(x), for a processor with a fused multiply-add."""
    # With a = |x|, a Phi(-a) = exp(-a**2 / 2) a R(a), R as in coefficients/self_gated.py. It is got as 2**n (h one +
    # h f), where only the sum is rounded at the precision of the result: h is nearly a / (2.1875 (a + 0.875)), which is
    # a R(a) within 8 %, and f holds all that is missing, the rounding error of h too.
    cdef float a, half, square, square_low, r_low, sum, d, part, d_low, h, rest, above, below, ripple, one, f, y
    # Beyond 14.4 all is 0 as it is at 14.4, and 2**n would leave its range. NaN comes through x itself.
    a = size_up_to(x, <float>14.4)
    half = <float>0.5 * a
    square = half * a
    square_low = fma(half, a, -square)
    one, f, r_low, sum = exp_parts32(-square)
    d = fma(a, <float>2.1875, <float>1.9140625)
    part = d - <float>1.9140625
    d_low = fma(a, <float>2.1875, -part)
    h = a / d
    rest = fma(-h, d_low, fma(-h, d, a))
    # remez tail_ripple: relative error 2**-27.92
    above = <float>-0.042968754 + a * (<float>0.2569379 + a * (<float>0.11468876 + a * (<float>0.01153891
        + a * (<float>-0.005031101 + a * <float>-0.001546153))))
    below = <float>1.0 + a * (<float>1.7038401 + a * (<float>1.2487942 + a * (<float>0.50056416
        + a * (<float>0.11233048 + a * <float>0.012144964))))
    ripple = above / below
    f = fma(fma(rest, rough_inverse(a), r_low - square_low), one + f, f)
    f = fma(ripple, one + f, f)
    # 2**n is 2**64 times too big.
    y = fma(h, one, h * f) * power_of_two(sum)
    return fma(-y, <float>5.421011e-20, positive_part(x))


cdef inline double short_mish(double x) noexcept nogil:
    """x tanh(log(1 + e**x))."""
    cdef double a, b, n
    a, b = short_exp_quotient(x)
    n = a * (a + 2.0 * b)
    return x * n / (n + 2.0 * b * b)


cdef inline double short_mish_derivative(double x) noexcept nogil:
    """The derivative of x n / (n + 2), n = w (w + 2), w = e**x, where w = a / b."""
    cdef double a, b, d, square
    a, b = short_exp_quotient(x)
    square = b * b
    d = a * (a + 2.0 * b) + 2.0 * square
    return a * ((a + 2.0 * b) * d + 4.0 * x * square * (a + b)) / (d * d)


# float64.


cdef inline (double, double, double) exp_parts(double x, double x_low) noexcept nogil:
    """e**(x + x_low) without its power of two: high, low, and the power plus 1.5 * 2**52."""
    cdef double sum = fma(x, 1.4426950408889634, 6755399441055744.0)
    cdef double n = sum - 6755399441055744.0
    # The first part of ln2 is short enough for its product with n to be exact (Cody and Waite 1980).
    cdef double first = fma(-n, 0.6931471805598903, x)
    cdef double r = fma(-n, 5.497923018708371e-14, first)
    cdef double r_low = fma(-n, 5.497923018708371e-14, first - r) + x_low
    # remez exp64: relative error 2**-56.3
    cdef double p = 0.5000000000000011 + r * (0.16666666666666413 + r * (0.041666666666530267
        + r * (0.008333333333494336 + r * (0.0013888888943596833 + r * (0.0001984126950676485
        + r * (2.480149313700458e-05 + r * (2.7557586281944997e-06 + r * (2.763023366422882e-07
        + r * 2.5000067321957548e-08))))))))
    cdef double t = r * r * p
    cdef double tail = r + t
    cdef double high = 1.0 + tail
    return high, (tail - (high - 1.0)) + (t - (tail - r)) + r_low * high, sum


cdef inline (double, double) powers_of_parts(double sum) noexcept nogil:
    """2**n, n <= 0, as a normal number times the rest, which is 1 down to n = -960."""
    cdef double n = sum - 6755399441055744.0
    cdef double m = -960.0 if n < -960.0 else n
    # The rest goes below the smallest normal number, and is made 2**256 times too big at first.
    return power_of_two(m + 6755399441056767.0), power_of_two(n - m + 6755399441057023.0) * 8.636168555094445e-78


cdef inline (double, double) sum_parts(double a, double b) noexcept nogil:
    """a + b and its rounding error (Knuth 1969)."""
    cdef double sum = a + b
    cdef double b_there = sum - a
    return sum, (a - (sum - b_there)) + (b - b_there)


cdef inline (double, double) gated(double x, double v, double v_low) noexcept nogil:
    """x sigmoid(v + v_low), as a product of two; |v| <= 1500."""
    cdef double e, e_low, sum, m, rest, n, n_low, d, d_low, y, y_low
    cdef bint left = v < 0
    e, e_low, sum = exp_parts(v if left else -v, v_low if left else -v_low)
    m, rest = powers_of_parts(sum)
    n = e if left else 1.0
    n_low = e_low if left else 0.0
    e = e * m * rest
    d = 1.0 + e
    d_low = e - (d - 1.0) + e_low * m
    y = n / d
    y_low = (product_excess(y, d, n) + (n_low - y * d_low)) / d
    # On the right e**-v is 0 long before x y_low would meet infinity.
    y = x if v >= 800.0 else fma(x, y, x * y_low)
    return y * (m if left else 1.0), rest if left else 1.0


cdef inline (double, double) gated_derivative(double v, double v_low, double g, double g_low) noexcept nogil:
    """s + g s (1 - s), s = sigmoid(v + v_low), as a product of two; |v| <= 1500."""
    cdef double e, e_low, sum, m, rest, n, n_low, d, d_low, y, y_low, b, b_low, part, part_low
    cdef bint left = v < 0
    e, e_low, sum = exp_parts(v if left else -v, v_low if left else -v_low)
    m, rest = powers_of_parts(sum)
    n = e if left else 1.0
    n_low = e_low if left else 0.0
    e = e * m * rest
    e_low = e_low * m
    d = 1.0 + e
    d_low = e - (d - 1.0) + e_low
    y = n / d
    y_low = (product_excess(y, d, n) + (n_low - y * d_low)) / d
    # times (d + g) / d on the left, (d + g e) / d on the right
    part = g * e
    part_low = g * e_low + g_low * e - product_excess(g, e, part)
    part = g if left else part
    part_low = g_low if left else part_low
    b, b_low = sum_parts(1.0, part)
    b, part = sum_parts(b, e)
    b_low = b_low + part + part_low + e_low
    part = y * b
    part_low = y_low * b + y * b_low - product_excess(y, b, part)
    y = part / d
    y = y + (product_excess(y, d, part) + (part_low - y * d_low)) / d
    return y * (m if left else 1.0), rest if left else 1.0


cdef inline (double, double) sigmoid_derivative_parts(double v) noexcept nogil:
    """The derivative of sigmoid, as a product of two; 0 <= v <= 1500."""
    cdef double e, e_low, sum, m, rest, d, d_low, y
    e, e_low, sum = exp_parts(-v, 0.0)
    m, rest = powers_of_parts(sum)
    y = e * m * rest
    d = 1.0 + y
    d_low = y - (d - 1.0) + e_low * m
    y = d * d
    d_low = 2.0 * d * d_low - product_excess(d, d, y)
    d = e / y
    d = d + (product_excess(d, y, e) + (e_low - d * d_low)) / y
    return d * m, rest


cdef inline (double, double) normal_tail(double t) noexcept nogil:
    """(a + 0.75) exp(a**2 / 2) Phi(-a) for 0 <= a <= 55, from t = (a - 4) / (a + 4)."""
    # The first coefficient counts most: this is what its rounding leaves out.
    cdef double first_low = 2.1394239301260187e-17
    # remez normal_tail: relative error 2**-53.8, but for first_low
    cdef double first = 0.4484505461843524
    cdef double p = -0.054104046939411905 + t * (-0.01709517911039127 + t * (0.046527215887979756
        + t * (-0.039914038454616926 + t * (0.020059121350382306 + t * (-0.005129269110913233
        + t * (-0.00044532656380882267 + t * (0.000741693184940996 + t * (-8.3041503585072e-05
        + t * (-9.501535867792476e-05 + t * (2.0092004879111553e-05 + t * (1.4703138240408705e-05
        + t * (-3.2242526777620467e-06 + t * (-2.7793360302791777e-06 + t * (3.514453770029432e-07
        + t * (5.774509118786264e-07 + t * (1.736346319013266e-08 + t * (-1.155524898083782e-07
        + t * (-2.5996760192249828e-08 + t * (1.9130587585021687e-08 + t * (8.986382229450088e-09
        + t * (-2.022985870978624e-09 + t * (-1.7196363562807139e-09 + t * (5.770728421495731e-11
        + t * 1.3805180514749913e-10)))))))))))))))))))))))
    cdef double product = t * p
    cdef double sum = first + product
    return sum, ((first - sum) + product) + (first_low - product_excess(t, p, product))


cdef inline (double, double) normal_slope(double t) noexcept nogil:
    """(exp(a**2 / 2) Phi(-a) - a phi(0)) / (z - a), z its root, for 0 <= a <= 55, from t = (a - 4) / (a + 4)."""
    # remez normal_slope: relative error 2**-56.14
    cdef double first = 0.4622112440495753
    cdef double p = -0.10336589852195696 + t * (0.060462936767851215 + t * (-0.028083359953044677
        + t * (0.009504950375089635 + t * (-0.001788260541344075 + t * (-0.00015461331269747014
        + t * (0.00018577577616805764 + t * (-1.7477215338790204e-05 + t * (-1.8034950316023042e-05
        + t * (3.538903183410309e-06 + t * (2.216787417546666e-06 + t * (-4.921627149953588e-07
        + t * (-3.4950181341041304e-07 + t * (5.234269490766803e-08 + t * (6.349171089681608e-08
        + t * (-5.967761606280086e-10 + t * (-1.1598874265730316e-08 + t * (-1.977704617394e-09
        + t * (1.842113993628486e-09 + t * (7.241593621484928e-10 + t * (-2.0434779886035777e-10
        + t * (-1.4352843916411835e-10 + t * (9.27982689655888e-12 + t * 1.2634010583100834e-11))))))))))))))))))))))
    cdef double sum = first + t * p
    return sum, fma(t, p, first - sum)


cdef inline (double, double) gelu_of_left(double a) noexcept nogil:
    """a Phi(-a) for 0 <= a <= 55, as a product of two."""
    cdef double e, e_low, sum, m, rest, square, n, n_low, p, p_low, d, d_low, t, t_low, y
    square = a * a
    e, e_low, sum = exp_parts(-0.5 * square, 0.5 * product_excess(a, a, square))
    m, rest = powers_of_parts(sum)
    n = a * e
    n_low = a * e_low - product_excess(a, e, n)
    p = a - 4.0
    d = a + 4.0
    t, t_low = quotient_parts(p, a - (p + 4.0), d, a - (d - 4.0))
    p, p_low = normal_tail(t)
    # t's rounding error means one of a, times p's derivative.
    p_low = p_low + 0.125 * d * d * t_low * (p / (a + 0.75) + a * p - 0.3989422804014327 * (a + 0.75))
    y, n_low = product_parts(n, n_low, p, p_low)
    d, d_low = sum_parts(a, 0.75)
    n = y
    y = n / d
    y = y + (product_excess(y, d, n) + (n_low - y * d_low)) / d
    return y * m, rest


cdef inline (double, double) gelu_derivative_of_left(double a) noexcept nogil:
    """Phi(-a) - a phi(a) for 0 <= a <= 55, as a product of two."""
    cdef double e, e_low, sum, m, rest, square, p, p_low, d, d_low, y, low
    square = a * a
    e, e_low, sum = exp_parts(-0.5 * square, 0.5 * product_excess(a, a, square))
    m, rest = powers_of_parts(sum)
    p, p_low = normal_slope((a - 4.0) / (a + 4.0))
    d, d_low = sum_parts(0.7517915246935645, -a)
    d_low = d_low - 1.4956759177009883e-17
    y, low = product_parts(e, e_low, p, p_low)
    y, low = product_parts(y, low, d, d_low)
    return (y + low) * m, rest


cdef inline (double, double) quick_gelu_exponent(double x) noexcept nogil:
    """1.702 x."""
    cdef double v = 1.702 * x
    return v, x * 4.263256414560601e-17 - product_excess(1.702, x, v)


cdef inline (double, double) gelu_tanh_exponent(double x, double cubic, double cubic_low) noexcept nogil:
    """2 sqrt(2 / pi) x + cubic x**3."""
    cdef double square, square_low, c, c_low, v
    square = x * x
    square_low = -product_excess(x, x, square)
    c = cubic * square
    c_low = cubic * square_low + cubic_low * square - product_excess(cubic, square, c)
    c, v = sum_parts(1.5957691216057308, c)
    c_low = c_low + (v - 9.96930880911092e-17)
    v = x * c
    return v, x * c_low - product_excess(x, c, v)


cdef inline (double, double) product_parts(double a, double a_low, double b, double b_low) noexcept nogil:
    """(a + a_low) (b + b_low) and what of it a float64 does not hold."""
    cdef double product = a * b
    return product, a * b_low + a_low * b - product_excess(a, b, product)


cdef inline (double, double) quotient_parts(double n, double n_low, double d, double d_low) noexcept nogil:
    """(n + n_low) / (d + d_low) and what of it a float64 does not hold."""
    cdef double quotient = n / d
    return quotient, (product_excess(quotient, d, n) + (n_low - quotient * d_low)) / d


cdef inline (double, double) mish_parts(double x, double v) noexcept nogil:
    """x tanh(log(1 + e**v)), as a product of two; |v| <= 1500."""
    cdef double e, e_low, sum, m, rest, s, s_low, n, n_low, d, d_low, y, y_low
    cdef bint left = v < 0
    e, e_low, sum = exp_parts(v if left else -v, 0.0)
    m, rest = powers_of_parts(sum)
    # On the left n / (n + 2), n = e (2 + e); on the right (1 + 2e) / (1 + 2e + 2 e**2), e = e**-x.
    y = e * m * rest
    y_low = e_low * m
    s, s_low = sum_parts(2.0 if left else 1.0, y if left else 2.0 * y)
    s_low = s_low + (y_low if left else 2.0 * y_low)
    n, n_low = product_parts(y, y_low, s if left else y, s_low if left else y_low)
    d, d_low = sum_parts(2.0 if left else s, n if left else 2.0 * n)
    d_low = d_low + (n_low if left else 2.0 * n_low + s_low)
    n, n_low = product_parts(e if left else 1.0, e_low if left else 0.0, s, s_low)
    y, y_low = quotient_parts(n, n_low, d, d_low)
    y = x if v >= 800.0 else fma(x, y, x * y_low)
    return y * (m if left else 1.0), rest if left else 1.0


cdef inline (double, double) mish_derivative_parts(double x) noexcept nogil:
    """The derivative of x tanh(log(1 + e**x)), as a product of two; |x| <= 1500."""
    cdef double e, e_low, sum, m, rest, y, y_low, s, s_low, d, d_low, n, n_low, b, b_low
    cdef bint left = x < 0
    e, e_low, sum = exp_parts(x if left else -x, 0.0)
    m, rest = powers_of_parts(sum)
    y = e * m * rest
    y_low = e_low * m
    # Denominator d**2, as in mish_parts.
    s, s_low = sum_parts(2.0 if left else 1.0, y if left else 2.0 * y)
    s_low = s_low + (y_low if left else 2.0 * y_low)
    n, n_low = product_parts(y, y_low, s if left else y, s_low if left else y_low)
    d, d_low = sum_parts(2.0 if left else s, n if left else 2.0 * n)
    d_low = d_low + (n_low if left else 2.0 * n_low + s_low)
    # Numerator e ((2 + e) d + 4x (1 + e)) on the left, (1 + 2e) d + 4x e**2 (1 + e) on the right.
    s, s_low = product_parts(s, s_low, d, d_low)
    b, b_low = sum_parts(1.0, y)
    b_low = b_low + y_low
    b, b_low = product_parts(b, b_low, 4.0 * x if left else 4.0 * x * n, 0.0 if left else 4.0 * x * n_low)
    n, n_low = sum_parts(s, b)
    n_low = n_low + s_low + b_low
    n, n_low = product_parts(n, n_low, e if left else 1.0, e_low if left else 0.0)
    d, d_low = product_parts(d, d_low, d, d_low)
    y, y_low = quotient_parts(n, n_low, d, d_low)
    return (y + y_low) * (m if left else 1.0), rest if left else 1.0
