/* Memory and the collector.
 *
 * Marking is done at once, from the roots, with a stack of gray objects. An object is alive when its mark equals the
 * state's, which flips between 0 and 1 with each marking; so everything is dead until reached, and what is made after
 * the marking is alive. Sweeping frees what has the other mark, at once or in slices; the next marking waits for its end.
 * As marking never runs beside the program, writes need no barrier.
 *
 * Registers of a thread that are above its innermost function hold old values. A collection clears them, those below
 * it marks: so what they hold is always a valid object, though perhaps a useless one. */
#include "table_internal.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    THRESHOLD_MIN = 256 * 1024,
    SWEEP_CHAINS = 64, /* of the pool, between two looks at the clock ... */
    SWEEP_OBJECTS = 64,
};

/* --- memory -------------------------------------------------------------------------------- */

void *lua_alloc(struct lua *lua, size_t size)
{
    lua->memory += size;
    return mem_alloc(size);
}

void lua_release(struct lua *lua, void *block, size_t size)
{
    lua->memory -= size;
    mem_free(block, size);
}

void *lua_resize(struct lua *lua, void *block, size_t old_size, size_t new_size)
{
    lua->memory += new_size - old_size;
    if (new_size == 0) {
        mem_free(block, old_size);
        return NULL;
    }
    return mem_resize(block, old_size, new_size);
}

void *lua_grow(struct lua *lua, void *block, int count, int *size, size_t element_size)
{
    if (count < *size)
        return block;
    int wanted = *size ? *size * 2 : 4;
    block = lua_resize(lua, block, (size_t)*size * element_size, (size_t)wanted * element_size);
    *size = wanted;
    return block;
}

void *lua_object_new(struct lua *lua, int kind, size_t size)
{
    struct lua_object *object = lua_alloc(lua, size);

    *object = (struct lua_object){.next = lua->objects, .kind = (uint8_t)kind, .mark = lua->mark};
    lua->objects = object;
    return object;
}

size_t lua_memory(const struct lua *lua) { return lua->memory; }

/* --- mark ---------------------------------------------------------------------------------- */

static void push(struct lua *lua, struct lua_object ***at, size_t *count, size_t *size, struct lua_object *object)
{
    if (*count == *size) {
        size_t wanted = *size ? *size * 2 : 256;
        *at = lua_resize(lua, *at, *size * sizeof **at, wanted * sizeof **at);
        *size = wanted;
    }
    (*at)[(*count)++] = object;
}

static void mark_object(struct lua *lua, struct lua_object *object)
{
    if (!object || object->mark == lua->mark)
        return;
    object->mark = lua->mark;
    if (object->kind != LUA_STRING)
        push(lua, &lua->gray.at, &lua->gray.count, &lua->gray.size, object);
}

static void mark_value(struct lua *lua, struct lua_value value)
{
    if (lua_value_is_object(value))
        mark_object(lua, value.object);
}

static void mark_string(struct lua *lua, struct lua_string *string)
{
    if (string)
        mark_object(lua, &string->object);
}

static void mark_values(struct lua *lua, const struct lua_values *values)
{
    for (int i = 0; i < values->count; i++)
        mark_value(lua, values->at[i]);
}

/* A key without a value need not live, but 'next' must still find it when it is the one to go on from. A string stays
 * until the next rehash: when it gets a value again it is in its old place, whether or not there was a collection. */
static void mark_dead_key(struct lua *lua, struct lua_node *node)
{
    if (node->key.type == LUA_STRING)
        mark_object(lua, node->key.object);
    else if (node->key.type > LUA_STRING)
        node->key.type = KEY_DEAD;
}

enum { WEAK_KEYS = 1, WEAK_VALUES = 2 };

static int weakness(struct lua *lua, struct lua_table *table)
{
    struct lua_value mode = lua_event_fast(lua, table->metatable, EVENT_MODE);
    int weak = 0;

    if (mode.type != LUA_STRING)
        return 0;
    if (strchr(mode.string->data, 'k'))
        weak |= WEAK_KEYS;
    if (strchr(mode.string->data, 'v'))
        weak |= WEAK_VALUES;
    return weak;
}

static void mark_table(struct lua *lua, struct lua_table *table)
{
    int weak = weakness(lua, table);

    if (table->metatable)
        mark_object(lua, &table->metatable->object);
    if (weak)
        push(lua, &lua->weak.at, &lua->weak.count, &lua->weak.size, &table->object);
    if (weak == (WEAK_KEYS | WEAK_VALUES))
        return;
    if (!(weak & WEAK_VALUES))
        for (uint32_t i = 0; i < table->array_size; i++)
            mark_value(lua, table->array[i]);
    if (!lua_table_has_nodes(table))
        return;
    for (uint32_t i = 0; i < lua_table_node_count(table); i++) {
        struct lua_node *node = &table->nodes[i];
        if (node->value.type == LUA_NIL) {
            mark_dead_key(lua, node);
            continue;
        }
        if (!(weak & WEAK_KEYS) && node->key.type >= LUA_STRING)
            mark_object(lua, node->key.object);
        if (!(weak & WEAK_VALUES))
            mark_value(lua, node->value);
    }
}

static void mark_proto(struct lua *lua, struct lua_proto *proto)
{
    mark_string(lua, proto->source);
    for (int i = 0; i < proto->constant_count; i++)
        mark_value(lua, proto->constants[i]);
    for (int i = 0; i < proto->proto_count; i++)
        mark_object(lua, &proto->protos[i]->object);
    for (int i = 0; i < proto->upvalue_count; i++)
        mark_string(lua, proto->upvalues[i].name);
    for (int i = 0; i < proto->local_count; i++)
        mark_string(lua, proto->locals[i].name);
}

static void mark_closure(struct lua *lua, struct lua_closure *closure)
{
    if (!closure->proto) {
        for (uint32_t i = 0; i < closure->object.number; i++)
            mark_value(lua, lua_closure_values(closure)[i]);
        return;
    }
    mark_object(lua, &closure->proto->object);
    mark_object(lua, &closure->environment->object);
    for (uint32_t i = 0; i < closure->object.number; i++)
        mark_object(lua, &lua_closure_upvalues(closure)[i]->object);
}

static void mark_thread(struct lua *lua, struct lua_thread *thread)
{
    struct lua_value *end = thread->top;

    /* Frames of C functions lie above their caller's registers, which go up to its ceiling. */
    for (int i = 0; i < thread->frame_count; i++) {
        const struct lua_frame *frame = &thread->frames[i];
        if (frame->is_lua && frame->base + frame->function->function->proto->stack_size > end)
            end = frame->base + frame->function->function->proto->stack_size;
    }
    for (struct lua_value *value = thread->stack; value < end; value++)
        mark_value(lua, *value);
    memset(end, 0, (size_t)(thread->stack_end - end) * sizeof *end);
    if (thread->resumer)
        mark_object(lua, &thread->resumer->object);
}

static void mark_contents(struct lua *lua, struct lua_object *object)
{
    switch (object->kind) {
    case LUA_TABLE:
        mark_table(lua, (struct lua_table *)object);
        break;
    case LUA_FUNCTION:
        mark_closure(lua, (struct lua_closure *)object);
        break;
    case LUA_THREAD:
        mark_thread(lua, (struct lua_thread *)object);
        break;
    case OBJECT_PROTO:
        mark_proto(lua, (struct lua_proto *)object);
        break;
    default:
        mark_value(lua, *((struct lua_upvalue *)object)->at);
    }
}

/* A string in a weak table counts as a value without identity: it stays. */
static bool is_lost(struct lua *lua, uint32_t type, struct lua_object *object)
{
    if (type < LUA_STRING || type == KEY_DEAD)
        return false;
    if (type == LUA_STRING)
        mark_object(lua, object);
    return object->mark != lua->mark;
}

static void clear_weak(struct lua *lua, struct lua_table *table)
{
    int weak = weakness(lua, table);

    for (uint32_t i = 0; weak & WEAK_VALUES && i < table->array_size; i++)
        if (is_lost(lua, table->array[i].type, table->array[i].object))
            table->array[i].type = LUA_NIL;
    if (!lua_table_has_nodes(table))
        return;
    for (uint32_t i = 0; i < lua_table_node_count(table); i++) {
        struct lua_node *node = &table->nodes[i];
        if (node->value.type != LUA_NIL && (is_lost(lua, node->key.type, node->key.object)
                                            || is_lost(lua, node->value.type, node->value.object)))
            node->value.type = LUA_NIL;
        if (node->value.type == LUA_NIL)
            mark_dead_key(lua, node);
    }
}

static void release_stacks(struct lua *lua)
{
    lua_release(lua, lua->gray.at, lua->gray.size * sizeof *lua->gray.at);
    lua_release(lua, lua->weak.at, lua->weak.size * sizeof *lua->weak.at);
    memset(&lua->gray, 0, sizeof lua->gray);
    memset(&lua->weak, 0, sizeof lua->weak);
}

static void mark_all(struct lua *lua)
{
    lua->mark ^= 1;
    mark_object(lua, &lua->main->object);
    mark_object(lua, &lua->running->object);
    mark_object(lua, &lua->globals->object);
    if (lua->string_metatable)
        mark_object(lua, &lua->string_metatable->object);
    for (int i = 0; i < EVENT_COUNT; i++)
        mark_string(lua, lua->event_names[i]);
    mark_value(lua, lua->error);
    mark_string(lua, lua->error_source);
    mark_values(lua, &lua->results);
    mark_values(lua, &lua->kept);
    mark_values(lua, &lua->pins);
    while (lua->gray.count)
        mark_contents(lua, lua->gray.at[--lua->gray.count]);
    for (size_t i = 0; i < lua->weak.count; i++)
        clear_weak(lua, (struct lua_table *)lua->weak.at[i]);
    release_stacks(lua);
    lua->sweep.is_going = true;
    lua->sweep.link = &lua->objects;
    lua->sweep.chain = 0;
}

/* --- sweep --------------------------------------------------------------------------------- */

static void free_object(struct lua *lua, struct lua_object *object)
{
    switch (object->kind) {
    case LUA_STRING:
        lua_release(lua, object, lua_string_size((struct lua_string *)object));
        break;
    case LUA_TABLE:
        lua_table_free(lua, (struct lua_table *)object);
        break;
    case LUA_FUNCTION:
        lua_release(lua, object, lua_closure_size((struct lua_closure *)object));
        break;
    case LUA_THREAD:
        lua_thread_free(lua, (struct lua_thread *)object);
        break;
    case OBJECT_PROTO:
        lua_proto_free(lua, (struct lua_proto *)object);
        break;
    default:
        if (lua_upvalue_is_open((struct lua_upvalue *)object))
            lua_upvalue_unlink((struct lua_upvalue *)object);
        lua_release(lua, object, sizeof(struct lua_upvalue));
    }
}

/* A closure's size depends on whether it has a prototype, not on the prototype, which may be gone already. */
static void sweep_objects(struct lua *lua, int count)
{
    while (count-- > 0 && *lua->sweep.link) {
        struct lua_object *object = *lua->sweep.link;
        if (object->mark == lua->mark) {
            lua->sweep.link = &object->next;
        } else {
            *lua->sweep.link = object->next;
            free_object(lua, object);
        }
    }
}

static void sweep_chains(struct lua *lua, int count)
{
    for (; count > 0 && lua->sweep.chain < lua->pool.size; count--) {
        struct lua_object **link = (struct lua_object **)&lua->pool.chains[lua->sweep.chain++];
        while (*link) {
            struct lua_object *object = *link;
            if (object->mark == lua->mark) {
                link = &object->next;
            } else {
                *link = object->next;
                lua->pool.count--;
                free_object(lua, object);
            }
        }
    }
}

static bool sweep_piece(struct lua *lua)
{
    sweep_objects(lua, SWEEP_OBJECTS);
    sweep_chains(lua, SWEEP_CHAINS);
    lua->sweep.is_going = *lua->sweep.link || lua->sweep.chain < lua->pool.size;
    if (lua->sweep.is_going)
        return true;
    lua_pool_shrink(lua);
    lua->threshold = lua->memory * 2 > THRESHOLD_MIN ? lua->memory * 2 : THRESHOLD_MIN;
    return false;
}

/* --- collections --------------------------------------------------------------------------- */

void lua_collect(struct lua *lua)
{
    while (lua->sweep.is_going && sweep_piece(lua)) {
    }
    mark_all(lua);
    while (sweep_piece(lua)) {
    }
    lua_charge(lua, lua->memory);
}

void lua_collect_now(struct lua *lua)
{
    if (!lua->is_stopped)
        lua_collect(lua);
}

bool lua_collect_piece(struct lua *lua, int64_t budget_ns)
{
    uint64_t begun = clock_work_ns();

    if (!lua->sweep.is_going)
        mark_all(lua);
    do {
        if (!sweep_piece(lua))
            return false;
    } while ((int64_t)(clock_work_ns() - begun) < budget_ns);
    return true;
}

void lua_object_free_all(struct lua *lua)
{
    lua->mark ^= 1; /* nothing has this mark */
    for (struct lua_object *object = lua->objects; object; object = object->next)
        object->mark = lua->mark ^ 1;
    for (size_t i = 0; i < lua->pool.size; i++)
        for (struct lua_object *object = (struct lua_object *)lua->pool.chains[i]; object; object = object->next)
            object->mark = lua->mark ^ 1;
    lua->sweep.link = &lua->objects;
    lua->sweep.chain = 0;
    while (sweep_piece(lua)) {
    }
}
