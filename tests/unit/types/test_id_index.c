#include "unit.h"

#include "base/mem.h"
#include "base/random.h"
#include "types/id_index.h"

#define IDS 2000

/* Ids are 1 to IDS; the value is the address of the id's place. */
struct model {
    struct id_index index;
    bool has[IDS + 1];
    size_t count;
    struct random random;
};

static struct stream_id id_of(uint64_t number)
{
    return (struct stream_id){number / 8, number % 8};
}

static void add(struct model *model, uint64_t number)
{
    if (model->has[number])
        return;
    id_index_insert(&model->index, id_of(number), &model->has[number]);
    model->has[number] = true;
    model->count++;
}

static void drop(struct model *model, uint64_t number)
{
    void *expected = model->has[number] ? &model->has[number] : NULL;

    assert_ptr_equal(id_index_remove(&model->index, id_of(number)), expected);
    model->count -= model->has[number];
    model->has[number] = false;
}

static void look(struct model *model, uint64_t number)
{
    uint64_t floor = number, ceiling = number;
    struct id_cursor at;

    while (floor && !model->has[floor])
        floor--;
    while (ceiling <= IDS && !model->has[ceiling])
        ceiling++;
    at = id_index_floor(&model->index, id_of(number));
    assert_ptr_equal(at.node ? id_cursor_value(&at) : NULL, floor ? &model->has[floor] : NULL);
    at = id_index_ceiling(&model->index, id_of(number));
    assert_ptr_equal(at.node ? id_cursor_value(&at) : NULL,
                     ceiling <= IDS ? &model->has[ceiling] : NULL);
    assert_ptr_equal(id_index_find(&model->index, id_of(number)),
                     model->has[number] ? &model->has[number] : NULL);
}

static void check(struct model *model)
{
    struct id_cursor at = id_index_first(&model->index);

    assert_int_equal(model->index.count, model->count);
    for (uint64_t i = 1; i <= IDS; i++) {
        if (!model->has[i])
            continue;
        assert_ptr_equal(id_cursor_value(&at), &model->has[i]);
        assert_true(stream_id_equal(id_cursor_id(&at), id_of(i)));
        id_cursor_next(&at);
    }
    assert_null(at.node);
    at = id_index_last(&model->index);
    for (uint64_t i = IDS; i >= 1; i--) {
        if (!model->has[i])
            continue;
        assert_ptr_equal(id_cursor_value(&at), &model->has[i]);
        id_cursor_previous(&at);
    }
    assert_null(at.node);
}

static void random_runs_agree_with_an_array(void **state)
{
    size_t used = mem_used();
    struct model *model = calloc(1, sizeof *model);

    random_init(&model->random, 5);
    for (int wave = 0; wave < 20; wave++) {
        uint64_t adds = wave % 2 ? 30 : 60, range = wave < 8 ? 40 : IDS;

        for (int step = 0; step < RANDOM_STEPS(20000); step++) {
            uint64_t number = 1 + random_below(&model->random, range);
            uint64_t choice = random_below(&model->random, 100);

            if (choice < adds)
                add(model, number);
            else if (choice < 90)
                drop(model, number);
            else
                look(model, number);
            if (step % 16 == 0 || wave < 8)
                id_index_check(&model->index);
        }
        check(model);
    }
    id_index_release(&model->index);
    free(model);
    assert_int_equal(mem_used(), used);
}

static void what_is_before_an_id_can_be_cut_off(void **state)
{
    size_t used = mem_used();

    for (int run = 0; run < RANDOM_STEPS(600); run++) {
        struct model *front = calloc(1, sizeof *front), *rest = calloc(1, sizeof *rest);
        uint64_t ids = run < 300 ? (uint64_t)run % 60 : (uint64_t)IDS, bound;

        random_init(&rest->random, (uint64_t)run);
        bound = random_below(&rest->random, ids + 2);
        for (uint64_t i = 0; i < 2 * ids; i++)
            add(rest, run % 2 ? i % ids + 1 : 1 + random_below(&rest->random, ids));
        for (uint64_t i = 0; i < ids; i++)
            drop(rest, 1 + random_below(&rest->random, ids));
        front->index = id_index_cut(&rest->index, id_of(bound));
        for (uint64_t i = 1; i < bound && i <= ids; i++) {
            front->has[i] = rest->has[i];
            front->count += rest->has[i];
            rest->count -= rest->has[i];
            rest->has[i] = false;
        }
        /* The models tell places of 'rest' in both. */
        id_index_check(&front->index);
        id_index_check(&rest->index);
        check(rest);
        assert_int_equal(front->index.count, front->count);
        for (uint64_t i = 1; i <= ids; i++)
            assert_int_equal(id_index_find(&front->index, id_of(i)) != NULL, front->has[i]);
        for (uint64_t i = 1; i <= ids; i += 3) { /* both can be used on */
            add(rest, i);
            id_index_remove(&front->index, id_of(i));
            id_index_check(&rest->index);
            id_index_check(&front->index);
        }
        check(rest);
        id_index_release(&front->index);
        id_index_release(&rest->index);
        free(front);
        free(rest);
    }
    assert_int_equal(mem_used(), used);
}

/* Each way of coming with each way of going leaves nothing behind and no sparse nodes. */
static void ids_come_and_go_in_any_order(void **state)
{
    size_t used = mem_used();

    for (int way = 0; way < 9; way++) {
        struct model *model = calloc(1, sizeof *model);

        for (uint64_t i = 1; i <= IDS; i++)
            add(model, way % 3 == 0 ? i : way % 3 == 1 ? IDS + 1 - i : (i * 7919) % IDS + 1);
        check(model);
        for (uint64_t i = 1; i <= IDS; i++) {
            drop(model, way / 3 == 0 ? i : way / 3 == 1 ? IDS + 1 - i : (i * 7919) % IDS + 1);
            id_index_check(&model->index);
            assert_true(id_index_memory(&model->index) <= 3200 + 24 * 8 * (IDS - i));
        }
        assert_int_equal(model->count, 0);
        assert_null(model->index.root);
        free(model);
    }
    assert_int_equal(mem_used(), used);
}

static void a_copy_has_the_same_values(void **state)
{
    struct model *model = calloc(1, sizeof *model);
    struct id_index copy;

    for (uint64_t i = 1; i <= IDS; i += 3)
        add(model, i);
    copy = id_index_copy(&model->index);
    id_index_release(&model->index);
    model->index = copy;
    id_index_check(&copy);
    check(model);
    id_index_release(&model->index);
    free(model);
}

#ifndef TERN_STRESS
static void ascending_ids_cost_24_bytes_each(void **state)
{
    struct id_index index = {0};
    int value;

    for (uint64_t i = 1; i <= 100000; i++)
        id_index_insert(&index, (struct stream_id){i, 0}, &value);
    assert_true(id_index_memory(&index) <= 100000 * 25);
    id_index_release(&index);
    id_index_insert(&index, (struct stream_id){1, 0}, &value);
    assert_true(id_index_memory(&index) <= 48);
    id_index_release(&index);
}
#endif

static void neighbours_of_ids_carry(void **state)
{
    struct stream_id id = {4, UINT64_MAX};

    assert_true(stream_id_next(&id));
    assert_true(stream_id_equal(id, ((struct stream_id){5, 0})));
    assert_true(stream_id_previous(&id));
    assert_true(stream_id_equal(id, ((struct stream_id){4, UINT64_MAX})));
    id = STREAM_ID_MAX;
    assert_false(stream_id_next(&id));
    assert_true(stream_id_equal(id, STREAM_ID_MAX));
    id = STREAM_ID_MIN;
    assert_false(stream_id_previous(&id));
    assert_true(stream_id_is_zero(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_agree_with_an_array),
        cmocka_unit_test(what_is_before_an_id_can_be_cut_off),
        cmocka_unit_test(ids_come_and_go_in_any_order),
        cmocka_unit_test(a_copy_has_the_same_values),
#ifndef TERN_STRESS
        cmocka_unit_test(ascending_ids_cost_24_bytes_each),
#endif
        cmocka_unit_test(neighbours_of_ids_carry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
