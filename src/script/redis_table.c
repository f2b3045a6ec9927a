/* The table 'redis': all that scripts call but commands. */
#include "script_internal.h"

#include "base/log.h"
#include "base/sha1.h"
#include "base/text.h"
#include "engine/version.h"

#include <stdio.h>

/* --- errors -------------------------------------------------------------------------------------- */

static struct bytes without_end_of_line(struct bytes text)
{
    while (text.len && (text.data[0] == '\r' || text.data[0] == '\n'))
        text.data++, text.len--;
    while (text.len && (text.data[text.len - 1] == '\r' || text.data[text.len - 1] == '\n'))
        text.len--;
    return text;
}

struct lua_value error_table(struct machine *machine, struct bytes text)
{
    struct lua *lua = machine->public.lua;
    struct lua_table *table = lua_table_new(lua, 0, 1);
    struct bytes code = BYTES("ERR");
    struct text message = {0};

    if (text.len && text.data[0] == '-') {
        const char *blank = memchr(text.data, ' ', text.len);
        size_t skipped = blank ? (size_t)(blank + 1 - text.data) : 1;

        if (blank)
            code = (struct bytes){text.data + 1, skipped - 2};
        text = (struct bytes){text.data + skipped, text.len - skipped};
    }
    text_add(&message, code);
    text_add(&message, BYTES(" "));
    text_add(&message, without_end_of_line(text));
    lua_table_set(lua, table, machine->key_err, lua_string(lua, text_bytes(&message)));
    text_release(&message);
    return lua_of_table(table);
}

bool raise_error(struct lua_call *call, const char *text)
{
    return lua_raise(call->lua, error_table(machine_of_call(call), bytes_from_string(text)));
}

#define WRONG_ARGUMENTS "wrong number or type of arguments"

static bool redis_error_reply(struct lua_call *call)
{
    struct machine *machine = machine_of_call(call);
    struct text text = {0};
    struct bytes given;

    if (call->argc != 1 || !lua_is(lua_arg(call, 0), LUA_STRING)) {
        lua_return(call, error_table(machine, BYTES(WRONG_ARGUMENTS)));
        return true;
    }
    given = lua_string_bytes(lua_arg(call, 0));
    given.len = strnlen(given.data, given.len);
    if (!given.len || given.data[0] != '-')
        text_add(&text, BYTES("-"));
    text_add(&text, given);
    lua_return(call, error_table(machine, text_bytes(&text)));
    text_release(&text);
    return true;
}

static bool redis_status_reply(struct lua_call *call)
{
    struct machine *machine = machine_of_call(call);
    struct lua_table *table;

    if (call->argc != 1 || !lua_is(lua_arg(call, 0), LUA_STRING)) {
        lua_return(call, error_table(machine, BYTES(WRONG_ARGUMENTS)));
        return true;
    }
    table = lua_table_new(call->lua, 0, 1);
    lua_table_set(call->lua, table, machine->key_ok, lua_arg(call, 0));
    lua_return(call, lua_of_table(table));
    return true;
}

/* --- small things -------------------------------------------------------------------------------- */

static bool redis_sha1hex(struct lua_call *call)
{
    char hex[SHA1_HEX_LEN + 1], number[LUA_NUMBER_TEXT_MAX];
    struct bytes text = {NULL, 0};

    if (call->argc != 1)
        return raise_error(call, "wrong number of arguments");
    if (is_text(lua_arg(call, 0)))
        text = text_of(lua_arg(call, 0), number);
    sha1_hex(text, hex);
    lua_return(call, lua_text(call->lua, hex));
    return true;
}

/* Its level, and what is a text or a number of the rest, with blanks between. */
static bool redis_log(struct lua_call *call)
{
    struct text line = {0};
    double level;

    if (call->argc < 2)
        return raise_error(call, "redis.log() requires two arguments or more.");
    if (!lua_to_number(lua_arg(call, 0), &level))
        return raise_error(call, "First argument must be a number (log level).");
    if (!(level > LOG_DEBUG - 1.0 && level < LOG_WARNING + 1.0))
        return raise_error(call, "Invalid log level.");
    for (int i = 1; i < call->argc; i++) {
        struct lua_value value = lua_arg(call, i);
        char number[LUA_NUMBER_TEXT_MAX];

        if (!is_text(value))
            continue;
        if (i > 1)
            text_add(&line, BYTES(" "));
        text_add(&line, text_of(value, number));
    }
    log_write((enum log_level)level, "%.*s", (int)line.len, line.len ? line.data : "");
    text_release(&line);
    return true;
}

static bool redis_setresp(struct lua_call *call)
{
    struct machine *machine = machine_of_call(call);
    double version;

    if (call->argc != 1)
        return raise_error(call, "redis.setresp() requires one argument.");
    if (!lua_to_number(lua_arg(call, 0), &version) || ((int64_t)version != 2 && (int64_t)version != 3))
        return raise_error(call, "RESP version must be 2 or 3.");
    inner_client(machine->public.scripts->inner)->resp = (uint8_t)version;
    return true;
}

static bool redis_set_repl(struct lua_call *call)
{
    struct machine *machine = machine_of_call(call);
    double kinds = 0;

    if (call->argc != 1)
        return raise_error(call, "redis.set_repl() requires one argument.");
    lua_to_number(lua_arg(call, 0), &kinds);
    if (!(kinds >= 0 && kinds < PROPAGATE_TO_ALL + 1))
        return raise_error(call, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
    if (machine->public.scripts->run.shown.request)
        propagate_only_to(machine->public.scripts->engine, (unsigned)kinds);
    return true;
}

/* There is no debugger to stop in, and to print to. */
static bool redis_breakpoint(struct lua_call *call)
{
    lua_return(call, lua_boolean(false));
    return true;
}

static bool redis_debug(struct lua_call *call) { return true; }

/* Effects are all that ever travels. */
static bool redis_replicate_commands(struct lua_call *call)
{
    lua_return(call, lua_boolean(true));
    return true;
}

/* --- the table ----------------------------------------------------------------------------------- */

static const struct lua_row functions[] = {
    {"call", redis_call},
    {"pcall", redis_pcall},
    {"log", redis_log},
    {"setresp", redis_setresp},
    {"error_reply", redis_error_reply},
    {"status_reply", redis_status_reply},
    {"sha1hex", redis_sha1hex},
    {"set_repl", redis_set_repl},
    {"acl_check_cmd", redis_acl_check_cmd},
    {NULL, NULL},
};

static const struct lua_row eval_functions[] = {
    {"breakpoint", redis_breakpoint},
    {"debug", redis_debug},
    {"replicate_commands", redis_replicate_commands},
    {NULL, NULL},
};

static const struct {
    const char *name;
    int value;
} numbers[] = {
    {"LOG_DEBUG", LOG_DEBUG},
    {"LOG_VERBOSE", LOG_VERBOSE},
    {"LOG_NOTICE", LOG_NOTICE},
    {"LOG_WARNING", LOG_WARNING},
    {"REPL_NONE", 0},
    {"REPL_AOF", PROPAGATE_TO_FILE},
    {"REPL_SLAVE", PROPAGATE_TO_REPLICAS},
    {"REPL_REPLICA", PROPAGATE_TO_REPLICAS},
    {"REPL_ALL", PROPAGATE_TO_ALL},
};

/* "7.2.4" as 0x00070204. */
static double version_number(void)
{
    unsigned major = 0, minor = 0, patch = 0;

    sscanf(REDIS_VERSION, "%u.%u.%u", &major, &minor, &patch);
    return major << 16 | minor << 8 | patch;
}

void redis_table_open(struct machine *machine)
{
    struct lua *lua = machine->public.lua;
    struct lua_table *table = lua_table_new(lua, 0, 32);

    lua_table_set_text(lua, lua_globals(lua), "redis", lua_of_table(table));
    lua_table_add_functions(lua, table, functions, machine);
    if (machine->public.kind == SCRIPT_EVAL)
        lua_table_add_functions(lua, table, eval_functions, machine);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        lua_table_set_text(lua, table, numbers[i].name, lua_number(numbers[i].value));
    lua_table_set_text(lua, table, "REDIS_VERSION", lua_text(lua, REDIS_VERSION));
    lua_table_set_text(lua, table, "REDIS_VERSION_NUM", lua_number(version_number()));
}
