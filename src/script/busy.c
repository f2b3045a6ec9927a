/* Scripts that take long. Beyond busy-reply-threshold other clients are served now and then, from within the script:
 * most commands answer BUSY, but the script can be killed and the server be ended. */
#include "script_internal.h"

#include "base/log.h"

#define LOOK_NS 2000000 /* between two turns for others */

static const char *const busy_errors[] = {
    [SCRIPT_EVAL] = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    [SCRIPT_FUNCTION] = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
};
static const char *const kill_commands[] = {[SCRIPT_EVAL] = "SCRIPT KILL", [SCRIPT_FUNCTION] = "FUNCTION KILL"};

void busy_begin(struct scripts *scripts)
{
    struct run *run = &scripts->run;
    int64_t threshold_ms = scripts->engine->settings.busy_reply_threshold_ms;

    run->next_look_ns =
        threshold_ms > 0 && threshold_ms < INT64_MAX / 2000000
            ? run->shown.started_ns + (uint64_t)threshold_ms * 1000000
            : UINT64_MAX;
}

static void become_busy(struct scripts *scripts, uint64_t now_ns)
{
    struct script_running *shown = &scripts->run.shown;

    shown->is_busy = true;
    log_write(LOG_WARNING,
              "Slow script detected: still in execution after %llu milliseconds. You can try killing the script "
              "using the %s command. Script name is: %.*s.",
              (unsigned long long)(now_ns - shown->started_ns) / 1000000, kill_commands[shown->kind],
              (int)shown->name.len, shown->name.data);
    engine_set_busy(scripts->engine, busy_errors[shown->kind]);
}

void busy_look(struct scripts *scripts, uint64_t now_ns)
{
    struct run *run = &scripts->run;

    if (!run->shown.is_busy)
        become_busy(scripts, now_ns);
    engine_nested_turn(scripts->engine);
    run->next_look_ns = clock_work_ns() + LOOK_NS;
    if (run->is_killed || scripts->engine->should_stop)
        lua_set_hook(run->machine->public.lua, busy_hook, scripts, 1); /* at once */
}

void busy_end(struct scripts *scripts)
{
    if (!scripts->run.shown.is_busy)
        return;
    scripts->run.shown.is_busy = false;
    engine_set_busy(scripts->engine, NULL);
    script_hook_usual(scripts->run.machine);
}

static bool raise_text(struct scripts *scripts, struct lua *lua, const char *text)
{
    return lua_raise(lua, error_table(scripts->run.machine, bytes_from_string(text)));
}

static bool end_killed(struct scripts *scripts, struct lua *lua)
{
    const char *command = kill_commands[scripts->run.shown.kind];

    log_write(LOG_NOTICE, "Lua script killed by user with %s.", command);
    return raise_text(scripts, lua, "Script killed by user with SCRIPT KILL..."); /* so of functions, too */
}

bool busy_hook(struct lua *lua, void *context)
{
    struct scripts *scripts = context;
    struct run *run = &scripts->run;
    uint64_t now_ns = clock_work_ns();

    if (run->deadline_ns && now_ns >= run->deadline_ns)
        return raise_text(scripts, lua, "timeout");
    if (!run->shown.request)
        return true;
    if (now_ns >= run->next_look_ns)
        busy_look(scripts, now_ns);
    if (run->is_killed)
        return end_killed(scripts, lua);
    if (scripts->engine->should_stop)
        return raise_text(scripts, lua, "The server ends");
    return true;
}

void script_kill_command(struct request *req, enum script_kind kind)
{
    struct run *run = &req->engine->scripts->run;

    if (!run->shown.request) {
        reply_error(req, "NOTBUSY No scripts in execution right now.");
    } else if (run->shown.has_written) {
        reply_error(req, "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "
                         "either wait the script termination or kill the server in a hard way using the SHUTDOWN "
                         "NOSAVE command.");
    } else if (run->shown.kind != kind) {
        reply_error(req, busy_errors[run->shown.kind]);
    } else {
        run->is_killed = true;
        reply_ok(req);
    }
}
