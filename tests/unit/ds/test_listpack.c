/* The listpack: its bytes against Redis's, long random runs against a naive array, hostile bytes.
 */
#include "unit.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/random.h"
#include "ds/listpack.h"

#define MODEL_MAX 300

/* ---- values ---- */

static struct bytes filled(char *buffer, size_t len, char with)
{
    memset(buffer, with, len);
    return (struct bytes){buffer, len};
}

/* Random content of random length; many integers and near-integers, many lengths at which the
 * format changes. Valid until the next call. */
static struct bytes random_value(struct random *random)
{
    static const size_t edges[] = {0,    1,    62,   63,   64,    65,    124,   125,   126,  127,
                                   4094, 4095, 4096, 4097, 16376, 16377, 16378, 16379, 16383};
    static char buffer[20000];
    size_t len = random_below(random, 20);

    switch (random_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        len = (size_t)snprintf(buffer, sizeof buffer, "%lld",
                               (long long)(int64_t)random_next(random) >> random_below(random, 64));
        return (struct bytes){buffer, len};
    case 3:
        return bytes_from_string(random_below(random, 2) ? "-0" : "007");
    case 4:
        if (random_below(random, 4) == 0)
            len = edges[random_below(random, sizeof edges / sizeof *edges)];
    }
    for (size_t i = 0; i < len; i++)
        buffer[i] = (char)random_next(random);
    return (struct bytes){buffer, len};
}

/* ---- the format ---- */

static struct listpack *listpack_of(const char *const *texts)
{
    struct listpack *lp = listpack_new();

    for (; *texts; texts++)
        lp = listpack_append(lp, bytes_from_string(*texts));
    return lp;
}

static void assert_bytes(const struct listpack *lp, const char *expected, size_t len)
{
    assert_int_equal(listpack_bytes(lp), len);
    assert_memory_equal(lp, expected, len);
    assert_true(listpack_is_valid((struct bytes){(const char *)lp, len}));
}

static void an_empty_listpack_is_seven_bytes(void **state)
{
    struct listpack *lp = listpack_new();

    assert_bytes(lp, "\x07\0\0\0\0\0\xff", 7);
    assert_null(listpack_first(lp));
    assert_null(listpack_last(lp));
    assert_null(listpack_at(lp, 0));
    assert_null(listpack_at(lp, -1));
    listpack_free(lp);
}

/* These are the bytes in what Redis 8.0 answers to DUMP after an RPUSH of the same strings. */
static void integers_and_strings_have_the_bytes_of_redis(void **state)
{
    static const char *const texts[] = {
        "a",      "0",       "127",      "128",        "-1",          "4095", "-4096", "4096",
        "-32769", "8388607", "-8388609", "2147483647", "-2147483649", "",     "01",    NULL};
    static const char expected[] = "\x44\x00\x00\x00\x0f\x00"
                                   "\x81"
                                   "a\x02"
                                   "\x00\x01"
                                   "\x7f\x01"
                                   "\xc0\x80\x02"
                                   "\xdf\xff\x02"
                                   "\xcf\xff\x02"
                                   "\xd0\x00\x02"
                                   "\xf1\x00\x10\x03"
                                   "\xf2\xff\x7f\xff\x04"
                                   "\xf2\xff\xff\x7f\x04"
                                   "\xf3\xff\xff\x7f\xff\x05"
                                   "\xf3\xff\xff\xff\x7f\x05"
                                   "\xf4\xff\xff\xff\x7f\xff\xff\xff\xff\x09"
                                   "\x80\x01"
                                   "\x82"
                                   "01\x03"
                                   "\xff";
    struct listpack *lp = listpack_of(texts);

    assert_bytes(lp, expected, sizeof expected - 1);
    listpack_free(lp);
}

static void long_strings_have_the_heads_and_lengths_of_redis(void **state)
{
    static const struct {
        size_t len;
        const char *head;
        size_t head_len;
        const char *behind;
        size_t behind_len;
    } cases[] = {
        {63, "\xbf", 1, "\x40", 1},
        {64, "\xe0\x40", 2, "\x42", 1},
        {125, "\xe0\x7d", 2, "\x7f", 1},
        {126, "\xe0\x7e", 2, "\x01\x80", 2},
        {4095, "\xef\xff", 2, "\x20\x81", 2},
        {4096, "\xf0\x00\x10\x00\x00", 5, "\x20\x85", 2},
        {16377, "\xf0\xf9\x3f\x00\x00", 5, "\x7f\xfe", 2},
        {16378, "\xf0\xfa\x3f\x00\x00", 5, "\x00\xff\xff", 3}, /* 16383 takes three */
        {2097149, "\xf0\xfd\xff\x1f\x00", 5, "\x01\x80\x80\x82", 4},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *buffer = malloc(cases[i].len);
        struct bytes value = filled(buffer, cases[i].len, 'x');
        struct listpack *lp = listpack_append(listpack_new(), value);
        const char *at = (const char *)listpack_first(lp);
        size_t bytes = cases[i].head_len + cases[i].len + cases[i].behind_len;
        assert_int_equal(listpack_bytes(lp), 7 + bytes);
        assert_int_equal(listpack_entry_bytes(value), bytes);
        assert_memory_equal(at, cases[i].head, cases[i].head_len);
        assert_memory_equal(at + cases[i].head_len + cases[i].len, cases[i].behind,
                            cases[i].behind_len);
        assert_true(listpack_is_valid((struct bytes){(const char *)lp, listpack_bytes(lp)}));
        assert_ptr_equal(listpack_last(lp), at);
        assert_true(listpack_equal(listpack_first(lp), value));
        listpack_free(lp);
        free(buffer);
    }
}

static void only_the_one_text_of_an_integer_is_stored_as_one(void **state)
{
    static const struct {
        const char *text;
        bool is_int;
    } cases[] = {{"0", true},
                 {"-1", true},
                 {"9223372036854775807", true},
                 {"-9223372036854775808", true},
                 {"9223372036854775808", false},
                 {"-9223372036854775809", false},
                 {"18446744073709551615", false},
                 {"00", false},
                 {"-0", false},
                 {"+1", false},
                 {" 1", false},
                 {"1 ", false},
                 {"-", false},
                 {"1.0", false},
                 {"0x10", false},
                 {"", false},
                 {"123456789012345678901234567890", false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes value = bytes_from_string(cases[i].text);
        struct listpack *lp = listpack_append(listpack_new(), value);
        char text[LISTPACK_TEXT_MAX];
        int64_t number;
        assert_int_equal(listpack_get_int(listpack_first(lp), &number), cases[i].is_int);
        if (cases[i].is_int)
            assert_true(number == strtoll(cases[i].text, NULL, 10));
        assert_true(bytes_equal(listpack_get(listpack_first(lp), text), value));
        listpack_free(lp);
    }
}

static void every_integer_width_comes_back(void **state)
{
    for (int bits = 0; bits < 64; bits++) {
        for (int delta = -2; delta <= 2; delta++) {
            for (int sign = -1; sign <= 1; sign += 2) {
                int64_t number =
                    (int64_t)((((uint64_t)1 << bits) + (uint64_t)delta) * (uint64_t)sign);
                char text[32], back[LISTPACK_TEXT_MAX];
                int64_t read;
                snprintf(text, sizeof text, "%lld", (long long)number);
                struct listpack *lp = listpack_append(listpack_new(), bytes_from_string(text));
                assert_true(listpack_get_int(listpack_first(lp), &read));
                assert_true(read == number);
                assert_true(
                    bytes_equal(listpack_get(listpack_first(lp), back), bytes_from_string(text)));
                listpack_free(lp);
            }
        }
    }
}

/* ---- one property at a time ---- */

static void find_steps_over_what_it_is_told_to_skip(void **state)
{
    static const char *const texts[] = {"a", "1", "b", "a", "1", "b", NULL};
    struct listpack *lp = listpack_of(texts);
    listpack_pos first = listpack_first(lp);

    assert_ptr_equal(listpack_find(lp, first, BYTES("a"), 0), first);
    assert_ptr_equal(listpack_find(lp, first, BYTES("a"), 1), first);
    assert_ptr_equal(listpack_find(lp, first, BYTES("b"), 0), listpack_at(lp, 2));
    assert_ptr_equal(listpack_find(lp, first, BYTES("1"), 1), listpack_at(lp, 4));
    assert_ptr_equal(listpack_find(lp, listpack_at(lp, 1), BYTES("a"), 1), listpack_at(lp, 3));
    assert_null(listpack_find(lp, first, BYTES("x"), 0));
    assert_null(listpack_find(lp, first, BYTES("1"), 2));
    assert_null(listpack_find(lp, first, BYTES("01"), 0));
    assert_null(listpack_find(lp, NULL, BYTES("a"), 0));
    listpack_free(lp);
}

static void a_count_over_65534_is_walked_and_learnt_again(void **state)
{
    struct listpack *lp = listpack_new();

    for (int i = 0; i < 65600; i++)
        lp = listpack_append(lp, BYTES("7"));
    assert_memory_equal((const char *)lp + 4, "\xff\xff", 2);
    assert_int_equal(listpack_count(lp), 65600);
    assert_non_null(listpack_at(lp, 65599));
    assert_null(listpack_at(lp, 65600));
    assert_ptr_equal(listpack_at(lp, -65600), listpack_first(lp));
    assert_null(listpack_at(lp, -65601));
    lp = listpack_remove(lp, listpack_first(lp), 60, NULL);
    assert_int_equal(listpack_count(lp), 65540);
    lp = listpack_remove(lp, listpack_first(lp), 40, NULL);
    assert_int_equal(listpack_count(lp), 65500);
    assert_memory_equal((const char *)lp + 4, "\xdc\xff", 2);
    assert_true(listpack_is_valid((struct bytes){(const char *)lp, listpack_bytes(lp)}));
    listpack_free(lp);
}

static void one_gigabyte_is_the_limit(void **state)
{
    struct listpack *lp = listpack_append(listpack_new(), BYTES("a"));

    assert_true(listpack_fits(lp, LISTPACK_SIZE_MAX - 10));
    assert_false(listpack_fits(lp, LISTPACK_SIZE_MAX - 9));
    assert_false(listpack_fits(lp, SIZE_MAX));
    listpack_free(lp);
}

/* ---- against a naive array ---- */

struct model {
    struct random random;
    struct listpack *lp;
    struct bytes value[MODEL_MAX];
    size_t count;
};

static struct bytes bytes_new(struct bytes value)
{
    char *copy = malloc(value.len + 1);

    if (value.len > 0)
        memcpy(copy, value.data, value.len);
    return (struct bytes){copy, value.len};
}

static void model_open(struct model *model, size_t at, struct bytes value)
{
    memmove(model->value + at + 1, model->value + at, (model->count - at) * sizeof value);
    model->value[at] = bytes_new(value);
    model->count++;
}

static void model_close(struct model *model, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++)
        free((char *)model->value[i].data);
    model->count -= count;
    memmove(model->value + at, model->value + at + count,
            (model->count - at) * sizeof *model->value);
}

static void check_entry(struct model *model, listpack_pos at, size_t index)
{
    char text[LISTPACK_TEXT_MAX];

    assert_non_null(at);
    assert_true(bytes_equal(listpack_get(at, text), model->value[index]));
    assert_true(listpack_equal(at, model->value[index]));
}

static void model_check(struct model *model)
{
    const struct listpack *lp = model->lp;
    listpack_pos at = listpack_first(lp);
    size_t bytes = LISTPACK_EMPTY_SIZE;

    assert_true(listpack_is_valid((struct bytes){(const char *)lp, listpack_bytes(lp)}));
    assert_int_equal(listpack_count(lp), model->count);
    for (size_t i = 0; i < model->count; i++, at = listpack_next(lp, at)) {
        check_entry(model, at, i);
        bytes += listpack_entry_bytes(model->value[i]);
    }
    assert_null(at);
    assert_int_equal(listpack_bytes(lp), bytes);
    at = listpack_last(lp);
    for (size_t i = model->count; i-- > 0; at = listpack_prev(lp, at))
        check_entry(model, at, i);
    assert_null(at);
}

static void step_grow(struct model *model)
{
    struct bytes value = random_value(&model->random);
    size_t at = random_below(&model->random, model->count + 1);
    listpack_pos inserted;

    switch (random_below(&model->random, 3)) {
    case 0:
        model_open(model, model->count, value);
        model->lp = listpack_append(model->lp, value);
        break;
    case 1:
        model_open(model, 0, value);
        model->lp = listpack_prepend(model->lp, value);
        break;
    default:
        model->lp =
            listpack_insert(model->lp, listpack_at(model->lp, (int64_t)at), value, &inserted);
        model_open(model, at, value);
        check_entry(model, inserted, at);
    }
}

static void step_remove(struct model *model)
{
    if (model->count == 0)
        return;
    size_t at = random_below(&model->random, model->count);
    size_t count = random_below(&model->random, 4);
    if (random_below(&model->random, 50) == 0)
        count = random_below(&model->random, model->count);
    if (count > model->count - at)
        count = model->count - at;
    listpack_pos next;
    model->lp = listpack_remove(model->lp, listpack_at(model->lp, (int64_t)at), count, &next);
    model_close(model, at, count);
    assert_ptr_equal(next, listpack_at(model->lp, (int64_t)at));
}

static void step_replace(struct model *model)
{
    if (model->count == 0)
        return;
    int64_t index = -1 - (int64_t)random_below(&model->random, model->count);
    size_t at = model->count - (size_t)-index;
    struct bytes value = random_value(&model->random);
    listpack_pos replaced;
    model->lp = listpack_replace(model->lp, listpack_at(model->lp, index), value, &replaced);
    model_close(model, at, 1);
    model_open(model, at, value);
    check_entry(model, replaced, at);
}

static void step_find(struct model *model)
{
    struct bytes value = random_value(&model->random);
    size_t from = model->count ? random_below(&model->random, model->count) : 0;
    unsigned skip = (unsigned)random_below(&model->random, 3);

    if (model->count && random_below(&model->random, 4))
        value = model->value[random_below(&model->random, model->count)];
    size_t at = from;
    while (at < model->count && !bytes_equal(model->value[at], value))
        at += skip + 1;
    listpack_pos found =
        listpack_find(model->lp, listpack_at(model->lp, (int64_t)from), value, skip);
    assert_ptr_equal(found, at < model->count ? listpack_at(model->lp, (int64_t)at) : NULL);
}

/* Splits at a random place into two blocks and joins them again. */
static void step_copy_and_join(struct model *model)
{
    size_t at = random_below(&model->random, model->count + 1);
    struct listpack *tail = listpack_copy(model->lp);

    if (at < model->count)
        model->lp = listpack_remove(model->lp, listpack_at(model->lp, (int64_t)at),
                                    model->count - at, NULL);
    if (at > 0)
        tail = listpack_remove(tail, listpack_first(tail), at, NULL);
    model->lp = listpack_join(model->lp, tail);
}

static void random_runs_agree_with_an_array(void **state)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct model model = {.lp = listpack_new()};
        random_init(&model.random, seed);
        for (int step = 0; step < RANDOM_STEPS(10000); step++) {
            uint64_t choice = random_below(&model.random, 10);
            if (choice < 4 && model.count < MODEL_MAX)
                step_grow(&model);
            else if (choice < 6)
                step_remove(&model);
            else if (choice < 8)
                step_replace(&model);
            else if (choice < 9)
                step_find(&model);
            else
                step_copy_and_join(&model);
            model_check(&model);
        }
        model_close(&model, 0, model.count);
        listpack_free(model.lp);
    }
}

/* A deque within one buffer: what types/list does with the functions that allocate nothing. */
static void ends_change_in_place_within_a_larger_buffer(void **state)
{
    size_t room = 100000;
    char *buffer = malloc(2 * room);
    struct model model = {.lp = listpack_init(buffer + room)};

    random_init(&model.random, 9);
    for (int step = 0; step < RANDOM_STEPS(10000); step++) {
        struct bytes value = random_value(&model.random);
        size_t bytes = listpack_entry_bytes(value);
        size_t before = (size_t)((char *)model.lp - buffer);
        size_t count = random_below(&model.random, 4);
        switch (random_below(&model.random, 4)) {
        case 0:
            if (bytes > before || model.count == MODEL_MAX)
                break;
            model.lp = listpack_extend_head(model.lp, value);
            model_open(&model, 0, value);
            break;
        case 1:
            if (bytes > 2 * room - before - listpack_bytes(model.lp) || model.count == MODEL_MAX)
                break;
            listpack_extend_tail(model.lp, value);
            model_open(&model, model.count, value);
            break;
        case 2:
            if (count > model.count)
                break;
            model.lp = listpack_cut_head(model.lp, count);
            model_close(&model, 0, count);
            break;
        default:
            if (count > model.count)
                break;
            listpack_cut_tail(model.lp, count);
            model_close(&model, model.count - count, count);
        }
        if (step % 8 == 0)
            model_check(&model);
    }
    model_check(&model);
    model_close(&model, 0, model.count);
    free(buffer);
}

/* ---- bytes from outside ---- */

static void walk_everything(const struct listpack *lp)
{
    size_t up = 0, down = 0;
    char text[LISTPACK_TEXT_MAX];

    for (listpack_pos at = listpack_first(lp); at; at = listpack_next(lp, at), up++) {
        struct bytes value = listpack_get(at, text);
        assert_true(listpack_equal(at, value));
    }
    for (listpack_pos at = listpack_last(lp); at; at = listpack_prev(lp, at))
        down++;
    assert_int_equal(up, down);
    assert_int_equal(up, listpack_count(lp));
}

static bool is_valid_and_walks(const char *data, size_t len)
{
    char *exact = malloc(len ? len : 1); /* so that the sanitizer sees a step beyond */
    bool is_valid;

    memcpy(exact, data, len);
    is_valid = listpack_is_valid((struct bytes){exact, len});
    if (is_valid) {
        struct listpack *lp = listpack_from_bytes((struct bytes){exact, len});
        walk_everything(lp);
        lp = listpack_append(lp, BYTES("behind"));
        lp = listpack_remove(lp, listpack_first(lp), 1, NULL);
        walk_everything(lp);
        listpack_free(lp);
    }
    free(exact);
    return is_valid;
}

#define IS_VALID(literal) is_valid_and_walks(literal, sizeof(literal) - 1)

static void malformed_bytes_are_refused(void **state)
{
    assert_false(IS_VALID(""));
    assert_false(IS_VALID("\xff"));
    assert_false(IS_VALID("\x06\0\0\0\0\0"));
    assert_true(IS_VALID("\x07\0\0\0\0\0\xff"));
    assert_true(IS_VALID("\x07\0\0\0\xff\xff\xff"));  /* unknown count */
    assert_false(IS_VALID("\x07\0\0\0\1\0\xff"));     /* wrong count */
    assert_false(IS_VALID("\x08\0\0\0\0\0\xff"));     /* wrong total */
    assert_false(IS_VALID("\x07\0\0\0\0\0\0"));       /* no end */
    assert_false(IS_VALID("\x08\0\0\0\0\0\xff\xff")); /* early end */
    assert_true(IS_VALID("\x09\0\0\0\1\0\1\1\xff"));
    assert_false(IS_VALID("\x09\0\0\0\1\0\1\2\xff")); /* wrong length behind */
    assert_false(IS_VALID("\x09\0\0\0\1\0\1\x81\xff"));
    assert_false(IS_VALID("\x08\0\0\0\1\0\1\xff"));
    assert_false(IS_VALID("\x09\0\0\0\1\0\x81\1\xff")); /* a string over the end */
    assert_false(IS_VALID("\x09\0\0\0\1\0\xef\xff\xff"));
    assert_false(IS_VALID("\x08\0\0\0\1\0\xe0\xff"));
    assert_false(IS_VALID("\x09\0\0\0\1\0\xf5\1\xff")); /* no such head */
    assert_false(IS_VALID("\x09\0\0\0\1\0\xf4\1\xff"));
    assert_false(IS_VALID("\x0d\0\0\0\1\0\xf0\xff\xff\xff\xff\5\xff"));
    assert_false(IS_VALID("\x0d\0\0\0\1\0\xf0\xfb\xff\xff\xff\0\xff")); /* 2^32 with the head */
    assert_true(IS_VALID("\x0d\0\0\0\1\0\xf0\0\0\0\0\5\xff"));          /* longer than needed */
    assert_true(IS_VALID("\x0b\0\0\0\1\0\xf1\1\0\3\xff"));
}

static void a_string_that_could_be_an_integer_is_found_as_text(void **state)
{
    struct listpack *lp = listpack_from_bytes(BYTES("\x0a\0\0\0\1\0\x81"
                                                    "5\2\xff"));

    assert_true(listpack_equal(listpack_first(lp), BYTES("5")));
    assert_ptr_equal(listpack_find(lp, listpack_first(lp), BYTES("5"), 0), listpack_first(lp));
    listpack_free(lp);
}

static void damaged_bytes_are_refused_or_walk_safely(void **state)
{
    struct random random;
    size_t accepted = 0;

    random_init(&random, 5);
    for (int round = 0; round < RANDOM_STEPS(20000); round++) {
        struct listpack *lp = listpack_new();
        for (uint64_t i = random_below(&random, 12); i > 0; i--)
            lp = listpack_append(lp, random_value(&random));
        size_t len = listpack_bytes(lp);
        unsigned char *damaged = malloc(len);
        memcpy(damaged, lp, len);
        for (uint64_t i = random_below(&random, 4); i > 0; i--)
            damaged[random_below(&random, len < 64 || i & 1 ? len : 64)] =
                (unsigned char)random_next(&random);
        accepted += is_valid_and_walks((const char *)damaged, len);
        accepted += is_valid_and_walks((const char *)damaged, random_below(&random, len));
        free(damaged);
        listpack_free(lp);
    }
    assert_true(accepted > 0);
}

static void random_bytes_are_refused_or_walk_safely(void **state)
{
    struct random random;

    random_init(&random, 6);
    for (int round = 0; round < RANDOM_STEPS(200000); round++) {
        char bytes[40];
        size_t len = 7 + random_below(&random, 16);
        for (size_t i = 0; i < len; i++)
            bytes[i] =
                (char)(random_below(&random, 3) ? random_below(&random, 8) : random_next(&random));
        memcpy(bytes, &(uint32_t){(uint32_t)len}, 4);
        memcpy(bytes + 4, random_below(&random, 2) ? "\xff\xff" : "\2\0", 2);
        bytes[len - 1] = (char)0xff;
        is_valid_and_walks(bytes, len);
    }
}

/* Numbers around every limit of an encoding. */
static int64_t some_number(size_t at)
{
    static const int shifts[] = {0, 6, 7, 12, 15, 23, 31, 63};
    uint64_t limit = (uint64_t)1 << shifts[at / 8 % 8];

    return (int64_t)((at & 4 ? -limit : limit) + (at & 3) - 2);
}

static void numbers_written_at_once_are_the_same_bytes_as_their_texts(void **state)
{
    struct listpack *appended = listpack_new(), *written;
    unsigned char memory[2048], *at;
    char text[32];

    written = listpack_init(memory);
    at = listpack_tail(written);
    for (size_t i = 0; i < 64; i++) {
        int64_t number = some_number(i);
        struct bytes value = {text, (size_t)snprintf(text, sizeof text, "%" PRId64, number)};
        unsigned char *before = at;

        at = listpack_put_int(at, number);
        at = listpack_put(at, value);
        at = listpack_put(at, BYTES("a text"));
        assert_true((size_t)(at - before) <= value.len + 6 + 3 * LISTPACK_EXTRA_MAX);
        appended = listpack_append(listpack_append(appended, value), value);
        appended = listpack_append(appended, BYTES("a text"));
    }
    listpack_set_tail(written, at, 3 * 64);
    assert_int_equal(listpack_bytes(written), listpack_bytes(appended));
    assert_memory_equal(written, appended, listpack_bytes(written));
    listpack_free(appended);
}

static void a_number_takes_the_place_of_one_as_wide(void **state)
{
    for (size_t i = 0; i < 64; i++)
        for (size_t j = 0; j < 64; j++) {
            struct listpack *lp = listpack_new();
            unsigned char memory[64], *at = listpack_tail(listpack_init(memory));
            int64_t old = some_number(i), new = some_number(j), found;
            size_t old_bytes = (size_t)(listpack_put_int(at, old) - at);
            size_t new_bytes = (size_t)(listpack_put_int(at, new) - at);

            lp = listpack_append(listpack_append(lp, BYTES("0")), BYTES("behind"));
            lp = listpack_replace_int(lp, listpack_first(lp), old);
            assert_int_equal(listpack_set_int(listpack_first(lp), new), old_bytes == new_bytes);
            assert_true(listpack_get_int(listpack_first(lp), &found));
            assert_int_equal(found, old_bytes == new_bytes ? new : old);
            lp = listpack_replace_int(lp, listpack_first(lp), new);
            assert_true(listpack_get_int(listpack_first(lp), &found));
            assert_int_equal(found, new);
            assert_true(listpack_equal(listpack_last(lp), BYTES("behind")));
            assert_true(listpack_is_valid((struct bytes){(const char *)lp, listpack_bytes(lp)}));
            listpack_free(lp);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_listpack_is_seven_bytes),
        cmocka_unit_test(integers_and_strings_have_the_bytes_of_redis),
        cmocka_unit_test(long_strings_have_the_heads_and_lengths_of_redis),
        cmocka_unit_test(only_the_one_text_of_an_integer_is_stored_as_one),
        cmocka_unit_test(every_integer_width_comes_back),
        cmocka_unit_test(find_steps_over_what_it_is_told_to_skip),
        cmocka_unit_test(a_count_over_65534_is_walked_and_learnt_again),
        cmocka_unit_test(one_gigabyte_is_the_limit),
        cmocka_unit_test(random_runs_agree_with_an_array),
        cmocka_unit_test(ends_change_in_place_within_a_larger_buffer),
        cmocka_unit_test(numbers_written_at_once_are_the_same_bytes_as_their_texts),
        cmocka_unit_test(a_number_takes_the_place_of_one_as_wide),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(a_string_that_could_be_an_integer_is_found_as_text),
        cmocka_unit_test(damaged_bytes_are_refused_or_walk_safely),
        cmocka_unit_test(random_bytes_are_refused_or_walk_safely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
