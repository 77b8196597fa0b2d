/*
 * A callable that stands before a thin Python function, for calls that give arrays and at most `out` and, for functions
 * of rows, the axis. Where those are plain arrays of floats, whose rows lie along the last axis, it runs the kernels'
 * loop over their memory itself; else a call without an axis goes straight to a ufunc with the parameters' defaults
 * bound. The detour through a Python function with keywords costs a hundred nanoseconds, which is half of what NumPy
 * takes for a small array. What a ufunc prepares for a call costs as much again, and what a generalised ufunc prepares,
 * seven times as much.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <numpy/arrayobject.h>
#include <stddef.h>
#include <structmember.h>

enum { MAX_ARRAYS = 2, MAX_PARAMETERS = 2, MAX_OPERANDS = MAX_ARRAYS + MAX_PARAMETERS + 1 };

/* As NumPy calls it; the kernels' loops need neither the context nor the auxiliary data. */
typedef int (*strided_loop)(void *context, char **data, const npy_intp *dimensions, const npy_intp *strides,
                            void *auxdata);

/* The loop for one dtype, and the parameters' defaults as it takes them. */
typedef struct {
    strided_loop loop;
    union {
        float single;
        double wide;
    } parameters[MAX_PARAMETERS];
} direct_loop;

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *bound;        /* serves calls without parameters or axis */
    PyObject *function;     /* serves all others */
    Py_ssize_t arrays;      /* positional arguments of a call without parameters */
    Py_ssize_t parameters;
    int rowwise;            /* the loops take rows, which lie along the last axis */
    int reduces;            /* a row becomes one number */
    direct_loop float16, float32, float64;
    PyObject *dict;         /* __name__, __doc__, __module__, __wrapped__, ... as functools.update_wrapper sets them */
} Shortcut;

static PyObject *out_keyword, *axis_keyword;

/* ---- calls that need no ufunc ------------------------------------------------------------------------------------ */

static const direct_loop *loop_for(const Shortcut *shortcut, PyArrayObject *x)
{
    switch (PyArray_TYPE(x)) {
    case NPY_HALF:
        return &shortcut->float16;
    case NPY_FLOAT:
        return &shortcut->float32;
    case NPY_DOUBLE:
        return &shortcut->float64;
    default:
        return NULL;
    }
}

/* Whether it is an array, of no subclass, whose elements lie one after the other in memory as a loop takes them. */
static int is_plain(PyObject *given)
{
    PyArrayObject *x = (PyArrayObject *)given;
    return PyArray_CheckExact(given) && PyArray_IS_C_CONTIGUOUS(x) && PyArray_ISALIGNED(x) && PyArray_ISNOTSWAPPED(x)
        && PyArray_NDIM(x) > 0 && PyArray_SIZE(x) > 0;
}

static int are_alike(PyArrayObject *x, PyArrayObject *y)
{
    return PyArray_TYPE(x) == PyArray_TYPE(y) && PyArray_SAMESHAPE(x, y);
}

/* Whether a call asks for rows along the last axis, as it does where it says nothing. */
static int is_last(PyObject *axis, int dimensions)
{
    if (axis == NULL) {
        return 1;
    }
    if (!PyLong_CheckExact(axis)) {
        return 0;
    }
    int overflow;
    long number = PyLong_AsLongAndOverflow(axis, &overflow);
    return !overflow && (number == -1 || number == dimensions - 1);
}

static int are_apart(PyArrayObject *x, PyArrayObject *y)
{
    const char *x_begin = PyArray_BYTES(x), *y_begin = PyArray_BYTES(y);
    return x_begin + PyArray_NBYTES(x) <= y_begin || y_begin + PyArray_NBYTES(y) <= x_begin;
}

/* Whether a loop may write to an array: of the result's type and shape, and the operand itself or apart from all. */
static int takes_result(const Shortcut *shortcut, PyObject *const *args, PyObject *given)
{
    PyArrayObject *x = (PyArrayObject *)args[0], *out = (PyArrayObject *)given;
    if (given == args[0]) {
        return shortcut->arrays == 1 && !shortcut->reduces && PyArray_ISWRITEABLE(out);
    }
    int dimensions = PyArray_NDIM(x) - shortcut->reduces;
    if (!is_plain(given) || !PyArray_ISWRITEABLE(out) || PyArray_TYPE(out) != PyArray_TYPE(x)
        || PyArray_NDIM(out) != dimensions
        || !PyArray_CompareLists(PyArray_DIMS(out), PyArray_DIMS(x), dimensions)) {
        return 0;
    }
    for (Py_ssize_t k = 0; k < shortcut->arrays; k++) {
        if (!are_apart((PyArrayObject *)args[k], out)) {
            return 0;
        }
    }
    return 1;
}

/* The loop that can serve a call, or NULL. */
static const direct_loop *choose_loop(const Shortcut *shortcut, PyObject *const *args, PyObject *out, PyObject *axis)
{
    PyArrayObject *x = (PyArrayObject *)args[0];
    for (Py_ssize_t k = 0; k < shortcut->arrays; k++) {
        if (!is_plain(args[k]) || (k > 0 && !are_alike(x, (PyArrayObject *)args[k]))) {
            return NULL;
        }
    }
    int fits = out == NULL || takes_result(shortcut, args, out);
    return fits && is_last(axis, PyArray_NDIM(x)) ? loop_for(shortcut, x) : NULL;
}

static void run_loop(const Shortcut *shortcut, const direct_loop *direct, PyObject *const *args, PyArrayObject *result)
{
    PyArrayObject *x = (PyArrayObject *)args[0];
    npy_intp item = PyArray_ITEMSIZE(x), size = PyArray_SIZE(x);
    npy_intp n = PyArray_DIM(x, PyArray_NDIM(x) - 1), row = n * item;
    int arrays = (int)shortcut->arrays, parameters = (int)shortcut->parameters, out = arrays + parameters;
    char *data[MAX_OPERANDS];
    npy_intp dimensions[2] = {size, 0}, strides[2 * MAX_OPERANDS] = {0};
    for (int k = 0; k < arrays; k++) {
        data[k] = PyArray_BYTES((PyArrayObject *)args[k]);
        strides[k] = item;
    }
    for (int k = 0; k < parameters; k++) {
        data[arrays + k] = (char *)&direct->parameters[k];      /* of stride 0 */
    }
    data[out] = PyArray_BYTES(result);
    strides[out] = item;
    if (shortcut->rowwise) {    /* the strides from row to row come first */
        dimensions[0] = size / n;
        dimensions[1] = n;
        for (int k = 0; k <= out; k++) {
            strides[k] = k == out && shortcut->reduces ? item : row;
            strides[out + 1 + k] = item;
        }
    }
    NPY_BEGIN_THREADS_DEF;
    NPY_BEGIN_THREADS_THRESHOLDED(size);
    direct->loop(NULL, data, dimensions, strides, NULL);
    NPY_END_THREADS;
}

static PyObject *call_directly(const Shortcut *shortcut, const direct_loop *direct, PyObject *const *args,
                               PyObject *out)
{
    PyArrayObject *x = (PyArrayObject *)args[0];
    PyObject *result;
    if (out != NULL) {
        /* Of some arrays NumPy only warns here. */
        if (PyArray_FailUnlessWriteable((PyArrayObject *)out, "output array") < 0) {
            return NULL;
        }
        result = Py_NewRef(out);
    }
    else {
        result = PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(PyArray_TYPE(x)),
                                      PyArray_NDIM(x) - shortcut->reduces, PyArray_DIMS(x), NULL, NULL, 0, NULL);
        if (result == NULL) {
            return NULL;
        }
    }
    run_loop(shortcut, direct, args, (PyArrayObject *)result);
    return PyArray_Return((PyArrayObject *)result);
}

/* ---- the callable ------------------------------------------------------------------------------------------------ */

/* Finds what a call gives beside its arrays; 0 where that is not `out` and, after the arrays or by name, the axis. */
static int read_options(const Shortcut *shortcut, PyObject *const *args, Py_ssize_t positional, PyObject *keywords,
                        PyObject **out, PyObject **axis)
{
    *out = *axis = NULL;
    if (shortcut->rowwise && positional == shortcut->arrays + 1) {
        *axis = args[shortcut->arrays];
    }
    else if (positional != shortcut->arrays) {
        return 0;
    }
    Py_ssize_t named = keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t k = 0; k < named; k++) {
        PyObject *name = PyTuple_GET_ITEM(keywords, k);
        PyObject **option = name == out_keyword ? out : shortcut->rowwise && name == axis_keyword ? axis : NULL;
        if (option == NULL || *option != NULL) {
            return 0;
        }
        *option = args[positional + k];
    }
    return 1;
}

static PyObject *shortcut_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    Shortcut *shortcut = (Shortcut *)self;
    PyObject *out, *axis;
    if (!read_options(shortcut, args, PyVectorcall_NARGS(nargsf), keywords, &out, &axis)) {
        return PyObject_Vectorcall(shortcut->function, args, nargsf, keywords);
    }
    const direct_loop *direct = choose_loop(shortcut, args, out, axis);
    if (direct != NULL) {
        return call_directly(shortcut, direct, args, out);
    }
    return PyObject_Vectorcall(axis == NULL ? shortcut->bound : shortcut->function, args, nargsf, keywords);
}

/* Reads the address of the loop for a dtype, and the defaults in the type that the loop computes in. */
static int set_loop(direct_loop *direct, PyObject *addresses, const char *dtype, int wide, PyObject *defaults)
{
    PyObject *address = PyMapping_GetItemString(addresses, dtype);
    if (address == NULL) {
        return -1;
    }
    direct->loop = (strided_loop)PyLong_AsVoidPtr(address);
    Py_DECREF(address);
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(defaults) && !PyErr_Occurred(); k++) {
        double value = PyFloat_AsDouble(PyTuple_GET_ITEM(defaults, k));
        if (wide) {
            direct->parameters[k].wide = value;
        }
        else {
            direct->parameters[k].single = (float)value;
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *shortcut_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"bound", "function", "addresses", "arrays", "defaults", "rowwise", "reduces", NULL};
    PyObject *bound, *function, *addresses, *defaults;
    Py_ssize_t arrays;
    int rowwise, reduces;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO!nO!pp", names, &bound, &function, &PyDict_Type, &addresses,
                                     &arrays, &PyTuple_Type, &defaults, &rowwise, &reduces)) {
        return NULL;
    }
    if (arrays < 1 || arrays > MAX_ARRAYS || PyTuple_GET_SIZE(defaults) > MAX_PARAMETERS) {
        return PyErr_Format(PyExc_ValueError, "got %zd arrays and %zd parameters, expected 1 to %d and at most %d",
                            arrays, PyTuple_GET_SIZE(defaults), MAX_ARRAYS, MAX_PARAMETERS);
    }
    Shortcut *self = (Shortcut *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = shortcut_call;
    self->bound = Py_NewRef(bound);
    self->function = Py_NewRef(function);
    self->arrays = arrays;
    self->parameters = PyTuple_GET_SIZE(defaults);
    self->rowwise = rowwise;
    self->reduces = reduces;
    if (set_loop(&self->float16, addresses, "float16", 0, defaults) < 0
        || set_loop(&self->float32, addresses, "float32", 0, defaults) < 0
        || set_loop(&self->float64, addresses, "float64", 1, defaults) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int shortcut_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Shortcut *)self)->bound);
    Py_VISIT(((Shortcut *)self)->function);
    Py_VISIT(((Shortcut *)self)->dict);
    return 0;
}

static int shortcut_clear(PyObject *self)
{
    Py_CLEAR(((Shortcut *)self)->bound);
    Py_CLEAR(((Shortcut *)self)->function);
    Py_CLEAR(((Shortcut *)self)->dict);
    return 0;
}

static void shortcut_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    shortcut_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *shortcut_repr(PyObject *self)
{
    return PyObject_Repr(((Shortcut *)self)->function);
}

/* As a class attribute it stays itself, as a ufunc does; having the slot makes `help` treat it as a function. */
static PyObject *shortcut_get(PyObject *self, PyObject *Py_UNUSED(instance), PyObject *Py_UNUSED(owner))
{
    return Py_NewRef(self);
}

/* Pickles by name, as a function does. */
static PyObject *shortcut_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyObject_GetAttrString(self, "__qualname__");
}

static PyMethodDef shortcut_methods[] = {
    {"__reduce__", shortcut_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef shortcut_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Shortcut, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Shortcut, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef shortcut_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot shortcut_slots[] = {
    {Py_tp_new, shortcut_new},
    {Py_tp_dealloc, shortcut_dealloc},
    {Py_tp_traverse, shortcut_traverse},
    {Py_tp_clear, shortcut_clear},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_repr, shortcut_repr},
    {Py_tp_descr_get, shortcut_get},
    {Py_tp_methods, shortcut_methods},
    {Py_tp_members, shortcut_members},
    {Py_tp_getset, shortcut_getset},
    {0, NULL},
};

static PyType_Spec shortcut_spec = {
    .name = "fastact._compiled.shortcut.Shortcut",
    .basicsize = sizeof(Shortcut),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = shortcut_slots,
};

static int execute(PyObject *module)
{
    if (PyArray_ImportNumPyAPI() < 0) {
        return -1;
    }
    out_keyword = PyUnicode_InternFromString("out");
    axis_keyword = PyUnicode_InternFromString("axis");
    PyObject *type = PyType_FromSpec(&shortcut_spec);
    if (out_keyword == NULL || axis_keyword == NULL || type == NULL) {
        Py_XDECREF(type);
        return -1;
    }
    int status = PyModule_AddObjectRef(module, "Shortcut", type);
    Py_DECREF(type);
    return status;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "shortcut",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_shortcut(void)
{
    return PyModuleDef_Init(&module_definition);
}
