/* Special members of an object in the form that an entry has them in, where that form is certain.

   Works on objects that `read_object` has taken: they are valid, and no key has an escape or occurs
   twice. A form is what the plugin says of a key. Whatever is not certain to come out as the pure
   code has it (a number as text, a time of another zone, a part of another type) is left to the
   caller, whole: nothing of the row is lifted then. What says nothing (null, "", {}) stays. */
#define MAX_CHOICES 32
#define MAX_CHOICE 64  /* bytes */
#define MAX_MAP 4096   /* bytes */
#define SECONDS_GROW 10 /* "1s" becomes "1.000000000s"; no other form grows as much */

enum {
    FOR_CALLER, FORM_CHOICE, FORM_TIME, FORM_ID, FORM_RECORD, FORM_MAP, FORM_MESSAGE, /* of members */
    FORM_TEXT, FORM_FLAG, FORM_INT32, FORM_INT64, FORM_SECONDS /* of members and of parts */
};

typedef struct { Slice name; int kind; } Part;

typedef struct {
    int kind;
    int target;    /* what it tells: an object that tells it twice is for the caller */
    Slice before;  /* a comma, the name in the entry, a colon */
    Slice prefix;  /* before an id of 32 hex digits, may be empty; or of names that a map has not */
    const Part *parts; /* of a record */
    int count;         /* of them, or how many members a map may have */
} Form;

/* The different values of choices, in the texts where they were seen first. */
typedef struct { Slice value[MAX_CHOICES]; int key[MAX_CHOICES]; int count; } Choices;

typedef struct {
    int choice, choice_key;  /* -1: it has none */
    uint64_t gone;           /* bits of the keys that leave the object, but for the choice */
    int leaving;             /* how many they are */
    int32_t time, time_size; /* its own, in the text; size 0: it has none */
    int32_t message, message_size; /* with the closing quote; the same */
} Lifted;

static inline char *put_bytes(char *to, const char *at, long size) {
    memcpy(to, at, size);
    return to + size;
}

/* How many decimal digits there are. */
static inline long count_digits(const char *at, const char *end) {
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at - start;
}

/* Which of the choices it is, a new one if there is room; or -1. */
static inline int choice_of(Choices *choices, int key, const char *at, long size) {
    for (int n = 0; n < choices->count; n++)
        if (choices->key[n] == key && choices->value[n].size == size &&
            !memcmp(choices->value[n].at, at, size)) return n;
    if (choices->count == MAX_CHOICES || size > MAX_CHOICE) return -1;
    choices->value[choices->count].at = at;
    choices->value[choices->count].size = size;
    choices->key[choices->count] = key;
    return choices->count++;
}

/* Whether a string is a time in UTC on the day of `known`, a valid time in UTC. */
static inline int is_time_of_day(const char *at, const char *end, const char *known, int size) {
    long own = end - at - 2;
    return *at == '"' && own >= 20 && at[own] == 'Z' && known[size - 1] == 'Z' &&
           rfc3339(at + 1, own, known) == own && memcmp(at + 1, known, 10) == 0;
}

static inline char *write_id(char *to, const Form *form, const char *at, const char *end) {
    int hex = end - at == 34;
    if (*at != '"' || memchr(at, '\\', end - at)) return NULL;
    for (const char *c = at + 1; hex && c < end - 1; c++)
        hex = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'f') || (*c >= 'A' && *c <= 'F');
    to = put_bytes(to, form->before.at, form->before.size);
    *to++ = '"';
    if (hex) to = put_bytes(to, form->prefix.at, form->prefix.size);
    return put_bytes(to, at + 1, end - at - 1);
}

/* `1.5s` as `1.500000000s`. */
static inline char *write_seconds(char *to, const char *at, const char *end) {
    long whole, fraction = 0;
    if (*at++ != '"') return NULL;
    whole = count_digits(at, end);
    if (whole < 1 || whole > 9 || (whole > 1 && *at == '0')) return NULL;
    *to++ = '"';
    to = put_bytes(to, at, whole);
    at += whole;
    *to++ = '.';
    if (*at == '.') fraction = count_digits(++at, end);
    if (fraction > 9 || end - at != fraction + 2 || at[fraction] != 's') return NULL;
    to = put_bytes(to, at, fraction);
    memset(to, '0', 9 - fraction);
    return put_bytes(to + 9 - fraction, "s\"", 2);
}

/* A value that is no object, as the entry has it; NULL: not certain. */
static char *write_simple(char *to, int kind, const char *at, const char *end) {
    long size = end - at, digits = count_digits(at, end);
    switch (kind) {
    case FORM_TEXT: return *at == '"' ? put_bytes(to, at, size) : NULL;
    case FORM_FLAG: return *at == 't' || *at == 'f' ? put_bytes(to, at, size) : NULL;
    case FORM_INT32: return digits == size && size <= 9 ? put_bytes(to, at, size) : NULL;
    case FORM_SECONDS: return write_seconds(to, at, end);
    case FORM_INT64: /* as text: a double does not hold it */
        if (digits != size || size > 18) return NULL;
        *to++ = '"';
        to = put_bytes(to, at, size);
        *to++ = '"';
        return to;
    }
    return NULL;
}

/* Which part a member is; NULL: none. */
static inline const Part *part_of(const Form *form, const Slice *key) {
    static const Part TEXT = {.kind = FORM_TEXT};
    if (form->kind == FORM_MAP)
        return key->size < form->prefix.size || memcmp(key->at, form->prefix.at, form->prefix.size)
               ? &TEXT : NULL;
    for (int n = 0; n < form->count; n++) {
        const Part *part = &form->parts[n];
        if (part->name.size == key->size && !memcmp(part->name.at, key->at, key->size)) return part;
    }
    return NULL;
}

/* An object of which every member is a part of its type; at least one. */
static char *write_record(char *to, const Form *form, const char *at, const char *end) {
    Reading reading, *r = &reading;
    Slice key;
    r->at = at + 1, r->end = end, r->used = 0;
    if (*at != '{' || (form->kind == FORM_MAP && end - at > MAX_MAP)) return NULL;
    for (char open = '{';; open = ',') {
        const Part *part;
        skip_space(r);
        if (r->used == form->count || !take_key(r, 0, &key)) return NULL;
        if ((part = part_of(form, &key)) == NULL) return NULL;
        const char *value = r->at;
        if (!skip_value(r, 1)) return NULL;
        *to++ = open;
        to = put_bytes(to, key.at - 1, key.size + 2);
        *to++ = ':';
        to = write_simple(to, part->kind, value, r->at);
        if (to == NULL) return NULL;
        skip_space(r);
        if (r->at >= r->end) return NULL;
        if (*r->at++ == '}') break;
    }
    *to++ = '}';
    return to;
}

static inline char *write_member(char *to, const Form *form, const char *at, const char *end) {
    if (form->kind == FORM_ID) return write_id(to, form, at, end);
    to = put_bytes(to, form->before.at, form->before.size);
    if (form->kind == FORM_RECORD || form->kind == FORM_MAP) return write_record(to, form, at, end);
    return write_simple(to, form->kind, at, end);
}

static inline int says_nothing(int kind, const char *at, const char *end) {
    if (kind == FORM_CHOICE || kind == FOR_CALLER) return 0;
    return *at == 'n' || (end - at == 2 && (*at == '"' || (*at == '{' && kind != FORM_MAP)));
}

/* Writes what the special members become, at most their own size and the growth of their forms;
   the end of it, or NULL: the row is for the caller. `known` is the row's time. */
static char *lift(char *to, const char *text, const Object *object, const Form *forms,
                  Choices *choices, const char *known, int known_size, Lifted *lifted) {
    uint64_t told = 0;
    for (int n = 0; n < object->specials; n++) {
        const Special *special = &object->special[n];
        const Form *form = &forms[special->key];
        const char *at = text + special->value, *end = text + special->value_end;
        if (form->kind == FORM_MESSAGE && *at == '"') {
            lifted->message = special->value + 1;
            lifted->message_size = special->value_end - special->value - 1;
        }
        if (form->kind == FORM_MESSAGE) continue;
        if (says_nothing(form->kind, at, end)) continue;
        if (told >> form->target & 1) return NULL;
        told |= (uint64_t)1 << form->target;
        if (form->kind == FORM_CHOICE) {
            lifted->choice = choice_of(choices, special->key, at, end - at);
            lifted->choice_key = special->key;
            if (lifted->choice < 0) return NULL;
            continue;
        }
        lifted->gone |= (uint64_t)1 << special->key;
        lifted->leaving++;
        if (form->kind == FORM_TIME) {
            if (!is_time_of_day(at, end, known, known_size)) return NULL;
            lifted->time = special->value + 1;
            lifted->time_size = special->value_end - special->value - 2;
        } else if ((to = write_member(to, form, at, end)) == NULL) return NULL;
    }
    return to;
}
