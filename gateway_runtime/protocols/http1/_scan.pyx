# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""`scan_head`, `learn` and `scan_target` of scan.py in C, in one pass each. Keep both in step."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport PyObject
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memset

cdef enum:
    SLOTS = 1024
    MAX_NAMES = 512
    MAX_LENGTH = 64
    TOKEN = 1
    TEXT = 2
    TARGET = 4
    SLASH = 47
    DOT = 46
    MARK = 63
    PERCENT = 37
    COLON = 58
    CR = 13
    LF = 10

cdef unsigned char classes[256]
cdef uint32_t hashes[SLOTS]
cdef PyObject* raw_names[SLOTS]
cdef PyObject* lower_names[SLOTS]
cdef list alive = []
"""Holds the references that the two tables point to."""

memset(classes, 0, sizeof(classes))
memset(raw_names, 0, sizeof(raw_names))


cdef void fill_classes(bytes token, bytes target):
    cdef int code
    for code in range(256):
        if code == 9 or (code >= 32 and code != 127):
            classes[code] |= TEXT
    for code in bytearray(token):
        classes[code] |= TOKEN
    for code in bytearray(target):
        classes[code] |= TARGET


fill_classes(
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%[]{}|^",
)


cdef inline uint32_t mix(uint32_t state, unsigned char byte) noexcept nogil:
    return (state ^ byte) * <uint32_t>16777619


cdef inline Py_ssize_t slot_of(const unsigned char* name, Py_ssize_t length, uint32_t code) noexcept:
    """Where a name is in the tables, or would go."""
    cdef Py_ssize_t slot = code % SLOTS
    cdef PyObject* raw
    while raw_names[slot] != NULL:
        raw = raw_names[slot]
        if (
            hashes[slot] == code
            and PyBytes_GET_SIZE(<bytes>raw) == length
            and memcmp(PyBytes_AS_STRING(<bytes>raw), name, length) == 0
        ):
            return slot
        slot = (slot + 1) % SLOTS
    return slot


def learn(bytes name not None, lower):
    """Remember what `resolve` says of a name; nothing where the table is full or the name is long."""
    cdef const unsigned char* text = <const unsigned char*>PyBytes_AS_STRING(name)
    cdef Py_ssize_t length = PyBytes_GET_SIZE(name)
    cdef uint32_t code = <uint32_t>2166136261
    cdef Py_ssize_t index, slot
    if length > MAX_LENGTH or len(alive) >= MAX_NAMES:
        return
    for index in range(length):
        code = mix(code, text[index])
    slot = slot_of(text, length, code)
    if raw_names[slot] == NULL:
        alive.append((name, lower))
        hashes[slot] = code
        lower_names[slot] = <PyObject*>lower
        raw_names[slot] = <PyObject*>name


def scan_head(bytes head not None, resolve):
    """See scan.py."""
    cdef const unsigned char* text = <const unsigned char*>PyBytes_AS_STRING(head)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(head)
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t start, colon, slot
    cdef uint32_t code
    cdef list names = []
    cdef list lines = []
    cdef list kinds = []
    cdef list special = []
    while at < size and classes[text[at]] & TEXT:
        at += 1
    first = PyBytes_FromStringAndSize(<const char*>text, at)
    while at < size:
        if text[at] != CR or at + 1 >= size or text[at + 1] != LF:
            return None
        at += 2
        start = at
        code = <uint32_t>2166136261
        while at < size and classes[text[at]] & TOKEN:
            code = mix(code, text[at])
            at += 1
        if at == start or at >= size or text[at] != COLON:
            return None
        colon = at
        while at < size and classes[text[at]] & TEXT:
            at += 1
        line = PyBytes_FromStringAndSize(<const char*>text + start, at - start)
        slot = slot_of(text + start, colon - start, code)
        if raw_names[slot] != NULL:
            lower = <object>lower_names[slot]
        else:
            lower = resolve(PyBytes_FromStringAndSize(<const char*>text + start, colon - start))
        if type(lower) is int:
            kinds.append(lower)
            special.append(line)
        else:
            names.append(lower)
            lines.append(line)
    return first, names, lines, kinds, special


def scan_target(bytes target not None):
    """See scan.py."""
    cdef const unsigned char* text = <const unsigned char*>PyBytes_AS_STRING(target)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(target)
    cdef Py_ssize_t at
    cdef Py_ssize_t mark = 0
    cdef Py_ssize_t flags = 0
    cdef unsigned char byte
    cdef unsigned char before = 0
    for at in range(size):
        byte = text[at]
        if not classes[byte] & TARGET:
            return -1
        if byte == PERCENT:
            flags |= 1 if mark else 3
        elif mark == 0:
            if byte == MARK:
                mark = at + 1
            elif before == SLASH and (byte == SLASH or byte == DOT):
                flags |= 2
        before = byte
    return mark << 2 | flags
