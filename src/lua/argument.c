/* What a function in C sees of its call: arguments, results, and the errors about them. */
#include "state_internal.h"

#include "base/assert.h"

static struct lua_value *argument(const struct lua_call *call, int at)
{
    return &call->lua->running->stack[call->base + at];
}

struct lua_value lua_arg(const struct lua_call *call, int at)
{
    return at < call->argc ? *argument(call, at) : lua_nil();
}

void lua_set_arg(struct lua_call *call, int at, struct lua_value value)
{
    ASSERT(at >= 0 && at < call->argc);
    *argument(call, at) = value;
}

/* The stack's limit is for calls; what one function in C returns always has room. */
void lua_return(struct lua_call *call, struct lua_value value)
{
    struct lua_thread *thread = call->lua->running;

    if (thread->top == thread->stack_end)
        lua_stack_enlarge(call->lua, thread, 1);
    *thread->top++ = value;
    call->result_count++;
}

void lua_keep(struct lua_call *call, struct lua_value value) { lua_values_push(call->lua, &call->lua->kept, value); }

bool lua_raise_argument(struct lua_call *call, int at, const char *message)
{
    struct lua *lua = call->lua;
    const char *name, *kind;

    if (lua->running->frame_count > 1 && (lua_frame_top(lua->running) - 1)->is_lua)
        lua_charge(lua, (size_t)(lua_frame_top(lua->running) - 1)->function->function->proto->code_count << 4);
    kind = lua_called_name(lua->running, &name);
    at++;
    if (!kind)
        return lua_raise_text(lua, "bad argument #%d to '?' (%s)", at, message);
    if (strcmp(kind, "method") == 0 && --at == 0)
        return lua_raise_text(lua, "calling '%s' on bad self (%s)", name, message);
    return lua_raise_text(lua, "bad argument #%d to '%s' (%s)", at, name, message);
}

static bool raise_type(struct lua_call *call, int at, const char *expected)
{
    const char *type = at < call->argc ? lua_type_name(argument(call, at)->type) : "no value";
    struct lua_value message = lua_format(call->lua, "%s expected, got %s", expected, type);

    return lua_raise_argument(call, at, message.string->data);
}

bool lua_arg_number(struct lua_call *call, int at, double *number)
{
    if (at < call->argc && lua_to_number(*argument(call, at), number))
        return true;
    return raise_type(call, at, "number");
}

/* Out of range it is what the processor makes of it, as it always was. */
bool lua_arg_int(struct lua_call *call, int at, int64_t *number)
{
    double value;

    if (!lua_arg_number(call, at, &value))
        return false;
    *number = value >= -0x1p63 && value < 0x1p63 ? (int64_t)value : INT64_MIN;
    return true;
}

/* Who asks for a string will go through it. */
bool lua_arg_string(struct lua_call *call, int at, struct bytes *text)
{
    if (at >= call->argc || !lua_coerce_string(call->lua, argument(call, at)))
        return raise_type(call, at, "string");
    *text = lua_string_bytes(*argument(call, at));
    lua_charge(call->lua, text->len);
    return true;
}

bool lua_arg_table(struct lua_call *call, int at, struct lua_table **table)
{
    if (!lua_arg_type(call, at, LUA_TABLE))
        return false;
    *table = argument(call, at)->table;
    return true;
}

bool lua_arg_type(struct lua_call *call, int at, enum lua_type type)
{
    if (at < call->argc && argument(call, at)->type == type)
        return true;
    return raise_type(call, at, lua_type_name(type));
}

bool lua_arg_any(struct lua_call *call, int at)
{
    return at < call->argc || lua_raise_argument(call, at, "value expected");
}

bool lua_arg_optional_number(struct lua_call *call, int at, double *number)
{
    return lua_is(lua_arg(call, at), LUA_NIL) || lua_arg_number(call, at, number);
}

bool lua_arg_optional_int(struct lua_call *call, int at, int64_t *number)
{
    return lua_is(lua_arg(call, at), LUA_NIL) || lua_arg_int(call, at, number);
}

bool lua_arg_optional_string(struct lua_call *call, int at, struct bytes *text)
{
    return lua_is(lua_arg(call, at), LUA_NIL) || lua_arg_string(call, at, text);
}
