/* Compiled scripts, by text and by sum. The text stands once, as the key of its node; EVAL finds a script by it without
 * computing the sum. */
#include "script/script_cache.h"

#include "base/mem.h"
#include "base/sha1.h"
#include "ds/map.h"
#include "script_internal.h"

struct script_cache {
    struct scripts *scripts;
    struct script_machine *machine; /* NULL until there is a script */
    struct map by_source, by_sum;   /* of struct cached_script */
    struct cached_script *newest, *oldest; /* of those that may be evicted */
    size_t evictable;
    size_t source_bytes;
};

struct script_cache *script_cache_new(struct scripts *scripts)
{
    struct script_cache *cache = mem_alloc_zero(sizeof *cache);

    cache->scripts = scripts;
    map_init(&cache->by_source);
    map_init(&cache->by_sum);
    return cache;
}

struct script_machine *script_cache_machine(struct script_cache *cache)
{
    if (!cache->machine)
        cache->machine = script_machine_new(cache->scripts, SCRIPT_EVAL);
    return cache->machine;
}

/* --- the order of use ---------------------------------------------------------------------------- */

static void unlink_script(struct script_cache *cache, struct cached_script *script)
{
    if (script->newer)
        script->newer->older = script->older;
    else
        cache->newest = script->older;
    if (script->older)
        script->older->newer = script->newer;
    else
        cache->oldest = script->newer;
    cache->evictable--;
}

static void link_newest(struct script_cache *cache, struct cached_script *script)
{
    script->newer = NULL;
    script->older = cache->newest;
    if (cache->newest)
        cache->newest->newer = script;
    else
        cache->oldest = script;
    cache->newest = script;
    cache->evictable++;
}

void script_cache_touch(struct script_cache *cache, struct cached_script *script)
{
    if (script->is_loaded || cache->newest == script)
        return;
    unlink_script(cache, script);
    link_newest(cache, script);
}

/* --- coming and going ------------------------------------------------------------------------------ */

/* Without its function, which the interpreter may have lost already. */
static void forget(struct script_cache *cache, struct cached_script *script)
{
    cache->source_bytes -= map_key(script->by_source).len;
    if (!script->is_loaded)
        unlink_script(cache, script);
    map_remove(&cache->by_source, script->by_source);
    map_remove(&cache->by_sum, script->by_sum);
    mem_free(script, sizeof *script);
}

static void evict_oldest(struct script_cache *cache)
{
    lua_unpin(cache->machine->lua, cache->oldest->pin);
    forget(cache, cache->oldest);
    cache->scripts->engine->stats.evicted_scripts++;
}

static struct cached_script *add(struct script_cache *cache, struct bytes source, unsigned flags, int pin)
{
    struct cached_script *script = mem_alloc_zero(sizeof *script);

    sha1_hex(source, script->sum);
    script->flags = flags;
    script->pin = pin;
    script->by_source = map_add(&cache->by_source, source, NULL);
    script->by_source->value = script;
    script->by_sum = map_add(&cache->by_sum, bytes_from_string(script->sum), NULL);
    script->by_sum->value = script;
    cache->source_bytes += source.len;
    link_newest(cache, script);
    return script;
}

static struct cached_script *compile_or_reply(struct request *req, struct script_cache *cache, struct bytes source)
{
    struct script_machine *machine = script_cache_machine(cache);
    struct lua_value function;
    struct bytes body;
    unsigned flags;
    char error[256];
    const char *failure = shebang_parse(source, &flags, &body, error, sizeof error);

    if (failure) {
        reply_error(req, failure);
        return NULL;
    }
    if (!lua_load(machine->lua, body, BYTES("@user_script"), lua_globals(machine->lua), &function)) {
        struct bytes text = script_error_text(machine);

        reply_error_format(req, "ERR Error compiling script (new function): %.*s", (int)text.len, text.data);
        return NULL;
    }
    return add(cache, source, flags, lua_pin(machine->lua, function));
}

struct cached_script *script_cache_take_or_reply(struct request *req, struct bytes source, bool is_load)
{
    struct script_cache *cache = scripts_cache(req->engine->scripts);
    struct map_node *node = map_find(&cache->by_source, source);
    struct cached_script *script = node ? node->value : compile_or_reply(req, cache, source);

    if (!script)
        return NULL;
    script_cache_touch(cache, script);
    if (is_load && !script->is_loaded) {
        unlink_script(cache, script);
        script->is_loaded = true;
    }
    if (cache->evictable > EVAL_SCRIPTS_MAX)
        evict_oldest(cache);
    return script;
}

struct cached_script *script_cache_find(const struct script_cache *cache, struct bytes sum)
{
    char lower[SCRIPT_SUM_LEN];
    struct map_node *node;

    if (sum.len != SCRIPT_SUM_LEN)
        return NULL;
    for (size_t i = 0; i < SCRIPT_SUM_LEN; i++)
        lower[i] = sum.data[i] >= 'A' && sum.data[i] <= 'Z' ? (char)(sum.data[i] + 'a' - 'A') : sum.data[i];
    node = map_find(&cache->by_sum, (struct bytes){lower, SCRIPT_SUM_LEN});
    return node ? node->value : NULL;
}

bool script_cache_flags(const struct script_cache *cache, struct bytes source, unsigned *flags)
{
    struct map_node *node = map_find(&cache->by_source, source);
    struct bytes body;
    char error[256];

    if (node) {
        *flags = ((const struct cached_script *)node->value)->flags;
        return true;
    }
    return !shebang_parse(source, flags, &body, error, sizeof error);
}

void script_cache_flush(struct script_cache *cache, bool is_async)
{
    struct map_node *node;

    while ((node = map_any(&cache->by_source)) != NULL) {
        struct cached_script *script = node->value;

        if (is_async)
            lua_unpin(cache->machine->lua, script->pin);
        forget(cache, script);
    }
    if (cache->machine)
        script_machine_free(cache->machine, is_async);
    cache->machine = NULL;
}

void script_cache_free(struct script_cache *cache)
{
    script_cache_flush(cache, false);
    map_release(&cache->by_source);
    map_release(&cache->by_sum);
    mem_free(cache, sizeof *cache);
}

size_t script_cache_size(const struct script_cache *cache) { return map_size(&cache->by_source); }

size_t script_cache_memory(const struct script_cache *cache)
{
    return cache->source_bytes + map_size(&cache->by_source) * sizeof(struct cached_script) +
           map_memory(&cache->by_source) + map_memory(&cache->by_sum);
}

size_t script_cache_vm_memory(const struct script_cache *cache)
{
    return cache->machine ? script_machine_memory(cache->machine) : 0;
}
