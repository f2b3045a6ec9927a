/* Output: the window in which the running client's replies are formatted, and the chains that hold what
 * sockets have not taken.
 *
 *        window: one block for all clients of a turn
 *        +-----------------------------+------------------------------+
 *        | sent or another client's    | segment ...... at            |
 *        +-----------------------------+------------------------------+
 *                                        | full, or the share is done
 *                                        v
 *                      send() straight from here; what is refused, or everything when the client
 *                      has a chain already, is copied to the chain -> EPOLLOUT
 *
 * Bytes for other clients go to their chains at once and are sent at the end of the turn. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/inner.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef TERN_STRESS
#define WINDOW_SIZE 512
#define NESTED_ROOM 64
#else
#define WINDOW_SIZE (64 * 1024)
#define NESTED_ROOM (8 * 1024)
#endif
#define BLOCK_SIZE_MIN  1024
#define BLOCK_SIZE      (16 * 1024)
#define CHAIN_WRITE_MAX (1024 * 1024) /* sent to one client at one go */
#define CHAIN_VECTORS   64

/* --- limits -------------------------------------------------------------------------------- */

void output_close_over_limit(struct client *client, const char *which)
{
    char line[1024];

    client_describe(client, line, sizeof line);
    line[strcspn(line, "\n")] = '\0';
    log_write(LOG_WARNING, "Client %s scheduled to be closed ASAP for overcoming of output buffer %s.",
              line, which);
    client->engine->stats.output_limit_closes++;
    client_close(client);
}

static void check_limits(struct client *client)
{
    struct engine *engine = client->engine;
    const struct output_limit *limit = &engine->settings.output_limits[client_class_of(client)];
    size_t bytes = client->output.memory + client->pushes.memory;

    if (bytes > engine->stats.output_bytes_peak)
        engine->stats.output_bytes_peak = bytes;
    if (limit->hard_bytes && bytes > limit->hard_bytes) {
        output_close_over_limit(client, "limits");
        return;
    }
    if (!limit->soft_bytes || bytes <= limit->soft_bytes) {
        client->flags &= ~CLIENT_OVER_SOFT_LIMIT;
    } else if (!(client->flags & CLIENT_OVER_SOFT_LIMIT)) {
        client->flags |= CLIENT_OVER_SOFT_LIMIT;
        client->soft_limit_since_ms = clock_now_ms(engine->clock);
    } else if (clock_now_ms(engine->clock) - client->soft_limit_since_ms >
               limit->soft_seconds * 1000) {
        output_close_over_limit(client, "soft limits");
    }
}

void output_check_soft_limit(struct client *client)
{
    if (client->flags & CLIENT_OVER_SOFT_LIMIT && !(client->flags & CLIENT_CLOSING))
        check_limits(client);
}

/* --- chains -------------------------------------------------------------------------------- */

static void chain_add_block(struct output_chain *chain, size_t room)
{
    size_t size = chain->bytes ? BLOCK_SIZE : BLOCK_SIZE_MIN;
    struct output_block *block;

    if (size < room + sizeof *block)
        size = mem_block_size(room + sizeof *block);
    block = mem_alloc(size);
    *block = (struct output_block){.size = size - sizeof *block};
    if (chain->last)
        chain->last->next = block;
    else
        chain->first = block;
    chain->last = block;
    chain->memory += size;
}

static void chain_append(struct output_chain *chain, struct bytes bytes)
{
    while (bytes.len) {
        struct output_block *block = chain->last;
        size_t room = block ? block->size - block->used : 0, part;

        if (!room) {
            chain_add_block(chain, bytes.len);
            continue;
        }
        part = bytes.len < room ? bytes.len : room;
        memcpy(block->data + block->used, bytes.data, part);
        block->used += part;
        chain->bytes += part;
        bytes.data += part;
        bytes.len -= part;
    }
}

static void chain_drop_first(struct output_chain *chain)
{
    struct output_block *block = chain->first;

    chain->first = block->next;
    if (!chain->first)
        chain->last = NULL;
    chain->memory -= block->size + sizeof *block;
    mem_free(block, block->size + sizeof *block);
}

static void chain_sent(struct output_chain *chain, size_t sent)
{
    chain->bytes -= sent;
    while (chain->first) {
        struct output_block *block = chain->first;
        size_t left = block->used - block->sent;

        if (sent < left) {
            block->sent += sent;
            return;
        }
        sent -= left;
        chain_drop_first(chain);
    }
}

static void chain_clear(struct output_chain *chain)
{
    while (chain->first)
        chain_drop_first(chain);
    *chain = (struct output_chain){0};
}

void output_drop(struct client *client)
{
    chain_clear(&client->output);
    chain_clear(&client->pushes);
}

/* --- sockets ------------------------------------------------------------------------------- */

static void want_writable(struct client *client, bool wanted)
{
    bool has = client->flags & CLIENT_WAITS_WRITABLE;

    if (wanted == has)
        return;
    client->flags ^= CLIENT_WAITS_WRITABLE;
    event_loop_change(client->engine->loop, client->fd,
                      EVENT_READABLE | (wanted ? EVENT_WRITABLE : 0u));
}

/* Bytes the socket took; 0 when it is full. A broken connection closes the client. */
static size_t socket_write(struct client *client, const struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    ssize_t sent;

    client->engine->stats.writes++;
    if (count == 1)
        sent = send(client->fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
    else
        sent = sendmsg(client->fd, &message, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            log_write(LOG_VERBOSE, "Error writing to client: %s", strerror(errno));
            client_close(client);
        }
        return 0;
    }
    client->bytes_out += (uint64_t)sent;
    client->active_ms = clock_now_ms(client->engine->clock);
    client->engine->stats.bytes_out += (uint64_t)sent;
    return (size_t)sent;
}

static void finish_if_drained(struct client *client)
{
    if (client->output.bytes || client->flags & CLIENT_CLOSING)
        return;
    want_writable(client, false);
    client->flags &= ~CLIENT_OVER_SOFT_LIMIT;
    if (client->flags & CLIENT_CLOSE_AFTER_REPLY)
        client_close(client);
}

static void chain_write(struct client *client)
{
    struct output_chain *chain = &client->output;
    size_t total = 0;

    while (chain->bytes && total < CHAIN_WRITE_MAX && !(client->flags & CLIENT_CLOSING)) {
        struct iovec parts[CHAIN_VECTORS];
        size_t asked = 0, sent;
        int count = 0;

        for (struct output_block *block = chain->first; block && count < CHAIN_VECTORS;
             block = block->next) {
            parts[count].iov_base = block->data + block->sent;
            parts[count].iov_len = block->used - block->sent;
            asked += parts[count++].iov_len;
        }
        sent = socket_write(client, parts, count);
        chain_sent(chain, sent);
        total += sent;
        if (sent < asked)
            break;
    }
    if (client->flags & CLIENT_CLOSING)
        return;
    if (chain->bytes)
        want_writable(client, true);
    else
        finish_if_drained(client);
}

void output_writable(struct client *client)
{
    if (!(client->flags & CLIENT_CLOSING))
        chain_write(client);
}

static void flush_later(struct client *client)
{
    struct engine *engine = client->engine;

    if (client->flags & (CLIENT_IN_FLUSH_LIST | CLIENT_WAITS_WRITABLE))
        return;
    client->flags |= CLIENT_IN_FLUSH_LIST;
    client->flush_next = NULL;
    *engine->flush_last = client;
    engine->flush_last = &client->flush_next;
}

void output_flush_lists(struct engine *engine)
{
    while (engine->flush_first) {
        struct client *client = engine->flush_first;

        engine->flush_first = client->flush_next;
        if (!engine->flush_first)
            engine->flush_last = &engine->flush_first;
        client->flags &= ~CLIENT_IN_FLUSH_LIST;
        if (!(client->flags & CLIENT_CLOSING))
            chain_write(client);
    }
}

void output_append(struct client *client, struct bytes bytes)
{
    if (client->flags & CLIENT_CLOSING || !bytes.len)
        return;
    chain_append(&client->output, bytes);
    flush_later(client);
    check_limits(client);
}

void output_push(struct client *client, struct bytes bytes)
{
    if (client->flags & (CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY))
        return;
    if (client != client->engine->running && !(client->flags & CLIENT_SERVES_OTHERS)) {
        output_append(client, bytes);
        return;
    }
    chain_append(&client->pushes, bytes);
    client->engine->after |= AFTER_PUSHES;
    check_limits(client);
}

void output_end_command(struct window *window, struct client *client)
{
    struct output_chain pushes = client->pushes; /* sending may close the client at its limit */

    client->pushes = (struct output_chain){0};
    for (struct output_block *block = pushes.first; block; block = block->next) {
        char *room = window_room(window, block->used);

        memcpy(room, block->data, block->used);
        window->at += block->used;
    }
    window->command_start = window->at;
    chain_clear(&pushes);
}

/* --- the window ---------------------------------------------------------------------------- */

static void window_set_size(struct window *window, size_t size)
{
    size_t used = (size_t)(window->at - window->base);
    size_t segment = (size_t)(window->segment - window->base);
    size_t command = (size_t)(window->command_start - window->base);

    window->base = mem_resize(window->base, window->size, size);
    window->size = size;
    window->end = window->base + size;
    window->at = window->base + used;
    window->segment = window->base + segment;
    window->command_start = window->base + command;
}

void window_init(struct window *window)
{
    *window = (struct window){.base = mem_alloc(WINDOW_SIZE), .size = WINDOW_SIZE};
    window->at = window->segment = window->command_start = window->base;
    window->end = window->base + window->size;
}

void window_release(struct window *window) { mem_free(window->base, window->size); }

/* Sends 'value' behind the bytes before it, as far as the socket takes them; copies the rest. */
static void send_or_keep(struct client *client, struct bytes formatted, struct bytes value)
{
    size_t sent = 0;

    if (client->flags & CLIENT_CLOSING)
        return;
    if (!client->output.bytes) {
        struct iovec parts[2] = {{(void *)formatted.data, formatted.len},
                                 {(void *)value.data, value.len}};
        size_t total = formatted.len + value.len;

        sent = socket_write(client, formatted.len ? parts : parts + 1,
                            (formatted.len != 0) + (value.len != 0));
        if (client->flags & CLIENT_CLOSING || sent == total)
            return;
    }
    if (sent < formatted.len) {
        chain_append(&client->output, (struct bytes){formatted.data + sent, formatted.len - sent});
        sent = formatted.len;
    }
    sent -= formatted.len;
    chain_append(&client->output, (struct bytes){value.data + sent, value.len - sent});
    want_writable(client, true);
    check_limits(client);
}

static bool is_nested(const struct window *window) { return window->segment != window->base; }

static void window_reset(struct window *window)
{
    window->at = window->command_start = window->segment;
    if (window->size > WINDOW_SIZE && !is_nested(window))
        window_set_size(window, WINDOW_SIZE);
}

void window_shrink(struct window *window)
{
    window->segment = window->base;
    window_reset(window);
}

static struct bytes window_unsent(const struct window *window)
{
    const char *end = window->is_muted ? window->command_start : window->at;

    return (struct bytes){window->segment, (size_t)(end - window->segment)};
}

void window_flush(struct window *window)
{
    struct bytes unsent = window_unsent(window);

    if (window->is_kept)
        return;
    if (unsent.len) {
        if (is_nested(window))
            output_append(window->client, unsent);
        else
            send_or_keep(window->client, unsent, (struct bytes){NULL, 0});
    }
    window_reset(window);
}

char *window_make_room(struct window *window, size_t size)
{
    window_flush(window);
    if (window->is_kept && (size_t)(window->at - window->base) + size > REPLY_KEPT_MAX) {
        window->is_overfull = true; /* what was there is lost */
        window->at = window->base;
    }
    if ((size_t)(window->end - window->at) < size) {
        size_t needed = (size_t)(window->at - window->base) + size;

        window_set_size(window, needed > 2 * window->size ? needed : 2 * window->size);
    }
    return window->at;
}

void window_begin(struct window *window, struct client *client)
{
    if (window->client == client)
        return;
    if (window->client && window->at != window->segment)
        window_flush(window);
    window->client = client;
    window->is_muted = false;
}

void window_send_value(struct window *window, struct bytes value)
{
    struct bytes unsent;

    if (window->is_kept) {
        bytes_copy(window_room(window, value.len), value.data, value.len);
        window->at += value.len;
        return;
    }
    unsent = window_unsent(window);
    if (window->is_muted)
        value.len = 0;
    if (is_nested(window)) {
        output_append(window->client, unsent);
        output_append(window->client, value);
    } else if (unsent.len + value.len) {
        send_or_keep(window->client, unsent, value);
    }
    window_reset(window);
}

void window_begin_nested(struct window *window, struct client *client, struct window_segment *outer)
{
    if (window->client && !is_nested(window) && (size_t)(window->end - window->at) < NESTED_ROOM)
        window_flush(window);
    window_room(window, 1);
    *outer = (struct window_segment){(size_t)(window->segment - window->base),
                                     (size_t)(window->command_start - window->base),
                                     window->client, window->is_muted};
    window->at++; /* a segment that is not the block's beginning marks what is nested */
    window->segment = window->command_start = window->at;
    window->client = client;
    window->is_muted = false;
}

void window_end_nested(struct window *window, const struct window_segment *outer)
{
    window_flush(window);
    window->at = window->segment - 1;
    window->segment = window->base + outer->segment;
    window->command_start = window->base + outer->command_start;
    window->client = outer->client;
    window->is_muted = outer->is_muted;
}
