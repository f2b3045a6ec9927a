/* How the tests and the fuzzer of the parser feed it: a connection whose bytes come in pieces, in
 * blocks of exactly their size that move each time, with an array of arguments that is always too
 * small, and contents that are read elsewhere. What a command came to is an outcome, comparable. */
#ifndef TERN_TESTS_RESP_CONNECTION_H
#define TERN_TESTS_RESP_CONNECTION_H

#include "base/random.h"
#include "net/resp_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
    enum resp_status status;
    size_t consumed; /* supplied content included */
    char error[128];
    char *args; /* "3:SET 1:k 1:v " */
    size_t args_len;
};

static inline void outcome_add_arg(struct outcome *outcome, const char *data, size_t len)
{
    char head[32];
    size_t head_len = (size_t)snprintf(head, sizeof head, "%zu:", len);
    char *at;

    outcome->args = realloc(outcome->args, outcome->args_len + head_len + len + 1);
    at = outcome->args + outcome->args_len;
    memcpy(at, head, head_len);
    if (len)
        memcpy(at + head_len, data, len);
    at[head_len + len] = ' ';
    outcome->args_len += head_len + len + 1;
}

static inline void outcome_release(struct outcome *outcome) { free(outcome->args); }

static inline bool outcome_equal(const struct outcome *a, const struct outcome *b)
{
    if (a->status != b->status)
        return false;
    if (a->status == RESP_ERROR)
        return strcmp(a->error, b->error) == 0;
    if (a->status != RESP_COMPLETE)
        return true;
    return a->consumed == b->consumed && a->args_len == b->args_len &&
           (a->args_len == 0 || memcmp(a->args, b->args, a->args_len) == 0);
}

struct connection {
    struct resp_parser parser;
    const struct resp_limits *limits;
    struct bytes stream; /* what the client sends */
    size_t sent;
    char *data; /* what arrived of the command */
    size_t len;
    struct bytes *args;
    uint32_t args_max;
    char *supplied[64];
    size_t supplied_count, supplied_len;
};

static inline void connection_init(struct connection *connection, struct bytes stream,
                                   const struct resp_limits *limits)
{
    *connection = (struct connection){.limits = limits, .stream = stream};
    resp_parser_init(&connection->parser);
    connection->data = malloc(1);
    connection->args = malloc(1);
}

static inline void connection_release(struct connection *connection)
{
    for (size_t i = 0; i < connection->supplied_count; i++)
        free(connection->supplied[i]);
    free(connection->data);
    free(connection->args);
}

static inline void receive(struct connection *connection, size_t size)
{
    size_t left = connection->stream.len - connection->sent;
    size_t taken = size < left ? size : left;
    char *moved = malloc(connection->len + taken + 1);

    moved = realloc(moved, connection->len + taken); /* a sanitizer guards the end */
    memcpy(moved, connection->data, connection->len);
    if (taken)
        memcpy(moved + connection->len, connection->stream.data + connection->sent, taken);
    resp_rebase(connection->args, connection->parser.argc, connection->data, connection->len,
                moved);
    free(connection->data);
    connection->data = moved;
    connection->len += taken;
    connection->sent += taken;
}

static inline void enlarge_args(struct connection *connection)
{
    struct bytes *args = malloc((connection->args_max + 1) * sizeof *args);

    memcpy(args, connection->args, connection->parser.argc * sizeof *args);
    free(connection->args);
    connection->args = args;
    connection->args_max++;
}

/* Reads the awaited content into a block of its own, and gives that to the parser. */
static inline void read_content_elsewhere(struct connection *connection)
{
    size_t wanted = (size_t)resp_awaited_bulk(&connection->parser), at = connection->parser.at;
    size_t here = connection->len - at, taken = here < wanted ? here : wanted;
    size_t left = connection->stream.len - connection->sent;

    if (wanted - taken > left || connection->supplied_count == 64)
        return; /* it never comes */
    char *content = malloc(wanted + 1);
    memcpy(content, connection->data + at, taken);
    memcpy(content + taken, connection->stream.data + connection->sent, wanted - taken);
    connection->sent += wanted - taken;
    memmove(connection->data + at, connection->data + at + taken, here - taken);
    connection->len -= taken;
    connection->supplied[connection->supplied_count++] = content;
    connection->supplied_len += wanted;
    resp_supply_bulk(&connection->parser, content, connection->args);
}

static inline enum resp_status parse(struct connection *connection)
{
    return resp_parse(&connection->parser, connection->limits,
                      (struct bytes){connection->data, connection->len}, connection->args,
                      connection->args_max);
}

static inline void connection_outcome(const struct connection *connection, enum resp_status status,
                                      struct outcome *outcome)
{
    *outcome = (struct outcome){.status = status};
    outcome->consumed = connection->parser.at + connection->supplied_len;
    if (status == RESP_ERROR)
        resp_parser_error(&connection->parser, outcome->error);
    if (status == RESP_COMPLETE && connection->parser.is_quoted)
        resp_unquote(connection->args, connection->parser.argc);
    for (uint32_t i = 0; i < connection->parser.argc; i++)
        outcome_add_arg(outcome, connection->args[i].data, connection->args[i].len);
}

/* Pieces of 1 to 'piece_max' bytes, at random with a generator. */
static inline void parse_in_pieces(struct bytes stream, const struct resp_limits *limits,
                                   size_t piece_max, struct random *random, bool supplies,
                                   struct outcome *outcome)
{
    struct connection connection;
    enum resp_status status;

    connection_init(&connection, stream, limits);
    for (;;) {
        status = parse(&connection);
        if (status == RESP_ARGS) {
            enlarge_args(&connection);
            continue;
        }
        if (status != RESP_MORE || connection.sent == stream.len)
            break;
        if (supplies && resp_awaited_bulk(&connection.parser) >= 0 && random_below(random, 2))
            read_content_elsewhere(&connection);
        receive(&connection, random ? 1 + random_below(random, piece_max) : piece_max);
    }
    connection_outcome(&connection, status, outcome);
    connection_release(&connection);
}

static inline void parse_whole(struct bytes stream, const struct resp_limits *limits,
                               struct outcome *outcome)
{
    parse_in_pieces(stream, limits, stream.len, NULL, false, outcome);
}

static inline void outcome_print(const char *who, const struct outcome *outcome)
{
    fprintf(stderr, "%s: status %d, %zu bytes, args %.*s, error '%s'\n", who, (int)outcome->status,
            outcome->consumed, (int)outcome->args_len, outcome->args ? outcome->args : "",
            outcome->error);
}

/* Stops the program with both when they differ. */
static inline void outcome_assert_equal(const struct outcome *expected, const struct outcome *got,
                                        struct bytes stream)
{
    if (outcome_equal(expected, got))
        return;
    outcome_print("expected", expected);
    outcome_print("got", got);
    for (size_t i = 0; i < stream.len && i < 500; i++)
        fprintf(stderr, stream.data[i] >= ' ' && stream.data[i] < 127 ? "%c" : "\\x%02x",
                (unsigned char)stream.data[i]);
    fprintf(stderr, "\n");
    abort();
}

#endif
