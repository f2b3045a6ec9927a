/* The map against an array of flags, and its promises one by one. */
#include "unit.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "ds/map.h"

enum { KEYS_MAX = 2000 };

/* The number with zeros before it, so that keys have many lengths; 0 is the empty key. */
static struct bytes key_of(uint32_t id, char *buffer, size_t size)
{
    int len = id ? snprintf(buffer, size, "%0*u", (int)(id % 40), id) : 0;

    return (struct bytes){buffer, (size_t)len};
}

static void a_random_run_agrees_with_the_model(void **state)
{
    static int values[KEYS_MAX]; /* a key's value is the address of its cell */
    static bool is_in[KEYS_MAX];
    struct map map;
    struct random random;
    size_t count = 0;

    map_init(&map);
    random_init(&random, 1);
    for (size_t step = 0; step < RANDOM_STEPS((size_t)400000); step++) {
        uint32_t id = (uint32_t)random_below(&random, KEYS_MAX);
        bool is_filling = step / 10000 % 2 == 0, is_new;
        char buffer[64];
        struct bytes key = key_of(id, buffer, sizeof buffer);
        struct map_node *node = map_find(&map, key);

        assert_int_equal(node != NULL, is_in[id]);
        if (node) {
            assert_ptr_equal(node->value, &values[id]);
            assert_true(bytes_equal(map_key(node), key));
        }
        if (is_filling || random_below(&random, 4) == 0) {
            node = map_add(&map, key, &is_new);
            assert_int_equal(is_new, !is_in[id]);
            node->value = &values[id];
            count += !is_in[id];
            is_in[id] = true;
        } else {
            assert_int_equal(map_remove_key(&map, key), is_in[id]);
            count -= is_in[id];
            is_in[id] = false;
        }
        assert_int_equal(map_size(&map), count);
        if (step % 1000 == 0)
            dict_check(&map.dict);
    }
    map_release(&map);
}

static void a_new_node_has_no_value_and_a_key_of_its_own(void **state)
{
    struct map map;
    char text[] = "channel";
    bool is_new;

    map_init(&map);
    struct map_node *node = map_add(&map, bytes_from_string(text), &is_new);
    assert_true(is_new);
    assert_null(node->value);
    text[0] = 'C';
    assert_true(bytes_equal(map_key(node), BYTES("channel")));
    assert_null(map_find(&map, bytes_from_string(text)));
    assert_ptr_equal(map_add(&map, BYTES("channel"), NULL), node);
    map_release(&map);
}

static void keys_may_be_empty_or_hold_any_byte(void **state)
{
    struct map map;

    map_init(&map);
    struct map_node *empty = map_add(&map, (struct bytes){NULL, 0}, NULL);
    struct map_node *zero = map_add(&map, BYTES("\0"), NULL);
    struct map_node *zeros = map_add(&map, BYTES("\0\0"), NULL);
    assert_int_equal(map_size(&map), 3);
    assert_ptr_equal(map_find(&map, BYTES("")), empty);
    assert_ptr_equal(map_find(&map, BYTES("\0")), zero);
    assert_ptr_equal(map_find(&map, BYTES("\0\0")), zeros);
    map_release(&map);
}

static void fill(struct map *map, uint32_t count)
{
    for (uint32_t id = 0; id < count; id++) {
        char buffer[64];
        map_add(map, key_of(id, buffer, sizeof buffer), NULL);
    }
    assert_int_equal(map_size(map), count);
}

static void a_node_stays_where_it_is_while_the_map_grows(void **state)
{
    struct map map;

    map_init(&map);
    struct map_node *node = map_add(&map, BYTES("first"), NULL);
    for (uint32_t id = 0; id < KEYS_MAX; id++) {
        char buffer[64];
        map_add(&map, key_of(id, buffer, sizeof buffer), NULL);
        assert_ptr_equal(map_find(&map, BYTES("first")), node);
    }
    map_release(&map);
}

static void an_iterator_returns_each_node_once(void **state)
{
    struct map map;
    struct map_iter iter;
    struct map_node *node;
    size_t count = 0;

    map_init(&map);
    fill(&map, KEYS_MAX);
    map_iter_init(&iter, &map);
    while ((node = map_iter_next(&iter))) {
        assert_null(node->value);
        node->value = &map; /* seen */
        count++;
    }
    assert_int_equal(count, KEYS_MAX);
    map_release(&map);
}

/* 50000 removals would take minutes if each walked over the places of those before it. */
static void removing_any_until_it_is_empty_ends(void **state)
{
    size_t used_before = mem_used();
    struct map map;
    struct map_node *node;
    uint32_t count = 0;

    map_init(&map);
    assert_null(map_any(&map));
    fill(&map, 50000);
    while ((node = map_any(&map))) {
        map_remove(&map, node);
        count++;
    }
    assert_int_equal(count, 50000);
    assert_int_equal(map_memory(&map), 0);
    assert_int_equal(mem_used(), used_before);
    map_release(&map);
}

static void a_map_that_lost_most_of_its_nodes_shrinks(void **state)
{
    struct map map;

    map_init(&map);
    fill(&map, 50000);
    size_t full = dict_memory(&map.dict);
    for (uint32_t id = 1000; id < 50000; id++) {
        char buffer[64];
        assert_true(map_remove_key(&map, key_of(id, buffer, sizeof buffer)));
    }
    assert_true(dict_memory(&map.dict) < full / 10);
    dict_check(&map.dict);
    map_release(&map);
}

static void its_memory_is_what_it_took_and_comes_back(void **state)
{
    size_t used_before = mem_used();
    struct map map;

    map_init(&map);
    fill(&map, KEYS_MAX);
    assert_int_equal(map_memory(&map), mem_used() - used_before);
    map_release(&map);
    assert_int_equal(mem_used(), used_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_random_run_agrees_with_the_model),
        cmocka_unit_test(a_new_node_has_no_value_and_a_key_of_its_own),
        cmocka_unit_test(keys_may_be_empty_or_hold_any_byte),
        cmocka_unit_test(a_node_stays_where_it_is_while_the_map_grows),
        cmocka_unit_test(an_iterator_returns_each_node_once),
        cmocka_unit_test(removing_any_until_it_is_empty_ends),
        cmocka_unit_test(a_map_that_lost_most_of_its_nodes_shrinks),
        cmocka_unit_test(its_memory_is_what_it_took_and_comes_back),
    };

    hash_set_seed((struct hash_seed){1, 2});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
