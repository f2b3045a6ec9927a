/* Running scripts on behalf of requests: what EVAL and FCALL share.
 *
 *     host    = scripts_new(engine);                      one for the server: engine->scripts
 *     machine = script_machine_new(host, SCRIPT_EVAL);    an interpreter with the libraries and the table 'redis'
 *     lua_load(machine->lua, source, BYTES("@user_script"), lua_globals(machine->lua), &function)
 *     script_run(req, &(struct script_call){machine, function, ...});            runs it and replies
 *
 * A run is one execution unit: time stands still, what its commands write travels together. Scripts do not nest: no
 * command that runs one can be called from one. */
#ifndef TERN_SCRIPT_SCRIPT_H
#define TERN_SCRIPT_SCRIPT_H

#include "base/bytes.h"
#include "lua/lua.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct request;

/* What a script says of itself ("#!lua flags=no-writes,allow-oom", the flags of a function). */
#define SCRIPT_NO_WRITES        (1u << 0)
#define SCRIPT_ALLOW_OOM        (1u << 1)
#define SCRIPT_ALLOW_STALE      (1u << 2)
#define SCRIPT_NO_CLUSTER       (1u << 3)
#define SCRIPT_ALLOW_CROSS_SLOT (1u << 4)
#define SCRIPT_SAYS_NOTHING     (1u << 5) /* EVAL without a first line "#!": each command is judged when it comes */

/* The flag's bit, 0 when there is none of that name. Names are lower case. */
unsigned script_flag(struct bytes name);
/* In the order of their bits; NULL behind the last. */
const char *script_flag_name(unsigned at);

/* The command flags of a request that runs such a script: those of the row, but with what the script says of writing
 * and memory. For rows' 'flags_of'. */
uint32_t script_command_flags(uint32_t row_flags, unsigned script_flags);

enum script_kind { SCRIPT_EVAL, SCRIPT_FUNCTION };

/* --- the host ------------------------------------------------------------------------------ */

struct scripts *scripts_new(struct engine *engine); /* sets engine->scripts */
void scripts_free(struct scripts *scripts);
/* EVAL's scripts (script_cache.h). */
struct script_cache *scripts_cache(const struct scripts *scripts);
/* Between requests: collects garbage and frees what was flushed. True while there is more to do. */
bool scripts_work(struct scripts *scripts, int64_t budget_ns);

/* --- interpreters -------------------------------------------------------------------------- */

struct script_machine {
    struct lua *lua;
    struct scripts *scripts;
    enum script_kind kind;
    struct script_machine *next; /* the host's list */
};

/* All libraries and the table 'redis'. The globals and all their tables are read-only for scripts, and a global that is
 * not there raises "Script attempted to access nonexistent global variable 'x'". C code adds to them with the raw
 * lua_table_set functions. In a SCRIPT_FUNCTION machine 'redis' lacks what only EVAL has (breakpoint, debug,
 * replicate_commands), and redis.call raises unless a script_run is going on. */
struct script_machine *script_machine_new(struct scripts *scripts, enum script_kind kind);
/* is_async: in slices, by scripts_work. Not while a script of it runs. */
void script_machine_free(struct script_machine *machine, bool is_async);
/* Bytes of the interpreter. */
size_t script_machine_memory(const struct script_machine *machine);

/* What the error value of the last lua_load or lua_call says to users, without the code: the 'err' field of a table,
 * a string as it is, else what tostring gives. Alive until the interpreter runs again. */
struct bytes script_error_text(struct script_machine *machine);

/* Lua's error value for a failure of the server's: a table with 'err' set to "ERR text", or to "CODE text" for
 * "-CODE text". The caller raises it with lua_raise. */
struct lua_value script_error_value(struct script_machine *machine, const char *text);

/* --- running ------------------------------------------------------------------------------- */

struct script_call {
    struct script_machine *machine;
    struct lua_value function;
    struct bytes name;  /* the script's sum or the function's name; in errors and FUNCTION STATS; lives while it runs */
    unsigned flags;     /* SCRIPT_* */
    bool is_read_only;  /* EVAL_RO, FCALL_RO */
    const struct bytes *keys, *args; /* views of the request's arguments */
    size_t key_count, arg_count;
};

/* Parses numkeys (the argument 2 of EVAL, FCALL ...) and finds keys and arguments; replies the error otherwise. */
bool script_keys_or_reply(struct request *req, struct script_call *call);

/* Checks the flags against the state of the server, runs and replies the result or the error. KEYS and ARGV are global
 * tables for a SCRIPT_EVAL machine, the two arguments of the function for a SCRIPT_FUNCTION machine. */
void script_run(struct request *req, const struct script_call *call);

/* Runs C or Lua code that is no script of a request (the body of a library in FUNCTION LOAD): calls 'function', for at
 * most 'limit_ms' (0: without limit), after which it ends with the error "timeout" that nothing catches. As lua_call. */
int script_call_limited(struct script_machine *machine, struct lua_value function, const struct lua_value *args,
                        int argc, int64_t limit_ms);

/* --- what runs ------------------------------------------------------------------------------- */

struct script_running {
    enum script_kind kind;
    struct bytes name;
    const struct request *request; /* EVAL, FCALL ... with its arguments */
    uint64_t started_ns;           /* clock_work_ns */
    bool has_written;
    bool is_busy; /* it has passed busy-reply-threshold: other clients are answered BUSY */
};

/* NULL: none runs. */
const struct script_running *script_running(const struct scripts *scripts);

/* The handlers of SCRIPT KILL and FUNCTION KILL. */
void script_kill_command(struct request *req, enum script_kind kind);

#endif
