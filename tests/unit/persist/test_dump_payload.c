/* The footer of payloads, and what is wrong with one. */
#include "unit.h"

#include "base/crc64.h"
#include "persist/dump_payload.h"
#include "persist/rdb_writer.h"

/* DUMP of a string "hi" by a server of version 7.2 */
static const char of_a_server[] = "\x00\x02hi\x0b\x00";

static struct rdb_writer written(void)
{
    struct rdb_writer writer = {0};

    rdb_write(&writer, of_a_server, 4);
    dump_footer_write(&writer);
    return writer;
}

static void a_footer_that_was_written_is_accepted(void **state)
{
    struct rdb_writer writer = written();
    struct bytes content;

    assert_int_equal(writer.len, 4 + DUMP_FOOTER_SIZE);
    assert_memory_equal(writer.data, of_a_server, 6);
    assert_true(dump_footer_check((struct bytes){writer.data, writer.len}, &content));
    assert_int_equal(content.len, 4);
    assert_ptr_equal(content.data, writer.data);
    rdb_writer_release(&writer);
}

static void any_other_bit_is_refused(void **state)
{
    struct rdb_writer writer = written();
    struct bytes content;

    for (size_t bit = 0; bit < 8 * writer.len; bit++) {
        writer.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_false(dump_footer_check((struct bytes){writer.data, writer.len}, &content));
        writer.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t len = 0; len < writer.len; len++)
        assert_false(dump_footer_check((struct bytes){writer.data, len}, &content));
    rdb_writer_release(&writer);
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
        cmocka_unit_test(a_footer_that_was_written_is_accepted),
        cmocka_unit_test(any_other_bit_is_refused),
        cmocka_unit_test(versions_are_those_of_redis_up_to_8_and_of_valkey),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
