# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The short way through a plain socket: what a relay passes goes from one socket to the other in one call each.

All else takes the long way, through transport and protocol, which is what `plain_transport.py` does alone.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.list cimport PyList_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, EPROTO, errno
from libc.stdint cimport uint8_t

from gateway_runtime.kafka._relay cimport Relay, int32_at

from gateway_runtime.connections.rooms import next_room, shared as _shared

cdef extern from "sys/socket.h" nogil:
    enum:
        MSG_DONTWAIT
        MSG_NOSIGNAL
        MSG_PEEK
        SOL_SOCKET
        SO_RCVLOWAT
    ssize_t recv(int, void*, size_t, int)
    ssize_t send(int, const void*, size_t, int)
    int setsockopt(int, int, int, const void*, unsigned int)

cdef extern from "sys/ioctl.h" nogil:
    enum:
        FIONREAD
    int ioctl(int, unsigned long, ...)

cdef extern from * nogil:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <fcntl.h>
    #include <unistd.h>
    """
    enum:
        F_SETPIPE_SZ
        O_CLOEXEC
        O_NONBLOCK
        SPLICE_F_MOVE
        SPLICE_F_NONBLOCK
    int fcntl(int, int, ...)
    int pipe2(int*, int)
    ssize_t read(int, void*, size_t)
    ssize_t splice(int, void*, int, void*, size_t, unsigned int)

cdef enum:
    PREFIX = 4
    LEAST = 10
    FRONT = 256
    LARGE = 32768
    ROOM = 262144

cdef list shared = _shared
cdef object _view = None
cdef Py_buffer _buffer


cdef int _hold_room() except -1:
    """Have `_buffer` be the room that is read into next."""
    global _view
    if _view is not None and PyList_GET_SIZE(shared) and shared[0] is _view:
        return 0
    if _view is not None:
        _view = None
        PyBuffer_Release(&_buffer)
    view = next_room()
    PyObject_GetBuffer(view, &_buffer, PyBUF_WRITABLE)
    _view = view
    return 0


cdef class Lane:
    """The reading of one socket. `is_clear`: what is written goes out at once, as nothing else waits."""

    cdef int number
    cdef object transport, protocol, peer
    cdef Lane other
    cdef Relay relay
    cdef bint is_client, is_partial, are_large, is_patient
    cdef public bint is_clear

    def __init__(self, int number, object transport):
        self.number = number
        self.transport = transport
        self.is_clear = True
        self.are_large = self.is_patient = False

    def join(self, Relay relay, object protocol, object peer):
        """Pass what `relay` passes to the transport `peer`; `protocol` takes the rest."""
        self.relay = relay
        self.protocol = protocol
        self.peer = peer
        self.other = getattr(peer, "lane", None)
        self.is_client = protocol.is_client
        self.is_partial = protocol.is_amid_frame()

    def part(self):
        """Pass nothing more."""
        self.relay = None
        self.protocol = self.peer = self.other = None

    def readable(self):
        """Read once."""
        if self.relay is None or self.is_partial or not self.relay.is_open:
            self.wait_for(0)
            self.transport.read_once()
            if self.relay is not None:
                self.is_partial = self.protocol.is_amid_frame()
        elif not self.are_large or not self.read_large():
            self.read()

    cdef int read(self) except -1:
        """Read what there is, and hand on what is passed of it."""
        cdef ssize_t count
        cdef Py_ssize_t end
        cdef const uint8_t* data
        _hold_room()
        data = <const uint8_t*> _buffer.buf
        count = recv(self.number, _buffer.buf, _buffer.len, MSG_DONTWAIT)
        if count <= 0:
            self.ended(count)
            return 0
        if self.is_client:
            self.are_large = count >= PREFIX and LARGE <= int32_at(data) <= _buffer.len - PREFIX
            end = self.relay.pass_requests(data, count)
        else:
            end = self.relay.pass_responses(data, count)
        if end:
            self.write(end)
        if end < count and self.relay is not None:
            self.is_partial = self.transport.take_rest(end, count - end)
        else:
            self.settle()
        return 0

    cdef int settle(self) except -1:
        if self.is_client and self.relay is not None and self.relay.is_full():
            self.protocol.settle()
        return 0

    cdef int ended(self, ssize_t count) except -1:
        cdef int number = errno
        if count < 0 and (number == EAGAIN or number == EINTR):
            return 0
        self.transport.take_end(0 if count == 0 else number)
        return 0

    cdef int write(self, Py_ssize_t size) except -1:
        """Write the front of the room to the other side; what its socket does not take, its transport keeps."""
        cdef ssize_t sent = 0
        if self.other is not None and self.other.is_clear:
            sent = send(self.other.number, _buffer.buf, size, MSG_DONTWAIT | MSG_NOSIGNAL)
            if sent == size:
                return 0
            if sent < 0:
                sent = 0
        self.peer.write(PyBytes_FromStringAndSize(<const char*> _buffer.buf + sent, size - sent))
        return 0

    # -- large requests: awaited until they are whole, and moved by the kernel

    cdef bint read_large(self) except -1:
        """Move the request at the front, or wait until it is whole; answers whether there was one to be moved."""
        cdef uint8_t front[FRONT]
        cdef ssize_t seen = recv(self.number, front, FRONT, MSG_DONTWAIT | MSG_PEEK)
        cdef Py_ssize_t size
        cdef int there = 0
        if seen <= 0:
            self.ended(seen)
            return True
        size = <Py_ssize_t> int32_at(front) + PREFIX if seen >= PREFIX + LEAST else 0
        if not LARGE <= size <= ROOM:
            self.wait_for(0)
            return False
        ioctl(self.number, FIONREAD, &there)
        if there < size and not self.is_patient:
            self.wait_for(<int> size)
            return True
        self.wait_for(0)
        if there < size or self.relay.is_inspected or self.other is None or not self.other.is_clear or not _has_pipe():
            return False
        if not self.relay.pass_request(front, seen, size):
            return False
        self.move(size)
        self.settle()
        return True

    cdef int wait_for(self, int size) except -1:
        """Be told only once so many bytes are there; 0: once there is anything."""
        cdef int least = size or 1
        if size or self.is_patient:
            self.is_patient = size > 0
            setsockopt(self.number, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof(least))
        return 0

    cdef int move(self, Py_ssize_t size) except -1:
        """Have the kernel move a request that is there to the other side's socket, as far as that takes it."""
        cdef ssize_t came, sent
        while size:
            came = splice(self.number, NULL, _pipe[1], NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
            if came <= 0:
                return self.keep(0, size)
            size -= came
            while came:
                sent = splice(_pipe[0], NULL, self.other.number, NULL, came, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
                if sent <= 0:
                    return self.keep(came, size)
                came -= sent
        return 0

    cdef int keep(self, Py_ssize_t begun, Py_ssize_t size) except -1:
        """Copy the rest of a request that the kernel does not move: what is in the pipe of it, and what comes behind."""
        cdef ssize_t count
        cdef Py_ssize_t end = 0, whole = begun + size
        _hold_room()
        while end < whole:
            if end < begun:
                count = read(_pipe[0], <char*> _buffer.buf + end, begun - end)
            else:
                count = recv(self.number, <char*> _buffer.buf + end, whole - end, MSG_DONTWAIT)
            if count <= 0:
                self.transport.take_end(errno if count < 0 else EPROTO)
                return 0
            end += count
        self.peer.write(PyBytes_FromStringAndSize(<const char*> _buffer.buf, whole))
        return 0


cdef int _pipe[2]
_pipe[0] = _pipe[1] = -1


cdef bint _has_pipe() noexcept:
    """Whether there is a pipe to move bytes through: one for all, as it is empty in between."""
    if _pipe[0] < 0 and pipe2(_pipe, O_CLOEXEC | O_NONBLOCK) == 0:
        fcntl(_pipe[1], F_SETPIPE_SZ, ROOM)
    return _pipe[0] >= 0
