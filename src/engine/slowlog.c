/* Commands that took long. */
#include "engine/slowlog.h"

#include "engine_internal.h"

#include "base/mem.h"
#include "net/socket.h"

#include <stdio.h>

#define ARGS_SHOWN  32  /* the last of them says how many more there are */
#define BYTES_SHOWN 128 /* of an argument */
#define NOTE_MAX    64

struct slowlog {
    struct slow_command *newest;
    size_t size;
    int64_t next_id;
};

struct slowlog *slowlog_new(void) { return mem_alloc_zero(sizeof(struct slowlog)); }

static void drop_from(struct slowlog *log, struct slow_command **link)
{
    while (*link) {
        struct slow_command *oldest = *link;

        *link = oldest->next;
        log->size--;
        mem_free(oldest, oldest->size);
    }
}

void slowlog_free(struct slowlog *log)
{
    drop_from(log, &log->newest);
    mem_free(log, sizeof *log);
}

size_t slowlog_size(const struct engine *engine) { return engine->slowlog->size; }

const struct slow_command *slowlog_newest(const struct engine *engine)
{
    return engine->slowlog->newest;
}

void slowlog_clear(struct engine *engine) { drop_from(engine->slowlog, &engine->slowlog->newest); }

void slowlog_trim(struct engine *engine)
{
    struct slowlog *log = engine->slowlog;
    struct slow_command **link = &log->newest;

    for (int64_t kept = 0; *link && kept < engine->settings.slowlog_max_len; kept++)
        link = &(*link)->next;
    drop_from(log, link);
}

/* Copies to 'at', returns the view; 'at' moves on. */
static struct bytes place(char **at, struct bytes bytes)
{
    char *start = *at;

    bytes_copy(start, bytes.data, bytes.len);
    *at += bytes.len;
    return (struct bytes){start, bytes.len};
}

static struct bytes place_argument(char **at, const struct request *req, int i)
{
    struct bytes shown = request_shown_argument(req, i);
    char *start = *at;
    char note[NOTE_MAX];
    int len;

    if (shown.len <= BYTES_SHOWN)
        return place(at, shown);
    place(at, (struct bytes){shown.data, BYTES_SHOWN});
    len = snprintf(note, sizeof note, "... (%zu more bytes)", shown.len - BYTES_SHOWN);
    place(at, (struct bytes){note, (size_t)len});
    return (struct bytes){start, (size_t)(*at - start)};
}

void slowlog_add(struct request *req, uint64_t duration_ns)
{
    struct engine *engine = req->engine;
    struct slowlog *log = engine->slowlog;
    int argc = req->argc < ARGS_SHOWN ? req->argc : ARGS_SHOWN;
    char address[SOCKET_NAME_MAX] = "", note[NOTE_MAX], *at;
    struct bytes name = bytes_from_string(req->client->name ? req->client->name : "");
    struct slow_command *slow;
    size_t size;

    if (!(req->client->flags & CLIENT_INNER))
        socket_peer_name(req->client->fd, engine->unix_path, address, sizeof address);
    size = sizeof *slow + (size_t)argc * sizeof slow->argv[0] + strlen(address) + name.len + NOTE_MAX;
    for (int i = 0; i < argc; i++) {
        size_t len = request_shown_argument(req, i).len;

        size += len < BYTES_SHOWN ? len : BYTES_SHOWN + NOTE_MAX;
    }
    slow = mem_alloc(size);
    *slow = (struct slow_command){.next = log->newest,
                                  .id = log->next_id++,
                                  .time_s = clock_now_ms(engine->clock) / 1000,
                                  .duration_us = (int64_t)(duration_ns / 1000),
                                  .argc = argc,
                                  .size = size};
    at = (char *)&slow->argv[argc];
    slow->address = place(&at, bytes_from_string(address));
    slow->name = place(&at, name);
    for (int i = 0; i < argc; i++)
        slow->argv[i] = place_argument(&at, req, i);
    if (argc < req->argc) {
        int len = snprintf(note, sizeof note, "... (%d more arguments)", req->argc - argc + 1);

        slow->argv[argc - 1] = place(&at, (struct bytes){note, (size_t)len});
    }
    log->newest = slow;
    log->size++;
    slowlog_trim(engine);
}
