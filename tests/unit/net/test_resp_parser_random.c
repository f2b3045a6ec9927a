/* The parser of requests on random input, against a naive one: the outcome is the same whole, byte
 * by byte, in random pieces, and with contents that are read elsewhere. */
#include "unit.h"

#include "net/resp_connection.h"

/* ---- A naive parser of a whole command ---- */

/* strchr: stops at a NUL. */
static const char *line_end(const char *at, const char *end, char c)
{
    for (; at < end && *at; at++)
        if (*at == c)
            return at;
    return NULL;
}

static enum resp_status naive_fail(struct outcome *outcome, const char *text)
{
    snprintf(outcome->error, sizeof outcome->error, "Protocol error: %s", text);
    return RESP_ERROR;
}

static bool naive_number(const char *at, const char *end, int64_t *number)
{
    char copy[32], printed[32];
    size_t len = (size_t)(end - at);

    if (len == 0 || len > 20)
        return false;
    memcpy(copy, at, len);
    copy[len] = '\0';
    *number = strtoll(copy, NULL, 10);
    snprintf(printed, sizeof printed, "%lld", (long long)*number);
    return strcmp(copy, printed) == 0;
}

static bool naive_space(char c) { return c && strchr(" \t\n\v\f\r", c); }

static bool naive_hex(char c) { return c && strchr("0123456789abcdefABCDEF", c); }

/* Redis's sdssplitargs, on a copy of the line with a terminator. */
static enum resp_status naive_split(const char *p, struct outcome *outcome)
{
    char token[256];

    for (;;) {
        size_t len = 0;
        char quote = 0;
        while (naive_space(*p))
            p++;
        if (!*p)
            return RESP_COMPLETE;
        while (*p && (quote || !strchr(" \t\r\n", *p))) {
            if (quote == '"' && *p == '\\' && p[1] == 'x' && naive_hex(p[2]) && naive_hex(p[3])) {
                char hex[3] = {p[2], p[3], 0};
                token[len++] = (char)strtol(hex, NULL, 16), p += 4;
            } else if (quote == '"' && *p == '\\' && p[1]) {
                static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
                const char *escape = strchr(from, p[1]);
                token[len++] = escape ? to[escape - from] : p[1], p += 2;
            } else if (quote == '\'' && *p == '\\' && p[1] == '\'') {
                token[len++] = '\'', p += 2;
            } else if (quote && *p == quote) {
                if (p[1] && !naive_space(p[1]))
                    return naive_fail(outcome, "unbalanced quotes in request");
                quote = 0, p++;
                break;
            } else if (!quote && (*p == '"' || *p == '\'')) {
                quote = *p++;
            } else {
                token[len++] = *p++;
            }
        }
        if (quote)
            return naive_fail(outcome, "unbalanced quotes in request");
        outcome_add_arg(outcome, token, len);
    }
}

static enum resp_status naive_inline(const char *start, const char *end, struct outcome *outcome)
{
    const char *newline = line_end(start, end, '\n');
    char copy[256] = {0};

    if (!newline)
        return RESP_MORE;
    outcome->consumed = (size_t)(newline + 1 - start);
    memcpy(copy, start, (size_t)(newline - start));
    return naive_split(copy, outcome);
}

static enum resp_status naive_bulk(const char **at, const char *end,
                                   const struct resp_limits *limits, struct outcome *outcome)
{
    const char *line = *at, *cr = line_end(line, end, '\r');
    int64_t len;
    char text[64];

    if (!cr || end - cr < 2)
        return RESP_MORE;
    if (*line != '$') {
        snprintf(text, sizeof text, "expected '$', got '%c'",
                 *line == '\r' || *line == '\n' ? ' ' : *line);
        return naive_fail(outcome, text);
    }
    if (!naive_number(line + 1, cr, &len) || len < 0)
        return naive_fail(outcome, "invalid bulk length");
    if (len > limits->bulk_len_max)
        return naive_fail(outcome, limits->is_authenticated ? "invalid bulk length"
                                                            : "unauthenticated bulk length");
    if (end - cr - 4 < len)
        return RESP_MORE;
    outcome_add_arg(outcome, cr + 2, (size_t)len);
    *at = cr + 2 + len + 2;
    return RESP_COMPLETE;
}

static enum resp_status naive_parse(struct bytes stream, const struct resp_limits *limits,
                                    struct outcome *outcome)
{
    const char *at = stream.data, *end = at + stream.len, *cr;
    enum resp_status status = RESP_COMPLETE;
    int64_t count;

    *outcome = (struct outcome){0};
    if (stream.len == 0)
        return RESP_MORE;
    if (*at != '*')
        return naive_inline(at, end, outcome);
    cr = line_end(at, end, '\r');
    if (!cr || end - cr < 2)
        return RESP_MORE;
    if (!naive_number(at + 1, cr, &count) || count > INT32_MAX)
        return naive_fail(outcome, "invalid multibulk length");
    if (count > limits->multibulk_max)
        return naive_fail(outcome, limits->is_authenticated ? "invalid multibulk length"
                                                            : "unauthenticated multibulk length");
    at = cr + 2;
    for (; count > 0 && status == RESP_COMPLETE; count--)
        status = naive_bulk(&at, end, limits, outcome);
    outcome->consumed = (size_t)(at - stream.data);
    return status;
}

/* ---- Random input ---- */

#define STREAM_MAX 4096

struct stream {
    char data[STREAM_MAX];
    size_t len;
};

static void stream_add(struct stream *stream, const char *text, size_t len)
{
    assert_true(stream->len + len <= STREAM_MAX);
    memcpy(stream->data + stream->len, text, len);
    stream->len += len;
}

static void add_array(struct stream *stream, struct random *random)
{
    char line[32], content[1200];
    int count = (int)random_below(random, 6);

    memset(content, 'x', sizeof content);
    stream_add(stream, line, (size_t)snprintf(line, sizeof line, "*%d\r\n", count));
    while (count-- > 0) {
        static const uint64_t sizes[] = {1, 4, 30, 300, 600};
        size_t len = random_below(random, sizes[random_below(random, 5)]);
        stream_add(stream, line, (size_t)snprintf(line, sizeof line, "$%zu\r\n", len));
        stream_add(stream, content, len);
        stream_add(stream, "\r\n", 2);
    }
}

static void add_noise(struct stream *stream, struct random *random, const char *alphabet,
                      size_t size, size_t max)
{
    for (size_t left = random_below(random, max); left > 0; left--)
        stream_add(stream, alphabet + random_below(random, size), 1);
}

static void add_inline(struct stream *stream, struct random *random)
{
    static const char alphabet[] = "ab  \"\"''\\xn4F\t\v\r";

    add_noise(stream, random, alphabet, sizeof alphabet - 1, 30);
    stream_add(stream, "\r\n", random_below(random, 8) ? 2 : 1);
}

/* Most damage goes where lengths and line ends are. */
static void damage(struct stream *stream, struct random *random)
{
    static const char alphabet[] = "*$\r\n01239-+ '\"\\a";

    for (int times = (int)random_below(random, 4); times > 0 && stream->len > 0; times--) {
        size_t at = random_below(random, stream->len < 20 ? stream->len : 20);
        switch (random_below(random, 4)) {
        case 0: /* with the NUL at the end of the literal */
            stream->data[at] = alphabet[random_below(random, sizeof alphabet)];
            break;
        case 1:
            stream->len--;
            memmove(stream->data + at, stream->data + at + 1, stream->len - at);
            break;
        case 2:
            stream->data[at] = stream->data[random_below(random, stream->len)];
            break;
        default:
            if (random_below(random, 4) == 0)
                stream->len = at;
        }
    }
}

static void make_stream(struct stream *stream, struct random *random)
{
    static const char alphabet[] = "*$\r\n\r\n0123 '\"\\a";

    stream->len = 0;
    switch (random_below(random, 8)) {
    case 0:
        add_noise(stream, random, alphabet, sizeof alphabet, 40);
        break;
    case 1:
    case 2:
        add_inline(stream, random);
        break;
    default:
        add_array(stream, random);
    }
    if (random_below(random, 2))
        damage(stream, random);
    if (random_below(random, 2))
        add_array(stream, random);
    if (stream->len > 150 && random_below(random, 4) == 0)
        stream->len -= random_below(random, 100);
}

static void assert_all_ways(const struct stream *stream, const struct resp_limits *limits,
                            struct random *random, int seen[RESP_ERROR + 1])
{
    struct bytes bytes = {stream->data, stream->len};
    struct outcome expected, outcome;

    enum resp_status status = naive_parse(bytes, limits, &expected);
    expected.status = status;
    seen[status]++;
    for (int way = 0; way < 5; way++) {
        if (way == 0)
            parse_whole(bytes, limits, &outcome);
        else if (way == 1)
            parse_in_pieces(bytes, limits, 1, NULL, false, &outcome);
        else
            parse_in_pieces(bytes, limits, way == 2 ? 4 : 200, random, way == 4, &outcome);
        outcome_assert_equal(&expected, &outcome, bytes);
        outcome_release(&outcome);
    }
    outcome_release(&expected);
}

static void random_input_comes_to_the_same_however_it_is_cut(void **state)
{
    static const struct resp_limits limits[] = {{512 << 20, INT32_MAX, true}, {200, 3, false}};
    int seen[RESP_ERROR + 1] = {0}, steps = RANDOM_STEPS(20000);
    struct random random;

    random_init(&random, 1);
    for (int i = 0; i < steps; i++) {
        static struct stream stream;
        make_stream(&stream, &random);
        assert_all_ways(&stream, &limits[random_below(&random, 4) == 0], &random, seen);
    }
    assert_in_range(seen[RESP_COMPLETE], steps / 4, steps);
    assert_in_range(seen[RESP_MORE], steps / 20, steps);
    assert_in_range(seen[RESP_ERROR], steps / 20, steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_input_comes_to_the_same_however_it_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
