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
from libc.string cimport memchr, memcmp, memcpy, memmove, memset

cdef extern from "Python.h":
    PyObject *PyBytes_FromStringAndSize(const char *v, Py_ssize_t size) except NULL
    object PyBytes_FromStringAndSizeObject "PyBytes_FromStringAndSize" (
        const char *v, Py_ssize_t size)
    int _PyBytes_Resize(PyObject **v, Py_ssize_t size) except -1
    object PyUnicode_DecodeUTF8(const char *v, Py_ssize_t size, const char *errors)
    object PyUnicode_DecodeASCII(const char *v, Py_ssize_t size, const char *errors)

cdef extern from "_kernel.h" nogil:
    enum: MINUTE
    int same_minute(const char *a, const char *b)
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
        Special special[12]
        int specials
        int members
    ctypedef struct SpecialKeys:
        const Slice *keys
        int count
        const uint8_t *firsts
    int read_object(const char *text, long size, const SpecialKeys *known, Object *object)

cdef extern from "_lift.h" nogil:
    enum: FOR_CALLER, FORM_CHOICE, FORM_TIME, FORM_ID, FORM_RECORD, FORM_MAP
    enum: FORM_MESSAGE
    enum: FORM_TEXT, FORM_FLAG, FORM_INT32, FORM_INT64, FORM_SECONDS, SECONDS_GROW
    ctypedef struct Part:
        Slice name
        int kind
    ctypedef struct Form:
        int kind, target
        Slice before, prefix
        const Part *parts
        int count
    ctypedef struct Choices:
        Slice value[32]
        int key[32]
        int count
    ctypedef struct Lifted:
        int choice, choice_key
        uint64_t gone
        int leaving
        int32_t time, time_size, message, message_size
    char *lift(
        char *to, const char *text, const Object *object, const Form *forms, Choices *choices,
        const char *known, int known_size, Lifted *lifted,
    )

cdef extern from "_fields.h" nogil:
    long unescape(char *out, const char *at, long size)
    int is_time(const char *at, long size)
    int64_t micros_of(const char *at, long size, int *nanos)
    char *put_micros(char *to, const char *at, long size)
    char *put_varint(char *to, uint64_t value)

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


include "_table.pxi"
include "_columns.pxi"
include "_objects.pxi"
include "_entries.pxi"
include "_members.pxi"
include "_fields.pxi"
include "_layout.pxi"
include "_records.pxi"
