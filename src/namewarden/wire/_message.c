/* The plain messages, read in one walk: a query with one question and at most an OPT, an answer of usual records that
 * the strictest client can read.
 *
 * Whatever is not plain, broken messages first of all, is None: `message.py` reads it then, and says what is wrong. So
 * nothing here may accept what that file refuses, or read it otherwise; tests/wire/test_message.py compares them. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HEADER 12
#define LONGEST 253      /* octets of a name as text, without its final dot */
#define MOST_POINTERS 16 /* as dnspython */
#define LONGEST_NAME 255 /* octets of a name as it is sent */
#define POINTED_AT 16384 /* octets of a message that pointers reach */
#define MOST_RECORDS 4096
#define MOST_CNAMES 32
#define MOST_ADDRESSES 16

enum {
    A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, DNAME = 39, OPT = 41, DS = 43,
    RRSIG = 46, NSEC = 47, DNSKEY = 48, NSEC3 = 50, SVCB = 64, HTTPS = 65
};
enum { ALPN = 1, NO_DEFAULT_ALPN = 2, PORT = 3, IPV4HINT = 4, ECH = 5, IPV6HINT = 6, OHTTP = 8 };
enum { IN = 1 };
enum { QR = 0x8000, OPCODE = 0x7800, TC = 0x0200, AD = 0x0020, EDE = 15, DNSSEC_OK = 0x8000 };

typedef struct {
    const uint8_t *data;
    Py_ssize_t size;
} Message;

static unsigned
two(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t
four(const uint8_t *at)
{
    return (uint32_t)two(at) << 16 | two(at + 2);
}

static uint32_t
lesser(uint32_t one, uint32_t other)
{
    return one < other ? one : other;
}

/* The octet as text has it, 0 for what must be escaped. */
static char
letter(uint8_t octet)
{
    if (octet >= 'A' && octet <= 'Z')
        return (char)(octet + 32);
    int plain = (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-' || octet == '_';
    return plain ? (char)octet : 0;
}

/* The name at `offset` as text with its final dot into `text` (LONGEST + 2 octets), its length returned; 0 where it is
 * not plain. `end` is the offset after it. */
static int
read_name(const Message *m, Py_ssize_t offset, int follow, char *text, Py_ssize_t *end)
{
    int length = 0, jumps = 0;
    Py_ssize_t lowest = offset, after = -1;
    for (;;) {
        if (offset >= m->size)
            return 0;
        unsigned size = m->data[offset];
        if (size == 0)
            break;
        if (size >= 192) {
            if (!follow || offset + 1 >= m->size || ++jumps > MOST_POINTERS)
                return 0;
            Py_ssize_t target = (Py_ssize_t)(size & 63) << 8 | m->data[offset + 1];
            if (target >= lowest)
                return 0;
            after = after < 0 ? offset + 2 : after;
            lowest = offset = target;
            continue;
        }
        if (size > 63 || offset + 1 + (Py_ssize_t)size > m->size || length + (int)size + 1 > LONGEST + 1)
            return 0;
        for (unsigned i = 1; i <= size; i++)
            if (!(text[length++] = letter(m->data[offset + i])))
                return 0;
        text[length++] = '.';
        offset += size + 1;
    }
    *end = after < 0 ? offset + 1 : after;
    return length;
}

/* Where a label, or the end, of a name stands that was read: there alone may a pointer lead. A bit for each offset. */
typedef struct {
    uint8_t bits[POINTED_AT / 8];
} Labels;

static void
note_labels(const Message *m, Labels *labels, Py_ssize_t at, Py_ssize_t end)
{
    while (at < end && at < POINTED_AT && m->data[at] < 192) {
        labels->bits[at >> 3] |= (uint8_t)(1 << (at & 7));
        at += m->data[at] + 1;
    }
}

/* The offset after the name at `offset`, whose labels are noted; -1 where there is none. As `rdata.read_name`. */
static Py_ssize_t
take_name(const Message *m, Labels *labels, Py_ssize_t offset, int follow)
{
    Py_ssize_t at = offset, after = -1, octets = 0;
    int jumps = 0;
    for (;;) {
        if (at >= m->size)
            return -1;
        unsigned size = m->data[at];
        if (size < 64) {
            octets += size + 1;
            at += size + 1;
            if (octets > LONGEST_NAME)
                return -1;
            if (!size)
                break;
            continue;
        }
        if (size < 192 || !follow || at + 1 >= m->size || ++jumps > MOST_POINTERS)
            return -1;
        after = after < 0 ? at + 2 : after;
        at = (Py_ssize_t)(size & 63) << 8 | m->data[at + 1];
        if (!(labels->bits[at >> 3] >> (at & 7) & 1))
            return -1;
    }
    after = after < 0 ? at : after;
    note_labels(m, labels, offset, after);
    return after;
}

/* Strings, each behind its length, at least one, that fill the octets exactly. */
static int
are_strings(const uint8_t *at, const uint8_t *end)
{
    if (at == end)
        return 0;
    for (; at < end; at += *at + 1)
        if (end - at <= *at)
            return 0;
    return 1;
}

/* The types that NSEC and NSEC3 name: blocks in order, none empty or with a zero at its end (RFC 4034 4.1.2). */
static int
is_bitmap(const uint8_t *at, const uint8_t *end)
{
    int last = -1;
    while (end - at > 2) {
        unsigned size = at[1];
        if (at[0] <= last || !size || size > 32 || end - at < 2 + (Py_ssize_t)size || !at[1 + size])
            return 0;
        last = at[0];
        at += 2 + size;
    }
    return at == end;
}

static int
is_nsec3(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 5 || end - at < 6 + at[4])
        return 0;
    at += 5 + at[4];
    return *at && end - at > *at && is_bitmap(at + 1 + *at, end);
}

static int
is_digest(const uint8_t *at, const uint8_t *end)
{
    static const uint8_t sizes[5] = {255, 20, 32, 32, 48}; /* by the kind of digest; 0 is reserved */
    return end - at >= 4 && (at[3] > 4 || end - at - 4 == sizes[at[3]]);
}

/* A service parameter's value (RFC 9460); what is not known here is left to the other reader. */
static int
is_parameter(unsigned key, const uint8_t *at, unsigned size)
{
    switch (key) {
    case ALPN:
        return are_strings(at, at + size);
    case NO_DEFAULT_ALPN:
    case OHTTP:
        return size == 0;
    case PORT:
        return size == 2;
    case IPV4HINT:
        return size && size % 4 == 0;
    case ECH:
        return size >= 6 && two(at) == size - 2;
    case IPV6HINT:
        return size && size % 16 == 0;
    default:
        return 0;
    }
}

static int
are_parameters(const uint8_t *at, const uint8_t *end)
{
    unsigned last = 0, has_alpn = 0;
    while (end - at >= 4) {
        unsigned key = two(at), size = two(at + 2);
        if (key <= last || end - at - 4 < (Py_ssize_t)size || !is_parameter(key, at + 4, size))
            return 0;
        has_alpn |= key == ALPN;
        if (key == NO_DEFAULT_ALPN && !has_alpn)
            return 0;
        last = key;
        at += 4 + size;
    }
    return at == end;
}

/* Whether the strictest reader takes the data of a record; 0 for what is not known here, too. */
static int
is_readable(const Message *m, Labels *labels, unsigned type, Py_ssize_t at, Py_ssize_t end)
{
    const uint8_t *last = m->data + end;
    switch (type) {
    case A:
        return end - at == 4;
    case AAAA:
        return end - at == 16;
    case NS:
    case CNAME:
    case PTR:
        return take_name(m, labels, at, 1) == end;
    case DNAME:
        return take_name(m, labels, at, 0) == end;
    case SOA:
        at = take_name(m, labels, at, 1);
        at = at < 0 ? at : take_name(m, labels, at, 1);
        return at > 0 && end - at == 20;
    case MX:
        return end - at > 2 && take_name(m, labels, at + 2, 1) == end;
    case SRV:
        return end - at > 6 && take_name(m, labels, at + 6, 1) == end;
    case TXT:
        return are_strings(m->data + at, last);
    case DS:
        return is_digest(m->data + at, last);
    case DNSKEY:
        return end - at >= 4;
    case RRSIG:
        at = end - at > 18 ? take_name(m, labels, at + 18, 0) : -1;
        return at > 0 && at <= end;
    case NSEC:
        at = take_name(m, labels, at, 0);
        return at > 0 && at <= end && is_bitmap(m->data + at, last);
    case NSEC3:
        return is_nsec3(m->data + at, last);
    case SVCB:
    case HTTPS: {
        unsigned priority = end - at > 2 ? two(m->data + at) : 0;
        at = end - at > 2 ? take_name(m, labels, at + 2, 0) : -1;
        return at > 0 && at <= end && (priority || at == end) && are_parameters(m->data + at, last);
    }
    default:
        return 0;
    }
}

/* Whether the options of an OPT fill it exactly, and none of them is an Extended DNS Error where `no_ede`. */
static int
are_plain_options(const Message *m, Py_ssize_t at, Py_ssize_t end, int no_ede)
{
    while (at < end) {
        if (end - at < 4)
            return 0;
        if (no_ede && two(m->data + at) == EDE)
            return 0;
        at += 4 + two(m->data + at + 2);
    }
    return at == end;
}

/* question(data) -> (id, name, type, question, class, flags, DO, payload) of a query, or None */
static PyObject *
question(PyObject *module, PyObject *data)
{
    char text[LONGEST + 2];
    Py_ssize_t end;
    unsigned payload = 0, dnssec = 0;
    if (!PyBytes_Check(data) || PyBytes_GET_SIZE(data) < 12)
        Py_RETURN_NONE;
    Message m = {(const uint8_t *)PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)};
    unsigned flags = two(m.data + 2), additional = two(m.data + 10);
    if (flags & (QR | OPCODE) || two(m.data + 4) != 1 || four(m.data + 6) || additional > 1)
        Py_RETURN_NONE;
    int length = read_name(&m, 12, 0, text, &end);
    if (!length || m.size - end < 4)
        Py_RETURN_NONE;
    end += 4;
    if (additional) {
        const uint8_t *opt = m.data + end;
        if (m.size - end < 11 || opt[0] || two(opt + 1) != OPT || opt[6] || end + 11 + (Py_ssize_t)two(opt + 9) != m.size ||
            !are_plain_options(&m, end + 11, m.size, 0))
            Py_RETURN_NONE;
        payload = two(opt + 3) < 512 ? 512 : two(opt + 3);
        dnssec = two(opt + 7) & DNSSEC_OK;
    }
    else if (end != m.size)
        Py_RETURN_NONE;
    return Py_BuildValue("Is#Iy#IINI", two(m.data), text, (Py_ssize_t)length, two(m.data + end - 4), m.data + 12, end - 12,
                         two(m.data + end - 2), flags, PyBool_FromLong(dnssec), payload);
}

/* What one walk over the records finds. */
typedef struct {
    PyObject *ttls, *cnames, *addresses; /* lists, NULL while empty */
    Py_ssize_t opt, opt_end;             /* 0 = there is none */
    uint32_t lowest, negative;
    int is_negative;
    unsigned rcode;
} Found;

static Py_ssize_t
length_of(const PyObject *list)
{
    return list ? PyList_GET_SIZE(list) : 0;
}

static int
append(PyObject **list, PyObject *item)
{
    if (!*list)
        *list = PyList_New(0);
    int failed = !item || !*list || PyList_Append(*list, item) < 0;
    Py_XDECREF(item);
    return failed ? -1 : 1;
}

static PyObject *
tuple_of(PyObject *list)
{
    return list ? PyList_AsTuple(list) : PyTuple_New(0);
}

static PyObject *
text_of_v4(const uint8_t *at)
{
    char text[16], *end = text;
    for (int i = 0; i < 4; i++) {
        if (at[i] >= 100)
            *end++ = (char)('0' + at[i] / 100);
        if (at[i] >= 10)
            *end++ = (char)('0' + at[i] / 10 % 10);
        *end++ = (char)('0' + at[i] % 10);
        *end++ = '.';
    }
    return PyUnicode_FromStringAndSize(text, end - text - 1);
}

/* Groups in hexadecimal, the longest run of two zeros or more left out, the first of equals (RFC 5952 §4.2). */
static PyObject *
text_of_v6(const uint8_t *at)
{
    char text[48];
    int best = -1, most = 1, length = 0;
    for (int i = 0; i < 8; i++) {
        int run = 0;
        while (i + run < 8 && !two(at + 2 * (i + run)))
            run++;
        if (run > most) {
            best = i;
            most = run;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            length += snprintf(text + length, sizeof text - length, i + most == 8 ? "::" : ":");
            i += most - 1;
            continue;
        }
        length += snprintf(text + length, sizeof text - length, i ? ":%x" : "%x", two(at + 2 * i));
    }
    return PyUnicode_FromStringAndSize(text, length);
}

/* A CNAME or an address of the answer section. 1 = taken or passed over, 0 = not plain, -1 = an exception. */
static int
take_answer(const Message *m, Found *found, unsigned type, Py_ssize_t value, unsigned length)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
    const uint8_t *at = m->data + value;
    if (type == CNAME) {
        char text[LONGEST + 2];
        Py_ssize_t end;
        int size = length_of(found->cnames) < MOST_CNAMES ? read_name(m, value, 1, text, &end) : 0;
        return size ? append(&found->cnames, PyUnicode_FromStringAndSize(text, size)) : 0;
    }
    if (length_of(found->addresses) >= MOST_ADDRESSES)
        return 1;
    if (type == A && length == 4)
        return append(&found->addresses, text_of_v4(at));
    if (type == AAAA && length == 16) /* how a mapped address is written depends on the version of Python */
        return memcmp(at, mapped, 12) ? append(&found->addresses, text_of_v6(at)) : 0;
    return 1;
}

/* All records from `at` on. 1 = plain, 0 = not, -1 = an exception. */
static int
walk(const Message *m, Py_ssize_t at, unsigned answers, unsigned authority, unsigned all, Found *found)
{
    Py_ssize_t start = at;
    Labels labels;
    memset(&labels, 0, sizeof labels);
    note_labels(m, &labels, HEADER, start - 4);
    for (unsigned index = 0; index < all; index++) {
        Py_ssize_t owner = at;
        at = take_name(m, &labels, at, 1);
        if (at < 0 || m->size - at < 10)
            return 0;
        unsigned type = two(m->data + at), length = two(m->data + at + 8);
        uint32_t ttl = four(m->data + at + 4);
        Py_ssize_t value = at + 10, end = value + length;
        if (end > m->size)
            return 0;
        if (type == OPT) {
            if (found->opt || index < authority || m->data[owner] || !are_plain_options(m, value, end, 1))
                return 0;
            found->opt = owner;
            found->opt_end = end;
            found->rcode |= (ttl >> 24) << 4;
            at = end;
            continue;
        }
        if (two(m->data + at + 2) != IN || !is_readable(m, &labels, type, value, end))
            return 0;
        if (append(&found->ttls, PyLong_FromSsize_t(at + 4 - start)) < 0)
            return -1;
        if (index < answers) {
            found->lowest = lesser(found->lowest, ttl & 0x7FFFFFFF);
            int taken = take_answer(m, found, type, value, length);
            if (taken != 1)
                return taken;
        }
        else if (type == SOA && index < authority) {
            found->negative = lesser(ttl, four(m->data + end - 4)) & 0x7FFFFFFF;
            found->is_negative = 1;
        }
        at = end;
    }
    return at == m->size && (!found->opt || found->opt_end == m->size);
}

static int
is_same_question(const uint8_t *one, const uint8_t *other, Py_ssize_t size)
{
    if (size < 4 || memcmp(one + size - 4, other + size - 4, 4))
        return 0;
    for (Py_ssize_t i = 0; i < size - 4; i++)
        if (Py_TOLOWER(one[i]) != Py_TOLOWER(other[i]))
            return 0;
    return 1;
}

/* answer(data, question) -> (rcode, body, counts, TTL offsets, TTL, AD, TC, CNAMEs, addresses), or None */
static PyObject *
answer(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1]))
        Py_RETURN_NONE;
    Message m = {(const uint8_t *)PyBytes_AS_STRING(args[0]), PyBytes_GET_SIZE(args[0])};
    Py_ssize_t asked = PyBytes_GET_SIZE(args[1]), start = 12 + asked;
    if (m.size < start)
        Py_RETURN_NONE;
    unsigned flags = two(m.data + 2), an = two(m.data + 6), ns = two(m.data + 8), ar = two(m.data + 10);
    if (!(flags & QR) || flags & OPCODE || two(m.data + 4) != 1 || an + ns + ar > MOST_RECORDS ||
        !is_same_question(m.data + 12, (const uint8_t *)PyBytes_AS_STRING(args[1]), asked))
        Py_RETURN_NONE;
    Found found = {NULL, NULL, NULL, 0, 0, 0x7FFFFFFF, 0, 0, flags & 15};
    PyObject *result = NULL;
    int plain = walk(&m, start, an, an + ns, an + ns + ar, &found);
    if (plain == 0)
        result = Py_NewRef(Py_None);
    else if (plain > 0) {
        uint32_t ttl = an && !found.rcode ? found.lowest : 0;
        if (found.is_negative)
            ttl = lesser(found.lowest, found.negative);
        result = Py_BuildValue(
            "Iy#(III)NINNNN", found.rcode, m.data + start, (found.opt ? found.opt : m.size) - start, an, ns,
            ar - (found.opt != 0), tuple_of(found.ttls), ttl, PyBool_FromLong(flags & AD), PyBool_FromLong(flags & TC),
            tuple_of(found.cnames), tuple_of(found.addresses));
    }
    Py_XDECREF(found.ttls);
    Py_XDECREF(found.cnames);
    Py_XDECREF(found.addresses);
    return result;
}

/* mixed(question, bits) -> the question, each letter of its name in the other case where its bit of 64 is set */
static PyObject *
mixed(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyBytes_Check(args[0]) || PyBytes_GET_SIZE(args[0]) < 4 || !PyLong_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "a question and 64 bits");
        return NULL;
    }
    uint64_t bits = PyLong_AsUnsignedLongLongMask(args[1]);
    Py_ssize_t size = PyBytes_GET_SIZE(args[0]);
    PyObject *result = PyBytes_FromStringAndSize(PyBytes_AS_STRING(args[0]), size);
    uint8_t *at = result ? (uint8_t *)PyBytes_AS_STRING(result) : NULL;
    for (Py_ssize_t i = 0; at && i < size - 4; i++) {
        uint8_t small = at[i] | 32;
        if (small >= 'a' && small <= 'z' && bits >> (i & 63) & 1)
            at[i] ^= 32;
    }
    return result;
}

static int
has(const uint8_t *data, Py_ssize_t size, const uint8_t *part, Py_ssize_t length)
{
    const uint8_t *end = data + size;
    while (end - data >= length && (data = memchr(data, part[0], (size_t)(end - data - length + 1)))) {
        if (!memcmp(data, part, (size_t)length))
            return 1;
        data++;
    }
    return 0;
}

/* echo(data, question, cookie) -> 0 = not both are there, 1 = both, 2 = and the name once more behind the question */
static PyObject *
echo(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyBytes_Check(args[0]) || !PyBytes_Check(args[1]) || !PyBytes_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "octets of a message, its question and a cookie");
        return NULL;
    }
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(args[0]);
    const uint8_t *question = (const uint8_t *)PyBytes_AS_STRING(args[1]);
    Py_ssize_t size = PyBytes_GET_SIZE(args[0]), asked = PyBytes_GET_SIZE(args[1]), cookie = PyBytes_GET_SIZE(args[2]);
    long found = 0;
    if (asked > 4 && size >= HEADER + asked && !memcmp(data + HEADER, question, (size_t)asked) &&
        (!cookie || has(data, size, (const uint8_t *)PyBytes_AS_STRING(args[2]), cookie)))
        found = has(data + HEADER + asked, size - HEADER - asked, question, asked - 4) ? 2 : 1;
    return PyLong_FromLong(found);
}

static PyMethodDef functions[] = {
    {"question", question, METH_O, "question(data) -> (id, name, type, question, class, flags, DO, payload) or None"},
    {"answer", (PyCFunction)(void (*)(void))answer, METH_FASTCALL,
     "answer(data, question) -> (rcode, body, counts, TTL offsets, TTL, AD, TC, CNAMEs, addresses) or None"},
    {"mixed", (PyCFunction)(void (*)(void))mixed, METH_FASTCALL, "mixed(question, bits) -> question"},
    {"echo", (PyCFunction)(void (*)(void))echo, METH_FASTCALL, "echo(data, question, cookie) -> 0, 1 or 2"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_message", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__message(void)
{
    return PyModule_Create(&definition);
}
