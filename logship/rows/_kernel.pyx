# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The row kernel, compiled: finds the rows of a CRI block and encodes them, without an object a row.

A `Table` is the index of one block: where each row starts, where its text lies, its stream and tag.
Its columns look like the sequences of `Lines` and `Rows`, and become lists of Python values only
when somebody asks. Whatever is rare (a line that is not CRI, bytes that are not UTF-8) is left to
the pure twin, which is the reference: `scan` gives None for such a block.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.list cimport PyList_New, PyList_SET_ITEM
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *v, Py_ssize_t size) except NULL
    int _PyBytes_Resize(PyObject **v, Py_ssize_t size) except -1
    object PyUnicode_DecodeUTF8(const char *v, Py_ssize_t size, const char *errors)
    object PyUnicode_DecodeASCII(const char *v, Py_ssize_t size, const char *errors)

cdef extern from "_kernel.h" nogil:
    int cri_time(const char *at, long size, const char *known)
    long escape(char *out, const char *text, long size)
    void hex16(char *out, uint64_t value)

cdef extern from "_json.h" nogil:
    ctypedef struct Slice:
        const char *at
        long size
    ctypedef struct Special:
        int key
        int32_t value, value_end, member, member_end
    ctypedef struct Object:
        Special special[8]
        int specials
        int members
    ctypedef struct SpecialKeys:
        const Slice *keys
        int count
        const uint8_t *firsts
    int read_object(const char *text, long size, const SpecialKeys *known, Object *object)

cdef struct Row:
    int64_t start  # of its first line; its time stands there
    int64_t text  # in the block, or beyond its end: in `joined`
    int32_t size
    uint8_t time_size
    uint8_t stderr
    uint8_t partial

cdef enum:
    STARTS, OFFSETS, TIMES, STREAMS, TAGS, TEXTS

_KINDS = {
    "starts": STARTS, "offsets": OFFSETS, "times": TIMES, "streams": STREAMS, "tags": TAGS,
    "texts": TEXTS,
}
cdef tuple _STREAM = ("stdout", "stderr")
cdef tuple _TAG = ("F", "P")


def scan(bytes block not None):
    """The table of a block of whole CRI lines; None: a line of it needs the pure twin."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(block), room
    cdef Table table
    if size == 0 or size > 0x40000000 or block[size - 1] != 10:
        return None
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return None
    table = Table.__new__(Table)
    table.block = block
    if not table.fill(PyBytes_AS_STRING(block), size):
        return None
    return table


cdef class Table:
    """The index of a block: an array of rows, and the texts that were joined of several."""

    cdef Row *rows
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t longest_line
    cdef bytes block
    cdef bytes joined

    def __dealloc__(self):
        free(self.rows)

    cdef bint fill(self, const char *block, Py_ssize_t size) except -1:
        cdef Py_ssize_t room = size // 128 + 16, count = 0
        cdef const char *at = block
        cdef const char *end = block + size
        cdef const char *stop
        cdef const char *known = NULL
        cdef Row *rows = <Row *>malloc(room * sizeof(Row))
        cdef Row *row
        cdef int n
        if rows == NULL:
            raise MemoryError
        self.rows = rows
        while at < end:
            stop = <const char *>memchr(at, 10, end - at)
            n = cri_time(at, stop - at, known)
            # <time> <stdout|stderr> <P|F> <text>
            if n == 0 or stop - at < n + 10 or memcmp(at + n + 1, b"std", 3) != 0:
                return False
            if at[n + 7] != 32 or at[n + 9] != 32:
                return False
            if count == room:
                room *= 2
                rows = <Row *>realloc(rows, room * sizeof(Row))
                if rows == NULL:
                    raise MemoryError
                self.rows = rows
            row = &rows[count]
            if memcmp(at + n + 4, b"out", 3) == 0:
                row.stderr = 0
            elif memcmp(at + n + 4, b"err", 3) == 0:
                row.stderr = 1
            else:
                return False
            if at[n + 8] != 70 and at[n + 8] != 80:
                return False
            row.partial = at[n + 8] == 80
            row.start = at - block
            row.time_size = n
            row.text = row.start + n + 10
            row.size = <int32_t>(stop - at - n - 10)
            known = at
            self.longest_line = max(self.longest_line, stop - at)
            count += 1
            at = stop + 1
        self.count = count
        return True

    cdef const char *text_of(self, const Row *row) noexcept:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.block)
        if row.text <= size:
            return PyBytes_AS_STRING(self.block) + row.text
        return PyBytes_AS_STRING(self.joined) + (row.text - size - 1)

    def column(self, str name not None, int64_t base=0):
        """starts (one more than rows), offsets, times, streams, tags or texts."""
        cdef Column column = Column.__new__(Column)
        column.table, column.kind, column.base = self, _KINDS[name], base
        return column

    def ends_open(self):
        """Whether the last line of a stream is a part that another one may follow."""
        cdef Py_ssize_t n = self.count - 1
        cdef uint8_t last = self.rows[n].stderr
        if self.rows[n].partial:
            return True
        while n >= 0 and self.rows[n].stderr == last:
            n -= 1
        return n >= 0 and self.rows[n].partial != 0

    def survey(self):
        """(whether a text begins with a brace, rows that may have a glog prefix, longest text)."""
        cdef Py_ssize_t n
        cdef const Row *row
        cdef const char *text
        cdef bint brace = False
        cdef int32_t longest = 0
        glog = []
        for n in range(self.count):
            row = &self.rows[n]
            longest = max(longest, row.size)
            if row.size == 0:
                continue
            text = self.text_of(row)
            if text[0] == b"{":
                brace = True
            elif text[0] in b"DIWEF" and row.size > 20 and (text[1] == b"0" or text[1] == b"1"):
                glog.append(n)
        return brace, glog, longest

    def longer(self, int32_t size):
        """The rows whose text is longer than `size` bytes."""
        cdef Py_ssize_t n
        return [n for n in range(self.count) if self.rows[n].size > size]

    def latest(self):
        """The greatest time if all are in UTC (`Z`), else None."""
        cdef Py_ssize_t n
        cdef const char *block = PyBytes_AS_STRING(self.block)
        cdef const Row *row
        cdef const Row *best = NULL
        cdef int order
        for n in range(self.count):
            row = &self.rows[n]
            if block[row.start + row.time_size - 1] != 90:
                return None
            if best != NULL:
                order = memcmp(
                    block + row.start, block + best.start, min(row.time_size, best.time_size)
                )
                if order < 0 or (order == 0 and row.time_size <= best.time_size):
                    continue
            best = row
        if best == NULL:
            return None
        return PyUnicode_DecodeUTF8(block + best.start, best.time_size, NULL)

    def fold(self, list records not None, set gone not None):
        """A table with joined rows; a record is (its last part, its first, its text as bytes).

        The parts in `gone` are left out. Parts are numbers of rows of this table.
        """
        cdef Table new = Table.__new__(Table)
        cdef Py_ssize_t n, last, first, kept = 0
        cdef int64_t at = PyBytes_GET_SIZE(self.block) + 1
        assert self.joined is None
        new.rows = <Row *>malloc((self.count + 1) * sizeof(Row))
        if new.rows == NULL:
            raise MemoryError
        memcpy(new.rows, self.rows, self.count * sizeof(Row))
        for last, first, text in records:
            if not (0 <= first <= last < self.count):
                raise IndexError(last)
            new.rows[last].start = self.rows[first].start
            new.rows[last].time_size = self.rows[first].time_size
            new.rows[last].text, new.rows[last].size = at, <int32_t>len(text)
            at += len(text)
        new.block, new.joined = self.block, b"".join([record[2] for record in records])
        for n in gone:
            new.rows[<Py_ssize_t>n].size = -1
        for n in range(self.count):
            if new.rows[n].size >= 0:
                new.rows[kept] = new.rows[n]
                kept += 1
        new.count = kept
        return new

    cdef object value(self, Py_ssize_t n, int kind, int64_t base):
        cdef const Row *row = &self.rows[n]
        if kind == TEXTS:
            return PyUnicode_DecodeUTF8(self.text_of(row), row.size, NULL)
        if kind == TIMES:
            return PyUnicode_DecodeUTF8(
                PyBytes_AS_STRING(self.block) + row.start, row.time_size, NULL
            )
        if kind == STREAMS:
            return _STREAM[row.stderr]
        if kind == TAGS:
            return _TAG[row.partial]
        if n == self.count:  # starts: where the last line ends
            return base + PyBytes_GET_SIZE(self.block)
        return base + row.start


cdef class Column:
    """One column of a table: a sequence whose values are made when they are asked for."""

    cdef readonly Table table
    cdef int kind
    cdef int64_t base
    cdef list made

    def __len__(self):
        return self.table.count + (self.kind == STARTS)

    cdef list values(self):
        cdef Py_ssize_t n, size
        if self.made is None:
            size = self.table.count + (self.kind == STARTS)
            made = PyList_New(size)
            for n in range(size):
                value = self.table.value(n, self.kind, self.base)
                Py_INCREF(value)
                PyList_SET_ITEM(made, n, value)
            self.made = made
        return self.made

    def __getitem__(self, key):
        cdef Py_ssize_t n, size
        if self.made is None and isinstance(key, int):
            n, size = key, self.table.count + (self.kind == STARTS)
            if n < 0:
                n += size
            if not 0 <= n < size:
                raise IndexError(key)
            return self.table.value(n, self.kind, self.base)
        return self.values()[key]

    def __iter__(self):
        return iter(self.values())

    def __eq__(self, other):
        return self.values() == list(other)

    def __repr__(self):
        return repr(self.values())

    def index(self, value, Py_ssize_t start=0):
        """Where the value stands, from `start` on. Raises ValueError."""
        cdef Py_ssize_t n
        cdef uint8_t wanted
        if self.kind != TAGS:
            return self.values().index(value, start)
        wanted = value == "P"
        for n in range(start, self.table.count):
            if self.table.rows[n].partial == wanted:
                return n
        raise ValueError(value)


def same_rows(offsets, times, streams, texts):
    """The table that all four columns show, or None: some are other sequences."""
    if type(texts) is not Column:
        return None
    table = (<Column>texts).table
    for column in (offsets, times, streams):
        if type(column) is not Column or (<Column>column).table is not table:
            return None
    return table


def base_of(Column offsets not None):
    """What is added to the place of a line in its block."""
    return offsets.base


def id_tails(offsets, uint64_t low):
    """16 hex digits a row, of `low` + offset; None when `offsets` is no column of a table."""
    cdef Py_ssize_t n
    cdef Table table
    if type(offsets) is not Column:
        return None
    table, low = (<Column>offsets).table, low + <uint64_t>(<Column>offsets).base
    tails = PyBytes_FromStringAndSize(NULL, table.count * 16)
    for n in range(table.count):
        hex16(PyBytes_AS_STRING(<object>tails) + n * 16, low + <uint64_t>table.rows[n].start)
    found = <object>tails
    Py_DECREF(found)
    return found


def row_ids(offsets, bytes prefix not None, uint64_t low):
    """Per row its id as text: the prefix and 16 digits; None when it is no column of a table."""
    cdef Py_ssize_t n, size = PyBytes_GET_SIZE(prefix)
    cdef Table table
    cdef char[80] text
    if type(offsets) is not Column or size > 64:
        return None
    table, low = (<Column>offsets).table, low + <uint64_t>(<Column>offsets).base
    memcpy(text, PyBytes_AS_STRING(prefix), size)
    ids = PyList_New(table.count)
    for n in range(table.count):
        hex16(text + size, low + <uint64_t>table.rows[n].start)
        id_ = PyUnicode_DecodeASCII(text, size + 16, NULL)
        Py_INCREF(id_)
        PyList_SET_ITEM(ids, n, id_)
    return ids


cdef class Keys:
    """Names of members that are special at the top of an object; all ASCII."""

    cdef SpecialKeys known
    cdef readonly tuple names
    cdef Slice[64] slices
    cdef uint8_t[256] firsts

    def __init__(self, names):
        cdef int n
        cdef bytes name
        self.names = tuple(text.encode() for text in names)
        if len(self.names) > 64:
            raise ValueError("too many special keys")
        memset(self.firsts, 0, 256)
        for n in range(len(self.names)):
            name = self.names[n]
            self.slices[n].at, self.slices[n].size = PyBytes_AS_STRING(name), len(name)
            if name:
                self.firsts[<uint8_t>name[0]] = 1
        self.known.keys, self.known.count, self.known.firsts = self.slices, len(self.names), self.firsts


cdef enum:
    OF_TEXT, OF_OBJECT, OF_VALUE, OF_CALLER


cdef class Objects:
    """What the texts of a table are: texts, objects as they stand, objects with special members."""

    cdef Table table
    cdef Keys keys
    cdef Object *objects
    cdef uint8_t *kinds
    cdef uint8_t *values_of
    cdef readonly list values
    """(key, value as JSON text) of objects with one special member, which is one of the first keys."""
    cdef readonly list rest
    """Rows that the caller must look at: not certain to be an object, or with other members."""

    def __dealloc__(self):
        free(self.objects)
        free(self.kinds)
        free(self.values_of)

    def __init__(self, Table table not None, Keys keys not None, int simple, int least, int32_t room):
        """The first `simple` keys may stand alone; an object of fewer members than `least`, or of
        more than `room` bytes, is for the caller."""
        cdef Py_ssize_t n
        cdef const Row *row
        cdef Object *found
        self.table, self.keys, self.values, self.rest = table, keys, [], []
        self.objects = <Object *>malloc(max(table.count, 1) * sizeof(Object))
        self.kinds = <uint8_t *>malloc(max(table.count, 1))
        self.values_of = <uint8_t *>malloc(max(table.count, 1))
        if self.objects == NULL or self.kinds == NULL or self.values_of == NULL:
            raise MemoryError
        for n in range(table.count):
            row, found = &table.rows[n], &self.objects[n]
            if row.size == 0 or table.text_of(row)[0] != 123:
                self.kinds[n] = OF_TEXT
                continue
            self.kinds[n] = OF_CALLER
            if not read_object(table.text_of(row), row.size, &keys.known, found):
                found.members = -1
            elif found.members >= least and row.size <= room:
                if found.specials == 0:
                    self.kinds[n] = OF_OBJECT
                elif found.specials == 1 and found.special[0].key < simple and self.known(n):
                    self.kinds[n] = OF_VALUE
            if self.kinds[n] == OF_CALLER:
                self.rest.append(n)

    cdef bint known(self, Py_ssize_t n) except -1:
        """Note which value it has; False when there are too many different ones."""
        cdef const Special *special = &self.objects[n].special[0]
        cdef Py_ssize_t size = special.value_end - special.value
        cdef const char *at = self.table.text_of(&self.table.rows[n]) + special.value
        cdef Py_ssize_t number = 0
        cdef bytes value
        for key, value in self.values:
            if key == special.key and len(value) == size and memcmp(PyBytes_AS_STRING(value), at, size) == 0:
                self.values_of[n] = number
                return True
            number += 1
        if number == 32 or size > 64:
            return False
        self.values.append((special.key, at[:size]))
        self.values_of[n] = number
        return True

    def members(self, Py_ssize_t n):
        """(how many members, special ones as (key, JSON text)); None: the text must be parsed."""
        cdef const Object *found
        if not 0 <= n < self.table.count:
            raise IndexError(n)
        found = &self.objects[n]
        if self.kinds[n] == OF_TEXT or found.members < 0:
            return None
        text = self.table.text_of(&self.table.rows[n])
        return found.members, [
            (found.special[i].key, text[found.special[i].value:found.special[i].value_end])
            for i in range(found.specials)
        ]

    def without(self, Py_ssize_t n, keys):
        """The text of an object without its special members `keys`."""
        cdef bytearray made
        if not 0 <= n < self.table.count or self.objects[n].members < 0:
            raise IndexError(n)
        text = self.table.value(n, TEXTS, 0).encode()
        made = bytearray(len(text))
        size = cut_members(
            made, PyBytes_AS_STRING(text), len(text), &self.objects[n], sum([1 << key for key in keys])
        )
        return bytes(made[:size])


cdef Py_ssize_t cut_members(
    char *to, const char *text, Py_ssize_t size, const Object *found, uint64_t keys
) noexcept:
    """Copies the object without the members whose keys' bits are set; how many bytes it has."""
    cdef Py_ssize_t at = 0, used = 0
    cdef int i = 0, count = found.specials
    cdef const Special *cut
    while i < count:
        cut = &found.special[i]
        i += 1
        if not keys >> cut.key & 1:
            continue
        memcpy(to + used, text + at, cut.member - at)
        used += cut.member - at
        at = cut.member_end
        if text[cut.member] == 44:
            continue
        # The first member has no comma before it: it takes the one behind it along, and so do those
        # that are cut off right after it.
        while text[at] == 44:
            at += 1
            if i == count or found.special[i].member != at - 1 or not keys >> found.special[i].key & 1:
                break
            at = found.special[i].member_end
            i += 1
    memcpy(to + used, text + at, size - at)
    return used + size - at


def entries(
    Table table not None, int64_t base, bytes prefix not None, uint64_t low, tuple texts not None,
    tuple objects not None, list values not None, dict special not None, Objects found,
):
    """The entries of all rows, separated by commas.

    An id is `prefix` and 16 digits of `low` + offset. `texts`, `objects` and each of `values` (the
    same order as in `found`; and whether the member leaves) are middles of stdout and stderr.
    `special` has for a row (middle, payload or None: its text, time or None, id or None).
    """
    cdef PyObject *made
    cdef Py_ssize_t n, room, used = 0, need, fixed
    cdef const Row *row
    cdef bytes middle, payload, own_time, own_id
    cdef const char *block = PyBytes_AS_STRING(table.block)
    cdef char *to
    cdef bint rare = len(special) > 0, quoted, leaves
    cdef int kind
    if table.count == 0:
        return b""
    fixed = len(prefix) + 2 + 13 + 16 + 15 + 40 + 8 + 1
    room = len(table.block) + table.count * (fixed + max(map(len, texts + objects))) + 4096
    made = PyBytes_FromStringAndSize(NULL, room)
    for n in range(table.count):
        row = &table.rows[n]
        payload = own_time = own_id = None
        quoted, leaves = True, False
        kind = OF_TEXT if found is None else found.kinds[n]
        if rare and n in special:
            middle, payload, own_time, own_id = special[n]
            quoted = payload is None
        elif kind == OF_TEXT:
            middle = <bytes>texts[row.stderr]
        else:
            quoted = False
            if kind == OF_VALUE:
                choice = values[found.values_of[n]]
                middle, leaves = choice[row.stderr], choice[2]
            else:
                middle = <bytes>objects[row.stderr]
        need = fixed + len(middle) + (len(payload) if payload is not None else 6 * <Py_ssize_t>row.size)
        if own_time is not None or own_id is not None:
            need += (len(own_time) if own_time else 0) + (len(own_id) if own_id else 0)
        if need > room - used:
            room = room + room // 2 + need
            _PyBytes_Resize(&made, room)
        to = PyBytes_AS_STRING(<object>made) + used
        if n:
            to[0] = 44
            to += 1
        memcpy(to, b'{"insertId":"', 13)
        if own_id is not None:
            to = put(to + 13, own_id)
        else:
            to = put(to + 13, prefix)
            hex16(to, low + <uint64_t>(base + row.start))
            to += 16
        memcpy(to, b'","timestamp":"', 15)
        if own_time is not None:
            to = put(to + 15, own_time)
        else:
            memcpy(to + 15, block + row.start, row.time_size)
            to += 15 + row.time_size
        to = put(to, middle)
        if payload is not None:
            to = put(to, payload)
        elif quoted:
            to += escape(to, table.text_of(row), row.size)
            to[0] = 34
            to += 1
        elif leaves:
            to += cut_members(
                to, table.text_of(row), row.size, &found.objects[n],
                <uint64_t>1 << found.objects[n].special[0].key,
            )
        else:
            memcpy(to, table.text_of(row), row.size)
            to += row.size
        to[0] = 125
        used = to + 1 - PyBytes_AS_STRING(<object>made)
    _PyBytes_Resize(&made, used)
    body = <object>made
    Py_DECREF(body)  # the reference that `made` held
    return body


cdef inline char *put(char *to, bytes text) noexcept:
    memcpy(to, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return to + PyBytes_GET_SIZE(text)
