"""Part of _kernel.pyx: which texts are JSON objects, and what is special about them."""

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
        if not 0 <= n < self.table.count or self.kinds[n] == OF_TEXT:
            raise IndexError(n)
        if self.objects[n].members < 0:
            raise ValueError(n)
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
