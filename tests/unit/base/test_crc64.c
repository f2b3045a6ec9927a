/* CRC-64 against its published check value and against one bit a step. */
#include "unit.h"

#include "base/crc64.h"
#include "base/random.h"

static uint64_t naive_crc64(uint64_t crc, const unsigned char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x95ac9329ac4bc9b5 : 0);
    }
    return crc;
}

static void the_published_check_value_holds(void **state)
{
    assert_true(crc64(0, "123456789", 9) == 0xe9c6d914c4b8d9ca);
    assert_true(crc64(0, NULL, 0) == 0);
}

static void every_byte_alone_agrees_with_one_bit_a_step(void **state)
{
    for (int byte = 0; byte < 256; byte++)
        for (size_t zeros = 0; zeros < 9; zeros++) {
            unsigned char text[9] = {(unsigned char)byte};
            assert_true(crc64(0, text, zeros + 1) == naive_crc64(0, text, zeros + 1));
        }
}

static void texts_in_two_pieces_agree_with_one_bit_a_step(void **state)
{
    struct random random;
    unsigned char text[300];

    random_init(&random, 1);
    for (int i = 0; i < RANDOM_STEPS(20000); i++) {
        size_t from = random_below(&random, 8), len = random_below(&random, 290), cut = random_below(&random, len + 1);
        for (size_t at = 0; at < len; at++)
            text[from + at] = (unsigned char)random_next(&random);
        uint64_t crc = crc64(crc64(0, text + from, cut), text + from + cut, len - cut);
        assert_true(crc == naive_crc64(0, text + from, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_check_value_holds),
        cmocka_unit_test(every_byte_alone_agrees_with_one_bit_a_step),
        cmocka_unit_test(texts_in_two_pieces_agree_with_one_bit_a_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
