/* Whether a text is a JSON object that may be shipped as it is, and where its special members lie.

   Strict RFC 8259, and more careful than a parser need be: whatever two parsers could read
   differently (a key twice, escapes in keys, odd surrogates, huge numbers, deep nesting) is left to
   the caller, who parses it. Nothing is allocated. */
#include <stdint.h>
#include <string.h>

#define MAX_LEVELS 32
#define MAX_KEYS 96 /* of all objects that are open at one place */
#define MAX_SPECIAL 12

typedef struct { const char *at; long size; } Slice;

typedef struct {
    int key;        /* which of the special keys */
    int32_t value, value_end;    /* in the text */
    int32_t member, member_end;  /* with the comma that goes with it */
} Special;

typedef struct {
    Special special[MAX_SPECIAL];
    int specials;
    int members; /* of the object itself */
} Object;

typedef struct { const Slice *keys; int count; const uint8_t *firsts; } SpecialKeys;

typedef struct { const char *at, *end; Slice keys[MAX_KEYS]; int used; } Reading;

static inline void skip_space(Reading *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static inline int hex4(const char *at) {
    int value = 0;
    for (int n = 0; n < 4; n++) {
        char c = at[n];
        int digit = c >= '0' && c <= '9' ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Past the escape that begins at `at` (a backslash), or NULL. */
static inline const char *skip_escape(const char *at, const char *end) {
    if (end - at < 2) return NULL;
    if (at[1] != 'u') return memchr("\"\\/bfnrt", at[1], 8) ? at + 2 : NULL;
    int high = end - at >= 6 ? hex4(at + 2) : -1;
    if (high < 0) return NULL;
    if (high < 0xd800 || high > 0xdfff) return at + 6;
    if (high > 0xdbff || end - at < 12 || at[6] != '\\' || at[7] != 'u') return NULL;
    int low = hex4(at + 8);
    return low >= 0xdc00 && low <= 0xdfff ? at + 12 : NULL;
}

/* After the opening quote; past the closing one, or NULL. `escaped` is set if there was a backslash. */
static inline const char *skip_string(const char *at, const char *end, int *escaped) {
    for (;;) {
        while (at + 16 <= end) {
            Bytes16 bytes;
            memcpy(&bytes, at, 16);
            int clean = clean_bytes(bytes);
            at += clean;
            if (clean < 16) break;
        }
        while (at < end && !must_escape((unsigned char)*at)) at++;
        if (at >= end) return NULL;
        if (*at == '"') return at + 1;
        if (*at != '\\') return NULL;
        *escaped = 1;
        at = skip_escape(at, end);
        if (at == NULL) return NULL;
    }
}

static inline const char *skip_number(const char *at, const char *end) {
    const char *start = at;
    if (at < end && *at == '-') at++;
    if (at >= end) return NULL;
    if (*at == '0') at++;
    else if (*at >= '1' && *at <= '9') while (at < end && *at >= '0' && *at <= '9') at++;
    else return NULL;
    if (at < end && *at == '.') {
        const char *first = ++at;
        while (at < end && *at >= '0' && *at <= '9') at++;
        if (at == first) return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) return NULL; /* may be infinite */
    return at - start <= 17 ? at : NULL;                       /* may not fit */
}

static int skip_value(Reading *r, int level);

static inline int take_key(Reading *r, int first, Slice *key) {
    int escaped = 0;
    if (r->at >= r->end || *r->at != '"') return 0;
    key->at = r->at + 1;
    r->at = skip_string(r->at + 1, r->end, &escaped);
    if (r->at == NULL || escaped || r->used == MAX_KEYS) return 0;
    key->size = r->at - 1 - key->at;
    for (int n = first; n < r->used; n++)
        if (r->keys[n].size == key->size && !memcmp(r->keys[n].at, key->at, key->size)) return 0;
    r->keys[r->used++] = *key;
    skip_space(r);
    if (r->at >= r->end || *r->at != ':') return 0;
    r->at++;
    skip_space(r);
    return 1;
}

static int skip_members(Reading *r, int level) {
    int first = r->used;
    Slice key;
    skip_space(r);
    if (r->at < r->end && *r->at == '}') { r->at++; return 1; }
    for (;;) {
        if (!take_key(r, first, &key) || !skip_value(r, level)) return 0;
        skip_space(r);
        if (r->at >= r->end) return 0;
        char c = *r->at++;
        if (c == '}') break;
        if (c != ',') return 0;
        skip_space(r);
    }
    r->used = first;
    return 1;
}

static int skip_items(Reading *r, int level) {
    skip_space(r);
    if (r->at < r->end && *r->at == ']') { r->at++; return 1; }
    for (;;) {
        if (!skip_value(r, level)) return 0;
        skip_space(r);
        if (r->at >= r->end) return 0;
        char c = *r->at++;
        if (c == ']') return 1;
        if (c != ',') return 0;
        skip_space(r);
    }
}

static int skip_value(Reading *r, int level) {
    int escaped = 0;
    if (r->at >= r->end || level >= MAX_LEVELS) return 0;
    switch (*r->at) {
    case '"': r->at = skip_string(r->at + 1, r->end, &escaped); return r->at != NULL;
    case '{': r->at++; return skip_members(r, level + 1);
    case '[': r->at++; return skip_items(r, level + 1);
    case 't': if (r->end - r->at < 4 || memcmp(r->at, "true", 4)) return 0; r->at += 4; return 1;
    case 'n': if (r->end - r->at < 4 || memcmp(r->at, "null", 4)) return 0; r->at += 4; return 1;
    case 'f': if (r->end - r->at < 5 || memcmp(r->at, "false", 5)) return 0; r->at += 5; return 1;
    default: r->at = skip_number(r->at, r->end); return r->at != NULL;
    }
}

static inline int special_key(const SpecialKeys *known, const Slice *key) {
    if (key->size == 0 || !known->firsts[(unsigned char)key->at[0]]) return -1;
    for (int n = 0; n < known->count; n++)
        if (known->keys[n].size == key->size && !memcmp(known->keys[n].at, key->at, key->size))
            return n;
    return -1;
}

/* Whether the whole text is an object that can be shipped; what it found is in `object`. */
static int read_object(const char *text, long size, const SpecialKeys *known, Object *object) {
    Reading reading, *r = &reading; /* its keys are large, and need not be cleared */
    r->at = text + 1, r->end = text + size, r->used = 0;
    object->specials = object->members = 0;
    skip_space(r);
    if (r->at < r->end && *r->at == '}') r->at++;
    else for (const char *before = r->at;;) { /* `before`: where the member may be cut off */
        Slice key;
        const char *value;
        if (!take_key(r, 0, &key)) return 0;
        value = r->at;
        if (!skip_value(r, 1)) return 0;
        int found = special_key(known, &key);
        const char *value_end = r->at;
        skip_space(r);
        if (r->at >= r->end) return 0;
        char c = *r->at++;
        object->members++;
        if (found >= 0) {
            if (object->specials == MAX_SPECIAL) return 0;
            Special *s = &object->special[object->specials++];
            s->key = found;
            s->value = (int32_t)(value - text), s->value_end = (int32_t)(value_end - text);
            /* The first members go with the comma after them, others with the one before. */
            s->member = (int32_t)(before - text);
            s->member_end = (int32_t)(r->at - 1 - text);
        }
        if (c == '}') break;
        if (c != ',') return 0;
        before = r->at - 1;
        skip_space(r);
    }
    skip_space(r);
    return r->at == r->end;
}
