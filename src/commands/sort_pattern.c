/* SORT: the patterns of BY and GET, which lead from an element to another key. */
#include "sort_internal.h"

#include "base/hash.h"
#include "base/mem.h"
#include "store/string_value.h"
#include "types/hash_value.h"

/* Where "->" begins that names a field, behind 'from'; NULL when there is none. */
static const char *find_arrow(const char *from, const char *end)
{
    const char *arrow = memmem(from, (size_t)(end - from), "->", 2);

    return arrow && arrow + 2 < end ? arrow : NULL;
}

struct sort_pattern sort_pattern_of(struct bytes text)
{
    const char *end = text.data + text.len;
    const char *star = text.len ? memchr(text.data, '*', text.len) : NULL;
    const char *arrow, *key_end = end;
    struct sort_pattern pattern = {.has_star = star != NULL};

    pattern.is_element = text.len == 1 && *text.data == '#';
    if (!star)
        return pattern;
    arrow = find_arrow(star + 1, end);
    if (arrow) {
        pattern.field = (struct bytes){arrow + 2, (size_t)(end - arrow) - 2};
        key_end = arrow;
    }
    pattern.before = (struct bytes){text.data, (size_t)(star - text.data)};
    pattern.behind = (struct bytes){star + 1, (size_t)(key_end - star) - 1};
    return pattern;
}

/* The name of the key, in the sort's buffer. */
static struct bytes key_of(struct sort *sort, const struct sort_pattern *pattern, struct bytes element)
{
    size_t len = pattern->before.len + element.len + pattern->behind.len;

    if (len > sort->key_size) {
        mem_free(sort->key, sort->key_size);
        sort->key_size = mem_block_size(len);
        sort->key = mem_alloc(sort->key_size);
    }
    bytes_copy(sort->key, pattern->before.data, pattern->before.len);
    bytes_copy(sort->key + pattern->before.len, element.data, element.len);
    bytes_copy(sort->key + pattern->before.len + element.len, pattern->behind.data,
               pattern->behind.len);
    return (struct bytes){sort->key, len};
}

static bool content_of(const struct entry *entry, const struct sort_pattern *pattern, char *text,
                       struct bytes *value)
{
    if (pattern->field.data)
        return entry->type == VALUE_HASH && hash_get(entry_value(entry), hashed(pattern->field), value);
    if (entry->type != VALUE_STRING)
        return false;
    *value = string_get(entry, text);
    return true;
}

bool sort_look_up(struct sort *sort, const struct sort_pattern *pattern, struct bytes element,
                  char *text, struct bytes *value)
{
    struct client *client = sort->req->client;
    struct key_ref ref;
    struct bytes key;

    if (pattern->is_element) {
        *value = element;
        return true;
    }
    if (!pattern->has_star)
        return false;
    key = key_of(sort, pattern, element);
    ref = store_find(sort->req->db, key, hash_bytes(key),
                     client->flags & CLIENT_NO_TOUCH ? LOOKUP_NOTOUCH : LOOKUP_READ);
    return ref.entry && content_of(ref.entry, pattern, text, value);
}
