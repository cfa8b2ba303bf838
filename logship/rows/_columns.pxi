"""Part of _kernel.pyx: what of a table looks like columns of Python values."""

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
