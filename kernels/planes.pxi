# Functions of two operands over arrays of several dimensions: see planes.h.

cdef extern from "planes.h" nogil:
    enum:
        MAX_PLANES
    ctypedef void (*pair_kernel)(const void **inputs, void *first, void *second, ptrdiff_t n)
    ctypedef struct planes_call:
        block_kernel kernel
        pair_kernel pair
        const element_type *type
        int inputs, operands, apart, dimensions
        char **data
        ptrdiff_t elements
    void add_dimension(planes_call *call, ptrdiff_t size, const ptrdiff_t *strides)
    void c_over_planes "over_planes"(planes_call *call)


# What functions of two operands have for arrays of several dimensions, by (function, operation): for each dtype, by its
# name, the addresses of a kernel and of the element type. Backward, the kernel computes both gradients.
planes = {}

# The names of dtypes, which NumPy makes anew each time.
cdef dict _names = {}


cdef bint _fits(cnp.ndarray array, cnp.ndarray whole, bint broadcasts):
    """Whether an array has another one's dtype and shape, or broadcasts to it, and lies as a kernel reads it."""
    cdef int d, missing = whole.ndim - array.ndim
    if array.dtype is not whole.dtype or not cnp.PyArray_ISBEHAVED_RO(array) or missing < 0:
        return False
    for d in range(array.ndim):
        if array.shape[d] != whole.shape[missing + d] and not (broadcasts and array.shape[d] == 1):
            return False
    return missing == 0 or broadcasts


cdef ptrdiff_t _stride(cnp.ndarray array, cnp.ndarray whole, int axis):
    """The distance from one element of an array to the next along an axis of the array that it broadcasts to."""
    cdef int d = axis - (whole.ndim - array.ndim)
    return 0 if d < 0 or array.shape[d] == 1 else array.strides[d]


cdef bint _overlap(cnp.ndarray array, cnp.ndarray other):
    """Whether two arrays may share memory; the halves of an array do not."""
    cdef size_t low[2]
    cdef size_t high[2]
    cdef cnp.ndarray each
    cdef int k, d
    cdef ptrdiff_t reach
    for k, each in enumerate((array, other)):
        low[k] = high[k] = <size_t> cnp.PyArray_DATA(each)
        for d in range(each.ndim):
            reach = each.strides[d] * (each.shape[d] - 1)
            low[k] += min(reach, 0)
            high[k] += max(reach, 0)
    return low[0] <= high[1] and low[1] <= high[0] and np.may_share_memory(array, other, max_work=1)


cdef bint _is(cnp.ndarray output, cnp.ndarray array):
    """Whether an array has the very elements of an output."""
    cdef int d
    for d in range(output.ndim):
        if _stride(array, output, d) != _stride(output, output, d):
            return False
    return cnp.PyArray_DATA(output) == cnp.PyArray_DATA(array)


cdef int _sharing(tuple inputs, tuple outputs):
    """Whether outputs share memory with other operands: 0 no, 1 only such as are inputs themselves, 2 in another way."""
    cdef int sharing = 0, k, j
    for k in range(len(outputs)):
        for other in inputs:
            if _overlap(outputs[k], other):
                if not _is(outputs[k], other):
                    return 2
                sharing = 1
        for j in range(k):
            if _overlap(outputs[k], outputs[j]):
                return 2
    return sharing


def over_planes(str function, str operation, tuple inputs, tuple outputs):
    """Computes outputs from inputs, and says whether it did.

    It does for arrays of one dtype, aligned and in native byte order, where the outputs have one shape, which the
    inputs broadcast to, and none overlaps another operand; but an output may be an input.
    """
    cdef planes_call call
    cdef ptrdiff_t strides[MAX_PLANES]
    cdef int k, d, axis, sharing
    cdef size_t kernel, element
    cdef cnp.ndarray array, whole
    cdef bint backwards = True      # the loop runs along the last axis, or the first
    operands = inputs + outputs
    if not all([isinstance(operand, np.ndarray) for operand in operands]):
        return False
    whole = outputs[0]
    for k, array in enumerate(operands):
        if not _fits(array, whole, k < len(inputs)):
            return False
    name = _names.get(whole.dtype)
    if name is None:
        name = _names.setdefault(whole.dtype, whole.dtype.name)
    addresses = planes[function, operation].get(name)
    sharing = _sharing(inputs, outputs)
    if addresses is None or sharing == 2 or not all([array.flags.writeable for array in outputs]):
        return False
    kernel, element = addresses
    call.kernel = NULL if operation == "backward" else <block_kernel> kernel
    call.pair = <pair_kernel> kernel if operation == "backward" else NULL
    call.type = <const element_type *> element
    call.inputs, call.operands, call.apart = <int> len(inputs), <int> len(operands), sharing == 0
    call.dimensions, call.elements = 0, 1
    for k, array in enumerate(operands):
        call.data[k] = <char *> cnp.PyArray_DATA(array)
        backwards = backwards and cnp.PyArray_IS_F_CONTIGUOUS(array)
    for d in range(whole.ndim):
        axis = whole.ndim - 1 - d if backwards else d
        for k, array in enumerate(operands):
            strides[k] = _stride(array, whole, axis)
        add_dimension(&call, whole.shape[axis], strides)
    cdef exception_flags flags = save_exception_flags()
    with nogil:
        c_over_planes(&call)
    restore_exception_flags(flags)
    return True
