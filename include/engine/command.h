/* A command is one handler and one row; a family's file ends in its table of rows.
 *
 *     static void cmd_strlen(struct request *req) { ... }
 *
 *     static const struct command string_commands[] = {
 *         {"strlen", cmd_strlen, 2, CMD_READONLY | CMD_FAST, {1, 1, 1}, .since = "2.2.0", ...},
 *     };
 *     REGISTER_COMMANDS("string", string_commands);
 *
 * The row is the only place for what is known of a command. Registration puts the table's address
 * into a section of the program, so adding a file edits no list. */
#ifndef TERN_ENGINE_COMMAND_H
#define TERN_ENGINE_COMMAND_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

#define CMD_WRITE         (1u << 0)  /* may change a database */
#define CMD_READONLY      (1u << 1)
#define CMD_GROWS         (1u << 2)  /* refused when memory is out ("denyoom") */
#define CMD_ADMIN         (1u << 3)
#define CMD_PUBSUB        (1u << 4)
#define CMD_NOSCRIPT      (1u << 5)
#define CMD_BLOCKING      (1u << 6)
#define CMD_LOADING       (1u << 7)  /* allowed while a file is loaded */
#define CMD_STALE         (1u << 8)  /* allowed on a replica that has lost its master */
#define CMD_SKIP_MONITOR  (1u << 9)
#define CMD_SKIP_SLOWLOG  (1u << 10)
#define CMD_FAST          (1u << 11)
#define CMD_NO_AUTH       (1u << 12) /* allowed before authentication */
#define CMD_NO_MULTI      (1u << 13) /* refused inside MULTI */
#define CMD_MAY_REPLICATE (1u << 14) /* not a write, but may reach the write stream (PUBLISH) */
#define CMD_ALLOW_BUSY    (1u << 15) /* allowed while a script is busy */
#define CMD_IN_SUBSCRIBED (1u << 16) /* allowed to a RESP2 client that is subscribed */
#define CMD_NOT_QUEUED    (1u << 17) /* runs at once inside MULTI (EXEC, DISCARD, WATCH ...) */
#define CMD_DANGEROUS     (1u << 18) /* ACL category */
#define CMD_KEYSPACE      (1u << 19) /* ACL category */
#define CMD_IN_ADMIN      (1u << 20) /* ACL category, without the flag */
#define CMD_IN_CONNECTION (1u << 21) /* ACL category, of other groups than it */
#define CMD_NO_ASYNC_LOADING (1u << 23) /* refused while a new dataset is loaded beside the old */
#define CMD_KEYS_OPTIONAL (1u << 22) /* its arguments may name no key ("no_mandatory_keys") */

struct key_spec { /* arguments that are keys; first 0: none; last -1: to the end */
    int first, last, step;
};

/* Where keys stand and what becomes of them, as Redis's key specifications tell it. A row without rules
 * has one that follows from its 'keys' and its flags. The keys of a command are those of all its rules. */
#define KEY_RO         (1u << 0) /* exactly one of these four */
#define KEY_RW         (1u << 1)
#define KEY_OW         (1u << 2)
#define KEY_RM         (1u << 3)
#define KEY_ACCESS     (1u << 4)
#define KEY_UPDATE     (1u << 5)
#define KEY_INSERT     (1u << 6)
#define KEY_DELETE     (1u << 7)
#define KEY_NOT_KEY    (1u << 8)
#define KEY_INCOMPLETE (1u << 9)
#define KEY_VARIABLE   (1u << 10) /* the flags depend on the arguments */

enum key_begin { KEY_AT_INDEX = 1, KEY_AT_WORD, KEY_BEGIN_UNKNOWN };
enum key_find { KEY_RANGE = 1, KEY_COUNTED, KEY_FIND_UNKNOWN };

struct key_rule {
    uint32_t flags;
    enum key_begin begin;
    int index;        /* of the argument; KEY_AT_WORD: where the search begins, negative from the end */
    const char *word; /* KEY_AT_WORD: the keys stand behind it */
    enum key_find find;
    /* KEY_RANGE: last (from the first; negative from the end), step, limit.
     * KEY_COUNTED: where the count stands, where the first key stands (both from 'index'), step. */
    int find_arguments[3];
};

/* The rules of the usual commands whose flags are not what a read or a write has by default. */
#define KEY_RANGE_RULE(flags, first, last, step) \
    ((const struct key_rule[]){{flags, KEY_AT_INDEX, first, NULL, KEY_RANGE, {last, step, 0}}, {0}})
#define FIRST_KEY(flags) KEY_RANGE_RULE(flags, 1, 0, 1)
#define ALL_KEYS(flags)  KEY_RANGE_RULE(flags, 1, -1, 1)

struct command {
    const char *name; /* lower case */
    void (*handler)(struct request *req);
    int arity; /* with the name; negative: at least */
    uint32_t flags;
    struct key_spec keys;
    const struct command *subcommands; /* ends with a row without name; the handler is then NULL */
    const char *since, *complexity, *syntax, *summary;
    const struct key_rule *key_rules; /* NULL: see struct key_rule; ends with a rule whose 'begin' is 0 */
    const char *tips;                 /* COMMAND INFO's, with a blank between; NULL: none */
    const char *deprecated_since, *replaced_by;
    uint32_t (*flags_of)(const struct request *req); /* CMD_*, where they depend on the arguments; NULL: 'flags' */
    const char *history; /* "7.0.0 What came then.\n7.2.0 ..."; NULL: none */
    const char *argument_since; /* "NX 2.6.12, unit 7.0.0": arguments, by token or name, that came later; NULL: none */
    int member; /* the argument that names an element of the value, which the batch asks for ahead; 0: none */
};

struct command_table {
    const char *group;
    const struct command *rows;
    size_t count;
};

#define REGISTER_COMMANDS(group, rows)                                                             \
    static const struct command_table rows##_table = {group, rows, sizeof rows / sizeof *rows};    \
    static const struct command_table *const rows##_pointer                                        \
        __attribute__((section("command_tables"), used)) = &rows##_table

/* Every command and subcommand of the program, numbered from 0. */
struct command_set;

struct command_entry {
    const struct command *row;
    const char *name; /* under which it is found: the row's, or what rename-command made of it; "" when removed */
    const struct command *parent; /* of a subcommand */
    const char *group;
    unsigned id;
};

struct command_set *command_set_new(void);
void command_set_free(struct command_set *set);
unsigned command_set_size(const struct command_set *set);
const struct command_entry *command_set_at(const struct command_set *set, unsigned id);
/* Case does not matter. NULL when unknown. */
const struct command_entry *command_find(const struct command_set *set, struct bytes name);
const struct command_entry *subcommand_find(const struct command_set *set,
                                            const struct command_entry *parent, struct bytes name);

/* From now on it is found under the name 'to' only, or not at all when that is empty. False when another has that
 * name. */
bool command_rename(struct command_set *set, struct bytes from, struct bytes to);

/* "client|list" for a subcommand. 'out' holds COMMAND_NAME_MAX bytes; returns it. */
#define COMMAND_NAME_MAX 64
const char *command_full_name(const struct command_entry *entry, char *out);

static inline bool command_arity_fits(const struct command *row, int argc)
{
    return row->arity > 0 ? argc == row->arity : argc >= -row->arity;
}

/* The last key's argument (the spec's 'last' may count from the end). */
static inline int key_spec_last(const struct key_spec *keys, int argc)
{
    return keys->last < 0 ? argc + keys->last : keys->last;
}

#endif
