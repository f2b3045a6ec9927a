/* Finding keys: a rule says where the search begins and how many keys stand there. */
#include "engine/command_keys.h"

#include "base/mem.h"
#include "base/numbers.h"

#include <string.h>

/* --- rules -------------------------------------------------------------------------------------------- */

static void default_rule(const struct command *row, struct key_rule *rule)
{
    const struct key_spec *keys = &row->keys;

    *rule = (struct key_rule){.begin = KEY_AT_INDEX, .index = keys->first, .find = KEY_RANGE};
    rule->flags = row->flags & CMD_WRITE ? KEY_RW | KEY_ACCESS | KEY_UPDATE : KEY_RO | KEY_ACCESS;
    rule->find_arguments[0] = keys->last < 0 ? keys->last : keys->last - keys->first;
    rule->find_arguments[1] = keys->step;
}

bool command_key_rule(const struct command *row, size_t at, struct key_rule *rule)
{
    if (row->key_rules) {
        *rule = row->key_rules[at];
        return rule->begin != 0;
    }
    if (at || !row->keys.first)
        return false;
    default_rule(row, rule);
    return true;
}

bool command_has_keys(const struct command *row)
{
    struct key_rule rule;

    for (size_t i = 0; command_key_rule(row, i, &rule); i++)
        if (!(rule.flags & KEY_NOT_KEY))
            return true;
    return false;
}

bool command_keys_move(const struct command *row)
{
    struct key_rule rule;
    int next = 0;

    for (size_t i = 0; command_key_rule(row, i, &rule); i++) {
        if (rule.flags & KEY_NOT_KEY)
            continue;
        if (rule.begin != KEY_AT_INDEX || rule.find != KEY_RANGE || (next && rule.index != next))
            return true;
        next = rule.index + rule.find_arguments[0] + 1;
    }
    return false;
}

/* --- what is found ------------------------------------------------------------------------------------ */

static void add(struct command_keys *keys, int at, uint32_t flags)
{
    if (keys->count == keys->size) {
        size_t size = keys->size ? 2 * keys->size : 8;

        keys->list = keys->size ? mem_resize(keys->list, keys->size * sizeof *keys->list,
                                             size * sizeof *keys->list)
                                : mem_alloc(size * sizeof *keys->list);
        keys->size = size;
    }
    keys->list[keys->count++] = (struct command_key){at, flags};
}

void command_keys_release(struct command_keys *keys)
{
    if (keys->size)
        mem_free(keys->list, keys->size * sizeof *keys->list);
    *keys = (struct command_keys){0};
}

/* --- following a rule --------------------------------------------------------------------------------- */

/* Where the search begins; 0: nowhere. A word that is the last argument has nothing behind it. */
static int find_begin(const struct key_rule *rule, const struct bytes *argv, int argc)
{
    int at = rule->index < 0 ? argc + rule->index : rule->index, step = rule->index < 0 ? -1 : 1;

    if (rule->begin == KEY_AT_INDEX)
        return at;
    if (rule->begin != KEY_AT_WORD)
        return 0;
    for (; at >= 1 && at < argc - 1; at += step)
        if (bytes_is(argv[at], rule->word))
            return at + 1;
    return 0;
}

static bool add_range(const struct key_rule *rule, int first, int argc, struct command_keys *keys)
{
    int last = rule->find_arguments[0], step = rule->find_arguments[1], limit = rule->find_arguments[2];

    if (last >= 0)
        last += first;
    else if (last == -1 && limit > 1)
        last = first + (argc - first) / limit - 1;
    else
        last += argc;
    if (last >= argc || last < first)
        return false;
    for (int at = first; at <= last; at += step)
        add(keys, at, rule->flags);
    return true;
}

static bool add_counted(const struct key_rule *rule, int begin, const struct bytes *argv, int argc,
                        struct command_keys *keys)
{
    int count_at = begin + rule->find_arguments[0], first = begin + rule->find_arguments[1];
    int step = rule->find_arguments[2];
    int64_t count;

    if (count_at >= argc || first >= argc || !int64_parse(argv[count_at], &count) || count < 1 ||
        count > (argc - first + step - 1) / step)
        return false;
    for (int i = 0; i < count; i++)
        add(keys, first + i * step, rule->flags);
    return true;
}

/* --- what no rule can tell ---------------------------------------------------------------------------- */

/* SET reads only with GET. */
static void correct_set(const struct bytes *argv, int argc, struct command_keys *keys)
{
    keys->list[0].flags = KEY_OW | KEY_UPDATE;
    for (int i = 3; i < argc; i++)
        if (bytes_is(argv[i], "get"))
            keys->list[0].flags = KEY_RW | KEY_ACCESS | KEY_UPDATE;
}

/* BITFIELD that only gets only reads. */
static void correct_bitfield(const struct bytes *argv, int argc, struct command_keys *keys)
{
    uint32_t flags = KEY_RO | KEY_ACCESS;

    for (int i = 2; i < argc; i++)
        if (bytes_is(argv[i], "get") && i + 2 < argc)
            i += 2;
        else if (bytes_is(argv[i], "overflow") && i + 1 < argc)
            i++;
        else
            flags = KEY_RW | KEY_ACCESS | KEY_UPDATE;
    keys->list[0].flags = flags;
}

/* The last STORE counts, and what follows another option is none. */
static void correct_sort(const struct bytes *argv, int argc, struct command_keys *keys)
{
    int store = 0;

    for (int i = 2; i < argc; i++)
        if (bytes_is(argv[i], "limit"))
            i += 2;
        else if (bytes_is(argv[i], "get") || bytes_is(argv[i], "by"))
            i++;
        else if (bytes_is(argv[i], "store") && i + 1 < argc)
            store = i + 1; /* and may be the word again */
    if (store)
        add(keys, store, KEY_OW | KEY_UPDATE);
}

/* An empty key stands for those behind KEYS. */
static void correct_migrate(const struct bytes *argv, int argc, struct command_keys *keys)
{
    if (argv[3].len || keys->count < 2) {
        keys->count = 1;
        return;
    }
    keys->count--;
    memmove(keys->list, keys->list + 1, keys->count * sizeof *keys->list);
}

static const struct {
    const char *name;
    void (*correct)(const struct bytes *argv, int argc, struct command_keys *keys);
} corrections[] = {
    {"set", correct_set},
    {"bitfield", correct_bitfield},
    {"sort", correct_sort},
    {"migrate", correct_migrate},
};

static void correct(const struct command_entry *entry, const struct bytes *argv, int argc,
                    struct command_keys *keys)
{
    if (entry->parent)
        return;
    for (size_t i = 0; i < sizeof corrections / sizeof *corrections; i++)
        if (!strcmp(entry->row->name, corrections[i].name))
            corrections[i].correct(argv, argc, keys);
}

/* --- all together ------------------------------------------------------------------------------------- */

bool command_keys_find(const struct command_entry *entry, const struct bytes *argv, int argc,
                       struct command_keys *keys)
{
    struct key_rule rule;

    for (size_t i = 0; command_key_rule(entry->row, i, &rule); i++) {
        int begin = rule.flags & KEY_NOT_KEY ? 0 : find_begin(&rule, argv, argc);
        bool is_found;

        if (!begin)
            continue;
        is_found = rule.find == KEY_RANGE     ? add_range(&rule, begin, argc, keys)
                   : rule.find == KEY_COUNTED ? add_counted(&rule, begin, argv, argc, keys)
                                              : true;
        if (!is_found && !(rule.flags & KEY_INCOMPLETE)) {
            keys->count = 0;
            return false;
        }
    }
    if (!keys->count)
        return false;
    correct(entry, argv, argc, keys);
    return true;
}
