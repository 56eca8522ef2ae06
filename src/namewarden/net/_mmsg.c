/* Many datagrams a system call: recvmmsg and sendmmsg on a non-blocking UDP socket.
 *
 * The counterpart of the plain functions in datagrams.py: same arguments, same answers, same tests.
 * An address is (host, socket address[, control]): the IP's octets, the sockaddr, and the control message that
 * makes an answer leave from the address that was asked. The GIL is kept throughout: no call here waits, and the buffers
 * below are shared. */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MOST 64          /* datagrams a system call */
#define LONGEST 65535    /* octets of a datagram */
#define CONTROL CMSG_SPACE(sizeof(struct in6_pktinfo))

static struct mmsghdr headers[MOST];
static struct iovec pieces[MOST];
static struct sockaddr_storage peers[MOST];
static union { char octets[CONTROL]; struct cmsghdr align; } controls[MOST];
static char *buffer;
static size_t buffer_size;

/* The octets of the IP address: what clients are told apart by. */
static PyObject *
host_of(const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET)
        return PyBytes_FromStringAndSize((const char *)&((const struct sockaddr_in *)peer)->sin_addr, 4);
    if (peer->ss_family == AF_INET6)
        return PyBytes_FromStringAndSize((const char *)&((const struct sockaddr_in6 *)peer)->sin6_addr, 16);
    return PyBytes_FromStringAndSize(NULL, 0);
}

/* The packet information as the control message that sends from there. For IPv4 routing picks the interface; the
 * octets differ by nothing else between two datagrams of one client, so addresses compare. */
static PyObject *
control_of(struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
        }
        else if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
            continue;
        return PyBytes_FromStringAndSize((const char *)c, c->cmsg_len);
    }
    return NULL;
}

static PyObject *
datagram_of(int i)
{
    struct msghdr *header = &headers[i].msg_hdr;
    PyObject *data = PyBytes_FromStringAndSize(pieces[i].iov_base, headers[i].msg_len);
    PyObject *host = host_of(&peers[i]);
    PyObject *peer = PyBytes_FromStringAndSize((const char *)&peers[i], header->msg_namelen);
    PyObject *control = header->msg_controllen ? control_of(header) : NULL;
    PyObject *address = NULL, *datagram = NULL;
    if (data && host && peer && !PyErr_Occurred())
        address = control ? PyTuple_Pack(3, host, peer, control) : PyTuple_Pack(2, host, peer);
    if (address)
        datagram = PyTuple_Pack(2, data, address);
    Py_XDECREF(data);
    Py_XDECREF(host);
    Py_XDECREF(peer);
    Py_XDECREF(control);
    Py_XDECREF(address);
    return datagram;
}

static int
grow_buffer(size_t wanted)
{
    char *grown = wanted > buffer_size ? PyMem_RawRealloc(buffer, wanted) : buffer;
    if (!grown) {
        PyErr_NoMemory();
        return -1;
    }
    buffer_size = wanted > buffer_size ? wanted : buffer_size;
    buffer = grown;
    return 0;
}

/* All other errors are one datagram's, or an earlier one's that ICMP spoke about: a network that is gone, a client that
 * pretends to ask from port 0. The next datagram may fare better. */
static int
is_full(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

static PyObject *
recv_many(PyObject *module, PyObject *args)
{
    PyObject *sock, *list;
    int fd, most, size, got = -1;
    if (!PyArg_ParseTuple(args, "Oii:recv_many", &sock, &most, &size) || (fd = PyObject_AsFileDescriptor(sock)) < 0)
        return NULL;
    if (most < 1 || most > MOST || size < 1 || size > LONGEST) {
        PyErr_Format(PyExc_ValueError, "1 to %d datagrams of 1 to %d octets", MOST, LONGEST);
        return NULL;
    }
    if (grow_buffer((size_t)most * size) < 0)
        return NULL;
    for (int i = 0; i < most; i++) {
        pieces[i] = (struct iovec){buffer + (size_t)i * size, size};
        headers[i].msg_hdr = (struct msghdr){
            &peers[i], sizeof peers[i], &pieces[i], 1, controls[i].octets, CONTROL, 0};
    }
    for (int tries = 0; got < 0 && tries < most; tries++) {
        got = recvmmsg(fd, headers, most, MSG_DONTWAIT, NULL);
        if (got < 0 && is_full(errno))
            break;
    }
    if ((list = PyList_New(got > 0 ? got : 0)) == NULL)
        return NULL;
    for (int i = 0; i < got; i++) {
        PyObject *datagram = datagram_of(i);
        if (!datagram) {
            Py_DECREF(list);
            return NULL;
        }
        PyList_SET_ITEM(list, i, datagram);
    }
    return list;
}

/* Put one (data, address) into header i. The list keeps what is pointed to: nothing else runs meanwhile. */
static int
fill(int i, PyObject *datagram)
{
    PyObject *data = PyTuple_Check(datagram) && PyTuple_GET_SIZE(datagram) == 2 ? PyTuple_GET_ITEM(datagram, 0) : NULL;
    PyObject *address = data ? PyTuple_GET_ITEM(datagram, 1) : NULL;
    Py_ssize_t parts = address && PyTuple_Check(address) ? PyTuple_GET_SIZE(address) : 0;
    PyObject *peer = parts == 2 || parts == 3 ? PyTuple_GET_ITEM(address, 1) : NULL;
    PyObject *control = parts == 3 ? PyTuple_GET_ITEM(address, 2) : NULL;
    if (!peer || !PyBytes_Check(data) || !PyBytes_Check(peer) || (control && !PyBytes_Check(control)) ||
        PyBytes_GET_SIZE(peer) > (Py_ssize_t)sizeof peers[i] ||
        (control && PyBytes_GET_SIZE(control) > (Py_ssize_t)CONTROL)) {
        PyErr_SetString(PyExc_TypeError, "send_many takes a list of (data, address as recv_many gave it)");
        return -1;
    }
    pieces[i] = (struct iovec){PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)};
    headers[i].msg_hdr = (struct msghdr){PyBytes_AS_STRING(peer), PyBytes_GET_SIZE(peer), &pieces[i], 1, NULL, 0, 0};
    if (control) {
        memset(controls[i].octets, 0, CONTROL);
        memcpy(controls[i].octets, PyBytes_AS_STRING(control), PyBytes_GET_SIZE(control));
        headers[i].msg_hdr.msg_control = controls[i].octets;
        headers[i].msg_hdr.msg_controllen = CMSG_ALIGN(PyBytes_GET_SIZE(control));
    }
    return 0;
}

/* Send `filled` headers; how many left. `full` says that the socket takes no more. */
static int
send_filled(int fd, int filled, int *full)
{
    int sent = 0;
    for (int at = 0; at < filled && !*full;) {
        int done = sendmmsg(fd, headers + at, filled - at, MSG_DONTWAIT);
        if (done > 0) {
            at += done;
            sent += done;
        }
        else if (is_full(errno))
            *full = 1;
        else
            at += errno != EINTR;
    }
    return sent;
}

static PyObject *
send_many(PyObject *module, PyObject *args)
{
    PyObject *sock, *list;
    int fd, full = 0;
    long sent = 0;
    if (!PyArg_ParseTuple(args, "OO!:send_many", &sock, &PyList_Type, &list) ||
        (fd = PyObject_AsFileDescriptor(sock)) < 0)
        return NULL;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(list) && !full; at += MOST) {
        int filled = 0;
        for (; filled < MOST && at + filled < PyList_GET_SIZE(list); filled++)
            if (fill(filled, PyList_GET_ITEM(list, at + filled)) < 0)
                return NULL;
        sent += send_filled(fd, filled, &full);
    }
    return PyLong_FromLong(sent);
}

static PyMethodDef functions[] = {
    {"recv_many", recv_many, METH_VARARGS, "recv_many(socket, most, size) -> list of (data, address) that are there"},
    {"send_many", send_many, METH_VARARGS, "send_many(socket, list of (data, address)) -> how many were sent"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_mmsg", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__mmsg(void)
{
    return PyModule_Create(&definition);
}
