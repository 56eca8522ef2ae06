/* Whether the records of an answer belong to its question: one walk, names compared where they lie.
 *
 * What is not plainly so, odd orders and broken names too, `scrub.py` looks at again. Nothing here may call clean what
 * that file would change; tests/wire/test_scrub.py compares them. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum { A = 1, NS = 2, CNAME = 5, PTR = 12, MX = 15, AAAA = 28, SRV = 33, DNAME = 39, OPT = 41, RRSIG = 46, SVCB = 64, HTTPS = 65 };
enum { CLOSER = 1, SERVICES = 2 };
enum { MOST_NAMES = 64, MOST_LABELS = 128, MOST_STEPS = 1 << 16 };

typedef struct {
    const uint8_t *data;
    Py_ssize_t size;
    int steps; /* labels that may still be compared */
} Message;

/* Offsets of names. */
typedef struct {
    Py_ssize_t at[MOST_NAMES];
    int count;
} Names;

static unsigned
two(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* The offset after the name at `offset`, -1 where there is none. */
static Py_ssize_t
skip_name(const Message *m, Py_ssize_t offset)
{
    while (offset < m->size) {
        unsigned size = m->data[offset];
        if (size == 0)
            return offset + 1;
        if (size >= 192)
            return offset + 2;
        if (size > 63)
            return -1;
        offset += size + 1;
    }
    return -1;
}

/* Where the first label of the name at `at` stands, -1 where there is none. */
static Py_ssize_t
first_label(const Message *m, Py_ssize_t at)
{
    while (at >= 0 && at + 1 < m->size && m->data[at] >= 192) {
        Py_ssize_t target = (Py_ssize_t)two(m->data + at) & 0x3FFF;
        if (target >= at)
            return -1;
        at = target;
    }
    return at >= 0 && at < m->size && m->data[at] < 64 && at + m->data[at] < m->size ? at : -1;
}

static int
is_same(Message *m, Py_ssize_t one, Py_ssize_t other)
{
    while (--m->steps > 0) {
        one = first_label(m, one);
        other = first_label(m, other);
        if (one < 0 || other < 0)
            return 0;
        if (one == other)
            return 1;
        unsigned size = m->data[one];
        if (size != m->data[other])
            return 0;
        for (unsigned i = 1; i <= size; i++)
            if (Py_TOLOWER(m->data[one + i]) != Py_TOLOWER(m->data[other + i]))
                return 0;
        if (!size)
            return 1;
        one += size + 1;
        other += size + 1;
    }
    return 0;
}

static int
is_among(Message *m, Py_ssize_t name, const Names *names)
{
    for (int i = names->count - 1; i >= 0; i--)
        if (is_same(m, name, names->at[i]))
            return 1;
    return 0;
}

/* Whether `owner` is `name` or above it. */
static int
is_at_or_above(Message *m, Py_ssize_t owner, Py_ssize_t name)
{
    for (int labels = 0; labels < MOST_LABELS; labels++) {
        if (is_same(m, owner, name))
            return 1;
        name = first_label(m, name);
        if (name < 0 || !m->data[name])
            return 0;
        name += m->data[name] + 1;
    }
    return 0;
}

static int
is_above_any(Message *m, Py_ssize_t owner, const Names *names)
{
    for (int i = names->count - 1; i >= 0; i--)
        if (is_at_or_above(m, owner, names->at[i]))
            return 1;
    return 0;
}

static int
add(Names *names, Py_ssize_t at)
{
    if (names->count == MOST_NAMES)
        return 0;
    names->at[names->count++] = at;
    return 1;
}

/* Where the data of a record names a host whose addresses may stand beside it; -1 = nowhere. */
static int
host_in(unsigned type)
{
    switch (type) {
    case NS:
    case PTR:
        return 0;
    case MX:
    case SVCB:
    case HTTPS:
        return 2;
    case SRV:
        return 6;
    default:
        return -1;
    }
}

/* Whether it may stand in authority (`section` 1) or additional (2). */
static int
is_fit(Message *m, int section, unsigned type, Py_ssize_t owner, const Names *chain, const Names *hosts)
{
    int is_answering = type == A || type == AAAA || type == CNAME || type == DNAME || type == SVCB || type == HTTPS;
    if (section == 1)
        return type == NS ? is_above_any(m, owner, chain) : !is_answering;
    if (!is_answering && type != NS && type != RRSIG)
        return 1;
    return type != NS && (is_among(m, owner, hosts) || is_among(m, owner, chain));
}

/* look(data, start) -> 0: leave it as it is; bit 0: look closer; bit 1: HTTPS or SVCB records are among it */
static PyObject *
look(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[0]) || !PyLong_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "look(data: bytes, start: int)");
        return NULL;
    }
    Message m = {(const uint8_t *)PyBytes_AS_STRING(args[0]), PyBytes_GET_SIZE(args[0]), MOST_STEPS};
    Py_ssize_t at = PyLong_AsSsize_t(args[1]);
    if (at < 12 || m.size < at || two(m.data + 4) != 1)
        return PyErr_Occurred() ? NULL : PyLong_FromLong(0);
    unsigned answers = two(m.data + 6), authority = answers + two(m.data + 8), all = authority + two(m.data + 10);
    Names chain = {{12}, 1}, hosts = {{0}, 0};
    long found = 0;
    for (unsigned index = 0; index < all; index++) {
        Py_ssize_t owner = at;
        at = skip_name(&m, at);
        if (at < 0 || m.size - at < 10 || m.size - at - 10 < (Py_ssize_t)two(m.data + at + 8))
            return PyLong_FromLong(0);
        unsigned type = two(m.data + at);
        Py_ssize_t value = at + 10;
        at = value + two(m.data + at + 8);
        int host = host_in(type), is_good;
        if (index >= answers)
            is_good = is_fit(&m, index < authority ? 1 : 2, type, owner, &chain, &hosts);
        else
            is_good = type == DNAME ? is_above_any(&m, owner, &chain) : is_among(&m, owner, &chain);
        if (index < answers && type == CNAME)
            is_good = is_good && add(&chain, value);
        if (host >= 0)
            is_good = is_good && add(&hosts, value + host);
        if (!is_good)
            found |= CLOSER;
        if (type == SVCB || type == HTTPS)
            found |= SERVICES;
    }
    return PyLong_FromLong(found);
}

static PyMethodDef functions[] = {
    {"look", (PyCFunction)(void (*)(void))look, METH_FASTCALL,
     "look(data, start) -> 0; bit 0: some record may not belong here; bit 1: HTTPS or SVCB records are among them"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_scrub", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__scrub(void)
{
    return PyModule_Create(&definition);
}
