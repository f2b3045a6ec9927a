/* Bits against loops that go from one to the next. */
#include "unit.h"

#include "base/random.h"
#include "ds/bits.h"

#define SIZE_MAX_BYTES 700

static bool naive_test(const unsigned char *data, uint64_t at) { return data[at / 8] >> (7 - at % 8) & 1; }

static uint64_t naive_count(const unsigned char *data, uint64_t from, uint64_t to)
{
    uint64_t count = 0;

    for (uint64_t at = from; at < to; at++)
        count += naive_test(data, at);
    return count;
}

static uint64_t naive_find(const unsigned char *data, uint64_t from, uint64_t to, bool wanted)
{
    for (uint64_t at = from; at < to; at++)
        if (naive_test(data, at) == wanted)
            return at;
    return BITS_NONE;
}

static unsigned char naive_combined(enum bits_operation operation, const struct bytes *strings, size_t count,
                                    size_t at)
{
    unsigned char result = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned char byte = at < strings[i].len ? (unsigned char)strings[i].data[at] : 0;

        if (i == 0)
            result = byte;
        else if (operation == BITS_AND)
            result &= byte;
        else if (operation == BITS_OR)
            result |= byte;
        else
            result ^= byte;
    }
    return operation == BITS_NOT ? (unsigned char)~result : result;
}

/* A block of just this size, so that a byte read behind it is seen. Few bits of a kind, or many. */
static unsigned char *random_block(struct random *random, size_t size)
{
    unsigned char *block = malloc(size ? size : 1);
    uint64_t kind = random_below(random, 4);

    memset(block, kind == 1 ? 0xff : 0, size);
    for (size_t i = 0; i < size; i++)
        if (kind > 1)
            block[i] = (unsigned char)random_next(random);
        else if (random_below(random, 100) == 0)
            block[i] ^= (unsigned char)(1u << random_below(random, 8));
    return block;
}

static size_t random_size(struct random *random)
{
    return random_below(random, random_below(random, 2) ? 20 : SIZE_MAX_BYTES);
}

static void ranges_are_counted_and_searched_as_bit_by_bit(void **state)
{
    struct random random;

    random_init(&random, 1);
    for (int step = 0; step < RANDOM_STEPS(20000); step++) {
        size_t size = random_size(&random);
        unsigned char *data = random_block(&random, size);
        uint64_t from = random_below(&random, size * 8 + 1), to = random_below(&random, size * 8 + 1);

        assert_int_equal(bits_count(data, from, to), naive_count(data, from, to));
        assert_int_equal(bits_count(data, 0, size * 8), naive_count(data, 0, size * 8));
        for (int wanted = 0; wanted <= 1; wanted++) {
            assert_true(bits_find(data, from, to, wanted) == naive_find(data, from, to, wanted));
            assert_true(bits_find(data, from, size * 8, wanted) ==
                        naive_find(data, from, size * 8, wanted));
        }
        free(data);
    }
}

static void a_lone_bit_is_found_wherever_it_is(void **state)
{
    unsigned char *data = calloc(1, 300);

    for (uint64_t at = 0; at < 2400; at++) {
        data[at / 8] = (unsigned char)(0x80 >> at % 8);
        assert_int_equal(bits_find(data, 0, 2400, true), at);
        assert_int_equal(bits_find(data, at, at + 1, true), at);
        assert_true(bits_find(data, 0, at, true) == BITS_NONE);
        assert_true(bits_find(data, at + 1, 2400, true) == BITS_NONE);
        assert_int_equal(bits_count(data, 0, 2400), 1);
        data[at / 8] = 0;
    }
    free(data);
}

static void strings_of_any_lengths_are_combined_byte_by_byte(void **state)
{
    struct random random;

    random_init(&random, 2);
    for (int step = 0; step < RANDOM_STEPS(4000); step++) {
        size_t count = 1 + random_below(&random, 5), longest = 0;
        enum bits_operation operation = (enum bits_operation)random_below(&random, 4);
        struct bytes strings[5];
        unsigned char *out;

        if (operation == BITS_NOT)
            count = 1;
        for (size_t i = 0; i < count; i++) {
            size_t size = random_below(&random, 50) ? random_size(&random) : 20000 + random_size(&random);

            strings[i] = (struct bytes){(char *)random_block(&random, size), size};
            longest = size > longest ? size : longest;
        }
        out = random_block(&random, longest);
        bits_combine(operation, strings, count, out);
        for (size_t at = 0; at < longest; at++)
            assert_int_equal(out[at], naive_combined(operation, strings, count, at));
        for (size_t i = 0; i < count; i++) {
            if (strings[i].len < longest)
                continue;
            bits_combine(operation, strings, count, (char *)strings[i].data);
            assert_memory_equal(strings[i].data, out, longest);
            break;
        }
        for (size_t i = 0; i < count; i++)
            free((char *)strings[i].data);
        free(out);
    }
}

static void an_absent_string_is_zeros(void **state)
{
    struct bytes strings[] = {BYTES("ab"), {NULL, 0}};
    char out[2];

    bits_combine(BITS_OR, strings, 2, out);
    assert_memory_equal(out, "ab", 2);
    bits_combine(BITS_AND, strings, 2, out);
    assert_memory_equal(out, "\0\0", 2);
    strings[0] = strings[1];
    bits_combine(BITS_NOT, strings, 1, out);
}

static void numbers_are_put_and_got_at_any_place(void **state)
{
    struct random random;

    random_init(&random, 3);
    for (int step = 0; step < RANDOM_STEPS(100000); step++) {
        unsigned width = 1 + (unsigned)random_below(&random, 64);
        uint64_t at = random_below(&random, 80), value = random_next(&random), got = 0;
        size_t size = (at + width + 7) / 8;
        unsigned char *data = random_block(&random, size), before[24];

        memcpy(before, data, size);
        bits_put(data, at, width, value);
        for (uint64_t bit = 0; bit < size * 8; bit++) {
            if (bit >= at && bit < at + width)
                assert_int_equal(naive_test(data, bit), value >> (at + width - 1 - bit) & 1);
            else
                assert_int_equal(naive_test(data, bit), naive_test(before, bit));
        }
        size = random_below(&random, size + 1); /* what is behind the end is 0 */
        for (uint64_t bit = at; bit < at + width; bit++)
            got = got << 1 | (bit / 8 < size && naive_test(data, bit));
        assert_true(bits_get((struct bytes){(char *)data, size}, at, width) == got);
        assert_int_equal(bits_test((struct bytes){(char *)data, size}, at),
                         at / 8 < size && naive_test(data, at));
        free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_counted_and_searched_as_bit_by_bit),
        cmocka_unit_test(a_lone_bit_is_found_wherever_it_is),
        cmocka_unit_test(strings_of_any_lengths_are_combined_byte_by_byte),
        cmocka_unit_test(an_absent_string_is_zeros),
        cmocka_unit_test(numbers_are_put_and_got_at_any_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
