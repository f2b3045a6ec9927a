/* Comparing views. */
#include "base/bytes.h"

/* Eight bytes as a number that orders as they do. */
static uint64_t ordered_word(const char *at)
{
    uint64_t word = bytes_word(at);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* memcmp for short ones: libc's may read 32 bytes at once and wait for a line of memory that has nothing of them. */
static int compare_short(const char *a, const char *b, size_t len)
{
    for (; len >= 8; a += 8, b += 8, len -= 8)
        if (bytes_word(a) != bytes_word(b))
            return ordered_word(a) < ordered_word(b) ? -1 : 1;
    for (; len > 0 && *a == *b; a++, b++)
        len--;
    return len > 0 ? (unsigned char)*a - (unsigned char)*b : 0;
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common <= BYTES_SHORT ? compare_short(a.data, b.data, common) : memcmp(a.data, b.data, common);

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool bytes_is(struct bytes a, const char *text)
{
    for (size_t i = 0; i < a.len; i++)
        if (text[i] == '\0' || lower(a.data[i]) != lower(text[i]))
            return false;
    return text[a.len] == '\0';
}
