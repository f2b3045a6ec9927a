/* Values of any type: the table of types, and what is the same for all. */
#include "store/value.h"

#include "base/assert.h"
#include "base/mem.h"
#include "ds/dict.h"
#include "store/string_value.h"
#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream.h"
#include "types/zset.h"

static const struct value_ops *const types[VALUE_TYPE_COUNT] = {
    [VALUE_LIST] = &list_value_ops,
    [VALUE_SET] = &set_value_ops,
    [VALUE_ZSET] = &zset_value_ops,
    [VALUE_HASH] = &hash_value_ops,
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

size_t key_memory(const struct entry *entry, size_t samples)
{
    size_t places = (sizeof(struct dict_bucket) + DICT_BUCKET_SLOTS - 1) / DICT_BUCKET_SLOTS;

    if (entry->flags & ENTRY_EXPIRES)
        places += sizeof(void *);
    return mem_block_size(entry_block_size(entry)) + places + value_memory(entry, samples);
}
