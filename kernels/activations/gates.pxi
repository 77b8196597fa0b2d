# Gated linear units: one operand, through an activation, opens the way for the other. A product may be an ordinary
# number where the gate's factor alone is not any more.


cdef inline real glu(real gate, real value) noexcept nogil:
    cdef real low = -200 if real is float else -1500
    cdef real v = low if gate < low else (-low if gate > -low else gate)
    cdef double y, rest
    if real is float:
        return <float>short_gated(value, v)
    else:
        y, rest = gated(1.0, v, 0.0)
        return y * value * rest


cdef inline real glu_derivative(real gate, real value) noexcept nogil:
    # sigmoid' is even.
    cdef real v = absolute(gate), end = 200 if real is float else 1500
    cdef double y, rest
    v = end if v > end else v
    if real is float:
        return <float>short_sigmoid_derivative(v, value)
    else:
        y, rest = sigmoid_derivative_parts(v)
        return y * value * rest


cdef inline real swiglu(real gate, real value) noexcept nogil:
    cdef real low = -200 if real is float else -1500
    cdef real left = low if gate < low else gate
    cdef real v = -low if left > -low else left
    cdef double y, rest
    if real is float:
        return <float>(short_gated(left, v) * value)
    else:
        y, rest = gated(left, v, 0.0)
        return y * value * rest


cdef inline real swiglu_derivative(real gate, real value) noexcept nogil:
    cdef real low = -200 if real is float else -1500
    cdef real left = low if gate < low else gate
    cdef real v = -low if left > -low else left
    cdef double y, rest
    if real is float:
        return <float>(short_gated_derivative(v, v) * value)
    else:
        y, rest = gated_derivative(v, 0.0, v, 0.0)
        return y * value * rest


cdef inline real geglu(real gate, real value) noexcept nogil:
    cdef real a = absolute(gate), end = 20 if real is float else 55
    cdef double y, rest
    a = end if a > end else a
    if real is float:
        return <float>(short_gelu(gate, a) * value)
    else:
        y, rest = gelu_of_left(a)
        return (gate - y * rest) * value if gate > 0 else -y * value * rest


cdef inline real geglu_derivative(real gate, real value) noexcept nogil:
    cdef real a = absolute(gate), end = 20 if real is float else 55
    cdef double y, rest
    a = end if a > end else a
    if real is float:
        return <float>(short_gelu_derivative(gate, a) * value)
    else:
        y, rest = gelu_derivative_of_left(a)
        return (1.0 - y * rest) * value if gate > 0 else y * value * rest


cdef inline real reglu(real gate, real value) noexcept nogil:
    return (0 if gate <= 0 else gate) * value


cdef inline real reglu_derivative(real gate, real value) noexcept nogil:
    cdef real opened = 1 if gate > 0 else (0 if gate <= 0 else gate)
    return opened * value
