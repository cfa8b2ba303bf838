/* Values of members: JSON strings without their escapes, times as numbers. No Python here.

   Whatever comes in was checked before: by `read_object`, or by `is_time`. */
#include <stdint.h>
#include <string.h>

/* The character of 4 hex digits that are there for certain. */
static inline uint32_t unit_of(const char *at) { return (uint32_t)hex4(at); }

static inline char *put_utf8(char *to, uint32_t c) {
    if (c < 0x80) { *to++ = (char)c; return to; }
    if (c < 0x800) *to++ = (char)(0xc0 | c >> 6);
    else {
        if (c < 0x10000) *to++ = (char)(0xe0 | c >> 12);
        else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 63));
        }
        *to++ = (char)(0x80 | (c >> 6 & 63));
    }
    *to++ = (char)(0x80 | (c & 63));
    return to;
}

/* Writes what stands between the quotes of a valid JSON string as text; never more bytes than it has. */
static long unescape(char *out, const char *at, long size) {
    char *to = out;
    const char *end = at + size;
    while (at < end) {
        const char *slash = memchr(at, '\\', end - at);
        long plain = (slash == NULL ? end : slash) - at;
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (slash == NULL) break;
        char c = at[1];
        at += 2;
        if (c != 'u') {
            *to++ = c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'n' ? '\n' : c == 'r' ? '\r'
                    : c == 't' ? '\t' : c;
            continue;
        }
        uint32_t found = unit_of(at);
        at += 4;
        if (found >= 0xd800 && found <= 0xdbff) {
            found = 0x10000 + ((found - 0xd800) << 10) + (unit_of(at + 2) - 0xdc00);
            at += 6;
        }
        to = put_utf8(to, found);
    }
    return (long)(to - out);
}

#define MAX_TIME 35 /* 2026-11-23T04:46:31.123456789+05:30 */

/* Whether the whole text is an RFC 3339 time that exists, with at most nanoseconds. */
static inline int is_time(const char *at, long size) {
    char line[MAX_TIME + 1];
    if (size < 20 || size > MAX_TIME) return 0;
    memcpy(line, at, size);
    line[size] = ' ';
    return cri_time(line, size + 1, NULL) == size;
}

/* Digits of the fraction of a time. */
static inline int fraction_size(const char *at) {
    int n = 0;
    if (at[19] == '.') while ((unsigned char)at[20 + n] - '0' < 10u) n++;
    return n;
}

static inline int64_t days_from_1970(int year, int month, int day) {
    /* Howard Hinnant's days_from_civil: years begin in March, so that leap days come last. */
    year -= month <= 2;
    int era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Microseconds since 1970 of a time, rounded down; the nanoseconds left over are in `nanos`. */
static inline int64_t micros_of(const char *at, long size, int *nanos) {
    int64_t seconds = days_from_1970(digits(at, 4), digits(at + 5, 2), digits(at + 8, 2)) * 86400;
    int count = fraction_size(at), fraction = 0;
    seconds += digits(at + 11, 2) * 3600 + digits(at + 14, 2) * 60 + digits(at + 17, 2);
    for (int n = 0; n < 9; n++) fraction = fraction * 10 + (n < count ? at[20 + n] - '0' : 0);
    if (at[size - 1] != 'Z') {
        int offset = digits(at + size - 5, 2) * 3600 + digits(at + size - 2, 2) * 60;
        seconds += at[size - 6] == '-' ? offset : -offset;
    }
    *nanos = fraction % 1000;
    return seconds * 1000000 + fraction / 1000;
}

/* Copies a time without what is below its microseconds. */
static inline char *put_micros(char *to, const char *at, long size) {
    int count = fraction_size(at);
    if (count <= 6) {
        memcpy(to, at, size);
        return to + size;
    }
    memcpy(to, at, 26);
    memcpy(to + 26, at + 20 + count, size - 20 - count);
    return to + 26 + size - 20 - count;
}

/* A number of protobuf: seven bits a byte, the lowest first. */
static inline char *put_varint(char *to, uint64_t value) {
    for (; value > 0x7f; value >>= 7) *to++ = (char)(value | 0x80);
    *to++ = (char)value;
    return to;
}
