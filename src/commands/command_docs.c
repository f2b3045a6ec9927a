/* COMMAND DOCS: what the rows say of commands, with their arguments as a tree. */
#include "command_docs_internal.h"

#include "engine/command_keys.h"

#include <ctype.h>
#include <stdio.h>

/* --- names and types of arguments --------------------------------------------------------------------- */

struct word_pair {
    const char *word, *meaning;
};

/* What a choice is called, by the first token in it. */
static const struct word_pair choice_names[] = {
    {"NX", "condition"},    {"XX", "condition"},     {"GT", "comparison"},     {"LT", "comparison"},
    {"EX", "expiration"},   {"ASC", "order"},        {"M", "unit"},            {"ASYNC", "flush-type"},
    {"LEFT", "where"},      {"BEFORE", "where"},     {"BYSCORE", "sortby"},    {"MAXLEN", "strategy"},
    {"=", "operator"},      {"*", "id-selector"},    {"FROMMEMBER", "from"},   {"BYRADIUS", "by"},
    {"YES", "skipme"},      {"ON", "enabled"},       {"BYTE", "unit"},         {"SUM", "aggregate"},
    {"MODULE", "filterby"}, {"STORE", "store"},      {"WRAP", "overflow"},     {"TIMEOUT", "unblock-type"},
    {"MIN", "where"},       {"WRITE", "mode"},       {"LIB-NAME", "attr"},    {"NOSAVE", "save-selector"},
};

static const struct word_pair token_names[] = {
    {"CH", "change"}, {"INCR", "increment"},
    {"=", "equal"}, {"~", "approximately"}, {"*", "auto-id"}, {"$", "new-id"}, {"\"\"", "empty-string"},
};

/* Types of values by name; all others are strings. */
static const struct word_pair types[] = {
    {"key", "key"},
    {"key1", "key"},
    {"key2", "key"},
    {"newkey", "key"},
    {"source", "key"},
    {"destination", "key"},
    {"destkey", "key"},
    {"dst", "key"},
    {"src", "key"},
    {"sourcekey", "key"},
    {"pattern", "pattern"},
    {"by-pattern", "pattern"},
    {"get-pattern", "pattern"},
    {"unix-time-seconds", "unix-time"},
    {"unix-time-milliseconds", "unix-time"},
    {"score", "double"},
    {"radius", "double"},
    {"width", "double"},
    {"height", "double"},
    {"longitude", "double"},
    {"latitude", "double"},
    {"bit", "integer"},
    {"client-id", "integer"},
    {"cluster-bus-port", "integer"},
    {"config-epoch", "integer"},
    {"count", "integer"},
    {"cursor", "integer"},
    {"db", "integer"},
    {"decrement", "integer"},
    {"destination-db", "integer"},
    {"end", "integer"},
    {"end-slot", "integer"},
    {"entries-added", "integer"},
    {"entries-read", "integer"},
    {"frequency", "integer"},
    {"increment", "integer"},
    {"index", "integer"},
    {"index1", "integer"},
    {"index2", "integer"},
    {"len", "integer"},
    {"limit", "integer"},
    {"maxage", "integer"},
    {"milliseconds", "integer"},
    {"min-match-len", "integer"},
    {"ms", "integer"},
    {"num-matches", "integer"},
    {"numfields", "integer"},
    {"numkeys", "integer"},
    {"numlocal", "integer"},
    {"numreplicas", "integer"},
    {"offset", "integer"},
    {"port", "integer"},
    {"protover", "integer"},
    {"rank", "integer"},
    {"seconds", "integer"},
    {"size", "integer"},
    {"slot", "integer"},
    {"start", "integer"},
    {"start-slot", "integer"},
    {"stop", "integer"},
    {"timeout", "integer"},
    {"ttl", "integer"},
    {"version", "integer"},
    {"weight", "integer"},
};

/* The same name means something else there. */
static const struct {
    const char *command, *name, *type;
} exceptions[] = {
    {"incrbyfloat", "increment", "double"}, {"hincrbyfloat", "increment", "double"},
    {"blpop", "timeout", "double"},         {"brpop", "timeout", "double"},
    {"blmove", "timeout", "double"},        {"brpoplpush", "timeout", "double"},
    {"blmpop", "timeout", "double"},        {"bzpopmin", "timeout", "double"},
    {"bzpopmax", "timeout", "double"},      {"bzmpop", "timeout", "double"},
    {"zrange", "start", "string"},          {"zrange", "stop", "string"},
    {"zcount", "min", "double"},            {"zcount", "max", "double"},
    {"zrangebyscore", "min", "double"},     {"zrangebyscore", "max", "double"},
    {"zrevrangebyscore", "min", "double"},  {"zrevrangebyscore", "max", "double"},
    {"zremrangebyscore", "min", "double"},  {"zremrangebyscore", "max", "double"},
    {"xrange", "start", "string"},          {"xrange", "end", "string"},
    {"xrevrange", "start", "string"},       {"xrevrange", "end", "string"},
    {"xautoclaim", "start", "string"},      {"xpending", "start", "string"},
    {"xpending", "end", "string"},          {"xclaim", "ms", "integer"},
    {"setbit", "value", "integer"},         {"bitfield", "value", "integer"},
    {"xpending", "min-idle-time", "integer"},
};

static const char *meaning(const struct word_pair *pairs, size_t count, struct bytes word)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(word, bytes_from_string(pairs[i].word)))
            return pairs[i].meaning;
    return NULL;
}
#define MEANING(pairs, word) meaning(pairs, sizeof pairs / sizeof *pairs, word)

static const char *type_of_value(const char *command, struct bytes name)
{
    const char *type;

    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (!strcmp(command, exceptions[i].command) &&
            bytes_equal(name, bytes_from_string(exceptions[i].name)))
            return exceptions[i].type;
    type = MEANING(types, name);
    return type ? type : "string";
}

/* --- one argument ------------------------------------------------------------------------------------- */

struct walk { /* through the arguments of a command */
    struct request *req;
    const struct command *row;
    int rules, key_arguments;
};

#define ARGUMENT_NAME_MAX 64

static void lower(struct bytes word, char out[ARGUMENT_NAME_MAX])
{
    size_t len = word.len < ARGUMENT_NAME_MAX ? word.len : ARGUMENT_NAME_MAX - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)word.data[i]);
    out[len] = '\0';
}

/* The token or name that a reader sees first. */
static struct bytes first_word(const struct argument *argument)
{
    while (!argument->token.len && argument->first)
        argument = argument->first;
    return argument->token.len ? argument->token : argument->name;
}

/* YES | SYNC | NO of the debugger begins as another choice does. */
static bool is_debug_mode(const struct argument *choice)
{
    return bytes_is(first_word(choice), "YES") && choice->first && choice->first->next &&
           bytes_is(first_word(choice->first->next), "SYNC");
}

static void name_of(const struct argument *argument, char out[ARGUMENT_NAME_MAX])
{
    struct bytes word = argument->name.len ? argument->name : first_word(argument);
    const char *known = NULL;
    size_t len;

    if (argument->kind == ARGUMENT_ONE_OF && !argument->token.len)
        known = is_debug_mode(argument) ? "mode" : MEANING(choice_names, word);
    else if (argument->kind == ARGUMENT_BLOCK && !argument->token.len && argument->flags & ARGUMENT_MULTIPLE)
        known = "data";
    else if (argument->kind == ARGUMENT_TOKEN)
        known = MEANING(token_names, word);
    lower(known ? bytes_from_string(known) : word, out);
    len = strlen(out);
    if (argument->kind == ARGUMENT_BLOCK && !known && !argument->token.len)
        snprintf(out + len, ARGUMENT_NAME_MAX - len, "-block");
}

static void reply_argument_flags(struct request *req, unsigned flags)
{
    static const char *const words[] = {"optional", "multiple", "multiple_token"};

    reply_bulk_string(req, "flags");
    reply_set(req, (size_t)__builtin_popcount(flags));
    for (unsigned i = 0; i < 3; i++)
        if (flags >> i & 1)
            reply_status(req, words[i]);
}

static void reply_pair(struct request *req, const char *name, const char *value)
{
    reply_bulk_string(req, name);
    reply_bulk_string(req, value);
}

static void reply_arguments(struct walk *walk, const struct argument *list);

/* The version in which the argument came, when that is later than the command's own; else nothing. */
static struct bytes argument_since(const struct command *row, const struct argument *argument,
                                   const char *name)
{
    struct bytes word = argument->token.len ? argument->token : bytes_from_string(name);
    const char *at = row->argument_since;

    while (at && *at) {
        size_t len = strcspn(at, " ");
        const char *version = at + len + 1;

        at = version + strcspn(version, ",");
        if (bytes_equal(word, (struct bytes){version - len - 1, len}))
            return (struct bytes){version, (size_t)(at - version)};
        at += strspn(at, ", ");
    }
    return (struct bytes){NULL, 0};
}

/* Which rule tells of the argument; false when it is no key. The patterns of SORT name keys by the second one. */
static bool key_rule_of(struct walk *walk, const char **type, int *rule)
{
    bool is_key = !strcmp(*type, "key"), is_pattern = !strcmp(*type, "pattern") && walk->rules > 1;

    if (is_key && !walk->rules)
        *type = "string";
    if (!walk->rules || (!is_key && !is_pattern))
        return false;
    *rule = is_pattern ? 1 : walk->key_arguments;
    if (*rule >= walk->rules)
        *rule = walk->rules - 1;
    walk->key_arguments = *rule + 1;
    return true;
}

static void reply_argument(struct walk *walk, const struct argument *argument)
{
    static const char *const kinds[] = {NULL, "pure-token", "oneof", "block"};
    struct request *req = walk->req;
    const char *type = kinds[argument->kind];
    char name[ARGUMENT_NAME_MAX];
    bool is_leaf = !argument->first, is_key;
    struct bytes since;
    int rule = 0;

    if (!type)
        type = type_of_value(walk->row->name, argument->name);
    is_key = key_rule_of(walk, &type, &rule);
    name_of(argument, name);
    since = argument_since(walk->row, argument, name);
    reply_map(req, 2 + is_leaf + is_key + (argument->token.len > 0) + (since.len > 0) +
                       (argument->flags != 0) + !is_leaf);
    reply_pair(req, "name", name);
    reply_pair(req, "type", type);
    if (is_leaf)
        reply_pair(req, "display_text", name);
    if (is_key) {
        reply_bulk_string(req, "key_spec_index");
        reply_int(req, rule);
    }
    if (argument->token.len) {
        reply_bulk_string(req, "token");
        reply_bulk(req, bytes_equal(argument->token, BYTES("\"\"")) ? (struct bytes){NULL, 0} : argument->token);
    }
    if (since.len) {
        reply_bulk_string(req, "since");
        reply_bulk(req, since);
    }
    if (argument->flags)
        reply_argument_flags(req, argument->flags);
    if (!is_leaf) {
        reply_bulk_string(req, "arguments");
        reply_arguments(walk, argument->first);
    }
}

static void reply_arguments(struct walk *walk, const struct argument *list)
{
    size_t count = 0;

    for (const struct argument *at = list; at; at = at->next)
        count++;
    reply_array(walk->req, count);
    for (const struct argument *at = list; at; at = at->next)
        reply_argument(walk, at);
}

static void reply_syntax(struct request *req, const struct command *row)
{
    struct walk walk = {.req = req, .row = row};
    struct syntax syntax;
    struct key_rule rule;

    while (command_key_rule(row, (size_t)walk.rules, &rule))
        walk.rules++;
    syntax_parse(&syntax, row->syntax);
    reply_bulk_string(req, "arguments");
    reply_arguments(&walk, syntax.first);
    syntax_release(&syntax);
}

/* --- one command -------------------------------------------------------------------------------------- */

static void reply_deprecation(struct request *req, const struct command *row)
{
    reply_bulk_string(req, "doc_flags");
    reply_set(req, 1);
    reply_status(req, "deprecated");
    reply_pair(req, "deprecated_since", row->deprecated_since);
    reply_pair(req, "replaced_by", row->replaced_by);
}

/* A pair of version and text for each line. */
static void reply_history(struct request *req, const char *history)
{
    size_t count = 1;

    for (const char *at = history; *at; at++)
        count += *at == '\n';
    reply_bulk_string(req, "history");
    reply_set(req, count);
    for (const char *at = history; count--; at += strcspn(at, "\n") + (count > 0)) {
        size_t len = strcspn(at, " ");

        reply_array(req, 2);
        reply_bulk(req, (struct bytes){at, len});
        reply_bulk(req, (struct bytes){at + len + 1, strcspn(at, "\n") - len - 1});
    }
}

static void reply_subcommand_docs(struct request *req, const struct command_entry *entry, size_t count)
{
    reply_bulk_string(req, "subcommands");
    reply_map(req, count);
    for (size_t i = 0; i < count; i++)
        reply_command_docs(req, command_set_at(req->engine->commands, entry->id + 1 + (unsigned)i));
}

void reply_command_docs(struct request *req, const struct command_entry *entry)
{
    const struct command *row = entry->row;
    size_t subcommands = 0;
    bool has_arguments = *row->syntax, is_deprecated = row->deprecated_since;
    const char *complexity = row->complexity;
    char name[COMMAND_NAME_MAX];

    while (row->subcommands && row->subcommands[subcommands].name)
        subcommands++;
    if (!*complexity && subcommands)
        complexity = "depends on the subcommand";
    reply_bulk_string(req, command_full_name(entry, name));
    reply_map(req, 3 + (*complexity != '\0') + (is_deprecated ? 3 : 0) + (row->history != NULL) + has_arguments +
                       (subcommands > 0));
    reply_pair(req, "summary", row->summary);
    reply_pair(req, "since", row->since);
    reply_pair(req, "group", entry->group);
    if (*complexity)
        reply_pair(req, "complexity", complexity);
    if (is_deprecated)
        reply_deprecation(req, row);
    if (row->history)
        reply_history(req, row->history);
    if (has_arguments)
        reply_syntax(req, row);
    if (subcommands)
        reply_subcommand_docs(req, entry, subcommands);
}
