/* Looks a name up in a mapped snapshot, and writes the rules' text of many hits at once.
 *
 * The counterpart of `Snapshot.find` and `Snapshot.line_at` in snapshot.py, which say what everything means: same answers,
 * same tests. Every offset of the file is checked before it is followed: what is wrong there gives no hit. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include "_fingerprint.h"
#include "_lookup.h"

#define START 4096       /* of the lists in the file */
#define SHOWN 200        /* octets of a line that are shown */
#define NEAR 4096        /* octets around a hit in which its line ends */
#define BLOCK_SHIFT 10
#define MOST_CLAIMS 64   /* of one name; more is not what a compiler makes */
enum { RECORD, DENY, ALLOW, GUARD, NXDOMAIN };
enum { EXACT = 1, BELOW = 2 };

struct section {
    uint64_t base, index; /* of its text, of its line index */
    char *name, *zone;
    Py_ssize_t name_length, zone_length;
};

typedef struct {
    PyObject_HEAD
    Py_buffer map;
    const uint8_t *octets;
    uint64_t size, table, places, homes, sieve, mask, exact, below;
    struct fingerprints prints;
    Py_ssize_t sections;
    struct section *section;
    PyObject *kept; /* what the sections point into */
    struct lookup_api api;
} Lookup;

struct claim {
    uint64_t entry;
    uint32_t depth, wanted, rank;
    int may_deny; /* records that can do nothing but deny, if they speak at all */
};

/* Entries. */

static int
says(const Lookup *self, uint64_t offset, const uint8_t *text, size_t length)
{
    if (length > self->size || offset > self->size - length)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (lower(self->octets[offset + i]) != text[i])
            return 0;
    return 1;
}

/* The last section that begins at or before `offset`, -1 for none. */
static Py_ssize_t
rank_of(const Lookup *self, uint64_t offset)
{
    Py_ssize_t low = 0, high = self->sections;
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (self->section[middle].base <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

/* Whether the text at the entry's offset is the name and ends there; the list's rank, else -1. */
static Py_ssize_t
confirm(const Lookup *self, uint64_t entry, const uint8_t *key, size_t length)
{
    uint64_t offset = START + (entry & 0xffffffff), end = offset + length;
    Py_ssize_t rank = rank_of(self, offset);
    if (rank < 0 || !says(self, offset, key, length) || end >= self->size || self->prints.is_name[self->octets[end]])
        return -1;
    if (self->octets[end] != '.')
        return rank;
    if (end + 1 < self->size && !self->prints.is_name[self->octets[end + 1]])
        return rank;
    const struct section *list = &self->section[rank];
    return list->zone_length && says(self, end + 1, (uint8_t *)list->zone, list->zone_length) ? rank : -1;
}

/* Whether the records there have the mark of records.py, which gives their list's rank too; they follow its text. */
static int
may_deny(const Lookup *self, uint64_t offset, Py_ssize_t *rank)
{
    if (offset + 4 > self->size || !(self->octets[offset + 3] & 0x80))
        return 0;
    *rank = rank_of(self, offset);
    return *rank >= 0;
}

/* Add what the table claims about one suffix. Records are confirmed by Python. 0, or -1 for too many. */
static int
collect(const Lookup *self, const uint8_t *key, size_t length, struct claim like, struct claim *claims, int *count)
{
    uint64_t at = crc_of(&self->prints, key, length) & self->mask;
    if (!(self->octets[self->sieve + (at >> 3)] >> (at & 7) & 1))
        return 0;
    uint64_t mark = fingerprint(&self->prints, key, length), tag = mark & 0x7ffffff;
    for (uint64_t place = (mark >> 32) * self->homes >> 32; place < self->places; place++) {
        uint64_t entry = load64(self->octets + self->table + 8 * place);
        uint32_t effect = entry >> 32 & 7, match = entry >> 35 & 3;
        Py_ssize_t rank = 0;
        if (!entry)
            break;
        if (entry >> 37 != tag || effect == GUARD)
            continue;
        if (effect != RECORD) {
            if (!(match & like.wanted) && effect < NXDOMAIN)
                continue;
            if ((rank = confirm(self, entry, key, length)) < 0)
                continue;
        }
        like.may_deny = effect == RECORD && may_deny(self, START + (entry & 0xffffffff), &rank);
        if (*count >= MOST_CLAIMS)
            return -1;
        like.entry = entry;
        like.rank = (uint32_t)rank;
        claims[(*count)++] = like;
    }
    return 0;
}

/* All claims about a name: of the name itself, then of each suffix that some list has. Their number, or -1. */
static int
claims_of(const Lookup *self, const uint8_t *key, size_t length, struct claim *claims)
{
    uint32_t depth = length ? 1 : 0;
    int count = 0;
    for (size_t i = 0; i < length; i++)
        depth += key[i] == '.';
    if (self->exact >> (depth < 63 ? depth : 63) & 1)
        if (collect(self, key, length, (struct claim){0, depth, EXACT, 0, 0}, claims, &count) < 0)
            return -1;
    uint64_t below = depth < 64 ? self->below & ((1ULL << depth) - 1) : self->below;
    while (below && depth) {
        const uint8_t *dot = depth > 1 ? memchr(key, '.', length) : NULL;
        length -= dot ? (size_t)(dot + 1 - key) : length;
        key = dot ? dot + 1 : key;
        depth--;
        uint64_t bit = 1ULL << (depth < 63 ? depth : 63);
        if (below & bit && collect(self, key, length, (struct claim){0, depth, BELOW, 0, 0}, claims, &count) < 0)
            return -1;
        if (depth < 64)
            below &= bit - 1;
    }
    return count;
}

/* Whether `one` speaks before `other`: lists in order, there the longest suffix first. */
static int
is_before(const struct claim *one, const struct claim *other)
{
    return one->rank < other->rank || (one->rank == other->rank && one->depth > other->depth);
}

/* Those before the first expression that may deny, too: whether it finds the name is not known here. */
static int
denials(const void *lookup, const char *name, size_t length, struct lookup_hit *hits, int most)
{
    struct claim claims[MOST_CLAIMS];
    const struct claim *first = NULL;
    int count = claims_of(lookup, (const uint8_t *)name, length, claims), found = 0;
    for (int i = 0; i < count; i++) {
        if ((claims[i].entry >> 32 & 7) != DENY && !claims[i].may_deny)
            return -1;
        if (claims[i].may_deny && (!first || is_before(&claims[i], first)))
            first = &claims[i];
    }
    for (int i = 0; i < count; i++) {
        if (claims[i].may_deny || (first && !is_before(&claims[i], first)))
            continue;
        if (found == most)
            return -1;
        hits[found++] = (struct lookup_hit){claims[i].rank, claims[i].depth, START + (claims[i].entry & 0xffffffff)};
    }
    return count < 0 || (first && !found) ? -1 : found;
}

static PyObject *
Lookup_claims(Lookup *self, PyObject *name)
{
    struct claim claims[MOST_CLAIMS];
    Py_ssize_t length;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    if (!text) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a name is text");
        return NULL;
    }
    int count = claims_of(self, (const uint8_t *)text, length ? length - 1 : 0, claims);
    if (count < 0)
        Py_RETURN_NONE;
    PyObject *list = PyList_New(count);
    for (int i = 0; list && i < count; i++) {
        PyObject *one = Py_BuildValue("(KII)", claims[i].entry, claims[i].depth, claims[i].wanted);
        if (!one) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, one);
    }
    return list;
}

/* Text for people. */

struct text {
    char *octets;
    size_t length, room;
};

static int
add(struct text *to, const char *octets, size_t length)
{
    if (to->room - to->length < length) {
        size_t room = 2 * (to->room + length);
        char *grown = PyMem_Realloc(to->octets, room);
        if (!grown)
            return -1;
        to->octets = grown;
        to->room = room;
    }
    memcpy(to->octets + to->length, octets, length);
    to->length += length;
    return 0;
}

static int
is_space(uint8_t octet)
{
    return octet == ' ' || (octet >= 9 && octet <= 13);
}

static int
add_shown(struct text *to, const uint8_t *begin, const uint8_t *end)
{
    char escaped[8];
    int is_plain = 1;
    while (begin < end && is_space(*begin))
        begin++;
    while (begin < end && is_space(end[-1]))
        end--;
    if (end - begin > SHOWN)
        end = begin + SHOWN;
    for (const uint8_t *at = begin; at < end; at++)
        is_plain &= *at >= 32 && *at < 127;
    if (is_plain)
        return add(to, (const char *)begin, end - begin);
    for (; begin < end; begin++) {
        int length = snprintf(escaped, sizeof escaped, *begin >= 32 && *begin < 127 ? "%c" : "\\%03d", *begin);
        if (add(to, escaped, length) < 0)
            return -1;
    }
    return 0;
}

static int
add_line(const Lookup *self, struct text *to, uint64_t rank, uint64_t offset)
{
    if (rank >= (uint64_t)self->sections || offset < self->section[rank].base || offset >= self->size) {
        PyErr_SetString(PyExc_ValueError, "a hit that is not of this snapshot");
        return -1;
    }
    const struct section *list = &self->section[rank];
    const uint8_t *octets = self->octets, *hit = octets + offset, *end, *begin = octets + list->base;
    uint64_t block = (offset - list->base) >> BLOCK_SHIFT, before = list->index + 4 * block;
    char number[32];
    unsigned long lines = 1;
    if (before + 4 <= self->size)
        lines += octets[before] | octets[before + 1] << 8 | octets[before + 2] << 16 | (unsigned long)octets[before + 3] << 24;
    for (const uint8_t *at = begin + (block << BLOCK_SHIFT); (at = memchr(at, '\n', hit - at)); at++)
        lines++;
    const uint8_t *lowest = offset - list->base > NEAR ? hit - NEAR : begin;
    const uint8_t *at = hit;
    while (at > lowest && at[-1] != '\n')
        at--;
    begin = at > lowest ? at : begin;
    uint64_t near = self->size - offset < NEAR ? self->size - offset : NEAR;
    if (!(end = memchr(hit, '\n', near)))
        end = hit + (near < SHOWN ? near : SHOWN);
    int length = snprintf(number, sizeof number, ":%lu ", lines);
    if (add(to, list->name, list->name_length) < 0 || add(to, number, length) < 0 || add_shown(to, begin, end) < 0) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        return -1;
    }
    return 0;
}

static PyObject *
Lookup_lines(Lookup *self, PyObject *hits)
{
    struct text text = {0};
    PyObject *whole = NULL;
    char *packed;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(hits, &packed, &length) < 0)
        return NULL;
    for (Py_ssize_t at = 0; at + 8 <= length; at += 8) {
        uint64_t hit;
        memcpy(&hit, packed + at, 8);
        if ((at && add(&text, "\n", 1) < 0) || add_line(self, &text, hit >> 40, hit & 0xffffffffffULL) < 0)
            goto done;
    }
    whole = PyUnicode_DecodeUTF8(text.octets ? text.octets : "", text.length, "replace");
done:
    PyMem_Free(text.octets);
    return whole;
}

/* The object. */

static void
Lookup_dealloc(Lookup *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->section);
    Py_XDECREF(self->kept);
    if (self->map.obj)
        PyBuffer_Release(&self->map);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
take_sections(Lookup *self, PyObject *sections)
{
    self->sections = PyTuple_GET_SIZE(sections);
    self->section = PyMem_Calloc(self->sections + 1, sizeof *self->section);
    self->kept = Py_NewRef(sections);
    if (!self->section) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->sections; i++) {
        struct section *one = &self->section[i];
        unsigned long long base, index;
        PyObject *item = PyTuple_GET_ITEM(sections, i);
        if (!PyTuple_Check(item) || !PyArg_ParseTuple(item, "KKy#y#", &base, &index, &one->name, &one->name_length,
                                                      &one->zone, &one->zone_length))
            return -1;
        one->base = base;
        one->index = index;
        if (base > self->size || index > self->size) {
            PyErr_SetString(PyExc_ValueError, "a list lies outside the file");
            return -1;
        }
    }
    return 0;
}

static PyObject *
Lookup_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *map, *sections;
    const char *secret;
    Py_ssize_t secret_length;
    unsigned long long table, places, homes, sieve, mask, exact, below;
    if (!PyArg_ParseTuple(args, "OO!y#KKKKKKK:Lookup", &map, &PyTuple_Type, &sections, &secret, &secret_length, &table,
                          &places, &homes, &sieve, &mask, &exact, &below))
        return NULL;
    Lookup *self = (Lookup *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    if (PyObject_GetBuffer(map, &self->map, PyBUF_SIMPLE) < 0)
        goto failed;
    self->octets = self->map.buf;
    self->size = self->map.len;
    self->table = table, self->places = places, self->homes = homes;
    self->sieve = sieve, self->mask = mask, self->exact = exact, self->below = below;
    if (secret_length != 32 || table > self->size || places > (self->size - table) / 8 || homes >> 32 ||
        sieve > self->size || mask >> 32 || mask / 8 >= self->size - sieve) {
        PyErr_SetString(PyExc_ValueError, "the table lies outside the file");
        goto failed;
    }
    if (take_sections(self, sections) < 0)
        goto failed;
    begin(&self->prints, (const uint8_t *)secret);
    self->api = (struct lookup_api){self, denials};
    return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

static PyObject *
Lookup_api(Lookup *self, void *closure)
{
    return PyCapsule_New(&self->api, LOOKUP_CAPSULE, NULL); /* whoever takes it keeps the look-up */
}

static PyMethodDef methods[] = {
    {"claims", (PyCFunction)Lookup_claims, METH_O,
     "claims(name) -> list of (entry, labels, wanted); records are not confirmed yet; None: too many"},
    {"lines", (PyCFunction)Lookup_lines, METH_O, "lines(hits as rank << 40 | offset, native) -> their rules' text, a line each"},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {{"api", (getter)Lookup_api, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_new, Lookup_new}, {Py_tp_dealloc, Lookup_dealloc}, {Py_tp_methods, methods}, {Py_tp_getset, attributes}, {0, NULL},
};

static PyType_Spec spec = {"namewarden.policy._lookup.Lookup", sizeof(Lookup), 0, Py_TPFLAGS_DEFAULT, slots};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_lookup", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__lookup(void)
{
    PyObject *module = PyModule_Create(&definition), *type = PyType_FromSpec(&spec);
    if (!module || !type || PyModule_AddObjectRef(module, "Lookup", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(module);
        return NULL;
    }
    Py_DECREF(type);
    return module;
}
