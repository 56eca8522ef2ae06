/* The packet cache's short path over the datagrams of a wake-up: repeats and plain denials, no object made for the query.
 *
 * The counterpart of `PacketCache.lookup` in packet_cache.py and of denials.py, which say what everything means: what is not
 * answered here is given back and goes their way. The objects are those of Python; their slots are read where their classes say. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>
#include "../policy/_lookup.h"

#define MOST_HITS 16
#define EACH 9 /* as wire/prepared.py has it, the order too */
#define BARE_OPT 11
#define LONGEST_NAME 253
#define OF_PARENT 0x0e /* with 0xc0 before it, the owner of a prepared SOA: what is behind the first label */
enum { ANSWERS, RESERVED, IS_RULED, API, SOURCE }; /* fields of Denials */
enum { HEAD, TAIL, CODE };                         /* fields of Prepared */

struct entry_slots {
    Py_ssize_t tail, fresh, dead, stored, ttls, aged, client, count, time;
};
struct client_slots {
    Py_ssize_t ip, entries, is_limited, denials;
};

/* Rows that were answered and are not reported yet. */
struct rows {
    PyObject *source, *clients, *names; /* lists */
    uint64_t *codes, *hits;
    Py_ssize_t count, room;
};

typedef struct {
    PyObject_HEAD
    PyObject *entry_class, *client_class, *keep, *admit;
    PyObject *count, *dirty, *wall; /* of the RepeatCounter */
    struct entry_slots entry;
    struct client_slots client;
    Py_buffer known; /* the table of KnownQuestions */
    Py_ssize_t payload;
    struct rows rows;
} Packets;

struct question {
    const uint8_t *data;
    Py_ssize_t length, end; /* of the datagram, of the question */
    char name[LONGEST_NAME + 2];
    Py_ssize_t name_length; /* without its final dot */
    int labels, kind, edns;
    Py_ssize_t limit;
    uint32_t type, flags;
};

static uint32_t crc_table[256];
static uint8_t lower[256]; /* 0: not plain */

static PyObject *
slot(PyObject *object, Py_ssize_t offset)
{
    return *(PyObject **)((char *)object + offset);
}

static void
put(PyObject *object, Py_ssize_t offset, PyObject *value)
{
    PyObject **at = (PyObject **)((char *)object + offset);
    PyObject *before = *at;
    *at = value;
    Py_XDECREF(before);
}

static uint32_t
two(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* Read a plain question; 0 when it is anything else. */
static int
read_question(const uint8_t *data, Py_ssize_t length, Py_ssize_t payload, struct question *q)
{
    Py_ssize_t at = 12, written = 0;
    if (length < 12 + 5 || length > 12 + 255 + 4 + BARE_OPT)
        return 0;
    uint32_t flags = two(data + 2), additional = two(data + 10);
    if (flags & 0xf800 || two(data + 4) != 1 || two(data + 6) || two(data + 8) || additional > 1)
        return 0;
    q->labels = 0;
    while (at < length && data[at]) {
        Py_ssize_t size = data[at++];
        if (size > 63 || at + size >= length || written + size + 1 > LONGEST_NAME + 1)
            return 0;
        for (Py_ssize_t i = 0; i < size; i++)
            if (!(q->name[written++] = (char)lower[data[at + i]]))
                return 0;
        q->name[written++] = '.';
        q->labels++;
        at += size;
    }
    if (q->labels < 2 || at + 5 > length)
        return 0;
    q->name_length = written - 1;
    q->name[written] = 0;
    q->type = two(data + at + 1);
    if (two(data + at + 3) != 1 || !q->type || q->type == 41 || (q->type >= 128 && q->type <= 255))
        return 0;
    q->end = at + 5;
    q->edns = 0;
    q->limit = 512;
    if (additional) {
        const uint8_t *opt = data + q->end;
        if (length != q->end + BARE_OPT || opt[0] || two(opt + 1) != 41 || opt[6] || opt[9] || opt[10])
            return 0;
        q->edns = opt[7] & 0x80 ? 2 : 1;
        q->limit = two(opt + 3) > 512 ? two(opt + 3) : 512;
    }
    else if (length != q->end)
        return 0;
    if (q->limit > payload)
        q->limit = payload;
    q->kind = q->type == 1 ? 0 : q->type == 28 ? 1 : 2;
    q->flags = flags;
    q->data = data;
    q->length = length;
    return 1;
}

static int
is_reserved(const struct question *q, const uint8_t *bits, Py_ssize_t length)
{
    uint32_t mask = (uint32_t)(8 * length - 1);
    const char *at = q->name, *end = q->name + q->name_length;
    while (at) {
        uint32_t crc = 0xffffffff;
        for (const char *octet = at; octet < end; octet++)
            crc = crc >> 8 ^ crc_table[(crc ^ (uint8_t)*octet) & 255];
        crc = ~crc & mask;
        if (bits[crc >> 3] >> (crc & 7) & 1)
            return 1;
        at = memchr(at, '.', end - at);
        at = at ? at + 1 : NULL;
    }
    return 0;
}

/* Of several denials that of the first list that the group uses, there the longest suffix, as decide.py has it. */
static PyObject *
choose(const struct question *q, PyObject *answers, const struct lookup_hit *hits, int count, uint64_t *hit)
{
    const struct lookup_hit *best = NULL;
    for (int i = 0; i < count; i++) {
        Py_ssize_t place = (Py_ssize_t)EACH * hits[i].rank;
        if (place + EACH > PyTuple_GET_SIZE(answers) || PyTuple_GET_ITEM(answers, place) == Py_None)
            continue;
        if (!best || hits[i].rank < best->rank || (hits[i].rank == best->rank && hits[i].depth > best->depth))
            best = &hits[i];
    }
    if (!best)
        return NULL;
    *hit = (uint64_t)best->rank << 40 | best->offset;
    return PyTuple_GET_ITEM(answers, (Py_ssize_t)EACH * best->rank + 3 * q->kind + q->edns);
}

static int
grow(struct rows *rows)
{
    if (rows->count < rows->room)
        return 0;
    Py_ssize_t room = rows->room ? 2 * rows->room : 64;
    uint64_t *codes = PyMem_Realloc(rows->codes, room * sizeof *codes);
    if (codes)
        rows->codes = codes;
    uint64_t *hits = codes ? PyMem_Realloc(rows->hits, room * sizeof *hits) : NULL;
    if (hits)
        rows->hits = hits;
    if (!codes || !hits) {
        PyErr_NoMemory();
        return -1;
    }
    rows->room = room;
    return 0;
}

static int
add_row(struct rows *rows, PyObject *source, PyObject *client, PyObject *name, const uint64_t row[2])
{
    if (!rows->clients && (!(rows->clients = PyList_New(0)) || !(rows->names = PyList_New(0))))
        return -1;
    if (grow(rows) < 0 || PyList_Append(rows->clients, client) < 0 || PyList_Append(rows->names, name) < 0)
        return -1;
    Py_XSETREF(rows->source, Py_NewRef(source));
    rows->codes[rows->count] = row[0];
    rows->hits[rows->count++] = row[1];
    return 0;
}

static PyObject *
splice(const struct question *q, PyObject *head, PyObject *tail)
{
    Py_ssize_t asked = q->end - 12, rest = PyBytes_GET_SIZE(tail);
    PyObject *wire = PyBytes_FromStringAndSize(NULL, 12 + asked + rest);
    if (!wire)
        return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AS_STRING(wire);
    memcpy(to, PyBytes_AS_STRING(head), 12);
    memcpy(to, q->data, 2);
    to[2] |= (uint8_t)(q->flags >> 8 & 0x01); /* RD */
    to[3] |= (uint8_t)(q->flags & 0x10);      /* CD */
    memcpy(to + 12, q->data + 12, asked);
    memcpy(to + 12 + asked, PyBytes_AS_STRING(tail), rest);
    if (rest > 1 && to[12 + asked] == 0xc0 && to[13 + asked] == OF_PARENT)
        to[13 + asked] += q->data[12] - 1; /* an SOA, prepared for a first label of one octet */
    return wire;
}

static int
is_ruled(PyObject *asked, PyObject *name)
{
    PyObject *said = PyObject_CallOneArg(asked, name);
    int is_true = said ? PyObject_IsTrue(said) : -1;
    Py_XDECREF(said);
    return is_true;
}

/* 0: the client may have an answer now. Otherwise what `admit` says; -1 for an error. */
static long
held_off(Packets *self, PyObject *client, double now)
{
    if (slot(client, self->client.is_limited) == Py_False)
        return 0;
    PyObject *time = PyFloat_FromDouble(now);
    PyObject *said = time ? PyObject_CallFunctionObjArgs(self->admit, slot(client, self->client.ip), time, NULL) : NULL;
    long admitted = said ? PyLong_AsLong(said) : -1;
    Py_XDECREF(time);
    Py_XDECREF(said);
    return admitted;
}

/* KnownQuestions.is_known. */
static int
is_known(Packets *self, Py_hash_t mixed)
{
    uint64_t *place = (uint64_t *)self->known.buf + (size_t)mixed % (self->known.len / sizeof *place);
    uint16_t mark = (uint16_t)((uint64_t)mixed >> 32);
    mark = mark ? mark : 1;
    for (uint64_t marks = *place; marks; marks >>= 16)
        if ((uint16_t)marks == mark)
            return 1;
    *place = *place << 16 | mark;
    return 0;
}

/* The question came before: the packet cache keeps the answer, and counts. -1 for an error. */
static int
keep(Packets *self, PyObject *client, PyObject *key, PyObject *wire, PyObject *name, const uint64_t row[2], double now)
{
    PyObject *done = PyObject_CallFunction(self->keep, "OOy#(KKO)d", client, key, PyBytes_AS_STRING(wire) + 2,
                                           PyBytes_GET_SIZE(wire) - 2, (unsigned long long)row[0],
                                           (unsigned long long)row[1], name, now);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* The denial of one datagram: a new reference, NULL without an error when it is not plain. */
static PyObject *
deny(Packets *self, PyObject *client, PyObject *data, PyObject *key, double now, long *held)
{
    PyObject *denials = slot(client, self->client.denials);
    Py_hash_t mixed = PyObject_Hash(key);
    struct question q;
    struct lookup_hit hits[MOST_HITS];
    uint64_t hit;
    if (!PyTuple_Check(denials) || PyTuple_GET_ITEM(denials, API) == Py_None ||
        !read_question((const uint8_t *)PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), self->payload, &q))
        return NULL;
    const struct lookup_api *api = PyCapsule_GetPointer(PyTuple_GET_ITEM(denials, API), LOOKUP_CAPSULE);
    if (!api)
        return NULL;
    int count = api->denials(api->lookup, q.name, q.name_length, hits, MOST_HITS);
    if (count <= 0)
        return NULL;
    PyObject *reserved = PyTuple_GET_ITEM(denials, RESERVED);
    PyObject *prepared = choose(&q, PyTuple_GET_ITEM(denials, ANSWERS), hits, count, &hit);
    if (!prepared || prepared == Py_None ||
        is_reserved(&q, (uint8_t *)PyBytes_AS_STRING(reserved), PyBytes_GET_SIZE(reserved)))
        return NULL;
    PyObject *tail = PyTuple_GET_ITEM(prepared, TAIL);
    if (q.end + PyBytes_GET_SIZE(tail) > q.limit)
        return NULL;
    uint64_t row[2] = {PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(prepared, CODE)) | q.type, hit};
    PyObject *name = PyUnicode_FromStringAndSize(q.name, q.name_length + 1), *wire = NULL;
    if (name && !PyErr_Occurred() && is_ruled(PyTuple_GET_ITEM(denials, IS_RULED), name) == 0 &&
        (*held = held_off(self, client, now)) == 0)
        wire = splice(&q, PyTuple_GET_ITEM(prepared, HEAD), tail);
    if (wire && (is_known(self, mixed) ? keep(self, client, key, wire, name, row, now)
                                       : add_row(&self->rows, PyTuple_GET_ITEM(denials, SOURCE),
                                                 slot(client, self->client.ip), name, row)) < 0)
        Py_CLEAR(wire);
    Py_XDECREF(name);
    return wire;
}

/* The first repeat since the last flush; -1 on error. */
static int
begin_count(Packets *self, PyObject *entry, PyObject *client)
{
    PyObject *one = PyLong_FromLong(1), *time = one ? PyObject_CallNoArgs(self->wall) : NULL;
    if (!time || PyList_Append(self->dirty, entry) < 0) {
        Py_XDECREF(one);
        Py_XDECREF(time);
        return -1;
    }
    put(entry, self->entry.count, one);
    put(entry, self->entry.time, time);
    put(entry, self->entry.client, Py_NewRef(client));
    return 0;
}

/* One more repeat of an entry, as RepeatCounter.count has it; -1 on error. */
static int
count_repeat(Packets *self, PyObject *entry, PyObject *client)
{
    long long count = PyLong_AsLongLong(slot(entry, self->entry.count));
    if (count < 0)
        return -1;
    if (slot(entry, self->entry.client) == client) {
        PyObject *more = PyLong_FromLongLong(count + 1);
        if (!more)
            return -1;
        put(entry, self->entry.count, more);
        return 0;
    }
    if (!count)
        return begin_count(self, entry, client);
    PyObject *done = PyObject_CallFunctionObjArgs(self->count, entry, client, NULL);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static double
number(PyObject *object, Py_ssize_t offset)
{
    return PyFloat_AsDouble(slot(object, offset));
}

/* The TTLs of a copy of the message, `passed` seconds less; -1 on error. */
static int
age(PyObject *tail, PyObject *ttls, long passed)
{
    uint8_t *octets = (uint8_t *)PyBytes_AS_STRING(tail);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ttls); i++) {
        Py_ssize_t at = PyLong_AsSsize_t(PyTuple_GET_ITEM(ttls, i));
        if (at < 0 || at + 4 > PyBytes_GET_SIZE(tail)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "a TTL is not in the message");
            return -1;
        }
        int64_t left = (int64_t)(two(octets + at) << 16 | two(octets + at + 2)) - passed;
        left = left < 0 ? 0 : left;
        for (int octet = 3; octet >= 0; octet--, left >>= 8)
            octets[at + octet] = (uint8_t)left;
    }
    return 0;
}

/* PacketEntry.renew: a second of its age has passed; -1 on error. */
static int
renew(Packets *self, PyObject *entry, double now)
{
    PyObject *before = slot(entry, self->entry.tail), *ttls = slot(entry, self->entry.ttls);
    double stored = number(entry, self->entry.stored), dead = number(entry, self->entry.dead);
    long aged = PyLong_AsLong(slot(entry, self->entry.aged)), passed = (long)(now - stored);
    if (PyErr_Occurred() || !PyBytes_Check(before) || !PyTuple_Check(ttls))
        return -1;
    double fresh = stored + passed + 1 < dead ? stored + passed + 1 : dead;
    PyObject *tail = PyBytes_FromStringAndSize(PyBytes_AS_STRING(before), PyBytes_GET_SIZE(before));
    PyObject *until = PyFloat_FromDouble(fresh), *age_now = PyLong_FromLong(passed);
    if (!tail || !until || !age_now || age(tail, ttls, passed - aged) < 0) {
        Py_XDECREF(tail);
        Py_XDECREF(until);
        Py_XDECREF(age_now);
        return -1;
    }
    put(entry, self->entry.tail, tail);
    put(entry, self->entry.fresh, until);
    put(entry, self->entry.aged, age_now);
    return 0;
}

static PyObject *
repeat(PyObject *data, PyObject *tail)
{
    Py_ssize_t length = PyBytes_GET_SIZE(tail);
    PyObject *wire = PyBytes_FromStringAndSize(NULL, 2 + length);
    if (wire) {
        memcpy(PyBytes_AS_STRING(wire), PyBytes_AS_STRING(data), 2);
        memcpy(PyBytes_AS_STRING(wire) + 2, PyBytes_AS_STRING(tail), length);
    }
    return wire;
}

/* The message of an entry that is not dead; NULL without an error when the client is held off. */
static PyObject *
answer_again(Packets *self, PyObject *entry, PyObject *data, PyObject *client, double now, long *held)
{
    PyObject *wire = NULL;
    Py_INCREF(entry); /* what is called below is Python's */
    if ((*held = held_off(self, client, now)) == 0 &&
        (now < number(entry, self->entry.fresh) || renew(self, entry, now) == 0) && !PyErr_Occurred() &&
        count_repeat(self, entry, client) == 0)
        wire = repeat(data, slot(entry, self->entry.tail));
    Py_DECREF(entry);
    return wire;
}

/* The message to send, NULL without an error when the datagram goes the longer way. */
static PyObject *
answer_one(Packets *self, PyObject *data, PyObject *client, double now, long *held)
{
    PyObject *entries = slot(client, self->client.entries);
    if (PyBytes_GET_SIZE(data) < 12 || !PyDict_Check(entries))
        return NULL;
    PyObject *key = PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + 2, PyBytes_GET_SIZE(data) - 2), *wire = NULL;
    PyObject *entry = key ? PyDict_GetItemWithError(entries, key) : NULL;
    if (entry && Py_TYPE(entry) == (PyTypeObject *)self->entry_class && now < number(entry, self->entry.dead))
        wire = answer_again(self, entry, data, client, now, held);
    else if (key && !PyErr_Occurred())
        wire = deny(self, client, data, key, now, held);
    Py_XDECREF(key);
    return wire;
}

static int
append_pair(PyObject *list, PyObject *wire, PyObject *address)
{
    PyObject *pair = PyTuple_Pack(2, wire, address);
    int done = pair ? PyList_Append(list, pair) : -1;
    Py_XDECREF(pair);
    return done;
}

/* wire/options.py: the message without its EDNS options; NULL without an error: as it is. */
static PyObject *
without_options(PyObject *data)
{
    static const uint8_t counts[8] = {0, 1, 0, 0, 0, 0, 0, 1};
    const uint8_t *m = (const uint8_t *)PyBytes_AS_STRING(data);
    Py_ssize_t size = PyBytes_GET_SIZE(data), at = 12;
    if (size < 12 + 5 + BARE_OPT || memcmp(m + 4, counts, sizeof counts) ||
        (!two(m + size - 2) && !m[size - BARE_OPT] && two(m + size - BARE_OPT + 1) == 41))
        return NULL;
    while (at < size && m[at]) {
        if (m[at] > 63)
            return NULL;
        at += 1 + m[at];
    }
    Py_ssize_t opt = at + 5, end = opt + BARE_OPT;
    if (end > size || m[opt] || two(m + opt + 1) != 41 || end + two(m + opt + 9) != size)
        return NULL;
    while (end + 4 <= size)
        end += 4 + two(m + end + 2);
    PyObject *bare = end == size ? PyBytes_FromStringAndSize((const char *)m, opt + BARE_OPT) : NULL;
    if (bare)
        memset(PyBytes_AS_STRING(bare) + opt + 9, 0, 2);
    return bare;
}

/* The datagram, its message without options: a new reference, NULL for an error. */
static PyObject *
bare_datagram(PyObject *one)
{
    PyObject *bare = without_options(PyTuple_GET_ITEM(one, 0));
    if (!bare)
        return PyErr_Occurred() ? NULL : Py_NewRef(one);
    PyObject *other = PyTuple_Pack(2, bare, PyTuple_GET_ITEM(one, 1));
    Py_DECREF(bare);
    return other;
}

static int
is_datagram(PyObject *one)
{
    if (!PyTuple_Check(one) || PyTuple_GET_SIZE(one) != 2 || !PyBytes_Check(PyTuple_GET_ITEM(one, 0)))
        return 0;
    PyObject *address = PyTuple_GET_ITEM(one, 1);
    return PyTuple_Check(address) && PyTuple_GET_SIZE(address) > 0;
}

static PyObject *
Packets_answer(Packets *self, PyObject *args)
{
    PyObject *arrived, *clients, *out, *off, *rest;
    double now;
    int in_order = 1; /* limited clients take their tokens in the order in which they came */
    if (!PyArg_ParseTuple(args, "O!O!O!O!d:answer", &PyList_Type, &arrived, &PyDict_Type, &clients, &PyList_Type, &out,
                          &PyList_Type, &off, &now) ||
        !(rest = PyList_New(0)))
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(arrived); i++) {
        PyObject *sent = PyList_GET_ITEM(arrived, i), *one = NULL, *wire = NULL;
        int done = -1, is_limited = 1;
        long held = 0;
        if (!is_datagram(sent))
            PyErr_SetString(PyExc_TypeError, "answer takes a list of (data, address)");
        else if ((one = bare_datagram(sent))) {
            PyObject *address = PyTuple_GET_ITEM(one, 1);
            PyObject *client = PyDict_GetItemWithError(clients, PyTuple_GET_ITEM(address, 0));
            if (client && Py_TYPE(client) == (PyTypeObject *)self->client_class) {
                Py_INCREF(client);
                is_limited = slot(client, self->client.is_limited) != Py_False;
                if (in_order || !is_limited)
                    wire = answer_one(self, PyTuple_GET_ITEM(one, 0), client, now, &held);
                Py_DECREF(client);
            }
            if (PyErr_Occurred())
                done = -1;
            else if (held) {
                PyObject *said = PyLong_FromLong(held);
                done = said ? append_pair(off, one, said) : -1;
                Py_XDECREF(said);
            }
            else
                done = wire ? append_pair(out, wire, address) : PyList_Append(rest, one);
            in_order &= wire || held || !is_limited;
            Py_XDECREF(wire);
        }
        Py_XDECREF(one);
        if (done < 0) {
            Py_DECREF(rest);
            return NULL;
        }
    }
    return rest;
}

static void
clear_rows(struct rows *rows)
{
    Py_CLEAR(rows->source);
    Py_CLEAR(rows->clients);
    Py_CLEAR(rows->names);
    rows->count = 0;
}

static PyObject *
Packets_rows(Packets *self, PyObject *none)
{
    struct rows *rows = &self->rows;
    if (!rows->count) {
        clear_rows(rows);
        Py_RETURN_NONE;
    }
    PyObject *taken = Py_BuildValue("(Oy#y#OO)", rows->source, rows->codes, rows->count * 8, rows->hits, rows->count * 8,
                                    rows->clients, rows->names);
    clear_rows(rows);
    return taken;
}

/* Where the class keeps an attribute named in its __slots__; -1 when it does not. */
static Py_ssize_t
offset_of(PyObject *class, const char *name)
{
    PyObject *found = PyObject_GetAttrString(class, name);
    Py_ssize_t offset = -1;
    if (found && Py_TYPE(found) == &PyMemberDescr_Type)
        offset = ((PyMemberDescrObject *)found)->d_member->offset;
    else if (found)
        PyErr_Format(PyExc_TypeError, "%s is not a slot", name);
    Py_XDECREF(found);
    return offset;
}

static int
find_slots(Packets *self)
{
    PyObject *entry = self->entry_class, *client = self->client_class;
    return (self->entry.tail = offset_of(entry, "tail")) < 0 || (self->entry.fresh = offset_of(entry, "fresh")) < 0 ||
           (self->entry.dead = offset_of(entry, "dead")) < 0 || (self->entry.stored = offset_of(entry, "stored")) < 0 ||
           (self->entry.ttls = offset_of(entry, "ttls")) < 0 || (self->entry.aged = offset_of(entry, "aged")) < 0 ||
           (self->entry.time = offset_of(entry, "time")) < 0 ||
           (self->entry.client = offset_of(entry, "client")) < 0 || (self->entry.count = offset_of(entry, "count")) < 0 ||
           (self->client.ip = offset_of(client, "ip")) < 0 || (self->client.entries = offset_of(client, "entries")) < 0 ||
           (self->client.is_limited = offset_of(client, "is_limited")) < 0 ||
           (self->client.denials = offset_of(client, "denials")) < 0;
}

static int
Packets_traverse(Packets *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->entry_class);
    Py_VISIT(self->client_class);
    Py_VISIT(self->keep);
    Py_VISIT(self->admit);
    Py_VISIT(self->count);
    Py_VISIT(self->dirty);
    Py_VISIT(self->wall);
    Py_VISIT(self->rows.source);
    Py_VISIT(self->rows.clients);
    Py_VISIT(self->rows.names);
    return 0;
}

static int
Packets_clear(Packets *self)
{
    clear_rows(&self->rows);
    Py_CLEAR(self->entry_class);
    Py_CLEAR(self->client_class);
    Py_CLEAR(self->keep);
    Py_CLEAR(self->admit);
    Py_CLEAR(self->count);
    Py_CLEAR(self->dirty);
    Py_CLEAR(self->wall);
    return 0;
}

static void
Packets_dealloc(Packets *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Packets_clear(self);
    PyMem_Free(self->rows.codes);
    PyMem_Free(self->rows.hits);
    if (self->known.obj)
        PyBuffer_Release(&self->known);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
Packets_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *entry_class, *client_class, *counter, *keep, *admit, *known;
    Py_ssize_t payload;
    if (!PyArg_ParseTuple(args, "O!O!OOOOn:Packets", &PyType_Type, &entry_class, &PyType_Type, &client_class, &counter,
                          &keep, &admit, &known, &payload))
        return NULL;
    Packets *self = (Packets *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->entry_class = Py_NewRef(entry_class);
    self->client_class = Py_NewRef(client_class);
    self->keep = Py_NewRef(keep);
    self->admit = Py_NewRef(admit);
    self->count = PyObject_GetAttrString(counter, "count");
    self->dirty = PyObject_GetAttrString(counter, "dirty");
    self->wall = PyObject_GetAttrString(counter, "wall");
    self->payload = payload;
    if (!self->count || !self->dirty || !self->wall || find_slots(self) ||
        PyObject_GetBuffer(known, &self->known, PyBUF_WRITABLE) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    if (!PyList_Check(self->dirty)) {
        PyErr_SetString(PyExc_TypeError, "dirty is not a list");
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"answer", (PyCFunction)Packets_answer, METH_VARARGS,
     "answer(arrived, clients, out, off, now) -> the datagrams that go the longer way; the others' answers are in out, "
     "those above their rate in off, each with what admit said"},
    {"rows", (PyCFunction)Packets_rows, METH_NOARGS, "rows() -> (source, codes, hits, clients, names) since the last call, or None"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, Packets_new}, {Py_tp_dealloc, Packets_dealloc}, {Py_tp_traverse, Packets_traverse},
    {Py_tp_clear, Packets_clear}, {Py_tp_methods, methods}, {0, NULL},
};

static PyType_Spec spec = {"namewarden.net._packets.Packets", sizeof(Packets), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_packets", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__packets(void)
{
    for (uint32_t octet = 0; octet < 256; octet++) {
        uint32_t crc = octet;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        crc_table[octet] = crc;
        if ((octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-' || octet == '_')
            lower[octet] = (uint8_t)octet;
        else if (octet >= 'A' && octet <= 'Z')
            lower[octet] = (uint8_t)(octet + 32);
    }
    PyObject *module = PyModule_Create(&definition), *type = PyType_FromSpec(&spec);
    if (!module || !type || PyModule_AddObjectRef(module, "Packets", type) < 0) {
        Py_XDECREF(type);
        Py_XDECREF(module);
        return NULL;
    }
    Py_DECREF(type);
    return module;
}
