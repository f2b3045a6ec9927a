/* HyperLogLogs against plain arrays of registers; their bytes against those of real servers. */
#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "base/text.h"
#include "ds/hyperloglog.h"

#include <math.h>

#define SPARSE_MAX 3000

static struct bytes number_bytes(const uint64_t *number)
{
    return (struct bytes){(const char *)number, sizeof *number};
}

/* ---- the model ---- */

static void assert_registers(const struct hyperloglog *hll, const uint8_t expected[HLL_REGISTERS])
{
    uint8_t registers[HLL_REGISTERS] = {0};

    assert_true(hyperloglog_is_valid(hyperloglog_value(hll)));
    assert_true(hyperloglog_merge(registers, hyperloglog_value(hll)));
    assert_memory_equal(registers, expected, HLL_REGISTERS);
}

static void assert_same_count(const struct hyperloglog *hll, const uint8_t registers[HLL_REGISTERS])
{
    uint64_t count;

    assert_true(hyperloglog_count(hyperloglog_value(hll), &count));
    assert_int_equal(count, hyperloglog_count_registers(registers));
}

/* Elements near each other, so that runs are split and joined; low ranks mostly, as hashes give them. */
static struct hyperloglog_element random_element(struct random *random)
{
    uint16_t range = random_below(random, 4) ? 200 : HLL_REGISTERS;
    unsigned rank = 1 + (unsigned)__builtin_ctzll(random_next(random) | UINT64_C(1) << 50);

    if (rank > 32 && random_below(random, 50))
        rank = 1;
    return (struct hyperloglog_element){(uint16_t)random_below(random, range), (uint8_t)rank};
}

static void run_against_the_model(uint64_t seed, size_t sparse_max)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    struct hyperloglog hll;
    struct random random;
    bool was_dense = false;

    random_init(&random, seed);
    hyperloglog_init(&hll);
    for (int step = 0; step < RANDOM_STEPS(6000); step++) {
        struct hyperloglog_element element = random_element(&random);
        bool is_higher = element.rank > registers[element.index];
        bool is_dense;

        assert_int_equal(hyperloglog_add(&hll, element, sparse_max), is_higher ? HLL_CHANGED : HLL_SAME);
        if (is_higher)
            registers[element.index] = element.rank;
        is_dense = hyperloglog_is_dense(hyperloglog_value(&hll));
        assert_true(is_dense || (!was_dense && hll.len <= (sparse_max > 18 ? sparse_max : 18)));
        was_dense = is_dense;
        if (step % 16 == 0)
            assert_registers(&hll, registers);
    }
    assert_registers(&hll, registers);
    assert_same_count(&hll, registers);
    hyperloglog_release(&hll);
}

static void every_register_keeps_its_highest_rank(void **state)
{
    static const size_t limits[] = {0, 18, 40, 300, SPARSE_MAX, 20000};
    size_t before = mem_used();

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        run_against_the_model(i + 1, limits[i]);
    assert_int_equal(mem_used(), before);
}

static void dense_registers_do_not_touch_their_neighbours(void **state)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    struct hyperloglog hll;
    struct random random;

    random_init(&random, 9);
    hyperloglog_init(&hll);
    assert_int_equal(hyperloglog_to_dense(&hll), HLL_CHANGED);
    assert_int_equal(hyperloglog_to_dense(&hll), HLL_SAME);
    for (int step = 0; step < RANDOM_STEPS(100000); step++) {
        struct hyperloglog_element element = {(uint16_t)random_below(&random, HLL_REGISTERS),
                                              (uint8_t)(1 + random_below(&random, 51))};

        assert_int_equal(hyperloglog_dense_add((char *)hll.data, element),
                         element.rank > registers[element.index]);
        if (element.rank > registers[element.index])
            registers[element.index] = element.rank;
    }
    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        assert_int_equal(hyperloglog_dense_register((char *)hll.data, i), registers[i]);
    assert_registers(&hll, registers);
    assert_same_count(&hll, registers);
    hyperloglog_release(&hll);
}

static void add_one_by_one(struct hyperloglog *hll, const uint8_t registers[HLL_REGISTERS], size_t sparse_max)
{
    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        if (registers[i])
            hyperloglog_add(hll, (struct hyperloglog_element){(uint16_t)i, registers[i]}, sparse_max);
}

static void raising_all_registers_leaves_the_bytes_of_raising_each(void **state)
{
    static const size_t limits[] = {100, 1000, SPARSE_MAX, 20000};
    struct random random;

    random_init(&random, 12);
    for (int step = 0; step < RANDOM_STEPS(400); step++) {
        size_t sparse_max = limits[random_below(&random, 4)];
        uint8_t registers[HLL_REGISTERS] = {0};
        struct hyperloglog at_once, each;

        hyperloglog_init(&at_once);
        hyperloglog_init(&each);
        for (uint64_t n = random_below(&random, 600); n > 0; n--) {
            struct hyperloglog_element element = random_element(&random);

            hyperloglog_add(&at_once, element, sparse_max);
            hyperloglog_add(&each, element, sparse_max);
        }
        hyperloglog_merge(registers, hyperloglog_value(&each));
        for (uint64_t n = random_below(&random, 600); n > 0; n--) {
            struct hyperloglog_element element = random_element(&random);

            if (registers[element.index] < element.rank)
                registers[element.index] = element.rank;
        }
        add_one_by_one(&each, registers, sparse_max);
        assert_int_not_equal(hyperloglog_raise(&at_once, registers, sparse_max), HLL_CORRUPT);
        assert_int_equal(at_once.len, each.len);
        assert_memory_equal(at_once.data, each.data, each.len);
        assert_registers(&at_once, registers);
        hyperloglog_release(&at_once);
        hyperloglog_release(&each);
    }
}

/* ---- the format ---- */

/* After PFADD of "a", then of "b", "c" and "d"; and of "" alone. */
static void sparse_bytes_are_those_of_real_servers(void **state)
{
    struct text text = {0};
    struct hyperloglog hll;

    hyperloglog_init(&hll);
    assert_int_equal(hyperloglog_add(&hll, hyperloglog_element(BYTES("a")), SPARSE_MAX), HLL_CHANGED);
    assert_int_equal(hyperloglog_add(&hll, hyperloglog_element(BYTES("a")), SPARSE_MAX), HLL_SAME);
    assert_int_equal(hll.len, 16 + 5);
    assert_memory_equal(hll.data + 16, "q\xa6\x84NW", 5);
    hyperloglog_describe(hyperloglog_value(&hll), &text);
    assert_int_equal(text.len, strlen("Z:12711 v:2,1 Z:3672"));
    assert_memory_equal(text.data, "Z:12711 v:2,1 Z:3672", text.len);
    text_release(&text);
    for (const char *name = "bcd"; *name; name++)
        hyperloglog_add(&hll, hyperloglog_element((struct bytes){name, 1}), SPARSE_MAX);
    assert_int_equal(hll.len, 16 + 14);
    assert_memory_equal(hll.data + 16, "\\{\x80" "Dv\x80P\xb1\x84K\xfb\x80" "BZ", 14);
    hyperloglog_release(&hll);
    hyperloglog_init(&hll);
    hyperloglog_add(&hll, hyperloglog_element(BYTES("")), SPARSE_MAX);
    assert_memory_equal(hll.data + 16, "W1\x84h\xcc", 5);
    hyperloglog_release(&hll);
}

static void a_view_is_copied_by_the_first_change(void **state)
{
    static const char value[] = "HYLL\1\0\0\0\7\0\0\0\0\0\0\0\x7f\xff";
    struct hyperloglog hll;
    uint64_t count;

    hyperloglog_open(&hll, BYTES("HYLL\1\0\0\0\7\0\0\0\0\0\0\0\x7f\xff"));
    assert_false(hyperloglog_is_changed(&hll));
    assert_true(hyperloglog_known_count(hyperloglog_value(&hll), &count));
    assert_int_equal(count, 7);
    hyperloglog_add(&hll, (struct hyperloglog_element){5, 1}, SPARSE_MAX);
    assert_true(hyperloglog_is_changed(&hll));
    hyperloglog_forget_count(&hll);
    assert_false(hyperloglog_known_count(hyperloglog_value(&hll), &count));
    hyperloglog_set_known_count((char *)hll.data, 1);
    assert_true(hyperloglog_known_count(hyperloglog_value(&hll), &count));
    assert_int_equal(count, 1);
    assert_memory_equal(value + 8, "\7", 1);
    hyperloglog_release(&hll);
}

static void what_is_no_value_is_told_apart(void **state)
{
    char dense[HLL_DENSE_SIZE + 1] = "HYLL";

    assert_false(hyperloglog_is_valid(BYTES("")));
    assert_false(hyperloglog_is_valid(BYTES("HYLL\1")));
    assert_false(hyperloglog_is_valid(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0")));
    assert_true(hyperloglog_is_valid(BYTES("HYLL\1\0\0\0\0\0\0\0\0\0\0\0")));
    assert_false(hyperloglog_is_valid(BYTES("HYLL\2\0\0\0\0\0\0\0\0\0\0\0")));
    assert_false(hyperloglog_is_valid(BYTES("HYLM\1\0\0\0\0\0\0\0\0\0\0\0")));
    assert_false(hyperloglog_is_valid((struct bytes){dense, HLL_DENSE_SIZE - 1}));
    assert_true(hyperloglog_is_valid((struct bytes){dense, HLL_DENSE_SIZE}));
    assert_false(hyperloglog_is_valid((struct bytes){dense, HLL_DENSE_SIZE + 1}));
}

static void runs_that_do_not_make_16384_registers_are_corrupt(void **state)
{
#define HEADER "HYLL\1\0\0\0\0\0\0\0\0\0\0\0"
    static const struct bytes values[] = {
        {HEADER, 16},                 {HEADER "\x7f", 17},
        {HEADER "\x7f\xfe", 18},      {HEADER "\x7f\xff\x00", 19},
        {HEADER "\x7f\xff\x7f", 19},  {HEADER "\x7f\xff\x80", 19},
        {HEADER "\x00\x7f\xff", 19},  {HEADER "\x83\x7f\xff", 19},
        {HEADER "\x7f\xff\x7f\xff", 20},
    };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t registers[HLL_REGISTERS] = {0};
        char *copy = malloc(values[i].len); /* a byte read behind it is seen */
        struct bytes value = {copy, values[i].len};
        struct hyperloglog hll;
        uint64_t count;

        memcpy(copy, values[i].data, values[i].len);
        assert_true(hyperloglog_is_valid(value));
        assert_false(hyperloglog_count(value, &count));
        assert_false(hyperloglog_merge(registers, value));
        hyperloglog_open(&hll, value);
        assert_int_equal(hyperloglog_to_dense(&hll), HLL_CORRUPT);
        assert_int_equal(hyperloglog_add(&hll, (struct hyperloglog_element){3, 33}, SPARSE_MAX), HLL_CORRUPT);
        assert_false(hyperloglog_is_changed(&hll));
        hyperloglog_add(&hll, (struct hyperloglog_element){HLL_REGISTERS - 1, 3}, SPARSE_MAX);
        hyperloglog_release(&hll);
        free(copy);
    }
}

/* ---- the estimate ---- */

/* At each power of ten, and between, the error is at most four times the standard error. */
static void estimates_are_within_theory(void **state)
{
#if defined TERN_STRESS || defined __SANITIZE_ADDRESS__
    enum { MOST = 100000 };
#else
    enum { MOST = 10000000 };
#endif
    struct hyperloglog hll;
    uint64_t next = 1, count;

    hyperloglog_init(&hll);
    for (uint64_t i = 1; i <= MOST; i++) {
        hyperloglog_add(&hll, hyperloglog_element(number_bytes(&i)), SPARSE_MAX);
        if (i != next)
            continue;
        assert_true(hyperloglog_count(hyperloglog_value(&hll), &count));
        if (fabs((double)count - (double)i) > 4 * 1.04 / 128 * (double)i + 0.5)
            fail_msg("%d elements are counted as %d", (int)i, (int)count);
        next = next < 10 ? next + 1 : next + next / 4;
    }
    hyperloglog_release(&hll);
}

static void a_union_counts_what_is_in_any(void **state)
{
    uint8_t registers[HLL_REGISTERS] = {0};
    struct hyperloglog all, parts[3];

    hyperloglog_init(&all);
    for (int part = 0; part < 3; part++)
        hyperloglog_init(&parts[part]);
    for (uint64_t i = 0; i < 30000; i++) {
        int part = i < 300 ? 0 : i < 9000 ? 1 : 2;

        hyperloglog_add(&all, hyperloglog_element(number_bytes(&i)), SPARSE_MAX);
        hyperloglog_add(&parts[part], hyperloglog_element(number_bytes(&i)), SPARSE_MAX);
        hyperloglog_add(&parts[2], hyperloglog_element(number_bytes(&i)), SPARSE_MAX);
    }
    for (int part = 0; part < 3; part++)
        assert_true(hyperloglog_merge(registers, hyperloglog_value(&parts[part])));
    assert_registers(&all, registers);
    assert_same_count(&all, registers);
    hyperloglog_release(&all);
    for (int part = 0; part < 3; part++)
        hyperloglog_release(&parts[part]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_register_keeps_its_highest_rank),
        cmocka_unit_test(dense_registers_do_not_touch_their_neighbours),
        cmocka_unit_test(raising_all_registers_leaves_the_bytes_of_raising_each),
        cmocka_unit_test(sparse_bytes_are_those_of_real_servers),
        cmocka_unit_test(a_view_is_copied_by_the_first_change),
        cmocka_unit_test(what_is_no_value_is_told_apart),
        cmocka_unit_test(runs_that_do_not_make_16384_registers_are_corrupt),
        cmocka_unit_test(estimates_are_within_theory),
        cmocka_unit_test(a_union_counts_what_is_in_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
