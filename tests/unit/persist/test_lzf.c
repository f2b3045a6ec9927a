/* LZF: there and back, against what a real server makes of the same text, and with what was changed at random. */
#include "unit.h"

#include "base/random.h"
#include "persist/lzf.h"

static size_t any_text(struct random *random, char *text)
{
    size_t len = random_below(random, random_below(random, 20) ? 300 : 60000);
    unsigned letters = 1 + (unsigned)random_below(random, random_below(random, 3) ? 4 : 200);

    for (size_t i = 0; i < len; i++)
        text[i] = i > 20 && random_below(random, 4) == 0 ? text[i - 7 - random_below(random, 14)]
                                                          : (char)random_below(random, letters);
    return len;
}

static void every_text_comes_back(void **state)
{
    static char text[60000], packed[60000], back[60000];
    struct random random;
    size_t shorter = 0;

    random_init(&random, 1);
    for (int i = 0; i < RANDOM_STEPS(20000); i++) {
        size_t len = any_text(&random, text);
        size_t room = random_below(&random, 4) ? len : random_below(&random, len + 1);
        char *just = malloc(room + 1);
        just = realloc(just, room ? room : 1);
        size_t size = lzf_compress((struct bytes){text, len}, just, room);
        assert_true(size <= room);
        memcpy(packed, just, size);
        free(just);
        if (!size)
            continue;
        shorter++;
        assert_true(lzf_unpack((struct bytes){packed, size}, back, len));
        assert_memory_equal(back, text, len);
        assert_true(len <= lzf_unpacked_max(size));
        assert_false(len > 1 && lzf_unpack((struct bytes){packed, size}, back, len - 1));
    }
    assert_true(shorter > 100);
}

/* DUMP of "alphaalphaalphaalphaalpha" and of 64 times "y". */
static void the_bytes_are_those_of_a_real_server(void **state)
{
    char packed[64];

    assert_int_equal(lzf_compress(BYTES("betabetabetabetabetab"), packed, 17), 12);
    assert_memory_equal(packed, "\x04" "betab\xe0\x05\x03\x01" "ab", 12);
    assert_int_equal(lzf_compress(BYTES("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"), packed, 60), 9);
    assert_memory_equal(packed, "\x01yy\xe0\x33\x00\x01yy", 9);
}

static void what_was_changed_is_refused_or_unpacked_within_its_bounds(void **state)
{
    char text[400], packed[400];
    struct random random;

    random_init(&random, 2);
    for (int i = 0; i < RANDOM_STEPS(200000); i++) {
        size_t len = 20 + random_below(&random, 300), size;
        for (size_t at = 0; at < len; at++)
            text[at] = (char)random_below(&random, 3);
        size = lzf_compress((struct bytes){text, len}, packed, len);
        if (!size)
            continue;
        for (int n = 0; n < 3; n++)
            packed[random_below(&random, size)] = (char)random_next(&random);
        char *in = malloc(size), *out = malloc(len);
        memcpy(in, packed, size);
        lzf_unpack((struct bytes){in, size}, out, len);
        free(in);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_comes_back),
        cmocka_unit_test(the_bytes_are_those_of_a_real_server),
        cmocka_unit_test(what_was_changed_is_refused_or_unpacked_within_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
