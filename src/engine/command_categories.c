/* Categories from rows: most follow from the flags, that of a type from the family's group. */
#include "engine/command_categories.h"

#include <string.h>

enum {
    CATEGORY_KEYSPACE,
    CATEGORY_READ,
    CATEGORY_WRITE,
    CATEGORY_SET,
    CATEGORY_SORTED_SET,
    CATEGORY_LIST,
    CATEGORY_HASH,
    CATEGORY_STRING,
    CATEGORY_BITMAP,
    CATEGORY_HYPERLOGLOG,
    CATEGORY_GEO,
    CATEGORY_STREAM,
    CATEGORY_PUBSUB,
    CATEGORY_ADMIN,
    CATEGORY_FAST,
    CATEGORY_SLOW,
    CATEGORY_BLOCKING,
    CATEGORY_DANGEROUS,
    CATEGORY_CONNECTION,
    CATEGORY_TRANSACTION,
    CATEGORY_SCRIPTING,
    CATEGORIES
};

#define BIT(category) (UINT32_C(1) << CATEGORY_##category)

static const char *const names[CATEGORIES] = {
    [CATEGORY_KEYSPACE] = "keyspace",       [CATEGORY_READ] = "read",
    [CATEGORY_WRITE] = "write",             [CATEGORY_SET] = "set",
    [CATEGORY_SORTED_SET] = "sortedset",    [CATEGORY_LIST] = "list",
    [CATEGORY_HASH] = "hash",               [CATEGORY_STRING] = "string",
    [CATEGORY_BITMAP] = "bitmap",           [CATEGORY_HYPERLOGLOG] = "hyperloglog",
    [CATEGORY_GEO] = "geo",                 [CATEGORY_STREAM] = "stream",
    [CATEGORY_PUBSUB] = "pubsub",           [CATEGORY_ADMIN] = "admin",
    [CATEGORY_FAST] = "fast",               [CATEGORY_SLOW] = "slow",
    [CATEGORY_BLOCKING] = "blocking",       [CATEGORY_DANGEROUS] = "dangerous",
    [CATEGORY_CONNECTION] = "connection",   [CATEGORY_TRANSACTION] = "transaction",
    [CATEGORY_SCRIPTING] = "scripting",
};

static const struct {
    const char *group;
    uint32_t bits;
} of_group[] = {
    {"string", BIT(STRING)},         {"list", BIT(LIST)},
    {"set", BIT(SET)},               {"sorted-set", BIT(SORTED_SET)},
    {"hash", BIT(HASH)},             {"bitmap", BIT(BITMAP)},
    {"hyperloglog", BIT(HYPERLOGLOG)}, {"geo", BIT(GEO)},
    {"stream", BIT(STREAM)},         {"transactions", BIT(TRANSACTION)},
    {"connection", BIT(CONNECTION)}, {"scripting", BIT(SCRIPTING)},
};

static const struct {
    uint32_t flag, bits;
} of_flag[] = {
    {CMD_KEYSPACE, BIT(KEYSPACE)},
    {CMD_WRITE, BIT(WRITE)},
    {CMD_ADMIN, BIT(ADMIN) | BIT(DANGEROUS)},
    {CMD_IN_ADMIN, BIT(ADMIN) | BIT(DANGEROUS)},
    {CMD_IN_CONNECTION, BIT(CONNECTION)},
    {CMD_DANGEROUS, BIT(DANGEROUS)},
    {CMD_PUBSUB, BIT(PUBSUB)},
    {CMD_BLOCKING, BIT(BLOCKING)},
};

/* Commands that belong to the types they work on, not to their group. */
static const struct {
    const char *name;
    uint32_t bits;
} of_name[] = {
    {"command", BIT(CONNECTION)},
    {"memory", 0},
    {"sort", BIT(SET) | BIT(SORTED_SET) | BIT(LIST) | BIT(DANGEROUS)},
    {"sort_ro", BIT(SET) | BIT(SORTED_SET) | BIT(LIST) | BIT(DANGEROUS)},
};

static uint32_t categories_of_family(const struct command_entry *entry)
{
    const char *name = entry->parent ? entry->parent->name : entry->row->name;

    if (entry->row->subcommands && !entry->row->handler)
        return 0; /* only a door to its subcommands */
    for (size_t i = 0; i < sizeof of_name / sizeof *of_name; i++)
        if (!strcmp(name, of_name[i].name))
            return of_name[i].bits;
    for (size_t i = 0; i < sizeof of_group / sizeof *of_group; i++)
        if (!strcmp(entry->group, of_group[i].group))
            return of_group[i].bits;
    return 0;
}

uint32_t command_categories(const struct command_entry *entry)
{
    uint32_t flags = entry->row->flags, bits = categories_of_family(entry);

    for (size_t i = 0; i < sizeof of_flag / sizeof *of_flag; i++)
        if (flags & of_flag[i].flag)
            bits |= of_flag[i].bits;
    if (flags & CMD_READONLY && !(bits & BIT(SCRIPTING)))
        bits |= BIT(READ);
    return bits | (flags & CMD_FAST ? BIT(FAST) : BIT(SLOW));
}

const char *command_category_name(unsigned at) { return at < CATEGORIES ? names[at] : NULL; }

uint32_t command_category_find(struct bytes name)
{
    for (unsigned i = 0; i < CATEGORIES; i++)
        if (bytes_is(name, names[i]))
            return UINT32_C(1) << i;
    return 0;
}
