"""Part of _kernel.pyx: what rows have under a few keys, where rows differ in few values."""

cdef int MAX_CHOICES = 200
cdef int MAX_CHOICE_BYTES = 96


cdef class Combinations:
    """The different combinations of members that were seen, by number; 0 is of rows without any."""

    cdef list seen
    cdef readonly list members
    """Per combination its members as (key, JSON text)."""

    def __cinit__(self):
        self.seen, self.members = [b""], [()]

    cdef int number(
        self, const char *text, const Object *found, const uint8_t *wanted
    ) except -2:
        """That of an object's members whose keys are wanted; -1: too much to remember."""
        cdef char[128] key
        cdef int i, used = 0, size, at = 0
        cdef const Special *special
        cdef bytes known
        for i in range(found.specials):
            special = &found.special[i]
            if not wanted[special.key]:
                continue
            size = special.value_end - special.value
            if used + size + 2 > MAX_CHOICE_BYTES:
                return -1
            key[used] = <char>special.key
            memcpy(key + used + 1, text + special.value, size)
            used += size + 2
            key[used - 1] = 10
        for known in self.seen:
            if PyBytes_GET_SIZE(known) == used and memcmp(PyBytes_AS_STRING(known), key, used) == 0:
                return at
            at += 1
        if at == MAX_CHOICES:
            return -1
        members = []
        for i in range(found.specials):
            special = &found.special[i]
            if wanted[special.key]:
                members.append((special.key, text[special.value:special.value_end]))
        self.seen.append(key[:used])
        self.members.append(tuple(members))
        return at


cdef class Members:
    """Which combination of members each row has. A text that is no object has none."""

    cdef Table table
    cdef Combinations combined
    cdef uint8_t *choice_of
    cdef readonly list rest
    """Rows that the caller must look at."""

    def __dealloc__(self):
        free(self.choice_of)

    def __init__(self, Table table not None, Keys keys not None):
        cdef Py_ssize_t n
        cdef const Row *row
        cdef const char *text
        cdef Object found
        cdef uint8_t[64] wanted
        cdef int number
        self.table, self.combined, self.rest = table, Combinations.__new__(Combinations), []
        self.choice_of = <uint8_t *>malloc(max(table.count, 1))
        if self.choice_of == NULL:
            raise MemoryError
        memset(self.choice_of, 0, table.count)
        memset(wanted, 1, sizeof(wanted))
        if keys.known.count == 0:
            return
        for n in range(table.count):
            row = &table.rows[n]
            text = table.text_of(row)
            if row.size == 0 or text[0] != 123:
                continue
            number = -1
            if read_object(text, row.size, &keys.known, &found):
                number = self.combined.number(text, &found, wanted)
            if number < 0:
                self.rest.append(n)
            else:
                self.choice_of[n] = <uint8_t>number

    @property
    def choices(self):
        """Per combination its members as (key, JSON text)."""
        return self.combined.members

    def mask(self, list values not None):
        """A byte for each row: what `values` has for its combination, of (stdout, stderr)."""
        cdef Py_ssize_t n
        cdef uint8_t[2][256] of
        cdef bytearray made = bytearray(self.table.count)
        cdef char *to = made
        if len(values) != len(self.combined.members):
            raise ValueError("a value for each choice")
        for n, (out, err) in enumerate(values):
            of[0][n], of[1][n] = bool(out), bool(err)
        for n in range(self.table.count):
            to[n] = of[self.table.rows[n].stderr][self.choice_of[n]]
        return made
