"""Part of _kernel.pyx: the rows of a table as cells: what each has in the columns of a caller.

A cell says where its bytes lie: in the block, in a JSON string of it, or in bytes that the caller
gave. Nothing is copied here; `_layout.pxi` and `_records.pxi` write cells out.
"""

cdef enum:
    ABSENT, PLAIN, ESCAPED  # nothing; bytes as they stand; what stands in a JSON string

cdef struct Cell:
    const char *at
    int32_t size
    uint8_t kind

cdef enum:
    CHOICE, OWN_TIME, FIRST_TEXT  # columns of `groups`; more texts may follow, then these:
    OBJECT = 0, STREAM = 1, ID = 2, TIME = 3, MORE = 4


cdef class Fields:
    """Columns: one for each group of `groups`, then object, stream, id and time of the row.

    A group is as many keys as its number says, the first found first. The first group is a choice:
    rows differ in few values, for which the caller chooses (`choices`, `choose`). The second is a
    time, the others are texts. A text that is no JSON object is the value of the first group of
    texts. Keys beyond the groups are for the caller.
    """

    cdef Table table
    cdef Keys keys
    cdef Cell *cells
    cdef uint8_t *choice_of
    cdef int width
    cdef int fixed
    cdef list owned
    cdef Combinations combined
    cdef readonly list rest
    """Rows that the caller must look at: its cells are empty."""

    def __dealloc__(self):
        free(self.cells)
        free(self.choice_of)

    def __init__(
        self, Table table not None, Keys keys not None, tuple groups not None,
        bytes prefix not None, uint64_t low,
    ):
        """The ids are `prefix` and 16 digits of `low` + place in the block."""
        cdef Py_ssize_t n, count = table.count
        cdef int[64] group_of
        cdef uint8_t[64] chosen_by
        cdef int key = 0, group
        if len(groups) < 3 or sum(groups) > keys.known.count or min(groups) < 0:
            raise ValueError("these are not the groups of the keys")
        self.table, self.keys, self.owned, self.rest = table, keys, [], []
        self.combined = Combinations.__new__(Combinations)
        self.fixed = len(groups)
        self.width = self.fixed + MORE
        self.cells = <Cell *>malloc(max(count, 1) * self.width * sizeof(Cell))
        self.choice_of = <uint8_t *>malloc(max(count, 1))
        if self.cells == NULL or self.choice_of == NULL:
            raise MemoryError
        memset(self.cells, 0, count * self.width * sizeof(Cell))
        memset(self.choice_of, 0, count)
        for n in range(64):
            group_of[n], chosen_by[n] = -1, 0
        for group in range(self.fixed):
            for n in range(groups[group]):
                group_of[key], chosen_by[key] = group, group == CHOICE
                key += 1
        self.fill_fixed(prefix, low)
        for n in range(count):
            self.fill(n, group_of, chosen_by)

    cdef int fill_fixed(self, bytes prefix, uint64_t low) except -1:
        cdef Py_ssize_t n, head = len(prefix), size = head + 16
        cdef const char *block = PyBytes_AS_STRING(self.table.block)
        cdef bytes ids = PyBytes_FromStringAndSizeObject(NULL, self.table.count * size)
        cdef char *to = PyBytes_AS_STRING(ids)
        cdef const Row *row
        cdef Cell *cells
        self.owned.append(ids)
        for n in range(self.table.count):
            row, cells = &self.table.rows[n], self.cells + n * self.width + self.fixed
            memcpy(to, PyBytes_AS_STRING(prefix), head)
            hex16(to + head, low + <uint64_t>row.start)
            cells[ID].at, cells[ID].size, cells[ID].kind = to, <int32_t>size, PLAIN
            to += size
            cells[TIME].at, cells[TIME].size = block + row.start, row.time_size
            cells[TIME].kind = cells[STREAM].kind = PLAIN
            # The stream stands behind the time, as it stood in the line of the row's first part.
            cells[STREAM].at, cells[STREAM].size = block + row.start + row.time_size + 1, 6
        return 0

    cdef int fill(self, Py_ssize_t n, const int *group_of, const uint8_t *chosen_by) except -1:
        """The cells of the groups, or none where the caller must look."""
        cdef const Row *row = &self.table.rows[n]
        cdef const char *text = self.table.text_of(row)
        cdef Cell *cells = self.cells + n * self.width
        cdef Object found
        cdef const Special *special
        cdef int[64] best
        cdef int i, group, number
        if row.size == 0 or text[0] != 123:
            cells[FIRST_TEXT].at, cells[FIRST_TEXT].size = text, row.size
            cells[FIRST_TEXT].kind = PLAIN
            return 0
        if not read_object(text, row.size, &self.keys.known, &found):
            self.rest.append(n)
            return 0
        for i in range(self.fixed):
            best[i] = -1
        for i in range(found.specials):
            special = &found.special[i]
            group = group_of[special.key]
            if group < 0:
                return self.leave(n)
            if group == CHOICE:
                continue
            if text[special.value] != 34 and (group != OWN_TIME or text[special.value] == 110):
                continue  # no text; of a time only null is as if it were absent
            if best[group] < 0 or special.key < found.special[best[group]].key:
                best[group] = i
        number = self.combined.number(text, &found, chosen_by)
        if number < 0:
            return self.leave(n)
        self.choice_of[n] = <uint8_t>number
        for group in range(OWN_TIME, self.fixed):
            if best[group] < 0:
                continue
            special = &found.special[best[group]]
            if text[special.value] != 34:
                return self.leave(n)
            self.take(&cells[group], text + special.value + 1, special.value_end - special.value - 2)
            if group == OWN_TIME:
                if cells[group].kind == ESCAPED:
                    return self.leave(n)
                if not is_time(cells[group].at, cells[group].size):
                    cells[group].kind = ABSENT
        cells[self.fixed + OBJECT].at, cells[self.fixed + OBJECT].size = text, row.size
        cells[self.fixed + OBJECT].kind = PLAIN
        return 0

    cdef void take(self, Cell *cell, const char *at, int32_t size) noexcept:
        cell.at, cell.size = at, size
        cell.kind = PLAIN if memchr(at, 92, size) == NULL else ESCAPED

    cdef int leave(self, Py_ssize_t n) except -1:
        memset(self.cells + n * self.width, 0, self.fixed * sizeof(Cell))
        self.rest.append(n)
        return 0

    @property
    def choices(self):
        """Per choice its members as (key, JSON text)."""
        return self.combined.members

    def choose(self, list values not None):
        """The value of each of `choices`, by stream: (of stdout, of stderr)."""
        cdef Py_ssize_t n
        cdef Cell *cell
        cdef bytes value
        if len(values) != len(self.combined.members):
            raise ValueError("a value for each choice")
        self.owned.append(values)
        for n in range(self.table.count):
            cell = self.cells + n * self.width + CHOICE
            value = (<tuple?>values[self.choice_of[n]])[self.table.rows[n].stderr]
            cell.at, cell.size, cell.kind = PyBytes_AS_STRING(value), <int32_t>len(value), PLAIN

    def put(self, Py_ssize_t n, int column, bytes value):
        """The caller's own value of a row; None: it has none."""
        cdef Cell *cell
        if not 0 <= n < self.table.count or not 0 <= column <= self.fixed + OBJECT:
            raise IndexError(n, column)
        cell = self.cells + n * self.width + column
        if value is None:
            cell.kind = ABSENT
            return
        if column == OWN_TIME and not is_time(PyBytes_AS_STRING(value), len(value)):
            raise ValueError(value)
        self.owned.append(value)
        cell.at, cell.size, cell.kind = PyBytes_AS_STRING(value), <int32_t>len(value), PLAIN
