/* EVAL and its family; SCRIPT. */
#include "run_row_internal.h"

#include "commands/help.h"
#include "engine/monitor.h"
#include "engine/request.h"
#include "script/script_cache.h"

#define SOURCE_AT 1

static struct script_cache *cache_of(const struct request *req) { return scripts_cache(req->engine->scripts); }

/* --- running ------------------------------------------------------------------------------------- */

static void run(struct request *req, struct cached_script *script, struct script_call *call)
{
    call->machine = script_cache_machine(cache_of(req));
    call->function = lua_pinned(call->machine->lua, script->pin);
    call->name = (struct bytes){script->sum, SCRIPT_SUM_LEN};
    call->flags = script->flags;
    script_run(req, call);
}

static void eval(struct request *req, bool is_read_only)
{
    struct script_call call = {.is_read_only = is_read_only};
    struct cached_script *script;

    monitor_show(req); /* before the commands that it runs */
    if (!script_keys_or_reply(req, &call))
        return;
    script = script_cache_take_or_reply(req, req->argv[SOURCE_AT], false);
    if (script)
        run(req, script, &call);
}

static void evalsha(struct request *req, bool is_read_only)
{
    struct script_call call = {.is_read_only = is_read_only};
    struct cached_script *script = script_cache_find(cache_of(req), req->argv[SOURCE_AT]);

    monitor_show(req);
    if (req->argv[SOURCE_AT].len != SCRIPT_SUM_LEN) {
        reply_error(req, "NOSCRIPT No matching script. Please use EVAL.");
        return;
    }
    if (!script_keys_or_reply(req, &call))
        return;
    if (!script) {
        reply_error(req, "NOSCRIPT No matching script. Please use EVAL.");
        return;
    }
    script_cache_touch(cache_of(req), script);
    run(req, script, &call);
}

static void cmd_eval(struct request *req) { eval(req, false); }
static void cmd_eval_ro(struct request *req) { eval(req, true); }
static void cmd_evalsha(struct request *req) { evalsha(req, false); }
static void cmd_evalsha_ro(struct request *req) { evalsha(req, true); }

/* What the script says of itself rules what the gate does with it. */
static uint32_t eval_flags(const struct request *req)
{
    uint32_t flags = req->command->row->flags;
    unsigned said;

    if (!script_cache_flags(cache_of(req), req->argv[SOURCE_AT], &said))
        return flags;
    return script_command_flags(flags, said);
}

static uint32_t evalsha_flags(const struct request *req)
{
    const struct cached_script *script = script_cache_find(cache_of(req), req->argv[SOURCE_AT]);
    uint32_t flags = req->command->row->flags;

    return script ? script_command_flags(flags, script->flags) : flags;
}

/* --- SCRIPT -------------------------------------------------------------------------------------- */

static void script_load(struct request *req)
{
    const struct cached_script *script = script_cache_take_or_reply(req, req->argv[2], true);

    if (script)
        reply_bulk_string(req, script->sum);
}

static void script_exists(struct request *req)
{
    reply_array(req, (size_t)req->argc - 2);
    for (int i = 2; i < req->argc; i++)
        reply_int(req, script_cache_find(cache_of(req), req->argv[i]) != NULL);
}

static void script_flush(struct request *req)
{
    bool is_async = req->argc == 3 && argument_is(req, 2, "async");

    if (req->argc > 3 || (req->argc == 3 && !is_async && !argument_is(req, 2, "sync"))) {
        reply_error(req, "ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        return;
    }
    script_cache_flush(cache_of(req), is_async);
    reply_ok(req);
}

static void script_kill(struct request *req) { script_kill_command(req, SCRIPT_EVAL); }

static void script_debug(struct request *req)
{
    if (argument_is(req, 2, "no"))
        reply_ok(req);
    else if (argument_is(req, 2, "yes") || argument_is(req, 2, "sync"))
        reply_error(req, "ERR SCRIPT DEBUG is not supported by this server");
    else
        reply_error(req, "ERR Use SCRIPT DEBUG YES/SYNC/NO");
}

/* --- the table ----------------------------------------------------------------------------------- */

static const struct command script_subcommands[] = {
    {"debug", script_debug, 3, CMD_NOSCRIPT, {0, 0, 0}, NULL, "3.2.0", "O(1)", "<YES | SYNC | NO>",
     "Turns the debugger of scripts on or off. This server has none: NO alone is accepted."},
    {"exists", script_exists, -3, CMD_NOSCRIPT, {0, 0, 0}, NULL, "2.6.0", "O(N) scripts", "sha1 [sha1 ...]",
     "Tells for each sum whether its script is in the cache.",
     .tips = "request_policy:all_shards response_policy:agg_logical_and"},
    {"flush", script_flush, -2, CMD_NOSCRIPT, {0, 0, 0}, NULL, "2.6.0", "O(N) scripts", "[ASYNC | SYNC]",
     "Forgets all scripts. ASYNC frees them in slices.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded",
     .history = "6.2.0 ASYNC and SYNC.", .argument_since = "flush-type 6.2.0"},
    {"help", cmd_help, 2, CMD_LOADING | CMD_STALE, {0, 0, 0}, NULL, "5.0.0", "O(1)", "", "Prints this help."},
    {"kill", script_kill, 2, CMD_NOSCRIPT | CMD_ALLOW_BUSY, {0, 0, 0}, NULL, "2.6.0", "O(1)", "",
     "Ends the script that runs, unless it has written.",
     .tips = "request_policy:all_shards response_policy:one_succeeded"},
    {"load", script_load, 3, CMD_NOSCRIPT | CMD_STALE, {0, 0, 0}, NULL, "2.6.0", "O(N) bytes of the script", "script",
     "Compiles a script for EVALSHA and returns its sum.",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {0},
};

static const struct command script_commands[] = {
    {"eval", cmd_eval, -3, RUN_FLAGS | CMD_MAY_REPLICATE, {0, 0, 0}, NULL, "2.6.0", "as the script does",
     "script numkeys [key [key ...]] [arg [arg ...]]", "Runs a script in Lua.", .key_rules = ANY_USE,
     .flags_of = eval_flags},
    {"eval_ro", cmd_eval_ro, -3, RUN_FLAGS | CMD_READONLY, {0, 0, 0}, NULL, "7.0.0", "as the script does",
     "script numkeys [key [key ...]] [arg [arg ...]]", "Runs a script in Lua that writes nothing.",
     .key_rules = ANY_READ, .flags_of = eval_flags},
    {"evalsha", cmd_evalsha, -3, RUN_FLAGS | CMD_MAY_REPLICATE, {0, 0, 0}, NULL, "2.6.0", "as the script does",
     "sha1 numkeys [key [key ...]] [arg [arg ...]]", "Runs a script in Lua that the cache has, by its sum.",
     .key_rules = ANY_USE, .flags_of = evalsha_flags},
    {"evalsha_ro", cmd_evalsha_ro, -3, RUN_FLAGS | CMD_READONLY, {0, 0, 0}, NULL, "7.0.0", "as the script does",
     "sha1 numkeys [key [key ...]] [arg [arg ...]]",
     "Runs a script in Lua that the cache has, by its sum, and that writes nothing.", .key_rules = ANY_READ,
     .flags_of = evalsha_flags},
    {"script", NULL, -2, 0, {0, 0, 0}, script_subcommands, "2.6.0", "", "", "Manages the scripts in the cache."},
};
REGISTER_COMMANDS("scripting", script_commands);
