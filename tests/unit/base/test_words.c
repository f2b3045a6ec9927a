/* Words with quotes and escapes. */
#include "unit.h"

#include "base/words.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct words words_of(struct bytes text) { return (struct words){.at = text.data, .end = text.data + text.len}; }

static void a_word_loses_its_quotes_and_escapes(void **state)
{
    static const struct {
        struct bytes text, word;
    } rows[] = {
        {BYTES("plain"), BYTES("plain")},
        {BYTES("back\\nslash"), BYTES("back\\nslash")},
        {BYTES("\"\""), BYTES("")},
        {BYTES("ab\"c d\""), BYTES("abc d")},
        {BYTES("\"\\n\\r\\t\\b\\a\\\"\\\\\\q\""), BYTES("\n\r\t\b\a\"\\q")},
        {BYTES("\"\\x41\\xfF\\x4\\xg0\""), BYTES("A\xffx4xg0")},
        {BYTES("\"\\\0\""), BYTES("\0")},
        {BYTES("'it\\'s \\n'"), BYTES("it's \\n")},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct words words = words_of(rows[i].text);

        assert_true(words_are_good(&words));
        assert_int_equal(words_next(&words), 1);
        assert_true(bytes_equal(text_bytes(&words.word), rows[i].word));
        assert_int_equal(words_next(&words), 0);
        text_release(&words.word);
    }
}

static void words_come_one_after_the_other(void **state)
{
    static const char *const expected[] = {"one", "two words", "three"};
    struct words words = words_of(BYTES(" one\t\"two words\"\r\n'three' "));

    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_int_equal(words_next(&words), 1);
        assert_true(bytes_equal(text_bytes(&words.word), bytes_from_string(expected[i])));
    }
    assert_int_equal(words_next(&words), 0);
    text_release(&words.word);
}

static void quotes_that_do_not_fit_are_refused(void **state)
{
    static const char *const texts[] = {"\"", "'", "a\"b", "\"a\"b", "'a'\"b\"", "\"a\\\"", "'a\\'"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct words words = words_of(bytes_from_string(texts[i]));

        assert_false(words_are_good(&words));
        assert_int_equal(words_next(&words), -1);
        text_release(&words.word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_loses_its_quotes_and_escapes),
        cmocka_unit_test(words_come_one_after_the_other),
        cmocka_unit_test(quotes_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
