/* The loops of the row kernel that look at every byte. No Python here. */
#include <stdint.h>
#include <string.h>

/* Eight bytes at a time: the high bit of each byte that must be escaped in JSON. */
static inline uint64_t escape_mask(uint64_t word) {
    const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    /* A byte is below 0x20, or became 0: the borrow shows in its high bit if that was not set. */
    return (((word - ones * 0x20) | (quote - ones) | (slash - ones)) & ~word) & high;
}

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

/* Writes the text as JSON has it between quotes; at most 6 bytes a byte, and 8 more are touched. */
static inline long escape(char *out, const char *text, long size) {
    char *to = out;
    long at = 0;
    while (at + 8 <= size) {
        uint64_t word;
        memcpy(&word, text + at, 8);
        memcpy(to, &word, 8);
        if (!escape_mask(word)) {
            to += 8;
            at += 8;
            continue;
        }
        /* The mask may name a byte too many (a borrow), never one too few: look at each. */
        for (int n = 0; n < 8; n++, at++) {
            unsigned char c = (unsigned char)text[at];
            if (c < 0x20 || c == '"' || c == '\\') to = escape_char(to, c);
            else *to++ = (char)c;
        }
    }
    for (; at < size; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c < 0x20 || c == '"' || c == '\\') to = escape_char(to, c);
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

/* Bytes of the RFC 3339 time that the text begins with, 0 if there is none. `known`: 16 bytes of a
   minute that exists, or NULL. `size` bytes may be looked at. */
static inline int rfc3339(const char *at, long size, const char *known) {
    int n = 19;
    if (size < 20) return 0;
    if ((known == NULL || memcmp(at, known, 16) != 0) && !minute_exists(at)) return 0;
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
