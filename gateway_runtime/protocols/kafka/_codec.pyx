# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""`decode` and `encode` of codec.py in C. Keep both in step."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_FromStringAndSize, PyBytes_GET_SIZE, PyBytes_AS_STRING
from cpython.list cimport PyList_GET_SIZE
from cpython.ref cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

from gateway_runtime.protocols.kafka.codec import INLINE as _INLINE, MAX_ELEMENTS as _MAX_ELEMENTS, TAGGED
from gateway_runtime.protocols.kafka.errors import KafkaFormatError

cdef extern from "Python.h":
    PyObject* PyList_GET_ITEM(object, Py_ssize_t)
    Py_ssize_t Py_REFCNT(PyObject*)

cdef enum:
    BOOL = 0
    INT8 = 1
    INT16 = 2
    UINT16 = 3
    INT32 = 4
    UINT32 = 5
    INT64 = 6
    FLOAT64 = 7
    UUID = 8
    STRING = 9
    COMPACT_STRING = 10
    BYTES = 11
    COMPACT_BYTES = 12
    STRUCT = 13
    NULLABLE_STRUCT = 14
    ARRAY = 15
    COMPACT_ARRAY = 16
    MAX_TAGS = 1024
    MAX_CLIENT_ID = 4096
    MAX_HEADER_TAGS = 64

cdef Py_ssize_t INLINE = _INLINE
cdef Py_ssize_t MAX_ELEMENTS = _MAX_ELEMENTS
cdef str _TAGGED = TAGGED


cdef class _Field:
    """A field of a plan, with its numbers as C has them."""

    cdef str name
    cdef int kind, element, tag
    cdef bint is_nullable
    cdef object empty
    cdef _Struct struct


cdef class _Struct:
    cdef list fields, tagged
    cdef bint is_flexible


cdef dict _structs = {}
"""By the identity of their plans, which are kept by their layouts and so live on."""
cdef list _plans = []


cdef _Struct _known(object plan):
    found = _structs.get(id(plan))
    if found is None:
        found = _structs[id(plan)] = _make(plan)
        _plans.append(plan)
    return <_Struct> found


cdef _Struct _make(object plan):
    cdef _Struct made = _Struct.__new__(_Struct)
    made.fields = [_field(one) for one in plan.fields]
    made.tagged = [_field(one) for one in plan.tagged]
    made.is_flexible = plan.is_flexible
    return made


cdef _Field _field(object plan):
    cdef _Field made = _Field.__new__(_Field)
    made.name = plan.name
    made.kind = plan.kind
    made.element = plan.element
    made.tag = plan.tag
    made.is_nullable = plan.is_nullable
    made.empty = plan.empty
    made.struct = None if plan.struct is None else _make(plan.struct)
    return made


cdef class _Reader:
    """Reads one message from the front of a buffer that it holds."""

    cdef Py_buffer buffer
    cdef object view
    cdef const uint8_t* data
    cdef Py_ssize_t at, end, elements
    cdef bint is_held

    def __cinit__(self):
        self.is_held = False

    def __dealloc__(self):
        if self.is_held:
            PyBuffer_Release(&self.buffer)

    cdef int open(self, object data, Py_ssize_t position) except -1:
        self.view = data if type(data) is memoryview else memoryview(data)
        PyObject_GetBuffer(self.view, &self.buffer, PyBUF_SIMPLE)
        self.is_held = True
        self.data = <const uint8_t*> self.buffer.buf
        self.at = position
        self.end = self.buffer.len
        self.elements = 0
        if not 0 <= position <= self.end:
            raise KafkaFormatError("a message begins behind its frame")
        return 0

    cdef int need(self, Py_ssize_t count) except -1:
        if count < 0 or count > self.end - self.at:
            raise KafkaFormatError(f"{count} bytes at {self.at}, where {self.end - self.at} are left")
        return 0

    cdef uint64_t number(self, int size) except? 0xFFFFFFFFFFFFFFFF:
        cdef uint64_t value = 0
        cdef int index
        self.need(size)
        for index in range(size):
            value = value << 8 | self.data[self.at + index]
        self.at += size
        return value

    cdef int64_t varint(self) except -1:
        cdef uint64_t value = 0
        cdef uint8_t byte
        cdef int shift = 0
        while shift < 35:
            self.need(1)
            byte = self.data[self.at]
            self.at += 1
            value |= <uint64_t> (byte & 0x7F) << shift
            if byte < 0x80:
                if value > 0xFFFFFFFF:
                    break
                return <int64_t> value
            shift += 7
        raise KafkaFormatError(f"a varint of more than 32 bits before {self.at}")

    cdef object fixed(self, int kind):
        cdef uint64_t raw
        cdef double real
        if kind == INT32:
            return <int32_t> self.number(4)
        if kind == INT64:
            return <int64_t> self.number(8)
        if kind == INT16:
            return <int16_t> self.number(2)
        if kind == INT8:
            return <int8_t> self.number(1)
        if kind == BOOL:
            return self.number(1) != 0
        if kind == UINT16:
            return <uint16_t> self.number(2)
        if kind == UINT32:
            return <uint32_t> self.number(4)
        raw = self.number(8)
        memcpy(&real, &raw, 8)
        return real

    cdef object value(self, int kind, _Field field):
        cdef Py_ssize_t length, begin
        if kind <= FLOAT64:
            return self.fixed(kind)
        if kind == STRUCT:
            return self.fields(field.struct)
        if kind == UUID:
            self.need(16)
            self.at += 16
            return PyBytes_FromStringAndSize(<const char*> self.data + self.at - 16, 16)
        if kind == NULLABLE_STRUCT:
            return None if <int8_t> self.number(1) < 0 else self.fields(field.struct)
        if kind == STRING:
            length = <int16_t> self.number(2)
        elif kind == BYTES or kind == ARRAY:
            length = <int32_t> self.number(4)
        else:
            length = self.varint() - 1
        if length < 0:
            if length < -1 or not field.is_nullable:
                raise KafkaFormatError(f"{field.name} is null or has a negative length")
            return None
        if kind == ARRAY or kind == COMPACT_ARRAY:
            return self.array(length, field)
        self.need(length)
        begin = self.at
        self.at += length
        if kind == BYTES or kind == COMPACT_BYTES:
            return self.view[begin : begin + length]
        try:
            return PyUnicode_DecodeUTF8(<const char*> self.data + begin, length, NULL)
        except UnicodeDecodeError as error:
            raise KafkaFormatError(f"{field.name} is no UTF-8") from error

    cdef list array(self, Py_ssize_t count, _Field field):
        cdef list found = []
        cdef Py_ssize_t index
        self.elements += count
        if count > self.end - self.at or self.elements > MAX_ELEMENTS:
            raise KafkaFormatError(f"{field.name} has {count} elements, more than can be")
        for index in range(count):
            found.append(self.value(field.element, field))
        return found

    cdef dict fields(self, _Struct plan):
        cdef dict found = {}
        cdef _Field field
        for field in plan.fields:
            found[field.name] = self.value(field.kind, field)
        if plan.is_flexible:
            self.tags(plan, found)
        return found

    cdef int tags(self, _Struct plan, dict found) except -1:
        cdef int64_t count, tag, last = -1, index
        cdef Py_ssize_t size
        cdef _Field field, known
        self.need(1)
        if self.data[self.at] == 0:
            self.at += 1
            return 0
        count = self.varint()
        if count > MAX_TAGS:
            raise KafkaFormatError(f"{count} tagged fields")
        for index in range(count):
            tag = self.varint()
            size = self.varint()
            if tag <= last:
                raise KafkaFormatError(f"the tag {tag} follows {last}")
            last = tag
            self.need(size)
            known = None
            for field in plan.tagged:
                if field.tag == tag:
                    known = field
                    break
            if known is None:
                data = PyBytes_FromStringAndSize(<const char*> self.data + self.at, size)
                found.setdefault(_TAGGED, []).append((tag, data))
                self.at += size
            else:
                self.tagged(known, found, size)
        return 0

    cdef int tagged(self, _Field field, dict found, Py_ssize_t size) except -1:
        cdef Py_ssize_t whole = self.end
        cdef Py_ssize_t end = self.at + size
        self.end = end
        found[field.name] = self.value(field.kind, field)
        if self.at != end:
            raise KafkaFormatError(f"{field.name} is shorter than its tag says")
        self.end = whole
        return 0


    cdef int pass_over(self, int kind, _Field field) except -1:
        """Pass a value, and make nothing of it."""
        cdef Py_ssize_t length, index
        if kind <= FLOAT64:
            length = SIZES[kind]
            self.need(length)
            self.at += length
            return 0
        if kind == STRUCT:
            return self.pass_struct(field.struct)
        if kind == UUID:
            self.need(16)
            self.at += 16
            return 0
        if kind == NULLABLE_STRUCT:
            return 0 if <int8_t> self.number(1) < 0 else self.pass_struct(field.struct)
        if kind == STRING:
            length = <int16_t> self.number(2)
        elif kind == BYTES or kind == ARRAY:
            length = <int32_t> self.number(4)
        else:
            length = self.varint() - 1
        if length < 0:
            return 0
        self.need(length)
        if kind != ARRAY and kind != COMPACT_ARRAY:
            self.at += length
            return 0
        for index in range(length):
            self.pass_over(field.element, field)
        return 0

    cdef int pass_in_order(self, _Struct plan) except -1:
        """Pass the fields that are not tagged."""
        cdef _Field field
        for field in plan.fields:
            self.pass_over(field.kind, field)
        return 0

    cdef int pass_struct(self, _Struct plan) except -1:
        self.pass_in_order(plan)
        if plan.is_flexible:
            self.pass_tags(MAX_TAGS)
        return 0

    cdef int pass_tags(self, int64_t most) except -1:
        cdef int64_t count, index
        cdef Py_ssize_t size
        count = self.varint()
        if count > most:
            raise KafkaFormatError(f"{count} tagged fields")
        for index in range(count):
            self.varint()
            size = self.varint()
            self.need(size)
            self.at += size
        return 0


cdef int SIZES[8]
SIZES[:] = [1, 1, 2, 2, 4, 4, 8, 8]


def behind_fields(plan, data, Py_ssize_t position):
    """See codec.py."""
    cdef _Reader reader = _Reader.__new__(_Reader)
    reader.open(data, position)
    reader.pass_in_order(_known(plan))
    return reader.at


cdef Py_ssize_t pass_fields(object plan, const uint8_t* data, Py_ssize_t at, Py_ssize_t end) except -1:
    """As `behind_fields`."""
    cdef _Reader reader = _Reader.__new__(_Reader)
    reader.data = data
    reader.at = at
    reader.end = end
    reader.pass_in_order(_known(plan))
    return reader.at


def behind_tags(data, Py_ssize_t position):
    """See codec.py."""
    cdef _Reader reader = _Reader.__new__(_Reader)
    reader.open(data, position)
    reader.pass_tags(MAX_HEADER_TAGS)
    return reader.at


def request_header(data, dict flexible_from):
    """See codec.py."""
    cdef _Reader reader = _Reader.__new__(_Reader)
    cdef int key, version
    cdef Py_ssize_t length, begin
    reader.open(data, 4)
    key = <int16_t> reader.number(2)
    version = <int16_t> reader.number(2)
    correlation = <int32_t> reader.number(4)
    length = <int16_t> reader.number(2)
    if length < -1 or length > MAX_CLIENT_ID:
        raise KafkaFormatError("a client id of impossible length")
    begin = reader.at
    if length < 0:
        length = 0
    reader.need(length)
    reader.at += length
    try:
        client_id = PyUnicode_DecodeUTF8(<const char*> reader.data + begin, length, NULL)
    except UnicodeDecodeError:
        raise KafkaFormatError("a client id that is no UTF-8") from None
    first = flexible_from.get(key)
    if first is not None and version >= <int> first:
        reader.pass_tags(MAX_HEADER_TAGS)
    return key, version, correlation, client_id, reader.at


def decode(plan, data, Py_ssize_t position):
    """See codec.py."""
    cdef _Reader reader = _Reader.__new__(_Reader)
    reader.open(data, position)
    return reader.fields(_known(plan)), reader.at


cdef class _Writer:
    """Writes one message: short values into one buffer, long ones as they are behind it."""

    cdef uint8_t* data
    cdef Py_ssize_t size, room
    cdef list done

    def __cinit__(self):
        self.size = 0
        self.room = 512
        self.data = <uint8_t*> malloc(self.room)
        self.done = []
        if self.data == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.data)

    cdef uint8_t* grow(self, Py_ssize_t count) except NULL:
        """Where `count` bytes more can be written; counts them as written."""
        cdef uint8_t* moved
        cdef uint8_t* place
        if self.size + count > self.room:
            self.room = (self.size + count) * 2
            moved = <uint8_t*> realloc(self.data, self.room)
            if moved == NULL:
                raise MemoryError()
            self.data = moved
        place = self.data + self.size
        self.size += count
        return place

    cdef bytes taken(self):
        return PyBytes_FromStringAndSize(<const char*> self.data, self.size)

    cdef list finish(self):
        if self.size or not self.done:
            self.done.append(self.taken())
        return self.done

    cdef int varint(self, uint64_t value) except -1:
        while value > 0x7F:
            self.grow(1)[0] = <uint8_t> (value & 0x7F | 0x80)
            value >>= 7
        self.grow(1)[0] = <uint8_t> value
        return 0

    cdef int number(self, int64_t value, int size) except -1:
        cdef uint8_t* place = self.grow(size)
        cdef int index
        for index in range(size):
            place[size - 1 - index] = <uint8_t> (value >> (8 * index) & 0xFF)
        return 0

    cdef int fixed(self, int kind, object value) except -1:
        cdef double real
        cdef int64_t raw
        if kind == INT32:
            return self.number(<int32_t> value, 4)
        if kind == INT64:
            return self.number(<int64_t> value, 8)
        if kind == INT16:
            return self.number(<int16_t> value, 2)
        if kind == INT8:
            return self.number(<int8_t> value, 1)
        if kind == BOOL:
            return self.number(1 if value else 0, 1)
        if kind == UINT16:
            return self.number(<uint16_t> value, 2)
        if kind == UINT32:
            return self.number(<uint32_t> value, 4)
        real = value
        memcpy(&raw, &real, 8)
        return self.number(raw, 8)

    cdef int length(self, int kind, Py_ssize_t count) except -1:
        if kind == STRING:
            if count > 0x7FFF:
                raise OverflowError("a string is too long")
            return self.number(count, 2)
        if kind == BYTES or kind == ARRAY:
            return self.number(count, 4)
        return self.varint(count + 1)

    cdef int raw(self, const uint8_t* data, Py_ssize_t count) except -1:
        memcpy(self.grow(count), data, count)
        return 0

    cdef int value(self, int kind, _Field field, object value) except -1:
        cdef bytes text
        if kind <= FLOAT64:
            return self.fixed(kind, value)
        if kind == STRUCT:
            return self.fields(field.struct, value)
        if kind == UUID:
            text = value
            if PyBytes_GET_SIZE(text) != 16:
                raise ValueError("a UUID has 16 bytes")
            return self.raw(<const uint8_t*> PyBytes_AS_STRING(text), 16)
        if kind == NULLABLE_STRUCT:
            self.number(-1 if value is None else 1, 1)
            return 0 if value is None else self.fields(field.struct, value)
        if value is None:
            return self.length(kind, -1)
        if kind == STRING or kind == COMPACT_STRING:
            text = (<str> value).encode()
            self.length(kind, PyBytes_GET_SIZE(text))
            return self.raw(<const uint8_t*> PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        if kind == ARRAY or kind == COMPACT_ARRAY:
            self.length(kind, len(value))
            for item in value:
                self.value(field.element, field, item)
            return 0
        return self.blob(kind, value)

    cdef int blob(self, int kind, object value) except -1:
        cdef Py_buffer buffer
        PyObject_GetBuffer(value, &buffer, PyBUF_SIMPLE)
        try:
            self.length(kind, buffer.len)
            if buffer.len > INLINE:
                self.done.append(self.taken())
                self.done.append(value if type(value) is memoryview else memoryview(value))
                self.size = 0
            else:
                self.raw(<const uint8_t*> buffer.buf, buffer.len)
        finally:
            PyBuffer_Release(&buffer)
        return 0

    cdef int fields(self, _Struct plan, dict message) except -1:
        cdef _Field field
        for field in plan.fields:
            self.value(field.kind, field, message.get(field.name, field.empty))
        if plan.is_flexible:
            self.tags(plan, message)
        return 0

    cdef int tags(self, _Struct plan, dict message) except -1:
        cdef _Field field
        cdef _Writer inner
        cdef list found
        cdef bytes data
        if not plan.tagged and _TAGGED not in message:
            return self.number(0, 1)
        found = list(message.get(_TAGGED, ()))
        for field in plan.tagged:
            value = message.get(field.name, field.empty)
            if value is not field.empty and value != field.empty:
                inner = _Writer()
                inner.value(field.kind, field, value)
                found.append((field.tag, b"".join(inner.finish())))
        self.varint(len(found))
        for tag, data in sorted(found):
            self.varint(tag)
            self.varint(PyBytes_GET_SIZE(data))
            self.raw(<const uint8_t*> PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        return 0


def encode(plan, dict message):
    """See codec.py."""
    cdef _Writer writer = _Writer()
    writer.fields(_known(plan), message)
    return writer.finish()


cdef enum:
    SMALL = 262144
    MANY_SMALL = 16
    LARGE = 2097152
    MANY_LARGE = 8

cdef list _small = []
cdef list _large = []


cdef object _pooled(list pool, Py_ssize_t most, Py_ssize_t whole, Py_ssize_t size):
    cdef Py_ssize_t index
    for index in range(PyList_GET_SIZE(pool)):
        if Py_REFCNT(PyList_GET_ITEM(pool, index)) == 1:  # nothing but the pool has it
            return memoryview(<object> PyList_GET_ITEM(pool, index))[:size]
    if PyList_GET_SIZE(pool) >= most:
        return PyByteArray_FromStringAndSize(NULL, size)
    made = PyByteArray_FromStringAndSize(NULL, whole)
    pool.append(made)
    return memoryview(made)[:size]


def room(Py_ssize_t size):
    """See codec.py; what is in it is whatever was there.

    What passes through is kept and used again: the kernel would clear new pages each time.
    """
    if size == SMALL:
        return _pooled(_small, MANY_SMALL, SMALL, size)
    if SMALL < size <= LARGE:
        return _pooled(_large, MANY_LARGE, LARGE, size)
    return PyByteArray_FromStringAndSize(NULL, size)
