"""Part of _kernel.pyx: the index of a block."""

cdef class Table:
    """The index of a block: an array of rows, and the texts that were joined of several."""

    cdef Row *rows
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t longest_line
    cdef readonly Py_ssize_t parts
    cdef bytes block
    cdef bytes joined
    cdef int64_t latest  # where a time stands whose minute is the greatest; -1: not all are in UTC
    cdef bint surveyed, brace
    cdef int32_t longest
    cdef list glog

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
        cdef bint utc = True
        if rows == NULL:
            raise MemoryError
        self.rows, self.glog, self.surveyed = rows, [], True
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
            self.parts += row.partial
            row.start = at - block
            row.time_size = n
            row.text = row.start + n + 10
            row.size = <int32_t>(stop - at - n - 10)
            self.look(count, at + n + 10, row.size)
            if at[n - 1] != 90:
                utc = False
            elif known == NULL or not same_minute(at, block + self.latest):
                if known == NULL or memcmp(at, block + self.latest, MINUTE) > 0:
                    self.latest = row.start
            known = at
            self.longest_line = max(self.longest_line, stop - at)
            count += 1
            at = stop + 1
        self.count = count
        if not utc:
            self.latest = -1
        return True

    cdef inline int look(self, Py_ssize_t n, const char *text, int32_t size) except -1:
        """What `survey` tells of a row."""
        self.longest = max(self.longest, size)
        if size == 0:
            return 0
        if text[0] == b"{":
            self.brace = True
        elif text[0] in b"DIWEF" and size > 20 and (text[1] == b"0" or text[1] == b"1"):
            self.glog.append(n)
        return 0

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
        if not self.surveyed:
            self.glog, self.surveyed = [], True
            for n in range(self.count):
                self.look(n, self.text_of(&self.rows[n]), self.rows[n].size)
        return self.brace, self.glog, self.longest

    def longer(self, int32_t size):
        """The rows whose text is longer than `size` bytes."""
        cdef Py_ssize_t n
        return [n for n in range(self.count) if self.rows[n].size > size]

    def latest_minute(self):
        """As RFC 3339 has it, of the block that was scanned; None: not all its times are in UTC."""
        if self.latest < 0 or self.count == 0:
            return None
        return PyUnicode_DecodeASCII(PyBytes_AS_STRING(self.block) + self.latest, MINUTE, NULL)

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
        new.latest = self.latest
        for n in gone:
            if not 0 <= n < self.count:
                raise IndexError(n)
            new.rows[n].size = -1
        for n in range(self.count):
            if new.rows[n].size >= 0:
                new.rows[kept] = new.rows[n]
                kept += 1
        new.count = kept
        return new

    def pick(self, mask not None):
        """A table with the rows whose entry in `mask` is true."""
        cdef Table new = Table.__new__(Table)
        cdef Py_ssize_t n = 0
        new.rows = <Row *>malloc((self.count + 1) * sizeof(Row))
        if new.rows == NULL:
            raise MemoryError
        new.block, new.joined = self.block, self.joined
        new.longest_line, new.latest = self.longest_line, self.latest
        for wanted in mask:
            if n == self.count:
                raise IndexError(n)
            if wanted:
                new.rows[new.count] = self.rows[n]
                new.count += 1
            n += 1
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
