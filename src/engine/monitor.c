/* MONITOR: every command that is run, as a line to the clients that asked for it. */
#include "engine/monitor.h"

#include "engine_internal.h"

#include "base/mem.h"
#include "base/text.h"
#include "net/socket.h"

struct monitor {
    struct monitor *next;
    struct client *client;
};

void monitor_begin(struct client *client)
{
    struct engine *engine = client->engine;
    struct monitor *monitor = mem_alloc(sizeof *monitor);

    *monitor = (struct monitor){engine->monitors, client};
    engine->monitors = monitor;
    client->flags |= CLIENT_MONITOR;
}

void monitor_end(struct client *client)
{
    struct monitor **link = &client->engine->monitors;

    if (!(client->flags & CLIENT_MONITOR))
        return;
    client->flags &= ~CLIENT_MONITOR;
    while ((*link)->client != client)
        link = &(*link)->next;
    struct monitor *monitor = *link;

    *link = monitor->next;
    mem_free(monitor, sizeof *monitor);
}

void monitor_show(struct request *req)
{
    if (req->engine->monitors)
        monitor_feed(req);
}

void monitor_feed(struct request *req)
{
    struct engine *engine = req->engine;
    int64_t now_us = clock_now_us(engine->clock);
    char address[SOCKET_NAME_MAX] = "lua";
    struct text line = {0};

    if (!(req->client->flags & CLIENT_INNER))
        socket_peer_name(req->client->fd, engine->unix_path, address, sizeof address);
    text_format(&line, "+%lld.%06lld [%d %s%s]", (long long)(now_us / 1000000),
                (long long)(now_us % 1000000), req->client->db->id,
                req->client->flags & CLIENT_IS_UNIX ? "unix:" : "",
                req->client->flags & CLIENT_IS_UNIX ? engine->unix_path : address);
    for (int i = 0; i < req->argc; i++) {
        text_add(&line, BYTES(" "));
        text_add_quoted(&line, request_shown_argument(req, i));
    }
    text_add(&line, BYTES("\r\n"));
    for (struct monitor *monitor = engine->monitors; monitor; monitor = monitor->next)
        output_push(monitor->client, text_bytes(&line));
    text_release(&line);
}
