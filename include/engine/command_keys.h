/* The keys among a command's arguments, from the rules of its row (struct key_rule).
 *
 *     struct command_keys keys = {0};
 *     if (command_keys_find(entry, argv, argc, &keys))
 *         for (size_t i = 0; i < keys.count; i++) ... argv[keys.list[i].at], keys.list[i].flags
 *     command_keys_release(&keys);
 */
#ifndef TERN_ENGINE_COMMAND_KEYS_H
#define TERN_ENGINE_COMMAND_KEYS_H

#include "engine/command.h"

#include <stdbool.h>

struct command_key {
    int at;         /* which argument */
    uint32_t flags; /* KEY_* */
};

struct command_keys {
    struct command_key *list;
    size_t count, size;
};

/* False when the arguments are none that the command could have. The arity must be right. */
bool command_keys_find(const struct command_entry *entry, const struct bytes *argv, int argc,
                       struct command_keys *keys);
void command_keys_release(struct command_keys *keys);

/* Some argument may be a key. */
bool command_has_keys(const struct command *row);
/* The rule 'at' of a row; a row without rules has one that follows from its 'keys' and flags. False
 * when there are no more. */
bool command_key_rule(const struct command *row, size_t at, struct key_rule *rule);
/* Keys do not simply stand in one row that begins at a fixed place ("movablekeys"). */
bool command_keys_move(const struct command *row);

#endif
