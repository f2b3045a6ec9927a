/* redis.call and redis.pcall: arguments from Lua, the checks, the engine's dispatch, and the reply as a value. */
#include "script_internal.h"

#include "base/mem.h"
#include "base/numbers.h"

#include <math.h>

_Static_assert(NUMBER_ROOM >= DOUBLE_TEXT_MAX, "a number's text finds room");

#define INTEGER_MAX 4611686018427387904.0 /* beyond it Redis prints as many digits as read back */
#define NO_ARGUMENTS  "Please specify at least one argument for this redis lib call"
#define BAD_ARGUMENTS "Lua redis lib command arguments must be strings or integers"

struct arguments {
    struct bytes *argv;
    char (*numbers)[NUMBER_ROOM];
    int argc;
    bool is_allocated;
};

/* --- arguments --------------------------------------------------------------------------------- */

/* What is an integer prints as one, other numbers as short as they read back. */
static size_t format_argument(char out[NUMBER_ROOM], double number)
{
    if (fabs(number) <= INTEGER_MAX && number == (double)(int64_t)number)
        return int64_format(out, (int64_t)number);
    if (isnan(number) && signbit(number)) {
        out[0] = '-';
        return 1 + double_format(out + 1, number);
    }
    return double_format(out, number);
}

static void arguments_release(struct arguments *arguments)
{
    if (!arguments->is_allocated)
        return;
    mem_free(arguments->numbers, (size_t)arguments->argc * sizeof *arguments->numbers);
    mem_free(arguments->argv, (size_t)arguments->argc * sizeof *arguments->argv);
}

/* NULL, or the error. */
static const char *arguments_take(struct scripts *scripts, struct lua_call *call, struct arguments *arguments)
{
    *arguments = (struct arguments){scripts->args, scripts->numbers, call->argc, false};
    if (!call->argc)
        return NO_ARGUMENTS;
    if (call->argc > ARGS_AT_HAND) {
        arguments->argv = mem_alloc((size_t)call->argc * sizeof *arguments->argv);
        arguments->numbers = mem_alloc((size_t)call->argc * sizeof *arguments->numbers);
        arguments->is_allocated = true;
    }
    for (int i = 0; i < call->argc; i++) {
        struct lua_value value = lua_arg(call, i);

        if (lua_is(value, LUA_STRING)) {
            arguments->argv[i] = lua_string_bytes(value);
        } else if (lua_is(value, LUA_NUMBER)) {
            arguments->argv[i] =
                (struct bytes){arguments->numbers[i], format_argument(arguments->numbers[i], value.number)};
        } else {
            arguments_release(arguments);
            return BAD_ARGUMENTS;
        }
    }
    return NULL;
}

/* --- the checks ---------------------------------------------------------------------------------- */

static const struct command_entry *find_command(struct engine *engine, const struct arguments *arguments)
{
    const struct command_entry *command = command_find(engine->commands, arguments->argv[0]);

    if (command && command->row->subcommands && arguments->argc >= 2)
        return subcommand_find(engine->commands, command, arguments->argv[1]);
    return command;
}

/* What refuses this command, in Redis's order; NULL: it may run. */
static const char *refusal(const struct run *run, const struct command_entry *command, int argc)
{
    uint32_t flags;

    if (!command)
        return "ERR Unknown Redis command called from script";
    flags = command->row->flags;
    if (!command->row->handler || !command_arity_fits(command->row, argc))
        return "ERR Wrong number of args calling Redis command from script";
    if (flags & CMD_NOSCRIPT)
        return "ERR This Redis command is not allowed from script";
    if (run->is_read_only && flags & (CMD_WRITE | CMD_MAY_REPLICATE))
        return "ERR Write commands are not allowed from read-only scripts.";
    if (run->may_not_write && flags & CMD_WRITE && !run->shown.has_written)
        return ERR_SNAPSHOT_FAILED;
    /* What has begun to write goes on: half of a script's effects would be worse. */
    if (run->is_out_of_memory && flags & CMD_GROWS && !run->may_exceed_memory && !run->shown.has_written)
        return ERR_OUT_OF_MEMORY;
    return NULL;
}

/* --- the call ------------------------------------------------------------------------------------ */

static struct lua_value refused_value(struct machine *machine, const struct command_entry *command, const char *text)
{
    struct lua_table *table = lua_table_new(machine->public.lua, 0, 2);

    inner_refuse(machine->public.scripts->engine, command, text);
    lua_table_set(machine->public.lua, table, machine->key_err, lua_text(machine->public.lua, text));
    lua_table_set(machine->public.lua, table, machine->key_ignore, lua_boolean(true));
    return lua_of_table(table);
}

/* The value of the reply, or an error's table; '*is_error' tells which. */
static struct lua_value run_command(struct machine *machine, struct arguments *arguments, bool *is_error)
{
    struct scripts *scripts = machine->public.scripts;
    const struct command_entry *command = find_command(scripts->engine, arguments);
    const char *text = refusal(&scripts->run, command, arguments->argc);
    struct bytes reply;

    *is_error = true;
    if (text)
        return refused_value(machine, command, text);
    if (command->row->flags & CMD_WRITE)
        scripts->run.shown.has_written = true;
    reply = inner_run(scripts->inner, command, arguments->argv, arguments->argc);
    if (!reply.len)
        return error_table(machine, BYTES("The reply of a command is too long for a script"));
    *is_error = reply.data[0] == '-';
    return value_from_reply(machine, reply);
}

static bool call_or_pcall(struct lua_call *call, bool raises)
{
    struct machine *machine = machine_of_call(call);
    struct scripts *scripts = machine->public.scripts;
    struct arguments arguments;
    struct lua_value value;
    bool is_error = true;
    const char *text;

    if (scripts->run.machine != machine || !scripts->run.shown.request)
        return raise_error(call, "redis.call/pcall can only be called inside a script invocation");
    if (inner_started_ns(scripts->inner) >= scripts->run.next_look_ns)
        busy_look(scripts, inner_started_ns(scripts->inner));
    text = arguments_take(scripts, call, &arguments);
    if (text) {
        value = error_table(machine, bytes_from_string(text));
    } else {
        value = run_command(machine, &arguments, &is_error);
        arguments_release(&arguments);
    }
    if (is_error && raises)
        return lua_raise(call->lua, value);
    lua_return(call, value);
    return true;
}

bool redis_call(struct lua_call *call) { return call_or_pcall(call, true); }
bool redis_pcall(struct lua_call *call) { return call_or_pcall(call, false); }

/* Whether the user may run it. There is one user, who may run everything. */
bool redis_acl_check_cmd(struct lua_call *call)
{
    struct machine *machine = machine_of_call(call);
    struct arguments arguments;
    const struct command_entry *command;
    const char *text = arguments_take(machine->public.scripts, call, &arguments);

    if (text)
        return raise_error(call, text);
    command = find_command(machine->public.scripts->engine, &arguments);
    arguments_release(&arguments);
    if (!command)
        return raise_error(call, "Invalid command passed to redis.acl_check_cmd()");
    lua_return(call, lua_boolean(true));
    return true;
}
