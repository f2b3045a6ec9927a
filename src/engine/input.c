/* Input: from sockets to parsed commands in the turn's batch.
 *
 *     share     what one client gives to one turn: at most READ_MAX bytes and SHARE_MAX commands
 *
 *     arena     [ client A's share ][ client B's share ][ ...        shared by all clients
 *     own       an unfinished command, and what a client that waits has sent meanwhile
 *     filling   a long bulk string, straight into the block that becomes the value
 *
 * Bytes that do not make a whole command are copied from the arena to the client's own buffer with
 * the parser's state. The next share begins with them: in the arena when they are few, else the client is
 * read into its own buffer until that command is complete. */
#include "engine_internal.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/string_value.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#ifdef TERN_STRESS
#define PENDING_IN_ARENA 32
#define BIG_BULK_MIN     64
#define FILL_MAX         48
#else
#define PENDING_IN_ARENA (16 * 1024) /* more than this stays in the client's own buffer */
#define BIG_BULK_MIN     (32 * 1024) /* bulk strings that get a block of their own */
#define FILL_MAX         (512 * 1024)
#endif
#define OWN_ROOM         (16 * 1024)
#define OWN_ARGS_MIN     8
#define BULK_MAX_UNAUTHENTICATED      16384
#define MULTIBULK_MAX_UNAUTHENTICATED 10

/* --- a client's own buffer ----------------------------------------------------------------- */

static struct input *own(struct client *client)
{
    if (!client->input) {
        client->input = mem_alloc_zero(sizeof *client->input);
        resp_parser_init(&client->input->parser);
    }
    return client->input;
}

static void bigs_free(struct big_argument *big)
{
    while (big) {
        struct big_argument *next = big->next;

        if (big->block)
            string_block_free(big->block);
        mem_free(big, sizeof *big);
        big = next;
    }
}

static void set_args_size(struct input *input, uint32_t size)
{
    size_t old = input->args_size * sizeof *input->args;

    if (!size)
        mem_free(input->args, old), input->args = NULL;
    else if (!old)
        input->args = mem_alloc(size * sizeof *input->args);
    else
        input->args = mem_resize(input->args, old, size * sizeof *input->args);
    input->args_size = size;
}

void input_free(struct client *client)
{
    struct input *input = client->input;

    if (!input)
        return;
    if (input->size)
        mem_free(input->data, input->size);
    if (input->args_size)
        set_args_size(input, 0);
    bigs_free(input->bigs);
    if (input->filling)
        string_block_free(input->filling);
    mem_free(input, sizeof *input);
    client->input = NULL;
}

/* The buffer's bytes move: the arguments found so far move along. */
static void set_size(struct input *input, size_t size)
{
    char *old = input->data;

    if (!input->size)
        input->data = mem_alloc(size);
    else
        input->data = mem_resize(input->data, input->size, size);
    input->size = size;
    if (old && old != input->data)
        resp_rebase(input->args, input->parser.argc, old, input->len, input->data);
}

static void drop_consumed(struct input *input)
{
    char *old = input->data + input->consumed;

    if (!input->consumed)
        return;
    input->len -= input->consumed;
    input->consumed = 0;
    memmove(input->data, old, input->len);
    resp_rebase(input->args, input->parser.argc, old, input->len, input->data);
}

static void ensure_room(struct input *input, size_t room)
{
    size_t needed;

    drop_consumed(input);
    needed = input->len + room;
    if (needed > input->size)
        set_size(input, mem_block_size(needed > 2 * input->size ? needed : 2 * input->size));
}

static void append(struct client *client, const char *data, size_t len)
{
    struct input *input = own(client);

    if (!len)
        return;
    ensure_room(input, len);
    memcpy(input->data + input->len, data, len);
    input->len += len;
}

size_t client_input_bytes(const struct client *client)
{
    const struct input *input = client->input;

    return input ? input->len - input->consumed + input->filled : 0;
}

size_t client_input_capacity(const struct client *client)
{
    const struct input *input = client->input;

    if (!input)
        return 0;
    return sizeof *input + input->size + input->args_size * sizeof *input->args +
           (input->filling ? input->filling->capacity : 0);
}

/* --- reading --------------------------------------------------------------------------------- */

/* Returns what came, 0 for nothing now. An ended or broken connection closes the client. */
static size_t read_socket(struct client *client, char *to, size_t size)
{
    struct engine *engine = client->engine;
    ssize_t got = read(client->fd, to, size);

    engine->stats.reads++;
    if (got > 0) {
        client->bytes_in += (uint64_t)got;
        engine->stats.bytes_in += (uint64_t)got;
        client->active_ms = clock_now_ms(engine->clock);
        return (size_t)got;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got < 0)
        log_write(LOG_VERBOSE, "Reading from client: %s", strerror(errno));
    else
        log_write(LOG_VERBOSE, "Client closed connection id=%llu", (unsigned long long)client->id);
    client_close(client);
    return 0;
}

/* True when the client keeps more unfinished input than allowed: it is closed. */
static bool is_over_limit(struct client *client)
{
    struct engine *engine = client->engine;
    size_t bytes = client_input_bytes(client);
    char line[1024];

    if (bytes > engine->stats.input_bytes_peak)
        engine->stats.input_bytes_peak = bytes;
    if (bytes <= (uint64_t)engine->settings.input_bytes_max)
        return false;
    client_describe(client, line, sizeof line);
    line[strcspn(line, "\n")] = '\0';
    log_write(LOG_WARNING, "Closing client that reached max query buffer length: %s", line);
    engine->stats.input_limit_closes++;
    client_close(client);
    return true;
}

/* A client that waits goes on sending: its bytes are kept. One that is about to be closed is
 * listened to for the end only. */
static void read_aside(struct client *client)
{
    char skipped[4096];

    if (client->flags & CLIENT_CLOSE_AFTER_REPLY) {
        read_socket(client, skipped, sizeof skipped);
        return;
    }
    struct input *input = own(client);

    ensure_room(input, READ_MAX);
    input->len += read_socket(client, input->data + input->len, READ_MAX);
    if (!input->len)
        input_free(client);
    else
        is_over_limit(client);
}

/* --- from bytes to the batch ------------------------------------------------------------------ */

static struct resp_limits limits_of(const struct client *client)
{
    bool needs_auth = client_needs_auth(client);

    return (struct resp_limits){
        .bulk_len_max = needs_auth ? BULK_MAX_UNAUTHENTICATED : client->engine->settings.bulk_len_max,
        .multibulk_max = needs_auth ? MULTIBULK_MAX_UNAUTHENTICATED : INT_MAX,
        .is_authenticated = !needs_auth};
}

/* A protocol error is answered in its turn, after the commands before it. */
static void add_protocol_error(struct turn *turn, struct client *client, char *at,
                               const struct resp_parser *parser)
{
    char text[128];
    struct bytes raw = {at, parser->at};
    struct request *req = turn_add(turn, client, raw, NULL, 0, false);

    resp_parser_error(parser, text);
    client_set_text(&req->protocol_error, bytes_from_string(text));
    req->flags |= REQUEST_PROTOCOL_ERROR;
}

/* The client's share is parsed: its last request says so, or it is over already. */
static void end_share(struct turn *turn, struct client *client)
{
    if (client->turn != turn)
        return; /* stopped in the middle of it */
    if (turn->batch_count && turn->batch[turn->batch_count - 1].client == client) {
        turn->batch[turn->batch_count - 1].flags |= REQUEST_LAST_OF_SHARE;
        return;
    }
    turn_end_share(turn, client);
}

struct share {
    char *at, *end;
    struct resp_parser parser;
    bool is_cut; /* its end may hold whole commands */
};

/* Keeps what is left of a share: an unfinished command with its arguments so far, or whole commands for
 * the next turn. */
static void keep_rest(struct client *client, const struct share *share, const struct bytes *args)
{
    struct input *input;
    uint32_t argc = share->parser.argc;
    size_t len = (size_t)(share->end - share->at);

    if (!len)
        return;
    input = own(client);
    ASSERT(input->len == 0);
    if (argc > input->args_size)
        set_args_size(input, argc < OWN_ARGS_MIN ? OWN_ARGS_MIN : argc);
    append(client, share->at, len);
    input->parser = share->parser;
    if (argc) {
        memcpy(input->args, args, argc * sizeof *args);
        resp_rebase(input->args, argc, share->at, len, input->data);
    }
    is_over_limit(client);
}

/* Parses commands from the arena into the batch, running the batch when it is full. False when the client
 * was stopped by one of its commands: its bytes are its own again. */
static bool parse_share(struct turn *turn, struct client *client, struct share *share)
{
    for (int commands = 0; share->at < share->end;) {
        struct resp_limits limits = limits_of(client);
        struct bytes bytes = {share->at, (size_t)(share->end - share->at)};
        struct bytes *args = turn->args + turn->args_used;
        enum resp_status status = resp_parse(&share->parser, &limits, bytes, args,
                                             BATCH_ARGS_MAX - turn->args_used);

        if (status == RESP_MORE)
            return true;
        if (status == RESP_ARGS) {
            if (!turn->args_used) { /* more than a batch takes: goes on in the client's own buffer */
                share->is_cut = true;
                return true;
            }
            turn_run_batch(turn, share->parser.argc);
            if (client->turn != turn)
                return false;
            continue;
        }
        if (status == RESP_ERROR) {
            if (turn->batch_count && turn->batch[turn->batch_count - 1].client == client) {
                turn_run_batch(turn, 0); /* which may change the limits: then it is none */
                if (client->turn != turn)
                    return false;
                resp_parser_init(&share->parser);
                continue;
            }
            add_protocol_error(turn, client, share->at, &share->parser);
            share->at = share->end;
            return true;
        }
        if (share->parser.argc) {
            turn->args_used += share->parser.argc;
            turn_add(turn, client, (struct bytes){share->at, share->parser.at}, args,
                     (int)share->parser.argc, share->parser.is_quoted);
            commands++;
        }
        share->at += share->parser.at;
        resp_parser_init(&share->parser);
        if (turn->batch_count == BATCH_MAX || client->flags & CLIENT_NEEDS_AUTH) {
            turn_run_batch(turn, 0);
            if (client->turn != turn)
                return false;
        }
        if (commands == SHARE_MAX) {
            share->is_cut = true;
            return true;
        }
    }
    return true;
}

/* The usual way: the share lies in the arena. */
static void feed_from_arena(struct turn *turn, struct client *client, bool is_readable)
{
    struct input *input = client->input;
    size_t pending = input ? input->len - input->consumed : 0;
    struct big_argument *bigs = NULL;
    uint32_t argc = input ? input->parser.argc : 0;
    struct share share;
    char *start;

    if (turn->arena_used + pending + READ_MAX > ARENA_SIZE ||
        turn->args_used + argc > BATCH_ARGS_MAX) {
        turn_run_batch(turn, 0);
        turn->arena_used = 0;
        input_feed(turn, client, is_readable); /* what ran may have served or stopped this client */
        return;
    }
    start = turn->arena + turn->arena_used;
    share = (struct share){.at = start, .end = start + pending};
    if (is_readable)
        share.end += read_socket(client, share.end, READ_MAX);
    if (client->flags & CLIENT_CLOSING || share.end == start)
        return;
    resp_parser_init(&share.parser);
    if (input) {
        memcpy(start, input->data + input->consumed, pending);
        share.parser = input->parser;
        if (argc) {
            struct bytes *args = turn->args + turn->args_used;

            memcpy(args, input->args, argc * sizeof *args);
            resp_rebase(args, argc, input->data + input->consumed, pending, start);
        }
        bigs = input->bigs;
        input->bigs = NULL;
        input_free(client);
    }
    turn->arena_used += ((size_t)(share.end - start) + 7) & ~(size_t)7;
    client->turn = turn;
    client->share_end = share.end;
    turn->next_bigs = bigs;
    if (!parse_share(turn, client, &share))
        return;
    keep_rest(client, &share, turn->args + turn->args_used);
    if (turn->next_bigs) { /* still of the first command, which is not complete */
        own(client)->bigs = turn->next_bigs;
        turn->next_bigs = NULL;
    }
    if (share.at < share.end && share.is_cut)
        turn_make_ready(client);
    end_share(turn, client);
}

/* A long command: read into the client's own buffer, run as soon as it is complete. */
static void feed_from_own(struct turn *turn, struct client *client, bool is_readable)
{
    struct input *input = client->input;
    int commands = 0;

    if (turn->batch_count) { /* its views and ours do not mix */
        turn_run_batch(turn, 0);
        input_feed(turn, client, is_readable); /* what ran may have served or stopped this client */
        return;
    }
    if (is_readable) {
        ensure_room(input, OWN_ROOM);
        input->len += read_socket(client, input->data + input->len, READ_MAX);
    }
    if (client->flags & CLIENT_CLOSING || is_over_limit(client))
        return;
    client->turn = turn;
    while (input->consumed < input->len && commands < SHARE_MAX) {
        struct resp_limits limits = limits_of(client);
        struct bytes bytes = {input->data + input->consumed, input->len - input->consumed};
        enum resp_status status =
            resp_parse(&input->parser, &limits, bytes, input->args, input->args_size);
        struct bytes raw = {bytes.data, input->parser.at};

        if (status == RESP_MORE)
            break;
        if (status == RESP_ARGS) {
            set_args_size(input, input->args_size ? 2 * input->args_size : OWN_ARGS_MIN);
            continue;
        }
        client->share_end = bytes.data + bytes.len;
        if (status == RESP_ERROR) {
            add_protocol_error(turn, client, (char *)bytes.data, &input->parser);
            input->consumed = input->len;
            turn_run_batch(turn, 0);
            break;
        }
        input->consumed += input->parser.at;
        turn->next_bigs = input->bigs;
        input->bigs = NULL;
        if (input->parser.argc)
            turn_add(turn, client, raw, input->args, (int)input->parser.argc,
                     input->parser.is_quoted);
        resp_parser_init(&input->parser);
        turn_run_batch(turn, 0);
        if (client->turn != turn)
            return;
        commands++;
    }
    if (input->consumed == input->len)
        input_free(client);
    else if (commands == SHARE_MAX)
        turn_make_ready(client);
    end_share(turn, client);
}

/* --- long bulk strings ------------------------------------------------------------------------ */

/* When the next bytes are a long bulk string: its block, with what is there of it. */
static bool begin_filling(struct client *client)
{
    struct input *input = client->input;
    int64_t len = input ? resp_awaited_bulk(&input->parser) : -1;
    size_t at, there;

    if (len < BIG_BULK_MIN)
        return false;
    drop_consumed(input);
    at = input->parser.at;
    there = input->len - at;
    if (there >= (size_t)len)
        return false; /* complete but for its end of line */
    input->filling = string_block_new((size_t)len);
    memcpy(input->filling->data, input->data + at, there);
    input->filled = there;
    input->len = at;
    return true;
}

static void fill(struct client *client)
{
    struct input *input = client->input;
    struct string_block *block = input->filling;
    size_t left = block->len - input->filled;
    struct big_argument *big;

    input->filled += read_socket(client, block->data + input->filled, left < FILL_MAX ? left : FILL_MAX);
    if (client->flags & CLIENT_CLOSING || is_over_limit(client) || input->filled < block->len)
        return;
    big = mem_alloc(sizeof *big);
    *big = (struct big_argument){input->bigs, block, (int)input->parser.argc};
    input->bigs = big;
    input->filling = NULL;
    input->filled = 0;
    if (input->parser.argc == input->args_size)
        set_args_size(input, input->args_size ? 2 * input->args_size : OWN_ARGS_MIN);
    resp_supply_bulk(&input->parser, block->data, input->args);
}

/* --- one client's turn ------------------------------------------------------------------------- */

void input_feed(struct turn *turn, struct client *client, bool is_readable)
{
    struct input *input = client->input;

    if (client->turn || client->flags & CLIENT_CLOSING)
        return; /* an outer turn has requests of it, or it is gone */
    if (client->flags & CLIENT_STOPPED) {
        if (is_readable)
            read_aside(client);
        return;
    }
    if (input && (input->filling || begin_filling(client))) {
        if (is_readable)
            fill(client);
        return;
    }
    if (input && (input->len - input->consumed > PENDING_IN_ARENA ||
                  input->parser.argc > BATCH_ARGS_MAX / 2))
        feed_from_own(turn, client, is_readable);
    else
        feed_from_arena(turn, client, is_readable);
}

/* The client's bytes from 'rest' on, which were parsed ahead, are its own again. */
static void take_back(struct client *client, const char *rest)
{
    struct input *input = client->input;
    size_t len = (size_t)(client->share_end - rest);

    if (input && rest >= input->data && rest <= input->data + input->len && input->size) {
        resp_parser_init(&input->parser); /* its own buffer: 'consumed' is right already */
        return;
    }
    input_free(client);
    if (len && !(client->flags & (CLIENT_CLOSING | CLIENT_CLOSE_AFTER_REPLY)))
        append(client, rest, len);
}

/* Drops what the client has in the batch from 'at' on. */
static void drop_requests(struct turn *turn, int at, const struct client *client)
{
    for (int i = at; i < turn->batch_count && turn->batch[i].client == client; i++)
        turn_drop(&turn->batch[i]);
}

void input_hold_back(struct turn *turn, struct request *req)
{
    struct client *client = req->client;

    drop_requests(turn, turn->batch_at + 1, client);
    take_back(client, req->raw.data + req->raw.len);
    turn_end_share(turn, client);
}

/* One with a long argument, whose bytes are in a block of their own, is kept as a request. */
static void keep_released(struct engine *engine, struct request *req)
{
    struct client *client = req->client;

    client->postponed = request_detach(req);
    client->postponed_next = engine->released_first;
    engine->released_first = client;
}

void input_release_others(struct turn *turn)
{
    for (int i = turn->batch_at + 1; i < turn->batch_count; i++) {
        struct request *req = &turn->batch[i];
        struct client *client = req->client;
        const char *rest = req->raw.data;

        if (!client || client == turn->engine->running)
            continue;
        if (req->bigs) {
            rest += req->raw.len;
            keep_released(turn->engine, req);
        }
        drop_requests(turn, i, client);
        take_back(client, rest);
        client->turn = NULL;
        turn_make_ready(client);
    }
}

void input_run_released(struct turn *turn)
{
    struct client *client;

    while ((client = turn->engine->released_first) != NULL) {
        struct request *req = client->postponed;

        turn->engine->released_first = client->postponed_next;
        client->postponed = NULL;
        turn_run_detached(turn, req);
    }
}
