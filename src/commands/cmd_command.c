/* COMMAND: what is known of the commands, from their rows. */
#include "engine/command_categories.h"
#include "engine/command_keys.h"
#include "engine/request.h"
#include "base/mem.h"
#include "commands/help.h"
#include "command_docs_internal.h"

#include <stdio.h>

/* --- one command --------------------------------------------------------------------------------------------- */

struct word_of_flag {
    uint32_t flag;
    const char *word;
};

#define FLAG_MOVABLE_KEYS (1u << 31) /* not of rows: it follows from the rules */

static const struct word_of_flag flag_words[] = {
    {CMD_WRITE, "write"},
    {CMD_READONLY, "readonly"},
    {CMD_GROWS, "denyoom"},
    {CMD_ADMIN, "admin"},
    {CMD_PUBSUB, "pubsub"},
    {CMD_NOSCRIPT, "noscript"},
    {CMD_BLOCKING, "blocking"},
    {CMD_LOADING, "loading"},
    {CMD_NO_ASYNC_LOADING, "no_async_loading"},
    {CMD_STALE, "stale"},
    {CMD_SKIP_MONITOR, "skip_monitor"},
    {CMD_SKIP_SLOWLOG, "skip_slowlog"},
    {CMD_FAST, "fast"},
    {CMD_NO_AUTH, "no_auth"},
    {CMD_NO_MULTI, "no_multi"},
    {CMD_ALLOW_BUSY, "allow_busy"},
    {CMD_KEYS_OPTIONAL, "no_mandatory_keys"},
    {FLAG_MOVABLE_KEYS, "movablekeys"},
};
#define FLAG_WORDS (sizeof flag_words / sizeof *flag_words)

static void reply_flags(struct request *req, uint32_t flags, const struct word_of_flag *words,
                        size_t word_count)
{
    size_t count = 0;

    for (size_t i = 0; i < word_count; i++)
        count += (flags & words[i].flag) != 0;
    reply_set(req, count);
    for (size_t i = 0; i < word_count; i++)
        if (flags & words[i].flag)
            reply_status(req, words[i].word);
}

static void reply_categories(struct request *req, const struct command_entry *entry)
{
    uint32_t bits = command_categories(entry);
    char name[32];

    reply_set(req, (size_t)__builtin_popcount(bits));
    for (unsigned i = 0; command_category_name(i); i++)
        if (bits >> i & 1) {
            snprintf(name, sizeof name, "@%s", command_category_name(i));
            reply_status(req, name);
        }
}

static void reply_tips(struct request *req, const char *tips)
{
    size_t count = tips != NULL;

    for (const char *at = tips; at && *at; at++)
        count += *at == ' ';
    reply_set(req, count);
    while (count--) {
        size_t len = strcspn(tips, " ");

        reply_bulk(req, (struct bytes){tips, len});
        tips += len + 1;
    }
}

/* --- where the keys stand -------------------------------------------------------------------------------------- */

static const struct word_of_flag key_words[] = {
    {KEY_RO, "RO"},
    {KEY_RW, "RW"},
    {KEY_OW, "OW"},
    {KEY_RM, "RM"},
    {KEY_ACCESS, "access"},
    {KEY_UPDATE, "update"},
    {KEY_INSERT, "insert"},
    {KEY_DELETE, "delete"},
    {KEY_NOT_KEY, "not_key"},
    {KEY_INCOMPLETE, "incomplete"},
    {KEY_VARIABLE, "variable_flags"},
};
#define KEY_WORDS (sizeof key_words / sizeof *key_words)

static void reply_number(struct request *req, const char *name, int value)
{
    reply_bulk_string(req, name);
    reply_int(req, value);
}

static void reply_spec(struct request *req, const char *step, const char *type, size_t fields)
{
    reply_bulk_string(req, step);
    reply_map(req, 2);
    reply_bulk_string(req, "type");
    reply_bulk_string(req, type);
    reply_bulk_string(req, "spec");
    reply_map(req, fields);
}

static void reply_key_begin(struct request *req, const struct key_rule *rule)
{
    if (rule->begin == KEY_AT_INDEX) {
        reply_spec(req, "begin_search", "index", 1);
        reply_number(req, "index", rule->index);
    } else if (rule->begin == KEY_AT_WORD) {
        reply_spec(req, "begin_search", "keyword", 2);
        reply_bulk_string(req, "keyword");
        reply_bulk_string(req, rule->word);
        reply_number(req, "startfrom", rule->index);
    } else {
        reply_spec(req, "begin_search", "unknown", 0);
    }
}

static void reply_key_find(struct request *req, const struct key_rule *rule)
{
    static const char *const range[] = {"lastkey", "keystep", "limit"};
    static const char *const counted[] = {"keynumidx", "firstkey", "keystep"};

    if (rule->find != KEY_RANGE && rule->find != KEY_COUNTED) {
        reply_spec(req, "find_keys", "unknown", 0);
        return;
    }
    reply_spec(req, "find_keys", rule->find == KEY_RANGE ? "range" : "keynum", 3);
    for (int i = 0; i < 3; i++)
        reply_number(req, rule->find == KEY_RANGE ? range[i] : counted[i], rule->find_arguments[i]);
}

static void reply_key_rules(struct request *req, const struct command *row)
{
    struct key_rule rule;
    size_t count = 0;

    while (command_key_rule(row, count, &rule))
        count++;
    reply_set(req, count);
    for (size_t i = 0; command_key_rule(row, i, &rule); i++) {
        reply_map(req, 3);
        reply_bulk_string(req, "flags");
        reply_flags(req, rule.flags, key_words, KEY_WORDS);
        reply_key_begin(req, &rule);
        reply_key_find(req, &rule);
    }
}

static void reply_name(struct request *req, const struct command_entry *entry)
{
    char name[COMMAND_NAME_MAX];

    reply_bulk_string(req, command_full_name(entry, name));
}

static size_t subcommand_count(const struct command *row)
{
    size_t count = 0;

    while (row->subcommands && row->subcommands[count].name)
        count++;
    return count;
}

static void reply_command(struct request *req, const struct command_entry *entry)
{
    const struct command *row = entry->row;
    size_t subcommands = subcommand_count(row);

    reply_array(req, 10);
    reply_name(req, entry);
    reply_int(req, row->arity);
    reply_flags(req, row->flags | (command_keys_move(row) ? FLAG_MOVABLE_KEYS : 0), flag_words, FLAG_WORDS);
    reply_int(req, row->keys.first);
    reply_int(req, row->keys.last);
    reply_int(req, row->keys.step);
    reply_categories(req, entry);
    reply_tips(req, row->tips);
    reply_key_rules(req, row);
    if (subcommands)
        reply_array(req, subcommands);
    else
        reply_set(req, 0);
    for (size_t i = 0; i < subcommands; i++)
        reply_command(req, command_set_at(req->engine->commands, entry->id + 1 + (unsigned)i));
}

/* --- all commands ---------------------------------------------------------------------------------------------- */

typedef void reply_entry(struct request *req, const struct command_entry *entry);

/* No subcommand, and not removed by rename-command. */
static bool is_listed(const struct command_entry *entry) { return !entry->parent && *entry->name; }

static size_t top_level_count(const struct command_set *set)
{
    size_t count = 0;

    for (unsigned id = 0; id < command_set_size(set); id++)
        count += is_listed(command_set_at(set, id));
    return count;
}

static void reply_each(struct request *req, reply_entry *reply)
{
    const struct command_set *set = req->engine->commands;

    for (unsigned id = 0; id < command_set_size(set); id++)
        if (is_listed(command_set_at(set, id)))
            reply(req, command_set_at(set, id));
}

/* "client|list" names a subcommand. */
static const struct command_entry *find_full(struct request *req, struct bytes name)
{
    const struct command_set *set = req->engine->commands;
    const char *bar = name.len ? memchr(name.data, '|', name.len) : NULL;
    const struct command_entry *parent;
    size_t len;

    if (!bar)
        return command_find(set, name);
    len = (size_t)(bar - name.data);
    parent = command_find(set, (struct bytes){name.data, len});
    return parent ? subcommand_find(set, parent, (struct bytes){bar + 1, name.len - len - 1}) : NULL;
}

static void cmd_command(struct request *req)
{
    reply_array(req, top_level_count(req->engine->commands));
    reply_each(req, reply_command);
}

static void command_count(struct request *req)
{
    reply_int(req, (int64_t)top_level_count(req->engine->commands));
}

/* --- LIST ---------------------------------------------------------------------------------------------------------- */

struct list_filter {
    enum { FILTER_NONE, FILTER_MODULE, FILTER_CATEGORY, FILTER_PATTERN } kind;
    struct bytes text;
};

static bool passes(const struct command_entry *entry, const struct list_filter *filter)
{
    char name[COMMAND_NAME_MAX];

    if (filter->kind == FILTER_NONE)
        return *entry->name;
    if (filter->kind == FILTER_CATEGORY)
        return command_categories(entry) & command_category_find(filter->text);
    return filter->kind == FILTER_PATTERN &&
           bytes_match(filter->text, bytes_from_string(command_full_name(entry, name)), true);
}

static void list_filtered(struct request *req, const struct list_filter *filter)
{
    const struct command_set *set = req->engine->commands;
    size_t count = 0;

    for (unsigned id = 0; id < command_set_size(set); id++)
        count += passes(command_set_at(set, id), filter);
    reply_array(req, count);
    for (unsigned id = 0; id < command_set_size(set); id++)
        if (passes(command_set_at(set, id), filter))
            reply_name(req, command_set_at(set, id));
}

static void command_list(struct request *req)
{
    struct list_filter filter = {.kind = FILTER_NONE};

    if (req->argc == 2) {
        list_filtered(req, &filter);
        return;
    }
    if (req->argc != 5 || !argument_is(req, 2, "filterby")) {
        reply_syntax_error(req);
        return;
    }
    filter.text = req->argv[4];
    if (argument_is(req, 3, "module")) {
        filter.kind = FILTER_MODULE;
    } else if (argument_is(req, 3, "aclcat")) {
        filter.kind = FILTER_CATEGORY;
    } else if (argument_is(req, 3, "pattern")) {
        filter.kind = FILTER_PATTERN;
    } else {
        reply_syntax_error(req);
        return;
    }
    list_filtered(req, &filter);
}

static void command_info(struct request *req)
{
    if (req->argc == 2) {
        cmd_command(req);
        return;
    }
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++) {
        const struct command_entry *entry = find_full(req, req->argv[i]);

        if (entry)
            reply_command(req, entry);
        else
            reply_null(req);
    }
}

/* --- DOCS -------------------------------------------------------------------------------------------------------- */

static void command_docs(struct request *req)
{
    size_t found = 0;

    if (req->argc == 2) {
        reply_map(req, top_level_count(req->engine->commands));
        reply_each(req, reply_command_docs);
        return;
    }
    for (int i = 2; i < req->argc; i++)
        found += find_full(req, req->argv[i]) != NULL;
    reply_map(req, found);
    for (int i = 2; i < req->argc; i++) {
        const struct command_entry *entry = find_full(req, req->argv[i]);

        if (entry)
            reply_command_docs(req, entry);
    }
}

/* --- GETKEYS ------------------------------------------------------------------------------------------------------- */

static const struct command_entry *find_asked(struct request *req)
{
    const struct command_set *set = req->engine->commands;
    const struct command_entry *entry = command_find(set, req->argv[2]);

    if (entry && entry->row->subcommands && req->argc > 3)
        return subcommand_find(set, entry, req->argv[3]);
    return entry;
}

/* Replies what is wrong with the command, or that it has no keys now. */
static bool find_keys_or_reply(struct request *req, struct command_keys *keys)
{
    const struct command_entry *entry = find_asked(req);
    int argc = req->argc - 2;

    *keys = (struct command_keys){0};
    if (!entry) {
        reply_error(req, "ERR Invalid command specified");
    } else if (!command_has_keys(entry->row)) {
        reply_error(req, "ERR The command has no key arguments");
    } else if (!command_arity_fits(entry->row, argc)) {
        reply_error(req, "ERR Invalid number of arguments specified for command");
    } else if (command_keys_find(entry, req->argv + 2, argc, keys)) {
        return true;
    } else if (entry->row->flags & CMD_KEYS_OPTIONAL) {
        reply_array(req, 0);
    } else {
        reply_error(req, "ERR Invalid arguments specified for command");
    }
    command_keys_release(keys);
    return false;
}

static void getkeys(struct request *req, bool with_flags)
{
    struct command_keys keys;

    if (!find_keys_or_reply(req, &keys))
        return;
    reply_array(req, keys.count);
    for (size_t i = 0; i < keys.count; i++) {
        if (with_flags)
            reply_array(req, 2);
        reply_bulk(req, req->argv[2 + keys.list[i].at]);
        if (with_flags)
            reply_flags(req, keys.list[i].flags & ~(KEY_INCOMPLETE | KEY_VARIABLE), key_words, KEY_WORDS);
    }
    command_keys_release(&keys);
}

static void command_getkeys(struct request *req) { getkeys(req, false); }
static void command_getkeysandflags(struct request *req) { getkeys(req, true); }

#define COMMAND_FLAGS (CMD_LOADING | CMD_STALE)

static const struct command command_subcommands[] = {
    {"count", command_count, 2, COMMAND_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)", "",
     "Returns the number of commands."},
    {"docs", command_docs, -2, COMMAND_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(N) commands",
     "[command-name [command-name ...]]", "Returns what the manual says of commands.",
     .tips = "nondeterministic_output_order"},
    {"getkeys", command_getkeys, -3, COMMAND_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(N) arguments",
     "command [arg [arg ...]]", "Returns the keys among the arguments of a command."},
    {"getkeysandflags", command_getkeysandflags, -3, COMMAND_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(N) arguments",
     "command [arg [arg ...]]", "Returns the keys among the arguments of a command and what becomes of them."},
    {"help", cmd_help, 2, COMMAND_FLAGS, {0, 0, 0}, NULL, "5.0.0", "O(1)", "", "Prints this help."},
    {"info", command_info, -2, COMMAND_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(N) commands",
     "[command-name [command-name ...]]", "Describes commands.",
     .tips = "nondeterministic_output_order",
     .history = "7.0.0 All commands when none is named."},
    {"list", command_list, -2, COMMAND_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(N) commands",
     "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]", "Returns the names of commands.",
     .tips = "nondeterministic_output_order"},
    {0},
};

static const struct command command_commands[] = {
    {"command", cmd_command, -1, COMMAND_FLAGS, {0, 0, 0}, command_subcommands, "2.8.13",
     "O(N) commands", "", "Describes all commands.",
     .tips = "nondeterministic_output_order"},
};
REGISTER_COMMANDS("server", command_commands);
