/* Formatting replies into the window. */
#include "engine/reply.h"

#include "engine_internal.h"

#include "base/assert.h"
#include "base/numbers.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define VALUE_SENT_DIRECTLY (16 * 1024) /* longer values go out by writev from where they are */
#define REPLY_BYTES_MAX     (512ULL << 20)
#define HEADER_MAX          (1 + INT64_TEXT_MAX + 2)

static void put(struct request *req, const char *text, size_t len)
{
    bytes_copy(window_room(req->window, len), text, len);
    req->window->at += len;
}

#define PUT(req, literal) put(req, literal, sizeof(literal) - 1)

/* "$12\r\n" and its like for a number below 100; returns the end. */
static inline char *write_short_header(char *at, char type, unsigned number)
{
    unsigned tens = number / 10;

    *at++ = type;
    if (tens > 0)
        *at++ = (char)('0' + tens);
    *at++ = (char)('0' + number - 10 * tens);
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static inline void put_header(struct request *req, char type, int64_t number)
{
    char *at = window_room(req->window, HEADER_MAX);

    if ((uint64_t)number < 100) {
        req->window->at = write_short_header(at, type, (unsigned)number);
        return;
    }
    *at++ = type;
    at += int64_format(at, number);
    *at++ = '\r';
    *at++ = '\n';
    req->window->at = at;
}

void reply_raw(struct request *req, struct bytes formatted) { put(req, formatted.data, formatted.len); }

void reply_ok(struct request *req) { PUT(req, "+OK\r\n"); }

void reply_status(struct request *req, const char *text)
{
    size_t len = strlen(text);
    char *at = window_room(req->window, len + 3);

    *at = '+';
    memcpy(at + 1, text, len);
    memcpy(at + 1 + len, "\r\n", 2);
    req->window->at += len + 3;
}

/* --- errors ------------------------------------------------------------------------------------- */

void reply_error(struct request *req, const char *text)
{
    size_t len = strlen(text);
    char *at = window_room(req->window, len + 3);

    *at++ = '-';
    for (size_t i = 0; i < len; i++) /* an error is one line, whatever the user's text holds */
        *at++ = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
    memcpy(at, "\r\n", 2);
    req->window->at += len + 3;
    req->flags |= REQUEST_FAILED;
    req->engine->stats.errors++;
    error_counts_add(req->engine->error_counts, text);
}

void reply_error_format(struct request *req, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reply_error(req, text);
}

void reply_wrong_arity(struct request *req)
{
    char name[COMMAND_NAME_MAX];

    reply_error_format(req, "ERR wrong number of arguments for '%s' command",
                       command_full_name(req->command, name));
}

void reply_subcommand_error(struct request *req)
{
    char name[COMMAND_NAME_MAX];
    size_t i = 0;

    for (; req->command->parent->name[i]; i++)
        name[i] = (char)toupper((unsigned char)req->command->parent->name[i]);
    name[i] = '\0';
    reply_error_format(req,
                       "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %s HELP.",
                       (int)(req->argv[1].len < 128 ? req->argv[1].len : 128), req->argv[1].data,
                       name);
}

void reply_syntax_error(struct request *req) { reply_error(req, ERR_SYNTAX); }

/* --- values ------------------------------------------------------------------------------------- */

void reply_int(struct request *req, int64_t value)
{
    if (value == 0)
        PUT(req, ":0\r\n");
    else if (value == 1)
        PUT(req, ":1\r\n");
    else
        put_header(req, ':', value);
}

static __attribute__((noinline)) void reply_long_bulk(struct request *req, struct bytes value)
{
    put_header(req, '$', (int64_t)value.len);
    if (value.len >= VALUE_SENT_DIRECTLY)
        window_send_value(req->window, value);
    else
        put(req, value.data, value.len);
    PUT(req, "\r\n");
}

/* A short value there is room for: header, bytes and end of line in one go. The bytes come last, so that nothing has to
 * outlive a call. */
void reply_bulk(struct request *req, struct bytes value)
{
    struct window *window = req->window;
    char *at = window->at;

    if (value.len >= 100 || (size_t)(window->end - at) < value.len + HEADER_MAX + 2) {
        reply_long_bulk(req, value);
        return;
    }
    at = write_short_header(at, '$', (unsigned)value.len);
    memcpy(at + value.len, "\r\n", 2);
    window->at = at + value.len + 2;
    bytes_copy(at, value.data, value.len);
}

void reply_bulk_string(struct request *req, const char *text)
{
    reply_bulk(req, bytes_from_string(text));
}

void reply_bulk_int(struct request *req, int64_t value)
{
    char text[INT64_TEXT_MAX];

    reply_bulk(req, (struct bytes){text, int64_format(text, value)});
}

static bool is_resp3(const struct request *req) { return req->client->resp == 3; }

void reply_null(struct request *req)
{
    if (is_resp3(req))
        PUT(req, "_\r\n");
    else
        PUT(req, "$-1\r\n");
}

void reply_null_array(struct request *req)
{
    if (is_resp3(req))
        PUT(req, "_\r\n");
    else
        PUT(req, "*-1\r\n");
}

void reply_double(struct request *req, double value)
{
    char text[DOUBLE_TEXT_MAX + 3];
    size_t len;

    if (!is_resp3(req)) {
        len = double_format(text, value);
        ASSERT(len <= DOUBLE_TEXT_MAX);
        reply_bulk(req, (struct bytes){text, len});
        return;
    }
    text[0] = ',';
    len = 1 + double_format(text + 1, value);
    ASSERT(len <= DOUBLE_TEXT_MAX + 1);
    memcpy(text + len, "\r\n", 2);
    put(req, text, len + 2);
}

void reply_bool(struct request *req, bool value)
{
    if (!is_resp3(req))
        reply_int(req, value);
    else if (value)
        PUT(req, "#t\r\n");
    else
        PUT(req, "#f\r\n");
}

void reply_verbatim(struct request *req, struct bytes text, const char *format)
{
    if (!is_resp3(req)) {
        reply_bulk(req, text);
        return;
    }
    put_header(req, '=', (int64_t)text.len + 4);
    put(req, format, 3);
    PUT(req, ":");
    window_send_value(req->window, text);
    PUT(req, "\r\n");
}

/* --- aggregates --------------------------------------------------------------------------------- */

void reply_array(struct request *req, size_t count) { put_header(req, '*', (int64_t)count); }

void reply_map(struct request *req, size_t pairs)
{
    if (is_resp3(req))
        put_header(req, '%', (int64_t)pairs);
    else
        put_header(req, '*', (int64_t)pairs * 2);
}

void reply_set(struct request *req, size_t count)
{
    put_header(req, is_resp3(req) ? '~' : '*', (int64_t)count);
}

void reply_push(struct request *req, size_t count)
{
    put_header(req, is_resp3(req) ? '>' : '*', (int64_t)count);
}

uint64_t reply_position(const struct request *req)
{
    const struct window *window = req->window;

    return req->client->bytes_out + req->client->output.bytes +
           (window->is_kept ? (uint64_t)(window->at - window->base) : 0);
}

bool reply_goes_on(struct request *req, uint64_t start)
{
    if (req->client->flags & CLIENT_CLOSING || req->window->is_muted || req->window->is_overfull)
        return false;
    if (reply_position(req) - start <= REPLY_BYTES_MAX)
        return true;
    if (req->window->is_kept) {
        req->window->is_overfull = true;
        return false;
    }
    output_close_over_limit(req->client, "limits by one reply");
    return false;
}

void reply_unmute(struct request *req) { req->window->is_muted = false; }
