# The argument times a gate that it opens itself. Clamps keep the powers of two in range, and infinity from meeting 0:
# an argument beyond one gives the same result as the clamp, but for the factor x of a positive argument.


cdef inline real silu(real x) noexcept nogil:
    cdef real low = -200 if real is float else -1500
    cdef real left = low if x < low else x
    cdef real v = -low if left > -low else left
    cdef double y, rest
    if real is float:
        return <float>short_gated(left, v)
    else:
        y, rest = gated(left, v, 0.0)
        return y * rest


cdef inline real silu_derivative(real x) noexcept nogil:
    cdef real low = -200 if real is float else -1500
    cdef real left = low if x < low else x
    cdef real v = -low if left > -low else left
    cdef double y, rest
    if real is float:
        return <float>short_gated_derivative(v, v)
    else:
        y, rest = gated_derivative(v, 0.0, v, 0.0)
        return y * rest


cdef inline real quick_gelu(real x) noexcept nogil:
    cdef real low = -100 if real is float else -800
    cdef real left = low if x < low else x
    cdef real v = -low if left > -low else left
    cdef double y, rest, z
    if real is float:
        return <float>short_gated(left, 1.702 * <double>v)
    else:
        z = 1.702 * v
        y, rest = gated(left, z, v * 4.263256414560601e-17 - product_excess(1.702, v, z))
        return y * rest


cdef inline real quick_gelu_derivative(real x) noexcept nogil:
    cdef real low = -100 if real is float else -800
    cdef real left = low if x < low else x
    cdef real v = -low if left > -low else left
    cdef double y, rest, z, z_low
    if real is float:
        return <float>short_gated_derivative(1.702 * <double>v, 1.702 * <double>v)
    else:
        z = 1.702 * v
        z_low = v * 4.263256414560601e-17 - product_excess(1.702, v, z)
        y, rest = gated_derivative(z, z_low, z, z_low)
        return y * rest


cdef inline real gelu_tanh(real x) noexcept nogil:
    # (1 + tanh(u)) / 2 = sigmoid(2u), 2u = v.
    cdef real low = -12 if real is float else -26
    cdef real left = low if x < low else x
    cdef real a = -low if left > -low else left
    cdef double y, rest, v, v_low
    if real is float:
        v = <double>a * (1.5957691216057308 + 0.07135481627260025 * <double>a * <double>a)
        return <float>short_gated(left, v)
    else:
        v, v_low = gelu_tanh_exponent(a, 0.07135481627260025, -6.175149918155315e-19)
        y, rest = gated(left, v, v_low)
        return y * rest


cdef inline real gelu_tanh_derivative(real x) noexcept nogil:
    # x dv/dx has the form of v, with three times the cubic term.
    cdef real low = -12 if real is float else -26
    cdef real a = low if x < low else (-low if x > -low else x)
    cdef double y, rest, v, v_low, g, g_low, square
    if real is float:
        square = <double>a * <double>a
        v = <double>a * (1.5957691216057308 + 0.07135481627260025 * square)
        g = <double>a * (1.5957691216057308 + 0.21406444881780073 * square)
        return <float>short_gated_derivative(v, g)
    else:
        v, v_low = gelu_tanh_exponent(a, 0.07135481627260025, -6.175149918155315e-19)
        g, g_low = gelu_tanh_exponent(a, 0.21406444881780073, 1.2025242832367862e-17)
        y, rest = gated_derivative(v, v_low, g, g_low)
        return y * rest


cdef inline real mish(real x) noexcept nogil:
    # tanh(log(1 + w)) = w (w + 2) / (w (w + 2) + 2)
    cdef real low = -200 if real is float else -1500
    cdef real left = low if x < low else x
    cdef real v = -low if left > -low else left
    cdef double y, rest
    if real is float:
        return <float>short_mish(left, <float>40 if left > <float>40 else left)
    else:
        y, rest = mish_parts(left, v)
        return y * rest


cdef inline real mish_derivative(real x) noexcept nogil:
    cdef real low = -200 if real is float else -1500
    cdef real left = low if x < low else x
    cdef real v = -low if left > -low else left
    cdef double y, rest
    if real is float:
        return <float>short_mish_derivative(<float>40 if left > <float>40 else left)
    else:
        y, rest = mish_derivative_parts(v)
        return y * rest


cdef inline real gelu(real x) noexcept nogil:
    cdef real a = absolute(x), end = 20 if real is float else 55
    cdef double y, rest
    a = end if a > end else a
    if real is float:
        return <float>short_gelu(x, a)
    else:
        y, rest = gelu_of_left(a)
        return (x if x > 0 else 0.0) - y * rest


cdef inline real gelu_derivative(real x) noexcept nogil:
    cdef real a = absolute(x), end = 20 if real is float else 55
    cdef double y, rest
    a = end if a > end else a
    if real is float:
        return <float>short_gelu_derivative(x, a)
    else:
        y, rest = gelu_derivative_of_left(a)
        return 1.0 - y * rest if x > 0 else y * rest
