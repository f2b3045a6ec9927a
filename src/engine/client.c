/* Clients: from accept to close, and how CLIENT LIST describes them. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/monitor.h"
#include "engine/multi.h"
#include "engine/pubsub.h"
#include "net/socket.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

void client_add(struct engine *engine, int fd, bool is_unix)
{
    struct client *client = mem_alloc_zero(sizeof *client);

    client->id = ++engine->next_client_id;
    client->engine = engine;
    client->db = &engine->store->dbs[0];
    client->fd = fd;
    client->resp = 2;
    client->flags = (is_unix ? CLIENT_IS_UNIX : 0) | (*engine->settings.password ? CLIENT_NEEDS_AUTH : 0);
    client->created_ms = client->active_ms = clock_now_ms(engine->clock);
    if (event_loop_add(engine->loop, fd, client, 0, EVENT_READABLE) < 0) {
        log_write(LOG_WARNING, "Error registering fd event for the new client: %s (addr=%d)",
                  "epoll refused it", fd);
        close(fd);
        mem_free(client, sizeof *client);
        return;
    }
    if (!is_unix) {
        socket_set_nodelay(fd);
        socket_set_keepalive(fd, (int)engine->settings.tcp_keepalive_seconds);
    }
    client->previous = engine->clients_last;
    if (engine->clients_last)
        engine->clients_last->next = client;
    else
        engine->clients_first = client;
    engine->clients_last = client;
    engine->client_count++;
    engine->stats.connections++;
}

void client_close(struct client *client)
{
    struct engine *engine = client->engine;

    if (client->flags & CLIENT_CLOSING)
        return;
    client->flags |= CLIENT_CLOSING;
    client->flags &= ~CLIENT_WAITS_WRITABLE;
    event_loop_remove(engine->loop, client->fd);
    if (client->flags & CLIENT_CLOSE_AFTER_REPLY)
        socket_discard_input(client->fd);
    /* The other end learns it now, before anybody is told of it: the descriptor is closed when the turn is
     * over, so that it is not taken by a new connection meanwhile. */
    shutdown(client->fd, SHUT_RDWR);
    client->close_next = engine->close_first;
    engine->close_first = client;
    blocking_forget(client);
    monitor_end(client);
    pause_forget(client);
    multi_forget(client);
    output_drop(client);
}

void client_close_after_reply(struct client *client) { client->flags |= CLIENT_CLOSE_AFTER_REPLY; }

static void unlink_client(struct client *client)
{
    struct engine *engine = client->engine;

    if (client->previous)
        client->previous->next = client->next;
    else
        engine->clients_first = client->next;
    if (client->next)
        client->next->previous = client->previous;
    else
        engine->clients_last = client->previous;
    if (engine->cron_next == client)
        engine->cron_next = client->next;
    engine->client_count--;
}

void client_free(struct client *client)
{
    struct bytes none = {NULL, 0};

    ASSERT(client->flags & CLIENT_CLOSING);
    close(client->fd);
    pubsub_forget(client); /* not before: it may stand in a channel that is being delivered to */
    output_drop(client);
    input_free(client);
    client_set_name(client, none);
    client_set_text(&client->lib_name, none);
    client_set_text(&client->lib_version, none);
    unlink_client(client);
    mem_free(client, sizeof *client);
}

/* A closed client may still stand in the flush or the ready list: those are emptied first. */
static void leave_lists(struct engine *engine)
{
    struct client **link = &engine->ready_first;

    ASSERT(!engine->ready_rest);
    output_flush_lists(engine);
    while (*link) {
        if ((*link)->flags & CLIENT_CLOSING)
            *link = (*link)->ready_next;
        else
            link = &(*link)->ready_next;
    }
    engine->ready_last = link;
}

void client_free_closed(struct engine *engine, uint64_t after_id)
{
    struct client **link = &engine->close_first;

    leave_lists(engine);
    while (*link) {
        struct client *client = *link;

        if (client->id <= after_id) {
            link = &client->close_next;
            continue;
        }
        *link = client->close_next;
        client_free(client);
    }
}

void client_set_name(struct client *client, struct bytes name)
{
    if (client->name)
        mem_free(client->name, client->name_len + (size_t)1);
    client->name = NULL;
    client->name_len = (uint32_t)name.len;
    if (!name.len)
        return;
    client->name = mem_alloc(name.len + 1);
    memcpy(client->name, name.data, name.len);
    client->name[name.len] = '\0';
}

void client_set_text(char **field, struct bytes text)
{
    text.len = text.len ? strnlen(text.data, text.len) : 0;
    if (*field)
        mem_free(*field, strlen(*field) + 1);
    *field = NULL;
    if (!text.len)
        return;
    *field = mem_alloc(text.len + 1);
    memcpy(*field, text.data, text.len);
    (*field)[text.len] = '\0';
}

struct client *engine_client_by_id(const struct engine *engine, uint64_t id)
{
    for (struct client *client = engine->clients_first; client; client = client->next)
        if (client->id == id)
            return client->flags & CLIENT_CLOSING ? NULL : client;
    return NULL;
}

/* --- description -------------------------------------------------------------------------------- */

enum client_class client_class_of(const struct client *client)
{
    return client->flags & CLIENT_SUBSCRIBED ? CLIENT_PUBSUB : CLIENT_NORMAL;
}

static void describe_flags(const struct client *client, char *out)
{
    static const struct {
        uint32_t flag;
        char letter;
    } letters[] = {
        {CLIENT_MONITOR, 'O'},          {CLIENT_SUBSCRIBED, 'P'},        {CLIENT_IN_MULTI, 'x'},  {CLIENT_BLOCKED, 'b'},
        {CLIENT_DIRTY_CAS, 'd'},         {CLIENT_POSTPONED, 'b'}, {CLIENT_CLOSE_AFTER_REPLY, 'c'},
        {CLIENT_CLOSING, 'A'},           {CLIENT_IS_UNIX, 'U'},   {CLIENT_NO_EVICT, 'e'},
        {CLIENT_NO_TOUCH, 'T'},
    };
    char *at = out;

    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (client->flags & letters[i].flag)
            *at++ = letters[i].letter;
    if (at == out)
        *at++ = 'N';
    *at = '\0';
}

size_t client_memory(const struct client *client)
{
    return mem_block_size(sizeof *client) + client_input_capacity(client) + client->output.memory +
           client->pushes.memory + multi_memory(client);
}

size_t client_describe(const struct client *client, char *out, size_t size)
{
    const struct engine *engine = client->engine;
    int64_t now_ms = clock_now_ms(engine->clock);
    char peer[SOCKET_NAME_MAX], own[SOCKET_NAME_MAX], flags[16];
    char command[COMMAND_NAME_MAX] = "NULL";
    int multi = client->flags & CLIENT_IN_MULTI ? (int)multi_queued(client) : -1, len;
    size_t blocks = 0;

    socket_peer_name(client->fd, engine->unix_path, peer, sizeof peer);
    socket_own_name(client->fd, engine->unix_path, own, sizeof own);
    describe_flags(client, flags);
    if (client->last_command)
        command_full_name(client->last_command, command);
    for (const struct output_block *block = client->output.first; block; block = block->next)
        blocks++;
    len = snprintf(
        out, size,
        "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%d sub=%zu psub=%zu "
        "ssub=%zu multi=%d qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu "
        "obl=%zu oll=%zu omem=%zu tot-mem=%zu events=%s cmd=%s user=default redir=-1 resp=%d "
        "lib-name=%s lib-ver=%s\n",
        (unsigned long long)client->id, peer, own, client->fd, client->name ? client->name : "",
        (long long)(now_ms - client->created_ms) / 1000, (long long)(now_ms - client->active_ms) / 1000,
        flags, client->db->id, pubsub_count(client, CHANNEL_PLAIN),
        pubsub_count(client, CHANNEL_PATTERN), pubsub_count(client, CHANNEL_SHARD), multi,
        client_input_bytes(client), client_input_capacity(client) - client_input_bytes(client),
        (size_t)0, multi_memory(client), (size_t)0, (size_t)0, (size_t)0, blocks,
        client->output.memory, client_memory(client),
        client->flags & CLIENT_WAITS_WRITABLE ? "rw" : "r", command, client->resp,
        client->lib_name ? client->lib_name : "", client->lib_version ? client->lib_version : "");
    return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

size_t engine_client_memory(const struct engine *engine)
{
    size_t total = 0;

    for (const struct client *client = engine->clients_first; client; client = client->next)
        total += client_memory(client);
    return total;
}
