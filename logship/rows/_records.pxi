"""Part of _kernel.pyx: rows as JSON objects, each in a frame of two lengths (protobuf's).

    <tag> size ( <tag> size ( {"name":value, ...} ) <tail> <id> )
"""

cdef enum:
    CONSTANT, STRING, VALUE, MICROS, NANOS  # what of a cell stands behind the name

cdef struct Piece:
    const char *name
    Py_ssize_t size
    int what, column

_PIECES = {
    "constant": CONSTANT, "string": STRING, "value": VALUE, "micros": MICROS, "nanos": NANOS,
}
cdef int HEAD = 24


def records(Fields fields not None, list pieces not None, tuple tags not None, bytes tail not None):
    """(the framed rows one after the other, where each ends).

    A piece is (bytes before its value, what it is, its column); without a value it is left out.
    `tags` are the bytes before the two lengths.
    """
    cdef Piece[64] template
    cdef Py_ssize_t n, i, count = fields.table.count, room, used = 0, need, names = 0
    cdef int size = len(pieces)
    cdef bytes outer = tags[0], inner = tags[1], name
    cdef PyObject *made
    cdef const Cell *cells
    cdef const Cell *cell
    cdef char *start
    cdef char *to
    cdef char[24] head
    cdef object end
    if size > 64 or len(outer) + len(inner) > 4:
        raise ValueError("too many pieces")
    for i in range(size):
        name, kind, template[i].column = pieces[i]
        template[i].name, template[i].size = PyBytes_AS_STRING(name), len(name)
        template[i].what = _PIECES[kind]
        names += len(name) + 8
        cells_from(fields, template[i].column)
        if template[i].what in (MICROS, NANOS) and template[i].column not in (OWN_TIME, fields.fixed + TIME):
            raise IndexError(template[i].column)
        if template[i].what == VALUE and template[i].column != fields.fixed + OBJECT:
            raise IndexError(template[i].column)
    ends = PyList_New(count)
    room = 3 * len(fields.table.block) + count * (names + len(tail) + 128) + 4096
    made = PyBytes_FromStringAndSize(NULL, room)
    for n in range(count):
        cells = fields.cells + n * fields.width
        need = names + len(tail) + HEAD + cells[fields.fixed + ID].size + 16
        for i in range(size):
            cell = &cells[template[i].column]
            if template[i].what == STRING:
                need += 7 * <Py_ssize_t>cell.size + 16
            elif template[i].what != CONSTANT:
                need += cell.size + 16
        if need > room - used:
            room = room + room // 2 + need
            _PyBytes_Resize(&made, room)
        start = PyBytes_AS_STRING(<object>made) + used
        to = start + HEAD
        for i in range(size):
            to = put_piece(to, &template[i], &cells[template[i].column])
        # The lengths are known now: they go before the row, which moves up to them.
        need = frame(head, to - start - HEAD, outer, inner, len(tail) + cells[fields.fixed + ID].size)
        memmove(start + need, start + HEAD, to - start - HEAD)
        memcpy(start, head, need)
        to = put(to - HEAD + need, tail)
        memcpy(to, cells[fields.fixed + ID].at, cells[fields.fixed + ID].size)
        used = to + cells[fields.fixed + ID].size - PyBytes_AS_STRING(<object>made)
        end = used
        Py_INCREF(end)
        PyList_SET_ITEM(ends, n, end)
    _PyBytes_Resize(&made, used)
    body = <object>made
    Py_DECREF(body)  # the reference that `made` held
    return body, ends


cdef Py_ssize_t frame(char *head, Py_ssize_t size, bytes outer, bytes inner, Py_ssize_t behind) noexcept:
    """Writes tags and lengths of a row of `size` bytes; how many bytes that is, at most HEAD."""
    cdef char[10] length
    cdef Py_ssize_t digits = put_varint(length, size) - length
    cdef char *to = put(head, outer)
    to = put_varint(to, len(inner) + digits + size + behind)
    to = put(to, inner)
    memcpy(to, length, digits)
    return to + digits - head


cdef char *put_piece(char *to, const Piece *piece, const Cell *cell) noexcept:
    cdef int left = 0
    if piece.what != CONSTANT:
        if cell.kind == ABSENT:
            return to
        if piece.what == NANOS:
            micros_of(cell.at, cell.size, &left)
            if left == 0:
                return to
    memcpy(to, piece.name, piece.size)
    to += piece.size
    if piece.what == VALUE:
        memcpy(to, cell.at, cell.size)
        return to + cell.size
    if piece.what == NANOS:
        if left > 99:
            to[0] = <char>(48 + left // 100)
            to += 1
        if left > 9:
            to[0] = <char>(48 + left // 10 % 10)
            to += 1
        to[0] = <char>(48 + left % 10)
        return to + 1
    if piece.what == CONSTANT:
        return to
    to[0] = 34
    if piece.what == MICROS:
        to = put_micros(to + 1, cell.at, cell.size)
    elif cell.kind == PLAIN:
        to += 1 + escape(to + 1, cell.at, cell.size)
    else:
        # Without its escapes it goes behind the room that it may need with them.
        left = <int>unescape(to + 6 * <Py_ssize_t>cell.size + 9, cell.at, cell.size)
        to += 1 + escape(to + 1, to + 6 * <Py_ssize_t>cell.size + 9, left)
    to[0] = 34
    return to + 1
