/* The host: interpreters, and what is done for them between requests. */
#include "script_internal.h"

#include "base/assert.h"
#include "base/mem.h"
#include "lua/libraries.h"
#include "script/script_cache.h"

#define HOOK_INSTRUCTIONS 10000 /* some tenth of a millisecond */

/* --- flags ------------------------------------------------------------------------------------- */

static const char *const flag_names[] = {
    "no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys", NULL,
};

const char *script_flag_name(unsigned at) { return flag_names[at]; }

unsigned script_flag(struct bytes name)
{
    for (unsigned i = 0; flag_names[i]; i++)
        if (bytes_equal(name, bytes_from_string(flag_names[i])))
            return 1u << i;
    return 0;
}

uint32_t script_command_flags(uint32_t row_flags, unsigned script_flags)
{
    uint32_t flags = row_flags & ~(CMD_STALE | CMD_GROWS | CMD_WRITE | CMD_MAY_REPLICATE);

    if (script_flags & SCRIPT_SAYS_NOTHING)
        return row_flags;
    if (!(script_flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)))
        flags |= CMD_GROWS;
    if (!(script_flags & SCRIPT_NO_WRITES))
        flags |= CMD_WRITE;
    if (script_flags & SCRIPT_ALLOW_STALE)
        flags |= CMD_STALE;
    return flags;
}

/* --- the host ------------------------------------------------------------------------------------ */

struct scripts *scripts_new(struct engine *engine)
{
    struct scripts *scripts = mem_alloc_zero(sizeof *scripts);

    scripts->engine = engine;
    scripts->random_state = LUA_RANDOM_START;
    engine->scripts = scripts;
    scripts->cache = script_cache_new(scripts);
    return scripts;
}

static void machine_release(struct machine *machine)
{
    lua_free(machine->public.lua);
    mem_free(machine, sizeof *machine);
}

struct script_cache *scripts_cache(const struct scripts *scripts) { return scripts->cache; }

void scripts_free(struct scripts *scripts)
{
    script_cache_free(scripts->cache);
    while (scripts->machines) {
        struct script_machine *machine = scripts->machines;

        scripts->machines = machine->next;
        machine_release(machine_of(machine));
    }
    if (scripts->inner)
        inner_free(scripts->inner);
    scripts->engine->scripts = NULL;
    mem_free(scripts, sizeof *scripts);
}

static void unlink_machine(struct script_machine *machine)
{
    struct script_machine **link = &machine->scripts->machines;

    while (*link != machine)
        link = &(*link)->next;
    *link = machine->next;
}

/* True while there is more to do for this one. */
static bool work_on(struct machine *machine, int64_t budget_ns)
{
    uint64_t runs = machine->runs;

    if (!machine->is_dying && runs == machine->runs_collected)
        return false;
    if (lua_collect_piece(machine->public.lua, budget_ns))
        return true;
    machine->runs_collected = runs;
    if (machine->is_dying) {
        unlink_machine(&machine->public);
        machine_release(machine);
    }
    return false;
}

bool scripts_work(struct scripts *scripts, int64_t budget_ns)
{
    struct script_machine *next;
    bool has_more = false;

    if (scripts->run.shown.request)
        return false;
    for (struct script_machine *machine = scripts->machines; machine; machine = next) {
        next = machine->next;
        has_more |= work_on(machine_of(machine), budget_ns);
    }
    return has_more;
}

/* --- interpreters -------------------------------------------------------------------------------- */

static struct lua_value constant(struct lua *lua, const char *text)
{
    struct lua_value value = lua_text(lua, text);

    lua_pin(lua, value);
    return value;
}

static void make_constants(struct machine *machine)
{
    struct lua *lua = machine->public.lua;

    machine->key_ok = constant(lua, "ok");
    machine->key_err = constant(lua, "err");
    machine->key_ignore = constant(lua, "ignore_error_stats_update");
    machine->text_ok = constant(lua, "OK");
    machine->keys_name = constant(lua, "KEYS");
    machine->argv_name = constant(lua, "ARGV");
}

static void open_libraries(struct lua *lua, uint64_t *random_state)
{
    lua_open_base(lua);
    lua_open_string(lua);
    lua_open_table(lua);
    lua_open_math(lua);
    lua_open_random(lua, random_state);
    lua_open_os(lua);
    lua_open_bit(lua);
    lua_open_struct(lua);
    lua_open_cjson(lua);
    lua_open_cmsgpack(lua);
}

void script_hook_usual(struct machine *machine)
{
    lua_set_hook(machine->public.lua, busy_hook, machine->public.scripts, HOOK_INSTRUCTIONS);
}

struct script_machine *script_machine_new(struct scripts *scripts, enum script_kind kind)
{
    struct machine *machine = mem_alloc_zero(sizeof *machine);

    if (!scripts->inner)
        scripts->inner = inner_new(scripts->engine);
    machine->public = (struct script_machine){lua_new(), scripts, kind, scripts->machines};
    scripts->machines = &machine->public;
    make_constants(machine);
    open_libraries(machine->public.lua, &scripts->random_state);
    redis_table_open(machine);
    globals_open(machine);
    globals_protect(machine);
    script_hook_usual(machine);
    return &machine->public;
}

/* What is garbage then goes piece by piece, the rest at the end. */
static void empty_globals(struct lua *lua)
{
    struct lua_table *globals = lua_globals(lua);
    struct lua_value key, value;
    bool is_bad;

    for (;;) {
        key = lua_nil();
        if (!lua_table_next(globals, &key, &value, &is_bad))
            return;
        lua_table_set(lua, globals, key, lua_nil());
    }
}

void script_machine_free(struct script_machine *public, bool is_async)
{
    struct machine *machine = machine_of(public);

    ASSERT(!public->scripts->run.shown.request || public->scripts->run.machine != machine);
    if (is_async) {
        empty_globals(public->lua);
        machine->is_dying = true;
        return;
    }
    unlink_machine(public);
    machine_release(machine);
}

size_t script_machine_memory(const struct script_machine *machine) { return lua_memory(machine->lua); }
