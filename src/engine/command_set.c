/* All commands of the program: found through the section that tables register in, looked up by name
 * through a small open-addressed table.
 *
 * Names are compared as words: up to 16 bytes are folded to lower case and compared as two 64-bit
 * numbers, so that the usual lookup touches one line of the table and no string. */
#include "engine/command.h"

#include "base/assert.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

extern const struct command_table *const __start_command_tables[] __attribute__((weak));
extern const struct command_table *const __stop_command_tables[] __attribute__((weak));

struct folded {
    uint64_t low, high; /* the first 16 bytes */
    size_t len;
};

struct place {
    struct folded name;
    const struct command_entry *entry; /* NULL: free */
};

struct command_set {
    struct command_entry *entries;
    unsigned count;
    size_t mask; /* places - 1, a power of two at least four times the commands */
    struct place *places;
};

#define FOLD_LEN 16

/* Sets bit 5 of every letter A to Z, eight bytes at a time. */
static uint64_t fold_word(uint64_t word)
{
    uint64_t ones = 0x0101010101010101ULL, low7 = word & 0x7f * ones;
    uint64_t above_at = low7 + (0x7f - '@') * ones, above_z = low7 + (0x7f - 'Z') * ones;

    return word | ((above_at & ~above_z & ~word & 0x80 * ones) >> 2);
}

/* Up to eight bytes as a little-endian word, zeros behind; reads no byte outside. */
static inline uint64_t short_word(const char *at, size_t len)
{
    uint32_t head, tail;

    if (len >= 8)
        return bytes_word(at);
    if (len >= 4) {
        memcpy(&head, at, 4);
        memcpy(&tail, at + len - 4, 4);
        return head | (uint64_t)tail << (8 * (len - 4));
    }
    if (!len)
        return 0;
    return (uint64_t)(unsigned char)at[0] | (uint64_t)(unsigned char)at[len / 2] << (8 * (len / 2)) |
           (uint64_t)(unsigned char)at[len - 1] << (8 * (len - 1));
}

static inline struct folded fold(struct bytes name)
{
    size_t len = name.len < FOLD_LEN ? name.len : FOLD_LEN;
    struct folded folded = {fold_word(short_word(name.data, len)), 0, name.len};

    if (len > 8)
        folded.high = fold_word(short_word(name.data + 8, len - 8));
    return folded;
}

static inline size_t place_of(const struct command_set *set, const struct folded *name)
{
    uint64_t mixed = (name->low ^ name->high * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

    return (mixed >> 40) & set->mask;
}

const struct command_entry *command_find(const struct command_set *set, struct bytes name)
{
    struct folded folded = fold(name);

    for (size_t at = place_of(set, &folded);; at = (at + 1) & set->mask) {
        const struct place *place = &set->places[at];

        if (!place->entry)
            return NULL;
        if (place->name.low == folded.low && place->name.high == folded.high &&
            place->name.len == name.len &&
            (name.len <= FOLD_LEN || bytes_is(name, place->entry->name)))
            return place->entry;
    }
}

const struct command_entry *subcommand_find(const struct command_set *set,
                                            const struct command_entry *parent, struct bytes name)
{
    for (unsigned id = parent->id + 1; id < set->count && set->entries[id].parent == parent->row; id++)
        if (bytes_is(name, set->entries[id].row->name))
            return &set->entries[id];
    return NULL;
}

const char *command_full_name(const struct command_entry *entry, char *out)
{
    if (entry->parent)
        snprintf(out, COMMAND_NAME_MAX, "%s|%s", entry->parent->name, entry->row->name);
    else
        snprintf(out, COMMAND_NAME_MAX, "%s", entry->row->name);
    return out;
}

unsigned command_set_size(const struct command_set *set) { return set->count; }

const struct command_entry *command_set_at(const struct command_set *set, unsigned id)
{
    ASSERT(id < set->count);
    return &set->entries[id];
}

/* --- building ----------------------------------------------------------------------------------- */

static unsigned count_rows(void)
{
    unsigned count = 0;

    for (const struct command_table *const *table = __start_command_tables;
         table < __stop_command_tables; table++)
        for (size_t i = 0; i < (*table)->count; i++) {
            count++;
            for (const struct command *sub = (*table)->rows[i].subcommands; sub && sub->name; sub++)
                count++;
        }
    return count;
}

static void add_entry(struct command_set *set, const struct command *row,
                      const struct command *parent, const char *group)
{
    set->entries[set->count] = (struct command_entry){row, row->name, parent, group, set->count};
    set->count++;
}

static void add_place(struct command_set *set, const struct command_entry *entry)
{
    struct folded name = fold(bytes_from_string(entry->name));
    size_t at = place_of(set, &name);

    ASSERT(!command_find(set, bytes_from_string(entry->name)));
    while (set->places[at].entry)
        at = (at + 1) & set->mask;
    set->places[at] = (struct place){name, entry};
}

struct command_set *command_set_new(void)
{
    struct command_set *set = mem_alloc_zero(sizeof *set);
    unsigned count = count_rows();
    size_t places = 64;

    set->entries = mem_alloc_zero((count + 1) * sizeof *set->entries);
    while (places < 4 * (size_t)count)
        places *= 2;
    set->mask = places - 1;
    set->places = mem_alloc_zero(places * sizeof *set->places);
    for (const struct command_table *const *table = __start_command_tables;
         table < __stop_command_tables; table++)
        for (size_t i = 0; i < (*table)->count; i++) {
            const struct command *row = &(*table)->rows[i];

            add_entry(set, row, NULL, (*table)->group);
            add_place(set, &set->entries[set->count - 1]);
            for (const struct command *sub = row->subcommands; sub && sub->name; sub++)
                add_entry(set, sub, row, (*table)->group);
        }
    return set;
}

static void set_name(struct command_entry *entry, struct bytes to)
{
    char *name = mem_alloc(to.len + 1);

    if (to.len)
        memcpy(name, to.data, to.len);
    name[to.len] = '\0';
    if (entry->name != entry->row->name)
        mem_free((char *)entry->name, strlen(entry->name) + 1);
    entry->name = name;
}

/* The table of places is made anew: nothing is ever taken out of it. */
bool command_rename(struct command_set *set, struct bytes from, struct bytes to)
{
    const struct command_entry *entry = command_find(set, from), *other = command_find(set, to);

    ASSERT(entry);
    if (other && other != entry)
        return false;
    set_name(&set->entries[entry->id], to);
    memset(set->places, 0, (set->mask + 1) * sizeof *set->places);
    for (unsigned id = 0; id < set->count; id++)
        if (!set->entries[id].parent && *set->entries[id].name)
            add_place(set, &set->entries[id]);
    return true;
}

void command_set_free(struct command_set *set)
{
    for (unsigned id = 0; id < set->count; id++)
        if (set->entries[id].name != set->entries[id].row->name)
            mem_free((char *)set->entries[id].name, strlen(set->entries[id].name) + 1);
    mem_free(set->places, (set->mask + 1) * sizeof *set->places);
    mem_free(set->entries, (set->count + 1) * sizeof *set->entries);
    mem_free(set, sizeof *set);
}
