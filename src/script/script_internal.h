/* What the files of this folder share: the host's state, the machine's constants, values both ways. */
#ifndef TERN_SCRIPT_INTERNAL_H
#define TERN_SCRIPT_INTERNAL_H

#include "script/script.h"

#include "engine/inner.h"
#include "engine/propagate.h"

#define ARGS_AT_HAND 64 /* arguments of redis.call that need no allocation */
#define NUMBER_ROOM  32 /* of each argument, for the text of a number */

/* An interpreter, and values that the host needs often: looked up once. */
struct machine {
    struct script_machine public; /* first */
    struct lua_value key_ok, key_err, key_ignore, text_ok;
    struct lua_value keys_name, argv_name; /* "KEYS", "ARGV" */
    uint64_t runs, runs_collected; /* calls so far; of these when it was last free of garbage */
    bool is_dying;
};

/* What the running script may and has done. */
struct run {
    struct script_running shown; /* 'request' is NULL: none runs */
    struct machine *machine;
    bool is_read_only, may_not_write, may_exceed_memory, is_out_of_memory;
    bool is_killed;
    uint64_t next_look_ns; /* when to see whether it is busy, or what clients want meanwhile */
    uint64_t deadline_ns;  /* of script_call_limited; 0: none */
};

struct scripts {
    struct engine *engine;
    struct inner *inner;
    struct script_machine *machines;
    struct script_cache *cache;
    struct run run;
    uint64_t random_state; /* one sequence for all scripts */
    /* of redis.call, used again each time */
    struct bytes args[ARGS_AT_HAND];
    char numbers[ARGS_AT_HAND][NUMBER_ROOM];
};

static inline struct machine *machine_of(struct script_machine *machine) { return (struct machine *)machine; }
/* Every function of 'redis' has its machine as context. */
static inline struct machine *machine_of_call(const struct lua_call *call) { return call->context; }

/* Numbers count as texts. */
static inline bool is_text(struct lua_value value) { return lua_is(value, LUA_STRING) || lua_is(value, LUA_NUMBER); }
/* That of a number is put to 'at_hand'. */
static inline struct bytes text_of(struct lua_value value, char at_hand[LUA_NUMBER_TEXT_MAX])
{
    if (lua_is(value, LUA_STRING))
        return lua_string_bytes(value);
    return (struct bytes){at_hand, lua_number_text(at_hand, value.number)};
}

/* redis_call.c */
bool redis_call(struct lua_call *call);
bool redis_pcall(struct lua_call *call);
bool redis_acl_check_cmd(struct lua_call *call);

/* redis_table.c: adds the table 'redis' to the globals. */
void redis_table_open(struct machine *machine);
/* Lua's table for an error: "-CODE text", or "text" whose code is ERR. */
struct lua_value error_table(struct machine *machine, struct bytes text);
/* Raises it; for functions in C. */
bool raise_error(struct lua_call *call, const char *text);

/* script_globals.c: what is missing is an error, all becomes read-only. */
void globals_open(struct machine *machine);
void globals_protect(struct machine *machine);

/* from_reply.c: a reply in RESP as a value of Lua. An error reply is its table. */
struct lua_value value_from_reply(struct machine *machine, struct bytes reply);

/* to_reply.c: replies the value as Redis converts it. */
void reply_value(struct request *req, struct machine *machine, struct lua_value value);
/* The error of the last call, with the script's name and place. */
void reply_script_error(struct request *req, struct machine *machine, struct bytes name);

/* busy.c: called now and then while a script runs; false: an error that nothing catches is set. */
bool busy_hook(struct lua *lua, void *context);
/* The same from within redis.call: only serves who waits. */
void busy_look(struct scripts *scripts, uint64_t now_ns);
void busy_begin(struct scripts *scripts);
void busy_end(struct scripts *scripts);
/* As often as usual from now on. */
void script_hook_usual(struct machine *machine);

#endif
