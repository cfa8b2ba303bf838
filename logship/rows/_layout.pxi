"""Part of _kernel.pyx: columns of cells as Arrow lays them out: validity bits, offsets, bytes.

https://arrow.apache.org/docs/format/Columnar.html
"""

def cells_of(Fields fields not None, int column):
    """(validity, int32 offsets, UTF-8 bytes, how many are null); validity is None without any."""
    cdef PyObject *made
    cdef Py_ssize_t n, total = 0, used = 0, nulls = 0, count = fields.table.count
    cdef int width = fields.width
    cdef const Cell *first = cells_from(fields, column)
    cdef const Cell *cell
    cdef char *to
    cdef int32_t *offsets
    cdef uint8_t *bits
    for n in range(count):
        cell = first + n * width
        if cell.kind != ABSENT:
            total += cell.size
        else:
            nulls += 1
    if total > 0x7fffffff:
        raise OverflowError("a column of more than 2 GiB")
    ends = PyBytes_FromStringAndSizeObject(NULL, (count + 1) * sizeof(int32_t))
    offsets = <int32_t *>PyBytes_AS_STRING(ends)
    validity = bytes((count + 7) // 8)
    bits = <uint8_t *>PyBytes_AS_STRING(validity)
    made = PyBytes_FromStringAndSize(NULL, total)
    to = PyBytes_AS_STRING(<object>made)
    offsets[0] = 0
    for n in range(count):
        cell = first + n * width
        if cell.kind == PLAIN:
            memcpy(to + used, cell.at, cell.size)
            used += cell.size
        elif cell.kind == ESCAPED:
            used += unescape(to + used, cell.at, cell.size)
        offsets[n + 1] = <int32_t>used
        if cell.kind != ABSENT:
            bits[n >> 3] |= <uint8_t>(1 << (n & 7))
    if used < total:
        _PyBytes_Resize(&made, used)
    content = <object>made
    Py_DECREF(content)  # the reference that `made` held
    return (validity if nulls else None), ends, content, nulls


def times_of(Fields fields not None, int column):
    """(validity or None, int64 microseconds since 1970, int64 nanoseconds left over, nulls)."""
    cdef Py_ssize_t n, nulls = 0, count = fields.table.count
    cdef int width = fields.width, left = 0
    cdef const Cell *first = cells_from(fields, column)
    cdef const Cell *cell
    cdef int64_t *whole
    cdef int64_t *rest
    cdef uint8_t *bits
    if column != OWN_TIME and column != fields.fixed + TIME:
        raise IndexError(column)
    micros = PyBytes_FromStringAndSizeObject(NULL, count * sizeof(int64_t))
    nanos = PyBytes_FromStringAndSizeObject(NULL, count * sizeof(int64_t))
    validity = bytes((count + 7) // 8)
    whole, rest = <int64_t *>PyBytes_AS_STRING(micros), <int64_t *>PyBytes_AS_STRING(nanos)
    bits = <uint8_t *>PyBytes_AS_STRING(validity)
    for n in range(count):
        cell = first + n * width
        whole[n] = rest[n] = 0
        if cell.kind == ABSENT:
            nulls += 1
            continue
        whole[n] = micros_of(cell.at, cell.size, &left)
        rest[n] = left
        bits[n >> 3] |= <uint8_t>(1 << (n & 7))
    return (validity if nulls else None), micros, nanos, nulls


cdef const Cell *cells_from(Fields fields, int column) except NULL:
    if not 0 <= column < fields.width:
        raise IndexError(column)
    return fields.cells + column
