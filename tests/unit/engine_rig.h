/* What tests of the engine and of commands stand on: a clock that only the test moves, a store, an
 * engine, clients over socket pairs, and records of the write stream and of all events.
 *
 *     struct rig rig;
 *     struct peer peer;
 *
 *     rig_init(&rig);
 *     peer_connect(&peer, &rig);
 *     peer_says(&peer, "set fruit apple");
 *     peer_receives(&peer, "+OK\r\n");
 *     assert_string_equal(rig_stream(&rig), "SET fruit apple\n");
 *     peer_release(&peer);
 *     rig_release(&rig); */
#ifndef TERN_TESTS_ENGINE_RIG_H
#define TERN_TESTS_ENGINE_RIG_H

#include "unit.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/engine_internal.h"
#include "engine/events.h"
#include "engine/propagate.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define RIG_NOW_MS INT64_C(1795000000000)
#define RIG_NOW    "1795000000000"

struct rig {
    struct clock clock;
    struct event_loop *loop;
    struct store *store;
    struct engine *engine;
    size_t mem_before;
    struct text stream, events; /* one line each; keys of databases but 0 with "1:" in front */
    struct propagation_sink sink;
    struct event_observer observer;
};

struct peer {
    struct rig *rig;
    struct client *client; /* the engine's side; stale when it was closed */
    uint64_t id;
    int fd;
    struct text received;
};

/* ---- records ---- */

/* Bytes that do not print are shown as \xNN, so that a record is one line of text. */
static inline void rig_show(struct text *text, struct bytes bytes)
{
    if (!bytes.len)
        text_add(text, BYTES("''"));
    if (bytes.len > 100) {
        text_format(text, "<%zu bytes of %c>", bytes.len, bytes.data[0]);
        return;
    }
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] > ' ' && bytes.data[i] <= '~')
            text_add(text, (struct bytes){bytes.data + i, 1});
        else
            text_format(text, "\\x%02x", (unsigned char)bytes.data[i]);
}

static inline size_t rig_take_number(struct bytes *bytes, char type)
{
    size_t number = 0;

    assert_true(bytes->len > 1 && bytes->data[0] == type);
    bytes->data++, bytes->len--;
    while (bytes->len && *bytes->data != '\r') {
        number = 10 * number + (size_t)(*bytes->data - '0');
        bytes->data++, bytes->len--;
    }
    assert_true(bytes->len >= 2 && bytes->data[1] == '\n');
    bytes->data += 2, bytes->len -= 2;
    return number;
}

static inline void rig_on_write(void *context, int db, struct bytes command)
{
    struct rig *rig = context;
    size_t argc = rig_take_number(&command, '*');

    if (db)
        text_format(&rig->stream, "%d:", db);
    for (size_t i = 0; i < argc; i++) {
        size_t len = rig_take_number(&command, '$');

        assert_true(command.len >= len + 2 && command.data[len] == '\r');
        if (i)
            text_add(&rig->stream, BYTES(" "));
        rig_show(&rig->stream, (struct bytes){command.data, len});
        command.data += len + 2, command.len -= len + 2;
    }
    assert_int_equal(command.len, 0);
    text_add(&rig->stream, BYTES("\n"));
}

static inline void rig_on_event(void *context, struct db *db, struct bytes key,
                                const struct event_kind *event)
{
    struct rig *rig = context;

    text_format(&rig->events, "%s ", event->name);
    if (db->id)
        text_format(&rig->events, "%d:", db->id);
    rig_show(&rig->events, key);
    text_add(&rig->events, BYTES("\n"));
}

static inline const char *rig_text(struct text *text)
{
    text_add(text, (struct bytes){"", 1});
    text->len--;
    return text->data;
}

static inline const char *rig_stream(struct rig *rig) { return rig_text(&rig->stream); }
static inline const char *rig_events(struct rig *rig) { return rig_text(&rig->events); }
static inline void rig_forget(struct rig *rig) { rig->stream.len = rig->events.len = 0; }

/* ---- a life ---- */

static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){0};
    log_set_level(LOG_NOTHING);
    hash_set_seed((struct hash_seed){5, 6});
    while (mem_background_step(INT64_MAX))
        ;
    rig->mem_before = mem_used();
    clock_init(&rig->clock);
    clock_freeze(&rig->clock);
    rig->clock.now_us = RIG_NOW_MS * 1000;
    rig->loop = event_loop_new();
    rig->store = store_new(16, &rig->clock, 7);
    rig->engine = engine_new(rig->store, &rig->clock, rig->loop);
    rig->sink = (struct propagation_sink){rig_on_write, rig, NULL};
    rig->observer = (struct event_observer){rig_on_event, rig, NULL};
    propagate_join(rig->engine, &rig->sink);
    events_observe(rig->engine, &rig->observer);
}

static inline void rig_release(struct rig *rig)
{
    for (int i = 0; i < rig->store->db_count; i++)
        store_check(&rig->store->dbs[i]);
    engine_free(rig->engine);
    store_free(rig->store);
    event_loop_free(rig->loop);
    text_release(&rig->stream);
    text_release(&rig->events);
    assert_int_equal(mem_used(), rig->mem_before);
    mem_check();
}

/* Turns until there is nothing more to do. */
static inline void rig_run(struct rig *rig)
{
    const struct engine *engine = rig->engine;
    uint64_t before;

    do {
        before = engine->stats.reads + engine->stats.writes + engine->stats.commands +
                 engine->stats.batches;
        engine_turn(rig->engine, 0);
    } while (engine->stats.reads + engine->stats.writes + engine->stats.commands +
                     engine->stats.batches !=
                 before ||
             engine->ready_first || engine->flush_first || engine->close_first);
    assert_null(engine->running);
    assert_int_equal(engine->turn_depth, 0);
}

/* Time goes on; what is due then happens, as the server's cron sees to it. */
static inline void rig_advance(struct rig *rig, int64_t ms)
{
    clock_advance(&rig->clock, ms);
    rig_run(rig);
    while (store_work(rig->store, 1000000))
        ;
    rig_run(rig);
}

/* ---- clients ---- */

static inline void peer_connect(struct peer *peer, struct rig *rig)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    client_add(rig->engine, fds[0], true);
    *peer = (struct peer){rig, rig->engine->clients_last, rig->engine->next_client_id, fds[1], {0}};
}

static inline void peer_release(struct peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    rig_run(peer->rig);
    text_release(&peer->received);
}

/* The engine has closed the connection. */
static inline bool peer_is_gone(const struct peer *peer)
{
    return engine_client_by_id(peer->rig->engine, peer->id) == NULL;
}

/* Takes what has come in. */
static inline void peer_read(struct peer *peer)
{
    char buffer[65536];
    ssize_t got;

    while ((got = read(peer->fd, buffer, sizeof buffer)) > 0)
        text_add(&peer->received, (struct bytes){buffer, (size_t)got});
}

/* Gives bytes to the socket; when it is full, turns are run and what comes in is read meanwhile. */
static inline void peer_sends(struct peer *peer, struct bytes bytes)
{
    while (bytes.len) {
        ssize_t sent = send(peer->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

        if (sent > 0) {
            bytes.data += sent, bytes.len -= (size_t)sent;
            continue;
        }
        if (sent < 0 && errno != EAGAIN)
            return; /* the engine has closed it */
        rig_run(peer->rig);
        peer_read(peer);
    }
}

static inline void peer_sends_args(struct peer *peer, int argc, const struct bytes *argv)
{
    struct text text = {0};

    text_format(&text, "*%d\r\n", argc);
    for (int i = 0; i < argc; i++) {
        text_format(&text, "$%zu\r\n", argv[i].len);
        text_add(&text, argv[i]);
        text_add(&text, BYTES("\r\n"));
    }
    peer_sends(peer, text_bytes(&text));
    text_release(&text);
}

/* Words separated by one space; '' is an empty one. */
/* \x00 to \xff are bytes. */
static inline struct bytes rig_word(const char *text, size_t len, char *decoded)
{
    size_t to = 0;

    for (size_t i = 0; i < len; i++, to++) {
        decoded[to] = text[i];
        if (text[i] == '\\' && len - i >= 4 && text[i + 1] == 'x') {
            decoded[to] = (char)strtol((char[]){text[i + 2], text[i + 3], '\0'}, NULL, 16);
            i += 3;
        }
    }
    return (struct bytes){decoded, to};
}

static inline void peer_asks(struct peer *peer, const char *line)
{
    struct bytes argv[64];
    char decoded[256];
    int argc = 0;

    while (*line) {
        size_t len = strcspn(line, " ");

        assert_true(argc < 64);
        argv[argc] = (struct bytes){line, len == 2 && memcmp(line, "''", 2) == 0 ? 0 : len};
        if (memchr(line, '\\', len)) { /* one word of a line */
            assert_true(len < sizeof decoded);
            argv[argc] = rig_word(line, len, decoded);
        }
        argc++;
        line += len + (line[len] == ' ');
    }
    peer_sends_args(peer, argc, argv);
}

static inline void peer_says(struct peer *peer, const char *line)
{
    peer_asks(peer, line);
    rig_run(peer->rig);
}

/* Turns and reading until nothing more comes. */
static inline void peer_reads_all(struct peer *peer)
{
    size_t len;

    do {
        len = peer->received.len;
        rig_run(peer->rig);
        peer_read(peer);
    } while (peer->received.len > len);
}

/* All that has come since the last look is this. */
static inline void peer_receives_bytes(struct peer *peer, struct bytes expected)
{
    const char *received;
    size_t same = 0;

    peer_reads_all(peer);
    received = rig_text(&peer->received);
    while (same < expected.len && same < peer->received.len &&
           received[same] == expected.data[same])
        same++;
    if (same < expected.len || same < peer->received.len)
        fail_msg("after %zu bytes of %zu comes '%.200s' (%zu bytes), not '%.*s'", same,
                 expected.len, received + same, peer->received.len - same,
                 (int)(expected.len - same < 200 ? expected.len - same : 200),
                 expected.data + same);
    peer->received.len = 0;
}

static inline void peer_receives(struct peer *peer, const char *expected)
{
    peer_receives_bytes(peer, bytes_from_string(expected));
}

static inline void peer_forget(struct peer *peer)
{
    peer_reads_all(peer);
    peer->received.len = 0;
}

#endif
