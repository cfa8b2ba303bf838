"""Part of _kernel.pyx: which texts are JSON objects, and what is special about them."""

_FORMS = {
    "caller": FOR_CALLER, "choice": FORM_CHOICE, "time": FORM_TIME, "id": FORM_ID,
    "record": FORM_RECORD, "map": FORM_MAP, "message": FORM_MESSAGE, "text": FORM_TEXT, "flag": FORM_FLAG, "int32": FORM_INT32,
    "int64": FORM_INT64, "seconds": FORM_SECONDS,
}


cdef Slice slice_of(bytes text):
    cdef Slice found
    found.at, found.size = PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
    return found


cdef class Keys:
    """Names of members that are special at the top of an object, all ASCII; and what becomes of them."""

    cdef SpecialKeys known
    cdef list held
    cdef Slice[64] slices
    cdef Form[64] forms
    cdef Part[64] parts
    cdef uint8_t[256] firsts
    cdef Py_ssize_t growth
    """By how many bytes what is lifted may be larger than it was."""

    def __init__(self, forms not None):
        """Of (key, kind, name in the entry, prefix, parts as (name, kind), most members); two forms
        of one kind and name tell the same."""
        cdef int n = 0, used = 0, count
        cdef dict targets = {}
        self.held, self.growth = [], 0
        if len(forms) > 64 or sum([len(parts) for *_, parts, _ in forms]) > 64:
            raise ValueError("too many special keys")
        memset(self.firsts, 0, 256)
        for key, kind, name, prefix, parts, most in forms:
            self.slices[n] = self.hold(key)
            if key:
                self.firsts[<uint8_t>self.slices[n].at[0]] = 1
            self.forms[n].kind = _FORMS[kind]
            self.forms[n].target = targets.setdefault((kind, name), len(targets))
            self.forms[n].before = self.hold(f',"{name}":')
            self.forms[n].prefix = self.hold(prefix)
            count = 0
            self.forms[n].parts = &self.parts[used]
            for part, of in parts:
                self.parts[used + count].name, self.parts[used + count].kind = self.hold(part), _FORMS[of]
                count += 1
            self.forms[n].count = count or most
            self.growth += self.forms[n].before.size + self.forms[n].prefix.size + SECONDS_GROW * (1 + count)
            used += count
            n += 1
        self.known.keys, self.known.count, self.known.firsts = self.slices, n, self.firsts

    cdef Slice hold(self, str text) except *:
        cdef bytes held = text.encode()
        self.held.append(held)
        return slice_of(held)


cdef enum:
    OF_TEXT, OF_OBJECT, OF_CALLER

cdef struct Found:
    Object object
    Lifted lifted
    int64_t more  # in what was made
    int32_t more_size
    uint8_t kind


cdef class Objects:
    """What the texts of a table are: texts, objects that are certain, and what is for the caller."""

    cdef Table table
    cdef Keys keys
    cdef Found *found
    cdef char *made
    cdef Py_ssize_t used, room
    cdef Choices choices
    cdef readonly list rest
    """Rows that the caller must look at: not certain to be objects, or what they become is not."""

    def __dealloc__(self):
        free(self.found)
        free(self.made)

    def __init__(self, Table table not None, Keys keys not None, int32_t room):
        """An object of more than `room` bytes with what is lifted is for the caller."""
        cdef Py_ssize_t n
        cdef const Row *row
        cdef Found *found
        self.table, self.keys, self.rest = table, keys, []
        self.found = <Found *>malloc(max(table.count, 1) * sizeof(Found))
        if self.found == NULL:
            raise MemoryError
        for n in range(table.count):
            row, found = &table.rows[n], &self.found[n]
            memset(&found.lifted, 0, sizeof(Lifted))
            found.lifted.choice, found.more_size = -1, 0
            if row.size == 0 or table.text_of(row)[0] != 123:
                found.kind = OF_TEXT
            elif self.is_certain(row, found, room):
                found.kind = OF_OBJECT
            else:
                found.kind = OF_CALLER
                self.rest.append(n)

    cdef bint is_certain(self, const Row *row, Found *found, int32_t room) except -1:
        if not read_object(self.table.text_of(row), row.size, &self.keys.known, &found.object):
            return False
        if found.object.specials == 0:
            return row.size <= room
        if row.size > room - self.keys.growth or not self.lift(row, found):
            return False
        # Beside a message alone, too much that was lifted is left out.
        return found.lifted.message_size == 0 or row.size <= room // 2 - self.keys.growth

    cdef bint lift(self, const Row *row, Found *found) except -1:
        """Make what the special members become; False: it is for the caller."""
        cdef Py_ssize_t room
        cdef char *made
        cdef const char *end
        if self.room - self.used < row.size + self.keys.growth:
            room = 2 * self.room + row.size + self.keys.growth
            made = <char *>realloc(self.made, room)
            if made == NULL:
                raise MemoryError
            self.made, self.room = made, room
        made = self.made + self.used
        end = lift(
            made, self.table.text_of(row), &found.object, self.keys.forms, &self.choices,
            PyBytes_AS_STRING(self.table.block) + row.start, row.time_size, &found.lifted,
        )
        if end == NULL:
            return False
        found.more, found.more_size = self.used, <int32_t>(end - made)
        self.used += end - made
        return True

    @property
    def values(self):
        """(key, value as JSON text) of the choices that objects make."""
        cdef int n
        cdef const Choices *all = &self.choices
        return [(all.key[n], all.value[n].at[:all.value[n].size]) for n in range(all.count)]


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
