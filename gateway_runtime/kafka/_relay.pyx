# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""`Row` of row.py in C; and what passes requests and responses of a connection on that nothing looks into."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.ref cimport Py_INCREF, Py_XDECREF, PyObject
from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from gateway_runtime.protocols.kafka._codec cimport pass_fields

from gateway_runtime.protocols.kafka.errors import KafkaFormatError

cdef enum:
    KEYS = 256
    PRODUCE = 0
    COMPACT_PRODUCE = 9
    PRODUCE_BY_ID = 13
    ID = 16
    MANY_KNOWN = 16
    BEFORE_ERRORS = 30
    PREFIX = 4
    LEAST_REQUEST = 10
    LEAST_RESPONSE = 4
    LARGEST_RESPONSE = 1073741824
    PASSED = 0
    READ = 1
    READ_IF_TAGGED = 2


cdef double PATIENCE = 0.05
"""Seconds after which what was used is paid for, however little it is."""


cdef inline int16_t int16_at(const uint8_t* data) noexcept:
    return <int16_t> (<uint32_t> data[0] << 8 | data[1])


cdef Py_ssize_t varint_at(const uint8_t* data, Py_ssize_t* at, Py_ssize_t end) noexcept:
    """An unsigned varint of at most 28 bits; negative where there is none. Moves `at` behind it."""
    cdef Py_ssize_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while shift < 28 and at[0] < end:
        byte = data[at[0]]
        at[0] += 1
        value |= <Py_ssize_t> (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
    return -1


cdef bint is_zero_at(const uint8_t* data, Py_ssize_t* at, Py_ssize_t end) noexcept:
    """Whether there is a byte, and it is 0: no tags, or null. Moves `at` behind it."""
    at[0] += 1
    return at[0] <= end and data[at[0] - 1] == 0


cdef bint is_without_errors(const uint8_t* data, Py_ssize_t at, Py_ssize_t end) noexcept:
    """Whether a response to Produce (13 and later) says of each partition that all is well, and nothing more."""
    cdef Py_ssize_t topics, partitions
    if not is_zero_at(data, &at, end):
        return False
    topics = varint_at(data, &at, end) - 1
    while topics > 0:
        topics -= 1
        at += ID
        partitions = varint_at(data, &at, end) - 1
        if partitions < 0:
            return False
        while partitions > 0:
            partitions -= 1
            # index, error code, base offset, time and first offset; no errors of records, no message, no tags
            if at + BEFORE_ERRORS + 3 > end or data[at + 4] != 0 or data[at + 5] != 0:
                return False
            at += BEFORE_ERRORS
            if data[at] != 1 or data[at + 1] != 0 or data[at + 2] != 0:
                return False
            at += 3
        if not is_zero_at(data, &at, end):
            return False
    at += 4
    return topics == 0 and is_zero_at(data, &at, end) and at == end


cdef double now() noexcept:
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec + time.tv_nsec * 1e-9


cdef class Row:
    """See row.py."""

    def __cinit__(self):
        self.room = 16
        self.head = self.count = 0
        self.ring = <Entry*> malloc(self.room * sizeof(Entry))
        if self.ring is NULL:
            raise MemoryError

    def __dealloc__(self):
        while self.ring is not NULL and self.count:
            self.drop()
        free(self.ring)

    def __len__(self):
        return self.count

    cdef Entry* at(self, Py_ssize_t index) noexcept:
        return self.ring + (self.head + index & self.room - 1)

    cdef Entry* add(self) except NULL:
        cdef Entry* wider
        cdef Py_ssize_t index
        if self.count == self.room:
            wider = <Entry*> malloc(2 * self.room * sizeof(Entry))
            if wider is NULL:
                raise MemoryError
            for index in range(self.count):
                wider[index] = self.at(index)[0]
            free(self.ring)
            self.ring = wider
            self.head = 0
            self.room *= 2
        self.count += 1
        return self.at(self.count - 1)

    cdef void drop(self) noexcept:
        Py_XDECREF(self.at(0).what)
        self.head = self.head + 1 & self.room - 1
        self.count -= 1

    def push(self, int key, int version, int correlation_id, object what=None, int size=0):
        """See row.py."""
        cdef Entry* entry = self.add()
        entry.size = size
        entry.key = key
        entry.version = version
        entry.correlation_id = correlation_id
        entry.what = NULL
        if what is not None:
            Py_INCREF(what)
            entry.what = <PyObject*> what

    def pop(self):
        """See row.py."""
        cdef Entry* entry
        if not self.count:
            raise IndexError("no request is awaited")
        entry = self.at(0)
        what = None if entry.what is NULL else <object> entry.what
        found = (entry.key, entry.version, entry.correlation_id, what, entry.size)
        self.drop()
        return found

    def first(self):
        """See row.py."""
        if not self.count or self.at(0).what is NULL:
            return None
        return <object> self.at(0).what


cdef class Offer:
    """What relays of one API have to know of the versions that its clients are offered."""

    def __init__(self, dict offered, dict handling, dict flexible, dict plans):
        """`offered`: lowest and highest version by API key. `handling`: by API key whether a response is passed.

        `flexible`: by API key the first versions whose request and response headers have tags; `plans`: by key
        and version the plans of responses that are passed only without tags.
        """
        cdef int key
        self.plans = {number << 16 | version: plan for (number, version), plan in plans.items()}
        for key in range(KEYS):
            self.lowest[key], self.highest[key] = offered.get(key, (1, 0))
            self.request_flexible[key], self.response_flexible[key] = flexible.get(key, (0x7FFF, 0x7FFF))
            self.handling[key] = handling.get(key, PASSED)


cdef class Relay:
    """Finds in what was read the requests, or the responses, at its front that go on as they are.

    What it does not pass (another key, a version that was not offered, a response with addresses, bytes that
    mean nothing) is left to the mediator with which it shares `row`, and which would have done the same
    with what it does pass. It does nothing while it is not `is_open`.

    Where a session is inspected it passes only requests to Produce, to topics that it was told of by their
    ids, and responses to those without an error, for as long as what they use is below `free`.
    """

    def __init__(self, Row row, Offer offer):
        self.row = row
        self.offer = offer
        self.is_open = False
        self.frame_limit = self.most = 0
        self.requests = self.request_bytes = self.response_bytes = 0
        self.is_inspected = self.is_metered = False
        self.known_count = self.known_next = 0
        self.free_requests = self.free_bytes = 0
        self.used_requests = self.used_received = self.used_sent = 0
        self.used_since = 0

    def limit(self, Py_ssize_t frame_limit, Py_ssize_t most):
        """Pass no frame that is longer, and no request where so many responses are awaited."""
        self.frame_limit = frame_limit
        self.most = most

    def inspect(self, object free):
        """Pass only what is known to need no change; `free`: requests and bytes between two calls of `used`.

        None: nothing is metered.
        """
        self.is_inspected = True
        self.is_metered = free is not None
        if free is not None:
            self.free_requests, self.free_bytes = free

    def know(self, bytes topic):
        """Records go to the topic of this id unchanged, for the rest of the session; the last 16 are known."""
        if len(topic) != ID or self.is_known(topic):
            return
        memcpy(self.known[self.known_next], <const uint8_t*> topic, ID)
        self.known_next = (self.known_next + 1) % MANY_KNOWN
        self.known_count = min(self.known_count + 1, MANY_KNOWN)

    def used(self):
        """Requests, their bytes and those of responses that were passed since, and were not paid for."""
        found = self.used_requests, self.used_received, self.used_sent
        self.used_requests = self.used_received = self.used_sent = 0
        self.used_since = now() if self.is_metered else 0
        return found

    def take(self):
        """Requests, their bytes and those of responses that were passed since this was asked last."""
        taken = self.requests, self.request_bytes, self.response_bytes
        self.requests = self.request_bytes = self.response_bytes = 0
        return taken

    def take_requests(self, object data):
        """How many bytes at the front of `data` are requests that are passed."""
        return _through(self, data, True)

    def take_responses(self, object data):
        """How many bytes at the front of `data` are responses that are passed."""
        return _through(self, data, False)

    cdef bint is_full(self) noexcept:
        return self.row.count >= self.most

    cdef Py_ssize_t pass_requests(self, const uint8_t* data, Py_ssize_t filled) except -1:
        cdef Py_ssize_t first = 0, size
        cdef const uint8_t* frame
        while filled - first >= PREFIX + LEAST_REQUEST:
            frame = data + first
            size = <Py_ssize_t> int32_at(frame) + PREFIX
            if size > filled - first or not self.pass_request(frame, size, size):
                break
            first += size
        return first

    cdef bint pass_request(self, const uint8_t* frame, Py_ssize_t seen, Py_ssize_t size) except -1:
        """Whether a request of `size` bytes goes on as it is, told by the `seen` bytes at its front; it counts then."""
        cdef int has_acks
        cdef Entry* entry
        if not self.is_open or self.row.count >= self.most or not PREFIX + LEAST_REQUEST <= size <= self.frame_limit:
            return False
        has_acks = self.judge(frame, seen, size)
        if has_acks < 0:
            return False
        if has_acks:
            entry = self.row.add()
            entry.key = int16_at(frame + 4)
            entry.version = int16_at(frame + 6)
            entry.correlation_id = int32_at(frame + 8)
            entry.size = size
            entry.what = NULL
        self.requests += 1
        self.request_bytes += size
        return True

    cdef int judge(self, const uint8_t* frame, Py_ssize_t seen, Py_ssize_t size) noexcept:
        """Whether a request has a response; negative for one that is not passed."""
        cdef int key = int16_at(frame + 4)
        cdef int version = int16_at(frame + 6)
        cdef Py_ssize_t at
        if not 0 <= key < KEYS or not self.offer.lowest[key] <= version <= self.offer.highest[key]:
            return -1
        at = self.body(frame, seen, key, version)
        if at < 0:
            return -1
        if self.is_inspected and not (
            seen == size and key == PRODUCE and version >= PRODUCE_BY_ID and self.is_allowed(frame, at, size)
        ):
            return -1
        return self.answered(frame, at, seen, key, version)

    cdef Py_ssize_t body(self, const uint8_t* frame, Py_ssize_t size, int key, int version) noexcept:
        """Where the message begins; negative where the header is none, or one with tags."""
        cdef Py_ssize_t at = 14
        cdef int length = int16_at(frame + 12)
        if length > 0:
            at += length
        if version >= self.offer.request_flexible[key]:
            if at >= size or frame[at] != 0:
                return -1
            at += 1
        return -1 if at > size else at

    cdef int answered(self, const uint8_t* frame, Py_ssize_t at, Py_ssize_t size, int key, int version) noexcept:
        """Whether a request has a response; negative for one that cannot be read so easily."""
        cdef int length
        if key != PRODUCE:
            return 1
        if version >= COMPACT_PRODUCE:
            if at >= size or frame[at] > 0x7F:
                return -1
            at += 1 if frame[at] == 0 else frame[at]
        else:
            if at + 2 > size:
                return -1
            length = int16_at(frame + at)
            at += 2 + (length if length > 0 else 0)
        if at + 2 > size:
            return -1
        return frame[at] != 0 or frame[at + 1] != 0

    cdef bint is_known(self, const uint8_t* topic) noexcept:
        cdef int index
        for index in range(self.known_count):
            if memcmp(self.known[index], topic, ID) == 0:
                return True
        return False

    cdef bint is_allowed(self, const uint8_t* frame, Py_ssize_t at, Py_ssize_t size) noexcept:
        """Whether a request to Produce is of no transaction, is answered, and all of its topics are known."""
        cdef Py_ssize_t topics, partitions, records
        if not is_zero_at(frame, &at, size) or at + 6 > size or int16_at(frame + at) == 0:
            return False
        at += 6
        topics = varint_at(frame, &at, size) - 1
        while topics > 0:
            topics -= 1
            if at + ID > size or not self.is_known(frame + at):
                return False
            at += ID
            partitions = varint_at(frame, &at, size) - 1
            if partitions < 0:
                return False
            while partitions > 0:
                partitions -= 1
                at += 4
                records = varint_at(frame, &at, size) - 1
                if records < 0 or records > size - at:
                    return False
                at += records
                if not is_zero_at(frame, &at, size):
                    return False
            if not is_zero_at(frame, &at, size):
                return False
        return topics == 0 and is_zero_at(frame, &at, size) and at == size

    cdef bint is_free(self, Py_ssize_t received, Py_ssize_t sent) noexcept:
        """Count what a request and its response use, unless it is time to pay."""
        if not self.is_metered:
            return True
        if (
            self.used_requests + 1 > self.free_requests
            or self.used_received + received > self.free_bytes
            or self.used_sent + sent > self.free_bytes
            or now() - self.used_since > PATIENCE
        ):
            return False
        self.used_requests += 1
        self.used_received += received
        self.used_sent += sent
        return True

    cdef Py_ssize_t pass_responses(self, const uint8_t* data, Py_ssize_t filled) except -1:
        cdef Py_ssize_t first = 0, size
        cdef const uint8_t* frame
        cdef Entry* entry
        while self.is_open and filled - first >= PREFIX + LEAST_RESPONSE and self.row.count:
            frame = data + first
            size = <Py_ssize_t> int32_at(frame) + PREFIX
            if not PREFIX + LEAST_RESPONSE <= size <= filled - first or size > LARGEST_RESPONSE:
                break
            entry = self.row.at(0)
            if entry.what is not NULL or entry.correlation_id != int32_at(frame + 4):
                break
            if self.row.count > 1 and self.row.at(1).what is not NULL:
                break
            if not self.is_passed(entry, frame, size):
                break
            self.row.drop()
            self.response_bytes += size
            first += size
        return first

    cdef bint is_passed(self, Entry* entry, const uint8_t* frame, Py_ssize_t size) except -1:
        """Whether a response goes on as it is."""
        cdef int handling = self.offer.handling[entry.key & KEYS - 1]
        cdef bint is_well = False
        if entry.key == PRODUCE and entry.version >= PRODUCE_BY_ID:
            is_well = is_without_errors(frame, PREFIX + LEAST_RESPONSE, size)
        if self.is_inspected:
            return is_well and self.is_free(entry.size, size)
        if is_well or handling == PASSED:
            return True
        return handling == READ_IF_TAGGED and not self.has_tags(entry, frame, size)

    cdef bint has_tags(self, Entry* entry, const uint8_t* data, Py_ssize_t end) except -1:
        cdef Py_ssize_t at = PREFIX + LEAST_RESPONSE
        plan = self.offer.plans.get(entry.key << 16 | entry.version)
        if plan is None:
            return False
        if entry.version >= self.offer.response_flexible[entry.key]:
            if at >= end or data[at] != 0:
                return True
            at += 1
        try:
            at = pass_fields(plan, data, at, end)
        except KafkaFormatError:
            return True
        return at >= end or data[at] != 0


cdef object _through(Relay relay, object data, bint are_requests):
    cdef Py_buffer buffer
    PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE)
    try:
        if are_requests:
            return relay.pass_requests(<const uint8_t*> buffer.buf, buffer.len)
        return relay.pass_responses(<const uint8_t*> buffer.buf, buffer.len)
    finally:
        PyBuffer_Release(&buffer)
