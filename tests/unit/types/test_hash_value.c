/* The hash against a naive array, in every shape it takes, with and without deadlines. */
#include "unit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "types/hash_value.h"

/* ---- a naive array ---- */

struct row {
    struct bytes field, value;
    int64_t deadline_ms;
};

struct model {
    struct random random;
    struct hash *hash;
    struct row *row;
    size_t count, capacity, fields, long_values /* percent */;
    int64_t now_ms;
};

static struct bytes bytes_new(struct bytes value)
{
    char *copy = malloc(value.len + 1);

    if (value.len > 0)
        memcpy(copy, value.data, value.len);
    return (struct bytes){copy, value.len};
}

static void model_init(struct model *model, uint64_t seed, size_t fields)
{
    *model = (struct model){.hash = hash_new(), .fields = fields, .now_ms = 1000};
    random_init(&model->random, seed);
}

static void array_remove(struct model *model, size_t at)
{
    free((char *)model->row[at].field.data);
    free((char *)model->row[at].value.data);
    model->row[at] = model->row[--model->count];
}

static void model_release(struct model *model)
{
    while (model->count)
        array_remove(model, 0);
    free(model->row);
    while (!hash_free_step(model->hash, 1 + random_below(&model->random, 5)))
        ;
}

static struct row *array_find(struct model *model, struct bytes field)
{
    for (size_t i = 0; i < model->count; i++)
        if (bytes_equal(model->row[i].field, field))
            return &model->row[i];
    return NULL;
}

static bool is_dead(const struct model *model, const struct row *row)
{
    return row->deadline_ms != HASH_NO_DEADLINE && row->deadline_ms < model->now_ms;
}

static struct row *array_find_alive(struct model *model, struct bytes field)
{
    struct row *row = array_find(model, field);

    return row && !is_dead(model, row) ? row : NULL;
}

static bool array_set(struct model *model, struct bytes field, struct bytes value, bool keep)
{
    struct row *row = array_find(model, field);
    bool is_new = !row || is_dead(model, row);

    if (!row) {
        if (model->count == model->capacity) {
            model->capacity = model->capacity * 2 + 16;
            model->row = realloc(model->row, model->capacity * sizeof *row);
        }
        row = &model->row[model->count++];
        *row = (struct row){bytes_new(field), bytes_new(value), HASH_NO_DEADLINE};
        return true;
    }
    free((char *)row->value.data);
    row->value = bytes_new(value);
    if (is_new || !keep)
        row->deadline_ms = HASH_NO_DEADLINE;
    return is_new;
}

static size_t alive(const struct model *model)
{
    size_t count = 0;

    for (size_t i = 0; i < model->count; i++)
        count += !is_dead(model, &model->row[i]);
    return count;
}

/* A name of one of model->fields fields, some of them long. Valid until the second next call. */
static struct bytes random_field(struct model *model)
{
    static char buffer[2][400];
    static int which;
    uint64_t number = random_below(&model->random, model->fields);
    char *out = buffer[which ^= 1];
    size_t len = (size_t)snprintf(out, 400, "f%llu", (unsigned long long)number);

    if (number % 16 == 3 && model->long_values) {
        size_t whole = 100 + number % 200;
        memset(out + len, 'x', whole - len);
        len = whole;
    }
    return number == 0 ? (struct bytes){NULL, 0} : (struct bytes){out, len};
}

static struct bytes random_value(struct model *model)
{
    static char buffer[70000];
    size_t len = random_below(&model->random, 12);

    if (random_below(&model->random, 100) < model->long_values)
        len = random_below(&model->random, random_below(&model->random, 8) ? 400 : sizeof buffer);
    memset(buffer, (int)('a' + random_below(&model->random, 26)), len);
    return (struct bytes){buffer, len};
}

/* ---- comparing ---- */

static void check_field(struct model *model, struct bytes field)
{
    const struct row *row = array_find_alive(model, field);
    int64_t deadline_ms;
    struct bytes value;

    assert_int_equal(hash_get(model->hash, hashed(field), &value), row != NULL);
    assert_int_equal(hash_get_deadline(model->hash, field, &deadline_ms), row != NULL);
    if (!row)
        return;
    assert_true(bytes_equal(value, row->value));
    assert_true(deadline_ms == row->deadline_ms);
}

static void model_check(struct model *model)
{
    hash_check(model->hash);
    assert_int_equal(hash_size(model->hash), alive(model));
    check_field(model, random_field(model));
}

static void check_all(struct model *model)
{
    struct bytes field, value;
    struct hash_iter iter;
    size_t count = 0;

    model_check(model);
    hash_iter_init(&iter, model->hash);
    while (hash_iter_next(&iter, &field, &value)) {
        const struct row *row = array_find_alive(model, field);

        assert_non_null(row);
        assert_true(bytes_equal(value, row->value));
        assert_true(iter.deadline_ms == row->deadline_ms);
        count++;
    }
    assert_int_equal(count, alive(model));
    for (size_t i = 0; i < model->count; i++)
        check_field(model, model->row[i].field);
    assert_true(hash_memory(model->hash, 0) > 0 && hash_memory(model->hash, 3) > 0);
    assert_int_equal(hash_is_dead(model->hash, model->now_ms), alive(model) == 0);
}

/* ---- steps ---- */

static void step_set(struct model *model)
{
    struct bytes field = random_field(model), value = random_value(model);
    bool keep = random_below(&model->random, 2);

    assert_int_equal(hash_set(model->hash, hashed(field), value, keep),
                     array_set(model, field, value, keep));
}

static void step_set_several(struct model *model)
{
    struct bytes arguments[20];
    size_t count = 2 * (1 + random_below(&model->random, 10));

    for (size_t i = 0; i < count; i++)
        arguments[i] = bytes_new(i % 2 ? random_value(model) : random_field(model));
    hash_expect(model->hash, arguments, count);
    for (size_t i = 0; i < count; i += 2)
        assert_int_equal(hash_set(model->hash, hashed(arguments[i]), arguments[i + 1], false),
                         array_set(model, arguments[i], arguments[i + 1], false));
    for (size_t i = 0; i < count; i++)
        free((char *)arguments[i].data);
}

static void step_remove(struct model *model)
{
    struct bytes field = random_field(model);
    struct row *row = array_find_alive(model, field);

    assert_int_equal(hash_remove(model->hash, hashed(field)), row != NULL);
    if (row)
        array_remove(model, (size_t)(row - model->row));
}

static void step_deadline(struct model *model)
{
    struct bytes field = random_field(model);
    struct row *row = array_find_alive(model, field);

    if (!row)
        return;
    if (random_below(&model->random, 4) == 0) {
        hash_clear_deadline(model->hash, field);
        row->deadline_ms = HASH_NO_DEADLINE;
        return;
    }
    row->deadline_ms = model->now_ms + (int64_t)random_below(&model->random, 200);
    hash_set_deadline(model->hash, field, row->deadline_ms);
    hash_set_now(model->hash, model->now_ms);
    assert_true(hash_tie_of(model->hash)->earliest_ms <= row->deadline_ms);
}

static void forget_dead(void *context, struct bytes field)
{
    struct model *model = context;
    struct row *row = array_find(model, field);

    assert_non_null(row);
    assert_true(is_dead(model, row));
    array_remove(model, (size_t)(row - model->row));
}

/* Time goes on; the dead are removed now and then, some at a time. */
static void step_time(struct model *model)
{
    size_t dead, max = random_below(&model->random, 8), removed;

    model->now_ms += (int64_t)random_below(&model->random, 60);
    hash_set_now(model->hash, model->now_ms);
    assert_int_equal(hash_size(model->hash), alive(model));
    if (random_below(&model->random, 2))
        return;
    dead = model->count - alive(model);
    if (hash_encoding(model->hash)[0] == 'l')
        max = SIZE_MAX; /* packed: all at once */
    removed = hash_expire(model->hash, max, forget_dead, model);
    assert_int_equal(removed, dead < max ? dead : max);
    if (removed < max && hash_tie_of(model->hash))
        assert_true(hash_tie_of(model->hash)->earliest_ms >= model->now_ms);
}

static void step_random(struct model *model)
{
    struct bytes field, value;

    assert_int_equal(hash_random(model->hash, &model->random, &field, &value), alive(model) > 0);
    if (alive(model))
        assert_non_null(array_find_alive(model, field));
}

static void step_copy(struct model *model)
{
    struct hash *copy = hash_copy(model->hash);

    hash_check(copy);
    assert_int_equal(hash_size(copy), hash_size(model->hash));
    for (size_t i = 0; i < model->count; i++)
        if (is_dead(model, &model->row[i]))
            array_remove(model, i--); /* they stay behind */
    hash_set_now(copy, model->now_ms);
    hash_free(model->hash);
    model->hash = copy;
}

static void run(struct model *model, int steps, uint64_t grow, bool with_deadlines)
{
    for (int step = 0; step < steps; step++) {
        uint64_t choice = random_below(&model->random, 100);

        if (choice < grow)
            step_set(model);
        else if (choice < grow + 2)
            step_set_several(model);
        else if (choice < 80)
            step_remove(model);
        else if (choice < 84)
            step_random(model);
        else if (with_deadlines && choice < 96)
            step_deadline(model);
        else if (with_deadlines && choice < 99)
            step_time(model);
        else if (choice == 99 && random_below(&model->random, 20) == 0)
            step_copy(model);
        if (model->count < 40 || step % 16 == 0)
            model_check(model);
    }
    check_all(model);
}

static void run_both_ways(uint64_t seed, size_t fields, size_t long_values, bool with_deadlines)
{
    struct model model;

    model_init(&model, seed, fields);
    model.long_values = long_values;
    run(&model, RANDOM_STEPS(20000), 50, with_deadlines);
    run(&model, RANDOM_STEPS(10000), 20, with_deadlines);
    run(&model, RANDOM_STEPS(5000), 60, with_deadlines);
    model_release(&model);
}

/* ---- the tests ---- */

static void a_packed_hash_is_as_the_array(void **state) { run_both_ways(1, 20, 0, false); }
static void a_packed_hash_with_deadlines_is_as_the_array(void **state)
{
    run_both_ways(2, 30, 0, true);
}
static void a_table_is_as_the_array(void **state) { run_both_ways(3, 800, 5, false); }
static void a_table_with_deadlines_is_as_the_array(void **state) { run_both_ways(4, 300, 5, true); }
static void a_few_long_fields_are_as_in_the_array(void **state) { run_both_ways(5, 24, 20, true); }

static void every_small_limit_holds(void **state)
{
    for (uint64_t entries = 0; entries < 12; entries++) {
        hash_set_listpack_entries(entries);
        hash_set_listpack_value(entries % 4 * 4);
        run_both_ways(100 + entries, 20, 0, entries % 2);
    }
    hash_set_listpack_entries(512);
    hash_set_listpack_value(64);
}

static struct bytes numbered(char out[32], const char *prefix, size_t number)
{
    return (struct bytes){out, (size_t)snprintf(out, 32, "%s%zu", prefix, number)};
}

static struct hash *filled(size_t fields)
{
    struct hash *hash = hash_new();
    char field[32], value[32];

    for (size_t i = 0; i < fields; i++)
        assert_true(hash_set(hash, hashed(numbered(field, "f", i)), numbered(value, "v", i), false));
    return hash;
}

static void encodings_change_where_redis_changes_them(void **state)
{
    struct bytes args[8] = {BYTES("a"), BYTES("1"), BYTES("a"), BYTES("1"),
                            BYTES("a"), BYTES("1"), BYTES("a"), BYTES("1")};
    struct hash *hash;

    hash_set_listpack_entries(3);
    hash_set_listpack_value(5);
    hash = filled(3);
    assert_string_equal(hash_encoding(hash), "listpack");
    hash_set(hash, hashed(BYTES("f0")), BYTES("other"), false);
    assert_string_equal(hash_encoding(hash), "listpack");
    hash_set(hash, hashed(BYTES("g")), BYTES("v"), false);
    assert_string_equal(hash_encoding(hash), "hashtable");
    while (hash_size(hash)) {
        struct bytes field, value;
        struct hash_iter iter;

        hash_iter_init(&iter, hash);
        assert_true(hash_iter_next(&iter, &field, &value));
        char *copy = (char *)bytes_new(field).data;
        assert_true(hash_remove(hash, hashed((struct bytes){copy, field.len})));
        free(copy);
    }
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    hash = filled(1);
    hash_set(hash, hashed(BYTES("f0")), BYTES("longer"), false);
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    hash = filled(1);
    hash_set(hash, hashed(BYTES("longer")), BYTES("v"), false);
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    hash = filled(0);
    hash_expect(hash, args, 6);
    assert_string_equal(hash_encoding(hash), "listpack");
    hash_expect(hash, args, 8); /* more fields than may be packed, even if they are all one */
    assert_string_equal(hash_encoding(hash), "hashtable");
    hash_free(hash);
    hash = filled(2);
    hash_set_deadline(hash, BYTES("f1"), 5);
    assert_string_equal(hash_encoding(hash), "listpackex");
    hash_free(hash);
    hash_set_listpack_entries(512);
    hash_set_listpack_value(64);
}

struct seen {
    unsigned char times[5000];
    size_t count;
};

static void see(void *context, struct bytes field, struct bytes value)
{
    struct seen *seen = context;
    size_t number = strtoul(field.data + 1, NULL, 10);

    seen->times[number]++;
    seen->count++;
}

/* A scan sees what stays, while the table grows and shrinks under it. */
static void a_scan_misses_nothing_that_stays(void **state)
{
    for (int round = 0; round < 4; round++) {
        struct hash *hash = filled(1000);
        struct seen seen = {{0}, 0};
        uint64_t cursor = 0;
        size_t next = 1000;
        char field[32];

        do {
            cursor = hash_scan(hash, cursor, see, &seen);
            if (round % 2 == 0 && next < 5000)
                hash_set(hash, hashed(numbered(field, "f", next++)), BYTES("v"), false);
            else
                for (size_t i = 0; i < 20 && next > 500; i++)
                    hash_remove(hash, hashed(numbered(field, "f", --next)));
        } while (cursor);
        for (size_t i = 0; i < 500; i++)
            assert_true(seen.times[i] >= 1);
        hash_check(hash);
        hash_free(hash);
    }
}

static void a_random_field_is_any_with_the_same_chance(void **state)
{
    size_t sizes[] = {1, 10, 600};
    struct random random;

    random_init(&random, 7);
    for (int i = 0; i < 3; i++) {
        struct hash *hash = filled(sizes[i]);
        unsigned hits[600] = {0};
        struct bytes field, value;

        for (size_t n = 0; n < sizes[i] * 200; n++) {
            assert_true(hash_random(hash, &random, &field, &value));
            hits[strtoul(field.data + 1, NULL, 10)]++;
        }
        for (size_t n = 0; n < sizes[i]; n++)
            assert_in_range(hits[n], 100, 300);
        hash_free(hash);
    }
}

static void count_dead(void *context, struct bytes field) { ++*(size_t *)context; }

static void fields_die_by_their_deadline_and_in_pieces(void **state)
{
    size_t sizes[] = {10, 3000};

    for (int i = 0; i < 2; i++) {
        struct hash *hash = filled(sizes[i]);
        size_t dead = 0, half = sizes[i] / 2;
        struct bytes value;
        char field[32];

        for (size_t n = 0; n < half; n++)
            hash_set_deadline(hash, numbered(field, "f", n), 100 + (int64_t)(n % 7));
        assert_int_equal(hash_expiring(hash), half);
        assert_int_equal(hash_size(hash), sizes[i]);
        hash_set_now(hash, 100);
        assert_int_equal(hash_size(hash), sizes[i]);
        assert_int_equal(hash_expire(hash, SIZE_MAX, count_dead, &dead), 0);
        hash_set_now(hash, 101);
        assert_false(hash_get(hash, hashed(BYTES("f0")), &value));
        assert_true(hash_get(hash, hashed(BYTES("f1")), &value));
        assert_int_equal(hash_size(hash), sizes[i] - (half + 6) / 7);
        hash_set_now(hash, 1000);
        assert_int_equal(hash_size(hash), sizes[i] - half);
        assert_false(hash_remove(hash, hashed(BYTES("f1"))));
        assert_true(hash_set(hash, hashed(BYTES("f1")), BYTES("again"), true));
        assert_true(hash_get(hash, hashed(BYTES("f1")), &value));
        for (size_t n = 0; hash_tie_of(hash)->earliest_ms < 1000; n++) {
            assert_true(n <= half);
            hash_expire(hash, 1, count_dead, &dead);
            hash_check(hash);
        }
        assert_int_equal(dead, half - 1);
        assert_int_equal(hash_expiring(hash), 0);
        assert_false(hash_is_dead(hash, INT64_MAX));
        hash_free(hash);
    }
}

static void nearly_all_dead_the_rest_is_found_at_random(void **state)
{
    struct hash *hash = filled(2000);
    struct random random;
    struct bytes found, value;
    char field[32];

    random_init(&random, 9);
    for (size_t n = 1; n < 2000; n++)
        hash_set_deadline(hash, numbered(field, "f", n), 5);
    hash_set_now(hash, 6);
    assert_true(hash_random(hash, &random, &found, &value));
    assert_true(bytes_equal(found, BYTES("f0")));
    hash_remove(hash, hashed(BYTES("f0")));
    assert_false(hash_random(hash, &random, &found, &value));
    assert_true(hash_is_dead(hash, 6) && !hash_is_dead(hash, 5));
    hash_free(hash);
}

static int check_memory(void **state)
{
    static size_t before;
    size_t now;

    while (mem_background_step(INT64_MAX))
        ;
    now = mem_used();
    mem_check();
    if (*state) {
        size_t was = before;
        *state = NULL;
        return was == now ? 0 : -1;
    }
    before = now;
    *state = &before;
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, check_memory, check_memory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packed_hash_is_as_the_array),
        TEST(a_packed_hash_with_deadlines_is_as_the_array),
        TEST(a_table_is_as_the_array),
        TEST(a_table_with_deadlines_is_as_the_array),
        TEST(a_few_long_fields_are_as_in_the_array),
        TEST(every_small_limit_holds),
        TEST(encodings_change_where_redis_changes_them),
        TEST(a_scan_misses_nothing_that_stays),
        TEST(a_random_field_is_any_with_the_same_chance),
        TEST(fields_die_by_their_deadline_and_in_pieces),
        TEST(nearly_all_dead_the_rest_is_found_at_random),
    };

    hash_set_seed((struct hash_seed){1, 2});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
