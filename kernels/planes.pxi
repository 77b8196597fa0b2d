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


cdef bint _fits(cnp.ndarray array, cnp.ndarray first):
    """Whether an array has the first one's shape and dtype, and its elements lie as a kernel reads them."""
    cdef int d
    if array.ndim != first.ndim or array.dtype is not first.dtype or not cnp.PyArray_ISBEHAVED_RO(array):
        return False
    for d in range(array.ndim):
        if array.shape[d] != first.shape[d]:
            return False
    return True


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


cdef bint _is(cnp.ndarray array, cnp.ndarray other):
    """Whether two arrays of one shape have the same elements."""
    cdef int d
    for d in range(array.ndim):
        if array.strides[d] != other.strides[d] and array.shape[d] > 1:
            return False
    return cnp.PyArray_DATA(array) == cnp.PyArray_DATA(other)


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

    It does for arrays of one shape and dtype, aligned and in native byte order, if no output overlaps another operand;
    but an output may be an input.
    """
    cdef planes_call call
    cdef ptrdiff_t strides[MAX_PLANES]
    cdef int k, d, axis, sharing
    cdef size_t kernel, element
    cdef cnp.ndarray array, first
    cdef bint backwards = True      # the loop runs along the last axis, or the first
    operands = inputs + outputs
    for operand in operands:
        if not isinstance(operand, np.ndarray) or not _fits(operand, operands[0]):
            return False
    first = operands[0]
    name = _names.get(first.dtype)
    if name is None:
        name = _names.setdefault(first.dtype, first.dtype.name)
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
    for d in range(first.ndim):
        axis = first.ndim - 1 - d if backwards else d
        for k, array in enumerate(operands):
            strides[k] = array.strides[axis]
        add_dimension(&call, first.shape[axis], strides)
    cdef exception_flags flags = save_exception_flags()
    with nogil:
        c_over_planes(&call)
    restore_exception_flags(flags)
    return True
