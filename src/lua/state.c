/* The life of an interpreter, and what it keeps for the host. */
#include "table_internal.h"

#include "base/assert.h"
#include "base/mem.h"

enum { HOOK_SHARE = 4 }; /* instructions to one backward jump or call, more or less */

const char *lua_type_name(enum lua_type type)
{
    static const char *const NAMES[] = {"nil",    "boolean", "number",   "userdata",
                                        "string", "table",   "function", "thread"};

    return NAMES[type];
}

struct lua *lua_new(void)
{
    static const char *const EVENTS[EVENT_COUNT] = {
        "__index", "__newindex", "__eq",  "__mode", "__call", "__lt",  "__le",     "__len",      "__add",
        "__sub",   "__mul",      "__div", "__mod",  "__pow",  "__unm", "__concat", "__tostring", "__metatable",
    };
    struct lua *lua = mem_alloc_zero(sizeof *lua);

    lua->threshold = SIZE_MAX;
    lua->hook_countdown = INT64_MAX;
    lua->pause = lua->step_multiplier = 200;
    lua_pool_init(lua);
    for (int i = 0; i < EVENT_COUNT; i++)
        lua->event_names[i] = lua_string_new(lua, EVENTS[i], strlen(EVENTS[i]));
    lua->main = lua_thread_new(lua);
    lua->main->status = THREAD_RUNNING;
    lua->running = lua->main;
    lua->globals = lua_table_new(lua, 0, 0);
    lua->sweep.link = &lua->objects;
    lua_collect(lua);
    return lua;
}

static void release_values(struct lua *lua, struct lua_values *values)
{
    lua_release(lua, values->at, (size_t)values->size * sizeof *values->at);
}

void lua_free(struct lua *lua)
{
    lua_object_free_all(lua);
    lua_pool_release(lua);
    release_values(lua, &lua->results);
    release_values(lua, &lua->kept);
    release_values(lua, &lua->pins);
    ASSERT(lua->memory == 0);
    mem_free(lua, sizeof *lua);
}

struct lua_table *lua_globals(const struct lua *lua) { return lua->globals; }

void lua_set_string_metatable(struct lua *lua, struct lua_table *metatable) { lua->string_metatable = metatable; }

bool lua_call_hook(struct lua *lua)
{
    lua->hook_countdown = lua->hook ? lua->hook_every : INT64_MAX;
    if (!lua->hook || lua->hook(lua, lua->hook_context))
        return true;
    lua->unwind = UNWIND_HOOK;
    return false;
}

bool lua_work(struct lua *lua, int64_t steps)
{
    lua->hook_countdown -= steps;
    return lua->hook_countdown > 0 || lua_call_hook(lua);
}

void lua_set_hook(struct lua *lua, lua_hook *hook, void *context, uint32_t every)
{
    lua->hook = every ? hook : NULL;
    lua->hook_context = context;
    lua->hook_every = every / HOOK_SHARE + 1;
    lua->hook_countdown = lua->hook ? lua->hook_every : INT64_MAX;
}

bool lua_load(struct lua *lua, struct bytes source, struct bytes name, struct lua_table *environment,
              struct lua_value *function)
{
    lua_charge(lua, source.len << 4);
    struct lua_proto *proto = lua_compile(lua, source, lua_string(lua, name).string);

    if (!proto)
        return false;
    *function = lua_of_function(lua_closure_new(lua, proto, environment));
    return true;
}

/* --- roots --------------------------------------------------------------------------------- */

void lua_values_push(struct lua *lua, struct lua_values *values, struct lua_value value)
{
    values->at = lua_grow(lua, values->at, values->count, &values->size, sizeof *values->at);
    values->at[values->count++] = value;
}

int lua_pin(struct lua *lua, struct lua_value value)
{
    struct lua_values *pins = &lua->pins;

    ASSERT(value.type != LUA_NIL); /* nil marks a free place */
    for (int i = lua->pins_taken; i < pins->count; i++)
        if (pins->at[i].type == LUA_NIL) {
            pins->at[i] = value;
            lua->pins_taken = i + 1;
            return i + 1;
        }
    lua_values_push(lua, pins, value);
    lua->pins_taken = pins->count;
    return pins->count;
}

struct lua_value lua_pinned(const struct lua *lua, int pin)
{
    ASSERT(pin > 0 && pin <= lua->pins.count);
    return lua->pins.at[pin - 1];
}

void lua_unpin(struct lua *lua, int pin)
{
    ASSERT(pin > 0 && pin <= lua->pins.count);
    lua->pins.at[pin - 1] = lua_nil();
    if (pin - 1 < lua->pins_taken)
        lua->pins_taken = pin - 1;
}
