/* Coroutines. Resuming one is a call from C that runs the other thread; a yield leaves that call and keeps the thread's
 * frames, the innermost of which is that of the function yield itself. */
#include "lua/libraries.h"
#include "table_internal.h"

#include "base/assert.h"

static const char *status_name(const struct lua_thread *thread)
{
    static const char *const NAMES[] = {"suspended", "running", "normal", "dead"};

    return NAMES[thread->status];
}

static bool arg_coroutine(struct lua_call *call, struct lua_thread **thread)
{
    if (lua_arg(call, 0).type != LUA_THREAD)
        return lua_raise_argument(call, 0, "coroutine expected");
    *thread = lua_arg(call, 0).thread;
    return true;
}

/* Runs the thread on, with what stands on its stack behind its first function or behind yield's arguments. */
static bool run(struct lua *lua, struct lua_thread *thread, const struct lua_value *values, int count)
{
    if (!lua_stack_reserve(lua, thread, (size_t)count + C_STACK_MIN))
        return false;
    struct lua_value *at = thread->top;
    for (int i = 0; i < count; i++)
        *thread->top++ = values[i];
    if (thread->frame_count == 0)
        return lua_call_at(lua, thread, thread->stack, -1);
    struct lua_frame frame = *lua_frame_top(thread);
    thread->frame_count--;
    lua_take_results(thread, frame.function, at, count, frame.wanted);
    return lua_execute(lua, thread);
}

/* Resumes with the arguments of 'call' from 'first' on. True: '*values' is where the results stand, '*count' of them.
 * False: see lua->unwind and lua->error. */
static bool resume(struct lua_call *call, struct lua_thread *thread, int first, struct lua_value **values, int *count)
{
    struct lua *lua = call->lua;
    struct lua_thread *resumer = lua->running;
    int depth = lua->c_depth;

    if (thread->status != THREAD_SUSPENDED)
        return lua_raise(lua, lua_format(lua, "cannot resume %s coroutine", status_name(thread)));
    if (depth >= C_DEPTH_MAX)
        return lua_raise(lua, lua_text(lua, "C stack overflow"));
    thread->resumer = resumer;
    resumer->status = THREAD_NORMAL;
    thread->status = THREAD_RUNNING;
    thread->depth = ++lua->c_depth;
    lua->running = thread;
    bool is_done = run(lua, thread, resumer->stack + call->base + first, call->argc - first);
    lua->running = resumer;
    lua->c_depth = depth;
    resumer->status = THREAD_RUNNING;
    thread->resumer = NULL;
    if (!is_done && lua->unwind == UNWIND_YIELD) {
        thread->status = THREAD_SUSPENDED;
        *values = lua_frame_top(thread)->base;
        *count = (int)(thread->top - *values);
        return true;
    }
    thread->status = THREAD_DEAD;
    if (!is_done) {
        lua_unwind_to(thread, 0, 0);
        return false;
    }
    *values = thread->stack;
    *count = (int)(thread->top - *values);
    return true;
}

static void return_values(struct lua_call *call, const struct lua_value *values, int count)
{
    for (int i = 0; i < count; i++)
        lua_return(call, values[i]);
}

/* What came from the thread is the caller's now. */
static void take_values(struct lua_call *call, struct lua_thread *thread, struct lua_value *values, int count)
{
    return_values(call, values, count);
    thread->top = values;
}

static bool co_create(struct lua_call *call)
{
    struct lua_thread *thread;
    struct lua_value function = lua_arg(call, 0);

    if (function.type != LUA_FUNCTION || !function.function->proto)
        return lua_raise_argument(call, 0, "Lua function expected");
    thread = lua_thread_new(call->lua);
    *thread->top++ = function;
    lua_return(call, lua_of_thread(thread));
    return true;
}

static bool co_resume(struct lua_call *call)
{
    struct lua_thread *thread = NULL;
    struct lua_value *values;
    int count;

    if (!arg_coroutine(call, &thread))
        return false;
    if (resume(call, thread, 1, &values, &count)) {
        lua_return(call, lua_boolean(true));
        take_values(call, thread, values, count);
        return true;
    }
    if (call->lua->unwind == UNWIND_HOOK)
        return false;
    lua_return(call, lua_boolean(false));
    lua_return(call, call->lua->error);
    return true;
}

/* An error of a wrapped coroutine goes on in who called it, with that place before its text. */
static bool co_wrapped(struct lua_call *call)
{
    struct lua *lua = call->lua;
    struct lua_thread *thread = lua_upvalue(call, 0).thread;
    struct lua_value *values;
    int count;

    if (resume(call, thread, 0, &values, &count)) {
        take_values(call, thread, values, count);
        return true;
    }
    struct lua_value error = lua->error;
    if (lua->unwind == UNWIND_HOOK)
        return false;
    if (!lua_coerce_string(lua, &error))
        return lua_raise(lua, error);
    char place[PLACE_TEXT_MAX];
    size_t len = lua_place_text(lua, 1, place, sizeof place);
    struct lua_string *text = error.string;
    struct lua_string *joined = lua_string_new_long(lua, len + text->len);
    memcpy(joined->data, place, len);
    memcpy(joined->data + len, text->data, text->len);
    return lua_raise(lua, lua_string(lua, (struct bytes){joined->data, joined->len}));
}

static bool co_wrap(struct lua_call *call)
{
    struct lua_value thread;

    if (!co_create(call))
        return false;
    thread = call->lua->running->top[-1];
    call->lua->running->top--;
    call->result_count--;
    lua_return(call, lua_new_closure(call->lua, "wrap", co_wrapped, NULL, &thread, 1));
    return true;
}

static bool co_yield(struct lua_call *call)
{
    struct lua *lua = call->lua;

    if (lua->c_depth > lua->running->depth || lua->running == lua->main)
        return lua_raise_runtime(lua, "attempt to yield across metamethod/C-call boundary");
    lua->unwind = UNWIND_YIELD;
    return false;
}

static bool co_status(struct lua_call *call)
{
    struct lua_thread *thread = NULL;

    if (!arg_coroutine(call, &thread))
        return false;
    lua_return(call, lua_text(call->lua, status_name(thread)));
    return true;
}

static bool co_running(struct lua_call *call)
{
    struct lua *lua = call->lua;

    lua_return(call, lua->running == lua->main ? lua_nil() : lua_of_thread(lua->running));
    return true;
}

void lua_open_coroutine(struct lua *lua)
{
    static const struct lua_row ROWS[] = {
        {"create", co_create},   {"resume", co_resume}, {"running", co_running},
        {"status", co_status},   {"wrap", co_wrap},     {"yield", co_yield},
        {NULL, NULL},
    };
    struct lua_table *table = lua_table_new(lua, 0, 6);

    lua_table_add_functions(lua, table, ROWS, NULL);
    lua_table_set_text(lua, lua->globals, "coroutine", lua_of_table(table));
}
