/* A view of bytes that somebody else owns: pointer and length, any content, no terminator.
 *
 * A view never outlives the call that receives it unless the comment there says so. An empty view
 * may have a NULL pointer. */
#ifndef TERN_BASE_BYTES_H
#define TERN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
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

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Orders as memcmp does, the shorter first when one is the beginning of the other: <0, 0, >0. */
int bytes_compare(struct bytes a, struct bytes b);

/* True when 'a' is 'text' but for the case of ASCII letters. */
bool bytes_is(struct bytes a, const char *text);

/* Redis's glob: * ? [abc] [^a-c] \x. Never takes more than O(pattern * text) steps. */
bool bytes_match(struct bytes pattern, struct bytes text, bool ignore_case);

#endif
