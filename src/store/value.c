/* Values of any type: the table of types, and what is the same for all. */
#include "store/value.h"

#include "base/assert.h"
#include "store/string_value.h"
#include "types/list.h"
#include "types/stream.h"

static const struct value_ops *const types[VALUE_TYPE_COUNT] = {
    [VALUE_LIST] = &list_value_ops,
    [VALUE_STREAM] = &stream_value_ops,
};

const struct value_ops *value_ops_of(enum value_type type) { return types[type]; }

const char *value_encoding(const struct entry *entry)
{
    if (entry->type == VALUE_STRING)
        return string_encoding(entry);
    return types[entry->type]->encoding(entry_value(entry));
}

size_t value_memory(const struct entry *entry, size_t samples)
{
    if (entry->type == VALUE_STRING)
        return string_extra_memory(entry);
    return types[entry->type]->memory(entry_value(entry), samples);
}
