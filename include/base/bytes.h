/* A view of bytes that somebody else owns: pointer and length, any content, no terminator.
 *
 * A view never outlives the call that receives it unless the comment there says so. An empty view
 * may have a NULL pointer. */
#ifndef TERN_BASE_BYTES_H
#define TERN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

/* A view of a string literal, without its terminator. */
#define BYTES(literal) ((struct bytes){"" literal, sizeof(literal) - 1})

static inline struct bytes bytes_from_string(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

#define BYTES_SHORT 64 /* up to here words in line beat a call of libc */

static inline uint64_t bytes_word(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t bytes_half(const char *at)
{
    uint32_t half;

    memcpy(&half, at, sizeof half);
    return half;
}

/* The same 'len' bytes at both places. On the path of every request: comparing a 16-byte key in line
 * instead of with memcmp made GET, 64 deep, 0.8 times as long. */
static inline bool bytes_same(const char *a, const char *b, size_t len)
{
    if (len > BYTES_SHORT)
        return memcmp(a, b, len) == 0;
    if (len >= 8) {
        for (size_t at = 0; at < len - 8; at += 8)
            if (bytes_word(a + at) != bytes_word(b + at))
                return false;
        return bytes_word(a + len - 8) == bytes_word(b + len - 8);
    }
    if (len >= 4)
        return bytes_half(a) == bytes_half(b) && bytes_half(a + len - 4) == bytes_half(b + len - 4);
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Copies; the places do not overlap. Short ones in line. */
static inline __attribute__((always_inline)) void bytes_copy(char *to, const char *from, size_t len)
{
    if (len > BYTES_SHORT) {
        memcpy(to, from, len);
    } else if (len >= 16) {
        for (size_t at = 0; at < len - 16; at += 16)
            memcpy(to + at, from + at, 16);
        memcpy(to + len - 16, from + len - 16, 16);
    } else if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        memcpy(to, from, 4);
        memcpy(to + len - 4, from + len - 4, 4);
    } else if (len) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && bytes_same(a.data, b.data, a.len);
}

/* Orders as memcmp does, the shorter first when one is the beginning of the other: <0, 0, >0. */
int bytes_compare(struct bytes a, struct bytes b);

/* True when 'a' is 'text' but for the case of ASCII letters. */
bool bytes_is(struct bytes a, const char *text);

/* Redis's glob (an empty text matches the empty pattern only, not '*'): * ? [abc] [^a-c] \x. Never takes more than O(pattern * text) steps. */
bool bytes_match(struct bytes pattern, struct bytes text, bool ignore_case);

#endif
