/* The parser of requests, case by case. What is accepted and how it is refused was asked from real
 * servers with raw sockets: Redis 7.0 and 8.0, which agree (Valkey 9.1 checks every line end and
 * lets text stick to a closing quote). Each case is fed in pieces of every size. */
#include "unit.h"

#include "net/resp_connection.h"

static const struct resp_limits limits_default = {512 << 20, INT32_MAX, true};
static const struct resp_limits limits_stranger = {16384, 10, false};

/* ---- Said by real servers ---- */

static void assert_outcome(struct bytes stream, const struct resp_limits *limits,
                           const struct outcome *expected)
{
    struct outcome outcome;
    struct random random;

    random_init(&random, stream.len);
    for (size_t piece = 1; piece <= stream.len + 1; piece++) {
        parse_in_pieces(stream, limits, piece, NULL, false, &outcome);
        outcome_assert_equal(expected, &outcome, stream);
        outcome_release(&outcome);
        parse_in_pieces(stream, limits, piece, &random, true, &outcome);
        outcome_assert_equal(expected, &outcome, stream);
        outcome_release(&outcome);
    }
}

/* The stream is a command with 'tail_len' bytes of the next behind it. */
static void assert_command(struct bytes stream, size_t tail_len, const char *args)
{
    struct outcome expected = {.status = RESP_COMPLETE, .consumed = stream.len - tail_len};

    expected.args = (char *)args;
    expected.args_len = strlen(args);
    assert_outcome(stream, &limits_default, &expected);
}

static void assert_refused(struct bytes stream, const struct resp_limits *limits, const char *text)
{
    struct outcome expected = {.status = RESP_ERROR};

    snprintf(expected.error, sizeof expected.error, "Protocol error: %s", text);
    assert_outcome(stream, limits, &expected);
}

static void assert_more(struct bytes stream)
{
    assert_outcome(stream, &limits_default, &(struct outcome){.status = RESP_MORE});
}

static void an_array_of_bulk_strings_is_a_command(void **state)
{
    assert_command(BYTES("*1\r\n$4\r\nPING\r\n"), 0, "4:PING ");
    assert_command(BYTES("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*1\r\n$4\r\nPING\r\n"), 14,
                   "3:SET 3:key 5:value ");
    assert_command(BYTES("*2\r\n$0\r\n\r\n$12\r\n123456789012\r\nGET"), 3, "0: 12:123456789012 ");
    assert_command(BYTES("*1\r\n$4\r\n\r\n\r\n\r\n"), 0, "4:\r\n\r\n ");
}

static void an_empty_array_or_line_is_a_command_without_arguments(void **state)
{
    assert_command(BYTES("*0\r\n*1"), 2, "");
    assert_command(BYTES("*-1\r\n*1"), 2, "");
    assert_command(BYTES("*-5\r\n*1"), 2, "");
    assert_command(BYTES("\r\nPING\r\n"), 6, "");
    assert_command(BYTES("\nPING\r\n"), 6, "");
    assert_command(BYTES("   \r\nx"), 1, "");
}

static void the_bytes_behind_a_line_are_not_looked_at(void **state)
{
    assert_command(BYTES("*1\rX$4\rYPINGZZ"), 0, "4:PING ");
    assert_command(BYTES("*1\r\r$4\r\nPING\r\n"), 0, "4:PING ");
    assert_command(BYTES("*1\r*$4\r$PING*1"), 0, "4:PING ");
}

static void an_unfinished_command_waits(void **state)
{
    assert_more(BYTES(""));
    assert_more(BYTES("*"));
    assert_more(BYTES("*1\r"));
    assert_more(BYTES("*1\r\n"));
    assert_more(BYTES("*1\r\nX"));
    assert_more(BYTES("*1\r\nX\r"));
    assert_more(BYTES("*1\r\n\n"));
    assert_more(BYTES("*1\r\n$4\r\nPING\r"));
    assert_more(BYTES("*2147483647\r\n$4\r\nPING\r\n"));
    assert_more(BYTES("*1\r\n$536870912\r\n"));
    assert_more(BYTES("PING"));
    assert_more(BYTES("PING \"\\"));
}

static void a_line_with_a_nul_never_ends(void **state)
{
    assert_more(BYTES("*\0"));
    assert_more(BYTES("*1\0\r\n$4\r\nPING\r\n"));
    assert_more(BYTES("*1\r\n$4\0\r\nPING\r\n"));
    assert_more(BYTES("*1\r\n\0\r\n"));
    assert_more(BYTES("PING a\0b\r\nPING\r\n"));
    assert_more(BYTES("\0PING\r\nPING\r\n"));
    assert_more(BYTES("PING \"a\"\0\r\nPING\r\n"));
}

static void a_length_has_one_text_only(void **state)
{
    static const char *const counts[] = {"*\r\n",
                                         "*+1\r\n",
                                         "*01\r\n",
                                         "*001\r\n",
                                         "*-0\r\n",
                                         "*1 \r\n",
                                         "* 1\r\n",
                                         "*abc\r\n",
                                         "*1\n$4\nPING\n\r\n",
                                         "*2147483648\r\n",
                                         "*9223372036854775808\r\n",
                                         "*00\r\nxxx"};
    static const char *const lengths[] = {
        "$\r\n",   "$-1\r\n", "$-2\r\n",        "$-0\r\n", "$+4\r\n",     "$04\r\n",
        "$ 4\r\n", "$4 \r\n", "$536870913\r\n", "$x\r\n",  "$4x\r\nPING", "$12x\r\nPING"};
    char stream[64];

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        assert_refused(bytes_from_string(counts[i]), &limits_default, "invalid multibulk length");
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        snprintf(stream, sizeof stream, "*2\r\n$1\r\na\r\n%s", lengths[i]);
        assert_refused(bytes_from_string(stream), &limits_default, "invalid bulk length");
    }
}

static void a_bulk_string_starts_with_a_dollar(void **state)
{
    assert_refused(BYTES("*1\r\nX\r\n"), &limits_default, "expected '$', got 'X'");
    assert_refused(BYTES("*1\r\n\xff\r\n"), &limits_default, "expected '$', got '\xff'");
    assert_refused(BYTES("*1\r\n\r\n"), &limits_default, "expected '$', got ' '");
    assert_refused(BYTES("*1\r\n\nx\r\n"), &limits_default, "expected '$', got ' '");
    assert_refused(BYTES("*2\r\n$4\r\nPING\r\n*4\r\n"), &limits_default, "expected '$', got '*'");
}

static void a_stranger_has_tighter_limits(void **state)
{
    assert_refused(BYTES("*11\r\n"), &limits_stranger, "unauthenticated multibulk length");
    assert_refused(BYTES("*2147483647\r\n"), &limits_stranger, "unauthenticated multibulk length");
    assert_refused(BYTES("*2147483648\r\n"), &limits_stranger, "invalid multibulk length");
    assert_refused(BYTES("*1\r\n$16385\r\n"), &limits_stranger, "unauthenticated bulk length");
    assert_refused(BYTES("*1\r\n$-1\r\n"), &limits_stranger, "invalid bulk length");
    assert_outcome(BYTES("*10\r\n$16384\r\n"), &limits_stranger,
                   &(struct outcome){.status = RESP_MORE});
}

static void limits_hold_for_short_lengths_too(void **state)
{
    const struct resp_limits limits = {3, 2, true};

    assert_refused(BYTES("*3\r\n$1\r\na\r\n"), &limits, "invalid multibulk length");
    assert_refused(BYTES("*2\r\n$3\r\nabc\r\n$4\r\nabcd\r\n"), &limits, "invalid bulk length");
}

static void an_inline_command_is_split_at_white_space(void **state)
{
    assert_command(BYTES("PING\r\nPING\r\n"), 6, "4:PING ");
    assert_command(BYTES("PING\n"), 0, "4:PING ");
    assert_command(BYTES("  SET  k\tv \r\n"), 0, "3:SET 1:k 1:v ");
    assert_command(BYTES("PING a\rb\r\n"), 0, "4:PING 1:a 1:b ");
    assert_command(BYTES("PING a\r\r\n"), 0, "4:PING 1:a ");
    assert_command(BYTES("PING\vx\fy\r\n"), 0, "8:PING\vx\fy ");
    assert_command(BYTES("PING \v\fx\r\n"), 0, "4:PING 1:x ");
    assert_command(BYTES("$4\r\nPING\r\n"), 6, "2:$4 ");
}

static void quotes_protect_white_space(void **state)
{
    assert_command(BYTES("PING \"a b\"\r\n"), 0, "4:PING 3:a b ");
    assert_command(BYTES("PING 'a b' \"\" ''\r\n"), 0, "4:PING 3:a b 0: 0: ");
    assert_command(BYTES("PING a\"b\"\r\n"), 0, "4:PING 2:ab ");
    assert_command(BYTES("PING a'b c'\r\n"), 0, "4:PING 4:ab c ");
    assert_command(BYTES("PING \"x\"\v\"y\"\r\n"), 0, "4:PING 1:x 1:y ");
    assert_command(BYTES("PING \"'\" '\"'\r\n"), 0, "4:PING 1:' 1:\" ");
}

static void double_quotes_know_escapes(void **state)
{
    assert_command(BYTES("PING \"a\\x41\\n\\r\\t\\b\\a\\q\\\"\\\\\"\r\n"), 0,
                   "4:PING 10:aA\n\r\t\b\aq\"\\ ");
    assert_command(BYTES("PING \"\\xZZ\\x4\\x4g\\xfF\"\r\n"), 0, "4:PING 9:xZZx4x4g\xff ");
    assert_command(BYTES("PING 'a\\'b\\n\"\\\\.'\r\n"), 0, "4:PING 9:a'b\\n\"\\\\. ");
    assert_command(BYTES("\"a\\x20b\" 'c\\'d' \"e\\\"f\"\r\n"), 0, "3:a b 3:c'd 3:e\"f ");
}

static void unbalanced_quotes_are_refused(void **state)
{
    static const char *const lines[] = {
        "PING \"a\r\n",        "PING 'a\r\n",        "PING \"a\"b\r\n", "PING 'a'b\r\n",
        "PING \"\\\r\n",       "PING '\\\r\n",       "PING '\\'\r\n",   "PING 'a''b'\r\n",
        "PING \"a\"\"b\"\r\n", "PING a\"b c\"d\r\n", "PING \"\\\"\r\n", "\"\n"};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_refused(bytes_from_string(lines[i]), &limits_default,
                       "unbalanced quotes in request");
}

/* The line is a literal, which cannot be written to: so is what was parsed ahead and must be parsed
 * again. */
static void parsing_leaves_quotes_where_they_are(void **state)
{
    struct bytes line = BYTES("SET \"a b\" v\r\n"), args[3];
    struct resp_parser parser;

    resp_parser_init(&parser);
    assert_int_equal(resp_parse(&parser, &limits_default, line, args, 3), RESP_COMPLETE);
    assert_true(parser.is_quoted);
    assert_true(bytes_equal(args[1], BYTES("\"a b\"")));
    assert_true(args[2].data == line.data + 10 && args[2].len == 1);
}

static void a_line_without_quotes_needs_no_unquoting(void **state)
{
    struct bytes args[3];
    struct resp_parser parser;

    resp_parser_init(&parser);
    assert_int_equal(resp_parse(&parser, &limits_default, BYTES("SET k v\r\n"), args, 3),
                     RESP_COMPLETE);
    assert_false(parser.is_quoted);
    resp_parser_init(&parser);
    assert_int_equal(resp_parse(&parser, &limits_default, BYTES("*1\r\n$3\r\n\"a\"\r\n"), args, 3),
                     RESP_COMPLETE);
    assert_false(parser.is_quoted);
}

/* ---- Long lines ---- */

static char *long_line(const char *head, char filler, size_t len)
{
    char *line = malloc(len);

    memset(line, filler, len);
    memcpy(line, head, strlen(head));
    return line;
}

static void assert_error(struct bytes stream, size_t piece, const char *error)
{
    struct outcome outcome;

    parse_in_pieces(stream, &limits_default, piece, NULL, false, &outcome);
    assert_int_equal(outcome.status, error ? RESP_ERROR : RESP_MORE);
    assert_string_equal(outcome.error, error ? error : "");
    outcome_release(&outcome);
}

/* RESP_INLINE_MAX bytes and the end are the most; one more is refused, with or without an end. */
static void assert_line_limit(const char *head, size_t skipped, char filler, const char *error)
{
    static const size_t pieces[] = {1000, 16384, 1 << 20};
    size_t max = skipped + RESP_INLINE_MAX;
    char *line = long_line(head, filler, max + 3);

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        memset(line + max + 1, filler, 2);
        assert_error((struct bytes){line, max}, pieces[i], NULL);
        assert_error((struct bytes){line, max + 1}, pieces[i], error);
        memcpy(line + max + 1, "\r\n", 2);
        assert_error((struct bytes){line, max + 3}, pieces[i], error);
    }
    free(line);
}

static void a_line_of_more_than_64_kb_is_refused_however_it_arrives(void **state)
{
    assert_line_limit("PING ", 0, 'a', "Protocol error: too big inline request");
    assert_line_limit("*", 0, '1', "Protocol error: too big mbulk count string");
    assert_line_limit("*2\r\n$1\r\na\r\n$", 11, '1', "Protocol error: too big bulk count string");
    assert_line_limit("*1\r\n", 4, 'a', "Protocol error: too big bulk count string");
    assert_line_limit("P", 0, '\0', "Protocol error: too big inline request");
}

static void an_inline_command_of_64_kb_is_accepted(void **state)
{
    char *line = long_line("PING ", 'a', RESP_INLINE_MAX + 1);
    struct outcome outcome;

    line[RESP_INLINE_MAX] = '\n';
    for (size_t piece = 999; piece < 200000; piece *= 10) {
        parse_in_pieces((struct bytes){line, RESP_INLINE_MAX + 1}, &limits_default, piece, NULL,
                        false, &outcome);
        assert_int_equal(outcome.status, RESP_COMPLETE);
        assert_int_equal(outcome.consumed, RESP_INLINE_MAX + 1);
        outcome_release(&outcome);
    }
    free(line);
}

/* ---- Work ---- */

/* What was searched is filled with line ends: a second look would find one. */
static void a_line_is_not_searched_twice(void **state)
{
    static const struct {
        const char *head;
        char end;
    } cases[] = {{"PING ", '\n'}, {"*", '\r'}, {"*1\r\n$", '\r'}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[3000];
        struct resp_parser parser;
        struct bytes args[4];
        memset(line, '1', sizeof line);
        memcpy(line, cases[i].head, strlen(cases[i].head));
        resp_parser_init(&parser);
        for (size_t len = 1; len <= sizeof line; len++) {
            assert_int_equal(
                resp_parse(&parser, &limits_default, (struct bytes){line, len}, args, 4),
                RESP_MORE);
            if (parser.scanned > parser.at + 8) /* the first few are tried as a short length */
                memset(line + parser.at + 8, cases[i].end, parser.scanned - parser.at - 8);
        }
        assert_int_equal(parser.scanned, sizeof line);
    }
}

/* Bytes before parser.at and the awaited content are filled with rubbish after each call, so they
 * are looked at once at most; what is left to look at is counted. */
static void a_million_arguments_in_pieces_take_linear_work(void **state)
{
    enum { COUNT = RANDOM_STEPS(1000000), PIECE = 16384 };
    size_t size = 32 + (size_t)COUNT * 16, total = 0, examined = 0, len = 0;
    char *stream = malloc(size);
    struct bytes *args = malloc(COUNT * sizeof *args);
    struct resp_parser parser;
    enum resp_status status = RESP_MORE;

    total += (size_t)snprintf(stream, size, "*%d\r\n", COUNT);
    for (int i = 0; i < COUNT; i++)
        total += (size_t)snprintf(stream + total, size - total, "$%d\r\n%.*s\r\n", i % 7, i % 7,
                                  "abcdefg");
    resp_parser_init(&parser);
    while (status == RESP_MORE && len < total) {
        len = total - len > PIECE ? len + PIECE : total;
        examined += len - parser.at;
        status = resp_parse(&parser, &limits_default, (struct bytes){stream, len}, args, COUNT);
        memset(stream, '\r', parser.at);
        if (resp_awaited_bulk(&parser) >= 0)
            memset(stream + parser.at, '$', len - parser.at);
    }
    assert_int_equal(status, RESP_COMPLETE);
    assert_int_equal(parser.argc, COUNT);
    assert_int_equal(parser.at, total);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(args[i].len == i % 7);
    assert_in_range(examined, total, total + total / PIECE * 32);
    free(stream);
    free(args);
}

/* ---- Content that is read elsewhere ---- */

static void a_supplied_content_becomes_the_argument(void **state)
{
    char stream[64] = "*2\r\n$4\r\nECHO\r\n$100000\r\nbegin";
    struct bytes args[2], bytes = {stream, strlen(stream)};
    struct resp_parser parser;
    static char content[100000];

    resp_parser_init(&parser);
    assert_int_equal(resp_parse(&parser, &limits_default, bytes, args, 2), RESP_MORE);
    assert_int_equal(resp_awaited_bulk(&parser), 100000);
    assert_int_equal(parser.at, bytes.len - 5);
    resp_supply_bulk(&parser, content, args);
    assert_int_equal(resp_awaited_bulk(&parser), -1);

    memcpy(stream + parser.at, "\r\n*1", 4); /* the content's end of line, then the next command */
    bytes.len = parser.at;
    assert_int_equal(resp_parse(&parser, &limits_default, bytes, args, 2), RESP_MORE);
    bytes.len++;
    assert_int_equal(resp_parse(&parser, &limits_default, bytes, args, 2), RESP_MORE);
    assert_int_equal(resp_awaited_bulk(&parser), -1);
    bytes.len += 3;
    assert_int_equal(resp_parse(&parser, &limits_default, bytes, args, 2), RESP_COMPLETE);
    assert_int_equal(parser.at, bytes.len - 2);
    assert_int_equal(parser.argc, 2);
    assert_true(args[1].data == content && args[1].len == sizeof content);
}

static void nothing_is_awaited_but_a_bulk_string(void **state)
{
    static const char *const streams[] = {
        "", "*", "*2", "*2\r\n", "*2\r\n$", "*2\r\n$4\r", "*2\r\n$1\r\na\r\n", "PING"};
    struct bytes args[2];

    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct resp_parser parser;
        resp_parser_init(&parser);
        assert_int_equal(
            resp_parse(&parser, &limits_default, bytes_from_string(streams[i]), args, 2),
            RESP_MORE);
        assert_int_equal(resp_awaited_bulk(&parser), -1);
    }
}

static void rebasing_moves_the_arguments_that_lie_in_the_block(void **state)
{
    char from[16] = "", to[16] = "", elsewhere[16] = "";
    struct bytes args[] = {{from, 3}, {elsewhere, 4}, {from + 15, 1}, {from + 7, 0}};

    resp_rebase(args, 3, from, sizeof from, to);
    assert_true(args[0].data == to);
    assert_true(args[1].data == elsewhere);
    assert_true(args[2].data == to + 15);
    assert_true(args[3].data == from + 7); /* was not among the arguments */
}

static void a_full_array_is_reported_before_anything_is_lost(void **state)
{
    struct bytes args[3], stream = BYTES("*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
    struct resp_parser parser;

    resp_parser_init(&parser);
    assert_int_equal(resp_parse(&parser, &limits_default, stream, args, 0), RESP_ARGS);
    assert_int_equal(parser.argc, 0);
    assert_int_equal(parser.args_left, 3);
    assert_int_equal(resp_parse(&parser, &limits_default, stream, args, 2), RESP_ARGS);
    assert_int_equal(parser.argc, 2);
    assert_int_equal(resp_parse(&parser, &limits_default, stream, args, 3), RESP_COMPLETE);
    assert_true(bytes_equal(args[0], BYTES("a")) && bytes_equal(args[2], BYTES("c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_of_bulk_strings_is_a_command),
        cmocka_unit_test(an_empty_array_or_line_is_a_command_without_arguments),
        cmocka_unit_test(the_bytes_behind_a_line_are_not_looked_at),
        cmocka_unit_test(an_unfinished_command_waits),
        cmocka_unit_test(a_line_with_a_nul_never_ends),
        cmocka_unit_test(a_length_has_one_text_only),
        cmocka_unit_test(a_bulk_string_starts_with_a_dollar),
        cmocka_unit_test(a_stranger_has_tighter_limits),
        cmocka_unit_test(limits_hold_for_short_lengths_too),
        cmocka_unit_test(an_inline_command_is_split_at_white_space),
        cmocka_unit_test(quotes_protect_white_space),
        cmocka_unit_test(double_quotes_know_escapes),
        cmocka_unit_test(unbalanced_quotes_are_refused),
        cmocka_unit_test(parsing_leaves_quotes_where_they_are),
        cmocka_unit_test(a_line_without_quotes_needs_no_unquoting),
        cmocka_unit_test(a_line_of_more_than_64_kb_is_refused_however_it_arrives),
        cmocka_unit_test(an_inline_command_of_64_kb_is_accepted),
        cmocka_unit_test(a_line_is_not_searched_twice),
        cmocka_unit_test(a_million_arguments_in_pieces_take_linear_work),
        cmocka_unit_test(a_supplied_content_becomes_the_argument),
        cmocka_unit_test(nothing_is_awaited_but_a_bulk_string),
        cmocka_unit_test(rebasing_moves_the_arguments_that_lie_in_the_block),
        cmocka_unit_test(a_full_array_is_reported_before_anything_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
