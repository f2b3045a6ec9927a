/* The parser of requests on any bytes: each command of the stream comes to the same, parsed whole,
 * byte by byte, and in random pieces with contents that are read elsewhere.
 *
 * SOURCES: src/net/resp_*.c src/base/[a-z]*.c
 *
 * Input: a byte of flags, the largest piece, two bytes that seed the cuts, the stream. */
#include "net/resp_connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For standalone_main.c. */
const size_t fuzz_head_size = 4;
/* clang-format off */
const char *const fuzz_words[] = {
    "*1\r\n", "*2\r\n", "*3\r\n", "*0\r\n", "*-1\r\n", "*10\r\n", "$0\r\n\r\n", "$3\r\nSET\r\n",
    "$4\r\nPING\r\n", "$1\r\n", "$12\r\n", "$100\r\n", "\r\n", "\r", "\n", "PING ", "\"", "'", "\\x4",
    "\\\"", " ", "a", "0", "9", NULL,
};
/* clang-format on */

static const struct resp_limits limits[] = {{512 << 20, INT32_MAX, true}, {16384, 10, false}};

/* The outcome and what it took of the stream, 0 when there is no next command. */
static size_t check_command(struct bytes stream, const struct resp_limits *which, size_t piece_max,
                            struct random *random)
{
    struct outcome whole, cut;

    parse_whole(stream, which, &whole);
    parse_in_pieces(stream, which, 1, NULL, false, &cut);
    outcome_assert_equal(&whole, &cut, stream);
    outcome_release(&cut);
    parse_in_pieces(stream, which, piece_max, random, random_below(random, 2), &cut);
    outcome_assert_equal(&whole, &cut, stream);
    outcome_release(&cut);
    if (whole.consumed > stream.len)
        abort();
    size_t consumed = whole.status == RESP_COMPLETE ? whole.consumed : 0;
    outcome_release(&whole);
    return consumed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct random random;
    size_t consumed;

    if (size < 4)
        return 0;
    random_init(&random, (uint64_t)data[2] << 8 | data[3]);
    struct bytes stream = {(const char *)data + 4, size - 4};
    do {
        consumed = check_command(stream, &limits[data[0] & 1], (size_t)data[1] + 1, &random);
        stream.data += consumed;
        stream.len -= consumed;
    } while (consumed > 0 && stream.len > 0);
    return 0;
}
