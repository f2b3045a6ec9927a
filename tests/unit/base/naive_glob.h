/* Redis's glob once more, for the tests and the fuzzer of bytes_match: written from its
 * description, by the set of places of the text that each element of the pattern can reach. */
#ifndef TERN_TESTS_NAIVE_GLOB_H
#define TERN_TESTS_NAIVE_GLOB_H

#include "base/bytes.h"

#include <ctype.h>

#define NAIVE_TEXT_MAX 256

static inline bool naive_same(char a, char b, bool ignore_case)
{
    return ignore_case ? tolower((unsigned char)a) == tolower((unsigned char)b) : a == b;
}

static inline int naive_value(char c, bool ignore_case)
{
    return ignore_case && isupper((unsigned char)c) ? tolower(c) : (signed char)c;
}

static inline bool naive_in_range(char low, char high, char c, bool ignore_case)
{
    if ((signed char)low > (signed char)high)
        return naive_in_range(high, low, c, ignore_case);
    return naive_value(c, ignore_case) >= naive_value(low, ignore_case) &&
           naive_value(c, ignore_case) <= naive_value(high, ignore_case);
}

/* The element at the start of 'pattern', which is no star, against 'c'. '*size' is its length. */
static inline bool naive_element(struct bytes pattern, char c, bool ignore_case, size_t *size)
{
    const char *data = pattern.data;
    bool is_negated = pattern.len > 1 && data[1] == '^', is_member = false;
    size_t at = is_negated ? 2 : 1;

    *size = data[0] == '\\' && pattern.len > 1 ? 2 : 1;
    if (data[0] == '?')
        return true;
    if (data[0] != '[')
        return naive_same(data[*size - 1], c, ignore_case);
    while (at < pattern.len && data[at] != ']') {
        if (data[at] == '\\' && at + 1 < pattern.len) {
            is_member = is_member || data[at + 1] == c;
            at += 2;
        } else if (at + 2 < pattern.len && data[at + 1] == '-') {
            is_member = is_member || naive_in_range(data[at], data[at + 2], c, ignore_case);
            at += 3;
        } else {
            is_member = is_member || naive_same(data[at], c, ignore_case);
            at += 1;
        }
    }
    *size = at < pattern.len ? at + 1 : at;
    return is_member != is_negated;
}

/* 'text' has at most NAIVE_TEXT_MAX bytes. */
static inline bool naive_match(struct bytes pattern, struct bytes text, bool ignore_case)
{
    bool reached[NAIVE_TEXT_MAX + 1] = {true}; /* the pattern so far takes that many bytes */
    size_t size = 1;

    if (text.len == 0)
        return pattern.len == 0;
    for (; pattern.len > 0; pattern.data += size, pattern.len -= size) {
        if (pattern.data[0] == '*') {
            size = 1;
            for (size_t i = 1; i <= text.len; i++)
                reached[i] = reached[i] || reached[i - 1];
            continue;
        }
        for (size_t i = text.len; i-- > 0;) /* the size is the same for each byte */
            reached[i + 1] = naive_element(pattern, text.data[i], ignore_case, &size) && reached[i];
        reached[0] = false;
    }
    return reached[text.len];
}

#endif
