/* The loops of the row kernel that look at every byte. No Python here. */
#include <stdint.h>
#include <string.h>

static const char ESCAPE_DIGITS[] = "0123456789abcdef";

static inline char *escape_char(char *out, unsigned char c) {
    *out++ = '\\';
    switch (c) {
    case '"': case '\\': *out++ = (char)c; return out;
    case '\b': *out++ = 'b'; return out;
    case '\t': *out++ = 't'; return out;
    case '\n': *out++ = 'n'; return out;
    case '\f': *out++ = 'f'; return out;
    case '\r': *out++ = 'r'; return out;
    }
    memcpy(out, "u00", 3);
    out[3] = ESCAPE_DIGITS[c >> 4];
    out[4] = ESCAPE_DIGITS[c & 15];
    return out + 5;
}

static inline int must_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

/* As GCC and Clang have vectors, on every processor. */
typedef uint8_t Bytes16 __attribute__((vector_size(16)));

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_BYTE(word) (__builtin_ctzll(word) / 8)
#else
#define FIRST_BYTE(word) (__builtin_clzll(word) / 8)
#endif

/* How many of 16 bytes stand before the first that must be escaped; 16: none. */
static inline int clean_bytes(Bytes16 bytes) {
    uint64_t mark[2];
    Bytes16 marked = (Bytes16)((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
    memcpy(mark, &marked, 16);
    if (mark[0]) return FIRST_BYTE(mark[0]);
    return mark[1] ? 8 + FIRST_BYTE(mark[1]) : 16;
}

/* Writes the text as JSON has it between quotes; at most 6 bytes a byte, and 16 more are touched. */
static inline long escape(char *out, const char *text, long size) {
    char *to = out;
    long at = 0;
    while (at + 16 <= size) {
        Bytes16 bytes;
        memcpy(&bytes, text + at, 16);
        memcpy(to, &bytes, 16);
        int clean = clean_bytes(bytes);
        to += clean;
        at += clean;
        if (clean < 16) to = escape_char(to, (unsigned char)text[at++]);
    }
    for (; at < size; at++) {
        unsigned char c = (unsigned char)text[at];
        if (must_escape(c)) to = escape_char(to, c);
        else *to++ = (char)c;
    }
    return (long)(to - out);
}

static inline void hex16(char *out, uint64_t value) {
    for (int n = 15; n >= 0; n--, value >>= 4) out[n] = ESCAPE_DIGITS[value & 15];
}

static inline int digits(const char *at, int count) {
    int value = 0;
    for (int n = 0; n < count; n++) {
        unsigned digit = (unsigned char)at[n] - '0';
        if (digit > 9) return -1;
        value = value * 10 + (int)digit;
    }
    return value;
}

static inline int days_of(int year, int month) {
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : DAYS[month - 1];
}

/* Whether 16 bytes are the date and minute of an RFC 3339 time that exists. */
static inline int minute_exists(const char *at) {
    int year = digits(at, 4), month = digits(at + 5, 2), day = digits(at + 8, 2);
    int hour = digits(at + 11, 2), minute = digits(at + 14, 2);
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':') return 0;
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days_of(year, month) &&
           hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

enum { MINUTE = 16 };

/* Of two RFC 3339 times. */
static inline int same_minute(const char *a, const char *b) { return memcmp(a, b, MINUTE) == 0; }

/* Bytes of the RFC 3339 time that the text begins with, 0 if there is none. `known`: 16 bytes of a
   minute that exists, or NULL. `size` bytes may be looked at. */
static inline int rfc3339(const char *at, long size, const char *known) {
    int n = 19;
    if (size < 20) return 0;
    if ((known == NULL || !same_minute(at, known)) && !minute_exists(at)) return 0;
    int seconds = digits(at + 17, 2);
    if (at[16] != ':' || seconds < 0 || seconds > 59) return 0;
    if (at[n] == '.') {
        int first = ++n;
        while (n < size && at[n] >= '0' && at[n] <= '9') n++;
        if (n == first || n - first > 9) return 0;
    }
    if (n >= size) return 0;
    if (at[n] == 'Z') return n + 1;
    if ((at[n] != '+' && at[n] != '-') || n + 6 > size) return 0;
    int hours = digits(at + n + 1, 2), minutes = digits(at + n + 4, 2);
    if (hours < 0 || hours > 23 || at[n + 3] != ':' || minutes < 0 || minutes > 59) return 0;
    return n + 6;
}

/* The same of a time at the start of a line, which a space must follow. */
static inline int cri_time(const char *at, long size, const char *known) {
    int n = rfc3339(at, size, known);
    return n > 0 && n < size && at[n] == ' ' ? n : 0;
}
