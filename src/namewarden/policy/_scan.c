/* Reads the plain lines of a list, and makes what the table needs of a name: fingerprint, CRC-32, labels.
 *
 * The counterpart of `SHAPES` and `Scan` in scan.py, which say what everything means: same answers, same tests. A line
 * is read here only where its meaning is beyond doubt; every other one is left to scan.py, in order. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include "_fingerprint.h"

#define NAME_LIMIT 253
#define LABEL_LIMIT 63
enum { BARE, HOSTS, WILDCARD, ADBLOCK, SHAPES }; /* as in scan.py */

struct row { /* ROW in scan.py */
    uint8_t print[8];
    uint64_t low;
    uint32_t sum, labels;
};

typedef struct {
    PyObject_HEAD
    struct fingerprints prints;
    struct row *row;
    size_t count, room;
} Rows;

struct name {
    uint8_t octets[NAME_LIMIT];
    uint32_t length, labels;
};

static struct row *
add(Rows *self, const uint8_t *name, size_t length, uint64_t print)
{
    if (self->count == self->room) {
        size_t room = 2 * self->room + 64;
        struct row *grown = room <= PY_SSIZE_T_MAX / sizeof *grown ? PyMem_Realloc(self->row, room * sizeof *grown) : NULL;
        if (!grown) {
            PyErr_NoMemory();
            return NULL;
        }
        self->row = grown;
        self->room = room;
    }
    struct row *row = &self->row[self->count++];
    for (int i = 0; i < 8; i++)
        row->print[i] = (uint8_t)(print >> 8 * i);
    row->sum = crc_of(&self->prints, name, length);
    row->low = 0;
    return row;
}

static int
begins(const uint8_t *at, const uint8_t *end, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(end - at) >= length && !memcmp(at, text, length);
}

static const uint8_t *
past_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Where the name of a line begins, and the shape that the line has if it has any. */
static const uint8_t *
past_lead(const uint8_t *at, const uint8_t *end, int *shape)
{
    *shape = ADBLOCK;
    if (begins(at, end, "||"))
        return at + 2;
    *shape = WILDCARD;
    if (begins(at, end, "*."))
        return at + 2;
    *shape = HOSTS;
    const uint8_t *blank = begins(at, end, "0.0.0.0") ? at + 7 : begins(at, end, "127.0.0.1") ? at + 9 : at;
    const uint8_t *name = past_blanks(blank, end);
    if (blank > at && name > blank)
        return name;
    *shape = BARE;
    return at;
}

/* The end of a name of at least two labels whose last octet is no digit, hyphen or dot, in lower case; NULL for none. */
static const uint8_t *
past_name(const Rows *self, const uint8_t *at, const uint8_t *end, struct name *name)
{
    uint32_t length = 0, label = 0, dots = 0;
    for (; at < end && (*at == '.' || self->prints.is_name[*at]); at++) {
        if (length == NAME_LIMIT || (*at == '.' ? !label : label == LABEL_LIMIT))
            return NULL;
        label = *at == '.' ? 0 : label + 1;
        dots += *at == '.';
        name->octets[length++] = lower(*at);
    }
    if (!dots || !label || name->octets[length - 1] <= '9')
        return NULL;
    const uint8_t *text = name->octets, *last = text + length;
    if (*text == '-' || begins(text, last, "localhost") || begins(text, last, "ip6-"))
        return NULL; /* of some shapes scan.py leaves these to the reader */
    name->length = length;
    name->labels = dots + 1;
    return at;
}

/* The begin of the next line where this one is plain and has a code, else NULL. `begin`: of the name in it. */
static const uint8_t *
past_line(const Rows *self, const uint8_t *at, const uint8_t *end, struct name *name, const uint8_t **begin, int *shape)
{
    *begin = past_lead(at, end, shape);
    at = past_name(self, *begin, end, name);
    if (!at || (*shape == ADBLOCK && (at == end || *at++ != '^')))
        return NULL;
    at = past_blanks(at, end);
    at += at < end && *at == '\r';
    return at < end && *at == '\n' ? at + 1 : NULL;
}

static int
is_among(uint64_t print, const char *prints, Py_ssize_t length)
{
    for (Py_ssize_t at = 0; at + 8 <= length; at += 8)
        if (load64((const uint8_t *)prints + at) == print)
            return 1;
    return 0;
}

static PyObject *
Rows_read(Rows *self, PyObject *args)
{
    const char *text, *left;
    Py_ssize_t length, start, left_length;
    unsigned long long offset;
    int codes[SHAPES], shape;
    if (!PyArg_ParseTuple(args, "y#nK(iiii)y#:read", &text, &length, &start, &offset, &codes[BARE], &codes[HOSTS],
                          &codes[WILDCARD], &codes[ADBLOCK], &left, &left_length))
        return NULL;
    if (start < 0 || start > length) {
        PyErr_SetString(PyExc_ValueError, "a line begins in the text");
        return NULL;
    }
    const uint8_t *first = (const uint8_t *)text, *end = first + length, *at = first + start, *next, *begin;
    struct name name;
    Py_ssize_t lines = 0;
    for (; (next = past_line(self, at, end, &name, &begin, &shape)) && codes[shape] >= 0; at = next, lines++) {
        uint64_t low = (offset + (uint64_t)(begin - first)) | (uint64_t)codes[shape] << 32;
        uint64_t print = fingerprint(&self->prints, name.octets, name.length);
        if (is_among(print, left, left_length))
            break;
        struct row *row = add(self, name.octets, name.length, print);
        if (!row)
            return NULL;
        row->low = low;
        row->labels = name.labels;
    }
    return Py_BuildValue("(nn)", (Py_ssize_t)(at - first), lines);
}

static PyObject *
Rows_add(Rows *self, PyObject *names)
{
    if (!PyList_Check(names)) {
        PyErr_SetString(PyExc_TypeError, "names are a list");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        char *name;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GET_ITEM(names, i), &name, &length) < 0)
            return NULL;
        const uint8_t *octets = (const uint8_t *)name;
        struct row *row = add(self, octets, length, fingerprint(&self->prints, octets, length));
        if (!row)
            return NULL;
        row->labels = length > 0;
        for (Py_ssize_t at = 0; at < length; at++)
            row->labels += name[at] == '.';
    }
    Py_RETURN_NONE;
}

static PyObject *
Rows_take(Rows *self, PyObject *nothing)
{
    PyObject *taken = PyBytes_FromStringAndSize((const char *)self->row, self->count * sizeof *self->row);
    if (taken)
        self->count = 0;
    return taken;
}

static void
Rows_dealloc(Rows *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->row);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
Rows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    const char *secret;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "y#:Rows", &secret, &length))
        return NULL;
    if (length != 32) {
        PyErr_SetString(PyExc_ValueError, "the secret has 32 octets");
        return NULL;
    }
    Rows *self = (Rows *)type->tp_alloc(type, 0);
    if (self)
        begin(&self->prints, (const uint8_t *)secret);
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)Rows_add, METH_O, "add(names): a row for each, its low 0"},
    {"read", (PyCFunction)Rows_read, METH_VARARGS,
     "read(text, at, offset of the text, codes of the shapes, -1 = none, fingerprints to leave) -> (begin of the first line left, lines read)"},
    {"take", (PyCFunction)Rows_take, METH_NOARGS, "take() -> the rows, and none are left"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, Rows_new}, {Py_tp_dealloc, Rows_dealloc}, {Py_tp_methods, methods}, {0, NULL},
};

static PyType_Spec spec = {"namewarden.policy._scan.Rows", sizeof(Rows), 0, Py_TPFLAGS_DEFAULT, slots};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_scan", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__scan(void)
{
    PyObject *module = PyModule_Create(&definition), *type = PyType_FromSpec(&spec);
    if (!module || !type || PyModule_AddObjectRef(module, "Rows", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(module);
        return NULL;
    }
    Py_DECREF(type);
    return module;
}
