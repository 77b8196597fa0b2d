# Gated linear units: one operand, through an activation, opens the way for the other. A product may be an ordinary
# number where the gate's factor alone is not any more. With a fused multiply-add, float32's glu is within 1.4 ULP and
# swiglu within 1.9, over a million pairs. Both gradients together share a gate's sigmoid or normal distribution: in
# float64, also for float32, whose gradients are then rounded once.


cdef inline real glu(real gate, real value) noexcept nogil:
    cdef double y, rest
    if real is float:
        if HAS_FMA:
            return glu_float32(gate, value)
        return <float>short_gated(value, clamp(gate, <float>200))
    else:
        y, rest = gated(1.0, clamp(gate, 1500.0), 0.0)
        return y * value * rest


cdef inline real glu_derivative(real gate, real value) noexcept nogil:
    # sigmoid' is even.
    cdef double y, rest
    if real is float:
        return <float>short_sigmoid_derivative(clamp(absolute(gate), <float>200), value)
    else:
        y, rest = sigmoid_derivative_parts(clamp(absolute(gate), 1500.0))
        return y * value * rest


cdef inline (real, real) glu_gradients(real grad, real gate, real value) noexcept nogil:
    cdef double a, b, share
    if real is float:
        # Even the product of grad and value makes 0 of e**-400.
        a, b = short_exp_quotient(clamp(gate, <float>400))
        share = 1.0 / (a + b)
        a = a * share
        return <float>(<double>grad * value * a * (b * share)), <float>(grad * a)
    else:
        return grad * glu_derivative(gate, value), glu(gate, grad)


cdef inline real swiglu(real gate, real value) noexcept nogil:
    cdef double y, rest
    if real is float:
        if HAS_FMA:
            return swiglu_float32(gate, value)
        return <float>(short_gated(at_least(gate, <float>-200), clamp(gate, <float>200)) * value)
    else:
        y, rest = gated(at_least(gate, -1500.0), clamp(gate, 1500.0), 0.0)
        return y * value * rest


cdef inline real swiglu_derivative(real gate, real value) noexcept nogil:
    cdef double y, rest, v
    if real is float:
        v = clamp(gate, <float>200)
        return <float>(short_gated_derivative(v, v) * value)
    else:
        v = clamp(gate, 1500.0)
        y, rest = gated_derivative(v, 0.0, v, 0.0)
        return y * value * rest


cdef inline (real, real) swiglu_gradients(real grad, real gate, real value) noexcept nogil:
    cdef double a, b, v, share
    if real is float:
        v = clamp(gate, <float>400)
        a, b = short_exp_quotient(v)
        share = 1.0 / (a + b)
        a = a * share
        return (<float>(<double>grad * value * a * (1.0 + v * (b * share))),
                <float>(grad * (at_least(gate, <float>-400) * a)))
    else:
        return grad * swiglu_derivative(gate, value), swiglu(gate, grad)


cdef inline real geglu(real gate, real value) noexcept nogil:
    cdef double y, rest
    if real is float:
        return <float>(short_gelu(gate, clamp(absolute(gate), <float>20)) * value)
    else:
        y, rest = gelu_of_left(clamp(absolute(gate), 55.0))
        return (gate - y * rest) * value if gate > 0 else -y * value * rest


cdef inline real geglu_derivative(real gate, real value) noexcept nogil:
    cdef double y, rest
    if real is float:
        return <float>(short_gelu_derivative(gate, clamp(absolute(gate), <float>20)) * value)
    else:
        y, rest = gelu_derivative_of_left(clamp(absolute(gate), 55.0))
        return (1.0 - y * rest) * value if gate > 0 else y * value * rest


cdef inline (real, real) geglu_gradients(real grad, real gate, real value) noexcept nogil:
    cdef double slope, y
    if real is float:
        y, slope = short_gelu_and_derivative(gate, clamp(absolute(gate), <float>30))
        return <float>(<double>grad * value * slope), <float>(grad * y)
    else:
        return grad * geglu_derivative(gate, value), geglu(gate, grad)


cdef inline real reglu(real gate, real value) noexcept nogil:
    return (0 if gate <= 0 else gate) * value


cdef inline real reglu_derivative(real gate, real value) noexcept nogil:
    cdef real opened = 1 if gate > 0 else (0 if gate <= 0 else gate)
    return opened * value


cdef inline (real, real) reglu_gradients(real grad, real gate, real value) noexcept nogil:
    return grad * reglu_derivative(gate, value), reglu(gate, grad)
