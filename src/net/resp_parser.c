/* Reading requests. What the parser accepts and how it words a refusal is Redis 7.2's, oddities
 * included: the byte after '\r' and the two bytes after a bulk string are skipped unseen, a line
 * with a NUL in it never ends (Redis looks for the end with strchr), an inline command ends at
 * '\n'.
 *
 *     args_left    -1 --'*'--> count line --> n > 0 --------------------------> 0  complete
 *                   |                         |  each: length line, content, 2 bytes
 *                   '-- else --> -2 inline: the whole line, then its tokens
 *     bulk_len     -1 length line comes next; >= 0 content comes next; -2 the 2 bytes behind a
 *                  content that was supplied
 *
 * Nearly all lengths have one to three digits and arrive whole: read_short() takes these without a
 * search; all else goes through find_line(). Where a search ended is kept in 'scanned'. */
#include "net/resp_parser.h"

#include "base/assert.h"
#include "base/numbers.h"

#include <stdio.h>

#define ARGS_UNKNOWN (-1)
#define ARGS_INLINE  (-2)
#define BULK_UNKNOWN (-1)
#define BULK_ENDS    (-2)

#define LINE_END_SIZE   2
#define SHORT_LINE_SIZE 5 /* "999\r\n" */

enum parse_error {
    ERROR_NONE,
    ERROR_BIG_INLINE,
    ERROR_BIG_COUNT,
    ERROR_BIG_LENGTH,
    ERROR_COUNT,
    ERROR_COUNT_UNAUTHENTICATED,
    ERROR_LENGTH,
    ERROR_LENGTH_UNAUTHENTICATED,
    ERROR_NO_DOLLAR,
    ERROR_QUOTES,
};

static const char *const error_texts[] = {
    [ERROR_BIG_INLINE] = "too big inline request",
    [ERROR_BIG_COUNT] = "too big mbulk count string",
    [ERROR_BIG_LENGTH] = "too big bulk count string",
    [ERROR_COUNT] = "invalid multibulk length",
    [ERROR_COUNT_UNAUTHENTICATED] = "unauthenticated multibulk length",
    [ERROR_LENGTH] = "invalid bulk length",
    [ERROR_LENGTH_UNAUTHENTICATED] = "unauthenticated bulk length",
    [ERROR_NO_DOLLAR] = "expected '$', got ",
    [ERROR_QUOTES] = "unbalanced quotes in request",
};

static enum resp_status fail(struct resp_parser *parser, enum parse_error error)
{
    parser->error = (uint8_t)error;
    return RESP_ERROR;
}

/* ---- Lines ---- */

/* Finds the byte 'end' of the line that starts at parser->at; '*found' is its place. A line of more
 * than RESP_INLINE_MAX bytes is refused, however it arrives. */
static enum resp_status find_line(struct resp_parser *parser, struct bytes bytes, char end,
                                  enum parse_error too_big, size_t *found)
{
    size_t from = parser->scanned > parser->at ? parser->scanned : parser->at;
    bool is_too_big = bytes.len - parser->at > RESP_INLINE_MAX;
    size_t until = is_too_big ? parser->at + RESP_INLINE_MAX + 1 : bytes.len;
    const char *start = bytes.data + from;

    if (from < until && *start != '\0') {
        const char *place = memchr(start, end, until - from);
        size_t span = place ? (size_t)(place - start) : until - from;
        const char *nul = memchr(start, '\0', span);
        parser->scanned = from + (nul ? (size_t)(nul - start) : span);
        if (place && !nul) {
            *found = parser->scanned;
            return RESP_COMPLETE;
        }
    }
    return is_too_big ? fail(parser, too_big) : RESP_MORE;
}

/* Finds a line that ends in '\r' and any byte; '*line' is what stands before them. Takes no bytes.
 */
static enum resp_status find_length_line(struct resp_parser *parser, struct bytes bytes,
                                         enum parse_error too_big, struct bytes *line)
{
    size_t end;
    enum resp_status status = find_line(parser, bytes, '\r', too_big, &end);

    if (status != RESP_COMPLETE)
        return status;
    if (bytes.len - end < LINE_END_SIZE)
        return RESP_MORE;
    *line = (struct bytes){bytes.data + parser->at, end - parser->at};
    return RESP_COMPLETE;
}

static void take_line(struct resp_parser *parser, struct bytes line)
{
    parser->at += line.len + LINE_END_SIZE;
}

/* A number of one to three digits and the end of its line. Returns what follows, NULL when it is
 * anything else (which may be right too, see the callers). */
static inline const char *read_short(const char *at, const char *end, int64_t *value)
{
    if (end - at < SHORT_LINE_SIZE)
        return NULL;
    unsigned first = (unsigned char)at[0] - (unsigned)'0';
    unsigned second = (unsigned char)at[1] - (unsigned)'0';
    unsigned third = (unsigned char)at[2] - (unsigned)'0';
    if (first > 9)
        return NULL;
    if (at[1] == '\r') {
        *value = first;
        return at + 3;
    }
    if (second > 9 || first == 0)
        return NULL;
    if (at[2] == '\r') {
        *value = first * 10 + second;
        return at + 4;
    }
    if (third > 9 || at[3] != '\r')
        return NULL;
    *value = first * 100 + second * 10 + third;
    return at + 5;
}

/* ---- Arrays ---- */

static enum resp_status check_count(struct resp_parser *parser, const struct resp_limits *limits,
                                    int64_t count)
{
    if (count > INT32_MAX)
        return fail(parser, ERROR_COUNT);
    if (count > limits->multibulk_max)
        return fail(parser, limits->is_authenticated ? ERROR_COUNT : ERROR_COUNT_UNAUTHENTICATED);
    parser->args_left = count > 0 ? count : 0;
    return RESP_COMPLETE;
}

static enum resp_status read_count(struct resp_parser *parser, const struct resp_limits *limits,
                                   struct bytes bytes)
{
    int64_t count;
    const char *next = read_short(bytes.data + 1, bytes.data + bytes.len, &count);

    if (next) {
        parser->at = (size_t)(next - bytes.data);
        return check_count(parser, limits, count);
    }
    struct bytes line;
    enum resp_status status = find_length_line(parser, bytes, ERROR_BIG_COUNT, &line);
    if (status != RESP_COMPLETE)
        return status;
    if (!int64_parse((struct bytes){line.data + 1, line.len - 1}, &count))
        return fail(parser, ERROR_COUNT);
    status = check_count(parser, limits, count);
    if (status == RESP_COMPLETE)
        take_line(parser, line);
    return status;
}

static enum resp_status check_length(struct resp_parser *parser, const struct resp_limits *limits,
                                     int64_t length)
{
    if (length < 0)
        return fail(parser, ERROR_LENGTH);
    if (length > limits->bulk_len_max)
        return fail(parser, limits->is_authenticated ? ERROR_LENGTH : ERROR_LENGTH_UNAUTHENTICATED);
    parser->bulk_len = length;
    return RESP_COMPLETE;
}

/* The length line of a bulk string when read_short() did not do. */
static __attribute__((noinline)) enum resp_status read_length(struct resp_parser *parser,
                                                              const struct resp_limits *limits,
                                                              struct bytes bytes)
{
    struct bytes line;
    int64_t length;
    enum resp_status status = find_length_line(parser, bytes, ERROR_BIG_LENGTH, &line);

    if (status != RESP_COMPLETE)
        return status;
    if (*line.data != '$') { /* an empty line shows its '\r' */
        parser->unexpected = *line.data;
        return fail(parser, ERROR_NO_DOLLAR);
    }
    if (!int64_parse((struct bytes){line.data + 1, line.len - 1}, &length))
        return fail(parser, ERROR_LENGTH);
    status = check_length(parser, limits, length);
    if (status == RESP_COMPLETE)
        take_line(parser, line);
    return status;
}

/* Takes as many whole bulk strings with short length lines as there are and the array holds: all
 * the arguments of most commands, with the state in registers. */
static void take_short_bulks(struct resp_parser *parser, const struct resp_limits *limits,
                             struct bytes bytes, struct bytes *args, uint32_t args_max)
{
    const char *at = bytes.data + parser->at, *end = bytes.data + bytes.len;
    int64_t left = parser->args_left, room = (int64_t)args_max - parser->argc;
    int64_t stop = left > room ? left - room : 0;
    struct bytes *arg = args + parser->argc;
    int64_t length;

    for (; left > stop; left--, arg++) {
        const char *content = at < end && *at == '$' ? read_short(at + 1, end, &length) : NULL;
        if (!content || length > limits->bulk_len_max || end - content - LINE_END_SIZE < length)
            break;
        *arg = (struct bytes){content, (size_t)length};
        at = content + length + LINE_END_SIZE;
    }
    parser->at = (size_t)(at - bytes.data);
    parser->args_left = left;
    parser->argc = (uint32_t)(arg - args);
}

static enum resp_status take_bulk(struct resp_parser *parser, const struct resp_limits *limits,
                                  struct bytes bytes, struct bytes *args)
{
    if (parser->bulk_len == BULK_UNKNOWN) {
        enum resp_status status = read_length(parser, limits, bytes);
        if (status != RESP_COMPLETE)
            return status;
    }
    if ((int64_t)(bytes.len - parser->at) - LINE_END_SIZE < parser->bulk_len)
        return RESP_MORE;
    args[parser->argc++] = (struct bytes){bytes.data + parser->at, (size_t)parser->bulk_len};
    parser->at += (size_t)parser->bulk_len + LINE_END_SIZE;
    parser->bulk_len = BULK_UNKNOWN;
    parser->args_left--;
    return RESP_COMPLETE;
}

static enum resp_status take_bulks(struct resp_parser *parser, const struct resp_limits *limits,
                                   struct bytes bytes, struct bytes *args, uint32_t args_max)
{
    for (;;) {
        if (parser->bulk_len == BULK_UNKNOWN)
            take_short_bulks(parser, limits, bytes, args, args_max);
        if (parser->args_left == 0)
            return RESP_COMPLETE;
        if (parser->argc >= args_max)
            return RESP_ARGS;
        enum resp_status status = take_bulk(parser, limits, bytes, args);
        if (status != RESP_COMPLETE)
            return status;
    }
}

/* ---- Inline commands: the grammar of Redis's sdssplitargs ---- */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Ends a token without quotes: not '\v' and '\f', which are white space before a token only. */
static bool is_separator(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* Behind the quoted part at 'at', which ends the token; NULL when it has no end or something sticks
 * to it. */
static const char *skip_quoted(const char *at, const char *end)
{
    char quote = *at++;

    while (at < end && *at != quote)
        at += *at == '\\' && end - at > 1 && (quote == '"' || at[1] == '\'') ? 2 : 1;
    if (at == end || (at + 1 < end && !is_space(at[1])))
        return NULL;
    return at + 1;
}

/* The token at 'at', quotes included. Returns what follows, NULL when the quotes are unbalanced. */
static const char *take_token(const char *at, const char *end, struct bytes *token, bool *is_quoted)
{
    const char *start = at;

    while (at < end && !is_separator(*at) && *at != '"' && *at != '\'')
        at++;
    if (at < end && !is_separator(*at)) {
        *is_quoted = true;
        at = skip_quoted(at, end);
    }
    *token = (struct bytes){start, at ? (size_t)(at - start) : 0};
    return at;
}

/* Goes on with the tokens of the line, whose '\n' is at parser->scanned. */
static enum resp_status split_inline(struct resp_parser *parser, struct bytes bytes,
                                     struct bytes *args, uint32_t args_max)
{
    const char *read = bytes.data + parser->at;
    const char *end = bytes.data + parser->scanned;

    for (;;) {
        while (read < end && is_space(*read))
            read++;
        parser->at = (size_t)(read - bytes.data);
        if (read == end)
            break;
        if (parser->argc >= args_max)
            return RESP_ARGS;
        read = take_token(read, end, &args[parser->argc], &parser->is_quoted);
        if (!read)
            return fail(parser, ERROR_QUOTES);
        parser->argc++;
    }
    parser->at = parser->scanned + 1;
    return RESP_COMPLETE;
}

static enum resp_status parse_inline(struct resp_parser *parser, struct bytes bytes,
                                     struct bytes *args, uint32_t args_max)
{
    size_t end;

    if (parser->args_left == ARGS_UNKNOWN) {
        enum resp_status status = find_line(parser, bytes, '\n', ERROR_BIG_INLINE, &end);
        if (status != RESP_COMPLETE)
            return status;
        parser->args_left = ARGS_INLINE;
    }
    return split_inline(parser, bytes, args, args_max);
}

/* ---- The face ---- */

/* Skips the end of line behind a supplied content. */
static bool skip_bulk_end(struct resp_parser *parser, struct bytes bytes)
{
    if (bytes.len - parser->at < LINE_END_SIZE)
        return false;
    parser->at += LINE_END_SIZE;
    parser->bulk_len = BULK_UNKNOWN;
    return true;
}

enum resp_status resp_parse(struct resp_parser *parser, const struct resp_limits *limits,
                            struct bytes bytes, struct bytes *args, uint32_t args_max)
{
    ASSERT(parser->error == ERROR_NONE);
    ASSERT(parser->at <= bytes.len);
    if (parser->args_left == ARGS_UNKNOWN && bytes.len > 0 && bytes.data[0] == '*') {
        enum resp_status status = read_count(parser, limits, bytes);
        if (status != RESP_COMPLETE)
            return status;
    }
    if (parser->args_left < 0)
        return parse_inline(parser, bytes, args, args_max);
    if (parser->bulk_len == BULK_ENDS && !skip_bulk_end(parser, bytes))
        return RESP_MORE;
    return take_bulks(parser, limits, bytes, args, args_max);
}

const char *resp_parser_error(const struct resp_parser *parser, char *out)
{
    char unexpected = parser->unexpected;

    ASSERT(parser->error != ERROR_NONE);
    if (unexpected == '\r' || unexpected == '\n')
        unexpected = ' '; /* a reply is one line */
    if (parser->error == ERROR_NO_DOLLAR)
        snprintf(out, 128, "Protocol error: %s'%c'", error_texts[parser->error], unexpected);
    else
        snprintf(out, 128, "Protocol error: %s", error_texts[parser->error]);
    return out;
}

int64_t resp_awaited_bulk(const struct resp_parser *parser)
{
    return parser->bulk_len >= 0 ? parser->bulk_len : -1;
}

void resp_supply_bulk(struct resp_parser *parser, const char *content, struct bytes *args)
{
    ASSERT(parser->bulk_len >= 0);
    args[parser->argc++] = (struct bytes){content, (size_t)parser->bulk_len};
    parser->args_left--;
    parser->bulk_len = BULK_ENDS;
}

void resp_rebase(struct bytes *args, uint32_t argc, const char *from, size_t size, const char *to)
{
    for (uint32_t i = 0; i < argc; i++) {
        uintptr_t offset = (uintptr_t)args[i].data - (uintptr_t)from;
        if (offset < size)
            args[i].data = to + offset;
    }
}
