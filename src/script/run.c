/* Running a script on behalf of a request. */
#include "script_internal.h"

#include "base/numbers.h"
#include "store/store.h"

#include <stdio.h>

#define NUMKEYS_AT 2

bool script_keys_or_reply(struct request *req, struct script_call *call)
{
    int64_t count;

    if (!parse_int_or_reply(req, NUMKEYS_AT, &count))
        return false;
    if (count > req->argc - (NUMKEYS_AT + 1)) {
        reply_error(req, "ERR Number of keys can't be greater than number of args");
        return false;
    }
    if (count < 0) {
        reply_error(req, "ERR Number of keys can't be negative");
        return false;
    }
    call->keys = req->argv + NUMKEYS_AT + 1;
    call->key_count = (size_t)count;
    call->args = call->keys + count;
    call->arg_count = (size_t)(req->argc - (NUMKEYS_AT + 1)) - call->key_count;
    return true;
}

const struct script_running *script_running(const struct scripts *scripts)
{
    return scripts && scripts->run.shown.request ? &scripts->run.shown : NULL;
}

struct lua_value script_error_value(struct script_machine *machine, const char *text)
{
    return error_table(machine_of(machine), bytes_from_string(text));
}

struct bytes script_error_text(struct script_machine *machine)
{
    struct lua_value error = lua_error_value(machine->lua), text;

    if (lua_is(error, LUA_TABLE) && !lua_index(machine->lua, error, machine_of(machine)->key_err, &error))
        return BYTES("unknown error");
    if (!lua_to_text(machine->lua, error, &text))
        return BYTES("unknown error");
    return lua_string_bytes(text);
}

/* --- before ------------------------------------------------------------------------------------- */

/* Whether memory is out for this script. Within EXEC nothing is evicted: that would tear its effects apart. */
static bool is_out_of_memory(const struct request *req)
{
    struct store *store = req->engine->store;

    if (!store_is_over_limit(store))
        return false;
    if (req->flags & REQUEST_IN_EXEC)
        return store->settings.policy == EVICT_NONE;
    return store_evict(store) == EVICT_FAILED;
}

/* What the script says of itself against what the server can bear; false when it is answered. */
static bool check_flags_or_reply(struct request *req, const struct script_call *call, bool is_full)
{
    if (call->flags & SCRIPT_SAYS_NOTHING)
        return true;
    if (call->is_read_only && !(call->flags & SCRIPT_NO_WRITES)) {
        reply_error(req, "ERR Can not execute a script with write flag using *_ro command.");
        return false;
    }
    if (!(call->flags & SCRIPT_NO_WRITES) && req->engine->guards & GUARD_WRITES) {
        reply_error(req, ERR_SNAPSHOT_FAILED);
        return false;
    }
    if (is_full && !(call->flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES))) {
        reply_error(req, "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'");
        return false;
    }
    return true;
}

static void begin(struct request *req, const struct script_call *call, bool is_full)
{
    struct scripts *scripts = call->machine->scripts;
    bool says = !(call->flags & SCRIPT_SAYS_NOTHING);

    inner_begin(scripts->inner, req);
    scripts->run = (struct run){
        .shown = {call->machine->kind, call->name, req, inner_started_ns(scripts->inner), false, false},
        .machine = machine_of(call->machine),
        .is_read_only = call->is_read_only || (says && call->flags & SCRIPT_NO_WRITES),
        .may_exceed_memory = says && call->flags & SCRIPT_ALLOW_OOM,
        .is_out_of_memory = is_full,
        .may_not_write = req->engine->guards & GUARD_WRITES,
    };
    scripts->run.machine->runs++;
    busy_begin(scripts);
}

static void end(struct request *req, struct scripts *scripts)
{
    busy_end(scripts);
    propagate_only_to(req->engine, PROPAGATE_TO_ALL);
    if (req->engine->should_stop) { /* in the middle of it: it has no effect that lasts, and no answer */
        propagate_drop(req->engine);
        client_close(req->client);
    }
    scripts->run.shown.request = NULL;
    inner_end(scripts->inner);
}

/* --- the run ------------------------------------------------------------------------------------ */

static struct lua_value table_of(struct lua *lua, const struct bytes *list, size_t count)
{
    struct lua_table *table = lua_table_new(lua, count, 0);

    for (size_t i = 0; i < count; i++)
        lua_table_set_int(lua, table, (int64_t)i + 1, lua_string(lua, list[i]));
    return lua_of_table(table);
}

static int call_function(const struct script_call *call)
{
    struct machine *machine = machine_of(call->machine);
    struct lua *lua = call->machine->lua;
    struct lua_value args[2] = {table_of(lua, call->keys, call->key_count), table_of(lua, call->args, call->arg_count)};

    if (call->machine->kind == SCRIPT_FUNCTION)
        return lua_call(lua, call->function, args, 2);
    lua_table_set(lua, lua_globals(lua), machine->keys_name, args[0]);
    lua_table_set(lua, lua_globals(lua), machine->argv_name, args[1]);
    return lua_call(lua, call->function, NULL, 0);
}

void script_run(struct request *req, const struct script_call *call)
{
    struct scripts *scripts = call->machine->scripts;
    struct machine *machine = machine_of(call->machine);
    bool is_full = is_out_of_memory(req);
    int count;

    if (!check_flags_or_reply(req, call, is_full))
        return;
    begin(req, call, is_full);
    count = call_function(call);
    if (!scripts->engine->should_stop) {
        if (count < 0)
            reply_script_error(req, machine, call->name);
        else
            reply_value(req, machine, count ? lua_result(call->machine->lua, 0) : lua_nil());
    }
    end(req, scripts);
}

int script_call_limited(struct script_machine *machine, struct lua_value function, const struct lua_value *args,
                        int argc, int64_t limit_ms)
{
    struct run *run = &machine->scripts->run;
    int count;

    run->machine = machine_of(machine);
    run->deadline_ns = limit_ms ? clock_work_ns() + (uint64_t)limit_ms * 1000000 : 0;
    run->machine->runs++;
    count = lua_call(machine->lua, function, args, argc);
    run->deadline_ns = 0;
    return count;
}
