# NumPy ufuncs over the loops, made through the array-method interface of NumPy 2: its loops can declare that they
# raise no floating-point errors, and its promoters let the user of this module say which loop serves which dtypes.

cdef extern from "Python.h":
    void Py_INCREF(object)

cdef extern from "numpy/arrayobject.h":
    PyTypeObject PyArray_Type
    object PyArray_NewFromDescr(PyTypeObject *subtype, cnp.dtype dtype, int nd, const cnp.npy_intp *dims,
                                const cnp.npy_intp *strides, void *data, int flags, PyObject *like)

cdef extern from "numpy/dtype_api.h":
    ctypedef struct PyArray_DTypeMeta:
        pass
    ctypedef struct PyArrayMethod_Context:
        PyObject *caller
        PyObject **descriptors
    ctypedef struct PyType_Slot:
        int slot
        void *pfunc
    ctypedef struct PyArrayMethod_Spec:
        const char *name
        int nin
        int nout
        cnp.NPY_CASTING casting
        int flags
        PyArray_DTypeMeta **dtypes
        PyType_Slot *slots
    enum:
        NPY_METH_strided_loop
        NPY_METH_REQUIRES_PYAPI
        NPY_METH_NO_FLOATINGPOINT_ERRORS

cdef extern from "numpy/ufuncobject.h":
    ctypedef struct PyUFuncObject:
        void *data
    object PyUFunc_FromFuncAndDataAndSignature(void *functions, void *data, const char *types, int ntypes, int nin,
                                               int nout, int identity, const char *name, const char *doc, int unused,
                                               const char *signature)
    int PyUFunc_AddLoopFromSpec(object ufunc, PyArrayMethod_Spec *spec) except -1
    int PyUFunc_AddPromoter(object ufunc, object dtypes, object promoter) except -1

ctypedef int (*strided_loop)(void *context, char **data, const cnp.npy_intp *dimensions, const cnp.npy_intp *strides,
                             void *auxdata) noexcept nogil

cdef enum:
    MAX_OPERANDS = 8
    MAX_PARAMETERS = 2

# What this module computes, by name: (roles of the operands, output last; signature of a generalised ufunc or None;
# address of the loop by dtype). The roles say which dtype an operand has in the loop for a dtype: ARRAY the same,
# PARAMETER the one that the kernel computes in, MASK bool.
loops = {}

ARRAY, PARAMETER, MASK = "apm"

# Strings that NumPy refers to as long as the process lives.
cdef list _strings = []

# The loops that each ufunc made here is over, and the Python functions that serve an array type which the kernels do
# not have, by (ufunc, dtype).
cdef dict _loops_of = {}
cdef dict _python_loops = {}

cdef object _promote = None


cdef const char *_immortal(str text):
    if text is None:
        return NULL
    _strings.append(text.encode())
    return _strings[len(_strings) - 1]


def operand_dtypes(str roles, dtype):
    """The dtype of each operand in the loop for `dtype`."""
    parameter = np.dtype(np.float32) if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype
    dtypes = {ARRAY: dtype, PARAMETER: parameter, MASK: np.dtype(bool)}
    return [dtypes[role] for role in roles]


cdef int _register(ufunc, list dtypes, void *loop, int flags) except -1:
    """Registers a loop for operands of these dtypes."""
    cdef PyArrayMethod_Spec spec
    cdef PyArray_DTypeMeta *classes[MAX_OPERANDS]
    cdef PyType_Slot slots[2]
    for k, dtype in enumerate(dtypes):
        dtype_class = type(dtype)
        classes[<int> k] = <PyArray_DTypeMeta *> dtype_class    # kept alive by NumPy
    slots[0].slot, slots[0].pfunc = NPY_METH_strided_loop, loop
    slots[1].slot, slots[1].pfunc = 0, NULL
    spec.name = "fastact_loop"
    spec.nin, spec.nout = ufunc.nin, ufunc.nout
    spec.casting = cnp.NPY_NO_CASTING
    spec.flags = flags | NPY_METH_NO_FLOATINGPOINT_ERRORS
    spec.dtypes, spec.slots = classes, slots
    return PyUFunc_AddLoopFromSpec(ufunc, &spec)


cdef int _promoter(PyObject *ufunc, PyObject **given, PyObject **fixed, PyObject **chosen) except -1 with gil:
    """Asks the function given to `set_promotion` which dtype a call computes in."""
    function = <object> ufunc
    inputs = [<object> given[k] for k in range(<int> function.nin)]
    fixed_dtypes = [<object> fixed[k] for k in range(<int> function.nargs) if fixed[k] is not NULL]
    dtype = _promote(function, inputs, fixed_dtypes)
    for k, operand_dtype in enumerate(operand_dtypes(_loops_of[function][0], dtype)):
        dtype_class = type(operand_dtype)
        Py_INCREF(dtype_class)    # NumPy takes over one reference for each operand
        chosen[<int> k] = <PyObject *> dtype_class
    return 0


cdef int _call_python_loop(PyArrayMethod_Context *context, char **data, const cnp.npy_intp *dimensions,
                           const cnp.npy_intp *strides, void *auxdata) except -1 with gil:
    """Runs a Python function over the operands' own memory."""
    ufunc = <object> context.caller
    cdef cnp.dtype dtype = <cnp.dtype> context.descriptors[0]
    operands = []
    for k in range(<int> ufunc.nargs):
        Py_INCREF(dtype)    # stolen by the new array
        operands.append(PyArray_NewFromDescr(&PyArray_Type, dtype, 1, dimensions, &strides[k], data[k],
                                             cnp.NPY_ARRAY_WRITEABLE, NULL))
    output = operands.pop()
    output[...] = _python_loops[ufunc, dtype](*operands)
    return 0


def set_promotion(promote):
    """`promote(ufunc, DTypes of the inputs, DTypes that the caller fixed)` answers the dtype to compute in."""
    global _promote
    _promote = promote


cdef _new_ufunc(tuple its_loops, str name, str doc, void *data):
    roles, signature, _ = its_loops
    ufunc = PyUFunc_FromFuncAndDataAndSignature(NULL, data, NULL, 0, len(roles) - 1, 1, -1, _immortal(name),
                                                _immortal(doc), 0, _immortal(signature))
    _loops_of[ufunc] = its_loops
    capsule = PyCapsule_New(<void *> _promoter, "numpy._ufunc_promoter", NULL)
    PyUFunc_AddPromoter(ufunc, (np.dtype,) * len(roles), capsule)
    for dtype in its_loops[2]:
        if dtype != "bfloat16":    # not NumPy's own: added when somebody brings it
            add_loop(ufunc, np.dtype(dtype))
    return ufunc


def make_ufunc(str loop, str name, str doc):
    """A new ufunc over the loops called `loop`, with a name and a docstring of its own."""
    return _new_ufunc(loops[loop], name, doc, NULL)


def add_loop(ufunc, dtype):
    """Registers the loop for `dtype`, which the kernels know by its name, with a ufunc made here."""
    roles, _, addresses = _loops_of[ufunc]
    cdef size_t address = addresses[dtype.name]
    _register(ufunc, operand_dtypes(roles, dtype), <void *> address, 0)


def add_python_loop(ufunc, dtype, function):
    """Lets `function(*input arrays)` serve operands of `dtype`, which the kernels do not have."""
    _python_loops[ufunc, dtype] = function
    _register(ufunc, [dtype] * ufunc.nargs, <void *> &_call_python_loop, NPY_METH_REQUIRES_PYAPI)
