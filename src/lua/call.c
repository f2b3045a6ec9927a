/* Calls: frames, arguments, results, and what happens when C calls. */
#include "table_internal.h"

#include "base/assert.h"

/* --- frames -------------------------------------------------------------------------------- */

struct lua_frame *lua_frame_push_slow(struct lua *lua, struct lua_thread *thread)
{
    if (thread->frame_count >= FRAMES_MAX) {
        lua_raise_runtime(lua, "stack overflow");
        return NULL;
    }
    thread->frames =
        lua_grow(lua, thread->frames, thread->frame_count, &thread->frame_size, sizeof *thread->frames);
    return &thread->frames[thread->frame_count++];
}

void lua_unwind_to(struct lua_thread *thread, int frame_count, ptrdiff_t top)
{
    thread->frame_count = frame_count;
    thread->top = thread->stack + top;
    lua_upvalues_close(thread, thread->top);
}

struct lua_value *lua_stack_free(struct lua_thread *thread)
{
    if (thread->frame_count == 0)
        return thread->top;
    const struct lua_frame *frame = lua_frame_top(thread);
    return frame->is_lua ? frame->base + frame->function->function->proto->stack_size : thread->top;
}

/* The table 'arg' of a function that has one: the values behind the parameters, and how many. */
static struct lua_value make_arg_table(struct lua *lua, const struct lua_value *values, int count)
{
    struct lua_table *table = lua_table_new(lua, (size_t)count, 1);

    for (int i = 0; i < count; i++)
        lua_table_set_int(lua, table, i + 1, values[i]);
    lua_table_set_text(lua, table, "n", lua_number(count));
    return lua_of_table(table);
}

/* A function with '...' has its registers behind all arguments:
 *
 *     function | nil for each parameter | further arguments | parameters, registers ... */
static struct lua_value *shift_parameters(struct lua *lua, const struct lua_proto *proto, struct lua_value *function,
                                          struct lua_value *top)
{
    struct lua_value *base = top;
    lua_charge(lua, (size_t)(top - function) << 4);
    int argc = (int)(top - function) - 1, parameter_count = proto->parameter_count;

    for (int i = 0; i < parameter_count; i++) {
        base[i] = function[1 + i];
        function[1 + i] = lua_nil();
    }
    if (proto->vararg & VARARG_HAS_ARG)
        base[parameter_count] = proto->vararg & VARARG_NEEDS_ARG
                                    ? make_arg_table(lua, top - (argc - parameter_count), argc - parameter_count)
                                    : lua_nil();
    return base;
}

struct lua_frame *lua_enter(struct lua *lua, struct lua_thread *thread, struct lua_value *function, int wanted)
{
    const struct lua_proto *proto = function->function->proto;
    ptrdiff_t at = function - thread->stack;

    if (!lua_stack_reserve(lua, thread, (size_t)proto->stack_size + proto->parameter_count + C_STACK_MIN))
        return NULL;
    function = thread->stack + at;
    while (thread->top <= function + proto->parameter_count)
        *thread->top++ = lua_nil();
    struct lua_frame *frame = lua_frame_push(lua, thread);
    if (!frame)
        return NULL;
    *frame = (struct lua_frame){.function = function,
                                .base = function + 1,
                                .pc = proto->code,
                                .wanted = wanted,
                                .is_lua = true};
    if (proto->vararg)
        frame->base = shift_parameters(lua, proto, function, thread->top);
    return frame;
}

/* --- functions in C ------------------------------------------------------------------------ */

bool lua_run_c(struct lua *lua, struct lua_thread *thread, struct lua_value *function, int wanted)
{
    ptrdiff_t at = function - thread->stack;
    int kept = lua->kept.count;

    if (!lua_stack_reserve(lua, thread, C_STACK_MIN))
        return false;
    struct lua_frame *frame = lua_frame_push(lua, thread);
    if (!frame)
        return false;
    function = thread->stack + at;
    *frame = (struct lua_frame){.function = function, .base = function + 1, .wanted = wanted};
    struct lua_closure *closure = function->function;
    struct lua_call call = {.lua = lua,
                            .argc = (int)(thread->top - function) - 1,
                            .base = (int)at + 1,
                            .function = closure,
                            .context = closure->context};
    bool is_fine = closure->function(&call);
    lua->kept.count = kept;
    if (!is_fine)
        return false;
    thread->frame_count--;
    lua_take_results(thread, thread->stack + at, thread->top - call.result_count, call.result_count, wanted);
    return true;
}

void lua_take_results(struct lua_thread *thread, struct lua_value *to, const struct lua_value *from, int count,
                      int wanted)
{
    if (wanted < 0) {
        for (int i = 0; i < count; i++)
            lua_value_copy(&to[i], &from[i]);
        thread->top = to + count;
        return;
    }
    int i = 0;
    for (; i < wanted && i < count; i++)
        lua_value_copy(&to[i], &from[i]);
    for (; i < wanted; i++)
        to[i].type = LUA_NIL;
}

bool lua_call_prepare(struct lua *lua, struct lua_thread *thread, struct lua_value **function)
{
    struct lua_value handler = lua_event_of(lua, **function, EVENT_CALL);
    ptrdiff_t at = *function - thread->stack;

    if (handler.type != LUA_FUNCTION)
        return lua_raise_type(lua, *function, "call");
    if (!lua_stack_reserve(lua, thread, 1))
        return false;
    *function = thread->stack + at;
    for (struct lua_value *value = thread->top; value > *function; value--)
        *value = value[-1];
    thread->top++;
    **function = handler;
    return true;
}

/* --- calls from C -------------------------------------------------------------------------- */

bool lua_call_at(struct lua *lua, struct lua_thread *thread, struct lua_value *function, int wanted)
{
    if (function->type != LUA_FUNCTION && !lua_call_prepare(lua, thread, &function))
        return false;
    if (!function->function->proto)
        return lua_run_c(lua, thread, function, wanted);
    struct lua_frame *frame = lua_enter(lua, thread, function, wanted);
    if (!frame)
        return false;
    frame->is_entry = true;
    return lua_execute(lua, thread);
}

/* One level deeper in C. A little room is left for who handles the overflow. */
bool lua_deeper(struct lua *lua)
{
    lua->c_depth++;
    if (lua->c_depth == C_DEPTH_MAX)
        return lua_raise_runtime(lua, "C stack overflow");
    if (lua->c_depth >= C_DEPTH_MAX + C_DEPTH_MAX / 8)
        return lua_raise(lua, lua_text(lua, "error in error handling"));
    return true;
}

/* Puts function and arguments on the stack behind what is in use. */
static bool push_call(struct lua *lua, struct lua_thread *thread, struct lua_value function,
                      const struct lua_value *args, int argc, ptrdiff_t *at)
{
    bool is_in_stack = args >= thread->stack && args < thread->stack_end;
    ptrdiff_t offset = is_in_stack ? args - thread->stack : 0;

    thread->top = lua_stack_free(thread);
    *at = thread->top - thread->stack;
    if (!lua_stack_reserve(lua, thread, (size_t)argc + 1 + C_STACK_MIN))
        return false;
    if (is_in_stack)
        args = thread->stack + offset;
    *thread->top++ = function;
    for (int i = 0; i < argc; i++)
        *thread->top++ = args[i];
    return true;
}

bool lua_metamethod_call(struct lua *lua, struct lua_value function, const struct lua_value *args, int argc,
                         struct lua_value *result)
{
    struct lua_thread *thread = lua->running;
    ptrdiff_t top = thread->top - thread->stack, at;
    int depth = lua->c_depth, frame_count = thread->frame_count;

    if (!push_call(lua, thread, function, args, argc, &at) || !lua_deeper(lua)
        || !lua_call_at(lua, thread, thread->stack + at, 1)) {
        if (frame_count == 0) { /* the host asked: no call is around that would give up the frames */
            lua->c_depth = depth;
            lua_unwind_to(thread, 0, top);
        }
        return false;
    }
    lua->c_depth = depth;
    if (result)
        *result = thread->stack[at];
    thread->top = thread->stack + top;
    return true;
}

static void set_results(struct lua *lua, const struct lua_value *values, int count)
{
    lua->results.count = 0;
    for (int i = 0; i < count; i++)
        lua_values_push(lua, &lua->results, values[i]);
}

int lua_call(struct lua *lua, struct lua_value function, const struct lua_value *args, int argc)
{
    struct lua_thread *thread = lua->running;
    int depth = lua->c_depth, frame_count = thread->frame_count, kept = lua->kept.count;
    ptrdiff_t top = thread->top - thread->stack, at;

    bool is_fine = push_call(lua, thread, function, args, argc, &at) && lua_deeper(lua)
                   && lua_work(lua, 1) && lua_call_at(lua, thread, thread->stack + at, -1);
    lua->c_depth = depth;
    lua->kept.count = kept;
    if (!is_fine) {
        lua_unwind_to(thread, frame_count, at);
        thread->top = thread->stack + top;
        return -1;
    }
    set_results(lua, thread->stack + at, (int)(thread->top - (thread->stack + at)));
    thread->top = thread->stack + top;
    return lua->results.count;
}

struct lua_value lua_result(const struct lua *lua, int at)
{
    return at < lua->results.count ? lua->results.at[at] : lua_nil();
}
