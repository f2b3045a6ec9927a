/* COMMAND: what is known of the commands, from their rows. */
#include "engine/request.h"
#include "commands/help.h"

#include <stdio.h>

/* --- one command --------------------------------------------------------------------------------------------- */

struct word_of_flag {
    uint32_t flag;
    const char *word;
};

static const struct word_of_flag flag_words[] = {
    {CMD_WRITE, "write"},
    {CMD_READONLY, "readonly"},
    {CMD_GROWS, "denyoom"},
    {CMD_ADMIN, "admin"},
    {CMD_PUBSUB, "pubsub"},
    {CMD_NOSCRIPT, "noscript"},
    {CMD_BLOCKING, "blocking"},
    {CMD_LOADING, "loading"},
    {CMD_STALE, "stale"},
    {CMD_SKIP_MONITOR, "skip_monitor"},
    {CMD_SKIP_SLOWLOG, "skip_slowlog"},
    {CMD_FAST, "fast"},
    {CMD_NO_AUTH, "no_auth"},
    {CMD_NO_MULTI, "no_multi"},
    {CMD_MAY_REPLICATE, "may_replicate"},
    {CMD_ALLOW_BUSY, "allow_busy"},
};
#define FLAG_WORDS (sizeof flag_words / sizeof *flag_words)

static void reply_flags(struct request *req, const struct command *row)
{
    size_t count = 0;

    for (size_t i = 0; i < FLAG_WORDS; i++)
        count += (row->flags & flag_words[i].flag) != 0;
    reply_set(req, count);
    for (size_t i = 0; i < FLAG_WORDS; i++)
        if (row->flags & flag_words[i].flag)
            reply_status(req, flag_words[i].word);
}

/* Categories follow from the group and the flags. */
static size_t categories_of(const struct command_entry *entry, const char *out[10])
{
    static const struct {
        const char *group, *category;
    } groups[] = {{"string", "@string"},
                  {"list", "@list"},
                  {"set", "@set"},
                  {"sorted-set", "@sortedset"},
                  {"hash", "@hash"},
                  {"bitmap", "@bitmap"},
                  {"hyperloglog", "@hyperloglog"},
                  {"geo", "@geo"},
                  {"stream", "@stream"},
                  {"transactions", "@transaction"},
                  {"pubsub", "@pubsub"},
                  {"connection", "@connection"}};
    uint32_t flags = entry->row->flags;
    size_t count = 0;

    if (flags & CMD_KEYSPACE)
        out[count++] = "@keyspace";
    if (flags & CMD_READONLY)
        out[count++] = "@read";
    if (flags & CMD_WRITE)
        out[count++] = "@write";
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(entry->group, groups[i].group))
            out[count++] = groups[i].category;
    if (flags & CMD_IN_CONNECTION)
        out[count++] = "@connection";
    if (flags & (CMD_ADMIN | CMD_IN_ADMIN))
        out[count++] = "@admin";
    if (flags & (CMD_ADMIN | CMD_IN_ADMIN | CMD_DANGEROUS))
        out[count++] = "@dangerous";
    if (flags & CMD_BLOCKING)
        out[count++] = "@blocking";
    out[count++] = flags & CMD_FAST ? "@fast" : "@slow";
    return count;
}

static void reply_categories(struct request *req, const struct command_entry *entry)
{
    const char *categories[10];
    size_t count = categories_of(entry, categories);

    reply_set(req, count);
    for (size_t i = 0; i < count; i++)
        reply_status(req, categories[i]);
}

static void reply_key_spec(struct request *req, const struct command *row)
{
    if (!row->keys.first) {
        reply_set(req, 0);
        return;
    }
    reply_set(req, 1);
    reply_map(req, 3);
    reply_bulk_string(req, "flags");
    reply_set(req, 1);
    reply_status(req, row->flags & CMD_WRITE ? "RW" : "RO");
    reply_bulk_string(req, "begin_search");
    reply_map(req, 2);
    reply_bulk_string(req, "type");
    reply_bulk_string(req, "index");
    reply_bulk_string(req, "spec");
    reply_map(req, 1);
    reply_bulk_string(req, "index");
    reply_int(req, row->keys.first);
    reply_bulk_string(req, "find_keys");
    reply_map(req, 2);
    reply_bulk_string(req, "type");
    reply_bulk_string(req, "range");
    reply_bulk_string(req, "spec");
    reply_map(req, 3);
    reply_bulk_string(req, "lastkey");
    reply_int(req, row->keys.last < 0 ? row->keys.last : row->keys.last - row->keys.first);
    reply_bulk_string(req, "keystep");
    reply_int(req, row->keys.step);
    reply_bulk_string(req, "limit");
    reply_int(req, 0);
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
    reply_flags(req, row);
    reply_int(req, row->keys.first);
    reply_int(req, row->keys.last);
    reply_int(req, row->keys.step);
    reply_categories(req, entry);
    reply_set(req, 0); /* tips */
    reply_key_spec(req, row);
    reply_array(req, subcommands);
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

static void command_list(struct request *req)
{
    reply_array(req, top_level_count(req->engine->commands));
    reply_each(req, reply_name);
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
            reply_null_array(req);
    }
}

/* --- DOCS -------------------------------------------------------------------------------------------------------- */

static void reply_docs(struct request *req, const struct command_entry *entry)
{
    const struct command *row = entry->row;
    size_t subcommands = subcommand_count(row);

    reply_name(req, entry);
    reply_map(req, 4 + (subcommands > 0));
    reply_bulk_string(req, "summary");
    reply_bulk_string(req, row->summary);
    reply_bulk_string(req, "since");
    reply_bulk_string(req, row->since);
    reply_bulk_string(req, "group");
    reply_bulk_string(req, entry->group);
    reply_bulk_string(req, "complexity");
    reply_bulk_string(req, row->complexity);
    if (!subcommands)
        return;
    reply_bulk_string(req, "subcommands");
    reply_map(req, subcommands);
    for (size_t i = 0; i < subcommands; i++)
        reply_docs(req, command_set_at(req->engine->commands, entry->id + 1 + (unsigned)i));
}

static void command_docs(struct request *req)
{
    size_t found = 0;

    if (req->argc == 2) {
        reply_map(req, top_level_count(req->engine->commands));
        reply_each(req, reply_docs);
        return;
    }
    for (int i = 2; i < req->argc; i++)
        found += find_full(req, req->argv[i]) != NULL;
    reply_map(req, found);
    for (int i = 2; i < req->argc; i++) {
        const struct command_entry *entry = find_full(req, req->argv[i]);

        if (entry)
            reply_docs(req, entry);
    }
}

/* --- GETKEYS ------------------------------------------------------------------------------------------------------- */

static void command_getkeys(struct request *req)
{
    const struct command_entry *entry = command_find(req->engine->commands, req->argv[2]);
    int argc = req->argc - 2, last;
    const struct command *row;

    if (entry && entry->row->subcommands && argc > 1)
        entry = subcommand_find(req->engine->commands, entry, req->argv[3]);
    if (!entry) {
        reply_error(req, "ERR Invalid command specified");
        return;
    }
    row = entry->row;
    if (!row->keys.first) {
        reply_error(req, "ERR The command has no key arguments");
        return;
    }
    if (row->arity > 0 ? argc != row->arity : argc < -row->arity) {
        reply_error(req, "ERR Invalid number of arguments specified for command");
        return;
    }
    last = key_spec_last(&row->keys, argc);
    reply_array(req, (size_t)((last - row->keys.first) / row->keys.step + 1));
    for (int i = row->keys.first; i <= last; i += row->keys.step)
        reply_bulk(req, req->argv[2 + i]);
}

#define COMMAND_FLAGS (CMD_LOADING | CMD_STALE)

static const struct command command_subcommands[] = {
    {"count", command_count, 2, COMMAND_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(1)", "",
     "Returns the number of commands."},
    {"docs", command_docs, -2, COMMAND_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(N) commands",
     "[command-name [command-name ...]]", "Returns what the manual says of commands."},
    {"getkeys", command_getkeys, -3, COMMAND_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(N) arguments",
     "command [arg [arg ...]]", "Returns the keys among the arguments of a command."},
    {"help", cmd_help, 2, COMMAND_FLAGS, {0, 0, 0}, NULL, "5.0.0", "O(1)", "", "Prints this help."},
    {"info", command_info, -2, COMMAND_FLAGS, {0, 0, 0}, NULL, "2.8.13", "O(N) commands",
     "[command-name [command-name ...]]", "Describes commands."},
    {"list", command_list, 2, COMMAND_FLAGS, {0, 0, 0}, NULL, "7.0.0", "O(N) commands", "",
     "Returns the names of all commands."},
    {0},
};

static const struct command command_commands[] = {
    {"command", cmd_command, -1, COMMAND_FLAGS, {0, 0, 0}, command_subcommands, "2.8.13",
     "O(N) commands", "", "Describes all commands."},
};
REGISTER_COMMANDS("server", command_commands);
