/* Comparing views. */
#include "base/bytes.h"

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;

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
