"""What the lanes of connections use of `_relay.pyx`."""

from cpython.ref cimport PyObject
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint32_t

cdef inline int32_t int32_at(const uint8_t* data) noexcept:
    return <int32_t> (<uint32_t> data[0] << 24 | <uint32_t> data[1] << 16 | <uint32_t> data[2] << 8 | data[3])


cdef struct Entry:
    PyObject* what
    int32_t correlation_id
    int32_t size
    int16_t key
    int16_t version


cdef class Row:
    cdef Entry* ring
    cdef Py_ssize_t room, head, count

    cdef Entry* at(self, Py_ssize_t index) noexcept
    cdef Entry* add(self) except NULL
    cdef void drop(self) noexcept


cdef class Offer:
    cdef dict plans
    cdef int16_t lowest[256]
    cdef int16_t highest[256]
    cdef int16_t request_flexible[256]
    cdef int16_t response_flexible[256]
    cdef uint8_t handling[256]


cdef class Relay:
    cdef Row row
    cdef Offer offer
    cdef Py_ssize_t frame_limit, most
    cdef int64_t requests, request_bytes, response_bytes
    cdef bint is_inspected, is_metered
    cdef uint8_t known[16][16]
    cdef int known_count, known_next
    cdef int64_t free_requests, free_bytes, used_requests, used_received, used_sent
    cdef double used_since
    cdef public bint is_open

    cdef Py_ssize_t pass_requests(self, const uint8_t* data, Py_ssize_t filled) except -1
    cdef Py_ssize_t pass_responses(self, const uint8_t* data, Py_ssize_t filled) except -1
    cdef bint pass_request(self, const uint8_t* frame, Py_ssize_t seen, Py_ssize_t size) except -1
    cdef int judge(self, const uint8_t* frame, Py_ssize_t seen, Py_ssize_t size) noexcept
    cdef bint is_full(self) noexcept
    cdef Py_ssize_t body(self, const uint8_t* frame, Py_ssize_t size, int key, int version) noexcept
    cdef int answered(self, const uint8_t* frame, Py_ssize_t at, Py_ssize_t size, int key, int version) noexcept
    cdef bint is_known(self, const uint8_t* topic) noexcept
    cdef bint is_allowed(self, const uint8_t* frame, Py_ssize_t at, Py_ssize_t size) noexcept
    cdef bint is_free(self, Py_ssize_t received, Py_ssize_t sent) noexcept
    cdef bint is_passed(self, Entry* entry, const uint8_t* frame, Py_ssize_t size) except -1
    cdef bint has_tags(self, Entry* entry, const uint8_t* data, Py_ssize_t end) except -1
