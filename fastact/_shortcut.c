/*
 * A callable that stands before a thin Python function: a call that gives arrays alone, and at most `out`, goes straight
 * to a ufunc with the parameters' defaults bound. The detour through a Python function with keywords costs a hundred
 * nanoseconds, which is a third of what NumPy takes for a small array.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *bound;        /* serves calls without parameters */
    PyObject *function;     /* serves all others */
    Py_ssize_t arrays;      /* positional arguments of a call without parameters */
    PyObject *dict;         /* __name__, __doc__, __module__, __wrapped__, ... as functools.update_wrapper sets them */
} Shortcut;

static PyObject *out_keyword;

static int gives_at_most_out(PyObject *keywords)
{
    return keywords == NULL
        || (PyTuple_GET_SIZE(keywords) == 1 && PyTuple_GET_ITEM(keywords, 0) == out_keyword);
}

static PyObject *shortcut_call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *keywords)
{
    Shortcut *shortcut = (Shortcut *)self;
    int plain = PyVectorcall_NARGS(nargsf) == shortcut->arrays && gives_at_most_out(keywords);
    return PyObject_Vectorcall(plain ? shortcut->bound : shortcut->function, args, nargsf, keywords);
}

static PyObject *shortcut_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"bound", "function", "arrays", NULL};
    PyObject *bound, *function;
    Py_ssize_t arrays;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOn", names, &bound, &function, &arrays)) {
        return NULL;
    }
    Shortcut *self = (Shortcut *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->vectorcall = shortcut_call;
        self->bound = Py_NewRef(bound);
        self->function = Py_NewRef(function);
        self->arrays = arrays;
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
    out_keyword = PyUnicode_InternFromString("out");
    PyObject *type = PyType_FromSpec(&shortcut_spec);
    if (out_keyword == NULL || type == NULL) {
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
