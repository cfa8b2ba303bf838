"""Part of _kernel.pyx: a table's rows as the entries of a request."""

cdef enum:
    FIXED = 2 + 13 + 16 + 15 + 40 + 16 + 1  # bytes of an entry beside its id's prefix, middle and payload


def entries(
    Table table not None, int64_t base, bytes prefix not None, uint64_t low, tuple texts not None,
    tuple objects not None, list values not None, dict special not None, Objects found,
):
    """The entries of all rows, separated by commas.

    An id is `prefix` and 16 digits of `low` + offset. `texts` and `objects` are middles of stdout and
    stderr. `values` (the same order as in `found`) has of a choice: those of objects, those of texts,
    and whether the member leaves. What was lifted from an object stands behind its payload; an object
    of which only a message remains is a text.
    `special` has for a row (middle, payload or None: its text, time or None, id or None).
    """
    cdef PyObject *made
    cdef Py_ssize_t n, room, used = 0, need, fixed
    cdef const Row *row
    cdef bytes middle, payload, own_time, own_id
    cdef const char *block = PyBytes_AS_STRING(table.block)
    cdef char *to
    cdef bint rare = len(special) > 0, quoted, alone = False
    cdef int stay
    cdef const Found *object
    cdef uint64_t gone
    if table.count == 0:
        return b""
    # Without bounds checks a wrong length would be a read of somebody else's memory.
    if len(texts) != 2 or len(objects) != 2:
        raise ValueError("middles are of two streams")
    if found is not None and (found.table is not table or len(values) < found.choices.count):
        raise ValueError("these are not the objects of the table")
    if found is None and not rare:
        return plain_entries(table, low + <uint64_t>base, prefix, texts)
    fixed = len(prefix) + FIXED
    room = len(table.block) + table.count * (fixed + max(map(len, texts + objects))) + 4096
    if found is not None:
        room += found.used
    made = PyBytes_FromStringAndSize(NULL, room)
    for n in range(table.count):
        row = &table.rows[n]
        payload = own_time = own_id = None
        quoted, object, gone = True, NULL, 0
        if rare and n in special:
            middle, payload, own_time, own_id = special[n]
            quoted = payload is None
        elif found is None or found.found[n].kind == OF_TEXT:
            middle = <bytes>texts[row.stderr]
        else:
            quoted, object = False, &found.found[n]
            gone, stay = object.lifted.gone, object.object.members - object.lifted.leaving
            if object.lifted.choice < 0:
                alone = stay == 1 and object.lifted.message_size
                middle = <bytes>(texts[row.stderr] if alone else objects[row.stderr])
            else:
                choice = values[object.lifted.choice]
                if choice[4]:
                    gone |= <uint64_t>1 << object.lifted.choice_key
                    stay -= 1
                alone = stay == 1 and object.lifted.message_size
                middle = choice[row.stderr + 2 * alone]
        need = fixed + len(middle) + (len(payload) if payload is not None else 6 * <Py_ssize_t>row.size)
        if object != NULL:
            need = fixed + len(middle) + row.size + object.more_size
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
        elif object != NULL and object.lifted.time_size:
            memcpy(to + 15, table.text_of(row) + object.lifted.time, object.lifted.time_size)
            to += 15 + object.lifted.time_size
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
        else:
            if alone:
                memcpy(to, table.text_of(row) + object.lifted.message, object.lifted.message_size)
                to += object.lifted.message_size
            else:
                to += cut_members(to, table.text_of(row), row.size, &object.object, gone)
            if object.more_size:
                memcpy(to, found.made + object.more, object.more_size)
                to += object.more_size
        to[0] = 125
        used = to + 1 - PyBytes_AS_STRING(<object>made)
    _PyBytes_Resize(&made, used)
    body = <object>made
    Py_DECREF(body)  # the reference that `made` held
    return body


cdef bytes plain_entries(Table table, uint64_t start, bytes prefix, tuple texts):
    """Those of rows that are all texts and have nothing of their own."""
    cdef bytes head = b',{"insertId":"' + prefix, out = texts[0], err = texts[1]
    cdef Py_ssize_t n, need, used = 0, head_size = len(head), fixed = head_size + FIXED
    cdef Py_ssize_t room = len(table.block) + table.count * (fixed + max(len(out), len(err))) + 4096
    cdef PyObject *made = PyBytes_FromStringAndSize(NULL, room)
    cdef const char *block = PyBytes_AS_STRING(table.block)
    cdef const char *first = PyBytes_AS_STRING(head)
    cdef const Row *row
    cdef char *to
    for n in range(table.count):
        row = &table.rows[n]
        need = fixed + max(len(out), len(err)) + 6 * <Py_ssize_t>row.size
        if need > room - used:
            room = room + room // 2 + need
            _PyBytes_Resize(&made, room)
        to = PyBytes_AS_STRING(<object>made) + used
        if n == 0:  # no comma
            memcpy(to, first + 1, head_size - 1)
            to -= 1
        else:
            memcpy(to, first, head_size)
        hex16(to + head_size, start + <uint64_t>row.start)
        to += head_size + 16
        memcpy(to, b'","timestamp":"', 15)
        memcpy(to + 15, block + row.start, row.time_size)
        to = put(to + 15 + row.time_size, err if row.stderr else out)
        to += escape(to, table.text_of(row), row.size)
        memcpy(to, b'"}', 2)
        used = to + 2 - PyBytes_AS_STRING(<object>made)
    _PyBytes_Resize(&made, used)
    body = <bytes>made
    Py_DECREF(body)  # the reference that `made` held
    return body


cdef inline char *put(char *to, bytes text) noexcept:
    memcpy(to, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return to + PyBytes_GET_SIZE(text)
