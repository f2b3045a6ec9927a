/* Values of all types for tests of RDB, made at random, and the way there and back. */
#ifndef TERN_TESTS_RDB_VALUES_H
#define TERN_TESTS_RDB_VALUES_H

#include "base/random.h"
#include "persist/rdb_value.h"
#include "store/string_value.h"
#include "store/value.h"
#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/stream_group.h"
#include "types/zset.h"

#define TEXT_MAX 600

struct any_text {
    char data[TEXT_MAX];
    size_t len;
};

static inline struct bytes any_bytes(struct random *random, struct any_text *text)
{
    static const unsigned short lengths[] = {0, 1, 2, 5, 11, 12, 20, 21, 40, 63, 64, 65, 127, 128, 300, 600};
    unsigned kind = (unsigned)random_below(random, 4);

    text->len = lengths[random_below(random, kind == 0 ? 16 : 10)];
    for (size_t i = 0; i < text->len; i++)
        text->data[i] = kind == 1 ? (char)('a' + i % 3) : kind == 2 ? 'x' : (char)random_next(random);
    if (kind == 3)
        text->len = int64_format(text->data, (int64_t)random_next(random) >> random_below(random, 64));
    return (struct bytes){text->data, text->len};
}

static inline struct list *any_list(struct random *random, size_t count)
{
    struct list *list = list_new();
    struct any_text text;

    while (count--)
        list_push(list, random_below(random, 2) ? LIST_TAIL : LIST_HEAD, any_bytes(random, &text));
    return list;
}

static inline struct set *any_set(struct random *random, size_t count)
{
    struct set *set = set_new();
    bool is_ints = random_below(random, 2);
    struct any_text text;
    char number[INT64_TEXT_MAX];

    while (count--)
        set_add(set, hashed(is_ints ? (struct bytes){number, int64_format(number, (int64_t)random_below(random, 100000))}
                             : any_bytes(random, &text)));
    return set;
}

static inline struct zset *any_zset(struct random *random, size_t count)
{
    struct zset *set = zset_new(0, 0);
    struct any_text text;

    while (count--)
        zset_add(set, (double)random_below(random, 64) / 8 - 4, hashed(any_bytes(random, &text)), 0, NULL);
    return set;
}

static inline struct hash *any_hash(struct random *random, size_t count)
{
    struct hash *hash = hash_new();
    bool has_deadlines = random_below(random, 2);
    struct any_text field, value;

    while (count--) {
        hash_set(hash, hashed(any_bytes(random, &field)), any_bytes(random, &value), false);
        if (has_deadlines && random_below(random, 2))
            hash_set_deadline(hash, (struct bytes){field.data, field.len},
                              1800000000000 + (int64_t)random_below(random, 1000));
    }
    return hash;
}

static inline void any_group(struct random *random, struct stream *stream, char name)
{
    struct stream_group *group =
        stream_group_add(stream, (struct bytes){&name, 1}, (struct stream_id){random_below(random, 900), 0},
                         (int64_t)random_below(random, 50) - 1);
    for (char consumer = 'a'; consumer < 'a' + (char)random_below(random, 4); consumer++) {
        struct stream_consumer *to = stream_consumer_add(group, (struct bytes){&consumer, 1}, 1790000000000);
        for (uint64_t n = random_below(random, 20); n; n--) {
            struct stream_id id = {random_below(random, 1000), random_below(random, 3)};
            if (!stream_pending_find(group, id))
                stream_pending_add(group, to, id, 1790000000001)->deliveries = random_below(random, 5);
        }
    }
}

static inline struct stream *any_stream(struct random *random, size_t count)
{
    struct stream *stream = stream_new();
    struct stream_id id = {random_below(random, 100) + 1, 0};
    struct any_text texts[4];
    struct bytes pairs[4];

    for (size_t i = 0; i < count; i++) {
        for (int j = 0; j < 4; j++)
            pairs[j] = any_bytes(random, &texts[j]);
        if (random_below(random, 3))
            pairs[0] = BYTES("field"), pairs[2] = BYTES("other");
        id.ms += random_below(random, 5);
        id.seq++;
        stream_append(stream, id, pairs, 1 + random_below(random, 2), (struct stream_limits){4096, 20});
        if (!random_below(random, 5))
            stream_delete(stream, id);
    }
    for (char name = 'A'; name < 'A' + (char)random_below(random, 3); name++)
        any_group(random, stream, name);
    return stream;
}

/* The key becomes a value of a type, with about so many elements. */
static inline void make_any(struct random *random, struct key_ref *ref, struct bytes key, enum value_type type,
                            size_t count)
{
    struct any_text text;

    switch (type) {
    case VALUE_STRING:
        string_set(ref, key, any_bytes(random, &text), false);
        break;
    case VALUE_LIST:
        store_replace(ref, key, type, any_list(random, count + 1));
        break;
    case VALUE_SET:
        store_replace(ref, key, type, any_set(random, count + 1));
        break;
    case VALUE_ZSET:
        store_replace(ref, key, type, any_zset(random, count + 1));
        break;
    case VALUE_HASH:
        store_replace(ref, key, type, any_hash(random, count + 1));
        break;
    default:
        store_replace(ref, key, type, any_stream(random, count));
    }
}

static inline void check_value(const struct entry *entry)
{
    if (entry->type != VALUE_STRING)
        value_ops_of((enum value_type)entry->type)->check(entry_value(entry));
}

#endif
