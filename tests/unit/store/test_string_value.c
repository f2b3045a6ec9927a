/* Strings against plain buffers: every form, every boundary, with deadlines coming and going. */
#include "unit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "store/store_internal.h"
#include "store/string_value.h"
#include "types/list.h"

#include <inttypes.h>

#define NOW_MS     INT64_C(1795000000000)
#define MODEL_KEYS 48
#define VALUE_MAX  12000

enum shown { SHOWN_INT, SHOWN_EMBSTR, SHOWN_RAW };
static const char *const shown_names[] = {"int", "embstr", "raw"};

struct model_key {
    struct bytes name;
    bool is_there, is_list;
    char value[VALUE_MAX];
    size_t len;
    enum shown shown;
    int64_t deadline_ms;
};

struct rig {
    struct clock clock;
    struct random random;
    struct store *store;
    struct db *db;
    size_t mem_before;
    struct model_key keys[MODEL_KEYS];
};

/* ---- setting up ---- */

static void rig_init(struct rig *rig, uint64_t seed)
{
    hash_set_seed((struct hash_seed){1, 2});
    while (mem_background_step(INT64_MAX))
        ;
    rig->mem_before = mem_used();
    random_init(&rig->random, seed);
    clock_init(&rig->clock);
    clock_freeze(&rig->clock);
    rig->clock.now_us = NOW_MS * 1000;
    rig->store = store_new(2, &rig->clock, seed);
    rig->db = &rig->store->dbs[1];
}

static void rig_release(struct rig *rig)
{
    store_check(rig->db);
    store_free(rig->store);
    assert_int_equal(mem_used(), rig->mem_before);
    mem_check();
}

static struct key_ref find(struct rig *rig, struct bytes key)
{
    return store_find(rig->db, key, hash_bytes(key), LOOKUP_WRITE);
}

/* ---- the model ---- */

/* Lengths where a layout changes, and others; first bytes tell the keys apart. */
static void make_names(struct rig *rig)
{
    static const size_t lengths[] = {0,   1,   2,   3,   15,  16,  40,  100, 120, 128, 240, 247,
                                     248, 249, 254, 255, 256, 257, 258, 264, 300, 511, 512, 600};
    size_t count = sizeof lengths / sizeof *lengths;

    for (size_t i = 0; i < MODEL_KEYS; i++) {
        size_t len = lengths[i % count];
        char *name = malloc(len + 1);

        if (len)
            memset(name, i < count ? 'k' : 0xff, len);
        if (len == 0 && i >= count) { /* only one key is empty */
            name[0] = '\0';
            len = 1;
        }
        rig->keys[i].name = (struct bytes){name, len};
        rig->keys[i].deadline_ms = NO_DEADLINE;
    }
}

static void free_names(struct rig *rig)
{
    for (size_t i = 0; i < MODEL_KEYS; i++)
        free((char *)rig->keys[i].name.data);
}

static size_t random_len(struct rig *rig)
{
    static const size_t edges[] = {0,   1,   7,   8,   19,  20,  21,  22,  43,  44,  45,   46,
                                   255, 256, 257, 448, 500, 510, 511, 512, 513, 514, 1000, 5000};

    if (random_below(&rig->random, 2))
        return edges[random_below(&rig->random, sizeof edges / sizeof *edges)];
    return random_below(&rig->random, random_below(&rig->random, 4) ? 100 : 5001);
}

/* Valid until the next call. */
static struct bytes random_value(struct rig *rig)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "1",
                                          "-1",
                                          "007",
                                          "+7",
                                          " 7",
                                          "7 ",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "-9223372036854775808",
                                          "-9223372036854775809",
                                          "10000000000000000000",
                                          "3.5",
                                          "",
                                          "-"};
    static char buffer[5001];
    struct random *random = &rig->random;
    size_t len;

    if (random_below(random, 4) == 0)
        return bytes_from_string(numbers[random_below(random, sizeof numbers / sizeof *numbers)]);
    if (random_below(random, 4) == 0) {
        int64_t number = (int64_t)(random_next(random) >> random_below(random, 64));
        return (struct bytes){buffer, int64_format(buffer, number)};
    }
    len = random_len(rig);
    memset(buffer, (int)random_below(random, 256), len);
    for (size_t i = 0; i < len; i += 1 + random_below(random, 64))
        buffer[i] = (char)random_next(random);
    return (struct bytes){buffer, len};
}

static void model_set(struct model_key *key, struct bytes value, enum shown shown,
                      bool keep_deadline)
{
    if (!key->is_there || !keep_deadline)
        key->deadline_ms = NO_DEADLINE;
    key->is_there = true;
    key->is_list = false;
    key->len = value.len;
    if (value.len)
        memcpy(key->value, value.data, value.len);
    key->shown = shown;
}

static enum shown shown_as_text(struct bytes value)
{
    return value.len <= 44 ? SHOWN_EMBSTR : SHOWN_RAW;
}

static enum shown shown_as_value(struct bytes value)
{
    int64_t number;

    return int64_parse(value, &number) ? SHOWN_INT : shown_as_text(value);
}

static void check_string(const struct entry *entry, const struct model_key *key)
{
    struct bytes expected = {key->value, key->len}, value;
    char text[INT64_TEXT_MAX];
    int64_t number = 0, parsed = 0;

    value = string_get(entry, text);
    assert_int_equal(value.len, key->len);
    assert_true(bytes_equal(value, expected));
    assert_int_equal(string_len(entry), key->len);
    assert_string_equal(string_encoding(entry), shown_names[key->shown]);
    assert_int_equal(string_get_int(entry, &number), int64_parse(expected, &parsed));
    assert_true(number == parsed);
    assert_int_equal(string_extra_memory(entry) != 0, entry->form == FORM_CELL);
}

static void check_key(struct rig *rig, const struct model_key *key)
{
    const struct entry *entry = store_peek(rig->db, key->name, hash_bytes(key->name));

    assert_int_equal(entry != NULL, key->is_there);
    if (!entry)
        return;
    assert_true(bytes_equal(entry_key(entry), key->name));
    assert_true(entry_deadline(entry) == key->deadline_ms);
    if (key->is_list)
        assert_int_equal(entry->type, VALUE_LIST);
    else
        check_string(entry, key);
}

/* ---- one step of the random run ---- */

static void step_set(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    bool keep = random_below(&rig->random, 2);
    struct bytes value = random_value(rig);
    struct string_block *block;
    int64_t number = 0;

    switch (random_below(&rig->random, 6)) {
    case 0:
    case 1:
        string_set(ref, key->name, value, keep);
        model_set(key, value, shown_as_value(value), keep);
        break;
    case 2:
        string_set_text(ref, key->name, value, keep);
        model_set(key, value, shown_as_text(value), keep);
        break;
    case 3:
        string_set_raw(ref, key->name, value, keep);
        model_set(key, value, SHOWN_RAW, keep);
        break;
    case 4:
        block = string_block_new(value.len);
        if (value.len)
            memcpy(block->data, value.data, value.len);
        string_set_block(ref, key->name, block, keep);
        model_set(key, value, SHOWN_RAW, keep);
        break;
    case 5:
        number = (int64_t)(random_next(&rig->random) >> random_below(&rig->random, 64));
        string_set_int(ref, key->name, number, keep);
        model_set(key, (struct bytes){key->value, int64_format(key->value, number)}, SHOWN_INT,
                  keep);
        break;
    }
}

static void step_append(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    struct bytes tail = random_value(rig);

    if (!key->is_there || key->is_list || key->len + tail.len > VALUE_MAX)
        return;
    if (tail.len)
        memcpy(key->value + key->len, tail.data, tail.len);
    key->len += tail.len;
    key->shown = SHOWN_RAW;
    assert_int_equal(string_append(ref, tail), key->len);
}

static void step_set_range(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    struct bytes patch = random_value(rig);
    size_t offset = random_len(rig);

    if (!key->is_there || key->is_list || !patch.len || offset + patch.len > VALUE_MAX)
        return;
    if (offset > key->len)
        memset(key->value + key->len, 0, offset - key->len);
    memcpy(key->value + offset, patch.data, patch.len);
    if (offset + patch.len > key->len)
        key->len = offset + patch.len;
    key->shown = SHOWN_RAW;
    assert_int_equal(string_set_range(ref, offset, patch), key->len);
}

static void step_bytes(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    size_t len = random_len(rig), old_len = key->is_there ? key->len : 0, at;
    uint64_t changes = rig->store->changes;
    char *data;

    if (key->is_list || len > VALUE_MAX)
        return;
    data = string_bytes_for_write(ref, key->name, len);
    assert_int_equal(rig->store->changes > changes, !key->is_there || len > old_len);
    if (!key->is_there)
        model_set(key, (struct bytes){NULL, 0}, SHOWN_RAW, false);
    if (len > old_len) {
        memset(key->value + old_len, 0, len - old_len);
        key->len = len;
    }
    key->shown = SHOWN_RAW;
    assert_memory_equal(data, key->value, key->len);
    if (!key->len)
        return;
    at = random_below(&rig->random, key->len);
    data[at] = key->value[at] = (char)random_next(&rig->random);
}

static void step_take_block(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    size_t len = random_len(rig);
    struct string_block *block = string_take_block(ref, len);

    if (!block)
        return;
    assert_true(key->is_there && !key->is_list && block->capacity >= len);
    assert_memory_equal(block->data, key->value, key->len);
    assert_int_equal(string_len(ref->entry), 0);
    assert_string_equal(string_encoding(ref->entry), "raw");
    memset(block->data, 'x', len);
    block->len = len;
    string_set_block(ref, key->name, block, true);
    memset(key->value, 'x', len);
    model_set(key, (struct bytes){key->value, len}, SHOWN_RAW, true);
}

static void step_deadline(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    if (!key->is_there)
        return;
    if (random_below(&rig->random, 3)) {
        key->deadline_ms =
            NOW_MS + 1 +
            (int64_t)(random_next(&rig->random) >> (4 + random_below(&rig->random, 58)));
        store_set_deadline(ref, key->deadline_ms);
    } else {
        key->deadline_ms = NO_DEADLINE;
        store_clear_deadline(ref);
    }
}

/* Another type at the same key: a string can come in its place, as SET does. */
static void step_replace(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    bool was_there = key->is_there;

    if (was_there)
        store_remove(ref);
    assert_null(ref->entry);
    key->is_there = false;
    key->deadline_ms = NO_DEADLINE;
    if (was_there && random_below(&rig->random, 2))
        return;
    struct list *list = list_new();

    for (int i = 0; i < 1000; i += 1 + (int)random_below(&rig->random, 300))
        list_push(list, LIST_TAIL, BYTES("value"));
    *ref = find(rig, key->name);
    store_add(ref, key->name, VALUE_LIST, list);
    key->is_there = key->is_list = true;
}

/* As the pass that moves blocks together does. */
static void step_relocate(struct rig *rig, struct key_ref *ref)
{
    if (!ref->entry)
        return;
    entry_relocate(rig->db, ref_slot(ref), ref->entry);
    *ref = find(rig, entry_key(dict_slot_entry(ref->slot)));
}

static void step(struct rig *rig, struct key_ref *ref, struct model_key *key)
{
    uint64_t changes = rig->store->changes;

    switch (random_below(&rig->random, 14)) {
    case 13:
        step_take_block(rig, ref, key);
        break;
    case 12:
        step_bytes(rig, ref, key);
        break;
    case 0:
    case 1:
    case 2:
        step_set(rig, ref, key);
        assert_true(rig->store->changes > changes);
        break;
    case 3:
    case 4:
        step_append(rig, ref, key);
        break;
    case 5:
    case 6:
        step_set_range(rig, ref, key);
        break;
    case 7:
    case 8:
    case 9:
        step_deadline(rig, ref, key);
        break;
    case 10:
        step_replace(rig, ref, key);
        break;
    case 11:
        step_relocate(rig, ref);
        break;
    }
    assert_int_equal(ref->entry != NULL, key->is_there);
    assert_ptr_equal(ref->entry, store_peek(rig->db, key->name, ref->hash));
}

static void random_run(uint64_t seed, size_t steps)
{
    struct rig *rig = calloc(1, sizeof *rig);

    rig_init(rig, seed);
    make_names(rig);
    for (size_t i = 0; i < steps; i++) {
        struct model_key *key = &rig->keys[random_below(&rig->random, MODEL_KEYS)];
        struct key_ref ref = find(rig, key->name);

        /* A reference stays good through changes of its key. */
        for (uint64_t n = random_below(&rig->random, 4) + 1; n; n--) {
            step(rig, &ref, key);
            check_key(rig, key);
        }
        if (i % 16 == 0)
            store_check(rig->db);
        if (i % 256 == 0) {
            for (size_t k = 0; k < MODEL_KEYS; k++)
                check_key(rig, &rig->keys[k]);
            store_work(rig->store, 100000);
        }
    }
    rig_release(rig);
    free_names(rig);
    free(rig);
}

static void a_long_random_run_agrees_with_plain_buffers(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        random_run(seed, RANDOM_STEPS(150000));
}

/* ---- one property at a time ---- */

static void every_length_at_a_boundary_is_kept_in_every_form(void **state)
{
    static const size_t key_lengths[] = {0, 1, 254, 255, 256, 257, 600, 40000};
    static const size_t value_lengths[] = {0, 1, 20, 21, 43, 44, 45, 511, 512, 513, 5000, 40000};
    char *key_data = malloc(40000), *value_data = malloc(40000);
    struct rig *rig = calloc(1, sizeof *rig);

    memset(key_data, 'k', 40000);
    memset(value_data, 'v', 40000);
    rig_init(rig, 1);
    for (size_t k = 0; k < sizeof key_lengths / sizeof *key_lengths; k++)
        for (size_t v = 0; v < sizeof value_lengths / sizeof *value_lengths; v++)
            for (int with_deadline = 0; with_deadline < 2; with_deadline++) {
                struct bytes key = {key_data, key_lengths[k]},
                             value = {value_data, value_lengths[v]};
                struct key_ref ref = find(rig, key);
                char text[INT64_TEXT_MAX];

                string_set(&ref, key, BYTES("7"), false);
                if (with_deadline)
                    store_set_deadline(&ref, NOW_MS + 5);
                string_set(&ref, key, value, true);
                assert_true(bytes_equal(string_get(ref.entry, text), value));
                assert_true(bytes_equal(entry_key(ref.entry), key));
                assert_true(entry_deadline(ref.entry) ==
                            (with_deadline ? NOW_MS + 5 : NO_DEADLINE));
                assert_int_equal(ref.entry->form, value.len <= 512 ? FORM_EMBEDDED : FORM_CELL);
                assert_string_equal(string_encoding(ref.entry), value.len <= 44 ? "embstr" : "raw");
                store_check(rig->db);
                store_remove(&ref);
                assert_int_equal(store_expiring(rig->db), 0);
            }
    rig_release(rig);
    free(key_data);
    free(value_data);
    free(rig);
}

static void a_value_that_is_the_text_of_an_integer_is_one(void **state)
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
                 {"00", false},
                 {"-0", false},
                 {"+1", false},
                 {" 1", false},
                 {"1 ", false},
                 {"1.0", false},
                 {"", false}};
    struct rig *rig = calloc(1, sizeof *rig);

    rig_init(rig, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct key_ref ref = find(rig, BYTES("n"));
        struct bytes value = bytes_from_string(cases[i].text);
        char text[INT64_TEXT_MAX];

        string_set(&ref, BYTES("n"), value, false);
        assert_int_equal(ref.entry->form == FORM_INT, cases[i].is_int);
        assert_true(bytes_equal(string_get(ref.entry, text), value));
        string_set_text(&ref, BYTES("n"), value, false);
        assert_string_equal(string_encoding(ref.entry), "embstr");
        assert_true(bytes_equal(string_get(ref.entry, text), value));
    }
    rig_release(rig);
    free(rig);
}

static void a_gap_before_a_patch_is_filled_with_zeros(void **state)
{
    static const size_t offsets[] = {1, 5, 19, 20, 44, 100, 511, 512, 513, 2000, 70000};
    static const char zeros[70000];
    struct rig *rig = calloc(1, sizeof *rig);

    rig_init(rig, 1);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        for (int form = 0; form < 3; form++) {
            struct key_ref ref = find(rig, BYTES("k"));
            char text[INT64_TEXT_MAX];
            struct bytes value;

            if (form == 0)
                string_set_raw(&ref, BYTES("k"), (struct bytes){NULL, 0}, false);
            else if (form == 1)
                string_set_int(&ref, BYTES("k"), 5, false);
            else
                string_set_block(&ref, BYTES("k"), string_block_new(0), false);
            assert_int_equal(string_set_range(&ref, offsets[i], BYTES("end")), offsets[i] + 3);
            value = string_get(ref.entry, text);
            assert_int_equal(value.len, offsets[i] + 3);
            if (form == 1)
                assert_int_equal(value.data[0], '5');
            assert_memory_equal(value.data + (form == 1), zeros, offsets[i] - (form == 1));
            assert_memory_equal(value.data + offsets[i], "end", 3);
        }
    rig_release(rig);
    free(rig);
}

static void a_string_that_grows_byte_by_byte_is_seldom_copied(void **state)
{
    size_t len = RANDOM_STEPS(2000000), moves = 0;
    struct rig *rig = calloc(1, sizeof *rig);
    const char *data = NULL;
    struct key_ref ref;
    struct bytes value;

    rig_init(rig, 1);
    ref = find(rig, BYTES("k"));
    string_set(&ref, BYTES("k"), BYTES("x"), false);
    for (size_t i = 1; i < len; i++) {
        assert_int_equal(string_append(&ref, BYTES("x")), i + 1);
        value = string_get(ref.entry, NULL);
        if (i > 512) {
            moves += value.data != data;
            data = value.data;
        }
    }
    assert_true(moves < 30);
    assert_true(string_extra_memory(ref.entry) < 2 * len + 100);
    for (size_t i = 0; i < len; i++)
        if (value.data[i] != 'x')
            fail();
    rig_release(rig);
    free(rig);
}

static void a_string_takes_the_place_of_a_long_list(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    char *filler = calloc(1, 8000);
    struct key_ref ref;
    struct list *list;

    rig_init(rig, 1);
    list = list_new();
    ref = find(rig, BYTES("k"));
    store_add(&ref, BYTES("k"), VALUE_LIST, list);
    for (int i = 0; i < 500; i++)
        list_push(list, LIST_TAIL, (struct bytes){filler, 8000});
    ref = find(rig, BYTES("k"));
    store_set_deadline(&ref, NOW_MS + 1000);
    string_set(&ref, BYTES("k"), BYTES("short"), true);
    assert_int_equal(ref.entry->type, VALUE_STRING);
    assert_true(entry_deadline(ref.entry) == NOW_MS + 1000);
    assert_int_equal(store_pending_frees(rig->store), 1);
    while (store_work(rig->store, INT64_MAX))
        ;
    assert_int_equal(store_pending_frees(rig->store), 0);
    rig_release(rig);
    free(filler);
    free(rig);
}

/* ---- main ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_at_a_boundary_is_kept_in_every_form),
        cmocka_unit_test(a_value_that_is_the_text_of_an_integer_is_one),
        cmocka_unit_test(a_gap_before_a_patch_is_filled_with_zeros),
        cmocka_unit_test(a_string_that_grows_byte_by_byte_is_seldom_copied),
        cmocka_unit_test(a_string_takes_the_place_of_a_long_list),
        cmocka_unit_test(a_long_random_run_agrees_with_plain_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
