"""What other modules in C use of `_codec.pyx`."""

from libc.stdint cimport uint8_t

cdef Py_ssize_t pass_fields(object plan, const uint8_t* data, Py_ssize_t at, Py_ssize_t end) except -1
