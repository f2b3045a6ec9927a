/* Closures, their upvalues, prototypes, and threads with their stacks. */
#include "state_internal.h"

#include "base/assert.h"

enum {
    STACK_FIRST = 64,
    FRAMES_FIRST = 8,
};

/* --- prototypes ---------------------------------------------------------------------------- */

struct lua_proto *lua_proto_new(struct lua *lua)
{
    struct lua_proto *proto = lua_object_new(lua, OBJECT_PROTO, sizeof *proto);
    struct lua_object object = proto->object;

    *proto = (struct lua_proto){.object = object, .stack_size = 2};
    return proto;
}

void lua_proto_free(struct lua *lua, struct lua_proto *proto)
{
    lua_release(lua, proto->code, (size_t)proto->code_size * sizeof *proto->code);
    lua_release(lua, proto->constants, (size_t)proto->constant_size * sizeof *proto->constants);
    lua_release(lua, proto->protos, (size_t)proto->proto_size * sizeof *proto->protos);
    lua_release(lua, proto->lines, (size_t)proto->line_size * sizeof *proto->lines);
    lua_release(lua, proto->upvalues, (size_t)proto->upvalue_size * sizeof *proto->upvalues);
    lua_release(lua, proto->locals, (size_t)proto->local_size * sizeof *proto->locals);
    lua_release(lua, proto, sizeof *proto);
}

/* --- closures ------------------------------------------------------------------------------ */

size_t lua_closure_size(const struct lua_closure *closure)
{
    size_t each = closure->proto ? sizeof(struct lua_upvalue *) : sizeof(struct lua_value);

    return sizeof *closure + closure->object.number * each;
}

/* The upvalues are the caller's to fill. */
struct lua_closure *lua_closure_new(struct lua *lua, struct lua_proto *proto, struct lua_table *environment)
{
    size_t size = sizeof(struct lua_closure) + (size_t)proto->upvalue_count * sizeof(struct lua_upvalue *);
    struct lua_closure *closure = lua_object_new(lua, LUA_FUNCTION, size);

    closure->object.number = (uint32_t)proto->upvalue_count;
    closure->proto = proto;
    closure->environment = environment;
    return closure;
}

struct lua_value lua_new_closure(struct lua *lua, const char *name, lua_c_function *function, void *context,
                                 const struct lua_value *upvalues, int upvalue_count)
{
    size_t size = sizeof(struct lua_closure) + (size_t)upvalue_count * sizeof *upvalues;
    struct lua_closure *closure = lua_object_new(lua, LUA_FUNCTION, size);

    closure->object.number = (uint32_t)upvalue_count;
    closure->proto = NULL;
    closure->function = function;
    closure->name = name;
    closure->context = context;
    for (int i = 0; i < upvalue_count; i++)
        lua_closure_values(closure)[i] = upvalues[i];
    return lua_of_function(closure);
}

struct lua_value lua_new_function(struct lua *lua, const char *name, lua_c_function *function, void *context)
{
    return lua_new_closure(lua, name, function, context, NULL, 0);
}

struct lua_value lua_upvalue(const struct lua_call *call, int at)
{
    ASSERT(at >= 0 && (uint32_t)at < call->function->object.number);
    return lua_closure_values(call->function)[at];
}

void lua_set_upvalue(struct lua_call *call, int at, struct lua_value value)
{
    ASSERT(at >= 0 && (uint32_t)at < call->function->object.number);
    lua_closure_values(call->function)[at] = value;
}

/* --- upvalues ------------------------------------------------------------------------------ */

struct lua_upvalue *lua_upvalue_find(struct lua *lua, struct lua_thread *thread, struct lua_value *at)
{
    struct lua_upvalue **link = &thread->open_upvalues, *upvalue;

    while (*link && (*link)->at > at)
        link = &(*link)->next_open;
    if (*link && (*link)->at == at) {
        lua_object_touch(lua, &(*link)->object);
        return *link;
    }
    upvalue = lua_object_new(lua, OBJECT_UPVALUE, sizeof *upvalue);
    upvalue->at = at;
    upvalue->next_open = *link;
    upvalue->link = link;
    if (*link)
        (*link)->link = &upvalue->next_open;
    *link = upvalue;
    return upvalue;
}

void lua_upvalue_unlink(struct lua_upvalue *upvalue)
{
    *upvalue->link = upvalue->next_open;
    if (upvalue->next_open)
        upvalue->next_open->link = upvalue->link;
}

void lua_upvalues_close(struct lua_thread *thread, struct lua_value *from)
{
    struct lua_upvalue *upvalue;

    while ((upvalue = thread->open_upvalues) && upvalue->at >= from) {
        lua_upvalue_unlink(upvalue);
        upvalue->own = *upvalue->at;
        upvalue->at = &upvalue->own;
    }
}

/* --- threads ------------------------------------------------------------------------------- */

struct lua_thread *lua_thread_new(struct lua *lua)
{
    struct lua_thread *thread = lua_object_new(lua, LUA_THREAD, sizeof *thread);

    thread->stack = lua_alloc(lua, STACK_FIRST * sizeof *thread->stack);
    memset(thread->stack, 0, STACK_FIRST * sizeof *thread->stack);
    thread->stack_end = thread->stack + STACK_FIRST;
    thread->top = thread->stack;
    thread->frames = lua_alloc(lua, FRAMES_FIRST * sizeof *thread->frames);
    thread->frame_count = 0;
    thread->frame_size = FRAMES_FIRST;
    thread->depth = 0;
    thread->status = THREAD_SUSPENDED;
    thread->open_upvalues = NULL;
    thread->resumer = NULL;
    return thread;
}

void lua_thread_free(struct lua *lua, struct lua_thread *thread)
{
    lua_upvalues_close(thread, thread->stack);
    lua_release(lua, thread->stack, (size_t)(thread->stack_end - thread->stack) * sizeof *thread->stack);
    lua_release(lua, thread->frames, (size_t)thread->frame_size * sizeof *thread->frames);
    lua_release(lua, thread, sizeof *thread);
}

/* Every pointer into the stack moves with it. */
void lua_stack_enlarge(struct lua *lua, struct lua_thread *thread, size_t count)
{
    size_t size = (size_t)(thread->stack_end - thread->stack), used = (size_t)(thread->top - thread->stack);
    size_t wanted = size * 2;
    struct lua_value *old = thread->stack;

    if (wanted < used + count)
        wanted = used + count;
    thread->stack = lua_resize(lua, old, size * sizeof *old, wanted * sizeof *old);
    memset(thread->stack + size, 0, (wanted - size) * sizeof *old);
    thread->stack_end = thread->stack + wanted;
    thread->top = thread->stack + used;
    for (int i = 0; i < thread->frame_count; i++) {
        struct lua_frame *frame = &thread->frames[i];
        frame->function = thread->stack + (frame->function - old);
        frame->base = thread->stack + (frame->base - old);
    }
    for (struct lua_upvalue *upvalue = thread->open_upvalues; upvalue; upvalue = upvalue->next_open)
        upvalue->at = thread->stack + (upvalue->at - old);
}

bool lua_stack_grow(struct lua *lua, struct lua_thread *thread, size_t count)
{
    if ((size_t)(thread->top - thread->stack) + count > STACK_VALUES_MAX)
        return lua_raise_runtime(lua, "stack overflow");
    lua_stack_enlarge(lua, thread, count);
    return true;
}
