/* The write stream: the commands of an execution unit are collected in RESP as their effects happen,
 * and handed to the sinks when the unit ends. */
#include "engine/propagate.h"

#include "engine_internal.h"

#include "base/mem.h"
#include "base/numbers.h"

#define HEADER_MAX 32 /* "$12\r\n" and an end of line */

struct propagation {
    struct propagation_sink *sinks;
    char *data; /* the unit's commands, one after the other */
    size_t used, size;
    struct {
        size_t end; /* in data */
        int db;
        unsigned kinds;
    } *commands;
    size_t count, count_max;
    unsigned kinds; /* of sinks that the next command travels to */
};

struct propagation *propagation_new(void)
{
    struct propagation *propagation = mem_alloc_zero(sizeof *propagation);

    propagation->kinds = PROPAGATE_TO_ALL;
    return propagation;
}

void propagate_only_to(struct engine *engine, unsigned kinds) { engine->propagation->kinds = kinds; }

void propagate_drop(struct engine *engine)
{
    engine->propagation->count = 0;
    engine->propagation->used = 0;
}

void propagation_free(struct propagation *propagation)
{
    if (propagation->size)
        mem_free(propagation->data, propagation->size);
    if (propagation->count_max)
        mem_free(propagation->commands, propagation->count_max * sizeof *propagation->commands);
    mem_free(propagation, sizeof *propagation);
}

void propagate_join(struct engine *engine, struct propagation_sink *sink)
{
    sink->next = engine->propagation->sinks;
    engine->propagation->sinks = sink;
}

void propagate_leave(struct engine *engine, struct propagation_sink *sink)
{
    struct propagation_sink **link = &engine->propagation->sinks;

    while (*link != sink)
        link = &(*link)->next;
    *link = sink->next;
}

static void *grow(void *block, size_t *count, size_t needed, size_t each)
{
    size_t old = *count, new = old ? old : 64;

    if (needed <= old)
        return block;
    while (new < needed)
        new *= 2;
    *count = new;
    return old ? mem_resize(block, old * each, new * each) : mem_alloc(new * each);
}

static void put_header(struct propagation *p, char type, size_t number)
{
    p->data[p->used++] = type;
    p->used += uint64_format(p->data + p->used, number);
    memcpy(p->data + p->used, "\r\n", 2);
    p->used += 2;
}

static void begin(struct engine *engine, int db, int argc)
{
    struct propagation *p = engine->propagation;

    p->data = grow(p->data, &p->size, p->used + HEADER_MAX, 1);
    p->commands = grow(p->commands, &p->count_max, p->count + 1, sizeof *p->commands);
    put_header(p, '*', (size_t)argc);
    p->commands[p->count].end = p->used;
    p->commands[p->count].kinds = p->kinds;
    p->commands[p->count++].db = db;
    engine->after |= AFTER_PROPAGATE;
}

static void put_argument(struct propagation *p, struct bytes argument)
{
    p->data = grow(p->data, &p->size, p->used + argument.len + HEADER_MAX, 1);
    put_header(p, '$', argument.len);
    if (argument.len)
        memcpy(p->data + p->used, argument.data, argument.len);
    memcpy(p->data + p->used + argument.len, "\r\n", 2);
    p->used += argument.len + 2;
    p->commands[p->count - 1].end = p->used;
}

static bool travels(const struct propagation *p) { return p->sinks && p->kinds; }

void propagate_also(struct engine *engine, int db, int argc, const struct bytes *argv)
{
    struct propagation *p = engine->propagation;

    if (!travels(p))
        return;
    begin(engine, db, argc);
    for (int i = 0; i < argc; i++)
        put_argument(p, argv[i]);
}

void propagate_begin(struct request *req, int argc)
{
    req->flags |= REQUEST_PROPAGATED;
    if (travels(req->engine->propagation))
        begin(req->engine, req->db->id, argc);
}

void propagate_argument(struct request *req, struct bytes argument)
{
    if (travels(req->engine->propagation))
        put_argument(req->engine->propagation, argument);
}

void propagate_instead(struct request *req, int argc, const struct bytes *argv)
{
    req->flags |= REQUEST_PROPAGATED;
    propagate_also(req->engine, req->db->id, argc, argv);
}

void propagate_nothing(struct request *req) { req->flags |= REQUEST_PROPAGATED; }

void propagate_request(struct request *req)
{
    if (!(req->flags & REQUEST_PROPAGATED))
        propagate_also(req->engine, req->db->id, req->argc, req->argv);
}

static bool takes(const struct propagation_sink *sink, unsigned kinds)
{
    return !sink->kind || sink->kind & kinds;
}

static void write_unit(const struct propagation *p, const struct propagation_sink *sink)
{
    size_t at = 0, count = 0;
    int first_db = 0, last_db = 0;

    for (size_t i = 0; i < p->count; i++)
        if (takes(sink, p->commands[i].kinds)) {
            if (!count++)
                first_db = p->commands[i].db;
            last_db = p->commands[i].db;
        }
    if (count > 1)
        sink->write(sink->context, first_db, BYTES("*1\r\n$5\r\nMULTI\r\n"));
    for (size_t i = 0; i < p->count; i++) {
        if (takes(sink, p->commands[i].kinds))
            sink->write(sink->context, p->commands[i].db,
                        (struct bytes){p->data + at, p->commands[i].end - at});
        at = p->commands[i].end;
    }
    if (count > 1)
        sink->write(sink->context, last_db, BYTES("*1\r\n$4\r\nEXEC\r\n"));
}

void propagate_end_unit(struct engine *engine)
{
    struct propagation *p = engine->propagation;

    for (const struct propagation_sink *sink = p->sinks; sink; sink = sink->next)
        write_unit(p, sink);
    p->count = 0;
    p->used = 0;
}
