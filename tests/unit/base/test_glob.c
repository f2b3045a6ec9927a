/* bytes_match against a table that real servers answered (KEYS on Redis 7.0, 8.0 and Valkey 9.1,
 * which agree on all of it), and against a naive matcher. */
#include "unit.h"

#include "base/bytes.h"
#include "base/naive_glob.h"
#include "base/random.h"

static bool matches(struct bytes pattern, struct bytes text)
{
    return bytes_match(pattern, text, false);
}

struct glob_case {
    struct bytes text, pattern;
    bool is_match;
};

static void assert_cases(const struct glob_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (matches(cases[i].pattern, cases[i].text) != cases[i].is_match)
            fail_msg("case %zu: %.*s", i, (int)cases[i].pattern.len, cases[i].pattern.data);
}

#define ASSERT_CASES(cases) assert_cases(cases, sizeof(cases) / sizeof(cases)[0])

static void a_star_takes_any_number_of_bytes(void **state)
{
    const struct glob_case cases[] = {
        {BYTES("a"), BYTES("a*"), true},          {BYTES("a"), BYTES("a**"), true},
        {BYTES("a"), BYTES("*"), true},           {BYTES("a"), BYTES("**"), true},
        {BYTES("a"), BYTES("*a*"), true},         {BYTES("a"), BYTES("*?*"), true},
        {BYTES("a"), BYTES("??*"), false},        {BYTES("a"), BYTES("*b"), false},
        {BYTES("abcabd"), BYTES("a*abd"), true},  {BYTES("abcabd"), BYTES("*b*b?"), true},
        {BYTES("abcabd"), BYTES("*c*c*"), false}, {BYTES("aab"), BYTES("*ab"), true},
        {BYTES("abab"), BYTES("*ab"), true},      {BYTES("abababc"), BYTES("*abc"), true},
        {BYTES("a\0b"), BYTES("a*b"), true},      {BYTES("a\0b"), BYTES("*\0b"), true},
        {BYTES("a\0b"), BYTES("a\0*b*"), true},   {BYTES("ab"), BYTES("ab?"), false},
        {BYTES("ab"), BYTES("a"), false},         {BYTES("ab"), BYTES(""), false},
    };

    ASSERT_CASES(cases);
}

static void an_empty_text_matches_the_empty_pattern_only(void **state)
{
    const struct glob_case cases[] = {
        {BYTES(""), BYTES(""), true},    {BYTES(""), BYTES("*"), false},
        {BYTES(""), BYTES("**"), false}, {BYTES(""), BYTES("?"), false},
        {BYTES(""), BYTES("[^"), false}, {BYTES(""), BYTES("[^]"), false},
    };

    ASSERT_CASES(cases);
    assert_true(matches((struct bytes){NULL, 0}, (struct bytes){NULL, 0}));
    assert_false(matches((struct bytes){NULL, 0}, BYTES("a")));
    assert_false(matches(BYTES("a"), (struct bytes){NULL, 0}));
}

static void a_class_has_bytes_and_ranges(void **state)
{
    const struct glob_case cases[] = {
        {BYTES("a"), BYTES("[abc]"), true},     {BYTES("d"), BYTES("[abc]"), false},
        {BYTES("a"), BYTES("[^b]"), true},      {BYTES("b"), BYTES("[^b]"), false},
        {BYTES("b"), BYTES("[a-c]"), true},     {BYTES("a"), BYTES("[b-a]"), true},
        {BYTES("a"), BYTES("[z-A]"), true},     {BYTES("a"), BYTES("[A]"), false},
        {BYTES("-"), BYTES("[-]"), true},       {BYTES("-"), BYTES("[a-]"), false},
        {BYTES("-"), BYTES("[-a]"), true},      {BYTES("-"), BYTES("[--a]"), true},
        {BYTES("-"), BYTES("[+--]"), true},     {BYTES("a"), BYTES("[a-b-c]"), true},
        {BYTES("a"), BYTES("[[a]"), true},      {BYTES("a"), BYTES("[!a]"), true},
        {BYTES("a"), BYTES("[^^]"), true},      {BYTES("^"), BYTES("[^^]"), false},
        {BYTES("^"), BYTES("[a^]"), true},      {BYTES("^"), BYTES("^"), true},
        {BYTES("a\0b"), BYTES("a[\0]b"), true}, {BYTES("xby"), BYTES("x[a-c]y"), true},
    };

    ASSERT_CASES(cases);
}

static void a_class_without_end_goes_to_the_end_of_the_pattern(void **state)
{
    const struct glob_case cases[] = {
        {BYTES("a"), BYTES("[a"), true},    {BYTES("a"), BYTES("[^"), true},
        {BYTES("a"), BYTES("["), false},    {BYTES("a"), BYTES("[^b"), true},
        {BYTES("a"), BYTES("[a-"), true},   {BYTES("a"), BYTES("[a-]"), true},
        {BYTES("]"), BYTES("[a-]"), true},  {BYTES("]"), BYTES("[a-]]"), true},
        {BYTES("]"), BYTES("[a-]z"), true}, {BYTES("ab"), BYTES("[ab"), false},
    };

    ASSERT_CASES(cases);
}

static void a_closing_bracket_ends_even_an_empty_class(void **state)
{
    const struct glob_case cases[] = {
        {BYTES("a"), BYTES("[]"), false},   {BYTES("]"), BYTES("[]"), false},
        {BYTES("a"), BYTES("[^]"), true},   {BYTES("^"), BYTES("[^]"), true},
        {BYTES("a"), BYTES("[]a]"), false}, {BYTES("]"), BYTES("[]]"), false},
        {BYTES("a"), BYTES("[a]]"), false}, {BYTES("]"), BYTES("]"), true},
    };

    ASSERT_CASES(cases);
}

static void a_backslash_takes_the_meaning_away(void **state)
{
    const struct glob_case cases[] = {
        {BYTES("a"), BYTES("\\a"), true},     {BYTES("a"), BYTES("a\\"), false},
        {BYTES("\\"), BYTES("\\"), true},     {BYTES("\\"), BYTES("\\\\"), true},
        {BYTES("*"), BYTES("\\*"), true},     {BYTES("a"), BYTES("\\*"), false},
        {BYTES("?"), BYTES("\\?"), true},     {BYTES("[a]"), BYTES("\\[a]"), true},
        {BYTES("a"), BYTES("[\\"), false},    {BYTES("\\"), BYTES("[\\"), true},
        {BYTES("a"), BYTES("[\\]"), false},   {BYTES("\\"), BYTES("[\\]"), false},
        {BYTES("]"), BYTES("[\\]]"), true},   {BYTES("\\"), BYTES("[\\\\]"), true},
        {BYTES("\\"), BYTES("[a\\"), true},   {BYTES("a"), BYTES("[\\a"), true},
        {BYTES("-"), BYTES("[a\\-z]"), true}, {BYTES("^"), BYTES("[\\^]"), true},
    };

    ASSERT_CASES(cases);
}

static void bytes_above_127_are_negative_in_ranges(void **state)
{
    const struct glob_case cases[] = {
        {BYTES("\xf0"), BYTES("[a-\xff]"), false},    {BYTES("\xf0"), BYTES("[\x01-\x7f]"), false},
        {BYTES("\xf0"), BYTES("[\xe0-\xff]"), true},  {BYTES("\xf0"), BYTES("[\xff-\x01]"), false},
        {BYTES("\xf0"), BYTES("[\x01-\xff]"), false}, {BYTES("\xf0"), BYTES("?"), true},
        {BYTES("\xf0"), BYTES("[^a]"), true},         {BYTES("\xf0"), BYTES("\xf0"), true},
    };

    ASSERT_CASES(cases);
}

static void case_is_ignored_on_request(void **state)
{
    assert_true(bytes_match(BYTES("MaxMemory*"), BYTES("maxmemory-policy"), true));
    assert_false(bytes_match(BYTES("MaxMemory*"), BYTES("maxmemory-policy"), false));
    assert_true(bytes_match(BYTES("[A-C]"), BYTES("b"), true));
    assert_true(bytes_match(BYTES("[b]"), BYTES("B"), true));
    assert_false(bytes_match(BYTES("[\\b]"), BYTES("B"), true));
    assert_false(bytes_match(BYTES("[Z-a]"), BYTES("z"), true));
    assert_false(bytes_match(BYTES("@"), BYTES("`"), true));
}

/* ---- Against a naive matcher ---- */

static struct bytes random_text(struct random *random, const char *alphabet, char *out, size_t max)
{
    size_t len = random_below(random, max + 1);

    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[random_below(random, strlen(alphabet))];
    return (struct bytes){out, len};
}

static void random_patterns_agree_with_a_naive_matcher(void **state)
{
    static const char *const patterns[] = {"ab*", "ab*?", "aB*?[]^-\\", "[]^-\\aZ\xe1z", "aBc-[]*"};
    struct random random;
    int hits = 0, steps = RANDOM_STEPS(1000000);

    random_init(&random, 1);
    for (int i = 0; i < steps; i++) {
        char pattern_out[12], text_out[12];
        const char *alphabet =
            patterns[random_below(&random, sizeof patterns / sizeof patterns[0])];
        struct bytes pattern = random_text(&random, alphabet, pattern_out, sizeof pattern_out);
        struct bytes text = random_text(&random, random_below(&random, 2) ? "ab" : "aB]^-\\\xe1Z_",
                                        text_out, sizeof text_out);
        bool ignore_case = random_below(&random, 4) == 0;
        bool expected = naive_match(pattern, text, ignore_case);
        if (bytes_match(pattern, text, ignore_case) != expected)
            fail_msg("%.*s on %.*s", (int)pattern.len, pattern.data, (int)text.len, text.data);
        hits += expected;
    }
    assert_true(hits > steps / 100);
}

/* An exponential matcher would not come back from this. */
static void many_stars_take_no_exponential_time(void **state)
{
    static char pattern[2000], text[20000];

    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof pattern; i += 2)
        pattern[i] = '*', pattern[i + 1] = 'a';
    pattern[sizeof pattern - 1] = 'b';
    struct bytes all = {text, sizeof text};
    assert_false(matches((struct bytes){pattern, sizeof pattern}, all));
    assert_true(matches((struct bytes){pattern, sizeof pattern - 2}, all));
    pattern[0] = 'a';
    memset(pattern + 1, '*', sizeof pattern - 2);
    assert_false(matches((struct bytes){pattern, sizeof pattern}, all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_star_takes_any_number_of_bytes),
        cmocka_unit_test(an_empty_text_matches_the_empty_pattern_only),
        cmocka_unit_test(a_class_has_bytes_and_ranges),
        cmocka_unit_test(a_class_without_end_goes_to_the_end_of_the_pattern),
        cmocka_unit_test(a_closing_bracket_ends_even_an_empty_class),
        cmocka_unit_test(a_backslash_takes_the_meaning_away),
        cmocka_unit_test(bytes_above_127_are_negative_in_ranges),
        cmocka_unit_test(case_is_ignored_on_request),
        cmocka_unit_test(random_patterns_agree_with_a_naive_matcher),
        cmocka_unit_test(many_stars_take_no_exponential_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
