# The argument times a gate that it opens itself. Far to the left the result is 0, far to the right the argument:
# float32 takes these at the end, float64 clamps what goes into the exponential. ULP: the largest errors measured,
# float32 over every 7th pattern (silu, quick_gelu, gelu_tanh and gelu over all), float64 over 40,000 points, with a
# fused multiply-add; derivatives beyond 1/16 of their root. Within that, their absolute error is below 0.03 ULP of 1.


cdef inline real silu(real x) noexcept nogil:
    # ULP: float32 0.88, float64 0.60
    cdef double y, rest
    if real is float:
        if HAS_FMA:
            return silu_float32(x)
        return between_ends(x, <float>-200, <float>40, <float>short_gated(x, x), x)
    else:
        y, rest = gated(at_least(x, -1500.0), clamp(x, 1500.0), 0.0)
        return y * rest


cdef inline real silu_derivative(real x) noexcept nogil:
    # ULP: float32 0.53, float64 0.63
    cdef double y, rest, v
    if real is float:
        return between_ends(x, <float>-200, <float>40, <float>short_gated_derivative(x, x), <float>1)
    else:
        v = clamp(x, 1500.0)
        y, rest = gated_derivative(v, 0.0, v, 0.0)
        return y * rest


cdef inline real quick_gelu(real x) noexcept nogil:
    # ULP: float32 0.949, float64 0.60
    cdef double y, rest, v, v_low
    if real is float:
        if HAS_FMA:
            return quick_gelu_float32(x)
        return between_ends(x, <float>-100, <float>24, <float>short_gated(x, 1.702 * <double>x), x)
    else:
        v, v_low = quick_gelu_exponent(clamp(x, 800.0))
        y, rest = gated(at_least(x, -800.0), v, v_low)
        return y * rest


cdef inline real quick_gelu_derivative(real x) noexcept nogil:
    # ULP: float32 0.52, float64 0.64
    cdef double y, rest, v, v_low
    if real is float:
        v = 1.702 * <double>x
        return between_ends(x, <float>-100, <float>24, <float>short_gated_derivative(v, v), <float>1)
    else:
        v, v_low = quick_gelu_exponent(clamp(x, 800.0))
        y, rest = gated_derivative(v, v_low, v, v_low)
        return y * rest


cdef inline real gelu_tanh(real x) noexcept nogil:
    # ULP: float32 0.954, float64 0.59
    # (1 + tanh(u)) / 2 = sigmoid(2u), 2u = v.
    cdef double y, rest, v, v_low
    if real is float:
        if HAS_FMA:
            return gelu_tanh_float32(x)
        v = <double>x * (1.5957691216057308 + 0.07135481627260025 * (<double>x * <double>x))
        return between_ends(x, <float>-12, <float>12, <float>short_gated(x, v), x)
    else:
        v, v_low = gelu_tanh_exponent(clamp(x, 26.0), 0.07135481627260025, -6.175149918155315e-19)
        y, rest = gated(at_least(x, -26.0), v, v_low)
        return y * rest


cdef inline real gelu_tanh_derivative(real x) noexcept nogil:
    # ULP: float32 0.52, float64 0.70
    # x dv/dx has the form of v, with three times the cubic term.
    cdef double y, rest, v, v_low, g, g_low, a, square
    if real is float:
        a = x
        square = a * a
        v = a * (1.5957691216057308 + 0.07135481627260025 * square)
        g = a * (1.5957691216057308 + 0.21406444881780073 * square)
        return between_ends(x, <float>-12, <float>12, <float>short_gated_derivative(v, g), <float>1)
    else:
        a = clamp(x, 26.0)
        v, v_low = gelu_tanh_exponent(a, 0.07135481627260025, -6.175149918155315e-19)
        g, g_low = gelu_tanh_exponent(a, 0.21406444881780073, 1.2025242832367862e-17)
        y, rest = gated_derivative(v, v_low, g, g_low)
        return y * rest


cdef inline real mish(real x) noexcept nogil:
    # ULP: float32 0.52, float64 0.61
    # tanh(log(1 + w)) = w (w + 2) / (w (w + 2) + 2), w = e**x.
    cdef double y, rest
    if real is float:
        return between_ends(x, <float>-200, <float>40, <float>short_mish(x), x)
    else:
        y, rest = mish_parts(at_least(x, -1500.0), clamp(x, 1500.0))
        return y * rest


cdef inline real mish_derivative(real x) noexcept nogil:
    # ULP: float32 0.54, float64 0.71
    cdef double y, rest
    if real is float:
        return between_ends(x, <float>-200, <float>40, <float>short_mish_derivative(x), <float>1)
    else:
        y, rest = mish_derivative_parts(clamp(x, 1500.0))
        return y * rest


cdef inline real gelu(real x) noexcept nogil:
    # ULP: float32 0.996, float64 1.3
    cdef double y, rest
    if real is float:
        if HAS_FMA:
            return gelu_float32(x)
        return <float>short_gelu(x, clamp(absolute(x), <float>20))
    else:
        y, rest = gelu_of_left(clamp(absolute(x), 55.0))
        return positive_part(x) - y * rest


cdef inline real gelu_derivative(real x) noexcept nogil:
    # ULP: float32 0.72, float64 1.3
    cdef double y, rest
    if real is float:
        return <float>short_gelu_derivative(x, clamp(absolute(x), <float>20))
    else:
        y, rest = gelu_derivative_of_left(clamp(absolute(x), 55.0))
        return 1.0 - y * rest if x > 0 else y * rest
