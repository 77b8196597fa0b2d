# The formulas of half-precision arrays, where these allow a shorter one than float32. Each serves both types, and is
# found by its name, NAME_half; under it stands how many of the 65,536 float16 it does not round correctly, by how much
# at most. Where nothing stands, and in bfloat16, it is none.


cdef inline float relu6_half(float x) noexcept nogil:
    return at_most(at_least(x, <float>0), <float>6)


cdef inline float hard_sigmoid_half(float x) noexcept nogil:
    return at_most(at_least(x + <float>3, <float>0), <float>6) * <float>0.16666667


cdef inline float hard_swish_half(float x) noexcept nogil:
    # Beyond -3 the second factor is 0, and -infinity's product with it would be no number.
    cdef float sum = size_up_to(at_least(x + <float>3, <float>0), <float>6)
    return at_least(x, <float>-3) * (sum * <float>0.16666667)
    # 1, 0.50000 ULP


cdef inline float sparse_sigmoid_half(float x) noexcept nogil:
    return at_most(at_least(fma(x, <float>0.5, <float>0.5), <float>0), <float>1)


cdef inline float sparse_plus_half(float x) noexcept nogil:
    cdef float half = at_least(fma(x, <float>0.5, <float>0.5), <float>0)
    return x if x >= 1 else half * half
    # 2, 0.50006 ULP


cdef inline float softsign_half(float x) noexcept nogil:
    cdef float y = x / (<float>1 + absolute(x))
    return copy_sign(<float>1, x) if absolute(x) > <float>1e9 else y


cdef inline float sigmoid_half(float x) noexcept nogil:
    cdef float y = half_sigmoid(size_up_to(x, <float>104))
    return nan_of(x, <float>1 - y if x > 0 else y)
    # 10, 0.50005 ULP


cdef inline float sigmoid_derivative_half(float x) noexcept nogil:
    cdef float y = half_sigmoid(size_up_to(x, <float>104))
    return nan_of(x, fma(-y, y, y))
    # 6, 0.50005 ULP


cdef inline float log_sigmoid_derivative_half(float x) noexcept nogil:
    return sigmoid_half(-x)
    # 10, 0.50005 ULP


cdef inline float tanh_half(float x) noexcept nogil:
    # From 4.6 on it rounds to 1.
    cdef float a = size_up_to(x, <float>4.6), s = a * a, above, below
    # remez half_tanh: relative error 2**-23.87
    above = <float>1 + s * (<float>0.12586674 + s * (<float>0.0025478583 + s * <float>5.431968e-06))
    below = <float>1 + s * (<float>0.45919976 + s * (<float>0.022281652 + s * <float>0.0001738471))
    return nan_of(x, copy_sign(a * above / below, x))
    # 2, 0.50017 ULP


cdef inline float tanh_derivative_half(float x) noexcept nogil:
    cdef float y = half_sigmoid(size_up_to(x + x, <float>104))
    return nan_of(x, <float>4 * fma(-y, y, y))
    # 6, 0.50005 ULP


cdef inline float log_sigmoid_half(float x) noexcept nogil:
    cdef float depth = size_up_to(x, <float>110), y
    y = fma(-half_log1p_exp(depth, <float>0), <float>5.421011e-20, <float>0 if x > 0 else x)
    return -half_softplus_near(-x) if depth < <float>0.04 else y
    # 2, 0.50006 ULP


cdef inline float softplus_half(float x, float beta) noexcept nogil:
    cdef float z, z_low, depth, inverse, curved, y
    if not HAS_FMA:
        return softplus(x, beta)
    z = x * beta
    depth = size_up_to(z, <float>110)
    inverse = <float>1 / beta
    # The rounding of beta x counts |beta x| times.
    z_low = fma(x, beta, -z)
    z_low = float32_of_bits(bits_of_float32(z_low) ^ (bits_of_float32(z) & 0x80000000U))
    # Divided by a beta near 0, what is nearly 0 might not be.
    curved = half_log1p_exp(depth, z_low) * <float>5.421011e-20 * inverse
    y = (curved if depth < <float>110 else <float>0) + (<float>0 if z < 0 else x)
    return half_softplus_near(z) * inverse if depth < <float>0.04 else y
    # 2, 0.50006 ULP


cdef inline float softplus_at_1_half(float x) noexcept nogil:
    return -log_sigmoid_half(-x)
    # 2, 0.50006 ULP


cdef inline float elu_half(float x, float alpha) noexcept nogil:
    cdef float y = alpha * half_expm1_of_negative(size_up_to(x, <float>80))
    return y if x < 0 else x


cdef inline float celu_half(float x, float alpha) noexcept nogil:
    # Below 0 it grows like an exponential with an alpha below 0, to infinity.
    cdef float z = x / alpha, r, sum, m, y
    r, sum = half_reduced(at_most(at_least(z, <float>-80), <float>88.7), <float>12583039.0)
    m = power_of_two(sum)
    y = alpha * fma(m, half_exact_expm1(r), m - <float>1)
    y = alpha * <float>INFINITY if z > <float>88.7 else y
    return x if x > 0 else y


cdef inline float selu_half(float x) noexcept nogil:
    cdef float y = <float>1.7580993 * half_expm1_of_negative(size_up_to(x, <float>80))
    return y if x < 0 else <float>1.050701 * x


cdef inline float silu_half(float x) noexcept nogil:
    # With a = |x|, max(x, 0) - a sigmoid(-a).
    cdef float a = size_up_to(x, <float>104)
    return fma(-a, half_sigmoid(a), positive_part(x))
    # 2, 0.50004 ULP


cdef inline float quick_gelu_half(float x) noexcept nogil:
    cdef float a = size_up_to(x, <float>62)
    if not HAS_FMA:
        return quick_gelu(x)
    # The second factor is 1.702 / ln2, in two parts.
    return fma(-a, half_sigmoid_of_product(a, <float>2.455467, <float>-2.6109499e-08), positive_part(x))
    # 2, 0.50013 ULP


cdef inline float gelu_tanh_half(float x) noexcept nogil:
    cdef float a = size_up_to(x, <float>11), square = a * a, b
    if not HAS_FMA:
        return gelu_tanh(x)
    # As in gelu_tanh, 2u = a (b + b_low) ln2; the square is exact.
    b = fma(square, <float>0.10294324, <float>2.3022082)
    return fma(-a, half_sigmoid_of_product(a, b, fma(square, <float>0.10294324, <float>2.3022082 - b)),
               positive_part(x))
    # 4, 0.50010 ULP


cdef inline float gelu_half(float x) noexcept nogil:
    # With a = |x|, max(x, 0) - exp(-a**2 / 2) a R(a); the square is exact.
    cdef float a = size_up_to(x, <float>14.4), s = a * a, r, sum, m, power, above, below
    r, sum = half_reduced(<float>-0.5 * s, <float>12583103.0)
    m = power_of_two(sum)
    power = fma(m, half_expm1(r), m)
    # remez half_tail: relative error 2**-25.22
    above = (<float>0.5 + a * <float>0.43829533) + s * ((<float>0.18323544 + a * <float>0.040633332)
        + s * <float>0.0041163256)
    below = (<float>1.0 + a * <float>1.6744757) + s * ((<float>1.2025043 + a * <float>0.46947142)
        + s * (<float>0.1018591 + a * <float>0.010317979))
    return fma(-power * (a * above / below), <float>5.421011e-20, positive_part(x))
    # 2, 0.50014 ULP


cdef inline float mish_half(float x) noexcept nogil:
    # w (w + 2) / (w (w + 2) + 2), w = e**x; from 20 on it is 1.
    cdef float left = at_least(x, <float>-104), r, sum, m, power, n
    r, sum = half_reduced(at_most(left, <float>20), <float>12583103.0)
    m = power_of_two(sum)
    power = fma(m, half_expm1(r), m)
    n = power * fma(power, <float>5.421011e-20, <float>2) * <float>5.421011e-20
    return left * (n / (n + <float>2))
    # 4, 0.50004 ULP


cdef inline float tanh_shrink_half(float x) noexcept nogil:
    cdef float a = absolute(x), s = a * a, s2 = s * s, r, sum, m, ratio, far
    # remez half_tanh_shrink: relative error 2**-23.61
    ratio = (<float>0.3333333 + s * <float>-0.13333128) + s2 * ((<float>0.053934827 + s * <float>-0.021660283)
        + s2 * ((<float>0.00821924 + s * <float>-0.002510739) + s2 * <float>0.0004207877))
    # From 1 on, (a - 1) + 2 / (1 + e**2a): both parts are positive.
    r, sum = half_reduced(size_up_to(a + a, <float>30), <float>12583039.0)
    m = power_of_two(sum)
    far = (a - <float>1) + <float>2 / fma(m, half_expm1(r), m + <float>1)
    return copy_sign(a * (s * ratio) if a < <float>1 else far, x)
    # 2, 0.50008 ULP


cdef inline float squareplus_half(float x, float b) noexcept nogil:
    # The larger of the values at x and -x; their product is b / 4. Far from 0 in units of 2**64, for the square's sake.
    cdef float a = absolute(x), unit, per_unit, larger
    unit = power_if(a > <float>4e18)
    per_unit = float32_of_bits(0x7f000000U - bits_of_float32(unit))
    a = a * per_unit
    larger = <float>0.5 * (a + at_least(sqrtf(fma(a, a, b * per_unit * per_unit)), a)) * unit
    return <float>0.25 * b / larger if x < 0 else larger
    # 4, 0.50010 ULP


cdef inline float logit_half(float x) noexcept nogil:
    # As in short_log_odds; a subnormal is lifted, for its exponent.
    cdef float lift = power_if(x < <float>1e-30), a = x * lift, b = <float>1 - x, k, z, s, y
    cdef uint32_t power = (bits_of_float32(a) - bits_of_float32(b) + 0x3fc00000U) & 0xff800000U
    k = <float> <int32_t> ((power >> 23) - (bits_of_float32(lift) >> 23))
    a = float32_of_bits(bits_of_float32(a) - (power - 0x3f800000U))
    z = (a - b) / (a + b)
    s = z * z
    # remez half_atanh: relative error 2**-28.21
    s = s * (<float>0.6666695 + s * (<float>0.3995791 + s * <float>0.3035906))
    y = fma(k, <float>0.6931472, fma(z, s, z + z))
    y = <float>-INFINITY if x <= 0 else y
    y = <float>INFINITY if x >= 1 else y
    return y if (x >= 0) & (x <= 1) else <float>NAN
    # 1, 0.50002 ULP; bfloat16: 1, 0.50000 ULP
