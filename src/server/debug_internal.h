/* What the files of DEBUG share: a table of subcommands in each. */
#ifndef TERN_SERVER_DEBUG_INTERNAL_H
#define TERN_SERVER_DEBUG_INTERNAL_H

#include "server_internal.h"

#define ANY_ARGC 0x7fffffff

struct debug_action {
    const char *name;       /* lower case; NULL behind the last */
    int argc_min, argc_max; /* with DEBUG and the name */
    void (*run)(struct request *req);
    const char *syntax, *summary;
};

extern const struct debug_action debug_persist_actions[];
extern const struct debug_action debug_reply_actions[];
extern const struct debug_action debug_table_actions[];
extern const struct debug_action debug_crash_actions[];

/* "unknown subcommand or wrong number of arguments" */
void reply_debug_error(struct request *req);

#endif
