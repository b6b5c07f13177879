# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The short way through a plain socket: what a relay passes goes from one socket to the other in one call each.

All else takes the long way, through transport and protocol, which is what `plain_transport.py` does alone.
"""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.list cimport PyList_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t

from gateway_runtime.kafka._relay cimport Relay

from gateway_runtime.connections.rooms import next_room, shared as _shared

cdef extern from "sys/socket.h" nogil:
    enum:
        MSG_DONTWAIT
        MSG_NOSIGNAL
    ssize_t recv(int, void*, size_t, int)
    ssize_t send(int, const void*, size_t, int)

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
    cdef bint is_client, is_partial
    cdef public bint is_clear

    def __init__(self, int number, object transport):
        self.number = number
        self.transport = transport
        self.is_clear = True

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
        cdef ssize_t count
        cdef Py_ssize_t end
        if self.relay is None:
            self.transport.read_once()
            return
        if self.is_partial or not self.relay.is_open:
            self.transport.read_once()
            if self.relay is not None:
                self.is_partial = self.protocol.is_amid_frame()
            return
        _hold_room()
        count = recv(self.number, _buffer.buf, _buffer.len, MSG_DONTWAIT)
        if count <= 0:
            self.ended(count)
            return
        if self.is_client:
            end = self.relay.pass_requests(<const uint8_t*> _buffer.buf, 0, count)
        else:
            end = self.relay.pass_responses(<const uint8_t*> _buffer.buf, 0, count)
        if end:
            self.write(end)
        if end < count and self.relay is not None:
            self.is_partial = self.transport.take_rest(end, count - end)
        elif self.is_client and self.relay is not None and self.relay.is_full():
            self.protocol.settle()

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
