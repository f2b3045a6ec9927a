/* The footer of payloads, and what is wrong with one. */
#include "unit.h"

#include "base/crc64.h"
#include "persist/dump_payload.h"

/* DUMP of a string "hi" by a server of version 7.2 */
static const char of_a_server[] = "\x00\x02hi\x0b\x00";

static void a_footer_that_was_appended_is_accepted(void **state)
{
    struct text payload = {0};
    struct bytes content;

    text_add(&payload, BYTES("\x00\x02hi"));
    dump_footer_append(&payload);
    assert_int_equal(payload.len, 4 + DUMP_FOOTER_SIZE);
    assert_memory_equal(payload.data, of_a_server, 6);
    assert_true(dump_footer_check(text_bytes(&payload), &content));
    assert_int_equal(content.len, 4);
    assert_ptr_equal(content.data, payload.data);
    text_release(&payload);
}

static void any_other_bit_is_refused(void **state)
{
    struct text payload = {0};
    struct bytes content;

    text_add(&payload, BYTES("\x00\x02hi"));
    dump_footer_append(&payload);
    for (size_t bit = 0; bit < 8 * payload.len; bit++) {
        payload.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(dump_footer_check(text_bytes(&payload), &content));
        payload.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < payload.len; len++)
        assert_false(dump_footer_check((struct bytes){payload.data, len}, &content));
    text_release(&payload);
}

/* The checksum is right for each, so that the version alone decides. */
static void versions_are_those_of_redis_up_to_8_and_of_valkey(void **state)
{
    for (unsigned version = 0; version < 300; version++) {
        unsigned char payload[DUMP_FOOTER_SIZE + 1] = {0, (unsigned char)version, (unsigned char)(version >> 8)};
        uint64_t crc = crc64(0, payload, 3);
        struct bytes content;
        for (int i = 0; i < 8; i++)
            payload[3 + i] = (unsigned char)(crc >> (8 * i));
        assert_int_equal(dump_footer_check((struct bytes){(char *)payload, sizeof payload}, &content),
                         (version >= 1 && version <= 12) || version == 80);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_footer_that_was_appended_is_accepted),
        cmocka_unit_test(any_other_bit_is_refused),
        cmocka_unit_test(versions_are_those_of_redis_up_to_8_and_of_valkey),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
