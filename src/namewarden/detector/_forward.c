/* The packaged network's forward pass: a label's letters in, its logit and its families' logits out.
 *
 * The counterpart of the graph that training/lean.py writes and ONNX Runtime runs: the same tables and weights, and on
 * processors with AVX2 and FMA sums in the order of ONNX Runtime 1.31, so that both give the same bits
 * (docs/decisions/008-forward-pass.md). Inputs that are zero are left out: they change no sum. Nothing here depends on
 * what else is asked; many labels are run without the interpreter lock. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define WIDTH 64             /* encoding.py: columns of the widest row, one of them padding */
#define LONGEST (WIDTH - 1)  /* letters of a label that are read */
#define SYMBOLS 40
#define OTHER 39
#define BACK 6               /* grams.py: letters that an n-gram has at most */
#define PARTS 3
#define COUNTED 4            /* tables of counts */
#define MADE 2               /* tables of codes */
#define GRAMS (COUNTED + MADE)
#define PLACES 24            /* PARTS * GRAMS, in whole vectors */
#define VALUES (PARTS * 256) /* sums of PARTS octets */
#define SPELLED 16
#define GROUPS 12
#define READ (SPELLED + GROUPS + COUNTED)
#define CHANNELS 48
#define EVERY (READ + 2 * CHANNELS)
#define POOLED (2 * EVERY + 2)
#define TAPS 3
#define HEARD 128
#define KIN 96
#define MOST_CLASSES 4096
#define LANES 8
#define BLOCK 48             /* sums kept in registers: the channels of a convolution, rows of a dense layer */
#define EXACT (1 << 24)      /* whole numbers below are exact in the float32 of the graph */

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t whole __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t loose_whole __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A dense layer [out, in] as blocks [in, BLOCK], so that an input meets BLOCK outputs at once. */
typedef struct {
    int in, out;
    float *blocks, *bias;
} dense;

typedef struct {
    uint8_t codes[256];
    int32_t factors[BACK][PLACES], sizes[PLACES], starts[PLACES];
    float shares[PLACES]; /* one by the size. Of part and table, those beyond are zero */
    float steps[VALUES], book[VALUES][GROUPS], letters[SYMBOLS][SPELLED], lengths[WIDTH][KIN];
    float first[READ * TAPS][CHANNELS], second[CHANNELS * TAPS][CHANNELS];
    float logit[HEARD], logit_bias;
    dense hidden, kin, families;
    uint8_t *octets;
} network;

typedef struct {
    uint8_t length, codes[LONGEST];
} label;

/* Inputs that are not zero, and where each stands. */
typedef struct {
    int count;
    uint16_t at[POOLED];
    float value[POOLED];
} inputs;

/* What is known of a label before the heads: a row of zeros stands before and after the rows of each convolution. */
typedef struct {
    float read[WIDTH + 2][READ], found[WIDTH + 2][CHANNELS], found_2[WIDTH + 2][CHANNELS];
    float pooled[POOLED];
} scratch;

#define ALWAYS static inline __attribute__((always_inline))

/* Which of up to 64 numbers are not zero, as bits. */
ALWAYS uint64_t
nonzero(const float *of, int count)
{
    uint64_t bits = 0;
    for (int i = 0; i < count; i += 4)
#if defined(__SSE2__)
        bits |= (uint64_t)_mm_movemask_ps(_mm_cmpneq_ps(_mm_loadu_ps(of + i), _mm_setzero_ps())) << i;
#else
        for (int j = i; j < i + 4; j++)
            bits |= (uint64_t)(of[j] != 0) << j;
#endif
    return bits;
}

/* Takes an input in where `is_kept`, without a branch: nobody can foretell which are. */
ALWAYS void
keep(inputs *kept, int at, float value, int is_kept)
{
    kept->at[kept->count] = (uint16_t)at;
    kept->value[kept->count] = value;
    kept->count += is_kept;
}

/* An input times its row of the kernel, added to BLOCK sums. */
ALWAYS void
add(lanes sum[BLOCK / LANES], float value, const float *row)
{
    const lanes x = {value, value, value, value, value, value, value, value};
    const loose *w = (const loose *)row;
    sum[0] += x * w[0];
    sum[1] += x * w[1];
    sum[2] += x * w[2];
    sum[3] += x * w[3];
    sum[4] += x * w[4];
    sum[5] += x * w[5];
}

/* What is above zero of BLOCK sums. */
ALWAYS void
rectified(const lanes sum[BLOCK / LANES], float *out)
{
    for (int i = 0; i < BLOCK / LANES; i++)
        *(loose *)&out[i * LANES] = (lanes)((whole)sum[i] & (sum[i] > 0));
}

/* The first convolution: few of its inputs are zero. Rows [1 + places], zeros around. */
ALWAYS void
convolved(const float (*in)[READ], int places, const float (*kernel)[CHANNELS], float (*out)[CHANNELS])
{
    for (int place = 0; place < places; place++) {
        lanes sum[BLOCK / LANES] = {{0}};
        for (int channel = 0; channel < READ; channel++) {
            add(sum, in[place][channel], kernel[channel * TAPS]);
            add(sum, in[place + 1][channel], kernel[channel * TAPS + 1]);
            add(sum, in[place + 2][channel], kernel[channel * TAPS + 2]);
        }
        rectified(sum, out[place + 1]);
    }
}

/* The second: four in five of its inputs are zero. */
ALWAYS void
convolved_sparse(const float (*in)[CHANNELS], int places, const float (*kernel)[CHANNELS], float (*out)[CHANNELS])
{
    uint64_t before, here = 0, after = nonzero(in[1], CHANNELS);
    inputs kept;
    for (int place = 0; place < places; place++) {
        lanes sum[BLOCK / LANES] = {{0}};
        before = here, here = after, after = nonzero(in[place + 2], CHANNELS);
        kept.count = 0;
        for (uint64_t left = before | here | after; left; left &= left - 1) {
            const int channel = __builtin_ctzll(left);
            keep(&kept, channel * TAPS, in[place][channel], before >> channel & 1);
            keep(&kept, channel * TAPS + 1, in[place + 1][channel], here >> channel & 1);
            keep(&kept, channel * TAPS + 2, in[place + 2][channel], after >> channel & 1);
        }
        for (int i = 0; i < kept.count; i++)
            add(sum, kept.value[i], kernel[kept.at[i]]);
        rectified(sum, out[place + 1]);
    }
}

/* [BLOCK] each: inputs by their place modulo LANES, each kind added up for itself; then these, four and four. */
ALWAYS void
combined(const dense *layer, const float *in, float *out)
{
    inputs kept[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        kept[lane].count = 0;
        for (int at = lane; at < layer->in; at += LANES)
            keep(&kept[lane], at, in[at], in[at] != 0);
    }
    for (int begin = 0; begin < layer->out; begin += BLOCK) {
        const float (*kernel)[BLOCK] = (const float (*)[BLOCK])(layer->blocks + (size_t)begin * layer->in);
        lanes halves[2][BLOCK / LANES];
        for (int lane = 0; lane < LANES; lane++) {
            lanes *half = halves[lane / 4], sum[BLOCK / LANES] = {{0}};
            for (int i = 0; i < kept[lane].count; i++)
                add(sum, kept[lane].value[i], kernel[kept[lane].at[i]]);
            for (int i = 0; i < BLOCK / LANES; i++)
                half[i] = lane % 4 ? half[i] + sum[i] : sum[i];
        }
        for (int i = 0; i < BLOCK / LANES; i++)
            *(loose *)&out[begin + i * LANES] =
                halves[0][i] + halves[1][i] + *(const loose *)&layer->bias[begin + i * LANES];
    }
}

/* Where in the octets each part of each table has the n-gram that ends at a letter. A remainder by a product is at most
 * one divisor off. */
ALWAYS void
find_places(const network *net, const uint8_t *codes, int32_t *places)
{
    for (int i = 0; i < PLACES; i += LANES) {
        const whole size = *(const loose_whole *)&net->sizes[i];
        whole sum = {0}, rest;
        for (int back = 0; back < BACK; back++)
            sum += *(const loose_whole *)&net->factors[back][i] * (int32_t)codes[back - (BACK - 1)];
        rest = sum - size * __builtin_convertvector(__builtin_convertvector(sum, lanes) *
                                                        *(const loose *)&net->shares[i], whole);
        rest += size & (rest < 0);
        rest -= size & (rest >= size);
        *(loose_whole *)&places[i] = rest + *(const loose_whole *)&net->starts[i];
    }
}

/* What the tables say of the n-gram that ends at a letter, beside the letter itself. */
ALWAYS void
read_place(const network *net, int code, const int32_t *places, float *read)
{
    int found[GRAMS];
    for (int table = 0; table < GRAMS; table++)
        found[table] = net->octets[places[table]] + net->octets[places[GRAMS + table]] +
                       net->octets[places[2 * GRAMS + table]];
    const float *one = net->book[found[COUNTED]], *other = net->book[found[COUNTED + 1]];
    memcpy(read, net->letters[code], sizeof net->letters[0]);
    for (int group = 0; group < GROUPS; group++)
        read[SPELLED + group] = one[group] < other[group] ? one[group] : other[group];
    for (int table = 0; table < COUNTED; table++)
        read[SPELLED + GROUPS + table] = net->steps[found[table]];
}

ALWAYS float
least(const float *of)
{
    float found = of[0];
    for (int i = 1; i < GROUPS; i++)
        found = of[i] < found ? of[i] : found;
    return found;
}

/* Maximum and mean of LANES channels over all places, padding (zeros) included; places are added up by their number
 * modulo LANES, then these. rows: [1 + places]. */
ALWAYS void
pool(const float *rows, int channels, int places, int length, float *most, float *mean)
{
    lanes highest = {0}, sum[LANES] = {{0}};
    for (int place = 0; place < places; place++) {
        const lanes value = *(const loose *)&rows[(place + 1) * channels];
        const whole is_higher = value > highest;
        highest = (lanes)(((whole)value & is_higher) | ((whole)highest & ~is_higher));
        sum[place % LANES] += value;
    }
    *(loose *)most = highest;
    *(loose *)mean =
        (((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]))) / (float)(length ? length : 1);
}

ALWAYS void
pool_all(const float *rows, int channels, int places, int length, float *most)
{
    for (int channel = 0; channel < channels; channel += LANES)
        pool(rows + channel, channels, places, length, most + channel, most + EVERY + channel);
}

/* A label → what the heads are given. A convolution is heard a place beyond what it reads. */
ALWAYS void
looked(const network *net, const label *given, scratch *s)
{
    uint8_t codes[BACK - 1 + LONGEST] = {0};
    int32_t places[LONGEST][PLACES];
    const int length = given->length, first = length + 1, second = first + 1 < WIDTH ? first + 1 : WIDTH;
    memcpy(codes + BACK - 1, given->codes, length);
    memset(s->read[0], 0, sizeof s->read[0]);
    for (int place = 0; place < length; place++)
        find_places(net, codes + BACK - 1 + place, places[place]);
    for (int place = 0; place < length; place++)
        read_place(net, given->codes[place], places[place], s->read[place + 1]);
    memset(s->read[length + 1], 0, 2 * sizeof s->read[0]);
    convolved(s->read, first, net->first, s->found);
    memset(s->found[0], 0, sizeof s->found[0]);
    memset(s->found[first + 1], 0, (second + 1 - first) * sizeof s->found[0]);
    convolved_sparse(s->found, second, net->second, s->found_2);
    pool_all(s->read[0], READ, length, length, s->pooled);
    pool_all(s->found[0], CHANNELS, first, length, s->pooled + READ);
    pool_all(s->found_2[0], CHANNELS, second, length, s->pooled + READ + CHANNELS);
    s->pooled[2 * EVERY] = least(s->pooled + SPELLED);
    s->pooled[2 * EVERY + 1] = least(s->pooled + EVERY + SPELLED);
}

/* Both are there twice: ONNX Runtime's convolutions multiply and add in one step where the processor can, its products
 * with a vector never do, and no compiler is to do so there. */
static void
look_plain(const network *net, const label *given, scratch *s)
{
    looked(net, given, s);
}

static void
combine_plain(const dense *layer, const float *in, float *out)
{
    combined(layer, in, out);
}

static void (*look)(const network *, const label *, scratch *) = look_plain;
static void (*combine)(const dense *, const float *, float *) = combine_plain;

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void
look_avx2(const network *net, const label *given, scratch *s)
{
    looked(net, given, s);
}

__attribute__((target("avx2,no-fma"))) static void
combine_avx2(const dense *layer, const float *in, float *out)
{
    combined(layer, in, out);
}
#endif

/* Does the processor take the wide path? `plain` = it is not to. */
static int
choose(int plain)
{
    look = look_plain, combine = combine_plain;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!plain && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        look = look_avx2, combine = combine_avx2;
        return 1;
    }
#endif
    return 0;
}

static void
rectify(float *values, int count)
{
    for (int i = 0; i < count; i++)
        values[i] = values[i] > 0 ? values[i] : 0;
}

static float
logit_of(const network *net, const label *given)
{
    scratch s;
    float heard[HEARD + BLOCK], sum = 0;
    look(net, given, &s);
    combine(&net->hidden, s.pooled, heard);
    rectify(heard, HEARD);
    for (int i = 0; i < HEARD; i += 4) {
        const float *x = heard + i, *w = net->logit + i;
        float four = x[0] * w[0];
        four += x[1] * w[1];
        four += x[2] * w[2];
        four += x[3] * w[3];
        sum += four;
    }
    return sum + net->logit_bias;
}

/* out: [classes], a multiple of BLOCK has room. */
static void
families_of(const network *net, const label *given, float *out)
{
    scratch s;
    float kin[KIN];
    look(net, given, &s);
    combine(&net->kin, s.pooled, kin);
    for (int i = 0; i < KIN; i++)
        kin[i] += net->lengths[given->length][i];
    rectify(kin, KIN);
    combine(&net->families, kin, out);
}

/* A str as `encoding.encode` reads it. -1 when it is none. */
static int
encode(const network *net, PyObject *text, label *found)
{
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "a label is a str");
        return -1;
    }
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(text) < 0)
        return -1;
#endif
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    found->length = (uint8_t)(size < LONGEST ? size : LONGEST);
    for (int i = 0; i < found->length; i++) {
        Py_UCS4 letter = PyUnicode_READ(kind, data, i);
        found->codes[i] = letter < 128 ? net->codes[letter] : OTHER;
    }
    return 0;
}

static const char NAME[] = "namewarden.detector._forward.network";

static network *
network_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, NAME);
}

static void
release(network *net)
{
    PyMem_RawFree(net->octets);
    PyMem_RawFree(net->hidden.blocks);
    PyMem_RawFree(net->kin.blocks);
    PyMem_RawFree(net->families.blocks);
    PyMem_RawFree(net);
}

static void
destroy(PyObject *capsule)
{
    release(network_of(capsule));
}

/* `size` octets of the next part; NULL with an error when it has not just so many. */
static const void *
part(PyObject *parts, int *next, size_t size)
{
    PyObject *found = PyTuple_GetItem(parts, (*next)++);
    if (!found)
        return NULL;
    if (!PyBytes_Check(found) || (size_t)PyBytes_GET_SIZE(found) != size) {
        PyErr_Format(PyExc_ValueError, "part %d is not of %zu octets", *next - 1, size);
        return NULL;
    }
    return PyBytes_AS_STRING(found);
}

static int
copied(PyObject *parts, int *next, void *to, size_t size)
{
    const void *found = part(parts, next, size);
    if (found)
        memcpy(to, found, size);
    return found ? 0 : -1;
}

/* A dense layer's kernel [out, in] and bias [out], as blocks; rows of the last block that are none are zero. */
static int
take_dense(PyObject *parts, int *next, dense *layer, int in, int out)
{
    const int blocks = (out + BLOCK - 1) / BLOCK;
    const float *kernel = part(parts, next, (size_t)in * out * sizeof(float));
    const float *bias = kernel ? part(parts, next, out * sizeof(float)) : NULL;
    if (!bias)
        return -1;
    layer->in = in, layer->out = out;
    layer->blocks = PyMem_RawCalloc((size_t)blocks * BLOCK * (in + 1), sizeof(float));
    if (!layer->blocks) {
        PyErr_NoMemory();
        return -1;
    }
    layer->bias = layer->blocks + (size_t)blocks * BLOCK * in;
    for (int row = 0; row < out; row++)
        for (int at = 0; at < in; at++)
            layer->blocks[((size_t)(row / BLOCK) * in + at) * BLOCK + row % BLOCK] = kernel[(size_t)row * in + at];
    memcpy(layer->bias, bias, out * sizeof(float));
    return 0;
}

/* Every place that any label can ask for is within the octets, and every sum is one that the graph's float32 holds. */
static int
is_within(const network *net, Py_ssize_t octets)
{
    for (int t = 0; t < PARTS * GRAMS; t++) {
        int64_t highest = 0;
        for (int back = 0; back < BACK; back++) {
            if (net->factors[back][t] < 0)
                return 0;
            highest += (int64_t)net->factors[back][t] * (SYMBOLS - 1);
        }
        if (highest >= EXACT || net->sizes[t] < 1 || net->starts[t] < 0 ||
            (int64_t)net->starts[t] + net->sizes[t] > octets)
            return 0;
    }
    for (int i = 0; i < 256; i++)
        if (net->codes[i] >= SYMBOLS)
            return 0;
    return 1;
}

/* Factors [part and table, letters], sizes and starts. */
static int
take_places(PyObject *parts, int *next, network *net)
{
    const int count = PARTS * GRAMS;
    int32_t factors[PARTS * GRAMS][BACK];
    if (copied(parts, next, factors, sizeof factors) < 0 ||
        copied(parts, next, net->sizes, count * sizeof *net->sizes) < 0 ||
        copied(parts, next, net->starts, count * sizeof *net->starts) < 0)
        return -1;
    for (int t = 0; t < count; t++) {
        for (int back = 0; back < BACK; back++)
            net->factors[back][t] = factors[t][back];
        net->shares[t] = 1.0f / (float)net->sizes[t];
    }
    return 0;
}

static int
take_octets(PyObject *parts, int *next, network *net)
{
    PyObject *octets = PyTuple_GetItem(parts, (*next)++);
    if (!octets || !PyBytes_Check(octets) || !is_within(net, PyBytes_GET_SIZE(octets))) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "places lie outside the tables");
        return -1;
    }
    net->octets = PyMem_RawMalloc(PyBytes_GET_SIZE(octets));
    if (!net->octets) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(net->octets, PyBytes_AS_STRING(octets), PyBytes_GET_SIZE(octets));
    return 0;
}

static int
fill(network *net, PyObject *parts, int classes)
{
    int next = 0;
#define COPIED(field) (copied(parts, &next, &net->field, sizeof net->field) < 0)
    if (COPIED(codes) || take_places(parts, &next, net) < 0 || take_octets(parts, &next, net) < 0 || COPIED(steps) ||
        COPIED(book) || COPIED(letters) || COPIED(lengths) || COPIED(first) || COPIED(second) ||
        take_dense(parts, &next, &net->hidden, POOLED, HEARD) < 0 || COPIED(logit) || COPIED(logit_bias) ||
        take_dense(parts, &next, &net->kin, POOLED, KIN) < 0 ||
        take_dense(parts, &next, &net->families, KIN, classes) < 0)
        return -1;
#undef COPIED
    return 0;
}

static PyObject *
load(PyObject *module, PyObject *args)
{
    PyObject *parts;
    int classes;
    if (!PyArg_ParseTuple(args, "O!i:load", &PyTuple_Type, &parts, &classes))
        return NULL;
    if (classes < 1 || classes > MOST_CLASSES)
        return PyErr_Format(PyExc_ValueError, "%d classes", classes);
    network *net = PyMem_RawCalloc(1, sizeof *net);
    if (!net)
        return PyErr_NoMemory();
    PyObject *capsule = fill(net, parts, classes) < 0 ? NULL : PyCapsule_New(net, NAME, destroy);
    if (!capsule)
        release(net);
    return capsule;
}

/* The lock is kept: a label takes less time than giving it away and waiting for it. */
static PyObject *
logit(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    label given;
    network *net = count == 2 ? network_of(args[0]) : NULL;
    if (!net) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "logit(network, label)");
        return NULL;
    }
    if (encode(net, args[1], &given) < 0)
        return NULL;
    return PyFloat_FromDouble(logit_of(net, &given));
}

static label *
encode_all(const network *net, PyObject *list)
{
    const Py_ssize_t count = PyList_GET_SIZE(list);
    label *found = PyMem_RawCalloc(count ? count : 1, sizeof *found);
    if (!found) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (encode(net, PyList_GET_ITEM(list, i), &found[i]) < 0) {
            PyMem_RawFree(found);
            return NULL;
        }
    return found;
}

/* float32, row by row: one logit each, or one for each class. */
static PyObject *
run_all(PyObject *args, const char *format, int with_families)
{
    PyObject *capsule, *list;
    if (!PyArg_ParseTuple(args, format, &capsule, &PyList_Type, &list))
        return NULL;
    network *net = network_of(capsule);
    label *given = net ? encode_all(net, list) : NULL;
    if (!given)
        return NULL;
    const Py_ssize_t count = PyList_GET_SIZE(list);
    const int columns = with_families ? net->families.out : 1;
    PyObject *found = PyBytes_FromStringAndSize(NULL, count * columns * (Py_ssize_t)sizeof(float));
    char *to = found ? PyBytes_AS_STRING(found) : NULL;
    if (found) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < count; i++, to += columns * sizeof(float)) {
            float row[MOST_CLASSES + BLOCK];
            if (with_families)
                families_of(net, &given[i], row);
            else
                row[0] = logit_of(net, &given[i]);
            memcpy(to, row, columns * sizeof(float));
        }
        Py_END_ALLOW_THREADS
    }
    PyMem_RawFree(given);
    return found;
}

static PyObject *
logits(PyObject *module, PyObject *args)
{
    return run_all(args, "OO!:logits", 0);
}

static PyObject *
families(PyObject *module, PyObject *args)
{
    return run_all(args, "OO!:families", 1);
}

/* For tests: the same without what only some processors have. */
static PyObject *
wide(PyObject *module, PyObject *allowed)
{
    int is_allowed = PyObject_IsTrue(allowed);
    return is_allowed < 0 ? NULL : PyBool_FromLong(choose(!is_allowed));
}

static PyMethodDef functions[] = {
    {"load", load, METH_VARARGS, "load(parts, classes) -> network; ValueError"},
    {"logit", (PyCFunction)(void (*)(void))logit, METH_FASTCALL, "logit(network, label) -> float"},
    {"logits", logits, METH_VARARGS, "logits(network, labels) -> float32 each, as octets"},
    {"families", families, METH_VARARGS, "families(network, labels) -> float32 for each class each, as octets"},
    {"wide", wide, METH_O, "wide(allowed) -> is the path for AVX2 and FMA taken?"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_forward", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__forward(void)
{
    choose(0);
    return PyModule_Create(&definition);
}
