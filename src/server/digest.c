/* The digest of all data, computed as Redis computes it (its DEBUG DIGEST), so that a Tern and a Redis
 * with equal data give equal digests.
 *
 *     mix(d, x):  d = SHA1(d xor SHA1(x))     order matters
 *     add(d, x):  d = d xor SHA1(x)           order does not */
#include "server_internal.h"

#include "base/assert.h"
#include "base/numbers.h"
#include "base/sha1.h"
#include "ds/listpack.h"
#include "store/string_value.h"
#include "types/hash_value.h"
#include "types/list.h"
#include "types/set.h"
#include "types/zset.h"
#include "types/stream.h"

#include <arpa/inet.h>
#include <stdio.h>

static void add(unsigned char *digest, struct bytes bytes)
{
    unsigned char hash[SHA1_SIZE];

    sha1_bytes(bytes, hash);
    for (int i = 0; i < SHA1_SIZE; i++)
        digest[i] ^= hash[i];
}

static void mix(unsigned char *digest, struct bytes bytes)
{
    struct sha1 sha1;

    add(digest, bytes);
    sha1_init(&sha1);
    sha1_add(&sha1, digest, SHA1_SIZE);
    sha1_finish(&sha1, digest);
}

static void mix_number(unsigned char *digest, uint32_t number)
{
    uint32_t big_endian = htonl(number);

    mix(digest, (struct bytes){(const char *)&big_endian, sizeof big_endian});
}

/* Types by the numbers of Redis's objects, in the order of enum value_type. */
static const uint32_t object_types[VALUE_TYPE_COUNT] = {0, 1, 2, 3, 4, 6};

static void mix_list(unsigned char *digest, const struct list *list)
{
    struct list_iter iter;
    struct bytes value;

    list_iter_init(&iter, list, 0, LIST_TAIL);
    while (list_iter_next(&iter, &value))
        mix(digest, value);
}

static void add_set(unsigned char *digest, const struct set *set)
{
    struct set_member member;
    struct set_iter iter;
    char text[SET_TEXT_MAX];

    set_iter_init(&iter, set);
    while (set_iter_next(&iter, &member))
        add(digest, set_member_bytes(&member, text));
}

static void mix_hash(unsigned char *digest, const struct hash *hash)
{
    struct bytes field, value;
    struct hash_iter iter;

    hash_iter_init(&iter, hash);
    while (hash_iter_next(&iter, &field, &value)) {
        unsigned char pair[SHA1_SIZE] = {0};

        mix(pair, field);
        mix(pair, value);
        if (iter.deadline_ms != HASH_NO_DEADLINE)
            add(pair, BYTES("!!hexpire!!"));
        add(digest, (struct bytes){(const char *)pair, SHA1_SIZE});
    }
}

static void mix_zset(unsigned char *digest, const struct zset *set)
{
    struct zset_iter iter;
    struct zset_item item;

    zset_iter_init(&iter, set, 0, false);
    while (zset_iter_next(&iter, &item)) {
        unsigned char pair[SHA1_SIZE] = {0};
        char text[DOUBLE_TEXT_MAX];

        mix(pair, item.member);
        mix(pair, (struct bytes){text, double_format_shortest(text, item.score)});
        add(digest, (struct bytes){(const char *)pair, SHA1_SIZE});
    }
}

/* Groups have no part in it. */
static void mix_stream(unsigned char *digest, const struct stream *stream)
{
    struct stream_iter iter;
    struct bytes field, value;
    char id[64];

    stream_iter_init(&iter, stream, STREAM_ID_MIN, STREAM_ID_MAX, false);
    while (stream_iter_next(&iter)) {
        int len = snprintf(id, sizeof id, "%llu.%llu", (unsigned long long)iter.id.ms,
                           (unsigned long long)iter.id.seq);

        mix(digest, (struct bytes){id, (size_t)len});
        for (size_t i = 0; i < iter.fields; i++) {
            stream_iter_field(&iter, &field, &value);
            mix(digest, field);
            mix(digest, value);
        }
    }
}

static void mix_value(unsigned char *digest, const struct entry *entry)
{
    char text[INT64_TEXT_MAX];

    switch (entry->type) {
    case VALUE_STRING:
        mix(digest, string_get(entry, text));
        break;
    case VALUE_LIST:
        mix_list(digest, entry_value(entry));
        break;
    case VALUE_SET:
        add_set(digest, entry_value(entry));
        break;
    case VALUE_ZSET:
        mix_zset(digest, entry_value(entry));
        break;
    case VALUE_HASH:
        mix_hash(digest, entry_value(entry));
        break;
    case VALUE_STREAM:
        mix_stream(digest, entry_value(entry));
        break;
    default:
        ASSERT(!"a type that has a digest");
    }
}

/* Behind the key's name, or alone. */
static void mix_type_and_value(unsigned char *digest, const struct entry *entry)
{
    mix_number(digest, object_types[entry->type]);
    mix_value(digest, entry);
    if (entry->flags & ENTRY_EXPIRES)
        add(digest, BYTES("!!expire!!"));
}

static void digest_entry(unsigned char *total, const struct entry *entry)
{
    unsigned char digest[SHA1_SIZE] = {0};

    mix(digest, entry_key(entry));
    mix_type_and_value(digest, entry);
    add(total, (struct bytes){(const char *)digest, SHA1_SIZE});
}

static void print(const unsigned char *digest, char out[DIGEST_TEXT_SIZE])
{
    for (int i = 0; i < SHA1_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void digest_value(const struct entry *entry, char out[DIGEST_TEXT_SIZE])
{
    unsigned char digest[SHA1_SIZE] = {0};

    if (entry)
        mix_type_and_value(digest, entry);
    print(digest, out);
}

void digest_all(const struct store *store, char out[DIGEST_TEXT_SIZE])
{
    unsigned char digest[SHA1_SIZE] = {0};

    for (int i = 0; i < store->db_count; i++) {
        const struct db *db = &store->dbs[i];
        const struct entry *entry;
        struct dict_iter iter;

        if (!store_size(db))
            continue;
        mix_number(digest, (uint32_t)i);
        dict_iter_init(&iter, &db->keys);
        while ((entry = dict_iter_next(&iter)) != NULL)
            digest_entry(digest, entry);
    }
    print(digest, out);
}
